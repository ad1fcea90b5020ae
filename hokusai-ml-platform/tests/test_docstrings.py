"""The examples in the docstrings of the package print what they say."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import hokusai

RUNS_ELSEWHERE = "hokusai.adapters.sql.migrations"
"""Alembic imports these."""
PARTS = sorted(
    {module.name for module in pkgutil.iter_modules(hokusai.__path__, "hokusai.")} - {"hokusai.cli"}
)


@pytest.mark.parametrize("part", PARTS)
def test_examples_print_what_they_say(part: str) -> None:
    package = importlib.import_module(part)
    inside = pkgutil.walk_packages(getattr(package, "__path__", ()), f"{part}.")
    names = [part, *(module.name for module in inside if not module.name.startswith(RUNS_ELSEWHERE))]
    failed = {name: doctest.testmod(importlib.import_module(name)).failed for name in names}
    assert {name: count for name, count in failed.items() if count} == {}
