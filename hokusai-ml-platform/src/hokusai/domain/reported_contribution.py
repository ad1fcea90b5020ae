"""The data behind a reported improvement, by whichever names its members were given; nothing said is dropped."""

from __future__ import annotations

import math
import numbers
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hokusai.domain.canonical import canonical_json, parse_json
from hokusai.domain.contribution import Contributor
from hokusai.domain.identifiers import WalletAddress
from hokusai.errors import HokusaiError, InvalidInputError

NAMES = {
    "contributor_address": ("contributor_address", "contributor", "wallet_address", "address"),
    "contributor_id": ("contributor_id",),
    "data_hash": ("data_hash", "dataset_hash"),
    "samples": ("samples", "data_size"),
    "quality_score": ("quality_score", "data_quality_score"),
}
"""What is said of a contribution, and the names that it is accepted under: the newest first."""

_SHA256 = re.compile(r"(?:sha256:|0x)?([0-9a-fA-F]{64})")
_WHERE = "data_contribution"


@dataclass(frozen=True, slots=True)
class ReportedContribution:
    """Whose data, and which. Make one with `of`.

    Attributes:
        contributor: Who gave it.
        data_hash: The data's hash, as it was reported.
        samples: How many rows it has.
        quality_score: As it was reported.
        other: Everything else that was said, JSON values.
    """

    contributor: Contributor
    data_hash: str | None = None
    samples: int | None = None
    quality_score: float | None = None
    other: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> ReportedContribution:
        """Read what was said of a contribution, by the names in `NAMES`; any other member is kept as it is.

        Raises:
            InvalidInputError: Nobody contributed, or no data; a member is of the wrong kind, or there under two names
                with two values; or something else that was said is no JSON.

        >>> told = ReportedContribution.of({"contributor": "ann", "dataset_hash": "abc123", "region": "EU"})
        >>> told.contributor.contributor_id, told.data_hash, dict(told.other)
        ('ann', 'abc123', {'region': 'EU'})
        """
        if not isinstance(given, Mapping):
            raise InvalidInputError(
                f"The contribution is {type(given).__name__}, and a dict was expected", where=_WHERE
            )
        told = {member: _one_of(given, names) for member, names in NAMES.items()}
        data_hash, samples = _text("data_hash", told["data_hash"]), _samples(told["samples"])
        if data_hash is None and samples is None:
            raise InvalidInputError(
                "The contributor gave no data: there is neither a data_hash nor a number of samples",
                where=_WHERE,
            )
        known = {name for names in NAMES.values() for name in names}
        return cls(
            contributor=_contributor(told["contributor_address"], told["contributor_id"]),
            data_hash=data_hash,
            samples=samples,
            quality_score=_score(told["quality_score"]),
            other=_json({name: value for name, value in given.items() if name not in known}),
        )

    @property
    def data_sha256(self) -> str | None:
        """The data's SHA-256 in hex, if that is what its hash is."""
        found = _SHA256.fullmatch(self.data_hash or "")
        return found[1].lower() if found else None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader has to know before using it."""
        wallet = self.contributor.wallet
        told = [wallet.warning] if wallet is not None and wallet.warning else []
        if wallet is None:
            told.append("The contributor has no wallet, so that the contribution is not payable.")
        if self.data_sha256 is None:
            said = "is not known" if self.data_hash is None else f"is {self.data_hash!r}, which is no SHA-256"
            told.append(f"The hash of the data {said}: nothing ties this to the bytes of any file.")
        return tuple(told)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, by the newest names; `of` reads it back."""
        wallet = self.contributor.wallet
        told = {
            "contributor_address": None if wallet is None else str(wallet),
            "contributor_id": self.contributor.contributor_id,
            "data_hash": self.data_hash,
            "samples": self.samples,
            "quality_score": self.quality_score,
        }
        return {name: value for name, value in told.items() if value is not None} | dict(self.other)


def _one_of(given: Mapping[str, Any], names: tuple[str, ...]) -> object:
    """What is there under any of `names`; None if nothing is."""
    found = {name: given[name] for name in names if given.get(name) is not None}
    first, *others = found.values() or [None]
    if any(value != first for value in others):
        told = ", ".join(f"{name}={value!r}" for name, value in found.items())
        raise InvalidInputError(f"One thing is said twice, and differently: {told[:200]}", where=_WHERE)
    return first


def _contributor(address: object, name: object) -> Contributor:
    text, called = _text("contributor_address", address), _text("contributor_id", name)
    if text is None and called is None:
        raise InvalidInputError(
            "Nobody is said to have contributed the data",
            where=_WHERE,
            hint="Give contributor_address: 0x and 40 hex digits.",
        )
    wallet = None if text is None else WalletAddress.parse(text)
    return Contributor(called or str(wallet), wallet)


def _text(member: str, value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise InvalidInputError(f"The {member} is {value!r}, and a text was expected", where=_WHERE)
    return value.strip()


def _samples(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or not 0 < int(value) < 2**53:
        raise InvalidInputError(
            f"The number of samples is {value!r}, and a whole number of 1 or more was expected", where=_WHERE
        )
    return int(value)


def _score(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not math.isfinite(value):
        raise InvalidInputError(
            f"The quality_score is {value!r}, and a finite number was expected", where=_WHERE
        )
    return float(value) + 0.0  # no negative zero


def _json(value: Mapping[str, Any]) -> dict[str, Any]:
    """`value` as it reads back from JSON."""
    try:
        read = parse_json(canonical_json(dict(value)))
    except HokusaiError as problem:
        raise InvalidInputError(
            f"What is said of a contribution has to be JSON: {problem}", where=_WHERE
        ) from problem
    return read if isinstance(read, dict) else {}
