"""National ids beside other numbers: side by side they are found, in lists of numbers only behind their word."""

from __future__ import annotations

import pytest

from hokusai.privacy.national_ids import spans

AADHAAR = "2345 6789 0124"


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        (AADHAAR, 1),
        (" ".join([AADHAAR] * 8), 8),
        (f"{AADHAAR}, {AADHAAR}; {AADHAAR}", 3),
        (f"{AADHAAR} 110001 98765 43210", 1),
        (f"Aadhaar {AADHAAR} 1012 2054 2003 3000 7592", 1),
        (f"{AADHAAR} 1012 2054 2003 3000 is the Aadhaar", 1),
        (f"{AADHAAR} 1012 2054 2003 3000 7592", 0),
        (f"1012 2054 {AADHAAR} 2003 3000", 0),
        (f"101 {AADHAAR} " + "2054 2003 " * 10, 0),
        (f"aadhaar: {AADHAAR} " + "2054 2003 " * 10, 1),
        ("2 55 08 14 168 025 38 06 12 34 56 78", 1),
        ("2 55 08 14 168 025 38 255 254 128 127 12", 0),
        ("CPF 529.982.247-25 111 222 333 444 555", 1),
    ],
)
def test_ids_side_by_side_are_found_and_pieces_of_lists_of_numbers_are_none(text: str, ids: int) -> None:
    assert len(list(spans(text, ("IN", "FR", "BR")))) == ids


def test_in_a_column_of_ids_they_are_found_in_lists_too() -> None:
    assert len(list(spans(f"{AADHAAR} 1012 2054 2003 3000 7592", ("IN",), told=True))) == 1
