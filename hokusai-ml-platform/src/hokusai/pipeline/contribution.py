"""The contribution's way into the training data: which rows are used, and what became of the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hokusai.domain.contribution import Contribution
from hokusai.domain.manifest import PiiSummary
from hokusai.pipeline.data.quality_report import QualityReport
from hokusai.pipeline.data.reconcile import conform
from hokusai.pipeline.integration import IntegratedData
from hokusai.pipeline.integration import integrate as integrate_frames
from hokusai.pipeline.personal_data import find_personal_data, warnings_of, without_personal_data
from hokusai.pipeline.plan import RunPlan
from hokusai.pipeline.quality import assess_quality, data_manifest
from hokusai.pipeline.reference import Facts, baseline_is_given, load, raw_frames, read_again

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Contributed:
    """The account of a run's contributed files; no rows, but one bit for each.

    Attributes:
        contributions: What became of each file's rows.
        accepted: For each file, packed bits: whether the row is trained on.
        quality: How good the contribution is.
        manifest: The specification's data manifest.
        warnings: What a reader has to know.
        personal: The personal data that was found, and what becomes of it in training.
    """

    contributions: tuple[Contribution, ...]
    accepted: tuple[NDArray[np.uint8], ...]
    quality: QualityReport
    manifest: Mapping[str, Any]
    warnings: tuple[str, ...]
    personal: PiiSummary

    def quality_lines(self) -> list[tuple[str, str]]:
        """The quality's score, its components and the shares of the classes, for people."""
        return [
            ("Score (mean of the components)", f"{self.quality.score:.3f}"),
            *(
                (name.replace("_", " ").capitalize(), f"{v:.3f}")
                for name, v in self.quality.components.items()
            ),
            *(
                (f"Share of class {name!r}", f"{v:.1%}")
                for name, v in list(self.quality.label_share.items())[:20]
            ),
        ]


def integrate(plan: RunPlan, facts: Facts, *, trains: bool = True) -> Contributed:
    """Decide, for every contributed row, whether it is used.

    Args:
        plan: What the run is about.
        facts: What all steps go by.
        trains: Whether a model is trained on the rows, which takes two classes; not so where both models are there.

    Raises:
        SchemaError: No contributed row can be used.
        IntegrityError: A file changed since the run began.
    """
    import numpy as np

    base, benchmark = raw_frames(plan, facts)
    tables = read_again(plan.contributed_files, facts)
    data = integrate_frames(
        _settled(base, facts) if base is not None else None,
        list(zip(plan.contributors, tables, strict=True)),
        _settled(benchmark, facts),
        target=plan.target_column,
        features=facts.features,
        task=facts.task,
        id_column=facts.id_column,
        baseline_given=baseline_is_given(plan),
        trains=trains,
    )
    quality = assess_quality(
        tables, data.contributions, target=plan.target_column, features=facts.features, task=facts.task
    )
    leaks = tuple(
        f"{leak.file_name}: {leak.n_rows:,} rows {'are near copies of rows of' if leak.near else 'also stand in'} "
        f"the benchmark and are not trained on "
        f"(first: {', '.join(map(str, leak.first_rows))})."
        for leak in data.leaks
    )
    in_benchmark = (_base_rows_told(data),) if data.base_rows_in_benchmark else ()
    copies = {"base": "rows of the base data", "earlier": "what somebody else contributed earlier"}
    near = tuple(
        f"{data.near_copies[of]:,} contributed rows are near copies of {name}, and count as such."
        for of, name in copies.items()
        if data.near_copies[of]
    )
    other_labels = tuple(
        f"{name}: {n:,} rows have the features of a benchmark row and another label."
        for name, n in data.other_labels
    )
    one_class = tuple(
        f"All labelled rows of the contribution are of the class {name!r}." for name in quality.label_share
    )
    personal = find_personal_data(tables, plan.pii, target=plan.target_column)
    return Contributed(
        contributions=data.contributions,
        accepted=tuple(np.packbits(mask.to_numpy()) for mask in data.accepted),
        quality=quality,
        manifest=data_manifest(
            tables,
            data.contributions,
            quality,
            personal={finding.column for finding in personal.findings},
            integration=data.to_dict(),
            pii=personal.to_dict(),
        ),
        personal=personal,
        warnings=(
            *leaks,
            *near,
            *other_labels,
            *warnings_of(personal),
            *in_benchmark,
            *(one_class if len(one_class) == 1 else ()),
            *data.notes,
        ),
    )


def _base_rows_told(data: IntegratedData) -> str:
    said = f"{data.base_rows_in_benchmark:,} rows of the base data also stand in the benchmark"
    if not data.base_rows_left_out:
        return f"{said}; both models saw them."
    first = ", ".join(map(str, data.base_rows_left_out))
    return f"{said} and are not trained on, as the given baseline need not have seen them (first: {first})."


def _settled(frame: pl.DataFrame, facts: Facts) -> pl.DataFrame:
    """The frame in the types of the run, which a part of the data alone might not show; with the id column."""
    ids = {name: dtype for name, dtype in frame.schema.items() if name == facts.id_column}
    return conform(frame, {**ids, **facts.types})


def training_frame(plan: RunPlan, facts: Facts, contributed: Contributed) -> pl.DataFrame:
    """Base rows, then each file's accepted rows without personal data: what the new model is trained on.

    Raises:
        IntegrityError: A file changed since the run began, or the key that hashes personal data did.
    """
    import polars as pl

    parts = [load(plan, facts).base, *contributed_rows(plan, facts, contributed)]
    return pl.concat(parts, rechunk=False)


def contributed_rows(plan: RunPlan, facts: Facts, contributed: Contributed) -> Iterator[pl.DataFrame]:
    """Each file's accepted rows without personal data, in the types of the run.

    Raises:
        IntegrityError: As `training_frame`.
    """
    import numpy as np
    import polars as pl

    types = dict(facts.types)
    for path, bits in zip(plan.contributed_files, contributed.accepted, strict=True):
        (table,) = read_again([path], facts)
        left = without_personal_data(
            table.frame, contributed.personal, plan.pii, types, target=plan.target_column
        )
        rows = conform(left, types)
        mask = np.unpackbits(bits, count=rows.height).astype(bool)
        yield rows if mask.all() else rows.filter(pl.Series(mask))
        del table, left, rows
