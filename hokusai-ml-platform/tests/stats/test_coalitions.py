"""Shapley values against their definition (an average over all orders, in fractions) and games with known solutions."""

from fractions import Fraction
from itertools import combinations, permutations
from math import comb, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.domain.attribution import AttributionMethod
from hokusai.errors import InvalidInputError
from hokusai.stats.coalitions import (
    coalitions,
    exact_shapley,
    leave_one_out,
    monte_carlo_shapley,
    proportional,
    sampled_orders,
    shapley_method,
)


def every_coalition(n):
    return [c for size in range(1, n + 1) for c in combinations(range(n), size)]


def by_definition(gains, n):
    """Each player's marginal gain, averaged over all orders, without rounding."""
    totals = [Fraction(0)] * n
    orders = list(permutations(range(n)))
    for order in orders:
        for size, player in enumerate(order):
            before, after = tuple(sorted(order[:size])), tuple(sorted(order[: size + 1]))
            totals[player] += Fraction(gains[after]) - Fraction(gains.get(before, 0))
    return [total / len(orders) for total in totals]


@st.composite
def games(draw, most=5):
    n = draw(st.integers(1, most))
    values = st.floats(-1, 1, allow_subnormal=False)
    return n, {coalition: draw(values) for coalition in every_coalition(n)}


class TestExactShapley:
    def test_solves_the_glove_game(self):
        # Two have a left glove, one the right one; only a pair is worth something. Shapley: 1/6, 1/6, 4/6.
        gains = {c: float(2 in c and len(c) > 1) for c in every_coalition(3)}
        assert exact_shapley(gains) == pytest.approx((1 / 6, 1 / 6, 4 / 6), abs=1e-15)

    def test_solves_the_airport_game(self):
        # Littlechild and Owen (1973): who needs a longer runway pays for the extra length with those who need it too.
        costs = (1.0, 2.0, 3.0)
        gains = {c: max(costs[i] for i in c) for c in every_coalition(3)}
        assert exact_shapley(gains) == pytest.approx((1 / 3, 1 / 3 + 1 / 2, 1 / 3 + 1 / 2 + 1), abs=1e-15)

    @settings(max_examples=20)
    @given(games())
    def test_is_the_average_over_all_orders(self, game):
        n, gains = game
        assert exact_shapley(gains) == pytest.approx([float(v) for v in by_definition(gains, n)], abs=1e-14)

    @settings(max_examples=20)
    @given(games())
    def test_sums_to_the_gain_of_all(self, game):
        n, gains = game
        assert sum(exact_shapley(gains)) == pytest.approx(gains[tuple(range(n))], abs=1e-12)

    @settings(max_examples=20)
    @given(games())
    def test_who_adds_nothing_to_any_coalition_gets_exactly_nothing(self, game):
        n, gains = game
        with_null = dict(gains) | {(*c, n): gain for c, gain in gains.items()} | {(n,): 0.0}
        assert exact_shapley(with_null)[n] == 0.0
        assert exact_shapley(with_null)[:n] == pytest.approx(exact_shapley(gains), abs=1e-14)

    @settings(max_examples=20)
    @given(st.data())
    def test_who_cannot_be_told_apart_gets_exactly_the_same(self, data):
        n = 6
        swap = {0: 3, 3: 0}
        gains = {}
        for coalition in every_coalition(n):
            twin = tuple(sorted(swap.get(i, i) for i in coalition))
            gains[coalition] = gains[twin] if twin in gains else data.draw(st.floats(-1, 1))
        values = exact_shapley(gains)
        assert values[0] == values[3]

    def test_takes_what_training_again_gains_from_nobodys_value(self):
        gains = {(): 0.01, (0,): 0.02, (1,): 0.02, (0, 1): 0.05}
        assert sum(exact_shapley(gains)) == pytest.approx(0.04, abs=1e-15)

    def test_says_which_coalition_was_not_measured(self):
        with pytest.raises(InvalidInputError, match=r"coalition \(1,\) was not measured"):
            exact_shapley({(0,): 1.0, (0, 1): 1.0})

    def test_refuses_a_gain_that_is_no_number(self):
        with pytest.raises(InvalidInputError, match=r"coalition \(0,\) is not a finite number"):
            exact_shapley({(0,): float("nan")})

    def test_with_more_than_ten_says_what_to_do(self):
        with pytest.raises(InvalidInputError, match=r"2,047 coalitions.*Sample orders"):
            coalitions(11)


class TestLeaveOneOut:
    def test_is_what_is_lost_without_each(self):
        gains = {(0, 1, 2): 0.5, (1, 2): 0.125, (0, 2): 0.5, (0, 1): 0.75}
        assert leave_one_out(gains) == (0.375, 0.0, -0.25)

    def test_of_one_alone_is_the_gain(self):
        assert leave_one_out({(0,): 0.25}) == (0.25,)


class TestProportional:
    def test_is_by_rows(self):
        assert proportional(0.5, [3, 1, 0]) == (0.375, 0.125, 0.0)

    @pytest.mark.parametrize("rows", [[0, 0], [5, -1]])
    def test_refuses_what_is_no_number_of_rows(self, rows):
        with pytest.raises(InvalidInputError, match="no rows to share"):
            proportional(0.5, rows)


class TestCoalitions:
    @pytest.mark.parametrize("n", [1, 2, 6, 10])
    def test_for_exact_values_are_all_but_the_empty_one(self, n):
        wanted = coalitions(n)
        assert len(set(wanted)) == len(wanted) == 2**n - 1
        assert wanted[-1] == tuple(range(n))

    def test_name_the_players_by_their_positions(self):
        assert coalitions([4, 1]) == ((1,), (4,), (1, 4))

    def test_by_rows_is_everybody(self):
        assert coalitions(3, AttributionMethod.PROPORTIONAL) == ((0, 1, 2),)

    def test_for_sampled_values_are_what_the_sample_asks_for(self):
        asked = set()

        def gain_of(coalition):
            asked.add(coalition)
            return 0.0

        monte_carlo_shapley(gain_of, 12, permutations=20, seed=5)
        wanted = coalitions(12, AttributionMethod.SHAPLEY_MONTE_CARLO, permutations=20, seed=5)
        assert asked - {()} == set(wanted)

    def test_are_sampled_beyond_ten(self):
        assert shapley_method(10) is AttributionMethod.SHAPLEY
        assert shapley_method(11) is AttributionMethod.SHAPLEY_MONTE_CARLO

    def test_of_nobody_are_refused(self):
        with pytest.raises(InvalidInputError, match="nobody to credit"):
            coalitions([])


class TestMonteCarlo:
    n = 12
    worth = tuple(0.001 * (i - 2) for i in range(n))

    def synergy(self, coalition):
        """Each adds his own worth, and each pair a little: the Shapley value of i is worth + 0.0005 (n - 1) / 2."""
        return sum(self.worth[i] for i in coalition) + 0.0005 * comb(len(coalition), 2)

    def test_antithetic_orders_are_exact_where_only_pairs_interact(self):
        # A partner comes before one in an order or in its reverse, so that each pair of orders has the true value.
        sampled = monte_carlo_shapley(self.synergy, self.n, permutations=4, seed=1)
        assert sampled.values == pytest.approx([w + 0.0005 * 11 / 2 for w in self.worth], abs=1e-14)
        assert max(sampled.standard_errors) < 1e-14

    def test_errs_as_much_as_it_says(self):
        # Diminishing returns: sqrt of the rows. 40 samples of 3 players that differ: z within what 120 normals show.
        rows = [50, 100, 400, 20, 30, 60, 10, 70, 90, 80, 120]

        def gain_of(coalition):
            return sqrt(sum(rows[i] for i in coalition))

        true = monte_carlo_shapley(gain_of, 11, permutations=2000, seed=77).values
        z = []
        for seed in range(40):
            sampled = monte_carlo_shapley(gain_of, 11, permutations=60, seed=seed)
            z += [
                (v - t) / e
                for v, t, e in zip(sampled.values[:3], true, sampled.standard_errors, strict=False)
            ]
        assert 0.8 < sqrt(sum(one**2 for one in z) / len(z)) < 1.3

    def test_sums_to_the_gain_though_orders_are_cut_short(self):
        rows = [50, 100, 400, 20, 30, 60, 10, 70, 90, 80, 120]
        asked = []

        def gain_of(coalition):
            asked.append(coalition)
            return 1 - 1 / (1 + sum(rows[i] for i in coalition) / 100)

        sampled = monte_carlo_shapley(gain_of, 11, permutations=20, tolerance=0.02, seed=3)
        whole = coalitions(11, AttributionMethod.SHAPLEY_MONTE_CARLO, permutations=20, seed=3)
        assert sum(sampled.values) == pytest.approx(gain_of(tuple(range(11))), abs=1e-12)
        assert sampled.evaluations == len(set(asked) - {()}) < len(whole)
        assert 0 < sum(sampled.untrained) < 0.02
        joined = {i for coalition in set(asked) - {tuple(range(11))} for i in coalition}
        assert set(sampled.unmeasured) == set(range(11)) - joined

    def test_names_whom_no_model_tells_of(self):
        # The first in each order has it all already, and of four orders two begin with others.
        sampled = monte_carlo_shapley(lambda joined: float(bool(joined)), 11, permutations=4, tolerance=0.1)
        assert len(sampled.unmeasured) == 7

    def test_asks_for_each_coalition_once(self):
        asked = []
        monte_carlo_shapley(lambda c: asked.append(c) or 0.1 * len(c), 5, permutations=40)
        assert len(asked) == len(set(asked)) <= 2**5

    def test_samples_the_same_orders_on_every_machine(self):
        # random.Random(7).random() starts 0.3238, 0.1508, 0.6509, 0.0724 (Python's documented, constant stream).
        assert next(sampled_orders((0, 1, 2, 3), 4, 7)) == (3, 1, 0, 2)

    def test_every_order_is_followed_by_its_reverse(self):
        orders = list(sampled_orders((0, 1, 2), 6, 0))
        assert [order[::-1] for order in orders[::2]] == orders[1::2]

    @pytest.mark.parametrize("count", [0, 2, 5])
    def test_refuses_orders_that_make_no_two_pairs(self, count):
        with pytest.raises(InvalidInputError, match="even number of 4 or more"):
            coalitions(11, AttributionMethod.SHAPLEY_MONTE_CARLO, permutations=count)
