"""Single rows shown against a statement's commitments: its label and both predictions, with what proves them.

Whoever doubts a statement names rows, the signer opens them, and the doubter runs the models on these rows. It catches
who made up a share of his predictions with a chance of 1 - (1 - share)^rows: 59 rows find 5 % made up with 95 %. The
rows have to be chosen after the commitment was made, and not by the signer; `challenged_rows` draws them from a text
that the doubter thinks up.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hokusai.attestation.commitments import SALT_BYTES, leaf, row_columns, value_bytes
from hokusai.attestation.merkle import InclusionProof, hashes
from hokusai.attestation.node import Node
from hokusai.attestation.predictions import RowPredictions
from hokusai.domain.canonical import parse_json, require_sha256
from hokusai.domain.claim import DeltaOneClaim
from hokusai.domain.commitments import SCHEME, Commitments
from hokusai.errors import HokusaiError, IntegrityError, InvalidInputError

FORMAT = "hokusai-openings-v1"
MOST_ROWS = 10_000
MAX_BYTES = 256 * 1024 * 1024

Value = str | float
_ROLES = ("label", "baseline", "new")


@dataclass(frozen=True, slots=True)
class OpenedValue:
    """One value of one row: what it is, its salt, and its way to the root."""

    value: Value
    salt: bytes
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class OpenedRow:
    """A row of the benchmark with its label and both predictions.

    Attributes:
        row: Its number, from 0.
        label, baseline, new: The truth, and what each model said.
    """

    row: int
    label: OpenedValue
    baseline: OpenedValue
    new: OpenedValue


@dataclass(frozen=True, slots=True)
class Openings:
    """Rows opened against one statement. `Openings.parse(x.to_bytes()) == x`.

    Attributes:
        statement_sha256: Digest of the statement whose commitments are opened, hex.
        n_rows: Rows of the benchmark.
        rows: In ascending order.
    """

    statement_sha256: str
    n_rows: int
    rows: tuple[OpenedRow, ...]

    def __post_init__(self) -> None:
        require_sha256(self.statement_sha256, "statementSha256")
        numbers = [row.row for row in self.rows]
        if not numbers or numbers != sorted(set(numbers)) or len(numbers) > MOST_ROWS:
            raise InvalidInputError(f"Openings are of 1 to {MOST_ROWS} rows, each once, in ascending order")

    def to_bytes(self) -> bytes:
        """As a JSON file."""
        document = {
            "format": FORMAT,
            "scheme": SCHEME,
            "statementSha256": self.statement_sha256,
            "benchmarkRows": self.n_rows,
            "rows": [
                {"row": row.row, **{name: _to_json(getattr(row, name)) for name in _ROLES}}
                for row in self.rows
            ],
        }
        return (
            json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode() + b"\n"
        )

    @classmethod
    def parse(cls, data: bytes) -> Openings:
        """Read what `to_bytes` wrote, and nothing else.

        Raises:
            IntegrityError: A member is missing, unknown or of the wrong type.
        """
        if len(data) > MAX_BYTES:
            raise IntegrityError(f"Not openings: longer than {MAX_BYTES} bytes")
        try:
            top = Node(parse_json(data), document="file of openings").only(
                "format", "scheme", "statementSha256", "benchmarkRows", "rows"
            )
            for name, expected in (("format", FORMAT), ("scheme", SCHEME)):
                if top[name].value != expected:
                    raise top[name].wrong(f"expected {expected!r}")
            return cls(
                top["statementSha256"].text(),
                top["benchmarkRows"].count(),
                tuple(_opened_row(node) for node in top["rows"].items()),
            )
        except InvalidInputError as exc:
            raise IntegrityError(f"Not openings: {exc}") from exc


def open_rows(
    claim: DeltaOneClaim,
    statement_sha256: str,
    predictions: RowPredictions,
    rows: Iterable[int],
    *,
    secret: bytes = b"",
) -> Openings:
    """Open rows of the benchmark against the commitments in `claim`.

    Args:
        claim: What the statement says.
        statement_sha256: Its digest, hex.
        predictions: All labels and predictions.
        rows: The rows to open, from 0.
        secret: That the commitments were made with, if any.

    Raises:
        InvalidInputError: The statement has no commitments, or there is no such row.
        IntegrityError: The commitments are not to these predictions.
    """
    if claim.commitments is None:
        raise InvalidInputError("The statement has no commitments, so no row of it can be opened")
    wanted = sorted(set(rows))
    if wanted and not 0 <= wanted[0] <= wanted[-1] < predictions.n_rows:
        raise InvalidInputError(
            f"The benchmark has the rows 0 to {predictions.n_rows - 1}, got {wanted[0]} to {wanted[-1]}"
        )
    columns = row_columns(
        predictions.labels,
        predictions.baseline,
        predictions.new,
        benchmark_sha256=claim.benchmark_sha256,
        baseline_model_sha256=claim.baseline_model_sha256,
        new_model_sha256=claim.new_model_sha256,
        secret=secret,
    )
    made = Commitments(*(column.root.hex() for column in columns))
    for name in ("labels", "baseline", "new"):
        if getattr(made, name) != getattr(claim.commitments, name):
            raise IntegrityError(
                f"The statement's commitment to {name} is not to what the file holds",
                hint="The predictions may be of another run, in another order, or committed to with a secret.",
            )
    opened = []
    for row in wanted:
        proofs = [column.open(row) for column in columns]
        values = (predictions.labels[row], predictions.baseline[row], predictions.new[row])
        cells = [
            OpenedValue(value if isinstance(value, str) else float(value) + 0.0, salt, proof.path)
            for value, (salt, proof) in zip(values, proofs, strict=True)
        ]
        opened.append(OpenedRow(row, *cells))
    return Openings(statement_sha256, predictions.n_rows, tuple(opened))


def check_openings(openings: Openings, claim: DeltaOneClaim, statement_sha256: str) -> None:
    """Check that every opened value is what the statement committed to, and fits its joint counts.

    Raises:
        IntegrityError: It is not, or the openings are of another statement.
    """
    if openings.statement_sha256 != statement_sha256:
        raise IntegrityError(
            f"The openings are of the statement {openings.statement_sha256}, not of this one"
        )
    if claim.commitments is None:
        raise IntegrityError("The statement has no commitments that rows could be opened against")
    if openings.n_rows != claim.comparison.n_rows:
        raise IntegrityError(
            f"The openings are of {openings.n_rows} rows, the benchmark has {claim.comparison.n_rows}"
        )
    roots = {
        "label": claim.commitments.labels,
        "baseline": claim.commitments.baseline,
        "new": claim.commitments.new,
    }
    for row in openings.rows:
        for name, root in roots.items():
            opened: OpenedValue = getattr(row, name)
            proof = InclusionProof(row.row, openings.n_rows, opened.path)
            try:
                proof.verify(leaf(opened.salt, value_bytes(opened.value)), bytes.fromhex(root))
            except HokusaiError as exc:
                raise IntegrityError(f"Row {row.row}: its {name} is not what was committed to") from exc
    _check_cells(openings, claim)


def challenged_rows(statement_sha256: str, challenge: str, n_rows: int, size: int) -> tuple[int, ...]:
    """The rows that a challenge asks for: different ones, which nobody could know before both texts were there.

    Numbers of 128 bits are read from SHAKE-256 over the format's name, the statement's digest and the challenge, and
    taken modulo `n_rows` (a bias below 2^-64), until there are enough different ones.

    Args:
        statement_sha256: Digest of the statement, hex.
        challenge: What the verifier thought up, or a public beacon gave, after the statement was signed.
        n_rows: Rows of the benchmark.
        size: How many rows; all of them if there are not more.

    >>> challenged_rows("00" * 32, "heads", 3, 9)
    (0, 1, 2)
    """
    if size >= n_rows:
        return tuple(range(n_rows))
    seed = hashlib.sha256(f"{FORMAT}:{statement_sha256}:{challenge}".encode()).digest()
    found: set[int] = set()
    block = 0
    while len(found) < size:
        stream = hashlib.shake_256(seed + block.to_bytes(8, "big")).digest(16 * 1024)
        for at in range(0, len(stream), 16):
            found.add(int.from_bytes(stream[at : at + 16], "big") % n_rows)
            if len(found) == size:
                break
        block += 1
    return tuple(sorted(found))


def _check_cells(openings: Openings, claim: DeltaOneClaim) -> None:
    """Opened rows of a classification fall into cells of the joint table, not more of them than it counts."""
    counts = claim.comparison.counts
    if counts is None:
        return
    index = {name: i for i, name in enumerate(counts.classes)}
    table = dict(counts.cells)
    shown: Counter[tuple[int, int, int]] = Counter()
    for row in openings.rows:
        label, old, new = (str(value.value) for value in (row.label, row.baseline, row.new))
        cell = (index.get(label, -1), index.get(old, -1), index.get(new, -1))
        shown[cell] += 1
        if shown[cell] > table.get(cell, 0):
            raise IntegrityError(
                f"Row {row.row}: the joint counts have {table.get(cell, 0)} rows of {(label, old, new)}"
            )


def _to_json(opened: OpenedValue) -> dict[str, object]:
    return {"value": opened.value, "salt": opened.salt.hex(), "path": [step.hex() for step in opened.path]}


def _opened_row(node: Node) -> OpenedRow:
    node.only("row", *_ROLES)
    return OpenedRow(node["row"].count(), *(_opened_value(node[name]) for name in _ROLES))


def _opened_value(node: Node) -> OpenedValue:
    node.only("value", "salt", "path")
    value, salt = node["value"].value, node["salt"].text()
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise node["value"].wrong("expected a class name or a number")
    if not isinstance(value, str) and math.copysign(1.0, value) < 0 and not value:
        raise node["value"].wrong("zero has no sign here")
    if len(salt) != 2 * SALT_BYTES or set(salt) - set("0123456789abcdef"):
        raise node["salt"].wrong(f"expected {2 * SALT_BYTES} lower-case hex digits")
    return OpenedValue(
        value if isinstance(value, str) else float(value),
        bytes.fromhex(salt),
        hashes(node["path"].value, node["path"].path),
    )


def numbers_of(text: str) -> Sequence[int]:
    """Row numbers as somebody writes them.

    Raises:
        InvalidInputError: One is no whole number from 0.

    >>> numbers_of("3, 17,5-7")
    [3, 17, 5, 6, 7]
    """
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isascii() or not first.isdigit() or (dash and not (last.isascii() and last.isdigit())):
            raise InvalidInputError(
                f"Not a row number from 0: {part.strip()[:40]!r}", hint="Write them as 3,17,20-25."
            )
        end = int(last) if dash else int(first)
        if end - int(first) >= MOST_ROWS:
            raise InvalidInputError(f"At most {MOST_ROWS} rows are opened at once", where=part.strip()[:40])
        found.extend(range(int(first), end + 1))
    return found
