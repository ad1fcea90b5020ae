"""What is copied out of an artefact store on this machine: files of the model, and no other files of the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from hokusai.adapters.mlflow_registry import MlflowModelStore
from hokusai.adapters.mlflow_store import open_client
from hokusai.errors import IntegrityError


@pytest.fixture
def store(tmp_path: Path) -> MlflowModelStore:
    return MlflowModelStore(f"sqlite:///{tmp_path}/mlflow.db", str(tmp_path / "store"))


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("known to few")
    return tmp_path / "outside"


@pytest.mark.parametrize(
    ("link", "to"), [("weights", "secret"), ("deep/er/weights", "secret"), ("data", ".")]
)
def test_links_within_a_folder_are_refused_by_name(
    store: MlflowModelStore, outside: Path, tmp_path: Path, link: str, to: str
) -> None:
    path = tmp_path / "model" / link
    path.parent.mkdir(parents=True)
    path.symlink_to(outside / to)
    with pytest.raises(IntegrityError, match=f"{path.name} is a link to .*outside") as caught:
        store.fetch(str(tmp_path / "model"), tmp_path / "got")
    assert caught.value.where == str(path)
    assert list((tmp_path / "got").rglob("*")) == []


def test_a_link_in_place_of_a_file_is_refused(store: MlflowModelStore, outside: Path, tmp_path: Path) -> None:
    (tmp_path / "weights").symlink_to(outside / "secret")
    with pytest.raises(IntegrityError, match="weights is a link"):
        store.fetch(str(tmp_path / "weights"), tmp_path / "got")


def test_links_within_what_a_run_left_are_refused(
    store: MlflowModelStore, outside: Path, tmp_path: Path
) -> None:
    client = open_client(f"sqlite:///{tmp_path}/mlflow.db")
    run = client.create_run(client.create_experiment("all", str(tmp_path / "runs"))).info
    (tmp_path / "weights").write_text("ours")
    client.log_artifact(run.run_id, str(tmp_path / "weights"), "model")
    place = Path(run.artifact_uri.removeprefix("file://")) / "model"
    store.fetch(f"runs:/{run.run_id}/model", tmp_path / "before")
    assert [path.name for path in (tmp_path / "before").iterdir()] == ["weights"]
    (place / "stolen").symlink_to(outside / "secret")
    with pytest.raises(IntegrityError, match="stolen is a link"):
        store.fetch(f"runs:/{run.run_id}/model", tmp_path / "got")


def test_the_folder_itself_may_be_reached_by_a_link(
    store: MlflowModelStore, outside: Path, tmp_path: Path
) -> None:
    (tmp_path / "model").symlink_to(outside)
    store.fetch(str(tmp_path / "model"), tmp_path / "got")
    assert (tmp_path / "got" / "secret").read_text() == "known to few"
