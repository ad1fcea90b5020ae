"""A picture of what one contributor's data did over time: one panel a metric, one step a change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hokusai.domain.impact import ImpactHistory
from hokusai.domain.lineage_parts import Improvement, direction
from hokusai.domain.lineage_text import short_contributor
from hokusai.domain.metrics import metric_direction
from hokusai.errors import InvalidInputError
from hokusai.tracking.page import (
    BETTER,
    INK,
    PALE,
    WORSE,
    Font,
    Page,
    Word,
    format_of,
    picture,
    steady_style,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH, _PANEL, _GAP, _TOP, _LEFT, _MARGIN = 7.0, 1.5, 0.75, 1.35, 0.95, 0.3  # inches
_SIZE, _TITLE = 9.0, 12.0  # points
_MOST_PANELS = 6


def draw_impact(history: ImpactHistory, path: str | Path, metrics: Sequence[str] | None = None) -> Path:
    """Write a picture of `history` and give its path.

    Each panel adds up one metric's changes over time; a step is green where the metric became better, red where worse.

    Args:
        history: What to draw.
        path: Where to; the ending, `.png` or `.svg`, decides the format.
        metrics: Which metrics, by their common names; by default the six that most models have.

    Raises:
        InvalidInputError: The ending is another, or no model has one of `metrics`.
        MissingExtraError: matplotlib is not installed.
    """
    from hokusai.utils.files import write_atomically

    target = Path(path)
    kind = format_of(target, "An impact")
    write_atomically(target, render_impact(history, kind, metrics))
    return target


def render_impact(history: ImpactHistory, kind: str = "png", metrics: Sequence[str] | None = None) -> bytes:
    """The picture that `draw_impact` writes, as bytes; the same history gives the same bytes."""
    with steady_style():
        return picture(_figure(history, _chosen(history, metrics)), kind)


def _figure(history: ImpactHistory, metrics: Sequence[str]) -> Figure:
    font, bold, title = Font(_SIZE), Font(_SIZE, bold=True), Font(_TITLE, bold=True)
    page = Page(_WIDTH, _TOP + (_PANEL + _GAP) * len(metrics) + _MARGIN)
    page.text(_MARGIN, 0.35, Word(f"Impact of {short_contributor(history.contributor)}"), title)
    page.text(_MARGIN, 0.65, Word(_summary(history), PALE), font)
    total = history.total
    for place, metric in enumerate(metrics):
        top = _TOP + (_PANEL + _GAP) * place
        end = page.text(
            _MARGIN, top - 0.2, Word(f"{metric}  {total[metric].delta:+.4g}", _colour(total[metric])), bold
        )
        page.text(end + 0.15, top - 0.2, Word(_better(metric), PALE), font)
        _draw_course(page.panel(_LEFT, top, _WIDTH - _LEFT - _MARGIN, _PANEL), history, metric)
    return page.figure


def _draw_course(axes: Axes, history: ImpactHistory, metric: str) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
    from matplotlib.ticker import MaxNLocator

    course = history.over_time(metric)
    # matplotlib's dates have no types
    days = [float(date2num(at)) for at, _ in course]  # type: ignore[no-untyped-call]
    sums = [0.0, *(value for _, value in course)]
    axes.axhline(0.0, color="#d0d7de", lw=0.8, zorder=1)
    axes.step([days[0], *days], sums, where="post", color=INK, lw=1.6, zorder=2)
    for day, before, after in zip(days, sums, sums[1:], strict=False):
        better = direction(metric) * (after - before)
        fill = PALE if not better else BETTER if better > 0 else WORSE
        axes.plot([day], [after], "o", ms=5.5, mfc=fill, mec="white", mew=0.8, zorder=3)
    locator = AutoDateLocator(maxticks=6)  # type: ignore[no-untyped-call]
    if days[0] == days[-1]:
        axes.set_xticks([days[0]], [_day(course[0][0])])
    else:
        axes.xaxis.set_major_locator(locator)
        dates = ConciseDateFormatter(locator, show_offset=False)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_formatter(dates)
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.margins(x=0.04, y=0.15)
    axes.set_facecolor("none")
    axes.tick_params(colors=PALE, labelsize=_SIZE - 1, length=0)
    axes.spines[:].set_visible(False)


def _chosen(history: ImpactHistory, asked: Sequence[str] | None) -> list[str]:
    total = history.total
    if asked is None:
        return sorted(total, key=lambda metric: (-total[metric].steps, metric))[:_MOST_PANELS]
    for metric in asked:
        if metric not in total:
            raise InvalidInputError(
                f"No model of this contributor has a change of {metric!r}",
                where="metrics",
                hint=f"There are: {', '.join(total)}." if total else "There are none.",
            )
    return list(asked)


def _summary(history: ImpactHistory) -> str:
    count = history.models
    if not count:
        return "no models"
    first, last = _day(history.impacts[0].at), _day(history.impacts[-1].at)
    over = first if first == last else f"{first} to {last}"
    return f"{count} model{'' if count == 1 else 's'}, {history.improvements} of them better, {over}"


def _day(at: datetime) -> str:
    return at.strftime("%Y-%m-%d")


def _colour(gain: Improvement) -> str:
    return PALE if not gain.improvement else BETTER if gain.improvement > 0 else WORSE


def _better(metric: str) -> str:
    known = metric_direction(metric)
    return "higher taken as better" if known is None else f"{'higher' if known > 0 else 'lower'} is better"
