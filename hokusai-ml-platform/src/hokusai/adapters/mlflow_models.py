"""Model files out of MLflow: by MLflow URI, or by `name/semver`.

Names are resolved here and not by MLflow's own URI handling, which looks up `models:/…` in the registry of its
global state, whatever it is told, and makes an `mlflow.db` in the working folder when there is none.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hokusai.adapters.mlflow_store import open_client, quiet_mlflow, quoted, translated, with_driver
from hokusai.errors import InvalidInputError, NotFoundError, UntrustedModelError
from hokusai.ports import ModelFile

if TYPE_CHECKING:
    from mlflow import MlflowClient

SEMVER_TAG = "hokusai.semver"
_READABLE = ".skops"
_LOGGED = re.compile(r"models:/(?P<id>m-[^/]+)(?P<path>/.+)?")
_VERSION = re.compile(r"models:/(?P<name>[^/@]+)/(?P<version>\d+|latest)(?P<path>/.+)?")
_ALIAS = re.compile(r"models:/(?P<name>[^/@]+)@(?P<alias>[^/@]+)(?P<path>/.+)?")
_FILES = re.compile(r"(?P<kind>runs|mlflow-artifacts):/(/[^/]+/|[^/]+/).+")


class MlflowModelFiles:
    """Fetches stored models from MLflow; a `ModelFiles`.

    Args:
        tracking_uri: The server or database.
    """

    def __init__(self, tracking_uri: str) -> None:
        self._uri = with_driver(tracking_uri)

    def fetch(self, reference: str) -> ModelFile:
        """The model that `reference` names.

        Args:
            reference: `name/1.2.0`, `models:/name/3`, `models:/name/latest`, `models:/name@production` or
                `runs:/id/path`.

        Raises:
            NotFoundError: There is no such model.
            UntrustedModelError: It is stored in a form whose loading runs its author's code.
            InvalidInputError: This is no reference to a model.
            BackendUnavailableError: MLflow cannot be reached.
        """
        client = open_client(self._uri)
        with quiet_mlflow(), tempfile.TemporaryDirectory(prefix="hokusai-model-") as folder:
            with translated(self._uri):
                try:
                    root = self._download(client, reference, Path(folder))
                except FileNotFoundError as problem:
                    raise _not_found(reference, "its files are gone from the store") from problem
            stored = sorted(path for path in (root.rglob("*") if root.is_dir() else [root]) if path.is_file())
            readable = [path for path in stored if path.suffix == _READABLE]
            if not stored:
                raise _not_found(reference, "nothing is stored there")
            if len(readable) != 1:
                raise UntrustedModelError(
                    f"The model is stored as {', '.join(path.name for path in stored[:8])}",
                    where=reference,
                    hint="One skops file is needed; a pickle is not loaded, because it can run its author's code.",
                )
            return ModelFile(reference, readable[0].name, readable[0].read_bytes())

    def _download(self, client: MlflowClient, reference: str, folder: Path) -> Path:
        from mlflow.artifacts import download_artifacts
        from mlflow.exceptions import MlflowException

        try:
            uri = _location(client, self._uri, reference)
            # Both URIs are given: for what is left out, MLflow asks its global state.
            return Path(
                download_artifacts(
                    artifact_uri=uri, dst_path=str(folder), tracking_uri=self._uri, registry_uri=self._uri
                )
            )
        except MlflowException as problem:
            if problem.error_code == "RESOURCE_DOES_NOT_EXIST" or _says_absent(problem):
                raise _not_found(reference, str(problem).strip().splitlines()[0]) from problem
            raise


def _location(client: MlflowClient, tracking_uri: str, reference: str) -> str:
    """Where the files of a model are."""
    if match := _LOGGED.fullmatch(reference):
        return _below(str(client.get_logged_model(match["id"]).artifact_location), match["path"])
    if match := _VERSION.fullmatch(reference):
        name, version = match["name"], match["version"]
        if version == "latest":
            version = _one_version(client, f"name = {quoted(name)}", "DESC", reference)
        return _below(_source(client, tracking_uri, name, version), match["path"])
    if match := _ALIAS.fullmatch(reference):
        found = client.get_model_version_by_alias(match["name"], match["alias"])
        return _below(_source(client, tracking_uri, match["name"], found.version), match["path"])
    if match := _FILES.fullmatch(reference):
        if match["kind"] == "runs" or tracking_uri.startswith("http"):
            return reference
        raise InvalidInputError(
            f"{reference!r} is an address on a server, and MLFLOW_TRACKING_URI names none",
            where="--baseline-model",
            hint="Set MLFLOW_TRACKING_URI to the server's address, or give runs:/id/path.",
        )
    name, _, semver = reference.rpartition("/")
    if ":/" in reference or not name:
        raise InvalidInputError(
            f"{reference!r} does not name a model",
            where="--baseline-model",
            hint="Give name/1.2.0, models:/name/3, models:/name@alias or runs:/id/path.",
        )
    mine = f"name = {quoted(name)} and tags.`{SEMVER_TAG}` = {quoted(semver)}"
    return _source(client, tracking_uri, name, _one_version(client, mine, "ASC", reference))


def _one_version(client: MlflowClient, query: str, order: str, reference: str) -> str:
    """The lowest or highest version that `query` finds."""
    found = client.search_model_versions(query, max_results=1, order_by=[f"version_number {order}"])
    if not found:
        raise _not_found(reference, "the registry has no such name and version")
    return str(found[0].version)


def _source(client: MlflowClient, tracking_uri: str, name: str, version: str) -> str:
    location = str(client.get_model_version_download_uri(name, str(version)))
    # A model that was logged and then registered is stored under an id of its own.
    return _location(client, tracking_uri, location) if location.startswith("models:/") else location


def _below(location: str, path: str | None) -> str:
    return location.rstrip("/") + path if path else location


def _says_absent(problem: Exception) -> bool:
    # Not every store behind MLflow has a code for it.
    text = str(problem)
    return any(words in text for words in ("not found", "No such artifact", "No such file", "404"))


def _not_found(reference: str, why: str) -> NotFoundError:
    return NotFoundError(
        f"There is no such model: {why}",
        where=reference,
        hint="Check --baseline-model and MLFLOW_TRACKING_URI.",
    )
