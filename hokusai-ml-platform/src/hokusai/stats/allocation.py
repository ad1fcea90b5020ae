"""Who is credited with how much of an improvement: values with their uncertainty, and whole basis points.

Two things are kept apart. A contributor's *value* is his part of the gain, measured, with a standard error over
retraining seeds, benchmark rows and sampled orders. His *weight* is what he is paid: nothing where his value may be
noise or harm, and of the rest in proportion, in basis points that sum to exactly 10,000. Whether anything is paid at
all is another question, which `hokusai.stats.decide` answers.

>>> from hokusai.domain.contribution import Contributor
>>> told = attribute(
...     [Contributor("a"), Contributor("b")],
...     {(0,): Gain((0.020, 0.021, 0.022)), (1,): Gain((0.002, -0.001, 0.0)), (0, 1): Gain((0.021, 0.020, 0.022))},
...     rows=[500, 500],
... )
>>> [(credit.contributor.contributor_id, credit.weight_bps, credit.unpaid) for credit in told.credits]
[('a', 10000, ''), ('b', 0, 'what the data is worth cannot be told from zero')]
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hokusai.domain.attribution import Attribution, AttributionMethod, Credit
from hokusai.domain.contribution import Contributor
from hokusai.domain.delta import Interval
from hokusai.errors import InvalidInputError
from hokusai.stats.coalitions import (
    EXACT_UP_TO,
    PERMUTATIONS,
    Coalition,
    SampledShapley,
    Weights,
    apply,
    coalitions,
    exact_shapley,
    leave_one_out,
    leave_one_out_weights,
    monte_carlo_shapley,
    proportional,
    proportional_weights,
    shapley_method,
    shapley_weights,
    shapley_weights_with_last,
)
from hokusai.stats.payment import LESS_THAN_A_POINT, MOST_PAID, Worth, basis_points, pay
from hokusai.stats.student_t import t_critical_value, welch_satterthwaite
from hokusai.stats.wald import critical_value, stand_in_error

__all__ = [
    "EXACT_UP_TO",
    "MOST_PAID",
    "Coalition",
    "Gain",
    "SampledShapley",
    "attribute",
    "basis_points",
    "coalitions",
    "exact_shapley",
    "leave_one_out",
    "monte_carlo_shapley",
    "proportional",
    "shapley_method",
]

_NO_SPREAD = 1e-9

Array = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True, eq=False)
class Gain:
    """What a coalition achieves: the gain of the model trained on its data over the baseline model.

    Attributes:
        per_seed: The gain for each seed with which the model was trained, a fraction; the seeds in the same order for
            every coalition.
        influence: (n_rows,) influence of each benchmark row on the gain, averaged over the seeds, as
            `hokusai.stats.measured` defines it; float32 will do. Where rows belong to units (users, documents): one
            number for each unit, the sum of its rows' influences times n_units / n_rows. None if it is not known.
    """

    per_seed: tuple[float, ...]
    influence: Array | None = None


def attribute(
    contributors: Sequence[Contributor],
    values: Mapping[Coalition, Gain],
    *,
    rows: Sequence[int],
    method: AttributionMethod | None = None,
    confidence: float = 0.95,
    permutations: int = PERMUTATIONS,
    tolerance: float = 0.0,
    seed: int = 0,
) -> Attribution:
    """Share one gain out among those who contributed.

    Nothing is paid where the interval of a value covers zero, nor, for a measured value, where nothing shows its
    noise: it takes two seeds that differ, or the influences of the benchmark's rows.

    Whose data surely does harm joins last, where every coalition was measured: else whoever dilutes the harm would be
    paid for that, and two accomplices could take from the honest.

    Args:
        contributors: Each once, in the order in which they contributed.
        values: The gain of each of `coalitions(...)`, by positions among `contributors`; `()` too if it was measured.
            A mapping that fetches a gain when it is asked for will do.
        rows: The rows of each that were used; what others gave before is not counted again. Who has none takes no part.
        method: By default exact Shapley values for up to 10 contributors with rows, and sampled ones beyond.
        confidence: Coverage of the intervals.
        permutations: Orders to sample, for `SHAPLEY_MONTE_CARLO`; as it was given to `coalitions`.
        tolerance: As in `monte_carlo_shapley`.
        seed: What orders are sampled by; as it was given to `coalitions`.

    Raises:
        InvalidInputError: Nobody has rows, somebody stands there twice, a coalition's gain is missing or not finite,
            or the coalitions differ in their seeds or rows.
    """
    critical_value(confidence)
    everybody = _players(contributors, rows)
    method = method or shapley_method(len(everybody))
    sampled = None
    match method:
        case AttributionMethod.SHAPLEY:
            weights = shapley_weights(everybody)
        case AttributionMethod.SHAPLEY_MONTE_CARLO:
            sampled = monte_carlo_shapley(
                lambda coalition: _mean(_gain(values, coalition).per_seed),
                everybody,
                permutations=permutations,
                tolerance=tolerance,
                seed=seed,
            )
            weights = sampled.weights
        case AttributionMethod.LEAVE_ONE_OUT:
            weights = leave_one_out_weights(everybody)
        case AttributionMethod.PROPORTIONAL:
            weights = proportional_weights(everybody, [rows[player] for player in everybody])
    found = dict(zip(everybody, _estimates(weights, values, confidence, sampled), strict=True))
    evaluations = len(weights) - (() in weights)
    harmful = _harmful(found) if method is AttributionMethod.SHAPLEY else ()
    while harmful and len(harmful) < len(everybody):
        weights = shapley_weights_with_last(everybody, harmful)
        found = dict(zip(everybody, _estimates(weights, values, confidence, sampled), strict=True))
        more = tuple(sorted({*harmful, *_harmful(found)}))
        if more == harmful:
            break
        harmful = more
    estimates = [found.get(i, _Estimate(0.0, None, None)) for i in range(len(contributors))]
    worths = [
        Worth(who.contributor_id, of.value, of.interval, count)
        for who, of, count in zip(contributors, estimates, rows, strict=True)
    ]
    shared = tuple(
        Credit(who, of.value, of.standard_error, of.interval, weight_bps, count, unpaid)
        for who, of, count, (weight_bps, unpaid) in zip(
            contributors, estimates, rows, pay(worths, method), strict=True
        )
    )
    return Attribution(
        method=method,
        gain=_mean(_gain(values, everybody).per_seed) - _mean(_gain(values, ()).per_seed),
        credits=shared,
        seeds=len(_gain(values, everybody).per_seed),
        evaluations=evaluations,
        sampling_error=max(sampled.standard_errors) if sampled else None,
        without=_mean(_gain(values, ()).per_seed) if () in values else None,
        note=_note(
            values,
            everybody,
            shared,
            [contributors[i].contributor_id for i in harmful],
            [contributors[i].contributor_id for i in (sampled.unmeasured if sampled else ())],
        ),
    )


@dataclass(frozen=True, slots=True)
class _Estimate:
    value: float
    standard_error: float | None
    interval: Interval | None


def _harmful(found: Mapping[int, _Estimate]) -> Coalition:
    """Whose value is below zero for sure."""
    return tuple(sorted(i for i, of in found.items() if of.interval is not None and of.interval.high < 0))


def _players(contributors: Sequence[Contributor], rows: Sequence[int]) -> Coalition:
    """The positions of those who have rows."""
    if len(contributors) != len(rows) or any(count < 0 for count in rows):
        raise InvalidInputError(
            f"Each contributor has a number of rows; got {len(contributors)} contributors and {list(rows)[:20]}"
        )
    ids = [contributor.contributor_id for contributor in contributors]
    twice = next((one for one in ids if ids.count(one) > 1), None)
    if twice is not None:
        raise InvalidInputError(
            f"{twice!r} stands among the contributors twice", hint="Give each once, with all his rows."
        )
    everybody = tuple(i for i, count in enumerate(rows) if count)
    if not everybody:
        raise InvalidInputError("No contributor has a row that was used, so there is nobody to credit")
    return everybody


def _gain(values: Mapping[Coalition, Gain], coalition: Coalition) -> Gain:
    """The gain of a coalition; 0 for the empty one unless it was measured."""
    gain = values.get(coalition)
    if gain is None and coalition == ():
        return Gain((0.0,))
    if gain is None or not gain.per_seed or not all(map(math.isfinite, gain.per_seed)):
        what = "was not measured" if gain is None else "is not one finite number for each seed"
        raise InvalidInputError(f"The gain of coalition {coalition} {what}", where="values")
    return gain


def _mean(numbers: Sequence[float]) -> float:
    return math.fsum(numbers) / len(numbers)


def _estimates(
    weights: Weights,
    values: Mapping[Coalition, Gain],
    confidence: float,
    sampled: SampledShapley | None,
) -> list[_Estimate]:
    """The value of each player with its error: of seeds, of benchmark rows, and of sampled orders.

    The three add up: given the seeds, the rows' influences tell the variance that the rows cause; the spread over seeds
    tells what the seeds cause, and a little of what both do, so that the sum is rather too large than too small.
    """
    gains = {coalition: _gain(values, coalition) for coalition in weights if coalition or () in values}
    n_seeds, n_rows = _shape(gains)
    by_seed = [
        apply(weights, {coalition: gain.per_seed[s] for coalition, gain in gains.items()})
        for s in range(n_seeds)
    ]
    row_errors = _row_errors(weights, gains, n_rows) if n_rows else None
    estimates = []
    for i, own in enumerate(zip(*by_seed, strict=True)):
        value = _mean(own)
        parts: list[tuple[float, float]] = []
        if row_errors is not None:
            error = row_errors[i]
            if value and error <= _NO_SPREAD * abs(value):  # the same in every row that shows it
                error = stand_in_error(value, 1)
            parts.append((error**2, max(n_rows - 1, 1)))
        if n_seeds > 1:
            spread = math.fsum((one - value) ** 2 for one in own) / (n_seeds - 1) / n_seeds
            if math.sqrt(spread) > _NO_SPREAD * abs(value):  # below, it is rounding
                parts.append((spread, n_seeds - 1))
        if not parts:
            estimates.append(_Estimate(value, None, None))
            continue
        untrained = 0.0
        if sampled is not None:
            parts.append((sampled.standard_errors[i] ** 2, sampled.orders / 2 - 1))
            untrained = abs(sampled.untrained[i])
        standard_error = math.sqrt(math.fsum(variance for variance, _ in parts))
        half_width = t_critical_value(confidence, welch_satterthwaite(parts)) * standard_error + untrained
        estimates.append(
            _Estimate(value, standard_error, Interval(value - half_width, value + half_width, confidence))
        )
    return estimates


def _shape(gains: Mapping[Coalition, Gain]) -> tuple[int, int]:
    """(number of seeds, number of rows) that all coalitions agree on; no rows where the influences are not known."""
    first = next(iter(gains.values()))
    shape = (len(first.per_seed), 0 if first.influence is None else len(first.influence))
    for coalition, gain in gains.items():
        own = (len(gain.per_seed), 0 if gain.influence is None else len(gain.influence))
        if own != shape:
            raise InvalidInputError(
                f"Coalitions are measured on the same rows with the same seeds: {coalition} has {own[0]} seeds and "
                f"{own[1]} influences, another {shape[0]} and {shape[1]}",
                where="values",
            )
        if gain.influence is not None and not np.isfinite(gain.influence).all():
            raise InvalidInputError(f"An influence on the gain of {coalition} is not finite", where="values")
    return shape


def _row_errors(weights: Weights, gains: Mapping[Coalition, Gain], n_rows: int) -> list[float]:
    """The standard error of each player's value over benchmark rows.

    The influence of a row on a weighted sum of gains is the weighted sum of its influences on each.
    """
    influence = np.zeros((len(next(iter(weights.values()))), n_rows))
    for coalition, gain in gains.items():
        factors = np.asarray(weights[coalition], dtype=np.float64)
        for player in np.flatnonzero(factors):
            influence[player] += factors[player] * np.asarray(gain.influence)
    return [math.sqrt(float(np.square(one).sum())) / n_rows for one in influence]


def _note(
    values: Mapping[Coalition, Gain],
    everybody: Coalition,
    shared: Sequence[Credit],
    harmful: Sequence[str],
    unmeasured: Sequence[str],
) -> str:
    """What a reader has to know."""
    gain = _gain(values, everybody)
    again = _mean(_gain(values, ()).per_seed)
    told = []
    if len(gain.per_seed) == 1:
        told.append("Each model was trained once: the intervals leave out what another seed would change")
    if gain.influence is None:
        told.append("The intervals leave out what other benchmark rows would change")
    if again:
        told.append(f"Training without any contribution gains {again:+.6f}, which is nobody's")
    if harmful:
        names = ", ".join(map(repr, harmful))
        told.append(
            f"The data of {names} does harm, so that it joins after all others', who are not paid for that"
        )
    if unmeasured:
        names = ", ".join(map(repr, unmeasured))
        told.append(
            f"No model shows what {names} added: in every sampled order the gain was reached before, and what was left "
            "was split evenly; more orders would tell"
        )
    equals: dict[float, dict[str, int]] = {}
    for credit in shared:
        if credit.unpaid in ("", LESS_THAN_A_POINT):
            equals.setdefault(credit.value, {})[credit.contributor.contributor_id] = credit.weight_bps
    for _, points in sorted(equals.items()):
        if len(set(points.values())) > 1:
            names = ", ".join(repr(name) for name in sorted(points))
            told.append(
                f"{names} are worth the same: of what cannot be split, the first by name have a basis point more"
            )
    return ". ".join(told)
