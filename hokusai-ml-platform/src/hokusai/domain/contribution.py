"""Who contributed what: contributors, and the files they gave."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from hokusai.domain.canonical import sha256_hex
from hokusai.domain.identifiers import WalletAddress

_LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class Contributor:
    """Somebody who gave data and wants to be credited.

    Attributes:
        contributor_id: The name under which the contributor is known.
        wallet: Where credit is paid, if given.
    """

    contributor_id: str
    wallet: WalletAddress | None = None

    @property
    def payable(self) -> bool:
        """Whether credit can be paid out on chain to this contributor."""
        return self.wallet is not None and self.wallet.payable


@dataclass(frozen=True, slots=True)
class Contribution:
    """One contributed file, after reading: how many of its rows were used, and what happened to the rest.

    `rows_read == rows_accepted + rows_duplicate + rows_in_base + rows_in_benchmark + rows_without_label`
    holds by construction.

    Attributes:
        contributor: Who gave it.
        file_name: The file's base name, for people.
        sha256: Digest of the file's bytes, hex.
        size_bytes: The file's size.
        rows_read: Records in the file.
        rows_accepted: Rows used in training.
        rows_duplicate: Rows that stand earlier in the contribution already.
        rows_in_base: Rows that the base data already has.
        rows_in_benchmark: Rows that also stand in the benchmark, and so must not be trained on.
        rows_without_label: Rows whose target is missing.
    """

    contributor: Contributor
    file_name: str
    sha256: str
    size_bytes: int
    rows_read: int
    rows_accepted: int
    rows_duplicate: int
    rows_in_base: int
    rows_in_benchmark: int
    rows_without_label: int

    def __post_init__(self) -> None:
        parts = (
            self.rows_accepted
            + self.rows_duplicate
            + self.rows_in_base
            + self.rows_in_benchmark
            + self.rows_without_label
        )
        if parts != self.rows_read:
            raise ValueError(f"{self.file_name}: {self.rows_read} rows read, but {parts} accounted for")


def party_key(name: str) -> str:
    """The id or wallet of somebody as it is looked up and counted, fit for any index.

    Case, blanks around it and the width of letters make nobody another person.

    >>> party_key("0xAB") == party_key(" 0xab"), len(party_key("x" * 1000))
    (True, 71)
    """
    key = unicodedata.normalize("NFKC", name).strip().casefold()
    return key if len(key) <= _LONGEST_KEY and "\0" not in key else f"sha256:{sha256_hex(key.encode())}"
