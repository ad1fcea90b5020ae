"""Any model, and what it is asked: opened from wherever it is, given rows in its own form, its answers in common terms.

Frameworks differ in what they take (a table, an array, one array for each input) and in what they give (labels,
probabilities, one number between 0 and 1). What a model knows of itself decides; what it cannot do is said with its
name.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hokusai.core.models.model_file import is_stored_by_mlflow, read_model
from hokusai.domain.labels import class_name
from hokusai.domain.metrics import Task
from hokusai.errors import HokusaiError, SchemaError
from hokusai.pipeline.data.columns import require_columns
from hokusai.pipeline.evaluation import Answers
from hokusai.pipeline.task import column_kinds

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import polars as pl
    from numpy.typing import NDArray

    from hokusai.core.models import HokusaiModel
    from hokusai.core.registry import ModelRegistry

_URI = re.compile(r"[a-z][a-z0-9+.-]*:/", re.IGNORECASE)
_FILE = re.compile(r".*\.(skops|ubj|json|txt|onnx|pkl|pickle|joblib)", re.IGNORECASE)
_TABULAR = ("scikit-learn", "XGBoost", "LightGBM")
_HALF = 0.5


@dataclass(frozen=True, eq=False)
class Candidate:
    """A model that is to be measured.

    Attributes:
        name: What reports call it.
        model: It.
        size_bytes: Of the files that registering it stores; None where it cannot be stored.
        sha256: Digest of its content; None where it cannot be stored.
    """

    name: str
    model: HokusaiModel
    size_bytes: int | None = None
    sha256: str | None = None

    def __repr__(self) -> str:
        return f"<Candidate {self.name}>"


@dataclass(frozen=True)
class Reply:
    """A model's answers to all rows.

    Attributes:
        answers: Values, and scores by the model's own classes.
        probabilities: Whether the scores are probabilities.
        notes: What a reader has to know.
    """

    answers: Answers
    probabilities: bool = False
    notes: tuple[str, ...] = ()


def open_model(source: Any, registry: Callable[[], ModelRegistry], *, trust: bool = False) -> Candidate:
    """The model that `source` is or names.

    Args:
        source: `name/1.2.0`, `name@production`, a URI (`models:/…`, `runs:/…`, `s3://…`), a model file or folder, a
            fitted object of any framework, or a `Candidate`.
        registry: Asked for models that are named, and not before.
        trust: Load it even if that runs code that its author put into it.

    Raises:
        NotFoundError: There is no such model.
        UntrustedModelError: Loading it would run its author's code, and `trust` is not given.
        InvalidInputError: It is no model.
    """
    if isinstance(source, Candidate):
        return source
    if not isinstance(source, str | Path):
        return _of_object(source, "")
    text = str(source)
    if Path(text).is_dir() and is_stored_by_mlflow(text):
        return _of_folder(Path(text), text, trust=trust)
    if not _URI.match(text) and (Path(text).is_file() or _FILE.fullmatch(text)):
        return _of_object(read_model(text, trust=trust), Path(text).name)
    if _URI.match(text) and not text.startswith("models:/"):
        from hokusai.core.tokenized import fetched

        with tempfile.TemporaryDirectory(prefix="hokusai-model-") as folder:
            fetched(registry().store, text, Path(folder))
            return _of_folder(Path(folder), text, trust=trust)
    known = registry()
    record = known.get_model(text)
    size = record.stored.size_bytes if record.stored else None
    return Candidate(record.model_id, known.load_model(text, trust=trust), size, record.sha256)


def rows_for(candidate: Candidate, frame: pl.DataFrame, features: Sequence[str]) -> Any:
    """The rows of `frame` in the form that the model takes: a table, or an array.

    Args:
        candidate: The model.
        frame: The rows.
        features: What to give to a model that does not know its columns by name.

    Raises:
        SchemaError: A column that it knows by name is missing, or the number of features is another.
    """
    model = _inner(candidate.model)
    framework = getattr(type(model), "framework", "")
    names = _names(model)
    where = f"the data for {candidate.name}"
    if names is not None:
        require_columns(frame.columns, names, where)
    used = list(features if names is None else names)
    if framework not in (*_TABULAR, "ONNX", "PyTorch", "Keras"):
        return frame.select(used).to_pandas()
    inputs = getattr(model, "_session", None) if framework == "ONNX" else None
    if inputs is not None and len(inputs.get_inputs()) > 1:
        inner_names = [one.name for one in inputs.get_inputs()]
        require_columns(frame.columns, inner_names, where)
        return frame.select(inner_names).to_pandas()
    table = _table(frame, used)
    if framework in _TABULAR and names is not None:
        return table
    if framework == "scikit-learn" and not _takes_rows(model.native) and len(used) == 1:
        return table.iloc[:, 0]
    wanted = getattr(model, "n_features", None)
    if wanted is not None and wanted != len(used):
        raise SchemaError(
            f"{candidate.name} takes {wanted} features and does not know them by name; the data have {len(used)}: "
            f"{', '.join(map(repr, used[:10]))}",
            hint="Name the features in the model's order.",
        )
    if framework in _TABULAR:
        return table.to_numpy()
    try:
        return table.to_numpy(dtype="float32")
    except ValueError as problem:
        raise SchemaError(
            f"{candidate.name} takes numbers: {problem}", hint="Name the features that are numbers."
        ) from problem


def ask(candidate: Candidate, rows: Any, task: Task, classes: Sequence[str]) -> Reply:
    """The model's answers to `rows`.

    Args:
        candidate: The model.
        rows: As `rows_for` gives them.
        task: What is predicted.
        classes: Names of the classes that the data have, in order.

    Raises:
        SchemaError: It cannot predict from these rows, or its answers are nothing that the task asks for.
    """
    values = _array(candidate, _called(candidate, candidate.model.predict, rows), len(rows))
    if task is Task.REGRESSION:
        return Reply(Answers(_numbers(candidate, values).tolist()))
    known = _classes(candidate.model)
    if values.ndim == 2:
        return _by_columns(candidate, values, known if len(known) == values.shape[1] else classes)
    if values.dtype.kind == "f" and bool((values != values.round()).any()):
        return _by_share(candidate, values, classes)
    names = {class_name(value) for value in (*values.tolist(), *known)}
    if names.isdisjoint(classes):
        raise SchemaError(
            f"{candidate.name} answers {_some(names)}, and the data have the classes {_some(classes)}",
            hint="The model and the target column have to spell the classes alike.",
        )
    strangers = [one for one in classes if known and one not in {class_name(value) for value in known}]
    notes = (f"{candidate.name} does not know the class {_some(strangers)}",) if strangers else ()
    scores, by, probable = _scores(candidate, rows, known, classes)
    return Reply(Answers(values.tolist(), by, scores), probable, notes)


def _of_object(model: Any, name: str) -> Candidate:
    from hokusai.core.models.packing import pack
    from hokusai.core.models.wrapping import wrap

    face = wrap(model)
    size, sha256 = None, None
    try:
        stored = pack(face).stored
        size, sha256 = stored.size_bytes, stored.sha256
    except Exception:  # noqa: BLE001, S110 - what cannot be stored can be measured all the same; its size is not known
        pass
    native = getattr(face, "native", face)
    shown = getattr(native, "__name__", type(native).__name__)
    return Candidate(name or face.model_id or shown, face, size, sha256)


def _of_folder(folder: Path, name: str, *, trust: bool) -> Candidate:
    from hokusai.core.models.formats import layout_of
    from hokusai.core.models.packing import describe
    from hokusai.core.models.wrapping import wrap

    model, stored = layout_of(folder).read(folder, trust=trust), describe(folder)
    return Candidate(name, wrap(model), stored.size_bytes, stored.sha256)


def _inner(model: Any) -> Any:
    """The wrapper of the framework's object, also within a model of a task."""
    return vars(model).get("wrapped") or model


def _names(model: Any) -> list[str] | None:
    """The columns that a model knows by name."""
    from hokusai.core.models.framework_model import FrameworkModel

    if not isinstance(model, FrameworkModel):
        return None
    if model.feature_names is not None:
        return [str(name) for name in model.feature_names]
    metadata = getattr(model.native, "metadata", None)  # a model of mlflow.pyfunc has a signature
    schema: Any = getattr(metadata, "get_input_schema", lambda: None)()
    if schema is None or not schema.has_input_names():
        return None
    return [str(name) for name in schema.input_names()]


def _table(frame: pl.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Columns as the pipeline's own models take them: numbers as float64, gaps as NaN, text as it is."""
    from hokusai.pipeline.training import feature_table

    kinds = column_kinds(frame, names)
    table = feature_table(frame, kinds)
    for name in kinds.empty:
        table[name] = float("nan")
    return table[list(names)]


def _takes_rows(native: Any) -> bool:
    from hokusai.utils.extras import require

    first = native.steps[0][1] if hasattr(native, "steps") else native
    return bool(require("sklearn.utils", "ml").get_tags(first).input_tags.two_d_array)


def _called(candidate: Candidate, method: Callable[[Any], Any], rows: Any) -> Any:
    try:
        return method(rows)
    except HokusaiError:
        raise
    except Exception as problem:  # the model is its author's, and may raise anything
        lines = str(problem).strip().splitlines()
        raise SchemaError(
            f"{candidate.name} cannot predict from these rows: {type(problem).__name__}: "
            f"{lines[0] if lines else 'no reason given'}",
            hint="The columns have to hold what the model was trained on.",
        ) from problem


def _array(candidate: Candidate, answer: Any, n_rows: int) -> NDArray[Any]:
    import numpy as np

    try:
        values = np.asarray(answer.to_numpy() if hasattr(answer, "to_numpy") else answer)
    except ValueError:  # answers of different lengths
        values = np.asarray(None)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim not in (1, 2) or len(values) != n_rows:
        got = f"the shape {values.shape}" if values.ndim else f"a {type(answer).__name__}"
        raise SchemaError(f"{candidate.name} was asked about {n_rows:,} rows, and its answer has {got}")
    return values


def _numbers(candidate: Candidate, values: NDArray[Any]) -> NDArray[np.float64]:
    import numpy as np

    try:
        found = values.astype(np.float64)
    except (ValueError, TypeError):
        found = np.full(len(values), np.nan)
    bad = np.flatnonzero(~np.isfinite(found)) if found.ndim == 1 else np.array([0])
    if len(bad):
        raise SchemaError(
            f"{candidate.name} answers {values[bad[0]]!r} to row {bad[0]}, and a finite number was expected",
            hint="If classes are predicted, say so: task classification.",
        )
    return found


def _by_columns(candidate: Candidate, table: NDArray[Any], classes: Sequence[Any]) -> Reply:
    """Answers with a column for each class."""
    from hokusai.stats.calibration import are_probabilities

    if table.shape[1] != len(classes) or table.dtype.kind not in "iuf":
        raise SchemaError(
            f"{candidate.name} answers with {table.shape[1]} columns, and the data have {len(classes)} classes",
            hint="A column for each class was expected, in the classes' order.",
        )
    scores = table.astype("float64")
    values = [classes[k] for k in scores.argmax(axis=1).tolist()]
    return Reply(Answers(values, list(classes), scores), are_probabilities(scores))


def _by_share(candidate: Candidate, values: NDArray[Any], classes: Sequence[str]) -> Reply:
    """Answers with the probability of the second of two classes, as boosters and sigmoids give it."""
    import numpy as np

    if len(classes) != 2 or not (values.min() >= 0 and values.max() <= 1):
        odd = values[values != values.round()][0]
        raise SchemaError(
            f"{candidate.name} answers {odd:.6g}, which is none of the classes {_some(classes)}",
            hint="If numbers are predicted, say so: task regression.",
        )
    second = values.astype(np.float64)
    said = [classes[int(share >= _HALF)] for share in second.tolist()]
    return Reply(Answers(said, list(classes), np.column_stack([1 - second, second])), probabilities=True)


def _scores(
    candidate: Candidate, rows: Any, known: Sequence[Any], classes: Sequence[str]
) -> tuple[NDArray[np.float64] | None, Sequence[Any], bool]:
    """(scores, the classes of their columns, whether they are probabilities); (None, …) if the model has none."""
    import numpy as np

    from hokusai.stats.calibration import are_probabilities

    for method in ("predict_proba", "decision_function"):
        found = getattr(candidate.model, method, None)
        if not callable(found):
            continue
        try:
            given = _called(candidate, found, rows)
        except HokusaiError:
            continue  # such as an ONNX graph without a second output
        by = known
        if (
            isinstance(given, list) and given and isinstance(given[0], dict)
        ):  # as ONNX's classifiers give them
            by = list(given[0])
            given = [[one[name] for name in by] for one in given]
        table = np.asarray(given, dtype=np.float64)
        width = table.shape[1] if table.ndim > 1 else 2
        by = by if len(by) == width else classes
        if len(by) == width and len(table) == len(rows) and np.isfinite(table).all():
            return table, list(by), method == "predict_proba" and are_probabilities(table)
    return None, known, False


def _classes(model: Any) -> list[Any]:
    """The classes that a model knows, in the order of its scores; empty where it knows none."""
    found = getattr(getattr(_inner(model), "native", model), "classes_", None)
    return [] if found is None else list(found)


def _some(names: Any) -> str:
    shown = sorted(map(str, names))
    return ", ".join(map(repr, shown[:5])) + (f" and {len(shown) - 5} more" if len(shown) > 5 else "")
