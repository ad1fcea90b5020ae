"""scikit-learn: stored as skops, which is data and not instructions.

What skops cannot carry safely (own classes, functions, parameters that read files) is stored as a pickle instead,
which the registry loads only where it knows that it stored these very bytes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from hokusai.core.models.framework_model import FrameworkModel, NativeFiles, json_params
from hokusai.core.models.mlmodel_file import stored_types, version
from hokusai.core.models.pickling import dump_by_value, load_pickle
from hokusai.core.models.skops_file import check_loads, dump_model, load_model
from hokusai.errors import DataError, InvalidInputError, UntrustedModelError
from hokusai.utils.logging import get_logger

SKOPS_FILE = "model.skops"
PICKLE_FILE = "model.pkl"
PACKAGES = ("scikit-learn", "numpy", "pandas")


class SklearnModel(FrameworkModel):
    """A scikit-learn estimator or pipeline."""

    framework = "scikit-learn"

    @property
    def feature_names(self) -> list[str] | None:
        """The columns of the table that it was fitted on; None if that was an array."""
        names = getattr(self.native, "feature_names_in_", None)
        return None if names is None else [str(name) for name in names]

    @property
    def n_features(self) -> int | None:
        """How many features it was fitted on."""
        return getattr(self.native, "n_features_in_", None)

    @property
    def params(self) -> dict[str, Any]:
        """Its constructor arguments, and those of its parts."""
        return estimator_params(self.native)

    def native_files(self, _example: Any = None, /) -> NativeFiles:
        """As skops where that loads safely again, else as a pickle."""
        _refuse_unfitted(self.native)
        content = safe_skops(self.native)
        if content is None:
            return NativeFiles(
                "cloudpickle",
                {PICKLE_FILE: dump_by_value(self.native, _foreign_part(self.native))},
                {"sklearn": _flavor(PICKLE_FILE, "cloudpickle", None)},
                (*PACKAGES, "cloudpickle"),
            )
        return NativeFiles(
            "skops",
            {SKOPS_FILE: content},
            {"sklearn": _flavor(SKOPS_FILE, "skops", stored_types(content))},
            (*PACKAGES, "skops"),
        )

    @classmethod
    def _read(cls, folder: Path, *, trust: bool) -> Any:
        skops = folder / SKOPS_FILE
        if skops.exists():
            return read_object(skops, "skops", trust=trust)
        return read_object(folder / PICKLE_FILE, "cloudpickle", trust=trust)

    def _answer(self, rows: Any) -> Any:
        return self.native.predict(rows)


def _refuse_unfitted(estimator: Any) -> None:
    """scikit-learn tells it of its own classes; of others it can only guess."""
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    if not type(estimator).__module__.startswith("sklearn."):
        return
    try:
        check_is_fitted(estimator)
    except NotFittedError as problem:
        name = type(estimator).__name__
        raise InvalidInputError(
            f"This {name} is not fitted, so it cannot predict anything", where="model", hint="Fit it first."
        ) from problem
    except TypeError:
        pass  # no estimator, or one that needs no fitting


def estimator_params(estimator: Any) -> dict[str, Any]:
    """The constructor arguments of an estimator and of its parts; a part itself is told by its class."""
    return json_params(estimator.get_params()) if hasattr(estimator, "get_params") else {}


def safe_skops(estimator: Any, also: Collection[str] = ()) -> bytes | None:
    """`estimator` as a skops file that loads again without trust; None, said in the log, if there is none.

    Args:
        estimator: The object.
        also: Import paths of classes of other libraries to accept.
    """
    name = type(estimator).__name__
    try:
        content = dump_model(estimator)
        check_loads(content, estimator, where=name, also=also)
    except (UntrustedModelError, DataError) as problem:
        reason = problem.what
    except ImportError:
        raise
    except Exception as problem:  # noqa: BLE001 - skops meets objects that it does not know in many ways
        reason = f"{type(problem).__name__}: {problem}"
    else:
        return content
    get_logger(__name__).info(
        "The model is stored as a pickle, skops cannot carry it", model=name, reason=reason
    )
    return None


def read_sklearn(folder: Path, conf: Mapping[str, Any], trust: bool, /) -> Any:
    """What `native_files` or `mlflow.sklearn` stored."""
    return read_object(
        folder / str(conf["pickled_model"]), str(conf.get("serialization_format")), trust=trust
    )


def read_object(path: Path, form: str, *, trust: bool, also: Collection[str] = ()) -> Any:
    """The object in a skops file, or in a pickle for any other `form`."""
    if form == "skops":
        return load_model(path.read_bytes(), where=path.name, trust=trust, also=also)
    return load_pickle(path, trust=trust)


def _flavor(file: str, form: str, types: list[str] | None) -> dict[str, Any]:
    return {
        "code": None,
        "pickled_model": file,  # MLflow's name for it, whatever the form
        "serialization_format": form,
        "sklearn_version": version("scikit-learn"),
        "skops_trusted_types": types,
    }


def _foreign_part(estimator: Any) -> Any:
    """The first part of an estimator that is not of scikit-learn: its code has to be carried."""
    for part in estimator.get_params().values() if hasattr(estimator, "get_params") else ():
        owner = part if hasattr(part, "__qualname__") else type(part)
        if not str(getattr(owner, "__module__", "sklearn")).startswith(("sklearn", "builtins", "numpy")):
            return part
    return estimator
