"""A pandera schema as ours, with everything named that could not be taken over.

Teams that describe their tables with pandera should not have to write that down again. pandera's checks may be any
function, though, so a translation that left some out in silence would accept rows that were meant to be refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from hokusai.domain.schema import ColumnRule, DataSchema
from hokusai.errors import ConfigurationError
from hokusai.pipeline.data.checks import check_pattern
from hokusai.utils.extras import require

_TYPES = (
    (r"u?int(8|16|32|64|128)?", "integer"),
    (r"(float|double|decimal)(16|32|64)?(\(.*\))?", "float"),
    (r"bool(ean)?", "boolean"),
    (r"datetime(64)?([(\[].*)?", "datetime"),
    (r"timestamp(\[.*)?", "datetime"),
    (r"date(32)?(\[.*)?", "date"),
    (r"(str|string|utf8|categorical|enum)([(\[].*)?", "text"),
    (r"none|object|category", "any"),  # what stands in such a column of pandas is not said
)


def from_pandera(given: Any) -> tuple[DataSchema, tuple[str, ...]]:
    """Translate a `DataFrameSchema` or `DataFrameModel` of pandera, for Polars or pandas.

    Args:
        given: The schema.

    Returns:
        The schema, and what it does not say, in sentences; empty if all was translated.

    Raises:
        ConfigurationError: It is no pandera schema, or its rules contradict each other.
        MissingExtraError: pandera is not installed.

    References:
        pandera, "Checks": https://pandera.readthedocs.io/en/stable/checks.html
    """
    require("pandera", "pandera")
    schema = given.to_schema() if isinstance(given, type) and hasattr(given, "to_schema") else given
    columns = getattr(schema, "columns", None)
    if not isinstance(columns, Mapping) or not hasattr(schema, "strict"):
        raise ConfigurationError(
            f"A {type(given).__name__} is no pandera schema of a table",
            where="schema",
            hint="Give a DataFrameSchema or a DataFrameModel.",
        )
    left_out: list[str] = []
    rules = [_rule(str(name), column, left_out) for name, column in columns.items()]
    left_out += [f"the table: check {_called(check)}" for check in schema.checks]
    if getattr(schema, "ordered", False):
        left_out.append("the table: the order of its columns")
    if getattr(schema, "index", None) is not None:
        left_out.append("the table: its index")
    if schema.strict == "filter":
        left_out.append("the table: columns that are filtered out")
    unique = [schema.unique] if isinstance(schema.unique, str) else list(schema.unique or ())
    known = [rule for rule in rules if rule is not None]
    if len(unique) == 1:
        known = [_and(rule, unique=True) if rule.name == unique[0] else rule for rule in known]
    together = (tuple(unique),) if len(unique) > 1 else ()
    return DataSchema(tuple(known), "refuse" if schema.strict is True else "allow", together), tuple(left_out)


def _rule(name: str, column: Any, left_out: list[str]) -> ColumnRule | None:
    if getattr(column, "regex", False):
        left_out.append(f"column {name!r}: a pattern of names")
        return None
    rules: dict[str, Any] = {
        "type": _type(name, column.dtype, left_out),
        "required": bool(column.required),
        "nullable": bool(column.nullable),
        "unique": bool(column.unique),
    }
    for check in column.checks:
        said = None if getattr(check, "raise_warning", False) else _said(check, rules["type"])
        if said is None or any(key in rules for key in said):
            left_out.append(f"column {name!r}: check {_called(check)}")
        else:
            rules |= said
    return ColumnRule(name, **rules)


def _and(rule: ColumnRule, **more: Any) -> ColumnRule:
    return ColumnRule(rule.name, **{**rule.to_dict(), **more})


def _type(name: str, dtype: Any, left_out: list[str]) -> str:
    words = str(dtype).lower()
    for pattern, kind in _TYPES:
        if re.fullmatch(pattern, words):
            return kind
    left_out.append(f"column {name!r}: type {dtype}")
    return "any"


def _said(check: Any, kind: str) -> dict[str, Any] | None:
    """What a check of pandera says in our words; None if it cannot be said."""
    facts = dict(check.statistics or {})
    if check.name == "in_range":
        low, high = (
            ("minimum" if facts.get("include_min", True) else "above"),
            ("maximum" if facts.get("include_max", True) else "below"),
        )
        return {low: _plain(facts["min_value"]), high: _plain(facts["max_value"])}
    if check.name == "str_length":
        least, most = facts.get("min_value") or 0, facts.get("max_value")
        exact = facts.get("exact_value")
        most_text = "" if most is None else str(most)
        count = f"{{{exact}}}" if exact is not None else f"{{{least},{most_text}}}"
        return {"pattern": f"(?s:.{count})"}
    one = {
        "greater_than_or_equal_to": ("minimum", "min_value"),
        "greater_than": ("above", "min_value"),
        "less_than_or_equal_to": ("maximum", "max_value"),
        "less_than": ("below", "max_value"),
    }.get(check.name)
    if one is not None:
        return {one[0]: _plain(facts[one[1]])}
    return _said_of_values(check.name, facts, kind)


def _said_of_values(name: str, facts: dict[str, Any], kind: str) -> dict[str, Any] | None:
    if name in ("isin", "equal_to"):
        allowed = facts["allowed_values"] if name == "isin" else [facts["value"]]
        return {"allowed": tuple(_plain(value) for value in allowed if value is not None)}
    if kind not in ("text", "any"):
        return None
    any_text = "(?s:.*)"
    pattern = {
        "str_matches": lambda: f"{_expression(facts['pattern'])}{any_text}",  # at the beginning, in pandera
        "str_contains": lambda: f"{any_text}{_expression(facts['pattern'])}{any_text}",
        "str_startswith": lambda: f"{re.escape(facts['string'])}{any_text}",
        "str_endswith": lambda: f"{any_text}{re.escape(facts['string'])}",
    }.get(name, lambda: "")()
    try:
        check_pattern(pattern)
    except ConfigurationError:
        return None
    return {"pattern": pattern} if pattern else None


def _expression(pattern: Any) -> str:
    """A pattern as a group; one that was compiled, with the flags that both syntaxes have."""
    text = str(getattr(pattern, "pattern", pattern))
    given = int(getattr(pattern, "flags", 0))
    flags = "".join(
        letter for letter, flag in (("i", re.I), ("m", re.M), ("s", re.S), ("x", re.X)) if given & flag
    )
    return f"(?{flags}:{text})"


def _plain(value: Any) -> Any:
    """A number of numpy or pandas as Python's own; a decimal as a double."""
    item = value.item() if hasattr(value, "item") else value
    if hasattr(item, "to_pydatetime"):
        return item.to_pydatetime()
    if type(item).__name__ == "Decimal":
        return float(item)
    if isinstance(item, float) and math.isinf(item):
        return None  # no bound
    return item


def _called(check: Any) -> str:
    return str(check.name or "without a name")
