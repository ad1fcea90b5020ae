"""Whether probabilities mean what they say: of all rows that a model gives .8, four out of five should be right.

Nothing in here makes sense of scores that are no probabilities; `are_probabilities` tells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hokusai.domain.delta import Interval
from hokusai.domain.seeds import derive_seed
from hokusai.errors import InvalidInputError
from hokusai.stats.measured import FloatArray, IntArray
from hokusai.stats.one_model import wilson

BINS = 10
_RESAMPLES = 200
_SUMS_TO_ONE = 1e-3


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """The rows whose probability lies in [low, high), the last bin closed.

    Attributes:
        low, high: Its borders.
        n_rows: Rows in it.
        forecast: Mean probability of its rows.
        observed: Share of its rows in which it came true.
        interval: Wilson's, of `observed`.
    """

    low: float
    high: float
    n_rows: int
    forecast: float
    observed: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class Calibration:
    """How far probabilities are from what came true.

    Attributes:
        event: What the bins are about: the second of two classes, or "the predicted class is right".
        bins: The bins that hold rows.
        ece: Expected calibration error: mean over rows of |observed - forecast| of their bins.
        mce: The largest |observed - forecast| of a bin.
        ece_if_calibrated: What `ece` would be on average if the probabilities were exactly right, for it is never 0.
        p_value: Of "the probabilities are exactly right", by `ece`.
        brier: Mean squared error of the probabilities, summed over the classes but the first where there are two.
        brier_error: Standard error of `brier`.
        reliability, resolution, uncertainty, within: brier = reliability - resolution + uncertainty + within, exactly.
        n_rows: Number of rows.
    """

    event: str
    bins: tuple[ReliabilityBin, ...]
    ece: float
    mce: float
    ece_if_calibrated: float
    p_value: float
    brier: float
    brier_error: float
    reliability: float
    resolution: float
    uncertainty: float
    within: float
    n_rows: int


def are_probabilities(scores: npt.ArrayLike) -> bool:
    """Whether (n_rows,) scores lie in [0, 1], or the rows of (n_rows, n_classes) also sum to 1."""
    table = np.asarray(scores, dtype=np.float64)
    if not table.size or not np.isfinite(table).all() or table.min() < 0 or table.max() > 1:
        return False
    return table.ndim == 1 or bool(np.abs(table.sum(axis=1) - 1).max() <= _SUMS_TO_ONE)


def calibration(
    labels: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    *,
    classes: tuple[str, ...],
    bins: int = BINS,
    confidence: float = 0.95,
    seed: int = 0,
) -> Calibration:
    """How far probabilities are from what came true.

    With two classes the bins are of the second one's probability. With more they are of the largest probability of
    each row, held against whether that class is the right one; the Brier score and its parts are summed over classes.

    Args:
        labels: (n_rows,) indexes into `classes`.
        probabilities: (n_rows,) of the second of two classes, or (n_rows, n_classes).
        classes: All classes.
        bins: Number of bins of equal width over [0, 1].
        confidence: Of the bins' intervals.
        seed: For the draws behind `p_value`.

    Raises:
        InvalidInputError: They are no probabilities, or there is no row.

    Source: ECE and MCE: Naeini, Cooper, Hauskrecht (2015), "Obtaining Well Calibrated Probabilities Using Bayesian
    Binning", AAAI 29; by the predicted class: Guo, Pleiss, Sun, Weinberger (2017), "On Calibration of Modern Neural
    Networks", ICML 34. Draws of what would come true: Bröcker and Smith (2007), "Increasing the Reliability of
    Reliability Diagrams", Weather and Forecasting 22:651-661. Brier (1950), Monthly Weather Review 78:1-3; its parts:
    Murphy (1973), Journal of Applied Meteorology 12:595-600, with what the bins hide: Stephenson, Coelho, Jolliffe
    (2008), Weather and Forecasting 23:752-757.

    >>> found = calibration([0, 1, 1, 1], [0.25, 0.75, 0.75, 0.75], classes=("no", "yes"), bins=2)
    >>> found.ece, found.brier, found.bins[1].observed
    (0.25, 0.0625, 1.0)
    """
    truth = np.asarray(labels)
    table = np.asarray(probabilities, dtype=np.float64)
    if bins < 1 or not len(table) or len(table) != len(truth):
        raise InvalidInputError(
            f"Calibration needs rows and bins, got {len(truth)} labels, {len(table)} probabilities, {bins} bins"
        )
    if not are_probabilities(table):
        raise InvalidInputError(
            "The scores are no probabilities",
            hint="Calibration needs numbers in [0, 1] that sum to 1 over the classes.",
        )
    if table.ndim == 2 and len(classes) == 2:
        table = table[:, 1]
    if table.ndim == 1:
        event, forecast, came_true = classes[1], table, (truth == 1).astype(np.float64)
        forecasts, outcomes = table[:, None], came_true[:, None]
    else:
        event, forecast = "the predicted class is right", table.max(axis=1)
        came_true = (table.argmax(axis=1) == truth).astype(np.float64)
        forecasts, outcomes = table, np.eye(len(classes))[truth]
    place = _places(forecast, bins)
    of_bins = _bins(forecast, came_true, place, bins, confidence)
    gaps = np.array([abs(one.observed - one.forecast) for one in of_bins])
    sizes = np.array([one.n_rows for one in of_bins])
    ece = float(gaps @ sizes / len(truth))
    drawn = _drawn_errors(forecast, place, bins, seed)
    squares = np.square(forecasts - outcomes).sum(axis=1)
    parts = np.array([_parts(p, y, bins) for p, y in zip(forecasts.T, outcomes.T, strict=True)]).sum(axis=0)
    return Calibration(
        event=event,
        bins=of_bins,
        ece=ece,
        mce=float(gaps.max()),
        ece_if_calibrated=float(drawn.mean()),
        p_value=float((np.count_nonzero(drawn >= ece - 1e-12) + 1) / (len(drawn) + 1)),
        brier=float(squares.mean()),
        brier_error=float(squares.std(ddof=1) / np.sqrt(len(squares))) if len(squares) > 1 else 0.0,
        reliability=float(parts[0]),
        resolution=float(parts[1]),
        uncertainty=float(parts[2]),
        within=float(parts[3]),
        n_rows=len(truth),
    )


def row_brier(labels: npt.ArrayLike, probabilities: npt.ArrayLike, n_classes: int) -> FloatArray:
    """(n_rows,) each row's part in the Brier score, as `calibration` defines it."""
    truth, table = np.asarray(labels), np.asarray(probabilities, dtype=np.float64)
    if table.ndim == 1:
        alone: FloatArray = np.square(table - (truth == 1))
        return alone
    found: FloatArray = np.square(table - np.eye(n_classes)[truth]).sum(axis=1)
    return found if n_classes > 2 else found / 2


def _places(forecast: FloatArray, bins: int) -> IntArray:
    return np.minimum((forecast * bins).astype(np.int64), bins - 1)


def _bins(
    forecast: FloatArray, came_true: FloatArray, place: IntArray, bins: int, confidence: float
) -> tuple[ReliabilityBin, ...]:
    rows = np.bincount(place, minlength=bins)
    said = np.bincount(place, weights=forecast, minlength=bins)
    seen = np.bincount(place, weights=came_true, minlength=bins)
    return tuple(
        ReliabilityBin(
            low=k / bins,
            high=(k + 1) / bins,
            n_rows=int(rows[k]),
            forecast=float(said[k] / rows[k]),
            observed=float(seen[k] / rows[k]),
            interval=wilson(float(seen[k] / rows[k]), int(rows[k]), confidence),
        )
        for k in np.flatnonzero(rows).tolist()
    )


def _drawn_errors(forecast: FloatArray, place: IntArray, bins: int, seed: int) -> FloatArray:
    """(n_draws,) expected calibration errors where every row comes true with its own probability."""
    rng = np.random.default_rng(derive_seed(seed, "calibration", "outcomes"))
    n = len(forecast)
    said = np.bincount(place, weights=forecast, minlength=bins)
    found = np.empty(_RESAMPLES)
    for k in range(_RESAMPLES):
        came_true = rng.random(n) < forecast
        found[k] = np.abs(np.bincount(place, weights=came_true, minlength=bins) - said).sum() / n
    return found


def _parts(forecast: FloatArray, came_true: FloatArray, bins: int) -> tuple[float, float, float, float]:
    """Reliability, resolution, uncertainty, and what forecasts that differ within a bin add."""
    place = _places(forecast, bins)
    rows = np.bincount(place, minlength=bins)
    filled = np.maximum(rows, 1)
    said = np.bincount(place, weights=forecast, minlength=bins) / filled
    seen = np.bincount(place, weights=came_true, minlength=bins) / filled
    share, base = rows / len(forecast), float(came_true.mean())
    apart_said, apart_seen = forecast - said[place], came_true - seen[place]
    return (
        float(share @ np.square(said - seen)),
        float(share @ np.square(seen - base)),
        base * (1 - base),
        float(np.mean(np.square(apart_said) - 2 * apart_said * apart_seen)),
    )
