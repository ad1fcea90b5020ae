"""`hokusai attest key`, and which key signs or is trusted where none is named.

No `.env` file is read by any of these commands: one beside a downloaded attestation has no say in whom to trust.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hokusai.attestation.envelope import keyid
from hokusai.attestation.key_history import HISTORY_FILE, earlier_keys, rotate
from hokusai.attestation.keys import (
    KEY_FILE,
    SigningKey,
    load_default_trust,
    load_public_key,
    load_signing_key,
    public_path,
    public_pem,
)
from hokusai.errors import ConfigurationError

if TYPE_CHECKING:
    from hokusai.utils.config import Settings

TrustedKey = tuple[Ed25519PublicKey, str]
"""A key to trust, and where it comes from, in words."""


@click.command(short_help="Show the key that signs; make it if there is none.")
@click.option(
    "--rotate",
    "rotates",
    is_flag=True,
    help="make a new key that signs from now on; the old one still verifies, and can sign no more",
)
def key(*, rotates: bool) -> None:
    """Print where the signing key is, its id, and its public half for those who verify."""
    settings = _settings()
    if rotates:
        if _is_configured(settings):
            raise ConfigurationError(
                "The key that signs is configured, so it is changed where it is kept",
                hint="Unset HOKUSAI_SIGNING_KEY or HOKUSAI_SIGNER_COMMAND to change the key in HOKUSAI_HOME.",
            )
        signing, earlier = rotate(settings.home)
        click.echo("A new signing key was made. Give its public half to whoever verifies.")
        click.echo(f"Before it:   {', '.join(keyid(one) for one in earlier)}")
        click.echo(f"History:     {settings.home / HISTORY_FILE}")
    else:
        signing = _load(settings)
        if signing.generated:
            click.echo("A new signing key was made.")
    where = signing.path or (signing.origin if settings.signer_command else "in HOKUSAI_SIGNING_KEY")
    click.echo(f"Private key: {where}")
    click.echo(f"Key id:      {signing.keyid}")
    click.echo(public_pem(signing.public).decode("ascii"), nl=False)


def own_key() -> SigningKey:
    """The key that signs; made if there is none, which is said."""
    signing = _load(_settings())
    if signing.generated:
        click.echo(f"A new signing key was made: {signing.path}", err=True)
    return signing


def trusted_keys(paths: Sequence[Path]) -> list[TrustedKey]:
    """The keys to trust: those that are named, or else our own, with those that it followed.

    Raises:
        ConfigurationError: None is named, and there is none of our own.
    """
    if paths:
        return [(load_public_key(path), str(path)) for path in paths]
    settings = _settings()
    home = settings.home
    own = load_default_trust(_configured(settings), home, **_command(settings))
    if own is not None:
        earlier = earlier_keys(home, own) if not _is_configured(settings) else ()
        before = [(one, f"{home / HISTORY_FILE} (your key before)") for one in earlier]
        return [(own.public, f"{own.origin} (your own key)"), *before]
    lone = public_path(home / KEY_FILE)
    hint = f" A public half alone, as {lone}, is not trusted unless it is named." if lone.exists() else ""
    raise ConfigurationError(
        "There is no key to trust: none was named, and this machine has none of its own",
        where=str(home),
        hint=f"Give the signer's public key with --key PUB.pem, or set HOKUSAI_HOME (.env is not read).{hint}",
    )


def _settings() -> Settings:
    from hokusai.utils.config import Settings

    return Settings.load(env_file=None)


def _load(settings: Settings) -> SigningKey:
    return load_signing_key(_configured(settings), settings.home, **_command(settings))


def _configured(settings: Settings) -> str | None:
    return settings.signing_key.get_secret_value() if settings.signing_key else None


def _command(settings: Settings) -> dict[str, str | None]:
    return {"command": settings.signer_command, "command_key": settings.signer_public_key}


def _is_configured(settings: Settings) -> bool:
    return settings.signing_key is not None or settings.signer_command is not None
