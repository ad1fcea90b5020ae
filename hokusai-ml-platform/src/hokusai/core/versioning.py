"""Versions of models: their stages, what sets them apart, and the end of old ones.

    manager = ModelVersionManager(registry)
    manager.promote_model("lead-scorer", "1.1.0", stage="production", reason="better on the benchmark")
    manager.rollback_model("lead-scorer", reason="latency")                      # to the version before

With `expected=` a promotion happens only if the version that you believe to be in the stage is there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hokusai.core.promotion import ANY, Expected, StageChange, StageManager, board_key
from hokusai.domain.comparison import Relation, VersionComparison, compare
from hokusai.domain.records import METRICS, SIGNATURE, ModelRecord, check_metrics
from hokusai.domain.retention import CleanUpPlan, plan_clean_up
from hokusai.domain.versions import Part
from hokusai.errors import InvalidInputError, NotFoundError
from hokusai.utils.twins import async_twin

__all__ = ["ANY", "CleanUpPlan", "Expected", "ModelVersionManager", "StageChange", "VersionComparison"]


class ModelVersionManager(StageManager):
    """Stages and versions of the models in a registry. Every change is written to the audit trail.

    Stages are development, staging and production (`dev` and `prod` are accepted). `environment`, `promoted_by` and
    `performed_by` are older names of `stage` and `actor`.

    Args:
        registry: The registry.
    """

    def list_versions(self, name: str, *, include_deleted: bool = False) -> list[ModelRecord]:
        """All versions of a model, newest first."""
        return self.registry.versions_of(name, include_deleted=include_deleted)

    def get_latest_version(self, name: str) -> ModelRecord:
        """The highest release that may be used; a pre-release where there is no other.

        Raises:
            NotFoundError: There is none.
        """
        return self.registry.get_model(name)

    def tag_version(
        self, name: str, version: str | int, tags: Mapping[str, Any], *, remove: Sequence[str] = ()
    ) -> ModelRecord:
        """Set tags of a version, and remove others.

        Raises:
            InvalidInputError: A tag is Hokusai's own, or one that the version's token needs would become unusable.
        """
        return self.registry.update_model_tags(name, version, tags, remove=remove)

    def version_tags(self, name: str, version: str | int) -> dict[str, str]:
        """The tags of a version that people gave it."""
        return self.registry.get_model(name, version).free_tags

    def compare_versions(self, name: str, version_a: str | int, version_b: str | int) -> VersionComparison:
        """Version B against version A: metrics, signatures, parameters, sizes, and how they descend."""
        a, b = self.registry.get_model(name, version_a), self.registry.get_model(name, version_b)
        return compare(a, b, self._relation(a, b))

    def suggest_next_version(
        self,
        name: str,
        part: Part | None = None,
        *,
        metrics: Mapping[str, float] | None = None,
        signature: Mapping[str, Any] | None = None,
    ) -> str:
        """The version that a new model of this name should get.

        Args:
            name: The model.
            part: Which part to raise; by default what the change is worth against the highest release: major where
                its callers could not call the new one, minor where a metric gets better or it takes or gives more,
                else patch. Where nothing is told of the new model: minor.
            metrics: The new model's metrics.
            signature: Its signature, as MLflow's dict.
        """
        try:
            records = self.registry.versions_of(name, include_deleted=True)
        except NotFoundError:  # a new model
            records = []
        known = [(record.version, record) for record in records if record.version is not None]
        if not known:
            return "1.0.0"
        highest, newest = max(known, key=lambda pair: (not pair[0].is_prerelease, pair[0]))
        if part is None and metrics is None and signature is None:
            part = "minor"
        if part is None:
            part = compare(newest, _imagined(newest, metrics, signature), "parent").part
        return str(highest.bump(part))

    def clean_up(self, name: str, keep: int = 5, dry_run: bool = True) -> CleanUpPlan:
        """Delete old versions, softly; what is needed stays whatever its age.

        That is: what is in a stage, what a rollback goes back to, baselines, and parents of what stays.

        Args:
            name: The model.
            keep: How many of the newest versions stay in any case.
            dry_run: Whether only to say what would be done.

        Raises:
            NotFoundError: There is no such model.
            InvalidInputError: `keep` is less than 1.
        """
        if isinstance(keep, bool) or not isinstance(keep, int) or keep < 1:
            raise InvalidInputError(f"keep is {keep!r}, and a number from 1 was expected", where="keep")
        records = self.registry.versions_of(name)
        board = self.registry.stages.board(name)
        plan = plan_clean_up(
            name,
            records,
            {record.model_id: board_key(board, record) for record in records},
            board,
            self._children_elsewhere(records),
            keep,
        )
        if dry_run:
            return plan
        # A child has a higher number than its parent, and a parent of something cannot be deleted.
        for record in sorted(records, key=lambda record: record.number, reverse=True):
            if record.model_id in plan.goes:
                self.registry.delete(record.model_id, f"clean-up: {plan.goes[record.model_id]}")
        return replace(plan, dry_run=False)

    # The same for callers that must not wait

    alist_versions = async_twin(list_versions)
    aget_latest_version = async_twin(get_latest_version)
    atag_version = async_twin(tag_version)
    aversion_tags = async_twin(version_tags)
    acompare_versions = async_twin(compare_versions)
    asuggest_next_version = async_twin(suggest_next_version)
    aclean_up = async_twin(clean_up)

    # Older names

    def rollback_to_version(self, name: str, target_version: str | int) -> StageChange:
        """`rollback_model` to this version."""
        return self.rollback_model(name, target_version)

    def cleanup_old_versions(self, name: str, keep_count: int = 5, dry_run: bool = True) -> CleanUpPlan:
        """`clean_up`."""
        return self.clean_up(name, keep_count, dry_run)

    def get_active_version(self, name: str, environment: str = "production") -> ModelRecord | None:
        """`current`."""
        return self.current(name, environment)

    deprecate_model = StageManager.deprecate_version
    get_transition_history = StageManager.history
    get_version_history = list_versions

    def __repr__(self) -> str:
        return f"<ModelVersionManager {self.registry.store.location}>"

    def _relation(self, a: ModelRecord, b: ModelRecord) -> Relation:
        if a.model_id == b.model_id:
            return "same"
        if b.parent_id == a.model_id:
            return "parent"
        if a.parent_id == b.model_id:
            return "child"
        if a.model_id in self._ancestors(b):
            return "ancestor"
        return "descendant" if b.model_id in self._ancestors(a) else "none"

    def _ancestors(self, record: ModelRecord) -> set[str]:
        found: set[str] = set()
        parent = record.parent_id
        while parent is not None and parent not in found:
            found.add(parent)
            try:
                parent = self.registry.get_model(parent).parent_id
            except (NotFoundError, InvalidInputError):  # a parent that is gone ends the line
                break
        return found

    def _children_elsewhere(self, records: Sequence[ModelRecord]) -> dict[str, str]:
        own = {record.model_id for record in records}
        pages = ((one, self.registry.list_models(parent=one, limit=100)) for one in sorted(own))
        return {
            one: child.model_id for one, children in pages for child in children if child.model_id not in own
        }


def _imagined(
    like: ModelRecord, metrics: Mapping[str, float] | None, signature: Mapping[str, Any] | None
) -> ModelRecord:
    """A version that differs from `like` in what is told of a new model."""
    tags = dict(like.tags)
    if metrics is not None:
        tags[METRICS] = json.dumps(check_metrics(metrics))
    if signature is not None:
        tags[SIGNATURE] = json.dumps(dict(signature))
    return replace(like, tags=tags)
