"""Models kept in this process: for tests and notebooks that must leave nothing behind.

It refuses what MLflow refuses, so that what works here works there.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from threading import RLock
from uuid import uuid4

from hokusai.adapters.artifact_files import checked_files, local_path, refuse_links, write_files
from hokusai.domain.records import ModelRecord
from hokusai.errors import ConflictError, InvalidInputError, NotFoundError
from hokusai.ports import Orphan, Upload

_SCHEME = "memory:/"
_TAG = re.compile(r"[\w\-. :/]{1,250}")
_ALIAS = re.compile(r"(?!(?:latest|v\d+)$)[A-Za-z0-9_-]{1,255}", re.IGNORECASE)
_VERSION = re.compile(r"models:/(?P<name>[^/@]+)(?:/(?P<number>\d+|latest)|@(?P<alias>[^/@]+))")


class MemoryModelStore:
    """A `ModelStore` that forgets everything when it goes."""

    def __init__(self) -> None:
        self._location = f"memory://{uuid4().hex}"
        self._rows: dict[str, dict[int, ModelRecord]] = {}
        self._last: dict[str, int] = {}
        self._aliases: dict[tuple[str, str], int] = {}
        self._legacy_stages: dict[tuple[str, int], str] = {}
        self._artifacts: dict[str, _Artifact] = {}
        self._lock = RLock()

    def __repr__(self) -> str:
        return f"MemoryModelStore({sum(map(len, self._rows.values()))} versions)"

    @property
    def location(self) -> str:
        """An address that no other store has."""
        return self._location

    def check(self) -> None:
        """Nothing to find out: memory is there."""

    def has_news(self) -> bool:
        """Never told: whoever shares this store shares its process."""
        return False

    def upload(self, name: str, files: Mapping[str, bytes | Path], run_id: str | None = None) -> Upload:
        """Keep the bytes of the files."""
        _check_name(name)
        kept = {
            path: content.read_bytes() if isinstance(content, Path) else bytes(content)
            for path, content in checked_files(files).items()
        }
        source = f"{_SCHEME}{name}/{uuid4().hex}"
        with self._lock:
            self._artifacts[source] = _Artifact(kept, time.time())
        return Upload(source, run_id)

    def discard(self, source: str) -> None:
        """Forget uploaded files, unless a version refers to them."""
        with self._lock:
            if source in self._used():
                raise ConflictError("A version refers to these files, so they stay", where=source)
            self._artifacts.pop(source, None)

    def download(self, record: ModelRecord, into: Path) -> None:
        """Write the files of a version into a folder."""
        self._copy(record.source, into, where=record.model_id)

    def has_files(self, record: ModelRecord) -> bool | None:
        """Whether the files of a version are kept."""
        return self._resolved(record.source) in self._artifacts

    def fetch(self, source: str, into: Path) -> str:
        """Write the files that `source` names into a folder."""
        found = self._resolved(source)
        if found.startswith(_SCHEME):
            self._copy(found, into, where=source)
            return found
        if source.startswith("models:"):
            raise InvalidInputError(f"{source!r} does not name a model", where=source)
        path = local_path(source)
        if path is None:
            raise NotFoundError("This store keeps nothing at such an address", where=source)
        path = path.absolute()
        if not path.exists():
            raise NotFoundError("There is no such file or folder", where=str(path))
        refuse_links(path)
        into.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, into, dirs_exist_ok=True)
        else:
            shutil.copy(path, into)
        return str(path)

    def orphans(self) -> Iterator[Orphan]:
        """Uploaded files that no version refers to."""
        with self._lock:
            used, now = self._used(), time.time()
            found = [
                Orphan(source, sum(map(len, artifact.files.values())), max(0.0, now - artifact.at_seconds))
                for source, artifact in self._artifacts.items()
                if source not in used
            ]
        yield from found

    def add_version(
        self, name: str, upload: Upload, tags: Mapping[str, str], description: str = ""
    ) -> ModelRecord:
        """Add a row with all its tags."""
        _check_name(name)
        for tag in tags:
            _check_tag(tag)
        now = _now_ms()
        with self._lock:
            number = self._last.get(name, 0) + 1
            source = self._resolved(upload.source)
            record = ModelRecord(name, number, source, upload.run_id, dict(tags), now, now, description)
            self._last[name] = number
            self._rows.setdefault(name, {})[number] = record
        return record

    def remove_version(self, name: str, number: int) -> None:
        """Take a row out of sight for good, and the aliases that point to it."""
        with self._lock:
            self._rows.get(name, {}).pop(number, None)
            self._legacy_stages.pop((name, number), None)
            for key in [k for k, at in self._aliases.items() if k[0] == name and at == number]:
                del self._aliases[key]

    def version(self, name: str, number: int) -> ModelRecord:
        """One row."""
        with self._lock:
            found = self._rows.get(name, {}).get(number)
        if found is None:
            raise NotFoundError(f"There is no version {number} of {name}", where=f"{name}/{number}")
        return found

    def versions(
        self,
        name: str | None = None,
        *,
        tags: Mapping[str, str] | None = None,
        above: int | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> list[ModelRecord]:
        """Rows of one model or of all, by number and then by name."""
        wanted = (tags or {}).items()
        found = [
            record
            for record in self._all(name)
            if record.number > (above or 0) and wanted <= record.tags.items()
        ]
        found.sort(key=lambda record: record.name)
        found.sort(key=lambda record: record.number, reverse=newest_first)
        return found[:limit]

    def changed_since(self, updated_ms: int, limit: int = 100_000) -> list[ModelRecord]:
        """Rows of all models that were made or changed at `updated_ms` or later; the latest change first."""
        found = [record for record in self._all(None) if record.updated_ms >= updated_ms]
        return sorted(found, key=lambda record: record.updated_ms, reverse=True)[:limit]

    def names(self) -> list[str]:
        """Names of all models, sorted."""
        with self._lock:
            return sorted(self._rows)

    def set_tags(self, name: str, number: int, tags: Mapping[str, str | None]) -> ModelRecord:
        """Set tags of a row, or remove those that are None."""
        for tag in tags:
            _check_tag(tag)
        with self._lock:
            record = self.version(name, number)
            merged = {tag: value for tag, value in {**record.tags, **tags}.items() if value is not None}
            changed = replace(record, tags=merged, updated_ms=_now_ms())
            self._rows[name][number] = changed
        return changed

    def alias(self, name: str, alias: str) -> int | None:
        """The number of the version that `alias` points to."""
        with self._lock:
            return self._aliases.get((name, alias))

    def set_alias(self, name: str, alias: str, number: int | None) -> None:
        """Point `alias` to a version, or remove it."""
        if not _ALIAS.fullmatch(alias):
            raise InvalidInputError(f"An alias cannot be called {alias!r}", where="alias")
        with self._lock:
            if number is None:
                self._aliases.pop((name, alias), None)
            else:
                self._aliases[name, alias] = self.version(name, number).number

    def aliases(self, name: str) -> dict[str, int]:
        """Every alias of a model and the number that it points to."""
        with self._lock:
            return {alias: at for (model, alias), at in self._aliases.items() if model == name}

    def legacy_stages(self, name: str) -> dict[int, str]:
        """Number to stage of the versions in one of MLflow's older stages."""
        with self._lock:
            return {at: stage for (model, at), stage in self._legacy_stages.items() if model == name}

    def set_legacy_stage(self, name: str, number: int, stage: str) -> None:
        """Put a version where MLflow's `transition_model_version_stage` would, for what reads such stages."""
        with self._lock:
            self._legacy_stages[name, self.version(name, number).number] = stage

    def _all(self, name: str | None) -> list[ModelRecord]:
        with self._lock:
            models = self._rows.values() if name is None else [self._rows.get(name, {})]
            return [record for rows in models for record in rows.values()]

    def _used(self) -> set[str]:
        return {record.source for record in self._all(None)}

    def _resolved(self, source: str) -> str:
        match = _VERSION.fullmatch(source)
        return self._named(match["name"], match["number"], match["alias"], source) if match else source

    def _named(self, name: str, number: str | None, alias: str | None, reference: str) -> str:
        with self._lock:
            rows = self._rows.get(name, {})
            at = self._aliases.get((name, alias)) if alias else None
            if number is not None:
                at = max(rows, default=None) if number == "latest" else int(number)
            if at is None or at not in rows:
                raise NotFoundError("There is no such version", where=reference)
            return rows[at].source

    def _copy(self, source: str, into: Path, *, where: str) -> None:
        with self._lock:
            artifact = self._artifacts.get(source)
        if artifact is None:
            raise NotFoundError("The files of the model are gone from the store", where=where)
        write_files(into, artifact.files)


@dataclass(frozen=True, slots=True)
class _Artifact:
    files: Mapping[str, bytes]
    at_seconds: float


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > 256 or set(name) & set("/:"):
        raise InvalidInputError(f"A model cannot be called {name[:60]!r}", where="name")


def _check_tag(tag: str) -> None:
    if not _TAG.fullmatch(tag):
        raise InvalidInputError(f"A tag cannot be called {tag[:60]!r}", where="tags")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
