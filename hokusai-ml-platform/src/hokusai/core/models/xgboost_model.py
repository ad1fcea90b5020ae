"""XGBoost: stored in its own binary JSON, which holds numbers and names and nothing that runs."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hokusai.core.models.framework_model import FrameworkModel, NativeFiles, class_path
from hokusai.core.models.pickling import dump_by_value, load_pickle
from hokusai.core.models.sklearn_model import estimator_params
from hokusai.errors import DataError, UntrustedModelError
from hokusai.utils.extras import require

FILE = "model.ubj"
PICKLE_FILE = "model.pkl"
PACKAGES = ("xgboost", "xgboost-cpu", "scikit-learn", "numpy", "pandas", "scipy")
BOOSTER = "xgboost.core.Booster"
CLASSES = (
    BOOSTER,
    *(f"xgboost.sklearn.XGB{kind}" for kind in ("Classifier", "Regressor", "Ranker", "Model")),
    *(f"xgboost.sklearn.XGBRF{kind}" for kind in ("Classifier", "Regressor")),
)
"""Whose file may be loaded; a class of one's own could run anything when it is made."""


class XgboostModel(FrameworkModel):
    """An XGBoost booster, or an estimator of its scikit-learn interface."""

    framework = "XGBoost"

    @property
    def feature_names(self) -> list[str] | None:
        """The columns of the table that it was fitted on; None if that was an array."""
        return None if self._booster is None else self._booster.feature_names

    @property
    def n_features(self) -> int | None:
        """How many features it was fitted on."""
        return None if self._booster is None else int(self._booster.num_features())

    @property
    def params(self) -> dict[str, Any]:
        """Constructor arguments that were given; for a booster what it trains with."""
        if hasattr(self.native, "get_params"):
            return {name: value for name, value in estimator_params(self.native).items() if value is not None}
        learner = json.loads(self.native.save_config())["learner"]
        return {**learner["gradient_booster"].get("tree_train_param", {}), **learner["learner_train_param"]}

    def native_files(self, _example: Any = None, /) -> NativeFiles:
        """As binary JSON; an estimator of an own class as a pickle."""
        path = class_path(type(self.native))
        if path not in CLASSES:
            flavor = {"pickled_model": PICKLE_FILE, "serialization_format": "cloudpickle", "code": None}
            content = dump_by_value(self.native)
            return NativeFiles(
                "cloudpickle", {PICKLE_FILE: content}, {"sklearn": flavor}, (*PACKAGES, "cloudpickle")
            )
        with tempfile.TemporaryDirectory(prefix="hokusai-xgboost-") as folder:
            self.native.save_model(Path(folder) / FILE)  # the suffix chooses the form
            content = (Path(folder) / FILE).read_bytes()
        flavor = {
            "code": None,
            "data": FILE,
            "model_class": path,
            "model_format": "ubj",
            "xgb_version": require("xgboost", "xgboost").__version__,
        }
        return NativeFiles("xgboost-ubj", {FILE: content}, {"xgboost": flavor}, PACKAGES)

    def save(self, path: str | Path) -> None:
        """Write the model, and which class it is of, into the folder `path`."""
        super().save(path)
        (Path(path) / "class.txt").write_text(class_path(type(self.native)))

    @classmethod
    def _read(cls, folder: Path, *, trust: bool) -> Any:
        if not (folder / FILE).exists():
            return load_pickle(folder / PICKLE_FILE, trust=trust)
        conf = {"data": FILE, "model_class": (folder / "class.txt").read_text().strip()}
        return read_xgboost(folder, conf, trust)

    @property
    def _booster(self) -> Any:
        if not hasattr(self.native, "get_booster"):
            return self.native
        return self.native.get_booster() if self.native.__sklearn_is_fitted__() else None

    def _answer(self, rows: Any) -> Any:
        if hasattr(self.native, "get_booster"):
            return self.native.predict(rows)
        xgboost = require("xgboost", "xgboost")
        # An array has no names, and the booster compares them only where there are some.
        named = hasattr(rows, "columns")
        return self.native.predict(xgboost.DMatrix(rows), validate_features=named)


def read_xgboost(folder: Path, conf: Mapping[str, Any], _trust: bool, /) -> Any:
    """What `native_files` or `mlflow.xgboost` stored."""
    path, wanted = folder / str(conf["data"]), str(conf.get("model_class", BOOSTER))
    if wanted not in CLASSES:
        raise UntrustedModelError(
            f"The model says that it is a {wanted}, which is no class of XGBoost",
            where=path.name,
            hint="Only XGBoost's own classes are loaded from its files.",
        )
    require("xgboost", "xgboost")
    module, _, name = wanted.rpartition(".")
    model = getattr(require(module, "xgboost"), name)()
    try:
        model.load_model(path)
    except Exception as problem:  # XGBoostError and what its JSON reader raises
        raise DataError(
            f"XGBoost cannot read the model: {str(problem).strip().splitlines()[0]}",
            where=path.name,
            hint="It may be damaged, or made by a newer XGBoost.",
        ) from problem
    return model
