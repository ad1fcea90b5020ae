"""Models as bytes: written so that equal models have equal bytes, read so that no foreign code runs.

The format is skops, which stores a scikit-learn object as data and not as instructions. As skops writes it, a
file holds memory addresses and clock times; both are replaced here by what follows from the content alone, so
that the SHA-256 of a model is a fact about the model.

On reading, only types of scikit-learn, NumPy and SciPy are accepted, and of those only classes: a function
inside a model file is how such a file would run code.
"""

from __future__ import annotations

import importlib
import io
import json
import re
import zipfile
from typing import TYPE_CHECKING, Any

from hokusai.errors import DataError, UntrustedModelError
from hokusai.utils.extras import require

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

SUFFIX = ".skops"
_SCHEMA = "schema.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip file can hold
_TRUSTED_ROOTS = ("sklearn.",)
_ZIP_MAGIC = b"PK\x03\x04"


def dump_model(model: BaseEstimator) -> bytes:
    """`model` as the bytes of a skops file; the same bytes for the same model, on any run.

    >>> from sklearn.linear_model import Ridge
    >>> dump_model(Ridge()) == dump_model(Ridge())
    True
    """
    skops_io = require("skops.io", "ml")
    return _canonical(skops_io.dumps(model))


def load_model(content: bytes, *, where: str, trust: bool = False) -> Any:
    """The model in the bytes of a skops file.

    Args:
        content: The file's bytes.
        where: The file's name, for errors.
        trust: Accept any type: only for bytes that this very run wrote.

    Raises:
        DataError: The bytes are not a skops file.
        UntrustedModelError: The file needs types that could run somebody else's code, or it is a pickle.
    """
    skops_io = require("skops.io", "ml")
    if content[:1] == b"\x80" or content[:2] == b"\x1f\x8b" or content[:4] == b"\x93NUM":
        raise UntrustedModelError(
            "The model file is a pickle, and loading a pickle runs whatever its author put into it",
            where=where,
            hint="Ask its author for a skops file: skops.io.dump(model, 'model.skops').",
        )
    if content[:4] != _ZIP_MAGIC:
        raise DataError("The model file is not a skops file", where=where, hint="Make one with skops.io.dump.")
    try:
        types = skops_io.get_untrusted_types(data=content)
        refused = [] if trust else [name for name in types if not _is_trusted_class(name)]
        if refused:
            raise UntrustedModelError(
                f"The model file needs {', '.join(sorted(refused))}, which is not on the list of safe types",
                where=where,
                hint="Only classes of scikit-learn are loaded from files.",
            )
        return skops_io.loads(content, trusted=types)
    except (KeyError, ValueError, TypeError, AttributeError, zipfile.BadZipFile) as problem:
        raise DataError(
            f"The model file cannot be read: {problem}",
            where=where,
            hint="It may be damaged, or made by another version of scikit-learn.",
        ) from problem


def _is_trusted_class(name: str) -> bool:
    """Whether `name` is a class (not a function) of a library that we trust."""
    if not name.startswith(_TRUSTED_ROOTS):
        return False
    module, _, attribute = name.rpartition(".")
    try:
        return isinstance(getattr(importlib.import_module(module), attribute, None), type)
    except ImportError:
        return False


def _canonical(archive: bytes) -> bytes:
    """The same skops file with ids numbered by first appearance, members in that order, and no times."""
    with zipfile.ZipFile(io.BytesIO(archive)) as source:
        members = {name: source.read(name) for name in source.namelist()}
    numbers: dict[str, str] = {}
    schema = json.loads(members.pop(_SCHEMA))
    renamed = _renumber(schema, numbers)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as target:
        _add(target, _SCHEMA, json.dumps(renamed, sort_keys=True).encode())
        for old in sorted(members, key=lambda name: int(numbers[_stem(name)])):
            _add(target, old.replace(_stem(old), numbers[_stem(old)]), members[old])
    return out.getvalue()


def _renumber(node: Any, numbers: dict[str, str]) -> Any:
    """`node` with every object id and every member name that carries one replaced by a small number."""
    if isinstance(node, list):
        return [_renumber(item, numbers) for item in node]
    if not isinstance(node, dict):
        return node
    result = {}
    for key, value in node.items():
        if key == "__id__":
            result[key] = int(numbers.setdefault(str(value), str(len(numbers))))
        elif key == "file" and isinstance(value, str):
            stem = _stem(value)
            result[key] = value.replace(stem, numbers.setdefault(stem, str(len(numbers))))
        else:
            result[key] = _renumber(value, numbers)
    return result


def _stem(member: str) -> str:
    return re.split(r"[.]", member, maxsplit=1)[0]


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name, date_time=_EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o600 << 16
    archive.writestr(info, content)
