"""Metrics as plain dicts, in the terms of older callers: averages over classes weighted by their rows.

DeltaOne rests on none of this; it is for reading old reports beside new ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hokusai.domain.labels import class_name, class_order
from hokusai.domain.metrics import metric_direction
from hokusai.errors import InvalidInputError, MetricError

PLAIN_METRICS = ("accuracy", "precision", "recall", "f1", "auroc")


def plain_metrics(model: Any, rows: Any, labels: Any, names: Iterable[str] | None = None) -> dict[str, Any]:
    """Accuracy, precision, recall, F1 and AUROC of a fitted classifier, the last four weighted by the classes' rows.

    Args:
        model: Anything with `predict`, and `predict_proba` for AUROC.
        rows: As the model takes them.
        labels: (n_rows,) the true classes.
        names: Which; by default all five.

    Returns:
        Metric name to value; AUROC is None where it is not defined.

    Raises:
        InvalidInputError: No rows, or another number of labels than of answers.
        MetricError: There is no such metric here.
    """
    import numpy as np

    from hokusai.stats.auroc import rank

    wanted = tuple(PLAIN_METRICS if names is None else names)
    if not set(wanted) <= {*PLAIN_METRICS, "f1_score", "auc"}:
        raise MetricError(
            f"There are {', '.join(PLAIN_METRICS)} here, and {', '.join(wanted)} were asked for"
        )
    truth = [class_name(one) for one in np.asarray(labels).tolist()]
    said = [class_name(one) for one in np.asarray(model.predict(rows)).tolist()]
    if not truth or len(truth) != len(said):
        raise InvalidInputError(f"There are {len(truth)} labels, and the model gave {len(said)} answers")
    classes = class_order([*truth, *said])
    index = {name: k for k, name in enumerate(classes)}
    is_, says = (np.array([index[one] for one in values]) for values in (truth, said))
    table = np.bincount(is_ * len(classes) + says, minlength=len(classes) ** 2)
    table = table.reshape(len(classes), -1).astype(float)
    hits, support, predicted = table.diagonal(), table.sum(axis=1), table.sum(axis=0)
    share = support / support.sum()
    found: dict[str, Any] = {
        "accuracy": float(hits.sum() / support.sum()),
        "precision": float(share @ (hits / np.maximum(predicted, 1))),
        "recall": float(share @ (hits / np.maximum(support, 1))),
        "f1": float(share @ (2 * hits / np.maximum(predicted + support, 1))),
        "auroc": None,
    }
    known = [class_name(one) for one in getattr(model, "classes_", ())]
    if "predict_proba" in dir(model) and len(set(truth)) > 1 and set(truth) <= set(known):
        scores = np.asarray(model.predict_proba(rows), dtype=np.float64)
        areas = {
            name: float(rank(scores[:, known.index(name)], is_ == index[name]).area) for name in set(truth)
        }
        # Of two classes, both have the same area.
        found["auroc"] = float(sum(share[index[name]] * area for name, area in areas.items()))
    common = {"f1_score": "f1", "auc": "auroc"}
    return {name: found[common.get(name, name)] for name in wanted}


def stated_metrics(model: Any, names: Iterable[str] | None = None) -> dict[str, Any]:
    """The metrics that a mock model, a dict, says of itself. Nothing is measured, and nothing is made up.

    Raises:
        InvalidInputError: It states none.
    """
    stated = model.get("metrics") if isinstance(model, Mapping) else None
    if not isinstance(stated, Mapping) or not stated:
        raise InvalidInputError(
            "The mock model states no metrics", hint='Give {"metrics": {"accuracy": 0.85}}.'
        )
    return {name: stated[name] for name in names or stated if name in stated}


def plain_evaluation(
    model: Any, rows: Any, labels: Any, names: Iterable[str] | None = None
) -> dict[str, Any]:
    """`metrics`, `test_samples` and `model_type` of a fitted classifier, or of a mock model, a dict."""
    mock = isinstance(model, Mapping)
    return {
        "metrics": stated_metrics(model, names) if mock else plain_metrics(model, rows, labels, names),
        "test_samples": len(labels),
        "model_type": str(model.get("type", "mock_model")) if mock else type(model).__name__,
    }


def plain_comparison(baseline: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What changed in each metric that both have; the relative delta in percent, 0 where the baseline is 0.

    >>> found = plain_comparison({"accuracy": 0.5, "rmse": 2.0}, {"accuracy": 0.75, "rmse": 1.0})
    >>> found["accuracy"]["relative_delta"], found["rmse"]["improved"]
    (50.0, True)
    """
    common = [name for name in baseline if name in new and None not in (baseline[name], new[name])]
    return {
        name: {
            "baseline": baseline[name],
            "new": new[name],
            "absolute_delta": new[name] - baseline[name],
            "relative_delta": (new[name] - baseline[name]) / abs(baseline[name]) * 100
            if baseline[name]
            else 0.0,
            "improved": (metric_direction(name) or 1) * (new[name] - baseline[name]) > 0,
        }
        for name in common
    }


def plain_score(
    comparison: Mapping[str, Mapping[str, Any]], weights: Mapping[str, float] | None = None
) -> float:
    """The weighted mean of the changes, each in its metric's direction; weights are scaled to sum to 1.

    Raises:
        MetricError: No metric that was compared has a weight above 0.

    >>> round(plain_score(plain_comparison({"accuracy": 0.8, "f1": 0.7}, {"accuracy": 0.9, "f1": 0.7})), 6)
    0.05
    """
    given = {name: 1.0 if weights is None else float(weights.get(name, 0.0)) for name in comparison}
    total = sum(given.values())
    if not total > 0 or min(given.values()) < 0:
        raise MetricError("No metric that was compared has a weight above 0", where="weights")
    score: float = sum(
        weight / total * (metric_direction(name) or 1) * comparison[name]["absolute_delta"]
        for name, weight in given.items()
    )
    return score


def plain_report(
    baseline: Mapping[str, Any],
    new: Mapping[str, Any],
    comparison: Mapping[str, Mapping[str, Any]] | None = None,
    delta_score: float | None = None,
) -> dict[str, Any]:
    """Two evaluations, as `plain_evaluation` gives them, with what changed between them."""
    changes = comparison
    if changes is None:
        changes = plain_comparison(baseline.get("metrics", baseline), new.get("metrics", new))
    return {
        "baseline": dict(baseline),
        "new": dict(new),
        "comparison": {name: dict(change) for name, change in changes.items()},
        "delta_score": plain_score(changes) if delta_score is None else delta_score,
        "improved_metrics": [name for name, change in changes.items() if change["improved"]],
        "degraded_metrics": [
            name for name, change in changes.items() if change["absolute_delta"] and not change["improved"]
        ],
    }
