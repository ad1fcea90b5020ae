"""What happens to a batch of rows, wherever it is: checked, cleaned of people's data, and digested.

The kernel knows nothing but its batch and what was decided for all batches beforehand, so it gives the same rows in
this process, in another, or on another machine; what it learns on the way can be added up in any order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hokusai.domain.schema import DataSchema
from hokusai.domain.schema_report import SchemaReport
from hokusai.errors import SchemaError
from hokusai.pipeline.data.checks import check
from hokusai.pipeline.data.column_values import fit
from hokusai.pipeline.data.columns import UnknownColumnError, cells_of, col, selected
from hokusai.pipeline.data.reconcile import MOST_EXACT
from hokusai.pipeline.data.repeated_values import Known, without_clean_columns
from hokusai.pipeline.data.row_digests import row_digests
from hokusai.pipeline.data.scan import Reject
from hokusai.privacy.policy import PiiPolicy
from hokusai.privacy.scrub import ColumnGate, PiiCounts, scrub
from hokusai.privacy.stand_ins import holds_mask
from hokusai.privacy.tokens import Tokenizer

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class KeyDigests:
    """What rows are compared by.

    Attributes:
        digests: Of the key columns, uint8 of shape (n_rows, 32).
        absent: Which rows have no key, or a mask in it; they equal no other.
    """

    digests: NDArray[np.uint8]
    absent: NDArray[np.bool_]

    @classmethod
    def of(cls, rows: pl.DataFrame, key: Sequence[str], *, partial: bool = False) -> KeyDigests:
        """The keys of rows: none where one of the columns is null, or, if `partial`, where all are; none in a mask."""
        import polars as pl

        columns = selected(rows, key)
        horizontal = pl.all_horizontal if partial else pl.any_horizontal
        absent = columns.select(horizontal(pl.all().is_null())).to_series()
        return cls(row_digests(columns), (absent | holds_mask(columns)).to_numpy())


@dataclass(frozen=True, slots=True, eq=False)
class Processed:
    """What became of a batch.

    Attributes:
        rows: Those that were kept, cleaned, in order.
        digests: One for each of them, uint8 of shape (n_rows, 32).
        masked: Which of them had a mask when they were compared, so that they repeat none that looks like them.
        key: What identifies them, as it stands in `rows`; None if nothing does.
        unique: Their values in each combination of columns that must be unique, as they came in.
        near: Their text that is compared for nearness, where `rows` does not have it as it is compared; or None.
        rejects: Rows that were not kept.
        report: All problems, the further ones of rejected rows too.
        pii: What personal data was found.
    """

    rows: pl.DataFrame
    digests: NDArray[np.uint8]
    masked: NDArray[np.bool_]
    key: KeyDigests | None
    unique: tuple[KeyDigests, ...]
    near: pl.DataFrame | None
    rejects: tuple[Reject, ...]
    report: SchemaReport
    pii: PiiCounts


@dataclass(frozen=True, slots=True)
class Kernel:
    """What was decided for all batches.

    Attributes:
        columns: The columns of the result and the types that they have when they come in; what a batch lacks is null.
        schema: What must hold of a row.
        policy: What happens to personal data; None leaves it alone.
        gate: Which columns hold nothing but one kind of it.
        tokenizer: What makes tokens, where the policy hashes.
        key: The columns that identify a row, by the names under which rows are compared (`names_compared`).
        partial_keys: Whether some of them may be null.
        compared: The columns that a row's digest is of, likewise; all, if there are none here.
        near_text: The columns of text in which rows may say nearly the same, likewise.
    """

    columns: Mapping[str, pl.DataType]
    schema: DataSchema | None = None
    policy: PiiPolicy | None = None
    gate: ColumnGate | None = None
    tokenizer: Tokenizer | None = None
    key: tuple[str, ...] = ()
    partial_keys: bool = False
    compared: tuple[str, ...] = ()
    near_text: tuple[str, ...] = ()
    _clean: Known = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def unique_keys(self) -> tuple[tuple[str, ...], ...]:
        """Combinations of columns that must be unique."""
        return self.schema.unique_keys if self.schema else ()

    @property
    def result_columns(self) -> dict[str, pl.DataType]:
        """The columns and types that every batch has afterwards."""
        import polars as pl

        return dict(self(pl.DataFrame(schema=self.columns), "").rows.schema)

    def names_shown(self) -> dict[str, str]:
        """Each column's name in the result: the policy replaces names that hold personal data."""
        return self._names(self.policy)

    def names_compared(self) -> dict[str, str]:
        """Each column's name while rows are compared, when what the policy hides is as it came in."""
        return self._names(self.policy and self.policy.without_hiding())

    def require_kept(self, named: Iterable[str]) -> None:
        """Check that the policy leaves every column that the caller names for the result, such as the target.

        Raises:
            UnknownColumnError: It drops one, or replaces its name.
        """
        left = self.result_columns
        for name in named:
            if name not in left:
                raise UnknownColumnError(
                    f"Column {name!r} is wanted as target or feature, but the policy for personal data takes it out",
                    hint="Name another column, or choose another action for this one, such as `hash` or `keep`.",
                )

    def checked(
        self, batch: pl.DataFrame, source: str, numbers: pl.Series | None = None
    ) -> tuple[pl.DataFrame, tuple[Reject, ...], SchemaReport]:
        """The rows of a batch that the schema accepts, in the types of all batches."""
        rows = conformed(batch, self.columns)
        if self.schema is None:
            return rows, (), SchemaReport(rows_checked=rows.height)
        result = check(rows, self.schema, source=source, rows=numbers)
        kept = rows if result.ok_mask.all() else rows.filter(result.ok_mask)
        return fit(kept, self.schema), tuple(result.rejects()), result.report

    def __call__(self, batch: pl.DataFrame, source: str, numbers: pl.Series | None = None) -> Processed:
        """Check, clean and digest a batch of `source`, whose rows have these numbers there, from 1."""
        rows, rejects, report = self.checked(batch, source, numbers)
        unique = tuple(KeyDigests.of(rows, key) for key in self.unique_keys)
        pii, told_by = PiiCounts(), rows
        if self.policy is not None:
            gate = self.gate and without_clean_columns(
                rows, self.gate, self.policy, self.tokenizer, self._clean
            )
            cleaned, pii = scrub(rows, self.policy, self.tokenizer, gate=gate)
            # What is masked or dropped is the same for everybody, and is compared as it was.
            if not self.policy.hides:
                told_by = cleaned
            elif self.policy.hashes:
                told_by, _ = scrub(rows, self.policy.without_hiding(), self.tokenizer, gate=gate)
            rows = cleaned
        key = KeyDigests.of(told_by, self.key, partial=self.partial_keys) if self.key else None
        near = selected(told_by, self.near_text) if self.near_text and self._hides else None
        told_by = selected(told_by, self.compared) if self.compared else told_by
        masked = holds_mask(told_by).to_numpy()
        return Processed(rows, row_digests(told_by), masked, key, unique, near, rejects, report, pii)

    def _names(self, policy: PiiPolicy | None) -> dict[str, str]:
        import polars as pl

        if policy is None or (self.gate is not None and not self.gate.telling):
            return {name: name for name in self.columns}
        nothing = pl.DataFrame(
            schema=dict.fromkeys(self.columns, pl.Null)
        )  # of such a column only the name is looked at
        return dict(
            zip(self.columns, scrub(nothing, policy, self.tokenizer, gate=self.gate)[0].columns, strict=True)
        )

    @property
    def _hides(self) -> bool:
        return self.policy is not None and self.policy.hides


def conformed(batch: pl.DataFrame, columns: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """A batch in the columns and types of the whole data; columns that it lacks are null."""
    import polars as pl

    present = batch.schema
    for name, dtype in columns.items():
        if dtype.is_float() and name in present and present[name].is_integer():
            _refuse_rounding(name, cells_of(batch, name))
    return batch.select(
        col(name)
        if present.get(name) == dtype
        else (col(name) if name in present else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in columns.items()
    )


def _refuse_rounding(name: str, values: pl.Series) -> None:
    import polars as pl

    whole = values.cast(pl.Int64)
    large = (whole > MOST_EXACT) | (whole < -MOST_EXACT)
    if large.any():
        raise SchemaError(
            f"Column {name!r} holds fractions in other files, and here {int(large.sum()):,} whole numbers "
            "that would be rounded beside them",
            hint="Whole numbers of more than 15 digits are best written as text in all files.",
        )
