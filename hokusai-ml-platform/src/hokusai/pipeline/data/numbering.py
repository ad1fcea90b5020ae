"""The number that a row has in its file, when rows before it were set aside."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Numbering:
    """Numbers of the rows that are left of a file.

    Args:
        rejected: Numbers of those that were set aside, from 1, in any order.

    >>> import numpy as np
    >>> Numbering([1, 4]).of(np.arange(4)).tolist()
    [2, 3, 5, 6]
    """

    def __init__(self, rejected: Iterable[int] = ()) -> None:
        import numpy as np

        numbers = np.sort(np.fromiter(rejected, dtype=np.int64))
        self._kept_before = numbers - np.arange(len(numbers)) - 1

    def of(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """The numbers in the file, from 1, of the rows at `positions` among those that are left, from 0."""
        import numpy as np

        return positions + 1 + np.searchsorted(self._kept_before, positions, side="right")

    def one(self, position: int) -> int:
        """The number in the file of one row."""
        import numpy as np

        return int(self.of(np.array([position]))[0])
