"""What contributors are worth by what coalitions of them achieve: Shapley values and the plainer rules.

Somebody trains a model on the data of each coalition and measures its gain over the baseline; what stands here says
which coalitions there are to train, and turns their gains into one value for each contributor. Every rule is *linear*
in the gains. That is what makes the values' uncertainty exact to have: whatever is known of a gain for each seed and
each benchmark row goes through the same weights.

A coalition is the sorted tuple of its contributors' positions. The empty one, `()`, is the model that is trained
without any contribution; its gain over the baseline is 0 unless it was measured.

>>> gains = {(0,): 0.5, (1,): 0.0, (0, 1): 0.75}
>>> exact_shapley(gains)
(0.625, 0.125)
>>> leave_one_out(gains)
(0.75, 0.25)
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from hokusai.domain.attribution import AttributionMethod
from hokusai.errors import InvalidInputError

Coalition = tuple[int, ...]
Weights = Mapping[Coalition, Sequence[float]]
"""A rule: how much of each coalition's gain enters each player's value."""

EXACT_UP_TO = 10
"""Most contributors for whom every coalition is trained: 1,023 of them."""
PERMUTATIONS = 200
"""Orders that are sampled beyond that, unless told otherwise."""


def shapley_method(n_players: int) -> AttributionMethod:
    """Exact where it can be."""
    if n_players <= EXACT_UP_TO:
        return AttributionMethod.SHAPLEY
    return AttributionMethod.SHAPLEY_MONTE_CARLO


def coalitions(
    players: int | Sequence[int],
    method: AttributionMethod = AttributionMethod.SHAPLEY,
    *,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> tuple[Coalition, ...]:
    """The coalitions that have to be trained, the smaller ones first. The empty one is not among them.

    Args:
        players: How many contributors there are; or the positions of those that have rows.
        method: By which rule they will be credited.
        permutations: Orders to sample, for `SHAPLEY_MONTE_CARLO`: an even number of at least 4.
        seed: What they are sampled by.

    Raises:
        InvalidInputError: Nobody to credit, too many for the exact rule, or too few orders.

    >>> coalitions(2)
    ((0,), (1,), (0, 1))
    >>> coalitions([0, 2, 5], AttributionMethod.LEAVE_ONE_OUT)
    ((0, 2), (0, 5), (2, 5), (0, 2, 5))
    """
    everybody = _players(players)
    match method:
        case AttributionMethod.SHAPLEY:
            wanted: set[Coalition] = set(_all_coalitions(everybody))
        case AttributionMethod.SHAPLEY_MONTE_CARLO:
            wanted = {
                tuple(sorted(order[:size]))
                for order in sampled_orders(everybody, permutations, seed)
                for size in range(len(everybody) + 1)
            }
        case AttributionMethod.LEAVE_ONE_OUT:
            wanted = {everybody, *combinations(everybody, len(everybody) - 1)}
        case AttributionMethod.PROPORTIONAL:
            wanted = {everybody}
    return tuple(sorted(wanted - {()}, key=lambda coalition: (len(coalition), coalition)))


def exact_shapley(gains: Mapping[Coalition, float]) -> tuple[float, ...]:
    """The Shapley value of each player, in order of position; they sum to the gain of all together.

    A player's value is his marginal gain, averaged over all orders in which the players may join.

    Raises:
        InvalidInputError: A coalition is missing, or there are more than 10 players.

    Source: Shapley (1953), "A value for n-person games"; for data: Ghorbani and Zou (2019), "Data Shapley: Equitable
    Valuation of Data for Machine Learning", arXiv 1904.02868.
    """
    return apply(shapley_weights(max(gains, key=len)), gains)


def leave_one_out(gains: Mapping[Coalition, float]) -> tuple[float, ...]:
    """What is lost without each player. It need not sum to anything, and duplicates of one another earn nothing."""
    return apply(leave_one_out_weights(max(gains, key=len)), gains)


def proportional(gain: float, rows: Sequence[int]) -> tuple[float, ...]:
    """The gain by rows given.

    >>> proportional(0.04, [300, 100])
    (0.03, 0.01)
    """
    everybody = tuple(range(len(rows)))
    return apply(proportional_weights(everybody, rows), {everybody: gain})


@dataclass(frozen=True, slots=True, eq=False)
class SampledShapley:
    """Shapley values from sampled orders.

    Attributes:
        values: One for each player, in order of position; they sum to the gain of all together.
        standard_errors: Of each value, from sampling orders alone.
        untrained: The part of each value that was given out without training, where orders were cut short.
        unmeasured: Those of whom every order was cut short before they joined.
        weights: The linear rule that the sample amounts to.
        orders: How many orders were sampled.
    """

    values: tuple[float, ...]
    standard_errors: tuple[float, ...]
    untrained: tuple[float, ...]
    unmeasured: Coalition
    weights: Weights
    orders: int

    @property
    def evaluations(self) -> int:
        """How many coalitions were trained."""
        return len(self.weights) - (() in self.weights)


def monte_carlo_shapley(
    gain_of: Callable[[Coalition], float],
    players: int | Sequence[int],
    *,
    permutations: int = PERMUTATIONS,
    tolerance: float = 0.0,
    seed: int = 0,
) -> SampledShapley:
    """Shapley values over sampled orders, each order followed by its reverse.

    An order is cut short as soon as the gain of those who have joined is within `tolerance` of the gain of all: those
    who are left share that rest equally, so that the values still sum to the gain.

    Args:
        gain_of: The gain of a coalition, the empty one too; asked once for each.
        players: How many there are, or their positions.
        permutations: How many orders, reverses counted: an even number of at least 4.
        tolerance: Differences below it are not trained for.
        seed: What the orders are sampled by.

    Raises:
        InvalidInputError: Too few orders, an odd number of them, or nobody to credit.

    Source: Castro, Gómez, Tejada (2009), "Polynomial calculation of the Shapley value based on sampling"; truncation:
    Ghorbani and Zou (2019), algorithm 1; antithetic orders: Mitchell et al. (2022), "Sampling Permutations for Shapley
    Value Estimation", section 4.1.

    >>> sampled = monte_carlo_shapley(lambda joined: 0.01 * len(joined), 12, permutations=4)
    >>> [round(value, 6) for value in sampled.values] == [0.01] * 12
    True
    """
    everybody = _players(players)
    position = {player: index for index, player in enumerate(everybody)}
    known: dict[Coalition, float] = {}

    def gain(coalition: Coalition) -> float:
        if coalition not in known:
            known[coalition] = gain_of(coalition)
        return known[coalition]

    weights: dict[Coalition, list[float]] = {}
    by_order: list[list[float]] = []
    untrained = [0.0] * len(everybody)
    measured: set[int] = set()

    def credit(coalition: Coalition, player: int, weight: float) -> None:
        weights.setdefault(coalition, [0.0] * len(everybody))[position[player]] += weight / permutations

    for order in sampled_orders(everybody, permutations, seed):
        values = [0.0] * len(everybody)
        joined: Coalition = ()
        for size, player in enumerate(order):
            rest = gain(everybody) - gain(joined)
            if abs(rest) < tolerance:
                left = len(order) - size
                for late in order[size:]:
                    values[position[late]] = rest / left
                    untrained[position[late]] += rest / left / permutations
                    credit(everybody, late, 1 / left)
                    credit(joined, late, -1 / left)
                break
            measured.add(player)
            before, joined = joined, tuple(sorted((*joined, player)))
            values[position[player]] = gain(joined) - gain(before)
            credit(joined, player, 1.0)
            credit(before, player, -1.0)
        by_order.append(values)
    pairs = [
        [(one + other) / 2 for one, other in zip(forth, back, strict=True)]
        for forth, back in zip(by_order[::2], by_order[1::2], strict=True)
    ]
    return SampledShapley(
        values=tuple(math.fsum(column) / len(by_order) for column in zip(*by_order, strict=True)),
        standard_errors=tuple(_standard_error(column) for column in zip(*pairs, strict=True)),
        untrained=tuple(untrained),
        unmeasured=tuple(player for player in everybody if player not in measured),
        weights=weights,
        orders=len(by_order),
    )


def sampled_orders(everybody: Coalition, permutations: int, seed: int) -> Iterator[Coalition]:
    """Random orders, each followed by its reverse.

    They are sorted by `random.Random(seed).random()`, whose numbers Python promises to keep from version to version.
    """
    if permutations < 4 or permutations % 2:
        raise InvalidInputError(
            f"Orders are sampled in pairs, at least two of them: {permutations} is not an even number of 4 or more",
            where="permutations",
        )
    draw = random.Random(seed).random  # noqa: S311  # sampling, not secrecy
    for _ in range(permutations // 2):
        keys = {player: draw() for player in everybody}
        order = tuple(sorted(everybody, key=keys.__getitem__))
        yield order
        yield order[::-1]


def shapley_weights(everybody: Coalition) -> Weights:
    """Exact Shapley values as a linear rule: of a coalition of s among n, (s - 1)! (n - s)! / n! to each member."""
    n = len(everybody)
    weights: dict[Coalition, list[float]] = {}
    for coalition in ((), *_all_coalitions(everybody)):
        s = len(coalition)
        inside = math.factorial(s - 1) * math.factorial(n - s) / math.factorial(n) if s else 0.0
        outside = -math.factorial(s) * math.factorial(n - s - 1) / math.factorial(n) if s < n else 0.0
        weights[coalition] = [inside if player in coalition else outside for player in everybody]
    return weights


def shapley_weights_with_last(everybody: Coalition, last: Coalition) -> Weights:
    """Shapley values where those in `last` join after all others; among equals every order still counts.

    The others' values are those of the game without `last`, and `last` share what they add to it. All sum to the gain.

    >>> gains = {(0,): 0.5, (1,): -0.25, (0, 1): 0.25}
    >>> apply(shapley_weights_with_last((0, 1), (1,)), gains)
    (0.5, -0.25)

    Source: a precedence of two classes: Faigle and Kern (1992), "The Shapley value for cooperative games under
    precedence constraints".
    """
    first = tuple(player for player in everybody if player not in last)
    weights: dict[Coalition, list[float]] = {}
    for group, before in ((first, ()), (last, first)):
        for coalition, factors in shapley_weights(group).items():
            joined = weights.setdefault(tuple(sorted((*before, *coalition))), [0.0] * len(everybody))
            for player, factor in zip(group, factors, strict=True):
                joined[everybody.index(player)] += factor
    return weights


def leave_one_out_weights(everybody: Coalition) -> Weights:
    """Leave-one-out as a linear rule."""
    weights: dict[Coalition, list[float]] = {everybody: [1.0] * len(everybody)}
    for index, player in enumerate(everybody):
        without = tuple(other for other in everybody if other != player)
        weights[without] = [-1.0 if other == index else 0.0 for other in range(len(everybody))]
    return weights


def proportional_weights(everybody: Coalition, rows: Sequence[int]) -> Weights:
    """By rows, as a linear rule; `rows` by position among `everybody`."""
    total = sum(rows)
    if total < 1 or min(rows) < 0:
        raise InvalidInputError("There are no rows to share a gain by", where="rows")
    return {everybody: [count / total for count in rows], (): [-count / total for count in rows]}


def apply(weights: Weights, gains: Mapping[Coalition, float]) -> tuple[float, ...]:
    """What a rule makes of the gains, one value for each player.

    The sums are rounded once, so that players whom the gains do not tell apart get the very same value.

    Raises:
        InvalidInputError: A coalition is missing, or its gain is not a finite number.
    """
    terms = [(factors, gain_of(gains, coalition)) for coalition, factors in weights.items()]
    n_players = len(next(iter(weights.values())))
    return tuple(math.fsum(factors[i] * gain for factors, gain in terms) for i in range(n_players))


def gain_of(gains: Mapping[Coalition, float], coalition: Coalition) -> float:
    """The gain of a coalition; 0 for the empty one unless it was measured."""
    gain = gains.get(coalition, 0.0 if coalition == () else math.nan)
    if not math.isfinite(gain):
        known = "is not a finite number" if coalition in gains else "was not measured"
        raise InvalidInputError(f"The gain of coalition {coalition} {known}", where="gains")
    return gain


def _players(players: int | Sequence[int]) -> Coalition:
    everybody = tuple(range(players)) if isinstance(players, int) else tuple(sorted(set(players)))
    if not everybody:
        raise InvalidInputError(
            "Nobody has contributed rows, so there is nobody to credit", where="contributors"
        )
    return everybody


def _all_coalitions(everybody: Coalition) -> Iterator[Coalition]:
    """Every one but the empty one."""
    if len(everybody) > EXACT_UP_TO:
        raise InvalidInputError(
            f"{len(everybody)} contributors have {2 ** len(everybody) - 1:,} coalitions; every one is trained "
            f"for up to {EXACT_UP_TO} contributors only",
            where="contributors",
            hint="Sample orders instead: shapley_monte_carlo.",
        )
    for size in range(1, len(everybody) + 1):
        yield from combinations(everybody, size)


def _standard_error(sample: Sequence[float]) -> float:
    mean = math.fsum(sample) / len(sample)
    return math.sqrt(math.fsum((x - mean) ** 2 for x in sample) / (len(sample) - 1) / len(sample))
