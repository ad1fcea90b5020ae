"""What submitters may be told about a benchmark that is used again and again: the parameter-free Ladder.

Whoever hears the exact score of everything he tries learns the benchmark by heart: submit random guesses, keep those
that happen to score well, and their majority scores well too. The Ladder repeats the last score until a submission is
better by more than its own noise. It protects *feedback*; it is no rule to pay by, since a new best is still a maximum
of many tries (see `hokusai.stats.settlement`).

>>> ladder = Ladder.start([1, 1, 1, 1, 0, 0, 0, 0])
>>> better, told = ladder.submit([0, 0, 0, 1, 0, 0, 0, 0])
>>> told
Told(improved=True, loss=Fraction(1, 8))
>>> better.submit([0, 0, 1, 0, 0, 0, 0, 0])[1]
Told(improved=False, loss=Fraction(1, 8))
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from hokusai.errors import IntegrityError, InvalidInputError

_MAGIC = b"hokusai-ladder-v1\n"
_COUNT = 8


@dataclass(frozen=True, slots=True)
class Told:
    """All that a submitter learns.

    Attributes:
        improved: Whether the submission is the new best, by more than noise.
        loss: The best loss so far, rounded to one row.
    """

    improved: bool
    loss: Fraction


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Ladder:
    """The state: the best submission so far, and what was told of it.

    Attributes:
        losses: (n_rows,) loss of the best submission on each row, in [0, 1]. A secret.
        loss: Its mean, rounded to a multiple of 1 / n_rows: the last one told.
    """

    losses: npt.NDArray[np.float64]
    loss: Fraction

    @classmethod
    def start(cls, losses: npt.ArrayLike) -> Ladder:
        """Begin with the baseline model, whose score everybody may know.

        Args:
            losses: (n_rows,) its loss on each row, in [0, 1]: 1 for a wrong class, 0 for the right one.

        Raises:
            InvalidInputError: Fewer than two rows, or a loss outside [0, 1].
        """
        checked = _losses(losses)
        return cls(checked, _rounded(checked))

    def submit(self, losses: npt.ArrayLike) -> tuple[Ladder, Told]:
        """Score a submission: the state after it, and what to tell.

        It is the new best if its mean loss is below the last one told by more than s / sqrt(n), where s is the sample
        standard deviation of the differences to the best so far. Otherwise nothing changes and nothing new is told.

        Args:
            losses: (n_rows,) its loss on each row, in the rows' order of before.

        Raises:
            InvalidInputError: Another number of rows, or a loss outside [0, 1].

        Source: Blum and Hardt (2015), "The Ladder: A Reliable Leaderboard for Machine Learning Competitions",
        arXiv 1502.04585, the parameter-free variant.
        """
        submitted = _losses(losses)
        n = len(self.losses)
        if len(submitted) != n:
            raise InvalidInputError(f"The benchmark has {n} rows, and the submission {len(submitted)}")
        step = float(np.std(submitted - self.losses, ddof=1)) / math.sqrt(n)
        if float(submitted.mean()) < float(self.loss) - step:
            best = Ladder(submitted, _rounded(submitted))
            return best, Told(True, best.loss)
        return self, Told(False, self.loss)

    def to_bytes(self) -> bytes:
        """The state, to be kept where no submitter can read it."""
        numerator = round(self.loss * len(self.losses))
        counts = len(self.losses).to_bytes(_COUNT, "little") + numerator.to_bytes(_COUNT, "little")
        return _MAGIC + counts + zlib.compress(self.losses.astype("<f8").tobytes(), 1)

    @classmethod
    def from_bytes(cls, stored: bytes) -> Ladder:
        """The state that `to_bytes` gave.

        Raises:
            IntegrityError: These are other bytes.
        """
        start = len(_MAGIC)
        n = int.from_bytes(stored[start : start + _COUNT], "little")
        told = int.from_bytes(stored[start + _COUNT : start + 2 * _COUNT], "little")
        try:
            if not stored.startswith(_MAGIC):
                raise InvalidInputError("They do not begin as one")
            stream = zlib.decompressobj()
            unpacked = stream.decompress(stored[start + 2 * _COUNT :], 8 * n + 1)
            if not stream.eof or stream.unused_data:
                raise InvalidInputError("They are cut off, or go on after the end")
            ladder = cls.start(np.frombuffer(unpacked, dtype="<f8"))
            if ladder.loss != Fraction(told, max(n, 1)) or len(ladder.losses) != n:
                raise InvalidInputError("Their parts do not fit together")
        except (ValueError, zlib.error) as problem:
            raise IntegrityError(f"Not the state of a ladder: {problem}") from problem
        return ladder

    def __repr__(self) -> str:
        return f"Ladder(rows={len(self.losses)}, loss={self.loss})"


def _losses(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    losses = np.array(values, dtype=np.float64)
    if losses.ndim != 1 or len(losses) < 2:
        raise InvalidInputError(f"A ladder needs one loss for each of two rows or more, got {losses.shape}")
    if not ((losses >= 0) & (losses <= 1)).all():
        raise InvalidInputError(
            "Losses lie in [0, 1]", hint="Scale them, or score each row as right or wrong."
        )
    losses.setflags(write=False)
    return losses


def _rounded(losses: npt.NDArray[np.float64]) -> Fraction:
    """The mean to the nearest multiple of 1 / n."""
    return Fraction(round(float(losses.sum())), len(losses))
