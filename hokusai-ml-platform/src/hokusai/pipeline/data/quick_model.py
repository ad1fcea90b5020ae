"""A quick model of any table: good enough to judge labels by and to preview an effect, and nothing more."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hokusai.domain.metrics import Task
from hokusai.pipeline.task import ColumnKinds, column_kinds
from hokusai.pipeline.training import (
    DEFAULT_ESTIMATORS,
    ESTIMATOR_FAILURES,
    fit,
    input_of,
    make_estimator,
)
from hokusai.utils.extras import require

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

FAILURES = ESTIMATOR_FAILURES
"""What training raises on data that cannot be learnt from; the texts may quote values of the data."""


@dataclass(frozen=True, slots=True)
class QuickModel:
    """A fitted model and the columns that it predicts from."""

    model: Any
    kinds: ColumnKinds

    @classmethod
    def fitted(cls, rows: pl.DataFrame, features: Sequence[str], target: str, task: Task) -> QuickModel:
        """The default estimator of a task, fitted to rows that `learnable` gave; always the same for the same rows.

        Raises:
            MissingExtraError: scikit-learn is not installed.
            SchemaError: The data cannot be learnt from; one of `FAILURES`.
        """
        kinds = column_kinds(rows, features)
        path, params = DEFAULT_ESTIMATORS[task]
        if "max_iter" in params:
            params = {**params, "max_iter": 200}
        with warnings.catch_warnings():
            # A quick model is enough, and a category that the test rows alone have counts as none.
            warnings.simplefilter("ignore", require("sklearn.exceptions", "ml").ConvergenceWarning)
            model = fit(make_estimator(path, params, 0), rows, target, kinds, has_gaps=True)
        return cls(model, kinds)

    def predict(self, rows: pl.DataFrame) -> list[Any]:
        """One prediction a row."""
        predicted: list[Any] = self.model.predict(self._input(rows)).tolist()
        return predicted

    def probabilities(self, rows: pl.DataFrame) -> Any:
        """(n_rows, n_classes of `model.classes_`), of a classifier."""
        return self.model.predict_proba(self._input(rows))

    def _input(self, rows: pl.DataFrame) -> Any:
        return input_of(self.model, rows, self.kinds, "The quick model")


def learnable(rows: pl.DataFrame, target: str) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The rows with the columns that a model can take, and their names: numbers, truth values, text, dates.

    Infinite numbers count as missing; durations, times of day and binary columns are left out.

    >>> import polars as pl
    >>> learnable(pl.DataFrame({"x": [1.0, float("inf")], "b": [b"1", b"2"], "y": [0, 1]}), "y")[1]
    ('x',)
    """
    import polars as pl

    taken = (pl.Boolean, pl.String, pl.Categorical, pl.Enum, pl.Date, pl.Datetime)
    names = [n for n, t in rows.schema.items() if n != target and (t.is_numeric() or t.base_type() in taken)]
    floats = [name for name in names if rows.schema[name].is_float()]
    finite = [pl.when(pl.col(name).is_finite()).then(pl.col(name)).alias(name) for name in floats]
    return rows.select(*names, target).with_columns(finite), tuple(names)
