"""Models and their versions in MLflow: embedded, on its database, or on a server.

MLflow's own client loads a whole model, with all its versions, to make sure that it is no prompt before it changes
a row: half a second where there are ten thousand. So that is asked once a name, by a query, and changes go to the
part of the client below the check.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from itertools import islice, takewhile
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from hokusai.adapters.artifact_files import local_path
from hokusai.adapters.mlflow_locations import absence_told, bring, locate, not_found
from hokusai.adapters.mlflow_shelves import FolderShelf, ObjectShelf, ServerShelf, Shelf, ids_in
from hokusai.adapters.mlflow_sqlite import SQLITE, sqlite_path
from hokusai.adapters.mlflow_store import (
    check_reachable,
    open_client,
    quiet_mlflow,
    quoted,
    translated,
    with_driver,
)
from hokusai.domain.records import ModelRecord
from hokusai.domain.versions import LOG_PREFIX
from hokusai.errors import ConfigurationError, ConflictError, InvalidInputError, NotFoundError
from hokusai.ports import Orphan, Upload

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

T = TypeVar("T")

_PROMPT_TAG = "mlflow.prompt.is_prompt"
_LOG_DESCRIPTION = (
    "The history of the stages of a model, written by Hokusai: each version is one move. "
    "Please leave it as it is; `hokusai lineage` and `hokusai promote` read it."
)
_NO_FILES = "hokusai:"
_FIRST_PAGE = 20
_PAGE = 5_000
_NAMES_A_PAGE = 1_000
_LONGEST_VALUE_IN_A_QUERY = 500
# Rows that `copy_model_version` made name the row that they were copied from, which may be gone.
_COPIES = ("source_path LIKE 'models:/%/%'", "source_path LIKE 'models:/%@%'")
_MISSING = "RESOURCE_DOES_NOT_EXIST"

Stamp = tuple[tuple[int, int], ...]


class MlflowModelStore:
    """Keeps models in MLflow; a `ModelStore`. Threads may share it.

    Args:
        tracking_uri: The server or database.
        artifact_location: Folder or URI under which files are kept when `tracking_uri` is a database; by default
            beside an SQLite file. A server keeps them where it likes unless it is told.
    """

    def __init__(self, tracking_uri: str, artifact_location: str | None = None) -> None:
        self._uri = _absolute(with_driver(tracking_uri))
        self._location = _without_secrets(self._uri)
        self._artifact_location = _absolute_place(artifact_location)
        self._opened: MlflowClient | None = None
        self._shelf_made: Shelf | None = None
        self._no_prompts: set[str] = set()
        self._lock = Lock()
        self._sqlite_files = _sqlite_files(self._uri)
        self._stamp_seen: Stamp = ()
        self._news = False

    def __repr__(self) -> str:
        return f"MlflowModelStore({self._location!r})"

    @property
    def location(self) -> str:
        """The URI, as it is equal for equal stores: no password, no options, absolute paths."""
        return self._location

    def check(self) -> None:
        """Raise `BackendUnavailableError` unless the server or database can be used now."""
        check_reachable(self._uri)

    def has_news(self) -> bool:
        """Whether somebody else has written into the SQLite file since this was asked last; False for servers."""
        self._look()
        news, self._news = self._news, False
        return news

    def upload(self, name: str, files: Mapping[str, bytes | Path], run_id: str | None = None) -> Upload:
        """Store the files of a model, whole or not at all."""
        with self._mlflow():
            return self._shelf().put(name, files, run_id)

    def discard(self, source: str) -> None:
        """Remove uploaded files; refused while a version refers to them, by this address or another."""
        with self._mlflow():
            for made_id in ids_in(source)[-1:]:
                if made_id in self._ids_in_use(f"source_path LIKE '%{made_id}%'"):
                    raise ConflictError("A version refers to these files, so they stay", where=source)
            self._shelf().remove(source)

    def download(self, record: ModelRecord, into: Path) -> None:
        """Fetch all files of a version into a folder."""
        where = f"models:/{record.name}/{record.number}"
        if not record.source or record.source.startswith(_NO_FILES):
            raise not_found(where, "this version has no files")
        self._fetch(self._source_of(record), into, where)

    def has_files(self, record: ModelRecord) -> bool | None:
        """Whether the folder of a version is there; None where it is not on this machine."""
        path = local_path(self._source_of(record))
        return None if path is None or not path.is_absolute() else path.exists()

    def fetch(self, source: str, into: Path) -> str:
        """Fetch the files that a model URI names into a folder; gives the URI resolved."""
        return self._fetch(source, into, source)

    def orphans(self) -> Iterator[Orphan]:
        """Uploaded files that no version refers to."""
        with self._mlflow():
            held = list(self._shelf().held())  # before the rows: what is registered meanwhile has one then
        if held:
            used = self._ids_in_use("")
            yield from (orphan for orphan in held if ids_in(orphan.source)[-1] not in used)

    def add_version(
        self, name: str, upload: Upload, tags: Mapping[str, str], description: str = ""
    ) -> ModelRecord:
        """Add a row with all its tags in one transaction; the model itself is made if it is new."""
        from mlflow.exceptions import MlflowException

        with self._writing() as client:
            self._refuse_prompt(client, name)

            def add() -> ModelRecord:
                row = client.create_model_version(
                    name,
                    _accepted(upload.source),
                    run_id=upload.run_id,
                    tags=dict(tags),
                    description=description or None,
                    await_creation_for=0,
                    model_id=upload.model_id,
                )
                return _record(row)

            try:
                return add()
            except MlflowException as problem:
                if problem.error_code != _MISSING:
                    raise
            try:
                client.create_registered_model(name, description=_description(name))
            except MlflowException as problem:
                if problem.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise  # otherwise somebody else was first, which is as good
            return add()

    def remove_version(self, name: str, number: int) -> None:
        """Take a row out of sight for good; nothing happens if it is gone."""
        with self._writing() as client:
            _unless_missing(lambda: _below_the_check(client).delete_model_version(name, str(number)))

    def version(self, name: str, number: int) -> ModelRecord:
        """One row."""
        with self._mlflow() as client:
            row = _unless_missing(lambda: client.get_model_version(name, str(number)))
        if row is None:
            raise NotFoundError(f"There is no version {number} of {name}", where=f"{name}/{number}")
        return _record(row)

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
        wanted = dict(tags or {})
        order = [f"version_number {'DESC' if newest_first else 'ASC'}", "name ASC"]
        found = self._search(_query(name, wanted, above), order, page=min(limit or _PAGE, _PAGE))
        matching = (
            record
            for record in found
            if name in (None, record.name) and wanted.items() <= record.tags.items()
        )
        return list(islice(matching, limit))

    def changed_since(self, updated_ms: int, limit: int = 100_000) -> list[ModelRecord]:
        """Rows of all models that were made or changed at `updated_ms` or later; the latest change first."""
        newest_first = ["last_updated_timestamp DESC", "name ASC", "version_number DESC"]
        # Mostly nothing or little has changed, so the first page is small.
        found = self._search("", newest_first, page=_FIRST_PAGE)
        recent = takewhile(lambda record: record.updated_ms >= updated_ms, found)
        # A row that is changed between two pages moves to the front, and those after it are seen twice.
        once = {(record.name, record.number): record for record in islice(recent, limit)}
        return list(once.values())

    def names(self) -> list[str]:
        """Names of all models, sorted."""
        found: list[str] = []
        with self._mlflow() as client:
            token = None
            while True:
                page = client.search_registered_models(max_results=_NAMES_A_PAGE, page_token=token)
                found += [str(model.name) for model in page]
                token = page.token
                if not token:
                    return sorted(found)

    def set_tags(self, name: str, number: int, tags: Mapping[str, str | None]) -> ModelRecord:
        """Set tags of a row, or remove those that are None; `changed_since` shows it. Gives the row as it is then."""
        with self._writing() as client:
            rows = _below_the_check(client)
            for tag, value in tags.items():
                if value is None:
                    rows.delete_model_version_tag(name, str(number), tag)
                else:
                    _once_more(partial(rows.set_model_version_tag, name, str(number), tag, value))
            # MLflow notes no time for tags; a new description, the same as before, makes it note one.
            description = client.get_model_version(name, str(number)).description or ""
            return _record(rows.update_model_version(name, str(number), description))

    def alias(self, name: str, alias: str) -> int | None:
        """The number of the version that `alias` points to."""
        with self._mlflow() as client:
            row = _unless_missing(lambda: client.get_model_version_by_alias(name, alias))
        return None if row is None else int(row.version)

    def set_alias(self, name: str, alias: str, number: int | None) -> None:
        """Point `alias` to a version, or remove it."""
        with self._writing() as client:
            rows = _below_the_check(client)
            if number is None:
                _unless_missing(lambda: rows.delete_registered_model_alias(name, alias))
            else:
                _once_more(partial(rows.set_registered_model_alias, name, alias, str(number)))

    def aliases(self, name: str) -> dict[str, int]:
        """Every alias of a model and the number that it points to. MLflow reads all versions for it."""
        with self._mlflow() as client:
            model = _unless_missing(lambda: client.get_registered_model(name))
        return {} if model is None else {alias: int(number) for alias, number in model.aliases.items()}

    def legacy_stages(self, name: str) -> dict[int, str]:
        """Number to stage of the versions in one of MLflow's older stages."""
        rows = self._rows(_query(name, {}, None), ["version_number ASC"])
        return {
            int(row.version): str(row.current_stage)
            for row in rows
            if row.name == name and row.current_stage not in (None, "None")
        }

    @contextmanager
    def _writing(self) -> Iterator[MlflowClient]:
        """As `_mlflow`; what is written is no news to us, but what others wrote before it is."""
        self._look()
        with self._mlflow() as client:
            yield client
        self._stamp_seen = self._stamp()

    def _look(self) -> None:
        stamp = self._stamp()
        self._news, self._stamp_seen = self._news or stamp != self._stamp_seen, stamp

    def _stamp(self) -> Stamp:
        """What changes with every commit into an SQLite file: time and size of the file and of its log."""
        found = []
        for path in self._sqlite_files:
            with suppress(OSError):
                status = os.stat(path)  # noqa: PTH116 - asked before every look-up
                found.append((status.st_mtime_ns, status.st_size))
        return tuple(found)

    @contextmanager
    def _mlflow(self) -> Iterator[MlflowClient]:
        with self._lock:
            if self._opened is None:
                with quiet_mlflow():
                    self._opened = open_client(self._uri)
            client = self._opened
        with translated(self._uri):
            yield client

    def _client(self) -> MlflowClient:
        with self._mlflow() as client:
            return client

    def _shelf(self) -> Shelf:
        if self._shelf_made is None:
            self._shelf_made = _shelf_for(self._uri, self._artifact_location, self._client, self._owner)
        return self._shelf_made

    def _ids_in_use(self, query: str) -> set[str]:
        """Ids of all files that the rows which `query` finds refer to, and the rows that were copied from others."""
        found = {made_id for record in self._search(query, ["name ASC"]) for made_id in ids_in(record.source)}
        for copies in _COPIES:
            for record in self._search(copies, ["name ASC"]):
                number = str(record.number)
                with self._mlflow() as client:
                    place = _unless_missing(
                        partial(client.get_model_version_download_uri, record.name, number)
                    )
                found.update(ids_in(place or ""))
        return found

    def _owner(self) -> str:
        """Which database this is: another may have its address at another time, or its first experiment's."""
        client = self._client()
        first = _unless_missing(lambda: client.get_experiment("0"))
        return f"{self._location} {first.creation_time if first else None}"

    def _refuse_prompt(self, client: MlflowClient, name: str) -> None:
        """MLflow keeps prompts and models under the same names, and would take a version of one for the other."""
        if name in self._no_prompts:
            return
        prompts = client.search_registered_models(
            f"name = {quoted(name)} and tags.`{_PROMPT_TAG}` = 'true'", max_results=1
        )
        if prompts:
            raise ConflictError(
                f"MLflow has a prompt called {name!r}, and a model cannot have the same name",
                where=name,
                hint="Give the model another name, or rename the prompt.",
            )
        self._no_prompts.add(name)

    def _search(self, query: str, order: list[str], *, page: int = _PAGE) -> Iterator[ModelRecord]:
        return map(_record, self._rows(query, order, page=page))

    def _rows(self, query: str, order: list[str], *, page: int = _PAGE) -> Iterator[Any]:
        token = None
        while True:
            with self._mlflow() as client:
                found = client.search_model_versions(
                    query, max_results=page, order_by=order, page_token=token
                )
            yield from found
            token, page = found.token, _PAGE
            if not token:
                return

    def _source_of(self, record: ModelRecord) -> str:
        """Where the files of a version are now."""
        with self._mlflow():
            shelf = self._shelf()
        return shelf.moved(record.source) if isinstance(shelf, FolderShelf) else record.source

    def _fetch(self, source: str, into: Path, where: str) -> str:
        with self._mlflow() as client, absence_told(where):
            found = locate(client, self._uri, source)
        if found is None and source.startswith(("models:", "runs:")):
            raise InvalidInputError(
                f"{source!r} does not name a model",
                where=where,
                hint="Give models:/name/3, models:/name@alias or runs:/id/path.",
            )
        location = found or source
        bring(location, self._uri, into, where)
        path = local_path(location)
        return location if path is None else str(path.absolute())


def _record(row: Any) -> ModelRecord:
    return ModelRecord(
        name=str(row.name),
        number=int(row.version),
        source=str(row.source or ""),
        run_id=row.run_id or None,
        tags=dict(row.tags),
        created_ms=int(row.creation_timestamp),
        updated_ms=int(row.last_updated_timestamp or row.creation_timestamp),
        description=row.description or "",
    )


def _query(name: str | None, tags: Mapping[str, str], above: int | None) -> str:
    """What of this MLflow can search for; the rest is left to the reader of the rows."""
    terms = [f"name = {quoted(name)}"] if name is not None and _searchable(name) else []
    terms += [f"tags.`{tag}` = {quoted(value)}" for tag, value in tags.items() if _searchable(value)]
    terms += [f"version_number > {int(above)}"] if above is not None else []
    return " and ".join(terms)


def _searchable(value: str) -> bool:
    # A query to a server is part of its URL, so it cannot be of any length.
    return len(value) <= _LONGEST_VALUE_IN_A_QUERY and not ("'" in value and '"' in value)


def _below_the_check(client: MlflowClient) -> Any:
    """What changes rows, without MLflow's check for prompts; see the top of this file."""
    return client._get_registry_client()


def _accepted(source: str) -> str:
    """`source` in a form that a server accepts: it wants an absolute path after the scheme."""
    within = source.removeprefix(_NO_FILES)
    return source if within == source or within.startswith("/") else f"{_NO_FILES}/{within}"


def _description(name: str) -> str | None:
    return _LOG_DESCRIPTION if name.startswith(LOG_PREFIX) else None


def _unless_missing(call: Callable[[], T]) -> T | None:
    """What `call` gives; None where MLflow says that there is no such model, version or alias."""
    from mlflow.exceptions import MlflowException

    try:
        return call()
    except MlflowException as problem:
        # For an alias that is not there, MLflow has the code of a bad argument.
        no_alias = "alias" in str(problem) and "not found" in str(problem)
        if problem.error_code == _MISSING or no_alias:
            return None
        raise


def _once_more(call: Callable[[], object]) -> None:
    """Write a row that may be there or not; where two write it first at once, the loser finds it there then."""
    from mlflow.exceptions import MlflowException

    try:
        call()
    except MlflowException as problem:
        if not _is_first_insert_race(problem):
            raise
        call()


def _is_first_insert_race(problem: MlflowException) -> bool:
    text = str(problem).lower()
    return any(words in text for words in ("unique constraint", "duplicate key", "duplicate entry"))


def _absolute(uri: str) -> str:
    if not uri.startswith(SQLITE):
        return uri.rstrip("/") if uri.startswith("http") else uri
    _, mark, options = uri.partition("?")
    return f"{SQLITE}{sqlite_path(uri).resolve()}{mark}{options}"


def _absolute_place(artifact_location: str | None) -> str | None:
    folder = local_path(artifact_location) if artifact_location else None
    return artifact_location if folder is None else str(folder.resolve())


def _without_secrets(uri: str) -> str:
    if uri.startswith(SQLITE):
        return uri.partition("?")[0]
    parts = urlsplit(uri)
    user = f"{parts.username}@" if parts.username else ""
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{user}{parts.hostname or ''}{port}{parts.path}"


def _shelf_for(
    uri: str,
    artifact_location: str | None,
    client: Callable[[], MlflowClient],
    owner: Callable[[], str],
) -> Shelf:
    if not uri.startswith(SQLITE) and not urlsplit(uri).scheme.startswith(("postgresql", "mysql", "mssql")):
        return ServerShelf(client, uri, artifact_location)
    if artifact_location is None:
        if not uri.startswith(SQLITE):
            raise ConfigurationError(
                "MLflow's database is used directly, and nothing says where files of models go",
                where="MLFLOW_ARTIFACT_ROOT",
                hint="Set MLFLOW_ARTIFACT_ROOT to a folder or an s3:// address.",
            )
        artifact_location = str(sqlite_path(uri).parent / "artifacts")
    folder = local_path(artifact_location)
    return ObjectShelf(artifact_location, owner()) if folder is None else FolderShelf(folder, owner())


def _sqlite_files(uri: str) -> tuple[str, ...]:
    if not uri.startswith(SQLITE):
        return ()
    path = str(sqlite_path(uri))
    return path, f"{path}-wal"
