"""New rows join base rows: appended, instead of them, or by key; and what became of each is counted.

In an update a new row is the new state of the base row with its key, and stands in its place. It takes over whole,
missing values too; only columns that the new data does not have keep the base's values. Rows whose key the base data
lacks come behind, in their order. Nothing depends on the order in which an engine joins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from hokusai.domain.manifest import RowAccount
from hokusai.errors import InvalidInputError, SchemaError
from hokusai.pipeline.data.alignment import TypeChange, align
from hokusai.pipeline.data.columns import require_columns, selected
from hokusai.pipeline.data.frames import Frame, to_polars
from hokusai.pipeline.data.key_update import (
    BASE_NAME,
    NEW_NAME,
    OnConflict,
    Repeats,
    Sides,
    Updated,
    update_by_key,
)
from hokusai.pipeline.data.scan import Reject
from hokusai.pipeline.task import find_id_column
from hokusai.utils.text import meant

if TYPE_CHECKING:
    import polars as pl

__all__ = ["How", "MergeResult", "OnConflict", "Repeats", "merge"]

How = Literal["append", "replace", "update"]
KEY_NAMES = ("query_id", "id")
"""Columns that are taken as the key if none is named and both sides have one of them; the first counts."""


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
        conflicts: Column that both sides have to the number of cells in which a new row differs from its base row.
        account: Of the new rows: kept are those added and changed; duplicates are the unchanged ones, and those that
            do not count since another new row has their key.
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
        repeats: What happens if the new data has a key more than once, with different values: `raise`, the `last`
            row counts, or `reject`: none does, and all of them are rejected.

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
            raise InvalidInputError(f"{name}={value!r} is unknown", hint=meant(str(value), choices))
    (base_rows, give_back), (new_rows, _) = to_polars(base), to_polars(new)
    columns = list(dict.fromkeys((*base_rows.columns, *new_rows.columns)))
    if how == "replace":
        columns = [name for name in columns if name in new_rows.columns]
    frames, type_changes = align([(BASE_NAME, base_rows), (NEW_NAME, new_rows)], columns)
    only_base = tuple(name for name in base_rows.columns if name not in new_rows.columns)
    only_new = tuple(name for name in new_rows.columns if name not in base_rows.columns)
    sides = Sides(frames[0], frames[1], only_base, only_new)
    keys = _key_columns(base_rows, new_rows, key) if how == "update" else ()
    merged = update_by_key(sides, keys, on_conflict, repeats) if keys else _whole(sides, how)
    return MergeResult(
        frame=give_back(merged.frame),
        how=how,
        key=keys,
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
        type_changes=type_changes,
        notes=(*_notes(sides, how), *merged.notes),
    )


def _whole(sides: Sides, how: How) -> Updated:
    import polars as pl

    stacked, kept = sides.new, 0
    if how == "append":
        stacked, kept = pl.concat([sides.base, sides.new], rechunk=False), sides.base.height
    return Updated(stacked, sides.new.height, 0, 0, 0, kept, {}, (), ())


def _notes(sides: Sides, how: How) -> tuple[str, ...]:
    """What happens to columns that only one side has."""
    gone, fresh = (
        ("they are gone", "they are new")
        if how == "replace"
        else ("they are missing in rows that are added", "they are missing in rows of the base data")
    )
    notes = []
    if sides.only_base:
        notes.append(f"{_names(sides.only_base)} only in {BASE_NAME}: {gone}")
    if sides.only_new:
        notes.append(f"{_names(sides.only_new)} only in {NEW_NAME}: {fresh}")
    return tuple(notes)


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
        selected(base, shared), ""
    )
    if named is None:
        raise SchemaError(
            "There is no column that identifies a row on both sides",
            where="update",
            hint="Name the key, or append the rows.",
        )
    return (named,)


def _names(columns: Sequence[str]) -> str:
    verb = "are" if len(columns) > 1 else "is"
    return f"{', '.join(map(repr, columns))} {verb}"
