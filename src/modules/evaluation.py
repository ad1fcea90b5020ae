"""`ModelEvaluator` as older code calls it: plain dicts of metrics beside today's `evaluate` and `compare`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import hokusai.wiring  # noqa: F401 - plugs in where models are
from hokusai.pipeline import evaluator_plain as plain
from hokusai.pipeline.evaluator import ModelEvaluator as _ModelEvaluator

__all__ = ["ModelEvaluator"]


class ModelEvaluator(_ModelEvaluator):
    """`hokusai.pipeline.evaluator.ModelEvaluator` with its older methods; all else is as there."""

    def evaluate_mock_model(self, model: Mapping[str, Any], X: Any = None, y: Any = None) -> dict[str, Any]:  # noqa: ARG002, N803 - the older names
        """The metrics that a mock model states of itself."""
        return plain.stated_metrics(model, self.metrics)

    def evaluate_sklearn_model(self, model: Any, X: Any, y: Any, threshold: float = 0.5) -> dict[str, Any]:  # noqa: ARG002, N803 - the older names; it never had a use
        """Metrics of a fitted classifier, weighted by the classes' rows."""
        return plain.plain_metrics(model, X, y, self.metrics)

    def evaluate_model(self, model: Any, X: Any, y: Any) -> dict[str, Any]:  # noqa: N803 - the older names
        """`metrics`, `test_samples` and `model_type` of a fitted classifier or a mock model."""
        return plain.plain_evaluation(model, X, y, self.metrics)

    def compare_models(
        self, baseline_metrics: Mapping[str, Any], new_metrics: Mapping[str, Any]
    ) -> dict[str, dict[str, Any]]:
        """What changed in each metric, the relative delta in percent."""
        return plain.plain_comparison(baseline_metrics, new_metrics)

    def calculate_delta_score(
        self, comparison: Mapping[str, Mapping[str, Any]], weights: Mapping[str, float] | None = None
    ) -> float:
        """The weighted mean of the changes, each in its metric's direction."""
        return plain.plain_score(comparison, weights)

    def create_evaluation_report(
        self,
        baseline_results: Mapping[str, Any],
        new_results: Mapping[str, Any],
        comparison: Mapping[str, Mapping[str, Any]] | None = None,
        delta_score: float | None = None,
    ) -> dict[str, Any]:
        """Both evaluations with what changed between them."""
        return plain.plain_report(baseline_results, new_results, comparison, delta_score)
