"""Every `ModelStore` keeps the same contract: in memory, on SQLite, on PostgreSQL, and on a real MLflow server."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy import create_engine

from hokusai.adapters.memory_models import MemoryModelStore
from hokusai.adapters.mlflow_registry import MlflowModelStore
from hokusai.adapters.mlflow_store import quiet_mlflow
from hokusai.domain.records import ModelRecord
from hokusai.domain.versions import LOG_PREFIX
from hokusai.errors import ConflictError, IntegrityError, InvalidInputError, NotFoundError
from hokusai.ports import ModelStore, Orphan, Upload
from hokusai.stack.postgres import PostgresServer

NO_FILES = Upload("hokusai:event")
FILES: dict[str, bytes | Path] = {
    "model.skops": bytes(range(256)),
    "MLmodel": b"flavors: {}\n",
    "data/größe 📦.txt": "ü".encode(),
}
ODD_VALUES = [
    "",
    " ",
    "it's",
    'say "hi"',
    "both ' and \"",
    "a = 'b' and c",
    "x;y -- z",
    "50% _ \\ `",
    "Größe 📈\nzwei Zeilen\ttab",
    "true",
    "1.0.0-rc.1+b7",
    '{"move": "promote"}',
    "'quoted'",
    '"quoted"',
    "long" * 5000,
]


@dataclass
class Place:
    """A store, and names in it that nobody else uses."""

    store: ModelStore
    again: Callable[[], ModelStore]
    """The same store, opened a second time."""
    unique: str

    def name(self, stem: str = "churn") -> str:
        return f"{stem}-{self.unique}"

    def mine(self, records: list[ModelRecord]) -> list[ModelRecord]:
        return [record for record in records if self.unique in record.name]

    def orphans(self) -> dict[str, Orphan]:
        return {orphan.source: orphan for orphan in self.store.orphans()}


@pytest.fixture(scope="module")
def postgres_models(postgres_server: PostgresServer) -> str:
    """The URI of a database with MLflow's tables: one for all tests, as a server's is."""
    name = "model_store"
    with closing(psycopg2.connect(postgres_server.uri)) as connection:
        connection.autocommit = True
        connection.cursor().execute(f"CREATE DATABASE {name}")
    with quiet_mlflow():
        from mlflow.store.db.utils import _initialize_tables

        engine = create_engine(postgres_server.sqlalchemy_url.replace("mlflow_db", name))
        _initialize_tables(engine)
        engine.dispose()
    return postgres_server.uri.replace("mlflow_db", name)


@pytest.fixture(params=["memory", "sqlite", "postgres", "server"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    unique = uuid.uuid4().hex[:12]

    def opened(uri: str, artifacts: str | None) -> Place:
        return Place(MlflowModelStore(uri, artifacts), lambda: MlflowModelStore(uri, artifacts), unique)

    if request.param == "memory":
        store = MemoryModelStore()
        yield Place(store, lambda: store, unique)
    elif request.param == "sqlite":
        yield opened(f"sqlite:///{tmp_path}/home/mlflow.db", str(tmp_path / "räume & #1 %20"))
    elif request.param == "server":
        yield opened(request.getfixturevalue("mlflow_server").url, None)
    else:
        yield opened(request.getfixturevalue("postgres_models"), str(tmp_path / "store"))
    assert list((tmp_path / "work").iterdir()) == []


def content(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


class TestTheStore:
    def test_can_be_used(self, place: Place) -> None:
        place.store.check()

    def test_says_where_it_is(self, place: Place) -> None:
        assert place.store.location == place.again().location
        assert place.store.location != MemoryModelStore().location


class TestFiles:
    def test_come_back_as_they_were(self, place: Place, tmp_path: Path) -> None:
        (tmp_path / "weights").write_bytes(b"w" * 100_000)
        files = {**FILES, "deep/er/weights.bin": tmp_path / "weights"}
        record = place.store.add_version(place.name(), place.store.upload(place.name(), files), {})
        place.store.download(record, tmp_path / "got")
        assert content(tmp_path / "got") == {**FILES, "deep/er/weights.bin": b"w" * 100_000}

    def test_of_any_name_come_back(self, place: Place, tmp_path: Path) -> None:
        name = place.name("模型 größe.v1 #?&")
        record = place.store.add_version(name, place.store.upload(name, FILES), {})
        place.store.download(record, tmp_path / "got")
        assert (record.name, content(tmp_path / "got")) == (name, FILES)

    def test_are_kept_apart(self, place: Place, tmp_path: Path) -> None:
        first = place.store.add_version(place.name(), place.store.upload(place.name(), {"m": b"1"}), {})
        second = place.store.add_version(place.name(), place.store.upload(place.name(), {"m": b"2"}), {})
        for record, expected in ((first, b"1"), (second, b"2")):
            place.store.download(record, tmp_path / str(record.number))
            assert content(tmp_path / str(record.number)) == {"m": expected}

    @pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", "", "a//b", ".", "a\\b", "a/"])
    def test_cannot_lie_outside(self, path: str) -> None:
        with pytest.raises(InvalidInputError, match="cannot be called"):
            MemoryModelStore().upload("m", {path: b""})

    def test_cannot_lie_outside_of_any_store(self, place: Place) -> None:
        with pytest.raises(InvalidInputError, match="cannot be called"):
            place.store.upload(place.name(), {"../x": b""})
        with pytest.raises(InvalidInputError, match="a file and a folder"):
            place.store.upload(place.name(), {"a": b"", "a/b": b""})
        with pytest.raises(InvalidInputError, match="no files"):
            place.store.upload(place.name(), {})

    def test_that_are_missing_are_said_so(self, place: Place, tmp_path: Path) -> None:
        with pytest.raises(NotFoundError, match=r"nothing\.bin"):
            place.store.upload(place.name(), {"m": tmp_path / "nothing.bin"})

    def test_of_a_row_that_has_none(self, place: Place, tmp_path: Path) -> None:
        record = place.store.add_version(place.name(), NO_FILES, {})
        with pytest.raises(NotFoundError):
            place.store.download(record, tmp_path / "got")

    def test_that_are_gone(self, place: Place, tmp_path: Path) -> None:
        record = place.store.add_version(place.name(), place.store.upload(place.name(), FILES), {})
        place.store.remove_version(record.name, record.number)
        place.store.discard(record.source)
        with pytest.raises(NotFoundError):
            place.store.download(record, tmp_path / "got")


class TestFetch:
    def test_takes_every_name_of_a_version(self, place: Place, tmp_path: Path) -> None:
        name = place.name()
        place.store.add_version(name, place.store.upload(name, {"m": b"1"}), {})
        place.store.add_version(name, place.store.upload(name, FILES), {})
        place.store.set_alias(name, "production", 2)
        found = set()
        for n, reference in enumerate(
            (f"models:/{name}/2", f"models:/{name}/latest", f"models:/{name}@production")
        ):
            found.add(place.store.fetch(reference, tmp_path / str(n)))
            assert content(tmp_path / str(n)) == FILES
        assert len(found) == 1
        resolved = found.pop()
        assert place.store.fetch(resolved, tmp_path / "again") == resolved
        assert content(tmp_path / "again") == FILES

    def test_takes_what_upload_gave(self, place: Place, tmp_path: Path) -> None:
        place.store.fetch(place.store.upload(place.name(), FILES).source, tmp_path / "got")
        assert content(tmp_path / "got") == FILES

    def test_takes_folders_and_files(self, place: Place, tmp_path: Path) -> None:
        (tmp_path / "my model").mkdir()
        (tmp_path / "my model" / "a.txt").write_bytes(b"a")
        folder = tmp_path / "my model"
        assert place.store.fetch(str(folder), tmp_path / "1") == str(folder)
        assert place.store.fetch(str(folder / "a.txt"), tmp_path / "2") == str(folder / "a.txt")
        assert place.store.fetch(folder.as_uri(), tmp_path / "3") == str(folder)
        assert [content(tmp_path / n) for n in "123"] == [{"a.txt": b"a"}] * 3

    def test_takes_no_links(self, place: Place, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("known to few")
        (tmp_path / "model").mkdir()
        (tmp_path / "model" / "weights").symlink_to(tmp_path / "secret")
        with pytest.raises(IntegrityError, match=r"weights is a link to .*secret"):
            place.store.fetch(str(tmp_path / "model"), tmp_path / "got")
        assert content(tmp_path / "got") == {}

    def test_says_what_is_not_there(self, place: Place, tmp_path: Path) -> None:
        name = place.name()
        place.store.add_version(name, NO_FILES, {})
        for reference in (
            f"models:/{name}/7",
            f"models:/{name}@production",
            f"models:/{place.name('nobody')}/1",
            f"models:/{place.name('nobody')}/latest",
            f"runs:/{'0' * 32}/model",
            str(tmp_path / "nothing"),
        ):
            with pytest.raises(NotFoundError):
                place.store.fetch(reference, tmp_path / "got")
            assert content(tmp_path / "got") == {}

    @pytest.mark.parametrize("reference", ["models:/", "models:/name/Staging", "models:/a@b@c"])
    def test_says_what_names_no_model(self, place: Place, tmp_path: Path, reference: str) -> None:
        with pytest.raises(InvalidInputError, match="does not name a model"):
            place.store.fetch(reference, tmp_path / "got")


class TestOrphans:
    def test_are_files_without_a_version(self, place: Place) -> None:
        name = place.name()
        used = place.store.add_version(name, place.store.upload(name, FILES), {})
        before = time.time()
        left = place.store.upload(name, FILES)
        orphan = place.orphans()[left.source]
        assert orphan.size_bytes == sum(len(c) for c in FILES.values() if isinstance(c, bytes))
        assert 0 <= orphan.age_seconds <= time.time() - before + 0.001  # it counts whole milliseconds
        assert used.source not in place.orphans()

    def test_are_gone_when_they_were_discarded(self, place: Place, tmp_path: Path) -> None:
        left = place.store.upload(place.name(), FILES)
        for _ in range(2):
            place.store.discard(left.source)
            assert left.source not in place.orphans()
        with pytest.raises(NotFoundError):
            place.store.fetch(left.source, tmp_path / "got")

    def test_are_the_files_of_a_removed_version_too(self, place: Place) -> None:
        record = place.store.add_version(place.name(), place.store.upload(place.name(), FILES), {})
        assert record.source not in place.orphans()
        place.store.remove_version(record.name, record.number)
        assert record.source in place.orphans()

    def test_are_no_files_that_a_copied_version_has(self, place: Place, tmp_path: Path) -> None:
        source = place.store.add_version(place.name(), place.store.upload(place.name(), FILES), {})
        # As MlflowClient.copy_model_version does.
        copy = place.store.add_version(place.name("copy"), Upload(f"models:/{source.name}/1"), {})
        place.store.remove_version(source.name, 1)
        assert source.source not in place.orphans()
        with pytest.raises(ConflictError, match="refers to these files"):
            place.store.discard(source.source)
        place.store.fetch(f"models:/{copy.name}/1", tmp_path / "got")
        assert content(tmp_path / "got") == FILES

    def test_files_that_are_in_use_are_not_discarded(self, place: Place, tmp_path: Path) -> None:
        record = place.store.add_version(place.name(), place.store.upload(place.name(), FILES), {})
        with pytest.raises(ConflictError, match="refers to these files"):
            place.store.discard(record.source)
        place.store.download(record, tmp_path / "got")
        assert content(tmp_path / "got") == FILES


class TestAddVersion:
    def test_counts_from_one(self, place: Place) -> None:
        assert [place.store.add_version(place.name(), NO_FILES, {}).number for _ in range(3)] == [1, 2, 3]
        assert place.store.add_version(place.name("other"), NO_FILES, {}).number == 1

    def test_gives_back_what_is_stored(self, place: Place) -> None:
        before = time.time_ns() // 1_000_000 - 1
        upload = place.store.upload(place.name(), FILES)
        record = place.store.add_version(
            place.name(), upload, {"a": "1", "b.c d/e:f-g_h": "ü"}, "für Menschen"
        )
        assert record == place.store.version(place.name(), 1) == place.store.versions(place.name())[0]
        assert (record.name, record.number, record.run_id) == (place.name(), 1, None)
        assert record.tags == {"a": "1", "b.c d/e:f-g_h": "ü"}
        assert (record.description, record.source) == ("für Menschen", upload.source)
        assert record.created_ms == record.updated_ms
        assert before <= record.created_ms <= time.time_ns() // 1_000_000 + 1

    def test_keeps_tags_of_any_content(self, place: Place) -> None:
        tags = {f"t{n}": value for n, value in enumerate(ODD_VALUES)}
        place.store.add_version(place.name(), NO_FILES, tags)
        assert place.again().version(place.name(), 1).tags == tags

    @pytest.mark.parametrize("name", ["", " ", "a/b", "a:b"])
    def test_refuses_names_that_cannot_be(self, place: Place, name: str) -> None:
        with pytest.raises(InvalidInputError):
            place.store.add_version(name, NO_FILES, {})

    def test_refuses_tags_that_cannot_be(self, place: Place) -> None:
        with pytest.raises(InvalidInputError):
            place.store.add_version(place.name(), NO_FILES, {"a=b": "1"})
        assert place.store.versions(place.name()) == []

    def test_is_seen_at_once_by_others(self, place: Place) -> None:
        other = place.again()
        assert other.versions(place.name()) == []
        record = place.store.add_version(place.name(), NO_FILES, {"x": "1"})
        assert other.versions(place.name()) == [record]
        assert other.add_version(place.name(), NO_FILES, {}).number == 2

    def test_by_many_threads_gives_numbers_without_gaps_and_all_tags(self, place: Place) -> None:
        name, barrier = place.name(), threading.Barrier(8)

        def add(thread: int) -> list[ModelRecord]:
            barrier.wait()  # the model itself is new as well
            return [
                place.store.add_version(name, NO_FILES, {"by": f"{thread}.{n}", "b": str(n), "c": "x"})
                for n in range(5)
            ]

        with ThreadPoolExecutor(8) as pool:
            added = [record for records in pool.map(add, range(8)) for record in records]
        assert sorted(record.number for record in added) == list(range(1, 41))
        stored = place.store.versions(name)
        assert stored == sorted(added, key=lambda record: record.number)
        assert {record.tags["by"] for record in stored} == {f"{t}.{n}" for t in range(8) for n in range(5)}
        assert all(set(record.tags) == {"by", "b", "c"} for record in stored)

    def test_a_row_is_never_seen_without_its_tags(self, place: Place) -> None:
        name, done = place.name(), threading.Event()
        tags = {f"t{n}": "x" for n in range(20)}
        reader, seen = place.again(), []

        def watch() -> None:
            while not done.is_set():
                seen.extend(reader.versions(name, newest_first=True, limit=3))

        with ThreadPoolExecutor(1) as pool:
            watching = pool.submit(watch)
            added = 0
            while len(seen) < 30 and added < 300:
                added = place.store.add_version(name, NO_FILES, tags).number
                time.sleep(0.001)
            done.set()
            watching.result()
        assert len(seen) >= 30
        assert all(record.tags == tags for record in seen)


class TestRemoveVersion:
    def test_takes_it_out_of_sight(self, place: Place) -> None:
        name = place.name()
        for n in range(3):
            place.store.add_version(name, NO_FILES, {"n": str(n)})
        place.store.set_alias(name, "production", 2)
        place.store.remove_version(name, 2)
        assert [record.number for record in place.store.versions(name)] == [1, 3]
        assert place.store.versions(name, tags={"n": "1"}) == []
        assert {r.number for r in place.mine(place.store.changed_since(0))} == {1, 3}
        assert place.store.alias(name, "production") is None
        with pytest.raises(NotFoundError):
            place.store.version(name, 2)

    def test_does_not_free_its_number(self, place: Place) -> None:
        for expected in (1, 2, 3):
            assert place.store.add_version(place.name(), NO_FILES, {}).number == expected
            place.store.remove_version(place.name(), expected)

    def test_twice_changes_nothing(self, place: Place) -> None:
        place.store.add_version(place.name(), NO_FILES, {})
        for name, number in ((place.name(), 1), (place.name(), 1), (place.name(), 9), (place.name("no"), 1)):
            place.store.remove_version(name, number)
        assert place.store.versions(place.name()) == []


class TestVersion:
    def test_that_is_not_there(self, place: Place) -> None:
        place.store.add_version(place.name(), NO_FILES, {})
        for name, number in ((place.name(), 2), (place.name("nobody"), 1)):
            with pytest.raises(NotFoundError, match=f"no version {number} of"):
                place.store.version(name, number)


class TestVersions:
    def test_are_ordered_and_cut(self, place: Place) -> None:
        name = place.name()
        for _ in range(12):  # 10 comes after 9, and not after 1
            place.store.add_version(name, NO_FILES, {})

        def numbers(**asked: object) -> list[int]:
            return [r.number for r in place.store.versions(name, **asked)]  # type: ignore[arg-type]

        assert numbers() == list(range(1, 13))
        assert numbers(newest_first=True) == list(range(12, 0, -1))
        assert numbers(above=9) == [10, 11, 12]
        assert numbers(above=12) == []
        assert numbers(above=0, limit=2) == [1, 2]
        assert numbers(newest_first=True, limit=1) == [12]
        assert numbers(limit=0) == []
        assert numbers(above=3, newest_first=True, limit=2) == [12, 11]

    def test_of_one_model_are_not_those_of_another(self, place: Place) -> None:
        name = place.name()
        for other in (name, name.upper(), f"{name}x", f"{name} ", place.name("churm")):
            place.store.add_version(other, NO_FILES, {"for": other})
        assert [record.tags["for"] for record in place.store.versions(name)] == [name]
        assert place.store.versions(place.name("chur_")) == []

    def test_are_found_by_a_tag_of_any_content(self, place: Place) -> None:
        name = place.name()
        for value in ODD_VALUES:
            place.store.add_version(name, NO_FILES, {"key": value})
        for value in ODD_VALUES:
            place.store.add_version(name, NO_FILES, {"key": value + "x", "other": value})
        place.store.add_version(place.name("other"), NO_FILES, {"key": ODD_VALUES[2]})
        for number, value in enumerate(ODD_VALUES, 1):
            found = place.store.versions(name, tags={"key": value})
            assert [record.number for record in found] == [number], value[:20]

    def test_are_found_by_a_tag_of_any_name(self, place: Place) -> None:
        tags = ("hokusai_token_id", "hokusai.semver", "a b", "a-b", "a/b", "a:b", "and", "größe")
        for tag in tags:
            place.store.add_version(place.name(), NO_FILES, {tag: "1"})
        for number, tag in enumerate(tags, 1):
            found = place.store.versions(place.name(), tags={tag: "1"})
            assert [record.number for record in found] == [number], tag

    def test_must_carry_all_tags(self, place: Place) -> None:
        name = place.name()
        for tags in ({"a": "1"}, {"a": "1", "b": "2"}, {"a": "2", "b": "2"}, {"b": "2", "a": "1", "c": "3"}):
            place.store.add_version(name, NO_FILES, tags)
        found = place.store.versions(name, tags={"a": "1", "b": "2"})
        assert [record.number for record in found] == [2, 4]
        assert place.store.versions(name, tags={"a": "1", "b": "2"}, limit=1) == found[:1]
        assert place.store.versions(name, tags={"a": "2", "c": "3"}) == []

    def test_of_all_models_are_found_by_tag(self, place: Place) -> None:
        for stem in ("b", "a", "b"):
            place.store.add_version(place.name(stem), NO_FILES, {"token": place.unique})
        found = [(r.name, r.number) for r in place.store.versions(tags={"token": place.unique})]
        assert found == [(place.name("a"), 1), (place.name("b"), 1), (place.name("b"), 2)]
        found = [
            (r.name, r.number)
            for r in place.store.versions(tags={"token": place.unique}, newest_first=True, limit=2)
        ]
        assert found == [(place.name("b"), 2), (place.name("a"), 1)]

    def test_come_in_any_number(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        # Pages of the size that is used would need thousands of rows to be more than one.
        monkeypatch.setattr("hokusai.adapters.mlflow_registry._PAGE", 10)
        name = place.name()
        for n in range(30):
            place.store.add_version(name, NO_FILES, {"half": str(n % 2)})
        assert [r.number for r in place.store.versions(name)] == list(range(1, 31))
        assert [r.number for r in place.store.versions(name, newest_first=True, limit=25)] == list(
            range(30, 5, -1)
        )
        assert [r.number for r in place.store.versions(name, tags={"half": "1"})] == list(range(2, 31, 2))
        assert [r.number for r in place.store.versions(name, above=25)] == list(range(26, 31))
        changed = place.mine(place.store.changed_since(0))
        assert sorted(r.number for r in changed) == list(range(1, 31))


class TestChangedSince:
    def test_shows_what_is_new(self, place: Place) -> None:
        name = place.name()
        first = place.store.add_version(name, NO_FILES, {})
        time.sleep(0.01)
        second = place.store.add_version(name, NO_FILES, {})
        time.sleep(0.01)
        third = place.store.add_version(place.name("b"), NO_FILES, {})
        store = place.store
        assert place.mine(store.changed_since(first.updated_ms)) == [third, second, first]
        assert place.mine(store.changed_since(second.updated_ms)) == [third, second]
        assert place.mine(store.changed_since(third.updated_ms + 1)) == []
        assert store.changed_since(third.updated_ms, limit=0) == []

    def test_is_cut_after_the_latest(self, place: Place) -> None:
        for _ in range(20):  # a server has other writers, who may come in between: then once more
            added = []
            for _ in range(3):
                added.append(place.store.add_version(place.name(), NO_FILES, {}))
                time.sleep(0.01)
            found = place.store.changed_since(0, limit=2)
            if place.mine(found) == found:
                break
        assert found == [added[2], added[1]]

    def test_shows_tags_that_were_set(self, place: Place) -> None:
        first = place.store.add_version(place.name(), NO_FILES, {})
        time.sleep(0.01)
        second = place.store.add_version(place.name(), NO_FILES, {})
        time.sleep(0.01)
        changed = place.store.set_tags(place.name(), 1, {"late": "1"})
        assert changed.updated_ms > second.updated_ms > first.updated_ms
        assert place.mine(place.store.changed_since(second.updated_ms + 1)) == [changed]
        assert place.mine(place.store.changed_since(0)) == [changed, second]


class TestNames:
    def test_are_all_and_sorted(self, place: Place) -> None:
        stems = ["b", "a", "größe", "Z", f"{LOG_PREFIX}a"]
        for stem in stems:
            place.store.add_version(place.name(stem), NO_FILES, {})
        mine = [name for name in place.store.names() if place.unique in name]
        assert mine == sorted(place.name(stem) for stem in stems)

    def test_are_more_than_a_page(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("hokusai.adapters.mlflow_registry._NAMES_A_PAGE", 3)
        for n in range(7):
            place.store.add_version(place.name(f"m{n:02}"), NO_FILES, {})
        mine = [name for name in place.store.names() if place.unique in name]
        assert mine == [place.name(f"m{n:02}") for n in range(7)]


class TestSetTags:
    def test_sets_changes_and_removes(self, place: Place) -> None:
        place.store.add_version(place.name(), NO_FILES, {"keep": "1", "change": "1", "go": "1"}, "ein Text")
        record = place.store.set_tags(place.name(), 1, {"change": "2", "go": None, "new": "3", "never": None})
        assert record.tags == {"keep": "1", "change": "2", "new": "3"}
        assert record == place.again().version(place.name(), 1)
        assert place.store.versions(place.name(), tags={"go": "1"}) == []

    def test_loses_nothing_else(self, place: Place) -> None:
        before = place.store.add_version(
            place.name(), place.store.upload(place.name(), FILES), {}, "ein\nText 📈"
        )
        after = place.store.set_tags(place.name(), 1, {"a": "1"})
        assert after.description == "ein\nText 📈"
        assert (after.source, after.created_ms, after.run_id) == (before.source, before.created_ms, None)

    def test_of_a_row_that_is_not_there(self, place: Place) -> None:
        place.store.add_version(place.name(), NO_FILES, {})
        for name, number in ((place.name(), 2), (place.name("nobody"), 1)):
            with pytest.raises(NotFoundError):
                place.store.set_tags(name, number, {"a": "1"})

    def test_by_many_threads_sets_all(self, place: Place) -> None:
        place.store.add_version(place.name(), NO_FILES, {})
        barrier = threading.Barrier(4)

        def tag(thread: int) -> None:
            barrier.wait()
            place.store.set_tags(place.name(), 1, {"same": "x", f"own{thread}": "y"})

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(tag, range(4)))
        assert place.store.version(place.name(), 1).tags == {
            "same": "x",
            "own0": "y",
            "own1": "y",
            "own2": "y",
            "own3": "y",
        }


class TestAlias:
    def test_points_moves_and_goes(self, place: Place) -> None:
        name, store = place.name(), place.store
        assert store.alias(name, "production") is None
        for _ in range(2):
            store.add_version(name, NO_FILES, {})
        assert store.alias(name, "production") is None
        store.set_alias(name, "production", 1)
        store.set_alias(name, "staging", 2)
        assert (store.alias(name, "production"), place.again().alias(name, "staging")) == (1, 2)
        store.set_alias(name, "production", 2)
        assert store.alias(name, "production") == 2
        for _ in range(2):
            store.set_alias(name, "production", None)
            assert (store.alias(name, "production"), store.alias(name, "staging")) == (None, 2)
        store.set_alias(place.name("nobody"), "production", None)

    def test_is_told_with_all_others(self, place: Place) -> None:
        for _ in range(2):
            place.store.add_version(place.name(), NO_FILES, {})
        assert place.store.aliases(place.name()) == {}
        place.store.set_alias(place.name(), "production", 2)
        place.store.set_alias(place.name(), "Champion_1", 1)
        assert place.store.aliases(place.name()) == {"production": 2, "Champion_1": 1}
        assert place.store.aliases(place.name("nobody")) == {}

    def test_to_a_version_that_is_not_there(self, place: Place) -> None:
        place.store.add_version(place.name(), NO_FILES, {})
        with pytest.raises(NotFoundError):
            place.store.set_alias(place.name(), "production", 2)
        assert place.store.alias(place.name(), "production") is None

    @pytest.mark.parametrize("alias", ["a.b", "latest", "v1", "a b"])
    def test_of_a_name_that_cannot_be(self, place: Place, alias: str) -> None:
        place.store.add_version(place.name(), NO_FILES, {})
        with pytest.raises(InvalidInputError):
            place.store.set_alias(place.name(), alias, 1)

    def test_set_first_by_many_threads(self, place: Place) -> None:
        name = place.name()
        for _ in range(4):
            place.store.add_version(name, NO_FILES, {})
        for turn in range(5):
            barrier = threading.Barrier(4)

            def point(number: int, alias: str = f"turn{turn}", barrier: threading.Barrier = barrier) -> None:
                barrier.wait()
                place.store.set_alias(name, alias, number)

            with ThreadPoolExecutor(4) as pool:
                list(pool.map(point, (1, 2, 3, 4)))
            assert place.store.alias(name, f"turn{turn}") in (1, 2, 3, 4)


class TestLegacyStages:
    def test_are_told_by_number(self, place: Place) -> None:
        store = place.store
        for _ in range(4):
            store.add_version(place.name(), NO_FILES, {})
        assert store.legacy_stages(place.name()) == store.legacy_stages(place.name("nobody")) == {}
        for number, stage in ((1, "Archived"), (2, "Production"), (4, "Staging")):
            put_in_legacy_stage(store, place.name(), number, stage)
        assert store.legacy_stages(place.name()) == {1: "Archived", 2: "Production", 4: "Staging"}


def put_in_legacy_stage(store: ModelStore, name: str, number: int, stage: str) -> None:
    if isinstance(store, MemoryModelStore):
        store.set_legacy_stage(name, number, stage)
    elif isinstance(store, MlflowModelStore):
        with store._mlflow() as client, quiet_mlflow():  # as others' tools do it
            client.transition_model_version_stage(name, str(number), stage)
