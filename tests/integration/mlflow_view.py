"""What MLflow has of a pipeline run, for tests to look at."""

import skops.io

from hokusai.adapters.mlflow_store import open_client, quiet_mlflow


class TrackedPipeline:
    """The parent run of a finished pipeline, with its nested runs by step."""

    def __init__(self, left, tracking_uri=None, experiment="hokusai-pipeline"):
        self.uri = tracking_uri or left.mlflow_uri
        with quiet_mlflow():
            self.client = open_client(self.uri)
            self.experiment = self.client.get_experiment_by_name(experiment)
            mine = f"tags.`hokusai.run_id` = '{left.run_id}'"
            runs = self.client.search_runs([self.experiment.experiment_id], mine)
        (self.parent,) = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
        nested = [run for run in runs if run is not self.parent]
        assert {run.data.tags["mlflow.parentRunId"] for run in nested} == {self.parent.info.run_id}
        self.steps = {
            run.data.tags["hokusai.step"]: run for run in sorted(nested, key=lambda run: run.info.start_time)
        }

    def artifacts(self, folder=""):
        """All artefacts of the parent run, by path."""
        found = []
        for entry in self.client.list_artifacts(self.parent.info.run_id, folder):
            found += self.artifacts(entry.path) if entry.is_dir else [entry.path]
        return sorted(found)

    def fetch(self, path, folder):
        """The bytes of one artefact."""
        folder.mkdir(parents=True, exist_ok=True)
        local = self.client.download_artifacts(self.parent.info.run_id, path, str(folder))
        with open(local, "rb") as file:  # noqa: PTH123 - MLflow answers with a text
            return file.read()

    def model(self, role, folder):
        """The model that stands here as baseline or new, ready to predict."""
        (path,) = [path for path in self.artifacts(f"models/{role}") if path.endswith(".skops")]
        content = self.fetch(path, folder)
        return skops.io.loads(content, trusted=skops.io.get_untrusted_types(data=content))
