"""`hokusai attest`: make, sign, verify, show and open attestations. Everything here works offline.

A rehearsal can be signed like anything else, so a dry run never ends with the exit code of evidence.
"""

from __future__ import annotations

import click

from hokusai.cli import (
    attest_create,
    attest_export,
    attest_find,
    attest_keys,
    attest_open,
    attest_show,
    attest_sign,
    attest_verify,
)


@click.group()
def attest() -> None:
    """Make, sign, verify, show and open attestations."""


for _command in (
    attest_create.create,
    attest_sign.sign,
    attest_verify.verify,
    attest_show.show,
    attest_open.open_,
    attest_keys.key,
    attest_find.store,
    attest_find.find,
    attest_find.fetch,
    attest_export.export,
):
    attest.add_command(_command)
