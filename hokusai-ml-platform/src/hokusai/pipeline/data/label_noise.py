"""How many labels are probably wrong, by confident learning.

A model that never saw a row says how probable each class is for it. Where it is more sure of another class than it
usually is of rows that carry that class, the label is doubtful. This finds what a person should look at; it proves
nothing about a single row, and with a model that learnt nothing it would be noise itself, so it then refuses to answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hokusai.domain.metrics import Task
from hokusai.pipeline.data.quick_model import FAILURES, feature_matrix, learnable, quick_fit

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

FOLDS = 5
LEAST_OF_A_CLASS = 10
MOST_CLASSES = 100
_LEAST_SKILL = 1 / 3


@dataclass(frozen=True, slots=True)
class LabelNoise:
    """Labels that are probably wrong.

    Attributes:
        doubtful: Whether each row's label is doubted, shape (n_rows,).
        suggested: The class that the model finds instead, as an index into `classes`; the given one where not doubted.
        classes: The classes, ascending.
        skill: (balanced accuracy - chance) / (1 - chance) of the model on rows that it did not see.
    """

    doubtful: NDArray[np.bool_]
    suggested: NDArray[np.int64]
    classes: tuple[Any, ...]
    skill: float

    @property
    def share(self) -> float:
        """Doubtful rows over all rows."""
        return float(self.doubtful.mean())


@dataclass(frozen=True, slots=True)
class NotJudged:
    """Why labels could not be judged."""

    reason: str


def find_label_noise(rows: pl.DataFrame, target: str) -> LabelNoise | NotJudged:
    """Judge the labels of a classification task.

    Args:
        rows: (n_rows, n_features + 1), every row with a label; in an order that depends on the rows alone, such as
            `RowSample.frame` gives, so that the folds do too. Classes with fewer than 10 rows are never doubted.
        target: The label's column.

    Returns:
        What was found, or why nothing can be said.

    Raises:
        MissingExtraError: scikit-learn is not installed.

    References:
        Northcutt, Jiang and Chuang (2021), Confident Learning: Estimating Uncertainty in Dataset Labels, JAIR 70,
        section 3 (thresholds t_j and the confident joint).
    """
    import numpy as np
    import polars as pl

    counts = rows[target].value_counts(name="_rows")
    known = counts.filter(pl.col("_rows") >= LEAST_OF_A_CLASS)[target].sort()
    if not 2 <= len(known) <= MOST_CLASSES:
        return NotJudged(
            f"there are {len(known)} classes with at least {LEAST_OF_A_CLASS} distinct rows, not 2 to {MOST_CLASSES}"
        )
    judged = rows[target].is_in(known.implode()).to_numpy()
    frame = rows.filter(pl.Series(judged))
    given = np.searchsorted(np.array(known.to_list()), np.array(frame[target].to_list()))
    try:
        probabilities = _out_of_fold(frame, target, given, len(known))
    except FAILURES:  # whose texts may quote values of the data
        return NotJudged("a quick model cannot be trained on these columns")
    recalls = [float((probabilities[given == k].argmax(axis=1) == k).mean()) for k in range(len(known))]
    chance = 1 / len(known)
    skill = (float(np.mean(recalls)) - chance) / (1 - chance)
    if skill < _LEAST_SKILL:
        return NotJudged(
            f"a quick model tells the classes apart too poorly (skill {skill:.2f}, at least {_LEAST_SKILL:.2f} needed)"
        )
    best = confident_class(probabilities, given)
    suggested = np.full(len(judged), -1, dtype=np.int64)
    suggested[judged] = best
    doubtful = np.zeros(len(judged), dtype=bool)
    doubtful[judged] = best != given
    return LabelNoise(doubtful, suggested, tuple(known.to_list()), round(skill, 4))


def confident_class(probabilities: NDArray[np.float64], given: NDArray[np.int64]) -> NDArray[np.int64]:
    """The class that each row is confidently counted to; its given one if it is to none.

    A row is confidently of class j if its probability of j is at least t_j, the mean probability of j over the rows
    that are labelled j; among several such classes the most probable one counts.

    Args:
        probabilities: (n_rows, n_classes), from models that did not see the row.
        given: (n_rows,) labels, as column numbers; every class occurs.

    >>> import numpy as np
    >>> p = np.array([[0.9, 0.1], [0.8, 0.2], [0.87, 0.13], [0.1, 0.9]])
    >>> confident_class(p, np.array([0, 0, 1, 1])).tolist()
    [0, 0, 0, 1]
    """
    import numpy as np

    thresholds = np.array([probabilities[given == j, j].mean() for j in range(probabilities.shape[1])])
    sure = np.where(probabilities >= thresholds, probabilities, -1.0)
    best = sure.argmax(axis=1)
    return np.where(sure.max(axis=1) < 0, given, best)


def _out_of_fold(
    frame: pl.DataFrame, target: str, given: NDArray[np.int64], n_classes: int
) -> NDArray[np.float64]:
    """(n_rows, n_classes): each row's probabilities by a model that was fitted to the other folds."""
    import numpy as np

    fold = np.empty(len(given), dtype=np.int64)
    for k in range(n_classes):
        at = np.flatnonzero(given == k)
        fold[at] = np.arange(len(at)) % FOLDS
    frame, features = learnable(frame, target)
    matrix = feature_matrix(frame, features)
    found = np.zeros((len(given), n_classes))
    for number in range(FOLDS):
        seen, unseen = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        model = quick_fit(matrix[seen], given[seen], Task.CLASSIFICATION)
        found[np.ix_(unseen, model.classes_)] = model.predict_proba(matrix[unseen])
    return found
