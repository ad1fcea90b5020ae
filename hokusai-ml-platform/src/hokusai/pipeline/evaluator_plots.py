"""An evaluation as one picture: reliability, confusion and slices; two models beside each other.

As HTML it is one page with the picture in it that needs no other file. The same report gives the same bytes.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from hokusai.errors import InvalidInputError
from hokusai.pipeline.evaluator_report import ComparisonReport, EvaluationReport, ModelReport
from hokusai.tracking.page import (
    BETTER,
    FORMATS,
    INK,
    PALE,
    WORSE,
    Font,
    Page,
    Word,
    picture,
    steady_style,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from hokusai.domain.delta import Interval

_LEFT, _TOP, _SIDE, _GAP, _MARGIN, _ROW = 0.9, 1.3, 2.6, 0.9, 0.3, 0.24  # inches
_SIZE, _TITLE = 9.0, 12.0  # points
_MOST_CLASSES, _MOST_SLICES, _LONGEST = 20, 30, 28
_COLOURS = ("#8c959f", "#0969da")
_STYLE = "body{font:15px/1.5 system-ui,sans-serif;color:#1f2328;margin:2rem auto;max-width:70rem}img{max-width:100%}"


def check_path(path: Path) -> None:
    """Check that a report can be drawn as `path` ends.

    Raises:
        InvalidInputError: It cannot.
    """
    if path.suffix.lower().lstrip(".") not in ("html", *FORMATS):
        raise InvalidInputError(
            f"An evaluation cannot be drawn as {path.suffix or 'a file without an ending'}",
            where=str(path),
            hint="Name the file .html, .png or .svg.",
        )


def draw_report(report: EvaluationReport | ComparisonReport, path: str | Path) -> Path:
    """Write a picture of `report`, or a page with it, and give its path.

    Args:
        report: What to draw.
        path: Where to; the ending, `.html`, `.png` or `.svg`, decides the form.

    Raises:
        InvalidInputError: The ending is another.
        MissingExtraError: matplotlib is not installed.
    """
    from hokusai.utils.files import write_atomically

    target = Path(path)
    check_path(target)
    kind = target.suffix.lower().lstrip(".")
    content = render_report(report, "png" if kind == "html" else kind)
    write_atomically(target, _page(report, content) if kind == "html" else content)
    return target


def render_report(report: EvaluationReport | ComparisonReport, kind: str = "png") -> bytes:
    """The picture as bytes of PNG or SVG."""
    models = [report.baseline, report.new] if isinstance(report, ComparisonReport) else [report.model]
    with steady_style():
        font, bold, title = Font(_SIZE), Font(_SIZE, bold=True), Font(_TITLE, bold=True)
        confused = [one for one in models if 1 < len(one.measured.confusion) <= _MOST_CLASSES]
        reliable = [one for one in models if one.calibration is not None]
        ranked = _ranked(report)
        panels = len(confused) + bool(reliable)
        width = _LEFT + max(2, panels) * (_SIDE + _GAP) + _MARGIN
        height = _TOP + (_SIDE + 1.2 if panels else 0) + (len(ranked) * _ROW + 1.0 if ranked else 0)
        page = Page(width, height)
        page.text(_MARGIN, 0.35, Word(_heading(report)), title)
        page.text(_MARGIN, 0.65, Word(_summary(report), PALE), font)
        x = _LEFT
        if reliable:
            page.text(x, _TOP - 0.2, Word("reliability"), bold)
            axes = page.panel(x, _TOP, _SIDE, _SIDE)
            _draw_reliability(axes, reliable, models, font)
            x += _SIDE + _GAP
        for one in confused:
            page.text(x, _TOP - 0.2, Word(f"confusion, {_short(one.name)}"), bold)
            _draw_confusion(page.panel(x, _TOP, _SIDE, _SIDE), one, report.classes, font)
            x += _SIDE + _GAP
        if ranked:
            top = _TOP + (_SIDE + 1.2 if panels else 0)
            change = ", change" if isinstance(report, ComparisonReport) else ""
            page.text(_MARGIN, top - 0.2, Word(f"{report.primary}{change} by slice, 95 % intervals"), bold)
            left = 2.6
            _draw_slices(
                page.panel(left, top, width - left - _MARGIN, len(ranked) * _ROW),
                ranked,
                font,
                zero=bool(change),
            )
        return picture(page.figure, kind)


def _draw_reliability(
    axes: Axes, reliable: Sequence[ModelReport], models: Sequence[ModelReport], font: Font
) -> None:
    axes.plot([0, 1], [0, 1], color="#d0d7de", lw=1, zorder=1)
    for one in reliable:
        found = one.calibration
        if found is None:
            continue
        colour = _COLOURS[1] if len(models) == 1 else _COLOURS[models.index(one)]
        x, y = [bin_.forecast for bin_ in found.bins], [bin_.observed for bin_ in found.bins]
        low = [max(0.0, bin_.observed - bin_.interval.low) for bin_ in found.bins]
        high = [max(0.0, bin_.interval.high - bin_.observed) for bin_ in found.bins]
        label = font.shown(f"{_short(one.name)}: ECE {found.ece:.3f}").replace("$", r"\$")
        axes.errorbar(
            x, y, yerr=[low, high], fmt="o-", ms=4, lw=1.2, elinewidth=0.8, color=colour, label=label
        )
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes.set_xlabel("probability that was given", fontsize=_SIZE, color=PALE)
    axes.set_ylabel("share that came true", fontsize=_SIZE, color=PALE)
    axes.legend(loc="upper left", fontsize=_SIZE - 2, frameon=False)
    _plain(axes)


def _draw_confusion(axes: Axes, model: ModelReport, classes: Sequence[str], font: Font) -> None:
    table = model.measured.confusion
    shares = [[n / max(1, sum(row)) for n in row] for row in table]
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    many = len(classes) > 8
    for at, row in enumerate(table if not many else ()):
        for said, n in enumerate(row):
            colour = "white" if shares[at][said] > 0.6 else INK
            axes.text(said, at, f"{n:,}", ha="center", va="center", fontsize=_SIZE - 1, color=colour)
    names = [_short(font.shown(name), 10) for name in classes]
    axes.set_xticks(range(len(names)), names, rotation=90 if len(names) > 3 else 0, parse_math=False)
    axes.set_yticks(range(len(names)), names, parse_math=False)
    axes.set_xlabel("said", fontsize=_SIZE, color=PALE)
    axes.set_ylabel("is", fontsize=_SIZE, color=PALE)
    _plain(axes, grid=False)


def _draw_slices(
    axes: Axes, ranked: Sequence[tuple[str, float, Interval, int]], font: Font, *, zero: bool
) -> None:
    for place, (_, value, interval, gain) in enumerate(ranked):
        colour = (PALE, BETTER, WORSE)[gain]
        axes.plot([interval.low, interval.high], [place, place], color=colour, lw=1.4)
        axes.plot([value], [place], "o", ms=5, color=colour)
    if zero:
        axes.axvline(0.0, color="#d0d7de", lw=1, zorder=0)
    axes.set_yticks(range(len(ranked)), [_short(font.shown(name)) for name, *_ in ranked], parse_math=False)
    axes.set_ylim(len(ranked) - 0.5, -0.5)
    _plain(axes)


def _ranked(report: EvaluationReport | ComparisonReport) -> list[tuple[str, float, Interval, int]]:
    """Name, value, interval and direction (0 none, 1 better, -1 worse) of each slice, the worst first."""
    if isinstance(report, ComparisonReport):
        deltas = [(s.name, d) for s in report.slices for d in s.deltas if d.metric.name == report.primary]
        deltas.sort(key=lambda one: one[1].gain)
        return [
            (name, d.absolute_delta, d.interval, (d.gain > 0) - (d.gain < 0))
            for name, d in deltas[:_MOST_SLICES]
        ]
    values = [(s.name, v) for s in report.model.slices for v in s.values if v.metric.name == report.primary]
    values.sort(key=lambda one: one[1].metric.direction * one[1].value)
    return [(name, v.value, v.interval, 0) for name, v in values[:_MOST_SLICES]]


def _heading(report: EvaluationReport | ComparisonReport) -> str:
    if isinstance(report, ComparisonReport):
        return f"{_short(report.new.name)} against {_short(report.baseline.name)}"
    return _short(report.model.name, 60)


def _summary(report: EvaluationReport | ComparisonReport) -> str:
    rows = f"{report.n_rows:,} rows"
    if isinstance(report, ComparisonReport):
        gained = f"DeltaOne {report.comparison.delta_one * 100:+.3g} percentage points"
        return f"{gained}, {'accepted' if report.decision.accepted else 'rejected'}, {rows}"
    values = [f"{one.metric.name} {one.value:.4g}" for one in report.model.measured.values]
    return ", ".join([*values, rows])


def _page(report: EvaluationReport | ComparisonReport, image: bytes) -> bytes:
    heading = escape(_heading(report))
    told = [escape(one) for one in report.warnings]
    if isinstance(report, ComparisonReport):
        told = [escape(reason.detail) for reason in report.decision.reasons] + told
    items = "".join(f"<li>{one}</li>" for one in told)
    source = base64.b64encode(image).decode()
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{heading}</title><style>{_STYLE}</style>'
        f'<h1>{heading}</h1><p>{escape(_summary(report))}</p><img alt="{heading}" '
        f'src="data:image/png;base64,{source}"><ul>{items}</ul></html>\n'
    ).encode()


def _plain(axes: Axes, *, grid: bool = True) -> None:
    axes.set_facecolor("none")
    axes.tick_params(colors=PALE, labelsize=_SIZE - 1, length=0)
    axes.spines[:].set_visible(False)
    if grid:
        axes.grid(color="#d0d7de", lw=0.4)
        axes.set_axisbelow(True)


def _short(text: str, longest: int = _LONGEST) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
