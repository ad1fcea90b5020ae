"""Objects as pickles that carry their own code.

A pickle normally names the functions and classes that it needs, and whoever loads it must have the same modules. A
model registered from a script or notebook must not depend on that file, so what does not come from an installed
package is written by value. Loading a pickle runs what its author put into it, hence only ever with trust.
"""

from __future__ import annotations

import contextlib
import pickle
import site
import sys
import sysconfig
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from hokusai.core.models.framework_model import refuse_unless
from hokusai.errors import DataError, InvalidInputError

WHY = "The model is stored as a pickle, and loading a pickle runs whatever its author put into it"
_BY_VALUE = threading.Lock()  # cloudpickle keeps one list for the whole process


def dump_by_value(thing: Any, owner: Any = None) -> bytes:
    """`thing` as a pickle that carries the code of the module that defines it.

    Args:
        thing: What to pickle.
        owner: The object whose code has to be carried; `thing` by default.

    Raises:
        InvalidInputError: It cannot be pickled; the text says what in it cannot.
    """
    import cloudpickle

    try:
        with carried_by_value(thing if owner is None else owner):
            return bytes(cloudpickle.dumps(thing))
    except Exception as by_value:  # noqa: BLE001 - pickling runs the objects' own code; a lock in their module fails too
        try:
            return bytes(cloudpickle.dumps(thing))
        except Exception:  # noqa: BLE001 - the first reason is told
            raise InvalidInputError(
                f"The model cannot be stored: {type(by_value).__name__}: {by_value}",
                where=type(thing).__name__,
                hint="Open files, connections, locks and clients cannot be stored; make them when it predicts.",
            ) from by_value


def load_pickle(path: Path, *, trust: bool) -> Any:
    """The object in a pickle.

    Raises:
        UntrustedModelError: `trust` is False.
        DataError: It cannot be loaded here.
    """
    refuse_unless(trust, WHY, path.name)
    try:
        with path.open("rb") as file:
            return pickle.load(file)  # noqa: S301 - the caller vouches for these bytes
    except Exception as problem:  # whatever the author's code raises, and whatever a damaged pickle does
        raise DataError(
            f"The pickle cannot be loaded: {type(problem).__name__}: {problem}",
            where=path.name,
            hint="It may need packages that are not installed here; see requirements.txt beside it.",
        ) from problem


@contextlib.contextmanager
def carried_by_value(thing: Any) -> Iterator[None]:
    """While it lasts, cloudpickle writes code of the module that defines `thing` by value."""
    import cloudpickle

    module = _own_module(thing)
    with _BY_VALUE:
        if module is None or module.__name__ in cloudpickle.list_registry_pickle_by_value():
            yield
            return
        cloudpickle.register_pickle_by_value(module)
        try:
            yield
        finally:
            cloudpickle.unregister_pickle_by_value(module)


def _own_module(thing: Any) -> ModuleType | None:
    """The module that defines `thing`, unless an installed package or Python itself brings it."""
    owner = thing if hasattr(thing, "__qualname__") else type(thing)
    module = sys.modules.get(getattr(owner, "__module__", None) or "")
    file = getattr(module, "__file__", None)
    if (
        module is None
        or file is None
        or module.__name__ == "__main__"
        or module.__name__.startswith("hokusai.")
    ):
        return None
    return None if _is_installed(Path(file)) else module


def _is_installed(file: Path) -> bool:
    paths = sysconfig.get_paths()
    roots = [paths[key] for key in ("stdlib", "platstdlib", "purelib", "platlib")] + site.getsitepackages()
    return any(file.is_relative_to(root) for root in roots)
