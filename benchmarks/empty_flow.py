"""Eleven steps that do nothing, on Metaflow as it comes: the floor for the pipeline's dry run.

One of them is spread over tasks, of which there is one, as in a run with a single contributor.
"""

from typing import Any

from metaflow import FlowSpec, step


class EmptyFlow(FlowSpec):
    """The steps of the pipeline, by name, without what they do."""

    @step
    def start(self) -> None:
        """Nothing."""
        self.next(self.load_baseline_model)

    @step
    def load_baseline_model(self) -> None:
        """Nothing."""
        self.next(self.integrate_contributed_data)

    @step
    def integrate_contributed_data(self) -> None:
        """Nothing."""
        self.next(self.train_new_model)

    @step
    def train_new_model(self) -> None:
        """Nothing."""
        self.next(self.evaluate_on_benchmark)

    @step
    def evaluate_on_benchmark(self) -> None:
        """Nothing."""
        self.tasks = [0]
        self.next(self.retrain_coalitions, foreach="tasks")

    @step
    def retrain_coalitions(self) -> None:
        """Nothing."""
        self.next(self.gather_coalitions)

    @step
    def gather_coalitions(self, inputs: Any) -> None:  # noqa: ARG002 - what makes it a join
        """Nothing."""
        self.next(self.compare_and_output_delta)

    @step
    def compare_and_output_delta(self) -> None:
        """Nothing."""
        self.next(self.generate_attestation_output)

    @step
    def generate_attestation_output(self) -> None:
        """Nothing."""
        self.next(self.monitor_and_log)

    @step
    def monitor_and_log(self) -> None:
        """Nothing."""
        self.next(self.end)

    @step
    def end(self) -> None:
        """Nothing."""


if __name__ == "__main__":
    EmptyFlow()
