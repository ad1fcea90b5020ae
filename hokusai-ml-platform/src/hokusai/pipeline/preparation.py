"""The first step: decide everything, and refuse at once what cannot end well."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hokusai.core.benchmarks import Benchmarks
from hokusai.pipeline.plan import RunPlan, resolve_plan
from hokusai.ports import Ledger, RunStore
from hokusai.utils.config import Settings
from hokusai.utils.logging import get_logger

_log = get_logger(__name__)


def prepare(
    given: Mapping[str, Any], settings: Settings, store: RunStore, ledger: Callable[[], Ledger]
) -> RunPlan:
    """The checked plan of a run; `ledger` opens where benchmarks are kept.

    Raises:
        ConfigurationError: A parameter cannot be used.
        DataError: A file does not exist or cannot be read.
        BackendUnavailableError: The tracking server cannot be reached.
    """
    plan = resolve_plan(given, settings, lambda name: Benchmarks(ledger()).get(name))
    if plan.baseline_model is not None and not plan.dry_run:
        from hokusai.pipeline.baseline import check_reference

        check_reference(plan.baseline_model)
    store.check()
    if plan.estimator is not None and not plan.dry_run:
        from hokusai.pipeline.training import make_estimator

        make_estimator(plan.estimator, plan.estimator_params, plan.seed, plan.task)
    for warning in plan.wallet_warnings:
        _log.warning(warning)
    return plan
