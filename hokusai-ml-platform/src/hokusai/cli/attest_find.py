"""`hokusai attest store | find | fetch`: attestations in the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hokusai.cli.options import json_option
from hokusai.cli.output import show_facts, show_json, show_line, styled
from hokusai.domain.stored_attestation import AttestationFacts
from hokusai.errors import InvalidInputError
from hokusai.utils.files import file_sha256, read_limited

if TYPE_CHECKING:
    from hokusai.core.attestations import Attestations

_SHA256_DIGITS = 64


@click.command(short_help="Keep an attestation in the ledger.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--model-id", metavar="NAME/VERSION", help="under which the new model is registered")
@json_option
def store(*, file: Path, model_id: str | None, as_json: bool) -> None:
    """Keep the attestation in FILE. Of one that is there already, signatures that are new are added.

    Nothing is verified: whoever takes it out does that.
    """
    from hokusai.attestation.envelope import MAX_ENVELOPE_BYTES, Envelope

    envelope = Envelope.parse(read_limited(file, MAX_ENVELOPE_BYTES))
    facts = _attestations().put(envelope, model_id=model_id)
    if as_json:
        show_json(_facts_json(facts))
    else:
        show_line(styled("✓", "green"), f" {facts.statement_sha256}")


@click.command(short_help="Find attestations in the ledger.")
@click.option("--model", metavar="SHA256|FILE", help="the baseline model or the new one")
@click.option("--contributor", metavar="ID", help="id or wallet of a contributor, in any case")
@click.option("--benchmark", metavar="SHA256|FILE|NAME", help="what they were measured on")
@click.option("--subject", metavar="SHA256|FILE", help="any file that they are about")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="how many")
@click.option("--after", metavar="SHA256", help="go on after this statement, the last one of the page before")
@json_option
def find(
    *,
    model: str | None,
    contributor: str | None,
    benchmark: str | None,
    subject: str | None,
    limit: int,
    after: str | None,
    as_json: bool,
) -> None:
    """Find the attestations to which all that is given applies, the latest put first."""
    found = _attestations().find(
        model_sha256=_digest(model, "--model"),
        contributor=contributor,
        benchmark_sha256=_benchmark_digest(benchmark),
        subject_sha256=_digest(subject, "--subject"),
        limit=limit,
        after=after,
    )
    if as_json:
        show_json([_facts_json(facts) for facts in found])
    elif not found:
        show_line("There is no such attestation.")
    for facts in () if as_json else found:
        show_facts(_facts_shown(facts))
        click.echo()


@click.command(short_help="Take an attestation out of the ledger.")
@click.argument("statement", metavar="SHA256")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="where to (default: print it)"
)
def fetch(*, statement: str, output: Path | None) -> None:
    """Write the attestation of a statement, with all signatures that are kept, to a file."""
    content = _attestations().get(statement).to_bytes()
    if output is None:
        click.echo(content)
        return
    try:
        output.write_bytes(content)
    except OSError as problem:
        raise InvalidInputError(
            f"The file cannot be written: {problem.strerror}", where=str(output)
        ) from problem


def _attestations() -> Attestations:
    from hokusai import wiring
    from hokusai.core.attestations import Attestations

    settings = wiring.start_up()
    return Attestations(wiring.ledger(settings), wiring.actor(settings))


def _digest(text: str | None, option: str) -> str | None:
    """The digest that was typed, or that of the file that was named."""
    if text is None or (len(text) == _SHA256_DIGITS and not Path(text).exists()):
        return text
    if not Path(text).is_file():
        raise InvalidInputError(f"{text!r} is neither a SHA-256 digest nor a file", where=option)
    return file_sha256(Path(text))


def _benchmark_digest(text: str | None) -> str | None:
    """The digest of a benchmark's bytes, or of its record where a name or the beginning of an identity was typed."""
    if text is None or len(text) == _SHA256_DIGITS or Path(text).is_file():
        return _digest(text, "--benchmark")
    from hokusai import wiring
    from hokusai.core.benchmarks import Benchmarks

    return Benchmarks(wiring.ledger(wiring.start_up())).get(text).data_sha256


def _facts_json(facts: AttestationFacts) -> dict[str, Any]:
    return {
        "statement_sha256": facts.statement_sha256,
        "predicate_type": facts.predicate_type,
        "model_id": facts.model_id,
        "baseline_model_sha256": facts.baseline_model_sha256,
        "new_model_sha256": facts.new_model_sha256,
        "benchmark_sha256": facts.benchmark_sha256,
        "benchmark_record_sha256": facts.benchmark_record_sha256,
        "contributors": [
            {"id": one.contributor_id, "wallet": str(one.wallet) if one.wallet else None}
            for one in facts.contributors
        ],
        "subjects": [{"name": name, "sha256": sha256} for name, sha256 in facts.subjects],
        "dry_run": facts.dry_run,
        "signed_by": list(facts.signed_by),
    }


def _facts_shown(facts: AttestationFacts) -> dict[str, Any]:
    return {
        "Statement": facts.statement_sha256,
        "Kind": facts.predicate_type,
        "Model": facts.model_id or "",
        "New model": facts.new_model_sha256 or "",
        "Baseline": facts.baseline_model_sha256 or "",
        "Benchmark": facts.benchmark_sha256 or "",
        "Contributors": ", ".join(one.contributor_id for one in facts.contributors),
        "Signed by": "\n".join(facts.signed_by),
        "Dry run": styled("yes: NOT EVIDENCE", "yellow") if facts.dry_run else "",
    }
