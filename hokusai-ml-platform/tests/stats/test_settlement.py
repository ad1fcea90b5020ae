"""Epochs settled on a vault: the bound by hand, the shares, and what luck is paid."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from hokusai.domain.attribution import Attribution, AttributionMethod, Credit
from hokusai.domain.contribution import Contributor
from hokusai.domain.identifiers import WalletAddress
from hokusai.errors import InvalidInputError
from hokusai.stats.mcnemar import mcnemar_mid_p
from hokusai.stats.paired import compare_classifiers
from hokusai.stats.settlement import Accepted, epoch_weights, settle, settle_comparison


class TestSettle:
    def test_pays_the_lower_bound(self):
        # 0.02 - 1.644854 * 0.005 = 0.011776
        settled = settle(gain=0.02, standard_error=0.005, n_rows=10_000)
        assert settled.pool == pytest.approx(0.02 - stats.norm.ppf(0.95) * 0.005, rel=1e-12)
        assert settled.delta_ones == pytest.approx(1.177573, abs=1e-6)
        assert settled.unpaid == ""

    def test_pays_nothing_where_the_bound_is_not_above_zero(self):
        settled = settle(gain=0.005, standard_error=0.005, n_rows=10_000)
        assert (settled.pool, settled.delta_ones) == (0.0, 0.0)
        assert settled.unpaid == "the lower bound of the gain is -0.003224"

    def test_pays_nothing_on_too_small_a_vault(self):
        settled = settle(gain=0.3, standard_error=0.01, n_rows=300, min_rows=800)
        assert settled.pool == 0.0
        assert settled.unpaid == "the vault has 300 rows, and 800 are needed"

    @pytest.mark.parametrize(
        "wrong",
        [
            {"gain": float("nan")},
            {"standard_error": -1.0},
            {"alpha": 0.5},
            {"n_rows": 0},
            {"standard_error": float("inf")},
        ],
    )
    def test_refuses_numbers_that_settle_nothing(self, wrong):
        with pytest.raises(InvalidInputError, match="An epoch is settled on"):
            settle(**({"gain": 0.01, "standard_error": 0.01, "n_rows": 100} | wrong))

    def test_of_a_comparison_takes_its_delta_one(self):
        # 100 rows, 12 repaired and 2 spoilt: gain .10, variance (.14 - .01) / 100.
        old = [0] * 80 + [1] * 20
        new = [0] * 78 + [1] * 2 + [0] * 12 + [1] * 8
        compared = compare_classifiers(
            [0] * 100, old, new, classes=("a", "b"), metrics=["accuracy"], weights={"accuracy": 1}
        )
        settled = settle_comparison(compared)
        assert settled.gain == pytest.approx(0.10)
        assert settled.lower_bound == pytest.approx(0.10 - 1.644854 * np.sqrt(0.13 / 100), abs=1e-6)

    def test_pays_for_luck_only_as_often_as_it_says(self):
        rng = np.random.default_rng(4)
        paid = [settle(gain=g, standard_error=1.0, n_rows=1).pool > 0 for g in rng.normal(size=2000)]
        assert stats.binomtest(sum(paid), 2000, 0.05).pvalue > 0.001

    def test_counts_units_where_rows_belong_to_them(self):
        # Student's 95 % quantile of one side with 2 degrees of freedom is 2.919986.
        settled = settle(gain=0.03, standard_error=0.01, n_rows=1_200, n_units=3)
        assert settled.lower_bound == pytest.approx(0.03 - 0.02919986, abs=1e-8)
        assert settle(gain=0.03, standard_error=0.01, n_rows=799, n_units=3, min_rows=800).pool == 0
        assert settle(gain=0.03, standard_error=0.01, n_rows=1_200, n_units=3, min_rows=800).pool > 0
        assert settle(gain=0.03, standard_error=0.0, n_rows=1_200, n_units=1).pool == 0


def shared(gain, **weights):
    said = 1e6  # what an attribution calls its gain decides nothing
    credited = Attribution(
        AttributionMethod.SHAPLEY,
        said,
        tuple(
            Credit(Contributor(name), 0.01, None, None, bps, 10, "" if bps else "nothing")
            for name, bps in weights.items()
        ),
    )
    return Accepted(gain, credited)


class TestEpochWeights:
    def test_count_each_improvement_with_its_gain(self):
        # .03 (a .6, b .4) and .01 (b all): a .018, b .012 + .01 of .04.
        weights = epoch_weights([shared(0.03, a=6000, b=4000), shared(0.01, b=10_000)])
        assert [(who.contributor_id, bps) for who, bps in weights] == [("a", 4500), ("b", 5500)]

    def test_of_an_epoch_without_gains_are_none(self):
        assert epoch_weights([]) == ()
        assert epoch_weights([shared(-0.01, a=10_000)]) == ()

    def test_leave_out_who_is_paid_nothing(self):
        assert [who.contributor_id for who, _ in epoch_weights([shared(0.02, a=10_000, b=0)])] == ["a"]

    def test_refuse_one_contributor_with_two_wallets(self):
        wallets = [WalletAddress("0x" + digit * 40) for digit in "12"]
        epoch = [
            Accepted(
                0.01,
                Attribution(
                    AttributionMethod.SHAPLEY,
                    0.01,
                    (Credit(Contributor("a", wallet), 0.01, None, None, 10_000, 5),),
                ),
            )
            for wallet in wallets
        ]
        with pytest.raises(InvalidInputError, match="two wallets"):
            epoch_weights(epoch)

    @settings(max_examples=20)
    @given(st.permutations([(0.03, 6000), (0.01, 1000), (0.07, 10_000), (0.013, 3333)]))
    def test_do_not_depend_on_the_order(self, epoch):
        weights = epoch_weights([shared(gain, a=bps, b=10_000 - bps) for gain, bps in epoch])
        # a: .018 + .001 + .07 + .0043329 = .0933329 of .123
        assert [bps for _, bps in weights] == [7588, 2412]

    def test_pay_a_hundred_at_most(self):
        weights = epoch_weights([shared(0.001 * (i + 1), **{f"c{i:03}": 10_000}) for i in range(130)])
        assert len(weights) == 100
        assert weights[0][0].contributor_id == "c030"
        assert sum(bps for _, bps in weights) == 10_000


def test_three_hundred_submissions_of_nothing_are_paid_next_to_nothing():
    """One farmer, 10,000 rows, accuracy .85, 4 % of the rows discordant, in counts of rows; 60 such epochs.

    Paying each gain that is seen pays 2.3 percentage points. Accepting at p < .05 and settling on a vault pays what a
    5 % bound pays of chance: about .02 of a standard error, which is a third of a point.
    """
    rng, n, epochs = np.random.default_rng(1), 10_000, 60
    naive, settled = [], []
    for _ in range(epochs):
        seen = gained = right = n * 85 // 100
        first_right, first_wrong = (
            right,
            0,
        )  # rows of the vault that the last model has right, by what the first had
        for _ in range(300):
            b, c = rng.binomial(n - seen, 0.02 / 0.15), rng.binomial(seen, 0.02 / 0.85)
            seen += max(b - c, 0)
            b, c = rng.binomial(n - gained, 0.02 / 0.15), rng.binomial(gained, 0.02 / 0.85)
            if b > c and mcnemar_mid_p(b, c) / 2 < 0.05:
                gained += b - c
                repaired, spoilt = rng.binomial([right - first_right, n - right - first_wrong], 0.02 / 0.15)
                lost, relapsed = rng.binomial([first_right, first_wrong], 0.02 / 0.85)
                first_right, first_wrong = first_right + repaired - lost, first_wrong + spoilt - relapsed
        naive.append((seen - right) / n)
        better, worse = first_wrong, right - first_right
        gain = (better - worse) / n
        error = np.sqrt(((better + worse) / n - gain**2) / n)
        settled.append(settle(gain=gain, standard_error=error, n_rows=n).pool)
    assert 0.018 < np.mean(naive) < 0.029
    assert np.mean(settled) <= 0.0005
