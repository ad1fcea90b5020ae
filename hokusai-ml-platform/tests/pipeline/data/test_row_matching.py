"""Rows of equal content are found exactly, however they are written and whatever the hash does."""

import unicodedata

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.pipeline.data import row_matching
from hokusai.pipeline.data.row_matching import (
    first_occurrence,
    normalised_text,
    occurs_in,
    same_features_other_label,
)

rows = st.lists(
    st.tuples(
        st.sampled_from([None, 0.0, -0.0, 1.0, 1.5, float("nan")]),
        st.sampled_from([None, "", "a", "b"]),
        st.sampled_from([None, True, False]),
    ),
    max_size=12,
)
SCHEMA = {"x": pl.Float64, "t": pl.String, "b": pl.Boolean}


def frame(values: list[tuple[object, ...]]) -> pl.DataFrame:
    return pl.DataFrame(values, schema=SCHEMA, orient="row")


def keys(values: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    return [
        tuple(None if v != v or v == "" else (0.0 if v == 0 and v is not False else v) for v in row)
        for row in values
    ]


@pytest.fixture(params=["real hash", "all hashes collide", "many parts"])
def hashing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "all hashes collide":
        monkeypatch.setattr(
            row_matching, "_row_hashes", lambda f: pl.repeat(7, f.height, dtype=pl.UInt64, eager=True)
        )
    if request.param == "many parts":
        monkeypatch.setattr(row_matching, "_MAX_COMPARED", 1)
        monkeypatch.setattr(row_matching, "_BLOCK_ROWS", 1)


@pytest.mark.usefixtures("hashing")
class TestAgainstPython:
    def test_null_nan_and_zeros(self) -> None:
        left = frame([(None, "a", True), (-0.0, None, None), (1.0, "a", True), (float("nan"), "a", True)])
        right = frame([(float("nan"), "a", True), (0.0, None, None)])
        assert occurs_in(left, right, list(SCHEMA)).to_list() == [True, True, False, True]
        assert first_occurrence(left, list(SCHEMA)).to_list() == [0, 1, 2, 0]

    def test_empty_frames(self) -> None:
        assert occurs_in(frame([]), frame([(1.0, "a", True)]), list(SCHEMA)).to_list() == []
        assert occurs_in(frame([(1.0, "a", True)]), frame([]), list(SCHEMA)).to_list() == [False]
        assert first_occurrence(frame([]), list(SCHEMA)).to_list() == []

    def test_only_rows_that_take_part_are_first(self) -> None:
        values = frame([(1.0, "a", True)] * 3)
        mask = pl.Series([False, True, True])
        assert first_occurrence(values, list(SCHEMA), among=mask).to_list() == [0, 1, 1]

    def test_categories_compare_by_their_text(self) -> None:
        left = pl.DataFrame({"c": pl.Series(["x", "y"], dtype=pl.Categorical)})
        right = pl.DataFrame({"c": pl.Series(["y"], dtype=pl.Enum(["z", "y"]))})
        assert occurs_in(left, right, ["c"]).to_list() == [False, True]

    def test_chunked_frames(self) -> None:
        whole = frame([(1.0, "a", True), (2.0, "b", False)])
        chunked = pl.concat([whole, whole, whole], rechunk=False)
        assert first_occurrence(chunked, list(SCHEMA)).to_list() == [0, 1, 0, 1, 0, 1]
        assert occurs_in(chunked, whole[1:], list(SCHEMA)).to_list() == [False, True] * 3


@settings(max_examples=75)
@given(left=rows, right=rows)
def test_laws(left: list[tuple[object, ...]], right: list[tuple[object, ...]]) -> None:
    known = set(keys(right))
    assert occurs_in(frame(left), frame(right), list(SCHEMA)).to_list() == [
        key in known for key in keys(left)
    ]
    assert first_occurrence(frame(left), list(SCHEMA)).to_list() == [
        keys(left).index(key) for key in keys(left)
    ]


def test_sixty_five_thousand_equal_rows() -> None:
    many = pl.DataFrame({"a": [1] * 65_536, "t": ["x"] * 65_536})
    assert first_occurrence(many, ["a", "t"]).unique().to_list() == [0]


ACCENTED = "caf\u00e9 au lait"
REWRITTEN = {
    "blank at the end": ACCENTED + " ",
    "blanks inside": "caf\u00e9  au lait",
    "no-break space": "caf\u00e9\u00a0au lait",
    "line feed": "caf\u00e9 au\n lait\r\n",
    "Braille blank": "caf\u00e9\u2800au lait",
    "zero-width space": "caf\u00e9\u200b au lait",
    "zero-width space within a character": "cafe\u200b\u0301 au lait",
    "byte order mark": "\ufeff" + ACCENTED,
    "control character": "caf\u00e9\x00 au lait\x1f",
    "right-to-left mark": "caf\u00e9 \u200f au lait",
    "variation selector": "caf\u00e9\ufe0f au lait",
    "soft hyphen": "caf\u00e9 au la\u00adit",
    "decomposed": unicodedata.normalize("NFD", ACCENTED),
    "full width": "caf\u00e9 \uff41\uff55 lait",
    "another case": ACCENTED.title(),
    "upper case": ACCENTED.upper(),
}


@pytest.mark.usefixtures("hashing")
class TestContent:
    """Each of these let a contributor train on the benchmark, or be paid twice for a row."""

    @pytest.mark.parametrize("column", ["q", "label"])
    def test_text_written_otherwise_is_the_same(self, column: str) -> None:
        benchmark = pl.DataFrame({"q": [ACCENTED, "other"], "label": [ACCENTED, "b"]})
        same = {"q": ACCENTED, "label": ACCENTED}
        copied = pl.DataFrame([{**same, column: text} for text in REWRITTEN.values()])
        found = dict(zip(REWRITTEN, occurs_in(copied, benchmark, ["q", "label"]), strict=True))
        assert [how for how, is_found in found.items() if not is_found] == []
        first = first_occurrence(pl.concat([benchmark, copied]), ["q", "label"]).to_list()
        assert first == [0, 1, *[0] * len(REWRITTEN)]

    @pytest.mark.parametrize(
        "text", ["cafe au lait", "c\u0430f\u00e9 au lait", "caf\u00e9 aulait", "caf\u00e9 au lait."]
    )
    def test_other_text_is_not(self, text: str) -> None:
        assert not occurs_in(pl.DataFrame({"q": [text]}), pl.DataFrame({"q": [ACCENTED]}), ["q"]).any()

    @pytest.mark.parametrize("text", ["", " ", "\t\n", "\u00a0", "\u200b", "\u3164", "\x00"])
    def test_blank_text_is_null(self, text: str) -> None:
        missing = pl.DataFrame({"q": pl.Series([None], dtype=pl.String), "x": [1]})
        blank = pl.DataFrame({"q": [text], "x": [1]})
        assert occurs_in(blank, missing, ["q", "x"]).all()
        assert occurs_in(missing, blank, ["q", "x"]).all()

    @pytest.mark.parametrize("value", [7.500000000000001, 7.500000000001, 7.5 - 1e-9])
    def test_floats_that_hardly_differ_are_the_same(self, value: float) -> None:
        assert first_occurrence(pl.DataFrame({"x": [7.5, value, 7.51]}), ["x"]).to_list() == [0, 0, 2]

    def test_a_benchmark_saved_with_32_bits_is_the_same(self) -> None:
        benchmark = pl.DataFrame({"x": [0.1, 2.0, 1e9 / 3, -1e-30]})
        saved = benchmark.cast(pl.Float32)
        assert occurs_in(saved, benchmark, ["x"]).all()
        assert occurs_in(saved.cast(pl.Float64), benchmark, ["x"]).all()

    def test_what_32_bits_cannot_hold_stays_apart(self) -> None:
        values = [1e300, 1e301, -1e300, 1e-300, 0.0, -0.0, float("inf"), float("-inf"), 3.5e38]
        assert first_occurrence(pl.DataFrame({"x": values}), ["x"]).to_list() == [0, 1, 2, 3, 4, 4, 6, 7, 8]

    def test_integers_are_exact_and_equal_floats(self) -> None:
        assert first_occurrence(pl.DataFrame({"n": [2**60, 2**60 + 1]}), ["n"]).to_list() == [0, 1]
        assert occurs_in(pl.DataFrame({"n": [1, 2]}), pl.DataFrame({"n": [1.0]}), ["n"]).to_list() == [
            True,
            False,
        ]

    @pytest.mark.parametrize("name", ["__position__", "position", "0", "1", "__index_level_0__", ""])
    def test_no_name_of_a_column_collides(self, name: str) -> None:
        values = pl.DataFrame({name: [5, 5, 6, 5], "x": [1, 1, 2, 1]})
        assert first_occurrence(values, [name, "x"]).to_list() == [0, 0, 2, 0]
        assert first_occurrence(values, ["x", name]).to_list() == [0, 0, 2, 0]
        assert occurs_in(values, values[2:3], [name, "x"]).to_list() == [False, False, True, False]


class TestSameFeaturesOtherLabel:
    benchmark = pl.DataFrame(
        {"q": ["one", "two", "two"], "x": [1.0, None, None], "y": ["a", "a", "b"]},
        schema_overrides={"x": pl.Float64},
    )

    @pytest.mark.parametrize(
        ("row", "expected"),
        [
            (("one", 1.0, "b"), True),
            (("ONE ", 1.0000000001, "b"), True),
            (("one", 1.0, "a"), False),
            (("one", 1.0, "A "), False),
            (("one", 1.0, None), False),
            (("one", 1.0, " "), False),
            (("one", 2.0, "b"), False),
            (("two", float("nan"), "b"), False),
            (("two", None, "c"), True),
        ],
    )
    def test_each_case(self, row: tuple[object, ...], expected: bool) -> None:
        rows = pl.DataFrame([("new", 9.0, "a"), row], schema=self.benchmark.schema, orient="row")
        assert same_features_other_label(rows, self.benchmark, ["q", "x"], "y").to_list() == [False, expected]

    def test_no_rows(self) -> None:
        none = self.benchmark.clear()
        assert same_features_other_label(none, self.benchmark, ["q", "x"], "y").to_list() == []
        assert not same_features_other_label(self.benchmark, none, ["q", "x"], "y").any()


characters = st.one_of(
    st.characters(exclude_categories=["Cs"]),
    st.sampled_from(
        "aA\u00e9e\u0301\u0308\u0323\u200b\u034f\u00a0 \n\u00df\u1e9e\u03c3\u03c2\u0130\u0131i\ufb01"
        "\u1100\u1161\u11a8\uac00\u304b\u3099\u01f0\u0345"
    ),
)
INVISIBLE = st.sampled_from(
    ["\u200b", "\u200d", "\ufeff", "\x00", "\x1f", "\u00ad", "\u034f", "\ufe0f", "\u3164"]
)
WHITE = st.sampled_from([" ", "  ", "\t", "\n", "\r\n", "\u00a0", "\u2003", "\u3000", "\u2028", "\x85"])


def one(text: str) -> str | None:
    return each(text)[0]


def each(*texts: str) -> list[str | None]:
    """Several at once; that they do not touch each other is a test of its own."""
    result: list[str | None] = normalised_text(pl.Series(texts)).to_list()
    return result


@settings(max_examples=133)
@given(
    left=st.text(characters, max_size=8), right=st.text(characters, max_size=8), hidden=INVISIBLE, white=WHITE
)
def test_laws_of_text(left: str, right: str, hidden: str, white: str) -> None:
    whole, concealed, padded, apart, spaced = each(
        left + right,
        left + hidden + right,
        f"{white}{left}{right}{white}",
        left + white + right,
        f"{left} {right}",
    )
    assert concealed == padded == whole
    assert apart == spaced
    if whole is not None:
        assert one(whole) == whole
        assert unicodedata.is_normalized("NFKC", whole)
        assert whole == " ".join(whole.split())


@settings(max_examples=133)
@given(text=st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs", "Cn", "Co"]), max_size=8))
def test_form_and_case_do_not_show(text: str) -> None:
    forms = [unicodedata.normalize(form, text) for form in ("NFC", "NFD", "NFKC", "NFKD")]
    as_it_is, folded, *normalised = each(text, text.casefold(), *forms)
    assert normalised == [as_it_is] * 4
    if "\u0345" not in unicodedata.normalize("NFKD", text):  # the iota below changes its place with its case
        assert folded == as_it_is


@settings(max_examples=100)
@given(texts=st.lists(st.text(characters, max_size=5) | st.none(), max_size=6))
def test_a_text_does_not_depend_on_its_neighbours(texts: list[str | None]) -> None:
    whole = normalised_text(pl.Series(texts, dtype=pl.String))
    assert whole.to_list() == [None if text is None else one(text) for text in texts]


def test_the_short_cut_for_common_characters_changes_nothing() -> None:
    all_characters = pl.Series([chr(i) for i in range(0x110000) if not 0xD800 <= i < 0xE000])
    settled = all_characters.filter(~all_characters.str.contains(rf"[^{row_matching._SETTLED}]"))
    assert len(settled) > 30_000
    assert (row_matching._settle(settled) == settled.str.to_uppercase()).all()
    assert (settled.str.normalize("NFKC") == settled).all()
    assert not any(unicodedata.combining(c) for c in settled)


@settings(max_examples=100)
@given(value=st.floats(width=64))
def test_a_float_equals_itself_with_32_bits(value: float) -> None:
    values = pl.DataFrame({"x": [value]})
    assert occurs_in(values, values, ["x"]).all()
    if abs(value) < 3.4e38 and (value == 0 or abs(value) > 1.2e-38):
        assert occurs_in(values.cast(pl.Float32).cast(pl.Float64), values, ["x"]).all()


def test_little_memory_is_taken_beside_the_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    """Content is made for a block of rows at a time and not for all."""
    seen: list[int] = []
    make = row_matching._content

    def watched(rows: pl.DataFrame, forms: list[str]) -> pl.DataFrame:
        seen.append(rows.height)
        return make(rows, forms)

    monkeypatch.setattr(row_matching, "_content", watched)
    values = pl.DataFrame({"x": pl.int_range(200_000, eager=True).cast(pl.Float64)})
    assert occurs_in(values, values[:10], ["x"]).sum() == 10
    assert max(seen) <= row_matching._BLOCK_ROWS
