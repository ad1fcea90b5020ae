"""What an epoch of contributions is paid: the lower bound of its whole gain, on a vault that is opened once.

Whoever pays each contribution by the benchmark that accepted it pays the luck that got it accepted, over and over. So
the benchmark only *accepts*. Payment waits for the end of the epoch, when the last model is compared with the first one
on rows that nobody has had any answer from: the vault. What is paid is the lower confidence bound of that one gain,
shared among those who were accepted. Then the vault is spent.

>>> settle(gain=0.021, standard_error=0.004, n_rows=10_000)
Settlement(pool=0.014421, delta_ones=1.4421)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from hokusai.domain.attribution import Attribution
from hokusai.domain.contribution import Contributor
from hokusai.domain.delta import Comparison
from hokusai.errors import InvalidInputError
from hokusai.stats.payment import MOST_PAID, basis_points
from hokusai.stats.student_t import t_critical_value

DELTA_ONES = 100
"""DeltaOnes in the whole: one is one percentage point."""


@dataclass(frozen=True, slots=True, repr=False)
class Settlement:
    """What an epoch is worth.

    Attributes:
        gain: Of its last model over its first, on the vault, a fraction.
        standard_error: Of `gain`.
        lower_bound: One-sided lower confidence bound of `gain`.
        alpha: How often such a bound lies above the true gain.
        n_rows: Rows of the vault.
        unpaid: Why nothing is paid, in words; "" if something is.
    """

    gain: float
    standard_error: float
    lower_bound: float
    alpha: float
    n_rows: int
    unpaid: str = ""

    @property
    def pool(self) -> float:
        """What is paid in all, a fraction."""
        return 0.0 if self.unpaid else self.lower_bound

    @property
    def delta_ones(self) -> float:
        """What is paid in all, in DeltaOnes."""
        return DELTA_ONES * self.pool

    def __repr__(self) -> str:
        told = f", unpaid={self.unpaid!r}" if self.unpaid else ""
        return f"Settlement(pool={self.pool:.6f}, delta_ones={self.delta_ones:.4f}{told})"


def settle(
    *,
    gain: float,
    standard_error: float,
    n_rows: int,
    alpha: float = 0.05,
    min_rows: int = 1,
    n_units: int | None = None,
) -> Settlement:
    """The pool of an epoch: max(0, gain - z standard_error), z the normal quantile of 1 - alpha.

    Where rows belong to units, z is Student's quantile with n_units - 1 degrees of freedom.

    Args:
        gain: Of the epoch's last model over its first, on the vault, a fraction.
        standard_error: Its paired standard error.
        n_rows: Rows of the vault.
        alpha: One-sided level of the bound.
        min_rows: Rows, or units, that a vault must have for anything to be paid on it.
        n_units: Units that the rows belong to, where rows of one unit depend on each other.

    Raises:
        InvalidInputError: A number that is not finite, a negative standard error, or an alpha outside (0, 0.5).
    """
    if not (math.isfinite(gain) and 0 <= standard_error < math.inf and 0 < alpha < 0.5 and n_rows > 0):
        raise InvalidInputError(
            f"An epoch is settled on a finite gain, its standard error, 0 < alpha < 0.5 and rows; got {gain}, "
            f"{standard_error}, {alpha}, {n_rows}"
        )
    if n_units is not None and n_units < 2:
        bound = -math.inf
    elif n_units is not None:
        bound = gain - t_critical_value(1 - 2 * alpha, n_units - 1) * standard_error
    else:
        bound = gain + NormalDist().inv_cdf(alpha) * standard_error
    unpaid = ""
    if n_rows < min_rows:
        unpaid = f"the vault has {n_rows} rows, and {min_rows} are needed"
    elif bound <= 0:
        unpaid = f"the lower bound of the gain is {bound:+.6f}"
    return Settlement(gain, standard_error, bound, alpha, n_rows, unpaid)


def settle_comparison(comparison: Comparison, *, alpha: float = 0.05, min_rows: int = 1) -> Settlement:
    """The pool of an epoch by the DeltaOne of its last model over its first, compared on the vault.

    To pay on one metric alone, compare the models with all weight on that metric.
    """
    return settle(
        gain=comparison.delta_one,
        standard_error=comparison.standard_error,
        n_rows=comparison.n_rows,
        alpha=alpha,
        min_rows=min_rows,
        n_units=comparison.n_units,
    )


@dataclass(frozen=True, slots=True)
class Accepted:
    """An improvement that was accepted in an epoch: what it gained on its benchmark, and who is credited with it.

    Attributes:
        gain: DeltaOne of the comparison that it was accepted by; what an attribution calls its gain decides nothing.
        attribution: Who is credited.
    """

    gain: float
    attribution: Attribution


def epoch_weights(accepted: Sequence[Accepted]) -> tuple[tuple[Contributor, int], ...]:
    """How the pool is shared: (contributor, basis points) by contributor id, summing to 10,000, or none.

    Each accepted improvement counts with its gain, and each contributor in it with the weight that he has there. Of
    more than 100, those with the most are paid.

    Args:
        accepted: All improvements that were accepted in the epoch.

    Raises:
        InvalidInputError: One contributor is there with two wallets.
    """
    who: dict[str, Contributor] = {}
    parts: dict[str, list[float]] = {}
    for improvement in accepted:
        for credit in improvement.attribution.paid:
            own = credit.contributor
            if who.setdefault(own.contributor_id, own) != own:
                raise InvalidInputError(
                    "One contributor was credited under two wallets in one epoch", where=own.contributor_id
                )
            parts.setdefault(own.contributor_id, []).append(max(improvement.gain, 0.0) * credit.weight_bps)
    worth = {name: math.fsum(own) for name, own in parts.items()}  # rounded once: no order of adding counts
    most = sorted(sorted(worth, key=lambda name: (-worth[name], name))[:MOST_PAID])
    points = basis_points([worth[name] for name in most], most)
    return tuple((who[name], bps) for name, bps in zip(most, points, strict=True) if bps)
