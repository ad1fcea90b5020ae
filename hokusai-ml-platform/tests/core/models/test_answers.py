"""What goes in as JSON comes out as JSON; what goes in as a table or array comes out as an array."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hokusai.core.models.answers import as_rows, to_json
from hokusai.errors import InvalidInputError

NAMES = ["a", "b"]


class TestAsRows:
    def test_a_record_becomes_one_row_in_the_models_order(self) -> None:
        rows, reply = as_rows({"b": 2.0, "a": 1.0, "note": "x"}, NAMES)
        assert rows.to_dict("list") == {"a": [1.0], "b": [2.0]}
        assert reply(np.array([7])) == 7

    def test_records_become_rows_and_the_answer_a_list(self) -> None:
        rows, reply = as_rows([{"a": 1, "b": 2}, {"b": 4, "a": 3}], NAMES)
        assert rows.to_numpy().tolist() == [[1, 2], [3, 4]]
        assert reply(np.array([0.5, 0.25])) == [0.5, 0.25]

    def test_a_dict_of_columns_is_a_table(self) -> None:
        rows, reply = as_rows({"b": [2, 4], "a": [1, 3]}, NAMES)
        assert rows.to_numpy().tolist() == [[1, 2], [3, 4]]
        assert reply(np.array([1, 0])) == [1, 0]

    def test_a_model_without_names_gets_an_array(self) -> None:
        rows, _ = as_rows([{"x": 1, "y": 2}], None)
        assert isinstance(rows, np.ndarray) and rows.tolist() == [[1, 2]]

    def test_lists_of_numbers_become_an_array(self) -> None:
        rows, reply = as_rows([[1, 2], [3, 4]], NAMES)
        assert isinstance(rows, np.ndarray) and rows.shape == (2, 2)
        assert reply(np.array(["x", "y"])) == ["x", "y"]

    def test_texts_stay_a_list(self) -> None:
        assert as_rows(["good", "bad"], None)[0] == ["good", "bad"]

    @pytest.mark.parametrize("data", [np.zeros((2, 2)), pd.DataFrame({"a": [1]}), pl.DataFrame({"a": [1]})])
    def test_tables_and_arrays_pass_as_they_are(self, data: Any) -> None:
        answer = np.array([1.0])
        rows, reply = as_rows(data, NAMES)
        assert rows is data and reply(answer) is answer

    def test_a_missing_feature_is_named_with_what_is_needed(self) -> None:
        with pytest.raises(InvalidInputError, match=r"lacks 'b'.*needs a, b"):
            as_rows({"a": 1}, NAMES)

    @pytest.mark.parametrize("ragged", [[[1, 2], [3]], {"a": [1, 2], "b": [3]}])
    def test_ragged_rows_are_refused(self, ragged: Any) -> None:
        with pytest.raises(InvalidInputError, match="do not make"):
            as_rows(ragged, NAMES)


class TestToJson:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (np.float32(0.5), 0.5),
            (np.array([[1, 2]]), [[1, 2]]),
            (pd.Series([True, False]), [True, False]),
            (pd.DataFrame({"p": [0.5]}), [{"p": 0.5}]),
            (pl.DataFrame({"p": [0.5]}), [{"p": 0.5}]),
            (pl.Series([1, 2]), [1, 2]),
            ((1, np.int8(2)), [1, 2]),
            ({1: np.array([1])}, {"1": [1]}),
            (None, None),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_is_what_json_holds(self, value: Any, expected: Any) -> None:
        assert to_json(value) == expected
        json.dumps(to_json(value))

    @given(
        st.recursive(
            st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(), st.lists, max_leaves=9
        )
    )
    def test_json_values_stay_what_they_are(self, value: Any) -> None:
        assert to_json(value) == value
