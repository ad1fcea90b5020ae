"""What would become of a contribution, told to the contributor before it is sent.

A refusal that arrives after a day teaches nobody. So the same integration runs here without writing a result: what
would be rejected and why, what is personal, what repeats the base data, how good the rest is, and what a quick model
makes of it. Nothing leaves the machine.
"""

from __future__ import annotations

import secrets
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from hokusai.domain.schema import DataSchema
from hokusai.pipeline.data.expected_effect import (
    ExpectedEffect,
    NoEstimate,
    expected_effect,
    minimum_detectable_delta,
)
from hokusai.pipeline.data.quality_report import QualityReport
from hokusai.pipeline.data.recipe import How
from hokusai.pipeline.data.rejects import read_rejects
from hokusai.pipeline.data.scan import ReadOptions, Reject
from hokusai.pipeline.data.shown_names import WithoutTokens
from hokusai.pipeline.data.streaming import Integration, Progress, Recipe, integrate_files
from hokusai.privacy.policy import PiiPolicy
from hokusai.privacy.tokens import KEY_BYTES, Tokenizer
from hokusai.utils.text import quantity

Paths = str | Path | Sequence[str | Path]

SHOWN_REJECTS = 20


@dataclass(frozen=True, slots=True)
class Preview:
    """What would become of a contribution.

    Attributes:
        integration: The account of its rows, and what was found in them.
        rejects: The first rows that would be rejected.
        quality: How good the rows are that would be kept.
        effect: What a quick model gains from them; None where no base data and target were given.
        benchmark_rows: Rows of the benchmark that will judge the model; 0 if it is not known.
        how: How the rows would join the base data.
    """

    integration: Integration
    rejects: tuple[Reject, ...]
    quality: QualityReport
    effect: ExpectedEffect | NoEstimate | None = None
    benchmark_rows: int = 0
    how: How = "append"

    @property
    def accepted(self) -> bool:
        """Whether a strict integration would take every row that is no duplicate, and there is one."""
        rows = self.integration.manifest.rows
        return rows.rejected == 0 and rows.kept > 0

    @property
    def verdict(self) -> str:
        """Whether it would be accepted, in one sentence."""
        rows = self.integration.manifest.rows
        if rows.rejected:
            reasons = Counter(self.integration.manifest.rejects).most_common(3)
            most = ", ".join(f"{reason} ({count:,})" for reason, count in reasons)
            return f"{rows.rejected:,} of {quantity(rows.read, 'row')} would be rejected: {most}."
        if not rows.kept:
            return "Every row repeats one that is there already."
        what = "new or changed row" if self.how == "update" else "new row"
        return f"All {quantity(rows.kept, what)} would be accepted."

    @property
    def detectable_delta(self) -> float | None:
        """The least change of accuracy that the benchmark can show; None if there is none, or it is not known."""
        return minimum_detectable_delta(self.benchmark_rows) if self.benchmark_rows else None

    def to_dict(self, *, values: bool = False) -> dict[str, Any]:
        """As plain data; what stands in cells at fault only if `values`."""
        report = self.integration.report
        return {
            "accepted": self.accepted,
            "verdict": self.verdict,
            "manifest": self.integration.manifest.to_dict(),
            "schema": None if report is None else report.to_dict(values=values),
            "rejects": [{name: getattr(one, name) for name in Reject.__slots__} for one in self.rejects],
            "quality": self.quality.to_dict(),
            "effect": _effect(self.effect),
            "benchmark": {"rows": self.benchmark_rows, "detectable_delta": self.detectable_delta}
            if self.benchmark_rows
            else None,
        }


def preview(
    contributed: Paths,
    *,
    base: Paths | None = None,
    how: How = "append",
    schema: DataSchema | None = None,
    target: str | None = None,
    features: Sequence[str] = (),
    key: Sequence[str] = (),
    near_text: Sequence[str] = (),
    pii: PiiPolicy | None = None,
    tokenizer: Tokenizer | None = None,
    read: ReadOptions | None = None,
    benchmark_rows: int = 0,
    progress: Progress | None = None,
) -> Preview:
    """Find out what would become of a contribution.

    Quality and effect are of the rows that would be kept: what is rejected or repeated adds nothing, and takes nothing.

    Args:
        contributed: Files, or globs.
        base: Files of the base data, for duplicates, drift and the effect.
        how: How the rows would join it, as in `Recipe`; an effect is told only of rows that are appended.
        schema: What must hold of every row.
        target: The label's column.
        features: What it is predicted from; by default all other columns but those that only identify a row.
        key: Columns by which rows repeat one another, or replace one another in an update; by default only equal rows
            repeat one another.
        near_text: Columns whose text repeats where it says nearly the same.
        pii: What will happen to personal data, since rows are compared as it leaves them; by default it is hashed.
        tokenizer: What will make the tokens, where files hold some already that rows are to be compared with. By
            default a key is made for this run and forgotten, and hashes of rows with tokens are others each time. No
            token is shown either way.
        read: What is known about the files.
        benchmark_rows: Rows of the benchmark, if it is known.
        progress: Is told how far it is.

    Raises:
        DataError: A file cannot be read at all.
        SchemaError: The columns do not fit, so that no row could, or the target or a feature is missing.
        InvalidInputError: An update lacks base data or a key.
    """
    options = replace(read or ReadOptions(), on_error="reject")
    recipe = Recipe(
        schema=schema,
        pii=pii or PiiPolicy(),
        how=how,
        key=tuple(key),
        near_text=tuple(near_text),
        target=target,
        features=tuple(features),
        read=options,
    )
    tokenizer = tokenizer or Tokenizer(secrets.token_bytes(KEY_BYTES))
    with tempfile.TemporaryDirectory(prefix=".hokusai-") as folder:
        listing = Path(folder) / "rejects.jsonl"
        done = integrate_files(
            contributed,
            base=base,
            recipe=recipe,
            tokenizer=tokenizer,
            rejects=listing,
            progress=progress,
        )
        rejects = tuple(islice(read_rejects(listing), SHOWN_REJECTS))
    if done.quality is None or done.samples is None:
        raise AssertionError("the recipe asks for both")
    effect: ExpectedEffect | NoEstimate | None = None
    new_rows, base_rows = done.samples
    if how != "append" and target is not None:
        effect = NoEstimate("the rows would take the place of base rows, which a quick model is measured on")
    elif base_rows is not None and target is not None:
        if progress is not None:
            progress("Training quick models", 0, None)
        effect = expected_effect(base_rows, new_rows, target)
    told = WithoutTokens(tokenizer.key_id, [column.name for column in done.manifest.columns])
    pii_found = replace(done.manifest.pii, key_id="")  # the tokens are gone
    manifest = told(replace(done.manifest, pii=pii_found))
    shown = replace(done, manifest=manifest, report=told(done.report), quality=told(done.quality))
    return Preview(shown, told(rejects), told(done.quality), told(effect), benchmark_rows, how)


def _effect(found: ExpectedEffect | NoEstimate | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {"reason": found.reason} if isinstance(found, NoEstimate) else found.to_dict()
