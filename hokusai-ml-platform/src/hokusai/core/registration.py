"""How a version comes into being: checked, stored, claimed, written down, in that order.

All checks are done before anything is stored. Files come first and are found by nobody; one row with every fact is
the registration; the audit entry follows. Wherever a process dies, there is a whole version or none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict

from hokusai.core import claims
from hokusai.core.catalog import Catalog
from hokusai.core.promotion import board_key
from hokusai.core.stage_log import StageLog
from hokusai.domain.audit import Happening
from hokusai.domain.identifiers import WalletAddress
from hokusai.domain.metrics import ALIASES
from hokusai.domain.records import CONTRIBUTOR, FILES, ModelFacts, ModelRecord, StoredModel
from hokusai.domain.tokens import TokenBenchmark
from hokusai.domain.versions import ModelId, SemanticVersion, latest
from hokusai.errors import BackendUnavailableError, ConflictError, InvalidInputError, NotFoundError
from hokusai.ports import Ledger, ModelStore, Page
from hokusai.utils.logging import get_logger

REGISTERED = "model.registered"
"""The audit entry that says: the model was in memory here, and these are its bytes. Only such bytes are trusted."""
REGISTERED_FROM_URI = "model.registered_from_uri"
"""The same for files that somebody else had put where they were found."""

_FIRST = SemanticVersion(1, 0, 0)
_ATTEMPTS = 20

_log = get_logger(__name__)


class FactsGiven(TypedDict, total=False):
    """What may be given besides, wherever a model is registered; see `ModelRegistry.register`."""

    params: Mapping[str, Any] | None
    signature: object
    input_example: object
    metadata: Mapping[str, Any] | None
    tags: Mapping[str, Any] | None
    token: TokenBenchmark | None
    description: str
    run_id: str | None


@dataclass(frozen=True, slots=True)
class Registration:
    """What a registration did.

    Attributes:
        record: The version as it is registered.
        created: Whether it was registered now; False where the same content was there already.
    """

    record: ModelRecord
    created: bool

    @property
    def model_id(self) -> str:
        """`name/version`."""
        return self.record.model_id


@dataclass(frozen=True, slots=True)
class Claim:
    """What is to be registered, before a version is found and claimed for it.

    Attributes:
        name: The model.
        files: Path within the artefact to content.
        stored: What the files are.
        version: The version; None takes the next one.
        vouched: Whether the files were made here from a model in memory.
        Others as in `ModelFacts` and `ModelRegistry.register`.
    """

    name: str
    files: Mapping[str, bytes | Path]
    stored: StoredModel
    version: SemanticVersion | None = None
    vouched: bool = True
    metrics: Mapping[str, float] = field(default_factory=dict)
    is_baseline: bool = False
    parent: ModelRecord | None = None
    contributor: WalletAddress | None = None
    contribution: Mapping[str, Any] = field(default_factory=dict)
    delta: Mapping[str, float] = field(default_factory=dict)
    token: TokenBenchmark | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    run_id: str | None = None

    def facts(self, version: SemanticVersion, actor: str) -> ModelFacts:
        """All that is claimed about `version`."""
        return ModelFacts(
            version=version,
            stored=self.stored,
            metrics=self.metrics,
            is_baseline=self.is_baseline,
            parent=ModelId.parse(self.parent.model_id) if self.parent else None,
            contributor=self.contributor,
            contribution=self.contribution,
            delta=self.delta or _delta(self.parent, self.metrics),
            token=self.token,
            metadata=self.metadata,
            actor=actor,
            tags_given=self.tags,
        )


class Registrar:
    """Registers claims, one after another, whoever else is registering.

    Args:
        store: Where models are.
        ledger: Where the trail and the index are.
        catalog: Finds what is there.
        stages: Knows what is deleted.
        actor: Who registers.
        note: Writes to the trail and the index.
    """

    def __init__(
        self,
        store: ModelStore,
        ledger: Ledger,
        catalog: Catalog,
        stages: StageLog,
        actor: str,
        note: Callable[[Happening, Sequence[ModelRecord]], None],
    ) -> None:
        self._store, self._ledger, self._catalog, self._stages = store, ledger, catalog, stages
        self._actor, self._note = actor, note

    def register(self, claim: Claim) -> Registration:
        """Make `claim` a version, or find that it is one.

        Raises:
            ConflictError: Another content, or other facts, are registered under this version.
            BackendUnavailableError: A store failed; the text says whether the version is registered.
        """
        for _ in range(_ATTEMPTS):
            version = claim.version or self._next_version(claim.name)
            facts = claim.facts(version, self._actor)
            tags = facts.tags()
            present = self._catalog.copied(claim.name, version)  # what it does not know, the claim finds out
            present = present and self.confirmed(present)
            if present is None:
                present, ours = self._stored(claim, version, tags)
                if ours:
                    self._undo_if_orphaned(present, claim.parent)
                    self._note(_registered(present, self._actor, vouched=claim.vouched), [present])
                    return Registration(present, True)
            if claim.version is not None:
                return self._again(present, facts, vouched=claim.vouched)
        raise ConflictError(
            f"Others register versions of {claim.name} all the time", where=claim.name, hint="Give a version."
        )

    def vouches_for(self, record: ModelRecord) -> bool:
        """Whether the trail says that the bytes of a version were made here from a model in memory."""
        told = {"sha256": record.sha256, "files": record.tags.get(FILES, "")}
        return record.sha256 is not None and self._ledger.has(REGISTERED, record.model_id, told)

    def confirmed(self, record: ModelRecord) -> ModelRecord | None:
        """A version from the index as the store has it now; None where somebody removed it there by hand.

        The index forgets it then. While the store is away, what the index says is all there is.
        """
        try:
            now = self._store.version(record.name, record.number)
        except NotFoundError:
            self._ledger.index.drop(self._store.location, [(record.name, record.number)])
            return None
        except BackendUnavailableError:
            return record
        if now != record:
            self._ledger.index.put(self._store.location, [now])
        return now if now.version == record.version else None

    def _stored(
        self, claim: Claim, version: SemanticVersion, tags: Mapping[str, str]
    ) -> tuple[ModelRecord, bool]:
        upload = self._store.upload(claim.name, claim.files, claim.run_id)
        row, ours = claims.claim(
            self._store, self._ledger.index, claim.name, version, upload, tags, claim.description
        )
        if not ours:
            self._store.discard(upload.source)
            self._ledger.index.put(self._store.location, [row])
        return row, ours

    def _undo_if_orphaned(self, row: ModelRecord, parent: ModelRecord | None) -> None:
        """Whoever deletes the parent looks for children afterwards, so one of the two always sees the other."""
        if parent is None:
            return
        board = self._stages.board(parent.name)
        if board_key(board, parent) in board.deleted:
            self._store.remove_version(row.name, row.number)
            self._store.discard(row.source)
            self._ledger.index.drop(self._store.location, [(row.name, row.number)])
            raise ConflictError(
                f"The baseline {parent.model_id} was deleted meanwhile",
                where=parent.model_id,
                hint="Restore it, or name another.",
            )

    def _again(self, present: ModelRecord, facts: ModelFacts, *, vouched: bool) -> Registration:
        """The version is taken: by the same content, or by another."""
        different = _differences(present, facts)
        if different:
            raise ConflictError(
                f"{present.model_id} is registered already, with other {' and other '.join(different)} "
                f"(by {present.actor or 'somebody'}, {present.created_at:%Y-%m-%d %H:%M} UTC)",
                where=present.model_id,
                hint="Register it under another version.",
            )
        if present.deleted is not None:
            raise ConflictError(
                f"{present.model_id} is registered already, and deleted",
                where=present.model_id,
                hint=f"Restore it: hokusai models restore {present.model_id}",
            )
        # Only the bytes that were in memory here are vouched for: beside an equal digest may stand another's files.
        same = present.stored is not None and dict(present.stored.files) == dict(facts.stored.files)
        if vouched and same and not self.vouches_for(present):
            self._note(_registered(present, self._actor, vouched=True), [present])
        _log.info("Registered already, with the same content; nothing was changed", model=present.model_id)
        return Registration(present, False)

    def _next_version(self, name: str) -> SemanticVersion:
        rows = self._catalog.all(Page(name=name, include_deleted=True, limit=10_000))
        last = latest(row.version for row in rows if row.version)
        return _FIRST if last is None else last.bump("minor")


def _registered(record: ModelRecord, actor: str, *, vouched: bool) -> Happening:
    told = {
        "sha256": record.sha256,
        "files": record.tags.get(FILES, ""),
        "mlflow_version": record.number,
        "parent": record.parent_id,
        "contributor": record.tags.get(CONTRIBUTOR),
    }
    return Happening(REGISTERED if vouched else REGISTERED_FROM_URI, record.model_id, actor, told)


def _differences(present: ModelRecord, facts: ModelFacts) -> list[str]:
    """What is said otherwise this time; what is left out is no difference."""
    if present.sha256 != facts.stored.sha256 or _belies_its_digest(present, facts.stored):
        return ["content"]
    pairs: tuple[tuple[str, object, object], ...] = (
        ("build metadata", present.version and present.version.build, facts.version.build),
        ("metrics", dict(present.metrics), dict(facts.metrics)),
        ("parent", present.parent_id, str(facts.parent or "")),
        ("contributor", str(present.contributor or ""), str(facts.contributor or "")),
        ("token", present.token, facts.token),
    )
    return [what for what, before, now in pairs if now and before != now]


def _belies_its_digest(present: ModelRecord, given: StoredModel) -> bool:
    """Whether a row states the digest of `given`, whose one file that is, and its files do not have that file."""
    own = {name for name, sha256 in given.files.items() if sha256 == given.sha256}
    theirs = present.stored.files if present.stored else {}
    return not all(theirs.get(name) == given.sha256 for name in own)


def _delta(parent: ModelRecord | None, metrics: Mapping[str, float]) -> dict[str, float]:
    """New minus old of every metric that both have, under whatever alias."""
    if parent is None:
        return {}
    before = {ALIASES.get(name, name): value for name, value in parent.metrics.items()}
    shared = {name: ALIASES.get(name, name) for name in metrics}
    return {name: metrics[name] - before[common] for name, common in shared.items() if common in before}


def parsed_contributor(contributor: str | None) -> WalletAddress | None:
    """Whoever gave the data; what should be known about the address is said in a warning.

    Raises:
        InvalidInputError: It is empty, too long, or no text.
    """
    if contributor is None:
        return None
    if not isinstance(contributor, str):
        raise InvalidInputError(
            f"The contributor is {type(contributor).__name__}, and a wallet address was expected",
            where="contributor",
        )
    wallet = WalletAddress.parse(contributor)
    if wallet.warning:
        _log.warning(wallet.warning)
    return wallet
