"""`hokusai benchmark settle`: what an epoch is paid, and to whom, on a vault that is spent by that."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hokusai.cli.evidence import Evidence, verifying
from hokusai.cli.options import json_option
from hokusai.cli.output import show_facts, show_json, show_table

if TYPE_CHECKING:
    from hokusai.core.benchmarks import EpochPayment

_PATH = click.Path(path_type=Path)


@click.command(short_help="Settle an epoch on a vault, which is spent by that.")
@click.argument("vault", metavar="VAULT")
@click.option(
    "--epoch",
    type=_PATH,
    required=True,
    metavar="FILE",
    help="the attestation of the epoch's last model against its first, on the vault",
)
@click.option(
    "--accepted",
    multiple=True,
    type=_PATH,
    metavar="FILE",
    help="the attestation of an improvement that was accepted in the epoch; for each of them",
)
@verifying(rows=False)
@json_option
def settle(
    *,
    vault: str,
    epoch: Path,
    accepted: tuple[Path, ...],
    evidence: Evidence,
    as_json: bool,
) -> None:
    """Work out what an epoch is paid: the lower bound of its gain on VAULT, shared among who was accepted.

    All attestations are verified first. A vault is opened once: the same epoch again gives the same answer, and
    another one is refused.
    """
    from hokusai import wiring
    from hokusai.core.benchmarks import Benchmarks
    from hokusai.core.epochs import settle_epoch

    claims = [evidence.verified(path)[0] for path in (epoch, *accepted)]
    configured = wiring.start_up()
    benchmarks = Benchmarks(wiring.ledger(configured), wiring.actor(configured))
    paid = settle_epoch(benchmarks, vault, claims[0], claims[1:])
    if as_json:
        show_json(paid.to_dict())
    else:
        _show(paid)


def _show(paid: EpochPayment) -> None:
    settlement = paid.settlement
    show_facts(
        {
            "Vault": f"{paid.vault.name}, spent",
            "Gain": f"{settlement.gain * 100:+.4f} percentage points, standard error "
            f"{settlement.standard_error * 100:.4f}, on {settlement.n_rows:,} rows",
            "Paid": f"{settlement.delta_ones:.4f} DeltaOnes"
            + (f": {settlement.unpaid}" if settlement.unpaid else ""),
        }
    )
    if paid.weights:
        click.echo()
        show_table(
            ("Contributor", "Wallet", "Basis points", "DeltaOnes"),
            (
                (
                    who.contributor_id,
                    str(who.wallet or ""),
                    f"{bps:,}",
                    f"{settlement.delta_ones * bps / 10_000:.4f}",
                )
                for who, bps in paid.weights
            ),
        )
