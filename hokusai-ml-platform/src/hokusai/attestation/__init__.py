"""The signed statement of an improvement, and its offline verifier.

The pieces, in the order in which an attestation passes through them:

- `statement`   a `DeltaOneClaim` as an in-toto Statement v1, and its canonical bytes (`numbers`, `decided`, `credited`)
- `commitments` roots over labels and predictions; `openings` of single rows against them
- `keys`        the Ed25519 key that signs, or the command that holds it (`signer_command`); `key_history`
- `envelope`    DSSE: the bytes with one signature or more
- `reader`      the statement back into the claim, strictly (`node`)
- `checks`      the arithmetic of a claim, done again; `agreed`: its decision and its credit; `recompute`: from the rows
- `policy`      what a verifier insists on, also as a file (`policy_file`); `materials`: what he has at hand
- `verify`      policy in, `report` out: who signed, what holds, what cannot be checked here

Beside it stand `benchmark_statement` (a benchmark's owner commits before anybody contributes), `reported_statement`
(improvements that were not measured here), `mint` with `eip712` and `ethereum` (what a contract pays on), and
`exports`.

Sign and verify:

>>> from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
>>> from hokusai.attestation.envelope import sign
>>> from hokusai.attestation.policy import Policy
>>> from hokusai.attestation.verify import verify_attestation
>>> key = Ed25519PrivateKey.generate()
>>> envelope = sign(b"not a statement", [key])
>>> report = verify_attestation(envelope.to_bytes(), Policy((key.public_key(),)))
>>> report.verdict.value, [check.name for check in report.failed]
('refused', ['canonical bytes'])

The formats are version 1 and stay readable: the tests verify a stored document of every released version.
The predicate has room for evidence (a zero-knowledge proof of the counts), the envelope for more signatures.
"""
