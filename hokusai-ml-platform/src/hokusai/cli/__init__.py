"""The command `hokusai`. One file a group of commands; a group is imported when it is used.

Errors leave here as one sentence that says what was wrong, where, and what to do; a traceback would be a bug. With
`hokusai data … --json` the error is a document on standard output too; other commands leave that empty.
Exit codes: 0 done, 1 refused or failed, 2 the command line itself is wrong, 130 interrupted.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

import click

from hokusai import __version__
from hokusai.cli.failures import Failed
from hokusai.errors import HokusaiError

_GROUPS = {
    "data": ("hokusai.cli.data", "Data files: check, profile, clean, merge, and prove what is in them."),
    "evaluate": ("hokusai.cli.evaluate", "Measure a model on labelled rows, alone or against another."),
    "benchmark": (
        "hokusai.cli.benchmark",
        "What models are measured on: add benchmarks, see their uses.",
    ),
    "attest": ("hokusai.cli.attest", "Verify and show attestations, and the key that signs them."),
    "mint": ("hokusai.cli.mint", "Ask a contract to pay for an improvement, signed by its attesters."),
    "lineage": (
        "hokusai.cli.lineage",
        "Show which version was made from which, by whose data, and its gain.",
    ),
    "models": ("hokusai.cli.models", "Versions of models: register, find, compare, tag, delete, restore."),
    "promote": ("hokusai.cli.stages", "Put a version into development, staging or production."),
    "rollback": ("hokusai.cli.stages", "Go back to the version that was in a stage before."),
    "withdraw": ("hokusai.cli.stages", "Leave a stage without a version."),
    "history": ("hokusai.cli.stages", "Show who moved which version where, when and why."),
    "audit": ("hokusai.cli.audit", "Who did what: show, verify and export the audit trail."),
    "db": ("hokusai.cli.db", "Show and upgrade the database of the ledger."),
    "index": ("hokusai.cli.index", "Make the index of models again, or see how fresh it is."),
    "doctor": ("hokusai.cli.doctor", "Test every server, find what a crash left behind, and mend it."),
    "migrate": ("hokusai.cli.migrate", "Take over an existing MLflow registry."),
    "pipeline": (
        "hokusai.cli.pipeline",
        "Run the pipeline: contributed data in, DeltaOne and an attestation out.",
    ),
}


_ERRORS_AS_JSON = ("data",)
"""Groups whose errors are documents too, with `--json`."""


class _LazyGroup(click.Group):
    """Knows its commands by name, and imports one only to run it or to show its own help."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_GROUPS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - the same
        if cmd_name not in _GROUPS:
            return None
        command: click.Command = getattr(importlib.import_module(_GROUPS[cmd_name][0]), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - the same
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _GROUPS.items()])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hokusai")
def cli() -> None:
    """Hokusai: models that improve through contributed data."""


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    given = sys.argv[1:] if args is None else list(args)
    try:
        code = cli.main(args=given, prog_name="hokusai", standalone_mode=False)
    except click.ClickException as problem:
        problem.show()
        sys.exit(problem.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        sys.exit(130)
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except HokusaiError as problem:
        Failed(problem, as_json="--json" in given and given[0] in _ERRORS_AS_JSON).show()
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)
