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
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from hokusai.errors import DataError, HokusaiError, UntrustedModelError
from hokusai.utils.extras import require

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

SUFFIX = ".skops"
_SCHEMA = "schema.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip file can hold
_TRUSTED_ROOT = "sklearn."
_NO_MODELS = (
    "sklearn.utils.", "sklearn.datasets.", "sklearn.externals.", "sklearn.callback.", "sklearn.conftest.",
    "sklearn.tests.", "sklearn._build_utils.",
)  # fmt: skip
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
_SCHEMA_BYTES = 64 << 20  # a vocabulary of 150,000 words; each of its nodes takes over a kilobyte to read
_SEARCHED = ("param_grid", "param_distributions")  # parameters that a search sets on what it fits
_SIMPLE = (str, bytes, bool, int, float, complex, type(None))


def dump_model(model: BaseEstimator) -> bytes:
    """`model` as the bytes of a skops file; the same bytes for the same model, on any run.

    >>> from sklearn.linear_model import Ridge
    >>> dump_model(Ridge()) == dump_model(Ridge())
    True
    """
    skops_io = require("skops.io", "ml")
    return _canonical(skops_io.dumps(model))


def load_model(content: bytes, *, where: str, trust: bool = False, also: Collection[str] = ()) -> Any:
    """The model in the bytes of a skops file.

    Args:
        content: The file's bytes.
        where: The file's name, for errors.
        trust: Accept any type: only for bytes that this very run wrote.
        also: Import paths of classes of other libraries to accept.

    Raises:
        DataError: The bytes are not a skops file, or one that asks for more memory than there is.
        UntrustedModelError: The file needs types that could run somebody else's code, sets a parameter that
            reads files, or is a pickle.
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
            _refuse_untrusted(types, where, also)
        model = skops_io.loads(content, trusted=types)
        if not trust:
            _refuse_parameters(model, where)
        return model
    except HokusaiError:
        raise
    except MemoryError as problem:  # an array's header can claim any size, and trying again asks for it again
        raise DataError(
            f"The model file needs more memory than there is: {problem}",
            where=where,
            hint="Its arrays may claim to be larger than they are; ask its author what it is.",
        ) from problem
    except Exception as problem:  # a damaged file fails in whatever way skops, zip or NumPy meet it
        raise DataError(
            f"The model file cannot be read: {type(problem).__name__}: {problem}",
            where=where,
            hint="It may be damaged, or made by another version of scikit-learn.",
        ) from problem


def root_type(content: bytes) -> str:
    """The import path of the class of the object in a skops file, read without loading it; empty if there is none."""
    try:
        schema = read_schema(content)
    except DataError:
        return ""
    told = schema if isinstance(schema, dict) else {}
    module, name = told.get("__module__"), told.get("__class__")
    return f"{module}.{name}" if isinstance(module, str) and isinstance(name, str) else ""


def read_schema(content: bytes) -> Any:
    """The description of the object in a skops file, as JSON values.

    Raises:
        DataError: It is no skops file, or its description is too long.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _refuse_long(archive.getinfo(_SCHEMA).file_size, _SCHEMA)
            return json.loads(archive.read(_SCHEMA))
    except DataError:
        raise
    except Exception as problem:  # a damaged file fails in whatever way zip or JSON meet it
        raise DataError(
            f"The description in the model file cannot be read: {type(problem).__name__}: {problem}",
            where=_SCHEMA,
        ) from problem


def check_loads(content: bytes, model: object, *, where: str, also: Collection[str] = ()) -> None:
    """Refuse, before it is stored, what `load_model` would not load again.

    Args:
        content: What `dump_model` made of `model`.
        model: The model.
        where: Its name, for errors.
        also: As for `load_model`.

    Raises:
        UntrustedModelError: It needs other classes or functions, or sets a parameter that reads files.
        DataError: It would unpack to too much.
    """
    skops_io = require("skops.io", "ml")
    _refuse_bombs(content, where)
    _refuse_untrusted(skops_io.get_untrusted_types(data=content), where, also)
    _refuse_parameters(model, where)


def _refuse_bombs(content: bytes, where: str) -> None:
    """A small file that unpacks to more than memory is no model."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        unpacked = _total_bytes(archive)
        schema = archive.getinfo(_SCHEMA).file_size
        _refuse_size(unpacked, len(content), where)
        for member in archive.namelist():
            if member.endswith(".npz"):  # a sparse matrix is a zip file again
                packed = archive.read(member)
                with zipfile.ZipFile(io.BytesIO(packed)) as inner:
                    unpacked += _total_bytes(inner)
    _refuse_size(unpacked, len(content), where)
    _refuse_long(schema, where)


def _refuse_long(schema: int, where: str) -> None:
    if schema > _SCHEMA_BYTES:
        raise DataError(
            f"The model file's description is {schema:,} bytes long, more than {_SCHEMA_BYTES:,}",
            where=where,
            hint="Train a smaller model: fewer words, or fewer trees.",
        )


def _total_bytes(archive: zipfile.ZipFile) -> int:
    return sum(member.file_size for member in archive.infolist())


def _refuse_size(unpacked: int, packed: int, where: str) -> None:
    if unpacked > max(_UNPACKED_BYTES, _UNPACKED_RATIO * packed):
        raise DataError(
            f"The model file of {packed:,} bytes unpacks to {unpacked:,} bytes",
            where=where,
            hint="No model packs so well; ask its author what it is.",
        )


def _refuse_untrusted(types: list[str], where: str, also: Collection[str] = ()) -> None:
    refused = [name for name in types if name not in also and not _is_trusted(name)]
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
    if not name.startswith(_TRUSTED_ROOT) or name.startswith(_NO_MODELS) or ".tests." in name:
        return False
    module, _, attribute = name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), attribute, None)
    except ImportError:
        return False
    return isinstance(found, type) and found.__module__ == module


def _refuse_parameters(model: object, where: str) -> None:
    """No part of the model, however deep, may hold a parameter by which scikit-learn reads or runs a file.

    Only looks: into attributes, containers and arrays of objects, without calling what the file has made.
    """
    seen: set[tuple[int, bool]] = set()
    rest: list[tuple[object, bool]] = [(model, False)]
    while rest:
        part, searched = rest.pop()
        if isinstance(part, _SIMPLE) or (id(part), searched) in seen:
            continue
        seen.add((id(part), searched))
        if isinstance(part, type):
            if part.__module__.startswith(_TRUSTED_ROOT):
                raise _parameter_error(f"holds the class {part.__name__} where a value belongs", where)
            continue
        if searched and isinstance(part, dict):
            for name in dict.keys(part):
                if _last_word(name) in _HARMLESS:
                    raise _parameter_error(f"searches over the parameter {name!r}", where)
        attributes = _attributes(part)
        for name, value in attributes.items():
            harmless = _HARMLESS.get(_last_word(name))
            if harmless is not None and not harmless(value):
                shown = (
                    repr(value)[:80] if isinstance(value, _SIMPLE) else f"an object ({type(value).__name__})"
                )
                raise _parameter_error(f"sets {name} of {type(part).__name__} to {shown}", where)
            rest.append((value, _last_word(name) in _SEARCHED))
        rest.extend((item, searched) for item in _items(part))


def _parameter_error(what: str, where: str) -> UntrustedModelError:
    return UntrustedModelError(
        f"The model file {what}, by which files could be read or run where the model is used",
        where=where,
        hint="Ask its author for a model without it: memory=None, input='content', pre_dispatch='2*n_jobs'.",
    )


def _attributes(part: object) -> dict[str, object]:
    """The instance's own attributes, past any `__getattr__`."""
    try:
        found = object.__getattribute__(part, "__dict__")
    except AttributeError:
        return {}
    return {name: value for name, value in found.items() if isinstance(name, str)}


def _items(part: object) -> Iterable[object]:
    """What a container or an array of objects holds."""
    import numpy as np

    if isinstance(part, dict):
        return [*dict.keys(part), *dict.values(part)]
    if isinstance(part, list | tuple | set | frozenset):
        return list(part)
    if isinstance(part, np.ndarray) and part.dtype.hasobject:
        held = np.asarray(part).ravel().tolist()
        return [item for record in held for item in (record if isinstance(record, tuple) else (record,))]
    return ()


def _last_word(name: object) -> str:
    """`memory` of `final__steps__memory`, as `set_params` reads it."""
    return name.rpartition("__")[2] if isinstance(name, str) else ""


def _dispatches(value: object) -> bool:
    """joblib works out a text here; old versions did so with `eval`."""
    return (
        value is None
        or isinstance(value, int)
        or (
            isinstance(value, str)
            and re.fullmatch(r"all|([0-9]{1,3} ?\* ?)?n_jobs|[0-9]{1,6}", value) is not None
        )
    )


_HARMLESS: Mapping[str, Callable[[object], bool]] = {
    "memory": lambda value: value is None,  # joblib unpickles what it finds in its folder
    "input": lambda value: (
        isinstance(value, str) and value == "content"
    ),  # or cells of data name files to read
    "pre_dispatch": _dispatches,
}
"""The parameters of scikit-learn that touch files or evaluate text, and which of their values do neither."""


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
