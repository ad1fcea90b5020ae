"""What is used where nothing is given: one value a process, which the composition root plugs in.

A verb such as `ModelRegistry()` names no adapter and reads no settings. `hokusai.wiring` says what makes its defaults;
whoever imports a `Default` loads nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, ParamSpec, TypeVar

from hokusai.errors import ConfigurationError

P = ParamSpec("P")
T = TypeVar("T")


class Default(Generic[P, T]):
    """Makes a default, once it was said how.

    Args:
        missing: What is wrong while it was not said.
        hint: What to do then.

    >>> default_port = Default[[], int]("There is no port", "Import hokusai.wiring, or pass port=…")
    >>> default_port.provide(lambda: 5000)
    >>> default_port()
    5000
    """

    def __init__(self, missing: str, hint: str) -> None:
        self._missing, self._hint = missing, hint
        self._provider: Callable[P, T] | None = None

    def provide(self, provider: Callable[P, T] | None) -> Callable[P, T] | None:
        """Say what makes it; gives what was said before."""
        before, self._provider = self._provider, provider
        return before

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """What the provider makes.

        Raises:
            ConfigurationError: There is none, or the settings cannot be used.
        """
        if self._provider is None:
            raise ConfigurationError(self._missing, hint=self._hint)
        return self._provider(*args, **kwargs)
