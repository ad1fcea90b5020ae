"""The main job as a Metaflow flow: contributed data in, DeltaOne and an attestation out.

    start                        decide and check everything that can be decided and checked
    load_baseline_model          load the baseline model, or train it on the base data
    integrate_contributed_data   which contributed rows are used, and what became of the others
    train_new_model              the same kind of model, on base and contributed data
    evaluate_on_benchmark        both models on the same rows
    retrain_coalitions           models without some of the contributors, in tasks side by side
    gather_coalitions            who is credited with how much of the gain
    compare_and_output_delta     every metric's change with its uncertainty, DeltaOne, and whether it counts
    generate_attestation_output  the signed statement of it
    monitor_and_log              write the outputs, deliver the journal to MLflow
    end

The steps only call `hokusai.pipeline`; between them travel digests and results, never rows (docs/adr/0001). This
module is imported by every process of a run, so it imports nothing heavy. From the repository root:

    python -m src.pipeline.hokusai_pipeline run --dry-run --contributed-data=FILE
"""

import os
import sys

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120
if __name__ == "__main__" and not __package__ and os.path.isdir(os.path.join(_ROOT, "src", "pipeline")):  # noqa: PTH112, PTH118
    sys.path[0] = (
        _ROOT  # started as a file: `src` is found from the root, and nothing beside this file shadows it
    )
# Metaflow refuses to run without a user name, and as root, which is what containers have.
_user = os.environ.get("USER")
os.environ.setdefault("METAFLOW_USER", _user if _user and _user != "root" else "hokusai")

import datetime as dt
from typing import Any

from metaflow import FlowSpec, Parameter, current, package_sources, step

from hokusai.pipeline.parameters import PARAMETERS
from src.pipeline.stages import pipeline_defaults, report

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(sys.modules["hokusai.pipeline"].__file__ or "")))  # noqa: PTH100, PTH120


def _flow_parameters() -> dict[str, Parameter]:
    """The table in `hokusai.pipeline.parameters` as Metaflow knows parameters.

    Every one has a default, because Airflow wants that; an empty text means that it was not given.
    """
    return {
        p.key: Parameter(p.name, help=p.help, type=bool, is_flag=True, default=False)
        if p.is_flag
        else Parameter(p.name, help=p.help, type=str, default="")
        for p in PARAMETERS
    }


@package_sources(  # what remote steps need: code, the report's template, the schema of MLflow's database
    [(os.path.join(_ROOT, "src"), "src"), (_PACKAGE, "hokusai")],  # noqa: PTH118
    suffixes=[".py", ".jinja", ".sql", ".mako"],
)
@pipeline_defaults()
class HokusaiPipeline(FlowSpec):
    """How much better does contributed data make a model?"""

    vars().update(_flow_parameters())

    @step
    def start(self) -> None:
        """Decide and check everything that can be decided and checked before the first long step."""
        from hokusai import wiring
        from hokusai.pipeline import acceptance, preparation, reference

        settings = wiring.start_up()
        given = {parameter.key: getattr(self, parameter.key) for parameter in PARAMETERS}
        self.run_id = str(current.origin_run_id or current.run_id)
        self.started_at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        self.plan = preparation.prepare(
            given, settings, wiring.run_store(settings), lambda: wiring.ledger(settings)
        )
        wiring.signing_key(settings)  # if it cannot be used, that is better known now than after the training
        self.facts = reference.survey(self.plan)
        acceptance.require_committed(self.plan, self.facts)
        self.next(self.load_baseline_model)

    @step
    def load_baseline_model(self) -> None:
        """Load the baseline model, or train it on the base data."""
        from hokusai import wiring
        from hokusai.pipeline import baseline, reference

        settings = wiring.start_up()
        known = reference.load(self.plan, self.facts)
        self.baseline = baseline.load(self.plan, known, wiring.model_files(settings))
        self.next(self.integrate_contributed_data)

    @step
    def integrate_contributed_data(self) -> None:
        """Decide which contributed rows are used, and say what became of the others."""
        from hokusai import wiring
        from hokusai.pipeline import contribution

        wiring.start_up()
        self.contributed = contribution.integrate(self.plan, self.facts)
        self.next(self.train_new_model)

    @step
    def train_new_model(self) -> None:
        """Train the same kind of model on base and contributed data."""
        from hokusai import wiring
        from hokusai.pipeline import retraining

        wiring.start_up()
        self.new_model = retraining.retrain(self.plan, self.facts, self.contributed, self.baseline)
        self.next(self.evaluate_on_benchmark)

    @step
    def evaluate_on_benchmark(self) -> None:
        """Ask both models about the same benchmark rows, which is counted first."""
        from hokusai import wiring
        from hokusai.core.benchmarks import Benchmarks
        from hokusai.pipeline import acceptance, crediting, evaluation

        settings = wiring.start_up()
        self.submissions = ()
        if self.plan.benchmark is not None:
            agreed = Benchmarks(wiring.ledger(settings), wiring.actor(settings))
            self.submissions = acceptance.count_submissions(self.plan, self.new_model, agreed)
        self.evaluation = evaluation.run(self.plan, self.facts, self.baseline, self.new_model)
        self.comparison = evaluation.compare(
            self.evaluation, self.plan.metric_weights, self.plan.primary_metric
        )
        self.shares = crediting.settle(self.plan, self.facts, self.contributed, self.comparison)
        self.retrainings = crediting.tasks(self.shares, self.plan.retraining_tasks)
        self.next(self.retrain_coalitions, foreach="retrainings")

    @step
    def retrain_coalitions(self) -> None:
        """Train and measure models without some of the contributors; one task of several, side by side."""
        from hokusai import wiring
        from hokusai.pipeline import crediting

        wiring.start_up()
        self.gains = crediting.measure(
            self.plan,
            self.facts,
            self.contributed,
            self.baseline,
            self.evaluation,
            self.shares,
            self.input,
            lambda done, total: report({"event": "retrained", "task": self.index, "done": done, "of": total}),
        )
        self.next(self.gather_coalitions)

    @step
    def gather_coalitions(self, inputs: Any) -> None:
        """Work out who is credited with how much of the gain."""
        from hokusai.pipeline import crediting

        self.merge_artifacts(inputs, exclude=["gains"])
        self.credited = crediting.attribute(
            self.shares, [branch.gains for branch in inputs], self.evaluation, dry_run=self.plan.dry_run
        )
        self.next(self.compare_and_output_delta)

    @step
    def compare_and_output_delta(self) -> None:
        """Put together every metric's change with its uncertainty, DeltaOne, and whether it counts."""
        from hokusai.pipeline import acceptance, delta_output

        self.decision = acceptance.decided(
            self.plan, self.facts, self.evaluation, self.comparison, self.baseline, self.new_model
        )
        self.delta_output = delta_output.delta_output(
            comparison=self.comparison,
            baseline=self.baseline,
            new=self.new_model,
            contributions=self.contributed.contributions,
            attribution=self.credited,
            decision=self.decision,
            data_manifest=self.contributed.manifest,
            benchmark=self.facts.benchmark_dict(),
            run_id=self.run_id,
            timestamp=self.started_at,
            config=self.plan.to_dict(),
            dry_run=self.plan.dry_run,
        )
        self.next(self.generate_attestation_output)

    @step
    def generate_attestation_output(self) -> None:
        """Sign the statement of what was found."""
        from hokusai import wiring
        from hokusai.pipeline import attestation

        settings = wiring.start_up()
        self.attestation = attestation.attest(
            self.plan,
            self.facts,
            self.contributed,
            self.baseline,
            self.new_model,
            self.comparison,
            self.evaluation,
            self.credited,
            self.decision,
            wiring.signing_key(settings),
        )
        self.next(self.monitor_and_log)

    @step
    def monitor_and_log(self) -> None:
        """Write the output files and deliver the run's journal to MLflow."""
        from hokusai import wiring
        from hokusai.pipeline import finish

        settings = wiring.start_up()
        self.summary = finish.finish(
            finish.FinishedRun.of(self),
            settings.home,
            wiring.run_store(settings),
            settings.mlflow_uri,
            lambda: wiring.ledger(settings),
            wiring.actor(settings),
        )
        self.next(self.end)

    @step
    def end(self) -> None:
        """Say what was found, what a reader has to know, and where everything is."""
        from hokusai.utils.text import printable

        report(self.summary)
        low, high = self.summary["interval"]
        if self.summary["dry_run"]:
            print("Dry run: mock models and base data; no evidence of an improvement.")
        print(f"DeltaOne {100 * self.summary['delta_one']:+.2f} pp ({100 * low:+.2f} to {100 * high:+.2f}).")
        print(self.summary["verdict"])
        for note in self.summary["notes"]:
            print(f"  note: {printable(note)}")
        for name, place in self.summary["places"].items():
            print(f"  {name}: {printable(place)}")


# What every step of a run imports sooner or later, and what single steps need besides: loaded once, by the engine.
_LIGHT = (
    "polars",
    "numpy.random",
    "structlog",
    "hokusai.wiring",
    "hokusai.utils.config",
    "hokusai.pipeline.preparation",
    "hokusai.pipeline.contribution",
    "hokusai.pipeline.retraining",
    "hokusai.pipeline.evaluation",
    "hokusai.pipeline.crediting",
    "hokusai.pipeline.acceptance",
    "hokusai.pipeline.delta_output",
    "hokusai.pipeline.attestation",
    "hokusai.stats.paired",
)
_TRACKING = (
    "hokusai.pipeline.finish",
    "hokusai.adapters.mlflow_runs",
    "jinja2",
    "mlflow",
    "mlflow.store.tracking.sqlalchemy_store",
)
_LEARNING = (
    "sklearn.linear_model",
    "sklearn.compose",
    "sklearn.feature_extraction.text",
    "skops.io",
    "pandas",
)

_LEARNING_STEPS = (
    "load_baseline_model",
    "train_new_model",
    "evaluate_on_benchmark",
    "retrain_coalitions",
)


def main() -> None:
    """Run the flow as the command line says."""
    from src.pipeline.local_engine import run_flow

    heavy = {"monitor_and_log": _TRACKING}
    if "--dry-run" not in sys.argv and "HOKUSAI_TEST_MODE" not in os.environ:
        heavy |= dict.fromkeys(_LEARNING_STEPS, _LEARNING)
    run_flow(HokusaiPipeline, preload=_LIGHT, step_preload=heavy)


if __name__ == "__main__":
    main()
