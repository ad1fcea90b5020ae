"""Async twins of methods that wait, without writing them twice.

The store's client is synchronous, so the twin runs the same method in a worker thread; the event loop stays free.
A subclass that overrides the method has overridden its twin.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

_Self = TypeVar("_Self")
_Params = ParamSpec("_Params")
_Result = TypeVar("_Result")


def async_twin(
    method: Callable[Concatenate[_Self, _Params], _Result],
) -> Callable[Concatenate[_Self, _Params], Coroutine[Any, Any, _Result]]:
    """The coroutine method that does what `method` does, in a worker thread.

    >>> class Store:
    ...     def read(self, name: str) -> str:
    ...         return f"content of {name}"
    ...
    ...     aread = async_twin(read)
    >>> asyncio.run(Store().aread("a.csv"))
    'content of a.csv'
    """
    name = method.__name__

    @wraps(method)
    async def twin(self: _Self, /, *args: _Params.args, **kwargs: _Params.kwargs) -> _Result:
        bound = cast("Callable[_Params, _Result]", getattr(self, name))
        return await asyncio.to_thread(bound, *args, **kwargs)

    twin.__name__ = f"a{name}"
    twin.__qualname__ = ".".join([*method.__qualname__.split(".")[:-1], f"a{name}"])
    twin.__doc__ = f"`{name}` in a worker thread, for code that must not wait."
    return twin
