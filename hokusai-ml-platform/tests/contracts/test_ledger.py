"""Every `Ledger` keeps the same contract: in memory, on SQLite, and on a real PostgreSQL server."""

from __future__ import annotations

import itertools
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from hokusai.domain.audit import GENESIS_HASH, AuditHead, Happening, chain_faults
from hokusai.domain.records import ModelRecord
from hokusai.errors import InvalidInputError
from hokusai.ports import Ledger, Page

MODEL = "customer-churn"
OTHER = "lead-scorer"


@pytest.fixture
def store() -> str:
    """The location of a store."""
    return f"sqlite:////srv/{uuid.uuid4()}.db"


def row(name: str = MODEL, number: int = 1, version: str = "", at: int = 0, **tags: str) -> ModelRecord:
    """A row as MLflow has it; a tag's name has `__` for a dot."""
    given = {tag.replace("__", "."): value for tag, value in tags.items()}
    semver = {"hokusai.semver": version} if version else {}
    return ModelRecord(name, number, f"/artefacts/{name}/{number}", None, {**semver, **given}, at, at)


def numbers(rows: list[ModelRecord]) -> list[int]:
    return [found.number for found in rows]


class TestTheTrail:
    def test_begins_empty(self, ledger: Ledger) -> None:
        assert ledger.head() == AuditHead(0, GENESIS_HASH)
        assert ledger.events() == []

    def test_gives_back_what_was_written_and_chains_it(self, ledger: Ledger) -> None:
        before = time.time_ns() // 1_000_000
        first, second = ledger.record(
            [
                Happening("model.registered", "churn/1.0.0", "ann", {"sha256": "ab", "metrics": {"f1": 0.5}}),
                Happening("model.promoted", "churn/1.0.0", "bob", {"stage": "production", "from": None}),
            ]
        )
        after = time.time_ns() // 1_000_000
        assert (first.sequence, second.sequence) == (1, 2)
        assert (first.previous, second.previous) == (GENESIS_HASH, first.hash)
        assert before <= first.at_ms <= second.at_ms <= after
        assert ledger.events() == [first, second]
        assert ledger.events()[0].happening.details == {"sha256": "ab", "metrics": {"f1": 0.5}}
        assert ledger.head() == AuditHead(2, second.hash)
        assert chain_faults(ledger.events(), ledger.head()) == []

    def test_goes_on_where_it_was(self, ledger: Ledger) -> None:
        (first,) = ledger.record([Happening("a", "x", "ann")])
        (second,) = ledger.record([Happening("b", "x", "ann")])
        assert second.previous == first.hash
        assert ledger.record([]) == []
        assert ledger.head().count == 2

    def test_keeps_any_text_and_number(self, ledger: Ledger) -> None:
        details = {"naïve ☃ 𝄞": ["\n\t\x1b", "\0", None, True, 0.1, 1e300, -0.0, 2**53 - 1], "empty": {}}
        ledger.record([Happening("k", "größe/1.0.0", "Ärztin\n", details)])
        (event,) = ledger.events()
        assert event.happening == Happening("k", "größe/1.0.0", "Ärztin\n", details)
        assert chain_faults([event], ledger.head()) == []

    @pytest.mark.parametrize(
        "happening",
        [
            Happening("k", "s", "a", {"loss": float("nan")}),
            Happening("k", "s", "a", {"path": Path("x")}),
            Happening("k" * 101, "s", "a"),
            Happening("k", "s" * 501, "a"),
            Happening("k", "s\0", "a"),
        ],
    )
    def test_refuses_what_cannot_be_kept_and_writes_nothing(
        self, ledger: Ledger, store: str, happening: Happening
    ) -> None:
        with pytest.raises(InvalidInputError):
            ledger.record([Happening("k", "s", "a"), happening], location=store, records=[row()])
        assert ledger.head().count == 0
        assert ledger.index.count(store) == 0

    def test_finds_by_kind_subject_and_place(self, ledger: Ledger) -> None:
        for kind, subject in itertools.product(("made", "moved"), ("x", "y")):
            ledger.record([Happening(kind, subject, "ann")])

        def sequences(**wanted: object) -> list[int]:
            return [event.sequence for event in ledger.events(**wanted)]  # type: ignore[arg-type]

        assert sequences() == [1, 2, 3, 4]
        assert sequences(newest_first=True) == [4, 3, 2, 1]
        assert sequences(after=2) == [3, 4]
        assert sequences(after=-5, limit=1) == [1]
        assert sequences(limit=2, newest_first=True) == [4, 3]
        assert sequences(after=1, newest_first=True, limit=2) == [4, 3]
        assert sequences(kind="moved") == [3, 4]
        assert sequences(subject="y") == [2, 4]
        assert sequences(kind="made", subject="y") == [2]
        assert sequences(kind="none") == []

    def test_knows_whether_something_was_said(self, ledger: Ledger) -> None:
        ledger.record([Happening("made", "x", "ann", {"sha256": "ab", "size": 3})])
        ledger.record([Happening("made", "x", "ann", {"sha256": "cd", "size": 3})])
        assert ledger.has("made", "x", {"sha256": "ab"})
        assert ledger.has("made", "x", {"sha256": "cd", "size": 3})
        assert ledger.has("made", "x", {})
        assert not ledger.has("made", "x", {"sha256": "ef"})
        assert not ledger.has("made", "x", {"sha256": "ab", "size": 4})
        assert not ledger.has("made", "x", {"absent": None})
        assert not ledger.has("made", "y", {"sha256": "ab"})
        assert not ledger.has("moved", "x", {"sha256": "ab"})

    def test_has_no_gaps_when_many_threads_append(self, ledger: Ledger) -> None:
        def append(actor: str) -> None:
            for i in range(10):
                ledger.record([Happening("k", "s", actor, {"i": i}), Happening("k", "s", actor, {"i": -i})])

        in_threads(append, [f"thread-{i}" for i in range(8)])
        events = ledger.events()
        assert [event.sequence for event in events] == list(range(1, 161))
        assert chain_faults(events, ledger.head()) == []
        for actor in {event.happening.actor for event in events}:
            said = [event.happening.details["i"] for event in events if event.happening.actor == actor]
            assert said == [sign * i for i in range(10) for sign in (1, -1)]

    def test_takes_rows_of_the_index_along(self, ledger: Ledger, store: str) -> None:
        ledger.record([Happening("k", "s", "a")], location=store, records=[row(version="1.0.0")])
        assert ledger.head().count == 1
        assert ledger.index.get(store, MODEL, "1.0.0") == row(version="1.0.0")

    def test_can_be_used_now(self, ledger: Ledger) -> None:
        ledger.check()
        assert ledger.location


class TestTheIndex:
    def test_knows_nothing_of_a_store_it_was_not_told_of(self, ledger: Ledger, store: str) -> None:
        index = ledger.index
        assert index.get(store, MODEL, "1.0.0") is None
        assert index.numbered(store, MODEL, 1) is None
        assert index.latest(store, MODEL) is None
        assert index.page(store, Page()) == []
        assert index.names(store) == []
        assert index.count(store) == 0
        assert index.mark(store, "polled") is None
        index.drop(store)
        index.drop(store, [(MODEL, 1)])

    def test_gives_a_row_back_as_it_was(self, ledger: Ledger, store: str) -> None:
        tags = {
            "hokusai.semver": "1.2.3-rc.1",
            "hokusai.build": "7",
            "ünïcode": "\u2028 \"'\\ \0 ☃",
            "empty": "",
        }
        record = ModelRecord(
            "größe", 7, "s3://b/ü", "run", tags, 1_700_000_000_123, 1_700_000_000_456, "für\nalle"
        )
        ledger.index.put(store, [record])
        assert ledger.index.numbered(store, "größe", 7) == record
        found = ledger.index.get(store, "größe", "1.2.3-rc.1")
        assert found == record
        assert str(found.version if found else "") == "1.2.3-rc.1+7"

    def test_the_same_row_twice_is_one_row_and_the_last_word_counts(self, ledger: Ledger, store: str) -> None:
        ledger.index.put(store, [row(version="1.0.0", team="a"), row(version="1.0.0", team="b", gone="x")])
        ledger.index.put(store, [row(version="1.0.0", team="c")])
        ledger.index.put(store, [row(version="1.0.0", team="c")])
        assert ledger.index.count(store) == 1
        assert ledger.index.page(store, Page(tags={"team": "c"})) == [row(version="1.0.0", team="c")]
        for stale in ({"team": "a"}, {"team": "b"}, {"gone": "x"}):
            assert ledger.index.page(store, Page(tags=stale)) == []

    def test_a_row_that_loses_its_version_is_found_by_number_only(self, ledger: Ledger, store: str) -> None:
        ledger.index.put(store, [row(version="1.0.0", hokusai_token_id="msg-ai")])
        ledger.index.put(store, [row()])
        assert ledger.index.get(store, MODEL, "1.0.0") is None
        assert ledger.index.page(store, Page(token_id="msg-ai")) == []
        assert ledger.index.numbered(store, MODEL, 1) == row()

    def test_of_two_rows_with_one_version_the_lower_number_has_it(self, ledger: Ledger, store: str) -> None:
        rows = [row(number=number, version="1.0.0") for number in (12, 3, 5)]
        ledger.index.put(store, rows)
        found = ledger.index.get(store, MODEL, "1.0.0")
        assert found is not None and found.number == 3

    def test_keeps_stores_apart(self, ledger: Ledger, store: str) -> None:
        ledger.index.put(store, [row(version="1.0.0")])
        ledger.index.put(store + "2", [row(OTHER, version="2.0.0")])
        assert ledger.index.names(store) == [MODEL]
        assert ledger.index.get(store + "2", MODEL, "1.0.0") is None
        ledger.index.drop(store)
        assert (ledger.index.count(store), ledger.index.count(store + "2")) == (0, 1)

    def test_drops_rows_or_everything(self, ledger: Ledger, store: str) -> None:
        ledger.index.put(store, [row(number=n, version=f"1.{n}.0", team="a") for n in range(1, 5)])
        ledger.index.set_mark(store, "polled", "5")
        ledger.index.drop(store, [(MODEL, 2), (MODEL, 99), ("unknown", 1)])
        assert numbers(ledger.index.page(store, Page(tags={"team": "a"}))) == [4, 3, 1]
        assert ledger.index.mark(store, "polled") == "5"
        ledger.index.drop(store, [])
        assert ledger.index.count(store) == 3
        ledger.index.drop(store)
        assert ledger.index.count(store) == 0
        assert ledger.index.mark(store, "polled") is None
        ledger.index.put(store, [row(version="1.0.0", team="a")])
        assert numbers(ledger.index.page(store, Page(tags={"team": "a"}))) == [1]

    def test_names_are_sorted_as_python_sorts(self, ledger: Ledger, store: str) -> None:
        names = ["b", "B", "a-b", "a.b", "ab", "ä", "Z", "a_b", "10", "9"]
        ledger.index.put(store, [row(name, number) for name in names for number in (1, 2)])
        assert ledger.index.names(store) == ["10", "9", "B", "Z", "a-b", "a.b", "a_b", "ab", "b", "ä"]

    def test_marks_are_kept_by_store_and_key(self, ledger: Ledger, store: str) -> None:
        ledger.index.set_mark(store, "polled", "1")
        ledger.index.set_mark(store, "polled", "2")
        ledger.index.set_mark(store, "other", "3")
        assert ledger.index.mark(store, "polled") == "2"
        assert ledger.index.mark(store, "other") == "3"
        assert ledger.index.mark(store + "2", "polled") is None

    def test_many_threads_may_write_the_same_rows(self, ledger: Ledger, store: str) -> None:
        def put(team: str) -> None:
            rows = [row(number=n, version=f"1.{n}.0", team=team) for n in range(1, 30)]
            for _ in range(3):
                ledger.index.put(store, reversed(rows) if team == "t1" else rows)
                ledger.index.drop(store, [(MODEL, 7)])

        in_threads(put, [f"t{i}" for i in range(6)])
        assert ledger.index.count(store) == 28
        teams = [numbers(ledger.index.page(store, Page(tags={"team": f"t{i}"}))) for i in range(6)]
        assert sorted(itertools.chain(*teams)) == [n for n in range(1, 30) if n != 7]


class TestTheLatest:
    @pytest.mark.parametrize(
        ("versions", "expected"),
        [
            (["1.0.0", "1.10.0", "1.9.0"], "1.10.0"),
            (["2.0.0-rc.1", "1.0.0"], "1.0.0"),
            (["2.0.0-rc.2", "2.0.0-rc.10", "2.0.0-alpha"], "2.0.0-rc.10"),
            (["1.0.0-1", "1.0.0-a", "1.0.0-a.1"], "1.0.0-a.1"),
            (["0.0.1"], "0.0.1"),
            (["999999999.0.0", "1000000000.0.0"], "1000000000.0.0"),
        ],
    )
    def test_is_the_highest_release_or_else_pre_release(
        self, ledger: Ledger, store: str, versions: list[str], expected: str
    ) -> None:
        ledger.index.put(store, [row(number=n, version=v) for n, v in enumerate(versions, start=1)])
        ledger.index.put(store, [row(OTHER, 1, "9999999999.0.0")])
        found = ledger.index.latest(store, MODEL)
        assert found is not None and str(found.version) == expected

    def test_passes_over_what_is_deleted_or_deprecated(self, ledger: Ledger, store: str) -> None:
        ledger.index.put(
            store,
            [
                row(number=1, version="1.0.0"),
                row(number=2, version="1.1.0", hokusai__deprecated=""),
                row(number=3, version="1.2.0", hokusai__deleted="too old"),
            ],
        )
        found = ledger.index.latest(store, MODEL)
        assert found is not None and found.number == 1

    def test_is_none_where_nothing_may_be_used(self, ledger: Ledger, store: str) -> None:
        ledger.index.put(store, [row(number=1), row(number=2, version="1.0.0", hokusai__deleted="x")])
        assert ledger.index.latest(store, MODEL) is None

    def test_is_not_a_row_that_lost_the_race_for_a_deleted_version(self, ledger: Ledger, store: str) -> None:
        rows = [row(number=1, version="1.0.0"), row(number=2, version="2.0.0", hokusai__deleted="x")]
        ledger.index.put(store, [*rows, row(number=3, version="2.0.0")])
        found = ledger.index.latest(store, MODEL)
        assert found is not None and found.number == 1


class TestAVersionThatNobodyElseClaims:
    @pytest.mark.parametrize(
        ("versions", "number", "expected"),
        [
            (["1.0.0", "1.1.0"], 3, True),
            ([], 1, True),
            (["1.0.0"], 3, False),  # somebody added a row that is not here yet
            (["1.0.0", "2.0.0"], 3, False),
            (["1.0.0", ""], 3, False),  # what has no version may be given one by hand
            (["1.0.0", "1.1.0", "1.2.0"], 3, False),  # a model that was made anew
            (["1.0.0"], 1, False),
        ],
    )
    def test_is_seen_from_every_lower_row(
        self, ledger: Ledger, store: str, versions: list[str], number: int, expected: bool
    ) -> None:
        ledger.index.put(store, [row(number=n, version=v) for n, v in enumerate(versions, start=1)])
        ledger.index.put(store, [row(OTHER, n, "5.0.0") for n in (1, 2, 3)])
        assert ledger.index.unclaimed_below(store, MODEL, number, "2.0.0") is expected


class TestAPage:
    def test_is_newest_first_and_goes_on_where_it_ended(self, ledger: Ledger, store: str) -> None:
        rows = [row(name, number, at=at) for at in (1, 2, 3) for name in ("a", "B", "c") for number in (1, 2)]
        rows = [
            ModelRecord(r.name, r.number + 10 * r.created_ms, r.source, None, {}, r.created_ms) for r in rows
        ]
        ledger.index.put(store, rows)
        expected = sorted(((r.created_ms, r.name, r.number) for r in rows), reverse=True)
        seen: list[tuple[int, str, int]] = []
        after = None
        while page := ledger.index.page(store, Page(limit=4, after=after)):
            seen += [(r.created_ms, r.name, r.number) for r in page]
            after = seen[-1]
        assert seen == expected

    def test_holds_what_fits_all_that_is_asked(self, ledger: Ledger, store: str) -> None:
        parent = f"{MODEL}/1.0.0"
        ledger.index.put(
            store,
            [
                row(number=1, version="1.0.0", at=1, team="growth"),
                row(number=2, version="1.1.0", at=2, hokusai__parent=parent, hokusai__contributor="0xAb"),
                row(
                    number=3,
                    version="1.2.0",
                    at=3,
                    hokusai__parent=parent,
                    hokusai_token_id="msg-ai",
                    hokusai__model_type="sklearn.svm.SVC",
                ),
                row(number=4, at=4, hokusai_token_id="msg-ai", hokusai__contributor="0xaB"),
                row(
                    OTHER,
                    5,
                    "1.0.0",
                    at=5,
                    hokusai__parent=f"{MODEL}/1.2.0",
                    hokusai__sha256="ff",
                    team="growth",
                    env="x",
                ),
                row(number=6, at=6, hokusai__deleted="", hokusai_token_id="msg-ai", team="growth"),
            ],
        )
        for wanted, expected in (
            (Page(), [5, 4, 3, 2, 1]),
            (Page(limit=2), [5, 4]),
            (Page(include_deleted=True), [6, 5, 4, 3, 2, 1]),
            (Page(name=OTHER), [5]),
            (Page(name="lead"), []),
            (Page(token_id="msg-ai"), [4, 3]),
            (Page(token_id="MSG-AI"), []),
            (Page(contributor="0xab"), [4, 2]),
            (Page(contributor="0xAB"), [4, 2]),
            (Page(parent_id=f"{MODEL}/1.0.0"), [3, 2]),
            (Page(parent_name=MODEL), [5, 3, 2]),
            (Page(model_type="sklearn.svm.SVC"), [3]),
            (Page(sha256="ff"), [5]),
            (Page(tags={"team": "growth"}), [5, 1]),
            (Page(tags={"team": "growth", "env": "x"}), [5]),
            (Page(tags={"team": "growth", "env": "y"}), []),
            (Page(tags={"team": "growth"}, name=MODEL), [1]),
            (Page(tags={"hokusai_token_id": "msg-ai"}), []),
            (Page(token_id="msg-ai", contributor="0xAb"), [4]),
            (Page(token_id="msg-ai", include_deleted=True), [6, 4, 3]),
            (Page(tags={"team": "growth"}, include_deleted=True), [6, 5, 1]),
            (Page(token_id="msg-ai", after=(4, MODEL, 4)), [3]),
            (Page(tags={"team": "growth"}, after=(5, OTHER, 5)), [1]),
            (Page(tags={"team": "growth", "env": "x"}, after=(5, OTHER, 5)), []),
        ):
            assert numbers(ledger.index.page(store, wanted)) == expected, wanted


class TestRowsThatOthersWrote:
    LONG = "x" * 100_000

    @pytest.mark.parametrize(
        "tags",
        [
            {"hokusai_token_id": "NOT a token", "benchmark_value": "nan"},
            {"hokusai.semver": "latest"},
            {"hokusai.metrics": "{not json", "hokusai.size_bytes": "many"},
            {"hokusai.contributor": "somebody\0", "hokusai.sha256": "\0"},
            {"hokusai.parent": LONG, "hokusai.model_type": LONG, LONG[:250]: LONG},
            {"": "", "🦄" * 60: "🦄" * 60},
        ],
    )
    def test_are_indexed_by_what_can_be_read(self, ledger: Ledger, store: str, tags: dict[str, str]) -> None:
        record = ModelRecord(MODEL, 1, tags={**tags, "team": "growth"})
        ledger.index.put(store, [record, row(number=2, at=-1)])
        assert ledger.index.page(store, Page(tags={"team": "growth"})) == [record]
        assert ledger.index.latest(store, MODEL) is None

    def test_are_found_by_what_they_say_however_odd(self, ledger: Ledger, store: str) -> None:
        odd = {
            "hokusai_token_id": self.LONG,
            "hokusai.contributor": "Some\0Body",
            "hokusai.sha256": "é" * 300,
            "note": self.LONG,
        }
        ledger.index.put(store, [ModelRecord(MODEL, 1, tags=odd)])
        for wanted in (
            Page(token_id=self.LONG),
            Page(contributor="some\0bODY"),
            Page(sha256="é" * 300),
            Page(tags={"note": self.LONG}),
        ):
            assert numbers(ledger.index.page(store, wanted)) == [1]
        assert ledger.index.page(store, Page(token_id=self.LONG + "x")) == []
        assert ledger.index.page(store, Page(tags={"note": self.LONG[1:]})) == []


def test_a_tag_is_not_taken_for_another_with_the_same_letters(ledger: Ledger, store: str) -> None:
    ledger.index.put(store, [row(number=1, a="b c"), ModelRecord(MODEL, 2, tags={"a b": "c"})])
    assert numbers(ledger.index.page(store, Page(tags={"a": "b c"}))) == [1]
    assert numbers(ledger.index.page(store, Page(tags={"a b": "c"}))) == [2]


def test_more_rows_than_fit_into_one_statement(ledger: Ledger, store: str) -> None:
    rows = [row(f"m{n % 7}", n, f"1.{n}.0", at=n, team=f"t{n % 3}") for n in range(1, 4_502)]
    ledger.index.put(store, iter(rows))
    ledger.record([Happening("k", "s", "a")], location=store, records=rows)
    assert ledger.index.count(store) == 4_501
    assert numbers(ledger.index.page(store, Page(tags={"team": "t1"}, limit=3))) == [4501, 4498, 4495]
    ledger.index.drop(store, [(r.name, r.number) for r in rows if r.number > 10])
    assert numbers(ledger.index.page(store, Page())) == list(range(10, 0, -1))


def in_threads(work: Callable[[str], None], names: list[str]) -> None:
    """Run `work` once for each name, all at once, and raise what any of them raised."""
    problems: list[BaseException] = []
    barrier = threading.Barrier(len(names))

    def run(name: str) -> None:
        try:
            barrier.wait()
            work(name)
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=run, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]
