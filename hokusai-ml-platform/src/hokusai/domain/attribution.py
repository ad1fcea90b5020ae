"""Who is credited with how much of one improvement: the nouns. How it is worked out is in `hokusai.stats.allocation`.

What a contributor is *worth* is a share of the gain, with its uncertainty; what he is *paid* is a weight in whole
basis points, which sum to exactly 10,000. The two differ: harm is not paid for, and neither is noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hokusai.domain.contribution import Contributor
from hokusai.domain.delta import Interval
from hokusai.errors import InvalidInputError

ALL_BPS = 10_000
"""The whole, in basis points."""


class AttributionMethod(StrEnum):
    """How credit was worked out."""

    SHAPLEY = "shapley"
    """Exact group Shapley values: a model was trained on every coalition of contributors."""
    SHAPLEY_MONTE_CARLO = "shapley_monte_carlo"
    """Shapley values over sampled orders of contributors, with the error of that."""
    LEAVE_ONE_OUT = "leave_one_out"
    """What is lost without each contributor. Duplicates of one another both earn nothing."""
    PROPORTIONAL = "proportional"
    """By accepted rows: it says how much was given, not how much it was worth. Padding pays."""


@dataclass(frozen=True, slots=True)
class Credit:
    """One contributor's part.

    Attributes:
        contributor: Who.
        value: His part of the gain, a fraction (0.01 is one percentage point); below zero if his data does harm.
        standard_error: Of `value`, over repeated seeds and benchmark rows; None where the method has none.
        interval: Confidence interval of `value`; None where the method has none.
        weight_bps: What he is paid, in basis points of the pool; 0 where `unpaid` says why.
        rows: His rows that were used, each credited to him alone.
        unpaid: Why nothing is paid, in words; "" if something is.
    """

    contributor: Contributor
    value: float
    standard_error: float | None
    interval: Interval | None
    weight_bps: int
    rows: int
    unpaid: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.weight_bps <= ALL_BPS or (self.weight_bps > 0) == bool(self.unpaid):
            raise InvalidInputError(
                f"A credit has a weight of 1 to {ALL_BPS}, or 0 and a reason; got {self.weight_bps} and "
                f"{self.unpaid!r}",
                where=self.contributor.contributor_id,
            )


@dataclass(frozen=True, slots=True)
class Attribution:
    """One gain, shared out.

    Attributes:
        method: How.
        gain: What is shared out: the gain of the model trained on everybody's data over the baseline.
        credits: One for each contributor, in the order in which they contributed.
        seeds: How often each model was trained.
        evaluations: How many coalitions were trained and measured, seeds not counted.
        sampling_error: Largest standard error that sampling orders leaves in a value; None if nothing was sampled.
        note: What a reader has to know, or "".
        without: What training without any contribution gains, where that was measured. It is nobody's, and no part of
            `gain`.
    """

    method: AttributionMethod
    gain: float
    credits: tuple[Credit, ...]
    seeds: int = 1
    evaluations: int = 0
    sampling_error: float | None = None
    note: str = ""
    without: float | None = None

    def __post_init__(self) -> None:
        total = sum(credit.weight_bps for credit in self.credits)
        if total not in (0, ALL_BPS):
            raise InvalidInputError(f"Weights sum to {ALL_BPS} basis points, or to none; got {total}")

    @property
    def paid(self) -> tuple[Credit, ...]:
        """Who is paid."""
        return tuple(credit for credit in self.credits if credit.weight_bps)
