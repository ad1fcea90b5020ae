"""What the bytes of a text say at once, before any pattern: most texts hold no number, no sign and no code.

All personal data that no words tell has a digit, an at sign, a per cent sign, a colon or a long run of letters; what
cleaning leaves has a bracket or a colon. Texts with characters of other scripts have all marks.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from hokusai.utils.compiled import pays
from hokusai.utils.many_sha256 import EndToEnd

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

LEAST_RUN = 15
"""Letters and digits without a break that may be a code without a digit, such as an Italian codice fiscale."""
_FEW_ROWS, _ROWS_A_HASH = 1_000, 4


def marks(plain: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Which texts may hold personal data that no words tell, and which something that cleaning left.

    Texts are few, or little was done yet (`compiled`): then all may.
    """
    import polars as pl

    if len(plain) <= _FEW_ROWS or not pays(len(plain) // _ROWS_A_HASH):
        every = pl.repeat(True, len(plain), dtype=pl.Boolean, eager=True)
        return every, every
    from hokusai.privacy.mark_loops import CLEANED, CODED, marked

    found = marked(*EndToEnd.of(plain), _alnum(), LEAST_RUN)
    return pl.Series(found & CODED != 0), pl.Series(found & CLEANED != 0)


@cache
def _alnum() -> NDArray[np.bool_]:
    """Which bytes are letters or digits of ASCII; read-only, as the arrays of `EndToEnd` are."""
    import numpy as np

    return np.frombuffer(bytes(byte < 0x80 and chr(byte).isalnum() for byte in range(256)), np.bool_)
