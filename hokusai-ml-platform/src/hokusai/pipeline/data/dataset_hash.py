"""One hash for a dataset, whatever the file, the column order, the batches and the machine.

`data_hash` stands for the rows in their order, `content_root` for the rows in any order. Each row can later be proved
to be among them (`row_proofs`). Where the rows do not fit in memory, `digest_log.DigestLog.dataset_hash` gives the same
from digests on disk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hokusai.domain.manifest import DatasetHash
from hokusai.errors import SchemaError
from hokusai.pipeline.data.canonical_columns import CanonicalColumn, canonical_columns
from hokusai.pipeline.data.digest_order import sorted_digests
from hokusai.pipeline.data.digest_tree import hash_of_digests
from hokusai.pipeline.data.row_digests import row_digests

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray


def dataset_hash(frame: pl.DataFrame) -> DatasetHash:
    """The hash of all rows of a frame.

    Raises:
        SchemaError: A column's type or value has no canonical form (`canonical_columns`).

    >>> import polars as pl
    >>> rows = pl.DataFrame({"id": [1, 2], "label": ["a", None]})
    >>> swapped = dataset_hash(rows.reverse())
    >>> swapped.data_hash == dataset_hash(rows).data_hash
    False
    >>> swapped.content_root == dataset_hash(rows).content_root
    True
    """
    hasher = DatasetHasher()
    hasher.update(frame)
    return hasher.result()


class DatasetHasher:
    """Takes rows batch by batch; holds 32 bytes for each.

    The hashers of consecutive parts of a dataset can be merged: the result is that of all rows in one.

    >>> import polars as pl
    >>> rows = pl.DataFrame({"id": range(100)})
    >>> first, second = DatasetHasher(), DatasetHasher()
    >>> _ = first.update(rows[:37]), second.update(rows[37:])
    >>> first.merge(second)
    >>> first.result() == dataset_hash(rows)
    True
    """

    def __init__(self) -> None:
        self._columns: tuple[CanonicalColumn, ...] | None = None
        self._digests: list[NDArray[np.uint8]] = []

    def update(self, rows: pl.DataFrame) -> NDArray[np.uint8]:
        """Add the next rows.

        Returns:
            Their digests, of shape (n_rows, 32).

        Raises:
            SchemaError: The columns are not those of the rows before, or have no canonical form.
        """
        self._settle(canonical_columns(rows.schema))
        digests = row_digests(rows)
        self._digests.append(digests)
        return digests

    def merge(self, later: DatasetHasher) -> None:
        """Add all rows of another hasher, which come after the rows of this one.

        Raises:
            SchemaError: The columns are not the same.
        """
        if later._columns is not None:
            self._settle(later._columns)
            self._digests += later._digests

    def result(self) -> DatasetHash:
        """The hash of all rows so far."""
        import numpy as np

        digests = np.concatenate([np.empty((0, 32), np.uint8), *self._digests])
        return hash_of_digests(self._columns or (), [digests], [sorted_digests(digests)])

    def _settle(self, columns: tuple[CanonicalColumn, ...]) -> None:
        if self._columns is None:
            self._columns = columns
        elif self._columns != columns:
            differing = sorted({column.name for column in set(self._columns) ^ set(columns)})
            raise SchemaError(
                f"Columns {', '.join(map(repr, differing))} are not the same as in the rows before",
                hint="All batches of a dataset need the same columns with the same types.",
            )
