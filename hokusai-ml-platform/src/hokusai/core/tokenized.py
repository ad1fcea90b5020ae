"""Models of Hokusai tokens, as the registry's callers see them; and models that others logged to MLflow."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hokusai.domain.canonical import canonical_json
from hokusai.domain.records import (
    FILES,
    FORMAT,
    MODEL_TYPE,
    RESERVED_PREFIX,
    SHA256,
    SIZE,
    ModelRecord,
    StoredModel,
)
from hokusai.domain.tokens import METRIC_TAG, TOKEN_TAG, TOKEN_TAGS, VALUE_TAG, TokenBenchmark
from hokusai.errors import HokusaiError, InvalidInputError, NotFoundError
from hokusai.ports import ModelStore
from hokusai.utils.logging import get_logger

_RUN = re.compile(r"runs:/+(?P<run>[^/]+)/.+")

_log = get_logger(__name__)


def told(record: ModelRecord) -> dict[str, Any]:
    """A tokenized model in the shape that the specification fixes.

    Raises:
        InvalidInputError: It has no token, or its tags are incomplete.
    """
    token = record.token
    if token is None:
        raise InvalidInputError(
            f"{record.model_id} belongs to no token: the tag {TOKEN_TAG!r} is missing",
            where=record.model_id,
            hint=f"Set {', '.join(TOKEN_TAGS)} with update_model_tags.",
        )
    return {
        "model_name": record.name,
        "version": str(record.number),
        "model_id": record.model_id,
        "token_id": token.token_id,
        "metric_name": token.metric,
        "baseline_value": token.value,
        "tags": {name: value for name, value in record.tags.items() if not name.startswith(RESERVED_PREFIX)},
    }


def told_all(records: Iterable[ModelRecord], token_id: str) -> list[dict[str, Any]]:
    """All that can be told; the others are named in a warning."""
    found, unusable = [], []
    for record in records:
        try:
            found.append(told(record))
        except HokusaiError as problem:
            unusable.append(f"{record.model_id}: {problem}")
    if unusable:
        _log.warning("Models of this token have tags that cannot be used", token=token_id, models=unusable)
    return found


def without_required(tags: Mapping[str, Any]) -> dict[str, Any]:
    """`tags` without those that a token requires: what is required is given by arguments of its own."""
    if not isinstance(tags, Mapping):
        raise InvalidInputError(
            f"additional_tags is {type(tags).__name__}, and a dict was expected", where="additional_tags"
        )
    dropped = [name for name in TOKEN_TAGS if name in tags]
    if dropped:
        _log.warning("Required tags are not taken from additional_tags", tags=dropped)
    return {name: value for name, value in tags.items() if name not in TOKEN_TAGS}


def tag_changes(record: ModelRecord, tags: Mapping[str, str], remove: Sequence[str]) -> dict[str, str | None]:
    """What `tags` and `remove` change of a version, checked as a whole.

    Raises:
        InvalidInputError: A tag is Hokusai's own, or those that a token requires would become unusable.
    """
    if isinstance(remove, str) or not all(isinstance(name, str) for name in remove):
        raise InvalidInputError(f"remove is {remove!r}, and a list of tags was expected", where="remove")
    own = [name for name in remove if name.startswith(RESERVED_PREFIX)]
    if own:
        raise InvalidInputError(f"The tag {own[0]!r} is Hokusai's own and cannot be removed", where="tags")
    after = {name: value for name, value in {**record.tags, **tags}.items() if name not in remove}
    touched = set(TOKEN_TAGS) & ({*tags} | {*remove})
    if touched and not set(TOKEN_TAGS).isdisjoint(after):
        if TOKEN_TAG not in after:
            raise InvalidInputError(
                f"{METRIC_TAG} and {VALUE_TAG} need a token, and {TOKEN_TAG} is missing", where=TOKEN_TAG
            )
        TokenBenchmark.from_tags(after)
    gone: dict[str, str | None] = {name: None for name in remove if name in record.tags}
    return {**{name: value for name, value in tags.items() if record.tags.get(name) != value}, **gone}


def run_of(model_uri: str) -> str | None:
    """The run in `runs:/id/path`."""
    match = _RUN.fullmatch(model_uri)
    return match["run"] if match else None


def fetched(store: ModelStore, model_uri: str, folder: Path) -> tuple[dict[str, bytes | Path], StoredModel]:
    """The files of a logged model, fetched into `folder`, and what they are.

    Raises:
        InvalidInputError: This is no URI of a model.
        NotFoundError: Nothing is stored there.
    """
    from hokusai.core.models.packing import describe

    if not isinstance(model_uri, str) or not model_uri.strip():
        raise InvalidInputError(
            f"model_uri is {model_uri!r}", where="model_uri", hint="Give runs:/id/path or models:/name/1."
        )
    try:
        store.fetch(model_uri, folder)
    except HokusaiError:
        raise
    except ValueError as problem:  # what MLflow says of an address that it cannot make anything of
        raise InvalidInputError(
            f"No model can be fetched from there: {problem}",
            where="model_uri",
            hint="Give runs:/id/path, models:/name/1, a folder or s3://bucket/path.",
        ) from problem
    files: dict[str, bytes | Path] = {
        path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()
    }
    if not files:
        raise NotFoundError("Nothing is stored there", where=model_uri, hint="Check the run and the path.")
    return files, describe(folder)


def described(record: ModelRecord, folder: Path) -> ModelRecord:
    """`record` with a description of its files, where it was registered by others and has none."""
    from hokusai.core.models.packing import describe

    if record.stored is not None:
        return record
    found = describe(folder)
    tags = {
        SHA256: found.sha256,
        FILES: canonical_json(dict(found.files)).decode(),
        SIZE: str(found.size_bytes),
        FORMAT: found.format,
        MODEL_TYPE: found.model_type,
    }
    return replace(record, tags={**record.tags, **tags})
