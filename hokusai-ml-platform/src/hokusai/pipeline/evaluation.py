"""Both models' predictions on the same benchmark rows, in the form that the comparison takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hokusai.domain.delta import Comparison
from hokusai.domain.labels import class_name, class_order
from hokusai.domain.metrics import Task
from hokusai.domain.model import ModelArtifact
from hokusai.errors import SchemaError
from hokusai.pipeline.mock_models import MockModel
from hokusai.pipeline.plan import RunPlan
from hokusai.pipeline.reference import Facts, load
from hokusai.pipeline.task import ColumnKinds

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Evaluation:
    """What two models said about the same rows.

    Attributes:
        task: What was predicted.
        classes: Class labels as text, in the order of the labels themselves; empty for regression.
        target: (n_rows,) class indexes, or values.
        baseline, new: (n_rows,) each model's class indexes, or values.
        baseline_scores, new_scores: (n_rows,) score of the second class where there are two, else
            (n_rows, n_classes); None where the model gives none.
        units: (n_rows,) number of the unit that each row belongs to; None where each is on its own.
    """

    task: Task
    classes: tuple[str, ...]
    target: NDArray[Any]
    baseline: NDArray[Any]
    new: NDArray[Any]
    baseline_scores: NDArray[np.float64] | None = None
    new_scores: NDArray[np.float64] | None = None
    units: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Answers:
    """One model's raw answers: values, and scores by the model's own classes."""

    values: Sequence[Any]
    classes: Sequence[Any] = ()
    scores: NDArray[np.float64] | None = None


def run(plan: RunPlan, facts: Facts, baseline: ModelArtifact, new: ModelArtifact) -> Evaluation:
    """Both models of a run on its benchmark.

    Raises:
        SchemaError: A model cannot predict from the benchmark's columns.
        IntegrityError: The benchmark changed since the run began.
    """
    known = load(plan, facts)
    if plan.dry_run:
        return evaluate_mocks(known.benchmark, plan.target_column, facts.task, baseline, new)
    from hokusai.core.models.skops_file import load_model

    # The new model's bytes were written by this run; a given baseline's were checked when it was loaded.
    models = (
        load_model(baseline.content, where=baseline.file_name, trust=plan.baseline_model is None),
        load_model(new.content, where=new.file_name, trust=True),
    )
    found = evaluate(known.benchmark, plan.target_column, facts.task, facts.kinds, *models)
    return replace(found, units=known.units)


def evaluate(
    benchmark: pl.DataFrame, target: str, task: Task, kinds: ColumnKinds, baseline: Any, new: Any
) -> Evaluation:
    """Ask both fitted scikit-learn models about every row of `benchmark`.

    Raises:
        SchemaError: A model cannot predict from the benchmark's columns.
    """
    answers = [
        ask(name, model, benchmark, kinds, task) for name, model in (("baseline", baseline), ("new", new))
    ]
    return side_by_side(benchmark, target, task, answers[0], answers[1])


def ask(name: str, model: Any, frame: pl.DataFrame, kinds: ColumnKinds, task: Task) -> Answers:
    """Ask a fitted scikit-learn model about every row of `frame`; `name` is what messages call it.

    Raises:
        SchemaError: It cannot predict from these columns.
    """
    from hokusai.pipeline.training import ESTIMATOR_FAILURES, input_of, reason

    asked = input_of(model, frame, kinds, f"The {name} model")
    try:
        values = model.predict(asked)
        if task is Task.REGRESSION:
            return Answers(values)
        if hasattr(model, "predict_proba"):
            return Answers(values, model.classes_, model.predict_proba(asked))
        if hasattr(model, "decision_function"):
            return Answers(values, model.classes_, model.decision_function(asked))
    except ESTIMATOR_FAILURES as problem:
        raise SchemaError(
            f"The {name} model cannot predict from the benchmark: {reason(problem)}",
            hint="Its columns have to hold what the model was trained on.",
        ) from problem
    return Answers(values)


def side_by_side(
    benchmark: pl.DataFrame, target: str, task: Task, baseline: Answers, new: Answers
) -> Evaluation:
    """Two models' answers to the rows of `benchmark`, in common terms."""
    import numpy as np

    from hokusai.pipeline.training import target_values

    truth = target_values(benchmark[target])
    if task is Task.REGRESSION:
        values = [np.asarray(answers.values, dtype=np.float64) for answers in (baseline, new)]
        return Evaluation(task, (), np.asarray(truth, dtype=np.float64), values[0], values[1])
    named = (*truth, *baseline.values, *new.values, *baseline.classes, *new.classes)
    order = class_order(map(class_name, named))
    index = {name: position for position, name in enumerate(order)}
    labels, first, second = (
        np.array([index[class_name(value)] for value in values], dtype=np.int64)
        for values in (truth, baseline.values, new.values)
    )
    scores = [_align(answers, index) for answers in (baseline, new)]
    return Evaluation(task, order, labels, first, second, scores[0], scores[1])


def evaluate_mocks(
    benchmark: pl.DataFrame, target: str, task: Task, baseline: ModelArtifact, new: ModelArtifact
) -> Evaluation:
    """The same for the mock models of a dry run, which predict from the true target."""
    import numpy as np

    from hokusai.pipeline.training import target_values

    truth = target_values(benchmark[target])
    mocks = [MockModel.from_artifact(artifact) for artifact in (baseline, new)]
    if task is Task.REGRESSION:
        real = np.asarray(truth, dtype=np.float64)
        return Evaluation(task, (), real, mocks[0].values(real), mocks[1].values(real))
    order = class_order(map(class_name, truth))
    index = {name: position for position, name in enumerate(order)}
    labels = np.array([index[class_name(value)] for value in truth], dtype=np.int64)
    tables = [mock.class_scores(labels, len(order)) for mock in mocks]
    scores = [table[:, 1] if len(order) == 2 else table for table in tables]
    return Evaluation(
        task, order, labels, tables[0].argmax(axis=1), tables[1].argmax(axis=1), scores[0], scores[1]
    )


def compare(evaluation: Evaluation, weights: Any = None, primary: str | None = None) -> Comparison:
    """The paired comparison of an evaluation: deltas, their uncertainty, DeltaOne."""
    from hokusai.stats.paired import compare_classifiers, compare_regressors

    if evaluation.task is Task.REGRESSION:
        return compare_regressors(
            evaluation.target,
            evaluation.baseline,
            evaluation.new,
            weights=weights,
            primary=primary,
            units=evaluation.units,
        )
    return compare_classifiers(
        evaluation.target,
        evaluation.baseline,
        evaluation.new,
        classes=evaluation.classes,
        baseline_scores=evaluation.baseline_scores,
        new_scores=evaluation.new_scores,
        weights=weights,
        primary=primary,
        units=evaluation.units,
    )


def _align(answer: Answers, index: dict[str, int]) -> NDArray[np.float64] | None:
    """A model's scores by the common order of classes; a class that the model does not know scores lowest."""
    import numpy as np

    if answer.scores is None:
        return None
    columns = [index[class_name(value)] for value in answer.classes]
    if answer.scores.ndim == 1:  # a decision function of two classes
        if len(index) != 2:
            return None
        return answer.scores if columns[1] == 1 else -answer.scores
    if answer.scores.shape[1] != len(columns):  # a decision for each pair of classes is no score of a class
        return None
    lowest = min(0.0, float(answer.scores.min()))
    table = np.full((len(answer.scores), len(index)), lowest)
    table[:, columns] = answer.scores
    return table[:, 1] if len(index) == 2 else table
