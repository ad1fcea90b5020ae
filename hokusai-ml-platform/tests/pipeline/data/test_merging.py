"""A merge counts what became of every row, and gives the same result for every kind of table."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from hokusai.domain.manifest import RowAccount
from hokusai.errors import InvalidInputError, SchemaError
from hokusai.pipeline.data.alignment import TypeChange
from hokusai.pipeline.data.key_update import BASE_WINS, NO_KEY
from hokusai.pipeline.data.merging import merge

BASE = pl.DataFrame({"query_id": [1, 2, 3], "text": ["a", "b", None], "score": [0.5, None, 1.5]})
NEW = pl.DataFrame({"query_id": [9, 3, 2, 1], "text": ["z", "c", "b", "a"], "score": [9.0, 1.5, None, 0.25]})


class TestUpdate:
    def test_new_rows_take_the_places_of_base_rows_and_the_rest_comes_behind(self) -> None:
        result = merge(BASE, NEW, "update")
        assert result.frame.rows() == [(1, "a", 0.25), (2, "b", None), (3, "c", 1.5), (9, "z", 9.0)]
        assert (result.added, result.changed, result.unchanged, result.base_only) == (1, 2, 1, 0)
        assert result.conflicts == {"text": 1, "score": 1}
        assert result.key == ("query_id",)
        assert result.account == RowAccount(read=4, kept=3, duplicates=1)

    def test_the_base_may_count(self) -> None:
        result = merge(BASE, NEW, "update", on_conflict="base")
        assert result.frame.rows() == [*BASE.rows(), (9, "z", 9.0)]
        assert (result.added, result.changed, result.unchanged) == (1, 0, 1)
        assert [(reject.row, reject.reason) for reject in result.rejects] == [(2, BASE_WINS), (4, BASE_WINS)]
        assert result.account == RowAccount(read=4, kept=1, rejected=2, duplicates=1)

    def test_conflicts_may_be_refused_without_quoting_them(self) -> None:
        with pytest.raises(
            SchemaError, match=r"Values differ .* in rows 2, 4; by column: 'text' \(1\), 'score' \(1\)"
        ):
            merge(BASE, NEW, "update", on_conflict="raise")

    def test_a_missing_value_of_a_new_row_counts_too(self) -> None:
        new = pl.DataFrame({"query_id": [1], "text": [None], "score": [0.5]}, schema=BASE.schema)
        assert merge(BASE, new, "update").frame.rows()[0] == (1, None, 0.5)

    def test_columns_that_the_new_data_lacks_keep_the_values_of_the_base(self) -> None:
        new = pl.DataFrame({"query_id": [7, 1], "text": ["n", "A"], "extra": [True, False]})
        result = merge(BASE, new, "update")
        assert result.frame.columns == ["query_id", "text", "score", "extra"]
        assert result.frame.rows() == [
            (1, "A", 0.5, False),
            (2, "b", None, None),
            (3, None, 1.5, None),
            (7, "n", None, True),
        ]
        assert "'score' is only in the base data" in result.notes[0]
        assert "'extra' is only in the new data" in result.notes[1]

    def test_a_column_that_the_base_lacks_is_no_conflict_with_it(self) -> None:
        new = pl.DataFrame({"query_id": [1, 2, 3], "text": ["a", "B", None], "extra": ["p", "q", None]})
        result = merge(BASE, new, "update", on_conflict="base")
        assert result.frame["extra"].to_list() == ["p", None, None]
        assert result.frame["text"].to_list() == ["a", "b", None]
        assert (result.changed, result.unchanged, [r.row for r in result.rejects]) == (1, 1, [2])
        assert result.conflicts == {"text": 1}

    def test_a_row_without_a_key_is_rejected_and_never_matches(self) -> None:
        base = pl.DataFrame({"id": ["x", None], "v": [1, 2]})
        new = pl.DataFrame({"id": [None, "x", None], "v": [5, 6, 7]})
        result = merge(base, new, "update")
        assert result.frame.rows() == [("x", 6), (None, 2)]
        assert [(r.row, r.reason, r.column) for r in result.rejects] == [(1, NO_KEY, "id"), (3, NO_KEY, "id")]
        assert result.account == RowAccount(read=3, kept=1, rejected=2)
        assert result.base_only == 1

    def test_a_key_of_several_columns(self) -> None:
        base = pl.DataFrame({"user": [1, 1], "day": [1, 2], "v": ["a", "b"]})
        new = pl.DataFrame({"user": [1, 2], "day": [2, 2], "v": ["B", "c"]})
        result = merge(base, new, "update", key=["user", "day"])
        assert result.frame.rows() == [(1, 1, "a"), (1, 2, "B"), (2, 2, "c")]

    def test_columns_may_be_called_anything(self) -> None:
        base = pl.DataFrame({"row": [1, 2], "new_row": [1, 2], "first": [5, 6]})
        result = merge(base, pl.DataFrame({"row": [2], "new_row": [3], "first": [7]}), "update", key="row")
        assert result.frame.rows() == [(1, 1, 5), (2, 3, 7)]

    def test_an_empty_side(self) -> None:
        assert_frame_equal(merge(BASE, NEW.clear(), "update").frame, BASE)
        result = merge(BASE.clear(), NEW, "update")
        assert_frame_equal(result.frame, NEW)
        assert result.added == 4


def test_the_same_update_once_more_changes_nothing() -> None:
    once = merge(BASE, NEW, "update")
    again = merge(once.frame, NEW, "update")
    assert_frame_equal(again.frame, once.frame)
    assert (again.added, again.changed, again.unchanged) == (0, 0, NEW.height)


class TestKey:
    def test_the_id_column_is_found(self) -> None:
        base = pl.DataFrame({"row_id": ["a", "b"], "v": [1, 2]})
        assert merge(base, base[:1], "update").key == ("row_id",)

    def test_there_must_be_one(self) -> None:
        frame = pl.DataFrame({"v": [1, 2]})
        with pytest.raises(SchemaError, match="no column that identifies a row on both sides"):
            merge(frame, frame, "update")

    def test_both_sides_must_have_it(self) -> None:
        with pytest.raises(SchemaError, match=r"'text_' is missing.*the base data"):
            merge(BASE, NEW, "update", key="text_")

    def test_no_name_is_not_a_key(self) -> None:
        with pytest.raises(SchemaError, match="No key column is named"):
            merge(BASE, NEW, "update", key=[])

    def test_repeated_in_the_new_data_it_is_refused_by_row(self) -> None:
        new = pl.DataFrame({"query_id": [5, 5, 6, 5], "text": list("abcd")})
        with pytest.raises(SchemaError, match=r"\(query_id\) .* again in rows 2, 4 \(the new data\)"):
            merge(BASE, new, "update")

    def test_repeated_in_the_new_data_the_last_row_may_count(self) -> None:
        new = pl.DataFrame({"query_id": [5, 1, 5, 6, 1], "text": list("abcde")})
        result = merge(BASE, new, "update", repeats="last")
        assert result.frame["query_id"].to_list() == [1, 2, 3, 5, 6]
        assert result.frame["text"].to_list() == ["e", "b", None, "c", "d"]
        assert result.account == RowAccount(read=5, kept=3, duplicates=2)
        assert "counts instead of rows 1, 2" in result.notes[-1]

    def test_repeated_in_the_new_data_none_of_its_rows_may_count(self) -> None:
        new = pl.DataFrame({"query_id": [5, 1, 5, 6, 6, 5], "text": list("abcdda")})
        result = merge(BASE, new, "update", repeats="reject")
        assert result.frame["query_id"].to_list() == [1, 2, 3, 6]
        assert [reject.row for reject in result.rejects] == [1, 3, 6]
        assert {reject.reason for reject in result.rejects} == {"not unique"}
        assert result.account == RowAccount(read=6, kept=2, rejected=3, duplicates=1)

    def test_repeated_with_the_same_values_it_counts_once(self) -> None:
        new = pl.DataFrame({"query_id": [5, 1, 5], "text": ["n", "a", "n"]})
        result = merge(BASE, new, "update")
        assert result.frame["query_id"].to_list() == [1, 2, 3, 5]
        assert result.account == RowAccount(read=3, kept=1, duplicates=2)

    def test_repeated_in_the_base_it_is_refused(self) -> None:
        base = pl.DataFrame({"id": [1, 1], "v": [1, 2]})
        with pytest.raises(SchemaError, match=r"\(id\) .* again in row 2 \(the base data\)"):
            merge(base, base[:1], "update")


class TestTypes:
    def test_integers_and_floats_meet_as_floats(self) -> None:
        result = merge(pl.DataFrame({"id": [1], "v": [1]}), pl.DataFrame({"id": [1], "v": [1.0]}), "update")
        assert (result.unchanged, result.changed) == (1, 0)
        assert result.type_changes == (TypeChange("v", ("Int64", "Float64"), "Float64"),)

    def test_text_against_numbers_is_refused_by_column(self) -> None:
        with pytest.raises(SchemaError, match="Column 'v'"):
            merge(pl.DataFrame({"v": [1]}), pl.DataFrame({"v": ["x"]}), "append")

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (pl.Series([Decimal(2**53 + 1)], dtype=pl.Decimal(38, 0)), pl.Series([float(2**53)])),
            (pl.Series([1001]).cast(pl.Datetime("ns")), pl.Series([1]).cast(pl.Datetime("us"))),
        ],
    )
    def test_two_keys_never_become_one(self, one: pl.Series, other: pl.Series) -> None:
        first, second = (pl.DataFrame({"k": keys, "v": [1]}) for keys in (one, other))
        for base, new in ((first, second), (second, first)):
            with pytest.raises(SchemaError, match=r"Column 'k' .* not exact for 1 value"):
                merge(base, new, "update", key="k")

    def test_negative_zero_and_nan_are_no_change(self) -> None:
        base = pl.DataFrame({"id": [1, 2], "v": [0.0, None]})
        new = pl.DataFrame({"id": [1, 2], "v": [-0.0, float("nan")]})
        assert merge(base, new, "update").unchanged == 2


class TestAppendAndReplace:
    def test_append_puts_new_rows_behind_in_the_union_of_columns(self) -> None:
        result = merge(pl.DataFrame({"a": [1], "b": ["x"]}), pl.DataFrame({"c": [2.5], "a": [3]}), "append")
        assert result.frame.columns == ["a", "b", "c"]
        assert result.frame.rows() == [(1, "x", None), (3, None, 2.5)]
        assert (result.added, result.base_only) == (1, 1)

    def test_replace_takes_the_new_rows_instead(self) -> None:
        result = merge(BASE, NEW.select("text", "query_id"), "replace")
        assert result.frame.columns == ["query_id", "text"]
        assert result.frame.rows() == [(9, "z"), (3, "c"), (2, "b"), (1, "a")]
        assert (result.added, result.base_only) == (4, 0)
        assert "'score' is only in the base data: they are gone" in result.notes[0]

    @pytest.mark.parametrize("wrong", [{"how": "upsert"}, {"on_conflict": "both"}, {"repeats": "first"}])
    def test_other_words_are_refused(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(InvalidInputError, match="is unknown"):
            merge(BASE, NEW, **wrong)

    def test_a_slip_of_the_pen_is_told(self) -> None:
        with pytest.raises(InvalidInputError, match=r"how='apend' is unknown\. Did you mean 'append'\?"):
            merge(BASE, NEW, "apend")  # type: ignore[arg-type]


KINDS = {
    "pandas": (pl.DataFrame.to_pandas, pl.DataFrame),
    "lazy": (pl.DataFrame.lazy, pl.LazyFrame.collect),
    "pyarrow": (pl.DataFrame.to_arrow, pl.DataFrame),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", ["append", "replace", "update"])
def test_every_kind_of_table_gives_the_same_rows(kind: str, how: Any) -> None:
    make, back = KINDS[kind]
    expected = merge(BASE, NEW, how)
    result = merge(make(BASE), make(NEW), how)
    assert type(result.frame) is type(make(BASE))
    assert_frame_equal(back(result.frame), expected.frame)
    assert (result.added, result.changed, result.account) == (
        expected.added,
        expected.changed,
        expected.account,
    )


def test_kinds_may_be_mixed_and_the_base_decides() -> None:
    result = merge(BASE.to_pandas(), pa.table({"query_id": [2], "text": ["B"], "score": [1.0]}), "update")
    assert isinstance(result.frame, pd.DataFrame)
    assert result.frame["text"].tolist()[:2] == ["a", "B"]


values = st.sampled_from([None, 0.0, -0.0, 1.0])
base_rows = st.dictionaries(st.integers(0, 6), values, max_size=6)
new_rows = st.lists(st.tuples(st.none() | st.integers(0, 9), values), max_size=8)


@given(base=base_rows, new=new_rows)
@settings(max_examples=40)
def test_an_update_is_what_a_dict_would_do(
    base: dict[int, float | None], new: list[tuple[int | None, float | None]]
) -> None:
    schema = {"id": pl.Int64, "v": pl.Float64}
    result = merge(
        pl.DataFrame(list(base.items()), schema, orient="row"),
        pl.DataFrame(new, schema, orient="row"),
        "update",
        repeats="last",
    )
    latest = {key: value for key, value in new if key is not None}
    order = {key: at for at, (key, _) in enumerate(new) if key is not None}
    behind = sorted(set(latest) - set(base), key=order.__getitem__)
    together = {**base, **latest}
    assert result.frame.rows() == [(key, together[key]) for key in (*base, *behind)]
    same = sum(base[key] == latest[key] for key in latest if key in base)
    assert result.unchanged == same
    assert result.changed == len(set(latest) & set(base)) - same
    assert result.added == len(behind)
    assert result.base_only == len(set(base) - set(latest))
    assert result.account.rejected == sum(key is None for key, _ in new)
