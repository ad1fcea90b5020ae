"""A column of telephone numbers, brought to E.164 as a whole.

Numbers one by one take some 20 microseconds each; here each region's plan is one regular expression over all cells
that are still open, and only what is unusual (carrier codes, numbers without their plus) is left for one by one.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from hokusai.privacy.numbering import (
    NumberingPlan,
    abroad,
    country_codes,
    in_country,
    international,
    plans,
    plans_of_code,
)

if TYPE_CHECKING:
    import polars as pl

_CELL = r"^(?:\+ |[+(]{0,2})[0-9][0-9 ()./-]{5,30}[0-9](?: ?(?:x|ext\.?|extension) ?[0-9]{1,6})?$"
_BETWEEN = list("+( )./-")
_WITHOUT_BETWEEN = str.maketrans("", "", "".join(_BETWEEN))
"""All that stands between the digits of a cell."""
_EXTENSION = r" ?(?:x|ext\.?|extension) ?[0-9]{1,6}$"
_COMPILED_EXTENSION = re.compile(_EXTENSION)
_MOST_DIGITS = 15
_GROUP = re.compile("[0-9]+")
_FEW = 300
"""Rows for which compiling a region's expressions takes longer than looking at each."""
_LAID_OUT = re.compile(r"(?:\+ |[+(]{0,2})[0-9][0-9 ()./-]{5,30}[0-9]")
_EXACTLY_3, _EXACTLY_4 = (3, 3), (4, 4)


def phone_column(cells: pl.Series, regions: tuple[str, ...], *, told: bool) -> pl.Series:
    """The E.164 form of each cell that is one number; null elsewhere.

    Args:
        cells: Text without blanks around it, odd characters made plain.
        regions: Whose national formats count, the first one first.
        told: Whether the column is known to hold numbers: then bare digits count, and those that lost their plus or
            their trunk prefix, as numbers that were stored as integers do.

    Raises:
        MissingExtraError: `phonenumbers` is not installed.

    >>> import polars as pl
    >>> cells = pl.Series(["(415) 555-2671", "+44 20 7946 0958", "4155552671", "n/a"])
    >>> phone_column(cells, ("US",), told=True).to_list()
    ['+14155552671', '+442079460958', '+14155552671', None]
    >>> phone_column(cells, ("US",), told=False).to_list()
    ['+14155552671', '+442079460958', None, None]
    """
    known = plans(regions)
    numbers = _placed(_written_alike(cells, known, told=told), cells)
    rows = (numbers.is_null() & cells.is_not_null()).arg_true()
    return (
        numbers.scatter(rows, _each_its_way(cells.gather(rows), known, told=told)) if len(rows) else numbers
    )


def _written_alike(cells: pl.Series, known: tuple[NumberingPlan, ...], *, told: bool) -> pl.DataFrame:
    """Rows and numbers of the cells that are laid out like the first one, as in most columns nearly all are.

    Their digits stand where its digits stand, so no cell need be taken apart, and the country that groups digits like
    the first cell's is the same for all. What it does not know is left for the way of `_each_its_way`.
    """
    import polars as pl

    first = next(iter(cells.head(_FEW).drop_nulls().head(1)), "")
    none = pl.DataFrame(schema={"row": pl.get_index_type(), "number": pl.String})
    if len(cells) < _FEW or not _LAID_OUT.fullmatch(first) or (first.isdecimal() and not told):
        return none
    groups = [found.span() for found in _GROUP.finditer(first)]
    digits = "".join(first[start:end] for start, end in groups)
    layout = "".join("[0-9]" if character.isdecimal() else f"[{character}]" for character in first)
    alike = (
        cells.to_frame("written").with_row_index("row").filter(pl.col("written").str.contains(f"^{layout}$"))
    )
    if alike.height < _FEW or len(digits) > _MOST_DIGITS:
        return none
    pieces = [pl.col("written").str.slice(start, end - start) for start, end in groups]
    numbers = alike.select("row", pl.concat_str(pieces).alias("digits"), "written")
    if "+" in first:
        code = next((code for code in country_codes() if digits.startswith(code)), None)
        return numbers.filter(_is_abroad(code)).select("row", number="+" + pl.col("digits")) if code else none
    grouped = len(groups) > 1
    plan = next((plan for plan in known if not grouped or re.match(_groupings(plan), first)), None)
    return _read_by(numbers, plan, known, grouped=grouped)[2] if plan else none


def _each_its_way(cells: pl.Series, known: tuple[NumberingPlan, ...], *, told: bool) -> pl.Series:
    """The same for cells of whatever layout."""
    import polars as pl

    cell = pl.col("cell")
    shaped = cells.to_frame("cell").with_row_index("row").filter(cell.str.contains(_CELL))
    if not told:
        shaped = shaped.filter(cell.str.contains("[^0-9]"))
    if shaped.height < _FEW:  # as in a table of many columns and few rows
        numbers = [_alone(one, known, told=told) for one in shaped["cell"].to_list()]
        found = shaped.select("row", number=pl.Series(numbers, dtype=pl.String)).drop_nulls()
        return _placed(found, cells)
    if shaped["cell"].str.contains("x", literal=True).any():  # as every extension has it
        shaped = shaped.with_columns(cell=cell.str.replace(_EXTENSION, ""))
    open_ = shaped.select(
        "row",
        digits=cell.str.replace_many(_BETWEEN, [""] * len(_BETWEEN)),
        plus=cell.str.contains(r"^\(?\+"),
        written=cell,
    ).filter(pl.col("digits").str.len_bytes() <= _MOST_DIGITS)
    settled = [_with_plus(open_.filter("plus"))]
    open_ = open_.filter(~pl.col("plus")).select("row", "digits", "written")
    unusual = []
    for grouped in (True, False):  # who writes numbers in these groups is asked first
        for plan in known:
            open_, odd, found = _of_region(open_, plan, known, grouped=grouped)
            unusual.append(odd)
            settled.append(found)
    settled.append(_one_by_one(pl.concat([open_, *unusual]), known, told=told))
    return _placed(pl.concat(settled), cells)


def _placed(found: pl.DataFrame, cells: pl.Series) -> pl.Series:
    """The numbers in their rows, null elsewhere."""
    import polars as pl

    empty = pl.Series(cells.name, [None], dtype=pl.String).new_from_index(0, len(cells))
    return empty.scatter(found["row"], found["number"]) if len(found) else empty


def _with_plus(numbers: pl.DataFrame) -> pl.DataFrame:
    """Rows and E.164 forms of numbers with a country code."""
    import polars as pl

    codes = numbers.with_columns(code=pl.col("digits").str.extract(f"^({'|'.join(country_codes())})"))
    settled = [pl.DataFrame(schema={"row": pl.get_index_type(), "number": pl.String})]
    few = codes.filter(pl.len().over("code") < _FEW)
    forms = [international(digits) for digits in few["digits"].to_list()]
    settled.append(few.select("row", number=pl.Series(forms, dtype=pl.String)).drop_nulls())
    many = codes.drop_nulls("code").filter(pl.len().over("code") >= _FEW)
    for (code,), group in many.group_by("code"):
        is_valid = _is_abroad(str(code))
        settled.append(group.filter(is_valid).select("row", number="+" + pl.col("digits")))
        rest = group.filter(~is_valid)
        forms = [international(digits) for digits in rest["digits"].to_list()]
        settled.append(rest.select("row", number=pl.Series(forms, dtype=pl.String)).drop_nulls())
    return pl.concat(settled)


def _is_abroad(code: str) -> pl.Expr:
    """Whether the column `digits` holds a country code and a complete number of that country."""
    import polars as pl

    valid = "|".join(plan.valid for plan in plans_of_code(code))
    return pl.col("digits").str.contains(f"^{code}(?:{valid})$")


def _of_region(
    numbers: pl.DataFrame, plan: NumberingPlan, known: tuple[NumberingPlan, ...], *, grouped: bool
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Which rows are still open, which are unusual for this region, and which are settled by it."""
    import polars as pl

    if numbers.height < _FEW:
        return (
            numbers.clear(),
            numbers,
            pl.DataFrame(schema={"row": pl.get_index_type(), "number": pl.String}),
        )
    others = numbers.clear()
    if grouped:
        likely = numbers["written"].str.contains(_groupings(plan))
        numbers, others = numbers.filter(likely), numbers.filter(~likely)
    open_, odd, found = _read_by(numbers, plan, known, grouped=grouped)
    return pl.concat([open_, others]), odd, found


def _read_by(
    numbers: pl.DataFrame, plan: NumberingPlan, known: tuple[NumberingPlan, ...], *, grouped: bool
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The same of numbers that are grouped like those of the region, if at all."""
    import polars as pl

    digits = pl.col("digits")
    trunk = digits.str.extract(f"^({plan.prefix})") if plan.prefix else pl.lit(None, dtype=pl.String)
    if plan.prefix.isdecimal():  # as in most countries
        trunk = pl.when(digits.str.starts_with(plan.prefix)).then(pl.lit(plan.prefix)).otherwise(None)
    read = numbers.with_columns(trunk=trunk).with_columns(
        national=pl.when(pl.col("trunk").str.len_bytes() == 1).then(digits.str.slice(1)),
        odd=(pl.col("trunk").str.len_bytes() > 1).fill_null(value=False),
        raw=digits.str.contains(f"^{plan.valid}$"),
    )
    stripped = pl.col("national").str.contains(f"^{plan.valid}$").fill_null(value=False)
    habit = plan.prefix_habit
    if habit is None:
        read = read.with_columns(odd=pl.col("odd") | pl.col("raw"))
    if habit is not False:
        read = read.with_columns(raw=pl.lit(value=False))
    found = pl.when("raw").then(digits).when(stripped).then("national")
    read = read.with_columns(own=found)
    if plan.firm != plan.valid:
        read = read.with_columns(odd=pl.col("odd") | _is_loose(plan, known, grouped=grouped))
    read = read.with_columns(odd=pl.col("odd") | digits.str.starts_with("00"))
    usual = read.filter(~pl.col("odd"))
    if grouped and plan.country_code != "1":
        usual = usual.with_columns(own=pl.when(_is_exact(plan)).then("own"))
    usual = usual.with_columns(number=pl.lit("+" + plan.country_code) + pl.col("own"))
    odd = read.filter("odd").select("row", "digits", "written")
    open_ = usual.filter(pl.col("number").is_null()).select("row", "digits", "written")
    return open_, odd, usual.drop_nulls("number").select("row", "number")


def _is_loose(plan: NumberingPlan, known: tuple[NumberingPlan, ...], *, grouped: bool) -> pl.Expr:
    """Whether a number of the plan is of a loose kind, and may be meant for one abroad or for another's mobile."""
    import polars as pl

    digits = pl.col("digits")
    meant = digits.str.contains("^[1-9][0-9]{10}")
    for rival in known if grouped else ():
        if rival is not plan:
            mobile = digits.str.contains(f"^(?:{rival.prefix})?{rival.mobile}$")
            meant |= mobile & pl.col("written").str.contains(_groupings(rival))
    is_firm = pl.col("own").str.contains(f"^{plan.firm}$").fill_null(value=True)
    return ~is_firm & meant


def _is_exact(plan: NumberingPlan) -> pl.Expr:
    """Whether the column `written` groups the national number `own` as the first style that fits it does."""
    import polars as pl

    exact = pl.lit(value=False)
    for style in reversed(plan.styles):
        own = pl.col("own")
        fits = own.str.contains(f"^(?:{style.leading})") & own.str.contains(f"^(?:{style.pattern})$")
        groups = _written_in(style.group_lengths, style.bare_lengths)
        exact = pl.when(fits).then(pl.col("written").str.contains(groups)).otherwise(exact)
    return exact


@cache
def _groupings(plan: NumberingPlan) -> str:
    """Rust regex of how people of a region group the digits of a number."""
    lengths = {groups for style in plan.styles for groups in (style.group_lengths, style.bare_lengths)}
    if plan.country_code == "1":
        lengths |= {(_EXACTLY_3, _EXACTLY_3, _EXACTLY_4), ((1, 1), _EXACTLY_3, _EXACTLY_3, _EXACTLY_4)}
    return _written_in(*sorted(groups for groups in lengths if len(groups) > 1))


def _written_in(*lengths: tuple[tuple[int, int], ...]) -> str:
    """Rust regex of digits in one of these groupings; each group has so many at least and at most."""
    patterns = [
        "[^0-9]+".join(f"[0-9]{{{least},{most}}}" for least, most in groups)
        for groups in dict.fromkeys(lengths)
    ]
    return f"^[^0-9]*(?:{'|'.join(patterns) or '[^0-9]'})$"


def _one_by_one(numbers: pl.DataFrame, known: tuple[NumberingPlan, ...], *, told: bool) -> pl.DataFrame:
    import polars as pl

    pairs = zip(numbers["digits"].to_list(), numbers["written"].to_list(), strict=True)
    forms = [_form(digits, written, known, told=told) for digits, written in pairs]
    return numbers.select("row", number=pl.Series(forms, dtype=pl.String)).drop_nulls()


def _alone(cell: str, known: tuple[NumberingPlan, ...], *, told: bool) -> str | None:
    """One cell of the right shape."""
    written = _COMPILED_EXTENSION.sub("", cell)
    digits = written.translate(_WITHOUT_BETWEEN)
    if len(digits) > _MOST_DIGITS:
        return None
    if written.startswith(("+", "(+")):
        return international(digits)
    return _form(digits, written, known, told=told)


def _form(digits: str, written: str, known: tuple[NumberingPlan, ...], *, told: bool) -> str | None:
    if digits.startswith("00") and (found := international(digits[2:])):
        return found
    if found := in_country(digits, tuple(map(len, _GROUP.findall(written))), known):
        return found
    if digits.startswith("011") and (found := international(digits[3:])):
        return found
    if not told:
        return None
    for plan in known:
        if plan.is_valid(digits):
            return (None if plan.is_firm(digits) else abroad(digits)) or f"+{plan.country_code}{digits}"
    return international(digits)
