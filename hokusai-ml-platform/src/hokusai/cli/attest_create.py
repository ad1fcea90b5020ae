"""`hokusai attest create`: an attestation of a comparison that was made elsewhere, or a benchmark's commitment.

The comparison is worked out here from the rows, the digests from the files, and what became of the contributed rows
from the data; nothing that goes into the statement is typed in.
"""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hokusai.attestation.benchmark_statement import benchmark_statement_bytes, read_benchmark_statement
from hokusai.attestation.commitments import commit, label_root
from hokusai.attestation.envelope import MAX_ENVELOPE_BYTES, Envelope
from hokusai.attestation.envelope import sign as sign_payload
from hokusai.attestation.predictions import RowPredictions, read_column, read_predictions
from hokusai.attestation.recompute import compare_rows
from hokusai.attestation.statement import statement_bytes
from hokusai.cli.attest_keys import own_key
from hokusai.cli.attest_verify import MAX_SECRET_BYTES
from hokusai.domain.benchmark import Benchmark
from hokusai.domain.canonical import parse_json, sha256_hex
from hokusai.domain.claim import DeltaOneClaim, Estimator
from hokusai.domain.labels import class_name
from hokusai.domain.metrics import Task
from hokusai.errors import ConfigurationError, IntegrityError
from hokusai.stats.decide import decide
from hokusai.utils.files import file_sha256, read_limited, write_atomically

if TYPE_CHECKING:
    from hokusai.pipeline.plan import RunPlan
    from hokusai.pipeline.reference import Facts

_PATH = click.Path(path_type=Path)
_MAX_MODEL_BYTES = 4 << 30
_DECIDING = ("hokusai-ml-platform", "numpy", "polars")


@click.command(short_help="Make an attestation from predictions, models and data files.")
@click.option(
    "--predictions", type=_PATH, metavar="FILE", help="labels and both models' predictions, row by row"
)
@click.option("--baseline-model", type=_PATH, metavar="FILE", help="the baseline model's file")
@click.option("--new-model", type=_PATH, metavar="FILE", help="the new model's file")
@click.option("--benchmark-data", type=_PATH, metavar="FILE", help="the benchmark's rows")
@click.option("--contributed-data", multiple=True, metavar="FILE", help="a contributed file; may be repeated")
@click.option(
    "--contributor", metavar="NAMES", help="who gave them: one name, or one for each file, by commas"
)
@click.option("--wallet", metavar="ADDRESSES", help="where credit goes: one address, or one for each file")
@click.option("--base-data", multiple=True, metavar="FILE", help="what both models were trained on besides")
@click.option("--target-column", metavar="NAME", help="the column that is predicted (default: label)")
@click.option("--task", type=click.Choice([task.value for task in Task]), help="default: as the target is")
@click.option(
    "--benchmark-statement", type=_PATH, metavar="FILE", help="the owner's commitment: it has the rule"
)
@click.option(
    "--benchmark", type=_PATH, metavar="RECORD", help="make a benchmark's commitment instead, of this record"
)
@click.option(
    "--labels", type=_PATH, metavar="FILE", help="the benchmark's rows with their labels, for --benchmark"
)
@click.option(
    "--secret-file", type=_PATH, metavar="FILE", help="what keeps guessed columns from being confirmed"
)
@click.option("--unsigned", is_flag=True, help="write the bare statement, for `attest sign`")
@click.option("-o", "--output", type=_PATH, required=True, metavar="FILE", help="where to write it")
def create(*, benchmark: Path | None, output: Path, unsigned: bool, **given: Any) -> None:
    """Make an attestation of what the files say, signed with your own key.

    Of two models: --predictions, --baseline-model, --new-model, --benchmark-data and --contributed-data; a decision is
    in it where --benchmark-statement gives the rule. Of a benchmark, before anybody contributes: --benchmark RECORD
    (as `hokusai benchmark show --json` prints it) and --labels.
    """
    secret = _secret(given.pop("secret_file"))
    if benchmark is not None:
        payload = _benchmark_payload(benchmark, given["labels"], secret)
    else:
        payload = _payload(given, secret)
    if unsigned:
        write_atomically(output, payload)
        click.echo(f"Statement {sha256_hex(payload)}, not signed: {output}")
        return
    key = own_key()
    write_atomically(output, sign_payload(payload, [key.signer]).to_bytes() + b"\n")
    click.echo(f"Statement {sha256_hex(payload)}, signed by {key.keyid}: {output}")


def _payload(given: dict[str, Any], secret: bytes) -> bytes:
    needed = ("predictions", "baseline_model", "new_model", "benchmark_data", "contributed_data")
    missing = [f"--{name.replace('_', '-')}" for name in needed if not given[name]]
    if missing:
        raise click.UsageError(f"An attestation of two models also needs {', '.join(missing)}.")
    agreed, agreed_sha256 = _agreed(given["benchmark_statement"])
    plan = _plan(given, agreed)

    from hokusai.pipeline.contribution import integrate
    from hokusai.pipeline.reference import survey

    facts = survey(plan)
    contributed = integrate(plan, facts)
    predictions = read_predictions(given["predictions"], facts.task)
    _check_labels(predictions, plan, facts)
    comparison = compare_rows(
        predictions,
        weights=None if agreed is None else dict(agreed.weights) or None,
        primary=None if agreed is None else agreed.primary_metric,
    )
    models = {name: file_sha256(given[name]) for name in ("baseline_model", "new_model")}
    claim = DeltaOneClaim(
        baseline_model_sha256=models["baseline_model"],
        new_model_sha256=models["new_model"],
        benchmark_sha256=facts.benchmark_sha256,
        base_data_sha256=facts.base_sha256,
        contributions=contributed.contributions,
        comparison=replace(comparison, warnings=(*comparison.warnings, *plan.wallet_warnings)),
        target_column=plan.target_column,
        feature_columns=facts.features,
        base_rows=facts.base_rows,
        new_estimator=_estimator(given["new_model"]),
        baseline_estimator=_estimator(given["baseline_model"]),
        libraries={name: version(name) for name in _DECIDING},
        commitments=commit(
            predictions.labels,
            predictions.baseline,
            predictions.new,
            benchmark_sha256=facts.benchmark_sha256,
            baseline_model_sha256=models["baseline_model"],
            new_model_sha256=models["new_model"],
            secret=secret,
        ),
        decision=None
        if agreed is None
        else decide(
            comparison,
            agreed.rule,
            benchmark_sha256=facts.benchmark_sha256,
            expected_sha256=agreed.data_sha256,
            outcomes=_outcomes(comparison, agreed),
        ),
        benchmark_record_sha256=None if agreed is None else agreed.sha256,
        benchmark_statement_sha256=agreed_sha256,
    )
    return statement_bytes(claim)


def _plan(given: dict[str, Any], agreed: Benchmark | None) -> RunPlan:
    from hokusai.pipeline.plan import resolve_plan
    from hokusai.utils.config import Settings

    target = given["target_column"] or (agreed.target_column if agreed else None)
    return resolve_plan(
        {
            "contributed_data": list(given["contributed_data"]),
            "base_data": list(given["base_data"]),
            "benchmark_data": str(given["benchmark_data"]),
            "baseline_model": str(given["baseline_model"]),
            "contributor": given["contributor"],
            "wallet": given["wallet"],
            "target_column": target,
            "task": given["task"] or (agreed.task.value if agreed else None),
            "output_dir": str(Path()),
        },
        Settings(),
    )


def _agreed(path: Path | None) -> tuple[Benchmark | None, str | None]:
    """The benchmark that its owner committed to, and the digest of what he signed; his signature is not looked at."""
    if path is None:
        return None, None
    payload = Envelope.parse(read_limited(path, MAX_ENVELOPE_BYTES)).payload
    return read_benchmark_statement(payload), sha256_hex(payload)


def _check_labels(predictions: RowPredictions, plan: RunPlan, facts: Facts) -> None:
    """The predictions are of the benchmark's labelled rows, in their order."""
    from hokusai.pipeline.reference import load

    truth = load(plan, facts).benchmark[plan.target_column].to_list()
    if len(truth) != predictions.n_rows:
        raise IntegrityError(
            f"The predictions are of {predictions.n_rows} rows, the benchmark has {len(truth)} with a label"
        )
    numeric = predictions.task is Task.REGRESSION
    for row, (value, said) in enumerate(zip(truth, predictions.labels, strict=True)):
        if (float(value) if numeric else class_name(value)) != said:
            raise IntegrityError(
                f"Row {row} of the benchmark is {value!r}, the predictions file says {said!r}",
                hint="Its rows have to be in the benchmark's order, or numbered in a column row.",
            )


def _outcomes(comparison: Any, agreed: Benchmark) -> list[Any]:
    from hokusai.domain.metrics import common_metric_name
    from hokusai.stats.decide import guardrail_outcome

    by_name = {delta.metric.name: delta for delta in comparison.deltas}
    return [
        guardrail_outcome(guardrail, by_name[name], 1 - 2 * agreed.rule.alpha)
        for guardrail in agreed.rule.guardrails
        if guardrail.slice is None and (name := common_metric_name(guardrail.metric)) in by_name
    ]


def _estimator(path: Path) -> Estimator:
    """What kind of model a file holds, as far as it can be read without being loaded."""
    from hokusai.core.models.skops_file import root_type

    return Estimator(root_type(read_limited(path, _MAX_MODEL_BYTES)) or "unknown")


def _benchmark_payload(record: Path, labels: Path | None, secret: bytes) -> bytes:
    document = parse_json(read_limited(record, MAX_ENVELOPE_BYTES))
    if not isinstance(document, dict):
        raise ConfigurationError("A benchmark's record is a JSON object", where=str(record))
    shown_besides = ("sha256", "uses")
    benchmark = Benchmark.from_dict({k: v for k, v in document.items() if k not in shown_besides})
    if labels is not None:
        root = label_root(
            read_column(labels, benchmark.target_column, benchmark.task), benchmark.data_sha256, secret=secret
        )
        if benchmark.labels_root not in (None, root):
            raise IntegrityError(
                "The record commits to other labels, or to these with another secret", where=str(labels)
            )
        benchmark = replace(
            benchmark, labels_root=root, labels_secret=bool(secret) or benchmark.labels_secret
        )
    return benchmark_statement_bytes(benchmark)


def _secret(path: Path | None) -> bytes:
    return b"" if path is None else read_limited(path, MAX_SECRET_BYTES)
