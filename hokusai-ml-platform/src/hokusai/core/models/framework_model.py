"""The face that an object of a framework gets, and what its file has to tell.

A wrapper keeps the framework's own object in `native`, and what it does not know itself it asks of that, so that
`model.classes_` and `model.predict_proba(rows)` work as before.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

from hokusai.core.models.answers import as_rows, to_json
from hokusai.core.models.base import HokusaiModel
from hokusai.domain.canonical import MAX_SAFE_INTEGER
from hokusai.errors import InvalidInputError, UntrustedModelError

_MIRRORED = ("predict_proba", "predict_log_proba", "decision_function", "transform")


@dataclass(frozen=True)
class NativeFiles:
    """A model in its framework's own form, and what has to be known to load it.

    Attributes:
        format: Name of the form, as in `hokusai.core.models.formats`.
        files: Path within the artefact to content, of the model's own files.
        flavors: What MLflow has to know to load them, by the name of its flavor.
        packages: Distributions that loading needs, as far as they are installed.
        beside: Files that are no part of the model, and come with it.
    """

    format: str
    files: Mapping[str, bytes]
    flavors: Mapping[str, Mapping[str, Any]]
    packages: Sequence[str] = ()
    beside: Mapping[str, bytes] = field(default_factory=dict)


class FrameworkModel(HokusaiModel):
    """A model of some framework.

    Args:
        native: The framework's object.
        **identity: As for `HokusaiModel`; the type is the class of `native` where none is given.
    """

    framework: ClassVar[str] = ""

    def __init__(self, native: Any, **identity: Any) -> None:
        self.native = native
        identity["model_type"] = identity.get("model_type") or class_path(type(native))
        super().__init__(**identity)

    @property
    def feature_names(self) -> list[str] | None:
        """The features' names in the model's order; None where it knows none."""
        return None

    @property
    def n_features(self) -> int | None:
        """How many features a row has; None where that is not known."""
        return len(self.feature_names) if self.feature_names is not None else None

    @property
    def params(self) -> dict[str, Any]:
        """Hyper-parameters, as JSON values."""
        return {}

    def predict(self, data: Any) -> Any:
        """The prediction for `data`; JSON-like data give JSON values, arrays and tables what the framework gives."""
        rows, reply = as_rows(data, self.feature_names, where=self.model_id or self.model_type)
        return reply(self._answer(rows))

    @abstractmethod
    def native_files(self, example: Any = None, /) -> NativeFiles:
        """The model as files.

        Args:
            example: A few rows of input; some formats need them.
        """

    def save(self, path: str | Path) -> None:
        """Write the model in its framework's own form into the folder `path`."""
        for name, content in self.native_files().files.items():
            file = Path(path) / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)

    @classmethod
    def load(cls, path: str | Path, *, trust: bool = False) -> Self:
        """The model that `save` wrote into the folder `path`.

        Raises:
            UntrustedModelError: Loading its format runs what its author put into it, and `trust` is not given.
            NotFoundError: There is no such file.
        """
        return cls(cls._read(Path(path), trust=trust))

    @classmethod
    @abstractmethod
    def _read(cls, folder: Path, *, trust: bool) -> Any:
        """The framework's object from the files that `native_files` gave."""

    @abstractmethod
    def _answer(self, rows: Any) -> Any:
        """The framework's answer to rows that it can read."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "native":
            raise AttributeError(name)
        found = getattr(self.native, name)  # its own AttributeError says what is missing
        if name not in _MIRRORED:
            return found

        def asked(data: Any, *args: Any, **options: Any) -> Any:
            rows, reply = as_rows(data, self.feature_names, where=name)
            return reply(found(rows, *args, **options))

        return asked


def class_path(cls: type) -> str:
    """The import path of a class.

    >>> class_path(dict)
    'builtins.dict'
    """
    return f"{cls.__module__}.{cls.__qualname__}"


def json_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as JSON values; what is none is told by its class.

    >>> json_params({"alpha": 0.5, "kernel": dict})
    {'alpha': 0.5, 'kernel': 'builtins.dict'}
    """
    return {str(name): _json_param(value) for name, value in params.items()}


def refuse_unless(trust: bool, what: str, where: str, hint: str = "") -> None:
    """Refuse to load what could run foreign code.

    Raises:
        UntrustedModelError: `trust` is False.
    """
    if not trust:
        raise UntrustedModelError(
            what,
            where=where,
            hint=hint or "Load it with trust=True if you know who made it, or register it yourself.",
        )


def as_example(example: Any, names: Sequence[str] | None) -> Any:
    """An input example as rows that a framework can read."""
    rows, _ = as_rows(example, names, where="input_example")
    if hasattr(rows, "__len__") and len(rows) == 0:
        raise InvalidInputError("The input example has no rows", where="input_example")
    return rows


def _json_param(value: Any) -> Any:
    value = to_json(value)
    if isinstance(value, list):
        return [_json_param(item) for item in value]
    if isinstance(value, dict):
        return {key: _json_param(item) for key, item in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and abs(value) > MAX_SAFE_INTEGER:
        return str(value)
    plain = value is None or isinstance(value, str | bool | int | float)
    return value if plain else class_path(value if isinstance(value, type) else type(value))
