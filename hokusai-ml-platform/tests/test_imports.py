"""What importing costs: the package's face loads nothing heavy, and its base stays light."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = [
    *(
        "alembic",
        "boto3",
        "cryptography",
        "dspy",
        "fastapi",
        "metaflow",
        "mlflow",
        "numpy",
        "pandas",
        "polars",
    ),
    *("pydantic", "pydantic_settings", "ray", "redis", "rich", "scipy", "sklearn", "sqlalchemy", "structlog"),
    *("polars", "torch"),
]


def loaded_by(statement: str) -> list[str]:
    """The heavy packages that a fresh interpreter holds after `statement`."""
    code = f"import sys; {statement}; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.parametrize(
    "module",
    ["hokusai", "hokusai.errors", "hokusai.utils.logging", "hokusai.utils.metrics", "hokusai.wiring"],
)
def test_importing_the_base_loads_nothing_heavy(module: str) -> None:
    assert loaded_by(f"import {module}") == []


def test_the_check_sees_what_is_loaded() -> None:
    assert loaded_by("import numpy") == ["numpy"]


def test_settings_load_pydantic_only() -> None:
    assert loaded_by("from hokusai.utils.config import Settings; Settings.load(None)") == ["pydantic"]
