"""How good the contributed data is, and the manifest that says what it was.

A single score without its reasons invites gaming, so the score is the plain mean of components that are each
stated and each a share. The manifest is content: no path, time or run id, so that the same files give the
same manifest.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hokusai.domain.contribution import Contribution
from hokusai.domain.metrics import Task
from hokusai.pipeline.data.reading import Table

if TYPE_CHECKING:
    import polars as pl

_MAX_EXACT = 2**53 - 1
_MAX_CLASSES_LISTED = 100


@dataclass(frozen=True, slots=True)
class Quality:
    """The quality of a set of contributed rows.

    Attributes:
        components: Name to share in [0, 1]; 1 is best. `completeness`: cells of features and target with a
            value. `uniqueness`: rows that do not repeat an earlier one. `labelled`: rows with a target.
            `label_balance` (classification only): entropy of the classes over its greatest value, so that
            equal classes give 1.
        label_share: Class to its share of the labelled rows, largest first; empty for regression.
        rows: Rows that were looked at.
    """

    components: Mapping[str, float]
    label_share: Mapping[str, float]
    rows: int

    @property
    def score(self) -> float:
        """The plain mean of the components."""
        return _share(math.fsum(self.components.values()) / len(self.components))

    def to_dict(self) -> dict[str, Any]:
        """As plain data, with the formula."""
        return {
            "score": self.score,
            "formula": f"mean of {', '.join(self.components)}",
            "components": dict(self.components),
            "label_share": dict(self.label_share),
            "rows": self.rows,
        }


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column over all contributed rows.

    Attributes:
        name: The column.
        dtype: Its type, such as `int64` or `string`; several joined by `|` if files differ.
        nulls: Cells without a value.
        unique: Distinct values, null not counted.
        low: Least value of a number or date, as a number or ISO text; None for others: text may hold people's
            data.
        high: Greatest value, likewise.
    """

    name: str
    dtype: str
    nulls: int
    unique: int
    low: float | int | str | None
    high: float | int | str | None


def assess_quality(
    tables: Sequence[Table],
    contributions: Sequence[Contribution],
    *,
    target: str,
    features: Sequence[str],
    task: Task,
) -> Quality:
    """The quality of the contributed files together, all rows counted, before anything is left out."""
    rows = sum(table.rows_read for table in tables)
    columns = (*features, target)
    nulls = sum(table.frame[name].null_count() for table in tables for name in columns)
    components = {
        "completeness": _share(1 - nulls / (rows * len(columns))),
        "uniqueness": _share(1 - sum(c.rows_duplicate for c in contributions) / rows),
        "labelled": _share(1 - sum(c.rows_without_label for c in contributions) / rows),
    }
    label_share: dict[str, float] = {}
    if task is Task.CLASSIFICATION:
        counts = _label_counts([table.frame[target] for table in tables])
        total = sum(counts.values())
        label_share = {
            label: _share(count / total) for label, count in list(counts.items())[:_MAX_CLASSES_LISTED]
        }
        components["label_balance"] = _share(_balance(list(counts.values())))
    return Quality(components, label_share, rows)


def profile_columns(tables: Sequence[Table]) -> tuple[ColumnProfile, ...]:
    """Every column of the contributed files, in order of first appearance; one column is looked at a time."""
    names = dict.fromkeys(name for table in tables for name in table.frame.columns)
    return tuple(_profile(name, [table.frame for table in tables]) for name in names)


def source_digest(tables: Sequence[Table]) -> str:
    """One digest for one or more files: of one file its SHA-256; of several the SHA-256 over the 32-byte
    digests of the files, one after the other in order.
    """
    if len(tables) == 1:
        return tables[0].sha256
    return hashlib.sha256(b"".join(bytes.fromhex(table.sha256) for table in tables)).hexdigest()


def data_manifest(
    tables: Sequence[Table], contributions: Sequence[Contribution], quality: Quality, **pieces: Any
) -> dict[str, Any]:
    """The specification's data manifest: what was contributed, and what became of it.

    Args:
        tables: The contributed files.
        contributions: Their accounts, in the same order.
        quality: Their quality.
        pieces: More entries, such as `integration=data.to_dict()`.

    Returns:
        Plain data that has a canonical JSON form. It depends on the files' bytes and names alone.
    """
    profiles = profile_columns(tables)
    return {
        "source_path": ", ".join(table.name for table in tables),
        "data_hash": source_digest(tables),
        "row_count": sum(table.rows_read for table in tables),
        "column_count": len(profiles),
        "columns": [p.name for p in profiles],
        "dtypes": {p.name: p.dtype for p in profiles},
        "null_counts": {p.name: p.nulls for p in profiles},
        "unique_counts": {p.name: p.unique for p in profiles},
        "ranges": {p.name: {"min": p.low, "max": p.high} for p in profiles if p.low is not None},
        "quality": quality.to_dict(),
        "files": [_file(table, account) for table, account in zip(tables, contributions, strict=True)],
        **pieces,
    }


def _file(table: Table, account: Contribution) -> dict[str, Any]:
    return {
        "name": table.name,
        "format": table.format,
        "sha256": table.sha256,
        "size_bytes": table.size_bytes,
        "contributor": account.contributor.contributor_id,
        "rows_read": account.rows_read,
        "rows_accepted": account.rows_accepted,
        "rows_duplicate": account.rows_duplicate,
        "rows_in_base": account.rows_in_base,
        "rows_in_benchmark": account.rows_in_benchmark,
        "rows_without_label": account.rows_without_label,
    }


def _label_counts(columns: Sequence[pl.Series]) -> dict[str, int]:
    """Class to rows, most frequent first, ties by name; blank text is no class."""
    counts: dict[str, int] = {}
    for column in columns:
        values = column.value_counts()
        for label, count in values.iter_rows():
            text = _label(label)
            if text:
                counts[text] = counts.get(text, 0) + count
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _label(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def _share(value: float) -> float:
    """Rounded, so that the last bit of a platform's logarithm does not show in a digest."""
    return round(value, 6)


def _balance(counts: Sequence[int]) -> float:
    if len(counts) < 2:
        return 0.0
    total = sum(counts)
    entropy = -math.fsum(count / total * math.log(count / total) for count in counts)
    return min(1.0, entropy / math.log(len(counts)))


def _profile(name: str, frames: Sequence[pl.DataFrame]) -> ColumnProfile:
    import polars as pl

    columns = [frame[name] for frame in frames if name in frame.columns]
    absent = sum(frame.height for frame in frames if name not in frame.columns)
    dtypes = dict.fromkeys(_dtype_name(column.dtype) for column in columns)
    if len({column.dtype for column in columns}) > 1:
        numbers = all(column.dtype.is_numeric() for column in columns)
        columns = [column.cast(pl.Float64 if numbers else pl.String) for column in columns]
    whole = pl.concat([column.alias(name) for column in columns], rechunk=False)
    nulls = whole.null_count()
    low, high = _range(whole)
    return ColumnProfile(name, "|".join(dtypes), nulls + absent, whole.n_unique() - bool(nulls), low, high)


def _dtype_name(dtype: pl.DataType) -> str:
    return dtype.base_type().__name__.lower()


def _range(column: pl.Series) -> tuple[Any, Any]:
    if not (column.dtype.is_numeric() or column.dtype.is_temporal()) or column.null_count() == len(column):
        return None, None
    return _plain(column.min()), _plain(column.max())


def _plain(value: Any) -> float | int | str:
    if isinstance(value, float):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _MAX_EXACT else str(value)
    return str(value.isoformat())
