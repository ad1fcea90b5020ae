"""Models out of MLflow, embedded and on a real server: those of plain MLflow, and those that a run leaves."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hokusai.adapters.mlflow_models import SEMVER_TAG, MlflowModelFiles
from hokusai.adapters.mlflow_runs import MlflowRunStore
from hokusai.adapters.mlflow_store import open_client, quiet_mlflow
from hokusai.core.models.mlmodel_file import mlflow_files
from hokusai.core.models.skops_file import dump_model, load_model
from hokusai.domain.journal import RunJournal
from hokusai.domain.model import ModelArtifact
from hokusai.errors import BackendUnavailableError, InvalidInputError, NotFoundError, UntrustedModelError

X = np.array([[0.0, 1.0], [1.0, 0.0], [0.2, 0.9], [0.8, 0.1]])
MODEL = LogisticRegression().fit(X, [0, 1, 0, 1])
CONTENT = dump_model(MODEL)

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:mlflow.*"),
]


@dataclass
class Registry:
    uri: str
    artifacts: str | None
    client: Any
    name: str
    """A registered model that nobody else uses."""
    experiment: str

    def version(self, content: bytes, semver: str, file_name: str = "model.skops") -> tuple[str, str]:
        """Store a file as a version; its number, and the id of its run."""
        run = self.client.create_run(self.experiment)
        (self.folder / file_name).write_bytes(content)
        self.client.log_artifact(run.info.run_id, str(self.folder / file_name), "model")
        version = self.client.create_model_version(
            self.name, f"{run.info.artifact_uri}/model", run.info.run_id, tags={SEMVER_TAG: semver}
        )
        return str(version.version), run.info.run_id

    folder: Path


@pytest.fixture(params=["sqlite", "server"])
def registry(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Registry]:
    monkeypatch.chdir(tmp_path)
    if request.param == "sqlite":
        uri, artifacts = f"sqlite:///{tmp_path / 'home' / 'mlflow.db'}", str(tmp_path / "store")
    else:
        uri, artifacts = request.getfixturevalue("mlflow_server").url, None
    client = open_client(uri)
    name = f"churn-{uuid.uuid4().hex}"
    client.create_registered_model(name)
    (tmp_path / "files").mkdir()
    yield Registry(
        uri, artifacts, client, name, client.create_experiment(name, artifacts), tmp_path / "files"
    )
    assert not (tmp_path / "mlflow.db").exists()
    assert not (tmp_path / "mlruns").exists()


@pytest.fixture
def fluent(registry: Registry) -> Iterator[Any]:
    """Plain MLflow, as somebody without Hokusai uses it."""
    with quiet_mlflow():
        import mlflow
        import mlflow.sklearn

        before = mlflow.get_tracking_uri(), mlflow.get_registry_uri()
        mlflow.set_tracking_uri(registry.uri)
        mlflow.set_registry_uri(registry.uri)
        mlflow.set_experiment(experiment_id=registry.experiment)
        yield mlflow
        mlflow.set_tracking_uri(before[0])
        mlflow.set_registry_uri(before[1])


class TestFetch:
    def test_by_every_kind_of_name(self, registry: Registry) -> None:
        number, run_id = registry.version(CONTENT, "1.0.0")
        registry.client.set_registered_model_alias(registry.name, "production", number)
        files = MlflowModelFiles(registry.uri)
        for reference in (
            f"{registry.name}/1.0.0",
            f"models:/{registry.name}/{number}",
            f"models:/{registry.name}/latest",
            f"models:/{registry.name}@production",
            f"models:/{registry.name}/{number}/model.skops",
            f"runs:/{run_id}/model",
            f"runs:/{run_id}/model/model.skops",
        ):
            found = files.fetch(reference)
            assert (found.model_id, found.file_name) == (reference, "model.skops")
            assert found.content == CONTENT

    def test_the_lowest_number_with_a_semantic_version_is_the_one(self, registry: Registry) -> None:
        registry.version(CONTENT, "1.0.0")
        registry.version(b"PK\x03\x04 somebody who came too late", "1.0.0")
        assert MlflowModelFiles(registry.uri).fetch(f"{registry.name}/1.0.0").content == CONTENT

    def test_what_is_not_there_is_said_so(self, registry: Registry) -> None:
        _, run_id = registry.version(CONTENT, "1.0.0")
        files = MlflowModelFiles(registry.uri)
        for reference in (
            f"{registry.name}/1.0.1",
            "nobody's/1.0.0",
            f"models:/{registry.name}/7",
            f"models:/{registry.name}@production",
            f"models:/{registry.name}/1/nothing",
            "models:/nobody/1",
            "models:/nobody/latest",
            f"models:/m-{'0' * 32}",
            f"runs:/{run_id}/nothing",
            f"runs:/{'0' * 32}/model",
        ):
            with pytest.raises(NotFoundError) as caught:
                files.fetch(reference)
            assert caught.value.where == reference

    @pytest.mark.parametrize("reference", ["models:/", "runs:/", "models:/name/Staging", "s3://bucket/model"])
    def test_what_names_no_model(self, registry: Registry, reference: str) -> None:
        with pytest.raises(InvalidInputError, match="does not name a model"):
            MlflowModelFiles(registry.uri).fetch(reference)

    def test_a_pickle_is_not_touched(self, registry: Registry) -> None:
        registry.version(b"\x80\x04.", "1.0.0", "model.pkl")
        with pytest.raises(UntrustedModelError, match=r"stored as model\.pkl"):
            MlflowModelFiles(registry.uri).fetch(f"{registry.name}/1.0.0")

    def test_a_version_whose_files_are_gone(self, registry: Registry) -> None:
        run = registry.client.create_run(registry.experiment)
        registry.client.create_model_version(registry.name, f"{run.info.artifact_uri}/model", run.info.run_id)
        with pytest.raises(NotFoundError):
            MlflowModelFiles(registry.uri).fetch(f"models:/{registry.name}/1")

    def test_a_model_of_plain_mlflow(self, registry: Registry, fluent: Any) -> None:
        with fluent.start_run() as run:
            fluent.sklearn.log_model(
                MODEL, name="model", registered_model_name=registry.name, pip_requirements=["scikit-learn"]
            )
        for reference in (f"models:/{registry.name}/1", f"runs:/{run.info.run_id}/model"):
            found = MlflowModelFiles(registry.uri).fetch(reference)
            loaded = load_model(found.content, where=found.file_name)
            assert (loaded.predict_proba(X) == MODEL.predict_proba(X)).all()


def test_a_server_that_is_not_there_is_not_a_missing_model() -> None:
    with pytest.raises(BackendUnavailableError):
        MlflowModelFiles("http://127.0.0.1:9").fetch("churn/1.0.0")


class TestWhatARunLeaves:
    def test_plain_mlflow_loads_it(self, registry: Registry, fluent: Any, tmp_path: Path) -> None:
        frame = pd.DataFrame({"a": X[:, 0], "t": ["foo bar", "baz", "foo", "baz baz"]})
        pipeline = make_pipeline(
            make_column_transformer((StandardScaler(), ["a"]), (TfidfVectorizer(), "t")),
            RandomForestClassifier(5, random_state=1),  # MLflow's own skops format refuses it
        ).fit(frame, [0, 1, 0, 1])
        model = ModelArtifact("churn/1.1.0", "x", "model.skops", dump_model(pipeline), {}, 4)
        folder = tmp_path / "artifacts" / "models" / "new"
        folder.mkdir(parents=True)
        for name, content in {model.file_name: model.content, **mlflow_files(model)}.items():
            (folder / name).write_bytes(content)
        store = MlflowRunStore(registry.uri, registry.artifacts)
        journal = RunJournal(registry.name, registry.name, {}, {}, {}, (), ())
        run = store.open_runs(journal)
        store.write(journal, run, tmp_path / "artifacts")

        uri = f"runs:/{run.run_id}/models/new"
        expected = pipeline.predict(frame)
        assert (fluent.sklearn.load_model(uri).predict(frame) == expected).all()
        assert (fluent.pyfunc.load_model(uri).predict(frame) == expected).all()
        registry.client.create_model_version(
            registry.name, f"{registry.client.get_run(run.run_id).info.artifact_uri}/models/new", run.run_id
        )
        assert (fluent.pyfunc.load_model(f"models:/{registry.name}/1").predict(frame) == expected).all()
        assert MlflowModelFiles(registry.uri).fetch(uri).content == model.content
