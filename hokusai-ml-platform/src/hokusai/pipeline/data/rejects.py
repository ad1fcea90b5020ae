"""The list of rows that were set aside: `rejects.jsonl`, whole or absent, one line a row, no values.

Whoever sent the data has to find each of these rows again, and nobody else may learn what stands in them. So a line
has the row's number, its line and its digest, never its content. Rows go to the disk as they come, from the readers,
the schema and the keys one after the other, and are put in order at the end: a file of which every row is wrong costs
little more memory than one without a fault.
"""

from __future__ import annotations

import contextlib
import heapq
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from hokusai.errors import DataError, HokusaiError, InvalidInputError
from hokusai.pipeline.data.scan import Reject
from hokusai.utils.files import open_atomically

Locate = Callable[[Iterable[int]], Iterator[tuple[int, str]]]
"""Line and digest of rows of a source by their numbers, which ascend; see `scan.LocatingScan`."""

_WAITING = 1_000
"""Lines that are written at once."""
_READ_BYTES = 1 << 16


class RejectsWriter:
    """Counts rows that are set aside and lists them in a file, which is there when the block has ended well.

    Sources are listed in the order in which they came first, and the rows of each by their numbers, one entry a row:
    that no row comes twice is up to the caller.

    Args:
        path: The file; None only counts.
        digests: Whether entries have the digests of their records. People's data could be tried against them.

    Raises:
        InvalidInputError: The folder is missing or cannot be written, or the disk is full.

    >>> with RejectsWriter(None) as rejects:
    ...     rejects.add(Reject("a.csv", 7, "too small", "age", "expected at least 0"))
    >>> rejects.total, dict(rejects.counts)
    (1, {'too small': 1})
    """

    def __init__(self, path: str | Path | None, *, digests: bool = True) -> None:
        self.path = Path(path) if path is not None else None
        self._digests = digests
        self._counts: Counter[tuple[str, str]] = Counter()
        self._lines: list[bytes] = []
        self._stack = contextlib.ExitStack()
        self._stream: IO[bytes] | None = None
        self._staged: IO[bytes] | None = None
        self._bytes = self._last_row = 0
        self._runs: dict[str, list[list[int]]] = {}
        """Source to the stretches of the staged file in which its rows ascend, as start and end."""
        self._run: tuple[str, list[int]] = ("", [])
        self._locate: dict[str, Locate] = {}

    def __enter__(self) -> RejectsWriter:
        if self.path is not None:
            self._stream = self._stack.enter_context(open_atomically(self.path))
            self._staged = self._stack.enter_context(tempfile.TemporaryFile(dir=self.path.parent))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if problem is None:
            try:
                self._finish()
            except BaseException as own:
                self._stack.__exit__(type(own), own, own.__traceback__)
                raise
        self._stack.__exit__(kind, problem, trace)
        self._stream = self._staged = None

    def locate_by(self, source: str, locate: Locate) -> None:
        """Where the rows of a source stand of which only the number will be known."""
        self._locate[source] = locate

    def add(self, reject: Reject) -> None:
        """List one row."""
        self._counts[reject.source, reject.reason] += 1
        if self._stream is not None:
            line = _line(reject)
            source, run = self._run
            if not run or source != reject.source or reject.row < self._last_row:
                run = [self._bytes, self._bytes]
                self._runs.setdefault(reject.source, []).append(run)
                self._run = (reject.source, run)
            self._last_row = reject.row
            self._bytes += len(line)
            run[1] = self._bytes
            self._lines.append(line)
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
        if self._staged is not None and self._lines:
            self._staged.write(b"".join(self._lines))
            self._lines.clear()

    def _finish(self) -> None:
        """Put what was staged into the list, in order, with the places of the rows."""
        self._flush()
        if self._stream is None:
            return
        for source, runs in self._runs.items():
            locate = self._locate.get(source)
            if locate is None and len(runs) == 1 and self._digests:
                self._stream.writelines(self._lines_of(*runs[0]))
                continue
            places = locate(r.row for r in self._in_order(runs) if not r.sha256) if locate else iter(())
            for reject in self._in_order(runs):
                line, sha256 = (reject.line, reject.sha256) if reject.sha256 or not locate else next(places)
                told = sha256 if self._digests else ""
                self._stream.write(_line(replace(reject, line=line, sha256=told)))

    def _in_order(self, runs: list[list[int]]) -> Iterator[Reject]:
        entries = [map(_reject, self._lines_of(*run)) for run in runs]
        return heapq.merge(*entries, key=lambda reject: reject.row)

    def _lines_of(self, start: int, stop: int) -> Iterator[bytes]:
        """The staged lines between two places; several can be read by turns."""
        while self._staged is not None and start < stop:
            self._staged.seek(start)
            for line in self._staged.readlines(min(_READ_BYTES, stop - start)):
                start += len(line)
                if start <= stop:
                    yield line


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


def _line(reject: Reject) -> bytes:
    entry = {name: getattr(reject, name) for name in ("source", "row", "line", "reason", "column", "detail")}
    return (json.dumps({**entry, "sha256": reject.sha256}, ensure_ascii=False) + "\n").encode()


def _entry(line: bytes, where: str) -> Reject:
    try:
        return _reject(line)
    except (ValueError, TypeError) as problem:
        raise DataError("This is not the entry of a rejected row", where=where) from problem


def _reject(line: bytes) -> Reject:
    fields: dict[str, Any] = json.loads(line)
    return Reject(**fields)
