"""The settings file: parameters of a run as YAML, meaning what they look like (`hokusai.utils.yaml_text`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hokusai.errors import ConfigurationError
from hokusai.pipeline.parameters import parameter_key
from hokusai.utils.yaml_text import read_yaml


def read_settings_file(path: Path) -> dict[str, Any]:
    """The parameters that the file gives, by their keys; a parameter without a value is not given.

    Raises:
        ConfigurationError: The file cannot be read, is no YAML mapping, or has a name that is no parameter.
    """
    content = read_yaml(path, "settings file", hint="Check --settings.")
    settled: dict[str, Any] = {}
    for name, value in content.items():
        key = parameter_key(str(name), where=str(path))
        if key == "settings":
            raise ConfigurationError("A settings file cannot name another one", where=str(path))
        if key in settled:
            raise ConfigurationError(f"{key!r} is given twice", where=str(path))
        settled[key] = value
    return {key: value for key, value in settled.items() if value is not None}
