"""What became of models over time: their lineage, and pictures of it.

- `performance` `PerformanceTracker`: an improvement as it was reported, signed; what a contributor's data did over time
- `lineage`  `LineageTracker`: where a model comes from, and what each contributor's data did
- `plots`, `impact_plot` pictures, for reports and papers; they need the extra `plots`. `page` is what they stand on

The names below are loaded when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hokusai.tracking.impact_plot import draw_impact
    from hokusai.tracking.lineage import LineageTracker
    from hokusai.tracking.performance import PerformanceTracker
    from hokusai.tracking.plots import draw_lineage

_HOMES = {
    "LineageTracker": "hokusai.tracking.lineage",
    "PerformanceTracker": "hokusai.tracking.performance",
    "draw_impact": "hokusai.tracking.impact_plot",
    "draw_lineage": "hokusai.tracking.plots",
}
__all__ = ["LineageTracker", "PerformanceTracker", "draw_impact", "draw_lineage"]


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'hokusai.tracking' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
