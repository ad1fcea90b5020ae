"""A picture laid out like a page: places in inches from the upper left corner, text measured before it is drawn."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hokusai.errors import InvalidInputError
from hokusai.utils.extras import require
from hokusai.utils.text import one_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("png", "svg")
INK = "#1f2328"
PALE, BETTER, WORSE = "#6e7781", "#1a7f37", "#cf222e"
DPI = 150.0


def format_of(path: Path, what: str) -> str:
    """The format that a file's ending asks for.

    Raises:
        InvalidInputError: It is none that `what` can be drawn as.
    """
    kind = path.suffix.lower().lstrip(".")
    if kind not in FORMATS:
        raise InvalidInputError(
            f"{what} cannot be drawn as {path.suffix or 'a file without an ending'}",
            where=str(path),
            hint="Name the file .png or .svg.",
        )
    return kind


@contextmanager
def steady_style() -> Iterator[None]:
    """Draw as always, whatever style the process has set for itself, and leave that as it was.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    matplotlib = require("matplotlib", "plots")
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update({"svg.hashsalt": "hokusai", "svg.fonttype": "none"})
        yield


def picture(figure: Figure, kind: str, dpi: float = DPI) -> bytes:
    """A figure as bytes of PNG or SVG, with no date in them."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, dpi=dpi, metadata={"Date": None} if kind == "svg" else {})
    return buffer.getvalue()


@dataclass(frozen=True, slots=True)
class Word:
    """A piece of text in a table's cell, and its colour."""

    text: str
    colour: str = INK


class Font:
    """Measures text before anything is drawn, and replaces what the font cannot show."""

    def __init__(self, size: float, *, bold: bool = False) -> None:
        from matplotlib import font_manager

        # This family comes with matplotlib, so that pictures look the same everywhere.
        self.properties = font_manager.FontProperties(
            family="DejaVu Sans", size=size, weight="bold" if bold else "normal"
        )
        self._face = font_manager.get_font(font_manager.findfont(self.properties))
        self._points = size
        self._glyphs = self._face.get_charmap()
        self._inches: dict[str, float] = {}

    def shown(self, text: str) -> str:
        """`text` with a mark for everything that cannot be drawn."""
        clean = one_line(text)
        return "".join(char if ord(char) in self._glyphs else "\ufffd" for char in clean)

    def width(self, text: str) -> float:
        """Inches that `text` takes in a row."""
        return sum(self._advance(char) for char in self.shown(text))

    def _advance(self, char: str) -> float:
        if char not in self._inches:
            self._face.set_size(self._points, 72)  # matplotlib lends the same face to other sizes
            self._inches[char] = self._face.load_char(ord(char)).linearHoriAdvance / 65536 / 72
        return self._inches[char]


class Page:
    """A figure measured in inches from its upper left corner."""

    def __init__(self, width: float, height: float) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.width, self.height = width, height
        self.figure = Figure(figsize=(width, height), facecolor="white")
        FigureCanvasAgg(self.figure)
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set(xlim=(0, width), ylim=(height, 0))
        self.axes.set_axis_off()

    def text(self, x: float, y: float, word: Word, font: Font) -> float:
        """Write a word beginning at `x`, centred on `y`; gives where the next one begins."""
        shown = font.shown(word.text)
        self.axes.text(
            x,
            y,
            shown,
            color=word.colour,
            fontproperties=font.properties,
            va="center_baseline",
            parse_math=False,
        )
        return x + font.width(shown)

    def panel(self, x: float, y: float, width: float, height: float) -> Axes:
        """Axes of their own within the page."""
        return self.figure.add_axes(
            (x / self.width, 1 - (y + height) / self.height, width / self.width, height / self.height)
        )
