"""Numbers as a statement writes them: whole ones and ratios in decimal, measured ones as the text of their double."""

from __future__ import annotations

import math
from fractions import Fraction

from hokusai.domain.canonical import canonical_json
from hokusai.errors import InvalidInputError

Json = dict[str, object]
_MAX_BITS = 13_000


def fraction_json(value: Fraction) -> Json:
    """An exact number: numerator and denominator in decimal, reduced, denominator above zero.

    >>> fraction_json(Fraction(6, -8))
    {'num': '-3', 'den': '4'}
    """
    return {"num": str(value.numerator), "den": str(value.denominator)}


def is_writable(value: Fraction) -> bool:
    """Whether an exact number is short enough to be written out (about 3,900 digits).

    A macro average over very many classes may not be: the least common multiple of their sizes grows without
    bound. It is then written as a measured number.
    """
    return max(value.numerator.bit_length(), value.denominator.bit_length()) <= _MAX_BITS


def decimal_text(value: float) -> str:
    """A measured number as the RFC 8785 text of its double.

    Raises:
        InvalidInputError: It is not finite.

    >>> decimal_text(0.1), decimal_text(1.0), decimal_text(1e-7)
    ('0.1', '1', '1e-7')
    """
    if not math.isfinite(value):
        raise InvalidInputError(f"An attestation holds finite numbers only, got {value}")
    return canonical_json(float(value)).decode("ascii")


def percentage_points(value: Fraction | float) -> str:
    """A fraction as people read it.

    >>> percentage_points(Fraction(1, 30))
    '+3.3333 percentage points'
    """
    return f"{float(value) * 100:+.4f} percentage points"
