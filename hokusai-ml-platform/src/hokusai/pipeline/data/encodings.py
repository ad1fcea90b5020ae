"""Which encoding a text has, and how it becomes UTF-8 without losing or inventing a character.

A byte-order mark decides. Without one, NULs in the place of every other byte are those of UTF-16, and else text is
UTF-8 if all of it is. Text that is not is either in another encoding
as a whole, which is guessed from its lines with other than ASCII characters and then has to decode strictly to
the last byte, or it mixes two, which nobody can repair without knowing where each line came from. Nothing is ever
replaced or left out.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
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


_UNMARKED = (("utf-32-le", 4, 0), ("utf-32-be", 4, 3), ("utf-16-le", 2, 0), ("utf-16-be", 2, 1))
"""Encodings of several bytes a character: how many, and which of them says what an ASCII character is."""
_MOSTLY = 0.5
_HEAD_BYTES = 1 << 12
_LEAST_BYTES = 8
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f]")
_CANDIDATES = (  # of those that fit about as well, the first is taken
    "cp1252", "iso8859_15", "cp1250", "iso8859_2", "cp1251", "koi8_r", "cp866", "cp1253", "cp1254", "cp1255",
    "cp1256", "cp1257", "cp932", "euc_jp", "gb18030", "big5", "cp949", "cp850", "mac_roman",
)  # fmt: skip
_ABOUT_AS_WELL = 0.05
"""Difference in charset-normalizer's measure of mess, from 0 to 1, that decides nothing."""
_BY_ACCIDENT = 0.05
"""Share of lines in another encoding that may happen to be UTF-8 as well, mostly of Chinese or Korean."""
_SAMPLE_BYTES = 1 << 17
_BLOCK_BYTES = 1 << 20


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


def recognise_unmarked(file: OpenedFile) -> None:
    """See whether a text without a mark is UTF-16 or UTF-32 nevertheless; if so, that is said in `file.assumed`.

    Raises:
        DataError: The file cannot be read.
    """
    found = "" if file.mark else _unmarked(file.head(_HEAD_BYTES))
    if found:
        file.encoding = found
        file.assumed.append(
            f"Its encoding was taken for {found}, by its NUL bytes: it has no byte-order mark"
        )


def guess_encoding(file: OpenedFile) -> str:
    """The encoding of a text without a mark that is not UTF-8; said in `file.assumed`.

    Returns:
        Its name; empty if the text rather mixes UTF-8 with something else, or looks like nothing known.

    Raises:
        DataError: The file cannot be read.
    """
    lines = _NotAscii()
    with file.unpacked() as stream:
        lines.see(stream)
    if not lines.others or lines.utf8 > _BY_ACCIDENT * (lines.utf8 + lines.others):
        return ""
    likely = _likely_encodings(bytes(lines.sample))
    if not likely:
        return ""
    found, *others = likely
    doubt = f"; {', '.join(others[:3])} would fit about as well" if others else "; nothing else fits as well"
    file.assumed.append(
        f"Its encoding was taken for {found}, by the characters of {lines.others:,} lines that are not UTF-8{doubt}"
    )
    return codecs.lookup(found).name


def _unmarked(head: bytes) -> str:
    """The encoding of text in which most characters are ASCII, each with its NUL bytes; empty if it is none of them."""
    for name, width, place in _UNMARKED:
        whole = head[: len(head) // width * width]
        telling = whole[place::width]
        if len(whole) < _LEAST_BYTES or 0 in telling:
            continue
        if whole.count(0) < _MOSTLY * (len(whole) - len(telling)):
            continue
        try:
            text = codecs.getincrementaldecoder(name)("strict").decode(whole)
        except UnicodeDecodeError:
            continue
        if not _CONTROL.search(text):
            return name
    return ""


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
        self._pending = b""

    def read(self, n_bytes: int, /) -> bytes:
        """Up to `n_bytes` more of UTF-8; empty only at the end.

        Raises:
            DataError: A byte does not belong to the encoding, or stands for half of a character.
        """
        data = self._pending or self._decoded(n_bytes)
        self._pending = data[n_bytes:]
        return data[:n_bytes]

    def _decoded(self, n_bytes: int) -> bytes:
        """What the next `n_bytes` of the text are in UTF-8, which may be more of them."""
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


@dataclass(slots=True)
class _NotAscii:
    """Lines with other than ASCII characters: how many are UTF-8, how many are not, and some of these."""

    utf8: int = 0
    others: int = 0
    sample: bytearray = field(default_factory=bytearray)

    def see(self, stream: ByteReader) -> None:
        """Count the lines of a text."""
        for line in _lines(stream):
            if line.isascii():
                continue
            try:
                line.decode("utf-8", "surrogatepass")  # halves of characters are not UTF-8, but meant to be
            except UnicodeDecodeError:
                self.others += 1
                if len(self.sample) < _SAMPLE_BYTES:
                    self.sample += line
            else:
                self.utf8 += 1


def _lines(stream: ByteReader) -> Iterator[bytes]:
    pending = b""
    while block := stream.read(_BLOCK_BYTES):
        *lines, pending = (pending + block).split(b"\n")
        yield from (line + b"\n" for line in lines)
    yield pending


def _likely_encodings(sample: bytes) -> list[str]:
    """Candidates for which charset-normalizer finds the sample least messy, in our order."""
    from charset_normalizer import from_bytes

    if b"\0" in sample:
        return []
    matches = list(from_bytes(sample, cp_isolation=list(_CANDIDATES), steps=20))
    if not matches:
        return []
    least = min(match.chaos for match in matches)
    fitting = {
        name
        for match in matches
        if match.chaos <= least + _ABOUT_AS_WELL
        for name in match.could_be_from_charset
    }
    return [name for name in _CANDIDATES if name in fitting]
