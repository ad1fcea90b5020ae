"""What a run will do, decided once at its start and never looked up again.

Values come from the command line, then a settings file, then the environment (through `Settings`), then the
defaults. Everything that can be known to be wrong is refused here, before the first long step.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from hokusai.domain.attribution import AttributionMethod
from hokusai.domain.benchmark import VAULT, Benchmark
from hokusai.domain.canonical import canonical_json, parse_json, sha256_hex
from hokusai.domain.contribution import Contributor
from hokusai.domain.decision import AcceptanceRule, Guardrail
from hokusai.domain.identifiers import WalletAddress
from hokusai.domain.metrics import Task, metric_spec
from hokusai.errors import ConfigurationError, HokusaiError, InvalidInputError, MetricError
from hokusai.pipeline.data.files import expand_paths
from hokusai.pipeline.parameters import parameter_key
from hokusai.privacy.policy import PiiAction
from hokusai.utils.config import Settings
from hokusai.utils.files import read_limited

ANONYMOUS = "anonymous"
DEFAULT_ORDERS = 50
_FLAGS = dict.fromkeys(("1", "true", "yes", "on"), True) | dict.fromkeys(("0", "false", "no", "off"), False)


@dataclass(frozen=True, slots=True)
class RunPlan:
    """A resolved and checked set of parameters. `contributors[i]` gave `contributed_files[i]`."""

    contributed_files: tuple[Path, ...]
    base_files: tuple[Path, ...]
    benchmark_files: tuple[Path, ...]
    baseline_model: str | None
    target_column: str
    feature_columns: tuple[str, ...] | None
    id_column: str | None
    task: Task | None
    estimator: str | None
    estimator_params: Mapping[str, Any]
    primary_metric: str | None
    metric_weights: Mapping[str, float | Fraction] | None
    contributors: tuple[Contributor, ...]
    seed: int
    output_dir: Path
    dry_run: bool
    experiment: str
    attribution: AttributionMethod
    attribution_seeds: int | None
    attribution_orders: int
    retraining_tasks: int
    benchmark: Benchmark | None
    max_submissions: int | None
    rule: AcceptanceRule
    unit_column: str | None = None
    pii: PiiAction = PiiAction.HASH
    benchmark_statement_sha256: str | None = None

    @property
    def wallet_warnings(self) -> tuple[str, ...]:
        """What is to be said about wallet addresses, each once."""
        said = [c.wallet.warning for c in self.contributors if c.wallet is not None and c.wallet.warning]
        return tuple(dict.fromkeys(said))

    def to_dict(self) -> dict[str, Any]:
        """For people and logs: names of files instead of paths, plain values throughout."""
        plain = asdict(self)
        for key in ("contributed_files", "base_files", "benchmark_files"):
            plain[key] = [path.name for path in plain[key]]
        plain["contributors"] = [c.contributor_id for c in self.contributors]
        plain["wallets"] = [str(c.wallet) if c.wallet else None for c in self.contributors]
        plain["pii"] = str(self.pii)
        plain["output_dir"] = self.output_dir.name
        plain["feature_columns"] = list(self.feature_columns) if self.feature_columns else None
        if self.metric_weights is not None:
            plain["metric_weights"] = {name: float(weight) for name, weight in self.metric_weights.items()}
        plain["attribution"] = self.attribution.value
        plain["benchmark"] = self.benchmark.sha256 if self.benchmark else None
        plain["rule"] = {
            "min_rows": self.rule.min_rows,
            "threshold": float(self.rule.threshold),
            "alpha": self.rule.alpha,
            "guardrails": {guardrail.name: guardrail.margin for guardrail in self.rule.guardrails},
        }
        return plain


def resolve_plan(
    given: Mapping[str, Any],
    settings: Settings,
    find_benchmark: Callable[[str], Benchmark] | None = None,
) -> RunPlan:
    """Decide every parameter of a run.

    Args:
        given: Parameter key to value as typed; None, "" and False mean "not given".
        settings: Where defaults come from.
        find_benchmark: Finds an agreed benchmark by what it is called.

    Raises:
        ConfigurationError: A parameter that is missing, unknown, malformed or contradicts another.
        DataError: A file that does not exist or cannot be read.
        MetricError: An unknown metric or unusable weights.
    """
    values = {
        parameter_key(name): value
        for name, value in given.items()
        if not (value is None or value is False or value == "")
    }
    if "settings" in values:
        from hokusai.pipeline.settings_file import read_settings_file

        values = read_settings_file(Path(values["settings"])) | values

    dry_run = _flag(values.get("dry_run", False), "dry-run") or settings.test_mode
    contributed = _files(values, "contributed_data")
    if not contributed:
        raise ConfigurationError(
            "No contributed data is named",
            hint="Give --contributed-data FILE, several joined by commas, or a glob.",
        )
    base, benchmark = _files(values, "base_data"), _files(values, "benchmark_data")
    baseline = _text(values, "baseline_model")
    estimator, params = _text(values, "estimator"), _params(values.get("estimator_params"))
    if not dry_run:
        _check_data_suffices(base, benchmark, baseline)
        if params and baseline is not None and estimator is None:
            raise ConfigurationError(
                "--estimator-params without --estimator: the new model has the settings of the baseline model",
                hint="Name the --estimator that they are for, or leave them out.",
            )

    task = _text(values, "task")
    if task is not None and task not in list(Task):
        raise ConfigurationError(f"--task is {task!r}", hint="It is classification or regression.")
    weights: Mapping[str, float | Fraction] | None = _weights(values.get("metric_weights"))
    primary = _text(values, "primary_metric")
    agreed, statement_sha256 = _agreed(values, find_benchmark)
    units = _text(values, "unit_column")
    if agreed is not None:
        units = agreed.unit_column
        task = agreed.task.value
        weights = dict(agreed.weights) or None
        primary = agreed.primary_metric
    target = _text(values, "target_column") or "label"
    _check_units(units, target, benchmark, dry_run=dry_run)
    return RunPlan(
        contributed_files=contributed,
        base_files=base,
        benchmark_files=benchmark,
        baseline_model=baseline,
        target_column=target,
        feature_columns=_names(values.get("feature_columns")),
        id_column=_text(values, "id_column"),
        task=Task(task) if task else None,
        estimator=estimator,
        estimator_params=params,
        primary_metric=metric_spec(primary).name if primary is not None else None,
        metric_weights=weights,
        contributors=_contributors(values, len(contributed)),
        seed=_integer(values.get("seed", settings.random_seed), "seed"),
        output_dir=_output_dir(Path(_text(values, "output_dir") or "./outputs")),
        dry_run=dry_run,
        experiment=settings.experiment_name,
        attribution=_attribution(values.get("attribution")),
        attribution_seeds=(
            _count(values, "attribution_seeds", 1, least=1) if "attribution_seeds" in values else None
        ),
        attribution_orders=2 * (_count(values, "attribution_orders", DEFAULT_ORDERS, least=4) // 2),
        retraining_tasks=_count(values, "retraining_tasks", os.cpu_count() or 1, least=1),
        benchmark=agreed,
        max_submissions=_count(values, "max_submissions", 1, least=1)
        if "max_submissions" in values
        else None,
        rule=agreed.rule if agreed is not None else _rule(values),
        unit_column=units,
        pii=_action(_text(values, "pii")),
        benchmark_statement_sha256=statement_sha256,
    )


_AGREED = ("task", "unit_column", "metric_weights", "primary_metric", "min_rows", "threshold", "guardrails")


def _agreed(
    values: Mapping[str, Any], find_benchmark: Callable[[str], Benchmark] | None
) -> tuple[Benchmark | None, str | None]:
    """(the benchmark that the run names, the digest of its owner's commitment to it).

    What the benchmark settles must not be given besides.
    """
    name, file = _text(values, "benchmark"), _text(values, "benchmark_statement")
    committed, statement_sha256 = _committed(Path(file)) if file is not None else (None, None)
    found = find_benchmark(name) if name is not None and find_benchmark is not None else committed
    if found is None:
        return None, None
    if committed is not None and committed != found:
        raise ConfigurationError(
            f"The commitment is to the benchmark {committed.name!r} ({committed.sha256[:12]}), the run is on "
            f"{found.name!r} ({found.sha256[:12]})",
            where="--benchmark-statement",
            hint="Leave --benchmark out, or give the commitment to it.",
        )
    if found.split == VAULT:
        raise ConfigurationError(
            f"The benchmark {found.name!r} is a vault: it is opened once, to settle an epoch, and for nothing else",
            where="--benchmark",
            hint="Measure on another benchmark; see hokusai benchmark settle.",
        )
    given = [key.replace("_", "-") for key in _AGREED if key in values]
    if given:
        raise ConfigurationError(
            f"The benchmark settles {', '.join(f'--{key}' for key in given)} already",
            where="--benchmark",
            hint="Leave these out, or leave the benchmark out.",
        )
    if "benchmark_data" not in values:
        raise ConfigurationError(
            f"The run is on the benchmark {found.name!r}, whose rows are not there",
            where="--benchmark",
            hint="Give its files too: --benchmark-data FILE.",
        )
    target = _text(values, "target_column") or "label"
    if found.target_column != target:
        raise ConfigurationError(
            f"The benchmark {found.name!r} predicts {found.target_column!r}, the run {target!r}",
            where="--benchmark",
            hint=f"Give --target-column {found.target_column}.",
        )
    return found, statement_sha256


def _committed(file: Path) -> tuple[Benchmark, str]:
    """The benchmark that a signed commitment is to, and the digest of what was signed.

    Whose signature it is, is for those to say who verify: a run does not know its owner's keys.
    """
    from hokusai.attestation.benchmark_statement import read_benchmark_statement
    from hokusai.attestation.envelope import MAX_ENVELOPE_BYTES, Envelope

    try:
        payload = Envelope.parse(read_limited(file, MAX_ENVELOPE_BYTES)).payload
        return read_benchmark_statement(payload), sha256_hex(payload)
    except HokusaiError as problem:
        raise ConfigurationError(
            f"The commitment to the benchmark cannot be read: {problem.what}",
            where=f"--benchmark-statement {file}",
            hint="Give the file that its owner signed.",
        ) from problem


def _rule(values: Mapping[str, Any]) -> AcceptanceRule:
    """When an improvement counts, where no benchmark says so."""
    try:
        points = Fraction(str(values.get("threshold", "1")))
    except (ValueError, ZeroDivisionError) as problem:
        raise ConfigurationError(
            f"--threshold is {values['threshold']!r}", hint="Percentage points are expected, such as 0.5."
        ) from problem
    texts = values.get("guardrails", ())
    parts = texts if isinstance(texts, list | tuple) else str(texts).split(",")
    try:
        return AcceptanceRule(
            min_rows=_count(values, "min_rows", AcceptanceRule().min_rows, least=1),
            threshold=points / 100,
            guardrails=tuple(Guardrail.parse(str(part)) for part in parts if str(part).strip()),
        )
    except InvalidInputError as problem:
        hint = problem.hint or "--guardrails recall=0.01 allows a loss of one percentage point."
        raise ConfigurationError(problem.what, where=problem.where, hint=hint) from problem


def _attribution(value: Any) -> AttributionMethod:
    name = "shapley" if value is None else str(value).replace("-", "_")
    choices = (AttributionMethod.SHAPLEY, AttributionMethod.LEAVE_ONE_OUT, AttributionMethod.PROPORTIONAL)
    if name not in choices:
        raise ConfigurationError(
            f"--attribution is {value!r}", hint="It is shapley, leave-one-out or proportional."
        )
    return AttributionMethod(name)


def _count(values: Mapping[str, Any], key: str, default: int, *, least: int) -> int:
    number = _integer(values.get(key, default), key.replace("_", "-"))
    if number < least:
        raise ConfigurationError(
            f"--{key.replace('_', '-')} is {number}", hint=f"A number of {least} or more is expected."
        )
    return number


def _text(values: Mapping[str, Any], key: str) -> str | None:
    value = values.get(key)
    if value is None:
        return None
    if isinstance(value, bool | list | tuple | Mapping):
        raise ConfigurationError(
            f"{key} is {value!r}", hint="One text is expected; in YAML, put it in quotes."
        )
    return str(value)


def _files(values: Mapping[str, Any], key: str) -> tuple[Path, ...]:
    value = values.get(key)
    if value is None:
        return ()
    if isinstance(value, list | tuple):
        return tuple(path for part in value for path in expand_paths(str(part)))
    return expand_paths(str(value))


def _action(value: str | None) -> PiiAction:
    if value is not None and value not in list(PiiAction):
        raise ConfigurationError(
            f"--pii is {value!r}", hint=f"It is one of {', '.join(PiiAction)}; see docs/privacy.md."
        )
    return PiiAction(value) if value else PiiAction.HASH


def _check_data_suffices(base: Sequence[Path], benchmark: Sequence[Path], baseline: object) -> None:
    if not base and baseline is None:
        raise ConfigurationError(
            "There is nothing to compare with: neither base data nor a baseline model is named",
            hint="Give --base-data FILE (the baseline is trained on it), or --baseline-model with "
            "--benchmark-data, or try --dry-run.",
        )
    if not base and not benchmark:
        raise ConfigurationError(
            "There is nothing to measure on: neither a benchmark nor base data to hold one out of is named",
            hint="Give --benchmark-data FILE or --base-data FILE.",
        )
    if baseline is not None and not benchmark:
        raise ConfigurationError(
            "A baseline model may have been trained on any row of the base data, so nothing can be held out of it",
            hint="Give --benchmark-data FILE along with --baseline-model.",
        )


def _check_units(units: str | None, target: str, benchmark: Sequence[Path], *, dry_run: bool) -> None:
    if units is None:
        return
    if units == target:
        raise ConfigurationError(
            f"--unit-column is the target, {target!r}", hint="Name the column that says whose row it is."
        )
    if not benchmark and not dry_run:
        raise ConfigurationError(
            "--unit-column needs a benchmark of its own: a hold-out would cut units in two",
            hint="Give --benchmark-data FILE, with whole units that the base data does not have.",
        )


def _names(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    parts = value if isinstance(value, list | tuple) else str(value).split(",")
    return tuple(name for name in (str(part).strip() for part in parts) if name) or None


def _contributors(values: Mapping[str, Any], n_files: int) -> tuple[Contributor, ...]:
    names = _one_for_each(_names(values.get("contributor")), n_files, "contributor")
    wallets = _one_for_each(_names(values.get("wallet")), n_files, "wallet")
    unreadable = next(
        (name for name in (*names, *wallets) if name is not None and not name.isprintable()), None
    )
    if unreadable is not None:
        raise ConfigurationError(
            f"A contributor or wallet holds characters that cannot be shown: {unreadable!r}",
            hint="Use a name that can be read.",
        )
    people = tuple(
        Contributor(name or wallet or ANONYMOUS, WalletAddress.parse(wallet) if wallet else None)
        for name, wallet in zip(names, wallets, strict=True)
    )
    accounts: dict[str, str] = {}
    for one in people:
        if one.wallet is not None and one.wallet.payable:
            named = accounts.setdefault(one.wallet.checksummed, one.contributor_id)
            if named != one.contributor_id:
                raise ConfigurationError(
                    f"{named!r} and {one.contributor_id!r} have one wallet, {one.wallet.checksummed}",
                    hint="One account is one contributor: two halves may be worth more than the whole. Give one name.",
                )
    by_id: dict[str, Contributor] = {}
    for one in people:
        if by_id.setdefault(one.contributor_id, one) != one:
            raise ConfigurationError(
                f"The contributor {one.contributor_id!r} has two wallets",
                hint="Credit goes to one wallet a contributor; give those who are two people two names.",
            )
    return people


def _one_for_each(given: tuple[str, ...] | None, n_files: int, name: str) -> tuple[str | None, ...]:
    if given is None:
        return (None,) * n_files
    if len(given) == 1:
        return given * n_files
    if len(given) != n_files:
        raise ConfigurationError(
            f"--{name} has {len(given)} values for {n_files} contributed files",
            hint=f"Give one {name} for all files, or as many as there are files, in the files' order.",
        )
    return given


def _mapping(value: Any, name: str) -> Mapping[str, Any] | None:
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = parse_json(value.encode("utf-8", "surrogatepass"))
        except InvalidInputError as problem:
            raise ConfigurationError(
                f"--{name} is not JSON: {problem.what}", hint=f"""Write it as in --{name} '{{"key": 1}}'."""
            ) from problem
    if not isinstance(value, Mapping):
        raise ConfigurationError(
            f"--{name} is {value!r}", hint='A JSON object is expected, such as {"key": 1}.'
        )
    return value


def _params(value: Any) -> Mapping[str, Any]:
    """Arguments of an estimator: JSON values, so that the attestation can state them."""
    params = _mapping(value, "estimator-params") or {}
    try:
        canonical_json(params)
    except InvalidInputError as problem:
        raise ConfigurationError(f"--estimator-params: {problem.what}", where=problem.where) from problem
    return params


def _weights(value: Any) -> Mapping[str, float] | None:
    given = _mapping(value, "metric-weights")
    if given is None:
        return None
    for name, weight in given.items():
        number = isinstance(weight, int | float) and not isinstance(weight, bool)
        if not (number and math.isfinite(weight) and weight >= 0):
            raise MetricError(
                f"The weight of {name!r} is {weight!r}", hint="A number of 0 or more is expected."
            )
    if not any(given.values()):
        raise MetricError("No metric has a weight above zero", hint='Give at least one, such as {"f1": 1}.')
    weights = {metric_spec(str(name)).name: weight for name, weight in given.items()}
    if len(weights) != len(given):
        raise MetricError("--metric-weights names one metric twice", hint="f1 and f1_score are one metric.")
    return weights


def _integer(value: Any, name: str) -> int:
    try:
        number = int(str(value))
    except ValueError as problem:
        raise ConfigurationError(f"--{name} is {value!r}", hint="A whole number is expected.") from problem
    if number < 0:
        raise ConfigurationError(f"--{name} is {number}", hint="A number of 0 or more is expected.")
    return number


def _flag(value: Any, name: str) -> bool:
    text = str(value).strip().lower()
    if text not in _FLAGS:
        raise ConfigurationError(f"--{name} is {value!r}", hint="true or false is expected.")
    return _FLAGS[text]


def _output_dir(path: Path) -> Path:
    """The folder, made if it does not exist, and proved to be writable."""
    import tempfile

    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as problem:
        raise ConfigurationError(
            f"Results cannot be written: {problem.strerror}",
            where=str(path),
            hint="Name a folder that you may write to: --output-dir DIR.",
        ) from problem
    return path.absolute()
