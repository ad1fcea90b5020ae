"""Accounts, reports and profiles of data as tables for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from hokusai.cli.output import pairs, show_facts, show_line, show_table, size, styled
from hokusai.utils.text import quantity

if TYPE_CHECKING:
    from rich.text import Text

    from hokusai.domain.manifest import DataManifest, Transformation
    from hokusai.domain.schema_report import SchemaReport
    from hokusai.pipeline.data.column_states import ColumnProfile
    from hokusai.pipeline.data.expected_effect import ExpectedEffect, NoEstimate
    from hokusai.pipeline.data.quality_report import QualityReport
    from hokusai.pipeline.data.scan import Reject

_GOOD, _FAIR = 0.9, 0.6
_MOST_COLUMNS = 200


def show_sources(manifest: DataManifest) -> None:
    """What was read, and what was concluded from its bytes."""
    sources = (*manifest.base, *manifest.sources)
    if sources:
        show_table(
            ["file", "format", "encoding", "size", "sha256"],
            [
                [
                    f"{s.name} (base)" if i < len(manifest.base) else s.name,
                    " ".join(filter(None, (s.format, s.compression))),
                    s.encoding,
                    size(s.size_bytes),
                    s.sha256,
                ]
                for i, s in enumerate(sources)
            ],
        )
    for source in sources:
        for assumed in source.assumed:
            show_line(styled(f"  {source.name}: {assumed}", "dim"))
    for note in manifest.notes:
        show_line(styled("  note: ", "yellow"), note)


def show_account(manifest: DataManifest) -> None:
    """Where the rows went, and how many the base data has now."""
    rows = manifest.rows
    near = f", {rows.near_duplicates:,} of them nearly" if rows.near_duplicates else ""
    parts = f"{rows.kept:,} kept + {rows.rejected:,} rejected + {rows.duplicates:,} duplicates{near}"
    show_line(f"{quantity(rows.read, 'row')} read = {parts}")
    if manifest.rejects:
        show_table(
            ["rejected because", "rows"], [[why, f"{count:,}"] for why, count in manifest.rejects.items()]
        )
    for step in manifest.transformations:
        if step.name == "merge_datasets":
            show_line(_merged(step))


def show_hash(manifest: DataManifest) -> None:
    """What identifies the result."""
    show_facts(
        {
            "rows": f"{manifest.hash.rows:,}",
            "columns": f"{len(manifest.columns):,}",
            "data hash": manifest.hash.data_hash,
            "content root": manifest.hash.content_root,
            "manifest": manifest.digest,
            "computed by": manifest.engine,
        }
    )


def show_report(report: SchemaReport, *, unread: int = 0, values: bool) -> None:
    """What does not fit a schema: a row for each rule, and where it is met first. `unread` rows never got there."""
    more = f" {quantity(unread, 'more row')} could not be read." if unread else ""
    if report.ok:
        show_line(styled(report.to_text(), "green"), more)
        return
    show_line(styled(report.summary, "red"), more)
    show_table(
        ["column", "problem", "expected", "rows", "found in row"],
        [
            [
                problem.column,
                styled(str(problem.rule), "red"),
                problem.expected,
                "" if problem.rule.of_table else f"{problem.count:,}",
                _where(problem.rows, problem.found if values else ()),
            ]
            for problem in report.problems
        ],
        folding=["expected", "found in row"],
    )


def show_rejects(rejects: Sequence[Reject]) -> None:
    """The first rows that were set aside."""
    if rejects:
        show_table(
            ["file", "row", "line", "column", "reason", "detail"],
            [
                [
                    r.source,
                    f"{r.row:,}",
                    f"{r.line:,}" if r.line else "",
                    r.column,
                    styled(r.reason, "red"),
                    r.detail,
                ]
                for r in rejects
            ],
            folding=["detail"],
        )


def show_pii(manifest: DataManifest, *, done: str = "done") -> None:
    """Where personal data was found, and what was done, or would be; never what it was."""
    findings = manifest.pii.findings
    if not findings:
        show_line(styled("No personal data was found by patterns and names of columns.", "green"))
        return
    show_table(
        ["column", "personal data", "cells", "found by", done],
        [
            [f.column, styled(f.kind, "yellow"), f"{f.cells:,}", f.found_by, _DONE.get(f.action, f.action)]
            for f in findings
        ],
    )


def show_score(report: QualityReport) -> None:
    """The score in a line, with what it comes from."""
    show_line("Quality ", styled(f"{report.score:.3f}", _colour(report.score)), f", the {report.formula}")


def show_quality(report: QualityReport) -> None:
    """The score with its parts, their weights and their reasons."""
    show_score(report)
    measured: list[list[str | Text]] = [
        [part.name, styled(f"{part.value:.3f}", _colour(part.value)), f"{part.weight:g}", part.detail]
        for part in report.parts
    ]
    skipped: list[list[str | Text]] = [
        [name, styled("-", "dim"), "", styled(f"not measured: {why}", "dim")]
        for name, why in report.skipped.items()
    ]
    show_table(["part", "value", "weight", "because"], measured + skipped, folding=["because"])
    if report.ignored:
        names = ", ".join(map(repr, report.ignored))
        show_line(styled(f"No features, since they identify rows or were not named: {names}", "dim"))


def show_effect(
    effect: ExpectedEffect | NoEstimate | None, benchmark_rows: int, detectable: float | None
) -> None:
    """What the rows may be worth, with its uncertainty."""
    from hokusai.pipeline.data.expected_effect import NoEstimate

    if isinstance(effect, NoEstimate):
        show_line("No effect could be estimated: ", effect.reason)
    elif effect is not None:
        show_line(str(effect))
    if benchmark_rows:
        least = (
            "no change at all" if detectable is None else f"changes of accuracy from about {detectable:.2%}"
        )
        show_line(f"A benchmark of {benchmark_rows:,} rows shows {least}, four times in five.")


def show_profiles(profiles: Sequence[ColumnProfile]) -> None:
    """One row a column."""
    rows: list[list[str | Text]] = []
    for profile in profiles[:_MOST_COLUMNS]:
        summary = profile.summary
        near = "≈" if summary.unique_error else ""
        share = f" ({summary.nulls / profile.rows:.1%})" if profile.rows and summary.nulls else ""
        quantiles = profile.quantiles or {}
        rows.append(
            [
                summary.name,
                styled(summary.dtype, "cyan"),
                f"{summary.nulls:,}{share}",
                f"{near}{summary.unique:,}",
                _number(summary.low),
                _number(quantiles.get("0.5")),
                _number(summary.high),
                _number(profile.mean),
                pairs(dict(profile.values[:5])),
            ]
        )
    show_table(
        ["column", "type", "nulls", "unique", "min", "median", "max", "mean", "most frequent"],
        rows,
        folding=["most frequent"],
    )
    if len(profiles) > _MOST_COLUMNS:
        show_line(f"and {len(profiles) - _MOST_COLUMNS:,} more columns")


_DONE = {"hash": "hashed", "mask": "masked", "drop": "dropped", "report": "reported only"}


def _merged(step: Transformation) -> str:
    """What a merge made of the base data and the rows that were kept."""
    told = step.details
    base, after = quantity(told["base_rows"], "row"), quantity(step.rows_after, "row")
    if told["how"] == "replace":
        return f"{base} of base data replaced by {after}"
    parts = f"{base} of base data + {told['added']:,} added = {after}"
    there = f"already there: {told['unchanged']:,}"
    if told["how"] == "update":
        cells = ", ".join(f"{name!r} {count:,}" for name, count in told["conflicts"].items())
        there = (
            f"{told['changed']:,} changed{f' (in {cells})' if cells else ''}, {told['unchanged']:,} unchanged"
        )
    return f"{parts}; {there}"


def _where(rows: Iterable[int], found: Sequence[str]) -> str:
    some = list(rows)[:5]
    return "; ".join(f"{row:,}: {found[i]}" if i < len(found) else f"{row:,}" for i, row in enumerate(some))


def _colour(share: float) -> str:
    return "green" if share >= _GOOD else "yellow" if share >= _FAIR else "red"


def _number(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
