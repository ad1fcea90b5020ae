"""What the readers of all formats share: a file that is digested as it is read, and the words of their errors."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from typing import BinaryIO

from hokusai.errors import DataError

MAX_RECORD_BYTES = 64 << 20
"""The longest record that is read: a quote or bracket that is never closed must not swallow memory."""


class HashedFile:
    """A file that is digested as it is read once from beginning to end.

    The file that was hashed must be the one that was parsed, also where parsing needs a second pass:
    `check_unchanged` compares the file's identity, size and time of change with those at the start.
    """

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self.name = name
        self.stream = stream
        self._digest = hashlib.sha256()
        self._sha256 = ""
        self._status = os.fstat(stream.fileno())

    @property
    def size_bytes(self) -> int:
        """The file's size when it was opened."""
        return self._status.st_size

    def read(self, n_bytes: int) -> bytes:
        """The next bytes, also given to the digest."""
        data = self.stream.read(n_bytes)
        self._digest.update(data)
        return data

    def sha256(self) -> str:
        """The digest of the whole file; what has not been read yet is read at the first call."""
        if not self._sha256:
            while self.read(1 << 20):
                pass
            self._sha256 = self._digest.hexdigest()
        return self._sha256

    def check_unchanged(self) -> None:
        """Check that nobody wrote to the file since it was opened.

        Raises:
            DataError: Somebody did.
        """
        now, then = os.fstat(self.stream.fileno()), self._status
        if (now.st_size, now.st_mtime_ns) != (then.st_size, then.st_mtime_ns):
            raise DataError(
                "The file was changed while it was being read",
                where=self.name,
                hint="Wait until it is written, or copy it, then run again.",
            )


def check_conservation(name: str, counted: int, in_frame: int) -> None:
    """Check that as many rows stand in the frame as records were counted in the file.

    Raises:
        DataError: The numbers differ, or there is no row.
    """
    if counted != in_frame:
        raise DataError(
            f"{counted} records were counted in the file, but {in_frame} rows came out of the reader",
            where=name,
            hint="Nothing was used. This is a defect of the reader: please report it with the file.",
        )
    if not counted:
        raise DataError("The file has no rows", where=name, hint="Give a file with at least one row.")


def not_utf8(name: str, byte: int, offset: int, line: int) -> DataError:
    """The error for text that is not UTF-8, with the place of its first wrong byte."""
    return DataError(
        f"The text is not UTF-8: byte 0x{byte:02x} at byte {offset:,} (line {line:,})",
        where=name,
        hint="Save it as UTF-8 (in a spreadsheet: 'CSV UTF-8'), or convert it: iconv -f "
        "WINDOWS-1252 -t UTF-8.",
    )


def listed(problems: Sequence[str], total: int, limit: int = 20) -> str:
    """Up to `limit` problems as one text, with how many more there are."""
    more = f"; and {total - limit:,} more" if total > limit else ""
    return "; ".join(problems[:limit]) + more
