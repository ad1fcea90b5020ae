"""Where the files behind MLflow's addresses are, and how they are fetched.

Addresses are resolved here and not by MLflow's own URI handling, which looks up `models:/…` in the registry of its
global state, whatever it is told, and makes an `mlflow.db` in the working folder when there is none.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hokusai.adapters.artifact_files import local_path, refuse_links
from hokusai.adapters.mlflow_store import quoted, translated
from hokusai.errors import InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from mlflow import MlflowClient

_LOGGED = re.compile(r"models:/(?P<id>m-[^/]+)(?P<path>/.+)?")
_VERSION = re.compile(r"models:/(?P<name>[^/@]+)/(?P<version>\d+|latest)(?P<path>/.+)?")
_ALIAS = re.compile(r"models:/(?P<name>[^/@]+)@(?P<alias>[^/@]+)(?P<path>/.+)?")
_ABSENT = re.compile(r"not found|No such artifact|No such file|NoSuchKey|\b404\b")
_FILES = re.compile(r"(?P<kind>runs|mlflow-artifacts):/(/[^/]+/|[^/]+/).+")


def locate(client: MlflowClient, tracking_uri: str, reference: str) -> str | None:
    """The place of the files that one of MLflow's addresses names; None if `reference` is no such address.

    Args:
        client: On `tracking_uri`.
        tracking_uri: The server or database.
        reference: `models:/name/3`, `models:/name/latest`, `models:/name@alias`, `models:/m-…`, `runs:/id/path` or
            `mlflow-artifacts:/…`.

    Raises:
        NotFoundError: There is no such version.
        InvalidInputError: It is an address on a server, and `tracking_uri` is none.
        MlflowException: As MLflow says it; see `translated`.
    """
    if match := _LOGGED.fullmatch(reference):
        return _below(str(client.get_logged_model(match["id"]).artifact_location), match["path"])
    if match := _VERSION.fullmatch(reference):
        name, version = match["name"], match["version"]
        if version == "latest":
            version = one_version(client, f"name = {quoted(name)}", "DESC", reference)
        return _below(version_location(client, tracking_uri, name, version), match["path"])
    if match := _ALIAS.fullmatch(reference):
        found = client.get_model_version_by_alias(match["name"], match["alias"])
        return _below(version_location(client, tracking_uri, match["name"], found.version), match["path"])
    if match := _FILES.fullmatch(reference):
        if match["kind"] == "runs" or tracking_uri.startswith("http"):
            return reference
        raise InvalidInputError(
            f"{reference!r} is an address on a server, and MLFLOW_TRACKING_URI names none",
            where=reference,
            hint="Set MLFLOW_TRACKING_URI to the server's address, or give runs:/id/path.",
        )
    return None


def version_location(client: MlflowClient, tracking_uri: str, name: str, version: str | int) -> str:
    """The place of the files of a registered version."""
    location = str(client.get_model_version_download_uri(name, str(version)))
    # A model that was logged and then registered is stored under an id of its own.
    resolved = locate(client, tracking_uri, location) if location.startswith("models:/") else None
    return resolved or location


def one_version(client: MlflowClient, query: str, order: str, reference: str) -> str:
    """The number of the lowest (`ASC`) or highest (`DESC`) version that `query` finds.

    Raises:
        NotFoundError: There is none.
    """
    found = client.search_model_versions(query, max_results=1, order_by=[f"version_number {order}"])
    if not found:
        raise not_found(reference, "the registry has no such name and version")
    return str(found[0].version)


def bring(location: str, tracking_uri: str, into: Path, reference: str) -> None:
    """Copy what lies at `location` into the folder `into`: the contents of a folder, or one file under its name.

    Raises:
        NotFoundError: Nothing is there.
        IntegrityError: A file there is a link, which may lead anywhere on this machine.
        BackendUnavailableError: The store cannot be reached.
    """
    path = local_path(location)
    with translated(tracking_uri), absence_told(reference):
        into.mkdir(parents=True, exist_ok=True)
        if path is not None:
            _copy(path, into, reference)
        else:
            _download(location, tracking_uri, into, reference)


class absence_told:  # noqa: N801 - it reads as a statement
    """Within it, every way in which MLflow says that something is not there becomes a `NotFoundError`."""

    def __init__(self, reference: str) -> None:
        self._reference = reference

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, problem: BaseException | None, _trace: object) -> None:
        if isinstance(problem, FileNotFoundError):
            raise not_found(self._reference, "its files are gone from the store") from problem
        from mlflow.exceptions import MlflowException

        if isinstance(problem, MlflowException) and _says_absent(problem):
            raise not_found(self._reference, str(problem).strip().splitlines()[0]) from problem


def not_found(reference: str, why: str) -> NotFoundError:
    """The error that says that there is no model where `reference` points."""
    return NotFoundError(
        f"There is no such model: {why}", where=reference, hint="Check the name and MLFLOW_TRACKING_URI."
    )


def _download(location: str, tracking_uri: str, into: Path, reference: str) -> None:
    from mlflow.artifacts import download_artifacts
    from mlflow.store.artifact.runs_artifact_repo import RunsArtifactRepository

    if RunsArtifactRepository.is_runs_uri(location):
        kept = local_path(RunsArtifactRepository.get_underlying_uri(location, tracking_uri))
        if kept is not None:
            refuse_links(kept)
    with tempfile.TemporaryDirectory(prefix=".arriving-", dir=into) as draft:
        # Both URIs are given: for what is left out, MLflow asks its global state.
        got = Path(
            download_artifacts(
                artifact_uri=location, dst_path=draft, tracking_uri=tracking_uri, registry_uri=tracking_uri
            )
        )
        files = [got] if got.is_file() else list(got.iterdir())
        if not files:
            raise not_found(reference, "nothing is stored there")
        for file in files:
            shutil.move(file, into / file.name)


def _copy(path: Path, into: Path, reference: str) -> None:
    refuse_links(path)
    if path.is_dir() and any(path.iterdir()):
        shutil.copytree(path, into, dirs_exist_ok=True)
    elif path.is_file():
        shutil.copy(path, into)
    else:
        raise not_found(reference, f"nothing is stored at {path}")


def _below(location: str, path: str | None) -> str:
    return location.rstrip("/") + path if path else location


def _says_absent(problem: Exception) -> bool:
    # Not every store behind MLflow has a code for it.
    if getattr(problem, "error_code", "") == "RESOURCE_DOES_NOT_EXIST":
        return True
    return _ABSENT.search(str(problem)) is not None
