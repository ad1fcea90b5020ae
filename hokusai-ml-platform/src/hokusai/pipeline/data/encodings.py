"""Which encoding a text has, and how it becomes UTF-8 without losing or inventing a character.

A byte-order mark decides. Without one, text is UTF-8 if all of it is. Text that is not is either in another encoding
as a whole, which is guessed from its lines with other than ASCII characters and then has to decode strictly to
the last byte, or it mixes two, which nobody can repair without knowing where each line came from. Nothing is ever
replaced or left out.
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from hokusai.errors import ConfigurationError, DataError
from hokusai.pipeline.data.unpacking import ByteReader

if TYPE_CHECKING:
    from hokusai.pipeline.data.source_file import OpenedFile

_MARKS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def mark_of(head: bytes) -> tuple[str, bytes]:
    r"""The encoding and the byte-order mark that text begins with; UTF-8 and nothing if there is none.

    >>> mark_of(b"\xff\xfea\x00")
    ('utf-16-le', b'\xff\xfe')
    """
    return next(((name, mark) for mark, name in _MARKS if head.startswith(mark)), ("utf-8", b""))


def encoding_named(name: str) -> str:
    """The encoding that somebody names, in Python's spelling.

    Raises:
        ConfigurationError: There is none of this name, or it is not one of text.

    >>> encoding_named("Windows-1252"), encoding_named("UTF8")
    ('cp1252', 'utf-8')
    """
    try:
        codec = codecs.lookup(name)
        "".encode(codec.name)  # `hex` and `zip` are codecs, but not of text
    except (LookupError, ValueError) as problem:
        raise ConfigurationError(
            f"There is no text encoding {name!r}",
            hint="Name one that Python knows, such as cp1252 or utf-16.",
        ) from problem
    return "utf-8" if codec.name == "utf-8-sig" else codec.name


class DecodingReader:
    """Reads text of any encoding as bytes of UTF-8, strictly.

    Args:
        stream: The text, after its mark.
        encoding: Its encoding.
        name: Of the file, for messages.
    """

    def __init__(self, stream: ByteReader, encoding: str, name: str) -> None:
        self._stream = stream
        self._encoding = encoding
        self._name = name
        self._decoder = codecs.getincrementaldecoder(encoding)("strict")
        self._lines = 0
        self._offset = 0

    def read(self, n_bytes: int, /) -> bytes:
        """About `n_bytes` more of UTF-8; empty only at the end.

        Raises:
            DataError: A byte does not belong to the encoding, or stands for half of a character.
        """
        while True:
            data = self._stream.read(n_bytes)
            begun = len(self._decoder.getstate()[0])
            try:
                text = self._decoder.decode(data, final=not data)
                utf8 = text.encode("utf-8")
            except UnicodeDecodeError as problem:
                before = problem.object[: problem.start].decode(self._encoding, "ignore")
                at = self._offset - begun + problem.start
                raise self._wrong(self._lines + before.count("\n") + 1, at) from problem
            except UnicodeEncodeError as problem:
                line = self._lines + text.count("\n", 0, problem.start) + 1
                raise self._wrong(line, self._offset) from problem
            self._offset += len(data)
            self._lines += text.count("\n")
            if utf8 or not data:
                return utf8

    def _wrong(self, line: int, offset: int) -> DataError:
        return DataError(
            f"The text is not {self._encoding}: it has other bytes at byte {offset:,} (line {line:,})",
            where=self._name,
            hint="Save it as UTF-8, or say which encoding it has.",
        )
