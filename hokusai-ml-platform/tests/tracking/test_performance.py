"""`PerformanceTracker` on stores in memory: what it returns, keeps and adds up."""

from __future__ import annotations

import asyncio
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hokusai.adapters.memory_ledger import MemoryLedger
from hokusai.adapters.memory_models import MemoryModelStore
from hokusai.adapters.memory_runs import MemoryRunStore
from hokusai.core.registry import ModelRegistry
from hokusai.domain.audit import Happening
from hokusai.domain.journal import RunJournal, TrackedRun
from hokusai.domain.records import CONTRIBUTOR, DELTA, METRICS, PARENT, SEMVER
from hokusai.errors import BackendUnavailableError, IntegrityError, InvalidInputError, MetricError
from hokusai.tracking import PerformanceTracker
from hokusai.tracking.performance import IMPACT
from hokusai.tracking.provided import Tracking

WALLET = "0x742D35cc6634C0532925A3B844BC9E7595f62341"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
REPORT = {
    "baseline_metrics": {"accuracy": 0.85, "f1": 0.83},
    "improved_metrics": {"accuracy": 0.88, "f1": 0.86},
    "data_contribution": {"contributor_address": WALLET, "data_hash": "ab" * 32, "samples": 1000},
}


@pytest.fixture
def runs() -> MemoryRunStore:
    return MemoryRunStore()


@pytest.fixture
def store() -> MemoryModelStore:
    return MemoryModelStore()


@pytest.fixture
def tracker(runs: MemoryRunStore, store: MemoryModelStore) -> PerformanceTracker:
    registry = ModelRegistry(store=store, ledger=MemoryLedger(), actor="ada", poll_seconds=0)
    return PerformanceTracker(registry=registry, tracking=Tracking(runs, "improvements", lambda: KEY))


class TestTrackImprovement:
    def test_gives_the_delta_and_an_attestation_that_holds(self, tracker: PerformanceTracker) -> None:
        delta, attestation = tracker.track_improvement(**REPORT)
        assert delta == attestation["delta_metrics"] == {"accuracy": 0.03, "f1": 0.03}
        assert (attestation["delta_one_score"], attestation["deltaone_value"]) == (0.03, 3.0)
        assert attestation["contributor_info"] == {"id": WALLET, "address": WALLET, "payable": True}
        assert attestation["measured"] is False
        assert tracker.verify(json.loads(json.dumps(attestation))).delta == delta

    def test_an_attestation_that_was_changed_does_not_hold(self, tracker: PerformanceTracker) -> None:
        _, attestation = tracker.track_improvement(**REPORT)
        with pytest.raises(IntegrityError):
            tracker.verify({**attestation, "deltaone_value": 30.0})

    def test_writes_a_run_with_the_improvements_and_the_attestation(
        self, tracker: PerformanceTracker, runs: MemoryRunStore
    ) -> None:
        _, attestation = tracker.track_improvement(**REPORT)
        [run] = runs.runs.values()
        assert run.metrics == {"accuracy_improvement": 0.03, "f1_improvement": 0.03, "delta_one_score": 0.03}
        assert run.params == {
            "contributor_address": WALLET,
            "contributor_id": WALLET,
            "data_hash": "ab" * 32,
            "samples": "1000",
        }
        assert json.loads(run.artifacts["attestation.json"]) == attestation
        assert run.status == "FINISHED"

    def test_the_same_again_changes_nothing(self, tracker: PerformanceTracker, runs: MemoryRunStore) -> None:
        assert tracker.track_improvement(**REPORT) == tracker.track_improvement(**REPORT)
        assert len(runs.runs) == 1
        assert len(tracker.registry.ledger.attestations.find(contributor=WALLET)) == 1

    def test_the_statement_is_found_by_contributor_and_by_data(self, tracker: PerformanceTracker) -> None:
        _, attestation = tracker.track_improvement(**REPORT)
        shelf = tracker.registry.ledger.attestations
        for found in (shelf.find(contributor=WALLET.lower()), shelf.find(subject_sha256="ab" * 32)):
            assert ["0x" + facts.statement_sha256 for facts in found] == [attestation["attestation_hash"]]

    def test_what_is_refused_leaves_nothing_behind(
        self, tracker: PerformanceTracker, runs: MemoryRunStore
    ) -> None:
        with pytest.raises(MetricError, match="'f1' is among the baseline metrics only"):
            tracker.track_improvement(**{**REPORT, "improved_metrics": {"accuracy": 0.9}})
        with pytest.raises(InvalidInputError, match="gave no data"):
            tracker.track_improvement(**{**REPORT, "data_contribution": {"contributor": WALLET}})
        assert runs.runs == {}
        assert tracker.registry.ledger.head().count == 0

    def test_warns_of_a_wallet_that_cannot_be_paid(self, tracker: PerformanceTracker) -> None:
        data = {"contributor_address": WALLET[:-1], "samples": 5}
        _, attestation = tracker.track_improvement(**{**REPORT, "data_contribution": data})
        assert attestation["contributor_info"]["payable"] is False
        assert "marked as not payable" in attestation["warnings"][0]

    def test_takes_the_direction_of_a_metric_of_your_own(self, tracker: PerformanceTracker) -> None:
        delta, attestation = tracker.track_improvement(
            {"churned": 0.3},
            {"churned": 0.2},
            REPORT["data_contribution"],
            higher_is_better={"churned": False},
        )
        assert delta == {"churned": -0.1}
        assert attestation["delta_one_score"] is None


class TestImpact:
    def test_adds_up_what_was_put_down(self, tracker: PerformanceTracker) -> None:
        tracker.log_contribution_impact(WALLET, "churn/1.1.0", {"accuracy": 0.25, "f1_score": 0.125})
        tracker.log_contribution_impact(WALLET.lower(), "churn/1.2.0", {"accuracy": 0.5, "rmse": -1.5})
        tracker.log_contribution_impact(WALLET, "leads/1.1.0", {"accuracy": -0.125})
        tracker.log_contribution_impact("somebody else", "leads/1.2.0", {"accuracy": 0.75})
        impact = tracker.get_contributor_impact(WALLET.upper().replace("0X", "0x"))
        assert {metric: gain.delta for metric, gain in impact.total.items()} == {
            "accuracy": 0.625,
            "f1": 0.125,
            "rmse": -1.5,
        }
        assert impact.total["rmse"].improvement == 1.5
        assert {name: gains["accuracy"].delta for name, gains in impact.by_model.items()} == {
            "churn": 0.75,
            "leads": -0.125,
        }
        assert [value for _, value in impact.over_time("accuracy")] == [0.25, 0.75, 0.625]
        assert impact.improvements == 2

    def test_the_same_impact_twice_counts_once(
        self, tracker: PerformanceTracker, runs: MemoryRunStore
    ) -> None:
        for _ in range(2):
            tracker.log_contribution_impact(WALLET, "churn/1.1.0", {"accuracy": 0.25})
        assert tracker.get_contributor_impact(WALLET).total["accuracy"].delta == 0.25
        assert tracker.registry.ledger.head().count == len(runs.runs) == 1

    def test_the_registrys_versions_count_and_what_was_put_down_of_them_does_not_count_again(
        self, tracker: PerformanceTracker, store: MemoryModelStore
    ) -> None:
        rows = [
            {SEMVER: "1.0.0", METRICS: '{"accuracy": 0.5}'},
            {
                SEMVER: "1.1.0",
                METRICS: '{"accuracy": 0.75}',
                DELTA: '{"accuracy": 0.25}',
                PARENT: "churn/1.0.0",
                CONTRIBUTOR: WALLET,
            },
        ]
        for tags in rows:
            store.add_version("churn", store.upload("churn", {"model": b"bytes"}), tags)
        tracker.log_contribution_impact(WALLET, "churn/1.1.0", {"accuracy": 0.5, "f1": 0.125})
        impact = tracker.get_contributor_impact(WALLET)
        deltas = {one.registered: one.delta for one in impact.impacts}
        assert deltas == {True: {"accuracy": 0.25}, False: {"f1": 0.125}}
        assert (impact.models, impact.improvements) == (1, 1)

    def test_two_contributions_to_one_model_count_both(self, tracker: PerformanceTracker) -> None:
        tracker.log_contribution_impact("ann", "churn", {"accuracy": 0.25})
        tracker.log_contribution_impact("ann", "churn", {"accuracy": 0.125})
        impact = tracker.get_contributor_impact("ann")
        assert impact.total["accuracy"].delta == 0.375
        assert impact.models == 1

    def test_what_two_processes_put_down_at_once_counts_once(self, tracker: PerformanceTracker) -> None:
        details = {"contributor": "ann", "model_id": "churn", "delta": {"accuracy": 0.25}}
        tracker.registry.ledger.record([Happening(IMPACT, "ann", "ada", details)] * 2)
        assert tracker.get_contributor_impact("ann").total["accuracy"].delta == 0.25

    def test_a_server_that_was_down_leaves_nothing_that_counts_twice(
        self, tracker: PerformanceTracker
    ) -> None:
        class Down(MemoryRunStore):
            def open_runs(self, journal: RunJournal) -> TrackedRun:
                raise BackendUnavailableError("The server cannot be reached")

        down = Tracking(Down(), "improvements", lambda: KEY)
        cut_off = PerformanceTracker(registry=tracker.registry, tracking=down)
        with pytest.raises(BackendUnavailableError):
            cut_off.log_contribution_impact("ann", "churn", {"accuracy": 0.25})
        tracker.log_contribution_impact("ann", "churn", {"accuracy": 0.25})
        assert tracker.get_contributor_impact("ann").total["accuracy"].delta == 0.25

    def test_lists_the_attestations_that_credit_the_contributor(self, tracker: PerformanceTracker) -> None:
        _, attestation = tracker.track_improvement(**REPORT)
        assert tracker.get_contributor_impact(WALLET).attestations == (attestation["attestation_hash"][2:],)

    def test_of_nobody_known_is_empty(self, tracker: PerformanceTracker) -> None:
        impact = tracker.get_contributor_impact("0x" + "12" * 20)
        assert (impact.impacts, impact.total, impact.improvements, impact.attestations) == ((), {}, 0, ())
        assert impact.to_dict()["payable"] is True

    def test_is_shown_in_one_line_and_as_json(self, tracker: PerformanceTracker) -> None:
        tracker.log_contribution_impact("ann", "churn/1.1.0", {"accuracy": 0.25})
        impact = tracker.get_contributor_impact("ann")
        assert repr(impact) == "<Impact of ann: 1 model, accuracy +0.25>"
        told = json.loads(json.dumps(impact.to_dict()))
        assert told["impacts"][0]["delta"] == {"accuracy": 0.25}
        assert told["total"]["accuracy"]["delta"] == 0.25

    def test_more_than_a_page_of_entries_are_all_counted(
        self, tracker: PerformanceTracker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("hokusai.tracking.performance._PAGE", 2)
        for number in range(5):
            tracker.log_contribution_impact("ann", f"churn/1.{number}.0", {"accuracy": 0.125})
        assert tracker.get_contributor_impact("ann").total["accuracy"].delta == 0.625

    @pytest.mark.parametrize(
        ("call", "why"),
        [
            (("", "churn/1.0.0", {"f1": 0.1}), "empty"),
            ((None, "churn/1.0.0", {"f1": 0.1}), "Nobody"),
            ((WALLET, "", {"f1": 0.1}), "model's id"),
            ((WALLET, "churn/1.0.0", {}), "no metrics"),
            ((WALLET, "churn/1.0.0", {"f1": float("nan")}), "is nan"),
            ((WALLET, "churn/1.0.0", {"f1": "much"}), "not a number"),
        ],
    )
    def test_refuses_what_says_nothing(self, tracker: PerformanceTracker, call: tuple, why: str) -> None:
        with pytest.raises(InvalidInputError, match=why):
            tracker.log_contribution_impact(*call)

    def test_the_async_twins_do_the_same(self, tracker: PerformanceTracker) -> None:
        async def all_three() -> object:
            delta, _ = await tracker.atrack_improvement(**REPORT)
            await tracker.alog_contribution_impact(WALLET, "churn/1.1.0", delta)
            return await tracker.aget_contributor_impact(WALLET)

        assert asyncio.run(all_three()) == tracker.get_contributor_impact(WALLET)
