"""A benchmark as a record: what is measured on what, agreed before any contribution comes, and never changed.

Its identity is the digest of what it says, so that a changed benchmark is another benchmark. How often it was used is
counted beside it, since every look at a benchmark makes the next lucky draw more likely.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from typing import Any

from hokusai.domain.canonical import digest, require_sha256
from hokusai.domain.decision import AcceptanceRule, Guardrail
from hokusai.domain.metrics import Task, metric_spec
from hokusai.errors import ConflictError, InvalidInputError

FORMAT = "hokusai-benchmark-v1"
VAULT = "vault"
"""The split of a benchmark that is opened once, to pay on, and for nothing else."""

_FRACTION = re.compile(r"[0-9]{1,100}(/[1-9][0-9]{0,99})?")
_LONGEST_NAME = 200
_LONGEST_SUBJECT = 256  # it is part of an index
_LONGEST_SUBMITTER = 10_000  # all contributors to one model


@dataclass(frozen=True)
class Benchmark:
    """What models are compared on.

    Attributes:
        name: For people.
        data_sha256: Digest of its bytes, as attestations name it.
        task: What is predicted.
        target_column: Which column is predicted.
        n_rows: How many rows it has.
        split: Which part of a dataset it is, such as "test" or "vault".
        primary_metric: The one metric that can be paid on, by its own name.
        weights: Metric name to weight in DeltaOne, summing to 1; empty for equal weights.
        rule: When an improvement on it counts.
        minimum_detectable_delta: The least true gain that it finds with 80 % power at the rule's level, a fraction,
            where `discordance` of the rows are predicted differently.
        discordance: The share of rows that the above assumes.
        labels_root: The owner's commitment to the labels, hex; None if there is none.
        labels_secret: Whether the labels are kept from those who contribute.
        unit_column: The column by which rows belong together (users, documents), so that errors are between its
            units; None where each row is on its own.
    """

    name: str
    data_sha256: str
    task: Task
    target_column: str
    n_rows: int
    primary_metric: str
    minimum_detectable_delta: float
    discordance: float = 0.04
    split: str = "test"
    weights: Mapping[str, Fraction] = field(default_factory=dict)
    rule: AcceptanceRule = field(default_factory=AcceptanceRule)
    labels_root: str | None = None
    labels_secret: bool = False
    unit_column: str | None = None

    def __post_init__(self) -> None:
        require_sha256(self.data_sha256, "data_sha256")
        if self.labels_root is not None:
            require_sha256(self.labels_root, "labels_root")
        if type(self.n_rows) is not int or type(self.labels_secret) is not bool:
            raise InvalidInputError(
                "The rows of a benchmark are a whole number; its labels are secret, or not"
            )
        if not (0 <= self.minimum_detectable_delta < float("inf") and 0 < self.discordance <= 1):
            raise InvalidInputError(
                f"A benchmark finds gains from 0, where a share of the rows above 0 differs; got "
                f"{self.minimum_detectable_delta} and {self.discordance}",
                where=self.name,
            )
        if not 0 < len(self.name) <= _LONGEST_NAME or not self.name.isprintable() or self.n_rows < 1:
            raise InvalidInputError(
                f"A benchmark has a name of 1 to {_LONGEST_NAME} printable characters, and at least one row"
            )
        if self.unit_column is not None and (
            type(self.unit_column) is not str or self.unit_column in ("", self.target_column)
        ):
            raise InvalidInputError("The units' column has a name, and is not the target", where=self.name)
        for metric in (self.primary_metric, *self.weights):
            if metric_spec(metric).task is not self.task:
                raise InvalidInputError(f"{metric} is no metric of {self.task.value}", where=self.name)
        if self.weights and (sum(self.weights.values()) != 1 or min(self.weights.values()) <= 0):
            raise InvalidInputError("The weights are above 0 and sum to exactly 1", where=self.name)

    @property
    def higher_is_better(self) -> bool:
        """Of the primary metric."""
        return metric_spec(self.primary_metric).higher_is_better

    @cached_property
    def sha256(self) -> str:
        """The benchmark's identity: the digest of `to_dict()`."""
        return digest(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON values whose only numbers are whole; `from_dict` reads it back."""
        return {
            "format": FORMAT,
            "name": self.name,
            "dataSha256": self.data_sha256,
            "task": self.task.value,
            "targetColumn": self.target_column,
            "rows": self.n_rows,
            "split": self.split,
            "primaryMetric": self.primary_metric,
            "higherIsBetter": self.higher_is_better,
            "weights": {name: str(weight) for name, weight in sorted(self.weights.items())},
            "minimumDetectableDelta": repr(self.minimum_detectable_delta),
            "discordance": repr(self.discordance),
            "rule": {
                "minRows": self.rule.min_rows,
                "threshold": str(self.rule.threshold),
                "alpha": repr(self.rule.alpha),
                "guardrails": [_guardrail_dict(guardrail) for guardrail in self.rule.guardrails],
            },
            "labelsRoot": self.labels_root,
            "labelsSecret": self.labels_secret,
            **({} if self.unit_column is None else {"unitColumn": self.unit_column}),
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Benchmark:
        """The benchmark that `to_dict` wrote.

        Raises:
            InvalidInputError: It is not one, or not written as `to_dict` would.
        """
        try:
            rule = value["rule"]
            read = cls(
                name=value["name"],
                data_sha256=value["dataSha256"],
                task=Task(value["task"]),
                target_column=value["targetColumn"],
                n_rows=value["rows"],
                split=value["split"],
                primary_metric=value["primaryMetric"],
                weights={name: _fraction(weight) for name, weight in value["weights"].items()},
                minimum_detectable_delta=float(value["minimumDetectableDelta"]),
                discordance=float(value["discordance"]),
                rule=AcceptanceRule(
                    min_rows=rule["minRows"],
                    threshold=_fraction(rule["threshold"]),
                    alpha=float(rule["alpha"]),
                    guardrails=tuple(_guardrail(one) for one in rule["guardrails"]),
                ),
                labels_root=value["labelsRoot"],
                labels_secret=value["labelsSecret"],
                unit_column=value.get("unitColumn"),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as problem:
            raise InvalidInputError(f"Not a benchmark: {problem}") from problem
        if read.to_dict() != value:
            raise InvalidInputError("Not a benchmark: it has members too many, or a number in another form")
        return read


class UsePurpose(StrEnum):
    """What a look at a benchmark was for."""

    SUBMISSION = "submission"
    """A contributor's improvement was measured on it."""
    PAYMENT = "payment"
    """A vault was opened to settle an epoch; once, and then it is spent."""
    EVALUATION = "evaluation"
    """Somebody looked."""


@dataclass(frozen=True, slots=True)
class BenchmarkUse:
    """One look at a benchmark.

    Attributes:
        benchmark_sha256: Which benchmark.
        purpose: What for.
        subject: Content that was measured, such as the new model's digest; the same again is the same use.
        submitter: On whose behalf.
        number: The how many-th use of this purpose it is, from 1.
    """

    benchmark_sha256: str
    purpose: UsePurpose
    subject: str
    submitter: str
    number: int

    def __post_init__(self) -> None:
        texts = (
            ("subject", self.subject, _LONGEST_SUBJECT),
            ("submitter", self.submitter, _LONGEST_SUBMITTER),
        )
        for what, text, longest in texts:
            if not 0 < len(text) <= longest or not text.isprintable():
                raise InvalidInputError(
                    f"The {what} of a benchmark's use is a text of 1 to {longest} printable characters, got "
                    f"{text[:60]!r}",
                    where=what,
                )

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "benchmark_sha256": self.benchmark_sha256,
            "purpose": self.purpose.value,
            "subject": self.subject,
            "submitter": self.submitter,
            "number": self.number,
        }


def checked_use(wanted: BenchmarkUse, *, by_submitter: int, limit: int | None) -> BenchmarkUse:
    """`wanted`, which no use of the same subject precedes, if it may still be counted.

    Args:
        wanted: The use, numbered as the next of its purpose.
        by_submitter: How many uses for this purpose its submitter had.
        limit: How many that may be; None for any number.

    Raises:
        ConflictError: A vault is opened for a second payment, or the submitter has no use left.
    """
    if wanted.purpose is UsePurpose.PAYMENT and wanted.number > 1:
        raise ConflictError(
            "The vault is spent: a payment was settled on it, and whoever has seen its result could aim at it",
            where=wanted.benchmark_sha256,
            hint="Settle the next epoch on a vault of fresh rows.",
        )
    if limit is not None and by_submitter >= limit:
        raise ConflictError(
            f"{wanted.submitter} has used the benchmark {by_submitter} times for a {wanted.purpose}, and {limit} is "
            "the limit",
            where=wanted.benchmark_sha256,
            hint="Every look at a benchmark makes a lucky draw more likely; a new benchmark starts a new count.",
        )
    return wanted


def _fraction(text: str) -> Fraction:
    if not _FRACTION.fullmatch(text):
        raise ValueError(f"{text[:80]!r} is no fraction")
    return Fraction(text)


def _guardrail_dict(guardrail: Guardrail) -> dict[str, Any]:
    return {
        "metric": guardrail.metric,
        "margin": repr(float(guardrail.margin) + 0.0),  # a negative zero is zero
        "higherIsBetter": guardrail.direction > 0,
        "relative": guardrail.relative,
        "slice": list(guardrail.slice) if guardrail.slice else None,
    }


def _guardrail(value: Mapping[str, Any]) -> Guardrail:
    return Guardrail(
        metric=value["metric"],
        margin=float(value["margin"]),
        higher_is_better=value["higherIsBetter"],
        relative=value["relative"],
        slice=tuple(value["slice"]) if value["slice"] else None,
    )
