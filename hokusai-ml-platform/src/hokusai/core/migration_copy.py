"""Models of one MLflow copied into another: versions in order, with their files, tags, descriptions and aliases.

Each copy says where it comes from, in the transaction that makes it, so a copy that was killed is continued by
starting it again. What was being copied then is left over as files that no version refers to, which
`hokusai doctor` removes.
"""

from __future__ import annotations

import fnmatch
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hokusai.core import claims
from hokusai.core.migration import Pointers, Progress
from hokusai.core.stage_log import StageLog
from hokusai.domain.records import ACTOR, BUILD, DELETED, DEPRECATED, SEMVER, ModelRecord
from hokusai.domain.stages import GENESIS, Stage
from hokusai.domain.versions import LOG_PREFIX, check_model_name
from hokusai.errors import ConfigurationError, InvalidInputError, NotFoundError
from hokusai.ports import ModelStore, Upload

MIGRATED_FROM = "hokusai.migrated_from"
_ARCHIVED = "Archived"
_NO_FILES = Upload("hokusai:missing")
_LOST_ON_THE_WAY = (MIGRATED_FROM, DELETED, DEPRECATED)


@dataclass
class CopyReport:
    """What was copied.

    Attributes:
        copied: How many versions were copied now.
        present: How many were there from an earlier run.
        missing: Versions of the source whose files are gone; they are copied without.
        refused: What was left out, and why.
    """

    copied: int = 0
    present: int = 0
    missing: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


def copy_models(
    source: ModelStore,
    target: ModelStore,
    stages: StageLog,
    names: str = "*",
    progress: Progress | None = None,
) -> CopyReport:
    """Copy every model of `source` that `names` matches into `target`, unless it was copied before.

    Args:
        source: Where from; nothing is written there.
        target: Where to.
        stages: The histories of stages in `target`.
        names: Pattern of the names.
        progress: Told how far it is.

    Raises:
        ConfigurationError: Both are the same.
        BackendUnavailableError: A server was lost on the way; run it again when it is back.
    """
    if source.location == target.location:
        raise ConfigurationError(
            "The source is the registry itself",
            where=source.location,
            hint="Leave --source out to take it over in place.",
        )
    report = CopyReport()
    rows: list[ModelRecord] = []
    for name in fnmatch.filter(source.names(), names):
        if not name.startswith(LOG_PREFIX):
            try:
                rows += source.versions(check_model_name(name))
            except InvalidInputError as problem:
                report.refused[name] = str(problem)
    there: dict[str, dict[int, ModelRecord]] = {}
    for done, row in enumerate(rows, start=1):
        if row.name not in there:
            there[row.name] = _copies(source, target, row.name)
        _copy(source, target, row, there[row.name], report)
        if progress is not None:
            progress(done, len(rows))
    for name in there:
        _copy_aliases(source, target, stages, name)
    return report


def source_pointers(source: ModelStore, target: ModelStore) -> Pointers:
    """The aliases of `target`, and the older stages that its versions had in `source`."""

    def pointers(name: str) -> tuple[Mapping[str, int], Mapping[int, str]]:
        numbers = {number: row.number for number, row in _copies(source, target, name).items()}
        staged = source.legacy_stages(name) if numbers else {}
        for row in source.versions(name) if numbers else []:
            if row.deprecated is not None:
                staged[row.number] = _ARCHIVED
        return target.aliases(name), {numbers[n]: stage for n, stage in staged.items() if n in numbers}

    return pointers


def _copies(source: ModelStore, target: ModelStore, name: str) -> dict[int, ModelRecord]:
    """Number in the source to copy; where two copied the same at once, the lowest number is the copy."""
    prefix = _origin(source, name)
    found: dict[int, ModelRecord] = {}
    for row in target.versions(name):
        origin = row.tags.get(MIGRATED_FROM, "")
        if origin.startswith(prefix):
            found.setdefault(int(origin.removeprefix(prefix)), row)
    return found


def _copy(
    source: ModelStore,
    target: ModelStore,
    row: ModelRecord,
    there: dict[int, ModelRecord],
    report: CopyReport,
) -> None:
    if row.number in there:
        report.present += 1
        return
    if row.deleted is not None:
        report.refused[row.model_id] = f"It is deleted there: {row.deleted}"
        return
    upload = _uploaded(source, target, row, report)
    tags = {tag: value for tag, value in row.tags.items() if tag not in _LOST_ON_THE_WAY}
    if row.version is not None and claims.owner(target, row.name, row.version) is not None:
        for tag in (SEMVER, BUILD, ACTOR):  # somebody has this version here; the take-over gives it another
            tags.pop(tag, None)
    origin = _origin(source, row.name) + str(row.number)
    mine = target.add_version(row.name, upload, {**tags, MIGRATED_FROM: origin}, row.description)
    first = target.versions(row.name, tags={MIGRATED_FROM: origin}, limit=1)[0]
    if first.number != mine.number:
        target.remove_version(row.name, mine.number)
        if upload is not _NO_FILES:
            target.discard(upload.source)
    there[row.number] = first
    report.copied += 1


def _uploaded(source: ModelStore, target: ModelStore, row: ModelRecord, report: CopyReport) -> Upload:
    with tempfile.TemporaryDirectory(prefix="hokusai-migration-") as folder:
        try:
            source.download(row, Path(folder))
        except NotFoundError as problem:
            report.missing[row.model_id] = str(problem)
            return _NO_FILES
        files: dict[str, bytes | Path] = {
            path.relative_to(folder).as_posix(): path for path in Path(folder).rglob("*") if path.is_file()
        }
        return target.upload(row.name, files)


def _copy_aliases(source: ModelStore, target: ModelStore, stages: StageLog, name: str) -> None:
    numbers = {number: row.number for number, row in _copies(source, target, name).items()}
    there, is_moved = target.aliases(name), stages.board(name).head != GENESIS
    for alias, number in source.aliases(name).items():
        decided = is_moved and alias in list(Stage)  # the history of stages here says what these aliases are
        if alias not in there and number in numbers and not decided:
            target.set_alias(name, alias, numbers[number])


def _origin(source: ModelStore, name: str) -> str:
    return f"{source.location}/{name}/"
