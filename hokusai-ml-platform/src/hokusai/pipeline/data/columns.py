"""Columns by name: named as they are and never as patterns; the ones that are wanted must be there, or the error names
what was probably meant; and which of them are predicted from.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from hokusai.errors import SchemaError

if TYPE_CHECKING:
    import polars as pl


def col(name: str) -> pl.Expr:
    """The one column of this name; `*` and `^a.*$`, which `pl.col` takes for patterns, are names like others.

    >>> import polars as pl
    >>> pl.DataFrame({"*": [1], "x": [2]}).select(col("*") + 1).columns
    ['*']
    """
    import polars.selectors as cs

    return cs.by_name(name).as_expr()


def selected(frame: pl.DataFrame, names: Iterable[str]) -> pl.DataFrame:
    """The columns of these names, in their order; `frame.select(names)` takes names for patterns, as `pl.col` does.

    >>> import polars as pl
    >>> selected(pl.DataFrame({"x": [2], "*": [1]}), ["*"]).columns
    ['*']
    """
    return frame.select([col(name) for name in names])


def cells_of(frame: pl.DataFrame, name: str) -> pl.Series:
    """The cells of a column without its name, since many methods of a series take its name for a pattern too.

    >>> import polars as pl
    >>> cells_of(pl.DataFrame({"^a.*$": ["x"]}), "^a.*$").str.to_uppercase().to_list()
    ['X']
    """
    return frame[name].alias("")


class UnknownColumnError(SchemaError):
    """Whoever asks names a column that the data does not have: the question is wrong, and not the data."""


def require_named(present: Sequence[str], named: Iterable[str], name: str) -> None:
    """Check that every column that the caller names is there.

    Raises:
        UnknownColumnError: One is not; as of `require_columns`.
    """
    try:
        require_columns(present, named, name)
    except SchemaError as problem:
        raise UnknownColumnError(problem.what, where=problem.where, hint=problem.hint) from problem


def require_columns(present: Sequence[str], wanted: Iterable[str], name: str) -> None:
    """Check that every wanted column is there.

    Raises:
        SchemaError: One is not; the text lists the columns and suggests near names.

    >>> require_columns(["q", "Label"], ["label"], "a.csv")
    Traceback (most recent call last):
    hokusai.errors.SchemaError: Column 'label' is missing; there are: 'q', 'Label' (a.csv). Did you mean 'Label'?
    """
    missing = [column for column in wanted if column not in present]
    if not missing:
        return
    meant = {column: near_name(column, present) for column in missing}
    shown = ", ".join(map(repr, present[:30])) + (
        f" and {len(present) - 30} more" if len(present) > 30 else ""
    )
    plural = "Columns" if len(missing) > 1 else "Column"
    raise SchemaError(
        f"{plural} {', '.join(map(repr, missing))} {'are' if len(missing) > 1 else 'is'} "
        f"missing; there are: {shown}",
        where=name,
        hint=_hint(missing, {column: near for column, near in meant.items() if near}),
    )


def features_of(
    frame: pl.DataFrame,
    target: str,
    id_column: str | None = None,
    feature_columns: Sequence[str] | None = None,
    unit_column: str | None = None,
) -> tuple[str, ...]:
    """The columns to predict from: those named, or else all but the target, the id and the one of units.

    Raises:
        SchemaError: A named column does not exist or is the target, or none is left.
    """
    require_columns(frame.columns, (target, *((id_column,) if id_column else ())), "")
    if feature_columns is None:
        features = tuple(name for name in frame.columns if name not in (target, id_column, unit_column))
    else:
        require_columns(frame.columns, feature_columns, "")
        features = tuple(dict.fromkeys(feature_columns))
        if target in features:
            raise SchemaError(
                f"The target {target!r} is also named as a feature", hint="A model would be told the answer."
            )
    if not features:
        raise SchemaError("There is no column to predict from", hint="Add feature columns to the data.")
    return features


def near_name(wanted: str, present: Iterable[str]) -> str:
    """The column that was probably meant, or nothing.

    >>> near_name("label", ["q", " Label"])
    ' Label'
    """
    folded = {column.strip().casefold(): column for column in present}
    near = difflib.get_close_matches(wanted.strip().casefold(), folded, n=1)
    return folded[near[0]] if near else ""


def _hint(missing: Sequence[str], near: dict[str, str]) -> str:
    if not near:
        return "Add the column, or name another."
    if len(missing) == 1:
        return f"Did you mean {near[missing[0]]!r}?"
    return f"Did you mean {', '.join(f'{name!r} for {column!r}' for column, name in near.items())}?"
