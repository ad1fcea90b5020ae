"""A registered version of a model, and the tags in which all that is known of it is written down.

MLflow is the one truth about models, so every fact is a tag of the version's row. A `ModelRecord` is that row with
its tags read as what they mean; `ModelFacts` is what is claimed when a version is registered, and becomes tags.
Nothing else spells these tags.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from hokusai.domain.canonical import canonical_json, parse_json
from hokusai.domain.identifiers import WalletAddress
from hokusai.domain.tokens import TOKEN_TAGS, TokenBenchmark
from hokusai.domain.versions import ModelId, SemanticVersion
from hokusai.errors import HokusaiError, IntegrityError, InvalidInputError, MetricError

SEMVER = "hokusai.semver"
BUILD = "hokusai.build"
SHA256 = "hokusai.sha256"
FILES = "hokusai.files"
SIZE = "hokusai.size_bytes"
FORMAT = "hokusai.format"
MODEL_TYPE = "hokusai.model_type"
SIGNATURE = "hokusai.signature"
PARAMS = "hokusai.params"
METRICS = "hokusai.metrics"
METADATA = "hokusai.metadata"
BASELINE = "hokusai.is_baseline"
PARENT = "hokusai.parent"
CONTRIBUTOR = "hokusai.contributor"
CONTRIBUTION = "hokusai.contribution"
DELTA = "hokusai.delta"
ACTOR = "hokusai.registered_by"
DEPRECATED = "hokusai.deprecated"
DELETED = "hokusai.deleted"
RESERVED_PREFIX = "hokusai."
_TAG_LENGTH = 100_000  # MLflow's limit
_DIGITS = 18  # of a number of bytes
_ACTOR_LENGTH, _REASON_LENGTH = 200, 2000


@dataclass(frozen=True, slots=True)
class StoredModel:
    """What the bytes of a stored model are.

    Attributes:
        sha256: Digest of the model's file; where it has several, of the canonical JSON of `files`.
        files: Path within the artefact to SHA-256, of every stored file.
        size_bytes: All files together.
        format: How it is serialised: `skops`, `cloudpickle`, `onnx`, …
        model_type: Import path of the model's class.
        signature: MLflow's signature as a dict (`inputs`, `outputs`, `params`), if known.
        params: The model's hyper-parameters, JSON values.
    """

    sha256: str
    files: Mapping[str, str]
    size_bytes: int
    format: str
    model_type: str
    signature: Mapping[str, Any] | None = None
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What is claimed about a version when it is registered; `tags()` is how it is stored."""

    version: SemanticVersion
    stored: StoredModel
    metrics: Mapping[str, float] = field(default_factory=dict)
    is_baseline: bool = False
    parent: ModelId | None = None
    contributor: WalletAddress | None = None
    contribution: Mapping[str, Any] = field(default_factory=dict)
    delta: Mapping[str, float] = field(default_factory=dict)
    token: TokenBenchmark | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    actor: str = ""
    tags_given: Mapping[str, str] = field(default_factory=dict)

    def tags(self) -> dict[str, str]:
        """Every fact as a tag; what is required goes before what was given besides.

        Raises:
            InvalidInputError: A given tag has a name of ours, or a fact is too long to be stored.
        """
        stored = self.stored
        tags = {
            **check_tags(self.tags_given),
            SEMVER: self.version.key,
            BUILD: self.version.build,
            SHA256: stored.sha256,
            FILES: _json(dict(stored.files), FILES),
            SIZE: str(stored.size_bytes),
            FORMAT: stored.format,
            MODEL_TYPE: stored.model_type,
            SIGNATURE: _json(stored.signature, SIGNATURE) if stored.signature else "",
            PARAMS: _json(dict(stored.params), PARAMS) if stored.params else "",
            METRICS: _json(check_metrics(self.metrics), METRICS) if self.metrics else "",
            METADATA: _json(dict(self.metadata), METADATA) if self.metadata else "",
            BASELINE: "true" if self.is_baseline else "",
            PARENT: str(self.parent or ""),
            CONTRIBUTOR: str(self.contributor or ""),
            CONTRIBUTION: _json(dict(self.contribution), CONTRIBUTION) if self.contribution else "",
            DELTA: _json(check_metrics(self.delta), DELTA) if self.delta else "",
            ACTOR: self.actor,
            **(self.token.tags() if self.token else {}),
        }
        for name, value in tags.items():
            if len(value) > _TAG_LENGTH:
                raise InvalidInputError(
                    f"{name} takes {len(value):,} characters, and at most {_TAG_LENGTH:,} can be stored",
                    where=name,
                )
        return {name: value for name, value in tags.items() if value or not name.startswith(RESERVED_PREFIX)}


@dataclass(frozen=True)
class ModelRecord:
    """One version of a model as MLflow has it; facts are read from `tags` when they are asked for.

    Attributes:
        name: The registered model's name.
        number: MLflow's number of the version: 1, 2, ….
        source: Where the artefact is, as MLflow has it.
        run_id: The run that made it, if any.
        tags: All tags of the version.
        created_ms, updated_ms: Milliseconds since the epoch, UTC.
        description: Text for people.
    """

    name: str
    number: int
    source: str = ""
    run_id: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    created_ms: int = 0
    updated_ms: int = 0
    description: str = ""

    @cached_property
    def version(self) -> SemanticVersion | None:
        """The semantic version; None for a version that was registered without one."""
        if SEMVER not in self.tags:
            return None
        build = self.tags.get(BUILD, "")
        try:
            return SemanticVersion.parse(self.tags[SEMVER] + (f"+{build}" if build else ""))
        except InvalidInputError:
            return None  # somebody else's tag; the version is then known by its number

    @cached_property
    def model_id(self) -> str:
        """`name/1.2.0`, or `name/3` where there is no semantic version."""
        return f"{self.name}/{self.version or self.number}"

    @property
    def created_at(self) -> datetime:
        """When it was registered, UTC."""
        return datetime.fromtimestamp(self.created_ms / 1000, UTC)

    @cached_property
    def stored(self) -> StoredModel | None:
        """What the stored bytes are; None where they were registered without a digest.

        Raises:
            IntegrityError: The tags that say so cannot be read.
        """
        if SHA256 not in self.tags:
            return None
        return StoredModel(
            sha256=self.tags[SHA256],
            files=self._object(FILES),
            size_bytes=self._whole_number(SIZE),
            format=self.tags.get(FORMAT, ""),
            model_type=self.tags.get(MODEL_TYPE, ""),
            signature=self._object(SIGNATURE) or None,
            params=self._object(PARAMS),
        )

    @property
    def sha256(self) -> str | None:
        """Digest of the model's bytes."""
        return self.tags.get(SHA256)

    @property
    def model_type(self) -> str:
        """Import path of the model's class, or the type it was registered under."""
        return self.tags.get(MODEL_TYPE, "")

    @cached_property
    def metrics(self) -> Mapping[str, float]:
        """Metric name to value, as given at registration.

        Raises:
            IntegrityError: Somebody wrote something else there.
        """
        return self._numbers(METRICS)

    @cached_property
    def metadata(self) -> Mapping[str, Any]:
        """What else was given at registration."""
        return self._object(METADATA)

    @property
    def is_baseline(self) -> bool:
        """Whether it was registered as a baseline."""
        return self.tags.get(BASELINE) == "true"

    @property
    def parent_id(self) -> str | None:
        """The model id of what this improves on."""
        return self.tags.get(PARENT)

    @cached_property
    def contributor(self) -> WalletAddress | None:
        """Whose data made the improvement.

        Raises:
            IntegrityError: Somebody wrote what is no id of anybody.
        """
        try:
            return WalletAddress.parse(self.tags[CONTRIBUTOR]) if self.tags.get(CONTRIBUTOR) else None
        except InvalidInputError as problem:
            raise self._changed(CONTRIBUTOR, "address") from problem

    @cached_property
    def contribution(self) -> Mapping[str, Any]:
        """What was contributed, as given."""
        return self._object(CONTRIBUTION)

    @cached_property
    def delta(self) -> Mapping[str, float]:
        """Change of each metric against the parent, new minus old."""
        return self._numbers(DELTA)

    @cached_property
    def token(self) -> TokenBenchmark | None:
        """The token it belongs to.

        Raises:
            InvalidInputError: The required tags are incomplete or cannot be used.
        """
        return TokenBenchmark.from_tags(self.tags)

    @property
    def actor(self) -> str:
        """Who registered it."""
        return self.tags.get(ACTOR, "")

    @property
    def deprecated(self) -> str | None:
        """Why it should not be used any more; None if it may be."""
        return self.tags.get(DEPRECATED)

    @property
    def deleted(self) -> str | None:
        """Why it was deleted; None if it was not."""
        return self.tags.get(DELETED)

    @property
    def free_tags(self) -> dict[str, str]:
        """The tags that are neither Hokusai's facts nor the token's."""
        return {
            name: value
            for name, value in self.tags.items()
            if not name.startswith(RESERVED_PREFIX) and name not in TOKEN_TAGS
        }

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON values. What somebody made unreadable is left out, and `faults` says so."""
        faults: list[str] = []

        def read(what: str) -> Any:
            try:
                return getattr(self, what)
            except HokusaiError as problem:
                faults.append(problem.what)
                return None

        stored, token, contributor = read("stored"), read("token"), read("contributor")
        return {
            "model_id": self.model_id,
            "name": self.name,
            "version": str(self.version) if self.version else None,
            "mlflow_version": self.number,
            "created_at": self.created_at.isoformat(),
            "registered_by": self.actor or None,
            "description": self.description or None,
            "model_type": self.model_type or None,
            "format": stored.format if stored else None,
            "sha256": self.sha256,
            "size_bytes": stored.size_bytes if stored else None,
            "files": dict(stored.files) if stored else None,
            "signature": stored.signature if stored else None,
            "params": dict(stored.params) if stored else {},
            "metrics": dict(read("metrics") or {}),
            "is_baseline": self.is_baseline,
            "parent": self.parent_id,
            "contributor": str(contributor) if contributor else None,
            "contribution": dict(read("contribution") or {}),
            "delta": dict(read("delta") or {}),
            "token_id": token.token_id if token else None,
            "benchmark_metric": token.metric if token else None,
            "benchmark_value": token.value if token else None,
            "deprecated": self.deprecated,
            "deleted": self.deleted,
            "metadata": dict(read("metadata") or {}),
            "tags": self.free_tags,
            "source": self.source,
            "run_id": self.run_id,
            **({"faults": faults} if faults else {}),
        }

    def __repr__(self) -> str:
        parts = [self.model_id, self.model_type.rpartition(".")[2]]
        try:
            parts += [f"{name}={value:g}" for name, value in list(self.metrics.items())[:3]]
        except IntegrityError:
            parts.append("unreadable metrics")
        parts += [word for word, on in (("deprecated", self.deprecated), ("deleted", self.deleted)) if on]
        return f"<ModelRecord {' '.join(part for part in parts if part)}>"

    def _object(self, tag: str) -> dict[str, Any]:
        text = self.tags.get(tag, "")
        if not text:
            return {}
        try:
            value = parse_json(text.encode())
        except ValueError:  # InvalidInputError too
            value = None
        if not isinstance(value, dict):
            raise self._changed(tag, "JSON")
        return value

    def _numbers(self, tag: str) -> dict[str, float]:
        try:
            return check_metrics(self._object(tag))
        except MetricError as problem:
            raise self._changed(tag, "numbers") from problem

    def _whole_number(self, tag: str) -> int:
        text = self.tags.get(tag) or "0"
        if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS):
            raise self._changed(tag, "number")
        return int(text)

    def _changed(self, tag: str, kind: str) -> IntegrityError:
        return IntegrityError(
            f"The tag {tag} of {self.name} version {self.number} is not the {kind} that Hokusai wrote",
            where=self.model_id,
            hint="Somebody changed it in MLflow; set it back, or register the model again.",
        )


def check_metrics(metrics: Mapping[str, float]) -> dict[str, float]:
    """`metrics` as plain floats.

    Raises:
        MetricError: A name is empty or no text, or a value is no finite number.
    """
    if not isinstance(metrics, Mapping):
        raise MetricError(f"Metrics are {type(metrics).__name__}, and a dict of name to number was expected")
    checked: dict[str, float] = {}
    for name, value in metrics.items():
        if not isinstance(name, str) or not name.strip():
            raise MetricError(f"A metric's name is {name!r}", where="metrics", hint="Give it a name.")
        try:
            number = float("text" if isinstance(value, bool | str | bytes | bytearray) else value)
        except (TypeError, ValueError):
            raise MetricError(f"The metric {name!r} is {value!r}, which is not a number") from None
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise MetricError(
                f"The metric {name!r} is {number}",
                where="metrics",
                hint="Only finite numbers can be compared; leave out what could not be measured.",
            )
        checked[name] = number
    return checked


def check_text(text: str, where: str, limit: int = _TAG_LENGTH) -> str:
    """`text`, which must be text that every store can keep.

    Raises:
        InvalidInputError: It is no text, too long, or has a character that cannot be stored.
    """
    if not isinstance(text, str):
        raise InvalidInputError(f"{where} is {type(text).__name__}, and text was expected", where=where)
    if len(text) > limit:
        raise InvalidInputError(
            f"{where} has {len(text):,} characters, and at most {limit:,} can be stored", where=where
        )
    if "\0" in text or not _is_unicode(text):
        raise InvalidInputError(
            f"{where} has a character that cannot be stored: {text[:60]!r}",
            where=where,
            hint="Leave out the character 0, and halves of pairs.",
        )
    return text


def check_actor(name: str) -> str:
    """`name`, which must be one that can stand in the audit trail.

    Raises:
        InvalidInputError: It cannot.
    """
    if not check_text(name, "actor", _ACTOR_LENGTH).strip() or not name.isprintable():
        raise InvalidInputError(f"The actor is {name!r}, and a name was expected", where="actor")
    return name


def check_reason(reason: str) -> str:
    """`reason`, which must be text that can stand in the history of a model.

    Raises:
        InvalidInputError: It cannot.
    """
    return check_text(reason, "reason", _REASON_LENGTH)


def check_tags(tags: Mapping[str, Any]) -> dict[str, str]:
    """`tags` that a caller may set, values as text.

    Raises:
        InvalidInputError: A name begins with the prefix of Hokusai's own facts, or cannot be stored.
    """
    if not isinstance(tags, Mapping):
        raise InvalidInputError(f"Tags are {type(tags).__name__}, and a dict was expected", where="tags")
    for name, value in tags.items():
        if not isinstance(name, str) or not name.strip() or len(name) > 250:
            raise InvalidInputError(f"A tag's name is {str(name)[:60]!r}", where="tags")
        if not all(char.isalnum() or char in "_-. :/" for char in name) or not name.isascii():
            raise InvalidInputError(
                f"A tag cannot be called {name!r}",
                where="tags",
                hint="Use letters, digits, blanks and _ - . : /",
            )
        if name.startswith(RESERVED_PREFIX):
            raise InvalidInputError(
                f"The tag {name!r} is Hokusai's own and cannot be set by hand",
                where="tags",
                hint=f"Use a name that does not begin with {RESERVED_PREFIX!r}.",
            )
        if value is None or isinstance(value, bytes | bytearray | dict | list | tuple | set):
            raise InvalidInputError(
                f"The tag {name!r} is {type(value).__name__}, and text was expected", where="tags"
            )
    return {name: check_text(str(value), f"The tag {name!r}") for name, value in tags.items()}


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _json(value: object, tag: str) -> str:
    try:
        return canonical_json(value).decode()
    except InvalidInputError as problem:
        raise InvalidInputError(
            f"{problem.what}", where=f"{tag.removeprefix(RESERVED_PREFIX)} {problem.where}"
        ) from problem
