"""Columns by name: the ones that are wanted must be there, or the error names what was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from hokusai.errors import SchemaError


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
    folded = {column.strip().casefold(): column for column in present}
    near = difflib.get_close_matches(missing[0].strip().casefold(), folded, n=1)
    shown = ", ".join(map(repr, present[:30])) + (
        f" and {len(present) - 30} more" if len(present) > 30 else ""
    )
    plural = "Columns" if len(missing) > 1 else "Column"
    raise SchemaError(
        f"{plural} {', '.join(map(repr, missing))} {'are' if len(missing) > 1 else 'is'} "
        f"missing; there are: {shown}",
        where=name,
        hint=f"Did you mean {folded[near[0]]!r}?" if near else "Add the column, or name another.",
    )
