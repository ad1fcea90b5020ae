"""Commitments to columns, and single rows opened against them: the format in other words, and every bend refused."""

from __future__ import annotations

import hashlib
import hmac
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.attestation.commitments import commit, label_root, leaf, value_bytes
from hokusai.attestation.numbers import decimal_text
from hokusai.attestation.openings import (
    OpenedRow,
    Openings,
    challenged_rows,
    check_openings,
    numbers_of,
    open_rows,
)
from hokusai.attestation.predictions import RowPredictions, read_column, read_predictions
from hokusai.attestation.statement import statement_bytes
from hokusai.domain.canonical import sha256_hex
from hokusai.domain.claim import DeltaOneClaim
from hokusai.domain.commitments import Commitments
from hokusai.domain.metrics import Task
from hokusai.errors import DataError, IntegrityError, InvalidInputError, NotFoundError, SchemaError

MODELS = {"baseline_model_sha256": "b0" * 32, "new_model_sha256": "0e" * 32}


def tree(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1 << ((len(leaves) - 1).bit_length() - 1)
    return hashlib.sha256(b"\x01" + tree(leaves[:k]) + tree(leaves[k:])).digest()


def root_by_the_book(role: str, values: list[bytes], context: list[str], secret: bytes = b"") -> str:
    """docs/formats/hokusai-rows-v1.md, sections 2 to 4, with nothing of ours."""
    lengths = b"".join(len(value).to_bytes(4, "big") for value in values)
    content = hashlib.sha256(lengths + b"".join(values)).hexdigest()
    about = {
        "column": role,
        "content": content,
        "context": context,
        "format": "hokusai-rows-v1",
        "rows": len(values),
    }
    message = json.dumps(about, sort_keys=True, separators=(",", ":")).encode()
    key = hashlib.sha256(len(secret).to_bytes(8, "big") + secret).digest() if secret else b""
    stream = hashlib.shake_256(hmac.new(key, message, hashlib.sha256).digest()).digest(16 * len(values))
    salts = [stream[16 * i : 16 * i + 16] for i in range(len(values))]
    leaves = [hashlib.sha256(b"\x00" + a + b).digest() for a, b in zip(salts, values, strict=True)]
    return tree(leaves).hex()


class TestCommit:
    @pytest.mark.parametrize("secret", [b"", b"between you and me", bytes(16), bytes(100)])
    def test_is_what_the_format_says(self, secret: bytes) -> None:
        labels, old, new = ["no", "yes", "é"], ["no", "no", "no"], ["", "yes", "é"]
        made = commit(labels, old, new, benchmark_sha256="be" * 32, **MODELS, secret=secret)
        as_bytes = [[text.encode() for text in column] for column in (labels, old, new)]
        assert made == Commitments(
            root_by_the_book("labels", as_bytes[0], ["be" * 32], secret),
            root_by_the_book("baseline", as_bytes[1], ["be" * 32, "b0" * 32], secret),
            root_by_the_book("new", as_bytes[2], ["be" * 32, "0e" * 32], secret),
        )

    def test_of_numbers(self) -> None:
        root = label_root([1.0, -0.0, 0.1, 1e-7], "be" * 32)
        assert root == root_by_the_book("labels", [b"1", b"0", b"0.1", b"1e-7"], ["be" * 32])

    def test_labels_depend_on_the_benchmark_alone(self) -> None:
        labels = ["no", "yes"]
        made = commit(labels, ["no", "no"], labels, benchmark_sha256="be" * 32, **MODELS)
        assert made.labels == label_root(labels, "be" * 32)
        assert made.labels != label_root(labels, "bf" * 32)

    def test_equal_columns_of_two_models_do_not_look_alike(self) -> None:
        made = commit(["a", "b"], ["a", "b"], ["a", "b"], benchmark_sha256="be" * 32, **MODELS)
        assert len({made.labels, made.baseline, made.new}) == 3

    def test_a_secret_changes_everything(self) -> None:
        # HMAC pads keys with zeros, so that these would be few
        secrets = [b"", bytes(16), bytes(32), bytes(64), b"s" * 16, b"s" * 16 + b"\0", b"s" * 65]
        assert len({label_root(["a"], "be" * 32, secret=secret) for secret in secrets}) == len(secrets)

    @pytest.mark.parametrize("secret", [b"\0", b"abc", b"fifteen bytes.."])
    def test_a_secret_that_can_be_found_by_trying(self, secret: bytes) -> None:
        with pytest.raises(InvalidInputError, match="at least 16 bytes"):
            label_root(["a"], "be" * 32, secret=secret)

    def test_order_and_cuts_matter(self) -> None:
        roots = {label_root(column, "be" * 32) for column in (["a", "b"], ["b", "a"], ["ab", ""], ["", "ab"])}
        assert len(roots) == 4

    @settings(max_examples=30)
    @given(st.lists(st.text(max_size=3), min_size=1, max_size=9))
    def test_any_column_by_the_book(self, labels: list[str]) -> None:
        expected = root_by_the_book("labels", [text.encode() for text in labels], ["be" * 32])
        assert label_root(labels, "be" * 32) == expected

    @settings(max_examples=50)
    @given(st.floats(allow_nan=False, allow_infinity=False))
    def test_a_number_is_written_as_rfc_8785_has_it(self, number: float) -> None:
        assert value_bytes(number) == decimal_text(number).encode()

    @pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
    def test_a_number_that_is_none(self, number: float) -> None:
        with pytest.raises(InvalidInputError):
            label_root([1.0, number], "be" * 32)

    def test_what_cannot_be_committed_to(self) -> None:
        with pytest.raises(InvalidInputError, match="at least one row"):
            label_root([], "be" * 32)
        with pytest.raises(InvalidInputError, match="they have 2, 1 and 2"):
            commit(["a", "b"], ["a"], ["a", "b"], benchmark_sha256="be" * 32, **MODELS)
        with pytest.raises(InvalidInputError, match="not of both"):
            label_root(["a", 1.0], "be" * 32)  # type: ignore[list-item]
        with pytest.raises(InvalidInputError, match="surrogate"):
            label_root(["\ud800"], "be" * 32)
        with pytest.raises(InvalidInputError, match="16 bytes"):
            leaf(b"short", b"value")
        with pytest.raises(InvalidInputError, match="hokusai-rows-v1"):
            Commitments("00" * 32, "00" * 32, "00" * 32, "another")


@pytest.fixture
def sha256(full_claim: DeltaOneClaim) -> str:
    return sha256_hex(statement_bytes(full_claim))


@pytest.fixture
def openings(full_claim: DeltaOneClaim, sha256: str, predictions: RowPredictions) -> Openings:
    return open_rows(full_claim, sha256, predictions, [99, 3, 17, 3])


class TestOpen:
    def test_shows_the_rows_and_proves_them(
        self, full_claim: DeltaOneClaim, sha256: str, predictions: RowPredictions, openings: Openings
    ) -> None:
        assert [row.row for row in openings.rows] == [3, 17, 99]
        for row in openings.rows:
            shown = (row.label.value, row.baseline.value, row.new.value)
            assert shown == tuple(
                column[row.row] for column in (predictions.labels, predictions.baseline, predictions.new)
            )
        check_openings(openings, full_claim, sha256)

    def test_comes_back_from_its_file(self, openings: Openings) -> None:
        assert Openings.parse(openings.to_bytes()) == openings

    def test_numbers_come_back_too(self, regression: DeltaOneClaim) -> None:
        values = [0.1 * i for i in range(50)]
        said = RowPredictions(Task.REGRESSION, values, values[::-1], [-0.0] * 50)
        made = commit(values, values[::-1], [0.0] * 50, benchmark_sha256="be" * 32, **MODELS)
        claim = replace(regression, commitments=made)
        opened = open_rows(claim, "ab" * 32, said, [49])
        assert Openings.parse(opened.to_bytes()) == opened
        check_openings(opened, claim, "ab" * 32)

    def test_every_row_of_any_size_can_be_opened(self, full_claim: DeltaOneClaim) -> None:
        for n in (1, 2, 3, 5, 8):
            labels = ["yes"] * n
            made = commit(labels, labels, labels, benchmark_sha256="be" * 32, **MODELS)
            comparison = replace(full_claim.comparison, n_rows=n, counts=None)
            claim = replace(full_claim, commitments=made, comparison=comparison)
            said = RowPredictions(Task.CLASSIFICATION, labels, labels, labels)
            check_openings(open_rows(claim, "ab" * 32, said, range(n)), claim, "ab" * 32)

    def test_predictions_of_another_run_are_refused(
        self, full_claim: DeltaOneClaim, sha256: str, predictions: RowPredictions
    ) -> None:
        changed = replace(predictions, new=[*predictions.new[1:], "no"])
        with pytest.raises(IntegrityError, match="commitment to new is not to what the file holds"):
            open_rows(full_claim, sha256, changed, [0])

    def test_without_commitments_or_rows(
        self, claim: DeltaOneClaim, full_claim: DeltaOneClaim, sha256: str, predictions: RowPredictions
    ) -> None:
        with pytest.raises(InvalidInputError, match="no commitments"):
            open_rows(claim, sha256, predictions, [0])
        with pytest.raises(InvalidInputError, match="rows 0 to 99, got 100"):
            open_rows(full_claim, sha256, predictions, [100])
        with pytest.raises(InvalidInputError, match="1 to 10000 rows"):
            open_rows(full_claim, sha256, predictions, [])


def _row(openings: Openings, **changed: object) -> Openings:
    return replace(openings, rows=(replace(openings.rows[0], **changed), *openings.rows[1:]))  # type: ignore[arg-type]


FORGED: dict[str, Callable[[Openings], Openings]] = {
    "another label": lambda o: _row(o, label=replace(o.rows[0].label, value="maybe")),
    "another prediction": lambda o: _row(o, new=replace(o.rows[0].new, value="maybe")),
    "another salt": lambda o: _row(o, baseline=replace(o.rows[0].baseline, salt=bytes(16))),
    "another path": lambda o: _row(o, label=replace(o.rows[0].label, path=o.rows[1].label.path)),
    "a shorter path": lambda o: _row(o, label=replace(o.rows[0].label, path=o.rows[0].label.path[1:])),
    "the label's proof for the prediction": lambda o: _row(o, new=o.rows[0].label),
    "another row's place": lambda o: replace(o, rows=(_at(o.rows[0], 4), *o.rows[1:])),
    "another statement": lambda o: replace(o, statement_sha256="00" * 32),
    "another number of rows": lambda o: replace(o, n_rows=101),
}


def _at(row: OpenedRow, place: int) -> OpenedRow:
    return replace(row, row=place)


class TestForgedOpenings:
    @pytest.mark.parametrize("name", FORGED)
    def test_is_refused(self, full_claim: DeltaOneClaim, sha256: str, openings: Openings, name: str) -> None:
        with pytest.raises(IntegrityError):
            check_openings(FORGED[name](openings), full_claim, sha256)

    def test_rows_that_the_joint_counts_do_not_have(
        self, full_claim: DeltaOneClaim, sha256: str, openings: Openings
    ) -> None:
        counts = full_claim.comparison.counts
        assert counts is not None
        first = openings.rows[0]
        shown = tuple(
            counts.classes.index(str(one.value)) for one in (first.label, first.baseline, first.new)
        )
        cells = tuple((cell, count) for cell, count in counts.cells if cell != shown)
        without = replace(full_claim.comparison, counts=replace(counts, cells=cells))
        with pytest.raises(IntegrityError, match="the joint counts have 0 rows of"):
            check_openings(openings, replace(full_claim, comparison=without), sha256)

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            (b'"hokusai-openings-v1"', b'"hokusai-openings-v2"'),
            (b'"benchmarkRows":100', b'"benchmarkRows":100.0'),
            (b'"row":3', b'"row":-3'),
            (b'"row":3', b'"row":18'),
            (b'"row":3', b'"row":3,"row":3'),
            (b'"row":3', b'"row":3,"note":"trust me"'),
            (b'"value":"', b'"value":true,"was":"'),
            (b'"salt":"', b'"salt":"0'),
            (b'"path":["', b'"path":["0'),
            (b'"rows":[', b'"rows":[1,'),
        ],
    )
    def test_a_file_in_another_form(self, openings: Openings, old: bytes, new: bytes) -> None:
        data = openings.to_bytes()
        assert old in data
        with pytest.raises(IntegrityError):
            Openings.parse(data.replace(old, new, 1))

    @pytest.mark.parametrize("value", [b"NaN", b"Infinity", b"-0.0", b"9007199254740993", b"null", b"[]"])
    def test_a_value_that_has_no_one_meaning(self, openings: Openings, value: bytes) -> None:
        label = json.dumps(openings.rows[0].label.value).encode()
        with pytest.raises(IntegrityError):
            Openings.parse(openings.to_bytes().replace(b'"value":' + label, b'"value":' + value, 1))


class TestChallenge:
    def test_gives_that_many_different_rows_in_order(self) -> None:
        rows = challenged_rows("ab" * 32, "dice: 4 2 6", 1000, 59)
        assert len(set(rows)) == 59
        assert list(rows) == sorted(rows)
        assert 0 <= rows[0] <= rows[-1] < 1000

    def test_depends_on_both_texts(self) -> None:
        drawn = {challenged_rows(s * 32, c, 1000, 20) for s in ("ab", "ac") for c in ("heads", "tails")}
        assert len(drawn) == 4

    def test_every_row_comes_up(self) -> None:
        hit = {row for i in range(100) for row in challenged_rows("ab" * 32, str(i), 20, 3)}
        assert hit == set(range(20))

    @pytest.mark.parametrize("text", ["", "a", "1,", "-1", "3-", "1-99999", "²"])
    def test_row_numbers_that_are_none(self, text: str) -> None:
        with pytest.raises(InvalidInputError):
            numbers_of(text)


class TestPredictionsFile:
    def write(self, path: Path, **columns: object) -> Path:
        frame = pl.DataFrame(columns)
        frame.write_parquet(path) if path.suffix == ".parquet" else frame.write_csv(path)
        return path

    @pytest.mark.parametrize("name", ["p.csv", "p.parquet"])
    def test_of_classes(self, tmp_path: Path, name: str) -> None:
        path = self.write(tmp_path / name, label=["a", "b"], baseline=["a", "a"], new=["b", "b"])
        assert read_predictions(path, Task.CLASSIFICATION) == RowPredictions(
            Task.CLASSIFICATION, ["a", "b"], ["a", "a"], ["b", "b"]
        )

    @pytest.mark.parametrize("name", ["p.csv", "p.parquet"])
    def test_in_the_order_of_row(self, tmp_path: Path, name: str) -> None:
        path = self.write(
            tmp_path / name, new=[3, 1, 2], row=[2, 0, 1], label=[3, 1, 2], baseline=[1.5, 2.5, 3.5]
        )
        read = read_predictions(path, Task.REGRESSION)
        assert (read.labels, read.baseline) == ([1.0, 2.0, 3.0], [2.5, 3.5, 1.5])

    def test_classes_have_one_spelling(self, tmp_path: Path) -> None:
        path = self.write(tmp_path / "p.parquet", label=[1.0, 0.0], baseline=[1, 0], new=[True, False])
        read = read_predictions(path, Task.CLASSIFICATION)
        assert (read.labels, read.baseline, read.new) == (["1", "0"], ["1", "0"], ["true", "false"])

    @pytest.mark.parametrize(
        ("columns", "said"),
        [
            ({"label": ["a"], "new": ["a"]}, "missing: baseline"),
            ({"label": ["a"], "baseline": ["a"], "new": ["a"], "x": [1]}, "unknown: x"),
            ({"label": [], "baseline": [], "new": []}, "rows, got 0"),
            ({"row": [1], "label": ["a"], "baseline": ["a"], "new": ["a"]}, "numbered from 0 to 0"),
            ({"row": [0, 0], "label": ["a"] * 2, "baseline": ["a"] * 2, "new": ["a"] * 2}, "each once"),
            (
                {"label": ["a", None], "baseline": ["a"] * 2, "new": ["a"] * 2},
                "Row 1 has no value in 'label'",
            ),
        ],
    )
    def test_that_cannot_be_used(self, tmp_path: Path, columns: dict[str, object], said: str) -> None:
        with pytest.raises(SchemaError, match=said):
            read_predictions(self.write(tmp_path / "p.parquet", **columns), Task.CLASSIFICATION)

    @pytest.mark.parametrize("value", ["x", "nan", "inf", ""])
    def test_a_value_that_is_no_number(self, tmp_path: Path, value: str) -> None:
        (tmp_path / "p.csv").write_text(f"label,baseline,new\n1,1,1\n1,{value},1\n")
        with pytest.raises(SchemaError, match="Row 1 has no finite number in 'baseline'"):
            read_predictions(tmp_path / "p.csv", Task.REGRESSION)

    def test_that_cannot_be_read(self, tmp_path: Path) -> None:
        with pytest.raises(NotFoundError):
            read_predictions(tmp_path / "gone.csv", Task.REGRESSION)
        (tmp_path / "bad.parquet").write_bytes(b"PAR1 not")
        with pytest.raises(DataError):
            read_predictions(tmp_path / "bad.parquet", Task.REGRESSION)

    def test_one_column_of_a_benchmark(self, tmp_path: Path) -> None:
        path = self.write(tmp_path / "b.csv", x=[1, 2], churned=["no", "yes"])
        assert read_column(path, "churned", Task.CLASSIFICATION) == ["no", "yes"]
        with pytest.raises(SchemaError, match="no column 'label'"):
            read_column(path, "label", Task.CLASSIFICATION)
