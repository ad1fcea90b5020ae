"""Loops that Numba compiles to machine code, where a process has so much to do that loading them pays.

They are kept beside the same thing done without Numba, give the same bytes, and save time only: to import Numba and to
load a compiled loop takes about a second, and to compile it for the first time some more. So `pays` counts what a
process does, and says yes when there has been enough. Without Numba (extra `fast`) nothing is lost but time.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypeVar, cast

_Function = TypeVar("_Function", bound=Callable[..., object])

_ENOUGH = 300_000
"""Hashes, or as much work as they are: about half a second without Numba."""
_DONE = Counter[str]()


def pays(work: int) -> bool:
    """Whether to do the next `work` (in hashes) with compiled loops: if Numba is there, and once there was enough."""
    _DONE["work"] += work
    return _DONE["work"] > _ENOUGH and can_compile()


@cache
def can_compile() -> bool:
    """Whether Numba is there and not switched off; without compiling, its loops would take for ever."""
    return find_spec("numba") is not None and os.environ.get("NUMBA_DISABLE_JIT", "0") in ("", "0")


def compiled(function: _Function) -> _Function:
    """The function as machine code, made when it is called first and kept for other processes where there is room."""
    from numba import njit

    made: Any = njit(function, nogil=True, error_model="numpy")
    with contextlib.suppress(RuntimeError):  # there is no folder for it that can be written
        made._cache = _cache_of(function)
    return cast("_Function", made)


def _cache_of(function: Callable[..., object]) -> Any:
    """Numba's cache of a function, without which all goes on: a full disk or a damaged file costs time only."""
    caching: Any = import_module("numba.core.caching")
    cache = caching.FunctionCache(function)
    load, save = cache.load_overload, cache.save_overload

    def load_overload(*given: Any) -> Any:
        try:
            return load(*given)
        except Exception:  # noqa: BLE001  # whatever a damaged file raises
            with contextlib.suppress(OSError):
                cache.flush()
            return None

    def save_overload(*given: Any) -> None:
        with contextlib.suppress(OSError):
            save(*given)

    cache.load_overload, cache.save_overload = load_overload, save_overload
    return cache
