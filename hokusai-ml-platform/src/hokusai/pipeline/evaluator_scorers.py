"""Scorers of one's own on one model and on two: what they give is checked, and how sure it is.

A scorer that gives a number for each row is compared as any paired outcome is. Of one that gives a single number
nothing is known but its values, so that rows are resampled, for both models at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from hokusai.domain.delta import Interval, MetricDelta
from hokusai.domain.scorer import Scorer
from hokusai.domain.seeds import derive_seed
from hokusai.errors import MetricError
from hokusai.stats.one_model import MetricValue, mean_value

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

T = TypeVar("T", "NDArray[np.float64]", float)

RESAMPLES = 1000
_MOST_FAILED = 0.05


@dataclass(frozen=True, eq=False)
class Scored:
    """What a scorer is called with.

    Attributes:
        truth: (n_rows,) labels or values as the data have them.
        said: (n_rows,) the model's, spelt alike.
        scores: (n_rows,) of the second of two classes, or (n_rows, n_classes); None where the model gives none.
        model: Name for messages.
    """

    truth: NDArray[Any]
    said: NDArray[Any]
    scores: NDArray[np.float64] | None
    model: str

    def part(self, rows: Any) -> Scored:
        """The rows that an index or a mask picks."""
        return Scored(
            self.truth[rows],
            self.said[rows],
            None if self.scores is None else self.scores[rows],
            self.model,
        )


def scorer_value(
    scorer: Scorer,
    given: Scored,
    *,
    confidence: float = 0.95,
    units: Any = None,
    seed: int = 0,
    drawn: NDArray[np.float64] | None = None,
) -> MetricValue:
    """A scorer's value of one model; `drawn` are its values on resampled rows, if they are known.

    Raises:
        MetricError: The scorer raises, gives something else than it should, or something else when asked again; with
            its name, and the row.
    """
    if scorer.per_row:
        (scores,) = _asked_twice(scorer, [given], row_scores)
        return mean_value(scorer.metric, scores, confidence, units)
    (value,) = _asked_twice(scorer, [given], whole_score)
    if drawn is None:
        drawn = resampled(scorer, [given], units, seed)[:, 0]
    error, interval = _spread(drawn, confidence)
    return MetricValue(scorer.metric, value, error, interval, len(given.truth), "bootstrap")


def scorer_delta(
    scorer: Scorer,
    baseline: Scored,
    new: Scored,
    *,
    confidence: float = 0.95,
    units: Any = None,
    seed: int = 0,
    drawn: NDArray[np.float64] | None = None,
) -> MetricDelta:
    """How a scorer's value changed between two models; `drawn` is what `resampled` gives, if that is known.

    Raises:
        MetricError: As `scorer_value`.
    """
    import numpy as np

    from hokusai.stats.outcomes import OutcomeKind, compare_outcomes

    if scorer.per_row:
        old_scores, new_scores = _asked_twice(scorer, [baseline, new], row_scores)
        return compare_outcomes(
            old_scores,
            new_scores,
            scorer.metric,
            kind=OutcomeKind(scorer.kind) if scorer.kind else None,
            confidence=confidence,
            units=units,
            seed=seed,
        )
    values = _asked_twice(scorer, [baseline, new], whole_score)
    if drawn is None:
        drawn = resampled(scorer, [baseline, new], units, seed)
    changes = drawn[:, 1] - drawn[:, 0]
    error, interval = _spread(changes, confidence)
    n = len(changes)
    tails = (np.count_nonzero(changes <= 0) + 1) / (n + 1), (np.count_nonzero(changes >= 0) + 1) / (n + 1)
    return MetricDelta(
        metric=scorer.metric,
        baseline_value=values[0],
        new_value=values[1],
        gain=scorer.metric.direction * (values[1] - values[0]),
        standard_error=error,
        interval=interval,
        p_value=float(min(1.0, 2 * min(tails))),
        method="paired-bootstrap" + ("" if units is None else "+units"),
        n_rows=len(new.truth),
    )


def row_scores(scorer: Scorer, given: Scored) -> NDArray[np.float64]:
    """(n_rows,) what a scorer gives each row.

    Raises:
        MetricError: As `scorer_value`.
    """
    import numpy as np

    answer = _called(scorer, given)
    n_rows = len(given.truth)
    try:
        values = np.asarray(answer).astype(np.float64)
    except (TypeError, ValueError) as problem:
        raise MetricError(
            f"The scorer {scorer.name} gives no numbers for {given.model}: {problem}", where=scorer.name
        ) from problem
    if values.shape != (n_rows,):
        hint = "A scorer that gives one number for all rows is made with per_row=False."
        raise MetricError(
            f"The scorer {scorer.name} was given {n_rows:,} rows of {given.model} and gave the shape {values.shape}",
            where=scorer.name,
            hint="" if values.ndim else hint,
        )
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise MetricError(
            f"The scorer {scorer.name} gives {values[bad[0]]} to {len(bad):,} of {n_rows:,} rows of {given.model}",
            where=f"first in row {bad[0]}",
        )
    return values


def whole_score(scorer: Scorer, given: Scored) -> float:
    """The one number that a scorer gives all rows.

    Raises:
        MetricError: As `scorer_value`.
    """
    import numpy as np

    answer = np.asarray(_called(scorer, given))
    if answer.ndim or answer.dtype.kind not in "biuf":
        hint = "A scorer that gives a number for each row is made with per_row=True."
        raise MetricError(
            f"The scorer {scorer.name} gives {type(answer[()]).__name__} of the shape {answer.shape} for "
            f"{given.model}, and one number was expected",
            where=scorer.name,
            hint=hint if answer.ndim else "",
        )
    value = float(answer)
    if not math.isfinite(value):
        raise MetricError(f"The scorer {scorer.name} gives {value} for {given.model}", where=scorer.name)
    return value


def resampled(
    scorer: Scorer, given: Sequence[Scored], units: Any = None, seed: int = 0
) -> NDArray[np.float64]:
    """(n_resamples, n_models) values on rows, or whole units, drawn with replacement, the same for all models.

    Raises:
        MetricError: The scorer fails on more than one draw in twenty.
    """
    import numpy as np

    n_rows = len(given[0].truth)
    groups = None
    if units is not None:
        _, of_row = np.unique(np.asarray(units).astype(str), return_inverse=True)
        order = np.argsort(of_row, kind="stable")
        groups = np.split(order, np.flatnonzero(np.diff(of_row[order])) + 1)
    rng = np.random.default_rng(derive_seed(seed, "scorer", f"{scorer.name} {scorer.version}"))
    found, failed = [], ""
    for _ in range(RESAMPLES):
        if groups is None:
            rows = rng.integers(0, n_rows, n_rows)
        else:
            rows = np.concatenate([groups[k] for k in rng.integers(0, len(groups), len(groups))])
        try:
            found.append([whole_score(scorer, one.part(rows)) for one in given])
        except MetricError as problem:  # such as a draw that shows one class only
            failed = failed or problem.what
    if RESAMPLES - len(found) > _MOST_FAILED * RESAMPLES:
        raise MetricError(
            f"The scorer {scorer.name} could not score {RESAMPLES - len(found)} of {RESAMPLES} resamples of the rows: "
            f"{failed}",
            where=scorer.name,
            hint="It has to give a number for any draw of the rows, also one without some class.",
        )
    return np.array(found)


def _asked_twice(scorer: Scorer, given: Sequence[Scored], ask: Callable[[Scorer, Scored], T]) -> list[T]:
    """What a scorer gives each model, which must not depend on how often it was asked before, nor on who came first.

    Raises:
        MetricError: The second time, with the models in reverse order, it gives something else.
    """
    import numpy as np

    first = [ask(scorer, one) for one in given]
    again = [ask(scorer, one) for one in reversed(given)][::-1]
    for one, answer, other in zip(given, first, again, strict=True):
        if not np.array_equal(answer, other):
            raise MetricError(
                f"The scorer {scorer.name} gives other numbers when it is asked again about the same rows of "
                f"{one.model}",
                where=scorer.name,
                hint="Keep nothing between calls, and draw random numbers from a fixed seed in each.",
            )
    return first


def _called(scorer: Scorer, given: Scored) -> Any:
    arguments: list[Any] = [given.truth, given.said]
    if scorer.takes_scores:
        if given.scores is None:
            raise MetricError(
                f"The scorer {scorer.name} needs scores, and {given.model} gives none", where=scorer.name
            )
        arguments.append(given.scores)
    try:
        return scorer.function(*arguments)
    except Exception as problem:  # the function is its author's, and may raise anything
        raise MetricError(
            f"The scorer {scorer.name} failed for {given.model}: {type(problem).__name__}: {problem}",
            where=scorer.name,
        ) from problem


def _spread(drawn: NDArray[np.float64], confidence: float) -> tuple[float, Interval]:
    import numpy as np

    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return float(drawn.std(ddof=1)), Interval(float(low), float(high), confidence)
