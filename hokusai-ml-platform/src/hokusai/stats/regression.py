"""RMSE, MAE and R2 of two regressors on the same rows, with the influence of each row on their change.

Errors in units of the target have no natural fraction: their gain is the share of the baseline's error that
the new model removes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hokusai.domain.metrics import METRICS
from hokusai.errors import InvalidInputError
from hokusai.stats.measured import FloatArray, Measured, is_spread, share
from hokusai.stats.wald import stand_in_error

NO_BASELINE_ERROR_GAIN = -1.0
"""The gain where the baseline made no error at all and the new model does: as bad as losing everything."""


def measure_regression(
    target: FloatArray, baseline: FloatArray, new: FloatArray, names: Sequence[str]
) -> list[Measured]:
    """The regression metrics called `names`.

    Args:
        target: (n_rows,) true values.
        baseline: (n_rows,) the baseline model's predictions.
        new: (n_rows,) the new model's predictions.
        names: Any of rmse, mae, r2; r2 needs a target that varies.

    Raises:
        InvalidInputError: The errors are too large to be squared.

    Influence functions, with e a row's error, M the mean square error and V the target's variance (divisor
    n), by the delta method (van der Vaart 1998, "Asymptotic Statistics", section 3.1): MAE |e| - MAE; RMSE
    (e^2 - M) / (2 RMSE), and 0 where RMSE is 0; R2 -(e^2 - M) / V + M ((y - mean y)^2 - V) / V^2.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        old_error, new_error = np.abs(target - baseline), np.abs(target - new)
        old_square, new_square = np.square(old_error), np.square(new_error)
        squares = np.square(target - target.mean())
        old_mean, new_mean = float(old_square.mean()), float(new_square.mean())
        variance = float(squares.mean())
        if not np.isfinite([old_mean, new_mean, variance]).all():
            raise InvalidInputError(
                "The squared errors or targets overflow a double",
                hint="Scale the target, or look for outliers.",
            )
    changed = int(np.count_nonzero(old_error != new_error))
    found = []
    if "rmse" in names:
        values = float(np.sqrt(old_mean)), float(np.sqrt(new_mean))
        influences = _root(old_square, old_mean), _root(new_square, new_mean)
        found.append(_target_units("rmse", values, influences, changed))
    if "mae" in names:
        values = float(old_error.mean()), float(new_error.mean())
        found.append(_target_units("mae", values, (old_error - values[0], new_error - values[1]), changed))
    if "r2" in names:
        shares = tuple(
            ((squares - variance) * (mean / variance) - (square - mean)) / variance
            for square, mean in ((old_square, old_mean), (new_square, new_mean))
        )
        values = 1.0 - old_mean / variance, 1.0 - new_mean / variance
        influence = shares[1] - shares[0]
        unestimated = _unestimated(influence, values[1] - values[0], changed)
        found.append(share("r2", values, influence, unestimated=unestimated))
    return [replace(measured, discordance=changed / len(target)) for measured in found]


def _root(square: FloatArray, mean: float) -> FloatArray:
    return (square - mean) / (2 * np.sqrt(mean)) if mean else np.zeros_like(square)


def _target_units(
    name: str,
    values: tuple[float, float],
    influences: tuple[FloatArray, FloatArray],
    changed: int,
) -> Measured:
    """A lower-is-better metric in target units.

    With b and a the baseline's and the new value, the gain is (b - a) / b, and its influence by the delta
    method ((a / b) i_b - i_a) / b.
    """
    (old, new), (old_influence, new_influence) = values, influences
    influence = new_influence - old_influence
    caveat = ""
    if old:
        gain = (old - new) / old
        gain_influence = (old_influence * (new / old) - new_influence) / old
    else:
        gain = NO_BASELINE_ERROR_GAIN if new else 0.0
        gain_influence = np.zeros_like(influence)
        if gain:
            caveat = (
                f"{name}: the baseline model makes no error on the benchmark, so that a relative change does "
                f"not exist; the gain is set to {gain:g}"
            )
    return Measured(
        metric=METRICS[name],
        baseline=old,
        new=new,
        exact=None,
        influence=influence,
        gain=gain,
        gain_influence=gain_influence,
        unestimated=_unestimated(influence, new - old, changed),
        gain_unestimated=_unestimated(gain_influence, gain, changed),
        caveat=caveat,
    )


def _unestimated(influence: FloatArray, change: float, changed: int) -> float:
    """Standard error of a change that is the same in every row, of which the influences say nothing."""
    return 0.0 if not change or is_spread(influence, change) else stand_in_error(change, changed)
