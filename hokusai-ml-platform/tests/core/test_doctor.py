"""The doctor: names every hop, and all that a crash or a hand leaves behind; mends what is safe, and says so."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from hokusai.adapters.memory_ledger import MemoryLedger
from hokusai.adapters.memory_models import MemoryModelStore
from hokusai.adapters.mlflow_registry import MlflowModelStore
from hokusai.adapters.redis_ping import ping_redis
from hokusai.adapters.sql.ledger import SqlLedger
from hokusai.core.doctor import Diagnosis, Installation, diagnose
from hokusai.core.examination import REPAIRED
from hokusai.core.findings import Finding
from hokusai.core.hops import Hop
from hokusai.core.promotion import StageManager
from hokusai.core.rebuild import POLLED_MARK
from hokusai.core.registration import REGISTERED
from hokusai.core.registry import ModelRegistry
from hokusai.core.stage_log import StageLog
from hokusai.domain.audit import Happening
from hokusai.domain.records import ACTOR, FILES, SEMVER, SHA256, SIZE, ModelRecord
from hokusai.domain.stages import EVENT_TAG, EXPECTED_TAG, Move, Stage, StageEvent
from hokusai.errors import BackendUnavailableError, NotFoundError
from hokusai.ports import Upload
from hokusai.stack.redis import RedisServer
from tests.warm_python import warm

HOUR_MS = 3_600_000
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # SHA-256 of "abc", FIPS 180-2


class Old(MemoryModelStore):
    """A store in which everything happened two days ago."""

    def add_version(
        self, name: str, upload: Upload, tags: dict[str, str], description: str = ""
    ) -> ModelRecord:  # type: ignore[override]
        record = super().add_version(name, upload, tags, description)
        old = replace(record, created_ms=record.created_ms - 48 * HOUR_MS)
        self._rows[name][record.number] = old
        return old

    def age_uploads(self, hours: float) -> None:
        for source, artifact in self._artifacts.items():
            self._artifacts[source] = replace(artifact, at_seconds=time.time() - hours * 3600)


class Patient:
    """A registry in memory, in which things go wrong."""

    def __init__(self, home: Path | None = None) -> None:
        self.store, self.ledger, self.home = Old(), MemoryLedger(), home
        self.polled(in_ms=HOUR_MS)

    def polled(self, in_ms: int) -> None:
        self.ledger.index.set_mark(self.store.location, POLLED_MARK, str(int(time.time() * 1000) + in_ms))

    def installation(self, **more: object) -> Installation:
        return Installation(
            store=lambda: self.store,
            ledger=lambda: self.ledger,
            actor="ada",
            store_address="memory",
            ledger_address="memory",
            artifact_address="memory",
            home=self.home,
            drafts={".draft-*": "A draft"},
            **more,  # type: ignore[arg-type]
        )

    def register(
        self, name: str = "churn", version: str = "1.0.0", *, audited: bool = True, indexed: bool = True
    ) -> ModelRecord:
        tags = {SEMVER: version, ACTOR: "ada", SHA256: ABC, FILES: json.dumps({"model": ABC}), SIZE: "3"}
        row = self.store.add_version(name, self.store.upload(name, {"model": b"abc"}), tags)
        if audited:
            self.ledger.record([Happening(REGISTERED, row.model_id, "ada", {"mlflow_version": row.number})])
        if indexed:
            self.ledger.index.put(self.store.location, [row])
        return row

    def diagnose(self, **how: object) -> Diagnosis:
        return diagnose(self.installation(), **how)  # type: ignore[arg-type]

    def found(self, **how: object) -> list[str]:
        return [finding.name for finding in self.diagnose(**how).findings]

    def mended(self, **how: object) -> list[tuple[str, str]]:
        """What repair did; afterwards nothing may be left, and each repair must be in the trail."""
        diagnosis = self.diagnose(repair=True, **how)
        assert [r.failed for r in diagnosis.repairs] == [""] * len(diagnosis.repairs)
        told = [event.happening for event in self.ledger.events(kind=REPAIRED)]
        assert [(h.details["finding"], h.subject) for h in told] == [
            (repair.finding.name, repair.finding.subject) for repair in diagnosis.repairs
        ]
        assert self.diagnose(**how).is_healthy
        return [(repair.finding.name, repair.finding.subject) for repair in diagnosis.repairs]


@pytest.fixture
def patient(tmp_path: Path) -> Patient:
    return Patient(tmp_path)


class TestHealth:
    def test_of_a_sound_registry_is_good(self, patient: Patient) -> None:
        patient.register()
        diagnosis = patient.diagnose(deep=True)
        assert diagnosis.is_healthy
        assert (diagnosis.findings, diagnosis.not_checked) == ((), ())
        assert [(hop.name, hop.ok) for hop in diagnosis.hops] == [
            ("ledger", True),
            ("mlflow", True),
            ("artifacts", True),
        ]
        assert all(hop.latency_ms is not None and hop.latency_ms >= 0 for hop in diagnosis.hops)
        assert list(patient.store.orphans()) == []

    def test_of_an_empty_registry_is_good(self, patient: Patient) -> None:
        assert patient.diagnose(deep=True).is_healthy

    def test_can_be_told_as_json(self, patient: Patient) -> None:
        patient.register(audited=False)
        told = json.loads(json.dumps(patient.diagnose().to_dict()))
        assert told["healthy"] is False
        assert told["findings"][0]["name"] == "version-without-audit-entry"
        assert told["findings"][0]["repairable"] is True


class TestHops:
    def test_that_refuse_are_told_with_reason_and_hint(self, patient: Patient) -> None:
        def refuses() -> None:
            raise BackendUnavailableError("Connection refused", hint="Start it.")

        diagnosis = diagnose(patient.installation(hops=[Hop("redis", "localhost:1", refuses)]))
        assert not diagnosis.is_healthy
        assert diagnosis.hops[-1].problem == "Connection refused"
        assert diagnosis.hops[-1].hint == "Start it."

    def test_that_say_nothing_do_not_hang_the_doctor(self, patient: Patient) -> None:
        answer = threading.Event()
        hops = [Hop(f"silent {n}", "", lambda: waited.append(answer.wait(60))) for n in range(3)]
        waited: list[bool] = []
        diagnosis = diagnose(patient.installation(hops=hops), timeout_seconds=0.3)
        assert waited == []
        answer.set()
        assert [hop.ok for hop in diagnosis.hops] == [True, True, True, False, False, False]
        assert "0.3 seconds" in diagnosis.hops[-1].problem

    def test_of_the_registry_that_are_down_leave_it_unexamined(self, patient: Patient) -> None:
        def gone() -> MemoryLedger:
            raise BackendUnavailableError("gone")

        diagnosis = diagnose(replace(patient.installation(), ledger=gone), repair=True)
        assert [hop.ok for hop in diagnosis.hops] == [False, True, True]
        assert diagnosis.not_checked == ("The registry, because not all of its servers can be used",)
        assert not diagnosis.is_healthy

    def test_to_a_store_that_returns_other_bytes_are_bad(self, patient: Patient) -> None:
        def other(source: str, into: Path) -> str:
            (into / "probe.txt").write_bytes(b"other")
            return source

        patient.store.fetch = other  # type: ignore[method-assign]
        hop = patient.diagnose().hops[2]
        assert (hop.ok, hop.problem) == (False, "What was read is not what was written")

    def test_to_redis_are_asked_on_a_real_server(self, redis_server: RedisServer) -> None:
        ping_redis(redis_server.host, redis_server.port)

    def test_to_a_port_where_nobody_is_are_told(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with pytest.raises(BackendUnavailableError, match=f"127.0.0.1:{port}"):
            ping_redis("127.0.0.1", port)


class TestVersions:
    def test_without_an_audit_entry_get_one_that_vouches_for_nothing(self, patient: Patient) -> None:
        patient.register(audited=False)
        assert patient.mended() == [("version-without-audit-entry", "churn/1.0.0")]
        assert patient.ledger.events(kind=REGISTERED) == []
        assert patient.ledger.events(kind=REPAIRED)[0].happening.details["sha256"] == ABC

    def test_of_people_with_a_ledger_of_their_own_are_only_mentioned(self, patient: Patient) -> None:
        row = patient.store.add_version("churn", Upload("memory:/x"), {SEMVER: "1.0.0", ACTOR: "bob"})
        patient.ledger.index.put(patient.store.location, [row])
        diagnosis = patient.diagnose()
        assert [finding.name for finding in diagnosis.findings] == ["registered-elsewhere"]
        assert diagnosis.is_healthy

    def test_that_nobody_gave_a_semantic_version_are_only_mentioned(self, patient: Patient) -> None:
        row = patient.store.add_version("churn", Upload("memory:/x"), {})
        patient.ledger.index.put(patient.store.location, [row])
        diagnosis = patient.diagnose()
        assert [finding.name for finding in diagnosis.findings] == ["no-semantic-version"]
        assert "hokusai migrate from-mlflow" in diagnosis.findings[0].remedy
        assert diagnosis.is_healthy

    def test_that_lost_a_race_are_removed(self, patient: Patient) -> None:
        patient.register()
        loser = patient.register(audited=False)
        assert ("lost-duplicate", "churn/1.0.0") in patient.mended()
        assert [row.number for row in patient.store.versions("churn")] == [1]
        with pytest.raises(NotFoundError):
            patient.store.version("churn", loser.number)

    def test_that_are_still_being_registered_are_left_alone(self, patient: Patient) -> None:
        patient.register()
        loser = patient.register(audited=False)
        young = replace(loser, created_ms=int(time.time() * 1000))
        patient.store._rows["churn"][loser.number] = young
        diagnosis = patient.diagnose(repair=True)
        assert [(f.name, f.meaning) for f in diagnosis.findings] == [
            ("lost-duplicate", "Possibly still being registered"),
            ("version-without-audit-entry", "Possibly still being registered"),
        ]
        assert len(patient.store.versions("churn")) == 2

    @pytest.mark.parametrize(
        "harm",
        [
            {"tags": {SEMVER: "1.0.0", SHA256: ABC}},
            {"tags": {SEMVER: "1.0.0", SHA256: ABC, ACTOR: "ada"}, "created_ms": 0},
        ],
        ids=["not registered by Hokusai", "much older"],
    )
    def test_that_lost_to_a_tag_set_by_hand_are_never_removed(
        self, patient: Patient, harm: dict[str, object]
    ) -> None:
        first = patient.register()
        patient.register(audited=False)
        patient.store._rows["churn"][1] = replace(first, **harm)  # type: ignore[arg-type]
        patient.diagnose(repair=True)
        assert "version-claimed-twice" in patient.found()
        assert [row.number for row in patient.store.versions("churn")] == [1, 2]

    def test_that_lost_and_are_of_people_with_a_ledger_of_their_own_are_never_removed(
        self, patient: Patient
    ) -> None:
        patient.register()
        bobs = patient.register(audited=False)
        patient.store.set_tags("churn", bobs.number, {ACTOR: "bob"})
        diagnosis = patient.diagnose(repair=True)
        assert "version-claimed-twice" in [finding.name for finding in diagnosis.findings]
        assert len(patient.store.versions("churn")) == 2

    def test_that_the_trail_knows_are_never_removed(self, patient: Patient) -> None:
        patient.register()
        patient.register()
        diagnosis = patient.diagnose(repair=True)
        assert [finding.name for finding in diagnosis.findings] == ["version-claimed-twice"]
        assert len(patient.store.versions("churn")) == 2
        assert not diagnosis.is_healthy


class TestIndex:
    def test_that_lacks_rows_gets_them(self, patient: Patient) -> None:
        patient.register()
        row = patient.register(version="1.1.0", indexed=False)
        assert patient.mended() == [("index-incomplete", patient.store.location)]
        assert patient.ledger.index.get(patient.store.location, "churn", "1.1.0") == row

    def test_that_has_old_rows_gets_new_ones(self, patient: Patient) -> None:
        patient.register()
        changed = patient.store.set_tags("churn", 1, {"colour": "blue"})
        assert patient.mended() == [("index-stale", patient.store.location)]
        assert patient.ledger.index.get(patient.store.location, "churn", "1.0.0") == changed

    def test_that_has_rows_which_are_gone_forgets_them(self, patient: Patient) -> None:
        patient.register()
        patient.register(version="1.1.0")
        patient.store.remove_version("churn", 2)
        patient.store.age_uploads(1)
        assert patient.mended() == [("index-has-removed-rows", patient.store.location)]
        assert patient.ledger.index.count(patient.store.location) == 1

    def test_that_was_never_made_is_made_on_first_use(self, patient: Patient) -> None:
        patient.register(indexed=False)
        patient.ledger.index.drop(patient.store.location)
        assert patient.found() == []

    def test_that_the_next_poll_completes_is_no_fault(self, patient: Patient) -> None:
        patient.register(indexed=False)
        patient.polled(in_ms=0)
        assert patient.found() == []


class TestFiles:
    def test_without_a_version_are_removed_when_they_are_old(self, patient: Patient) -> None:
        source = patient.store.upload("churn", {"model": b"abc"}).source
        patient.store.age_uploads(25)
        assert patient.mended() == [("files-without-version", source)]
        assert list(patient.store.orphans()) == []

    def test_without_a_version_that_are_young_are_left_alone(self, patient: Patient) -> None:
        patient.store.upload("churn", {"model": b"abc"})
        patient.store.age_uploads(23)
        diagnosis = patient.diagnose(repair=True)
        assert [(f.name, f.meaning) for f in diagnosis.findings] == [
            ("files-without-version", "Possibly still being uploaded")
        ]
        assert diagnosis.is_healthy
        assert len(list(patient.store.orphans())) == 1
        assert patient.mended(older_than_hours=22)

    @pytest.mark.parametrize(
        ("harm", "meaning"),
        [
            (lambda store, source: store._artifacts.pop(source), "The files of the model are gone"),
            (lambda store, source: store._artifacts[source].files.update(model=b"abd"), "model was changed"),
            (lambda store, source: store._artifacts[source].files.pop("model"), "model is missing"),
        ],
        ids=["gone", "changed", "incomplete"],
    )
    def test_of_a_version_that_were_harmed_are_found_by_a_deep_look(
        self, patient: Patient, harm: Callable[[Old, str], object], meaning: str
    ) -> None:
        row = patient.register()
        harm(patient.store, row.source)
        at_once = ["files-damaged"] if "gone" in meaning else []  # what is gone is seen without reading
        assert patient.found() == at_once
        diagnosis = patient.diagnose(deep=True, repair=True)
        assert [(f.name, f.subject) for f in diagnosis.findings] == [("files-damaged", "churn/1.0.0")]
        assert meaning in diagnosis.findings[0].meaning
        assert not diagnosis.is_healthy

    def test_called_drafts_are_removed_when_they_are_old(self, patient: Patient, tmp_path: Path) -> None:
        for name, age_hours in ((".draft-old", 2), (".draft-new", 0)):
            (tmp_path / name).mkdir()
            (tmp_path / name / "mlflow.db").touch()
            at = time.time() - age_hours * 3600
            os.utime(tmp_path / name, (at, at))
        assert patient.mended() == [("draft-left-behind", str(tmp_path / ".draft-old"))]
        assert [path.name for path in tmp_path.iterdir()] == [".draft-new"]


class TestStages:
    def test_that_mlflow_says_otherwise_are_set_right(self, patient: Patient) -> None:
        patient.register()
        patient.register(version="1.1.0")
        StageLog(patient.store).move(
            "churn", lambda _: StageEvent(Move.PROMOTE, "1.0.0", Stage.PRODUCTION, actor="ada")
        )
        patient.store.set_alias("churn", "production", 2)
        assert patient.mended() == [("stage-not-mirrored", "churn")]
        assert patient.store.alias("churn", "production") == 1

    def test_of_one_model_that_cannot_be_read_do_not_hide_those_of_others(self, patient: Patient) -> None:
        for name in ("bad", "churn"):
            patient.register(name)
            event = StageEvent(Move.PROMOTE, "1.0.0", Stage.PRODUCTION, actor="ada")
            StageLog(patient.store).move(name, lambda _, event=event: event)
        told = {
            "move": "sell",
            "version": "1.0.0",
            "stage": None,
            "previous": None,
            "actor": "x",
            "reason": "",
        }
        tags = {EXPECTED_TAG: "1", EVENT_TAG: json.dumps(told | {"at_ms": 1})}
        patient.store.add_version("hokusai-log.bad", Upload("hokusai:event"), tags)
        patient.store.set_alias("churn", "production", None)
        diagnosis = patient.diagnose()
        assert [(f.name, f.subject) for f in diagnosis.findings if f.is_fault] == [
            ("stages-unreadable", "bad"),
            ("stage-not-mirrored", "churn"),
        ]
        assert diagnosis.not_checked == ()


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is taken for being under way."""
    monkeypatch.setattr("hokusai.core.examination._SETTLING_SECONDS", 0)


class TestMoves:
    @pytest.mark.usefixtures("settled")
    def test_that_the_trail_does_not_tell_are_written_into_it(self, patient: Patient) -> None:
        row = patient.register()
        for move in (Move.DEPRECATE, Move.REINSTATE, Move.DELETE):
            event = StageEvent(move, "1.0.0", actor="ada", reason="drift", row=row.number)
            StageLog(patient.store).move("churn", lambda _, event=event: event)
        diagnosis = patient.diagnose(repair=True)
        moves = [r for r in diagnosis.repairs if r.finding.name == "move-without-audit-entry"]
        assert [(r.finding.subject, r.failed) for r in moves] == [("churn/1.0.0", "")] * 3
        told = [e.happening.details for e in patient.ledger.events(kind=REPAIRED)]
        written = [
            (d["move"], d["moved"]["move"], d["moved"]["actor"], d["moved"]["reason"]) for d in told[:3]
        ]
        assert written == [
            (1, "deprecate", "ada", "drift"),
            (2, "reinstate", "ada", "drift"),
            (3, "delete", "ada", "drift"),
        ]
        assert patient.diagnose().is_healthy

    @pytest.mark.usefixtures("settled")
    def test_of_people_with_a_ledger_of_their_own_are_none_of_ours(self, patient: Patient) -> None:
        patient.register()
        event = StageEvent(Move.DEPRECATE, "1.0.0", actor="bob")
        StageLog(patient.store).move("churn", lambda _: event)
        assert "move-without-audit-entry" not in patient.found()

    def test_that_are_still_being_written_are_left_alone(self, patient: Patient) -> None:
        patient.register()
        event = StageEvent(Move.PROMOTE, "1.0.0", Stage.STAGING, actor="ada")
        StageLog(patient.store).move("churn", lambda _: event)
        diagnosis = patient.diagnose(repair=True)
        assert [(f.name, f.meaning) for f in diagnosis.findings] == [
            ("move-without-audit-entry", "Possibly still being moved")
        ]
        assert patient.ledger.events(kind=REPAIRED) == []

    @pytest.mark.usefixtures("settled")
    def test_of_every_kind_are_known_from_their_own_entries(self, patient: Patient) -> None:
        for version in ("1.0.0", "1.1.0"):
            patient.register(version=version)
        registry = ModelRegistry(store=patient.store, ledger=patient.ledger, actor="ada", poll_seconds=0)
        stages = StageManager(registry)
        for version in ("1.0.0", "1.1.0"):
            stages.promote_model("churn", version)
        stages.rollback_model("churn")
        stages.withdraw_model("churn", "production")
        stages.deprecate_version("churn", "1.1.0")
        stages.reinstate_version("churn", "1.1.0")
        registry.delete("churn/1.1.0")
        registry.restore("churn/1.1.0")
        assert len(stages.history("churn")) == 8
        assert "move-without-audit-entry" not in patient.found()


class TestTags:
    def test_whose_entry_is_missing_are_written_into_the_trail_when_they_are_set_again(
        self, patient: Patient
    ) -> None:
        patient.register()
        changed = patient.store.set_tags("churn", 1, {"team": "growth"})  # and then the process died
        patient.ledger.index.put(patient.store.location, [changed])  # as the next poll does
        registry = ModelRegistry(store=patient.store, ledger=patient.ledger, actor="ada", poll_seconds=0)
        for _ in range(2):
            registry.update_model_tags("churn", "1.0.0", {"team": "growth"}, remove=["colour"])
        told = [event.happening.details for event in patient.ledger.events(kind="model.tagged")]
        assert told == [{"tags": {"team": "growth", "colour": None}}]


class TestTrail:
    def test_that_was_edited_is_told_and_not_mended(self, patient: Patient) -> None:
        patient.register()
        patient.register(version="1.1.0")
        first = patient.ledger._events[0]
        patient.ledger._events[0] = replace(first, happening=replace(first.happening, actor="mallory"))
        diagnosis = patient.diagnose(repair=True)
        assert [finding.name for finding in diagnosis.findings] == ["audit-trail-broken"]
        assert "Entry 1 was changed" in diagnosis.findings[0].meaning
        assert not diagnosis.is_healthy

    def test_that_was_emptied_is_told(self, patient: Patient) -> None:
        patient.register(audited=False)
        patient.register(version="1.1.0", audited=False)
        diagnosis = patient.diagnose(repair=True)
        assert [finding.name for finding in diagnosis.findings] == ["audit-trail-emptied"]
        assert "churn/1.0.0, churn/1.1.0" in diagnosis.findings[0].meaning
        assert not diagnosis.is_healthy

    def test_whose_head_and_entries_are_gone_is_told(self, tmp_path: Path) -> None:
        ledger = SqlLedger(f"sqlite:///{tmp_path}/hokusai.db")
        ledger.check()
        with contextlib.closing(sqlite3.connect(tmp_path / "hokusai.db")) as database, database:
            database.execute("DELETE FROM hokusai_audit_head")
        store = MemoryModelStore()
        diagnosis = diagnose(Installation(store=lambda: store, ledger=lambda: ledger, actor="ada"))
        assert [finding.name for finding in diagnosis.findings] == ["audit-trail-broken"]
        assert "lost its head" in diagnosis.findings[0].meaning
        ledger.close()


class TestRepair:
    def test_that_fails_is_told_and_the_others_are_done(self, patient: Patient) -> None:
        def broken() -> str:
            raise BackendUnavailableError("read-only")

        def check() -> Sequence[Finding]:
            return [Finding("a", "x", "", "", fix=broken), Finding("b", "y", "", "", fix=lambda: "done")]

        diagnosis = diagnose(patient.installation(checks=[("mine", check)]), repair=True)
        assert [(r.finding.name, r.done, bool(r.failed)) for r in diagnosis.repairs] == [
            ("a", "", True),
            ("b", "done", False),
        ]
        assert [finding.name for finding in diagnosis.findings] == ["a"]
        assert not diagnosis.is_healthy

    def test_of_a_check_that_cannot_be_done_is_told(self, patient: Patient) -> None:
        def check() -> Sequence[Finding]:
            raise BackendUnavailableError("gone meanwhile")

        diagnosis = diagnose(patient.installation(checks=[("mine", check)]))
        assert diagnosis.not_checked == ("mine: gone meanwhile.",)
        assert not diagnosis.is_healthy

    def test_of_a_check_that_breaks_is_told_and_the_others_are_done(self, patient: Patient) -> None:
        def check() -> Sequence[Finding]:
            raise OverflowError("cannot convert float infinity to integer")

        checks = [("mine", check), ("next", lambda: [Finding("a", "x", "", "")])]
        diagnosis = diagnose(patient.installation(checks=checks))
        assert diagnosis.not_checked == ("mine: cannot convert float infinity to integer",)
        assert [finding.name for finding in diagnosis.findings] == ["a"]

    def test_is_not_done_unless_it_is_asked_for(self, patient: Patient) -> None:
        patient.register(audited=False)
        patient.store.upload("churn", {"model": b"abc"})
        patient.store.age_uploads(48)
        before = len(patient.ledger.events())
        assert sorted(patient.found()) == ["files-without-version", "version-without-audit-entry"]
        assert len(patient.ledger.events()) == before
        assert len(list(patient.store.orphans())) == 1


CRASH = """
import os, sys
from hokusai.adapters.mlflow_registry import MlflowModelStore
from hokusai.adapters.sql.ledger import SqlLedger
from hokusai.core import claims
from hokusai.core.registry import ModelRegistry

home, point = sys.argv[1:]
store, ledger = MlflowModelStore(f"sqlite:///{home}/mlflow.db"), SqlLedger(f"sqlite:///{home}/hokusai.db")
if point == "before the row":
    store.add_version = lambda *args: os._exit(9)
else:
    ledger.record = lambda *args, **more: os._exit(9)
ModelRegistry(store=store, ledger=ledger, actor="ada").register(len, "churn", "1.0.0")
"""


class TestOnMlflow:
    @pytest.mark.parametrize(
        ("point", "expected"),
        [
            ("before the row", ["files-without-version"]),
            ("before the audit entry", ["version-without-audit-entry"]),
        ],
    )
    def test_a_registration_that_died_is_explained_and_mended(
        self, point: str, expected: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        done = subprocess.run(warm("-c", CRASH, str(tmp_path), point), check=False)
        assert done.returncode == 9
        store = MlflowModelStore(f"sqlite:///{tmp_path}/mlflow.db")
        ledger = SqlLedger(f"sqlite:///{tmp_path}/hokusai.db")
        installation = Installation(store=lambda: store, ledger=lambda: ledger, actor="ada")
        young = diagnose(installation)
        assert [(f.name, f.is_fault) for f in young.findings] == [(name, False) for name in expected]

        monkeypatch.setattr("hokusai.core.examination._SETTLING_SECONDS", 0)
        old = diagnose(installation, older_than_hours=0, deep=True, repair=True)
        assert [repair.finding.name for repair in old.repairs] == expected
        assert old.is_healthy
        assert diagnose(installation, older_than_hours=0, deep=True).findings == ()
        assert list(store.orphans()) == []
