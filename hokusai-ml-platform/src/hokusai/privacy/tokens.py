"""Tokens that stand for personal data: equal for equal values, worth nothing to a dictionary without the key.

A plain hash of a phone number falls in seconds, since all phone numbers can be tried. So a token is a keyed hash
(HMAC-SHA-256), with a key of its own for every kind: that a card number and a phone number have the same digits does
not show. Whoever holds the key can still tell whose data it is: the data is pseudonymised, not anonymous (GDPR
Art. 4(5)), and destroying the key is what makes the tokens worthless.

    pii:<kind>:<key id>:<26 characters>        pii:email:w4xcpqy2:5hzvkk3sd6wqf3x2r7kz5jhk4e
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final

from hokusai.errors import ConfigurationError
from hokusai.utils.compiled import pays
from hokusai.utils.many_sha256 import EndToEnd, HmacSha256

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

ALGORITHM: Final = "HMAC-SHA-256"
KEY_BYTES: Final = 32
"""Of a key that is generated."""
LEAST_KEY_BYTES: Final = 16
TOKEN_PATTERN: Final = r"pii:[a-z_]{2,24}:[a-z2-7]{8}:[a-z2-7]{26}"  # noqa: S105  # a pattern, no password
"""What a token looks like; the same for `re` and for Polars."""

_PURPOSE: Final = b"hokusai/pii/v1/"
_ID_CHARACTERS: Final = 8
_HASH_CHARACTERS: Final = 26
_ALPHABET: Final = b"abcdefghijklmnopqrstuvwxyz234567"
_TEXTS_A_HASH: Final = 8
"""How many texts are written in the time that a hash takes."""


class Tokenizer:
    """Makes tokens with one secret key.

    Args:
        key: The secret, at least 16 bytes from a random source. It is never shown; a pickled tokenizer carries it, as
            it must to work in another process.

    Attributes:
        key_id: Tells which key made a token, and nothing else about the key.

    Raises:
        ConfigurationError: The key is too short.

    >>> tokenizer = Tokenizer(bytes(range(32)))
    >>> tokenizer.token("email", "ada@example.org")
    'pii:email:mlq7bkdb:ihlwjofg6iwr5pyx5tkppffjmw'

    References:
        RFC 2104 (HMAC), RFC 5869 (HKDF: the key of a kind is HKDF-SHA256(key, no salt, "hokusai/pii/v1/" + kind),
        32 bytes), RFC 4648 section 6 (base 32, here in lower case: the first 130 bits of the MAC).
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < LEAST_KEY_BYTES:
            raise ConfigurationError(
                f"The key for personal data has {len(key)} bytes; it needs at least {LEAST_KEY_BYTES}",
                hint="Make one with: openssl rand -hex 32",
            )
        self._key = bytes(key)
        self._keyed: dict[str, HmacSha256] = {}
        self.key_id = base64.b32encode(_derived(self._key, "key-id")).decode().lower()[:_ID_CHARACTERS]

    def token(self, kind: str, canonical: str) -> str:
        """The token of one value in its canonical form."""
        import polars as pl

        mac = self._macs(kind, EndToEnd.of(pl.Series([canonical])))
        return self._prefix(kind) + base64.b32encode(mac.tobytes()).decode().lower()[:_HASH_CHARACTERS]

    def tokens(self, kind: str, canonical: pl.Series) -> pl.Series:
        """The tokens of a column of values in their canonical form, shape (n_rows,); null stays null.

        A value that comes several times is hashed once.
        """
        import polars as pl

        if not canonical.null_count() and canonical.n_unique() > 0.9 * len(canonical):
            return self._column(kind, canonical)  # putting the tokens in their places would cost more
        values = canonical.drop_nulls().unique()
        pairs = pl.DataFrame({"value": values, "token": self._column(kind, values)})
        rows = canonical.alias("value").to_frame().join(pairs, on="value", how="left", maintain_order="left")
        return rows["token"].alias(canonical.name)

    def __repr__(self) -> str:
        return f"Tokenizer(key_id={self.key_id!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return (Tokenizer, (self._key,))

    def _prefix(self, kind: str) -> str:
        return f"pii:{kind}:{self.key_id}:"

    def _column(self, kind: str, values: pl.Series) -> pl.Series:
        """The tokens of values without null, hashed one by one."""

        macs = self._macs(kind, EndToEnd.of(values))
        return _text_column(self._prefix(kind).encode(), macs).alias(values.name)

    def _macs(self, kind: str, values: EndToEnd) -> NDArray[np.uint8]:
        if kind not in self._keyed:
            self._keyed[kind] = HmacSha256(_derived(self._key, kind))
        return self._keyed[kind].many(values)


def _derived(key: bytes, purpose: str) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), length=32, salt=None, info=_PURPOSE + purpose.encode()).derive(key)


def _text_column(prefix: bytes, macs: NDArray[np.uint8]) -> pl.Series:
    """`prefix` and 26 base-32 characters for each 32 bytes, assembled as one buffer of text."""
    import numpy as np
    import polars as pl
    import pyarrow as pa

    begin = np.frombuffer(prefix, np.uint8)
    if pays(len(macs) // _TEXTS_A_HASH):
        from hokusai.privacy.token_loops import written

        text = written(begin, np.frombuffer(_ALPHABET, np.uint8), macs)
    else:
        text = _written(begin, macs)
    ends = np.arange(len(text) + 1, dtype=np.int64) * text.shape[1]
    array = pa.LargeStringArray.from_buffers(len(text), pa.py_buffer(ends), pa.py_buffer(text))
    return pl.Series(array, dtype=pl.String)


def _written(prefix: NDArray[np.uint8], macs: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """As `token_loops.written`, in numpy: two characters at a time."""
    import numpy as np

    words = macs.view(">u8").astype(np.uint64)
    pairs = np.frombuffer(
        b"".join(bytes((one, two)) for one in _ALPHABET for two in _ALPHABET), dtype=np.uint16
    )
    layout = np.dtype([("prefix", np.uint8, len(prefix)), ("pairs", np.uint16, _HASH_CHARACTERS // 2)])
    text = np.empty(len(words), dtype=layout)
    text["prefix"] = prefix
    for place in range(_HASH_CHARACTERS // 2):
        word, bit = divmod(10 * place, 64)
        room = 64 - 10 - bit
        if room >= 0:
            ten = words[:, word] >> np.uint64(room)
        else:  # ten bits that lie in two words
            ten = (words[:, word] << np.uint64(-room)) | (words[:, word + 1] >> np.uint64(64 + room))
        text["pairs"][:, place] = pairs[ten & np.uint64(1023)]
    return text.view(np.uint8).reshape(len(text), layout.itemsize)
