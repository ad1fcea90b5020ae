"""An attestation that something is to be done on: how it is verified first, and what it then claims."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hokusai.errors import HokusaiError, IntegrityError
from hokusai.utils.files import read_limited

if TYPE_CHECKING:
    from hokusai.attestation.materials import Materials
    from hokusai.attestation.policy import Policy
    from hokusai.domain.claim import DeltaOneClaim

_PATH = click.Path(path_type=Path)

Command = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is insisted on of an attestation, and what is at hand beside it.

    Attributes:
        policy_file: A policy; None trusts `keys`, or one's own.
        keys: Public keys to trust.
        benchmark_statements: Signed commitments of benchmarks' owners; the one that a statement names is taken.
        predictions: Labels and predictions of all rows.
        openings: Opened rows.
    """

    policy_file: Path | None = None
    keys: tuple[Path, ...] = ()
    benchmark_statements: tuple[Path, ...] = ()
    predictions: Path | None = None
    openings: Path | None = None

    @property
    def policy(self) -> Policy:
        """What is insisted on.

        Raises:
            ConfigurationError: There is no key to trust, or the policy cannot be used.
        """
        from hokusai.attestation.policy import Policy
        from hokusai.attestation.policy_file import read_policy
        from hokusai.cli.attest_keys import trusted_keys

        if self.policy_file is None:
            return Policy(tuple(key for key, _ in trusted_keys(self.keys)))
        if self.keys:
            raise click.UsageError("The policy settles --key; leave out the one or the other.")
        return read_policy(self.policy_file)

    def verified(self, path: Path) -> tuple[DeltaOneClaim, str]:
        """(claim, digest of the statement) of an attestation that holds.

        Raises:
            IntegrityError: It does not.
        """
        from hokusai.attestation.envelope import MAX_ENVELOPE_BYTES
        from hokusai.attestation.verify import verify_attestation

        data = read_limited(path, MAX_ENVELOPE_BYTES)
        report = verify_attestation(data, self.policy, self._materials(data))
        if not report.ok or report.claim is None or report.statement_sha256 is None:
            failed = "; ".join(f"{check.name}: {check.detail}" for check in report.failed)
            raise IntegrityError(
                f"The attestation is refused: {failed or 'it cannot be read'}",
                where=str(path),
                hint="See all of it with: hokusai attest verify",
            )
        return report.claim, report.statement_sha256

    def _materials(self, data: bytes) -> Materials:
        from hokusai.attestation.materials import Materials
        from hokusai.attestation.openings import MAX_BYTES

        return Materials(
            benchmark_statement=self._benchmark_statement(data),
            predictions=self.predictions,
            openings=None if self.openings is None else read_limited(self.openings, MAX_BYTES),
        )

    def _benchmark_statement(self, data: bytes) -> bytes | None:
        """The commitment that the statement names; another one where none is that, which is then refused."""
        from hokusai.attestation.envelope import MAX_ENVELOPE_BYTES, Envelope
        from hokusai.domain.canonical import parse_json, sha256_hex

        given = [read_limited(path, MAX_ENVELOPE_BYTES) for path in self.benchmark_statements]
        try:
            predicate = parse_json(Envelope.parse(data).payload)["predicate"]  # type: ignore[index]
            named = predicate["benchmarkStatement"]["sha256"]
            return next(one for one in given if sha256_hex(Envelope.parse(one).payload) == named)
        except (HokusaiError, KeyError, TypeError, StopIteration):
            return given[0] if given else None


def verifying(*, rows: bool = True) -> Callable[[Command], Command]:
    """Options that become the argument `evidence` of a command; `rows`: those about rows too."""
    options = [
        click.option(
            "--policy", "policy_file", type=_PATH, metavar="FILE", help="what to insist on, as YAML or JSON"
        ),
        click.option(
            "--key", "keys", multiple=True, type=_PATH, metavar="PUB.pem", help="a public key to trust"
        ),
        click.option(
            "--benchmark-statement",
            "benchmark_statements",
            multiple=True,
            type=_PATH,
            metavar="FILE",
            help="the signed commitment of a benchmark's owner",
        ),
    ]
    if rows:
        options += [
            click.option(
                "--predictions", type=_PATH, metavar="FILE", help="labels and predictions of all rows"
            ),
            click.option("--openings", type=_PATH, metavar="FILE", help="opened rows"),
        ]

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def with_evidence(**given: Any) -> Any:
            names = [name for name in Evidence.__dataclass_fields__ if name in given]
            return command(evidence=Evidence(**{name: given.pop(name) for name in names}), **given)

        for option in reversed(options):
            with_evidence = option(with_evidence)
        return with_evidence

    return decorate
