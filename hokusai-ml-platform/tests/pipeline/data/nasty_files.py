"""Delimited files of the kinds that common readers lose data from, each with what has to become of it.

Which of them Polars, DuckDB, pandas and PyArrow get wrong without a word was measured before; the expected outcomes
here were worked out by hand from the bytes.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import zstandard

from hokusai.pipeline.data.scan import Limits


@dataclass(frozen=True)
class NastyFile:
    """A file, and its fate.

    Attributes:
        case: What is nasty about it.
        content: Its bytes.
        rows: The rows that come out, or their number; None if it is refused.
        refused: Words of the refusal, where rows may not be rejected.
        rejected: Lines and reasons of the rows that are set aside in tolerant mode, where `rows` come out.
        assumed: Words of what was concluded.
        notes: Words of the notes.
        name: Its name.
        types: Declared types.
        limits: What it may cost.
    """

    case: str
    content: bytes
    rows: Sequence[tuple[Any, ...]] | int | None = None
    refused: str = ""
    rejected: Sequence[tuple[int, str]] = ()
    assumed: Sequence[str] = ()
    notes: Sequence[str] = ()
    name: str = "a.csv"
    types: dict[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)


WIDTH, QUOTES, OPEN = "wrong number of fields", "a quote that does not fit", "a quote that is never closed"
MISFIT, BYTES = "wrong type", "bytes that are not UTF-8"
UNNAMED = "a value in a column without a name"
DOUBT = "taken for the header, but could be data"
AB = [(1, 2)]


def zipped(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.csv", content)
    return buffer.getvalue()


def zstd(content: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(content)


ENCODINGS = [
    NastyFile("a UTF-8 mark", b"\xef\xbb\xbfa,b\n1,2\n", AB),
    NastyFile("a UTF-8 mark and a quoted name", b'\xef\xbb\xbf"a",b\n1,2\n', AB),
    NastyFile("UTF-16 with a mark", "\ufeffa,b\né,2\n".encode("utf-16-le"), [("é", 2)]),
    NastyFile("UTF-16, big end first", "\ufeffa,b\né,2\n".encode("utf-16-be"), [("é", 2)]),
    NastyFile("UTF-16 without a mark", "a,b\né,2\n".encode("utf-16-le"), [("é", 2)], assumed=["taken for utf-16-le"]),
    NastyFile("UTF-32 without a mark, big end first", "a,b\né,2\n".encode("utf-32-be"), [("é", 2)],
              assumed=["taken for utf-32-be"]),
    NastyFile("UTF-16 without a mark, few of whose characters are ASCII",
              ("a,b\n" + "这是一个中文文本用于测试,有\n" * 3).encode("utf-16-le"), refused="NUL byte.*utf-16-le"),
    NastyFile("UTF-16 cut within a character", "\ufeffa\né\n".encode("utf-16-le")[:-1], refused="not utf-16-le"),
    NastyFile(
        "Latin-1", "t\nÜber die Größe der Mädchen\nschöne Straße\n".encode("latin-1"),
        [("Über die Größe der Mädchen",), ("schöne Straße",)], assumed=["encoding was taken for cp1252"],
    ),
    NastyFile(
        "smart quotes of Windows", "t\nil a dit “déjà vu”\nça coûte 5 € voilà\n".encode("cp1252"),
        [("il a dit “déjà vu”",), ("ça coûte 5 € voilà",)], assumed=["encoding was taken for cp1252"],
    ),
    NastyFile(
        "Shift-JIS, which has bars as second bytes",
        "t,n\n日本語のテキスト,1\nデータを統合する表,2\n".encode("shift-jis"),
        [("日本語のテキスト", 1), ("データを統合する表", 2)], assumed=["encoding was taken for cp932"],
    ),
    NastyFile(
        "Russian", "t\nПривет как дела сегодня\n".encode("cp1251"),  # noqa: RUF001  # Cyrillic is meant
        [("Привет как дела сегодня",)],
        assumed=["encoding was taken for cp1251"],
    ),
    NastyFile(
        "two encodings", "t,n\né,1\n".encode() + "é,2\n".encode("latin-1") + b"e,3\n", [("é", 1), ("e", 3)],
        refused=r"not UTF-8: byte 0xe9.*\(line 3\)", rejected=[(3, BYTES)],
    ),
    NastyFile(
        "halves of characters", b"t\nx\n\xed\xa0\x80\n", [("x",)], refused="not UTF-8.*line 3", rejected=[(3, BYTES)],
        assumed=[DOUBT],
    ),
    NastyFile(
        "a NUL byte", b"a,b\n1,\x002\n1,2\n", AB, refused="line 2 has a NUL byte", rejected=[(2, "a NUL byte")]
    ),
]  # fmt: skip

LINES = [
    NastyFile("CR alone", b'a,b\r1,"x\ry"\r3,z\r', [(1, "x\ry"), (3, "z")], assumed=["carriage return (CR) alone"]),
    NastyFile("CRLF", b"a,b\r\n1,2\r\n", AB),
    NastyFile("LF and CRLF", b"a,b\n1,2\r\n3,4\n", [(1, 2), (3, 4)]),
    NastyFile(
        "one CR among LF", b"a,b\n1,2\n3\r,4\n", AB, refused="line 3 has a carriage return",
        rejected=[(3, "a carriage return within a line")],
    ),
    NastyFile("blank lines", b"a,b\n\n1,2\n\r\n\n3,4\n\n", [(1, 2), (3, 4)]),
    NastyFile("a blank first line", b"\na,b\n1,2\n", refused="Line 1 is blank"),
    NastyFile("no bytes", b"", refused="is empty"),
    NastyFile("only blanks", b" \n\n", refused="nothing but blanks"),
    NastyFile("only a header", b"a,b\n", refused="header but no rows"),
    NastyFile("no end of the last line", b"a,b\n1,2", AB),
    NastyFile("cut off within a row", b"a,b\n1,2\n3", AB, refused="line 3 has wrong", rejected=[(3, WIDTH)]),
    NastyFile(
        "one row too long, one too short", b"a,b\n1,2,3\n1,2\n3\n", AB,
        refused="line 2 has.*3 where the header has 2.*line 4 has", rejected=[(2, WIDTH), (4, WIDTH)],
    ),
]  # fmt: skip

HEADERS = [
    NastyFile("a name that stands twice", b"a,b,a\n1,2,3\n", refused=r"more than once: 'a' \(columns 1, 3\)"),
    NastyFile("an empty name", b"a,\n1,2\n", refused="no name for column 2 of 2"),
    NastyFile("padded names", b" a ,b\n1,2\n", AB),
    NastyFile("no header", b"1,2.5,2024-01-01\n3,4.5,2024-01-02\n", 2, assumed=["no header"]),
    NastyFile(
        "no header, with words", b"1,good,0.5\n2,bad,0.25\n3,good,0.1\n",
        [(1, "good", 0.5), (2, "bad", 0.25), (3, "good", 0.1)],
        assumed=["in columns 1 and 3; if it is the header, say so"],
    ),
    NastyFile("years over numbers", b"name,2019,2020\nann,1,2\n", [("ann", 1, 2)], assumed=[DOUBT]),
    NastyFile("columns of a spreadsheet that are empty", b"a,b,,\n1,2,,\n3,4,,\n", [(1, 2), (3, 4)],
        assumed=["end without a name or a value were left out: 2"]),
    NastyFile("such a column with a value further down", b"a,b,\n" + b"1,2,\n" * 120 + b"3,4,x\n", 120,
        refused="line 122 has a value in a column without a name .column 3 of 3", rejected=[(122, UNNAMED)],
        assumed=["without a name or a value"]),
    NastyFile("such a column with a value above", b"a,b,,\n1,2,,\n1,2,,x\n3,4,5,\n",
        refused="no name for columns 3 and 4 of 4.*look at lines 3; 4"),
    NastyFile("a title above the table", b"Report,,\n,,\na,b,c\n1,2,3\n",
        refused="no name for columns 2 and 3 of 3.*may begin on line 3: then remove the lines above"),
    NastyFile(
        "rows without a value", b"a;b;c\n;;\n1;2;3\r\n;;\r\n;;",
        [(None,) * 3, (1, 2, 3), (None,) * 3, (None,) * 3], assumed=["separated by ';'"],
        notes=["3 rows have no value in any column; the first is row 1"],
    ),
    NastyFile("a header of words over words", b"x,y\np,q\n", [("p", "q")], assumed=[DOUBT]),
    NastyFile("numbers as names over words", b"1,2\na,b\n", [("a", "b")]),
    NastyFile(
        "more columns than allowed", b"a,b,c\n1,2,3\n",
        refused="3 columns, and 2 are the most", limits=Limits(columns=2)
    ),
    NastyFile(
        "comments on top", b'# made by "us\n# on a day\na,b\n1,2\n', AB,
        assumed=["begin with # were taken for comments: 2"],
    ),
    NastyFile("comments with a blank line below", b"# x\n\na,b\n1,2\n", AB, assumed=["comments"]),
    NastyFile("a name that begins with #", b"#id,b\n1,2\n", AB),
    NastyFile("a comment or a header", b"# made by us, today\na,b\n1,2\n", refused="may be a comment or the header"),
]  # fmt: skip

DELIMITERS = [
    NastyFile(
        "semicolons and decimal commas", b"a;b\n1,5;2\n-2,5;3\n", [("1,5", 2), ("-2,5", 3)],
        assumed=["separated by ';'"], notes=["'a' holds numbers with a decimal comma"],
    ),
    NastyFile(
        "the same, known to be numbers", b"a;b\n1,5;2\n;3\n2;4\n", [(1.5, 2), (None, 3), (2.0, 4)],
        types={"a": "float"},
        assumed=["separated by ';'"],
    ),
    NastyFile(
        "thousands among decimal commas", b"a;b\n1.234,5;2\n1,5;2\n", [(1.5, 2)], types={"a": "float"},
        assumed=["separated by ';'"],
        refused="line 2 has wrong type in column 'a' .expected a number", rejected=[(2, MISFIT)],
    ),
    NastyFile("bars", b"a|b\n1|x,y\n", [(1, "x,y")], assumed=["separated by '|'"]),
    NastyFile("tabs", b'a\tb\n1\t"x\ty"\n', [(1, "x\ty")], assumed=[r"separated by '\t'"]),
    NastyFile("tabs, as the name says", b"a\tb\n1\t2\n", AB, name="a.tsv"),
    NastyFile("commas, although the name says tabs", b"a,b\n1,2\n", AB, name="a.tsv", assumed=["separated by ','"]),
    NastyFile("semicolons in the text of a file with commas", b"a,b\nx;y,1\nz;w,2\n", [("x;y", 1), ("z;w", 2)]),
]  # fmt: skip

QUOTING = [
    NastyFile(
        "a quote never closed", b'a,b\n1,2\n3,"x\n4,5\n', AB, refused="line 3 has a quote that is never closed",
        rejected=[(3, OPEN), (4, OPEN)],
    ),
    NastyFile(
        "stray quotes", b'a,b\n1,2\n"x"y,3\n5" pipe,4\n "x",5\n', AB,
        refused="3 rows.*line 3 has a quote that does not fit", rejected=[(3, QUOTES), (4, QUOTES), (5, QUOTES)],
    ),
    NastyFile("line ends within quotes", b'a,b\n"x\n\r\ny",1\n', [("x\n\r\ny", 1)]),
    NastyFile("a field of 20 MB", b'a,b\n"' + b"x" * (20 << 20) + b'",1\n', 1),
    NastyFile(
        "a field larger than allowed", b'a,b\n"' + b"x\n" * 5000 + b'",1\n', refused="longer than 1,000 bytes",
        limits=Limits(record_bytes=1000),
    ),
    NastyFile("empty and quoted empty", b'a,b\n,x\n"",y\nz,z\n', [(None, "x"), ("", "y"), ("z", "z")], assumed=[DOUBT]),
]  # fmt: skip

VALUES = [
    NastyFile("thousands separators", b'a\n"1,000"\n"2,000"\n', [("1,000",), ("2,000",)], notes=["such as $1,234.50"]),
    NastyFile(
        "dates of two orders", b"a\n01/02/2024\n13/02/2024\n", [("01/02/2024",), ("13/02/2024",)], notes=["holds days"]
    ),
    NastyFile("mixed booleans", b"a\ntrue\nyes\n1\n", [("true",), ("yes",), ("1",)], assumed=[DOUBT]),
    NastyFile("leading zeros", b"a\n00123\n10115\n", [("00123",), ("10115",)]),
    NastyFile(
        "words for nothing, as labels", b"a\nNA\nNone\nnull\nnan\n", [("NA",), ("None",), ("null",), ("nan",)],
        assumed=[DOUBT],
    ),
    NastyFile(
        "numbers that are none", b"a\n1.5\nNaN\nInf\n1e999\n", [("1.5",), ("NaN",), ("Inf",), ("1e999",)],
        assumed=[DOUBT],
    ),
    NastyFile(
        "numbers that are none, where numbers must be", b"a,b\n1.5,1\nNaN,2\n1e999,3\n2,4\n", [(1.5, 1), (2.0, 4)],
        types={"a": "float"}, refused="2 rows.*line 3.*'a' .expected a number.*line 4",
        rejected=[(3, MISFIT), (4, MISFIT)],
    ),
    NastyFile("integers beyond 64 bits", b"a\n9223372036854775808\n1\n", [("9223372036854775808",), ("1",)]),
    NastyFile("integers of 30 digits", b"a\n" + b"1" * 30 + b"\n", [("1" * 30,)]),
    NastyFile("the least double", b"a\n4.9e-324\n", [(4.9e-324,)]),
    NastyFile(
        "a word in row 30,001", b"a\n" + b"1\n" * 30_000 + b"x\n", 30_001, notes=["because of row 30,001"]
    ),
    NastyFile(
        "the same, where numbers must be", b"a\n" + b"1\n" * 30_000 + b"x\n", 30_000, types={"a": "integer"},
        refused="1 row cannot be read: line 30,002 has", rejected=[(30_002, MISFIT)],
    ),
    NastyFile("formulas", b"a\n=1+1\n@x\n-x\n", [("=1+1",), ("@x",), ("-x",)], assumed=[DOUBT]),
    NastyFile(
        "invisible characters", "a\n\u202eabc\na\u200bb\né\ne\u0301\n".encode(),
        [("\u202eabc",), ("a\u200bb",), ("é",), ("e\u0301",)], assumed=[DOUBT],
    ),
]  # fmt: skip

PLAIN = b"a,b\n1,2\n"
COMPRESSED = [
    NastyFile("gzip", gzip.compress(PLAIN), AB, name="a.csv.gz"),
    NastyFile("gzip named .csv", gzip.compress(PLAIN), AB, assumed=["compressed with gzip, which its name"]),
    NastyFile("plain text named .gz", PLAIN, AB, name="a.csv.gz", assumed=["not compressed, although"]),
    NastyFile("two gzip members", gzip.compress(b"a,b\n1,") + gzip.compress(b"2\n"), AB, name="a.csv.gz"),
    NastyFile("gzip filled up with zeros", gzip.compress(PLAIN) + bytes(512), AB, name="a.csv.gz"),
    NastyFile("gzip cut off", gzip.compress(PLAIN)[:-3], name="a.csv.gz", refused="cut off"),
    NastyFile("gzip with another length", gzip.compress(PLAIN)[:-1] + b"\1", name="a.csv.gz", refused="damaged"),
    NastyFile("gzip with something behind", gzip.compress(PLAIN) + b"3,4\n", name="a.csv.gz",
        refused="follows the end"),
    NastyFile("gzip of UTF-16", gzip.compress("\ufeffa,b\n1,2\n".encode("utf-16-le")), AB, name="a.csv.gz"),
    NastyFile("gzip twice", gzip.compress(gzip.compress(PLAIN)), name="a.csv.gz", refused="compressed twice"),
    NastyFile("zstd", zstd(PLAIN), AB, name="a.csv.zst"),
    NastyFile("two zstd frames", zstd(b"a,b\n") + zstd(b"1,2\n"), AB, name="a.csv.zst"),
    NastyFile("zstd cut off", zstd(PLAIN)[:-3], name="a.csv.zst", refused="cut off"),
    NastyFile("zstd with something behind", zstd(PLAIN) + b"3,4\n", name="a.csv.zst", refused="damaged|follows"),
    NastyFile("zip", zipped(PLAIN), refused=r"compressed \(zip\).*Excel"),
    NastyFile("bzip2", bz2.compress(PLAIN), refused=r"compressed \(bzip2\)"),
    NastyFile("xz", lzma.compress(PLAIN), refused=r"compressed \(xz\)"),
    NastyFile(
        "a gzip bomb", gzip.compress(b"a\n" + bytes(100 << 20), 6), name="a.csv.gz",
        refused="more than 200 times its size"
    ),
    NastyFile(
        "more than is allowed", gzip.compress(b"a\n" + b"1\n" * 1000), name="a.csv.gz",
        refused="more than 1,000 bytes", limits=Limits(unpacked_bytes=1000),
    ),
]  # fmt: skip

ALL = [*ENCODINGS, *LINES, *HEADERS, *DELIMITERS, *QUOTING, *VALUES, *COMPRESSED]
