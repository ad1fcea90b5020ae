"""The parameters of a pipeline run: one table that the flow, the command line and settings files share.

Standard library only: the flow module is imported by every process of a run.
"""

from __future__ import annotations

from dataclasses import dataclass

from hokusai.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class PipelineParameter:
    """One parameter, as it is spelled on a command line.

    Attributes:
        name: With dashes.
        help: One line.
        metavar: What a value looks like.
        is_flag: Given or not, without a value.
        is_json: The value is a JSON object.
    """

    name: str
    help: str
    metavar: str = "TEXT"
    is_flag: bool = False
    is_json: bool = False

    @property
    def key(self) -> str:
        """The name in Python and in settings files."""
        return self.name.replace("-", "_")


PARAMETERS: tuple[PipelineParameter, ...] = (
    PipelineParameter(
        "contributed-data", "contributed files: one, several joined by commas, or a glob", "FILES"
    ),
    PipelineParameter("base-data", "what the baseline was, or will be, trained on; same forms", "FILES"),
    PipelineParameter(
        "benchmark-data", "what both models are measured on (default: a hold-out of the base data)", "FILES"
    ),
    PipelineParameter(
        "baseline-model",
        "name/semver, an MLflow URI or a model file (default: trained on the base data)",
        "MODEL",
    ),
    PipelineParameter("target-column", "the column to predict (default: label)", "NAME"),
    PipelineParameter(
        "feature-columns", "columns to predict from, joined by commas (default: all others)", "NAMES"
    ),
    PipelineParameter("id-column", "a column that identifies a row and is never a feature", "NAME"),
    PipelineParameter(
        "unit-column",
        "the benchmark's column by which rows belong together, such as a user: errors are between its units",
        "NAME",
    ),
    PipelineParameter("task", "classification or regression (default: from the target)", "TASK"),
    PipelineParameter(
        "pii",
        "what becomes of personal data before training: hash, mask, drop or report (default: hash)",
        "ACTION",
    ),
    PipelineParameter("estimator", "import path of a scikit-learn estimator", "PATH"),
    PipelineParameter("estimator-params", "its constructor's arguments", "JSON", is_json=True),
    PipelineParameter("primary-metric", "the one metric recorded in basis points", "METRIC"),
    PipelineParameter(
        "metric-weights", "weights of the metrics in DeltaOne (default: equal)", "JSON", is_json=True
    ),
    PipelineParameter(
        "contributor", "who gave the files: one name, or one for each file, joined by commas", "NAMES"
    ),
    PipelineParameter(
        "wallet", "where credit goes: one address, or one for each file, joined by commas", "ADDRESSES"
    ),
    PipelineParameter(
        "attribution",
        "how a gain is shared out: shapley, leave-one-out or proportional (default: shapley)",
        "METHOD",
    ),
    PipelineParameter(
        "attribution-seeds",
        "how often each model is trained for it (default: 3; 1 for one contributor)",
        "INT",
    ),
    PipelineParameter(
        "attribution-orders", "orders that are sampled beyond 10 contributors (default: 50)", "INT"
    ),
    PipelineParameter(
        "retraining-tasks", "into how many tasks its models are spread (default: the number of cores)", "INT"
    ),
    PipelineParameter(
        "benchmark", "the agreed benchmark, by name or digest: its metric, weights and rule are taken", "NAME"
    ),
    PipelineParameter(
        "benchmark-statement", "its owner's signed commitment to it, which the attestation then names", "FILE"
    ),
    PipelineParameter(
        "max-submissions", "how often a contributor may submit to it (default: as often as he likes)", "INT"
    ),
    PipelineParameter("min-rows", "benchmark rows that an accepted improvement needs (default: 800)", "INT"),
    PipelineParameter(
        "threshold", "least gain of the primary metric, in percentage points (default: 1)", "POINTS"
    ),
    PipelineParameter(
        "guardrails",
        "what must not get worse, and by how much it may: recall=0.01,f1[region=EU]=0.02",
        "METRIC=MARGIN",
    ),
    PipelineParameter(
        "seed", "the seed that every random choice derives from (default: RANDOM_SEED, or 42)", "INT"
    ),
    PipelineParameter("output-dir", "where the results are written (default: ./outputs)", "DIR"),
    PipelineParameter("settings", "a YAML file with any of these parameters", "FILE"),
    PipelineParameter(
        "dry-run", "mock models and base data; the contributed files are really read", is_flag=True
    ),
)


def parameter_key(name: str, *, where: str = "") -> str:
    """The key of the parameter called `name`, which may be spelled with dashes.

    Raises:
        ConfigurationError: There is none; the text suggests the nearest.

    >>> parameter_key("base-data")
    'base_data'
    """
    key, known = name.replace("-", "_"), [parameter.key for parameter in PARAMETERS]
    if key in known:
        return key
    import difflib

    near = difflib.get_close_matches(key, known, n=1)
    raise ConfigurationError(
        f"{name!r} is not a parameter",
        where=where,
        hint=f"Did you mean {near[0]!r}?" if near else f"Parameters: {', '.join(known)}.",
    )
