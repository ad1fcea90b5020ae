"""Mean and variance that come out the same in any order and division of the values: sums without rounding.

Adding floating-point numbers in another order gives another last bit, and a published figure may not depend on how rows
were cut into batches. So the sums of values and of squares are kept as exact integers, and rounded once, at the end.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SLICE = 1 << 14  # of two pieces, each product is below 2^36 units, and 2^14 of them sum to less than 2^53
_PIECE_BITS = 18
_PIECES = 5  # 90 bits: the 53 of a double, and 36 more between the largest and the smallest value of a group
_GROUP_BITS = _PIECES * _PIECE_BITS - 53 - 1
_UNIT = 1074 + _PIECES * _PIECE_BITS  # sums count in 2^-_UNIT, squares in 2^(-2 * _UNIT)


class Moments:
    """Count, exact sum and exact sum of squares of finite doubles.

    >>> import numpy as np
    >>> moments = Moments().see(np.array([0.1, 1e16, -1e16]))
    >>> moments.mean() == 0.1 / 3
    True

    References:
        Rump, Ogita and Oishi (2008), Accurate Floating-Point Summation I, SIAM J. Sci. Comput. 31(1), for taking values
        apart by adding and subtracting a large constant; Neal (2015), arXiv:1505.05571, for exact integer sums.
    """

    def __init__(self) -> None:
        self.count = 0
        self._sum = 0
        self._squares = 0

    def see(self, values: NDArray[np.float64]) -> Moments:
        """Take in finite values, shape (n,). Gives itself."""
        for start in range(0, len(values), _SLICE):
            self._see(values[start : start + _SLICE])
        return self

    def merge(self, other: Moments) -> Moments:
        """Take in what `other` saw. Gives itself."""
        self.count += other.count
        self._sum += other._sum
        self._squares += other._squares
        return self

    def mean(self) -> float | None:
        """Correctly rounded; None without values."""
        return _as_float(Fraction(self._sum, self.count << _UNIT)) if self.count else None

    def variance(self) -> float | None:
        """With n - 1 in the denominator, correctly rounded; None with fewer than two values or beyond the range."""
        if self.count < 2:
            return None
        above = self.count * self._squares - self._sum * self._sum
        return _as_float(Fraction(above, (self.count * (self.count - 1)) << (2 * _UNIT)))

    def _see(self, values: NDArray[np.float64]) -> None:
        import numpy as np

        self.count += len(values)
        sizes = np.abs(values)
        while len(values) and (largest := float(sizes.max())) > 0.0:
            _, exponent = math.frexp(largest)
            least = math.ldexp(1.0, exponent - _GROUP_BITS) if exponent - _GROUP_BITS > -1074 else 0.0
            group = sizes >= least
            if group.all():
                self._see_group(values, exponent)
                return
            self._see_group(values[group], exponent)
            values, sizes = values[~group], sizes[~group]

    def _see_group(self, values: NDArray[np.float64], exponent: int) -> None:
        """Take in values below 2^exponent that are zero or not much smaller."""
        import numpy as np

        rest = values * 2.0**-exponent if abs(exponent) < 1000 else np.ldexp(values, -exponent)
        pieces: list[NDArray[np.float64]] = []
        while rest.any():
            # Added to a constant this large, a value is rounded to a multiple of the piece's unit.
            large = 1.5 * 2.0 ** (52 - _PIECE_BITS * (len(pieces) + 1))
            piece = (rest + large) - large
            rest = rest - piece
            pieces.append(piece)
        for i, piece in enumerate(pieces):
            self._sum += _in_units(float(piece.sum()), exponent + _UNIT)
            for j in range(i, len(pieces)):
                product = float(np.einsum("i,i->", piece, pieces[j])) * (1 if i == j else 2)
                self._squares += _in_units(product, 2 * (exponent + _UNIT))


def _in_units(value: float, shift: int) -> int:
    """`value` times 2^shift, which is whole."""
    numerator, denominator = value.as_integer_ratio()
    return (numerator << shift) // denominator


def _as_float(value: Fraction) -> float | None:
    try:
        return float(value)
    except OverflowError:
        return None
