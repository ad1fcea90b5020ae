"""Real files in a folder of their own, and plans made from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from hokusai.pipeline.plan import RunPlan, resolve_plan
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
