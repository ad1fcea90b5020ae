"""Model files out of MLflow: by MLflow URI, or by `name/semver`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hokusai.adapters.mlflow_store import open_client, quiet_mlflow, translated
from hokusai.errors import NotFoundError, UntrustedModelError
from hokusai.ports import ModelFile

if TYPE_CHECKING:
    from mlflow import MlflowClient

_SEMVER_TAG = "hokusai.semver"
_READABLE = ".skops"


class MlflowModelFiles:
    """Fetches stored models from MLflow.

    Args:
        tracking_uri: The server or database.
    """

    def __init__(self, tracking_uri: str) -> None:
        self._uri = tracking_uri

    def fetch(self, reference: str) -> ModelFile:
        """The model that `reference` names.

        Args:
            reference: `name/1.2.0`, `models:/name/3`, `models:/name@production` or `runs:/id/path`.

        Raises:
            NotFoundError: There is no such model.
            UntrustedModelError: It is stored in a form whose loading runs its author's code.
            BackendUnavailableError: MLflow cannot be reached.
        """
        client = open_client(self._uri)
        with quiet_mlflow(), tempfile.TemporaryDirectory(prefix="hokusai-model-") as folder:
            root = self._download(client, reference, Path(folder))
            stored = sorted(path for path in (root.rglob("*") if root.is_dir() else [root]) if path.is_file())
            readable = [path for path in stored if path.suffix == _READABLE]
            if len(readable) != 1:
                raise UntrustedModelError(
                    f"The model is stored as {', '.join(path.name for path in stored) or 'nothing'}",
                    where=reference,
                    hint="One skops file is needed; a pickle is not loaded, because it can run its author's code.",
                )
            return ModelFile(reference, readable[0].name, readable[0].read_bytes())

    def _download(self, client: MlflowClient, reference: str, folder: Path) -> Path:
        from mlflow.artifacts import download_artifacts
        from mlflow.exceptions import MlflowException

        uri = reference if ":/" in reference else self._uri_of(client, reference)
        try:
            return Path(download_artifacts(artifact_uri=uri, dst_path=str(folder), tracking_uri=self._uri))
        except (MlflowException, OSError) as problem:
            raise NotFoundError(
                f"There is no such model: {str(problem).strip().splitlines()[0]}",
                where=reference,
                hint="Check --baseline-model and MLFLOW_TRACKING_URI.",
            ) from problem

    def _uri_of(self, client: MlflowClient, reference: str) -> str:
        name, _, semver = reference.rpartition("/")
        quote = '"' if "'" in name else "'"
        mine = f"name = {quote}{name}{quote} and tags.`{_SEMVER_TAG}` = '{semver}'"
        with translated(self._uri):
            found = client.search_model_versions(mine, max_results=1, order_by=["version_number ASC"])
        if not found:
            raise NotFoundError(
                f"The registry has no version {semver} of a model {name!r}",
                where="--baseline-model",
                hint="Give name/semver as it was registered, an MLflow URI, or a model file.",
            )
        return f"models:/{name}/{found[0].version}"
