"""DSPy programs: a pickle of the whole program, and its state as JSON beside it.

The state alone (prompts, demonstrations) is safe to read but means nothing without the program's class; whoever has
the class can load it by `program.load("state.json")`. Keys of language models are never stored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hokusai.core.models.answers import to_json
from hokusai.core.models.callable_model import FILE, pickled_files
from hokusai.core.models.framework_model import FrameworkModel, NativeFiles
from hokusai.core.models.pickling import load_pickle

STATE_FILE = "state.json"
PACKAGES = ("dspy", "cloudpickle", "pandas")
_SECRETS = (
    "api_key",
    "api_base",
    "base_url",
    "aws_secret_access_key",
    "aws_session_token",
    "azure_ad_token",
    "headers",
)


class DspyProgram(FrameworkModel):
    """A DSPy program. It answers a dict of its input fields with a dict of its output fields."""

    framework = "DSPy"

    @property
    def params(self) -> dict[str, Any]:
        """Its predictors."""
        return {"predictors": [name for name, _ in self.native.named_predictors()]}

    def predict(self, data: Any) -> Any:
        """One answer for a dict of inputs, a list of answers for a list or a table of them."""
        if isinstance(data, Mapping):
            return to_json(self.native(**data))
        if hasattr(data, "to_dict") and hasattr(data, "columns"):
            data = data.to_dict("records")
        return [to_json(self.native(**row)) for row in data]

    def native_files(self, _example: Any = None, /) -> NativeFiles:
        """As a pickle, with the state as JSON beside it."""
        program = _without_secrets(self.native)
        state = json.dumps(program.dump_state(), indent=2, sort_keys=True, default=str).encode()
        return pickled_files(program, PACKAGES, "records", {STATE_FILE: state})

    @classmethod
    def _read(cls, folder: Path, *, trust: bool) -> Any:
        return load_pickle(folder / FILE, trust=trust)

    def _answer(self, rows: Any) -> Any:
        return self.predict(rows)


def _without_secrets(program: Any) -> Any:
    """A copy of `program` whose language models have no keys and addresses."""
    copied = program.deepcopy()
    for _, predictor in copied.named_predictors():
        if getattr(predictor, "lm", None) is not None:
            predictor.lm = predictor.lm.copy()
            for name in _SECRETS:
                predictor.lm.kwargs.pop(name, None)
    return copied
