"""Reports of problems: they add up, and keep values to themselves."""

from __future__ import annotations

import json
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.domain.schema_report import Rule, SchemaProblem, SchemaReport, sample

SECRET = "'anna@example.com'"


def small(rows: tuple[int, ...], source: str = "") -> SchemaProblem:
    first = rows[:20]
    found = tuple(str(-row) for row in first)
    return SchemaProblem(Rule.TOO_SMALL, "age", "at least 0", len(rows), first, found, source)


def test_reads_as_a_sentence_for_each_row() -> None:
    report = SchemaReport((small((3, 8)),), 10, 2)
    assert str(report) == (
        "2 of 10 rows do not fit the schema.\n"
        "row 3, column 'age': found -3, expected at least 0\n"
        "row 8, column 'age': found -8, expected at least 0"
    )
    assert str(SchemaReport((small((3,)),), 10, 1)).startswith("1 of 10 rows does not fit")
    assert str(SchemaReport((), 1_000, 0)) == "All 1,000 rows fit the schema."


def test_says_how_many_more_there_are() -> None:
    lines = SchemaReport((small(tuple(range(1, 31))),), 40, 30).to_text().splitlines()
    assert len(lines) == 7
    assert lines[-1] == "and 25 more rows with this in column 'age'"
    many = tuple(SchemaProblem(Rule.MISSING_COLUMN, f"c{i}", "it is missing") for i in range(22))
    assert SchemaReport(many, 5, 5).to_text().splitlines()[-1] == "and 2 more problems"


def test_a_missing_column_is_a_problem_of_the_table() -> None:
    gone = SchemaProblem(Rule.MISSING_COLUMN, "label", "it is missing; did you mean 'Label'?")
    report = SchemaReport((gone, small((1,))), 5, 5)
    assert report.of_table == (gone,)
    assert report.to_text().splitlines()[:2] == [
        "The table does not fit the schema.",
        "column 'label': it is missing; did you mean 'Label'?",
    ]


def test_values_stay_in_memory() -> None:
    problem = SchemaProblem(Rule.WRONG_TYPE, "n", "a number", 1, (2,), (SECRET,))
    report = SchemaReport((problem,), 2, 1)
    assert "anna" not in json.dumps(report.to_dict()) + report.to_text()
    assert report.to_text().splitlines()[1] == "row 2, column 'n': wrong type, expected a number"
    assert "anna" in json.dumps(report.to_dict(values=True))
    assert "anna" in str(report)


def test_html_escapes_what_stands_in_cells_and_names() -> None:
    problem = SchemaProblem(Rule.WRONG_TYPE, "<b>", "a number", 1, (2,), ("'<script>'",))
    text = SchemaReport((problem,), 2, 1)._repr_html_()
    assert "<td>&lt;b&gt;</td>" in text
    assert "<script>" not in text


def test_samples_are_short_and_steer_no_terminal() -> None:
    assert sample("a\nb\x1b") == r"'a\nb\x1b'"
    assert len(sample("x" * 1_000_000)) == 41
    assert sample(None) == "null"


def test_names_of_sources_keep_problems_apart() -> None:
    report = SchemaReport((small((1,), "b.csv"),), 1, 1) + SchemaReport((small((1,), "a.csv"),), 1, 1)
    assert [problem.source for problem in report.problems] == ["a.csv", "b.csv"]


def test_the_first_twenty_rows_of_all_are_named() -> None:
    late, early = small(tuple(range(100, 120))), small((1, 2))
    (problem,) = (SchemaReport((late,), 20, 20) + SchemaReport((early,), 2, 2)).problems
    assert problem.count == 22
    assert problem.rows == (1, 2, *range(100, 118))
    assert problem.found[:3] == ("-1", "-2", "-100")


@given(st.lists(st.sampled_from([1, 2, 3]), min_size=60, max_size=60))
@settings(max_examples=20)
def test_batches_add_up_in_any_order_to_the_report_of_all_rows(parts: list[int]) -> None:
    rows = [tuple(i + 1 for i, part in enumerate(parts) if part == number) for number in (1, 2, 3)]
    reports = [SchemaReport((small(some),) if some else (), len(some), len(some)) for some in rows]
    whole = SchemaReport((small(tuple(range(1, 61))),), 60, 60)
    for a, b, c in permutations(reports):
        assert (a + b) + c == a + (b + c) == whole
