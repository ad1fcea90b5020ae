"""Two models by any number that each of them gets in each row: revenue, a rating, a scorer of one's own.

What is compared is the mean over the rows. Which test suits depends on the kind of number; the same rows stand behind
both models, so that every test is a paired one, and what comes out is a `MetricDelta` like that of any metric.
"""

from __future__ import annotations

import math
from dataclasses import replace
from enum import StrEnum
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from hokusai.domain.delta import BY_UNITS, MetricDelta
from hokusai.domain.metrics import MetricSpec, Scale
from hokusai.domain.seeds import derive_seed
from hokusai.errors import InvalidInputError
from hokusai.stats.bootstrap import RESAMPLES, Replicates, acceleration, paired_bootstrap
from hokusai.stats.clusters import Units, by_units, sign_flip_mid_p
from hokusai.stats.inputs import numbers, same_length
from hokusai.stats.mcnemar import mcnemar_mid_p
from hokusai.stats.measured import FloatArray, Measured, is_spread
from hokusai.stats.wald import stand_in_error

_ALL_SIGNS_UP_TO = 13
_DRAWS_AT_ONCE = 1 << 22
_MOST_DRAWS = 50_000_000
_ROUNDING = 1e-12


class OutcomeKind(StrEnum):
    """What kind of number an outcome is, and so how it is tested."""

    PROPORTION = "proportion"
    """0 or 1 in each row: McNemar's mid-p test."""
    CONTINUOUS = "continuous"
    """Student's paired t."""
    ZERO_INFLATED = "zero_inflated"
    """Mostly 0, and now and then large: all signs flipped or ten thousand of them drawn, and a BCa interval; with
    more than 5,000 rows that changed Student's t, which is as good then."""
    ORDINAL = "ordinal"
    """Only the order means anything, as of ratings: Wilcoxon's signed ranks, ties by midranks, mid-p."""


def compare_outcomes(
    baseline: npt.ArrayLike,
    new: npt.ArrayLike,
    metric: MetricSpec,
    *,
    kind: OutcomeKind | None = None,
    confidence: float = 0.95,
    units: npt.ArrayLike | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> MetricDelta:
    """Compare the mean outcome of two models.

    Args:
        baseline: (n_rows,) the outcome of the baseline model in each row.
        new: (n_rows,) that of the new model in the same rows.
        metric: Name, direction and scale of the outcome. On the scale `TARGET_UNITS` the gain is the change relative
            to the baseline's mean.
        kind: By default a proportion where all values are 0 or 1, zero-inflated where both outcomes are 0 in most
            rows, else continuous; ordinal has to be said.
        confidence: Coverage of the interval of the mean change.
        units: (n_rows,) name or number of each row's unit, where rows of one unit depend on each other.
        resamples: Of a zero-inflated outcome.
        seed: Of the same.

    Raises:
        InvalidInputError: Arrays that do not fit together, no rows, values that are not finite, a proportion with
            other values than 0 and 1, or a metric that is only a name.

    Source: Student (1908), "The Probable Error of a Mean", Biometrika 6:1-25; Wilcoxon (1945), "Individual
    Comparisons by Ranking Methods", Biometrics Bulletin 1:80-83; Fisher (1935), "The Design of Experiments", section
    21, for the signs; Phipson and Smyth (2010), "Permutation P-values Should Never Be Zero", SAGMB 9:39.

    >>> from hokusai.domain.metrics import Task
    >>> hours = MetricSpec("extra_sleep", Task.REGRESSION, True, Scale.SHARE)
    >>> found = compare_outcomes([0.7, -1.6, -0.2, -1.2, -0.1], [1.9, 0.8, 1.1, 0.1, -0.1], hours)
    >>> found.method, round(found.gain, 2), found.p_value < 0.05
    ('paired-t', 1.24, True)
    """
    if not isinstance(metric, MetricSpec):
        raise InvalidInputError(
            f"A name does not say in which direction an outcome is better: {metric!r}",
            where="metric",
            hint="Give a MetricSpec: name, task, whether higher is better, and scale, as in "
            'MetricSpec("revenue", Task.REGRESSION, True, Scale.TARGET_UNITS) of hokusai.domain.metrics.',
        )
    arrays = {"baseline": numbers("baseline", baseline), "new": numbers("new", new)}
    n_rows = same_length(arrays)
    old, now = arrays.values()
    chosen = kind or _kind(old, now)
    groups = None if units is None else Units.parse(units, n_rows)
    difference = now - old
    if chosen is OutcomeKind.PROPORTION:
        measured, signs = _proportion(metric, old, now), np.rint(difference).astype(np.int64)
        return (measured if groups is None else by_units(measured, groups, signs)).delta(confidence)
    measured = _mean(metric, old, now)
    if groups is not None:
        measured = by_units(measured, groups)
    if chosen is OutcomeKind.ORDINAL:
        ranks = _of_units(_twice_signed_ranks(difference), groups)
        p_value = sign_flip_mid_p(np.rint(ranks))
        return replace(measured, method=_named("wilcoxon-signed-rank", groups), p_value=p_value).delta(
            confidence
        )
    changed = int(np.count_nonzero(difference))
    if chosen is OutcomeKind.ZERO_INFLATED and changed * resamples <= _MOST_DRAWS:
        p_value = _sign_flip_p(_of_units(difference, groups), resamples, seed)
        delta = replace(measured, method=_named("sign-flip", groups), p_value=p_value).delta(confidence)
        return replace(
            delta,
            interval=_resampled(difference, groups, resamples, seed, metric.name).bca(
                metric.name, confidence
            ),
        )
    return measured.delta(confidence)


def rank_biserial(baseline: npt.ArrayLike, new: npt.ArrayLike) -> float:
    """The share of signed ranks in favour of larger new outcomes minus that of smaller ones, in [-1, 1].

    An effect size to stand beside Wilcoxon's test; rows without a difference are left out, and 0 if all are.

    Source: Kerby (2014), "The Simple Difference Formula", Comprehensive Psychology 3:11.IT.3.1.

    >>> rank_biserial([1, 2, 3, 4], [2, 4, 2, 8])  # ranks 1.5, 3 and 4 for, 1.5 against, of 10
    0.7
    """
    ranks = _twice_signed_ranks(numbers("new", new) - numbers("baseline", baseline))
    whole = float(np.abs(ranks).sum())
    return float(ranks.sum()) / whole if whole else 0.0


def _kind(old: FloatArray, new: FloatArray) -> OutcomeKind:
    if all(np.isin(values, (0.0, 1.0)).all() for values in (old, new)):
        return OutcomeKind.PROPORTION
    mostly_zero = np.count_nonzero((old == 0) & (new == 0)) * 2 > len(old)
    return OutcomeKind.ZERO_INFLATED if mostly_zero else OutcomeKind.CONTINUOUS


def _proportion(metric: MetricSpec, old: FloatArray, new: FloatArray) -> Measured:
    if not all(np.isin(values, (0.0, 1.0)).all() for values in (old, new)):
        raise InvalidInputError(
            f"{metric.name} is a proportion and holds other values than 0 and 1",
            hint="Choose another kind of outcome, such as continuous.",
        )
    n_rows = len(old)
    exact = Fraction(int(old.sum()), n_rows), Fraction(int(new.sum()), n_rows)
    lost, won = int(np.count_nonzero(old > new)), int(np.count_nonzero(new > old))
    influence = (new - old) - (won - lost) / n_rows
    unestimated = stand_in_error(1.0, n_rows) if n_rows in (won, lost) else 0.0
    measured = _measured(metric, (float(exact[0]), float(exact[1])), influence, unestimated, won + lost)
    return replace(measured, exact=exact, method="mcnemar-mid-p", p_value=mcnemar_mid_p(lost, won))


def _mean(metric: MetricSpec, old: FloatArray, new: FloatArray) -> Measured:
    """The mean change, with Student's standard error and degrees of freedom."""
    n_rows, difference = len(old), new - old
    change = float(difference.mean())
    changed = int(np.count_nonzero(difference))
    influence = (difference - change) * math.sqrt(n_rows / max(n_rows - 1, 1))
    known = not change or is_spread(influence, change)
    unestimated = 0.0 if known else stand_in_error(change, changed)
    measured = _measured(metric, (float(old.mean()), float(new.mean())), influence, unestimated, changed)
    return replace(measured, method="paired-t", freedom=max(n_rows - 1, 1) if known else None)


def _measured(
    metric: MetricSpec,
    values: tuple[float, float],
    influence: FloatArray,
    unestimated: float,
    changed: int,
) -> Measured:
    old, new = values
    change, unit = new - old, 1.0
    if metric.scale is Scale.TARGET_UNITS:
        unit = abs(old) or abs(change) or 1.0
    return Measured(
        metric=metric,
        baseline=old,
        new=new,
        exact=None,
        influence=influence,
        gain=metric.direction * change / unit,
        gain_influence=metric.direction * influence / unit,
        unestimated=unestimated,
        gain_unestimated=unestimated / unit,
        discordance=changed / len(influence),
    )


def _named(method: str, groups: Units | None) -> str:
    return method if groups is None else method + BY_UNITS


def _of_units(values: FloatArray, groups: Units | None) -> FloatArray:
    """(n_units,) sums, or the values themselves where each row is its own unit."""
    if groups is None:
        return values
    return np.bincount(groups.of_row, weights=values, minlength=groups.count).astype(np.float64)


def _twice_signed_ranks(difference: FloatArray) -> FloatArray:
    """(n_rows,) twice the midrank of each difference's size, with its sign: whole numbers; 0 for no difference."""
    sizes, place, times = np.unique(np.abs(difference), return_inverse=True, return_counts=True)
    times = np.where(sizes > 0, times, 0)
    twice = 2 * np.cumsum(times) - times + 1
    signed: FloatArray = np.sign(difference) * twice[place]
    return signed


def _sign_flip_p(sums: FloatArray, resamples: int, seed: int) -> float:
    """Two-sided p-value of "each sum goes either way alike": all signs where they are few, else drawn ones."""
    sizes = np.abs(sums[sums != 0])
    total, n = abs(float(sums.sum())), len(sizes)
    least = total - _ROUNDING * float(sizes.sum())
    if n <= _ALL_SIGNS_UP_TO:
        signs = 1 - 2 * (np.arange(1 << n)[:, None] >> np.arange(n) & 1)
        return float(np.mean(np.abs(signs @ sizes) >= least))
    rng = np.random.default_rng(derive_seed(seed, "outcomes", "signs"))
    at_once = max(1, _DRAWS_AT_ONCE // n)
    beyond = 0
    for start in range(0, resamples, at_once):
        flipped = rng.integers(0, 2, size=(min(at_once, resamples - start), n), dtype=np.int8)
        beyond += int(np.count_nonzero(np.abs(sizes.sum() - 2 * (flipped @ sizes)) >= least))
    return (beyond + 1) / (resamples + 1)


def _resampled(
    difference: FloatArray, groups: Units | None, resamples: int, seed: int, name: str
) -> Replicates:
    """The mean difference, resampled: over its distinct values, or over whole units."""
    if groups is not None:
        columns = difference[:, None]
        return paired_bootstrap(
            columns, lambda means: means, [name], units=groups.of_row, resamples=resamples, seed=seed
        )
    values, times = np.unique(difference, return_counts=True)
    order = np.argsort(-times, kind="stable")
    values, times = values[order], times[order]
    n_rows, total = len(difference), float(difference.sum())
    rng = np.random.default_rng(derive_seed(seed, "outcomes", "rows"))
    at_once = max(1, _DRAWS_AT_ONCE // len(values))
    parts = [
        rng.multinomial(n_rows, times / n_rows, size=min(at_once, resamples - start)) @ values / n_rows
        for start in range(0, resamples, at_once)
    ]
    left = (total - values[:, None]) / max(n_rows - 1, 1)
    return Replicates(
        names=(name,),
        changes=np.array([total / n_rows]),
        replicates=np.concatenate(parts)[:, None],
        acceleration=acceleration(left, times),
        seed=seed,
    )
