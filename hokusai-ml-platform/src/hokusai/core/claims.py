"""Who owns a version: the lowest number that carries the claim wins.

MLflow numbers the versions of a model without gaps of knowledge: number n+1 is only given by a transaction that saw n
committed, and a row's tags are written with it. So whoever adds a row and then reads the claimants sees every one
that came before. No lock, no lease, nothing pending: a crash leaves a complete winner, or a higher duplicate that
every reader ignores and `hokusai doctor` removes.

Reading the claimants is a search in MLflow. It is left out where the index has every lower row: what a row claims is
written once, with the row.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from hokusai.domain.records import SEMVER, ModelRecord
from hokusai.domain.versions import SemanticVersion
from hokusai.errors import BackendUnavailableError
from hokusai.ports import ModelIndex, ModelStore, Upload


def owner(store: ModelStore, name: str, version: SemanticVersion) -> ModelRecord | None:
    """The row that owns a semantic version of a model."""
    return next(iter(store.versions(name, tags={SEMVER: version.key}, limit=1)), None)


def claim(
    store: ModelStore,
    index: ModelIndex,
    name: str,
    version: SemanticVersion,
    upload: Upload,
    tags: Mapping[str, str],
    description: str = "",
) -> tuple[ModelRecord, bool]:
    """Register an upload as `version`, unless somebody else does so first.

    Args:
        store: Where.
        index: What is known of the rows there.
        name: The model.
        version: What is claimed; `tags` carry it.
        upload: Files that are stored already.
        tags: All facts.
        description: Text for people.

    Returns:
        The row that owns the version now, and whether it is ours. If it is not, our row is gone again; our files
        are left for the caller to discard.
    """
    mine = store.add_version(name, upload, tags, description)
    with suppress(BackendUnavailableError):  # without the index, the search finds out
        if index.unclaimed_below(store.location, name, mine.number, version.key):
            return mine, True
    first = owner(store, name, version)
    if first is None or first.number == mine.number:
        return mine, True
    store.remove_version(name, mine.number)
    return first, False
