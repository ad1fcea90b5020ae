"""YAML that means what it looks like.

YAML 1.1, which PyYAML reads, takes a wallet address for a hexadecimal number, `007` for an octal one, `yes` for
a truth value and `1e-3` for text. Each of these loses what somebody wrote: credit would go to another name. So
scalars are those of JSON (as in YAML 1.2's core schema), and all else is text. No key stands twice, and no reference is
to a list or a mapping: by such references a file of a kilobyte can unfold into gigabytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from hokusai.errors import ConfigurationError, InvalidInputError, NotFoundError
from hokusai.utils.files import read_limited

_MOST_BYTES = 1 << 20


def read_yaml(path: Path, what: str, *, hint: str = "") -> dict[str, Any]:
    """The mapping that a small file holds; an empty file is an empty mapping.

    Args:
        path: Of the file.
        what: What it is, in errors, such as `settings file`.
        hint: What to do where it cannot be read.

    Raises:
        ConfigurationError: The file cannot be read, or is no YAML mapping.
    """
    try:
        data = read_limited(path, _MOST_BYTES)
    except (NotFoundError, InvalidInputError) as problem:
        missing = isinstance(problem, NotFoundError)
        why = "No such file" if missing else problem.what.removeprefix("The file cannot be read: ")
        raise ConfigurationError(f"The {what} cannot be read: {why}", where=str(path), hint=hint) from problem
    return parse_yaml(data, what, where=str(path))


def parse_yaml(data: bytes, what: str, *, where: str = "") -> dict[str, Any]:
    """The mapping that a text holds; an empty text is an empty mapping.

    Raises:
        ConfigurationError: It is no YAML mapping.

    >>> parse_yaml(b"{wallet: 0x52, share: 1e-3, agreed: yes}", "settings file")
    {'wallet': '0x52', 'share': 0.001, 'agreed': 'yes'}
    """
    try:
        content = yaml.load(data.decode(), _JsonScalars)  # noqa: S506  # a SafeLoader
    except RecursionError as problem:
        raise ConfigurationError(f"The {what} is nested too deeply", where=where) from problem
    except (yaml.YAMLError, ValueError) as problem:
        raise ConfigurationError(f"The {what} is not YAML: {yaml_fault(problem)}", where=where) from problem
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigurationError(
            f"The {what} is not a mapping of names to values",
            where=where,
            hint="Write one `name: value` a line.",
        )
    return content


def yaml_fault(problem: Exception) -> str:
    """What is wrong and where, in one sentence; the parser's own text takes four lines and quotes the file.

    >>> try:
    ...     yaml.safe_load("a: [1")
    ... except yaml.YAMLError as problem:
    ...     print(yaml_fault(problem))
    expected ',' or ']', but got '<stream end>', in line 1, column 6
    """
    if isinstance(problem, yaml.MarkedYAMLError) and problem.problem:
        mark = problem.problem_mark
        place = f", in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        return f"{problem.problem}{place}"
    if isinstance(problem, yaml.reader.ReaderError):
        return f"a character that YAML does not allow, at place {problem.position + 1}"
    return str(problem)


def dump_yaml(content: Mapping[str, Any]) -> str:
    """A mapping of plain data as text that `parse_yaml` reads back as it was; so do readers of YAML 1.1.

    >>> print(dump_yaml({"wallet": "0x52", "agreed": "yes", "share": 1e-3}), end="")
    wallet: '0x52'
    agreed: 'yes'
    share: 0.001
    """
    return yaml.dump(dict(content), Dumper=_Quoting, sort_keys=False, allow_unicode=True, width=100)


class _JsonScalars(yaml.SafeLoader):
    """PyYAML's safe loader with JSON's numbers, truth values and null, no key twice, and references to scalars only."""

    yaml_implicit_resolvers = {}  # noqa: RUF012  # declared so by PyYAML

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        is_reference = self.check_event(yaml.AliasEvent)
        node = super().compose_node(parent, index)
        if is_reference and not isinstance(node, yaml.ScalarNode):
            raise yaml.composer.ComposerError(
                problem="a reference (*name) to a list or a mapping is not read",
                problem_mark=node.start_mark if node else None,
            )
        return node

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


class _Quoting(yaml.SafeDumper):
    """Quotes every text that either of the two versions of YAML would read as something else."""

    yaml_implicit_resolvers = {  # noqa: RUF012  # declared so by PyYAML
        start: [
            *_JsonScalars.yaml_implicit_resolvers.get(start, []),
            *yaml.SafeDumper.yaml_implicit_resolvers.get(start, []),
        ]
        for start in {**_JsonScalars.yaml_implicit_resolvers, **yaml.SafeDumper.yaml_implicit_resolvers}
    }

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  # PyYAML's signature
        return True

    def represent_str(self, data: str) -> yaml.ScalarNode:
        # Only between double quotes does every character have an escape: elsewhere rarer line ends become blanks.
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=None if data.isprintable() else '"')


_Quoting.add_representer(str, _Quoting.represent_str)
