"""Text of any encoding becomes UTF-8 without losing or inventing a character, or is refused."""

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.errors import ConfigurationError, DataError
from hokusai.pipeline.data import csv_proof
from hokusai.pipeline.data.encodings import DecodingReader, encoding_named, guess_encoding, mark_of
from hokusai.pipeline.data.reading import open_table
from hokusai.pipeline.data.source_file import OpenedFile

SENTENCES = {
    "cp1252": "Élève à l'école, déjà vu; garçon où être naïf Noël cœur €5 “hi”",
    "mac-roman": "Élève à l'école, déjà vu; garçon où être naïf Noël",
    "iso8859-15": "Élève à l'école, déjà vu; garçon où être naïf Noël cœur €5",
    "cp1250": "Zażółć gęślą jaźń, proszę państwa",
    "cp1251": "Привет, как дела? Это простой текст на русском языке",
    "koi8-r": "Привет, как дела? Это простой текст на русском языке",
    "cp866": "Привет, как дела? Это простой текст на русском языке",
    "cp1253": "Αυτό είναι ελληνικό κείμενο",
    "cp932": "これは日本語のテキストです。データを統合する",
    "euc_jp": "これは日本語のテキストです。データを統合する",
    "gb18030": "这是一个中文文本用于测试数据集成",
    "big5": "這是一個中文文本用於測試數據集成",
    "euc_kr": "이것은 한국어 텍스트입니다",
}


def everything(reader: DecodingReader, n_bytes: int) -> bytes:
    parts = []
    while data := reader.read(n_bytes):
        assert len(data) <= n_bytes
        parts.append(data)
    return b"".join(parts)


@settings(max_examples=75)
@given(
    text=st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    encoding=st.sampled_from(["utf-16-le", "utf-32-be", "gb18030"]),
    n_bytes=st.integers(1, 9),
)
def test_every_character_survives_any_cut(text: str, encoding: str, n_bytes: int) -> None:
    assert (
        everything(DecodingReader(io.BytesIO(text.encode(encoding)), encoding, "a"), n_bytes) == text.encode()
    )


@pytest.mark.parametrize(
    ("content", "encoding", "place"),
    [
        ("ab\nc".encode("utf-16-le") + b"\x00\xd8\x00", "utf-16-le", r"byte 8 \(line 2\)"),
        (b"ab\n\xff", "ascii", r"byte 3 \(line 2\)"),
        (b"ab\n\x81\x20", "cp1252", r"byte 3 \(line 2\)"),
        (b"ab\n\x81\x20", "cp932", r"byte 3 \(line 2\)"),
    ],
)
@pytest.mark.parametrize("n_bytes", [1, 2, 100])
def test_bytes_of_another_encoding_are_refused_with_their_place(
    content: bytes, encoding: str, place: str, n_bytes: int
) -> None:
    with pytest.raises(DataError, match=f"not {encoding}: .*{place}"):
        everything(DecodingReader(io.BytesIO(content), encoding, "a"), n_bytes)


def test_marks() -> None:
    assert mark_of("\ufeffa".encode("utf-32-le")) == ("utf-32-le", b"\xff\xfe\0\0")
    assert mark_of(b"\xef\xbb\xbf") == ("utf-8", b"\xef\xbb\xbf")
    assert mark_of(b"a,b") == mark_of(b"") == ("utf-8", b"")


def test_names_of_encodings() -> None:
    assert [encoding_named(name) for name in ("UTF8", "utf-8-sig", "Shift_JIS", "windows-1252")] == [
        "utf-8", "utf-8", "shift_jis", "cp1252"
    ]  # fmt: skip
    for name in ("klingon", "hex", "rot13", ""):
        with pytest.raises(ConfigurationError, match="no text encoding"):
            encoding_named(name)


class TestGuess:
    def file(self, tmp_path: Path, content: bytes) -> OpenedFile:
        path = tmp_path / "a.csv"
        path.write_bytes(content)
        return OpenedFile(path)

    @pytest.mark.parametrize("encoding", SENTENCES)
    @pytest.mark.parametrize("lines", [1, 30])
    def test_a_sentence_is_enough(self, tmp_path: Path, encoding: str, lines: int) -> None:
        text = "".join(f"{i};{SENTENCES[encoding]}\n" for i in range(lines))
        file = self.file(tmp_path, text.encode(encoding))
        found = guess_encoding(file)
        assert text.encode(encoding).decode(found) == text
        assert f"characters of {lines} lines" in file.assumed[0]

    def test_lines_of_utf8_beside_others_are_a_mixture(self, tmp_path: Path) -> None:
        mixed = "größe\n".encode("cp1252") * 20 + "größe\n".encode() * 2
        assert guess_encoding(self.file(tmp_path, mixed)) == ""

    def test_what_is_utf8_by_accident_decides_nothing(self, tmp_path: Path) -> None:
        text = (
            "这是一个中文文本用于测试\n" * 60 + "目\n"
        )  # the last character is C4 BF in GBK, which is UTF-8 too
        content = text.encode("gb18030")
        content = content.replace("目\n".encode("gb18030"), b"\xc4\xbf\n")
        assert content.splitlines()[-1].decode("utf-8") == "\u013f"
        assert guess_encoding(self.file(tmp_path, content)) == "gb18030"

    def test_doubt_is_told(self, tmp_path: Path) -> None:
        file = self.file(tmp_path, "café\n".encode("cp1252"))
        assert guess_encoding(file) == "cp1252"
        assert "would fit about as well" in file.assumed[0]


@pytest.mark.parametrize("block_bytes", [1, 3, 1000])
def test_a_transcoded_file_is_read_alike_in_any_blocks(
    tmp_path: Path, block_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.csv"
    rows = [(f"Über die Größe {i}", i) for i in range(20)]
    path.write_bytes(("t,n\n" + "".join(f'"{t}",{n}\n' for t, n in rows)).encode("cp1252"))
    monkeypatch.setattr(csv_proof, "BLOCK_BYTES", block_bytes)
    scan = open_table(path)
    assert [row for batch in scan.batches() for row in batch.rows()] == rows
    assert scan.source.encoding == "cp1252"
