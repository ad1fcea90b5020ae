"""`hokusai-data-v1` against a second implementation, written from its document with the standard library alone.

tests/vectors/hokusai-data-v1.json holds what the second implementation gives for a few datasets; others who implement
the format can check themselves against it.
"""

import datetime as dt
import hashlib
import json
import math
import struct
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.attestation.merkle import leaf_hash, node_hash
from hokusai.pipeline.data import block_hash as blocks
from hokusai.pipeline.data.block_hash import block_hash
from hokusai.pipeline.data.canonical_columns import canonical_columns, header_digest
from hokusai.pipeline.data.dataset_hash import dataset_hash
from hokusai.pipeline.data.row_digests import row_digests

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "hokusai-data-v1.json").read_text())

FIXED = {"b": "<B", "i": "<q", "f": "<d", "t": "<q", "d": "<i", "h": "<q", "u": "<q"}


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def reference_header(columns: dict[str, str]) -> bytes:
    text = b"hokusai-data-v1\0columns\0"
    for name, kind in sorted(columns.items()):
        text += struct.pack("<I", len(name.encode())) + name.encode() + kind.encode()
    return sha256(text)


def reference_row(columns: dict[str, str], row: dict) -> bytes:
    """The bytes of a row; the values are numbers, text and bytes in their canonical form, or None."""
    names = sorted(columns)
    bits = bytearray(-(-len(names) // 8))
    for i, name in enumerate(names):
        if row[name] is None:
            bits[i // 8] |= 1 << (i % 8)
    data = bytes(bits)
    for name in names:
        if columns[name] in FIXED:
            data += struct.pack(FIXED[columns[name]], row[name] or 0)
    variable = [n for n in names if columns[n] == "s"] + [n for n in names if columns[n] == "x"]
    cells = [_bytes(row[name]) for name in variable]
    return data + b"".join(struct.pack("<I", len(cell)) for cell in cells) + b"".join(cells)


def reference_digest(columns: dict[str, str], row: dict) -> bytes:
    return sha256(b"\x02" + reference_header(columns) + reference_row(columns, row))


def reference_tree(leaves: list[bytes]) -> bytes:
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return node_hash(reference_tree(leaves[:k]), reference_tree(leaves[k:]))


def reference_hash(columns: dict[str, str], rows: list[dict]) -> dict[str, str]:
    header = reference_header(columns)
    digests = [reference_digest(columns, row) for row in rows]
    size = struct.pack(">Q", len(rows))
    result = {}
    for name, order, items in (
        ("data_hash", b"rows", digests),
        ("content_root", b"content", sorted(digests)),
    ):
        leaves = [leaf_hash(b"".join(items[i : i + 16])) for i in range(0, len(items), 16)]
        result[name] = sha256(
            b"hokusai-data-v1\0" + order + b"\0" + header + size + reference_tree(leaves)
        ).hex()
    return result


def reference_block_hash(columns: dict[str, str], rows: list[dict], block_rows: int = 65_536) -> str:
    header = reference_header(columns)
    leaves = []
    for start in range(0, len(rows), block_rows):
        block = rows[start : start + block_rows]
        data = b"\x03" + header + struct.pack("<Q", len(block))
        for name, kind in sorted(columns.items()):
            bits = bytearray(-(-len(block) // 8))
            for i, row in enumerate(block):
                if row[name] is None:
                    bits[i // 8] |= 1 << (i % 8)
            data += bytes(bits)
            if kind in FIXED:
                data += b"".join(struct.pack(FIXED[kind], row[name] or 0) for row in block)
            else:
                cells = [_bytes(row[name]) for row in block]
                data += b"".join(struct.pack("<I", len(cell)) for cell in cells) + b"".join(cells)
        leaves.append(leaf_hash(sha256(data)))
    size = struct.pack(">Q", len(rows))
    return sha256(b"hokusai-data-v1-blocks\0rows\0" + header + size + reference_tree(leaves)).hex()


def _bytes(cell: str | bytes | None) -> bytes:
    if cell is None:
        return b""
    return cell if isinstance(cell, bytes) else cell.encode()


EPOCH = dt.datetime(1970, 1, 1)
DTYPES = {
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


def frame_of(columns: dict[str, str], rows: list[dict]) -> pl.DataFrame:
    """The rows as Python has them, from their canonical values."""

    def value(kind, cell):
        if cell is None:
            return None
        match kind:
            case "t":
                return EPOCH + dt.timedelta(microseconds=cell)
            case "d":
                return EPOCH.date() + dt.timedelta(days=cell)
            case "h":
                return (EPOCH + dt.timedelta(microseconds=cell)).time()
            case "u":
                return dt.timedelta(microseconds=cell)
        return cell

    return pl.DataFrame(
        {
            name: pl.Series([value(kind, row[name]) for row in rows], dtype=DTYPES[kind], strict=True)
            for name, kind in columns.items()
        }
    )


CELLS = {
    "b": st.booleans(),
    "i": st.integers(-(2**63), 2**63 - 1),
    "f": st.floats(allow_nan=False).map(lambda x: 0.0 if x == 0 else x),
    "t": st.integers(-(10**16), 10**16),
    "d": st.integers(-700_000, 2_900_000),
    "h": st.integers(0, 86_400_000_000 - 1),
    "u": st.integers(-(10**15), 10**15),
    "s": st.text(st.characters(exclude_categories=("Cs",)), max_size=6),
    "x": st.binary(max_size=5),
}
NAMES = st.text(st.characters(exclude_categories=("Cs",)), max_size=3) | st.sampled_from(
    ["a\nb", "a\0b", "a\0"]
)


@st.composite
def datasets(draw, max_rows=40):
    """Columns of any type and rows of canonical values, many of them missing."""
    columns = draw(st.dictionaries(NAMES, st.sampled_from(sorted(CELLS)), min_size=1, max_size=10))
    row = st.fixed_dictionaries({name: st.none() | CELLS[kind] for name, kind in columns.items()})
    return columns, draw(st.lists(row, max_size=max_rows))


class TestAgainstTheSecondImplementation:
    @given(datasets())
    @settings(max_examples=40)
    def test_rows_and_dataset_are_the_same(self, dataset):
        columns, rows = dataset
        frame = frame_of(columns, rows)
        assert header_digest(canonical_columns(frame.schema)) == reference_header(columns)
        digests = [digest.tobytes() for digest in row_digests(frame)]
        assert digests == [reference_digest(columns, row) for row in rows]
        result = dataset_hash(frame)
        assert {"data_hash": result.data_hash, "content_root": result.content_root} == reference_hash(
            columns, rows
        )
        assert block_hash(frame).data_hash == reference_block_hash(columns, rows)

    def test_blocks_are_cut_where_the_document_says(self, monkeypatch):
        monkeypatch.setattr(blocks, "BLOCK_ROWS", 8)
        columns = {"a": "i", "b": "s"}
        rows = [{"a": i, "b": None if i % 3 == 0 else str(i)} for i in range(29)]
        frame = frame_of(columns, rows)
        expected = reference_block_hash(columns, rows, 8)
        hasher = blocks.BlockHasher()
        for start, stop in ((0, 3), (3, 4), (4, 4), (4, 21), (21, 29)):
            hasher.update(frame[start:stop])
        assert hasher.result().data_hash == block_hash(frame).data_hash == expected
        assert hasher.result().content_root == ""


class TestVectors:
    @pytest.mark.parametrize("vector", VECTORS["datasets"], ids=lambda vector: vector["name"])
    def test_are_met(self, vector):
        columns = vector["columns"]
        rows = [
            {
                name: bytes.fromhex(cell) if columns[name] == "x" and cell is not None else cell
                for name, cell in row.items()
            }
            for row in vector["rows"]
        ]
        frame = frame_of(columns, rows)
        result = dataset_hash(frame)
        assert header_digest(canonical_columns(frame.schema)).hex() == vector["header"]
        assert [digest.tobytes().hex() for digest in row_digests(frame)] == vector["row_digests"]
        assert [reference_row(columns, row).hex() for row in rows] == vector["row_bytes"]
        assert result.data_hash == vector["data_hash"]
        assert result.content_root == vector["content_root"]
        assert block_hash(frame).data_hash == vector["block_data_hash"]

    def test_a_row_worked_out_by_hand(self):
        # Columns `id` (i) and `s` (s); the row is 1 and "é" (C3 A9).
        header = sha256(b"hokusai-data-v1\0columns\0\x02\0\0\0idi\x01\0\0\0ss")
        row = b"\x00\x01\0\0\0\0\0\0\0\x02\0\0\0\xc3\xa9"
        frame = pl.DataFrame({"s": ["é"], "id": [1]})
        assert row_digests(frame).tobytes() == sha256(b"\x02" + header + row)
        leaf = sha256(b"\x00" + sha256(b"\x02" + header + row))
        size = b"\0\0\0\0\0\0\0\x01"
        result = dataset_hash(frame)
        assert result.data_hash == sha256(b"hokusai-data-v1\0rows\0" + header + size + leaf).hex()
        assert result.content_root == sha256(b"hokusai-data-v1\0content\0" + header + size + leaf).hex()


def test_the_second_implementation_is_strict_about_canonical_values():
    with pytest.raises(struct.error):
        reference_row({"a": "i"}, {"a": 2**63})
    assert math.copysign(1, struct.unpack("<d", reference_row({"a": "f"}, {"a": -0.0})[1:])[0]) == 1


def test_the_example_of_the_document_is_a_vector():
    document = Path(__file__).parents[4] / "docs" / "formats" / "hokusai-data-v1.md"
    lines = document.read_text().partition("## 8.")[2].splitlines()
    example = {line[:18].strip(): line[18:].replace(" ", "") for line in lines if line.startswith("    ")}
    vector = next(vector for vector in VECTORS["datasets"] if vector["name"] == "one row")
    assert sha256(bytes.fromhex(example["header input"])).hex() == example["header"] == vector["header"]
    assert [example["row"]] == vector["row_bytes"]
    assert [example["digest"]] == vector["row_digests"]
    assert example["data_hash"] == vector["data_hash"]
    assert example["content_root"] == vector["content_root"]
