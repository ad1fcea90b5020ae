"""Which metrics there are, in which direction they are better, and under which names they go."""

from __future__ import annotations

import pytest

from hokusai.domain.metrics import (
    ALIASES,
    METRICS,
    Scale,
    Task,
    common_metric_name,
    find_metric_spec,
    metric_spec,
    metrics_for,
)
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


@pytest.mark.parametrize(
    ("name", "common"),
    [
        ("f1_score", "f1"),
        ("f1", "f1"),
        ("roc_auc", "auroc"),
        ("model:auroc", "auroc"),
        ("model:accuracy", "accuracy"),
    ],
)
def test_every_spelling_of_a_metric_has_one_common_name(name: str, common: str) -> None:
    assert common_metric_name(name) == common


def test_a_metric_of_another_kind_keeps_its_name() -> None:
    assert common_metric_name("usage:f1") == "usage:f1"
    assert find_metric_spec("reply_rate") is None
