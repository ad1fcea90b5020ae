"""The same relational function gives the same pairs on every engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import narwhals as nw
import polars as pl
import pytest

from hokusai.pipeline.data.relations import key_matches, repeated_keys

ENGINES: dict[str, Callable[[pl.DataFrame], Any]] = {
    "polars": lambda frame: frame,
    "polars lazy": pl.DataFrame.lazy,
    "pandas": pl.DataFrame.to_pandas,
    "pandas nullable": lambda frame: frame.to_pandas(use_pyarrow_extension_array=True),
    "pyarrow": pl.DataFrame.to_arrow,
}

BASE = pl.DataFrame({"k": ["a", None, "b", "a", "c"], "n": [1, 1, 2, 1, None], "at": [0, 1, 2, 3, 4]})
NEW = pl.DataFrame({"k": ["c", "b", None, "a", "b"], "n": [None, 2, 1, 1, 3], "at": [0, 1, 2, 3, 4]})


def pairs(frame: Any) -> list[tuple[int, ...]]:
    found = nw.from_native(frame)
    return sorted((found.collect() if isinstance(found, nw.LazyFrame) else found).rows())


@pytest.mark.parametrize("engine", ENGINES)
class TestOnEveryEngine:
    def test_matches_are_with_the_first_row_of_a_key(self, engine: str) -> None:
        make = ENGINES[engine]
        assert pairs(key_matches(make(BASE), make(NEW), ["k", "n"], "at")) == [(1, 2), (3, 0)]
        assert pairs(key_matches(make(BASE), make(NEW), ["k"], "at")) == [(0, 4), (1, 2), (3, 0), (4, 2)]

    def test_repeats_name_the_first_row(self, engine: str) -> None:
        make = ENGINES[engine]
        assert pairs(repeated_keys(make(BASE), ["k", "n"], "at")) == [(3, 0)]
        assert pairs(repeated_keys(make(BASE), ["n"], "at")) == [(1, 0), (3, 0)]

    def test_the_result_is_a_frame_of_the_engine(self, engine: str) -> None:
        frame = ENGINES[engine](BASE)
        assert type(repeated_keys(frame, ["k"], "at")) is type(frame)
