"""`hokusai attest create`: an attestation of a comparison that was made elsewhere, or a benchmark's commitment.

The comparison is worked out here from the rows, the digests from the files, and what became of the contributed rows
from the data; nothing that goes into the statement is typed in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hokusai.attestation.benchmark_statement import benchmark_statement_bytes, read_benchmark_statement
from hokusai.attestation.commitments import commit, label_root, require_secret
from hokusai.attestation.envelope import MAX_ENVELOPE_BYTES, Envelope
from hokusai.attestation.envelope import sign as sign_payload
from hokusai.attestation.predictions import RowPredictions, read_column, read_predictions
from hokusai.attestation.recompute import compare_rows
from hokusai.attestation.statement import statement_bytes
from hokusai.cli.attest_keys import own_key
from hokusai.cli.attest_verify import MAX_SECRET_BYTES
from hokusai.cli.benchmark import as_fraction, as_guardrails
from hokusai.cli.options import as_numbers
from hokusai.domain.benchmark import Benchmark
from hokusai.domain.canonical import parse_json, sha256_hex
from hokusai.domain.claim import DeltaOneClaim, Estimator
from hokusai.domain.decision import AcceptanceRule, GuardrailOutcome
from hokusai.domain.delta import Comparison
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
@click.option("--unit-column", metavar="NAME", help="the benchmark's column by which rows belong together")
@click.option("--task", type=click.Choice([task.value for task in Task]), help="default: as the target is")
@click.option(
    "--benchmark-statement", type=_PATH, metavar="FILE",
    help="the owner's commitment, which settles weights, primary metric and rule",
)  # fmt: skip
@click.option(
    "--weight", "weights", multiple=True, callback=as_numbers, metavar="METRIC=WEIGHT",
    help="in DeltaOne; default: equal",
)  # fmt: skip
@click.option("--metric", "primary", metavar="METRIC", help="to pay on (default: accuracy or rmse)")
@click.option("--min-rows", type=click.IntRange(1), help="decide, and ask for so many rows (usual: 800)")
@click.option(
    "--threshold", callback=as_fraction, metavar="POINTS",
    help="decide, and ask for this gain in percentage points (usual: 1)",
)  # fmt: skip
@click.option("--alpha", type=float, help="decide at this one-sided level (usual: 0.05)")
@click.option(
    "--guardrail", "guardrails", multiple=True, callback=as_guardrails, metavar="METRIC=MARGIN",
    help="decide, and let METRIC get worse by no more than MARGIN, as in recall=0.01",
)  # fmt: skip
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

    Of two models: --predictions, --baseline-model, --new-model, --benchmark-data and --contributed-data. A decision is
    in it where --benchmark-statement gives the rule, or at least one of --min-rows, --threshold, --alpha, --guardrail;
    without one there is nothing to mint on; nor with one, for only a pipeline run says what each contributor's data is
    worth. Of a benchmark, before anybody contributes: --benchmark RECORD (as
    `hokusai benchmark show --json` prints it) and --labels.
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
    rule = _rule(given, agreed)
    models = {name: file_sha256(given[name]) for name in ("baseline_model", "new_model")}
    plan = _plan(given, agreed)

    from hokusai.pipeline.contribution import integrate
    from hokusai.pipeline.reference import survey
    from hokusai.stats.composite import parse_weights

    facts = survey(plan)
    contributed = integrate(plan, facts, trains=False)
    predictions = _of_benchmark(read_predictions(given["predictions"], facts.task), plan, facts)
    if len(set(models.values())) == 1:
        _check_alike(predictions)
    chosen = parse_weights(given["weights"], facts.task) if given["weights"] else None
    comparison = compare_rows(
        predictions,
        weights=chosen if agreed is None else dict(agreed.weights) or None,
        primary=given["primary"] if agreed is None else agreed.primary_metric,
    )
    _warn((*_unnamed(plan), *plan.wallet_warnings, *contributed.warnings, *comparison.warnings))
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
        if rule is None
        else decide(
            comparison,
            rule,
            benchmark_sha256=facts.benchmark_sha256,
            expected_sha256=None if agreed is None else agreed.data_sha256,
            outcomes=_outcomes(comparison, rule),
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
            "unit_column": given["unit_column"] or (agreed.unit_column if agreed else None),
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


def _rule(given: dict[str, Any], agreed: Benchmark | None) -> AcceptanceRule | None:
    """When the improvement counts: by the owner's commitment, or by the options; None if neither says so."""
    said = {name: given[name] for name in ("min_rows", "threshold", "alpha") if given[name] is not None}
    if given["guardrails"]:
        said["guardrails"] = given["guardrails"]
    if agreed is None:
        return AcceptanceRule(**said) if said else None
    settled = [*said, *(name for name in ("weights", "primary", "unit_column") if given[name])]
    if settled:
        options = {
            "guardrails": "guardrail",
            "weights": "weight",
            "primary": "metric",
            "min_rows": "min-rows",
            "unit_column": "unit-column",
        }
        named = ", ".join(f"--{options.get(name, name)}" for name in settled)
        raise click.UsageError(f"The owner's commitment settles {named} already: leave it out.")
    return agreed.rule


def _unnamed(plan: RunPlan) -> list[str]:
    """What is to be said of files that nobody is named for."""
    from hokusai.pipeline.plan import ANONYMOUS

    names = [
        path.name
        for path, who in zip(plan.contributed_files, plan.contributors, strict=True)
        if who.contributor_id == ANONYMOUS
    ]
    return [f"{', '.join(names)}: no --contributor is named, so that nobody can be paid."] if names else []


def _warn(warnings: Iterable[str]) -> None:
    """Said beside the result, which stays what programs read."""
    for warning in dict.fromkeys(warnings):
        click.echo(f"Warning: {warning}", err=True)


def _check_alike(predictions: RowPredictions) -> None:
    """One model says one thing: of a file that is both models, both predictions are the same."""
    pairs = [(predictions.baseline, predictions.new)]
    old, new = predictions.baseline_scores or (), predictions.new_scores or ()
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        pairs += [(old[name], new[name]) for name in old.keys() & new.keys()]
    elif not isinstance(old, Mapping) and not isinstance(new, Mapping):
        pairs.append((old, new))
    differing = max(sum(a != b for a, b in zip(old, new, strict=False)) for old, new in pairs)
    if differing:
        raise IntegrityError(
            f"Baseline and new model are the same file, and their predictions differ in {differing:,} rows",
            where="--new-model",
            hint="Give the two models that made the predictions.",
        )


def _of_benchmark(predictions: RowPredictions, plan: RunPlan, facts: Facts) -> RowPredictions:
    """The predictions with the units of the benchmark's rows, whose labels are theirs, in their order."""
    from hokusai.pipeline.reference import load

    known = load(plan, facts)
    truth = known.benchmark[plan.target_column].to_list()
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
    if known.units is None:
        return predictions
    units = [str(number) for number in known.units.tolist()]
    said = predictions.units
    if (
        said is not None
        and len({len(set(zip(units, said, strict=True))), len(set(units)), len(set(said))}) > 1
    ):
        raise IntegrityError(
            f"The column 'unit' of the predictions file and {plan.unit_column!r} of the benchmark differ in which rows "
            "belong together",
            hint="Leave the column 'unit' out: the benchmark has it.",
        )
    return replace(predictions, units=units)


def _outcomes(comparison: Comparison, rule: AcceptanceRule) -> list[GuardrailOutcome]:
    from hokusai.domain.metrics import common_metric_name
    from hokusai.stats.decide import guardrail_outcome

    by_name = {delta.metric.name: delta for delta in comparison.deltas}
    return [
        guardrail_outcome(guardrail, by_name[name], 1 - 2 * rule.alpha)
        for guardrail in rule.guardrails
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
    return b"" if path is None else require_secret(read_limited(path, MAX_SECRET_BYTES))
