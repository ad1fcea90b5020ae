"""The older zk output: its keys as described, and hashes of what they say they are hashes of."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from hokusai.attestation.envelope import Envelope, sign
from hokusai.attestation.exports.zk_output import RunFacts, zk_output
from hokusai.attestation.statement import statement_bytes
from hokusai.domain.claim import DeltaOneClaim
from hokusai.domain.commitments import Commitments
from hokusai.errors import InvalidInputError

SCHEMA = json.loads((Path(__file__).parents[2] / "vectors" / "zk_output_schema.json").read_text())
FACTS = RunFacts("1749778320931703", "2026-01-01T00:00:00Z", "0.1.0", "test", "churn/1.0.0", "churn/1.1.0")


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def test_it_has_the_keys_and_types_of_the_older_format(envelope: Envelope) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(zk_output(envelope, FACTS))


def test_its_hashes_are_those_of_the_bytes_of_models_and_data(
    envelope: Envelope, claim: DeltaOneClaim
) -> None:
    output = zk_output(envelope, FACTS)
    assert output["models"]["baseline"]["model_hash"] == "b0" * 32
    assert output["models"]["new"]["model_hash"] == "0e" * 32
    assert output["evaluation_results"]["benchmark_metadata"]["dataset_hash"] == "be" * 32
    assert [one["data_hash"] for one in output["contributors"]] == ["a1" * 32, "b2" * 32, "c3" * 32]
    assert [one["weight"] for one in output["contributors"]] == [300 / 450, 100 / 450, 50 / 450]
    # bob's address has 39 digits, and carol gave none
    assert ["wallet_address" in one for one in output["contributors"]] == [True, False, False]


def test_its_root_is_that_of_a_tree_over_statement_files_and_commitments(
    envelope: Envelope, claim: DeltaOneClaim, key: object
) -> None:
    def leaf(entry: bytes) -> bytes:
        return _sha256(b"\x00" + entry)

    def node(left: bytes, right: bytes) -> bytes:
        return _sha256(b"\x01" + left + right)

    # statement, baseline, new, benchmark, base data, three contributions: eight leaves, a full tree
    files = [bytes([byte]) * 32 for byte in (0xB0, 0x0E, 0xBE, 0xBA, 0xA1, 0xB2, 0xC3)]
    level = [leaf(entry) for entry in (envelope.payload, *files)]
    eight = node(node(node(*level[:2]), node(*level[2:4])), node(node(*level[4:6]), node(*level[6:])))
    output = zk_output(envelope, FACTS)
    assert output["attestation"]["hash_tree_root"] == eight.hex()
    assert output["attestation"]["proof_ready"] is False

    bound = replace(claim, commitments=Commitments("01" * 32, "02" * 32, "03" * 32))
    signed = sign(statement_bytes(bound), [key])  # type: ignore[list-item]
    roots = [bytes([byte]) * 32 for byte in (1, 2, 3)]
    level = [leaf(entry) for entry in (signed.payload, *files)]
    eight = node(node(node(*level[:2]), node(*level[2:4])), node(node(*level[4:6]), node(*level[6:])))
    three = [leaf(root) for root in roots]
    output = zk_output(signed, FACTS)
    assert output["attestation"]["hash_tree_root"] == node(eight, node(node(*three[:2]), three[2])).hex()
    assert output["attestation"]["proof_ready"] is True


def test_when_and_where_it_ran_is_in_no_hash(envelope: Envelope) -> None:
    other = RunFacts("another-run", "2027-01-01T00:00:00Z", "9.9.9", "staging", "a", "b")
    assert zk_output(envelope, other)["attestation"] == zk_output(envelope, FACTS)["attestation"]


def test_a_regression_has_no_place_in_it(regression: DeltaOneClaim, key: object) -> None:
    signed = sign(statement_bytes(regression), [key])  # type: ignore[list-item]
    with pytest.raises(InvalidInputError, match="classification only"):
        zk_output(signed, FACTS)


@pytest.mark.parametrize("change", [{"run_id": "a/b"}, {"run_id": ""}, {"environment": "prod"}])
def test_what_the_format_cannot_hold_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(InvalidInputError):
        replace(FACTS, **change)
