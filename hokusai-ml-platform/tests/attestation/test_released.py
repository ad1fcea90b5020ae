"""One stored attestation of every released format, verified for ever.

Do not make these files anew. If a test here fails, attestations in the hands of others have stopped verifying.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from hokusai.attestation.envelope import Envelope, verify
from hokusai.attestation.keys import load_public_key
from hokusai.attestation.materials import Materials
from hokusai.attestation.openings import Openings, check_openings
from hokusai.attestation.policy import Policy
from hokusai.attestation.reader import read_statement
from hokusai.attestation.report import Verdict
from hokusai.attestation.statement import IDENTITIES_NON_CLAIM, statement_bytes
from hokusai.attestation.verify import verify_attestation
from hokusai.domain.canonical import canonical_json
from hokusai.domain.claim import DeltaOneClaim
from hokusai.errors import IntegrityError

DATA = Path(__file__).parent / "data"
RELEASED = {
    "delta-one-v1": "64d6d6b137cee71a00503874c992e3ad2b5950e8ec327384fa1a0224da66d9b5",
    # with decision, attribution, commitments and benchmark
    "delta-one-v1-full": "d0cfd0d8933c5bdb5df2b9044c4e93446c79e6fba107ed1b61964bca64e1f55f",
    # with a part of DeltaOne that is nobody's
    "delta-one-v1-without": "8e46b4bd19dc186e3d280e5ceece32bfa204f53ee1819ffb0338e5e7bd8923ce",
    # with errors by the jackknife; with rows that belong to units
    "delta-one-v1-jackknife": "9f4be096cde2925bb83b4d1238e0e76fa04acc0a22d79c0afa7ed75e93024397",
    "delta-one-v1-units": "35a19dd78455a89a038e8f73643873e87ad05a8626a9ad2412ec6d6ae9f103e0",
}
BENCHMARK_SHA256 = "58d39d7bc1c62c155014ee9a827be1f8d22d70622ce306bb5de3152e3667df6e"


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


def test_version_1_is_what_is_written_today(claim: DeltaOneClaim, base_claim: DeltaOneClaim) -> None:
    for name, today in (("delta-one-v1", claim), ("delta-one-v1-without", base_claim)):
        file = json.loads((DATA / f"{name}.json").read_text())
        assert base64.b64decode(file["payload"]) == statement_bytes(today)


def test_the_first_full_statement_lacks_one_sentence_alone(full_claim: DeltaOneClaim) -> None:
    first = json.loads(base64.b64decode(json.loads((DATA / "delta-one-v1-full.json").read_text())["payload"]))
    first["predicate"]["nonClaims"].append(IDENTITIES_NON_CLAIM)
    assert canonical_json(first) == statement_bytes(full_claim)


def test_a_released_benchmark_commitment_still_stands_behind_its_statement(predictions) -> None:
    owner = load_public_key(DATA / "benchmark-commitment-v1.pub.pem")
    policy = Policy(
        (load_public_key(DATA / "delta-one-v1-full.pub.pem"),), owner_keys=(owner,), min_openings=3
    )
    commitment = (DATA / "benchmark-commitment-v1.json").read_bytes()
    materials = Materials(
        benchmark_statement=commitment,
        openings=(DATA / "openings-v1.json").read_bytes(),
        predictions=predictions,
    )
    report = verify_attestation((DATA / "delta-one-v1-full.json").read_bytes(), policy, materials)
    assert report.failed == ()
    assert hashlib.sha256(base64.b64decode(json.loads(commitment)["payload"])).hexdigest() == BENCHMARK_SHA256
    assert report.claim is not None
    assert report.claim.benchmark_statement_sha256 == BENCHMARK_SHA256


def _refused(check: Callable[[bytes], object], data: bytes) -> bool:
    """As `pytest.raises`, which is slow ten thousand times."""
    try:
        check(data)
    except IntegrityError:
        return True
    return False


def test_no_byte_of_a_signed_file_can_be_changed() -> None:
    key = load_public_key(DATA / "delta-one-v1-full.pub.pem")
    data = (DATA / "delta-one-v1-full.json").read_bytes().rstrip()
    assert verify(Envelope.parse(data), [key])
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1 << at % 8
        assert _refused(lambda data: verify(Envelope.parse(data), [key]), bytes(changed)), at
        if at % 50 == 0:  # the report says the same, and shows nothing of what was not signed
            report = verify_attestation(bytes(changed), Policy((key,)))
            assert report.verdict is Verdict.REFUSED
            assert report.claim is None


def test_no_byte_of_released_openings_can_be_changed() -> None:
    payload = base64.b64decode(json.loads((DATA / "delta-one-v1-full.json").read_text())["payload"])
    claim = read_statement(json.loads(payload))
    data = (DATA / "openings-v1.json").read_bytes().rstrip()
    check_openings(Openings.parse(data), claim, RELEASED["delta-one-v1-full"])
    for at in range(0, len(data), 3):
        changed = bytearray(data)
        changed[at] ^= 1 << at % 8
        assert _refused(
            lambda data: check_openings(Openings.parse(data), claim, RELEASED["delta-one-v1-full"]),
            bytes(changed),
        ), at


def test_credit_of_the_full_statement_by_hand() -> None:
    payload = base64.b64decode(json.loads((DATA / "delta-one-v1-full.json").read_text())["payload"])
    predicate = json.loads(payload)["predicate"]
    weights = {one["contributor"]: int(one["weightBps"]) for one in predicate["attribution"]["credits"]}
    # 10,000 x 11/17 = 6470.59 and x 6/17 = 3529.41: the larger rest gets the point that is left
    assert weights == {"alice": 6471, "bob": 3529, "carol": 0}
    assert predicate["decision"]["accepted"] is True


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
