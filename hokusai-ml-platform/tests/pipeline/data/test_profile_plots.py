"""Pictures and the page: they are real, they show nobody's data, and they are the same for the same data."""

import re
import struct
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from hokusai.pipeline.data.column_states import ColumnProfile, ColumnStates
from hokusai.pipeline.data.profile_plots import draw_column, profile_page, write_plots
from hokusai.pipeline.quality import assess_frame

FRAME = pl.DataFrame(
    {
        "amount <b>": [float(i % 40) for i in range(200)],
        "$x$ 日本": [["red", "<script>alert(1)</script>", "$\\frac"][i % 3] for i in range(200)],
        "day": [date(2020, 1, 1) + timedelta(days=i) for i in range(200)],
        "phone": [4_912_345_000 + i for i in range(200)],
        "mail": [f"person{i}@example.com" for i in range(200)],
        "nothing": [None] * 200,
        "one": [7] * 200,
    }
)


@pytest.fixture(scope="module")
def profiles() -> tuple[ColumnProfile, ...]:
    return ColumnStates(FRAME.schema, moments=True).see(FRAME).profiles()


def size_of(png: bytes) -> tuple[int, int]:
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def test_numbers_dates_and_categories_are_drawn_and_others_not(profiles) -> None:
    drawn = {profile.summary.name: draw_column(profile) for profile in profiles}
    assert [name for name, png in drawn.items() if png is None] == ["mail", "nothing"]
    for png in drawn.values():
        if png is not None:
            width, height = size_of(png)
            assert width == 462  # 4.2 inches of 110 pixels
            assert height >= 240


def test_the_same_profile_gives_the_same_bytes(profiles) -> None:
    assert draw_column(profiles[0]) == draw_column(profiles[0])
    assert b"Software" not in (draw_column(profiles[0]) or b"")


def test_the_page_holds_everything_and_fetches_nothing(profiles) -> None:
    page = profile_page(profiles, quality=assess_frame(FRAME), title="A & B")
    assert page.count("data:image/png;base64,") == 6  # five columns and the quality
    assert not re.search(r'(src|href)="(?!data:)|<script|@import|url\(', page)
    assert "<h1>A &amp; B</h1>" in page
    assert "<h3>amount &lt;b&gt;</h3>" in page
    assert "0.0 to 39.0" in page
    assert "completeness" in page
    assert "drift" in page


def test_columns_with_personal_data_show_counts_only(profiles) -> None:
    shown, hidden = profile_page(profiles), profile_page(profiles, pii_columns={"phone"})
    assert "4912345000" in shown
    assert "4912345" not in hidden
    assert hidden.count("data:image/png") == shown.count("data:image/png") - 1
    assert "personal data was found here" in hidden
    assert "person1@" not in shown


def test_files_are_written_into_a_folder(profiles, tmp_path: Path) -> None:
    paths = write_plots(profiles, tmp_path / "new", quality=assess_frame(FRAME), pii_columns={"phone"})
    names = [
        "column_001.png",
        "column_002.png",
        "column_003.png",
        "column_007.png",
        "quality.png",
        "profile.html",
    ]
    assert [path.name for path in paths] == names
    for path in paths[:-1]:
        size_of(path.read_bytes())
    assert paths[-1].read_text().startswith("<!doctype html>")


def test_a_table_without_columns_has_a_page() -> None:
    assert "0 columns, 0 rows" in profile_page(())
