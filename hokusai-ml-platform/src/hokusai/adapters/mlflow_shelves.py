"""Where the files of registered models are kept: a folder, an object store, or a tracking server.

With MLflow's database at hand, files go straight to their final place. A tracking server does not take a version
that points to such a place: there they become a logged model, MLflow's own kind of stored model. Either way the
files come before the row, so what a killed registration leaves is files that no row points to; each kind can list
what it holds, finished or not.

Several databases may keep files in one place, so the name of an upload says whose it is, and a shelf lists no others.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from hokusai.adapters.artifact_files import (
    DRAFT_PREFIX,
    checked_files,
    local_path,
    size_of,
    write_files,
    write_whole,
)
from hokusai.adapters.mlflow_store import experiment_id
from hokusai.errors import BackendUnavailableError, InvalidInputError
from hokusai.ports import Orphan, Upload

if TYPE_CHECKING:
    from mlflow import MlflowClient

EXPERIMENT = "hokusai-registry"
"""The experiment that logged models of the registry belong to."""
_FOLDER = "models"
_SIZE_TAG = "hokusai.size_bytes"
_ID = re.compile(r"[0-9a-f]{32}")
_LOGGED = "models:/"
_PAGE = 50


class Shelf(Protocol):
    """Keeps the files of models."""

    def put(self, name: str, files: Mapping[str, bytes | Path], run_id: str | None) -> Upload:
        """Store files, whole or not at all."""

    def remove(self, source: str) -> None:
        """Remove what `put` stored, or began to store; nothing happens if it is gone."""

    def held(self) -> Iterator[Orphan]:
        """All of ours that is here, unfinished uploads too, whether or not anything refers to it."""


class FolderShelf:
    """A local folder; each upload is written beside its place and renamed into it.

    Args:
        root: The folder.
        owner: Whose uploads these are.
    """

    def __init__(self, root: Path, owner: str) -> None:
        self._root = root / _FOLDER
        self._owner = _short(owner)

    def put(self, name: str, files: Mapping[str, bytes | Path], run_id: str | None) -> Upload:
        """Write the files, and wait until the disk has them."""
        folder = self._root / safe_name(name) / _new_id(self._owner)
        try:
            write_whole(folder, checked_files(files))
        except OSError as problem:
            raise BackendUnavailableError(
                f"The model's files could not be stored: {problem.strerror or problem}",
                where=str(self._root),
                hint="Nothing was kept. Make room, or set MLFLOW_ARTIFACT_ROOT to another place.",
            ) from problem
        # As a URI, because MLflow takes `%20` in a path for a blank.
        return Upload(folder.as_uri(), run_id)

    def remove(self, source: str) -> None:
        """Remove a folder of ours; it stops being whole at once, however long its removal takes."""
        folder = local_path(source) or Path()
        if folder.parent.parent != self._root or not _ID.fullmatch(folder.name.removeprefix(DRAFT_PREFIX)):
            raise _not_ours(source)
        draft = folder.with_name(DRAFT_PREFIX + folder.name.removeprefix(DRAFT_PREFIX))
        with contextlib.suppress(FileNotFoundError):
            folder.rename(draft)
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(draft)

    def moved(self, source: str) -> str:
        """Where the files of `source` are now: here, under the same id, if the whole folder was moved or copied."""
        folder = local_path(source)
        if folder is None or folder.exists() or not ids_in(source):
            return source
        here = self._root / folder.parent.name / ids_in(source)[-1]
        return here.as_uri() if here.is_dir() else source

    def held(self) -> Iterator[Orphan]:
        """Every folder of ours."""
        for folder in self._root.glob("*/*"):
            made_id = folder.name.removeprefix(DRAFT_PREFIX)
            # MLflow keeps logged models of its own in a folder of the same name.
            if _is_of(made_id, self._owner) and folder.is_dir():
                with contextlib.suppress(FileNotFoundError):  # removed meanwhile
                    yield Orphan(folder.as_uri(), size_of(folder), _age_seconds(made_id))


class ObjectShelf:
    """An object store that MLflow has a driver for, such as `s3://bucket/prefix`.

    Args:
        root: The URI.
        owner: Whose uploads these are.
    """

    def __init__(self, root: str, owner: str) -> None:
        self._root = f"{root.rstrip('/')}/{_FOLDER}"
        self._prefix = f"{self._root}/"
        self._owner = _short(owner)

    def put(self, name: str, files: Mapping[str, bytes | Path], run_id: str | None) -> Upload:
        """Send the files; what was sent is removed if the rest cannot be."""
        source = f"{self._root}/{safe_name(name)}/{_new_id(self._owner)}"
        with _staged(files) as folder:
            try:
                _repository(source).log_artifacts(str(folder))
            except BaseException:
                with contextlib.suppress(Exception):  # the first failure is the one to tell
                    self.remove(source)
                raise
        return Upload(source, run_id)

    def remove(self, source: str) -> None:
        """Remove everything under a prefix of ours."""
        within = source.removeprefix(self._prefix).split("/")
        if not source.startswith(self._prefix) or len(within) != 2 or not _ID.fullmatch(within[1]):
            raise _not_ours(source)
        _repository(source).delete_artifacts()

    def held(self) -> Iterator[Orphan]:
        """Every prefix of ours."""
        root = _repository(self._root)
        for model in root.list_artifacts():
            for upload in root.list_artifacts(model.path) if model.is_dir else ():
                made_id = upload.path.rpartition("/")[2]
                ours = upload.is_dir and _is_of(made_id, self._owner)
                sizes = _sizes_below(root, upload.path) if ours else []
                if sizes:  # some stores list what has been emptied
                    yield Orphan(f"{self._prefix}{upload.path}", sum(sizes), _age_seconds(made_id))


class ServerShelf:
    """A tracking server, which keeps files as logged models of one experiment.

    Args:
        client: Gives the client.
        tracking_uri: The server.
        artifact_location: For the experiment, if it has to be made; None leaves the choice to the server.
    """

    def __init__(
        self, client: Callable[[], MlflowClient], tracking_uri: str, artifact_location: str | None
    ) -> None:
        self._client = client
        self._uri = tracking_uri
        self._artifact_location = artifact_location
        self._experiment: str | None = None

    def put(self, name: str, files: Mapping[str, bytes | Path], run_id: str | None) -> Upload:
        """Send the files into a logged model, which is ready when all are there."""
        with _staged(files) as folder:
            client, tags = self._client(), {_SIZE_TAG: str(size_of(folder))}
            model = client.create_logged_model(
                self._experiment_id(), name=safe_name(name).replace(".", "-"), source_run_id=run_id, tags=tags
            )
            try:
                _repository(model.artifact_location, self._uri).log_artifacts(str(folder))
                client.finalize_logged_model(model.model_id, "READY")
            except BaseException:
                with contextlib.suppress(Exception):  # the first failure is the one to tell
                    self._remove(model.model_id, model.artifact_location)
                raise
        return Upload(f"{_LOGGED}{model.model_id}", run_id, model.model_id)

    def remove(self, source: str) -> None:
        """Remove the files of a logged model, and then itself."""
        from mlflow.exceptions import MlflowException

        model_id = source.removeprefix(_LOGGED)
        if not source.startswith(f"{_LOGGED}m-") or "/" in model_id:
            raise _not_ours(source)
        try:
            model = self._client().get_logged_model(model_id)
        except MlflowException as problem:
            if problem.error_code == "RESOURCE_DOES_NOT_EXIST":
                return
            raise
        if model.experiment_id != self._experiment_id():
            raise _not_ours(source)
        self._remove(model_id, model.artifact_location)

    def held(self) -> Iterator[Orphan]:
        """Every logged model of the experiment."""
        now, token = time.time(), None
        while True:
            found = self._client().search_logged_models(
                [self._experiment_id()], max_results=_PAGE, page_token=token
            )
            for model in found:
                size = int(model.tags.get(_SIZE_TAG, "0"))
                age = max(0.0, now - model.creation_timestamp / 1000)
                yield Orphan(f"{_LOGGED}{model.model_id}", size, age)
            token = found.token
            if not token:
                return

    def _remove(self, model_id: str, location: str) -> None:
        _repository(location, self._uri).delete_artifacts()
        self._client().delete_logged_model(model_id)

    def _experiment_id(self) -> str:
        if self._experiment is None:
            self._experiment = experiment_id(self._client(), EXPERIMENT, self._artifact_location)
        return self._experiment


def safe_name(name: str) -> str:
    """`name` as part of a path that every store takes; not unique.

    >>> safe_name("lead scorer"), safe_name("../x"), safe_name("模型")
    ('lead-scorer', 'x', 'model')
    """
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-.")[:80] or "model"


def ids_in(source: str) -> list[str]:
    """The ids in an address of files: they stay the same where a folder is moved, or reached by another path.

    >>> ids_in("file:///srv/models/churn/" + "0af" + "1" * 29) == ["0af" + "1" * 29]
    True
    """
    return _ID.findall(source)


def _new_id(owner: str) -> str:
    """32 hexadecimal digits: twelve for the time, so that its age can be told in any store, and whose it is."""
    return f"{time.time_ns() // 1_000_000:012x}{owner}{secrets.token_hex(6)}"


def _is_of(made_id: str, owner: str) -> bool:
    return _ID.fullmatch(made_id) is not None and made_id[12:20] == owner


def _short(owner: str) -> str:
    return hashlib.sha256(owner.encode()).hexdigest()[:8]


def _age_seconds(made_id: str) -> float:
    return max(0.0, time.time() - int(made_id[:12], 16) / 1000)


@contextlib.contextmanager
def _staged(files: Mapping[str, bytes | Path]) -> Iterator[Path]:
    """A temporary folder that looks as the artefact will; files that are on the disk are not copied."""
    with tempfile.TemporaryDirectory(prefix="hokusai-upload-") as folder:
        try:
            write_files(Path(folder), checked_files(files), link=True)
        except OSError as problem:
            raise BackendUnavailableError(
                f"The model's files could not be put together for sending: {problem.strerror or problem}",
                where=folder,
                hint="Make room, or set TMPDIR to another place.",
            ) from problem
        yield Path(folder)


def _repository(uri: str, tracking_uri: str | None = None) -> Any:
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    return get_artifact_repository(uri, tracking_uri=tracking_uri, registry_uri=tracking_uri)


def _sizes_below(repository: Any, path: str) -> list[int]:
    sizes: list[int] = []
    for entry in repository.list_artifacts(path):
        sizes += _sizes_below(repository, entry.path) if entry.is_dir else [int(entry.file_size or 0)]
    return sizes


def _not_ours(source: str) -> InvalidInputError:
    return InvalidInputError(
        "These files were not uploaded by this registry, so it does not remove them", where=source
    )
