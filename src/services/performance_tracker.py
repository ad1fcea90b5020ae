"""`PerformanceTracker` of `hokusai.tracking.performance`, under its older import path."""

from __future__ import annotations

import hokusai.wiring  # noqa: F401 - plugs in where improvements are tracked
from hokusai.tracking.performance import PerformanceTracker

__all__ = ["PerformanceTracker"]
