"""Where a `DataIntegrator` gets its tokenizer from when it is given none."""

from __future__ import annotations

from hokusai.privacy.tokens import Tokenizer
from hokusai.utils.default import Default

default_tokenizer = Default[[], Tokenizer](
    "Personal data is to be hashed, and there is no key",
    "Import hokusai.wiring, which plugs in the configured one, pass tokenizer=…, or mask instead.",
)
provide_tokenizer = default_tokenizer.provide
