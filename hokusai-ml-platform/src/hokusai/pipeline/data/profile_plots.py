"""Pictures of a dataset's columns and of its quality, and one page with all of them that needs no other file.

Drawn with matplotlib's objects alone: no window, no `pyplot`, and the process's own plots stay as they are. What may be
somebody's data is not shown: no text but of categories that many rows share, and nothing at all of columns in which
personal data was found.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Collection, Sequence
from datetime import date, timedelta
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from hokusai.tracking.page import INK, Font
from hokusai.utils.extras import require

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from hokusai.pipeline.data.column_states import ColumnProfile
    from hokusai.pipeline.data.quality_report import QualityReport

MOST_PICTURES = 200
"""Columns that are drawn; a table with more is not read picture by picture."""

_WIDTH, _HEIGHT, _DPI = 4.2, 2.2, 110
_BAR, _PALE, _GRID = "#0969da", "#6e7781", "#d0d7de"
_LONGEST_LABEL = 24

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#1f2328;margin:2rem auto;max-width:70rem;padding:0 1rem}
table{border-collapse:collapse;margin:1rem 0;font-size:.9rem}caption{text-align:left;font-weight:600;padding:.4rem 0}
td,th{border-bottom:1px solid #d0d7de;padding:.25rem .6rem;text-align:left;vertical-align:top}
.columns{display:grid;grid-template-columns:repeat(auto-fill,minmax(20rem,1fr));gap:1.2rem}
.column{border:1px solid #d0d7de;border-radius:6px;padding:.8rem;overflow-wrap:anywhere}
.column h3{margin:0}.column p{margin:.2rem 0;color:#57606a}img{max-width:100%}
"""


def draw_column(profile: ColumnProfile) -> bytes | None:
    """A PNG of a column: a histogram of numbers and dates, bars of categories; None where nothing may be shown.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    if profile.values:
        return _picture(
            lambda axes: _draw_values(axes, profile), max(_HEIGHT, 0.24 * len(profile.values) + 0.6)
        )
    if profile.histogram:
        return _picture(lambda axes: _draw_histogram(axes, profile), _HEIGHT)
    return None


def draw_quality(report: QualityReport) -> bytes:
    """A PNG with one bar for each part that was measured.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """

    def draw(axes: Axes) -> None:
        parts = list(reversed(report.parts))
        axes.barh([part.name for part in parts], [part.value for part in parts], color=_BAR, height=0.62)
        for place, part in enumerate(parts):
            axes.text(1.02, place, f"{part.value:.3f}", va="center", fontsize=8, color=INK)
        axes.set_xlim(0, 1)
        axes.set_title(f"Quality {report.score:.3f}", fontsize=10, loc="left", color=INK)

    return _picture(draw, 0.32 * len(report.parts) + 0.8)


def write_plots(
    profiles: Sequence[ColumnProfile],
    folder: str | Path,
    *,
    quality: QualityReport | None = None,
    pii_columns: Collection[str] = (),
    title: str = "Dataset",
) -> tuple[Path, ...]:
    """Write `column_001.png` and so on, `quality.png` and `profile.html` into a folder, and give their paths.

    Args:
        profiles: The columns, of which the first 200 are drawn.
        folder: Where to; made if it does not exist.
        quality: Drawn beside them.
        pii_columns: Columns of which nothing but counts is shown.
        title: Heading of the page.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    from hokusai.utils.files import write_atomically

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    pictures = _pictures(profiles, pii_columns)
    number = {profile.summary.name: at for at, profile in enumerate(profiles, start=1)}
    files = {f"column_{number[name]:03}.png": picture for name, picture in pictures.items()}
    if quality is not None:
        files["quality.png"] = draw_quality(quality)
    files["profile.html"] = _page(profiles, pictures, quality, pii_columns, title).encode()
    for name, content in files.items():
        write_atomically(folder / name, content)
    return tuple(folder / name for name in files)


def profile_page(
    profiles: Sequence[ColumnProfile],
    *,
    quality: QualityReport | None = None,
    pii_columns: Collection[str] = (),
    title: str = "Dataset",
) -> str:
    """One HTML page with all pictures inside it: no script, nothing is fetched from elsewhere.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    return _page(profiles, _pictures(profiles, pii_columns), quality, pii_columns, title)


def _pictures(profiles: Sequence[ColumnProfile], pii_columns: Collection[str]) -> dict[str, bytes]:
    drawn = {
        profile.summary.name: draw_column(profile)
        for profile in profiles[:MOST_PICTURES]
        if profile.summary.name not in pii_columns
    }
    return {name: picture for name, picture in drawn.items() if picture is not None}


def _page(
    profiles: Sequence[ColumnProfile],
    pictures: dict[str, bytes],
    quality: QualityReport | None,
    pii_columns: Collection[str],
    title: str,
) -> str:
    cards = "".join(
        _card(profile, pictures.get(profile.summary.name), profile.summary.name in pii_columns)
        for profile in profiles
    )
    rows = profiles[0].rows if profiles else 0
    about = f"{len(profiles):,} columns, {rows:,} rows"
    if len(profiles) > MOST_PICTURES:
        about += f"; the first {MOST_PICTURES} columns are drawn"
    score = f"{_image(draw_quality(quality))}{quality._repr_html_()}" if quality is not None else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1><p>{about}</p>{score}"
        f'<div class="columns">{cards}</div></body></html>\n'
    )


def _card(profile: ColumnProfile, picture: bytes | None, is_private: bool) -> str:
    column = profile.summary
    near = f" ± {column.unique_error:.1%}" if column.unique_error else ""
    lines = [
        f"{column.dtype}, {profile.rows - column.nulls:,} values, {column.nulls:,} empty",
        f"{column.unique:,}{near} distinct",
    ]
    if is_private:
        lines.append("personal data was found here: no values are shown")
    elif column.low is not None:
        lines.append(f"{column.low} to {column.high}")
        if profile.mean is not None and profile.deviation is not None:
            lines.append(f"mean {profile.mean:.6g}, standard deviation {profile.deviation:.6g}")
    text = "".join(f"<p>{escape(line)}</p>" for line in lines)
    image = _image(picture) if picture is not None else ""
    return f'<div class="column"><h3>{escape(column.name)}</h3>{text}{image}</div>'


def _image(picture: bytes) -> str:
    return f'<p><img alt="" src="data:image/png;base64,{base64.b64encode(picture).decode()}"></p>'


def _draw_histogram(axes: Axes, profile: ColumnProfile) -> None:
    bars = profile.histogram
    lows, widths = [low for low, _, _ in bars], [high - low for low, high, _ in bars]
    if not any(widths):
        lows, widths = [bars[0][0] - 0.5], [1.0]
    axes.bar(lows, [rows for _, _, rows in bars], width=widths, align="edge", color=_BAR, linewidth=0)
    axes.set_ylabel("rows", fontsize=8, color=_PALE)
    _name(axes, profile, Font(8))
    if profile.summary.dtype.startswith("date"):
        _label_days(axes)


def _draw_values(axes: Axes, profile: ColumnProfile) -> None:
    font = Font(8)
    values = list(reversed(profile.values))
    axes.barh(range(len(values)), [rows for _, rows in values], color=_BAR, height=0.62)
    axes.set_yticks(range(len(values)), [_short(font.shown(text)) for text, _ in values], parse_math=False)
    axes.set_ylim(min(-0.5, len(values) / 2 - 2), max(len(values) - 0.5, len(values) / 2 + 1))
    axes.set_xlabel("rows", fontsize=8, color=_PALE)
    _name(axes, profile, font)


def _name(axes: Axes, profile: ColumnProfile, font: Font) -> None:
    axes.set_title(
        _short(font.shown(profile.summary.name)), fontsize=9, loc="left", color=INK, parse_math=False
    )


def _label_days(axes: Axes) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    def name(day: float, _: int | None = None) -> str:
        try:
            return (date(2000, 1, 1) + timedelta(days=day)).isoformat()
        except OverflowError:
            return ""

    axes.xaxis.set_major_locator(MaxNLocator(3, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(name))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_LABEL else f"{text[: _LONGEST_LABEL - 1]}…"


def _picture(draw: Callable[[Axes], None], height: float) -> bytes:
    matplotlib = require("matplotlib", "plots")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # whoever draws: a notebook's style would change sizes and colours
        figure = Figure(figsize=(_WIDTH, height), facecolor="white", layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        draw(axes)
        axes.tick_params(colors=_PALE, labelsize=8, length=0)
        axes.grid(color=_GRID, lw=0.5)
        axes.set_axisbelow(True)
        axes.spines[:].set_visible(False)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    return buffer.getvalue()
