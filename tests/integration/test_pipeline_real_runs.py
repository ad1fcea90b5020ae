"""Real runs: every kind of task, baseline and source of parameters, held to scikit-learn's own figures."""

import json
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn import metrics as sk
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hokusai.adapters.mlflow_store import open_client, quiet_mlflow
from tests.integration import pipeline_data as make
from tests.integration.mlflow_view import TrackedPipeline
from tests.integration.pipeline_process import CLI, Left, pipeline

WALLETS = ["0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"]


def classification_metrics(model, features, truth, average):
    """The five metrics as scikit-learn has them."""
    said, scores = model.predict(features), model.predict_proba(features)
    how = {"average": average, "zero_division": 0.0}
    auroc = (
        sk.roc_auc_score(truth, scores[:, 1])
        if average == "binary"
        else sk.roc_auc_score(truth, scores, multi_class="ovr", average="macro")
    )
    return {
        "accuracy": sk.accuracy_score(truth, said),
        "precision": sk.precision_score(truth, said, **how),
        "recall": sk.recall_score(truth, said, **how),
        "f1": sk.f1_score(truth, said, **how),
        "auroc": auroc,
    }


def regression_metrics(model, features, truth):
    """The three metrics as scikit-learn has them."""
    said = model.predict(features)
    return {
        "rmse": sk.root_mean_squared_error(truth, said),
        "mae": sk.mean_absolute_error(truth, said),
        "r2": sk.r2_score(truth, said),
    }


def deltas(left):
    return left.delta_output["delta_computation"]["metric_deltas"]


def agree(left, baseline, new):
    """Whether the DeltaOne JSON has exactly these metrics of the two models."""
    assert list(deltas(left)) == list(baseline) == list(new)
    for name, delta in deltas(left).items():
        assert delta["baseline_value"] == pytest.approx(baseline[name], rel=1e-9)
        assert delta["new_value"] == pytest.approx(new[name], rel=1e-9)
        assert delta["absolute_delta"] == pytest.approx(new[name] - baseline[name], rel=1e-9, abs=1e-12)
    return True


def verify(folder, left, *options):
    """What `hokusai attest verify` says of a run's attestation."""
    command = (*CLI[:-1], "attest", "verify", left.output("attestation"), *options)
    return pipeline(folder, *command, HOKUSAI_HOME=str(left.home), output_dir=False)


@pytest.fixture(scope="module")
def benchmark(real):
    return pd.read_csv(real.folder / "data" / "benchmark.csv")


class TestBinaryWithTextColumns:
    def test_metrics_are_those_of_scikit_learn(self, real, benchmark, tmp_path):
        tracked = TrackedPipeline(real)
        truth = benchmark.pop("label")
        values = [
            classification_metrics(tracked.model(role, tmp_path / role), benchmark, truth, "binary")
            for role in ("baseline", "new")
        ]
        assert agree(real, *values)
        assert values[1]["accuracy"] > values[0]["accuracy"]  # there was something to learn

    def test_the_score_is_weighted_as_the_settings_file_says(self, real):
        d = {name: delta["absolute_delta"] for name, delta in deltas(real).items()}
        computation = real.delta_output["delta_computation"]
        assert computation["delta_one_score"] == pytest.approx((2 * d["accuracy"] + d["f1"]) / 3, rel=1e-9)
        assert computation["metrics_included"] == ["accuracy", "f1"]

    def test_the_primary_metric_is_recorded_in_basis_points(self, real):
        primary = real.predicate["primary"]
        assert primary["metric"] == "f1"
        assert str(round(10_000 * deltas(real)["f1"]["absolute_delta"]))[:-1] in json.dumps(primary)

    def test_rows_of_the_benchmark_are_reported_and_not_trained_on(self, real):
        training = real.delta_output["new_model"]["training_metadata"]
        assert training["base_samples"] == 60
        assert training["contributed_samples"] == 200 + 100  # alice gave 203
        assert "alice.csv: 3 rows also stand in the benchmark and are not trained on" in " ".join(
            real.summary["notes"]
        )
        assert "3 rows also stand in the benchmark" in real.output("report").read_text()

    def test_contributors_are_credited_by_their_accepted_rows(self, real):
        attribution = real.delta_output["contributor_attribution"]
        assert attribution["contributor_id"] == ["alice", "bob"]
        assert attribution["wallet_address"] == WALLETS
        assert attribution["contributed_samples"] == 300
        assert attribution["total_samples"] == 360
        expected = [float(Fraction(200, 360)), float(Fraction(100, 360))]
        assert attribution["contributor_weights"] == pytest.approx(expected)

    def test_the_attestation_verifies(self, real, tmp_path):
        said = verify(tmp_path, real)
        assert said.rc == 0, said.said
        assert "VERIFIED" in said.stdout

    def test_the_attestation_knows_its_files(self, real, tmp_path):
        names = ("alice.csv", "bob.csv", "benchmark.csv")
        options = [f"--files={real.folder / 'data' / name}" for name in names]
        said = verify(tmp_path / "right", real, *options)
        assert said.rc == 0, said.said
        wrong = verify(tmp_path / "wrong", real, f"--files={real.folder / 'data' / 'base.csv'}", *options)
        assert said.rc == 0 or "base.csv" in wrong.stdout

    def test_a_changed_file_is_not_the_one_attested(self, real, tmp_path):
        changed = tmp_path / "alice.csv"
        changed.write_text((real.folder / "data" / "alice.csv").read_text().replace(",1\n", ",0\n", 1))
        said = verify(tmp_path, real, f"--files={changed}")
        assert said.rc == 1
        assert "REFUSED" in said.stdout

    def test_the_models_that_were_stored_are_those_attested(self, real, tmp_path):
        tracked = TrackedPipeline(real)
        paths = []
        for role in ("baseline", "new"):
            path = tmp_path / f"{role}.skops"
            path.write_bytes(tracked.fetch(f"models/{role}/model.skops", tmp_path / role))
            paths.append(f"--files={path}")
        said = verify(tmp_path, real, *paths)
        assert said.rc == 0, said.said


@pytest.fixture(scope="module")
def shapes_run(once):
    def start(folder):
        make.write_csv(folder / "data" / "base.csv", make.shapes(1, 200))
        make.write_csv(folder / "data" / "more_1.csv", make.shapes(2, 150))
        make.write_csv(folder / "data" / "more_2.csv", make.shapes(3, 150))
        pipeline(
            folder,
            "run",
            f"--base-data={folder / 'data' / 'base.csv'}",
            f"--contributed-data={folder / 'data' / 'more_*.csv'}",
            "--target-column=kind",
            "--estimator=sklearn.ensemble.RandomForestClassifier",
            '--estimator-params={"n_estimators": 20, "max_depth": 4}',
        )

    return once("many_classes", start)


class TestManyClassesOnAHoldOut:
    def test_the_held_out_rows_are_named_and_kept(self, shapes_run, tmp_path):
        benchmark = shapes_run.delta_output["evaluation_metadata"]["benchmark_dataset"]
        assert benchmark["source"] == "a stratified hold-out of 25% of the base data (seed 42)"
        assert benchmark["size"] == 50
        assert shapes_run.delta_output["new_model"]["training_metadata"]["base_samples"] == 150
        rows = TrackedPipeline(shapes_run).fetch("benchmark.csv", tmp_path)
        (tmp_path / "benchmark.csv").write_bytes(rows)
        said = verify(tmp_path, shapes_run, f"--files={tmp_path / 'benchmark.csv'}")
        assert said.rc == 0, said.said

    def test_the_hold_out_keeps_the_shares_of_the_classes(self, shapes_run, tmp_path):
        held = pd.read_csv(_benchmark(shapes_run, tmp_path))["kind"].value_counts(normalize=True)
        whole = pd.read_csv(shapes_run.folder / "data" / "base.csv")["kind"].value_counts(normalize=True)
        assert (held - whole).abs().max() <= 1 / 50

    def test_metrics_are_those_of_scikit_learn(self, shapes_run, tmp_path):
        tracked = TrackedPipeline(shapes_run)
        benchmark = pd.read_csv(_benchmark(shapes_run, tmp_path))
        truth = benchmark.pop("kind")
        values = [
            classification_metrics(tracked.model(role, tmp_path / role), benchmark, truth, "macro")
            for role in ("baseline", "new")
        ]
        assert agree(shapes_run, *values)

    def test_the_estimator_is_the_one_asked_for(self, shapes_run, tmp_path):
        new = shapes_run.delta_output["new_model"]
        assert new["model_type"] == "sklearn.ensemble.RandomForestClassifier"
        stated = new["training_metadata"]["estimator_params"]
        model = TrackedPipeline(shapes_run).model("new", tmp_path)
        assert stated == {"max_depth": 4, "n_estimators": 20, "random_state": model[-1].random_state}
        assert len(model[-1].estimators_) == 20
        assert {tree.max_depth for tree in model[-1].estimators_} == {4}

    def test_every_file_of_the_glob_is_read(self, shapes_run):
        manifest = json.dumps(shapes_run.delta_output["contributor_attribution"]["data_manifest"])
        assert "more_1.csv" in manifest
        assert "more_2.csv" in manifest
        assert shapes_run.delta_output["contributor_attribution"]["contributor_id"] == [
            "anonymous",
            "anonymous",
        ]

    def test_equal_weights_are_the_default(self, shapes_run):
        d = [delta["absolute_delta"] for delta in deltas(shapes_run).values()]
        score = shapes_run.delta_output["delta_computation"]["delta_one_score"]
        assert score == pytest.approx(sum(d) / 5, rel=1e-9, abs=1e-12)


def _benchmark(left, folder):
    path = folder / "held_out.csv"
    path.write_bytes(TrackedPipeline(left).fetch("benchmark.csv", folder / "fetched"))
    return path


@pytest.fixture(scope="module")
def houses_run(once):
    def start(folder):
        base, numbers = make.houses(1, 30), ["area", "age"]
        frame = pd.DataFrame(base)
        baseline = make_pipeline(StandardScaler(), Ridge(alpha=20.0)).fit(frame[numbers], frame["price"])
        (folder / "baseline.skops").write_bytes(skops.io.dumps(baseline))
        for name, rows in (("base", base), ("more", make.houses(2, 200)), ("bench", make.houses(3, 150))):
            make.write_csv(folder / f"{name}.csv", rows)
        pipeline(
            folder,
            "run",
            f"--base-data={folder / 'base.csv'}",
            f"--contributed-data={folder / 'more.csv'}",
            f"--benchmark-data={folder / 'bench.csv'}",
            f"--baseline-model={folder / 'baseline.skops'}",
            "--target-column=price",
            "--feature-columns=area,age",
            "--primary-metric=rmse",
        )

    return once("regression", start)


class TestRegressionAgainstAFile:
    def test_metrics_are_those_of_scikit_learn(self, houses_run, tmp_path):
        tracked = TrackedPipeline(houses_run)
        benchmark = pd.read_csv(houses_run.folder / "bench.csv")
        truth, features = benchmark["price"], benchmark[["area", "age"]]
        values = [
            regression_metrics(tracked.model(role, tmp_path / role), features, truth)
            for role in ("baseline", "new")
        ]
        assert agree(houses_run, *values)

    def test_the_baseline_is_the_file(self, houses_run, tmp_path):
        stored = TrackedPipeline(houses_run).fetch("models/baseline/baseline.skops", tmp_path)
        assert stored == (houses_run.folder / "baseline.skops").read_bytes()
        assert houses_run.delta_output["baseline_model"]["model_type"] == "sklearn.linear_model.Ridge"

    def test_the_new_model_is_of_the_same_kind_and_settings(self, houses_run, tmp_path):
        model = TrackedPipeline(houses_run).model("new", tmp_path)
        assert [type(part).__name__ for _, part in model.steps] == ["StandardScaler", "Ridge"]
        assert model[-1].alpha == 20.0
        frame = pd.concat([pd.read_csv(houses_run.folder / f"{name}.csv") for name in ("base", "more")])
        again = make_pipeline(StandardScaler(), Ridge(alpha=20.0)).fit(frame[["area", "age"]], frame["price"])
        np.testing.assert_allclose(model[-1].coef_, again[-1].coef_, rtol=1e-9)

    def test_an_error_that_falls_is_an_improvement(self, houses_run):
        computation = houses_run.delta_output["delta_computation"]
        assert computation["improved_metrics"] == ["rmse", "mae", "r2"]
        assert computation["degraded_metrics"] == []
        d = computation["metric_deltas"]
        assert d["rmse"]["absolute_delta"] < 0
        gains = [-d[name]["absolute_delta"] / d[name]["baseline_value"] for name in ("rmse", "mae")]
        expected = (sum(gains) + d["r2"]["absolute_delta"]) / 3
        assert computation["delta_one_score"] == pytest.approx(expected, rel=1e-9)

    def test_the_attestation_verifies(self, houses_run, tmp_path):
        options = [
            f"--files={houses_run.folder / name}" for name in ("baseline.skops", "more.csv", "bench.csv")
        ]
        said = verify(tmp_path, houses_run, *options)
        assert said.rc == 0, said.said


class TestABaselineInMlflow:
    """By `name/semver` in the embedded database; `models:/…` on a server is in test_pipeline_tracking."""

    @pytest.fixture
    def registered(self, tmp_path):
        """The home of a pipeline, in whose MLflow shop/1.2.0 is registered; the data files beside it."""
        base, more, bench = (make.shapes(seed, rows) for seed, rows in ((1, 40), (2, 200), (3, 100)))
        frame = pd.DataFrame(base)
        model = LogisticRegression(C=0.5).fit(frame[list("abcd")], frame["kind"])
        register_model(Left(tmp_path).mlflow_uri, "shop", "1.2.0", skops.io.dumps(model), tmp_path)
        for name, rows in (("base", base), ("more", more), ("bench", bench)):
            make.write_csv(tmp_path / f"{name}.csv", rows)
        return tmp_path

    def test_is_found_by_name_and_semantic_version(self, registered):
        left = pipeline(
            registered,
            "run",
            f"--base-data={registered / 'base.csv'}",
            f"--contributed-data={registered / 'more.csv'}",
            f"--benchmark-data={registered / 'bench.csv'}",
            "--baseline-model=shop/1.2.0",
            "--target-column=kind",
        )
        assert left.rc == 0, left.said
        assert left.delta_output["baseline_model"]["model_id"] == "shop/1.2.0"
        assert left.delta_output["new_model"]["model_id"] == "shop/1.3.0"
        benchmark = pd.read_csv(registered / "bench.csv")
        truth = benchmark.pop("kind")
        tracked = TrackedPipeline(left)
        values = [
            classification_metrics(tracked.model(role, registered / role), benchmark, truth, "macro")
            for role in ("baseline", "new")
        ]
        assert agree(left, *values)
        assert tracked.model("new", registered / "again").get_params()["C"] == 0.5  # its settings are kept


def register_model(uri, name, semver, content, folder, experiment="models"):
    """Register a skops file in MLflow, as somebody who has trained a model would; its version."""
    (folder / "model.skops").write_bytes(content)
    with quiet_mlflow():
        client = open_client(uri)
        location = str(folder / "elsewhere") if uri.startswith("sqlite") else None
        run = client.create_run(client.create_experiment(experiment, artifact_location=location))
        client.log_artifact(run.info.run_id, str(folder / "model.skops"), "model")
        client.create_registered_model(name)
        version = client.create_model_version(
            name, f"{run.info.artifact_uri}/model", run.info.run_id, tags={"hokusai.semver": semver}
        )
    return version.version


def test_the_command_line_gives_the_same_result(real, tmp_path):
    data = real.folder / "data"
    left = pipeline(
        tmp_path,
        *CLI,
        "run",
        f"--base-data={data / 'base.csv'}",
        f"--contributed-data={data / 'alice.csv'}",
        f"--contributed-data={data / 'bob.csv'}",
        f"--benchmark-data={data / 'benchmark.csv'}",
        "--contributor=alice",
        "--contributor=bob",
        *(f"--wallet={wallet}" for wallet in WALLETS),
        f"--settings={real.folder / 'run.yaml'}",
    )
    assert left.rc == 0, left.said
    assert left.content == real.content
    assert left.statement == real.statement
    assert "are not trained on" in left.stdout
