"""People's data: found by what it looks like and by the name of its column, then hashed, masked or dropped.

- `kinds`      what is told apart: e-mail addresses, phones, cards, IBANs, national ids, IP and wallet addresses, ...
- `detector`   where it stands in text, and whether a whole cell is one; a file a kind behind it
- `columns`    what a column holds as a whole, by its name or its content
- `policy`     what is to happen: `PiiPolicy`, in Python, as a mapping or as YAML
- `tokens`     what stands for a value that is hashed: HMAC-SHA-256 with a secret key; `key_file` keeps the key
- `gate`       the plan for all columns, made once from the first rows
- `scrub`      a table in, a table without personal data and the counts out; `counts` become the manifest's summary

>>> import polars as pl
>>> from hokusai.privacy import PiiPolicy, Tokenizer
>>> from hokusai.privacy.scrub import scrub
>>> frame = pl.DataFrame({"query": ["reset it for ada@example.org"], "email": ["ada@example.org"]})
>>> cleaned, counts = scrub(frame, PiiPolicy(), Tokenizer(bytes(range(32))))
>>> cleaned["email"][0]
'pii:email:mlq7bkdb:ihlwjofg6iwr5pyx5tkppffjmw'
>>> cleaned["query"][0].endswith(cleaned["email"][0])
True

What comes out is pseudonymised, not anonymous: whoever has the key can tell whose data it is, and no language model
looks for names in free text. Pure functions over text and frames; no store, no server, no settings. The names below
are loaded when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hokusai.privacy.counts import PiiCounts
    from hokusai.privacy.gate import ColumnGate
    from hokusai.privacy.kinds import PiiKind
    from hokusai.privacy.policy import PiiAction, PiiPolicy
    from hokusai.privacy.tokens import Tokenizer

_HOMES = {
    "ColumnGate": "hokusai.privacy.gate",
    "PiiAction": "hokusai.privacy.policy",
    "PiiCounts": "hokusai.privacy.counts",
    "PiiKind": "hokusai.privacy.kinds",
    "PiiPolicy": "hokusai.privacy.policy",
    "Tokenizer": "hokusai.privacy.tokens",
}
__all__ = ["ColumnGate", "PiiAction", "PiiCounts", "PiiKind", "PiiPolicy", "Tokenizer"]


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'hokusai.privacy' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
