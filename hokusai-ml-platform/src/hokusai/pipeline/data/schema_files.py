"""Schemas as YAML files: strict to read, so that a rule with a typing error is not a rule that nobody checks.

version: 1
extra: refuse                      # or allow, the default: other columns than these
columns:
  query_id: {type: text, nullable: false, unique: true}
  age: {type: integer, minimum: 0, maximum: 150}
  label: {allowed: [0, 1]}
  country: {pattern: "[A-Z]{2}", required: false}
  note: text                       # short for {type: text}
unique_together:
  - [query_id, country]
"""

from __future__ import annotations

from pathlib import Path

from hokusai.domain.schema import DataSchema
from hokusai.utils.files import write_atomically
from hokusai.utils.yaml_text import dump_yaml, read_yaml


def read_schema(path: str | Path) -> DataSchema:
    """The schema that a YAML file holds; JSON is YAML too.

    Raises:
        ConfigurationError: There is no such file, it is no YAML, or it says something that no schema can say.
    """
    content = read_yaml(Path(path), "schema", hint="Give the path of a YAML file.")
    return DataSchema.from_dict(content, where=str(path))


def write_schema(schema: DataSchema, path: str | Path) -> None:
    """Write a schema so that `read_schema` gives it back.

    Raises:
        InvalidInputError: The file cannot be written.
    """
    write_atomically(Path(path), dump_yaml(schema.to_dict()).encode())
