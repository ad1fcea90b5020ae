"""Where a `DataIntegrator` gets its tokenizer from when it is given none.

It names no settings. `hokusai.wiring` plugs in here what they choose; importing this loads nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from hokusai.errors import ConfigurationError
from hokusai.privacy.tokens import Tokenizer

_provider: Callable[[], Tokenizer] | None = None


def provide_tokenizer(provider: Callable[[], Tokenizer] | None) -> None:
    """Say what makes tokens."""
    global _provider  # noqa: PLW0603 - one default a process, set by the composition root
    _provider = provider


def default_tokenizer() -> Tokenizer:
    """What `provide_tokenizer` set.

    Raises:
        ConfigurationError: Nothing is set, or the key cannot be used.
    """
    if _provider is None:
        raise ConfigurationError(
            "Personal data is to be hashed, and there is no key",
            hint="Import hokusai.wiring, which plugs in the configured one, pass tokenizer=…, or mask instead.",
        )
    return _provider()
