"""The improvement history of models, and whose data made it, as a few questions to the registry."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from hokusai.domain.lineage import ContributorImpact, Improvement, Lineage
from hokusai.utils.twins import async_twin


class LineageSource(Protocol):
    """Whatever knows lineages; `hokusai.core.registry.ModelRegistry` does."""

    def get_model_lineage(self, reference: str) -> Lineage:
        """The lineage of a model, by its name or by the id of a version.

        Raises:
            NotFoundError: There is no such model.
        """


class LineageTracker:
    """Answers where a model comes from and who improved it.

    Args:
        registry: Where lineages are known.
    """

    def __init__(self, registry: LineageSource) -> None:
        self.registry = registry

    def lineage(self, reference: str) -> Lineage:
        """The lineage of a model, by its name or by the id of a version.

        Raises:
            NotFoundError: There is no such model.
        """
        return self.registry.get_model_lineage(reference)

    def contributors(self, reference: str) -> tuple[ContributorImpact, ...]:
        """What each contributor's data did to a model; who improved it most often comes first.

        Raises:
            NotFoundError: There is no such model.
        """
        return self.lineage(reference).contributors

    def improvement(self, reference: str) -> dict[str, Improvement]:
        """Metric to how far it went from the first version to the latest.

        Raises:
            NotFoundError: There is no such model.
        """
        return self.lineage(reference).improvement_to()

    def draw(self, path: str | Path, reference: str, metric: str | None = None) -> Path:
        """Draw a lineage as `.png` or `.svg`; see `hokusai.tracking.plots.draw_lineage`.

        Raises:
            NotFoundError: There is no such model.
            MissingExtraError: matplotlib is not installed.
        """
        from hokusai.tracking.plots import draw_lineage

        return draw_lineage(self.lineage(reference), path, metric)

    alineage = async_twin(lineage)
    acontributors = async_twin(contributors)
    aimprovement = async_twin(improvement)
    adraw = async_twin(draw)
