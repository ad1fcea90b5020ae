"""Every contributed row ends in one place; the answers here were worked out by hand."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hokusai.domain.contribution import Contributor
from hokusai.domain.metrics import Task
from hokusai.errors import SchemaError
from hokusai.pipeline.data.reading import Table
from hokusai.pipeline.data.tables import read_tables, stack_tables
from hokusai.pipeline.integration import IntegratedData, Leak, integrate

SCHEMA = {"id": pl.Int64, "x": pl.Float64, "t": pl.String, "label": pl.Int64}
BASE = [(1, 1.0, "a", 0), (2, 2.0, "b", 1), (3, 3.0, "c", None), (4, 9.0, "z", 1)]
BENCHMARK = [(11, 7.0, "q", 0), (12, 8.0, "r", 1), (13, 9.0, "z", 1)]


def table(
    name: str, rows: list[tuple[object, ...]], schema: dict[str, type[pl.DataType]] = SCHEMA, **kw: object
) -> Table:
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return Table(frame, name, "00" * 32, 10, frame.height, "csv", **kw)


def frame(rows: list[tuple[object, ...]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def run(
    *files: Table, base: pl.DataFrame | None = None, id_column: str | None = "id", **kw: object
) -> IntegratedData:
    options = {"target": "label", "features": ("x", "t"), "task": Task.CLASSIFICATION} | kw
    return integrate(
        frame(BASE) if base is None else base,
        [(Contributor(f"c{i}"), file) for i, file in enumerate(files)],
        frame(BENCHMARK),
        id_column=id_column,
        **options,
    )


def counts(data: IntegratedData) -> list[tuple[int, ...]]:
    return [
        (
            c.rows_read,
            c.rows_accepted,
            c.rows_duplicate,
            c.rows_in_base,
            c.rows_in_benchmark,
            c.rows_without_label,
        )
        for c in data.contributions
    ]


class TestAccount:
    first = table(
        "first.csv",
        [
            (21, 5.0, "new", 0),  # accepted
            (22, 5.0, "new", 0),  # repeats the row before: the id is no content
            (23, 7.0, "q", 0),  # stands in the benchmark
            (24, 1.0, "a", 0),  # stands in the base data
            (25, 1.0, "a", 1),  # the same features with another label: another row
            (26, 6.0, "u", None),  # no label
            (12, 6.0, "v", 1),  # the id of a benchmark row
        ],
    )
    second = table(
        "second.csv",
        [(31, 5.0, "new", 0), (32, 5.5, "more", 1), (33, None, "null", 1), (34, None, "null", 1)],
    )

    def test_each_row_is_counted_once_and_the_earlier_file_keeps_the_credit(self) -> None:
        assert counts(run(self.first, self.second)) == [(7, 2, 1, 1, 2, 1), (4, 2, 2, 0, 0, 0)]
        assert counts(run(self.second, self.first)) == [(4, 3, 1, 0, 0, 0), (7, 1, 2, 1, 2, 1)]

    def test_training_rows_are_base_then_files_in_order(self) -> None:
        data = run(self.first, self.second)
        assert data.train.rows() == [
            (1.0, "a", 0), (2.0, "b", 1), (9.0, "z", 1),
            (5.0, "new", 0), (1.0, "a", 1),
            (5.5, "more", 1), (None, "null", 1),
        ]  # fmt: skip
        assert data.train.columns == ["x", "t", "label"]
        assert data.accepted[0].to_list() == [True, False, False, False, True, False, False]
        assert data.rows_accepted == 4

    def test_leaks_are_named_by_row(self) -> None:
        assert run(self.first, self.second).leaks == (Leak("first.csv", 2, (3, 7)),)

    def test_without_an_id_column_only_content_leaks(self) -> None:
        data = run(self.first, id_column=None)
        assert data.leaks == (Leak("first.csv", 1, (3,)),)
        assert data.ignored_columns == (("first.csv", ("id",)),)

    def test_the_base_data(self) -> None:
        data = run(self.second)
        assert (data.base_rows_without_label, data.base_rows_in_benchmark, data.base_train.height) == (
            1,
            1,
            3,
        )

    def test_no_base_data(self) -> None:
        data = integrate(
            None, [(Contributor("c"), self.first)], frame(BENCHMARK),
            target="label", features=("x", "t"), task=Task.CLASSIFICATION,
        )  # fmt: skip
        assert data.base_train.height == 0
        assert counts(data) == [(7, 4, 1, 0, 1, 1)]

    def test_a_row_left_out_for_another_reason_does_not_take_the_credit(self) -> None:
        leaked = table("leaked.csv", [(11, 5.0, "new", 0), (40, 4.0, "d", 1)])
        data = run(leaked, table("honest.csv", [(41, 5.0, "new", 0)]))
        assert counts(data) == [(2, 1, 0, 0, 1, 0), (1, 1, 0, 0, 0, 0)]

    def test_the_dictionary_is_plain(self) -> None:
        account = run(self.first, self.second).to_dict()
        assert account["leaks"] == [{"file": "first.csv", "rows": 2, "first_rows": [3, 7]}]
        assert (account["base_rows"], account["benchmark_rows"], account["train_rows"]) == (3, 3, 7)


class TestValues:
    def test_whole_numbers_equal_floats(self) -> None:
        integers = table(
            "i.csv", [(50, 1, "a", 0), (51, 7, "q", 0), (52, 4, "d", 1)], SCHEMA | {"x": pl.Int64}
        )
        assert counts(run(integers)) == [(3, 1, 0, 1, 1, 0)]

    def test_null_equals_null_and_nan(self) -> None:
        rows = [
            (60, None, "n", 0),
            (61, float("nan"), "n", 0),
            (62, float("nan"), None, 1),
            (63, None, None, 1),
        ]
        assert counts(run(table("n.csv", rows))) == [(4, 2, 2, 0, 0, 0)]

    def test_blank_text_and_nan_are_no_label(self) -> None:
        text = {"x": pl.Float64, "label": pl.String}
        base = pl.DataFrame({"x": [1.0, 2.0], "label": ["a", "b"]})
        data = integrate(
            base, [(Contributor("c"), table("t.csv", [(3.0, ""), (4.0, " "), (5.0, "a")], text))],
            pl.DataFrame({"x": [8.0, 9.0], "label": ["a", "b"]}),
            target="label", features=("x",), task=Task.CLASSIFICATION,
        )  # fmt: skip
        assert counts(data) == [(3, 1, 0, 0, 0, 2)]
        assert data.notes == ()

    def test_ids_of_different_types_match_by_their_text(self) -> None:
        as_text = table("s.csv", [("12", 6.0, "v", 1), ("99", 6.5, "w", 1)], SCHEMA | {"id": pl.String})
        assert counts(run(as_text)) == [(2, 1, 0, 0, 1, 0)]


class TestRefusals:
    def test_a_missing_target_lists_the_columns(self) -> None:
        with pytest.raises(
            SchemaError, match=r"'label' is missing; there are: 'id', 'x', 't', 'Label' \(a\.csv\).*'Label'\?"
        ):
            run(
                table(
                    "a.csv",
                    [(1, 1.0, "a", 0)],
                    {"id": pl.Int64, "x": pl.Float64, "t": pl.String, "Label": pl.Int64},
                )
            )

    def test_missing_features(self) -> None:
        with pytest.raises(SchemaError, match=r"Columns 'x', 't' are missing.*\(a\.csv\)"):
            run(table("a.csv", [(0,)], {"label": pl.Int64}))

    def test_text_where_the_base_has_numbers(self) -> None:
        bad = table("a.csv", [(1, "2.5", "a", 0), (2, "oops", "a", 0)], SCHEMA | {"x": pl.String})
        with pytest.raises(
            SchemaError, match=r"'x' holds text, but numbers in the base data; look at row 2 \(a\.csv\)"
        ) as refused:
            run(bad)
        assert "oops" not in str(refused.value)

    def test_one_class_only(self) -> None:
        one = frame([(1, 1.0, "a", 0), (2, 2.0, "b", 0)])
        with pytest.raises(SchemaError, match="Every row of the base data has the same 'label': 0"):
            run(table("a.csv", [(3, 3.0, "c", 1)]), base=one)

    def test_nothing_left(self) -> None:
        with pytest.raises(
            SchemaError,
            match=r"None of the 2 .*1 have no label, 0 stand in the benchmark, 1 stand in the base",
        ):
            run(table("a.csv", [(3, 1.0, "a", 0), (4, 4.0, "d", None)]))

    def test_a_benchmark_without_labels(self) -> None:
        with pytest.raises(SchemaError, match="No row of the benchmark"):
            integrate(
                frame(BASE), [(Contributor("c"), table("a.csv", [(3, 3.0, "c", 1)]))], frame([(1, 1.0, "a", None)]),
                target="label", features=("x", "t"), task=Task.CLASSIFICATION,
            )  # fmt: skip

    def test_regression_on_text(self) -> None:
        with pytest.raises(SchemaError, match="regression needs numbers"):
            run(table("a.csv", [(3, 3.0, "c", 1)]), target="t", features=("x",), task=Task.REGRESSION)


def test_extra_columns_and_unseen_classes_are_told() -> None:
    extra = table("a.csv", [(3, 3.0, "c", 1, "why")], SCHEMA | {"note": pl.String}, notes=("a note",))
    data = run(extra)
    assert data.ignored_columns == (("a.csv", ("note",)),)
    assert data.notes == ("a.csv: a note",)
    only = frame([(1, 1.0, "a", 0), (2, 2.0, "b", 2)])
    assert run(table("b.csv", [(3, 3.0, "c", 2)]), base=only).notes == (
        "The benchmark has classes that no training row has: 1",
    )


cell = st.sampled_from([None, 0, 1, 2])
some_rows = st.lists(st.tuples(cell, cell, st.sampled_from([None, 0, 1])), min_size=1, max_size=8)


@given(files=st.lists(some_rows, min_size=1, max_size=3), base=some_rows, benchmark=some_rows)
def test_the_account_agrees_with_a_plain_loop(files: list, base: list, benchmark: list) -> None:
    columns = {"a": pl.Int64, "b": pl.Int64, "y": pl.Int64}
    benchmark = [*benchmark, (9, 9, 0), (9, 9, 1)]
    base = [*base, (8, 8, 0), (8, 8, 1)]
    files = [*files, [(7, 7, 1)]]
    data = integrate(
        pl.DataFrame(base, schema=columns, orient="row"),
        [(Contributor("c"), table(f"{i}.csv", rows, columns)) for i, rows in enumerate(files)],
        pl.DataFrame(benchmark, schema=columns, orient="row"),
        target="y", features=("a", "b"), task=Task.CLASSIFICATION,
    )  # fmt: skip
    used: list[tuple[object, ...]] = []
    expected = []
    for rows in files:
        fate = {"new": 0, "repeat": 0, "base": 0, "benchmark": 0, "blank": 0}
        for row in rows:
            if row[2] is None:
                fate["blank"] += 1
            elif row in benchmark:
                fate["benchmark"] += 1
            elif row in base:
                fate["base"] += 1
            elif row in used:
                fate["repeat"] += 1
            else:
                fate["new"] += 1
                used.append(row)
        expected.append((len(rows), *fate.values()))
    assert counts(data) == expected
    assert data.train.rows() == [row for row in base if row[2] is not None] + used


def test_files_read_as_one(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,zip\n1,00123\n")
    (tmp_path / "b.csv").write_text("zip,x\n10115,2.5\n")
    (tmp_path / "c.csv").write_text("zip,x,y\n10115,2.5,1\n")
    a, b, c = read_tables([tmp_path / name for name in ("a.csv", "b.csv", "c.csv")])
    assert stack_tables([a, b]).rows() == [(1.0, "00123"), (2.5, "10115")]
    with pytest.raises(SchemaError, match=r"Columns 'y' are not in a\.csv \(c\.csv\)"):
        stack_tables([a, c])
    with pytest.raises(SchemaError, match=r"'y' is missing.*\(a\.csv\)"):
        stack_tables([c, a])
    assert stack_tables([a]) is a.frame
