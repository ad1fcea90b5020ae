"""Paired outcomes against published tables, scipy and statsmodels."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar

from hokusai.domain.decision import Guardrail
from hokusai.domain.metrics import MetricSpec, Scale, Task
from hokusai.errors import InvalidInputError
from hokusai.stats.decide import guardrail_outcome
from hokusai.stats.outcomes import OutcomeKind, compare_outcomes, rank_biserial

SCORE = MetricSpec("score", Task.REGRESSION, True, Scale.SHARE)
COST = MetricSpec("cost", Task.REGRESSION, False, Scale.TARGET_UNITS)

# Student (1908), p. 20: additional hours of sleep by two drugs.
DEXTRO = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
LAEVO = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
# Hollander and Wolfe (1973), p. 29: depression scores before and after a tranquillizer.
BEFORE = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
AFTER = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]


class TestContinuous:
    def test_students_sleep(self):
        found = compare_outcomes(DEXTRO, LAEVO, SCORE)
        # Published: t = 4.0621 on 9 degrees of freedom, p = 0.002833, 95 % from 0.7001 to 2.4599.
        assert found.method == "paired-t"
        assert found.absolute_delta / found.standard_error == pytest.approx(4.0621, abs=5e-5)
        assert found.p_value == pytest.approx(0.002833, abs=5e-7)
        assert (found.interval.low, found.interval.high) == pytest.approx((0.7001142, 2.4598858), abs=1e-6)
        assert (found.n_rows, found.discordance, found.reference[:7]) == (10, 0.9, "Student")

    @settings(max_examples=30)
    @given(st.integers(0, 10**6), st.integers(3, 60))
    def test_scipy_agrees(self, seed, n):
        old, new = np.random.default_rng(seed).normal(size=(2, n))
        found, theirs = compare_outcomes(old, new, SCORE), stats.ttest_rel(new, old)
        low, high = theirs.confidence_interval(0.95)
        assert found.p_value == pytest.approx(theirs.pvalue, rel=1e-7)
        assert (found.interval.low, found.interval.high) == pytest.approx((low, high), rel=1e-7)

    def test_lower_may_be_better_and_relative(self):
        found = compare_outcomes([10.0, 12.0, 8.0, 10.0], [9.0, 10.0, 8.0, 9.0], COST)
        assert (found.absolute_delta, found.gain) == (-1.0, 0.1)
        assert found.p_improvement < 0.05
        assert compare_outcomes([0.0, 0.0], [1.0, 3.0], COST, kind=OutcomeKind.CONTINUOUS).gain == -1.0

    def test_a_shift_that_is_the_same_everywhere_is_as_sure_as_a_sign_test(self):
        found = compare_outcomes([1.0, 2.0, 4.0], [1.5, 2.5, 4.5], SCORE)
        assert found.p_value == pytest.approx(1 / 8, rel=1e-9)

    def test_one_row(self):
        assert compare_outcomes([1.0], [2.5], SCORE).p_value == 0.5


class TestOrdinal:
    def test_hollander_and_wolfe(self):
        found = compare_outcomes(BEFORE, AFTER, SCORE, kind=OutcomeKind.ORDINAL)
        # Published: V = 40, one-sided exact p = 10/512. Of the subsets of 1..9, 7 sum to less than 5 and 3 to 5.
        assert found.p_value == pytest.approx((2 * 7 + 3) / 512, rel=1e-12)
        assert found.method == "wilcoxon-signed-rank"
        assert stats.wilcoxon(BEFORE, AFTER).pvalue == pytest.approx(2 * (7 + 3) / 512)
        assert rank_biserial(AFTER, BEFORE) == pytest.approx((40 - 5) / 45)

    @settings(max_examples=40)
    @given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=1, max_size=10))
    def test_with_ties_it_is_what_counting_all_signs_gives(self, rows):
        old, new = np.array(rows, dtype=float).T
        ranks = stats.rankdata(np.abs(new - old)[new != old])
        observed = abs(float(np.sign(new - old)[new != old] @ ranks))
        totals = [float(np.dot(s, ranks)) for s in itertools.product((-1, 1), repeat=len(ranks))]
        beyond = np.mean([total > observed for total in totals])
        expected = 1.0 if not observed else 2 * beyond + np.mean([total == observed for total in totals])
        found = compare_outcomes(old, new, SCORE, kind=OutcomeKind.ORDINAL)
        assert found.p_value == pytest.approx(expected, rel=1e-12)

    def test_scipy_agrees_on_many_ratings_with_ties(self):
        rng = np.random.default_rng(1)
        old = rng.integers(1, 6, 900).astype(float)
        new = np.clip(old + rng.choice([-1, 0, 1], 900, p=[0.2, 0.55, 0.25]), 1, 5)
        theirs = stats.wilcoxon(new, old, method="asymptotic", correction=False)
        found = compare_outcomes(old, new, SCORE, kind=OutcomeKind.ORDINAL)
        assert found.p_value == pytest.approx(theirs.pvalue, rel=1e-9)


class TestProportion:
    @pytest.mark.parametrize(("lost", "won", "both"), [(3, 12, 20), (40, 90, 500), (0, 5, 5)])
    def test_it_is_mcnemars(self, lost, won, both):
        old = np.array([1] * lost + [0] * won + [1] * both)
        new = np.array([0] * lost + [1] * won + [1] * both)
        found = compare_outcomes(old, new, SCORE)
        exact = mcnemar([[both, lost], [won, 0]], exact=True).pvalue
        at_least = stats.binom.pmf(min(lost, won), lost + won, 0.5)
        assert found.p_value == pytest.approx(
            exact - at_least, rel=1e-9
        )  # mid-p counts half of the observed, twice
        assert found.method == "mcnemar-mid-p"
        assert found.exact is not None
        assert float(found.exact[1] - found.exact[0]) == pytest.approx((won - lost) / (lost + won + both))

    def test_other_values_are_refused(self):
        with pytest.raises(InvalidInputError, match="other values than 0 and 1"):
            compare_outcomes([0.5, 1], [0, 1], SCORE, kind=OutcomeKind.PROPORTION)


class TestZeroInflated:
    def _revenue(self, seed, n=2000, lift=1.0):
        rng = np.random.default_rng(seed)
        buys = rng.random(n) < 0.04
        old = buys * rng.lognormal(3, 1, n)
        other = (rng.random(n) < 0.04) * rng.lognormal(3, 1, n)
        return old, np.where(rng.random(n) < 0.5, old, lift * other)

    def test_the_interval_is_scipys(self):
        old, new = self._revenue(2)
        found = compare_outcomes(old, new, SCORE)
        theirs = stats.bootstrap(
            (new - old,), np.mean, method="BCa", n_resamples=5000, rng=np.random.default_rng(3), batch=500
        )
        within = 0.15 * theirs.standard_error
        assert found.method == "sign-flip"
        assert (found.interval.low, found.interval.high) == pytest.approx(
            tuple(theirs.confidence_interval), abs=within
        )
        assert found.standard_error == pytest.approx(theirs.standard_error, rel=0.06)

    def test_the_p_value_is_scipys_permutation_test(self):
        old, new = self._revenue(4, n=500, lift=3.0)
        theirs = stats.permutation_test(
            (old, new),
            lambda a, b, axis=-1: np.mean(b - a, axis=axis),
            permutation_type="samples",
            n_resamples=9999,
            rng=np.random.default_rng(5),
            batch=1000,
        )
        found = compare_outcomes(old, new, SCORE).p_value
        assert found == pytest.approx(theirs.pvalue, abs=4 * np.sqrt(2 * found * (1 - found) / 1e4))

    def test_few_buyers_are_counted_out(self):
        old, new = np.zeros(50), np.zeros(50)
        new[[3, 8, 21, 40]] = [10.0, 250.0, 3.0, 7.0]
        assert compare_outcomes(old, new, SCORE).p_value == 2 / 2**4
        old[5] = 1000.0
        assert (
            compare_outcomes(old, new, SCORE).p_value == 1.0
        )  # the largest decides the sign: all 32 are as extreme

    def test_where_thousands_of_rows_changed_students_t_is_as_good(self):
        old, new = np.random.default_rng(6).random((2, 6000))
        found = compare_outcomes(old, new, SCORE, kind=OutcomeKind.ZERO_INFLATED)
        assert (found.method, found.p_value) == ("paired-t", pytest.approx(stats.ttest_rel(old, new).pvalue))


KINDS = (OutcomeKind.CONTINUOUS, OutcomeKind.ORDINAL, OutcomeKind.ZERO_INFLATED, OutcomeKind.PROPORTION)


class TestLaws:
    @pytest.mark.parametrize("kind", KINDS)
    @settings(max_examples=15)
    @given(rows=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=2, max_size=12))
    def test_equal_is_zero_swap_turns_the_sign_and_order_does_not_matter(self, kind, rows):
        old, new = np.array(rows, dtype=float).T
        same = compare_outcomes(old, old, SCORE, kind=kind, resamples=200)
        assert (same.gain, same.p_value, same.interval.low, same.interval.high) == (0.0, 1.0, 0.0, 0.0)
        there, back, turned = (
            compare_outcomes(*pair, SCORE, kind=kind, resamples=200)
            for pair in ((old, new), (new, old), (old[::-1], new[::-1]))
        )
        assert (back.gain, back.p_value) == pytest.approx((-there.gain, there.p_value), abs=1e-12)
        assert (turned.gain, turned.p_value) == pytest.approx((there.gain, there.p_value), abs=1e-12)
        assert turned.interval.low == pytest.approx(there.interval.low, abs=1e-12)

    @pytest.mark.parametrize("kind", KINDS)
    def test_units_of_one_row_change_nothing_and_doubled_rows_say_no_more(self, kind):
        rng = np.random.default_rng(7)
        old, new = (rng.random((2, 60)) < 0.4).astype(float)
        alone = compare_outcomes(old, new, SCORE, kind=kind)
        assert compare_outcomes(old, new, SCORE, kind=kind, units=np.arange(60)) == alone
        twice = compare_outcomes(
            np.repeat(old, 2), np.repeat(new, 2), SCORE, kind=kind, units=np.repeat(np.arange(60), 2)
        )
        assert twice.method == (f"{alone.method}+units" if kind != KINDS[3] else "sign-flip-mid-p+units")
        assert twice.p_value == pytest.approx(alone.p_value, rel=0.06)
        assert twice.standard_error == pytest.approx(alone.standard_error, rel=0.01)
        assert (twice.interval.low, twice.interval.high) == pytest.approx(
            (alone.interval.low, alone.interval.high), abs=0.2 * alone.standard_error
        )


def test_a_guardrail_can_stand_on_an_outcome():
    cost = MetricSpec("latency_ms", Task.REGRESSION, False, Scale.TARGET_UNITS)
    delta = compare_outcomes([10.0, 11.0, 12.0, 10.5], [10.1, 11.2, 12.0, 10.6], cost)
    assert not guardrail_outcome(Guardrail("latency_ms", 1.0), delta).breached
    assert guardrail_outcome(Guardrail("latency_ms", 0.1), delta).breached
    # The mean change is 0.1, its error 0.0408; Student's quantile for one side of 5 % is 2.353 on 3 degrees of freedom.
    bound = guardrail_outcome(Guardrail("latency_ms", 0.1), delta).bound
    assert bound == pytest.approx(-0.1 - 2.3534 * 0.0408248, abs=1e-5)


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ([1.0, 2.0], [1.0], "numbers of rows differ"),
        ([], [], "no rows"),
        ([1.0, np.nan], [1.0, 2.0], "baseline is not finite"),
        (["a"], ["b"], "expected numbers"),
    ],
)
def test_what_cannot_be_compared_is_refused(old, new, text):
    with pytest.raises(InvalidInputError, match=text):
        compare_outcomes(old, new, SCORE)


def test_a_name_alone_is_no_metric():
    with pytest.raises(InvalidInputError, match="'score'") as told:
        compare_outcomes([1.0, 2.0], [1.0, 3.0], metric="score")
    assert "MetricSpec(" in told.value.hint
