"""The account of an integration: what was done, what became of the rows, and what a reader should know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hokusai.domain.manifest import RowAccount, Transformation
from hokusai.domain.schema import DataSchema
from hokusai.pipeline.data.column_union import union_notes
from hokusai.pipeline.data.near_duplicates import THRESHOLD
from hokusai.pipeline.data.recipe import Recipe
from hokusai.pipeline.data.result import Result
from hokusai.pipeline.data.row_fates import RowFates
from hokusai.pipeline.data.scan import TableScan
from hokusai.pipeline.data.staged import FilePart, Side
from hokusai.privacy.scrub import ColumnGate


def account_of(file: FilePart, fates: RowFates, at: slice) -> RowAccount:
    """What became of a file's rows, which stand at these places among all."""
    near = int(fates.near[at].sum())
    duplicates = int((fates.repeated | fates.in_base)[at].sum()) + near
    rejected = len(file.rejected) + int(fates.refused[at].sum())
    return RowAccount(file.read, file.read - duplicates - rejected, rejected, duplicates, near)


def steps(
    recipe: Recipe,
    schema: DataSchema | None,
    new: Sequence[TableScan],
    fresh: Side,
    base: Side,
    account: RowAccount,
    fates: RowFates,
    result: Result,
) -> Iterator[Transformation]:
    """What was done, in order, with the rows before and after each step.

    Args:
        recipe: What was asked for.
        schema: What was checked.
        new: The files that came in.
        fresh: Their rows.
        base: Those of the base data.
        account: Of all rows that came in.
        fates: What became of each.
        result: What was written.
    """
    rows = sum(scan.rows_read - len(scan.rejects) for scan in new)
    if schema is not None:
        yield Transformation("validate_schema", rows, fresh.height, {"schema_sha256": schema.digest})
    rows = fresh.height
    if recipe.pii is not None:
        yield Transformation("remove_pii", rows, rows, recipe.pii.to_dict())
    taken_out: list[tuple[str, bool, int, Mapping[str, object]]] = [
        (
            "deduplicate",
            recipe.deduplicate,
            int((fates.repeated | fates.in_base).sum()),
            {"subset": list(recipe.key)} if recipe.repeats_by_key else {},
        ),
        ("reject_repeated_keys", bool(fates.refused.any()), int(fates.refused.sum()), {}),
        (
            "deduplicate_nearly",
            bool(recipe.near_text),
            account.near_duplicates,
            {"columns": list(recipe.near_text), "threshold": THRESHOLD},
        ),
    ]
    for name, done, gone, details in taken_out:
        if done:
            yield Transformation(name, rows, rows - gone, details)
        rows -= gone
    if base.height:
        changed = int((fates.replaces >= 0).sum())
        told = {
            "how": recipe.how,
            "key": list(recipe.key),
            "base_rows": base.height,
            "added": account.kept - changed,
            "changed": changed,
            "unchanged": int(fates.in_base.sum()),
            "conflicts": dict(sorted(result.conflicts.items())),
        }
        yield Transformation("merge_datasets", rows, result.height, told)


def notes(
    recipe: Recipe, gate: ColumnGate | None, old: Sequence[TableScan], new: Sequence[TableScan], fresh: Side
) -> Iterator[str]:
    """What a reader of the account should know."""
    for scan in (*old, *new):
        yield from (f"{scan.source.name}: {note}" for note in scan.notes)
    yield from union_notes([*old, *new])
    yield from gate.notes() if gate and recipe.pii is not None else ()
    yield from _not_compared(recipe, fresh)


def _not_compared(recipe: Recipe, fresh: Side) -> Iterator[str]:
    count = int(fresh.masked.sum())
    if count and recipe.deduplicate and not recipe.key:
        yield (
            f"Rows that hold masks such as [email], and are told apart from all others: {count:,}; "
            "what was masked may differ. A key without masks says which of them repeat one another"
        )
