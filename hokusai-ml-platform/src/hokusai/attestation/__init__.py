"""The signed statement of an improvement, and its offline verifier.

The pieces, in the order in which an attestation passes through them:

- `statement`  a `DeltaOneClaim` as an in-toto Statement v1, and its canonical bytes
- `keys`       the Ed25519 key that signs, from the settings or made on first use
- `envelope`   DSSE: the bytes with one signature or more
- `reader`     the statement back into the claim
- `checks`     the arithmetic of a claim, done again
- `verify`     policy in, report out: who signed, what holds, what cannot be checked here

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

The format is version 1 and stays readable: the tests verify a stored attestation of every released version.
The predicate has room for evidence (a zero-knowledge proof of the counts), the envelope for more signatures.
"""
