"""Which metrics there are, in which direction they are better, and under which names they go."""

from __future__ import annotations

import pytest

from hokusai.domain.metrics import ALIASES, METRICS, Scale, Task, metric_spec, metrics_for
from hokusai.errors import MetricError


def test_what_each_task_is_measured_by() -> None:
    assert [m.name for m in metrics_for(Task.CLASSIFICATION)] == [
        "accuracy",
        "precision",
        "recall",
        "f1",
        "auroc",
    ]
    assert [m.name for m in metrics_for(Task.REGRESSION)] == ["rmse", "mae", "r2"]


@pytest.mark.parametrize(("name", "lower"), [*((m, m in ("rmse", "mae")) for m in METRICS)])
def test_errors_are_better_when_lower_and_measured_in_the_target(name: str, lower: bool) -> None:
    spec = METRICS[name]
    assert spec.direction == (-1 if lower else 1)
    assert spec.scale is (Scale.TARGET_UNITS if lower else Scale.SHARE)


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("f1_score", "f1"),
        ("auc", "auroc"),
        ("roc_auc", "auroc"),
        ("r2_score", "r2"),
        *((m, m) for m in METRICS),
    ],
)
def test_aliases(alias: str, name: str) -> None:
    assert metric_spec(alias) is METRICS[name]


def test_an_alias_is_no_other_metrics_name() -> None:
    assert ALIASES.keys().isdisjoint(METRICS)
    assert set(ALIASES.values()) <= METRICS.keys()


@pytest.mark.parametrize(
    ("name", "message"),
    [("acuracy", "Did you mean 'accuracy'"), ("zzz", "Known metrics: accuracy, "), ("", "Known metrics")],
)
def test_unknown_names(name: str, message: str) -> None:
    with pytest.raises(MetricError, match=message):
        metric_spec(name)
