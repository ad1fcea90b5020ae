"""`hokusai evaluate`, as somebody types it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from hokusai.core.models.skops_file import dump_model

Hokusai = Callable[..., Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows, a model that knows one of two columns, and one that knows both."""
    path = tmp_path_factory.mktemp("evaluate")
    draw = np.random.default_rng(1)
    table = pd.DataFrame(draw.normal(size=(1000, 2)), columns=["a", "b"])
    table["region"] = draw.choice(["EU", "US"], 1000)
    table["left"] = np.where(table["a"] + table["b"] + draw.normal(size=1000) > 0, "yes", "no")
    table.to_csv(path / "rows.csv", index=False)
    for name, columns in (("old", ["a"]), ("new", ["a", "b"])):
        model = LogisticRegression().fit(table[columns], table["left"])
        (path / f"{name}.skops").write_bytes(dump_model(model))
    return path


@pytest.fixture
def evaluate(hokusai: Hokusai, folder: Path) -> Hokusai:
    """The command on the fixture's rows."""

    def run(model: str, *more: str, group: tuple[str, ...] = ()) -> Any:
        rows = ("--data", str(folder / "rows.csv"), "--target", "left", "--no-latency")
        more = tuple(str(folder / one) if one.endswith(".skops") else one for one in more)
        return hokusai(*group, "evaluate", str(folder / model), *rows, *more)

    return run


def test_one_model(evaluate: Hokusai) -> None:
    answer = evaluate("new.skops", "--slice", "region")
    assert answer.code == 0, answer.err
    for text in ("new.skops on 1,000 rows", "accuracy", "is \\ said", "ECE", "region=EU", "worst slice"):
        assert text in answer.out
    assert "latency" not in answer.out


def test_the_same_as_a_command_of_models_and_as_json(evaluate: Hokusai) -> None:
    answer = evaluate("new.skops", "--json", group=("models",))
    assert answer.code == 0, answer.err
    assert answer.json["rows"] == 1000
    assert set(answer.json["model"]["metrics"]) == {"accuracy", "precision", "recall", "f1", "auroc"}
    assert len(answer.json["data_sha256"]) == 64


def test_two_models_and_the_decision(evaluate: Hokusai) -> None:
    answer = evaluate(
        "new.skops", "--baseline", "old.skops", "--guardrail", "recall[region=EU]=0.05", "--gate"
    )
    assert answer.code == 0, answer.err
    assert "Accepted" in answer.out
    assert "✓" in answer.out


def test_the_gate_closes_on_what_does_not_count(evaluate: Hokusai) -> None:
    worse = ("old.skops", "--baseline", "new.skops", "--guardrail", "recall=0.01")
    closed, open_ = evaluate(*worse, "--gate"), evaluate(*worse)
    assert (closed.code, open_.code) == (1, 0)
    assert "Rejected" in closed.out
    told = evaluate(*worse, "--gate", "--json")
    assert told.code == 1
    reasons = [one["verdict"] for one in told.json["decision"]["reasons"]]
    assert reasons == ["below_threshold", "not_significant", "guardrail"]


def test_a_page_is_drawn(evaluate: Hokusai, tmp_path: Path) -> None:
    assert evaluate("new.skops", "--plots", str(tmp_path / "page.html")).code == 0
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("more", "code", "reason"),
    [
        (("--guardrail", "recall=0.01"), 2, "need a --baseline"),
        (("--gate",), 2, "need a --baseline"),
        (("--baseline", "old.skops", "--guardrail", "recall"), 2, "METRIC=MARGIN"),
        (("--slice", "regoin"), 1, "Did you mean 'region'"),
        (("--plots", "page.pdf"), 1, "Name the file .html"),
        (("--baseline", "nowhere.skops"), 1, "no such model file"),
        (("--metric", "acuracy"), 1, "Did you mean 'accuracy'"),
    ],
)
def test_what_cannot_be_done_says_why(
    evaluate: Hokusai, more: tuple[str, ...], code: int, reason: str
) -> None:
    answer = evaluate("new.skops", *more)
    assert answer.code == code
    assert reason in answer.err
    assert "Traceback" not in answer.err
