"""McNemar's mid-p against the paper, hand-worked values and scipy's binomial."""

import pytest
from scipy.stats import binom

from hokusai.errors import InvalidInputError
from hokusai.stats.mcnemar import P_VALUE_FLOOR, mcnemar_mid_p


class TestKnownAnswers:
    def test_the_example_of_the_paper(self):
        # Fagerland et al. 2013, airway hyper-responsiveness in 21 children: discordant counts 1 and 7.
        # P(X <= 1) = 9/256, P(X = 1) = 8/256, so mid-p = 18/256 - 8/256 = 10/256 = 0.0390625.
        assert mcnemar_mid_p(1, 7) == 10 / 256

    def test_all_rows_going_one_way(self):
        # Only X = 0 is as extreme: mid-p = 2 * 0 + 1/2^5.
        assert mcnemar_mid_p(0, 5) == 1 / 32

    def test_equally_often_right_is_no_evidence(self):
        assert mcnemar_mid_p(0, 0) == 1.0
        assert mcnemar_mid_p(4, 4) == 1.0

    def test_does_not_care_which_model_is_called_new(self):
        assert mcnemar_mid_p(12, 30) == mcnemar_mid_p(30, 12)

    def test_refuses_a_negative_count(self):
        with pytest.raises(InvalidInputError, match="negative, got -1"):
            mcnemar_mid_p(-1, 3)


@pytest.mark.parametrize(
    ("b", "c"),
    [
        (3, 4),
        (40, 61),
        (480, 520),
        (500, 501),  # n up to 1,000 starts from integers; these two lie right above it
        (450, 552),
        (4900, 5111),
        (49_000, 51_000),
        (499_000, 501_000),
        (485_000, 515_000),
    ],
)
def test_agrees_with_scipy_at_every_size(b, c):
    n, k = b + c, min(b, c)
    expected = 2 * binom.cdf(k, n, 0.5) - binom.pmf(k, n, 0.5)
    assert mcnemar_mid_p(b, c) == pytest.approx(expected, rel=1e-8)


def test_the_series_meets_the_integers_where_they_join():
    # For n = 2m + 1, mid-p(m, m + 1) = 2 P(X < m) + P(X = m) = 1 - P(X = m), and P(X = m) = C(2m + 1, m) /
    # 2^(2m + 1), of which two neighbours have the ratio (2m + 3) / (2m + 4). n = 999 is worked out in
    # integers, n = 1,001 by the series.
    below, above = 1 - mcnemar_mid_p(499, 500), 1 - mcnemar_mid_p(500, 501)
    assert above / below == pytest.approx(1001 / 1002, rel=1e-12)


def test_never_reports_zero():
    assert mcnemar_mid_p(0, 5000) == P_VALUE_FLOOR
    assert mcnemar_mid_p(1, 999_999) == P_VALUE_FLOOR
    assert mcnemar_mid_p(0, 990) == pytest.approx(2.0**-990, rel=1e-12)
