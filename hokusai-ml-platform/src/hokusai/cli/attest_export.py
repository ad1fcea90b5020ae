"""`hokusai attest export`: an attestation in formats that others read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click

from hokusai.attestation.envelope import MAX_ENVELOPE_BYTES, Envelope
from hokusai.cli.output import show_line, styled
from hokusai.utils.files import read_limited, write_atomically

FORMATS = ("eval-result", "model-signing", "zk-output")


@click.command(short_help="Write an attestation in another format.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(FORMATS), required=True, help="which")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="default: print it")
@click.option("--evaluator", metavar="URI", help="eval-result: who ran the evaluation")
@click.option("--at", "moment", metavar="TIME", help="eval-result, zk-output: when, as 2026-01-01T00:00:00Z")
@click.option("--model-file", metavar="NAME", default="model.skops", help="model-signing: the model's file")
@click.option("--model-name", metavar="NAME", default="new-model", help="model-signing: the model's name")
@click.option("--run-id", metavar="ID", help="zk-output: which run it was")
def export(
    *,
    file: Path,
    form: str,
    output: Path | None,
    evaluator: str | None,
    moment: str | None,
    model_file: str,
    model_name: str,
    run_id: str | None,
) -> None:
    """Write the attestation in FILE in another format. Nothing is verified: do that first.

    The formats are for readers who take no other; what is true is the attestation itself. An eval-result and a
    model-signing manifest are bare statements, which `hokusai attest sign` signs.
    """
    envelope = Envelope.parse(read_limited(file, MAX_ENVELOPE_BYTES))
    makers: dict[str, Callable[[], bytes]] = {
        "eval-result": lambda: _eval_result(
            envelope, _needed("--evaluator", evaluator), _needed("--at", moment)
        ),
        "model-signing": lambda: _model_signing(envelope, model_file, model_name),
        "zk-output": lambda: _zk_output(envelope, _needed("--run-id", run_id), _needed("--at", moment)),
    }
    made = makers[form]()
    if output is None:
        click.echo(made.decode())
    else:
        write_atomically(output, made + b"\n")
        show_line(styled("✓", "green"), f" {output}")


def _needed(option: str, value: str | None) -> str:
    if value is None:
        raise click.UsageError(f"This format needs {option}.")
    return value


def _eval_result(envelope: Envelope, evaluator: str, moment: str) -> bytes:
    from hokusai.attestation.exports.eval_result import eval_result

    return eval_result(envelope.payload, evaluator=evaluator, evaluated_at=moment)


def _model_signing(envelope: Envelope, file_name: str, model_name: str) -> bytes:
    from hokusai.attestation.exports.model_signing import model_signing

    return model_signing(envelope.payload, file_name=file_name, model_name=model_name)


def _zk_output(envelope: Envelope, run_id: str, moment: str) -> bytes:
    from importlib.metadata import version

    from hokusai.attestation.exports.zk_output import RunFacts, zk_output

    facts = RunFacts(run_id, moment, version("hokusai-ml-platform"))
    return json.dumps(zk_output(envelope, facts), indent=2).encode()
