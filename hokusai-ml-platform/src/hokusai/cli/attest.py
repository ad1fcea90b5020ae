"""`hokusai attest`: verify an attestation offline, look into one, and show the key that signs.

A rehearsal can be signed like anything else, so a dry run never ends with the exit code of evidence.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hokusai.attestation.envelope import MAX_ENVELOPE_BYTES, Envelope, keyid
from hokusai.attestation.keys import (
    KEY_FILE,
    load_default_trust,
    load_public_key,
    load_signing_key,
    public_path,
    public_pem,
)
from hokusai.attestation.policy import Policy
from hokusai.attestation.verify import Materials, Status, Verdict, VerificationReport, verify_attestation
from hokusai.cli import attest_find
from hokusai.domain.canonical import parse_json
from hokusai.domain.metrics import metric_spec
from hokusai.errors import ConfigurationError, IntegrityError, InvalidInputError
from hokusai.utils.files import file_sha256, read_limited

EXIT_REFUSED = 1
EXIT_NOT_EVIDENCE = 3


@click.group()
def attest() -> None:
    """Verify, show and sign attestations."""


for _command in (attest_find.store, attest_find.find, attest_find.fetch):
    attest.add_command(_command)


@attest.command(short_help="Check an attestation offline.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--key",
    "keys",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PUB.pem",
    help="a public key to trust; may be repeated; by default your own, whose private half you have",
)
@click.option(
    "--threshold",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="how many trusted keys must have signed",
)
@click.option(
    "--files",
    "files",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="a model, benchmark or data file, which must be a subject; may be repeated",
)
@click.option("--weights", metavar="JSON", help='the agreed weights, such as \'{"f1": 2, "accuracy": 1}\'')
@click.option("--primary", metavar="METRIC", help="the agreed primary metric")
@click.option("--allow-dry-run", is_flag=True, help="exit with 0 for a dry run too; it is no evidence")
@click.option("--json", "as_json", is_flag=True, help="print the report as JSON")
@click.pass_context
def verify(
    ctx: click.Context,
    file: Path,
    *,
    keys: tuple[Path, ...],
    threshold: int,
    files: tuple[Path, ...],
    weights: str | None,
    primary: str | None,
    allow_dry_run: bool,
    as_json: bool,
) -> None:
    """Check the attestation in FILE, and say what was checked and what was not.

    Nothing is fetched, and no .env file is read. Exit code 0: verified. 1: refused. 3: sound, but of a dry run,
    so no evidence.
    """
    data = read_limited(file, MAX_ENVELOPE_BYTES)
    trusted = _trusted(keys)
    report = verify_attestation(
        data,
        Policy(
            trusted_keys=tuple(key for key, _ in trusted),
            threshold=threshold,
            weights=None if weights is None else _weights(weights),
            primary_metric=primary,
            allow_dry_run=allow_dry_run,
        ),
        Materials(files={str(path): file_sha256(path) for path in files}),
    )
    if as_json:
        trusts = [{"keyid": keyid(key), "from": origin} for key, origin in trusted]
        click.echo(json.dumps({**report.to_dict(), "trusts": trusts}, indent=2, ensure_ascii=False))
    else:
        for _, origin in trusted:
            click.echo(f"Trusted key: {_printable(origin)}")
        _show(file, report)
    ctx.exit(_exit_code(report))


@attest.command(short_help="Print the statement in an attestation.")
@click.argument("file", type=click.Path(path_type=Path))
def show(file: Path) -> None:
    """Print the statement that FILE carries, as JSON. Nothing is verified."""
    envelope = Envelope.parse(read_limited(file, MAX_ENVELOPE_BYTES))
    try:
        statement = parse_json(envelope.payload)
    except InvalidInputError as exc:
        raise IntegrityError(f"The payload is not a statement: {exc}", where=str(file)) from exc
    click.echo(json.dumps(statement, indent=2, ensure_ascii=False))


@attest.command(short_help="Show the key that signs; make it if there is none.")
def key() -> None:
    """Print where the signing key is, its id, and its public half for those who verify."""
    configured, home = _settings()
    signing = load_signing_key(configured, home)
    if signing.generated:
        click.echo("A new signing key was made.")
    click.echo(f"Private key: {signing.path or 'in HOKUSAI_SIGNING_KEY'}")
    click.echo(f"Key id:      {signing.keyid}")
    click.echo(public_pem(signing.public).decode("ascii"), nl=False)


def _settings() -> tuple[str | None, Path]:
    """The configured signing key and the home folder; a `.env` beside a downloaded file has no say in either."""
    from hokusai.utils.config import Settings

    settings = Settings.load(env_file=None)
    return (settings.signing_key.get_secret_value() if settings.signing_key else None), settings.home


def _trusted(paths: Sequence[Path]) -> list[tuple[Ed25519PublicKey, str]]:
    """The keys to trust, and where each comes from, in words."""
    if paths:
        return [(load_public_key(path), str(path)) for path in paths]
    configured, home = _settings()
    own = load_default_trust(configured, home)
    if own is not None:
        return [(own.public, f"{own.path or 'HOKUSAI_SIGNING_KEY'} (your own key)")]
    lone = public_path(home / KEY_FILE)
    hint = f" A public half alone, as {lone}, is not trusted unless it is named." if lone.exists() else ""
    raise ConfigurationError(
        "There is no key to trust: none was named, and this machine has none of its own",
        where=str(home),
        hint=f"Give the signer's public key with --key PUB.pem, or set HOKUSAI_HOME (.env is not read).{hint}",
    )


def _weights(text: str) -> dict[str, Fraction]:
    from hokusai.stats.composite import parse_weights

    try:
        given = parse_json(text.encode("utf-8", "surrogateescape"))
    except InvalidInputError as exc:
        raise InvalidInputError(f"The weights are not JSON: {exc.what}", where="--weights") from exc
    if not isinstance(given, dict) or not given:
        raise InvalidInputError(
            f"The weights are not an object of metrics: {text[:80]}",
            where="--weights",
            hint='Write them as \'{"f1": 2, "accuracy": 1}\'.',
        )
    numbers = {name: value for name, value in given.items() if type(value) in (int, float)}
    if len(numbers) < len(given):
        raise InvalidInputError(f"A weight is not a number: {text[:80]}", where="--weights")
    return parse_weights(numbers, metric_spec(next(iter(numbers))).task)


def _exit_code(report: VerificationReport) -> int:
    if report.ok:
        return 0
    return EXIT_NOT_EVIDENCE if report.verdict is Verdict.NOT_EVIDENCE else EXIT_REFUSED


_MARKS = {Status.PASSED: ("✓", "green"), Status.FAILED: ("✗", "bold red"), Status.SKIPPED: ("-", "dim")}
_VERDICTS = {
    Verdict.VERIFIED: ("VERIFIED", "bold green"),
    Verdict.NOT_EVIDENCE: ("NOT EVIDENCE: a dry run on mock data", "bold yellow"),
    Verdict.REFUSED: ("REFUSED", "bold red"),
}


def _show(file: Path, report: VerificationReport) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    # Everything from the file goes through Text: rich would read its square brackets as markup.
    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in report.checks:
        mark, style = _MARKS[check.status]
        table.add_row(Text(mark, style), Text(check.name, style), Text(_printable(check.detail)))
    console.print(table)
    if report.not_checked:
        console.print(Text("\nNot checked here:", "bold"))
        notes = Table(box=None, pad_edge=False, show_header=False)
        for note in report.not_checked:
            notes.add_row("-", Text(_printable(note)))
        console.print(notes)
    verdict, style = _VERDICTS[report.verdict]
    console.print(Text.assemble("\n", (verdict, style), f"  {_printable(str(file))}"))


def _printable(text: str) -> str:
    """`text` without the control characters by which a signed name could rewrite the screen."""
    return "".join(char if char.isprintable() or char == "\n" else "\ufffd" for char in text)
