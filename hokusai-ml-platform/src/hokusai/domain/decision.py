"""Whether an improvement counts: the rule, its guardrails, and the decision with all its reasons."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Any

from hokusai.domain.metrics import metric_direction
from hokusai.errors import InvalidInputError

ONE_DELTA_ONE = Fraction(1, 100)
"""One DeltaOne is one percentage point."""

_GUARDRAIL = re.compile(
    r"(?P<sign>[+-]?)(?P<metric>[^\[\]=]+)(\[(?P<column>[^=\]]+)=(?P<value>[^\]]*)\])?=(?P<margin>[^=%]+)(?P<share>%?)"
)


class Verdict(StrEnum):
    """Why an improvement does not count, in the order in which it is looked at; or that it does."""

    TOO_FEW_ROWS = "too_few_rows"
    BENCHMARK_MISMATCH = "benchmark_mismatch"
    LEAKAGE = "leakage"
    BELOW_THRESHOLD = "below_threshold"
    NOT_SIGNIFICANT = "not_significant"
    GUARDRAIL = "guardrail"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class Guardrail:
    """Something that must not get worse by more than a margin, shown with confidence (non-inferiority).

    Attributes:
        metric: Its name: a metric of the comparison, a custom scorer, or `latency_ms`, `size_bytes`.
        margin: By how much it may get worse, in its own unit (or a share of the baseline if `relative`), at least 0.
        higher_is_better: By default what the metric's name says.
        relative: Whether `margin` is a share of the baseline's value.
        slice: (column, value as text) of the benchmark's rows that it is measured on; None for all rows.
    """

    metric: str
    margin: float
    higher_is_better: bool | None = None
    relative: bool = False
    slice: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.margin < float("inf"):
            raise InvalidInputError(
                f"The margin of a guardrail is a number of 0 or more, got {self.margin}", where=self.metric
            )
        if self.higher_is_better is None and metric_direction(self.metric) is None:
            raise InvalidInputError(
                f"Nothing tells whether a higher {self.metric!r} is better",
                where="guardrail",
                hint="Say it: +METRIC=MARGIN where higher is better, -METRIC=MARGIN where lower is "
                "(higher_is_better=True or False in Python).",
            )
        # one value for one meaning, whether it was said or follows from the name
        object.__setattr__(self, "higher_is_better", self.direction > 0)

    @classmethod
    def parse(cls, text: str) -> Guardrail:
        """The guardrail that `METRIC=MARGIN` is.

        A slice stands in brackets behind the metric; `10%` is a share of the baseline's value; a sign before the metric
        says that higher (+) or lower (-) is better, where its name does not.

        Raises:
            InvalidInputError: It is not of this form, or nothing tells the direction.

        >>> Guardrail.parse("recall[region=EU]=0.02").slice, Guardrail.parse("latency_ms=10%").margin
        (('region', 'EU'), 0.1)
        """
        read = _GUARDRAIL.fullmatch(text.strip())
        try:
            margin = Fraction(read["margin"]) if read is not None else None
        except (ValueError, ZeroDivisionError):
            margin = None
        if read is None or margin is None:
            raise InvalidInputError(
                f"{text!r} is not of the form METRIC=MARGIN",
                hint="As in recall=0.01, recall[region=EU]=0.02 or latency_ms=10%.",
            )
        if read["metric"].endswith("_bytes") and 0 < margin < 1 and not read["share"]:
            raise InvalidInputError(
                f"{text!r} allows a part of a byte",
                hint=f"A share of the baseline's is written {read['metric']}={float(100 * margin):g}%.",
            )
        return cls(
            metric=read["metric"],
            margin=float(margin / 100 if read["share"] else margin),
            higher_is_better={"+": True, "-": False, "": None}[read["sign"]],
            relative=bool(read["share"]),
            slice=(read["column"], read["value"]) if read["column"] else None,
        )

    @property
    def direction(self) -> int:
        """+1 where higher is better, -1 where lower is better."""
        if self.higher_is_better is not None:
            return 1 if self.higher_is_better else -1
        return metric_direction(self.metric) or 1

    @property
    def name(self) -> str:
        """The metric, and the slice if there is one.

        >>> Guardrail("recall", 0.01, slice=("region", "EU")).name
        'recall[region=EU]'
        """
        return self.metric if self.slice is None else f"{self.metric}[{self.slice[0]}={self.slice[1]}]"


@dataclass(frozen=True, slots=True)
class GuardrailOutcome:
    """What was measured for a guardrail.

    Attributes:
        guardrail: Which.
        change: New minus baseline, in the metric's direction (positive is better); None if it was not measured.
        bound: Lower confidence bound of `change`; None if it was not measured.
        allowed: The least that `bound` may be: minus the margin, in the metric's unit; None if it was not measured.
        breached: Whether it got worse than it may, or was not measured.
        reason: In words.
    """

    guardrail: Guardrail
    change: float | None
    bound: float | None
    allowed: float | None
    breached: bool
    reason: str

    def __post_init__(self) -> None:
        if self.change is None or self.bound is None or self.allowed is None:
            if not self.breached:
                raise InvalidInputError(
                    "A guardrail without a measurement is breached", where=self.guardrail.name
                )
            return
        margin = self.guardrail.margin
        agreed = self.allowed <= 0 if self.guardrail.relative else self.allowed == -margin
        if not agreed or self.breached == (self.bound >= self.allowed):
            raise InvalidInputError(
                f"A guardrail of margin {margin} is breached where the bound, {self.bound}, is below minus the margin; "
                f"got {self.allowed} and {'a breach' if self.breached else 'no breach'}",
                where=self.guardrail.name,
            )


@dataclass(frozen=True, slots=True)
class AcceptanceRule:
    """When an improvement counts.

    Attributes:
        min_rows: Benchmark rows that there must be.
        threshold: Least gain of the primary metric, a fraction; 1 DeltaOne by default.
        alpha: One-sided level at which the gain must be above zero.
        guardrails: What must not get worse.
    """

    min_rows: int = 800
    threshold: Fraction = ONE_DELTA_ONE
    alpha: float = 0.05
    guardrails: tuple[Guardrail, ...] = ()

    def __post_init__(self) -> None:
        if self.min_rows < 1 or self.threshold < 0 or not 0 < self.alpha < 0.5:
            raise InvalidInputError(
                f"An acceptance rule needs min_rows >= 1, threshold >= 0 and 0 < alpha < 0.5; got {self.min_rows}, "
                f"{self.threshold}, {self.alpha}"
            )


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason, for machines and for people."""

    verdict: Verdict
    detail: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of an improvement.

    Attributes:
        reasons: Every reason against it, in the order of `Verdict`; or the one `ACCEPTED`.
        rule: By which it was decided.
        guardrails: What was measured for each.
    """

    reasons: tuple[Reason, ...]
    rule: AcceptanceRule
    guardrails: tuple[GuardrailOutcome, ...] = field(default=())

    def __post_init__(self) -> None:
        order = [list(Verdict).index(reason.verdict) for reason in self.reasons]
        alone = len(order) == 1 or Verdict.ACCEPTED not in {reason.verdict for reason in self.reasons}
        if not order or order != sorted(order) or not alone:
            raise InvalidInputError("A decision has its reasons in order, and no reason beside acceptance")

    @property
    def accepted(self) -> bool:
        """Whether the improvement counts."""
        return self.reasons[0].verdict is Verdict.ACCEPTED

    @property
    def verdict(self) -> Verdict:
        """The first reason."""
        return self.reasons[0].verdict

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, for people and reports."""
        return {
            "accepted": self.accepted,
            "reasons": [{"verdict": r.verdict.value, "detail": r.detail} for r in self.reasons],
            "rule": {
                "min_rows": self.rule.min_rows,
                "threshold": float(self.rule.threshold),
                "alpha": self.rule.alpha,
            },
            "guardrails": [
                {
                    "name": outcome.guardrail.name,
                    "margin": outcome.guardrail.margin,
                    "change": outcome.change,
                    "bound": outcome.bound,
                    "breached": outcome.breached,
                    "reason": outcome.reason,
                }
                for outcome in self.guardrails
            ],
        }
