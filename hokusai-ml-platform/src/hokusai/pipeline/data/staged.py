"""What the first pass over files leaves of them: cleaned rows that wait, and digests by which they are compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hokusai.pipeline.data.columns import selected
from hokusai.pipeline.data.digest_log import DigestLog
from hokusai.pipeline.data.kernel import KeyDigests, Processed
from hokusai.pipeline.data.stage import DiskStage, MemoryStage, Stage

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray


class Side:
    """The base data, or the contributions: what the first pass leaves of them; its files live as long as `closing`."""

    def __init__(
        self, name: str, n_unique: int, folder: Path, closing: ExitStack, *, in_memory: bool
    ) -> None:
        place = folder / name
        place.mkdir()
        self.stage: Stage = MemoryStage() if in_memory else DiskStage(place)
        self.digests = closing.enter_context(DigestLog(folder))
        self._masked: list[NDArray[np.bool_]] = []
        self._near: list[pl.DataFrame] = []
        self.key = KeyLog(folder, closing)
        self.unique = [KeyLog(folder, closing) for _ in range(n_unique)]
        self.files: list[FilePart] = []
        self.columns: dict[str, pl.DataType] = {}
        """Of its rows, with their types; empty until a batch came."""

    @property
    def height(self) -> int:
        """How many rows it has."""
        return sum(file.kept for file in self.files)

    @property
    def masked(self) -> NDArray[np.bool_]:
        """Which rows had a mask when they were compared."""
        import numpy as np

        return np.concatenate(self._masked) if self._masked else np.zeros(0, dtype=bool)

    def add(self, done: Processed) -> None:
        """Take in the rows of a batch of the last file."""
        file = self.files[-1]
        self.columns = self.columns or dict(done.rows.schema)
        file.kept += done.rows.height
        file.rejected += [reject.row for reject in done.rejects]
        if done.rows.height:
            self.stage.append(done.rows)
            self.digests.append(done.digests)
            self._masked.append(done.masked)
            if done.near is not None:
                self._near.append(done.near)
            if done.key is not None:
                self.key.append(done.key)
            for log, digests in zip(self.unique, done.unique, strict=True):
                log.append(digests)

    def near_text(self, columns: Sequence[str]) -> list[pl.DataFrame]:
        """The text of all rows that is compared for nearness: as it came in, where the policy hides something."""
        return self._near or [selected(rows, columns) for rows in self.stage.batches()]

    def slices(self) -> Iterator[tuple[FilePart, slice]]:
        """Each file with the place of its rows among all."""
        start = 0
        for file in self.files:
            yield file, slice(start, start + file.kept)
            start += file.kept


class KeyLog:
    """Keys of rows in order; some rows have none."""

    def __init__(self, folder: Path, closing: ExitStack) -> None:
        self.digests = closing.enter_context(DigestLog(folder))
        self._absent: list[NDArray[np.bool_]] = []

    def append(self, keys: KeyDigests) -> None:
        """Add the keys of the next rows."""
        self.digests.append(keys.digests)
        self._absent.append(keys.absent)

    @property
    def absent(self) -> NDArray[np.bool_]:
        """Which rows have no key."""
        import numpy as np

        return np.concatenate(self._absent) if self._absent else np.zeros(0, dtype=bool)

    def duplicates(self, among: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
        """Which rows have the key of an earlier one; `among` says which rows take part."""
        return self.digests.duplicates(self.absent if among is None else self.absent | ~among)


@dataclass(slots=True)
class FilePart:
    """One file of a side: how many rows passed, and which did not."""

    name: str
    read: int
    rejected: list[int]
    kept: int = 0
