"""New rows take the places of base rows with the same key: what an update does, step by step.

Keys are matched by `relations`; from then on rows are numbers, so that nothing depends on the order in which an engine
joins, and values are moved once, when the result is put together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from hokusai.domain.schema_report import Rule
from hokusai.errors import SchemaError
from hokusai.pipeline.data.columns import cells_of, selected
from hokusai.pipeline.data.relations import key_matches, repeated_keys
from hokusai.pipeline.data.scan import Reject
from hokusai.privacy.counts import PiiCounts
from hokusai.privacy.policy import PiiAction
from hokusai.privacy.stand_ins import holds_mask

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

OnConflict = Literal["new", "base", "raise"]
Repeats = Literal["raise", "last", "reject"]

BASE_NAME, NEW_NAME = "the base data", "the new data"
NO_KEY = "no value in the key"
NOT_UNIQUE = str(Rule.NOT_UNIQUE)
SHARED_BY_NONE = "a key that no other row has"
BASE_WINS = "the base data has this key with other values"
_ROWS_NAMED = 10
_ROW = "row"


@dataclass(frozen=True, slots=True, eq=False)
class Sides:
    """Base data and new data in the same columns and types; what one lacks is null there.

    Attributes:
        base: Rows of the base data; no value is NaN.
        new: New rows, likewise.
        only_base: Columns that the new data does not have.
        only_new: Columns that the base data does not have.
    """

    base: pl.DataFrame
    new: pl.DataFrame
    only_base: tuple[str, ...]
    only_new: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Updated:
    """The rows after an update, and what became of each new row; see `merging.MergeResult`.

    `repeated` are new rows that do not count, since another new row has their key.
    """

    frame: pl.DataFrame
    added: int
    changed: int
    unchanged: int
    repeated: int
    base_only: int
    conflicts: Mapping[str, int]
    rejects: tuple[Reject, ...]
    notes: tuple[str, ...]


def update_by_key(
    sides: Sides, key: tuple[str, ...], on_conflict: OnConflict = "new", repeats: Repeats = "raise"
) -> Updated:
    """Put new rows in the places of the base rows with their keys, and the others behind.

    Raises:
        SchemaError: A key stands in several rows of one side, so that it is open which one counts, and `repeats` does
            not settle it; or a key is masked; or rows differ and `on_conflict` is `raise`.

    >>> import polars as pl
    >>> sides = Sides(pl.DataFrame({"k": [1, 2]}), pl.DataFrame({"k": [3, 2]}), (), ())
    >>> update_by_key(sides, ("k",)).frame["k"].to_list()
    [1, 2, 3]
    """
    import numpy as np
    import polars as pl

    for rows, where in ((sides.base, BASE_NAME), (sides.new, NEW_NAME)):
        require_telling_keys(rows, key, where)
    parts = [str(i) for i in range(len(key))]  # names from the data might be patterns to the engine
    base_keys, new_keys = (
        pl.DataFrame({part: side[name] for part, name in zip(parts, key, strict=True)}).with_row_index(_ROW)
        for side in (sides.base, sides.new)
    )
    _refuse_repeated_base(repeated_keys(base_keys, parts, _ROW), key)
    keyless = new_keys.select(pl.any_horizontal(pl.all().is_null())).to_series().to_numpy()
    superseded, open_keys = _superseded(sides.new, repeated_keys(new_keys, parts, _ROW), key, repeats)

    places = np.full(sides.new.height, -1, dtype=np.int64)
    matches = key_matches(base_keys, new_keys, parts, _ROW)
    places[matches["new_row"].to_numpy()] = matches["base_row"].to_numpy()
    counts = ~(keyless | superseded | open_keys)
    at_new = np.flatnonzero(counts & (places >= 0))
    conflicts, differs = _compare(sides, key, at_new, places[at_new])
    tells_more = _has_values(sides.new, sides.only_new)[at_new]
    if on_conflict == "raise" and differs.any():
        raise _conflict(at_new[differs], conflicts)

    wins = differs | tells_more if on_conflict == "new" else tells_more & ~differs
    replacing, added = at_new[wins], np.flatnonzero(counts & (places < 0))
    refused = at_new[differs] if on_conflict == "base" else at_new[:0]
    return Updated(
        frame=_replaced(sides, replacing, places[replacing], added),
        added=len(added),
        changed=len(replacing),
        unchanged=int((~(differs | tells_more)).sum()),
        repeated=int(superseded.sum()),
        base_only=sides.base.height - len(at_new),
        conflicts=conflicts,
        rejects=_rejects(np.flatnonzero(keyless), refused, np.flatnonzero(open_keys), key),
        notes=_told(superseded),
    )


def require_telling_keys(
    rows: pl.DataFrame, key: Sequence[str], where: str, pii: PiiCounts | None = None
) -> None:
    """Check that keys were not taken out as personal data: what is masked or dropped is alike for everybody.

    Args:
        rows: Rows as they were cleaned, in this run or before.
        key: The columns of the key.
        where: Whose rows they are.
        pii: What was found when they were cleaned in this run.

    Raises:
        SchemaError: They were.
    """
    dropped = {found.column for found in (pii.cells if pii else ()) if found.action == PiiAction.DROP}
    gone = [name for name in key if name not in rows.columns or name in dropped]
    if not gone:
        gone = [name for name in key if holds_mask(selected(rows, [name])).any()]
    if gone:
        raise SchemaError(
            f"The key cannot say which row is meant: in {', '.join(map(repr, gone))} personal data is masked or "
            "dropped, and looks the same for everybody",
            where=where,
            hint="Hash it instead (`--pii hash`, or in the policy): equal values have equal tokens.",
        )


def _refuse_repeated_base(repeated: pl.DataFrame, key: Sequence[str]) -> None:
    if repeated.height:
        hint = "Keep one row for each key, or name more columns for the key."
        raise _ambiguous(repeated["row"], key, BASE_NAME, hint)


def _superseded(
    new: pl.DataFrame, repeated: pl.DataFrame, key: Sequence[str], repeats: Repeats
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which new rows do not count, since they say the same as an earlier one, or since a later one has their key; and
    which are set aside, since it is open which row of their key counts.
    """
    import numpy as np

    superseded, none = (np.zeros(new.height, dtype=bool) for _ in range(2))
    if not repeated.height:
        return superseded, none
    later, first = repeated["row"].to_numpy(), repeated["first"].to_numpy()
    superseded[later] = True
    if repeats == "last":
        superseded[first] = True
        superseded[repeated.group_by("first").max()["row"].to_numpy()] = False
        return superseded, none
    differs = np.zeros(len(later), dtype=bool)
    for column in (cells_of(new, name) for name in new.columns):
        differs |= column.gather(later).ne_missing(column.gather(first)).to_numpy()
    if differs.any() and repeats == "raise":
        hint = (
            "Keep one row for each key, let the last one count (repeats='last'), or none (repeats='reject')."
        )
        raise _ambiguous(repeated["row"].filter(differs), key, NEW_NAME, hint)
    open_keys = none
    open_keys[first[differs]] = True
    open_keys[later] = open_keys[first]
    return superseded & ~open_keys, open_keys


def _compare(
    sides: Sides, key: Sequence[str], at_new: NDArray[np.int64], at_base: NDArray[np.int64]
) -> tuple[dict[str, int], NDArray[np.bool_]]:
    """In how many cells of each column that both sides have matched rows differ, and which rows do."""
    import numpy as np

    differs = np.zeros(len(at_new), dtype=bool)
    conflicts = {}
    for name in sides.base.columns:
        if name in (*key, *sides.only_base, *sides.only_new):
            continue
        other = (
            cells_of(sides.base, name)
            .gather(at_base)
            .ne_missing(cells_of(sides.new, name).gather(at_new))
            .to_numpy()
        )
        if other.any():
            conflicts[name] = int(other.sum())
            differs |= other
    return conflicts, differs


def _has_values(rows: pl.DataFrame, columns: Sequence[str]) -> NDArray[np.bool_]:
    """Which rows have a value in any of the columns."""
    import numpy as np

    found = np.zeros(rows.height, dtype=bool)
    for column in columns:
        found |= rows[column].is_not_null().to_numpy()
    return found


def _replaced(
    sides: Sides, replacing: NDArray[np.int64], places: NDArray[np.int64], added: NDArray[np.int64]
) -> pl.DataFrame:
    """Base rows with new rows in the places of some, and the added ones behind."""
    import numpy as np
    import polars as pl

    old = np.arange(sides.base.height)
    order = np.concatenate([old, sides.base.height + added])
    stays = order.copy()
    order[places] = sides.base.height + replacing
    stacked = pl.concat([sides.base, sides.new])
    merged = stacked[order]
    if sides.only_base and len(replacing):
        merged = merged.with_columns(selected(stacked, sides.only_base)[stays])
    return merged


def _rejects(
    keyless: NDArray[np.int64],
    refused: NDArray[np.int64],
    open_keys: NDArray[np.int64],
    key: Sequence[str],
) -> tuple[Reject, ...]:
    column = ", ".join(key)
    found = [
        Reject(NEW_NAME, row + 1, NO_KEY, column, "a key has to have a value") for row in keyless.tolist()
    ]
    found += [Reject(NEW_NAME, row + 1, BASE_WINS, column) for row in refused.tolist()]
    found += [
        Reject(NEW_NAME, row + 1, NOT_UNIQUE, column, f"expected {SHARED_BY_NONE}")
        for row in open_keys.tolist()
    ]
    return tuple(sorted(found, key=lambda reject: reject.row))


def _conflict(rows: NDArray[np.int64], conflicts: Mapping[str, int]) -> SchemaError:
    columns = ", ".join(f"{name!r} ({count:,})" for name, count in conflicts.items())
    return SchemaError(
        f"Values differ from those of the base rows with the same keys, in {_rows(rows)}; by column: {columns}",
        where=NEW_NAME,
        hint="Say which side counts: on_conflict='new' or 'base'.",
    )


def _ambiguous(rows: pl.Series, key: Sequence[str], where: str, hint: str) -> SchemaError:
    again = _rows(rows.sort().to_numpy())
    return SchemaError(
        f"The same key ({', '.join(key)}) stands more than once, so that it is open which row counts: again in {again}",
        where=where,
        hint=hint,
    )


def _rows(at: NDArray[np.int64]) -> str:
    """Rows by number from 1, such as `rows 3, 17`."""
    shown = ", ".join(f"{row + 1:,}" for row in at[:_ROWS_NAMED].tolist())
    more = f" and {len(at) - _ROWS_NAMED:,} more" if len(at) > _ROWS_NAMED else ""
    return f"row{'s' if len(at) > 1 else ''} {shown}{more}"


def _told(superseded: NDArray[np.bool_]) -> tuple[str, ...]:
    import numpy as np

    if not superseded.any():
        return ()
    return (
        f"Another row of {NEW_NAME} has the same key, and counts instead of {_rows(np.flatnonzero(superseded))}",
    )
