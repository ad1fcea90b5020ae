"""Types of columns from all of their cells; which single cells fit a type."""

from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.pipeline.data.cell_types import CellType, ColumnTypes, all_fit, fitting


def kind_of(*blocks: list[str | None], known: dict[str, CellType] | None = None) -> CellType:
    types = ColumnTypes(["a"], known)
    at = 1
    for block in blocks:
        if types.open:
            types.see(pl.DataFrame({"a": block}, schema={"a": pl.String}), range(at, at + len(block)))
        at += len(block)
    return types.result()["a"]


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("1", "integer"), ("-1", "integer"), ("0", "integer"), ("-0", "float"), ("9223372036854775807", "integer"),
        ("9223372036854775808", "text"), ("-9223372036854775808", "integer"), ("01", "text"), ("+1", "text"),
        ("1.5", "float"), (".5", "float"), ("2.", "float"), ("1e5", "float"), ("-1E+3", "float"), ("1e999", "text"),
        ("1e308", "float"), ("1e-999", "text"), ("-2E-324", "text"), ("5e-324", "float"), ("2.5e-0310", "float"),
        ("0e-999", "float"), ("-0.0e-400", "float"), ("0." + "0" * 340 + "1", "text"), ("1e-199", "float"),
        ("0." + "0" * 90 + "1e-199", "float"), ("0." + "0" * 140 + "1e-190", "text"),
        ("9" * 400 + ".5", "text"), ("NaN", "text"), ("inf", "text"), ("1,5", "text"),
        ("0x1", "text"),
        ("1_0", "text"), (" 1", "text"), ("٣", "text"), ("true", "boolean"), ("FALSE", "boolean"), ("yes", "text"),
        ("2024-02-29", "date"), ("2023-02-29", "text"), ("2024-13-01", "text"), ("2024-1-1", "text"),
        ("2024-02-29 10:00:00", "datetime"), ("2024-02-29T23:59:59.123456", "datetime"),
        ("2024-02-29 24:00:00", "text"),
        ("2024-02-29 10:00:60", "text"), ("2024-02-29T10:00:00Z", "text"), ("2024-02-29 10:00", "text"),
        ("2023-02-29 10:00:00", "text"), ("", "empty"), ("1\n", "text"),
    ],
)  # fmt: skip
def test_one_cell_sets_the_type_and_fits_it(cell: str, kind: str) -> None:
    assert kind_of([cell, None, ""]) == kind
    assert fitting(pl.Series([cell, None, ""]), CellType(kind)).to_list() == [True, None, True]
    for other in set(CellType) - {CellType(kind), CellType.TEXT}:
        narrower = {("integer", "float"), ("empty", other)}
        if (kind, other) not in narrower:
            assert fitting(pl.Series([cell]), other).to_list() == [False]


@settings(max_examples=100)
@given(
    cells=st.lists(
        st.sampled_from(["1", "2.5", "", "x", "true", "2024-01-01", "1e3", "1e999", "1234567890123456", "9" * 19]),
        min_size=1, max_size=7,
    ),
    cuts=st.sets(st.integers(0, 7)),
)  # fmt: skip
def test_the_type_does_not_depend_on_blocks_or_order(cells: list[str], cuts: set[int]) -> None:
    bounds = sorted({0, len(cells), *(cut for cut in cuts if cut < len(cells))})
    blocks = [list(cells[a:b]) for a, b in pairwise(bounds)]
    whole = kind_of(list(cells))
    assert kind_of(*blocks) == whole
    assert kind_of(list(reversed(cells))) == whole


@settings(max_examples=100)
@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_what_python_writes_for_a_number_is_a_float(number: float) -> None:
    assert kind_of([repr(number)]) == "float"


def test_a_float_column_may_have_exponents_in_later_blocks() -> None:
    assert kind_of(["1.5"], ["1e3", "2.5"], ["-1E-300"]) == "float"
    assert kind_of(["1.5"], ["1e3"], ["1e400"]) == "text"
    assert kind_of(["1.5"], ["1e-300"], ["1e-400"]) == "text"


class TestMoreDigitsThanADouble:
    """17 digits name every double; what has more is a number only if the double says the same."""

    @pytest.mark.parametrize(
        "cell",
        [
            "12345678901234567.5", "-12345678901234568.25", "0.123456789012345678", "1.23456789012345671e-5",
            ".000123456789012345678", "123456789012345678.", "123456789012345678E3", "12345678901234567.50",
        ],
    )  # fmt: skip
    def test_a_column_that_would_be_rounded_is_text_and_says_where(self, cell: str) -> None:
        types = ColumnTypes(["a"])
        types.see(pl.DataFrame({"a": ["1.5", "", cell, "2"]}), range(11, 15))
        assert types.result()["a"] == "text"
        (note,) = types.notes()
        assert "Column 'a' is read as text: row 13 has a number of more than 17 digits" in note
        assert cell not in note
        assert (
            kind_of(["1.5"], [cell]) == kind_of([cell], ["1.5"]) == kind_of(["1"], [cell], ["1.5"]) == "text"
        )

    @pytest.mark.parametrize(
        "cell",
        [
            "0.30000000000000004", "-1.7976931348623157e+308", "0.00000000000000000001", "5.684341886080802e-14",
            "100000000000000000000.0", "1.500000000000000000000", "1.000000000000000056e-01",
            "0.1000000000000000055511151231257827", "1.000000000000000000e+00", "9007199254740993.0",
        ],
    )  # fmt: skip
    def test_zeros_and_what_numpy_writes_for_a_double_are_numbers(self, cell: str) -> None:
        assert kind_of([cell, "1.5"]) == "float"

    @settings(max_examples=50)
    @given(number=st.floats(allow_nan=False, allow_infinity=False), digits=st.integers(17, 40))
    def test_however_many_digits_of_a_double_are_written(self, number: float, digits: int) -> None:
        assert kind_of([f"{number:.{digits}e}"]) == "float"
        assert kind_of([pl.DataFrame({"a": [number]}).write_csv().split()[1]]) == "float"

    def test_who_says_float_has_them_rounded(self) -> None:
        assert fitting(pl.Series(["12345678901234567.5"]), CellType.FLOAT).to_list() == [True]
        assert kind_of(["12345678901234567.5"], known={"a": CellType.FLOAT}) == "float"


def test_columns_that_are_known_are_not_learnt() -> None:
    assert kind_of(["x"], known={"a": CellType.INTEGER}) == "integer"
    assert ColumnTypes(["a", "b"], {"a": CellType.TEXT}).open == ["b"]


class TestNotes:
    def notes(self, cells: list[str], numbers: list[int] | range, **given: bool) -> list[str]:
        types = ColumnTypes(["a"], **given)
        types.see(pl.DataFrame({"a": cells}), numbers)
        return types.notes()

    def test_the_row_that_decided_is_told_by_its_number_in_the_file_and_not_quoted(self) -> None:
        (note,) = self.notes(["1"] * 20 + ["secret"], [*range(1, 21), 99])
        assert "row 99," in note
        assert "secret" not in note

    def test_words_need_no_note(self) -> None:
        assert self.notes(["x", "y", "1"], range(1, 4)) == []

    def test_decimal_commas_are_noted_where_they_are_likely(self) -> None:
        cells = ["1,5", "2", "-3,25"]
        assert "decimal comma" in self.notes(cells, range(1, 4), decimal_commas=True)[0]
        assert "decimal comma" not in self.notes(cells, range(1, 4))[0]

    def test_postcodes_are_no_numbers_with_a_comma(self) -> None:
        for cells in (["01067", "10115"], ["007", "012"], ["1067", "x1"]):
            assert self.notes(cells, range(1, 3), decimal_commas=True) == []

    @pytest.mark.parametrize("marker", ["#N/A", "N/A", "-", "NULL", "#REF!"])
    @pytest.mark.parametrize(
        ("values", "kind"),
        [(["1", "2.5"], "numbers"), (["2024-01-01", ""], "dates"), (["2024-01-01 01:02:03"], "times")],
    )
    def test_words_for_nothing_that_keep_a_column_from_its_type_are_named(
        self, marker: str, values: list[str], kind: str
    ) -> None:
        cells = [*values, marker, marker]
        (note,) = self.notes(cells, range(11, 11 + len(cells)))
        assert f"as text and not as {kind} because of 2 cells such as {marker!r}" in note
        assert f"in row {11 + len(values)}:" in note

    def test_dates_of_several_formats_are_counted_by_format(self) -> None:
        cells = ["2024-01-02", "02/01/2024", "", "2024-01-03", "3.1.2024", "2024-01-04", "N/A"]
        (note,) = self.notes(cells, range(11, 18))
        assert "Column 'a' holds dates in several formats" in note
        assert "in rows 11 to 17: YYYY-MM-DD (3), NN.NN.YYYY (1), NN/NN/YYYY (1)" in note
        (note,) = self.notes(["2024-01-02 10:00:00", "2024-01-02"], range(1, 3))
        assert "YYYY-MM-DD (1), YYYY-MM-DD hh:mm:ss (1)" in note
        assert self.notes(["10-11-2024", "12345", "x"] * 3, range(1, 10)) == []

    def test_words_for_nothing_among_words_are_not(self) -> None:
        assert self.notes(["good", "N/A", "bad"], range(1, 4)) == []
        assert self.notes(["N/A", "-"], range(1, 3)) == []

    @pytest.mark.parametrize(
        ("cells", "told"),
        [
            (["1.234,50", "12,00", "1,2E+03"], "write 1234.50 instead"), (["$1,234.50", "$7"], "write 1234.50 instead"),
            (["1,000", "2,000"], "write 1234.50 instead"), (["12 %", "7 %"], "write 1234.50 instead"),
            (["31.12.2023", "1.2.2024", "#N/A"], "write 2023-12-31 instead"),
            (["WAHR", "FALSCH"], "write true and false"),
        ],
    )  # fmt: skip
    def test_what_spreadsheets_write_is_noted(self, cells: list[str], told: str) -> None:
        for commas in (True, False):
            (note,) = self.notes(cells, range(1, 4), decimal_commas=commas and "," not in cells[-1])
            assert told in note
            assert cells[0] not in note or cells[0] in "$1,234.50 or 1.234,50; days such as 31.12.2023; WAHR"


@pytest.mark.parametrize("kind", [kind for kind in CellType if kind is not CellType.TEXT])
def test_all_cells_fit_where_each_does(kind: CellType) -> None:
    cells = [
        "",
        None,
        "0",
        "-7",
        "9223372036854775807",
        "9223372036854775808",
        "1.5",
        ".5",
        "1e3",
        "1e999",
        "1e-999",
    ]
    cells += [
        "true",
        "FALSE",
        "2024-02-29",
        "2023-02-29",
        "2024-02-29 10:00:00",
        "2023-02-29T10:00:00",
        "word",
    ]
    for one in cells:
        for other in cells:
            both = pl.Series([one, other], dtype=pl.String)
            assert all_fit(both, kind) is fitting(both, kind).all(), (one, other)
