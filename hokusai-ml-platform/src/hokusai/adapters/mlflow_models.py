"""Model files out of MLflow: by MLflow URI, or by `name/semver`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hokusai.adapters.mlflow_locations import absence_told, bring, locate, one_version, version_location
from hokusai.adapters.mlflow_store import open_client, quiet_mlflow, quoted, translated, with_driver
from hokusai.errors import InvalidInputError, UntrustedModelError
from hokusai.ports import ModelFile

if TYPE_CHECKING:
    from mlflow import MlflowClient

SEMVER_TAG = "hokusai.semver"
_READABLE = ".skops"


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
            with translated(self._uri), absence_told(reference):
                location = self._location(client, reference)
            bring(location, self._uri, Path(folder), reference)
            stored = sorted(path for path in Path(folder).rglob("*") if path.is_file())
            readable = [path for path in stored if path.suffix == _READABLE]
            if len(readable) != 1:
                raise UntrustedModelError(
                    f"The model is stored as {', '.join(path.name for path in stored[:8])}",
                    where=reference,
                    hint="One skops file is needed; a pickle is not loaded, because it can run its author's code.",
                )
            return ModelFile(reference, readable[0].name, readable[0].read_bytes())

    def _location(self, client: MlflowClient, reference: str) -> str:
        """Where the files of a model are."""
        if location := locate(client, self._uri, reference):
            return location
        name, _, semver = reference.rpartition("/")
        if ":/" in reference or not name:
            raise InvalidInputError(
                f"{reference!r} does not name a model",
                where="--baseline-model",
                hint="Give name/1.2.0, models:/name/3, models:/name@alias or runs:/id/path.",
            )
        mine = f"name = {quoted(name)} and tags.`{SEMVER_TAG}` = {quoted(semver)}"
        return version_location(client, self._uri, name, one_version(client, mine, "ASC", reference))
