"""One stored attestation of every released format, verified for ever.

Do not make these files anew. If a test here fails, attestations in the hands of others have stopped verifying.
"""

from __future__ import annotations

import base64
import hashlib
import json
from fractions import Fraction
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from hokusai.attestation.keys import load_public_key
from hokusai.attestation.policy import Policy
from hokusai.attestation.statement import statement_bytes
from hokusai.attestation.verify import Verdict, verify_attestation
from hokusai.domain.claim import DeltaOneClaim

DATA = Path(__file__).parent / "data"
RELEASED = {"delta-one-v1": "64d6d6b137cee71a00503874c992e3ad2b5950e8ec327384fa1a0224da66d9b5"}


@pytest.mark.parametrize("name", RELEASED)
class TestEveryRelease:
    def test_still_verifies(self, name: str) -> None:
        key = load_public_key(DATA / f"{name}.pub.pem")
        weights = {"accuracy": Fraction(1, 2), "f1": Fraction(1, 2)}
        policy = Policy((key,), weights=weights, primary_metric="accuracy")
        report = verify_attestation((DATA / f"{name}.json").read_bytes(), policy)
        assert report.failed == ()
        assert report.verdict is Verdict.VERIFIED
        assert report.statement_sha256 == RELEASED[name]

    def test_holds_without_our_code(self, name: str) -> None:
        file = json.loads((DATA / f"{name}.json").read_text())
        payload = base64.b64decode(file["payload"])
        assert hashlib.sha256(payload).hexdigest() == RELEASED[name]
        kind = file["payloadType"].encode()
        signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
        key = load_pem_public_key((DATA / f"{name}.pub.pem").read_bytes())
        key.verify(base64.b64decode(file["signatures"][0]["sig"]), signed)  # type: ignore[union-attr, call-arg]


def test_version_1_is_what_is_written_today(claim: DeltaOneClaim) -> None:
    file = json.loads((DATA / "delta-one-v1.json").read_text())
    assert base64.b64decode(file["payload"]) == statement_bytes(claim)


def test_delta_one_of_version_1_from_the_counts_by_hand() -> None:
    file = json.loads((DATA / "delta-one-v1.json").read_text())
    predicate = json.loads(base64.b64decode(file["payload"]))["predicate"]
    cells = {tuple(cell): count for cell, count in predicate["jointCounts"]["cells"]}
    assert sum(cells.values()) == predicate["benchmarkRows"] == 100

    def rows(**wanted: int) -> int:
        names = ("label", "baseline", "new")
        fits = [all(cell[names.index(name)] == value for name, value in wanted.items()) for cell in cells]
        return sum(count for count, fit in zip(cells.values(), fits, strict=True) if fit)

    def accuracy(model: str) -> Fraction:
        return Fraction(sum(rows(**{"label": value, model: value}) for value in (0, 1)), 100)

    def f1(model: str) -> Fraction:
        return Fraction(2 * rows(**{"label": 1, model: 1}), rows(label=1) + rows(**{model: 1}))

    score = (accuracy("new") - accuracy("baseline") + f1("new") - f1("baseline")) / 2
    assert predicate["deltaOne"]["score"] == {"num": str(score.numerator), "den": str(score.denominator)}
