"""Pictures of a contributor's impact: what is on them, and that they are the same each time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest

from hokusai.domain.identifiers import WalletAddress
from hokusai.domain.impact import Impact, ImpactHistory
from hokusai.errors import InvalidInputError
from hokusai.tracking import draw_impact
from hokusai.tracking.impact_plot import render_impact

GREEN, RED = "#1a7f37", "#cf222e"
START = datetime(2026, 1, 5, tzinfo=UTC)


def history(*deltas: dict[str, float]) -> ImpactHistory:
    impacts = [
        Impact(f"churn/1.{i}.0", delta, START + timedelta(days=9 * i), registered=True)
        for i, delta in enumerate(deltas)
    ]
    return ImpactHistory(WalletAddress("0x742D35cc6634C0532925A3B844BC9E7595f62341"), tuple(impacts))


TWO = history({"accuracy": 0.25, "rmse": 0.5}, {"accuracy": -0.125, "rmse": -0.75})


def words(svg: bytes) -> list[str]:
    root = ElementTree.fromstring(svg)
    return ["".join(text.itertext()).strip() for text in root.iter("{http://www.w3.org/2000/svg}text")]


def test_who_how_much_and_since_when_are_on_the_picture() -> None:
    shown = words(render_impact(TWO, "svg"))
    assert shown[0] == "Impact of 0x742D…2341"
    assert shown[1] == "2 models, 2 of them better, 2026-01-05 to 2026-01-14"
    assert {"accuracy  +0.125", "higher is better", "rmse  -0.25", "lower is better"} <= set(shown)


def test_better_is_green_and_worse_is_red_also_where_lower_is_better() -> None:
    svg = render_impact(TWO, "svg", ["rmse"]).decode()
    marks = re.findall(r"<use [^>]*style=\"fill: (#\w+); stroke: #ffffff", svg)
    assert marks == [RED, GREEN]  # half a point worse, then three quarters better


def test_the_metrics_that_were_asked_for_are_drawn() -> None:
    shown = words(render_impact(TWO, "svg", ["rmse"]))
    assert not any(word.startswith("accuracy") for word in shown)
    with pytest.raises(InvalidInputError, match=r"change of 'f1'.*There are: accuracy, rmse"):
        render_impact(TWO, "svg", ["f1"])


def test_the_six_metrics_that_most_models_have_are_drawn() -> None:
    many = {f"usage:m{i}": 0.5 for i in range(9)}
    shown = words(render_impact(history(many, {"usage:m8": 0.5}), "svg"))
    drawn = [word.split()[0] for word in shown if word.startswith("usage:")]
    assert drawn == ["usage:m8", *(f"usage:m{i}" for i in range(5))]
    assert "higher taken as better" in shown


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_the_same_history_gives_the_same_bytes(kind: str) -> None:
    assert render_impact(TWO, kind) == render_impact(TWO, kind)


def test_nothing_and_a_single_model_can_be_drawn(tmp_path: Path) -> None:
    assert words(render_impact(history(), "svg")) == ["Impact of 0x742D…2341", "no models"]
    written = draw_impact(history({"f1": 0.5}), tmp_path / "impact.svg")
    assert "2026-01-05" in words(written.read_bytes())


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"An impact cannot be drawn as \.pdf"):
        draw_impact(TWO, tmp_path / "impact.pdf")
