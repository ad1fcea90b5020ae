"""Whole basis points by largest remainder, and who is paid at all."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.domain.attribution import AttributionMethod
from hokusai.domain.delta import Interval
from hokusai.errors import InvalidInputError
from hokusai.stats.payment import (
    HARM,
    LESS_THAN_A_POINT,
    NO_ROWS,
    NO_WORTH,
    NOISE,
    TOO_MANY,
    UNKNOWN_NOISE,
    Worth,
    basis_points,
    pay,
)

SHAPLEY = AttributionMethod.SHAPLEY


def sure(identity, value):
    return Worth(identity, value, Interval(0.9 * value, 1.1 * value, 0.95), 10)


class TestBasisPoints:
    def test_by_hand(self):
        # 47/100, 16/100, 158/1000, 12/100, 61/1000, 31/1000 of 10,000 are whole; thirds of the rest are not.
        assert basis_points([470, 160, 158, 120, 61, 31], list("abcdef")) == (
            4700,
            1600,
            1580,
            1200,
            610,
            310,
        )
        assert basis_points([2, 2, 2, 1], list("abcd")) == (
            2857,
            2857,
            2857,
            1429,
        )  # rests 1/7, 1/7, 1/7, 4/7

    def test_equal_rests_go_by_identity_and_then_by_order(self):
        assert basis_points([1, 1, 1], ["z", "m", "a"]) == (3333, 3333, 3334)
        assert basis_points([1, 1, 1], ["a", "a", "a"]) == (3334, 3333, 3333)

    def test_of_nothing_are_nothing(self):
        assert basis_points([0, 0.0], ["a", "b"]) == (0, 0)
        assert basis_points([], []) == ()

    @settings(max_examples=40)
    @given(st.lists(st.floats(0, 1e6), min_size=1, max_size=40))
    def test_sum_to_ten_thousand_and_are_off_by_less_than_one(self, shares):
        points = basis_points(shares, [str(i) for i in range(len(shares))])
        total = sum(map(Fraction, shares))
        assert sum(points) == (10_000 if total else 0)
        for share, point in zip(shares, points, strict=True):
            assert not total or abs(point - Fraction(share) * 10_000 / total) < 1

    @settings(max_examples=30)
    @given(st.permutations([("a", 1), ("b", 1), ("c", 3), ("d", 0), ("e", 7)]))
    def test_do_not_depend_on_the_order(self, people):
        # Twelfths of 10,000: 833 1/3, 833 1/3, 2,500, 0, 5,833 1/3; the missing one goes to the first by name.
        points = basis_points([share for _, share in people], [name for name, _ in people])
        by_name = {name: point for (name, _), point in zip(people, points, strict=True)}
        assert by_name == {"a": 834, "b": 833, "c": 2500, "d": 0, "e": 5833}

    @pytest.mark.parametrize("shares", [[-0.1, 1], [float("nan"), 1], [float("inf"), 1], [1]])
    def test_refuse_what_is_no_share(self, shares):
        with pytest.raises(InvalidInputError, match="0 or more, each with an identity"):
            basis_points(shares, ["a", "b"])


class TestPay:
    def test_leaves_out_noise_harm_and_nothing_with_the_reason(self):
        worths = [
            sure("good", 0.02),
            Worth("unsure", 0.01, Interval(-0.001, 0.021, 0.95), 10),
            Worth("harm", -0.02, Interval(-0.03, -0.01, 0.95), 10),
            Worth("nothing", 0.0, Interval(0.0, 0.0, 0.95), 10),
            Worth("unmeasured", 0.02, None, 10),
            Worth("copied", 0.0, None, 0),
        ]
        assert pay(worths, SHAPLEY) == [
            (10_000, ""), (0, NOISE), (0, HARM), (0, NO_WORTH), (0, UNKNOWN_NOISE), (0, NO_ROWS),
        ]  # fmt: skip

    def test_by_rows_needs_no_interval(self):
        worths = [Worth("a", 0.03, None, 30), Worth("b", 0.01, None, 10)]
        assert pay(worths, AttributionMethod.PROPORTIONAL) == [(7500, ""), (2500, "")]

    def test_pays_a_hundred_at_most_those_who_are_worth_most(self):
        paid = pay([sure(f"c{i:03}", 0.001 + 0.0001 * (i % 101)) for i in range(103)], SHAPLEY)
        # Of 103, the values of numbers 0, 1, 101 and 102 are the lowest: c000 = c101 < c001 = c102 < c002.
        assert [i for i, (_, unpaid) in enumerate(paid) if unpaid == TOO_MANY] == [0, 101, 102]
        assert sum(points for points, _ in paid) == 10_000

    def test_pays_nobody_less_than_a_basis_point(self):
        paid = pay([sure("much", 0.5), sure("dust", 0.00001)], SHAPLEY)
        assert paid == [(10_000, ""), (0, LESS_THAN_A_POINT)]

    @settings(max_examples=40)
    @given(st.lists(st.tuples(st.floats(-0.1, 0.1), st.floats(0, 0.1)), min_size=1, max_size=120))
    def test_is_all_or_nothing_and_never_pays_without_confidence(self, people):
        worths = [
            Worth(str(i), value, Interval(value - width, value + width, 0.95), 1)
            for i, (value, width) in enumerate(people)
        ]
        paid = pay(worths, SHAPLEY)
        assert sum(points for points, _ in paid) in (0, 10_000)
        assert sum(points > 0 for points, _ in paid) <= 100
        for worth, (points, unpaid) in zip(worths, paid, strict=True):
            assert (points > 0) == (unpaid == "")
            assert points == 0 or worth.interval.low > 0
