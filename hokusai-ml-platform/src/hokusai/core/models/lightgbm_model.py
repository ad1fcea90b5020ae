"""LightGBM: a booster as its own text, an estimator of its scikit-learn interface as skops."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hokusai.core.models.framework_model import FrameworkModel, NativeFiles, class_path, json_params
from hokusai.core.models.pickling import dump_by_value
from hokusai.core.models.sklearn_model import estimator_params, read_object, safe_skops
from hokusai.errors import DataError
from hokusai.utils.extras import require

TEXT_FILE = "model.lgb"
SKOPS_FILE = "model.skops"
PICKLE_FILE = "model.pkl"
BOOSTER = "lightgbm.basic.Booster"
PACKAGES = ("lightgbm", "scikit-learn", "numpy", "pandas", "scipy")
TRUSTED = (  # exactly what an estimator consists of, besides scikit-learn's and plain data
    "collections.OrderedDict",
    "collections.defaultdict",
    BOOSTER,
    *(f"lightgbm.sklearn.LGBM{kind}" for kind in ("Classifier", "Regressor", "Ranker", "Model")),
)


class LightgbmModel(FrameworkModel):
    """A LightGBM booster, or an estimator of its scikit-learn interface."""

    framework = "LightGBM"

    @property
    def feature_names(self) -> list[str] | None:
        """The columns of the table that it was fitted on; None if that was an array."""
        if self._booster is None:
            return None
        names = list(self._booster.feature_name())
        return None if names == [f"Column_{i}" for i in range(len(names))] else names

    @property
    def n_features(self) -> int | None:
        """How many features it was fitted on."""
        return None if self._booster is None else int(self._booster.num_feature())

    @property
    def params(self) -> dict[str, Any]:
        """Constructor arguments; for a booster what it was trained with."""
        if hasattr(self.native, "get_params"):
            return estimator_params(self.native)
        return json_params(self.native.params)

    def native_files(self, _example: Any = None, /) -> NativeFiles:
        """As text or skops; an estimator that skops cannot carry safely as a pickle."""
        if class_path(type(self.native)) == BOOSTER:
            text = self.native.model_to_string().encode()
            return NativeFiles(
                "lightgbm-text", {TEXT_FILE: text}, _flavor(TEXT_FILE, BOOSTER, None), PACKAGES
            )
        path, content = class_path(type(self.native)), safe_skops(self.native, TRUSTED)
        if content is None:
            return NativeFiles(
                "cloudpickle",
                {PICKLE_FILE: dump_by_value(self.native)},
                _flavor(PICKLE_FILE, path, "cloudpickle"),
                (*PACKAGES, "cloudpickle"),
            )
        return NativeFiles(
            "lightgbm-skops", {SKOPS_FILE: content}, _flavor(SKOPS_FILE, path, "skops"), (*PACKAGES, "skops")
        )

    @classmethod
    def _read(cls, folder: Path, *, trust: bool) -> Any:
        stored = (TEXT_FILE, BOOSTER, None), (SKOPS_FILE, "", "skops"), (PICKLE_FILE, "", "cloudpickle")
        file, kind, form = next((one for one in stored if (folder / one[0]).exists()), stored[0])
        return read_lightgbm(folder, _flavor(file, kind, form)["lightgbm"], trust)

    @property
    def _booster(self) -> Any:
        if not hasattr(self.native, "booster_"):
            # An estimator has the property, and it raises while it is not fitted.
            return None if hasattr(self.native, "get_params") else self.native
        return self.native.booster_

    def _answer(self, rows: Any) -> Any:
        return self.native.predict(rows)


def read_lightgbm(folder: Path, conf: Mapping[str, Any], trust: bool, /) -> Any:
    """What `native_files` or `mlflow.lightgbm` stored."""
    path = folder / str(conf["data"])
    lightgbm = require("lightgbm", "lightgbm")
    if conf.get("model_class", BOOSTER) != BOOSTER:
        return read_object(path, str(conf.get("serialization_format")), trust=trust, also=TRUSTED)
    try:
        return lightgbm.Booster(model_str=path.read_text())
    except (lightgbm.basic.LightGBMError, ValueError) as problem:
        raise DataError(
            f"LightGBM cannot read the model: {problem}",
            where=path.name,
            hint="It may be damaged, or made by a newer LightGBM.",
        ) from problem


def _flavor(file: str, kind: str, form: str | None) -> dict[str, dict[str, Any]]:
    told = {
        "code": None,
        "data": file,
        "lgb_version": require("lightgbm", "lightgbm").__version__,
        "model_class": kind,
    }
    if form:
        types = {"skops_trusted_types": list(TRUSTED)} if form == "skops" else {}
        told |= {"serialization_format": form, **types}
    return {"lightgbm": told}
