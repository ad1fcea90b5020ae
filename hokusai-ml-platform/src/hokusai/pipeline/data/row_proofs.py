"""Proofs that a row is in a dataset, or is not, for whoever knows the dataset's hash and nothing else of it.

A proof of about a kilobyte holds digests only. Yet a digest betrays a row that can be guessed, and a proof shows those
of up to fifteen neighbours (thirty-one, that a row is absent): rows with few possible values are not secret from
whoever is shown one.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from hokusai.attestation.merkle import HASH_BYTES, prove_inclusion
from hokusai.errors import IntegrityError, InvalidInputError
from hokusai.pipeline.data.canonical_columns import KINDS, CanonicalColumn, Kind, canonical_columns
from hokusai.pipeline.data.digest_order import sorted_digests
from hokusai.pipeline.data.digest_tree import GROUP_ROWS, group_leaves
from hokusai.pipeline.data.nested_values import nested_text
from hokusai.pipeline.data.proofs import ContentProof, Group, RowProof
from hokusai.pipeline.data.row_digests import row_digests

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    Chunks = Callable[[], Iterator[NDArray[np.uint8]]]

_TAKEN: Mapping[Kind, tuple[type, ...]] = {
    "b": (bool,), "i": (Integral,), "f": (Real, Decimal), "t": (datetime.date,), "d": (datetime.date,),
    "h": (datetime.time,), "u": (datetime.timedelta, Integral), "s": (str,), "x": (bytes,),
}  # fmt: skip
"""What may stand for a value of each logical type; an integer for a duration counts microseconds."""
_BEYOND_MICROSECONDS = re.compile(r"[.,][0-9]{7}")


def prove_row(frame: pl.DataFrame, row: int) -> RowProof:
    """The proof that a row is in a dataset.

    Args:
        frame: The dataset.
        row: Number of the row, from 0.

    Raises:
        InvalidInputError: There is no such row.

    >>> import polars as pl
    >>> from hokusai.pipeline.data.dataset_hash import dataset_hash
    >>> rows = pl.DataFrame({"id": range(40), "label": ["a", "b"] * 20})
    >>> proof = prove_row(rows, 17)
    >>> verify_row(proof, {"id": 17, "label": "b"}, dataset_hash(rows).data_hash)
    """
    digests = row_digests(frame)
    return prove_row_of_digests(canonical_columns(frame.schema), lambda: iter([digests]), row)


def prove_row_of_digests(columns: Sequence[CanonicalColumn], chunks: Chunks, row: int) -> RowProof:
    """The same from digests in the order of the rows, such as `log.chunks` of a `DigestLog`.

    Args:
        columns: Of the rows.
        chunks: Gives the digests in pieces, each time it is called.
        row: Number of the row, from 0.
    """
    rows, (group,) = _groups(chunks(), {row // GROUP_ROWS}, at_least=row + 1)
    return RowProof(tuple(columns), rows, row, group)


def prove_content(frame: pl.DataFrame, row: pl.DataFrame | Mapping[str, Any]) -> ContentProof:
    """The proof that a row is in a dataset, wherever, or that it is not.

    Args:
        frame: The dataset.
        row: A frame of one row, or its values by column.

    >>> import polars as pl
    >>> proof = prove_content(pl.DataFrame({"id": range(40)}), {"id": 40})
    >>> proof.present
    False
    """
    columns = canonical_columns(frame.schema)
    digests = sorted_digests(row_digests(frame))
    return prove_content_of_digests(columns, lambda: iter([digests]), digest_of(row, columns))


def prove_content_of_digests(
    columns: Sequence[CanonicalColumn], sorted_chunks: Chunks, digest: bytes
) -> ContentProof:
    """The same from digests in ascending order, such as `log.sorted_chunks` of a `DigestLog`.

    Args:
        columns: Of the rows.
        sorted_chunks: Gives the digests in pieces, each time it is called.
        digest: Of the row.
    """
    below, rows, there = 0, 0, False
    for digests in sorted_chunks():
        at = _first_not_below(digests, digest)
        below += at
        rows += len(digests)
        there = there or (at < len(digests) and digests[at].tobytes() == digest)
    places = {below} if there else {place for place in (below - 1, below) if 0 <= place < rows}
    _, groups = _groups(sorted_chunks(), {place // GROUP_ROWS for place in places})
    return ContentProof(tuple(columns), rows, digest, groups)


def verify_row(proof: RowProof, row: pl.DataFrame | Mapping[str, Any], data_hash: str) -> None:
    """Check that a row is in the dataset with this hash, at the place that the proof says.

    Args:
        proof: From whoever has the dataset.
        row: A frame of one row, or its values by column; times and dates may be ISO 8601 text.
        data_hash: From a source that is trusted, such as a signed attestation.

    Raises:
        IntegrityError: The proof does not show it.
        InvalidInputError: `row` is not one row with the columns of the dataset.
    """
    if digest_of(row, proof.columns) != proof.digest:
        raise IntegrityError(
            f"The proof is about another row than the one that was given: row {proof.row + 1:,}"
        )
    if proof.data_hash != data_hash:
        raise IntegrityError("The proof leads to the hash of another dataset than the one that was given")


def verify_content(proof: ContentProof, row: pl.DataFrame | Mapping[str, Any], content_root: str) -> bool:
    """Whether a row is in the dataset with this root, as the proof shows.

    Returns:
        True if it is in, False if it is not; both are proved.

    Raises:
        IntegrityError: The proof shows neither.
        InvalidInputError: `row` is not one row with the columns of the dataset.
    """
    if digest_of(row, proof.columns) != proof.digest:
        raise IntegrityError("The proof is about another row than the one that was given")
    if proof.content_root != content_root:
        raise IntegrityError("The proof leads to the root of another dataset than the one that was given")
    return proof.present


def digest_of(row: pl.DataFrame | Mapping[str, Any], columns: Sequence[CanonicalColumn]) -> bytes:
    """The digest of one row as a dataset with these columns has it; what `prove_content_of_digests` takes.

    Args:
        row: A frame of one row, or its values by column; times and dates may be ISO 8601 text.
        columns: Of the dataset.

    Raises:
        InvalidInputError: `row` is not one row with the columns of the dataset.
    """
    frame = _frame_of(row, columns) if isinstance(row, Mapping) else row
    if frame.height != 1:
        raise InvalidInputError(f"A proof is about one row, not {frame.height:,}")
    if canonical_columns(frame.schema) != tuple(columns):
        raise InvalidInputError("The row does not have the columns and types of the dataset that is proved")
    return row_digests(frame).tobytes()


def _groups(
    chunks: Iterable[NDArray[np.uint8]], numbers: set[int], at_least: int = 0
) -> tuple[int, tuple[Group, ...]]:
    """How many digests there are, and the groups with these numbers, in order, with their paths."""
    size = GROUP_ROWS * HASH_BYTES
    leaves: list[bytes] = []
    wanted: dict[int, bytes] = {}
    begun, done = b"", 0
    for digests in chunks:
        waiting = begun + digests.tobytes()
        whole = len(waiting) - len(waiting) % size
        leaves.append(group_leaves(waiting[:whole]))
        n_groups = whole // size
        for number in numbers & set(range(done, done + n_groups)):
            wanted[number] = waiting[(number - done) * size :][:size]
        begun, done = waiting[whole:], done + n_groups
    leaves.append(group_leaves(begun))
    if begun:
        wanted[done] = begun
    rows = done * GROUP_ROWS + len(begun) // HASH_BYTES
    if rows < at_least or min(numbers, default=0) < 0:
        raise InvalidInputError(f"There is no such row in a dataset of {rows:,}", hint="Rows count from 0.")
    tree = b"".join(leaves)
    return rows, tuple(
        Group(number, _cut(wanted[number]), prove_inclusion(tree, number).path) for number in sorted(numbers)
    )


def _cut(digests: bytes) -> tuple[bytes, ...]:
    return tuple(digests[start : start + HASH_BYTES] for start in range(0, len(digests), HASH_BYTES))


def _first_not_below(digests: NDArray[np.uint8], digest: bytes) -> int:
    low, high = 0, len(digests)
    while low < high:
        middle = (low + high) // 2
        if digests[middle].tobytes() < digest:
            low = middle + 1
        else:
            high = middle
    return low


def _frame_of(values: Mapping[str, Any], columns: Sequence[CanonicalColumn]) -> pl.DataFrame:
    import polars as pl

    names = {column.name for column in columns}
    if set(values) != names:
        odd = (("missing: ", names - set(values)), ("not in the dataset: ", set(values) - names))
        told = "; ".join(what + ", ".join(map(repr, sorted(some))) for what, some in odd if some)
        raise InvalidInputError(f"The row's columns are not those of the dataset: {told}")
    return pl.DataFrame({column.name: _cell(column, values[column.name]) for column in columns})


def _cell(column: CanonicalColumn, value: Any) -> pl.Series:
    """One value in the type that its column has, from Python's types or from JSON's."""
    import polars as pl

    dtypes: dict[Kind, pl.DataType] = {
        "b": pl.Boolean(),
        "i": pl.Int64(),
        "f": pl.Float64(),
        "t": pl.Datetime("us"),
        "d": pl.Date(),
        "h": pl.Time(),
        "u": pl.Duration("us"),
        "s": pl.String(),
        "x": pl.Binary(),
    }
    try:
        value = None if value is None else _exact(column.kind, value)
        return pl.Series([value], dtype=dtypes[column.kind], strict=True)
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError) as exc:
        raise InvalidInputError(
            f"The row's value in column {column.name!r} is not a {KINDS[column.kind]}"
        ) from exc


def _exact(kind: Kind, value: Any) -> Any:
    """The value that was given as one of the type, or a `ValueError`: what is rounded or cut would prove another."""
    if isinstance(value, str) and kind in "tdh":
        if _BEYOND_MICROSECONDS.search(value):
            raise ValueError
        reader = {"t": datetime.datetime, "d": datetime.date, "h": datetime.time}[kind]
        value = reader.fromisoformat(value)  # type: ignore[attr-defined]
    if isinstance(value, list | dict) and kind == "s":
        value = nested_text(value)  # as readers of files give it
    taken = isinstance(value, _TAKEN[kind]) and isinstance(value, bool) == (kind == "b")
    if not taken:
        raise ValueError
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        return value.astimezone(datetime.UTC).replace(tzinfo=None)
    if isinstance(value, datetime.time) and value.tzinfo is not None:
        raise ValueError
    if kind == "f" and isinstance(value, Integral) and float(value) != int(value):
        raise ValueError
    if isinstance(value, Decimal) and Decimal(repr(float(value))) != value:
        raise ValueError
    return float(value) if kind == "f" else value
