"""An async twin does what its method does, off the event loop, and keeps its signature."""

from __future__ import annotations

import asyncio
import inspect
import threading

import pytest

from hokusai.utils.twins import async_twin


class Shelf:
    def take(self, name: str, *, copies: int = 1) -> tuple[str, int, str]:
        """Take something."""
        if not name:
            raise ValueError("a name is needed")
        return name, copies, threading.current_thread().name

    atake = async_twin(take)


class LabelledShelf(Shelf):
    def take(self, name: str, *, copies: int = 1) -> tuple[str, int, str]:
        return super().take(f"label:{name}", copies=copies)


def test_a_twin_gives_what_its_method_gives():
    name, copies, _ = asyncio.run(Shelf().atake("a", copies=3))
    assert (name, copies) == ("a", 3)


def test_a_twin_runs_in_another_thread():
    assert asyncio.run(Shelf().atake("a"))[2] != threading.current_thread().name


def test_a_twin_raises_what_its_method_raises():
    with pytest.raises(ValueError, match="a name is needed"):
        asyncio.run(Shelf().atake(""))


def test_who_overrides_the_method_has_overridden_the_twin():
    assert asyncio.run(LabelledShelf().atake("a"))[0] == "label:a"


def test_a_twin_is_a_coroutine_function_with_its_own_name_and_the_same_parameters():
    assert inspect.iscoroutinefunction(Shelf.atake)
    assert (Shelf.atake.__name__, Shelf.atake.__qualname__) == ("atake", "Shelf.atake")
    assert list(inspect.signature(Shelf.atake).parameters) == ["self", "name", "copies"]
