"""The fixtures of the real servers, for every test of the repository, and how property tests draw their examples."""

import gc
import sys
from functools import cache

import pytest
from hypothesis import is_hypothesis_test, settings

pytest_plugins = ["hokusai.stack.pytest_plugin"]

gc.disable()  # until all tests are collected: what is made till then stays

# Every run draws the same examples, so that a change and nothing else turns a test red; a busy machine is no failure.
settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=25)
settings.load_profile("repeatable")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Coverage is measured by examples alone: tracing what a property repeats a hundred times doubles its time."""
    for item in items:
        if is_hypothesis_test(getattr(item, "obj", None)):
            item.add_marker("no_cover")


def pytest_collection_finish() -> None:
    """Thousands of collected tests are looked through for garbage no more: each time that took half a second."""
    gc.freeze()
    gc.enable()


def pytest_runtest_setup() -> None:
    """py_ecc raises the limit for the whole process when it is imported; JSON of other tests then overflows the stack.

    MLflow reads eighty files for the newest version of its tables each time a store is opened; once will do.
    """
    sys.setrecursionlimit(1000)
    tables = sys.modules.get("mlflow.store.db.utils")
    if tables is not None and not hasattr(tables._get_latest_schema_revision, "cache_info"):
        tables._get_latest_schema_revision = cache(tables._get_latest_schema_revision)  # type: ignore[attr-defined]
