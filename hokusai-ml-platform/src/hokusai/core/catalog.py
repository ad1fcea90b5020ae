"""Finding models: by id, name, stage, token or contributor, at once, whatever their number.

Answers come from the index, a copy of MLflow's rows. What this installation writes is in it at once. What others
write into MLflow is fetched at most every `poll_seconds`; a version that the index does not know is asked for in
MLflow itself before it is said not to exist. While MLflow is away the index goes on answering, and says so once.
"""

from __future__ import annotations

import difflib
import itertools
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from hokusai.core import claims
from hokusai.core.rebuild import POLL_OVERLAP_MS, POLLED_MARK, rebuild
from hokusai.core.stage_log import StageLog
from hokusai.domain.records import ModelRecord
from hokusai.domain.stages import Stage, StageBoard, now_ms
from hokusai.domain.tokens import TOKEN_TAG
from hokusai.domain.versions import LOG_PREFIX, SemanticVersion, check_model_name, parse_version
from hokusai.errors import BackendUnavailableError, HokusaiError, InvalidInputError, NotFoundError
from hokusai.ports import Ledger, ModelStore, Page
from hokusai.utils.logging import get_logger

_TOKENS_A_POLL = 5
"""So many of the tokens that were asked for last are compared with MLflow itself at each poll."""
_NEWEST = 1_000
_URI = re.compile(r"models:/(?P<name>[^/@]+)(?:/(?P<version>[^/@]+)|@(?P<alias>[^/@]+))")

_log = get_logger(__name__)


class Catalog:
    """What is registered.

    Args:
        store: The truth.
        ledger: Whose index is the copy.
        stages: Which version is in which stage.
        poll_seconds: How old the copy may be with respect to what others write; 0 asks every time.
    """

    def __init__(
        self, store: ModelStore, ledger: Ledger, stages: StageLog, *, poll_seconds: float = 5.0
    ) -> None:
        self._store, self._index, self._ledger, self._stages = store, ledger.index, ledger, stages
        self._poll_seconds = poll_seconds
        self._polled = float("-inf")
        self._asked_tokens: dict[str, None] = {}
        self._lock = threading.Lock()
        self._away = False

    def find(self, reference: str, version: str | int | None = None) -> ModelRecord | None:
        """The version that `reference` names, deleted ones too; None if there is none.

        Args:
            reference: `name/1.2.0`, `name/3` (MLflow's number), `name@production`, `name` (the latest), or
                MLflow's `models:/name/3` and `models:/name@alias`.
            version: The version, where `reference` is a bare name.

        Raises:
            InvalidInputError: This is no reference to a model.
        """
        name, wanted, alias = _parsed(reference, version)
        if alias is not None:
            return self._aliased(name, alias)
        if wanted is None:
            self.catch_up()
            return self._index.latest(self._store.location, name)
        return self.exact(name, wanted)

    def get(self, reference: str, version: str | int | None = None) -> ModelRecord:
        """The version that `reference` names.

        Raises:
            NotFoundError: There is none; the text suggests what may be meant.
        """
        found = self.find(reference, version)
        if found is None:
            raise self.unknown(reference, version)
        return found

    def exact(self, name: str, version: SemanticVersion | int) -> ModelRecord | None:
        """One version of a model: from the index, else from the store."""
        found = self.copied(name, version)
        if found is not None:
            return found
        try:
            if isinstance(version, int):
                found = self._store.version(name, version)
            else:
                found = claims.owner(self._store, name, version)
        except NotFoundError:
            return None
        if found is not None:
            self._index.put(self._store.location, [found])
        return found

    def copied(self, name: str, version: SemanticVersion | int) -> ModelRecord | None:
        """One version of a model, if the index has it; what registers a version never changes again."""
        self.catch_up(at_once=False)
        where = self._store.location
        if isinstance(version, int):
            return self._index.numbered(where, name, version)
        return self._index.get(where, name, version.key)

    def page(self, wanted: Page) -> list[ModelRecord]:
        """One page of versions, newest first."""
        self.catch_up()
        where, token_id = self._store.location, wanted.token_id
        if token_id is None or wanted.after is not None:
            return self._index.page(where, wanted)
        found = self._index.page(where, wanted)
        if found and self._poll_seconds > 0:
            self._asked_tokens[token_id] = None
            return found
        self._guarded(lambda: self._compare_token(token_id))
        return self._index.page(where, wanted)

    def all(self, wanted: Page) -> list[ModelRecord]:
        """Every version that `wanted` asks for, past any limit."""
        found: list[ModelRecord] = []
        while True:
            page = self.page(_following(wanted, found))
            found += page
            if len(page) < wanted.limit:
                return found

    def in_stage(self, stage: Stage) -> list[ModelRecord]:
        """The version of each model that is in `stage`, by name."""
        self.catch_up()
        where = self._store.location
        boards = self.boards(self._index.names(where), fresh=False)
        held = ((board.name, board.current(stage)) for board in boards)
        records = (self.exact(name, parse_version(key)) for name, key in held if key is not None)
        return [record for record in records if record is not None]

    def related(self, name: str) -> list[ModelRecord]:
        """All versions of a model, and of all models that descend from it or that it descends from."""
        names, rest, found = {name}, [name], []
        while rest:
            current = rest.pop()
            rows = self.all(Page(name=current, include_deleted=True, limit=10_000))
            children = self.all(Page(parent_name=current, include_deleted=True, limit=10_000))
            found += [row for row in rows if self._owns_its_version(row)]
            parents = {row.parent_id.rpartition("/")[0] for row in rows if row.parent_id}
            new = (parents | {child.name for child in children}) - names
            names |= new
            rest += sorted(new)
        return found

    def names(self) -> list[str]:
        """Names of all models, sorted."""
        self.catch_up()
        return self._index.names(self._store.location)

    def unknown(self, reference: str, version: str | int | None = None) -> NotFoundError:
        """What to raise for a reference that names nothing."""
        name, wanted, alias = _parsed(reference, version)
        known = self.names()
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
            hint = f"Did you mean {near[0]!r}?" if near else "See what there is: hokusai models list"
            return NotFoundError(f"No model is called {name!r}", where=reference, hint=hint)
        rows = self.page(Page(name=name, limit=5))
        versions = ", ".join(str(row.version or row.number) for row in rows)
        what = f"No version of {name} is in {alias}" if alias else f"{name} has no version {wanted}"
        meant = difflib.get_close_matches(alias or "", [stage.value for stage in Stage], n=1)
        if meant and meant[0] != alias:
            return NotFoundError(what, where=reference, hint=f"Did you mean {name}@{meant[0]}?")
        return NotFoundError(
            what, where=reference, hint=f"Its newest versions: {versions or 'all are deleted'}."
        )

    def boards(self, names: Iterable[str], *, fresh: bool) -> Iterator[StageBoard]:
        """The stages of models. One whose history cannot be read is named in the log, and the others are read."""
        for name in names:
            try:
                board = self._stages.board(name, fresh=fresh)
            except HokusaiError as problem:
                self._store.check()  # if the store is lost, it is not this model's fault
                self._stages.forget(name)
                _log.warning("The stages of a model cannot be read", model=name, reason=str(problem))
            else:
                yield board

    def catch_up(self, *, at_once: bool = True) -> None:
        """Copy what others have written since the last time, unless that was less than `poll_seconds` ago.

        Args:
            at_once: Whether not to wait where the store can tell that there is something.
        """
        if (at_once and self._store.has_news()) or self._is_due():
            self._guarded(self._poll)

    def _poll(self) -> None:
        where = self._store.location
        mark = self._index.mark(where, POLLED_MARK)
        if mark is None:
            rebuild(self._store, self._ledger)
            return
        now = now_ms()
        known = min(int(mark), now)
        rows = self._store.changed_since(known - POLL_OVERLAP_MS)
        logs = {row.name.removeprefix(LOG_PREFIX) for row in rows if row.name.startswith(LOG_PREFIX)}
        for _ in self.boards(logs, fresh=True):
            pass  # reading them is what repairs their mirrors
        self._index.put(where, [row for row in rows if not row.name.startswith(LOG_PREFIX)])
        self._forget_vanished(known - POLL_OVERLAP_MS, rows)
        # A row from the future was written by a clock that is ahead; what others write meanwhile is not to be missed.
        reached = max([known, *(row.updated_ms for row in rows if row.updated_ms <= now)])
        if reached != int(mark):
            self._index.set_mark(where, POLLED_MARK, str(reached))
        asked, self._asked_tokens = list(self._asked_tokens)[-_TOKENS_A_POLL:], {}
        for token_id in asked:
            self._compare_token(token_id)

    def _forget_vanished(self, since_ms: int, rows: Iterable[ModelRecord]) -> None:
        """A row that lost its race for a version is removed by its writer, maybe after it was copied here."""
        where, there = self._store.location, {(row.name, row.number) for row in rows}
        newest = self._index.page(where, Page(include_deleted=True, limit=_NEWEST))
        for row in itertools.takewhile(lambda row: row.created_ms >= since_ms, newest):
            if (row.name, row.number) not in there:
                self._copy_again(row)

    def _copy_again(self, row: ModelRecord) -> None:
        where = self._store.location
        try:
            self._index.put(where, [self._store.version(row.name, row.number)])
        except NotFoundError:
            self._index.drop(where, [(row.name, row.number)])

    def _compare_token(self, token_id: str) -> None:
        """Tags that somebody sets in MLflow on a row that was there before are seen by no poll."""
        where = self._store.location
        rows = self._store.versions(tags={TOKEN_TAG: token_id})
        self._index.put(where, rows)
        there = {(row.name, row.number) for row in rows}
        pages = Page(token_id=token_id, include_deleted=True, limit=10_000)
        for row in self._index.page(where, pages):
            if (row.name, row.number) not in there:
                self._copy_again(row)

    def _aliased(self, name: str, alias: str) -> ModelRecord | None:
        try:
            stage = Stage.parse(alias)
        except InvalidInputError:
            number = self._store.alias(name, alias)
            return None if number is None else self.exact(name, number)
        key = self._stages.board(name).current(stage)
        return None if key is None else self.exact(name, parse_version(key))

    def _owns_its_version(self, row: ModelRecord) -> bool:
        """Whether `row` did not lose a race for its version."""
        if row.version is None:
            return True
        owner = self._index.get(self._store.location, row.name, row.version.key)
        return owner is None or owner.number == row.number

    def _is_due(self) -> bool:
        """Whether it is time for a poll; the answer yes counts as having done it."""
        now = time.monotonic()
        with self._lock:
            if now - self._polled < self._poll_seconds:
                return False
            self._polled = now
            return True

    def _guarded(self, ask: Callable[[], None]) -> None:
        try:
            ask()
        except BackendUnavailableError as problem:
            if self._index.mark(self._store.location, POLLED_MARK) is None:
                raise
            if not self._away:
                _log.warning(
                    "MLflow is away; models are looked up in the index as it was", reason=str(problem)
                )
            self._away = True
        else:
            self._away = False


def _parsed(
    reference: str, version: str | int | None
) -> tuple[str, SemanticVersion | int | None, str | None]:
    """Name, version and alias of a reference; of the last two at most one."""
    if not isinstance(reference, str):
        raise InvalidInputError(
            f"A model is named by text, and this is {type(reference).__name__}",
            where="model",
            hint="Write name/1.2.0, name@production or name.",
        )
    if version is not None:
        return check_model_name(reference), parse_version(version), None
    if match := _URI.fullmatch(reference):
        name, wanted, alias = match["name"], match["version"], match["alias"]
        return check_model_name(name), None if wanted in (None, "latest") else parse_version(wanted), alias
    name, at, alias = reference.partition("@")
    if at:
        return check_model_name(name), None, alias
    name, slash, wanted = reference.partition("/")
    return check_model_name(name), parse_version(wanted) if slash else None, None


def _following(wanted: Page, found: list[ModelRecord]) -> Page:
    if not found:
        return wanted
    last = found[-1]
    return replace(wanted, after=(last.created_ms, last.name, last.number))
