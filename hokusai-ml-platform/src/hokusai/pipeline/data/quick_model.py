"""A quick model of any table: good enough to judge labels by and to preview an effect, and nothing more.

Its cost has a bound whatever the columns hold: only so many columns, characters and words take part, words that hardly
any row shares (addresses, numbers of things, the columns that are different in every row) are no features, and a
linear model is not trained to the last digit.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from hokusai.domain.metrics import Task
from hokusai.pipeline.data.columns import cells_of, col, selected
from hokusai.pipeline.task import column_kinds
from hokusai.pipeline.training import DEFAULT_ESTIMATORS, ESTIMATOR_FAILURES, make_estimator, number_matrix
from hokusai.utils.extras import require

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

FAILURES = ESTIMATOR_FAILURES
"""What training raises on data that cannot be learnt from; the texts may quote values of the data."""

MOST_COLUMNS = 1_000
MOST_WORDS = 500
_MOST_TEXTS = 20
_CHARACTERS = 1_000
_LEAST_SHARE = 1_000
_FARTHEST = 10.0
_MOST_STEPS, _LEAST_STEPS = 30, 8
_CLASS_STEPS = 150
"""Steps times classes: what a step costs grows with the classes."""


def learnable(rows: pl.DataFrame, target: str) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The rows with the columns that a model can take, and their names: numbers, truth values, text, dates.

    Infinite numbers count as missing; durations, times of day and binary columns are left out.

    >>> import polars as pl
    >>> learnable(pl.DataFrame({"x": [1.0, float("inf")], "b": [b"1", b"2"], "y": [0, 1]}), "y")[1]
    ('x',)
    """
    import polars as pl

    taken = (pl.Boolean, pl.String, pl.Categorical, pl.Enum, pl.Date, pl.Datetime)
    types = {
        n: t for n, t in rows.schema.items() if n != target and (t.is_numeric() or t.base_type() in taken)
    }
    floats = [col(name) for name, dtype in types.items() if dtype.is_float()]
    finite = [pl.when(values.is_finite()).then(values) for values in floats]
    return selected(rows, (*types, target)).with_columns(finite), tuple(types)


def feature_matrix(rows: pl.DataFrame, features: Sequence[str]) -> Any:
    """Columns that `learnable` gave as numbers: what models are fitted to and predict from.

    No label takes part, so rows that are predicted later may be among them. Numbers, truth values and times are
    standardized, gaps become the mean, and nothing lies farther than 10 standard deviations from it. Categories are
    one-hot encoded. Text becomes TF-IDF of its 500 most frequent words, `(1 + ln((1 + n) / (1 + df)))` a word, each
    row of length one. The first 1,000 columns take part, of them the first 20 of free text, which share 1,000
    characters a row. A word counts if at least two rows and one row in a thousand have it.

    Returns:
        A sparse matrix of shape (n_rows, n_numbers), by rows, of float32.

    Raises:
        MissingExtraError: scikit-learn is not installed.
        ValueError: No column has anything to learn from.

    References:
        Manning, Raghavan and Schütze (2008), Introduction to Information Retrieval, section 6.2 (smoothed as in
        scikit-learn's `TfidfTransformer`).
    """
    import numpy as np

    sparse = require("scipy.sparse", "ml")
    kinds = column_kinds(rows, features[:MOST_COLUMNS])
    parts = []
    if kinds.numeric_like:
        parts.append(sparse.csr_matrix(_standardized(number_matrix(rows, kinds))))
    parts += [_one_hot(cells_of(rows, name)) for name in kinds.categorical]
    texts = kinds.text[:_MOST_TEXTS]
    parts += [_tf_idf(cells_of(rows, name), _CHARACTERS // len(texts)) for name in texts]
    if not any(part.shape[1] for part in parts):
        raise ValueError("There is no column to learn from")
    return sparse.hstack(parts, format="csr", dtype=np.float32)


def quick_fit(matrix: Any, labels: Any, task: Task) -> Any:
    """The default estimator of a task, fitted in few steps; always the same for the same rows.

    Args:
        matrix: Rows of what `feature_matrix` gave, (n_rows, n_numbers).
        labels: (n_rows,), as `training.target_values` gives them.
        task: Classification or regression.

    Raises:
        MissingExtraError: scikit-learn is not installed.
        ValueError: The data cannot be learnt from, or another of `FAILURES`.
    """
    import numpy as np

    path, params = DEFAULT_ESTIMATORS[task]
    if task is Task.CLASSIFICATION:
        steps = max(_LEAST_STEPS, min(_MOST_STEPS, _CLASS_STEPS // len(np.unique(labels))))
        params = {**params, "max_iter": steps, "tol": 1e-3}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", require("sklearn.exceptions", "ml").ConvergenceWarning)
        return make_estimator(path, params, 0).fit(matrix, labels)


def _standardized(numbers: NDArray[np.float64]) -> NDArray[np.float32]:
    import numpy as np

    with np.errstate(over="ignore", invalid="ignore"):  # the squares of great numbers, which then say nothing
        means, deviations = np.nanmean(numbers, axis=0), np.nanstd(numbers, axis=0)
        scaled = (numbers - means) / np.where(deviations > 0, deviations, 1.0)
    clipped: NDArray[np.float32] = np.clip(np.nan_to_num(scaled), -_FARTHEST, _FARTHEST).astype(np.float32)
    return clipped


def _one_hot(values: pl.Series) -> Any:
    """(n_rows, n_categories); a missing value is a category of its own nowhere, and all zero."""
    import numpy as np
    import polars as pl

    words = pl.DataFrame({"row": np.arange(len(values)), "word": values.cast(pl.String)}).drop_nulls()
    known = words["word"].unique().sort()
    return _sparse(words, known, np.ones(len(known)), len(values))


def _tf_idf(texts: pl.Series, characters: int) -> Any:
    import numpy as np
    import polars as pl

    words = (
        pl.DataFrame({"row": np.arange(len(texts)), "text": texts.cast(pl.String)})
        .select("row", word=pl.col("text").str.head(characters).str.to_lowercase().str.extract_all(r"\w+"))
        .explode("word", empty_as_null=True, keep_nulls=True)
        .drop_nulls()
    )
    shared = (
        words.unique()
        .group_by("word")
        .len("df")
        .filter(pl.col("df") >= max(2, len(texts) // _LEAST_SHARE))
        .sort("df", "word", descending=[True, False])
        .head(MOST_WORDS)
    )
    weights = 1 + np.log((1 + len(texts)) / (1 + shared["df"].to_numpy()))
    counted = _sparse(words, shared["word"], weights, len(texts))
    return require("sklearn.preprocessing", "ml").normalize(counted) if len(shared) else counted


def _sparse(words: pl.DataFrame, known: pl.Series, weights: NDArray[np.float64], n_rows: int) -> Any:
    """How often each row has each known word, times the word's weight: (n_rows, n_known)."""
    import numpy as np
    import polars as pl

    places = pl.DataFrame({"word": known, "place": np.arange(len(known))})
    found = words.join(places, on="word")
    rows, at = found["row"].to_numpy(), found["place"].to_numpy()
    return require("scipy.sparse", "ml").csr_matrix((weights[at], (rows, at)), shape=(n_rows, len(known)))
