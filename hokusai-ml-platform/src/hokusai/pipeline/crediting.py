"""Who is credited with what: models retrained on coalitions of contributors, side by side, and what follows.

The work is cut into tasks that know nothing of each other, so that any engine can spread them. What a task finds are
numbers of its coalitions, never models or rows. How the work was cut changes nothing in the result.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from hokusai.domain.attribution import Attribution, AttributionMethod
from hokusai.domain.contribution import Contributor
from hokusai.domain.delta import Comparison
from hokusai.domain.metrics import Task
from hokusai.domain.model import ModelArtifact
from hokusai.domain.seeds import derive_seed
from hokusai.errors import SchemaError
from hokusai.pipeline.baseline import chosen_estimator
from hokusai.pipeline.contribution import Contributed, contributed_rows
from hokusai.pipeline.evaluation import Answers, Evaluation, ask, side_by_side
from hokusai.pipeline.plan import RunPlan
from hokusai.pipeline.reference import Facts, Reference, load
from hokusai.stats.coalitions import Coalition, coalitions, sampled_orders, shapley_method

if TYPE_CHECKING:
    import polars as pl

    from hokusai.stats.allocation import Gain

Told = Callable[[int, int | None], None]
"""Is told how many models are trained, and of how many if that is known."""


@dataclass(frozen=True)
class Shares:
    """What is shared out, and how: settled before anything is retrained.

    Attributes:
        contributors: Each once, in the order of the files.
        files: For each, the positions of his files.
        rows: Of each, those that are trained on.
        method: The rule.
        seeds: How often each model is trained.
        weights: What DeltaOne weighs.
        tolerance: Gains closer than this to that of all together are not trained for, where orders are sampled.
        orders: How many are sampled.
        seed: What they are sampled by.
        base_only: Whether a model is trained without any contribution too: where a baseline was given, what it gains
            from the base data is nobody's.
    """

    contributors: tuple[Contributor, ...]
    files: tuple[tuple[int, ...], ...]
    rows: tuple[int, ...]
    method: AttributionMethod
    seeds: int
    weights: Mapping[str, Fraction]
    tolerance: float
    orders: int
    seed: int
    base_only: bool

    @property
    def everybody(self) -> Coalition:
        """Those who have rows."""
        return tuple(i for i, count in enumerate(self.rows) if count)


@dataclass(frozen=True, slots=True)
class Retraining:
    """One task: coalitions whose models are trained; or orders of contributors, walked until nothing more is gained."""

    coalitions: tuple[Coalition, ...] = ()
    orders: tuple[Coalition, ...] = ()


Measured = Mapping[Coalition, "Gain"]


def settle(plan: RunPlan, facts: Facts, contributed: Contributed, comparison: Comparison) -> Shares:
    """Decide how the gain of this run is shared out."""
    people = tuple(dict.fromkeys(plan.contributors))
    files = tuple(tuple(i for i, who in enumerate(plan.contributors) if who == one) for one in people)
    rows = tuple(sum(contributed.contributions[i].rows_accepted for i in own) for own in files)
    n_players = sum(1 for count in rows if count)
    method = plan.attribution
    if plan.dry_run:
        method = AttributionMethod.PROPORTIONAL  # a mock model learns nothing from anybody's rows
    elif method is AttributionMethod.SHAPLEY:
        method = shapley_method(n_players)
    alone = n_players < 2 and plan.attribution_seeds is None
    measured = method is not AttributionMethod.PROPORTIONAL
    return Shares(
        contributors=people,
        files=files,
        rows=rows,
        method=method,
        seeds=1 if alone or not measured else plan.attribution_seeds or DEFAULT_SEEDS,
        weights=comparison.weights,
        tolerance=comparison.standard_error,
        orders=plan.attribution_orders,
        seed=derive_seed(plan.seed, "attribution", "orders"),
        base_only=plan.baseline_model is not None and facts.base_rows > 0 and not plan.dry_run,
    )


DEFAULT_SEEDS = 3
"""How often each model is trained where several contributors share a gain."""


def tasks(shares: Shares, n_tasks: int) -> tuple[Retraining, ...]:
    """The work in at most `n_tasks` parts of about one size; at least one part, which may be empty."""
    everybody = shares.everybody
    if shares.method is AttributionMethod.SHAPLEY_MONTE_CARLO:
        orders = list(sampled_orders(everybody, shares.orders, shares.seed))
        return tuple(Retraining(orders=tuple(part)) for part in _dealt(orders, n_tasks))
    wanted: list[Coalition] = [()] if shares.base_only else []
    for coalition in coalitions(everybody, shares.method):
        if coalition != everybody or shares.seeds > 1:  # with the first seed, that is the run's new model
            wanted.append(coalition)
    return tuple(Retraining(coalitions=tuple(part)) for part in _dealt(wanted, n_tasks))


def measure(
    plan: RunPlan,
    facts: Facts,
    contributed: Contributed,
    baseline: ModelArtifact,
    evaluation: Evaluation,
    shares: Shares,
    task: Retraining,
    tell: Told = lambda _done, _total: None,
) -> Measured:
    """Train and measure the models of a task.

    Raises:
        SchemaError: The estimator refuses the data.
        IntegrityError: An input file changed since the run began.
    """
    if not task.coalitions and not task.orders:
        return {}
    from hokusai.utils.extras import require

    bench = _Bench(plan, facts, contributed, baseline, evaluation, shares, tell)
    bench.expect(task)
    # Tasks share a machine's cores; and by how many threads something was added up can show in its last digits.
    with require("threadpoolctl", "ml").threadpool_limits(1):
        for coalition in task.coalitions:
            bench.gain(coalition)
        for order in task.orders:
            bench.walk(order)
    return bench.known


def attribute(
    shares: Shares, found: Iterable[Measured], evaluation: Evaluation, *, dry_run: bool
) -> Attribution:
    """Everybody's credit, from what the tasks found."""
    from hokusai.stats import allocation

    gains: dict[Coalition, Gain] = {}
    for part in found:
        gains |= part
    everybody = shares.everybody
    if everybody not in gains:  # the run's own new model
        gains[everybody] = _gain_of([_row_gain(evaluation, shares.weights)])
    told = allocation.attribute(
        shares.contributors,
        gains,
        rows=shares.rows,
        method=shares.method,
        permutations=shares.orders,
        tolerance=shares.tolerance,
        seed=shares.seed,
    )
    if not dry_run:
        return told
    mock = "Mock models learn nothing from anybody's rows, so that credit goes by rows"
    return replace(told, note=f"{mock}. {told.note}" if told.note else mock)


class _Bench:
    """Trains models on coalitions, and measures them on the benchmark against the baseline."""

    def __init__(
        self,
        plan: RunPlan,
        facts: Facts,
        contributed: Contributed,
        baseline: ModelArtifact,
        evaluation: Evaluation,
        shares: Shares,
        tell: Told,
    ) -> None:
        from hokusai.core.models.skops_file import load_model

        self.plan, self.facts, self.shares, self.tell = plan, facts, shares, tell
        self.baseline, self.evaluation = baseline, evaluation
        self.known: dict[Coalition, Gain] = {}
        self._expected: int | None = None
        self._trained = 0
        self._reference: Reference = load(plan, facts)
        self._rows = list(contributed_rows(plan, facts, contributed))
        self._given = load_model(
            baseline.content, where=baseline.file_name, trust=plan.baseline_model is None
        )
        self._answers: dict[int, Answers] = {}
        self._seeds = shares.seeds if shares.seeds > 1 and self._depends_on_chance() else 1

    def expect(self, task: Retraining) -> None:
        """Know how many models a task trains, unless it is what is found on the way that decides."""
        if task.coalitions:
            given = self.shares.everybody in task.coalitions
            self._expected = len(task.coalitions) * self._seeds - given

    def gain(self, coalition: Coalition) -> float:
        """The mean gain of a coalition over the seeds."""
        if coalition not in self.known:
            found = [self._one(coalition, repeat) for repeat in range(self._seeds)]
            self.known[coalition] = _gain_of(found, self.shares.seeds)
        per_seed = self.known[coalition].per_seed
        return math.fsum(per_seed) / len(per_seed)

    def walk(self, order: Coalition) -> None:
        """Let contributors join one after the other, until what is left to gain is noise."""
        joined: Coalition = ()
        total, reached = self.gain(self.shares.everybody), 0.0
        if self.shares.base_only:
            reached = self.gain(())
        for player in order:
            if abs(total - reached) < self.shares.tolerance:
                return
            joined = tuple(sorted((*joined, player)))
            reached = self.gain(joined)

    def _one(self, coalition: Coalition, repeat: int) -> Any:
        if repeat == 0 and coalition == self.shares.everybody:
            return _row_gain(self.evaluation, self.shares.weights)
        frame = self._frame(coalition)
        self._trained += 1
        self.tell(self._trained, self._expected)
        model = None if frame is None else self._model(frame, repeat)
        old = self._baseline(repeat)
        new = old if model is None else self._ask(model)
        both = side_by_side(self._reference.benchmark, self.plan.target_column, self.facts.task, old, new)
        return _row_gain(replace(both, units=self._reference.units), self.shares.weights)

    def _frame(self, coalition: Coalition) -> pl.DataFrame | None:
        import polars as pl

        files = [i for player in coalition for i in self.shares.files[player]]
        parts = [self._reference.base, *(self._rows[i] for i in sorted(files))]
        frame = pl.concat(parts, rechunk=False)
        return frame if frame.height else None

    def _model(self, frame: pl.DataFrame, repeat: int) -> Any:
        """The model of a coalition; None if its data alone makes none: then one stays with the baseline."""
        from hokusai.pipeline.retraining import fit_like

        try:
            return fit_like(self.plan, self.facts, self.baseline, lambda: frame, repeat)[0]
        except SchemaError:
            if self._reference.base.height:
                raise
            return None

    def _baseline(self, repeat: int) -> Answers:
        """The baseline's answers: trained with the same seed, if it was trained in this run."""
        if self.plan.baseline_model is not None:
            repeat = 0
        if repeat not in self._answers:
            from hokusai.pipeline.retraining import fit_like

            model = self._given
            if repeat:
                model, *_ = fit_like(
                    self.plan, self.facts, self.baseline, lambda: self._reference.base, repeat
                )
            self._answers[repeat] = self._ask(model)
        return self._answers[repeat]

    def _ask(self, model: Any) -> Answers:
        return ask("retrained", model, self._reference.benchmark, self.facts.kinds, self.facts.task)

    def _depends_on_chance(self) -> bool:
        """Whether another seed makes another model; if not, one training stands for those with all seeds."""
        from hokusai.pipeline.training import depends_on_chance, estimator_class

        if self.plan.baseline_model is not None and self.plan.estimator is None:
            return depends_on_chance(self._given)
        path, params = chosen_estimator(self.plan, self.facts.task)
        return depends_on_chance(estimator_class(path)(**params))


def _row_gain(evaluation: Evaluation, weights: Mapping[str, Fraction]) -> Any:
    from hokusai.stats.gains import classifier_gain, regressor_gain

    target, old, new = evaluation.target, evaluation.baseline, evaluation.new
    if evaluation.task is Task.REGRESSION:
        return regressor_gain(target, old, new, weights=weights, units=evaluation.units)
    return classifier_gain(
        target,
        old,
        new,
        n_classes=len(evaluation.classes),
        weights=weights,
        baseline_scores=evaluation.baseline_scores,
        new_scores=evaluation.new_scores,
        units=evaluation.units,
    )


def _gain_of(found: Sequence[Any], seeds: int = 1) -> Gain:
    """The gain of a coalition from one measurement for each seed, or from the one that stands for them all."""
    import numpy as np

    from hokusai.stats.allocation import Gain

    influence = np.mean(np.stack([one.influence for one in found]), axis=0)
    values = tuple(one.value for one in found)
    return Gain(values * (seeds // len(values)), np.asarray(influence, dtype=np.float32))


def _dealt(items: Sequence[Any], n_hands: int) -> list[list[Any]]:
    """The items dealt out in turn, so that large coalitions and small ones are in every hand."""
    hands = [list(items[i::n_hands]) for i in range(max(1, n_hands))]
    return [hand for hand in hands if hand] or [[]]
