"""What two models said about each row of a benchmark, beside the truth: all that the numbers follow from.

The file has a line for each benchmark row: `label`, `baseline` and `new`, as Parquet or CSV. `row`, its number from 0,
may stand beside them; without it the lines are in the benchmark's order. `baseline_score` and `new_score`, of the
positive class where there are two, let AUROC be worked out again too; of more classes each has its own, as in
`baseline_score[seven]` and `new_score[seven]`. `unit` says which rows belong together, where errors are between units.
There are no other columns.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hokusai.domain.labels import class_name
from hokusai.domain.metrics import Task
from hokusai.errors import DataError, InvalidInputError, NotFoundError, SchemaError

if TYPE_CHECKING:
    import polars as pl

REQUIRED = ("label", "baseline", "new")
SCORES = ("baseline_score", "new_score")
UNIT = "unit"
MAX_ROWS = 50_000_000
_OF_A_CLASS = re.compile(r"(baseline_score|new_score)\[(.+)\]", re.DOTALL)

Scores = Sequence[float] | Mapping[str, Sequence[float]]
"""A model's scores, (n_rows,): of the positive class of two, or by class where there are more."""


def score_column(model: str, class_: str | None = None) -> str:
    """The column of a model's scores, of one class where there are more than two.

    >>> score_column("new"), score_column("baseline", "seven")
    ('new_score', 'baseline_score[seven]')
    """
    return f"{model}_score" if class_ is None else f"{model}_score[{class_}]"


@dataclass(frozen=True)
class RowPredictions:
    """Truth and predictions in the benchmark's row order.

    Attributes:
        task: What is predicted.
        labels: (n_rows,) the truth: class names, or numbers.
        baseline: (n_rows,) what the baseline model said, likewise.
        new: (n_rows,) what the new model said, likewise.
        baseline_scores: The baseline model's; None if not known.
        new_scores: The new model's; None if not known.
        units: (n_rows,) the name of each row's unit; None if each row is on its own, or it is not known.

    Raises:
        InvalidInputError: The columns differ in length, or have no row.
    """

    task: Task
    labels: Sequence[str] | Sequence[float]
    baseline: Sequence[str] | Sequence[float]
    new: Sequence[str] | Sequence[float]
    baseline_scores: Scores | None = None
    new_scores: Scores | None = None
    units: Sequence[str] | None = None

    def __post_init__(self) -> None:
        columns: list[Sequence[object] | None] = [self.labels, self.baseline, self.new, self.units]
        for scores in (self.baseline_scores, self.new_scores):
            columns += scores.values() if isinstance(scores, Mapping) else [scores]
        lengths = {len(column) for column in columns if column is not None}
        if lengths != {self.n_rows} or not self.n_rows:
            raise InvalidInputError(
                f"Labels and predictions are of the same rows, at least one; got {sorted(lengths)}"
            )

    @property
    def n_rows(self) -> int:
        """Number of benchmark rows."""
        return len(self.labels)


def read_predictions(path: Path, task: Task) -> RowPredictions:
    """The predictions in a Parquet file, or in a CSV file with a header.

    Raises:
        NotFoundError: There is no such file.
        DataError: It cannot be read.
        SchemaError: A column is missing or unknown, a value is missing or no number, or rows are missing or repeated.
    """
    frame = _read(path)
    known = (*REQUIRED, *SCORES, UNIT, "row")
    unknown = [name for name in frame.columns if name not in known and not _OF_A_CLASS.fullmatch(name)]
    missing = [name for name in REQUIRED if name not in frame.columns]
    if unknown or missing:
        raise SchemaError(
            f"A predictions file has the columns row (optional), {', '.join(REQUIRED)} and, optional, "
            f"{', '.join(SCORES)} (of each class, as in {score_column('new', 'CLASS')}, where there are more than two) "
            f"and {UNIT}; "
            f"{'missing' if missing else 'unknown'}: {', '.join(missing or unknown)[:200]}",
            where=str(path),
        )
    if not frame.height or frame.height > MAX_ROWS:
        raise SchemaError(
            f"A predictions file has 1 to {MAX_ROWS:,} rows, got {frame.height:,}", where=str(path)
        )
    frame = _in_order(frame, path)
    read = _class_names if task is Task.CLASSIFICATION else _numbers
    columns = [read(frame[name], path) for name in REQUIRED]
    scores = [_scores(frame, name, path) for name in SCORES]
    units = [str(name) for name in _class_names(frame[UNIT], path)] if UNIT in frame.columns else None
    return RowPredictions(task, columns[0], columns[1], columns[2], scores[0], scores[1], units)


def read_column(path: Path, name: str, task: Task) -> list[str] | list[float]:
    """One column of a benchmark's rows, such as its labels, in the file's order.

    Raises:
        NotFoundError: There is no such file.
        DataError: It cannot be read.
        SchemaError: It has no such column, or a value is missing or no number.
    """
    frame = _read(path)
    if name not in frame.columns:
        raise SchemaError(f"There is no column {name!r}", where=str(path))
    frame = _in_order(frame, path) if name == "label" else frame
    return _class_names(frame[name], path) if task is Task.CLASSIFICATION else _numbers(frame[name], path)


def _read(path: Path) -> pl.DataFrame:
    import polars as pl

    from hokusai.utils.files import file_sha256

    try:
        if path.suffix == ".parquet":
            return pl.read_parquet(path, glob=False)
        return pl.read_csv(path, infer_schema=False, glob=False)
    except FileNotFoundError as problem:
        raise NotFoundError("There is no such file", where=str(path)) from problem
    except (OSError, pl.exceptions.PolarsError) as problem:
        file_sha256(path)  # says it better where the file itself cannot be read
        raise DataError(f"The predictions cannot be read: {problem}"[:300], where=str(path)) from problem


def _in_order(frame: pl.DataFrame, path: Path) -> pl.DataFrame:
    """The rows by their numbers, which have to be all from 0."""
    import polars as pl

    if "row" not in frame.columns:
        return frame
    ordered = frame.with_columns(pl.col("row").cast(pl.Int64, strict=False)).sort("row", nulls_last=False)
    if not ordered["row"].equals(pl.Series("row", range(frame.height), dtype=pl.Int64)):
        raise SchemaError(
            f"The rows are not numbered from 0 to {frame.height - 1}, each once", where=str(path)
        )
    return ordered


def _scores(frame: pl.DataFrame, name: str, path: Path) -> Scores | None:
    """A model's scores, if the file has them.

    Raises:
        SchemaError: It has both one column and columns by class, or a value that is no number.
    """
    by_class = {
        read[2]: _numbers(frame[column], path)
        for column in frame.columns
        if (read := _OF_A_CLASS.fullmatch(column)) is not None and read[1] == name
    }
    if name not in frame.columns:
        return by_class or None
    if by_class:
        raise SchemaError(
            f"There are scores in {name!r} and by class in {f'{name}[{next(iter(by_class))}]'!r}",
            where=str(path),
            hint="Two classes have one column, the positive one's; more have one each.",
        )
    return _numbers(frame[name], path)


def _class_names(column: pl.Series, path: Path) -> list[str]:
    _require_values(column, path)
    names = {value: class_name(value) for value in column.unique().to_list()}
    return [names[value] for value in column.to_list()]


def _numbers(column: pl.Series, path: Path) -> list[float]:
    import polars as pl

    numbers = column.cast(pl.Float64, strict=False)
    if not numbers.is_finite().fill_null(value=False).all():
        index = next(i for i, x in enumerate(numbers.to_list()) if x is None or not math.isfinite(x))
        raise SchemaError(
            f"Row {index} has no finite number in {column.name!r}: {str(column[index])[:60]!r}",
            where=str(path),
        )
    return numbers.to_list()


def _require_values(column: pl.Series, path: Path) -> None:
    missing = column.is_null()
    if column.dtype.is_float():
        missing |= column.is_nan().fill_null(value=False)
    if missing.any():
        index = int(missing.arg_max() or 0)
        raise SchemaError(f"Row {index} has no value in {column.name!r}", where=str(path))
