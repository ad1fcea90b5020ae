"""The flow lives in the repository's `src/`. A wheel carries a copy, so that `hokusai pipeline run` works from pip too.

An editable installation finds the flow in the checkout and must not get a copy that grows old.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class FlowHook(BuildHookInterface[Any]):
    """Adds `src/pipeline` to a wheel as `hokusai/flow/src/pipeline`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Hatch's hook: called before the wheel is built."""
        if version == "editable":
            return
        source = Path(self.root).parent / "src"
        for file in [source / "__init__.py", *sorted((source / "pipeline").glob("*.py"))]:
            build_data["force_include"][str(file)] = f"hokusai/flow/src/{file.relative_to(source)}"
