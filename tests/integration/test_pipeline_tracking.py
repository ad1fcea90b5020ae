"""What a run leaves for people and machines: the DeltaOne JSON, the report, and the runs in MLflow."""

import hashlib
import json
import uuid

import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

from tests.integration import pipeline_data as make
from tests.integration.mlflow_view import TrackedPipeline
from tests.integration.pipeline_process import OUTPUTS, STEPS, dry_run, pipeline
from tests.integration.test_pipeline_real_runs import register_model

TRACKED_STEPS = list(STEPS[:-1])  # `end` only says where things are
KEYS = {
    "": [
        "schema_version",
        "delta_computation",
        "baseline_model",
        "new_model",
        "contributor_attribution",
        "decision",
        "evaluation_metadata",
        "pipeline_metadata",
    ],
    "delta_computation": [
        "delta_one_score",
        "metric_deltas",
        "computation_method",
        "metrics_included",
        "improved_metrics",
        "degraded_metrics",
    ],
    "delta_computation.metric_deltas.accuracy": [
        "baseline_value",
        "new_value",
        "absolute_delta",
        "relative_delta",
        "improvement",
    ],
    "baseline_model": ["model_id", "model_type", "metrics", "mlflow_run_id"],
    "new_model": ["model_id", "model_type", "metrics", "mlflow_run_id", "training_metadata"],
    "contributor_attribution": [
        "contributor_id",
        "wallet_address",
        "data_hash",
        "contributor_weights",
        "contributed_samples",
        "total_samples",
        "data_manifest",
        "contributor_credit",
    ],
    "decision": ["accepted", "reasons", "rule", "guardrails"],
    "evaluation_metadata": ["benchmark_dataset", "evaluation_timestamp", "pipeline_run_id"],
    "pipeline_metadata": ["run_id", "timestamp", "config", "dry_run"],
}


class TestTheDeltaOneJson:
    @pytest.mark.parametrize("which", ["dry", "real"])
    def test_has_the_keys_of_the_specification_the_decision_and_the_credit(self, request, which):
        output = request.getfixturevalue(which).delta_output
        for path, keys in KEYS.items():
            part = output
            for name in filter(None, path.split(".")):
                part = part[name]
            assert list(part) == keys, path

    def test_names_the_file_it_hashed(self, dry):
        attribution = dry.delta_output["contributor_attribution"]
        config = dry.delta_output["pipeline_metadata"]["config"]
        assert config["contributed_files"] == ["test_queries.csv"]
        assert attribution["data_manifest"]["data_hash"] == attribution["data_hash"]

    def test_holds_no_path_of_this_machine(self, real):
        assert str(real.folder) not in real.output("delta_output").read_text()
        assert str(real.folder) not in real.statement.decode()


class TestTheReport:
    def test_shows_every_metric_and_who_is_credited(self, real):
        report = real.output("report").read_text()
        assert report.lower().lstrip().startswith("<!doctype html>")
        for word in ("accuracy", "precision", "recall", "f1", "auroc", "alice", "bob", real.run_id):
            assert word in report
        assert hashlib.sha256(real.statement).hexdigest() in report

    def test_needs_nothing_from_elsewhere(self, real):
        report = real.output("report").read_text()
        assert "src=" not in report.replace('src="data:', "")
        assert "http://" not in report.replace("http://www.w3.org", "")

    def test_says_that_a_dry_run_is_no_evidence(self, dry):
        assert "dry run" in dry.output("report").read_text().lower()


@pytest.fixture(scope="module")
def embedded(real):
    return TrackedPipeline(real)


class TestTheEmbeddedDatabase:
    def test_has_a_run_for_the_pipeline_and_one_for_each_step(self, embedded):
        assert sorted(embedded.steps) == sorted(TRACKED_STEPS)
        assert {run.info.status for run in (embedded.parent, *embedded.steps.values())} == {"FINISHED"}
        for run in embedded.steps.values():
            assert embedded.parent.info.start_time <= run.info.start_time <= run.info.end_time

    def test_has_the_parameters(self, embedded, real):
        params = embedded.parent.data.params
        output = real.delta_output
        assert params["seed"] == "3"
        assert params["target_column"] == "label"
        assert json.loads(params["contributor_id"]) == ["alice", "bob"]
        assert float(params["delta_one_score"]) == output["delta_computation"]["delta_one_score"]
        assert params["data_hash"] == output["contributor_attribution"]["data_hash"]
        trained = embedded.steps["train_new_model"].data.params
        assert trained["model_type"] == "sklearn.linear_model.LogisticRegression"
        assert trained["model_sha256"] == output["new_model"]["training_metadata"]["model_sha256"]

    def test_has_the_metrics(self, embedded, real):
        metrics = embedded.parent.data.metrics
        deltas = real.delta_output["delta_computation"]["metric_deltas"]
        assert metrics["model:accuracy"] == pytest.approx(deltas["accuracy"]["new_value"])
        assert metrics["model:accuracy.delta"] == pytest.approx(deltas["accuracy"]["absolute_delta"])
        assert (
            metrics["pipeline:delta_one_score"] == real.delta_output["delta_computation"]["delta_one_score"]
        )
        assert metrics["pipeline:delta_one_score.low"] <= metrics["pipeline:delta_one_score"]
        integrated = embedded.steps["integrate_contributed_data"].data.metrics
        assert integrated["pipeline:rows_accepted"] == 300
        assert integrated["pipeline:rows_in_benchmark"] == 3
        assert all("pipeline:duration_seconds" in run.data.metrics for run in embedded.steps.values())

    def test_has_the_files(self, embedded, real, tmp_path):
        paths = set(embedded.artifacts())
        written = {real.output(kind).name for kind in OUTPUTS}
        models = {
            f"models/{role}/{name}" for role in ("baseline", "new") for name in ("model.skops", "MLmodel")
        }
        assert written | models | {"data_manifest.json"} <= paths
        for kind in OUTPUTS:
            file = real.output(kind)
            assert embedded.fetch(file.name, tmp_path) == file.read_bytes()

    def test_has_the_models_that_the_json_names(self, embedded, real, tmp_path):
        content = embedded.fetch("models/new/model.skops", tmp_path)
        said = real.delta_output["new_model"]["training_metadata"]["model_sha256"]
        assert hashlib.sha256(content).hexdigest() == said
        steps = embedded.steps
        output = real.delta_output
        assert output["baseline_model"]["mlflow_run_id"] == steps["load_baseline_model"].info.run_id
        assert output["new_model"]["mlflow_run_id"] == steps["train_new_model"].info.run_id

    def test_has_the_data_sets(self, embedded, real):
        inputs = {
            i.dataset.name: i
            for i in embedded.client.get_run(embedded.parent.info.run_id).inputs.dataset_inputs
        }
        assert sorted(inputs) == ["alice.csv", "base", "benchmark", "bob.csv"]
        alice = hashlib.sha256((real.folder / "data" / "alice.csv").read_bytes()).hexdigest()
        assert json.loads(inputs["alice.csv"].dataset.source)["sha256"] == alice
        assert alice.startswith(inputs["alice.csv"].dataset.digest)
        contexts = {name: i.tags[0].value for name, i in inputs.items()}
        assert contexts == {
            "alice.csv": "contribution",
            "bob.csv": "contribution",
            "base": "training",
            "benchmark": "evaluation",
        }


@pytest.fixture(scope="module")
def experiment():
    """A name that no other test of this session uses, on a server that they all share."""
    return f"pipeline-{uuid.uuid4().hex}"


@pytest.fixture(scope="module")
def served(mlflow_server, tmp_path_factory, experiment):
    folder = tmp_path_factory.mktemp("server")
    base, more, bench = (make.shapes(seed, rows) for seed, rows in ((1, 40), (2, 200), (3, 100)))
    for name, rows in (("base", base), ("more", more), ("bench", bench)):
        make.write_csv(folder / f"{name}.csv", rows)
    frame = pd.DataFrame(base)
    model = LogisticRegression(C=0.5).fit(frame[list("abcd")], frame["kind"])
    content = skops.io.dumps(model)
    version = register_model(
        mlflow_server.url, experiment, "1.0.0", content, folder, experiment=f"{experiment}-models"
    )
    left = pipeline(
        folder,
        "run",
        f"--base-data={folder / 'base.csv'}",
        f"--contributed-data={folder / 'more.csv'}",
        f"--benchmark-data={folder / 'bench.csv'}",
        f"--baseline-model=models:/{experiment}/{version}",
        "--target-column=kind",
        MLFLOW_TRACKING_URI=mlflow_server.url,
        MLFLOW_EXPERIMENT_NAME=experiment,
    )
    assert left.rc == 0, left.said
    return left


@pytest.fixture(scope="module")
def on_server(served, mlflow_server, experiment):
    return TrackedPipeline(served, mlflow_server.url, experiment)


class TestAServer:
    """On PostgreSQL and S3, reached as the environment says; the baseline is a model of its registry."""

    def test_gets_all_runs(self, on_server):
        assert sorted(on_server.steps) == sorted(TRACKED_STEPS)
        assert on_server.parent.info.status == "FINISHED"
        assert on_server.parent.data.metrics["pipeline:benchmark_rows"] == 100

    def test_keeps_the_files_in_its_own_store(self, on_server, served, tmp_path):
        assert on_server.experiment.artifact_location.startswith("mlflow-artifacts:")
        file = served.output("attestation")
        assert on_server.fetch(file.name, tmp_path) == file.read_bytes()

    def test_gave_the_baseline(self, on_server, served, tmp_path):
        assert (
            on_server.fetch("models/baseline/model.skops", tmp_path)
            == (served.folder / "model.skops").read_bytes()
        )
        assert served.delta_output["baseline_model"]["model_id"].startswith("models:/")

    def test_nothing_is_left_at_home(self, served):
        assert not (served.home / "mlflow.db").exists()
        assert not list((served.home / "journals").glob("*"))

    def test_the_summary_says_where_to_look(self, served, mlflow_server, on_server):
        place = served.summary["places"]["look at it"]
        assert place.startswith(mlflow_server.url)
        assert on_server.parent.info.run_id in place


class TestTheArtifactRoot:
    def test_can_be_a_bucket(self, s3_server, tmp_path):
        root = s3_server.uri("artefacts")
        left = dry_run(
            tmp_path, MLFLOW_ARTIFACT_ROOT=root, MLFLOW_EXPERIMENT_NAME="in-a-bucket", **s3_server.env()
        )
        assert left.rc == 0, left.said
        objects = s3_server.client().list_objects_v2(Bucket="hokusai", Prefix="artefacts/")["Contents"]
        names = {entry["Key"].rpartition("/")[2] for entry in objects}
        assert {path.name for path in left.outputs.iterdir()} <= names
        assert not (left.home / "artifacts").exists()
        assert TrackedPipeline(left, experiment="in-a-bucket").experiment.artifact_location.startswith(root)
