"""New rows join base rows: appended, instead of them, or by key; and what became of each is counted.

In an update a new row is the new state of the base row with its key, and stands in its place. It takes over whole,
missing values too; only columns that the new data does not have keep the base's values. Rows whose key the base data
lacks come behind, in their order. Nothing depends on the order in which an engine joins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

from hokusai.domain.manifest import RowAccount
from hokusai.errors import InvalidInputError, SchemaError
from hokusai.pipeline.data.alignment import TypeChange, align
from hokusai.pipeline.data.columns import require_columns
from hokusai.pipeline.data.frames import Frame, to_polars
from hokusai.pipeline.data.relations import key_matches, repeated_keys
from hokusai.pipeline.data.scan import Reject
from hokusai.pipeline.task import find_id_column

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

How = Literal["append", "replace", "update"]
OnConflict = Literal["new", "base", "raise"]
Repeats = Literal["raise", "last"]

BASE_NAME, NEW_NAME = "the base data", "the new data"
KEY_NAMES = ("query_id", "id")
"""Columns that are taken as the key if none is named and both sides have one of them; the first counts."""
NO_KEY = "no value in the key"
BASE_WINS = "the base data has this key with other values"
_ROWS_NAMED = 10


@dataclass(frozen=True, slots=True, eq=False)
class MergeResult:
    """The merged rows, and what became of every row that came in.

    Attributes:
        frame: The rows, as the base's kind of table.
        how: What was asked for.
        key: Columns that identify a row; empty unless updated.
        base_rows: Rows of the base data.
        added: New rows whose key the base data lacks; without a key all of them.
        changed: New rows that took the place of a base row with other values.
        unchanged: New rows that stand in the base data already, in every column.
        base_only: Rows of the base data that are in the result as they were, and that no new row concerns.
        conflicts: Column to the number of cells in which a new row has another value than its base row.
        account: Of the new rows: kept are those added and changed; duplicates are the unchanged ones, and those
            whose key a later row has.
        rejects: New rows that are not in the result, each with its reason.
        type_changes: Columns whose types had to be brought together.
        notes: What a reader has to know, in sentences.
    """

    frame: Frame
    how: How
    key: tuple[str, ...]
    base_rows: int
    added: int
    changed: int
    unchanged: int
    base_only: int
    conflicts: Mapping[str, int]
    account: RowAccount
    rejects: tuple[Reject, ...] = ()
    type_changes: tuple[TypeChange, ...] = ()
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return (
            f"MergeResult({self.how}: {self.added:,} added, {self.changed:,} changed, {self.unchanged:,} unchanged, "
            f"{self.base_only:,} base rows left as they were, {len(self.rejects):,} rejected)"
        )


def merge(
    base: Frame,
    new: Frame,
    how: How = "append",
    *,
    key: str | Sequence[str] | None = None,
    on_conflict: OnConflict = "new",
    repeats: Repeats = "raise",
) -> MergeResult:
    """Merge new rows with the base data.

    Args:
        base: A pandas, Polars or pyarrow table.
        new: Likewise, of the same kind or another.
        how: `append` puts the new rows behind the base rows; `replace` takes them instead; `update` puts each where
            the base data has its key, and the others behind.
        key: Columns that identify a row, for `update`; else `query_id`, `id`, or the column that is an id by its name
            and its values.
        on_conflict: What counts where both sides have a key with different values: `new`, `base` (the new row is
            rejected), or `raise`.
        repeats: What happens if the new data has a key more than once: `raise`, or the `last` row counts.

    Raises:
        InvalidInputError: `how`, `on_conflict` or `repeats` is none of these.
        SchemaError: A column is of different kinds; there is no key; a key stands twice where that leaves open which
            row counts; rows differ and `on_conflict` is `raise`. Rows are named by number, from 1, never by value.

    >>> import polars as pl
    >>> base = pl.DataFrame({"id": [1, 2, 3], "label": ["a", "b", "c"]})
    >>> result = merge(base, pl.DataFrame({"id": [4, 2, 3], "label": ["d", "B", "c"]}), "update")
    >>> result
    MergeResult(update: 1 added, 1 changed, 1 unchanged, 1 base rows left as they were, 0 rejected)
    >>> result.frame.rows()
    [(1, 'a'), (2, 'B'), (3, 'c'), (4, 'd')]
    """
    for name, value, choices in (
        ("how", how, get_args(How)),
        ("on_conflict", on_conflict, get_args(OnConflict)),
        ("repeats", repeats, get_args(Repeats)),
    ):
        if value not in choices:
            raise InvalidInputError(f"{name}={value!r} is unknown", hint=f"Use one of {', '.join(choices)}.")
    (base_rows, give_back), (new_rows, _) = to_polars(base), to_polars(new)
    columns = list(dict.fromkeys((*base_rows.columns, *new_rows.columns)))
    if how == "replace":
        columns = [name for name in columns if name in new_rows.columns]
    sides = _Sides.reconciled(base_rows, new_rows, columns, keep_base=how != "replace")
    if how == "update":
        merged = _update(sides, _key_columns(base_rows, new_rows, key), on_conflict, repeats)
    else:
        merged = _whole(sides, how)
    return MergeResult(
        frame=give_back(merged.frame),
        how=how,
        key=merged.key,
        base_rows=base_rows.height,
        added=merged.added,
        changed=merged.changed,
        unchanged=merged.unchanged,
        base_only=merged.base_only,
        conflicts=merged.conflicts,
        account=RowAccount(
            new_rows.height,
            merged.added + merged.changed,
            len(merged.rejects),
            merged.unchanged + merged.repeated,
        ),
        rejects=merged.rejects,
        type_changes=sides.type_changes,
        notes=(*sides.notes, *merged.notes),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Sides:
    """Both sides in the same columns and types; what one lacks is null there."""

    base: pl.DataFrame
    new: pl.DataFrame
    only_base: tuple[str, ...]
    type_changes: tuple[TypeChange, ...]
    notes: tuple[str, ...]

    @classmethod
    def reconciled(
        cls, base: pl.DataFrame, new: pl.DataFrame, columns: Sequence[str], *, keep_base: bool
    ) -> _Sides:
        frames, changes = align([(BASE_NAME, base), (NEW_NAME, new)], columns)
        only_base = tuple(name for name in base.columns if name not in new.columns)
        only_new = tuple(name for name in new.columns if name not in base.columns)
        notes = []
        if only_base:
            fate = "they are missing in rows that are added" if keep_base else "they are gone"
            notes.append(f"{_names(only_base)} only in {BASE_NAME}: {fate}")
        if only_new:
            fate = "they are missing in rows of the base data" if keep_base else "they are new"
            notes.append(f"{_names(only_new)} only in {NEW_NAME}: {fate}")
        return cls(frames[0], frames[1], only_base, changes, tuple(notes))


@dataclass(frozen=True, slots=True, eq=False)
class _Merged:
    frame: pl.DataFrame
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    repeated: int = 0
    base_only: int = 0
    key: tuple[str, ...] = ()
    conflicts: Mapping[str, int] = field(default_factory=dict)
    rejects: tuple[Reject, ...] = ()
    notes: tuple[str, ...] = ()


def _whole(sides: _Sides, how: How) -> _Merged:
    import polars as pl

    if how == "replace":
        return _Merged(sides.new, added=sides.new.height)
    stacked = pl.concat([sides.base, sides.new], rechunk=False)
    return _Merged(stacked, added=sides.new.height, base_only=sides.base.height)


def _update(sides: _Sides, key: tuple[str, ...], on_conflict: OnConflict, repeats: Repeats) -> _Merged:
    import numpy as np
    import polars as pl

    row = _free_name(sides.base.columns)
    base_keys, new_keys = (side.select(key).with_row_index(row) for side in (sides.base, sides.new))
    _refuse_repeated_base(base_keys, key, row)
    keyless = new_keys.select(pl.any_horizontal(pl.col(key).is_null())).to_series().to_numpy()
    superseded = _superseded(new_keys, key, row, repeats)

    taking_part = ~keyless & ~superseded
    places = np.full(sides.new.height, -1, dtype=np.int64)
    matches = key_matches(base_keys, new_keys, key, row)
    places[matches["new_row"].to_numpy()] = matches["base_row"].to_numpy()
    at_new = np.flatnonzero(taking_part & (places >= 0))
    differs, conflicts = _compare(sides, key, at_new, places[at_new])
    if on_conflict == "raise" and differs.any():
        raise _conflict(at_new[differs], conflicts)

    wins = differs if on_conflict == "new" else np.zeros_like(differs)
    replacing, added = at_new[wins], np.flatnonzero(taking_part & (places < 0))
    refused = at_new[differs] if on_conflict == "base" else at_new[:0]
    notes = []
    if superseded.any():
        notes.append(
            f"A later row has the same key, and counts: {_rows(np.flatnonzero(superseded))} of {NEW_NAME}"
        )
    return _Merged(
        frame=_replaced(sides, replacing, places[replacing], added),
        added=len(added),
        changed=len(replacing),
        unchanged=int((~differs).sum()),
        repeated=int(superseded.sum()),
        base_only=sides.base.height - len(at_new),
        key=key,
        conflicts=conflicts,
        rejects=_rejects(np.flatnonzero(keyless), refused, key),
        notes=tuple(notes),
    )


def _key_columns(base: pl.DataFrame, new: pl.DataFrame, key: str | Sequence[str] | None) -> tuple[str, ...]:
    if key is not None:
        names = (key,) if isinstance(key, str) else tuple(dict.fromkeys(key))
        if not names:
            raise SchemaError(
                "No key column is named", hint="Name one, or leave the key out to have it found."
            )
        require_columns(base.columns, names, BASE_NAME)
        require_columns(new.columns, names, NEW_NAME)
        return names
    shared = [name for name in base.columns if name in new.columns]
    named = next((name for name in KEY_NAMES if name in shared), None) or find_id_column(
        base.select(shared), ""
    )
    if named is None:
        raise SchemaError(
            "There is no column that identifies a row on both sides",
            where="update",
            hint="Name the key, or append the rows.",
        )
    return (named,)


def _refuse_repeated_base(keys: pl.DataFrame, key: Sequence[str], row: str) -> None:
    repeated = repeated_keys(keys, key, row)
    if repeated.height:
        raise _ambiguous(
            repeated, key, BASE_NAME, "Keep one row for each key, or name more columns for the key."
        )


def _superseded(keys: pl.DataFrame, key: Sequence[str], row: str, repeats: Repeats) -> NDArray[np.bool_]:
    """Which new rows do not count, since a later one has their key."""
    import numpy as np

    repeated = repeated_keys(keys, key, row)
    superseded = np.zeros(keys.height, dtype=bool)
    if not repeated.height:
        return superseded
    if repeats == "raise":
        hint = "Keep one row for each key, or let the last one count: repeats='last'."
        raise _ambiguous(repeated, key, NEW_NAME, hint)
    superseded[repeated["row"].to_numpy()] = True
    superseded[repeated["first"].to_numpy()] = True
    superseded[repeated.group_by("first").max()["row"].to_numpy()] = False
    return superseded


def _compare(
    sides: _Sides, key: Sequence[str], at_new: NDArray[np.int64], at_base: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], dict[str, int]]:
    """Which matched rows differ in a column that both sides have, and in how many cells of each; NaN is null by now."""
    import numpy as np

    differs = np.zeros(len(at_new), dtype=bool)
    conflicts = {}
    for name in sides.base.columns:
        if name in key or name in sides.only_base:
            continue
        other = sides.base[name].gather(at_base).ne_missing(sides.new[name].gather(at_new)).to_numpy()
        if other.any():
            conflicts[name] = int(other.sum())
            differs |= other
    return differs, conflicts


def _replaced(
    sides: _Sides, replacing: NDArray[np.int64], places: NDArray[np.int64], added: NDArray[np.int64]
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
        merged = merged.with_columns(stacked.select(sides.only_base)[stays])
    return merged


def _rejects(
    keyless: NDArray[np.int64], refused: NDArray[np.int64], key: Sequence[str]
) -> tuple[Reject, ...]:
    column = ", ".join(key)
    found = [
        Reject(NEW_NAME, row + 1, NO_KEY, column, "a key has to have a value") for row in keyless.tolist()
    ]
    found += [Reject(NEW_NAME, row + 1, BASE_WINS, column) for row in refused.tolist()]
    return tuple(sorted(found, key=lambda reject: reject.row))


def _conflict(rows: NDArray[np.int64], conflicts: Mapping[str, int]) -> SchemaError:
    columns = ", ".join(f"{name!r} ({count:,})" for name, count in conflicts.items())
    return SchemaError(
        f"Values differ from those of the base rows with the same keys, in {_rows(rows)}; by column: {columns}",
        where=NEW_NAME,
        hint="Say which side counts: on_conflict='new' or 'base'.",
    )


def _ambiguous(repeated: pl.DataFrame, key: Sequence[str], where: str, hint: str) -> SchemaError:
    again = _rows(repeated["row"].sort().to_numpy())
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


def _names(columns: Sequence[str]) -> str:
    verb = "are" if len(columns) > 1 else "is"
    return f"{', '.join(map(repr, columns))} {verb}"


def _free_name(taken: Sequence[str]) -> str:
    name = "row"
    while name in taken:
        name += "_"
    return name
