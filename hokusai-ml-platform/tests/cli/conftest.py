"""The whole command in this process, on an embedded home of its own, and model files to give to it."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hokusai.cli import main
from hokusai.utils.logging import OUR_LOGGERS


@dataclass(frozen=True)
class Answer:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document that is all of standard output."""
        return json.loads(self.out)


Hokusai = Callable[..., Answer]


@pytest.fixture
def hokusai(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Hokusai]:
    """Run a command as somebody types it, in a home that is new for each test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOKUSAI_HOME", str(tmp_path / "home"))
    for name in ("MLFLOW_TRACKING_URI", "HOKUSAI_DATABASE_URL", "POSTGRES_URI", "MLFLOW_ARTIFACT_ROOT"):
        monkeypatch.delenv(name, raising=False)
    loggers = [logging.getLogger(name) for name in ("", *OUR_LOGGERS)]
    before = [(logger, logger.level, list(logger.handlers)) for logger in loggers]

    def run(*arguments: str) -> Answer:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert isinstance(ended.value.code, int)
        return Answer(ended.value.code, *capsys.readouterr())

    with warnings.catch_warnings():
        yield run
    logging.captureWarnings(False)
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers


@pytest.fixture(scope="session")
def model_files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Three skops files of different models."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    from hokusai.core.models.skops_file import dump_model

    rows = np.arange(24, dtype=float).reshape(12, 2)
    target = np.array([0, 1] * 6)
    folder = tmp_path_factory.mktemp("models")
    for number in range(3):
        model = LogisticRegression(C=number + 1).fit(rows, target)
        (folder / f"{number}.skops").write_bytes(dump_model(model))
    return [str(folder / f"{number}.skops") for number in range(3)]


@pytest.fixture
def churn(hokusai: Hokusai, model_files: list[str], request: pytest.FixtureRequest) -> Hokusai:
    """The command line with a home of the test's own that the module's `fill` has filled."""
    request.module.fill(hokusai, model_files)
    return hokusai


@pytest.fixture(scope="module")
def shelf_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shelf") / "home"


@pytest.fixture
def shelf(
    hokusai: Hokusai,
    model_files: list[str],
    shelf_home: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Hokusai:
    """The same in one home for all tests of the module that only read, or are refused."""
    monkeypatch.setenv("HOKUSAI_HOME", str(shelf_home))
    if not shelf_home.exists():
        request.module.fill(hokusai, model_files)
    return hokusai
