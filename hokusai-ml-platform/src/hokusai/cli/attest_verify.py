"""`hokusai attest verify`: what holds, what does not, and what could not be checked here."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import click

from hokusai.attestation.benchmark_statement import BENCHMARK_PREDICATE_TYPE
from hokusai.attestation.commitments import require_secret
from hokusai.attestation.envelope import MAX_ENVELOPE_BYTES, Envelope, keyid
from hokusai.attestation.keys import load_public_key
from hokusai.attestation.materials import Materials
from hokusai.attestation.node import Node
from hokusai.attestation.openings import MAX_BYTES
from hokusai.attestation.policy import Policy
from hokusai.attestation.policy_file import read_policy
from hokusai.attestation.report import Status, Verdict, VerificationReport
from hokusai.attestation.verify import verify_attestation, verify_benchmark_commitment
from hokusai.cli.attest_keys import TrustedKey, trusted_keys
from hokusai.cli.output import console, show_json, styled
from hokusai.domain.canonical import parse_json
from hokusai.domain.metrics import metric_spec
from hokusai.errors import HokusaiError, InvalidInputError
from hokusai.utils.files import file_sha256, read_limited
from hokusai.utils.text import printable

EXIT_REFUSED = 1
EXIT_NOT_EVIDENCE = 3
MAX_SECRET_BYTES = 4096

_PATH = click.Path(path_type=Path)


@click.command(short_help="Check an attestation offline.")
@click.argument("file", type=_PATH)
@click.option(
    "--policy", "policy_file", type=_PATH, metavar="FILE", help="what to insist on, as YAML or JSON"
)
@click.option(
    "--key",
    "keys",
    multiple=True,
    type=_PATH,
    metavar="PUB.pem",
    help="a public key to trust; may be repeated; by default your own, whose private half you have",
)
@click.option(
    "--threshold", type=click.IntRange(1), help="how many trusted keys must have signed (default: 1)"
)
@click.option(
    "--files",
    "files",
    multiple=True,
    type=_PATH,
    metavar="FILE",
    help="a model, benchmark or data file, which must be a subject; may be repeated",
)
@click.option("--predictions", type=_PATH, metavar="FILE", help="labels and predictions of all rows")
@click.option("--openings", type=_PATH, metavar="FILE", help="opened rows, as `attest open` writes them")
@click.option(
    "--benchmark-statement", type=_PATH, metavar="FILE", help="the signed commitment of the benchmark's owner"
)
@click.option(
    "--owner-key", "owner_keys", multiple=True, type=_PATH, metavar="PUB.pem", help="the owner's public key"
)
@click.option("--secret-file", type=_PATH, metavar="FILE", help="what the commitments were made with")
@click.option("--weights", metavar="JSON", help='the agreed weights, such as \'{"f1": 2, "accuracy": 1}\'')
@click.option("--primary", metavar="METRIC", help="the agreed primary metric")
@click.option("--allow-dry-run", is_flag=True, help="exit with 0 for a dry run too; it is no evidence")
@click.option("--json", "as_json", is_flag=True, help="print the report as JSON")
@click.pass_context
def verify(
    ctx: click.Context,
    file: Path,
    *,
    policy_file: Path | None,
    keys: tuple[Path, ...],
    threshold: int | None,
    files: tuple[Path, ...],
    predictions: Path | None,
    openings: Path | None,
    benchmark_statement: Path | None,
    owner_keys: tuple[Path, ...],
    secret_file: Path | None,
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
    if policy_file is not None:
        given = {"--key": keys, "--threshold": threshold, "--owner-key": owner_keys, "--weights": weights}
        named = [name for name, value in (given | {"--primary": primary}).items() if value]
        if named:
            raise click.UsageError(f"The policy settles {', '.join(named)}; leave out the one or the other.")
        policy = read_policy(policy_file)
        trusted: list[TrustedKey] = [(key, str(policy_file)) for key in policy.trusted_keys]
        if allow_dry_run:
            policy = replace(policy, allow_dry_run=True)
    else:
        trusted = trusted_keys(keys)
        policy = Policy(
            trusted_keys=tuple(key for key, _ in trusted),
            threshold=threshold or 1,
            weights=None if weights is None else _weights(weights),
            primary_metric=primary,
            owner_keys=tuple(load_public_key(path) for path in owner_keys),
            allow_dry_run=allow_dry_run,
        )
    materials = Materials(
        files={str(path): file_sha256(path) for path in files},
        benchmark_statement=(
            None if benchmark_statement is None else read_limited(benchmark_statement, MAX_ENVELOPE_BYTES)
        ),
        predictions=predictions,
        openings=None if openings is None else read_limited(openings, MAX_BYTES),
        secret=b"" if secret_file is None else require_secret(read_limited(secret_file, MAX_SECRET_BYTES)),
    )
    check = verify_benchmark_commitment if _is_benchmark_commitment(data) else verify_attestation
    report = check(data, policy, materials)
    if as_json:
        trusts = [{"keyid": keyid(key), "from": origin} for key, origin in trusted]
        show_json({**report.to_dict(), "trusts": trusts})
    else:
        for _, origin in trusted:
            click.echo(f"Trusted key: {printable(origin)}")
        show_report(report, str(file))
    ctx.exit(exit_code(report))


def _is_benchmark_commitment(data: bytes) -> bool:
    """Which of the two a file says it is; whatever it says, nothing of it counts without its signature."""
    try:
        kind = Node(parse_json(Envelope.parse(data).payload))["predicateType"].value
    except HokusaiError:
        return False
    return kind == BENCHMARK_PREDICATE_TYPE


def exit_code(report: VerificationReport) -> int:
    """What a verification ends with."""
    if report.ok:
        return 0
    return EXIT_NOT_EVIDENCE if report.verdict is Verdict.NOT_EVIDENCE else EXIT_REFUSED


_MARKS = {Status.PASSED: ("✓", "green"), Status.FAILED: ("✗", "bold red"), Status.SKIPPED: ("-", "dim")}
_VERDICTS = {
    Verdict.VERIFIED: ("VERIFIED", "bold green"),
    Verdict.NOT_EVIDENCE: ("NOT EVIDENCE: a dry run on mock data", "bold yellow"),
    Verdict.REFUSED: ("REFUSED", "bold red"),
}


def show_report(report: VerificationReport, name: str) -> None:
    """Print a report for people."""
    from rich.table import Table
    from rich.text import Text

    # Everything from the file goes through Text: rich would read its square brackets as markup.
    out = console()
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in report.checks:
        mark, style = _MARKS[check.status]
        table.add_row(Text(mark, style), Text(check.name, style), Text(printable(check.detail)))
    out.print(table)
    if report.not_checked:
        out.print(Text("\nNot checked here:", "bold"))
        notes = Table(box=None, pad_edge=False, show_header=False)
        for note in report.not_checked:
            notes.add_row("-", Text(printable(note)))
        out.print(notes)
    verdict, style = _VERDICTS[report.verdict]
    out.print(Text.assemble("\n", styled(verdict, style), f"  {printable(name)}"))


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
