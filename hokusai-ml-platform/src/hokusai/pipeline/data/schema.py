"""A schema from whatever somebody has, and a table held against it in one call.

A schema may be written as a YAML file, stand in code, or exist already as one of pandera: all become one `DataSchema`,
so that there is one meaning and one report.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hokusai.domain.schema import DataSchema
from hokusai.errors import ConfigurationError
from hokusai.pipeline.data.checks import CheckResult, check_table, raise_unless_ok
from hokusai.pipeline.data.column_values import fit
from hokusai.pipeline.data.columns import require_columns

if TYPE_CHECKING:
    import polars as pl


def as_schema(given: object) -> DataSchema:
    """The schema that is meant by a `DataSchema`, the path of a YAML file, plain data, or a pandera schema.

    What a pandera schema says that cannot be translated is an error here; `pandera_schema.from_pandera` only names it.

    Raises:
        ConfigurationError: It is none of these, or not a valid one.
        MissingExtraError: It is pandera's, which is not installed.

    >>> as_schema({"columns": {"age": "integer"}}).types
    {'age': 'integer'}
    """
    if isinstance(given, DataSchema):
        return given
    if isinstance(given, str | Path):
        from hokusai.pipeline.data.schema_files import read_schema

        return read_schema(given)
    if isinstance(given, Mapping):
        return DataSchema.from_dict(given)
    if type(given).__module__.partition(".")[0] == "pandera" or hasattr(given, "to_schema"):
        from hokusai.pipeline.data.pandera_schema import from_pandera

        schema, left_out = from_pandera(given)
        if left_out:
            raise ConfigurationError(
                f"The pandera schema says what cannot be translated: {'; '.join(left_out)}",
                where="schema",
                hint="Leave these checks to pandera, and give the rest here (from_pandera).",
            )
        return schema
    raise ConfigurationError(
        f"A {type(given).__name__} is no schema", where="schema", hint="Give a DataSchema or a YAML file."
    )


def require(
    frame: pl.DataFrame, required: Iterable[str] = (), schema: DataSchema | None = None, *, source: str = ""
) -> Literal[True]:
    """Check that a table has the columns that are needed, and fits the schema if there is one.

    Raises:
        SchemaError: It does not. All missing columns are named, with the ones that were probably meant.

    >>> import polars as pl
    >>> require(pl.DataFrame({"query_id": [1], "Label": [0]}), ["query_id", "label"])
    Traceback (most recent call last):
    hokusai.errors.SchemaError: Column 'label' is missing; there are: 'query_id', 'Label'. Did you mean 'Label'?
    """
    require_columns(frame.columns, required, source)
    if schema is not None:
        raise_unless_ok(check_table(frame, schema, source=source).report)
    return True


def set_aside(
    frame: pl.DataFrame, schema: DataSchema, *, source: str = ""
) -> tuple[pl.DataFrame, CheckResult]:
    """The rows that fit, in the types of the schema, and what became of the others.

    Raises:
        SchemaError: The columns do not fit, so that no setting aside of rows would help.

    >>> import polars as pl
    >>> schema = as_schema({"columns": {"age": {"type": "integer", "minimum": 0}}})
    >>> kept, result = set_aside(pl.DataFrame({"age": ["31", "-1", "old"]}), schema)
    >>> kept["age"].to_list(), [(reject.row, reject.reason) for reject in result.rejects()]
    ([31], [(2, 'too small'), (3, 'wrong type')])
    """
    result = check_table(frame, schema, source=source)
    if result.report.of_table:
        raise_unless_ok(result.report)
    return fit(frame.filter(result.ok_mask), schema), result
