"""Real files in a folder of their own, and plans made from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pytest

from hokusai.domain.attribution import Attribution
from hokusai.domain.decision import Decision
from hokusai.domain.delta import Comparison
from hokusai.domain.model import ModelArtifact
from hokusai.pipeline import acceptance, baseline, contribution, crediting, evaluation, reference
from hokusai.pipeline.contribution import Contributed
from hokusai.pipeline.evaluation import Evaluation
from hokusai.pipeline.plan import RunPlan, resolve_plan
from hokusai.pipeline.reference import Facts
from hokusai.pipeline.retraining import retrain
from hokusai.utils.config import Settings

Columns = Mapping[str, Sequence[Any]]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def csv(tmp_path: Path) -> Callable[[str, Columns | str], str]:
    """Write a CSV file, from text or from columns; its path as it would be typed."""

    def write(name: str, content: Columns | str) -> str:
        path = tmp_path / name
        if isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        else:
            pl.DataFrame(content).write_csv(path)
        return str(path)

    return write


@pytest.fixture
def plan_of(tmp_path: Path, settings: Settings) -> Callable[..., RunPlan]:
    return lambda **given: resolve_plan({"output_dir": str(tmp_path / "out"), **given}, settings)


def rows(n: int, seed: int, **extra: Sequence[Any]) -> dict[str, Sequence[Any]]:
    """Two numbers and a label that mostly follows from the first of them."""
    draw = np.random.default_rng(seed)
    x, z = draw.random(n).round(6), draw.random(n).round(6)
    label = np.where(x + 0.3 * draw.standard_normal(n) > 0.5, "yes", "no")
    return {"x": x.tolist(), "z": z.tolist(), **extra, "label": label.tolist()}


@pytest.fixture
def labelled() -> Callable[..., dict[str, Sequence[Any]]]:
    return rows


class Ran(NamedTuple):
    """What the steps of a run up to its attestation have found."""

    plan: RunPlan
    facts: Facts
    contributed: Contributed
    old: ModelArtifact
    new: ModelArtifact
    evaluation: Evaluation
    comparison: Comparison
    shares: crediting.Shares
    credited: Attribution
    decision: Decision
    trained: int


class NoModels:
    """Where models are stored, for runs that must not ask."""

    def fetch(self, reference: str) -> Any:
        raise AssertionError(f"{reference} was asked for")


def run_steps(plan: RunPlan) -> Ran:
    """The steps of a run, one after the other, without the engine."""
    trained: list[int] = []
    facts = reference.survey(plan)
    old = baseline.load(plan, reference.load(plan, facts), NoModels())
    contributed = contribution.integrate(plan, facts)
    new = retrain(plan, facts, contributed, old)
    measured = evaluation.run(plan, facts, old, new)
    compared = evaluation.compare(measured, plan.metric_weights, plan.primary_metric)
    shares = crediting.settle(plan, facts, contributed, compared)
    parts = [
        crediting.measure(
            plan, facts, contributed, old, measured, shares, task, lambda done, _: trained.append(done)
        )
        for task in crediting.tasks(shares, plan.retraining_tasks)
    ]
    return Ran(
        plan, facts, contributed, old, new, measured, compared, shares,
        crediting.attribute(shares, parts, measured, dry_run=plan.dry_run),
        acceptance.decided(plan, facts, measured, compared, old, new),
        len(trained),
    )  # fmt: skip


@pytest.fixture
def ran() -> Callable[[RunPlan], Ran]:
    return run_steps
