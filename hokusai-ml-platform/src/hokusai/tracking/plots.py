"""Pictures of lineages: one row a version, as version control shows its history, and a metric's course beside it.

Rows can be read however many there are, where boxes and arrows overlap from some twenty versions on. Drawn with
matplotlib's objects alone: no window, no `pyplot`, and the process's own plots stay as they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hokusai.domain.lineage_parts import by_common_name, direction
from hokusai.domain.lineage_text import Row, notes, readings, rows, short_contributor
from hokusai.domain.metrics import common_metric_name, find_metric_spec
from hokusai.errors import InvalidInputError
from hokusai.tracking.page import (
    BETTER,
    DPI,
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

    from hokusai.domain.lineage import Lineage

_ROW, _LANE, _GAP, _PLOT, _MARGIN = 0.3, 0.22, 0.28, 3.2, 0.3  # inches
_SIZE, _TITLE = 9.0, 12.0  # points
_LEAST_DPI, _MOST_PIXELS = 36.0, 60_000
_MOST_COLUMNS = 5
_LINE = "#57606a"
_STAGES = {"production": "#1a7f37", "staging": "#9a6700", "development": "#0969da"}


def draw_lineage(lineage: Lineage, path: str | Path, metric: str | None = None) -> Path:
    """Write a picture of `lineage` and give its path.

    Every row shows a version, its marks, its metrics with their change since the parent (green better, red worse)
    and its contributor; the panel on the right follows one metric from parent to child.

    Args:
        lineage: What to draw.
        path: Where to; the ending, `.png` or `.svg`, decides the format.
        metric: The metric in the panel; by default the one that most versions have.

    Raises:
        InvalidInputError: The ending is another, no version has `metric`, or the picture would be too large.
        MissingExtraError: matplotlib is not installed.
    """
    from hokusai.utils.files import write_atomically

    target = Path(path)
    kind = format_of(target, "A lineage")
    write_atomically(target, render_lineage(lineage, kind, metric))
    return target


def render_lineage(lineage: Lineage, kind: str = "png", metric: str | None = None) -> bytes:
    """The picture that `draw_lineage` writes, as bytes of PNG or SVG; the same lineage gives the same bytes."""
    with steady_style():
        figure = _figure(lineage, _panel_metric(lineage, metric))
        dpi = min(DPI, _MOST_PIXELS / max(figure.get_size_inches()))
        if kind == "png" and dpi < _LEAST_DPI:
            raise InvalidInputError(
                f"The lineage has {len(lineage.nodes):,} versions, too many for a PNG that can be read",
                where=lineage.model_id,
                hint="Draw it as .svg, or as text: hokusai lineage NAME.",
            )
        return picture(figure, kind, dpi)


def _figure(lineage: Lineage, metric: str | None) -> Figure:
    listed = list(rows(lineage))
    font, bold, title = Font(_SIZE), Font(_SIZE, bold=True), Font(_TITLE, bold=True)
    columns, remarks = _table(listed), _remarks(lineage, listed)
    widths = [
        max([bold.width(head), *(_width(cell, font) for cell in cells)], default=0.0)
        for head, cells in columns
    ]
    lanes = _LANE * (max((row.lane for row in listed), default=0) + 1)
    table = _MARGIN + lanes + 0.1
    panel = table + sum(widths) + _GAP * len(widths)
    heading = [Word(f"Lineage of {lineage.model_id}"), Word(_summary(lineage), PALE)]
    width = panel + (_PLOT + _MARGIN if metric else 0)
    width = max(width, 2 * _MARGIN + max(title.width(heading[0].text), font.width(heading[1].text)))
    width = max([width, *(2 * _MARGIN + font.width(remark) for remark in remarks)])
    top = 1.35
    bottom = top + _ROW * len(listed)
    page = Page(width, bottom + 0.75 + 0.22 * len(remarks))
    page.text(_MARGIN, 0.35, heading[0], title)
    page.text(_MARGIN, 0.65, heading[1], font)
    middles = {row.node.model_id: top + _ROW * (place + 0.5) for place, row in enumerate(listed)}
    for place in range(0, len(listed), 2):
        page.axes.axhspan(top + _ROW * place, top + _ROW * (place + 1), color="#f6f8fa", linewidth=0)
    _draw_tree(page.axes, lineage, listed, middles)
    x = table
    for (head, cells), breadth in zip(columns, widths, strict=True):
        page.text(x, top - 0.2, Word(head, PALE), bold)
        for row, cell in zip(listed, cells, strict=True):
            end = x
            for word in cell:
                end = page.text(end, middles[row.node.model_id], word, font)
        x += breadth + _GAP
    if metric:
        page.text(panel, top - 0.42, Word(f"{metric} ({_better(metric)})", PALE), bold)
        axes = page.panel(panel, top, _PLOT, bottom - top)
        axes.set_ylim(bottom, top)
        _draw_course(axes, lineage, metric, middles)
    for place, remark in enumerate(remarks):
        page.text(_MARGIN, bottom + 0.65 + 0.22 * place, Word(remark, PALE), font)
    return page.figure


def _draw_tree(axes: Axes, lineage: Lineage, listed: Sequence[Row], middles: dict[str, float]) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path as Curve

    straight = _main_line(lineage)
    across = {row.node.model_id: _MARGIN + _LANE * (row.lane + 0.5) for row in listed}
    for edge in lineage.edges:
        start, end = (across[edge.parent], middles[edge.parent]), (across[edge.child], middles[edge.child])
        turn = (start[0], end[1] - _ROW)
        curve = [start, turn, (start[0], end[1] - _ROW / 2), (end[0], end[1] - _ROW / 2), end]
        on = {edge.parent, edge.child} <= straight
        codes = [Curve.MOVETO, Curve.LINETO, Curve.CURVE4, Curve.CURVE4, Curve.CURVE4]
        axes.add_patch(
            PathPatch(Curve(curve, codes), fill=False, edgecolor=INK if on else _LINE, lw=2.0 if on else 1.1)
        )
    for row in listed:
        node = row.node
        gone = node.missing or node.deleted
        fill = "white" if gone else _STAGES.get(node.stage or "", _LINE)
        x, y = across[node.model_id], middles[node.model_id]
        axes.plot(
            [x], [y], "X" if gone else "o", ms=7, mfc=fill, mec=PALE if gone else INK, mew=0.8, zorder=3
        )


def _draw_course(axes: Axes, lineage: Lineage, metric: str, middles: dict[str, float]) -> None:
    """The values of one metric, each on its version's row, joined from parent to child."""
    from matplotlib.ticker import MaxNLocator

    values = {node.model_id: by_common_name(node.metrics).get(metric) for node in lineage.nodes}
    straight = _main_line(lineage)
    for edge in lineage.edges:
        old, new = values[edge.parent], values[edge.child]
        if old is not None and new is not None:
            on = {edge.parent, edge.child} <= straight
            heights = [middles[edge.parent], middles[edge.child]]
            axes.plot([old, new], heights, color=INK if on else "#afb8c1", lw=2.0 if on else 1.1, zorder=2)
    for node in lineage.nodes:
        value = values[node.model_id]
        if value is not None:
            fill = _STAGES.get(node.stage or "", _LINE)
            axes.plot(
                [value], [middles[node.model_id]], "o", ms=5.5, mfc=fill, mec="white", mew=0.8, zorder=3
            )
    axes.set_facecolor("none")
    axes.margins(x=0.08)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.grid(axis="x", color="#d0d7de", lw=0.6)
    axes.tick_params(colors=PALE, labelsize=_SIZE - 1, length=0, labeltop=True, labelbottom=True)
    axes.ticklabel_format(useOffset=False)
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def _better(metric: str) -> str:
    if find_metric_spec(metric) is None:
        return "higher taken as better"
    return "higher is better" if direction(metric) > 0 else "lower is better"


def _table(listed: Sequence[Row]) -> list[tuple[str, list[list[Word]]]]:
    """Heading and cells of each column; a column with nothing in it is left out."""
    columns = [
        ("version", [[Word(row.node.model_id, PALE if row.node.missing else INK)] for row in listed]),
        (
            "",
            [[Word(", ".join(row.node.marks), _STAGES.get(row.node.stage or "", PALE))] for row in listed],
        ),
    ]
    columns += [
        (metric, [_cell(row, metric) for row in listed]) for metric in _metrics(listed)[:_MOST_COLUMNS]
    ]
    columns.append(("contributor", [[Word(short_contributor(row.node.contributor))] for row in listed]))
    return [(head, cells) for head, cells in columns if any(word.text for cell in cells for word in cell)]


def _cell(row: Row, metric: str) -> list[Word]:
    for reading in readings(row.node, row.edge):
        if common_metric_name(reading.metric) == metric:
            value = "" if reading.value is None else f"{reading.value:.4g} "
            return [Word(value), Word(reading.delta_text, (PALE, BETTER, WORSE)[reading.verdict])]
    return []


def _metrics(listed: Sequence[Row]) -> list[str]:
    """Common names of all metrics, what most versions have first."""
    seen = Counter(
        common_metric_name(reading.metric) for row in listed for reading in readings(row.node, row.edge)
    )
    return sorted(seen, key=lambda metric: (-seen[metric], metric))


def _panel_metric(lineage: Lineage, asked: str | None) -> str | None:
    seen = Counter(metric for node in lineage.nodes for metric in by_common_name(node.metrics))
    if asked is None:
        return min(seen, key=lambda metric: (-seen[metric], metric), default=None)
    if common_metric_name(asked) not in seen:
        raise InvalidInputError(
            f"No version has the metric {asked!r}",
            where=lineage.model_id,
            hint=f"There are: {', '.join(sorted(seen)) or 'none'}.",
        )
    return common_metric_name(asked)


def _summary(lineage: Lineage) -> str:
    parts = [f"{lineage.total_versions} versions" if lineage.total_versions != 1 else "1 version"]
    if lineage.latest:
        parts.append(f"latest {lineage.latest.model_id}")
        gains = [f"{gain.metric} {gain.delta:+.4g}" for gain in list(lineage.improvement_to().values())[:4]]
        first = lineage.path_to(lineage.latest.model_id)[0].model_id
        parts += [f"since {first}: {', '.join(gains)}"] if gains else []
    return "  ·  ".join(parts)


def _remarks(lineage: Lineage, listed: Sequence[Row]) -> list[str]:
    hidden = _metrics(listed)[_MOST_COLUMNS:]
    found = [f"Not shown: {', '.join(hidden[:6])}{' …' if len(hidden) > 6 else ''}"] if hidden else []
    return [text if len(text) < 160 else f"{text[:159]}…" for text in found + notes(lineage)[:5]]


def _main_line(lineage: Lineage) -> set[str]:
    if lineage.latest is None:
        return set()
    return {node.model_id for node in lineage.path_to(lineage.latest.model_id)}


def _width(cell: Sequence[Word], font: Font) -> float:
    return sum(font.width(word.text) for word in cell)
