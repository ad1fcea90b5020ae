"""The files of a model as OpenSSF model-signing's statement: a manifest of digests that its own verifier reads.

It says which files a model consists of, and nothing of how good it is. Signed as DSSE in a sigstore bundle it is what
`model_signing verify` takes; that library signs with NIST curves only, so that the signature is left to it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import PurePosixPath

from hokusai.attestation.reader import read_statement
from hokusai.attestation.statement import STATEMENT_TYPE
from hokusai.domain.canonical import canonical_json, parse_json, require_sha256
from hokusai.errors import InvalidInputError

PREDICATE_TYPE = "https://model_signing/signature/v1.0"


def manifest(model_name: str, files: Mapping[str, str]) -> bytes:
    """The canonical bytes of the statement about a model.

    The subject's digest is the SHA-256 of the files' digests, one after the other in the order of their paths.

    Args:
        model_name: What the model is called, as the name of its folder.
        files: Path within the folder, with `/`, to the SHA-256 of the file, hex.

    Raises:
        InvalidInputError: There is no file, a path leads out of the folder, or a digest is none.
    """
    if not model_name or not files:
        raise InvalidInputError("A manifest has a name and at least one file")
    for name, sha256 in files.items():
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or str(path) != name or name == ".":
            raise InvalidInputError(f"Not a path within the model's folder: {name[:80]!r}")
        require_sha256(sha256, name)
    ordered = sorted(files.items(), key=lambda item: PurePosixPath(item[0]))
    root = hashlib.sha256(b"".join(bytes.fromhex(sha256) for _, sha256 in ordered)).hexdigest()
    return canonical_json(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": model_name, "digest": {"sha256": root}}],
            "predicateType": PREDICATE_TYPE,
            "predicate": {
                "serialization": {"method": "files", "hash_type": "sha256", "allow_symlinks": False},
                "resources": [
                    {"name": name, "algorithm": "sha256", "digest": sha256} for name, sha256 in ordered
                ],
            },
        }
    )


def model_signing(payload: bytes, *, file_name: str = "model.skops", model_name: str = "new-model") -> bytes:
    """The manifest of the new model that a DeltaOne statement is about: one file, by its digest.

    Args:
        payload: The signed bytes of a DeltaOne statement.
        file_name: What the model's file is called.
        model_name: What the model is called.

    Raises:
        IntegrityError: `payload` is no DeltaOne statement.
    """
    return manifest(model_name, {file_name: read_statement(parse_json(payload)).new_model_sha256})
