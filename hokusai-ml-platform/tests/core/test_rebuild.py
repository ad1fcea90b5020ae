"""The index made again: it has what the store has, and loses nothing that others write meanwhile."""

from __future__ import annotations

import pytest

from hokusai.adapters.memory_ledger import MemoryLedger
from hokusai.adapters.memory_models import MemoryModelStore
from hokusai.core.rebuild import POLLED_MARK, indexed_pages, model_pages, rebuild
from hokusai.domain.records import FILES, SEMVER, SHA256, ModelRecord
from hokusai.domain.versions import LOG_PREFIX
from hokusai.errors import BackendUnavailableError, IntegrityError
from hokusai.ports import Upload

NO_FILES = Upload("hokusai:event")


class Store(MemoryModelStore):
    """A store of which some models cannot be read, or that lets somebody else write in between."""

    def __init__(self) -> None:
        super().__init__()
        self.broken: set[str] = set()
        self.is_away = False
        self.meanwhile = lambda: None

    def check(self) -> None:
        if self.is_away:
            raise BackendUnavailableError("away")

    def versions(self, name: str | None = None, **how: object) -> list[ModelRecord]:  # type: ignore[override]
        if self.is_away or name in self.broken or (name is None and self.broken):
            raise BackendUnavailableError(f"HTTP 500: {name}")
        found = super().versions(name, **how)  # type: ignore[arg-type]
        self.meanwhile()
        return found


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger()


def indexed(store: Store, ledger: MemoryLedger) -> set[tuple[str, int]]:
    return {(row.name, row.number) for page in indexed_pages(ledger.index, store.location) for row in page}


class TestRebuild:
    def test_writes_every_version_and_no_history_of_stages(self, store: Store, ledger: MemoryLedger) -> None:
        for name in ("a", "a", "b", f"{LOG_PREFIX}a"):
            store.add_version(name, NO_FILES, {SEMVER: "1.0.0"})
        report = rebuild(store, ledger)
        assert indexed(store, ledger) == {("a", 1), ("a", 2), ("b", 1)}
        assert (report.models, report.rows, report.dropped) == (2, 3, 0)
        assert (report.unreadable, report.partly) == ({}, {})
        assert ledger.index.mark(store.location, POLLED_MARK) is not None

    def test_tells_how_far_it_is(self, store: Store, ledger: MemoryLedger) -> None:
        for _ in range(3):
            store.add_version("a", NO_FILES, {})
        told: list[int] = []
        rebuild(store, ledger, told.append)
        assert told[-1] == 3

    def test_forgets_what_is_gone(self, store: Store, ledger: MemoryLedger) -> None:
        for _ in range(2):
            store.add_version("a", NO_FILES, {})
        rebuild(store, ledger)
        store.remove_version("a", 1)
        assert rebuild(store, ledger).dropped == 1
        assert indexed(store, ledger) == {("a", 2)}

    def test_keeps_what_others_add_meanwhile(self, store: Store, ledger: MemoryLedger) -> None:
        store.add_version("a", NO_FILES, {})

        def somebody_registers() -> None:
            store.meanwhile = lambda: None
            row = store.add_version("b", NO_FILES, {})
            ledger.index.put(store.location, [row])

        store.meanwhile = somebody_registers
        assert rebuild(store, ledger).rows == 2
        assert indexed(store, ledger) == {("a", 1), ("b", 1)}

    def test_names_what_cannot_be_read_and_goes_on(self, store: Store, ledger: MemoryLedger) -> None:
        for name in ("a", "b", "c"):
            store.add_version(name, NO_FILES, {})
        rebuild(store, ledger)
        store.broken = {"b"}
        store.add_version("c", NO_FILES, {})
        report = rebuild(store, ledger)
        assert report.unreadable == {"b": "HTTP 500: b"}
        assert indexed(store, ledger) == {("a", 1), ("b", 1), ("c", 1), ("c", 2)}

    def test_stops_when_the_store_is_lost(self, store: Store, ledger: MemoryLedger) -> None:
        store.add_version("a", NO_FILES, {})
        rebuild(store, ledger)
        store.is_away = True
        with pytest.raises(BackendUnavailableError):
            rebuild(store, ledger)
        assert indexed(store, ledger) == {("a", 1)}

    def test_indexes_a_version_with_a_broken_tag_by_the_rest(
        self, store: Store, ledger: MemoryLedger
    ) -> None:
        store.add_version("a", NO_FILES, {SEMVER: "1.0.0", SHA256: "0" * 64, FILES: "{"})
        report = rebuild(store, ledger)
        assert list(report.partly) == ["a/1.0.0"]
        assert "hokusai.files" in report.partly["a/1.0.0"]
        assert ledger.index.get(store.location, "a", "1.0.0") is not None


class TestPages:
    @pytest.mark.parametrize("rows_a_page", [1, 2, 3, 5, 7, 100])
    def test_give_every_row_once_whatever_their_size(self, store: Store, rows_a_page: int) -> None:
        rows = {(f"m{model}", number) for model in range(5) for number in range(1, 2 + model)}
        for name, _ in sorted(rows):
            store.add_version(name, NO_FILES, {})

        def never(name: str, problem: Exception) -> None:
            raise IntegrityError(name) from problem

        read = [(row.name, row.number) for page in model_pages(store, never, rows_a_page) for row in page]
        assert sorted(read) == sorted(rows)
