"""The statement of a reported improvement: what it says, that it is content, and that every change is found."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hokusai.attestation.envelope import sign
from hokusai.attestation.keys import load_public_key
from hokusai.attestation.policy import Policy
from hokusai.attestation.reported_statement import (
    attest,
    check_reported,
    envelope_of,
    read_report,
    statement_bytes,
)
from hokusai.attestation.verify import verify_attestation
from hokusai.domain.canonical import canonical_json
from hokusai.domain.reported import ReportedImprovement
from hokusai.errors import IntegrityError

DATA = Path(__file__).parent / "data"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
RELEASED = "cb1506aa17418e3cc9b53dc2b3072c8e16fc61dd0bea4dc19c6f158d6ff7add7"


def example() -> ReportedImprovement:
    return ReportedImprovement.of(
        {"accuracy": 0.85, "f1": 0.83, "latency_ms": 20.5},
        {"accuracy": 0.88, "f1_score": 0.86, "latency_ms": 18},
        {
            "contributor_address": "0x742D35cc6634C0532925A3B844BC9E7595f62341",
            "data_hash": "ab" * 32,
            "samples": 1000,
            "quality_score": 0.95,
            "region": {"code": "EU", "share": 0.5},
        },
    )


class TestStatement:
    def test_says_in_so_many_words_that_nothing_was_measured(self):
        predicate = json.loads(statement_bytes(example()))["predicate"]
        assert predicate["measured"] is False
        assert "nothing was measured" in predicate["nonClaims"][0]
        assert "standard error" in predicate["nonClaims"][1]
        assert not {"standardError", "interval", "pValue"} & set(json.dumps(predicate).split('"'))

    def test_has_exact_numbers(self):
        predicate = json.loads(statement_bytes(example()))["predicate"]
        assert predicate["metrics"]["accuracy"] == {
            "baseline": {"num": "17", "den": "20"},
            "new": {"num": "22", "den": "25"},
            "delta": {"num": "3", "den": "100"},
            "gain": {"num": "3", "den": "100"},
            "higherIsBetter": True,
        }
        assert predicate["metrics"]["latency_ms"]["gain"] is None
        assert predicate["deltaOne"]["score"] == {"num": "3", "den": "100"}

    def test_is_about_the_data_if_its_digest_is_known(self):
        subjects = {one["name"]: one["digest"] for one in json.loads(statement_bytes(example()))["subject"]}
        assert subjects["contributed-data"] == {"sha256": "ab" * 32}
        said = json.loads(statement_bytes(example()))["predicate"]
        content = canonical_json({"metrics": said["metrics"], "contributions": said["contributions"]})
        assert subjects["reported-numbers"] == {"sha256": hashlib.sha256(content).hexdigest()}

    def test_is_the_same_in_whatever_order_and_by_whichever_names_it_was_told(self):
        other = ReportedImprovement.of(
            {"latency_ms": 20.5, "f1_score": 0.83, "accuracy": 0.85},
            {"accuracy": 0.88, "latency_ms": 18.0, "f1": 0.86},
            {
                "region": {"share": 0.5, "code": "EU"},
                "data_size": 1000,
                "dataset_hash": "ab" * 32,
                "data_quality_score": 0.95,
                "contributor": "0x742D35cc6634C0532925A3B844BC9E7595f62341",
            },
        )
        renamed = statement_bytes(other).replace(b'"f1_score"', b'"f1"')
        assert (
            json.loads(renamed)["predicate"]["metrics"]
            == json.loads(statement_bytes(example()))["predicate"]["metrics"]
        )
        assert attest(example(), [KEY]) == attest(example(), [KEY])

    def test_reads_back_as_what_it_was_written_from(self):
        assert statement_bytes(read_report(statement_bytes(example()))) == statement_bytes(example())


class TestCheck:
    def test_gives_the_report(self):
        attestation = json.loads(json.dumps(attest(example(), [KEY])))
        assert check_reported(attestation, [KEY.public_key()]).delta_one == example().delta_one

    def test_finds_every_member_that_was_changed(self):
        attestation = attest(example(), [KEY])
        for member in attestation:
            changed = copy.deepcopy(attestation)
            changed[member] = None if attestation[member] is not None else 1
            with pytest.raises(IntegrityError):
                check_reported(changed, [KEY.public_key()])
            del changed[member]
            with pytest.raises(IntegrityError):
                check_reported(changed, [KEY.public_key()])
        with pytest.raises(IntegrityError):
            check_reported({**attestation, "more": 1}, [KEY.public_key()])

    def test_finds_every_byte_of_the_signed_statement_that_was_changed(self):
        attestation = attest(example(), [KEY])
        payload = base64.b64decode(attestation["envelope"]["payload"])
        for i in range(0, len(payload), 7):
            broken = copy.deepcopy(attestation)
            flipped = payload[:i] + bytes([payload[i] ^ 1]) + payload[i + 1 :]
            broken["envelope"]["payload"] = base64.b64encode(flipped).decode()
            with pytest.raises(IntegrityError):
                check_reported(broken, [KEY.public_key()])

    def test_refuses_another_key(self):
        with pytest.raises(IntegrityError, match="is not trusted"):
            check_reported(attest(example(), [KEY]), [Ed25519PrivateKey.generate().public_key()])

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            (("predicate", "deltaOne", "score"), {"num": "9", "den": "100"}),
            (("predicate", "metrics", "f1", "delta"), {"num": "9", "den": "100"}),
            (("predicate", "metrics", "f1", "new"), {"num": "1", "den": "0"}),
            (("predicate", "metrics", "f1", "new"), {"num": "9" * 400, "den": "1"}),
            (("predicate", "measured"), True),
            (("predicate", "contributions"), []),
            (("predicate", "contributions", 0, "payable"), False),
            (("predicate", "contributions", 0, "other"), '{"contributor_id": "eve"}'),
            (("predicate", "warnings"), "none"),
            (("predicateType",), "https://hokusai.dev/attestations/delta-one/v1"),
            (("subject",), []),
        ],
    )
    def test_refuses_what_is_signed_and_does_not_follow(self, path, value):
        statement = json.loads(statement_bytes(example()))
        node = statement
        for step in path[:-1]:
            node = node[step]
        node[path[-1]] = value
        envelope = json.loads(sign(canonical_json(statement), [KEY]).to_bytes())
        with pytest.raises(IntegrityError, match="Not the statement of a reported improvement"):
            check_reported({"envelope": envelope}, [KEY.public_key()])

    @pytest.mark.parametrize("attestation", [{}, {"envelope": None}, {"envelope": {"payload": float("nan")}}])
    def test_refuses_what_has_no_envelope(self, attestation):
        with pytest.raises(IntegrityError):
            envelope_of(attestation)

    def test_is_not_taken_for_a_measured_improvement(self):
        envelope = envelope_of(attest(example(), [KEY]))
        report = verify_attestation(envelope.to_bytes(), Policy((KEY.public_key(),)))
        assert report.failed != ()


class TestRelease:
    """The stored file is never made anew: if this fails, attestations in the hands of others have stopped verifying."""

    def test_still_verifies(self):
        key = load_public_key(DATA / "reported-improvement-v1.pub.pem")
        attestation = json.loads((DATA / "reported-improvement-v1.json").read_text())
        assert check_reported(attestation, [key]).delta == example().delta
        assert attestation["attestation_hash"] == "0x" + RELEASED

    def test_is_what_is_written_today(self):
        assert json.loads((DATA / "reported-improvement-v1.json").read_text()) == attest(example(), [KEY])
