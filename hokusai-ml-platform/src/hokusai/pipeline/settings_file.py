"""The settings file: parameters of a run as YAML, meaning what they look like.

YAML 1.1, which PyYAML reads, takes a wallet address for a hexadecimal number, `007` for an octal one, `yes` for
a truth value and `1e-3` for text. Each of these loses what somebody wrote: credit would go to another name. So
scalars are those of JSON (as in YAML 1.2's core schema), and all else is text.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from hokusai.errors import ConfigurationError, InvalidInputError, NotFoundError
from hokusai.pipeline.parameters import parameter_key
from hokusai.utils.files import read_limited

_MOST_BYTES = 1 << 20


def read_settings_file(path: Path) -> dict[str, Any]:
    """The parameters that the file gives, by their keys; a parameter without a value is not given.

    Raises:
        ConfigurationError: The file cannot be read, is no YAML mapping, or has a name that is no parameter.
    """
    try:
        data = read_limited(path, _MOST_BYTES)
    except (NotFoundError, InvalidInputError) as problem:
        missing = isinstance(problem, NotFoundError)
        why = "No such file" if missing else problem.what.removeprefix("The file cannot be read: ")
        raise ConfigurationError(
            f"The settings file cannot be read: {why}", where=str(path), hint="Check --settings."
        ) from problem
    try:
        content = yaml.load(data.decode(), _JsonScalars)  # noqa: S506  # a SafeLoader
    except RecursionError as problem:
        raise ConfigurationError("The settings file is nested too deeply", where=str(path)) from problem
    except (yaml.YAMLError, ValueError) as problem:
        raise ConfigurationError(f"The settings file is not YAML: {problem}", where=str(path)) from problem
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigurationError(
            "The settings file is not a mapping of parameters to values",
            where=str(path),
            hint="Write one `parameter: value` a line, for example `target_column: label`.",
        )
    settled: dict[str, Any] = {}
    for name, value in content.items():
        key = parameter_key(str(name), where=str(path))
        if key == "settings":
            raise ConfigurationError("A settings file cannot name another one", where=str(path))
        if key in settled:
            raise ConfigurationError(f"{key!r} is given twice", where=str(path))
        settled[key] = value
    return {key: value for key, value in settled.items() if value is not None}


class _JsonScalars(yaml.SafeLoader):
    """PyYAML's safe loader with JSON's numbers, truth values and null, and no key twice."""

    yaml_implicit_resolvers = {}  # noqa: RUF012  # declared so by PyYAML

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is not None:
            raise yaml.constructor.ConstructorError(
                problem=f"{twice!r} is given twice", problem_mark=node.start_mark
            )
        return super().construct_mapping(node, deep)


for _tag, _pattern, _starts in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?(0|[1-9][0-9]*)", list("-+0123456789")),
    ("float", r"[-+]?(0|[1-9][0-9]*)(\.[0-9]*)?([eE][-+]?[0-9]+)?", list("-+0123456789")),
):
    _JsonScalars.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern})$"), _starts)
