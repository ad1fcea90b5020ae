"""`hokusai attest sign`: our signature beside those that are there, as an auditor or a benchmark's owner gives it."""

from __future__ import annotations

from pathlib import Path

import click

from hokusai.attestation.benchmark_statement import BENCHMARK_PREDICATE_TYPE, read_benchmark_statement
from hokusai.attestation.envelope import MAX_ENVELOPE_BYTES, PAYLOAD_TYPE, Envelope
from hokusai.attestation.node import Node
from hokusai.attestation.policy import Policy
from hokusai.attestation.statement import PREDICATE_TYPE
from hokusai.attestation.verify import examine_statement
from hokusai.cli.attest_keys import own_key
from hokusai.cli.attest_verify import show_report
from hokusai.domain.canonical import canonical_json, parse_json, sha256_hex
from hokusai.errors import HokusaiError, IntegrityError
from hokusai.utils.files import read_limited, write_atomically
from hokusai.utils.text import quantity


@click.command(short_help="Add your signature to an attestation.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="where to write it; by default FILE itself"
)
@click.option("--blindly", is_flag=True, help="sign a statement of a kind that is not known here")
def sign(file: Path, *, output: Path | None, blindly: bool) -> None:
    """Sign the statement in FILE, an envelope with signatures or a bare statement, with your own key.

    What contradicts itself is not signed. Whether the statement is true, nobody but you can know: verify it first,
    with the files that it is about.
    """
    envelope = _envelope(read_limited(file, MAX_ENVELOPE_BYTES))
    key = own_key()
    _check(envelope.payload, Policy((key.public,), allow_dry_run=True), str(file), blindly=blindly)
    signed = envelope.signed_by(key.signer)
    write_atomically(output or file, signed.to_bytes() + b"\n")
    click.echo(f"Signed by {key.keyid}")
    click.echo(
        f"Statement {sha256_hex(signed.payload)}, {quantity(len(signed.signatures), 'signature')} in all"
    )


def _envelope(data: bytes) -> Envelope:
    """What is in a file: an envelope, or a statement that nobody has signed yet."""
    try:
        return Envelope.parse(data)
    except IntegrityError as exc:
        try:
            statement = parse_json(data)
            Node(statement, document="statement")["predicateType"].text()
        except HokusaiError:
            raise exc from None
    return Envelope(canonical_json(statement), PAYLOAD_TYPE, ())


def _check(payload: bytes, policy: Policy, name: str, *, blindly: bool) -> None:
    """Refuse what contradicts itself, and what is not known unless the user wants that."""
    try:
        kind = Node(parse_json(payload), document="statement")["predicateType"].value
    except HokusaiError:
        kind = None
    if kind == BENCHMARK_PREDICATE_TYPE:
        read_benchmark_statement(payload)
    elif kind == PREDICATE_TYPE:
        report = examine_statement(payload, policy)
        if not report.ok:
            show_report(report, name)
            raise IntegrityError("The statement does not hold, so it is not signed", where=name)
    elif not blindly:
        raise IntegrityError(
            f"The statement is of the type {str(kind)[:80]!r}, of which nothing is known here",
            where=name,
            hint="Give --blindly to sign it all the same.",
        )
