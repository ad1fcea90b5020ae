"""Where each parameter's value comes from, and what is refused before anything is read."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from hokusai.adapters.memory_ledger import MemoryLedger
from hokusai.attestation.benchmark_statement import benchmark_statement_bytes
from hokusai.attestation.envelope import sign
from hokusai.core.benchmarks import Benchmarks
from hokusai.domain.benchmark import Benchmark
from hokusai.domain.decision import AcceptanceRule, Guardrail
from hokusai.domain.metrics import Task
from hokusai.errors import (
    BackendUnavailableError,
    ConfigurationError,
    DataError,
    MetricError,
    NotFoundError,
)
from hokusai.pipeline.parameters import PARAMETERS, parameter_key
from hokusai.pipeline.plan import ANONYMOUS, RunPlan, resolve_plan
from hokusai.pipeline.preparation import prepare
from hokusai.privacy.policy import PiiAction
from hokusai.utils.config import Settings

THIRTY_NINE = "0x742d35Cc6634C0532925a3b844Bc9e7595f6234"
ADDRESS = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    for name in ("c1.csv", "c2.csv", "base.csv", "bench.csv", "other.csv"):
        (tmp_path / name).write_text("x,label\n1,a\n2,b\n")
    return {name: str(tmp_path / f"{name}.csv") for name in ("c1", "c2", "base", "bench", "other")}


@pytest.fixture
def yaml_file(tmp_path: Path):
    def write(text: str) -> str:
        (tmp_path / "settings.yaml").write_text(text, encoding="utf-8")
        return str(tmp_path / "settings.yaml")

    return write


@pytest.fixture
def real(files: dict[str, str], plan_of):
    """A plan that has all it needs, with some more parameters."""
    return lambda **more: plan_of(**{"contributed_data": files["c1"], "base_data": files["base"], **more})


# parameter, value in the settings file, value on the command line, and what the plan has of each
PRECEDENCE: list[tuple[str, str, str, Any, Any]] = [
    ("target_column", "from_yaml", "from_cli", "from_yaml", "from_cli"),
    ("feature_columns", "[a, b]", "c, d", ("a", "b"), ("c", "d")),
    ("id_column", "y", "n", "y", "n"),
    ("task", "regression", "classification", Task.REGRESSION, Task.CLASSIFICATION),
    ("estimator", "a.B", "c.D", "a.B", "c.D"),
    ("estimator_params", "{tol: 1e-3}", '{"tol": 0.5}', {"tol": 0.001}, {"tol": 0.5}),
    ("primary_metric", "f1_score", "auc", "f1", "auroc"),
    ("metric_weights", "{f1: 1}", '{"accuracy": 2}', {"f1": 1}, {"accuracy": 2}),
    ("seed", "7", "8", 7, 8),
    ("pii", "mask", "drop", PiiAction.MASK, PiiAction.DROP),
    ("attribution", "leave-one-out", "proportional", "leave_one_out", "proportional"),
    ("attribution_seeds", "2", "5", 2, 5),
    ("attribution_orders", "20", "31", 20, 30),  # orders come in pairs
    ("retraining_tasks", "3", "4", 3, 4),
    ("baseline_model", "m/1.0.0", "m/2.0.0", "m/1.0.0", "m/2.0.0"),
]
DEFAULTS = {
    "target_column": "label",
    "feature_columns": None,
    "id_column": None,
    "task": None,
    "estimator": None,
    "estimator_params": {},
    "primary_metric": None,
    "metric_weights": None,
    "seed": 42,
    "pii": PiiAction.HASH,
    "attribution": "shapley",
    "attribution_seeds": None,
    "attribution_orders": 50,
    "retraining_tasks": os.cpu_count(),
    "baseline_model": None,
}


def test_an_unknown_word_for_personal_data_is_refused(real) -> None:
    with pytest.raises(ConfigurationError, match=r"--pii is 'hsah'\. It is one of hash, mask, drop, report"):
        real(pii="hsah")


class TestPrecedence:
    @pytest.mark.parametrize(("key", "in_yaml", "typed", "from_yaml", "from_cli"), PRECEDENCE)
    def test_command_line_then_settings_file_then_default(
        self, real, files, yaml_file, key: str, in_yaml: str, typed: str, from_yaml: Any, from_cli: Any
    ) -> None:
        more = {"benchmark_data": files["bench"]} if key == "baseline_model" else {}
        path = yaml_file(f"{key.replace('_', '-')}: {in_yaml}\n")
        assert getattr(real(**more), key) == DEFAULTS[key]
        assert getattr(real(settings=path, **more), key) == from_yaml
        assert getattr(real(settings=path, **more, **{key: typed}), key) == from_cli

    @pytest.mark.parametrize("key", ["contributed", "base", "benchmark"])
    def test_files(self, files, yaml_file, plan_of, key: str) -> None:
        needed = {"contributed_data": files["c1"], "base_data": files["base"]}
        path = yaml_file(f"{key}_data: {files['c2']}\n")
        del_key = {k: v for k, v in needed.items() if k != f"{key}_data"}
        field = f"{key}_files"
        assert getattr(plan_of(**del_key, settings=path), field) == (Path(files["c2"]),)
        typed = needed | {f"{key}_data": files["other"]}
        assert getattr(plan_of(**typed, settings=path), field) == (Path(files["other"]),)

    def test_seed_from_the_environment_stands_between_file_and_default(
        self, files, tmp_path, yaml_file
    ) -> None:
        known = {
            "contributed_data": files["c1"],
            "base_data": files["base"],
            "output_dir": str(tmp_path / "o"),
        }
        environment = Settings(home=tmp_path, random_seed=5)
        assert resolve_plan(known, environment).seed == 5
        assert resolve_plan({**known, "settings": yaml_file("seed: 0")}, environment).seed == 0
        assert resolve_plan({**known, "settings": yaml_file("seed: 6"), "seed": "0"}, environment).seed == 0
        assert resolve_plan({**known, "seed": 0}, environment).seed == 0

    def test_dry_run_and_experiment_from_the_environment(self, files, tmp_path) -> None:
        known = {"contributed_data": files["c1"], "output_dir": str(tmp_path / "o")}
        plan = resolve_plan(known, Settings(home=tmp_path, test_mode=True, experiment_name="e"))
        assert (plan.dry_run, plan.experiment) == (True, "e")

    @pytest.mark.parametrize(("text", "dry"), [("true", True), ("'no'", False), ("off", False), ("1", True)])
    def test_dry_run_from_the_settings_file(self, files, real, yaml_file, text: str, dry: bool) -> None:
        assert real(settings=yaml_file(f"dry_run: {text}")).dry_run is dry

    def test_output_dir(self, real, tmp_path: Path, yaml_file) -> None:
        path = yaml_file(f"output_dir: {tmp_path / 'y'}")
        assert real(settings=path, output_dir=None).output_dir == tmp_path / "y"
        assert real(settings=path, output_dir=str(tmp_path / "c")).output_dir == tmp_path / "c"

    def test_the_default_output_dir_is_absolute(self, real, tmp_path: Path, monkeypatch) -> None:
        monkeypatch.chdir(tmp_path)
        assert real(output_dir=None).output_dir == tmp_path / "outputs"

    def test_every_parameter_is_covered_above(self) -> None:
        elsewhere = {"contributed_data", "base_data", "benchmark_data", "dry_run", "output_dir", "settings"}
        people = {"contributor", "wallet"}
        rule = {
            "unit_column",
            "benchmark",
            "benchmark_statement",
            "max_submissions",
            "min_rows",
            "threshold",
            "guardrails",
        }
        assert {p.key for p in PARAMETERS} == {row[0] for row in PRECEDENCE} | elsewhere | people | rule

    @given(st.lists(st.sampled_from([p.key for p in PARAMETERS]), unique=True))
    def test_the_empty_text_is_not_given(self, keys: list[str]) -> None:
        with pytest.raises(ConfigurationError, match="No contributed data is named"):
            resolve_plan(dict.fromkeys(keys, ""), Settings())


class TestSettingsFile:
    @pytest.mark.parametrize(
        ("line", "key", "expected"),
        [
            (f"wallet: {ADDRESS}", "wallet", ADDRESS),
            ("contributor: 007", "name", "007"),
            ("contributor: 12:30", "name", "12:30"),
            ("contributor: 1_000", "name", "1_000"),
            ("contributor: 2024-01-31", "name", "2024-01-31"),
            ("contributor: no", "name", "no"),
        ],
    )
    def test_text_that_yaml_1_1_takes_for_something_else_stays_text(
        self, real, yaml_file, line: str, key: str, expected: str
    ) -> None:
        (contributor,) = real(settings=yaml_file(line)).contributors
        assert (str(contributor.wallet) if key == "wallet" else contributor.contributor_id) == expected

    def test_parameters_of_the_estimator_keep_json_types(self, real, yaml_file) -> None:
        text = (
            "estimator: a.B\nestimator_params: {a: 1, b: 1.5, c: 1e-4, d: true, e: null, f: [1, x], g: yes}"
        )
        assert dict(real(settings=yaml_file(text)).estimator_params) == {
            "a": 1, "b": 1.5, "c": 0.0001, "d": True, "e": None, "f": [1, "x"], "g": "yes",
        }  # fmt: skip

    def test_anchors_and_a_null_value(self, real, yaml_file) -> None:
        plan = real(settings=yaml_file("contributor: &who ann\nwallet: *who\ntask:\n"))
        assert (plan.contributors[0].contributor_id, str(plan.contributors[0].wallet)) == ("ann", "ann")
        assert plan.task is None

    def test_an_empty_file_gives_nothing(self, real, yaml_file) -> None:
        assert real(settings=yaml_file("# nothing\n")) == real()

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("target_colum: y", "'target_colum' is not a parameter.*Did you mean 'target_column'"),
            ("wholly-unknown-zzz: y", "is not a parameter.*Parameters: contributed_data, "),
            ("settings: other.yaml", "cannot name another one"),
            ("- a\n- b", "not a mapping"),
            ("just text", "not a mapping"),
            ("a: [", "not YAML"),
            ("seed: 1\nseed: 2", "not YAML: 'seed' is given twice"),
            ("base-data: a\nbase_data: b", "'base_data' is given twice"),
            ("estimator_params: {C: 1, C: 2}", "'C' is given twice"),
            ("seed: !!python/object/apply:os.system ['true']", "not YAML"),
            ("? [a, b]\n: 1", "not YAML|not a parameter"),
            ("target_column: [a]", r"target_column is \['a'\].*One text"),
            ("target_column: true", "target_column is True.*quotes"),
            ("task: {a: 1}", "One text"),
            ("dry_run: perhaps", "--dry-run is 'perhaps'.*true or false"),
        ],
    )
    def test_refusals(self, real, yaml_file, text: str, message: str) -> None:
        with pytest.raises(ConfigurationError, match=message):
            real(settings=yaml_file(text))

    def test_a_file_that_is_missing_or_not_utf8(self, real, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match=r"cannot be read: No such file.*Check --settings"):
            real(settings=str(tmp_path / "gone.yaml"))
        (tmp_path / "latin.yaml").write_bytes(b"target_column: \xe9\n")
        with pytest.raises(ConfigurationError, match="not YAML"):
            real(settings=str(tmp_path / "latin.yaml"))

    @given(
        seed=st.integers(0, 2**70),
        name=st.text("abcXYZ0123456789 .-_", min_size=1).map(str.strip).filter(bool),
    )
    @hypothesis_settings(max_examples=25)
    def test_quoted_text_and_numbers_come_back(self, tmp_path_factory, seed: int, name: str) -> None:
        folder = tmp_path_factory.mktemp("law")
        (folder / "c.csv").write_text("x,label\n1,a\n")
        (folder / "s.yaml").write_text(f"seed: {seed}\ntarget_column: '{name}'\n")
        given_ = {"contributed_data": str(folder / "c.csv"), "dry_run": True, "output_dir": str(folder)}
        plan = resolve_plan({**given_, "settings": str(folder / "s.yaml")}, Settings())
        assert (plan.seed, plan.target_column) == (seed, name)


class TestRefusals:
    def test_no_contributed_data(self, plan_of, files) -> None:
        with pytest.raises(ConfigurationError, match="No contributed data"):
            plan_of(base_data=files["base"])

    def test_a_file_that_is_missing(self, plan_of, files, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"no such file.*c3\.csv.*Did you mean"):
            plan_of(contributed_data=str(tmp_path / "c3.csv"), base_data=files["base"])

    def test_nothing_to_compare_with(self, plan_of, files) -> None:
        with pytest.raises(ConfigurationError, match="nothing to compare with"):
            plan_of(contributed_data=files["c1"])
        with pytest.raises(ConfigurationError, match="nothing to compare with"):
            plan_of(contributed_data=files["c1"], benchmark_data=files["bench"])

    def test_nothing_to_measure_on(self, plan_of, files) -> None:
        with pytest.raises(ConfigurationError, match="nothing to measure on"):
            plan_of(contributed_data=files["c1"], baseline_model="m/1.0.0")

    def test_a_baseline_model_needs_a_benchmark(self, real) -> None:
        with pytest.raises(ConfigurationError, match="nothing can be held out"):
            real(baseline_model="m/1.0.0")

    def test_a_dry_run_needs_nothing_but_the_contribution(self, plan_of, files) -> None:
        plan = plan_of(contributed_data=files["c1"], dry_run=True)
        assert (plan.dry_run, plan.base_files, plan.benchmark_files) == (True, (), ())

    @pytest.mark.parametrize(
        ("given_", "message"),
        [
            ({"task": "clustering"}, "--task is 'clustering'"),
            ({"estimator_params": "{"}, "--estimator-params is not JSON: .*line 1"),
            ({"estimator_params": "[1]"}, r"--estimator-params is \[1\].*JSON object"),
            ({"estimator_params": '{"C": NaN}'}, "not JSON: .*NaN"),
            ({"estimator_params": '{"C": 1, "C": 2}'}, "'C' stands twice"),
            ({"estimator_params": {"C": float("inf")}}, "inf is not a JSON number"),
            ({"estimator_params": {"C": 2**60}}, "beyond 2"),
            ({"seed": "-1"}, "--seed is -1"),
            ({"seed": "1.5"}, "--seed is '1.5'"),
            ({"seed": "many"}, "--seed is 'many'"),
            ({"seed": True}, "--seed is True"),
            ({"contributor": "a,b"}, "--contributor has 2 values for 1 contributed files"),
            ({"wallet": "a,b,c"}, "--wallet has 3 values for 1"),
            ({"bas_data": "x"}, "'bas_data' is not a parameter.*Did you mean 'base_data'"),
        ],
    )
    def test_values(self, real, given_: dict[str, Any], message: str) -> None:
        with pytest.raises(ConfigurationError, match=message):
            real(**given_)

    @pytest.mark.parametrize(
        ("weights", "message"),
        [
            ('{"accuracy": -1}', "weight of 'accuracy' is -1"),
            ('{"accuracy": "2"}', "weight of 'accuracy' is '2'"),
            ('{"accuracy": true}', "weight of 'accuracy' is True"),
            ({"accuracy": float("nan")}, "weight of 'accuracy' is nan"),
            ({"accuracy": float("inf")}, "weight of 'accuracy' is inf"),
            ('{"accuracy": 0}', "No metric has a weight above zero"),
            ("{}", "No metric has a weight above zero"),
            ('{"f1": 1, "f1_score": 2}', "one metric twice"),
            ('{"acuracy": 1}', "Did you mean 'accuracy'"),
        ],
    )
    def test_weights(self, real, weights: Any, message: str) -> None:
        with pytest.raises(MetricError, match=message):
            real(metric_weights=weights)

    def test_nan_in_json_weights(self, real) -> None:
        with pytest.raises(ConfigurationError, match="NaN"):
            real(metric_weights='{"accuracy": NaN}')

    def test_an_unknown_primary_metric(self, real) -> None:
        with pytest.raises(MetricError, match="Did you mean 'accuracy'"):
            real(primary_metric="accurracy")

    @pytest.mark.parametrize("below", ["file", "file/deeper/still"])
    def test_an_output_folder_that_cannot_be(self, real, tmp_path: Path, below: str) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(ConfigurationError, match=r"Results cannot be written: .*--output-dir"):
            real(output_dir=str(tmp_path / below))

    def test_the_output_folder_is_made_and_left_empty(self, real, tmp_path: Path) -> None:
        real(output_dir=str(tmp_path / "a" / "b"))
        assert list((tmp_path / "a" / "b").iterdir()) == []

    def test_parameters_for_the_estimator_of_a_given_baseline(self, real, files) -> None:
        given_ = {
            "baseline_model": "m/1.0.0",
            "benchmark_data": files["bench"],
            "estimator_params": '{"C": 2}',
        }
        with pytest.raises(ConfigurationError, match="settings of the baseline model"):
            real(**given_)
        assert real(**given_, estimator="a.B").estimator_params == {"C": 2}


class TestRule:
    """When an improvement counts: as the parameters say, or as an agreed benchmark says and nobody else."""

    def test_the_default(self, real) -> None:
        assert real().rule == AcceptanceRule(min_rows=800, threshold=Fraction(1, 100), alpha=0.05)

    def test_from_a_settings_file_and_over_it(self, real, yaml_file) -> None:
        path = yaml_file("min_rows: 100\nthreshold: 0.5\nguardrails: [recall=0.01, 'f1[region=EU]=2%']\n")
        rule = real(settings=path).rule
        assert (rule.min_rows, rule.threshold) == (100, Fraction(1, 200))
        assert rule.guardrails == (
            Guardrail("recall", 0.01),
            Guardrail("f1", 0.02, relative=True, slice=("region", "EU")),
        )
        typed = real(settings=path, min_rows="200", threshold="2", guardrails="accuracy=0.02, recall=0").rule
        assert (typed.min_rows, typed.threshold) == (200, Fraction(1, 50))
        assert typed.guardrails == (Guardrail("accuracy", 0.02), Guardrail("recall", 0))

    @pytest.mark.parametrize(
        ("given_", "message"),
        [
            ({"min_rows": "0"}, "--min-rows is 0"),
            ({"min_rows": "many"}, "--min-rows is 'many'"),
            ({"threshold": "1 %"}, r"--threshold is '1 %'\. Percentage points are expected"),
            ({"threshold": "1/0"}, "--threshold is '1/0'"),
            ({"threshold": "nan"}, "--threshold is 'nan'"),
            ({"threshold": "-1"}, "threshold >= 0"),
            ({"guardrails": "recall"}, "'recall' is not of the form METRIC=MARGIN"),
            ({"guardrails": "recall=-0.1"}, "margin"),
            ({"guardrails": "warmth=0.1"}, "whether a higher 'warmth' is better"),
            ({"attribution": "fair"}, "--attribution is 'fair'.*shapley, leave-one-out or proportional"),
            ({"attribution": "shapley_monte_carlo"}, "--attribution is 'shapley_monte_carlo'"),
            ({"attribution_seeds": "0"}, "--attribution-seeds is 0"),
            ({"attribution_orders": "3"}, "--attribution-orders is 3"),
            ({"retraining_tasks": "0"}, "--retraining-tasks is 0"),
        ],
    )
    def test_refusals(self, real, given_: dict[str, str], message: str) -> None:
        with pytest.raises(ConfigurationError, match=message):
            real(**given_)

    @pytest.fixture
    def agreed(self) -> Benchmark:
        return Benchmark(
            name="reviews",
            data_sha256="ab" * 32,
            task=Task.CLASSIFICATION,
            target_column="label",
            n_rows=900,
            primary_metric="f1",
            minimum_detectable_delta=0.02,
            weights={"f1": Fraction(1, 3), "recall": Fraction(2, 3)},
            rule=AcceptanceRule(min_rows=500, guardrails=(Guardrail("recall", 0.01),)),
        )

    @pytest.fixture
    def with_benchmark(self, files, tmp_path: Path, agreed: Benchmark):
        """A plan that may name the benchmark of a ledger."""
        ledger = MemoryLedger()
        Benchmarks(ledger).add(agreed)
        known = {
            "contributed_data": files["c1"],
            "base_data": files["base"],
            "benchmark_data": files["bench"],
            "output_dir": str(tmp_path / "o"),
        }
        return lambda **more: resolve_plan({**known, **more}, Settings(home=tmp_path), Benchmarks(ledger).get)

    def test_a_benchmark_settles_metric_weights_and_rule(self, with_benchmark, agreed: Benchmark) -> None:
        for name in ("reviews", agreed.sha256):
            plan = with_benchmark(benchmark=name)
            assert plan.benchmark == agreed
            assert (plan.task, plan.primary_metric, plan.rule) == (Task.CLASSIFICATION, "f1", agreed.rule)
            assert plan.metric_weights == {"f1": Fraction(1, 3), "recall": Fraction(2, 3)}
            assert plan.to_dict()["benchmark"] == agreed.sha256

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("task", "classification"),
            ("metric_weights", '{"f1": 1}'),
            ("primary_metric", "f1"),
            ("min_rows", "500"),
            ("threshold", "1"),
            ("guardrails", "recall=0.01"),
        ],
    )
    def test_and_nobody_else_does(self, with_benchmark, key: str, value: str) -> None:
        option = key.replace("_", "-")
        with pytest.raises(ConfigurationError, match=f"The benchmark settles --{option} already"):
            with_benchmark(benchmark="reviews", **{key: value})

    def test_another_target(self, with_benchmark) -> None:
        with pytest.raises(ConfigurationError, match=r"predicts 'label', the run 'y'.*--target-column label"):
            with_benchmark(benchmark="reviews", target_column="y")

    def test_an_agreed_benchmark_needs_its_rows(
        self, files, tmp_path: Path, agreed: Benchmark, settings
    ) -> None:
        given = {"contributed_data": files["c1"], "base_data": files["base"], "benchmark": "reviews"}
        with pytest.raises(ConfigurationError, match="whose rows are not there"):
            resolve_plan(given, settings, lambda _name: agreed)

    def test_a_vault_is_not_for_submissions(self, files, tmp_path: Path, agreed: Benchmark) -> None:
        vault = replace(agreed, split="vault")
        known = {"contributed_data": files["c1"], "base_data": files["base"], "benchmark": "reviews"}
        with pytest.raises(ConfigurationError, match="is a vault"):
            resolve_plan({**known, "output_dir": str(tmp_path)}, Settings(), lambda _: vault)

    def test_a_commitment_brings_its_benchmark(self, real, with_benchmark, agreed, tmp_path: Path) -> None:
        committed = replace(agreed, labels_root="cd" * 32)
        payload = benchmark_statement_bytes(committed)
        file = tmp_path / "commitment.json"
        file.write_bytes(sign(payload, [Ed25519PrivateKey.from_private_bytes(bytes(32))]).to_bytes())
        plan = with_benchmark(benchmark_statement=str(file), max_submissions="3")
        assert plan.max_submissions == 3
        assert (plan.benchmark, plan.rule) == (committed, agreed.rule)
        assert plan.benchmark_statement_sha256 == hashlib.sha256(payload).hexdigest()
        with pytest.raises(ConfigurationError, match="The commitment is to the benchmark 'reviews'"):
            with_benchmark(benchmark="reviews", benchmark_statement=str(file))

    def test_a_file_that_is_no_commitment(self, real, files, tmp_path: Path) -> None:
        for path in (files["c1"], str(tmp_path / "gone.json")):
            with pytest.raises(ConfigurationError, match="The commitment to the benchmark cannot be read"):
                real(benchmark_statement=path)

    def test_nobody_knows_it(self, with_benchmark) -> None:
        with pytest.raises(NotFoundError, match="reviewz"):
            with_benchmark(benchmark="reviewz")


class TestContributors:
    def test_one_name_with_two_wallets(self, real, files) -> None:
        both = f"{files['c1']},{files['c2']}"
        with pytest.raises(ConfigurationError, match="'ann' has two wallets"):
            real(contributed_data=both, contributor="ann", wallet=f"{ADDRESS},{THIRTY_NINE}")

    @pytest.mark.parametrize("other", [ADDRESS, ADDRESS.lower()])
    def test_two_names_with_one_account(self, real, files, other) -> None:
        both = f"{files['c1']},{files['c2']}"
        with pytest.raises(ConfigurationError, match="'ann' and 'bob' have one wallet"):
            real(contributed_data=both, contributor="ann,bob", wallet=f"{ADDRESS},{other}")

    def test_nobody_named(self, real) -> None:
        assert [(c.contributor_id, c.wallet) for c in real().contributors] == [(ANONYMOUS, None)]

    def test_one_for_all_files(self, real, files) -> None:
        plan = real(contributed_data=f"{files['c1']},{files['c2']}", contributor="ann", wallet=ADDRESS)
        assert [(c.contributor_id, str(c.wallet)) for c in plan.contributors] == [("ann", ADDRESS)] * 2

    def test_one_for_each_file_of_a_glob_in_the_files_order(self, real, tmp_path: Path, files) -> None:
        plan = real(contributed_data=str(tmp_path / "c*.csv"), contributor="ann, bob")
        assert [path.name for path in plan.contributed_files] == ["c1.csv", "c2.csv"]
        assert [c.contributor_id for c in plan.contributors] == ["ann", "bob"]
        with pytest.raises(ConfigurationError, match="3 values for 2 contributed files"):
            real(contributed_data=str(tmp_path / "c*.csv"), contributor="a,b,c")

    def test_a_wallet_alone_is_the_name_too(self, real) -> None:
        (contributor,) = real(wallet=ADDRESS).contributors
        assert (contributor.contributor_id, contributor.payable) == (ADDRESS, True)

    def test_39_digits_are_an_opaque_id_with_one_warning(self, real, files) -> None:
        plan = real(contributed_data=f"{files['c1']},{files['c2']}", wallet=THIRTY_NINE)
        assert [(str(c.wallet), c.payable) for c in plan.contributors] == [(THIRTY_NINE, False)] * 2
        assert len(plan.wallet_warnings) == 1
        assert "this has 39" in plan.wallet_warnings[0]

    def test_a_wallet_that_cannot_be_shown(self, real) -> None:
        with pytest.raises(ConfigurationError, match="characters that cannot be shown"):
            real(wallet="0x\u0007")


class TestToDict:
    def test_is_json_and_names_no_folder(self, real, tmp_path: Path) -> None:
        import json

        plan = real(
            task="regression", feature_columns="a,b", wallet=THIRTY_NINE, metric_weights='{"rmse": 1}'
        )
        text = json.dumps(plan.to_dict())
        assert str(tmp_path) not in text
        shown = json.loads(text)
        assert shown["contributed_files"] == ["c1.csv"]
        assert (shown["wallets"], shown["contributors"]) == ([THIRTY_NINE], [THIRTY_NINE])
        assert (shown["task"], shown["feature_columns"], shown["output_dir"]) == (
            "regression",
            ["a", "b"],
            "out",
        )


class Store:
    """A tracking store that can be reached, or cannot."""

    def __init__(self, down: bool = False) -> None:
        self.down, self.asked = down, 0

    def check(self) -> None:
        self.asked += 1
        if self.down:
            raise BackendUnavailableError("MLflow cannot be reached")


class TestPrepare:
    @pytest.fixture
    def needed(self, files, tmp_path: Path) -> dict[str, Any]:
        return {
            "contributed_data": files["c1"],
            "base_data": files["base"],
            "output_dir": str(tmp_path / "o"),
        }

    def test_the_plan_of_a_store_that_answers(self, needed, settings) -> None:
        store = Store()
        plan = prepare(needed, settings, store, MemoryLedger)
        assert isinstance(plan, RunPlan)
        assert store.asked == 1

    def test_a_store_that_is_down_ends_the_run_at_once(self, needed, settings) -> None:
        with pytest.raises(BackendUnavailableError):
            prepare(needed, settings, Store(down=True), MemoryLedger)

    @pytest.mark.parametrize(
        ("more", "message"),
        [
            ({"estimator": "sklearn.linear_model.Nothing"}, "no estimator at"),
            (
                {"estimator": "sklearn.svm.SVC", "estimator_params": '{"c": 1}'},
                "has no parameter 'c'.*It has: C",
            ),
            (
                {"estimator": "sklearn.svm.SVC", "estimator_params": '{"C": -1}'},
                "'C' parameter of SVC must be",
            ),
            ({"estimator": "sklearn.svm.SVC", "task": "regression"}, "does not do regression"),
        ],
    )
    def test_an_estimator_that_cannot_be(self, needed, settings, more: dict[str, str], message: str) -> None:
        with pytest.raises(ConfigurationError, match=message):
            prepare({**needed, **more}, settings, Store(), MemoryLedger)

    @pytest.mark.parametrize("name", ["gone.skops", "name/1.2", "a:b", "name"])
    def test_a_baseline_that_is_neither_a_file_nor_a_name(self, needed, settings, files, name: str) -> None:
        with pytest.raises(ConfigurationError, match=f"There is no model '{name}'.*--baseline-model"):
            prepare(
                {**needed, "baseline_model": name, "benchmark_data": files["bench"]},
                settings,
                Store(),
                MemoryLedger,
            )

    @pytest.mark.parametrize(
        "name", ["m/1.2.0", "m/1.2.0-rc.1", "models:/m/3", "models:/m@production", "runs:/a1/model"]
    )
    def test_names_of_stored_models(self, needed, settings, files, name: str) -> None:
        more = {"baseline_model": name, "benchmark_data": files["bench"]}
        assert prepare({**needed, **more}, settings, Store(), MemoryLedger).baseline_model == name

    def test_wallets_are_warned_of_once(self, needed, settings, files, caplog) -> None:
        both = f"{files['c1']},{files['c2']}"
        with caplog.at_level("WARNING"):
            prepare(
                {**needed, "contributed_data": both, "wallet": THIRTY_NINE}, settings, Store(), MemoryLedger
            )
        assert sum("this has 39" in record.getMessage() for record in caplog.records) == 1


class TestParameterTable:
    def test_keys_are_the_names_with_underscores(self) -> None:
        assert [p.key for p in PARAMETERS] == [p.name.replace("-", "_") for p in PARAMETERS]
        # the specification's seventeen, --dry-run, --pii, four on credit and seven on what counts
        assert len({p.key for p in PARAMETERS}) == 30

    @pytest.mark.parametrize("name", ["base-data", "base_data"])
    def test_both_spellings(self, name: str) -> None:
        assert parameter_key(name) == "base_data"
