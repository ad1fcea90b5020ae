"""What a command says that could not do its work: a sentence for people, and with `--json` a document for machines."""

from __future__ import annotations

from typing import IO, Any

import click

from hokusai.cli.output import show_json
from hokusai.errors import HokusaiError
from hokusai.utils.text import printable


class Failed(click.ClickException):
    """An error of Hokusai's with the exit code that it has here.

    Args:
        problem: What happened.
        exit_code: 1 unless a command says otherwise.
        as_json: Whether standard output is to hold one JSON document, also now.
    """

    def __init__(self, problem: HokusaiError, *, exit_code: int = 1, as_json: bool = False) -> None:
        super().__init__(str(problem))
        self.problem, self.exit_code, self._as_json = problem, exit_code, as_json

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
