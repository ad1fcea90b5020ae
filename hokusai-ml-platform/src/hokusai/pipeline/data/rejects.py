"""The list of rows that were set aside: `rejects.jsonl`, whole or absent, one line a row, no values.

Whoever sent the data has to find each of these rows again, and nobody else may learn what stands in them. So a line
has the row's number, its line and its digest, never its content. Rows go to the disk as they come: a file of which
every row is wrong costs no more memory than one without a fault.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from hokusai.errors import DataError, HokusaiError, InvalidInputError
from hokusai.pipeline.data.scan import Reject
from hokusai.utils.files import open_atomically

_WAITING = 1_000
"""Lines that are written at once."""


class RejectsWriter:
    """Counts rows that are set aside and lists them in a file, which is there when the block has ended well.

    Rows are listed in the order in which they come, one entry a row: that no row comes twice is up to the caller.

    Args:
        path: The file; None only counts.

    Raises:
        InvalidInputError: The folder is missing or cannot be written, or the disk is full.

    >>> with RejectsWriter(None) as rejects:
    ...     rejects.add(Reject("a.csv", 7, "too small", "age", "expected at least 0"))
    >>> rejects.total, dict(rejects.counts)
    (1, {'too small': 1})
    """

    def __init__(self, path: str | Path | None) -> None:
        self.path = Path(path) if path is not None else None
        self._counts: Counter[tuple[str, str]] = Counter()
        self._lines: list[str] = []
        self._stack = contextlib.ExitStack()
        self._stream: IO[bytes] | None = None

    def __enter__(self) -> RejectsWriter:
        if self.path is not None:
            self._stream = self._stack.enter_context(open_atomically(self.path))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if problem is None:
            try:
                self._flush()
            except BaseException as own:
                self._stack.__exit__(type(own), own, own.__traceback__)
                raise
        self._stack.__exit__(kind, problem, trace)
        self._stream = None

    def add(self, reject: Reject) -> None:
        """List one row."""
        self._counts[reject.source, reject.reason] += 1
        if self._stream is not None:
            self._lines.append(_line(reject))
            if len(self._lines) >= _WAITING:
                self._flush()

    def add_all(self, rejects: Iterable[Reject]) -> int:
        """List rows in order; gives how many."""
        before = self.total
        for reject in rejects:
            self.add(reject)
        return self.total - before

    @property
    def total(self) -> int:
        """Rows so far."""
        return self._counts.total()

    @property
    def counts(self) -> Mapping[str, int]:
        """Reason to number of rows, most frequent first."""
        by_reason: Counter[str] = Counter()
        for (_, reason), count in self._counts.items():
            by_reason[reason] += count
        return dict(sorted(by_reason.items(), key=lambda item: (-item[1], item[0])))

    def count_of(self, source: str) -> int:
        """Rows of one source so far."""
        return sum(count for (name, _), count in self._counts.items() if name == source)

    def _flush(self) -> None:
        if self._stream is not None and self._lines:
            self._stream.write("".join(self._lines).encode())
            self._lines.clear()


def read_rejects(path: str | Path) -> Iterator[Reject]:
    """The rows that a reject file lists.

    Raises:
        InvalidInputError: The file cannot be read.
        DataError: A line of it is not an entry.
    """
    try:
        with Path(path).open("rb") as stream:
            for number, line in enumerate(stream, 1):
                yield _entry(line, f"{path}, line {number:,}")
    except OSError as problem:
        if isinstance(problem, HokusaiError):
            raise
        raise InvalidInputError(f"The file cannot be read: {problem.strerror}", where=str(path)) from problem


def _line(reject: Reject) -> str:
    entry = {name: getattr(reject, name) for name in ("source", "row", "line", "reason", "column", "detail")}
    return json.dumps({**entry, "sha256": reject.sha256}, ensure_ascii=False) + "\n"


def _entry(line: bytes, where: str) -> Reject:
    try:
        fields: dict[str, Any] = json.loads(line)
        reject = Reject(**fields)
    except (ValueError, TypeError) as problem:
        raise DataError("This is not the entry of a rejected row", where=where) from problem
    return reject
