"""Pictures of lineages: what is on them, and that drawing them leaves everything else as it was."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from hokusai.domain.lineage import Lineage
from hokusai.domain.records import CONTRIBUTOR, METRICS, PARENT, SEMVER, ModelRecord
from hokusai.domain.stages import Stage
from hokusai.errors import InvalidInputError, MissingExtraError
from hokusai.tracking.plots import draw_lineage, render_lineage

GREEN, RED = "#1a7f37", "#cf222e"


def chain(count: int, name: str = "churn", **metrics: float) -> Lineage:
    return Lineage.of(
        [
            ModelRecord(
                name,
                place,
                tags={
                    SEMVER: f"{place}.0.0",
                    METRICS: json.dumps({metric: value + place / 1024 for metric, value in metrics.items()}),
                    CONTRIBUTOR: "bob",
                }
                | ({PARENT: f"{name}/{place - 1}.0.0"} if place > 1 else {}),
                created_ms=place,
            )
            for place in range(1, count + 1)
        ],
        stages={f"{name}/1.0.0": Stage.PRODUCTION},
    )


def words(svg: bytes) -> list[str]:
    root = ElementTree.fromstring(svg)
    return ["".join(text.itertext()).strip() for text in root.iter("{http://www.w3.org/2000/svg}text")]


def test_every_version_its_stage_metrics_and_contributor_are_on_the_picture() -> None:
    shown = words(render_lineage(chain(3, accuracy=0.5, rmse=2.0), "svg"))
    assert {"churn/1.0.0", "churn/2.0.0", "churn/3.0.0", "production", "bob", "accuracy", "rmse"} <= set(
        shown
    )
    assert shown.count("(+0.0009766)") == 4  # two steps of 1/1024, in two metrics
    assert "accuracy (higher is better)" in shown


def test_better_is_green_and_worse_is_red_also_where_lower_is_better() -> None:
    svg = render_lineage(chain(2, accuracy=0.5, rmse=2.0), "svg").decode()
    fills = re.findall(r'fill: (#\w+)"[^>]*>\(\+0\.0009766\)', svg)
    assert fills == [GREEN, RED]


def test_the_panel_follows_the_metric_that_was_asked_for() -> None:
    assert "rmse (lower is better)" in words(render_lineage(chain(3, accuracy=0.5, rmse=2.0), "svg", "rmse"))
    assert "roe (higher taken as better)" in words(render_lineage(chain(3, roe=2.0), "svg"))


def test_a_metric_that_nobody_has_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="There are: accuracy"):
        render_lineage(chain(2, accuracy=0.5), "svg", "f1")


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_the_same_lineage_gives_the_same_bytes(kind: str) -> None:
    assert render_lineage(chain(3, accuracy=0.5), kind) == render_lineage(chain(3, accuracy=0.5), kind)


def test_what_the_program_plots_itself_neither_changes_the_picture_nor_is_changed_by_it() -> None:
    import matplotlib

    plain = render_lineage(chain(2, accuracy=0.5), "svg")
    with matplotlib.rc_context({"lines.linewidth": 9, "font.size": 30, "text.color": "pink"}):
        before = dict(matplotlib.rcParams)
        assert render_lineage(chain(2, accuracy=0.5), "svg") == plain
        assert dict(matplotlib.rcParams) == before


def test_names_are_drawn_as_they_are_and_not_as_formulas_or_markup() -> None:
    lineage = chain(1, name="$x_1$ <b> & 漢", accuracy=0.5)
    assert "$x_1$ <b> & \ufffd/1.0.0" in words(render_lineage(lineage, "svg"))
    assert render_lineage(lineage, "png").startswith(b"\x89PNG")


@pytest.mark.parametrize("count", [1, 200])
def test_no_text_stands_over_the_edge_or_over_another(count: int) -> None:
    from hokusai.tracking import plots

    figure = plots._figure(chain(count, name="a-rather-long-model-name", accuracy=0.5, f1=0.5), "accuracy")
    figure.draw_without_rendering()
    page, panel = figure.axes
    low, high = panel.get_xlim()
    ticks = [tick for tick in panel.xaxis.get_major_ticks() if low <= tick.get_loc() <= high]
    assert len(ticks) > 1
    texts = [*page.texts, *(tick.label1 for tick in ticks), *(tick.label2 for tick in ticks)]
    boxes = sorted((text.get_window_extent() for text in texts if text.get_text()), key=lambda box: box.y0)
    assert len(boxes) > 6 * count  # id, two values, two changes, contributor
    edge = figure.bbox
    assert all(
        edge.x0 < box.x0 and box.x1 < edge.x1 and edge.y0 < box.y0 and box.y1 < edge.y1 for box in boxes
    )
    for place, box in enumerate(boxes):
        above = next((at for at in range(place + 1, len(boxes)) if boxes[at].y0 >= box.y1), len(boxes))
        shared = [min(box.x1, other.x1) - max(box.x0, other.x0) for other in boxes[place + 1 : above]]
        assert max(shared, default=0) < 1  # a hundredth of an inch


def test_an_empty_lineage_and_one_without_metrics_can_be_drawn() -> None:
    assert words(render_lineage(Lineage.of([], "churn"), "svg"))[0] == "Lineage of churn"
    assert "churn/2.0.0" in words(render_lineage(chain(2), "svg"))


def test_a_png_of_60_versions_is_as_sharp_as_one_of_three() -> None:
    from PIL import Image

    small = Image.open(io.BytesIO(render_lineage(chain(3, accuracy=0.5))))
    large = Image.open(io.BytesIO(render_lineage(chain(60, accuracy=0.5))))
    assert large.size[1] - small.size[1] == pytest.approx(
        57 * 0.3 * 150, abs=2
    )  # rows of 0.3 inches, 150 dpi


def test_a_png_that_nobody_could_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from hokusai.tracking import plots

    monkeypatch.setattr(plots, "_MOST_PIXELS", 500)  # instead of a lineage of six thousand versions
    with pytest.raises(InvalidInputError, match=r"Draw it as \.svg"):
        render_lineage(chain(100), "png")


def test_the_ending_decides_the_format(tmp_path: Path) -> None:
    assert draw_lineage(chain(2), tmp_path / "a.PNG").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in draw_lineage(chain(2), str(tmp_path / "a.svg")).read_bytes()
    with pytest.raises(InvalidInputError, match="jpg"):
        draw_lineage(chain(2), tmp_path / "a.jpg")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.PNG", "a.svg"]


def test_without_matplotlib_the_pip_line_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'hokusai-ml-platform\[plots\]'"):
        render_lineage(chain(1))


def test_nothing_heavy_is_loaded_before_something_is_drawn() -> None:
    heavy = ["matplotlib", "mlflow", "numpy", "rich", "sqlalchemy"]
    code = (
        "import sys, hokusai.tracking, hokusai.tracking.lineage, hokusai.tracking.plots, hokusai.cli.lineage;"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
