"""Credit for one gain: the errors of a value against brute force, and six contributors of known kinds."""

import math
from collections.abc import Mapping
from itertools import combinations, permutations
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from hokusai.domain.attribution import Attribution, AttributionMethod
from hokusai.domain.contribution import Contributor
from hokusai.errors import InvalidInputError
from hokusai.stats.allocation import Gain, attribute, coalitions, exact_shapley
from hokusai.stats.payment import HARM, NO_ROWS, NO_WORTH, NOISE, UNKNOWN_NOISE

A, B, C = Contributor("a"), Contributor("b"), Contributor("c")


def by_id(attribution):
    return {credit.contributor.contributor_id: credit for credit in attribution.credits}


def marginals(values, player, n):
    """A player's marginal gain, averaged over all orders: numbers or arrays."""
    total = 0.0
    orders = list(permutations(range(n)))
    for order in orders:
        at = order.index(player)
        before, after = tuple(sorted(order[:at])), tuple(sorted(order[: at + 1]))
        total = total + values[after] - (values[before] if before else 0.0)
    return total / len(orders)


def random_gains(n, n_rows, n_seeds, seed):
    """Gains of 3 points for each member, with row influences of about the size that 4 % discordance gives."""
    rng = np.random.default_rng(seed)
    gains = {}
    for coalition in coalitions(n):
        influence = rng.normal(0, 0.2, n_rows)
        mean = 0.03 * len(coalition)
        gains[coalition] = Gain(
            tuple(mean + 0.002 * rng.normal(size=n_seeds)), (influence - influence.mean()).astype(np.float32)
        )
    return gains


class TestUncertainty:
    def test_of_rows_is_that_of_the_combined_influences(self):
        gains = random_gains(4, 500, 1, seed=1)
        told = attribute([A, B, C, Contributor("d")], gains, rows=[1] * 4)
        for player, credit in enumerate(told.credits):
            combined = marginals({c: g.influence.astype(float) for c, g in gains.items()}, player, 4)
            error = math.sqrt(np.mean(combined**2) / 500)
            assert credit.value == pytest.approx(
                marginals({c: g.per_seed[0] for c, g in gains.items()}, player, 4), abs=1e-12
            )
            assert credit.standard_error == pytest.approx(error, rel=1e-6)
            half_width = stats.t.ppf(0.975, 499) * error
            assert credit.interval.low == pytest.approx(credit.value - half_width, abs=1e-9)
            assert credit.interval.high == pytest.approx(credit.value + half_width, abs=1e-9)

    def test_of_seeds_alone_is_students(self):
        gains = {c: Gain(g.per_seed) for c, g in random_gains(3, 5, 4, seed=2).items()}
        told = attribute([A, B, C], gains, rows=[1] * 3)
        for player, credit in enumerate(told.credits):
            own = [marginals({c: g.per_seed[s] for c, g in gains.items()}, player, 3) for s in range(4)]
            assert credit.value == pytest.approx(np.mean(own), abs=1e-12)
            assert credit.standard_error == pytest.approx(stats.sem(own), rel=1e-9)
            low, high = stats.t.interval(0.95, 3, np.mean(own), stats.sem(own))
            assert (credit.interval.low, credit.interval.high) == pytest.approx((low, high), abs=1e-9)

    def test_of_seeds_and_rows_adds_up_as_satterthwaite_has_it(self):
        gains = random_gains(2, 400, 3, seed=3)
        credit = attribute([A, B], gains, rows=[1, 1]).credits[0]
        own = [marginals({c: g.per_seed[s] for c, g in gains.items()}, 0, 2) for s in range(3)]
        combined = marginals({c: g.influence.astype(float) for c, g in gains.items()}, 0, 2)
        of_seeds, of_rows = stats.sem(own) ** 2, np.mean(combined**2) / 400
        freedom = (of_seeds + of_rows) ** 2 / (of_seeds**2 / 2 + of_rows**2 / 399)
        assert credit.standard_error == pytest.approx(math.sqrt(of_seeds + of_rows), rel=1e-6)
        half_width = stats.t.ppf(0.975, freedom) * credit.standard_error
        assert credit.interval.high - credit.value == pytest.approx(half_width, rel=1e-6)

    def test_an_interval_that_claims_95_percent_is_right_as_often(self):
        # Two contributors of true worth 2 and 0 points, 3 seeds of .3 points, 2,000 rows of 4 % discordance.
        rng = np.random.default_rng(8)
        covered = paid_for_nothing = 0
        for _ in range(250):
            rows = rng.normal(size=(2, 2000)) * 0.2
            own = rows - rows.mean(axis=1, keepdims=True)
            luck = rows.mean(axis=1)
            seeds = 0.003 * rng.normal(size=(2, 3))
            only = [(worth + luck[i] + seeds[i], own[i]) for i, worth in enumerate((0.02, 0.0))]
            gains = {
                (0,): Gain(tuple(only[0][0]), only[0][1]),
                (1,): Gain(tuple(only[1][0]), only[1][1]),
                (0, 1): Gain(tuple(only[0][0] + only[1][0]), own[0] + own[1]),
            }
            told = attribute([A, B], gains, rows=[1, 1]).credits
            covered += told[0].interval.low < 0.02 < told[0].interval.high
            paid_for_nothing += told[1].weight_bps > 0
        assert covered >= stats.binom.ppf(0.001, 250, 0.95)
        assert paid_for_nothing <= stats.binom.ppf(0.999, 250, 0.025)

    def test_units_are_given_as_the_sums_of_their_rows(self):
        # Four users with two rows each: the influences of a user's rows add up before they are squared.
        rows = np.array([0.3, 0.1, -0.2, -0.4, 0.5, 0.1, -0.3, -0.1])
        users = rows.reshape(4, 2).sum(axis=1) * 4 / 8
        credit = attribute([A], {(0,): Gain((0.1,), users)}, rows=[8]).credits[0]
        clustered = math.sqrt(np.sum(rows.reshape(4, 2).sum(axis=1) ** 2)) / 8
        assert credit.standard_error == pytest.approx(clustered, rel=1e-12)

    def test_of_a_sample_of_orders_widens_the_interval(self):
        n, size = 11, np.array([50, 100, 400, 20, 30, 60, 10, 70, 90, 80, 120])
        influence = np.random.default_rng(1).normal(0, 0.02, 400)
        method = AttributionMethod.SHAPLEY_MONTE_CARLO
        gains = {
            c: Gain((math.sqrt(size[list(c)].sum()) / 100,), influence * size[list(c)].sum() / 1000)
            for c in coalitions(n, method, permutations=20, seed=4)
        }
        who = [Contributor(f"c{i:02}") for i in range(n)]
        told = attribute(who, gains, rows=size.tolist(), permutations=20, seed=4)
        assert told.method is method
        assert told.evaluations == len(gains)
        assert sum(credit.value for credit in told.credits) == pytest.approx(told.gain, abs=1e-9)
        assert told.sampling_error > 0
        assert max(credit.standard_error for credit in told.credits) > told.sampling_error

    def test_of_a_gain_that_is_the_same_in_every_row_is_no_certainty(self):
        credit = attribute([A], {(0,): Gain((1.0,), np.zeros(50))}, rows=[9]).credits[0]
        assert credit.unpaid == NOISE


class TestPay:
    def test_clips_harm_and_shares_the_rest(self):
        gains = {
            (0,): 0.03, (1,): -0.01, (2,): 0.01,
            (0, 1): 0.02, (0, 2): 0.04, (1, 2): 0.0,
            (0, 1, 2): 0.03,
        }  # fmt: skip
        values = {c: Gain((g - 1e-6 * len(c), g, g + 1e-6 * len(c))) for c, g in gains.items()}
        told = by_id(attribute([A, B, C], values, rows=[10, 10, 10]))
        assert [round(told[i].value, 9) for i in "abc"] == [0.03, -0.01, 0.01]  # it is additive
        assert [told[i].weight_bps for i in "abc"] == [7500, 0, 2500]
        assert [told[i].unpaid for i in "abc"] == ["", HARM, ""]

    def test_without_any_sign_of_the_noise_pays_nobody_for_what_was_measured(self):
        told = attribute([A], {(0,): Gain((0.05,))}, rows=[10])
        assert told.credits[0].weight_bps == 0
        assert told.credits[0].unpaid == UNKNOWN_NOISE
        assert told.credits[0].interval is None
        assert "trained once" in told.note

    def test_seeds_that_all_give_the_same_show_no_noise(self):
        told = attribute([A], {(0,): Gain((0.05, 0.05, 0.05))}, rows=[10])
        assert told.credits[0].unpaid == UNKNOWN_NOISE

    def test_by_rows_pays_by_rows_where_something_was_gained(self):
        method = AttributionMethod.PROPORTIONAL
        told = attribute([A, B], {(0, 1): Gain((0.05,))}, rows=[300, 100], method=method)
        assert [credit.weight_bps for credit in told.credits] == [7500, 2500]
        lost = attribute([A, B], {(0, 1): Gain((-0.05,))}, rows=[300, 100], method=method)
        assert [credit.unpaid for credit in lost.credits] == [NO_WORTH, NO_WORTH]

    def test_whose_rows_were_all_given_before_takes_no_part(self):
        gains = {(0,): Gain((0.01, 0.011)), (2,): Gain((0.01, 0.011)), (0, 2): Gain((0.02, 0.022))}
        told = attribute([A, B, C], gains, rows=[5, 0, 5])
        assert [credit.weight_bps for credit in told.credits] == [5000, 0, 5000]
        assert told.credits[1].unpaid == NO_ROWS
        assert told.evaluations == 3

    def test_tells_of_the_point_that_two_equals_cannot_share(self):
        gains = {c: Gain((0.01 * len(c), 0.011 * len(c))) for c in coalitions(3)}
        told = attribute([C, B, A], gains, rows=[5, 5, 5])
        assert {k: v.weight_bps for k, v in by_id(told).items()} == {"a": 3334, "b": 3333, "c": 3333}
        assert "'a', 'b', 'c' are worth the same" in told.note

    def test_what_training_again_gains_is_nobodys(self):
        gains = {(): Gain((0.01, 0.01)), (0,): Gain((0.03, 0.031))}
        told = attribute([A], gains, rows=[5])
        assert told.gain == pytest.approx(0.0205)
        assert told.credits[0].value == pytest.approx(0.0205)
        assert "+0.010000, which is nobody's" in told.note

    @settings(max_examples=25)
    @given(st.integers(1, 5), st.integers(0, 10_000))
    def test_weights_sum_to_all_or_nothing_and_values_to_the_gain(self, n, seed):
        gains = random_gains(n, 60, 2, seed)
        told = attribute([Contributor(f"c{i}") for i in range(n)], gains, rows=[1] * n)
        assert sum(credit.weight_bps for credit in told.credits) in (0, 10_000)
        assert sum(credit.value for credit in told.credits) == pytest.approx(told.gain, abs=1e-9)
        assert all(credit.interval.low > 0 for credit in told.paid)

    @settings(max_examples=15)
    @given(st.permutations(range(4)), st.integers(0, 1000))
    def test_do_not_depend_on_the_order_of_contributors(self, order, seed):
        gains = random_gains(4, 60, 3, seed)
        names = ["ann", "bob", "cid", "dee"]
        told = by_id(attribute([Contributor(name) for name in names], gains, rows=[5] * 4))
        moved = {tuple(sorted(order.index(i) for i in members)): gain for members, gain in gains.items()}
        again = by_id(attribute([Contributor(names[i]) for i in order], moved, rows=[5] * 4))
        for name in names:
            assert again[name].value == told[name].value
            assert again[name].weight_bps == told[name].weight_bps


class TestRefusals:
    def test_nobody_with_rows(self):
        with pytest.raises(InvalidInputError, match="nobody to credit"):
            attribute([A], {(0,): Gain((0.1,))}, rows=[0])

    def test_somebody_twice(self):
        with pytest.raises(InvalidInputError, match="'a' stands among the contributors twice"):
            attribute([A, A], {}, rows=[1, 1])

    def test_a_coalition_that_was_not_measured(self):
        with pytest.raises(InvalidInputError, match=r"coalition \(0,\) was not measured"):
            attribute([A, B], {(1,): Gain((0.1,)), (0, 1): Gain((0.1,))}, rows=[1, 1])

    @pytest.mark.parametrize("per_seed", [(), (0.1, math.nan), (math.inf,)])
    def test_a_gain_that_is_no_number(self, per_seed):
        with pytest.raises(InvalidInputError, match="not one finite number for each seed"):
            attribute([A], {(0,): Gain(per_seed)}, rows=[1])

    def test_coalitions_measured_with_other_seeds_or_rows(self):
        one, other = Gain((0.1,), np.ones(4)), Gain((0.1,), np.ones(5))
        with pytest.raises(InvalidInputError, match="the same rows with the same seeds"):
            attribute([A, B], {(0,): one, (1,): other, (0, 1): one}, rows=[1, 1])

    def test_influences_that_are_not_finite(self):
        with pytest.raises(InvalidInputError, match="influence on the gain"):
            attribute([A], {(0,): Gain((0.1,), np.array([0.0, np.nan]))}, rows=[1])

    @pytest.mark.parametrize("rows", [[1, 1], [-1]])
    def test_rows_that_do_not_fit_the_contributors(self, rows):
        with pytest.raises(InvalidInputError, match="has a number of rows"):
            attribute([A], {(0,): Gain((0.1,))}, rows=rows)


@pytest.fixture(scope="module")
def six():
    """60 base rows, logistic regression. A and B gave the same good rows, C many wrong labels, D few rows, E random
    labels, and F many good rows: (credits by method and contributor, gains by coalition)."""
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(20)
    direction = rng.normal(size=12)
    direction *= 0.75 / np.linalg.norm(direction)

    def draw(n, flipped=0.0):
        x = rng.normal(size=(n, 12))
        y = (rng.random(n) < 1 / (1 + np.exp(-x @ direction))).astype(int)
        return x, np.where(rng.random(n) < flipped, 1 - y, y)

    base, (test_x, test_y) = draw(60), draw(10_000)
    good = draw(300)
    given_rows = [good, good, draw(300, 0.3), draw(60), draw(300, 0.5), draw(600)]

    def right(parts):
        model = LogisticRegression().fit(*(np.concatenate(column) for column in zip(*parts, strict=True)))
        return (model.predict(test_x) == test_y).astype(float)

    before = right([base])
    gains = {}
    for coalition in coalitions(6):
        change = right([base, *(given_rows[i] for i in coalition)]) - before
        gains[coalition] = Gain((float(change.mean()),), (change - change.mean()).astype(np.float32))
    rows = [len(y) for _, y in given_rows]
    who = [Contributor(name) for name in ("A", "B", "C", "D", "E", "F")]
    return {method: by_id(attribute(who, gains, rows=rows, method=method)) for method in AttributionMethod
            if method is not AttributionMethod.SHAPLEY_MONTE_CARLO}, gains  # fmt: skip


class TestSixContributors:
    """What the rules make of them."""

    def test_the_gain_is_of_some_points(self, six):
        _, gains = six
        assert 0.03 < gains[0, 1, 2, 3, 4, 5].per_seed[0] < 0.09

    def test_shapley_values_sum_to_the_gain(self, six):
        by_method, gains = six
        total = sum(credit.value for credit in by_method[AttributionMethod.SHAPLEY].values())
        assert abs(total - gains[0, 1, 2, 3, 4, 5].per_seed[0]) < 1e-9

    def test_random_labels_earn_nothing(self, six):
        shapley = six[0][AttributionMethod.SHAPLEY]
        assert shapley["E"].value < 0
        assert shapley["E"].weight_bps == 0
        assert six[0][AttributionMethod.PROPORTIONAL]["E"].weight_bps > 1000  # what by rows pays for them

    def test_two_who_gave_the_same_earn_the_same(self, six):
        shapley = six[0][AttributionMethod.SHAPLEY]
        assert shapley["A"].value == shapley["B"].value
        assert shapley["A"].weight_bps > 0
        assert abs(shapley["A"].weight_bps - shapley["B"].weight_bps) <= 1

    def test_leave_one_out_gives_nothing_to_either_of_them(self, six):
        out = six[0][AttributionMethod.LEAVE_ONE_OUT]
        shapley = six[0][AttributionMethod.SHAPLEY]
        assert out["A"].value == out["B"].value
        assert abs(out["A"].value) < shapley["A"].value / 3

    def test_the_weights_of_who_is_paid_are_all_there_are(self, six):
        for earned in six[0].values():
            assert sum(credit.weight_bps for credit in earned.values()) in (0, 10_000)
        assert sum(credit.weight_bps for credit in six[0][AttributionMethod.SHAPLEY].values()) == 10_000


def test_ten_contributors_and_ten_thousand_rows_are_quick():
    """1,023 coalitions: exact values agree with the sums over pairs that the game is made of."""
    rng = np.random.default_rng(3)
    own, pairs = rng.normal(0.01, 0.002, 10), dict.fromkeys(combinations(range(10), 2), 0.0005)
    noise = rng.normal(0, 0.1, (10, 2_000)).astype(np.float32)
    gains = {
        c: Gain(
            (float(own[list(c)].sum() + sum(pairs[p] for p in combinations(c, 2))),),
            noise[list(c)].sum(axis=0),
        )
        for c in coalitions(10)
    }
    told = attribute([Contributor(f"c{i}") for i in range(10)], gains, rows=[1] * 10)
    expected = exact_shapley({c: g.per_seed[0] for c, g in gains.items()})
    for i, credit in enumerate(told.credits):
        assert credit.value == pytest.approx(own[i] + 9 * 0.0005 / 2, abs=1e-12)
        assert credit.value == pytest.approx(expected[i], abs=1e-15)
        assert credit.standard_error == pytest.approx(
            np.sqrt(np.sum(noise[i].astype(float) ** 2)) / 2_000, rel=1e-4
        )


class TestHarm:
    """One contributor brings 4 points, one nothing, and a third harm that the second dilutes."""

    GAINS: ClassVar[dict[tuple[int, ...], float]] = {
        (0,): 0.04, (1,): 0.0, (2,): -0.09, (0, 1): 0.04, (0, 2): -0.02, (1, 2): -0.06, (0, 1, 2): 0.01,
    }  # fmt: skip

    def told(self, gains: Mapping[tuple[int, ...], float]) -> Attribution:
        noisy = {members: Gain((gain - 1e-4, gain, gain + 1e-4)) for members, gain in gains.items()}
        people = [Contributor(name) for name in ("good", "random", "harm")]
        return attribute(people, noisy, rows=[100, 100, 100])

    def test_who_dilutes_harm_is_not_paid_for_that(self) -> None:
        good, random, harm = self.told(self.GAINS).credits
        # Plain Shapley values would be: good .055, random .015 (he dilutes the harm: .03 / 6 + .03 / 3), harm -.06.
        assert exact_shapley(self.GAINS)[1] == pytest.approx(0.03 / 6 + 0.03 / 3)
        assert good.value == pytest.approx(0.04)
        assert random.value == pytest.approx(0.0)
        assert harm.value == pytest.approx(0.01 - 0.04)
        assert [one.weight_bps for one in (good, random, harm)] == [10_000, 0, 0]

    def test_the_values_still_sum_to_the_gain_and_the_reader_is_told(self) -> None:
        told = self.told(self.GAINS)
        assert math.fsum(credit.value for credit in told.credits) == pytest.approx(told.gain, abs=1e-12)
        assert told.evaluations == 7
        assert "'harm' does harm" in told.note

    def test_where_everybody_does_harm_nobody_is_paid(self) -> None:
        told = self.told({members: -0.01 * len(members) for members in self.GAINS})
        assert [credit.weight_bps for credit in told.credits] == [0, 0, 0]
        assert math.fsum(credit.value for credit in told.credits) == pytest.approx(-0.03)
