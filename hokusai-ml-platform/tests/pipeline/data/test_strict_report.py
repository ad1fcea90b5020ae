"""A strict integration tells every fault at once: what the reader, the schema and the keys found."""

from __future__ import annotations

from pathlib import Path

import pytest

from hokusai.domain.schema import DataSchema
from hokusai.domain.schema_report import Rule, SchemaProblem, SchemaReport
from hokusai.errors import DataError, SchemaError
from hokusai.pipeline.data.streaming import Recipe, integrate_files

SCHEMA = DataSchema.from_dict(
    {"columns": {"id": {"type": "integer", "unique": True}, "age": {"type": "integer", "minimum": 0}}}
)


def test_faults_of_reader_schema_and_keys_are_one_report(tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text("id,age\n1,5\n2\n3,old\n4,-1\n1,7\n6,8\n7,8,9\n")
    with pytest.raises(SchemaError) as caught:
        integrate_files(path, tmp_path / "out.csv", recipe=Recipe(SCHEMA, None))
    report = caught.value.report
    assert report is not None
    assert (report.rows_checked, report.rows_failed) == (7, 5)
    number = "a whole number of 64 bits"
    assert [(each.rule, each.column, each.rows) for each in report.problems] == [
        (Rule.UNREADABLE, "", (2, 7)),
        (Rule.WRONG_TYPE, "age", (3,)),
        (Rule.TOO_SMALL, "age", (4,)),
        (Rule.NOT_UNIQUE, "id", (5,)),
    ]
    text = str(caught.value)
    assert text.startswith(
        "5 of 7 rows do not fit the schema: row 2 cannot be read: wrong number of fields; row 7 "
    )
    assert f"row 3, column 'age': wrong type, expected {number}; row 4, column 'age': too small" in text
    assert "row 5, column 'id': not unique" in text
    assert "--rejects" in text
    assert "hokusai data check" in text
    assert "old" not in text
    assert not (tmp_path / "out.csv").exists()


def test_without_a_schema_the_reader_says_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text("id,age\n1,5\n2\n")
    with pytest.raises(DataError, match="line 3 has wrong number of fields"):
        integrate_files(path, tmp_path / "out.csv", recipe=Recipe(None, None))


def test_a_fault_found_by_reader_and_schema_is_counted_as_one_problem() -> None:
    read = SchemaProblem(Rule.WRONG_TYPE, "age", "a date", 1, (7,))
    checked = SchemaProblem(Rule.WRONG_TYPE, "age", "a date", 1, (3,), ("'x'",))
    both = Rule.WRONG_TYPE, 2, (3, 7)
    report = SchemaReport((read,), 1, 1) + SchemaReport((checked,), 9, 1)
    assert [(each.rule, each.count, each.rows) for each in report.problems] == [both]
    assert str(report).splitlines()[1:] == [
        "row 3, column 'age': found 'x', expected a date",
        "row 7, column 'age': wrong type, expected a date",
    ]
