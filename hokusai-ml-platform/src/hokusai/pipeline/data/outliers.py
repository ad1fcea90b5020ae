"""Which share of a number column lies far outside of the rest, by a rule that the outliers themselves cannot bend.

Mean and standard deviation move with the very values that they should expose; the median and the median absolute
deviation (MAD) do not, up to half of the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hokusai.pipeline.data.number_bins import weighted_quantiles

if TYPE_CHECKING:
    from hokusai.pipeline.data.number_bins import NumberBins

LIMIT = 3.5
LEAST_VALUES = 30
_MAD_OF_A_NORMAL = 0.6745


@dataclass(frozen=True, slots=True)
class Outliers:
    """Values far outside of the rest.

    Attributes:
        values: Values looked at.
        outlying: Those whose modified z-score is beyond 3.5.
        low: The least value that is not outlying.
        high: The greatest one.
    """

    values: int
    outlying: int
    low: float
    high: float


def find_outliers(bins: NumberBins) -> Outliers | None:
    """Count values whose modified z-score, 0.6745 (x - median) / MAD, is beyond 3.5 in size.

    Values are taken as their bins have them, up to 0.1 % too near to zero.

    Returns:
        None for fewer than 30 values, and where more than half of them are equal: then MAD is zero, and no scale can be
        told.

    References:
        Iglewicz and Hoaglin (1993), How to Detect and Handle Outliers, ASQC Quality Press, section 4.
    """
    import numpy as np

    values, counts = bins.points()
    total = int(counts.sum())
    if total < LEAST_VALUES:
        return None
    (median,) = weighted_quantiles(values, counts, [0.5])
    distances = np.abs(values - median)
    order = np.argsort(distances, kind="stable")
    (mad,) = weighted_quantiles(distances[order], counts[order], [0.5])
    if mad == 0.0:
        return None
    within = _MAD_OF_A_NORMAL * distances / mad <= LIMIT
    return Outliers(
        total, int(counts[~within].sum()), float(values[within].min()), float(values[within].max())
    )
