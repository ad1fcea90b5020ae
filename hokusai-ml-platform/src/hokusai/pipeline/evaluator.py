"""Any model, measured on labelled rows: alone, or against the model that it is to replace.

    evaluator = ModelEvaluator()
    report = evaluator.evaluate("churn/1.1.0", "test.csv", "left")
    report = evaluator.compare("churn/1.0.0", "churn/1.1.0", "test.csv", "left", guardrails=["recall=0.01"])
    report.decision.accepted

Its parts, each in its own file: `evaluator_models` opens models and asks them, `evaluator_rows` reads the rows and cuts
them, `evaluator_scorers` runs scorers of one's own, `evaluator_guardrails` measures guardrails, `evaluator_latency`
takes the time, `evaluator_report` is what comes out, `evaluator_plots` draws it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hokusai.domain.decision import AcceptanceRule, Guardrail
from hokusai.domain.delta import Comparison
from hokusai.domain.labels import class_name
from hokusai.domain.metrics import Task, metric_spec
from hokusai.domain.scorer import Scorer
from hokusai.errors import HokusaiError, InvalidInputError, MetricError
from hokusai.pipeline.evaluation import Evaluation, side_by_side
from hokusai.pipeline.evaluator_guardrails import (
    LATENCY,
    Pair,
    measured,
    part_of,
)
from hokusai.pipeline.evaluator_latency import SECONDS, Latency, measure_latency
from hokusai.pipeline.evaluator_models import Candidate, Reply, ask, open_model, rows_for
from hokusai.pipeline.evaluator_report import (
    ComparisonReport,
    EvaluationReport,
    ModelReport,
    SliceDelta,
    SliceReport,
)
from hokusai.pipeline.evaluator_rows import AUTO, Rows, rows_of, slices_of
from hokusai.pipeline.evaluator_scorers import Scored, resampled, scorer_delta, scorer_value
from hokusai.stats.decide import decide

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hokusai.core.registry import ModelRegistry
    from hokusai.stats.composite import Weight
    from hokusai.stats.one_model import Measurement
    from hokusai.stats.slices import Slice, WorstSlice

_CONFIDENCE = 0.95
_SHORT_NAME = 64


class ModelEvaluator:
    """Measures models on labelled rows.

    Args:
        metrics: Names of the metrics to report; by default all of the task.
        registry: Where named models are; by default what the settings say, and only when one is named.
        trust: Load models even if that runs code that their authors put into them.
        seed: For what is drawn: calibration, and resamples of rows.
        seconds: For timing, of all models together.

    Raises:
        MetricError: No metric is called so.
    """

    def __init__(
        self,
        metrics: Iterable[str] | None = None,
        *,
        registry: ModelRegistry | Callable[[], ModelRegistry] | None = None,
        trust: bool = False,
        seed: int = 0,
        seconds: float = SECONDS,
    ) -> None:
        self.metrics = None if metrics is None else tuple(metric_spec(name).name for name in metrics)
        self._registry, self._trust, self._seed, self._seconds = registry, trust, seed, seconds

    def evaluate(
        self,
        model: Any,
        data: Any,
        target: str,
        *,
        slices: Sequence[str] | str = AUTO,
        scorers: Iterable[Scorer] = (),
        features: Sequence[str] | None = None,
        units: str | None = None,
        task: Task | str | None = None,
        primary: str | None = None,
        latency: bool = True,
    ) -> EvaluationReport:
        """Measure one model.

        Args:
            model: A fitted object of any framework, `name/1.2.0`, `name@production`, a URI, a file, or a `Candidate`.
            data: A pandas, Polars or pyarrow table, or one or more files.
            target: The column that is predicted.
            slices: Columns to cut the rows by; "auto" for all that lend themselves to it.
            scorers: Measures of one's own.
            features: The columns to predict from, for a model that does not know its own by name.
            units: Column that names each row's unit, where rows of one unit are not independent of each other.
            task: By default what the target asks for.
            primary: The metric that slices are ranked by; by default accuracy or rmse.
            latency: Whether to take the time.

        Raises:
            SchemaError: The data lack a column, or the model cannot predict from them.
            NotFoundError, UntrustedModelError, InvalidInputError: As `open_model`.
            MetricError: A scorer fails, or `primary` is no metric of the task.
        """
        rows = rows_of(data, target, task=task, features=features, units=units)
        main = self._primary(rows, primary)
        cuts, known = slices_of(rows, slices), _by_name(scorers)
        asked = self._asked(model, rows)
        timed = self._timed([asked]) if latency else [None]
        both = side_by_side(rows.frame, target, rows.task, asked.reply.answers, asked.reply.answers)
        side = _Side(both, rows, asked)
        drawn = {name: table[:, 0] for name, table in self._drawn(known, [side], rows).items()}
        found = self._described(side, cuts, known, main, drawn, timed[0])
        return EvaluationReport(
            model=found,
            task=rows.task,
            target=target,
            n_rows=rows.n_rows,
            classes=both.classes,
            primary=main,
            data_sha256=rows.sha256,
            warnings=_once([*rows.warnings, *asked.reply.notes, *found.measured.warnings, *_few(cuts)]),
        )

    def compare(
        self,
        baseline: Any,
        new: Any,
        data: Any,
        target: str,
        *,
        guardrails: Iterable[Guardrail | str] = (),
        slices: Sequence[str] | str = AUTO,
        scorers: Iterable[Scorer] = (),
        units: str | None = None,
        rule: AcceptanceRule | None = None,
        features: Sequence[str] | None = None,
        task: Task | str | None = None,
        primary: str | None = None,
        weights: Mapping[str, Weight] | None = None,
        expected_sha256: str | None = None,
        leaked_rows: int = 0,
        latency: bool = True,
    ) -> ComparisonReport:
        """Measure two models on the same rows, and decide whether the new one counts as an improvement.

        Args:
            baseline, new: The models, as for `evaluate`.
            data, target, slices, scorers, units, features, task, latency: As for `evaluate`.
            guardrails: What must not get worse, as guardrails or as text such as "recall=0.01"; in addition to those of
                the rule. One on `latency_ms` takes the time whether or not `latency` says so.
            rule: When an improvement counts.
            primary: The metric that the rule asks of; by default accuracy or rmse.
            weights: Metric name to weight in DeltaOne.
            expected_sha256: Digest of the benchmark that was agreed on.
            leaked_rows: Rows of the data that the new model was trained on.

        Raises:
            SchemaError, NotFoundError, UntrustedModelError, InvalidInputError, MetricError: As `evaluate`. What keeps a
                guardrail from being measured is a breach, and no error.
        """
        known = _by_name(scorers)
        asked_for = [_guardrail(one, known) if isinstance(one, str) else one for one in guardrails]
        chosen = rule or AcceptanceRule()
        chosen = replace(chosen, guardrails=tuple(dict.fromkeys([*chosen.guardrails, *asked_for])))
        rows = rows_of(data, target, task=task, features=features, units=units)
        main = self._primary(rows, primary)
        cuts = slices_of(rows, slices)
        first, second = (self._asked(model, rows) for model in (baseline, new))
        if first.model.name == second.model.name:
            first, second = _apart(first, second)
        timing = latency or any(one.metric == LATENCY and one.slice is None for one in chosen.guardrails)
        timed = self._timed([first, second]) if timing else [None, None]
        both = side_by_side(rows.frame, target, rows.task, first.reply.answers, second.reply.answers)
        sides = _Side(both, rows, first, new=False), _Side(both, rows, second)
        comparison = self._compared(both, rows.units, weights=weights, primary=main)
        times = (timed[0], timed[1]) if timed[0] is not None and timed[1] is not None else None
        pair = Pair(
            rows=rows,
            models=(first.model, second.model),
            answers=both,
            probabilities=first.reply.probabilities and second.reply.probabilities,
            scored=(sides[0].scored(), sides[1].scored()),
            scorers=known,
            latency=times,
            compare=lambda some, confidence, groups: _comparison(some, groups, confidence=confidence),
            drawn=self._drawn(known, sides, rows),
            seed=self._seed,
        )
        found = [self._slice_delta(pair, cut) for cut in cuts]
        decision = decide(
            comparison,
            chosen,
            benchmark_sha256=rows.sha256,
            expected_sha256=expected_sha256,
            leaked_rows=leaked_rows,
            outcomes=measured(pair, chosen),
        )
        reports = [
            self._described(
                side, cuts, known, main, {name: table[:, k] for name, table in pair.drawn.items()}, timed[k]
            )
            for k, side in enumerate(sides)
        ]
        return ComparisonReport(
            baseline=reports[0],
            new=reports[1],
            comparison=comparison,
            scores=tuple(self._scorer_deltas(pair)),
            slices=tuple(found),
            worst=_worst_change(found, main),
            decision=decision,
            task=rows.task,
            target=target,
            n_rows=rows.n_rows,
            classes=both.classes,
            primary=main,
            data_sha256=rows.sha256,
            warnings=_once(
                [
                    *rows.warnings,
                    *first.reply.notes,
                    *second.reply.notes,
                    *comparison.warnings,
                    *_few(cuts),
                ]
            ),
        )

    def _primary(self, rows: Rows, asked: str | None) -> str:
        from hokusai.stats.composite import task_metric
        from hokusai.stats.paired import DEFAULT_PRIMARY

        named = [task_metric(name, rows.task).name for name in self.metrics or ()]
        if asked is not None:
            return task_metric(asked, rows.task).name
        default = DEFAULT_PRIMARY[rows.task]
        return default if not named or default in named else named[0]

    def _asked(self, source: Any, rows: Rows) -> _Asked:
        model = open_model(source, self._open_registry, trust=self._trust)
        given = rows_for(model, rows.frame.drop(rows.target), rows.features)
        return _Asked(model, given, ask(model, given, rows.task, rows.classes))

    def _open_registry(self) -> ModelRegistry:
        from hokusai.core.registry import ModelRegistry

        if self._registry is None:
            self._registry = ModelRegistry()
        elif not isinstance(self._registry, ModelRegistry):
            self._registry = self._registry()
        return self._registry

    def _timed(self, asked: Sequence[_Asked]) -> Sequence[Latency | None]:
        return measure_latency([(one.model.model.predict, one.rows) for one in asked], seconds=self._seconds)

    def _drawn(
        self, scorers: Mapping[str, Scorer], sides: Sequence[_Side], rows: Rows
    ) -> dict[str, NDArray[Any]]:
        """The values on resampled rows of scorers that give all rows one number."""
        given = [side.scored() for side in sides]
        return {
            name: resampled(scorer, given, rows.units, self._seed)
            for name, scorer in scorers.items()
            if not scorer.per_row
        }

    def _described(
        self,
        side: _Side,
        cuts: Sequence[Slice],
        scorers: Mapping[str, Scorer],
        primary: str,
        drawn: Mapping[str, NDArray[Any]],
        latency: Latency | None,
    ) -> ModelReport:
        asked, units, given = side.asked, side.rows.units, side.scored()
        found = [(cut, self._sliced(side, cut)) for cut in cuts]
        return ModelReport(
            name=asked.model.name,
            sha256=asked.model.sha256,
            size_bytes=asked.model.size_bytes,
            measured=self._kept(side.measured()),
            calibration=side.calibration(self._seed) if asked.reply.probabilities else None,
            scores=tuple(
                (
                    scorer,
                    scorer_value(scorer, given, units=units, seed=self._seed, drawn=drawn.get(name)),
                )
                for name, scorer in scorers.items()
            ),
            slices=tuple(report for _, report in found),
            worst=_worst_value(side, found, primary),
            latency=latency,
        )

    def _kept(self, measurement: Measurement) -> Measurement:
        if self.metrics is None:
            return measurement
        return replace(
            measurement, values=tuple(one for one in measurement.values if one.metric.name in self.metrics)
        )

    def _compared(
        self, both: Evaluation, units: Any, *, weights: Mapping[str, Weight] | None, primary: str
    ) -> Comparison:
        names = None if self.metrics is None else {*self.metrics, primary, *(weights or {})}
        return _comparison(both, units, metrics=names, weights=weights, primary=primary)

    def _sliced(self, side: _Side, cut: Slice) -> SliceReport:
        try:
            found = side.measured(cut.inside)
        except HokusaiError as problem:
            return SliceReport(cut.name, cut.n_rows, (), (problem.what,))
        return SliceReport(cut.name, cut.n_rows, self._kept(found).values, found.warnings)

    def _slice_delta(self, pair: Pair, cut: Slice) -> SliceDelta:
        units = None if pair.rows.units is None else pair.rows.units[cut.inside]
        try:
            found = _comparison(part_of(pair.answers, cut.inside), units, metrics=self.metrics)
        except HokusaiError as problem:
            return SliceDelta(cut.name, cut.n_rows, (), (problem.what,))
        return SliceDelta(cut.name, cut.n_rows, found.deltas, found.warnings)

    def _scorer_deltas(self, pair: Pair) -> Iterable[tuple[Scorer, Any]]:
        for scorer in pair.scorers.values():
            drawn = pair.drawn.get(scorer.name)
            delta = scorer_delta(scorer, *pair.scored, units=pair.rows.units, seed=self._seed, drawn=drawn)
            yield scorer, delta


@dataclass(frozen=True, eq=False)
class _Asked:
    """A model, the rows in its form, and its answers."""

    model: Candidate
    rows: Any
    reply: Reply


@dataclass(frozen=True, eq=False)
class _Side:
    """One model's answers in common terms."""

    both: Evaluation
    rows: Rows
    asked: _Asked
    new: bool = True

    @property
    def said(self) -> Any:
        return self.both.new if self.new else self.both.baseline

    @property
    def scores(self) -> Any:
        return self.both.new_scores if self.new else self.both.baseline_scores

    def measured(self, inside: Any = slice(None)) -> Measurement:
        from hokusai.stats.one_model import measure_classifier, measure_regressor

        units = None if self.rows.units is None else self.rows.units[inside]
        target, said = self.both.target[inside], self.said[inside]
        if self.both.task is Task.REGRESSION:
            return measure_regressor(target, said, units=units)
        scores = None if self.scores is None else self.scores[inside]
        return measure_classifier(target, said, classes=self.both.classes, scores=scores, units=units)

    def calibration(self, seed: int) -> Any:
        from hokusai.stats.calibration import are_probabilities, calibration

        if self.scores is None or not are_probabilities(self.scores):
            return None
        return calibration(self.both.target, self.scores, classes=self.both.classes, seed=seed)

    def scored(self) -> Scored:
        """With the classes as the data spell them."""
        import numpy as np

        truth = self.rows.labels()
        if self.both.task is Task.REGRESSION:
            return Scored(np.asarray(truth, dtype=np.float64), self.said, None, self.asked.model.name)
        own = {class_name(value): value for value in truth.tolist()}
        spelt = [own.get(name, name) for name in self.both.classes]
        said = [spelt[k] for k in self.said.tolist()]
        kind = truth.dtype if all(name in own for name in self.both.classes) else object
        if all(isinstance(name, str) and len(name) <= _SHORT_NAME for name in spelt):
            truth, kind = truth.astype(str), str  # compared many times faster than objects
        return Scored(truth, np.array(said, dtype=kind), self.scores, self.asked.model.name)


def _comparison(
    both: Evaluation,
    units: Any,
    *,
    metrics: Iterable[str] | None = None,
    weights: Mapping[str, Weight] | None = None,
    primary: str | None = None,
    confidence: float = _CONFIDENCE,
) -> Comparison:
    from hokusai.stats.paired import compare_classifiers, compare_regressors

    if both.task is Task.REGRESSION:
        return compare_regressors(
            both.target,
            both.baseline,
            both.new,
            metrics=metrics,
            weights=weights,
            primary=primary,
            confidence=confidence,
            units=units,
        )
    return compare_classifiers(
        both.target,
        both.baseline,
        both.new,
        classes=both.classes,
        baseline_scores=both.baseline_scores,
        new_scores=both.new_scores,
        metrics=metrics,
        weights=weights,
        primary=primary,
        confidence=confidence,
        units=units,
    )


def _worst_value(side: _Side, found: Sequence[tuple[Slice, SliceReport]], primary: str) -> WorstSlice | None:
    from hokusai.stats.slices import worst_value

    here = {}
    for cut, report in found:
        value = next((one for one in report.values if one.metric.name == primary), None)
        if value is not None:
            here[cut.name] = (cut, value)
    worst = worst_value([(name, value, None) for name, (_, value) in here.items()])
    if worst is None:
        return None
    outside = ~here[worst.name][0].inside
    rest = side.measured(outside).value(primary) if outside.any() else None
    return worst_value(
        [(name, value, rest if name == worst.name else None) for name, (_, value) in here.items()]
    )


def _worst_change(found: Sequence[SliceDelta], primary: str) -> WorstSlice | None:
    from hokusai.stats.slices import worst_change

    deltas = [(one.name, delta) for one in found for delta in one.deltas if delta.metric.name == primary]
    return worst_change(deltas)


def _by_name(scorers: Iterable[Scorer]) -> dict[str, Scorer]:
    given = list(scorers)
    for one in given:
        if not isinstance(one, Scorer):
            raise InvalidInputError(
                f"{one!r} is no Scorer", where="scorers", hint="Make one: Scorer(name, function, …)."
            )
    named = {one.name: one for one in given}
    if len(named) < len(given):
        raise MetricError("Two scorers have the same name", where="scorers")
    return named


def _guardrail(text: str, scorers: Mapping[str, Scorer]) -> Guardrail:
    """As `Guardrail.parse`, but that a scorer's name tells its direction."""
    scorer = scorers.get(text.strip().partition("=")[0].partition("[")[0])
    sign = "" if scorer is None else "+" if scorer.higher_is_better else "-"
    return Guardrail.parse(sign + text.strip())


def _apart(first: _Asked, second: _Asked) -> tuple[_Asked, _Asked]:
    """Two models of one name, told apart by their parts."""
    named = [
        replace(one, model=replace(one.model, name=f"{one.model.name} ({part})"))
        for one, part in ((first, "baseline"), (second, "new"))
    ]
    return named[0], named[1]


def _few(cuts: Sequence[Slice]) -> list[str]:
    from hokusai.stats.slices import FEW_ROWS

    few = [cut.name for cut in cuts if cut.n_rows < FEW_ROWS]
    if not few:
        return []
    shown = ", ".join(few[:3]) + (f" and {len(few) - 3} more" if len(few) > 3 else "")
    return [f"Slices with fewer than {FEW_ROWS} rows say little, and are not ranked: {shown}"]


def _once(warnings: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(warnings))
