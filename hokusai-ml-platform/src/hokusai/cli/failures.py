"""What a command says that could not do its work: a sentence for people, and with `--json` a document for machines."""

from __future__ import annotations

from typing import IO, Any

import click

from hokusai.cli.output import show_json
from hokusai.errors import HokusaiError
from hokusai.utils.text import printable


class Failed(click.ClickException):
    """An error of Hokusai's, told by the command line.

    Args:
        problem: What happened.
        as_json: Whether standard output is to hold one JSON document, also now.
    """

    exit_code = 1

    def __init__(self, problem: HokusaiError, *, as_json: bool = False) -> None:
        super().__init__(str(problem))
        self.problem, self._as_json = problem, as_json

    def show(self, file: IO[Any] | None = None) -> None:
        """Tell it: the sentence on standard error, the document on standard output."""
        click.echo(
            f"{click.style('Error:', fg='red', bold=True)} {printable(self.message)}", file=file, err=True
        )
        if self._as_json:
            show_json(
                {
                    "error": {
                        "code": self.problem.code,
                        "message": self.problem.what,
                        "where": self.problem.where,
                        "hint": self.problem.hint,
                    }
                }
            )


class Undecided(Failed):
    """A question with the answers yes and no, exit codes 0 and 1, that has got none."""

    exit_code = 2
