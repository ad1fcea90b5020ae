"""Hashes of cells and rows against a reimplementation of their definition in plain integers."""

import hashlib
import struct
from collections.abc import Iterator
from datetime import date, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.pipeline.data import value_hash
from hokusai.pipeline.data.value_hash import hash_rows, hash_values

MASK = 2**64 - 1
GAMMA = 0x9E3779B97F4A7C15


@pytest.fixture(params=[False, True], ids=["numpy", "compiled"], autouse=True, scope="module")
def way(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test of this file both ways."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(value_hash, "pays", lambda work: request.param)
        yield


def mix(word: int) -> int:
    word = (word + GAMMA) & MASK
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & MASK
    return word ^ (word >> 31)


def hash_of_text(text: bytes) -> int:
    padded = text + b"\0" * (-len(text) % 8)
    words = struct.unpack(f"<{len(padded) // 8}Q", padded)
    return mix((len(text) + sum(mix((word + i * GAMMA) & MASK) for i, word in enumerate(words))) & MASK)


def test_the_first_number_of_splitmix64_with_seed_zero() -> None:
    # The published first output of SplitMix64 seeded with 0.
    assert hash_values(pl.Series([0])).tolist() == [0xE220A8397B1DCDAF]


def test_only_null_is_hashed_as_0() -> None:
    number = 7046029254386353131  # the one of which the finaliser makes 0
    assert mix(number) == 0
    assert hash_values(pl.Series([number, None, 0])).tolist() == [1, 0, 0xE220A8397B1DCDAF]


@settings(max_examples=40)
@given(st.lists(st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]), max_size=40))))
def test_text_is_hashed_as_defined(texts: list[str | None]) -> None:
    expected = [0 if text is None else hash_of_text(text.encode()) for text in texts]
    assert hash_values(pl.Series(texts, dtype=pl.String)).tolist() == expected


def test_long_texts_among_short_ones() -> None:
    texts = ["", "x" * 1_000_003, "y", "", "z" * 131_072, "end"] * 2
    assert hash_values(pl.Series(texts)).tolist() == [hash_of_text(text.encode()) for text in texts]


def test_a_slice_of_a_column_has_the_hashes_of_its_cells() -> None:
    column = pl.Series([f"value {i}" * (i % 5) for i in range(100)])
    assert hash_values(column.slice(37, 20)).tolist() == hash_values(column)[37:57].tolist()


@pytest.mark.parametrize("of", [str, float, lambda i: "longer than a view " * (i % 4) + str(i)])
def test_a_slice_of_several_pieces_with_nulls_has_the_hashes_of_its_cells(of) -> None:
    cells = [None if i % 3 == 0 else of(i) for i in range(90)]
    pieces = pl.concat([pl.Series(cells[at : at + 30]) for at in (0, 30, 60)], rechunk=False)
    expected = [0 if cell is None else int(hash_values(pl.Series([cell]))[0]) for cell in cells]
    assert hash_values(pieces.slice(13, 51)).tolist() == expected[13:64]


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (pl.Series([1, -1, None], dtype=pl.Int8), [1, MASK, None]),
        (pl.Series([2**64 - 1], dtype=pl.UInt64), [MASK]),
        (pl.Series([True, False, None]), [1, 0, None]),
        (pl.Series([0.0, -0.0, float("nan"), 1.5]), [0, 0, None, 0x3FF8000000000000]),
        (pl.Series([1.5], dtype=pl.Float32), [0x3FF8000000000000]),
        (pl.Series([date(1970, 1, 3)]), [2]),
        (pl.Series([datetime(1970, 1, 1, 0, 0, 1)]).dt.cast_time_unit("ns"), [1_000_000]),
    ],
)
def test_numbers_are_one_word(column: pl.Series, words: list[int | None]) -> None:
    assert hash_values(column).tolist() == [0 if word is None else mix(word) for word in words]


def test_categories_and_decimals_are_hashed_as_their_text() -> None:
    texts = pl.Series(["b", "a", "b", None])
    assert hash_values(texts.cast(pl.Categorical)).tolist() == hash_values(texts).tolist()
    decimals = pl.Series(["1.50", None]).cast(pl.Decimal(10, 2))
    assert hash_values(decimals).tolist() == hash_values(pl.Series(["1.50", None])).tolist()


def test_a_row_depends_on_names_and_values_but_not_on_the_columns_order() -> None:
    x, y = pl.Series("x", [1, 2, None]), pl.Series("y", ["a", None, "c"])
    rows = hash_rows([x, y])
    assert rows.tolist() == hash_rows([y, x], [hash_values(y), hash_values(x)]).tolist()
    assert len({*rows.tolist(), *hash_rows([x.alias("y"), y.alias("x")]).tolist()}) == 6


def test_a_row_is_hashed_as_defined() -> None:
    cells = {"x": mix(7), "größe": hash_of_text(b"a"), "none": 0}
    numbers = {
        n: int.from_bytes(hashlib.blake2b(n.encode(), digest_size=8).digest(), "little") | 1 for n in cells
    }
    columns = [pl.Series("x", [7]), pl.Series("größe", ["a"]), pl.Series("none", [None], dtype=pl.Int64)]
    assert hash_rows(columns).tolist() == [mix(sum(cells[n] * numbers[n] for n in cells) & MASK)]


def test_each_bit_of_the_hash_is_set_half_of_the_time() -> None:
    hashes = hash_values(pl.Series([f"row {i}" for i in range(20_000)]))
    shares = [int(((hashes >> np.uint64(bit)) & np.uint64(1)).sum()) / 20_000 for bit in range(64)]
    assert 0.48 < min(shares) <= max(shares) < 0.52  # five standard errors are 0.018


@pytest.mark.parametrize("n_short", [0, 3, 20_000])
def test_cells_of_very_different_lengths_stand_side_by_side(n_short: int) -> None:
    texts = ["x" * 4_001, *("ab" * (i % 9) for i in range(n_short)), "é" * 300, "y" * 80_000, ""]
    expected = {text: hash_of_text(text.encode()) for text in texts}
    assert hash_values(pl.Series(texts)).tolist() == [expected[text] for text in texts]
