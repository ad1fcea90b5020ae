"""What becomes of rows that passed the first pass, told by digests: kept, repeated, refused, or put in a place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hokusai.domain.schema import DataSchema
from hokusai.domain.schema_report import MOST_ROWS, Rule, SchemaProblem, SchemaReport
from hokusai.errors import SchemaError
from hokusai.pipeline.data.columns import selected
from hokusai.pipeline.data.digest_log import first_match
from hokusai.pipeline.data.near_duplicates import near_duplicates
from hokusai.pipeline.data.numbering import Numbering
from hokusai.pipeline.data.recipe import Recipe
from hokusai.pipeline.data.scan import Reject
from hokusai.pipeline.data.staged import Side
from hokusai.pipeline.data.uniqueness import expected_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SetAside = Callable[[SchemaReport, Iterable[Reject]], None]
"""Is told of rows that are refused, and raises where none may be."""


@dataclass(frozen=True, slots=True, eq=False)
class RowFates:
    """For each row of the contributions, arrays of shape (n_rows,); no row has two fates.

    Attributes:
        in_base: It stands in the base data already, as a whole or by its key.
        repeated: It repeats an earlier contributed row, likewise.
        near: It says nearly the same as an earlier row.
        refused: It has a value that must be unique, and that an earlier row has.
        replaces: The row of the base data whose place it takes; -1 for all others.
    """

    in_base: NDArray[np.bool_]
    repeated: NDArray[np.bool_]
    near: NDArray[np.bool_]
    refused: NDArray[np.bool_]
    replaces: NDArray[np.int64]

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Whether it is in the result."""
        return ~(self.in_base | self.repeated | self.near | self.refused)

    @classmethod
    def of(
        cls, fresh: Side, base: Side, recipe: Recipe, schema: DataSchema | None, set_aside: SetAside
    ) -> RowFates:
        """Decide, for all rows.

        Raises:
            SchemaError: Two rows have the key by which rows are merged; or what `set_aside` raises.
        """
        import numpy as np

        none = np.zeros(fresh.height, dtype=bool)
        repeated, in_base = _repeated(fresh, base, recipe) if recipe.deduplicate else (none, none)
        refused = _clashing(fresh, schema, repeated | in_base, set_aside)
        near = _nearly_repeated(fresh, base, recipe, ~(repeated | in_base | refused))
        replaces = _replaced(fresh, base, recipe, ~(repeated | refused | near))
        return cls(in_base, repeated, near, refused, np.where(in_base, -1, replaces))


def _repeated(fresh: Side, base: Side, recipe: Recipe) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which rows repeat an earlier contributed row, and which of the others one of the base data."""
    import numpy as np

    by_key = recipe.repeats_by_key
    repeated = fresh.key.duplicates() if by_key else fresh.digests.duplicates()
    if not base.height or recipe.how == "replace":
        return repeated, np.zeros(fresh.height, dtype=bool)
    if not by_key:
        return repeated, (first_match(fresh.digests, base.digests) >= 0) & ~repeated
    found = first_match(fresh.key.digests, base.key.digests) >= 0
    return repeated, found & ~repeated & ~fresh.key.absent


def _clashing(
    fresh: Side, schema: DataSchema | None, gone: NDArray[np.bool_], set_aside: SetAside
) -> NDArray[np.bool_]:
    """Which rows have a value that must be unique, and that an earlier row has."""
    import numpy as np

    clashing = np.zeros(fresh.height, dtype=bool)
    for key, log in zip(schema.unique_keys if schema else (), fresh.unique, strict=True):
        again = log.duplicates(among=~(gone | clashing))
        clashing |= again
        for file, at in fresh.slices():
            numbers = Numbering(file.rejected).of(np.flatnonzero(again[at]))
            if len(numbers):
                _tell(file.name, key, numbers, set_aside)
    return clashing


def _tell(source: str, key: Sequence[str], numbers: NDArray[np.int64], set_aside: SetAside) -> None:
    column, expected = ", ".join(key), expected_of(key)
    problem = SchemaProblem(
        Rule.NOT_UNIQUE,
        column,
        expected,
        count=len(numbers),
        rows=tuple(numbers[:MOST_ROWS].tolist()),
        source=source,
    )
    rejects = (
        Reject(source, int(row), str(Rule.NOT_UNIQUE), column, f"expected {expected}") for row in numbers
    )
    set_aside(SchemaReport((problem,), 0, len(numbers)), rejects)


def _nearly_repeated(fresh: Side, base: Side, recipe: Recipe, left: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which of the rows that are left say nearly the same as an earlier one; base rows that stay come first."""
    import numpy as np
    import polars as pl

    near = np.zeros(fresh.height, dtype=bool)
    if not recipe.near_text:
        return near
    columns = list(recipe.near_text)
    before = base if recipe.how == "append" else None
    parts = [selected(rows, columns) for side in (before, fresh) if side for rows in side.stage.batches()]
    n_before = before.height if before else 0
    taking_part = np.concatenate([np.ones(n_before, dtype=bool), left])
    if not taking_part.any():
        return near
    texts = pl.concat(parts).filter(pl.Series(taking_part))
    first = near_duplicates(texts, columns, seed=recipe.seed).first_row
    places = np.flatnonzero(taking_part)[first != np.arange(len(first))] - n_before
    near[places[places >= 0]] = True
    return near


def _replaced(fresh: Side, base: Side, recipe: Recipe, left: NDArray[np.bool_]) -> NDArray[np.int64]:
    """For each row that is left the row of the base data with its key, or -1."""
    import numpy as np

    if recipe.how != "update":
        return np.full(fresh.height, -1, dtype=np.int64)
    key = ", ".join(recipe.key)
    again = np.flatnonzero(base.key.duplicates())
    if len(again):
        raise _ambiguous("The base data", key, again + 1)
    places = first_match(fresh.key.digests, base.key.digests)
    twice = np.flatnonzero(fresh.key.duplicates(among=left))
    if len(twice):
        file, at = next((f, at) for f, at in fresh.slices() if at.start <= twice[0] < at.stop)
        raise _ambiguous(file.name, key, Numbering(file.rejected).of(twice[twice < at.stop] - at.start))
    return np.where(left, places, -1)


def _ambiguous(name: str, key: str, rows: Sequence[int] | NDArray[np.int64]) -> SchemaError:
    shown = ", ".join(f"{row:,}" for row in rows[:10])
    return SchemaError(
        f"{len(rows):,} rows have a key ({key}) that an earlier row has, so that it is open which one counts: "
        f"row {shown}",
        where=name,
        hint="Keep one row for each key.",
    )
