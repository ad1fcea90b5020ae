r"""Which rows are equal in content, over many columns, without holding a second copy of a large frame.

A row that differs from another in nothing that a reader would call content is the same row, however it was
written. This decides only which rows count as the same; models are trained on the values as they came.

| values  | are equal if                                                                                       |
|---------|----------------------------------------------------------------------------------------------------|
| text    | they are after Unicode NFKC, without case, invisible and control characters, and with every run of  |
|         | white space as one blank and none at the ends (`normalised_text`); blank text is null                |
| floats  | they are after rounding to 32 bits (about 7 digits); -0.0 is 0.0, NaN is null; beyond the range of   |
|         | 32-bit floats they are compared as doubles                                                           |
| others  | they are the same; an integer equals a float as if it were one                                       |

Letters that merely look alike (Latin and Cyrillic `a`) are different, and so are values that rounding moves
apart. A 64-bit hash of each row's content finds the few rows that could be equal to another; those are then
compared by their content. A collision of hashes therefore costs time and never changes an answer. Content is
made for a block of rows at a time. The frames that are compared have the same types (see `reconcile`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from hokusai.pipeline.data.columns import selected

if TYPE_CHECKING:
    import polars as pl

_MAX_COMPARED = 100_000
"""Rows compared by content at once: this many are copied, not all that could be equal."""
_BLOCK_ROWS = 50_000
"""Rows whose content is in memory while their hashes are taken."""
_AT = "position"
"""The column of positions beside columns of content, which are named `0`, `1` and so on."""

_SMALLEST_NORMAL, _LARGEST = 2.0**-126, (2 - 2.0**-23) * 2.0**127
"""Of 32-bit floats."""

_WHITE = r"\p{White_Space}\u2800"
_INVISIBLE = rf"[[\p{{Cc}}\p{{Cf}}\p{{Default_Ignorable_Code_Point}}]--[{_WHITE}]]+"
_NOT_ONE_BLANK = rf"[[{_WHITE}]--[ ]][{_WHITE}]*| [{_WHITE}]+"
_SETTLED = (  # Latin, Cyrillic, kana, Chinese, Hangul, quotes and dashes
    r"\x00-\x7F\xC0-\u012F\u0131\u0134-\u013E\u0141-\u0148\u014A-\u017E\u0400-\u0482\u048A-\u052F"
    r"\u2013\u2014\u2018-\u201E\u20AC\u3001-\u3029\u3041-\u3096\u30A1-\u30FA\u4E00-\u9FFF\uAC00-\uD7A3"
)
"""Characters that NFKC leaves as they are, whatever stands beside them, and whose upper case is final."""


def occurs_in(frame: pl.DataFrame, other: pl.DataFrame, columns: Sequence[str]) -> pl.Series:
    """For each row of `frame`, whether `other` has a row with the same content in `columns`.

    Returns:
        Booleans of shape (n_rows,).

    >>> import polars as pl
    >>> occurs_in(pl.DataFrame({"a": ["x", "", "No "]}), pl.DataFrame({"a": [None, "no"]}), ["a"]).to_list()
    [False, True, True]
    """
    import polars as pl

    found = pl.repeat(False, frame.height, dtype=pl.Boolean, eager=True)
    if not frame.height or not other.height:
        return found
    rows, others = selected(frame, columns), selected(other, columns)
    forms = _forms(rows, others)
    hashes, other_hashes = _hashes(rows, forms), _hashes(others, forms)
    positions = hashes.is_in(other_hashes.implode()).arg_true()
    if not len(positions):
        return found
    for part in _partitions(positions, hashes):
        candidates = _content(rows[part], forms)
        possible = _content(others.filter(other_hashes.is_in(hashes[part].implode())), forms).unique()
        matched = candidates.with_columns(part.alias(_AT)).join(
            possible, on=candidates.columns, how="semi", nulls_equal=True
        )
        found = found.scatter(matched[_AT], True)
    return found


def first_occurrence(
    frame: pl.DataFrame, columns: Sequence[str], among: pl.Series | None = None
) -> pl.Series:
    """For each row, the position of the first row with the same content in `columns`.

    Args:
        frame: The rows.
        columns: What makes rows equal.
        among: Which rows take part (all, if absent); the others are their own first occurrence.

    Returns:
        Positions of shape (n_rows,), from 0; a row repeats an earlier one where its entry is not its own
        position.

    >>> import polars as pl
    >>> first_occurrence(pl.DataFrame({"a": [7.5, 8.0, 7.500000000000001]}), ["a"]).to_list()
    [0, 1, 0]
    """
    import polars as pl

    rows = selected(frame, columns)
    forms = _forms(rows)
    first = pl.int_range(frame.height, dtype=pl.UInt32, eager=True)
    if not frame.height:
        return first
    hashes = _hashes(rows, forms)
    taking_part = first if among is None else first.filter(among)
    positions = taking_part.filter(hashes.gather(taking_part).is_duplicated())
    if not len(positions):
        return first
    for part in _partitions(positions, hashes):
        content = _content(rows[part], forms)
        candidates = content.with_columns(part.alias(_AT))
        earliest = candidates.select(pl.col(_AT).min().over(content.columns))[_AT]
        first = first.scatter(part, earliest)
    return first


def same_features_other_label(
    frame: pl.DataFrame, benchmark: pl.DataFrame, features: Sequence[str], target: str
) -> pl.Series:
    """For each row, whether it has a label, and `benchmark` has its features but never with that label.

    Returns:
        Booleans of shape (n_rows,); a row that `occurs_in` the benchmark as it is, is not among them.

    >>> import polars as pl
    >>> rows = pl.DataFrame({"x": [1, 1, 2], "y": ["a", "b", "a"]})
    >>> same_features_other_label(rows, rows[:1], ["x"], "y").to_list()
    [False, True, False]
    """
    found = occurs_in(frame, benchmark, features)
    at = found.arg_true()
    if not len(at):
        return found
    rows = selected(frame, (*features, target))[at]
    label = _content(selected(rows, [target]), _forms(selected(rows, [target]))).to_series()
    other_label = label.is_not_null() & ~occurs_in(rows, benchmark, rows.columns)
    return found.scatter(at, other_label)


def normalised_text(column: pl.Series) -> pl.Series:
    r"""Text as it is compared: NFKC, upper case, nothing invisible, single blanks; null where nothing is left.

    >>> import polars as pl
    >>> normalised_text(pl.Series(["  Cafe\u0301\u00a0au\n lait\u200b", "\t", "Stra\u00dfe"])).to_list()
    ['CAFÉ AU LAIT', None, 'STRASSE']
    """
    import polars as pl

    text = column.cast(pl.String)
    text = _where(text, text.str.contains(_INVISIBLE), lambda t: t.str.replace_all(_INVISIBLE, ""))
    unsettled = text.str.contains(rf"[^{_SETTLED}]")
    text = _where(text.str.to_uppercase(), unsettled, lambda _: _settle(text.filter(unsettled)))
    text = _where(
        text, text.str.contains(_NOT_ONE_BLANK), lambda t: t.str.replace_all(_NOT_ONE_BLANK, " ")
    ).str.strip_chars(" ")
    return _where(text, text == "", lambda t: t.clear(len(t)))


def _settle(text: pl.Series) -> pl.Series:
    """NFKC, without case: lower case first, since some capitals have no upper case of their own."""
    return text.str.normalize("NFKC").str.to_lowercase().str.to_uppercase().str.normalize("NFKC")


def _where(text: pl.Series, mask: pl.Series, change: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """The text with some of its cells changed; most of the time there are none."""
    at = mask.arg_true()
    return text.clone().scatter(at, change(text.gather(at))) if len(at) else text


def _forms(*frames: pl.DataFrame) -> list[str]:
    """For each column, how its content is made, the same for all frames."""

    def form(dtypes: list[pl.DataType]) -> str:
        import polars as pl

        if any(isinstance(dtype, pl.String | pl.Categorical | pl.Enum) for dtype in dtypes):
            return "text"
        return "float" if any(dtype.is_float() or dtype.is_decimal() for dtype in dtypes) else "same"

    return [form(list(dtypes)) for dtypes in zip(*(frame.dtypes for frame in frames), strict=True)]


def _content(rows: pl.DataFrame, forms: Sequence[str]) -> pl.DataFrame:
    """What is compared: columns `0`, `1` and so on, whatever the names are in the data."""
    import polars as pl

    columns = rows.rename({name: str(i) for i, name in enumerate(rows.columns)})
    changes: list[pl.Expr | pl.Series] = []
    for name, form in zip(columns.columns, forms, strict=True):
        if form == "float":
            value = pl.col(name).cast(pl.Float64).fill_nan(None)
            in_range = value.abs().is_between(_SMALLEST_NORMAL, _LARGEST)
            rounded = value.cast(pl.Float32).cast(pl.Float64)
            changes.append(pl.when(in_range).then(rounded).otherwise(value))
        elif form == "text":
            changes.append(normalised_text(columns[name]))
    return columns.with_columns(changes)


def _hashes(rows: pl.DataFrame, forms: Sequence[str]) -> pl.Series:
    import polars as pl

    return pl.concat([_row_hashes(_content(block, forms)) for block in rows.iter_slices(_BLOCK_ROWS)])


def _partitions(positions: pl.Series, hashes: pl.Series) -> Iterator[pl.Series]:
    """Positions in parts of about `_MAX_COMPARED`, so that equal rows fall in one part."""
    n_parts = -(-len(positions) // _MAX_COMPARED)
    numbers = hashes[positions] % n_parts
    for number in range(n_parts):
        part = positions.filter(numbers == number)
        if len(part):
            yield part


def _row_hashes(content: pl.DataFrame) -> pl.Series:
    return content.hash_rows()
