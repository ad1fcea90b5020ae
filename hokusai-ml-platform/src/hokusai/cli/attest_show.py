"""`hokusai attest show`: what a file claims, for people or as it was signed. Nothing is verified here."""

from __future__ import annotations

from pathlib import Path

import click

from hokusai.attestation.benchmark_statement import BENCHMARK_PREDICATE_TYPE, read_benchmark_statement
from hokusai.attestation.envelope import MAX_ENVELOPE_BYTES, Envelope
from hokusai.attestation.numbers import percentage_points
from hokusai.attestation.reader import read_statement
from hokusai.attestation.statement import PREDICATE_TYPE
from hokusai.cli.options import json_option
from hokusai.cli.output import shortened, show_facts, show_json, show_line, show_table, styled
from hokusai.domain.benchmark import Benchmark
from hokusai.domain.canonical import parse_json, sha256_hex
from hokusai.domain.claim import DeltaOneClaim
from hokusai.domain.delta import MetricDelta
from hokusai.errors import IntegrityError, InvalidInputError
from hokusai.utils.files import read_limited


@click.command(short_help="Show what an attestation says; nothing is verified.")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def show(file: Path, *, as_json: bool) -> None:
    """Show what the attestation in FILE says, or, with --json, the statement as it was signed.

    Nothing is verified: `hokusai attest verify` does that.
    """
    envelope = Envelope.parse(read_limited(file, MAX_ENVELOPE_BYTES))
    try:
        statement = parse_json(envelope.payload)
    except InvalidInputError as exc:
        raise IntegrityError(f"The payload is not a statement: {exc}", where=str(file)) from exc
    kind = statement.get("predicateType") if isinstance(statement, dict) else None
    if as_json or kind not in (PREDICATE_TYPE, BENCHMARK_PREDICATE_TYPE):
        show_json(statement)
        return
    show_facts(
        {
            "Statement": f"SHA-256 {sha256_hex(envelope.payload)}",
            "Signed by": ", ".join(signature.keyid for signature in envelope.signatures),
        }
    )
    click.echo()
    if kind == PREDICATE_TYPE:
        _show_claim(read_statement(statement))
    else:
        _show_benchmark(read_benchmark_statement(envelope.payload))
    show_line(styled("Nothing of this was verified.", "dim"))


def _show_claim(claim: DeltaOneClaim) -> None:
    whole = claim.comparison
    if claim.dry_run:
        show_line(styled("DRY RUN on mock data: no evidence of anything", "bold yellow"))
    low, high = (percentage_points(end) for end in (whole.interval.low, whole.interval.high))
    score = percentage_points(whole.delta_one if whole.exact is None else whole.exact)
    reasons = () if claim.decision is None else claim.decision.reasons
    of_units = f" in {whole.n_units:,} units, with errors between them" if whole.n_units else ""
    show_facts(
        {
            "DeltaOne": f"{score} ({low} to {high}, p = {whole.p_value:.3g})",
            "Decision": "; ".join(f"{r.verdict.value.replace('_', ' ')}: {r.detail}" for r in reasons),
            "Benchmark": f"{whole.n_rows:,} rows of {claim.target_column!r}{of_units}, "
            f"SHA-256 {claim.benchmark_sha256}",
            "Committed by its owner": claim.benchmark_statement_sha256 or "",
            "Baseline model": claim.baseline_model_sha256,
            "New model": f"{claim.new_model_sha256} ({claim.new_estimator.import_path})",
            "Rows open to challenge": "" if claim.commitments is None else claim.commitments.scheme,
        }
    )
    click.echo()
    show_table(
        ("Metric", "Baseline", "New", "Gain", "Interval of the change", "p", "Weight"),
        [_metric(delta, str(whole.weights.get(delta.metric.name, "-"))) for delta in whole.deltas],
    )
    click.echo()
    weights = {} if claim.attribution is None else {c.contributor: c for c in claim.attribution.credits}
    show_table(
        ("Contributor", "Wallet", "Payable", "Rows", "Credit", "Worth"),
        [
            (
                one.contributor.contributor_id,
                shortened(str(one.contributor.wallet or "-")),
                "yes" if one.contributor.payable else "no",
                f"{one.rows_accepted:,} of {one.rows_read:,}",
                f"{float(credit):.2%}",
                weights[one.contributor].unpaid or percentage_points(weights[one.contributor].value)
                if one.contributor in weights
                else "-",
            )
            for one, credit in zip(claim.contributions, claim.credits, strict=True)
        ],
    )
    show_line(f"Credit by {claim.credit_method.replace('_', ' ')}")
    for warning in whole.warnings:
        show_line(styled("! ", "yellow"), warning)
    click.echo()


def _metric(delta: MetricDelta, weight: str) -> tuple[str, ...]:
    low, high = delta.interval.low, delta.interval.high
    return (
        delta.metric.name,
        f"{delta.baseline_value:.4f}",
        f"{delta.new_value:.4f}",
        f"{delta.gain:+z.4f}",
        f"{low:+z.4f} to {high:+z.4f}",
        f"{delta.p_value:.3g}",
        weight,
    )


def _show_benchmark(benchmark: Benchmark) -> None:
    rule = benchmark.rule
    show_facts(
        {
            "Benchmark": benchmark.name,
            "Record": benchmark.sha256,
            "Data": f"{benchmark.n_rows:,} rows ({benchmark.split}), SHA-256 {benchmark.data_sha256}",
            "Labels": benchmark.labels_root or "",
            "Predicts": f"{benchmark.target_column!r} ({benchmark.task.value})",
            "Primary metric": benchmark.primary_metric,
            "Weights": ", ".join(f"{name} {weight}" for name, weight in benchmark.weights.items()) or "equal",
            "Rule": f"{rule.min_rows:,} rows, gain of {percentage_points(rule.threshold)}, alpha {rule.alpha:g}"
            + "".join(f", {g.name} not worse by {g.margin:g}" for g in rule.guardrails),
        }
    )
    click.echo()
