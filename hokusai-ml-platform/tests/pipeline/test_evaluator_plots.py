"""An evaluation as a picture: it is one, it repeats, and names cannot break it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from hokusai.errors import InvalidInputError
from hokusai.pipeline.evaluator import ModelEvaluator
from hokusai.pipeline.evaluator_models import open_model
from hokusai.pipeline.evaluator_plots import draw_report, render_report

DRAW = np.random.default_rng(1)
TABLE = pd.DataFrame({"x": DRAW.normal(size=200), "z": DRAW.normal(size=200)})
TABLE["left"] = np.where(TABLE["x"] + 0.5 * DRAW.normal(size=200) > 0, "$yes <b>", "no_{")
TABLE["value"] = 2 * TABLE["x"] + DRAW.normal(size=200)
NEW = LogisticRegression().fit(TABLE[["x"]], TABLE["left"])
OLD = LogisticRegression().fit(TABLE[["z"]], TABLE["left"])
EVALUATOR = ModelEvaluator()


def test_a_picture_of_one_model_holds_its_classes_and_slices(tmp_path: Path) -> None:
    report = EVALUATOR.evaluate(NEW, TABLE.drop(columns="value"), "left", latency=False)
    written = draw_report(report, tmp_path / "page.svg").read_text()
    for text in (
        "reliability",
        "confusion, LogisticRegression",
        "$yes &lt;b&gt;",
        "accuracy by slice",
        "z=up to",
    ):
        assert text in written
    assert render_report(report, "svg") == written.encode()


def test_two_models_stand_beside_each_other(tmp_path: Path) -> None:
    report = EVALUATOR.compare(OLD, NEW, TABLE.drop(columns="value"), "left", latency=False)
    assert render_report(report).startswith(b"\x89PNG")
    page = draw_report(report, tmp_path / "page.html").read_text()
    assert page.count("data:image/png;base64,") == 1
    assert "at least 800 are needed" in page
    assert "<b>" not in page.replace("<body>", "")


def test_regression_has_slices_alone() -> None:
    model = LinearRegression().fit(TABLE[["x"]], TABLE["value"])
    report = EVALUATOR.evaluate(model, TABLE.drop(columns="left"), "value", latency=False)
    drawn = render_report(report, "svg").decode()
    assert "rmse by slice" in drawn
    assert "confusion" not in drawn


def test_another_ending_is_refused(tmp_path: Path) -> None:
    report = EVALUATOR.evaluate(NEW, TABLE, "left", latency=False, slices=())
    with pytest.raises(InvalidInputError, match=r"cannot be drawn as \.pdf"):
        draw_report(report, tmp_path / "page.pdf")


def test_a_candidate_is_taken_as_it_is() -> None:
    candidate = open_model(NEW, lambda: pytest.fail("no registry is asked for an object"))
    assert open_model(candidate, lambda: pytest.fail("nor for a candidate")) is candidate
