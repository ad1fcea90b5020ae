"""What a column of JSON values holds, and why a value cannot stand in it.

A number must be kept to its last digit, and a value must be of the column's kind; of a column whose type was told, of
that. Reasons quote no value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hokusai.pipeline.data.cell_types import CellType
from hokusai.pipeline.data.column_values import (
    MAX_EXACT,
    TIME_FORMATS,
    WRONG_TYPE,
    as_time,
    expected,
    fitted,
    told_dtype,
)
from hokusai.pipeline.data.json_numbers import RoundedFloat
from hokusai.pipeline.data.json_records import KIND_WORDS
from hokusai.pipeline.data.nested_values import NOT_KEPT, nested_trouble

if TYPE_CHECKING:
    import polars as pl

INT64 = (-(2**63), 2**63 - 1)
_NO_DOUBLE = "a number beyond the range of a double (1.8e308, or nearer to 0 than 4.9e-324)"
NESTED = "nested"
"""The kind of columns that hold lists and objects."""
NESTED_KINDS = {"list", "object"}
KIND_OF_TYPE = {
    CellType.BOOLEAN: "boolean", CellType.INTEGER: "number", CellType.FLOAT: "number", CellType.DATE: "text",
    CellType.DATETIME: "text", CellType.TEXT: "text", CellType.EMPTY: "null",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a record cannot be used: a constant reason, the column, and a sentence that quotes no value."""

    reason: str
    column: str
    detail: str


@dataclass(frozen=True, slots=True)
class Settled:
    """What a column holds.

    Attributes:
        kind: `boolean`, `number`, `text`, `nested` or `null`.
        fractions: Whether some number has a fraction or exponent.
        wanted: The type that it was told to have.
    """

    kind: str
    fractions: bool = False
    wanted: CellType | None = None

    def parsed_as(self) -> pl.DataType:
        """The type in which its values are read."""
        import polars as pl

        if self.kind == "number":
            return pl.Float64() if self.fractions or self.wanted is CellType.FLOAT else pl.Int64()
        return pl.Boolean() if self.kind == "boolean" else pl.String()

    def dtype(self) -> pl.DataType:
        """The type that it has in a table."""
        return self.parsed_as() if self.wanted is None else told_dtype(self.wanted)

    def converted(self, values: pl.Series) -> pl.Series:
        """Its values as `dtype()`, from those that were read."""
        if self.wanted in TIME_FORMATS:
            return as_time(values, self.wanted)
        return values.cast(self.dtype())

    def fault(self, name: str, value: Any) -> Fault | None:
        """Why `value` cannot stand in the column, if it cannot."""
        kind = KIND_WORDS[type(value)]
        if value is None:
            return None
        if kind in NESTED_KINDS and self.kind == NESTED:
            found = nested_trouble(value)
            return Fault(NOT_KEPT, name, found) if found else None
        if kind in NESTED_KINDS:
            return Fault("nested value", name, f"{with_article(kind)} stands where a plain value is expected")
        if self.wanted is not None and self.kind != NESTED:
            found = misfit(value, self.wanted, beside_fractions=self.fractions)
            return Fault(WRONG_TYPE, name, f"{expected(self.wanted)}, found {found}") if found else None
        if kind != self.kind:
            wanted = "a list or object" if self.kind == NESTED else self.kind
            return Fault("another kind of value", name, f"{wanted} is expected, {kind} found")
        found = beyond(value, beside_fractions=self.fractions) if kind == "number" else ""
        return Fault("number that is not kept", name, found) if found else None


def misfit(value: Any, wanted: CellType, *, beside_fractions: bool = False) -> str:
    """What was found instead of `wanted`; empty if it fits. Numbers fit if no digit of them is lost."""
    kind = KIND_WORDS[type(value)]
    if kind != KIND_OF_TYPE[wanted]:
        return with_article(kind) if kind in NESTED_KINDS else kind
    if wanted is CellType.INTEGER and isinstance(value, float):
        whole = value.is_integer() and abs(value) <= MAX_EXACT and not isinstance(value, RoundedFloat)
        return "" if whole else "a fraction"
    if wanted is CellType.FLOAT and isinstance(value, RoundedFloat):
        return ""  # whoever says that it is a double has it rounded
    if kind == "number":
        return beyond(value, beside_fractions=beside_fractions or wanted is CellType.FLOAT)
    return "" if wanted not in TIME_FORMATS or are_times([value], wanted) else "other text"


def beyond(value: Any, *, beside_fractions: bool = False) -> str:
    """Why a column of numbers cannot keep `value`; empty if it can."""
    if isinstance(value, RoundedFloat):
        return f"a number of {value.digits} digits, which a double would round"
    if isinstance(value, float):
        return _NO_DOUBLE if math.isinf(value) else ""
    if not INT64[0] <= value <= INT64[1]:
        return f"{digits_of(value)}, beyond 64 bits"
    if beside_fractions and abs(value) > MAX_EXACT:
        return f"{digits_of(value)}, which would be rounded beside fractions"
    return ""


def are_times(values: list[Any], wanted: CellType) -> bool:
    """Whether all texts are dates, or times, as `wanted` says."""
    import polars as pl

    return not fitted(pl.Series("", values, dtype=pl.String), wanted)[1].any()


def with_article(kind: str) -> str:
    """Such as `a list`, or `an object`."""
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def digits_of(value: int) -> str:
    """An integer in words, which do not quote it."""
    return f"an integer of {len(str(abs(value)))} digits"
