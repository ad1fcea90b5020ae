"""Rows held against a schema, whole columns at a time: which rows fit, and what is wrong with the others.

`check` is a kernel: what it says of a row depends on that row alone, so reports of batches add up to the report of the
table. Whether a value repeats depends on all rows; `check_table` looks at that too, for a table that is in memory, and
`uniqueness` for one that is not.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hokusai.domain.schema import TYPES, ColumnRule, DataSchema
from hokusai.domain.schema_report import MOST_ROWS, Rule, SchemaProblem, SchemaReport, sample
from hokusai.errors import ConfigurationError, SchemaError
from hokusai.pipeline.data.column_values import as_utc, fit, typed_column
from hokusai.pipeline.data.columns import near_name, selected
from hokusai.pipeline.data.scan import Reject
from hokusai.pipeline.data.uniqueness import expected_of, repeats

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True, eq=False)
class CheckResult:
    """What a check found.

    Attributes:
        report: All problems.
        ok_mask: For each row whether it fits; booleans of shape (n_rows,).
        rows: The number that each row has among the records of its source, from 1; shape (n_rows,).
        first_problem: For each row its first problem by the order of the schema, as a position in `met`, or null.
        met: The problems that rows have, in the order of the schema.
    """

    report: SchemaReport
    ok_mask: pl.Series
    rows: pl.Series
    first_problem: pl.Series
    met: tuple[SchemaProblem, ...]

    def rejects(self) -> Iterator[Reject]:
        """Each row that does not fit, with the first of its reasons."""
        at = (~self.ok_mask).arg_true()
        numbers, problems = self.rows.gather(at), self.first_problem.gather(at)
        for row, position in zip(numbers, problems, strict=True):
            problem = self.met[position]
            detail = f"expected {problem.expected}"
            yield Reject(problem.source, row, str(problem.rule), problem.column, detail)


def check(
    frame: pl.DataFrame,
    schema: DataSchema,
    *,
    first_row: int = 0,
    source: str = "",
    rows: pl.Series | None = None,
) -> CheckResult:
    """Hold a batch of rows against every rule but uniqueness.

    Args:
        frame: The batch.
        schema: What its rows must be like.
        first_row: How many rows of the source stand before it.
        source: Name of the file, or what the frame is called.
        rows: The rows' own numbers from 1, where they do not follow each other, because some were set aside before.

    Raises:
        ConfigurationError: A pattern of the schema is not a regular expression.

    >>> import polars as pl
    >>> schema = DataSchema((ColumnRule("age", "integer", minimum=0, nullable=False),))
    >>> result = check(pl.DataFrame({"age": ["31", "", "-1"]}), schema)
    >>> print(result.report)
    2 of 3 rows do not fit the schema.
    row 2, column 'age': found '', expected a value
    row 3, column 'age': found '-1', expected at least 0
    """
    faults = _row_faults(frame, schema)
    return _result(frame, schema, faults, _numbers(frame, first_row, rows), source)


def check_table(frame: pl.DataFrame, schema: DataSchema, *, source: str = "") -> CheckResult:
    """Hold a whole table against a schema: `check`, then what must be unique, one key after the other.

    A row takes part if it keeps all rules before, so that a rejected row holds no key. Of rows with the same key the
    earliest stays.

    >>> import polars as pl
    >>> schema = DataSchema((ColumnRule("id", unique=True), ColumnRule("age", minimum=0)))
    >>> result = check_table(pl.DataFrame({"id": [1, 2, 2, 2], "age": [1, -1, 1, 1]}), schema)
    >>> result.ok_mask.to_list(), result.report.rows_failed
    ([True, False, True, False], 2)
    """
    faults = _row_faults(frame, schema)
    for key in schema.unique_keys:
        if all(name in frame.columns for name in key):
            fits = _all_fit([fault.mask for fault in faults], frame.height)
            again = fits.arg_true().filter(repeats(fit(selected(frame, key).filter(fits), schema), key))
            none = ~fits & fits
            faults.append(_Fault(Rule.NOT_UNIQUE, key, expected_of(key), none.scatter(again, True)))
    return _result(frame, schema, faults, _numbers(frame, 0, None), source)


def report_of_unread(rejects: Iterable[Reject]) -> SchemaReport:
    """What a reader found wrong with the rows that it set aside, in the terms of a schema's report.

    >>> rows = [Reject("a.csv", 4, "wrong number of fields", detail="2 instead of 3"), Reject("a.csv", 9, "a NUL byte")]
    >>> print(report_of_unread(rows))
    2 of 2 rows do not fit the schema.
    row 4 cannot be read: wrong number of fields
    row 9 cannot be read: a NUL byte
    """
    rows: dict[tuple[str, Rule, str, str], list[int]] = {}
    for reject in rejects:
        of_cell = reject.reason == Rule.WRONG_TYPE and reject.column
        rule, expected = (
            (Rule.WRONG_TYPE, reject.detail.removeprefix("expected ").partition(", found ")[0])
            if of_cell
            else (Rule.UNREADABLE, reject.reason)
        )
        rows.setdefault((reject.source, rule, reject.column, expected), []).append(reject.row)
    problems = tuple(
        SchemaProblem(rule, column, expected, len(at), tuple(sorted(at)[:MOST_ROWS]), source=source)
        for (source, rule, column, expected), at in rows.items()
    )
    count = sum(problem.count for problem in problems)
    return SchemaReport(problems, count, count)


def raise_unless_ok(report: SchemaReport, *, most_problems: int = 20, hint: str = "") -> None:
    """Refuse a table that does not fit its schema.

    Args:
        report: What was found.
        most_problems: How many of them the text has.
        hint: What else than correcting rows the caller can do.

    Raises:
        SchemaError: It does not. The text names the first problems without what stands in the cells, since errors
            end in logs; `error.report` has it.
    """
    if report.ok:
        return
    first, *others = report.to_text(most_problems=most_problems).splitlines()
    sources = dict.fromkeys(problem.source for problem in report.problems if problem.source)
    error = SchemaError(
        f"{first.rstrip('.')}: {'; '.join(others)}",
        where=", ".join(sources),
        hint=f"Correct the rows{hint or ', or set them aside (DataIntegrator.reject_invalid)'}."
        if not report.of_table
        else "Correct the columns, or the schema.",
    )
    error.report = report
    raise error


def check_pattern(pattern: str) -> None:
    """Check that a pattern can be used.

    Raises:
        ConfigurationError: It is not a regular expression in Rust's syntax.
    """
    import polars as pl

    try:
        pl.Series([""]).str.contains(_whole(pattern))
    except pl.exceptions.ComputeError as problem:
        raise ConfigurationError(
            f"{pattern!r} is not a regular expression in Rust's syntax",
            where="schema",
            hint="It has no look-around and no back-references.",
        ) from problem


@dataclass(frozen=True, slots=True, eq=False)
class _Fault:
    """A rule, and the rows that break it."""

    rule: Rule
    columns: tuple[str, ...]
    expected: str
    mask: pl.Series


def _row_faults(frame: pl.DataFrame, schema: DataSchema) -> list[_Fault]:
    """What each rule that looks at single rows has to say, in the order of the schema."""
    import polars as pl

    types = frame.schema
    rules = [rule for rule in schema.columns if rule.name in types]
    for pattern in dict.fromkeys(rule.pattern for rule in schema.columns if rule.pattern):
        check_pattern(pattern)
    dtypes = [types[rule.name] for rule in rules]
    seen = [typed_column(rule, dtype) for rule, dtype in zip(rules, dtypes, strict=True)]
    tests = [
        (rule.name, *test)
        for i, (rule, dtype) in enumerate(zip(rules, dtypes, strict=True))
        for test in _tests(rule, dtype, seen[i].lossy, pl.col(f"value {i}"), pl.col(f"missing {i}"))
    ]
    if not tests:
        return []
    # Cells are read as the type once, not again by each rule that looks at them.
    facts = frame.select(
        *(column.value.alias(f"value {i}") for i, column in enumerate(seen)),
        *(column.missing.alias(f"missing {i}") for i, column in enumerate(seen)),
    )
    masks = facts.select(fails.fill_null(False).alias(str(i)) for i, (*_, fails) in enumerate(tests))
    return [
        _Fault(kind, (name,), expected, mask)
        for (name, kind, expected, _), mask in zip(tests, masks.get_columns(), strict=True)
    ]


def _tests(
    rule: ColumnRule, dtype: pl.DataType, lossy: bool, value: pl.Expr, missing: pl.Expr
) -> Iterator[tuple[Rule, str, pl.Expr]]:
    """Rule, what is expected, and which rows fail, for one column."""

    if not rule.nullable:
        yield Rule.NO_VALUE, "a value", missing
    if lossy:
        yield Rule.WRONG_TYPE, TYPES[rule.type], value.is_null() & ~missing
    if rule.type == "datetime":
        value = as_utc(value, dtype)
    if rule.minimum is not None:
        yield Rule.TOO_SMALL, f"at least {rule.minimum}", value < _literal(rule, rule.minimum)
    if rule.above is not None:
        yield Rule.TOO_SMALL, f"more than {rule.above}", value <= _literal(rule, rule.above)
    if rule.maximum is not None:
        yield Rule.TOO_LARGE, f"at most {rule.maximum}", value > _literal(rule, rule.maximum)
    if rule.below is not None:
        yield Rule.TOO_LARGE, f"less than {rule.below}", value >= _literal(rule, rule.below)
    if rule.allowed:
        yield Rule.NOT_ALLOWED, rule.allowed_words, ~value.is_in(_members(rule).implode())
    if rule.pattern:
        yield Rule.WRONG_FORM, f"text of the form {rule.pattern}", ~value.str.contains(_whole(rule.pattern))


def _members(rule: ColumnRule) -> pl.Series:
    """The allowed values, as the column has them; an integer beyond 64 bits is in none."""
    import polars as pl

    values = [_moment(rule, value) for value in rule.allowed]
    if rule.type == "integer":
        return pl.Series([value for value in values if -(2**63) <= value < 2**63], dtype=pl.Int64)
    return pl.Series(values, dtype=pl.Float64 if rule.type == "float" else None, strict=False)


def _literal(rule: ColumnRule, value: Any) -> pl.Expr:
    import polars as pl

    if isinstance(value, int) and abs(value) >= 2**63:
        return pl.lit(float(value))
    return pl.lit(_moment(rule, value))


def _moment(rule: ColumnRule, value: Any) -> Any:
    """A date or time as such, and anything else as it is."""
    if rule.type == "date":
        return dt.date.fromisoformat(value)
    return dt.datetime.fromisoformat(value) if rule.type == "datetime" else value


def _whole(pattern: str) -> str:
    return rf"\A(?:{pattern})\z"


def _result(
    frame: pl.DataFrame, schema: DataSchema, faults: Sequence[_Fault], rows: pl.Series, source: str
) -> CheckResult:
    import polars as pl

    of_table = _table_problems(frame.columns, schema, source)
    hit = [fault for fault in faults if fault.mask.any()]
    met = tuple(_problem(fault, frame, rows, source) for fault in hit)
    masks = [fault.mask for fault in hit]
    ok = _all_fit(masks, frame.height)
    first = (
        pl.DataFrame({str(i): mask for i, mask in enumerate(masks)})
        .select(pl.coalesce(pl.when(pl.col(str(i))).then(i) for i in range(len(masks))))
        .to_series()
        if masks
        else pl.repeat(None, frame.height, dtype=pl.Int32, eager=True)
    )
    failed = frame.height if of_table else frame.height - int(ok.sum())
    return CheckResult(SchemaReport((*of_table, *met), frame.height, failed), ok, rows, first, met)


def _all_fit(masks: Sequence[pl.Series], height: int) -> pl.Series:
    import polars as pl

    fits = pl.repeat(True, height, dtype=pl.Boolean, eager=True)
    for mask in masks:
        fits &= ~mask
    return fits


def _problem(fault: _Fault, frame: pl.DataFrame, rows: pl.Series, source: str) -> SchemaProblem:
    at = fault.mask.arg_true()
    first = at.head(MOST_ROWS)
    cells = selected(frame, fault.columns)[first].rows()
    found = tuple(sample(row[0]) if len(row) == 1 else ", ".join(map(sample, row)) for row in cells)
    return SchemaProblem(
        fault.rule,
        ", ".join(fault.columns),
        fault.expected,
        len(at),
        tuple(rows.gather(first)),
        found,
        source,
    )


def _table_problems(columns: Sequence[str], schema: DataSchema, source: str) -> list[SchemaProblem]:
    there = set(columns)
    missing = [
        SchemaProblem(Rule.MISSING_COLUMN, name, "it is missing" + _near(name, columns), source=source)
        for name in schema.required
        if name not in there
    ]
    known = {rule.name for rule in schema.columns} | set(schema.required)
    extra = [name for name in columns if name not in known] if schema.extra == "refuse" else []
    return missing + [
        SchemaProblem(Rule.EXTRA_COLUMN, name, "it is not in the schema", source=source) for name in extra
    ]


def _near(name: str, columns: Sequence[str]) -> str:
    near = near_name(name, columns)
    return f"; did you mean {near!r}?" if near else ""


def _numbers(frame: pl.DataFrame, first_row: int, rows: pl.Series | None) -> pl.Series:
    import polars as pl

    if rows is not None:
        return rows
    return pl.int_range(first_row + 1, first_row + frame.height + 1, dtype=pl.Int64, eager=True)
