"""The examples in the docstrings of `hokusai.privacy` print what they say."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import hokusai.privacy

MODULES = [
    "hokusai.privacy",
    *(f"hokusai.privacy.{module.name}" for module in pkgutil.iter_modules(hokusai.privacy.__path__)),
]


@pytest.mark.parametrize("module", MODULES)
def test_examples_print_what_they_say(module: str) -> None:
    assert doctest.testmod(importlib.import_module(module)).failed == 0
