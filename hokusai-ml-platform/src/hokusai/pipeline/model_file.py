"""Models as bytes: written so that equal models have equal bytes, read so that no foreign code runs.

The format is skops, which stores a scikit-learn object as data and not as instructions. As skops writes it, a
file holds memory addresses and clock times; both are replaced here by what follows from the content alone, so
that the SHA-256 of a model is a fact about the model.

On reading, only classes that scikit-learn itself defines are accepted, besides what skops knows to be data: a
function inside a model file, or a class that scikit-learn merely imports (`pathlib.Path`, `functools.partial`), is
how such a file would run code. What this does not prevent: compiled predictors (trees, neighbours, libsvm) believe
their arrays, so that a forged file can still crash the step that asks it for a prediction.
"""

from __future__ import annotations

import importlib
import io
import json
import re
import zipfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hokusai.errors import DataError, HokusaiError, UntrustedModelError
from hokusai.utils.extras import require

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

SUFFIX = ".skops"
_SCHEMA = "schema.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip file can hold
_TRUSTED_ROOT = "sklearn."
_NO_MODELS = ("sklearn.utils.", "sklearn.datasets.", "sklearn.externals.")
_TRUSTED_DATA = (  # what imputers, ensembles and models of sparse rows keep: nothing that runs
    "numpy.dtype",
    "sklearn.utils._bunch.Bunch",
    *(f"scipy.sparse._{kind}.{kind}_{form}" for kind in ("csr", "csc") for form in ("matrix", "array")),
)
_ZIP_MAGIC = b"PK\x03\x04"
_PICKLES = (  # as pickle, joblib (bare or compressed) and NumPy write them
    b"\x80", b"\x93NUMPY", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"x\x01", b"x^", b"x\x9c", b"x\xda", b"ccopy_reg\n",
)  # fmt: skip
_ADDRESSES = ("_stop_words_id",)  # vectorizers keep where an object stood in memory: true of one process only
_UNPACKED_BYTES = 256 << 20
_UNPACKED_RATIO = 100


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
    if content.startswith(_PICKLES):
        raise UntrustedModelError(
            "The model file is a pickle, and loading a pickle runs whatever its author put into it",
            where=where,
            hint="Ask its author for a skops file: skops.io.dump(model, 'model.skops').",
        )
    if not content.startswith(_ZIP_MAGIC):
        raise DataError(
            "The model file is not a skops file", where=where, hint="Make one with skops.io.dump."
        )
    try:
        _refuse_bombs(content, where)
        types = skops_io.get_untrusted_types(data=content)
        if not trust:
            _refuse_untrusted(types, where)
        return skops_io.loads(content, trusted=types)
    except (HokusaiError, MemoryError):
        raise
    except Exception as problem:  # a damaged file fails in whatever way skops, zip or NumPy meet it
        raise DataError(
            f"The model file cannot be read: {type(problem).__name__}: {problem}",
            where=where,
            hint="It may be damaged, or made by another version of scikit-learn.",
        ) from problem


def _refuse_bombs(content: bytes, where: str) -> None:
    """A small file that unpacks to more than memory is no model."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
    if unpacked > max(_UNPACKED_BYTES, _UNPACKED_RATIO * len(content)):
        raise DataError(
            f"The model file of {len(content):,} bytes unpacks to {unpacked:,} bytes",
            where=where,
            hint="No model packs so well; ask its author what it is.",
        )


def _refuse_untrusted(types: list[str], where: str) -> None:
    refused = [name for name in types if not _is_trusted(name)]
    if refused:
        raise UntrustedModelError(
            f"The model file needs {', '.join(refused)}, which could run somebody else's code",
            where=where,
            hint="Only classes of scikit-learn are loaded from files, no functions and no other classes.",
        )


def _is_trusted(name: str) -> bool:
    """Whether `name` is a class (not a function) that scikit-learn defines, or plain data."""
    if name in _TRUSTED_DATA:
        return True
    if not name.startswith(_TRUSTED_ROOT) or name.startswith(_NO_MODELS):
        return False
    module, _, attribute = name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), attribute, None)
    except ImportError:
        return False
    return isinstance(found, type) and found.__module__ == module


def _canonical(archive: bytes) -> bytes:
    """The same skops file with ids numbered by first appearance, members in that order, and no times."""
    members = _unpacked(archive)
    numbers: dict[str, str] = {}
    schema = _renumber(json.loads(members.pop(_SCHEMA)), numbers)
    renamed = {name.replace(_stem(name), numbers[_stem(name)]): data for name, data in members.items()}
    order = sorted(renamed, key=lambda name: int(_stem(name)))
    return _packed({_SCHEMA: json.dumps(schema).encode(), **{name: renamed[name] for name in order}})


def _unpacked(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as source:
        return {name: source.read(name) for name in source.namelist()}


def _packed(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, date_time=_EPOCH)
            info.external_attr = 0o600 << 16
            target.writestr(info, _settled(name, content), zipfile.ZIP_DEFLATED, compresslevel=6)
    return out.getvalue()


def _settled(name: str, content: bytes) -> bytes:
    """An array's file without what memory or the clock left in it: padding of records, times of sparse matrices."""
    import numpy as np

    if name.endswith(".npz"):
        return _packed(_unpacked(content))
    if not name.endswith(".npy"):
        return content
    records = np.load(io.BytesIO(content), allow_pickle=False)
    if records.dtype.names is None:
        return content
    clean = np.zeros(records.shape, records.dtype)
    for field in records.dtype.names:
        clean[field] = records[field]
    out = io.BytesIO()
    np.save(out, clean, allow_pickle=False)
    return out.getvalue()


def _renumber(node: Any, numbers: dict[str, str]) -> Any:
    """`node` with every object id and every member name that carries one replaced by a small number.

    From 1, since skops takes an id of 0 for none. Plain values lose theirs: whether two equal ones are one object
    is an accident of the interpreter. Keys keep their order, which is that of the model's own dictionaries.
    """
    if isinstance(node, list):
        return [_renumber(item, numbers) for item in node]
    if not isinstance(node, dict):
        return node
    plain = node.get("__loader__") == "JsonNode"
    result: dict[str, Any] = {}
    for key, value in node.items():
        if key == "__id__" and not isinstance(value, dict):
            if not plain:
                result[key] = int(_number(str(value), numbers))
        elif key in _ADDRESSES and isinstance(value, dict):
            result[key] = _renumber({**value, "content": "null"}, numbers)
        elif key == "file" and isinstance(value, str):
            stem = _stem(value)
            result[key] = value.replace(stem, _number(stem, numbers))
        else:
            result[key] = _renumber(value, numbers)
    return result


def _number(name: str, numbers: dict[str, str]) -> str:
    return numbers.setdefault(name, str(len(numbers) + 1))


def _stem(member: str) -> str:
    return re.split(r"[.]", member, maxsplit=1)[0]
