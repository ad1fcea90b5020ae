"""The manifest of a model's files as OpenSSF model-signing writes it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from hokusai.attestation.envelope import Envelope
from hokusai.attestation.exports.model_signing import manifest, model_signing
from hokusai.errors import InvalidInputError

DATA = Path(__file__).parents[1] / "data"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_is_the_statement_that_the_library_writes() -> None:
    # model-signing 1.1.1 hashes a folder with these four files to a manifest that equals this one
    files = {"f3": sha256(b"a"), "d0/f1": sha256(b"b"), "d0/f0": sha256(b"c"), "d-": sha256(b"q")}
    statement = json.loads(manifest("m", files))
    order = ["d-", "d0/f0", "d0/f1", "f3"]
    assert [one["name"] for one in statement["predicate"]["resources"]] == order
    root = sha256(b"".join(bytes.fromhex(files[name]) for name in order))
    assert statement["subject"] == [{"name": "m", "digest": {"sha256": root}}]
    assert statement["predicateType"] == "https://model_signing/signature/v1.0"
    assert statement["predicate"]["serialization"] == {
        "method": "files",
        "hash_type": "sha256",
        "allow_symlinks": False,
    }
    assert statement["predicate"]["resources"][0] == {
        "name": "d-",
        "algorithm": "sha256",
        "digest": sha256(b"q"),
    }


def test_of_the_new_model_of_a_statement() -> None:
    payload = Envelope.parse((DATA / "delta-one-v1.json").read_bytes()).payload
    statement = json.loads(model_signing(payload, file_name="churn.skops"))
    assert statement["predicate"]["resources"] == [
        {"name": "churn.skops", "algorithm": "sha256", "digest": "0e" * 32}
    ]
    assert statement["subject"][0]["digest"]["sha256"] == sha256(bytes.fromhex("0e" * 32))


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../b", "a//b", "./a", "", ".", "a/"])
def test_a_path_that_leads_out_or_has_two_spellings_is_refused(name: str) -> None:
    with pytest.raises(InvalidInputError):
        manifest("m", {name: "00" * 32})


def test_needs_a_name_files_and_digests() -> None:
    for name, files in (("", {"a": "00" * 32}), ("m", {}), ("m", {"a": "00"}), ("m", {"a": "AB" * 32})):
        with pytest.raises(InvalidInputError):
            manifest(name, files)
