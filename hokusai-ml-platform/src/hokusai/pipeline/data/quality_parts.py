"""How each part of the quality is measured. Each gives the part with weight 1, or the reason why it says nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from hokusai.domain.manifest import RowAccount
from hokusai.domain.metrics import Task
from hokusai.errors import MissingExtraError
from hokusai.pipeline.data.column_states import ColumnState, ColumnStates
from hokusai.pipeline.data.columns import selected
from hokusai.pipeline.data.consistency import column_formats, label_agreement
from hokusai.pipeline.data.drift import column_drift
from hokusai.pipeline.data.label_noise import NotJudged, find_label_noise
from hokusai.pipeline.data.outliers import LIMIT, find_outliers
from hokusai.pipeline.data.quality_report import QualityPart, rounded
from hokusai.pipeline.data.row_sample import RowSample
from hokusai.utils.text import quantity

_LARGE_SHIFT = 0.1


def completeness(columns: ColumnStates, rows: int) -> QualityPart | str:
    """Cells of features and label with a value."""
    cells = rows * len(columns.names)
    if not cells:
        return "there are no cells"
    empty = sum(columns[name].nulls for name in columns.names)
    return _measured(
        "completeness",
        1 - empty / cells,
        "1 - empty cells / cells",
        f"{empty:,} of {cells:,} cells are empty",
    )


def validity(account: RowAccount, schema_checked: bool) -> QualityPart | str:
    """Rows that the schema let through."""
    if not account.read or not (schema_checked or account.rejected):
        return "the rows were not checked against a schema"
    return _measured(
        "validity",
        1 - account.rejected / account.read,
        "1 - rejected rows / rows",
        f"{account.rejected:,} of {account.read:,} rows were rejected",
    )


def uniqueness(account: RowAccount) -> QualityPart | str:
    """Rows that do not repeat an earlier one."""
    if not account.read:
        return "there are no rows"
    return _measured(
        "uniqueness",
        1 - account.duplicates / account.read,
        "1 - rows that repeat an earlier one / rows",
        f"{account.duplicates:,} of {account.read:,} rows repeat an earlier one",
    )


def labelled(target: ColumnState, rows: int) -> QualityPart | str:
    """Rows with a label; blank text is none."""
    if not rows:
        return "there are no rows"
    without = target.nulls + sum(n for value, n in (target.values or {}).items() if not _label(value))
    return _measured(
        "labelled",
        1 - without / rows,
        "1 - rows without a label / rows",
        f"{without:,} of {rows:,} rows have no label",
    )


def consistency(sample: RowSample, task: Task | None) -> QualityPart | str:
    """Equal features with equal labels, and text columns of one format."""
    shares: list[float] = []
    details: list[str] = []
    agreement = label_agreement(sample) if task is Task.CLASSIFICATION else None
    if agreement is not None:
        agreeing, combinations = agreement
        shares.append(agreeing / combinations)
        details.append(
            f"{combinations - agreeing:,} of {combinations:,} combinations of features have several labels"
        )
    formats = column_formats(selected(sample.frame(), sample.features)) if len(sample.combinations()) else ()
    if formats:
        shares.append(math.fsum(column.share for column in formats) / len(formats))
        mixed = [column for column in formats if column.share < 1]
        details.append(
            "mixed formats in " + ", ".join(f"{c.column!r} ({c.share:.1%} {c.format})" for c in mixed[:5])
            if mixed
            else f"none of {quantity(len(formats), 'text column')} mixes formats"
        )
    if not shares:
        return "there are neither classes nor text columns"
    if not sample.is_complete:
        details.append(f"from a sample of {len(sample.combinations()):,} distinct rows")
    return _measured(
        "consistency",
        math.fsum(shares) / len(shares),
        "mean of: combinations of features with one label / combinations; mean over text columns of the share of cells "
        "in the column's main format (1 for free text)",
        "; ".join(details),
    )


def label_balance(counts: Mapping[str, int]) -> QualityPart | str:
    """How evenly the classes are spread, from class to rows: 1 for equal classes."""
    if not counts:
        return "there are no labels, or more than 1,000 classes"
    return _measured(
        "label_balance",
        _balance(list(counts.values())),
        "entropy of the classes / log(number of classes)",
        f"{len(counts)} classes, the largest with {max(counts.values()) / sum(counts.values()):.1%} of the rows",
        "Shannon (1948), A Mathematical Theory of Communication; Pielou (1966), evenness",
    )


def outliers(columns: ColumnStates, features: Sequence[str]) -> QualityPart | str:
    """Numbers that do not lie far outside of the rest of their column."""
    found = {
        name: far_out
        for name in features
        if columns[name].dtype.is_numeric() and (far_out := find_outliers(columns[name].bins)) is not None
    }
    if not found:
        return "no number column has 30 values of which less than half are equal"
    outlying = sum(o.outlying for o in found.values())
    values = sum(o.values for o in found.values())
    worst = sorted(found, key=lambda name: (-found[name].outlying / found[name].values, name))[:3]
    named = ", ".join(f"{n!r} {found[n].outlying / found[n].values:.2%}" for n in worst if found[n].outlying)
    return _measured(
        "outliers",
        1 - outlying / values,
        f"1 - values with |0.6745 (x - median) / MAD| > {LIMIT} / values, over number columns",
        f"{outlying:,} of {values:,} values in {quantity(len(found), 'column')} lie far out"
        + (f": {named}" if named else ""),
        "Iglewicz and Hoaglin (1993), How to Detect and Handle Outliers",
    )


def drift(columns: ColumnStates, base: ColumnStates | None, ignored: Sequence[str] = ()) -> QualityPart | str:
    """How near the columns' distributions are to those of the base data."""
    if base is None:
        return "there is no base data to compare with"
    drifts = [
        moved
        for name in columns.names
        if name in base
        and name not in ignored
        and (moved := column_drift(base[name], columns[name])) is not None
    ]
    if not drifts:
        return "no column can be compared with the base data"
    far = sorted((d for d in drifts if d.divergence >= _LARGE_SHIFT), key=lambda d: (-d.divergence, d.name))
    named = ", ".join(f"{d.name!r} {d.divergence:.2f} (PSI {d.psi:.2f})" for d in far[:3])
    return _measured(
        "drift",
        1 - math.fsum(d.divergence for d in drifts) / len(drifts),
        "1 - mean over columns of the Jensen-Shannon divergence from the base data, in bits",
        f"{quantity(len(drifts), 'column')} compared; "
        + (f"far from the base: {named}" if named else "none is far from the base"),
        "Lin (1991), Divergence Measures Based on the Shannon Entropy",
    )


def label_noise(sample: RowSample) -> QualityPart | str:
    """Labels that a quick model does not doubt."""
    rows = sample.frame()
    if sample.target is None or not rows.height:
        return "there are no labelled rows"
    try:
        noise = find_label_noise(rows, sample.target)
    except MissingExtraError as error:
        return str(error)
    if isinstance(noise, NotJudged):
        return noise.reason
    doubtful = int(noise.doubtful.sum())
    return _measured(
        "label_noise",
        1 - noise.share,
        "1 - labels doubted by confident learning / sampled distinct rows",
        f"{doubtful:,} of {rows.height:,} sampled rows have a doubtful label (skill of the judge {noise.skill:.2f})",
        "Northcutt, Jiang and Chuang (2021), Confident Learning, JAIR 70",
    )


def label_counts(target: ColumnState) -> dict[str, int]:
    """Class to rows, most frequent first, ties by name; blank text is no class."""
    counts: dict[str, int] = {}
    for value, rows in (target.values or {}).items():
        text = _label(value)
        if text:
            counts[text] = counts.get(text, 0) + rows
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _measured(name: str, value: float, formula: str, detail: str, reference: str = "") -> QualityPart:
    return QualityPart(name, rounded(value), 1.0, formula, detail, reference)


def _label(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def _balance(counts: Sequence[int]) -> float:
    if len(counts) < 2:
        return 0.0
    total = sum(counts)
    entropy = -math.fsum(count / total * math.log(count / total) for count in counts)
    return min(1.0, entropy / math.log(len(counts)))
