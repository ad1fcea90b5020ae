"""What a contribution may be worth, before anybody trains the real model: a preview with its uncertainty.

Two questions are answered apart. How small a change could a benchmark of this size show at all? And what does a quick
model gain from the new rows? The second is about a quick model on a sample: the sign and the rough size carry over to
the real model, the digits do not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from hokusai.domain.delta import Comparison, MetricDelta
from hokusai.domain.metrics import Task
from hokusai.errors import InvalidInputError
from hokusai.pipeline.data.columns import col, selected
from hokusai.pipeline.data.quick_model import FAILURES, feature_matrix, learnable, quick_fit
from hokusai.pipeline.data.row_sample import RowSample
from hokusai.pipeline.task import infer_task
from hokusai.pipeline.training import target_values
from hokusai.utils.extras import require

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

TEST_SHARE = 4
LEAST_TEST_ROWS = 30
LEAST_NEW_ROWS = 10
_CURVE = (4, 2)


@dataclass(frozen=True, slots=True)
class ExpectedEffect:
    """A quick model without and with the new rows, on the same rows of the base data that neither saw.

    Attributes:
        change: The change of accuracy (classification) or RMSE (regression), with its interval.
        base_rows: Distinct base rows that the quick model was trained on.
        new_rows: Distinct new rows that were added.
        test_rows: Base rows that both were measured on.
        curve: (base rows trained on, value of the metric): what more rows of the base's own kind did.
        sampled: Whether not all distinct rows took part.
    """

    change: MetricDelta
    base_rows: int
    new_rows: int
    test_rows: int
    curve: tuple[tuple[int, float], ...]
    sampled: bool

    def __str__(self) -> str:
        found, ends = self.change, self.change.interval
        clear = "better" if found.gain > 0 else "worse"
        verdict = (
            f"clearly {clear}"
            if ends.low * ends.high > 0
            else f"no clear change: the {ends.confidence:.0%} interval includes zero"
        )
        steps = ", ".join(f"{value:.4g} with {rows:,}" for rows, value in self.curve)
        return (
            f"A quick model's {found.metric.name} goes from {found.baseline_value:.4g} to {found.new_value:.4g} "
            f"({found.absolute_delta:+.4g}, {ends.confidence:.0%} interval {ends.low:+.4g} to {ends.high:+.4g}; "
            f"{verdict}) on {self.test_rows:,} held-out base rows, when {self.new_rows:,} new rows join "
            f"{self.base_rows:,}{', samples both' if self.sampled else ''}. "
            f"Base rows alone gave {steps}. The real model and benchmark will give other numbers."
        )

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        found = self.change
        return {
            "metric": found.metric.name,
            "without": found.baseline_value,
            "with": found.new_value,
            "change": found.absolute_delta,
            "interval": [found.interval.low, found.interval.high],
            "confidence": found.interval.confidence,
            "p_value": found.p_value,
            "base_rows": self.base_rows,
            "new_rows": self.new_rows,
            "test_rows": self.test_rows,
            "curve": [list(point) for point in self.curve],
            "sampled": self.sampled,
            "text": str(self),
        }


@dataclass(frozen=True, slots=True)
class NoEstimate:
    """Why no effect could be estimated."""

    reason: str


def minimum_detectable_delta(
    n_rows: int, *, discordant_share: float = 0.1, confidence: float = 0.95, power: float = 0.8
) -> float | None:
    """The least change of accuracy that a paired comparison on a benchmark would show.

    The least D with n D^2 >= (z_a sqrt(d) + z_b sqrt(d - D^2))^2, where d is the share of rows on which exactly one of
    the models is right, z_a the two-sided normal quantile of `confidence` and z_b the one of `power`.

    Args:
        n_rows: Rows of the benchmark.
        discordant_share: d; unknown before both models exist: similar models have 0.05, rather different ones 0.2.
        confidence: Of the test.
        power: Chance to show a change of this size.

    Returns:
        A fraction of the rows; None if not even a change of d, the greatest possible, would show.

    Raises:
        InvalidInputError: An argument is outside of its range.

    >>> round(minimum_detectable_delta(1_000), 4), minimum_detectable_delta(20)
    (0.028, None)

    References:
        Connor (1987), Sample Size for Testing Differences in Proportions for the Paired-Sample Design, Biometrics
        43(1), equation 3.
    """
    shares = {"discordant_share": discordant_share, "confidence": confidence, "power": power}
    for name, value in shares.items():
        if not 0 < value < 1:
            raise InvalidInputError(f"{name} must lie between 0 and 1, got {value}")
    if n_rows < 1:
        raise InvalidInputError(f"A benchmark has at least one row, got {n_rows}")
    z_a, z_b = NormalDist().inv_cdf((1 + confidence) / 2), NormalDist().inv_cdf(power)
    d = discordant_share

    def shows(delta: float) -> bool:
        return math.sqrt(n_rows) * delta >= z_a * math.sqrt(d) + z_b * math.sqrt(d - delta * delta)

    if not shows(d):
        return None
    low, high = 0.0, d
    for _ in range(60):  # halving until the double is reached; the right side falls as delta grows
        middle = (low + high) / 2
        low, high = (low, middle) if shows(middle) else (middle, high)
    return high


def expected_effect(
    base: pl.DataFrame | RowSample,
    new: pl.DataFrame | RowSample,
    target: str,
    *,
    features: Sequence[str] | None = None,
    task: Task | None = None,
) -> ExpectedEffect | NoEstimate:
    """Train a quick model on base rows, and on base and new rows, and compare both on a quarter of the base rows.

    At most 20,000 distinct rows of each take part, chosen by their content; new rows whose features are among the
    rows to measure on are left out.

    Args:
        base: The base data, or a sample of it.
        new: The contribution, in the same types.
        target: The label's column.
        features: What to predict from; by default all columns that both have.
        task: By default what the base's labels ask for.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    import polars as pl

    require("sklearn", "ml")
    old, added = _sample(base, target, features), _sample(new, target, features)
    names = [name for name in old.features if name in added.features]
    if not names or old.target is None or added.target is None:
        return NoEstimate("base and new data share no feature, or one has no label")
    old_rows, new_rows = (_with_finite_labels(sample.frame(), target) for sample in (old, added))
    if not old_rows.height or not new_rows.height:
        return NoEstimate("base or new data have no labelled row")
    schema = old_rows.schema
    types = {name: schema[name] for name in (*names, target)}
    old_rows = selected(old_rows, types)
    try:
        new_rows = new_rows.select(col(name).cast(dtype) for name, dtype in types.items())
    except pl.exceptions.PolarsError:
        return NoEstimate("base and new data have columns of different types")
    old_rows, features = learnable(old_rows, target)
    new_rows, _ = learnable(new_rows, target)
    held_out = pl.Series([i % TEST_SHARE == 0 for i in range(old_rows.height)])
    test, training = old_rows.filter(held_out), old_rows.filter(~held_out)
    same = [col(name) for name in features]
    new_rows = new_rows.join(test, on=same, how="anti", nulls_equal=True, maintain_order="left")
    if test.height < LEAST_TEST_ROWS or new_rows.height < LEAST_NEW_ROWS:
        return NoEstimate(
            f"there are {test.height} base rows to measure on and {new_rows.height} new rows, "
            f"and at least {LEAST_TEST_ROWS} and {LEAST_NEW_ROWS} are needed"
        )
    task = infer_task(old_rows[target]) if task is None else task
    every, known = pl.concat([test, training, new_rows]), test.height + training.height
    parts = [range(test.height, known, step) for step in (*_CURVE, 1)] + [range(test.height, every.height)]
    labels = target_values(every[target])
    try:
        matrix = feature_matrix(every, features)
        *curve, without, with_new = [
            quick_fit(matrix[part], labels[part], task).predict(matrix[: test.height]).tolist()
            for part in parts
        ]
    except FAILURES:  # whose texts may quote values of the data
        return NoEstimate("a quick model cannot be trained on these columns")
    metric = "accuracy" if task is Task.CLASSIFICATION else "rmse"
    points = [_compared(test[target], curve_part, without, task).delta(metric) for curve_part in curve]
    change = _compared(test[target], without, with_new, task).delta(metric)
    values = [*(point.baseline_value for point in points), change.baseline_value]
    rows = [len(part) for part in parts[:-1]]
    sampled = not (old.is_complete and added.is_complete)
    return ExpectedEffect(
        change, training.height, new_rows.height, test.height, tuple(zip(rows, values, strict=True)), sampled
    )


def _with_finite_labels(rows: pl.DataFrame, target: str) -> pl.DataFrame:
    return rows.filter(col(target).is_finite()) if target in rows and rows.schema[target].is_float() else rows


def _sample(data: pl.DataFrame | RowSample, target: str, features: Sequence[str] | None) -> RowSample:
    if isinstance(data, RowSample):
        return data
    names = [name for name in data.columns if name != target and (features is None or name in features)]
    return RowSample(names, target if target in data.columns else None).see(data)


def _compared(truth: pl.Series, one: list[Any], other: list[Any], task: Task) -> Comparison:
    from hokusai.stats.paired import compare_classifiers, compare_regressors

    if task is Task.REGRESSION:
        return compare_regressors(truth.to_numpy(), one, other, metrics=["rmse"])
    labels = truth.to_list()
    classes = sorted({*labels, *one, *other}, key=lambda label: (str(type(label)), label))
    number = {label: at for at, label in enumerate(classes)}
    arrays = [[number[label] for label in found] for found in (labels, one, other)]
    names = tuple(str(label) for label in classes)
    return compare_classifiers(arrays[0], arrays[1], arrays[2], classes=names, metrics=["accuracy"])
