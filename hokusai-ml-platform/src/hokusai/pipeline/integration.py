"""Contributed files join the base data, and every row that came in is accounted for.

Each contributed row ends in exactly one place, asked in this order: it has no label; it also stands in the
benchmark (training on it would be teaching to the test); the base data already has it; it repeats an earlier
contributed row, whose contributor keeps the credit; or it is accepted. Rows are equal if all features and the
target are, in content (see `row_matching`); the id column is not part of that, but a contributed row with the
id of a benchmark row is a leak all the same.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hokusai.domain.contribution import Contribution, Contributor
from hokusai.domain.metrics import Task
from hokusai.errors import SchemaError
from hokusai.pipeline.data.columns import require_columns, selected
from hokusai.pipeline.data.reading import Table
from hokusai.pipeline.data.reconcile import Source, common_types, conform
from hokusai.pipeline.data.row_matching import (
    first_occurrence,
    normalised_text,
    occurs_in,
    same_features_other_label,
)
from hokusai.pipeline.near_copies import NearCopies, near_copies

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

BASE_NAME = "the base data"
BENCHMARK_NAME = "the benchmark"
_ROWS_NAMED = 10


@dataclass(frozen=True, slots=True)
class Leak:
    """Contributed rows that also stand in the benchmark.

    Attributes:
        file_name: The contributed file.
        n_rows: How many of its rows.
        first_rows: The first of them, counted from 1, the header not counted.
        near: Whether they are near copies, and not equal.
    """

    file_name: str
    n_rows: int
    first_rows: tuple[int, ...]
    near: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class IntegratedData:
    """What training and evaluation work on. Every frame has the columns `(*features, target)`, of the same
    types.

    Attributes:
        base_train: Rows of the base data with a label; no rows if there is no base data.
        benchmark: Rows of the benchmark with a label.
        features: Names of the columns to predict from, in order.
        target: Name of the column to predict.
        contributions: The account of each file.
        contributed: All rows of each file.
        accepted: For each file, whether a row is trained on: booleans of shape (n_rows,).
        leaks: For each file with leaked rows, which; near copies apart from the others.
        near_copies: How many rows of all files are near copies, by what they are copies of.
        other_labels: (file, how many of its rows have a benchmark row's features and another label), if any.
        ignored_columns: (file, its columns that are neither feature nor target nor id), where there are any.
        base_rows_without_label: Rows left out of `base_train`.
        base_rows_in_benchmark: Rows of the base data that also stand in the benchmark. A baseline that is
            trained in the run sees them as the new model does, and they are kept; a given one need not have
            seen them, and they are no part of `base_train`.
        base_rows_left_out: The first of them that are left out, counted from 1.
        benchmark_rows_without_label: Rows left out of `benchmark`.
        notes: What a reader has to know, in sentences.
    """

    base_train: pl.DataFrame
    benchmark: pl.DataFrame
    features: tuple[str, ...]
    target: str
    contributions: tuple[Contribution, ...]
    contributed: tuple[pl.DataFrame, ...]
    accepted: tuple[pl.Series, ...]
    leaks: tuple[Leak, ...]
    near_copies: Mapping[str, int]
    other_labels: tuple[tuple[str, int], ...]
    ignored_columns: tuple[tuple[str, tuple[str, ...]], ...]
    base_rows_without_label: int
    base_rows_in_benchmark: int
    base_rows_left_out: tuple[int, ...]
    benchmark_rows_without_label: int
    notes: tuple[str, ...]

    @property
    def train(self) -> pl.DataFrame:
        """`base_train`, then each file's accepted rows; put together at each call, so keep what you get."""
        import polars as pl

        rows = zip(self.contributed, self.accepted, strict=True)
        parts = (frame if mask.all() else frame.filter(mask) for frame, mask in rows)
        return pl.concat([self.base_train, *parts], rechunk=False)

    @property
    def rows_accepted(self) -> int:
        """Contributed rows that are trained on."""
        return sum(c.rows_accepted for c in self.contributions)

    def to_dict(self) -> dict[str, Any]:
        """The account as plain data, for the manifest: names and counts, no rows."""
        return {
            "target": self.target,
            "features": list(self.features),
            "base_rows": self.base_train.height,
            "base_rows_without_label": self.base_rows_without_label,
            "base_rows_in_benchmark": self.base_rows_in_benchmark,
            "base_rows_left_out": self.base_rows_in_benchmark if self.base_rows_left_out else 0,
            "benchmark_rows": self.benchmark.height,
            "benchmark_rows_without_label": self.benchmark_rows_without_label,
            "train_rows": self.base_train.height + self.rows_accepted,
            "leaks": [
                {"file": leak.file_name, "rows": leak.n_rows, "first_rows": list(leak.first_rows)}
                | ({"near": True} if leak.near else {})
                for leak in self.leaks
            ],
            "near_copies": dict(self.near_copies),
            "benchmark_features_other_label": dict(self.other_labels),
            "ignored_columns": {file: list(columns) for file, columns in self.ignored_columns},
            "notes": list(self.notes),
        }


def integrate(
    base: pl.DataFrame | None,
    contributions: Sequence[tuple[Contributor, Table]],
    benchmark: pl.DataFrame,
    *,
    target: str,
    features: Sequence[str],
    task: Task,
    id_column: str | None = None,
    baseline_given: bool = False,
    trains: bool = True,
) -> IntegratedData:
    """Merge contributed files with the base data and take out what must not be trained on.

    Args:
        base: The base data without any held-out benchmark rows; None if there is none.
        contributions: Who gave which file, earliest first.
        benchmark: What the models are measured on.
        target: The column to predict.
        features: The columns to predict from.
        task: What the models predict.
        id_column: A column that identifies a row, if the data has one.
        baseline_given: Whether the baseline is a model that was not trained on `base` here.
        trains: Whether a model is trained on the rows, which takes two classes.

    Raises:
        SchemaError: Columns are missing or of another kind than in the base data; the target has one class
            only, or is not a number for regression; no contributed row is left.
    """
    import polars as pl

    columns = (*features, target)
    frames = [] if base is None else [Source(BASE_NAME, base)]
    frames.append(Source(BENCHMARK_NAME, benchmark))
    files = [Source(table.name, table.frame, table.format in ("csv", "tsv")) for _, table in contributions]
    for source in (*frames, *files):
        require_columns(source.frame.columns, columns, source.name)
    types = common_types([*frames, *files], columns)
    if task is Task.REGRESSION and not types[target].is_numeric():
        raise SchemaError(
            f"The target {target!r} holds {types[target]}, but regression needs numbers",
            hint="Choose another target column, or --task classification.",
        )

    before = conform(base, types) if base is not None else pl.DataFrame(schema=types)
    given_rows, base_unlabelled = labelled(before, target)
    benchmark_rows, benchmark_unlabelled = labelled(conform(benchmark, types), target)
    if not benchmark_rows.height:
        raise SchemaError(f"No row of the benchmark has a value in {target!r}", hint="Give labelled rows.")
    seen = occurs_in(before, benchmark_rows, columns)
    base_rows = without_benchmark_rows(given_rows, benchmark_rows) if baseline_given else given_rows

    rows = [conform(source.frame, types) for source in files]
    faults = [
        _faults(
            r,
            source,
            base_rows,
            benchmark_rows,
            benchmark_with_id=benchmark,
            target=target,
            id_column=id_column,
        )
        for r, source in zip(rows, files, strict=True)
    ]
    _mark_duplicates(rows, faults)
    near = near_copies(
        base_rows,
        benchmark_rows,
        rows,
        among=[f.accepted for f in faults],
        parties=_parties([contributor for contributor, _ in contributions]),
        target=target,
        task=task,
    )
    _mark_near_copies(near, faults)
    accounts = tuple(
        _account(contributor, table, f) for (contributor, table), f in zip(contributions, faults, strict=True)
    )
    if not any(account.rows_accepted for account in accounts):
        raise SchemaError(
            _nothing_left(accounts), hint="Contribute labelled rows that are new; near copies are not."
        )
    new_labels = [selected(r, [target]).filter(f.accepted) for r, f in zip(rows, faults, strict=True)]
    labels = pl.concat([selected(base_rows, [target]), *new_labels])
    if task is Task.CLASSIFICATION:
        require_classes(given_rows, target, BASE_NAME)
        if trains:
            require_classes(labels, target, "the training data")
        require_classes(benchmark_rows, target, BENCHMARK_NAME)

    known = {*columns, id_column}
    return IntegratedData(
        base_train=base_rows,
        contributed=tuple(rows),
        benchmark=benchmark_rows,
        features=tuple(features),
        target=target,
        contributions=accounts,
        accepted=tuple(f.accepted for f in faults),
        leaks=tuple(leak for source, f in zip(files, faults, strict=True) for leak in f.leaks(source.name)),
        near_copies={
            "benchmark": sum(int(mask.sum()) for mask in near.of_benchmark),
            "base": sum(int(mask.sum()) for mask in near.of_base),
            "earlier": sum(int(mask.sum()) for mask in near.of_earlier),
        },
        other_labels=tuple(
            (source.name, f.other_label) for source, f in zip(files, faults, strict=True) if f.other_label
        ),
        ignored_columns=tuple(
            (source.name, extra)
            for source in files
            if (extra := tuple(name for name in source.frame.columns if name not in known))
        ),
        base_rows_without_label=base_unlabelled,
        base_rows_in_benchmark=int(seen.sum()),
        base_rows_left_out=_first_rows(seen) if baseline_given else (),
        benchmark_rows_without_label=benchmark_unlabelled,
        notes=(
            *_notes([table for _, table in contributions], labels[target], benchmark_rows[target], task),
            *(
                f"Near copies of {name} are not looked for: in these columns different rows are as near each "
                "other by chance."
                for name in near.not_compared
            ),
        ),
    )


@dataclass(slots=True, eq=False)
class _Faults:
    """Where each row of one file ends; the masks are disjoint."""

    without_label: pl.Series
    in_benchmark: pl.Series
    in_base: pl.Series
    accepted: pl.Series
    near_benchmark: pl.Series
    duplicates: int = 0
    other_label: int = 0

    def leaks(self, file_name: str) -> Iterator[Leak]:
        for mask, near in ((self.in_benchmark & ~self.near_benchmark, False), (self.near_benchmark, True)):
            if mask.any():
                yield Leak(file_name, int(mask.sum()), _first_rows(mask), near)


def _faults(
    rows: pl.DataFrame,
    source: Source,
    base: pl.DataFrame,
    benchmark: pl.DataFrame,
    *,
    benchmark_with_id: pl.DataFrame,
    target: str,
    id_column: str | None,
) -> _Faults:
    without_label = _is_missing(rows[target])
    leaked = occurs_in(rows, benchmark, rows.columns)
    if id_column is not None and id_column in source.frame.columns and id_column in benchmark_with_id.columns:
        leaked = leaked | _same_id(source.frame[id_column], benchmark_with_id[id_column])
    in_benchmark = leaked & ~without_label
    in_base = occurs_in(rows, base, rows.columns) & ~without_label & ~in_benchmark
    features = [name for name in rows.columns if name != target]
    other_label = same_features_other_label(rows, benchmark, features, target) & ~in_benchmark
    return _Faults(
        without_label,
        in_benchmark,
        in_base,
        ~(without_label | in_benchmark | in_base),
        without_label.clear(rows.height).fill_null(value=False),
        other_label=int(other_label.sum()),
    )


def _mark_duplicates(rows: Sequence[pl.DataFrame], faults: Sequence[_Faults]) -> None:
    """Take out of `accepted` what repeats an accepted row of the same or an earlier file."""
    import polars as pl

    together = pl.concat(rows, rechunk=False)
    accepted = pl.concat([f.accepted for f in faults])
    first = first_occurrence(together, together.columns, among=accepted)
    repeats = first != pl.int_range(together.height, dtype=pl.UInt32, eager=True)
    start = 0
    for frame, f in zip(rows, faults, strict=True):
        here = repeats[start : start + frame.height]
        f.duplicates = int(here.sum())
        f.accepted = f.accepted & ~here
        start += frame.height


def _mark_near_copies(near: NearCopies, faults: Sequence[_Faults]) -> None:
    """Count near copies like what they are copies of."""
    import polars as pl

    for of_benchmark, of_base, of_earlier, f in zip(
        near.of_benchmark, near.of_base, near.of_earlier, faults, strict=True
    ):
        f.near_benchmark = pl.Series(of_benchmark)
        f.in_benchmark = f.in_benchmark | f.near_benchmark
        f.in_base = f.in_base | pl.Series(of_base)
        f.duplicates += int(of_earlier.sum())
        f.accepted = f.accepted & ~pl.Series(of_benchmark | of_base | of_earlier)


def _parties(contributors: Sequence[Contributor]) -> list[int]:
    """A number for each file, the same for files of one contributor."""
    numbers: dict[Contributor, int] = {}
    return [numbers.setdefault(contributor, len(numbers)) for contributor in contributors]


def _first_rows(mask: pl.Series) -> tuple[int, ...]:
    return tuple(int(i) + 1 for i in mask.arg_true()[:_ROWS_NAMED])


def _account(contributor: Contributor, table: Table, faults: _Faults) -> Contribution:
    return Contribution(
        contributor=contributor,
        file_name=table.name,
        sha256=table.sha256,
        size_bytes=table.size_bytes,
        rows_read=table.rows_read,
        rows_accepted=int(faults.accepted.sum()),
        rows_duplicate=faults.duplicates,
        rows_in_base=int(faults.in_base.sum()),
        rows_in_benchmark=int(faults.in_benchmark.sum()),
        rows_without_label=int(faults.without_label.sum()),
    )


def _same_id(ids: pl.Series, others: pl.Series) -> pl.Series:
    import polars as pl

    if ids.dtype.is_integer() and others.dtype.is_integer():
        ids, others = ids.cast(pl.Int64), others.cast(pl.Int64)
    elif ids.dtype.is_numeric() and others.dtype.is_numeric():
        ids, others = ids.cast(pl.Float64).fill_nan(None), others.cast(pl.Float64).fill_nan(None)
    else:
        ids, others = normalised_text(ids.cast(pl.String)), normalised_text(others.cast(pl.String))
    known = others.drop_nulls().unique()
    return ids.is_in(known.implode()).fill_null(value=False)


def _is_missing(labels: pl.Series) -> pl.Series:
    """A label is missing if it is null, NaN, or text of blanks only."""
    import polars as pl

    missing = labels.is_null()
    if labels.dtype.is_float():
        return missing | labels.is_nan().fill_null(value=False)
    if labels.dtype == pl.String:
        return normalised_text(labels).is_null()
    return missing


def labelled(frame: pl.DataFrame, target: str) -> tuple[pl.DataFrame, int]:
    """(the rows whose target has a value, how many have none)."""
    missing = _is_missing(frame[target])
    return (frame.filter(~missing) if missing.any() else frame), int(missing.sum())


def without_benchmark_rows(base: pl.DataFrame, benchmark: pl.DataFrame) -> pl.DataFrame:
    """Base rows that do not also stand in the benchmark: what may be trained on beside a baseline that is given."""
    mask = occurs_in(base, benchmark, base.columns)
    return base.filter(~mask) if mask.any() else base


def require_classes(frame: pl.DataFrame, target: str, name: str) -> None:
    """Check that there is something to tell apart.

    Raises:
        SchemaError: All rows have the same target.
    """
    classes = frame[target].unique()
    if frame.height and len(classes) < 2:
        raise SchemaError(
            f"Every row of {name} has the same {target!r}: {classes[0]!r}",
            hint="Classification needs rows of at least two classes.",
        )


def unit_numbers(column: pl.Series, name: str) -> NDArray[np.int64]:
    """(n_rows,) the number of the unit that each row of `name` belongs to, from 0.

    Raises:
        SchemaError: A row has no unit, or the column tells nothing: one unit in all, or each row its own.
    """
    missing = _is_missing(column)
    if missing.any():
        raise SchemaError(
            f"{int(missing.sum()):,} rows have no {column.name!r}, row {int(missing.arg_max() or 0) + 1:,} first",
            where=name,
            hint="Say of each row to which unit it belongs.",
        )
    count = column.n_unique()
    if count in (1, len(column)):
        found = "All rows are of one unit" if count == 1 else "Each row is a unit of its own"
        raise SchemaError(
            f"{found} by {column.name!r}",
            where=name,
            hint="Units are told apart by a column with two values or more, each in several rows.",
        )
    import polars as pl

    numbers: NDArray[np.int64] = column.rank("dense").cast(pl.Int64).to_numpy() - 1
    return numbers


def require_known_classes(labels: pl.Series, known: pl.Series, name: str) -> None:
    """Check that a contribution brings no class that neither base data nor benchmark has.

    Such a class cannot be measured, and it would change what is measured: averages over classes, or the task itself.

    Raises:
        SchemaError: There is one; the text names it and the first row that has it.
    """
    from hokusai.domain.labels import class_name

    classes = {class_name(value) for value in known.drop_nulls().unique().to_list()}
    given = labels.filter(~_is_missing(labels)).unique(maintain_order=True)
    unknown = next((value for value in given.to_list() if class_name(value) not in classes), None)
    if unknown is None:
        return
    row = int((labels == unknown).fill_null(value=False).arg_max() or 0) + 1
    near = difflib.get_close_matches(class_name(unknown).strip(), sorted(classes), n=1)
    raise SchemaError(
        f"The class {class_name(unknown)!r} of row {row:,} is neither in the base data nor in the benchmark",
        where=name,
        hint=f"Did you mean {near[0]!r}?"
        if near
        else "A class that is not measured cannot be contributed to.",
    )


def _nothing_left(accounts: Sequence[Contribution]) -> str:
    def total(name: str) -> int:
        return sum(getattr(account, name) for account in accounts)

    return (
        f"None of the {total('rows_read'):,} contributed rows can be used: "
        f"{total('rows_without_label'):,} have no label, {total('rows_in_benchmark'):,} "
        "stand in the benchmark, "
        f"{total('rows_in_base'):,} stand in the base data, {total('rows_duplicate'):,} repeat an earlier row"
    )


def _notes(tables: Sequence[Table], labels: pl.Series, measured: pl.Series, task: Task) -> Iterable[str]:
    for table in tables:
        assumed = table.source.assumed if table.source else ()
        yield from (f"{table.name}: {note}" for note in (*assumed, *table.notes))
    if task is Task.CLASSIFICATION:
        unseen = sorted(map(str, set(measured.unique()) - set(labels.unique())))
        if unseen:
            yield f"The benchmark has classes that no training row has: {', '.join(unseen[:10])}"
