"""Training a scikit-learn estimator on a frame of any columns, the same way every time.

The estimator is the caller's choice; around it stands the least preparation that makes any table usable:
numbers scaled, gaps filled, categories one-hot encoded, free text as TF-IDF. All of it is part of the stored
model, which therefore predicts from raw columns.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hokusai.core.models.skops_file import dump_model
from hokusai.domain.metrics import Task
from hokusai.errors import ConfigurationError, SchemaError
from hokusai.pipeline.task import ColumnKinds
from hokusai.utils.extras import require

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import polars as pl
    from numpy.typing import NDArray

DEFAULT_ESTIMATORS: Mapping[Task, tuple[str, Mapping[str, Any]]] = {
    Task.CLASSIFICATION: ("sklearn.linear_model.LogisticRegression", {"max_iter": 1000}),
    Task.REGRESSION: ("sklearn.linear_model.Ridge", {}),
}
_TEXT_VOCABULARY = 20_000
_BLOCK_ROWS = 50_000
_WORD = r"(?u)\b\w+\b"  # words of one letter too: a text may have no others

ESTIMATOR_FAILURES = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    NotImplementedError,
)
"""What estimators raise on data that they cannot take."""


_SOLVERS_BY_CHANCE = {
    "sklearn.linear_model._logistic.LogisticRegression": ("sag", "saga", "liblinear"),
    "sklearn.linear_model._ridge.Ridge": ("sag", "saga"),
    "sklearn.linear_model._ridge.RidgeClassifier": ("sag", "saga"),
}
"""Estimators whose documentation says that only these solvers look at `random_state`."""


def estimator_class(path: str, task: Task | None = None) -> type[Any]:
    """The estimator class at the import path `path`.

    Raises:
        ConfigurationError: There is no such class, or it is not a scikit-learn estimator for `task`.
    """
    base = require("sklearn.base", "ml")
    module_name, _, name = path.rpartition(".")
    try:
        found = getattr(importlib.import_module(module_name), name)
    except (ImportError, AttributeError, ValueError, TypeError) as problem:
        raise ConfigurationError(
            f"There is no estimator at {path!r}: {problem}",
            where="--estimator",
            hint="Give a full import path, such as sklearn.ensemble.RandomForestClassifier.",
        ) from problem
    if not (isinstance(found, type) and issubclass(found, base.BaseEstimator)):
        raise ConfigurationError(
            f"{path!r} is not a scikit-learn estimator class",
            where="--estimator",
            hint="It has to derive from sklearn.base.BaseEstimator.",
        )
    wanted = {Task.CLASSIFICATION: base.ClassifierMixin, Task.REGRESSION: base.RegressorMixin}
    if task is not None and not issubclass(found, wanted[task]):
        raise ConfigurationError(
            f"{path!r} does not do {task}",
            where="--estimator",
            hint=f"The target makes this a {task} task; give --task if that is wrong.",
        )
    return found


def make_estimator(path: str, params: Mapping[str, Any], seed: int, task: Task | None = None) -> Any:
    """An unfitted estimator with `params`, seeded where it takes a `random_state`.

    Raises:
        ConfigurationError: No such estimator, or a parameter that it does not have.
    """
    found = estimator_class(path, task)
    accepted = inspect.signature(found).parameters
    unknown = [name for name in params if name not in accepted]
    if unknown:
        raise ConfigurationError(
            f"{path} has no parameter {', '.join(map(repr, unknown))}",
            where="--estimator-params",
            hint=f"It has: {', '.join(accepted)}.",
        )
    try:
        estimator = found(**params)
        estimator._validate_params()  # scikit-learn would say the same, but only when it is fitted
    except (TypeError, ValueError) as problem:
        raise ConfigurationError(
            f"{path} cannot be made: {reason(problem)}",
            where="--estimator-params",
            hint="See the estimator's documentation for what each parameter may be.",
        ) from problem
    return seeded(estimator, seed)


def seeded(estimator: Any, seed: int) -> Any:
    """`estimator`, its own and its parts' `random_state` set where nobody set one: chance has to be repeatable."""
    return estimator.set_params(**dict.fromkeys(_open_states(estimator), seed % 2**32))


def depends_on_chance(estimator: Any) -> bool:
    """Whether another seed can make `seeded(estimator, seed)` another model.

    >>> from sklearn.linear_model import LogisticRegression
    >>> depends_on_chance(LogisticRegression()), depends_on_chance(LogisticRegression(solver="saga"))
    (False, True)
    """
    parts = estimator.get_params()
    for name in _open_states(estimator):
        owner = name.removesuffix("random_state").removesuffix("__")
        part = parts[owner] if owner else estimator
        solvers = _SOLVERS_BY_CHANCE.get(f"{type(part).__module__}.{type(part).__name__}")
        if solvers is None or part.solver in solvers:
            return True
    return False


def _open_states(estimator: Any) -> list[str]:
    """The parameters called `random_state`, its own and its parts', that nobody set."""
    return [
        name
        for name, value in estimator.get_params().items()
        if value is None and (name == "random_state" or name.endswith("__random_state"))
    ]


def stated_params(estimator: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that make `estimator` again: those that were given, and the seed that it got."""
    seed = estimator.get_params(deep=False).get("random_state")
    return dict(given) if seed is None or "random_state" in given else {**given, "random_state": seed}


def fit(estimator: Any, frame: pl.DataFrame, target: str, kinds: ColumnKinds, *, has_gaps: bool) -> Any:
    """`estimator` behind the preparation that its columns need, fitted to `frame`.

    Args:
        estimator: An unfitted scikit-learn estimator or pipeline.
        frame: (n_rows, any) with the feature columns of `kinds` and `target`; n_rows is at least 1.
        target: Name of the column to predict.
        kinds: The feature columns by what they hold.
        has_gaps: Whether numbers may be missing in what will be predicted from, if not in `frame`.

    Raises:
        SchemaError: The estimator refuses the data; its reason is in the text.
    """
    labels = target_values(frame[target])
    has_gaps = has_gaps or any(frame[name].null_count() for name in kinds.numeric_like)
    if kinds.categorical or kinds.text or has_gaps:
        table = feature_table(frame, kinds)
        del frame
        return _fitted(_with_preparation(estimator, kinds, has_gaps), table, labels)
    matrix = number_matrix(frame, kinds)
    del frame
    return _fitted_to_numbers(estimator, matrix, kinds.numeric_like, labels)


def refit(model: Any, frame: pl.DataFrame, target: str, kinds: ColumnKinds, seed: int) -> Any:
    """A fresh copy of a fitted `model`, with its settings and from the same columns, fitted to `frame`.

    Nothing is put in front of it: what it was before, it is again, so that the data makes the difference.
    """
    clone = seeded(require("sklearn.base", "ml").clone(model), seed)
    labels = target_values(frame[target])
    return _fitted(clone, input_of(model, frame, kinds, "The baseline's kind of model"), labels)


def input_of(model: Any, frame: pl.DataFrame, kinds: ColumnKinds, name: str) -> Any:
    """The columns of `frame` that a fitted `model` was fitted to, in its order and form.

    Raises:
        SchemaError: A column that it knows by name is missing; `name` says whose.
    """
    table = feature_table(frame, kinds)
    expected = getattr(model, "feature_names_in_", None)
    if expected is not None:
        missing = [column for column in expected if column not in table.columns]
        if missing:
            raise SchemaError(
                f"{name} needs columns that are not among the features: {', '.join(missing)}",
                hint="Give data with these columns, or name the features with --feature-columns.",
            )
        return table[list(expected)]
    first = model.steps[0][1] if hasattr(model, "steps") else model
    takes_rows = require("sklearn.utils", "ml").get_tags(first).input_tags.two_d_array
    return table.to_numpy() if takes_rows or table.shape[1] != 1 else table.iloc[:, 0]


def reason(problem: Exception) -> str:
    """Why an estimator failed, in its own first line."""
    lines = str(problem).strip().splitlines()
    return lines[0] if lines else type(problem).__name__


def model_bytes(model: Any) -> bytes:
    """The fitted model as bytes that follow from its content alone."""
    return dump_model(model)


def target_values(column: pl.Series) -> Any:
    """A target column as the array that scikit-learn takes; text stays text."""
    import numpy as np
    import polars as pl

    if column.dtype in (pl.String, pl.Categorical, pl.Enum):
        return np.asarray(column.cast(pl.String).to_list(), dtype=object)
    return column.to_numpy()


def feature_table(frame: pl.DataFrame, kinds: ColumnKinds) -> pd.DataFrame:
    """The feature columns as a table that scikit-learn takes, raw but for types.

    Numbers, truth values and times become float64 (times in seconds since the epoch or midnight, durations in
    seconds); gaps are NaN there, None in categories, and empty text in free text.
    """
    import pandas as pd
    import polars as pl

    if kinds.numeric_like:
        table = pd.DataFrame(number_matrix(frame, kinds), columns=list(kinds.numeric_like), copy=False)
    else:
        table = pd.DataFrame(index=range(frame.height))
    for name in kinds.categorical:
        table[name] = pd.Series(frame[name].cast(pl.String).to_list(), dtype=object)
    for name in kinds.text:
        table[name] = pd.Series(frame[name].alias("").cast(pl.String).fill_null("").to_list(), dtype=object)
    return table


def number_matrix(frame: pl.DataFrame, kinds: ColumnKinds) -> NDArray[np.float64]:
    """The columns of `kinds.numeric_like` as one array of shape (n_rows, n_columns), row by row in memory."""
    import polars as pl

    numbers = [frame[name].cast(pl.Float64) for name in (*kinds.numeric, *kinds.boolean)]
    times = [_seconds(frame[name].alias("")).alias(name) for name in kinds.datetime]
    return pl.DataFrame([*numbers, *times]).to_numpy(order="c", writable=True)


def _seconds(times: pl.Series) -> pl.Series:
    """Seconds since the epoch, since midnight for times of day, or in all for durations."""
    import polars as pl

    if times.dtype == pl.Time:
        return times.cast(pl.Int64).cast(pl.Float64) / 1e9
    if times.dtype == pl.Duration:
        return times.dt.total_nanoseconds().cast(pl.Float64) / 1e9
    return times.dt.epoch("us").cast(pl.Float64) / 1e6


def _fitted_to_numbers(estimator: Any, matrix: NDArray[np.float64], names: Sequence[str], labels: Any) -> Any:
    """The pipeline of scaler and estimator, fitted to a matrix that is scaled in place, a block at a time.

    It is what `_with_preparation` gives for such columns, without the two further copies of all data that fitting
    and applying a scaler to the whole would make.
    """
    import numpy as np

    scaler = require("sklearn.preprocessing", "ml").StandardScaler()
    blocks = [matrix[start : start + _BLOCK_ROWS] for start in range(0, len(matrix), _BLOCK_ROWS)]
    try:
        for block in blocks:
            scaler.partial_fit(block)
        for block in blocks:
            block[:] = scaler.transform(block)
    except ESTIMATOR_FAILURES as problem:
        raise _cannot_be_trained(problem) from problem
    fitted = _fitted(estimator, matrix, labels)
    scaler.feature_names_in_ = np.asarray(names, dtype=object)
    return require("sklearn.pipeline", "ml").make_pipeline(scaler, fitted)


def _fitted(model: Any, table: Any, labels: Any) -> Any:
    try:
        return model.fit(table, labels)
    except ESTIMATOR_FAILURES as problem:
        raise _cannot_be_trained(problem) from problem


def _cannot_be_trained(problem: Exception) -> SchemaError:
    return SchemaError(
        f"The model cannot be trained on this data: {reason(problem)}",
        hint="Choose the columns with --feature-columns, or another --estimator or --estimator-params.",
    )


def _with_preparation(estimator: Any, kinds: ColumnKinds, has_gaps: bool) -> Any:
    pipeline = require("sklearn.pipeline", "ml")
    preprocessing = require("sklearn.preprocessing", "ml")

    def numeric() -> list[Any]:
        scale = preprocessing.StandardScaler()
        if not has_gaps:
            return [scale]
        impute = require("sklearn.impute", "ml").SimpleImputer(strategy="median", keep_empty_features=True)
        return [impute, scale]

    if not kinds.categorical and not kinds.text:
        return pipeline.make_pipeline(*numeric(), estimator)
    compose = require("sklearn.compose", "ml")
    parts: list[tuple[str, Any, Any]] = []
    if kinds.numeric_like:
        parts.append(("numbers", pipeline.make_pipeline(*numeric()), list(kinds.numeric_like)))
    if kinds.categorical:
        encoder = preprocessing.OneHotEncoder(handle_unknown="ignore")
        parts.append(("categories", encoder, list(kinds.categorical)))
    if kinds.text:
        text = require("sklearn.feature_extraction.text", "ml")
        for number, name in enumerate(
            kinds.text
        ):  # not all that a column may be called is a name to scikit-learn
            words = text.TfidfVectorizer(max_features=_TEXT_VOCABULARY, token_pattern=_WORD)
            parts.append((f"text_{number}", words, name))
    takes_sparse = require("sklearn.utils", "ml").get_tags(estimator).input_tags.sparse
    columns = compose.ColumnTransformer(parts, sparse_threshold=0.3 if takes_sparse else 0.0)
    return pipeline.make_pipeline(columns, estimator)
