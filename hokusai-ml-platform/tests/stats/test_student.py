"""Student's t against the published table and against scipy."""

import pytest
from scipy import stats

from hokusai.errors import InvalidInputError
from hokusai.stats.student import critical_t, two_sided_t


@pytest.mark.parametrize(
    ("dof", "confidence", "printed"),  # Fisher and Yates, table III
    [(1, 0.95, 12.706), (2, 0.95, 4.303), (5, 0.9, 2.015), (10, 0.99, 3.169), (30, 0.95, 2.042), (120, 0.95, 1.980)],
)  # fmt: skip
def test_the_printed_table(dof, confidence, printed):
    assert critical_t(confidence, dof) == pytest.approx(printed, abs=5e-4)


@pytest.mark.parametrize("dof", [1, 2, 3, 7.5, 30, 1000, 1e5, 1e6])
def test_scipy_agrees(dof):
    for t in (0.0, 0.01, 0.5, 1.0, 1.96, 2.5, 5.0, 10.0, 37.0):
        assert two_sided_t(-t, dof) == pytest.approx(2 * stats.t.sf(t, dof), rel=1e-7, abs=1e-300)
    for confidence in (0.5, 0.95, 0.999):
        assert critical_t(confidence, dof) == pytest.approx(stats.t.ppf(0.5 + confidence / 2, dof), rel=1e-7)


def test_at_a_hundred_million_degrees_of_freedom_it_is_the_normal_distribution():
    assert two_sided_t(1.959963984540054, 1e8) == pytest.approx(0.05, rel=1e-12)


def test_numbers_out_of_range_are_refused():
    with pytest.raises(InvalidInputError, match="degree of freedom"):
        two_sided_t(1.0, 0)
    with pytest.raises(InvalidInputError, match="between 0 and 1"):
        critical_t(1.0, 4)
