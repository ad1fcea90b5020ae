"""`hokusai attest open`: show single rows that a statement has committed to, with what proves them."""

from __future__ import annotations

from pathlib import Path

import click

from hokusai.attestation.commitments import require_secret
from hokusai.attestation.envelope import MAX_ENVELOPE_BYTES, Envelope
from hokusai.attestation.openings import challenged_rows, numbers_of, open_rows
from hokusai.attestation.predictions import read_predictions
from hokusai.attestation.reader import read_statement
from hokusai.cli.attest_verify import MAX_SECRET_BYTES
from hokusai.domain.canonical import parse_json, sha256_hex
from hokusai.utils.files import read_limited, write_atomically
from hokusai.utils.text import quantity

_PATH = click.Path(path_type=Path)


@click.command("open", short_help="Open single rows against the commitments of an attestation.")
@click.argument("file", type=_PATH)
@click.option(
    "--predictions", type=_PATH, required=True, metavar="FILE", help="labels and predictions of all rows"
)
@click.option("--rows", metavar="3,17,20-25", help="the rows, from 0")
@click.option("--challenge", metavar="TEXT", help="draw the rows by this text, which the verifier chose")
@click.option(
    "--count", type=click.IntRange(1, 10_000), default=59, show_default=True, help="how many are drawn"
)
@click.option("--secret-file", type=_PATH, metavar="FILE", help="what the commitments were made with")
@click.option("-o", "--output", type=_PATH, required=True, metavar="FILE", help="where to write the openings")
def open_(
    file: Path,
    *,
    predictions: Path,
    rows: str | None,
    challenge: str | None,
    count: int,
    secret_file: Path | None,
    output: Path,
) -> None:
    """Open rows of the benchmark against the commitments of the attestation in FILE.

    The opened rows, their labels and both predictions, become known to whoever gets the file; the others stay hidden.
    59 rows that the verifier chose find with 95 % certainty that 5 % of the predictions were made up.
    """
    if (rows is None) == (challenge is None):
        raise click.UsageError("Say which rows: --rows 3,17, or --challenge TEXT.")
    payload = Envelope.parse(read_limited(file, MAX_ENVELOPE_BYTES)).payload
    claim, sha256 = read_statement(parse_json(payload)), sha256_hex(payload)
    wanted = (
        numbers_of(rows)
        if rows is not None
        else challenged_rows(sha256, challenge or "", claim.comparison.n_rows, count)
    )
    opened = open_rows(
        claim,
        sha256,
        read_predictions(predictions, claim.comparison.task),
        wanted,
        secret=b"" if secret_file is None else require_secret(read_limited(secret_file, MAX_SECRET_BYTES)),
    )
    write_atomically(output, opened.to_bytes())
    click.echo(f"{quantity(len(opened.rows), 'row')} of {opened.n_rows:,} opened: {output}")
