"""A schema from whatever somebody has, and tables asked for their columns."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.domain.schema import ColumnRule, DataSchema
from hokusai.errors import ConfigurationError, SchemaError
from hokusai.pipeline.data.schema import as_schema, require, set_aside
from hokusai.pipeline.data.schema_files import read_schema, write_schema

TEXT = """
version: 1
extra: refuse
columns:
  query_id: {type: text, nullable: false, unique: true}
  age: {type: integer, minimum: 0, maximum: 150}
  label: {allowed: [0, 1]}
  wallet: {pattern: "0x[0-9a-f]{40}", required: false}
  day: {type: date, above: 2024-01-01}
  answer: {allowed: [yes, no]}
  note: text
unique_together:
  - [query_id, day]
"""
SCHEMA = DataSchema(
    (
        ColumnRule("query_id", "text", nullable=False, unique=True),
        ColumnRule("age", "integer", minimum=0, maximum=150),
        ColumnRule("label", "integer", allowed=(0, 1)),
        ColumnRule("wallet", "text", pattern="0x[0-9a-f]{40}", required=False),
        ColumnRule("day", "date", above="2024-01-01"),
        ColumnRule("answer", "text", allowed=("yes", "no")),
        ColumnRule("note", "text"),
    ),
    "refuse",
    (("query_id", "day"),),
)


class TestFiles:
    def test_a_file_says_what_it_looks_like(self, tmp_path: Path) -> None:
        (tmp_path / "s.yaml").write_text(TEXT)
        assert read_schema(tmp_path / "s.yaml") == SCHEMA

    def test_json_is_yaml_too(self, tmp_path: Path) -> None:
        (tmp_path / "s.json").write_text(json.dumps(SCHEMA.to_dict()))
        assert read_schema(tmp_path / "s.json") == SCHEMA

    def test_faults_name_the_file(self, tmp_path: Path) -> None:
        (tmp_path / "s.yaml").write_text("columns: {age: {minimun: 0}}")
        with pytest.raises(
            ConfigurationError, match=r"'minimun' is nothing.*s\.yaml\)\. Did you mean 'minimum'"
        ):
            read_schema(tmp_path / "s.yaml")
        with pytest.raises(ConfigurationError, match=r"The schema cannot be read: No such file \(.*gone"):
            read_schema(tmp_path / "gone.yaml")

    @given(
        st.dictionaries(
            st.text(min_size=1).filter(str.strip),
            st.lists(st.text(), min_size=1, max_size=3, unique=True).map(tuple),
            max_size=4,
        )
    )
    @settings(max_examples=40)
    def test_any_text_is_read_back_as_it_was_written(
        self, tmp_path_factory: pytest.TempPathFactory, allowed: dict[str, tuple[str, ...]]
    ) -> None:
        path = tmp_path_factory.mktemp("schema") / "s.yaml"
        schema = DataSchema(tuple(ColumnRule(name, allowed=values) for name, values in allowed.items()))
        write_schema(schema, path)
        assert read_schema(path) == schema

    @pytest.mark.parametrize(
        "text", ["yes", "1e-3", "0x52", "007", "2024-01-01", "~", "12:30:45", "<<", "=", "1_0"]
    )
    def test_text_that_another_reader_takes_for_something_else_is_quoted(
        self, tmp_path: Path, text: str
    ) -> None:
        import yaml

        path = tmp_path / "s.yaml"
        write_schema(DataSchema((ColumnRule("x", allowed=(text,)),)), path)
        assert read_schema(path).columns[0].allowed == (text,)
        assert yaml.safe_load(path.read_text())["columns"]["x"]["allowed"] == [text]


class TestAsSchema:
    def test_takes_what_people_have(self, tmp_path: Path) -> None:
        (tmp_path / "s.yaml").write_text(TEXT)
        assert as_schema(SCHEMA) is SCHEMA
        assert as_schema(str(tmp_path / "s.yaml")) == as_schema(SCHEMA.to_dict()) == SCHEMA

    def test_says_what_it_cannot_take(self) -> None:
        with pytest.raises(ConfigurationError, match="A int is no schema"):
            as_schema(5)


class TestRequire:
    FRAME = pl.DataFrame({"query_id": ["a", "b"], "Label": [0, -1], "Query Text": ["x", "y"]})

    def test_is_true_where_all_is_there(self) -> None:
        assert require(self.FRAME, ["query_id"], DataSchema((ColumnRule("Label", maximum=1),))) is True

    def test_names_all_missing_columns_each_with_what_was_probably_meant(self) -> None:
        with pytest.raises(ValueError, match=r"Columns 'label', 'query_text', 'zebra' are missing") as caught:
            require(self.FRAME, ["query_id", "label", "query_text", "zebra"], source="a.csv")
        assert isinstance(caught.value, SchemaError)
        assert str(caught.value).endswith(
            "(a.csv). Did you mean 'Label' for 'label', 'Query Text' for 'query_text'?"
        )

    def test_refuses_rows_that_do_not_fit_and_keeps_the_report(self) -> None:
        with pytest.raises(
            SchemaError, match="row 2, column 'Label': too small, expected at least 0"
        ) as caught:
            require(self.FRAME, [], DataSchema((ColumnRule("Label", minimum=0),)))
        assert caught.value.report is not None
        assert caught.value.report.problems[0].found == ("-1",)


class TestSetAside:
    SCHEMA = DataSchema((ColumnRule("age", "integer", minimum=0, unique=True),))

    def test_what_fits_and_what_does_not_are_all_rows(self) -> None:
        frame = pl.DataFrame({"age": ["3", "-1", "x", "3", "", "4"]})
        kept, result = set_aside(frame, self.SCHEMA, source="a.csv")
        assert kept.schema == {"age": pl.Int64}
        assert kept["age"].to_list() == [3, None, 4]
        rejects = list(result.rejects())
        assert [(r.row, r.reason) for r in rejects] == [
            (2, "too small"),
            (3, "wrong type"),
            (4, "not unique"),
        ]
        assert kept.height + len(rejects) == frame.height
        assert set_aside(kept, self.SCHEMA)[0].equals(kept)

    def test_a_missing_column_cannot_be_set_aside(self) -> None:
        with pytest.raises(
            SchemaError, match=r"The table does not fit the schema: column 'age': it is missing"
        ):
            set_aside(pl.DataFrame({"Age": [1], "other": [2]}), DataSchema((ColumnRule("age"),)))
