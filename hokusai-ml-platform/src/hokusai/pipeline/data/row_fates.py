"""What becomes of rows that passed the first pass, told by digests: kept, repeated, refused, or put in a place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hokusai.domain.schema import DataSchema
from hokusai.domain.schema_report import MOST_ROWS, Rule, SchemaProblem, SchemaReport
from hokusai.errors import SchemaError
from hokusai.pipeline.data.digest_log import first_match
from hokusai.pipeline.data.key_update import SHARED_BY_NONE
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
        refused: It has a value that must be unique, and that an earlier row has; or, in an update, the key of a row
            that says something else, so that it is open which of them is meant.
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
            SchemaError: Two rows of the base data have the key of an update; or what `set_aside` raises.
        """
        import numpy as np

        none = np.zeros(fresh.height, dtype=bool)
        repeated, in_base = _repeated(fresh, base, recipe) if recipe.deduplicate else (none, none)
        refused = _clashing(fresh, schema, repeated | in_base, set_aside)
        if recipe.how == "update":
            _refuse_repeated_keys(base, recipe.key)
            open_keys = _of_open_key(fresh, recipe.key, ~(repeated | refused), refused, set_aside)
            repeated, in_base, refused = repeated & ~open_keys, in_base & ~open_keys, refused | open_keys
        near = _nearly_repeated(fresh, base, recipe, ~(repeated | in_base | refused))
        replaces = _replaced(fresh, base, recipe, ~(repeated | refused | near))
        return cls(in_base, repeated, near, refused, np.where(in_base, -1, replaces))


def _repeated(fresh: Side, base: Side, recipe: Recipe) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which rows repeat an earlier contributed row, and which of the others one of the base data.

    A row with a mask repeats none: what is masked may be something else. In an update the key says which row it is.
    """
    import numpy as np

    by_key = recipe.repeats_by_key
    masked = fresh.masked if recipe.how != "update" else np.zeros(fresh.height, dtype=bool)
    repeated = fresh.key.duplicates() if by_key else fresh.digests.duplicates(masked)
    if not base.height or recipe.how == "replace":
        return repeated, np.zeros(fresh.height, dtype=bool)
    if not by_key:
        return repeated, (first_match(fresh.digests, base.digests) >= 0) & ~(repeated | masked)
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
        _tell(fresh, again, key, expected_of(key), set_aside)
    return clashing


def _of_open_key(
    fresh: Side,
    key: Sequence[str],
    left: NDArray[np.bool_],
    refused: NDArray[np.bool_],
    set_aside: SetAside,
) -> NDArray[np.bool_]:
    """Which rows share their key with others that say something else: all, as any of them may be meant."""
    import numpy as np

    if not fresh.key.duplicates(among=left).any():
        return np.zeros(fresh.height, dtype=bool)
    firsts = first_match(fresh.key.digests, fresh.key.digests)
    times = np.bincount(firsts[left], minlength=fresh.height)
    shared: NDArray[np.bool_] = (times[firsts] > 1) & ~refused
    _tell(fresh, shared, key, SHARED_BY_NONE, set_aside)
    return shared


def _tell(
    fresh: Side, refused: NDArray[np.bool_], key: Sequence[str], expected: str, set_aside: SetAside
) -> None:
    """Report rows that are not unique, file by file."""
    import numpy as np

    for file, at in fresh.slices():
        numbers = Numbering(file.rejected).of(np.flatnonzero(refused[at]))
        if len(numbers):
            set_aside(*_not_unique(file.name, ", ".join(key), expected, numbers))


def _not_unique(
    source: str, column: str, expected: str, numbers: NDArray[np.int64]
) -> tuple[SchemaReport, Iterable[Reject]]:
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
    return SchemaReport((problem,), 0, len(numbers)), rejects


def _nearly_repeated(fresh: Side, base: Side, recipe: Recipe, left: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which of the rows that are left say nearly the same as an earlier one; base rows that stay come first."""
    import numpy as np
    import polars as pl

    near = np.zeros(fresh.height, dtype=bool)
    if not recipe.near_text:
        return near
    columns = tuple(dict.fromkeys(recipe.near_text))
    before = base if recipe.how == "append" else None
    parts = [rows for side in (before, fresh) if side for rows in side.near_text(columns)]
    n_before = before.height if before else 0
    taking_part = np.concatenate([np.ones(n_before, dtype=bool), left])
    if not taking_part.any():
        return near
    texts = pl.concat(parts).filter(pl.Series(taking_part))
    first = near_duplicates(texts, texts.columns, seed=recipe.seed).first_row
    places = np.flatnonzero(taking_part)[first != np.arange(len(first))] - n_before
    near[places[places >= 0]] = True
    return near


def _refuse_repeated_keys(base: Side, key: Sequence[str]) -> None:
    import numpy as np

    again = np.flatnonzero(base.key.duplicates()) + 1
    if len(again):
        more = f" and {len(again) - 10:,} more" if len(again) > 10 else ""
        raise SchemaError(
            f"The same key ({', '.join(key)}) stands more than once, so that it is open which row counts: again in "
            f"row{'s' if len(again) > 1 else ''} {', '.join(f'{row:,}' for row in again[:10])}{more}",
            where="the base data",
            hint="Keep one row for each key.",
        )


def _replaced(fresh: Side, base: Side, recipe: Recipe, left: NDArray[np.bool_]) -> NDArray[np.int64]:
    """For each row that is left the row of the base data with its key, or -1."""
    import numpy as np

    if recipe.how != "update":
        return np.full(fresh.height, -1, dtype=np.int64)
    return np.where(left, first_match(fresh.key.digests, base.key.digests), -1)
