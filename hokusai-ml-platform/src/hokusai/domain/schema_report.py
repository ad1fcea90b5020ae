"""What was found when rows were held against a schema: which rule, where, in how many rows, with samples.

A refusal without rows and values sends its reader back to a file of a million lines. So a report has both, for whoever
holds the file; what leaves that person's memory (errors, logs, manifests, reject files) is made without the values.
Reports of batches add up to the report of all their rows, in whatever order they are added.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from hokusai.utils.text import one_line

MOST_ROWS = 20
"""Rows that a problem names."""
_MOST_CHARACTERS = 40
_ROWS_IN_TEXT = 5


class Rule(StrEnum):
    """What can be wrong; the texts are the reasons in reject files, where those of readers say more."""

    UNREADABLE = "cannot be read"
    MISSING_COLUMN = "column is missing"
    EXTRA_COLUMN = "column is not in the schema"
    NO_VALUE = "no value"
    WRONG_TYPE = "wrong type"
    TOO_SMALL = "too small"
    TOO_LARGE = "too large"
    NOT_ALLOWED = "value not allowed"
    WRONG_FORM = "wrong form"
    NOT_UNIQUE = "not unique"

    @property
    def of_table(self) -> bool:
        """Whether the table as a whole is at fault, so that no row of it can be set aside for it."""
        return self in (Rule.MISSING_COLUMN, Rule.EXTRA_COLUMN)


_ORDER = {rule: position for position, rule in enumerate(Rule)}


@dataclass(frozen=True, slots=True)
class SchemaProblem:
    """One rule that rows of one column do not keep.

    Attributes:
        rule: Which.
        column: Where; several for a rule on a group, joined by `, `.
        expected: What would be right, for people; of rows that cannot be read, what is wrong.
        count: Rows concerned; 0 for a problem of the table.
        rows: The first of them, counted from 1, at most `MOST_ROWS`.
        found: What stands there, one text a row, cut at 40 characters; empty if that was not kept.
        source: Name of the file, or what the frame is called.
    """

    rule: Rule
    column: str
    expected: str
    count: int = 0
    rows: tuple[int, ...] = ()
    found: tuple[str, ...] = ()
    source: str = ""

    def to_dict(self, *, values: bool = False) -> dict[str, Any]:
        """As plain data; what stands in the cells only if `values`."""
        return {
            "rule": str(self.rule),
            "column": self.column,
            "expected": self.expected,
            "count": self.count,
            "rows": list(self.rows),
            **({"found": list(self.found)} if values else {}),
            **({"source": self.source} if self.source else {}),
        }

    def lines(self, *, values: bool, most_rows: int = _ROWS_IN_TEXT) -> Iterator[str]:
        r"""The problem as sentences, one a row.

        >>> problem = SchemaProblem(Rule.TOO_SMALL, "age", "at least 0", 1, (3,), ("-1",))
        >>> print(*problem.lines(values=True), *problem.lines(values=False), sep="\n")
        row 3, column 'age': found -1, expected at least 0
        row 3, column 'age': too small, expected at least 0
        """
        if self.rule.of_table:
            yield f"column {self.column!r}: {self.expected}"
            return
        unreadable = self.rule is Rule.UNREADABLE
        for i, row in enumerate(self.rows[:most_rows]):
            found = f"found {self.found[i]}" if values and any(self.found[i : i + 1]) else str(self.rule)
            if unreadable:
                yield f"row {row:,} {found}: {self.expected}"
            else:
                yield f"row {row:,}, column {self.column!r}: {found}, expected {self.expected}"
        more = self.count - min(len(self.rows), most_rows)
        if more > 0:
            yield f"and {more:,} more rows with this" + ("" if unreadable else f" in column {self.column!r}")


@dataclass(frozen=True, slots=True)
class SchemaReport:
    """All problems of some rows.

    Attributes:
        problems: By the row in which each is met first.
        rows_checked: Rows that were looked at.
        rows_failed: Rows with at least one problem; all, if the table as a whole has one.

    >>> low = SchemaProblem(Rule.TOO_SMALL, "age", "at least 0", 1, (3,), ("-1",))
    >>> late = SchemaProblem(Rule.TOO_SMALL, "age", "at least 0", 1, (9,), ("-7",))
    >>> print(SchemaReport((late,), 5, 1) + SchemaReport((low,), 5, 1))
    2 of 10 rows do not fit the schema.
    row 3, column 'age': found -1, expected at least 0
    row 9, column 'age': found -7, expected at least 0
    """

    problems: tuple[SchemaProblem, ...] = ()
    rows_checked: int = 0
    rows_failed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "problems", _merged(self.problems))

    def __add__(self, other: SchemaReport) -> SchemaReport:
        """The report of both; no row may be in both."""
        return SchemaReport(
            self.problems + other.problems,
            self.rows_checked + other.rows_checked,
            self.rows_failed + other.rows_failed,
        )

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    @property
    def of_table(self) -> tuple[SchemaProblem, ...]:
        """The problems that no setting aside of rows would cure."""
        return tuple(problem for problem in self.problems if problem.rule.of_table)

    def to_dict(self, *, values: bool = False) -> dict[str, Any]:
        """As plain data; what stands in the cells only if `values`."""
        return {
            "ok": self.ok,
            "rows_checked": self.rows_checked,
            "rows_failed": self.rows_failed,
            "problems": [problem.to_dict(values=values) for problem in self.problems],
        }

    def to_text(self, *, values: bool = False, most_problems: int = 20) -> str:
        """One sentence, then a line for each of the first rows of each of the first problems."""
        if self.ok:
            return f"All {self.rows_checked:,} rows fit the schema."
        lines = [self.summary]
        for problem in self.problems[:most_problems]:
            lines += problem.lines(values=values)
        more = len(self.problems) - most_problems
        return "\n".join([*lines, f"and {more:,} more problems"] if more > 0 else lines)

    @property
    def summary(self) -> str:
        """How many rows fail, in one sentence."""
        if self.of_table:
            return "The table does not fit the schema."
        fail = "does" if self.rows_failed == 1 else "do"
        return f"{self.rows_failed:,} of {self.rows_checked:,} rows {fail} not fit the schema."

    def __str__(self) -> str:
        return self.to_text(values=True)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{name}</th>" for name in ("column", "problem", "expected", "rows", "first"))
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(one_line(cell))}</td>" for cell in _cells(problem)) + "</tr>"
            for problem in self.problems
        )
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if body else ""
        return f"<p>{html.escape(self.to_text().splitlines()[0])}</p>{table}"


def sample(value: object) -> str:
    r"""A value as a report shows it: as it would be typed in Python, on one line, cut at 40 characters.

    >>> sample("a\x1b[2J"), sample(-1), sample("x" * 50)[-3:]
    ("'a\\x1b[2J'", '-1', 'xx…')
    """
    if isinstance(value, str):
        value = repr(value[: _MOST_CHARACTERS + 1])
    text = "null" if value is None else one_line(str(value))
    return text if len(text) <= _MOST_CHARACTERS else text[:_MOST_CHARACTERS] + "…"


def _merged(problems: Iterable[SchemaProblem]) -> tuple[SchemaProblem, ...]:
    by_key: dict[tuple[str, str, Rule, str], SchemaProblem] = {}
    for problem in problems:
        key = (problem.source, problem.column, problem.rule, problem.expected)
        known = by_key.get(key)
        by_key[key] = _both(known, problem) if known else problem
    return tuple(sorted(by_key.values(), key=_place))


def _both(one: SchemaProblem, other: SchemaProblem) -> SchemaProblem:
    seen = sorted([*_seen(one), *_seen(other)])[:MOST_ROWS]
    return replace(
        one,
        count=one.count + other.count,
        rows=tuple(row for row, _ in seen),
        found=tuple(found for _, found in seen) if any(found for _, found in seen) else (),
    )


def _seen(problem: SchemaProblem) -> list[tuple[int, str]]:
    return list(zip(problem.rows, problem.found or [""] * len(problem.rows), strict=True))


def _place(problem: SchemaProblem) -> tuple[str, int, str, int, str]:
    first = problem.rows[0] if problem.rows else 0
    return problem.source, first, problem.column, _ORDER[problem.rule], problem.expected


def _cells(problem: SchemaProblem) -> tuple[str, ...]:
    first = "; ".join(
        f"{row:,}: {found}" if found else f"{row:,}" for row, found in _seen(problem)[:_ROWS_IN_TEXT]
    )
    count = "" if problem.rule.of_table else f"{problem.count:,}"
    return problem.column, str(problem.rule), problem.expected, count, first
