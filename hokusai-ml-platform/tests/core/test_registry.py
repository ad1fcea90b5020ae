"""`ModelRegistry` on stores in memory: what it promises, whatever is behind it."""

from __future__ import annotations

import asyncio
import hashlib
import math
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from hokusai.adapters.memory_ledger import MemoryLedger
from hokusai.adapters.memory_models import MemoryModelStore
from hokusai.adapters.mlflow_registry import MlflowModelStore
from hokusai.adapters.sql.ledger import SqlLedger
from hokusai.core.registry import ModelRegistry
from hokusai.domain.records import SEMVER, SHA256, ModelRecord
from hokusai.errors import (
    BackendUnavailableError,
    ConflictError,
    IntegrityError,
    InvalidInputError,
    MetricError,
    NotFoundError,
    UntrustedModelError,
)
from hokusai.ports import Upload

ROWS = np.random.default_rng(7).normal(size=(5, 3))
WALLET = "0x742D35cc6634C0532925A3B844BC9E7595f62341"


def fitted(seed: int = 0) -> LogisticRegression:
    rows = np.random.default_rng(seed).normal(size=(40, 3))
    return LogisticRegression().fit(rows, rows[:, 0] + 0.1 * rows[:, 1] > 0)


def shifted(rows: Any) -> Any:
    return rows + 1


class TestRegister:
    def test_gives_the_id_and_keeps_every_fact(self, registry: ModelRegistry) -> None:
        model_id = registry.register_model(
            fitted(),
            "lead-scorer",
            "1.0.0",
            metrics={"accuracy": 0.92},
            tags={"team": "gtm"},
            metadata={"rows": 40},
            input_example=ROWS,
            description="The first",
        )
        record = registry.get_model(model_id)
        assert model_id == "lead-scorer/1.0.0"
        assert record.metrics == {"accuracy": 0.92}
        assert record.free_tags == {"team": "gtm"}
        assert record.metadata == {"rows": 40}
        assert record.description == "The first"
        assert record.actor == "ada"
        assert record.stored is not None
        assert record.stored.signature is not None
        assert record.stored.params["C"] == 1.0

    def test_stores_the_real_model_under_its_digest(self, registry: ModelRegistry, tmp_path: Path) -> None:
        record = registry.register(fitted(), "m", "1.0.0").record
        registry.store.download(record, tmp_path)
        digests = {
            path.relative_to(tmp_path).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in tmp_path.rglob("*")
            if path.is_file()
        }
        assert record.stored is not None
        assert digests == dict(record.stored.files)
        assert record.sha256 in digests.values()

    def test_the_same_content_again_changes_nothing_and_says_so(self, registry: ModelRegistry) -> None:
        first = registry.register(fitted(), "m", "1.0.0", metrics={"auc": 0.8})
        again = registry.register(fitted(), "m", "1.0.0", metrics={"auc": 0.8})
        assert (first.created, again.created) == (True, False)
        assert again.record.number == first.record.number
        assert len(registry.store.versions("m")) == 1
        assert list(registry.store.orphans()) == []

    def test_other_content_is_a_conflict_that_names_the_owner(self, registry: ModelRegistry) -> None:
        registry.register_model(fitted(0), "m", "1.0.0")
        with pytest.raises(ConflictError, match=r"m/1\.0\.0 is registered already.*content.*by ada"):
            registry.register_model(fitted(1), "m", "1.0.0")
        assert len(registry.store.versions("m")) == 1
        assert list(registry.store.orphans()) == []

    def test_the_same_content_with_other_metrics_is_a_conflict(self, registry: ModelRegistry) -> None:
        registry.register_model(fitted(), "m", "1.0.0", metrics={"auc": 0.8})
        with pytest.raises(ConflictError, match="metrics"):
            registry.register_model(fitted(), "m", "1.0.0", metrics={"auc": 0.9})

    def test_build_metadata_makes_no_other_version(self, registry: ModelRegistry) -> None:
        assert registry.register_model(fitted(0), "m", "1.0.0+linux") == "m/1.0.0+linux"
        with pytest.raises(ConflictError):
            registry.register_model(fitted(1), "m", "1.0.0+mac")
        assert registry.get_model("m/1.0.0").model_id == "m/1.0.0+linux"

    def test_without_a_version_takes_the_next_one(self, registry: ModelRegistry) -> None:
        ids = [registry.register_model(fitted(seed), "m") for seed in range(3)]
        assert ids == ["m/1.0.0", "m/1.1.0", "m/1.2.0"]

    def test_threads_that_race_for_one_version_have_one_winner(self, registry: ModelRegistry) -> None:
        start, outcomes = threading.Barrier(8), []

        def work(seed: int) -> None:
            model = fitted(seed)
            start.wait()
            try:
                outcomes.append(registry.register_model(model, "m", "1.0.0"))
            except ConflictError as problem:
                outcomes.append(type(problem).__name__)

        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes) == ["ConflictError"] * 7 + ["m/1.0.0"]
        assert len(registry.store.versions("m")) == 1
        assert list(registry.store.orphans()) == []

    def test_what_the_ledger_could_not_write_is_said_and_mended_by_doing_it_again(self) -> None:
        class AwayLedger(MemoryLedger):
            away = True

            def record(self, *args: Any, **kwargs: Any) -> Any:
                if self.away:
                    raise BackendUnavailableError("No connection")
                return super().record(*args, **kwargs)

        ledger = AwayLedger()
        registry = ModelRegistry(store=MemoryModelStore(), ledger=ledger)
        with pytest.raises(BackendUnavailableError, match="took effect, but the audit trail"):
            registry.register_model(fitted(), "m", "1.0.0")
        ledger.away = False
        assert registry.register(fitted(), "m", "1.0.0").created is False
        assert [event.happening.subject for event in ledger.events(kind="model.registered")] == ["m/1.0.0"]


class TestBadInput:
    @pytest.mark.parametrize(
        "name", ["", "  ", "a/b", "a:b", "a@b", " a", "a\n", "x" * 300, None, "hokusai-log.m"]
    )
    def test_names(self, registry: ModelRegistry, name: Any) -> None:
        with pytest.raises(InvalidInputError, match="model name"):
            registry.register_model(fitted(), name, "1.0.0")

    @pytest.mark.parametrize(
        "version", ["", "1", "1.0", "v1.0.0", "1.0.0.0", "01.0.0", "1.0.0-", "1.0.0-01", "latest"]
    )
    def test_versions(self, registry: ModelRegistry, version: str) -> None:
        with pytest.raises(InvalidInputError, match="semantic version"):
            registry.register_model(fitted(), "m", version)

    @pytest.mark.parametrize("value", [math.nan, math.inf, "0.9", None, True, [0.9], b"0.9", 10**400])
    def test_metrics(self, registry: ModelRegistry, value: Any) -> None:
        with pytest.raises(MetricError, match="accuracy"):
            registry.register_model(fitted(), "m", "1.0.0", metrics={"accuracy": value})

    @pytest.mark.parametrize("model", [None, {}, "model", 3])
    def test_models(self, registry: ModelRegistry, model: Any) -> None:
        with pytest.raises(InvalidInputError):
            registry.register_model(model, "m", "1.0.0")

    def test_models_that_were_never_fitted(self, registry: ModelRegistry) -> None:
        with pytest.raises(InvalidInputError, match="not fitted"):
            registry.register_model(LogisticRegression(), "m", "1.0.0")

    def test_tags_of_ours_cannot_be_given(self, registry: ModelRegistry) -> None:
        with pytest.raises(InvalidInputError, match=SHA256):
            registry.register_model(fitted(), "m", "1.0.0", tags={SHA256: "0" * 64})

    @pytest.mark.parametrize(
        "facts",
        [
            {"description": 5},
            {"description": "a\0b"},
            {"description": "\ud800"},
            {"run_id": 5},
            {"token": "msg-ai"},
            {"model_type": 5},
            {"tags": {"x": b"abc"}},
            {"tags": {"x": "\ud800"}},
            {"tags": {"x": "a\0b"}},
        ],
    )
    def test_facts_of_the_wrong_kind(self, registry: ModelRegistry, facts: Any) -> None:
        with pytest.raises(InvalidInputError):
            registry.register(fitted(), "m", "1.0.0", **facts)
        assert registry.store.names() == []
        assert list(registry.store.orphans()) == []

    @pytest.mark.parametrize(
        "wanted", [{"tags": ["a"]}, {"contributor": 5}, {"name": 5}, {"token_id": b"a"}, {"parent": 1}]
    )
    def test_filters_of_the_wrong_kind(self, registry: ModelRegistry, wanted: Any) -> None:
        with pytest.raises(InvalidInputError):
            registry.list_models(**wanted)

    def test_references_of_the_wrong_kind(self, registry: ModelRegistry) -> None:
        nothing: Any = None
        with pytest.raises(InvalidInputError):
            registry.get_model_lineage(nothing)
        for number in (2**31, 10**30, "9999999999"):
            with pytest.raises(InvalidInputError, match="No version has such a number"):
                registry.get_model("m", number)

    def test_unknown_baselines_with_a_suggestion(self, registry: ModelRegistry) -> None:
        registry.register_model(fitted(), "customer-churn", "1.0.0")
        with pytest.raises(NotFoundError, match="Did you mean 'customer-churn'"):
            registry.register_improved_model(fitted(1), "m", "1.0.0", "costumer-churn/1.0.0", {})

    def test_nothing_is_stored_for_any_of_them(self, registry: ModelRegistry) -> None:
        with pytest.raises(MetricError):
            registry.register_model(fitted(), "m", "1.0.0", metrics={"accuracy": math.nan})
        assert registry.store.names() == []
        assert list(registry.store.orphans()) == []


class TestImproved:
    def test_links_to_its_baseline_with_the_deltas(self, registry: ModelRegistry) -> None:
        baseline = registry.register_baseline(fitted(), "churn", "1.0.0", {"auc": 0.75, "precision": 0.82})
        improved = registry.register_improved_model(
            fitted(1), "churn", "1.1.0", baseline, {"auroc": 0.78, "precision": 0.85}, WALLET
        )
        record = registry.get_model(improved)
        assert registry.get_model(baseline).is_baseline
        assert record.parent_id == "churn/1.0.0"
        assert record.delta == pytest.approx({"auroc": 0.03, "precision": 0.03})
        assert str(record.contributor) == WALLET

    def test_takes_the_older_names(self, registry: ModelRegistry) -> None:
        registry.register_baseline(fitted(), "churn", "1.0.0")
        improved = registry.register_improved_model(
            baseline_model_id="churn",
            improved_model=fitted(1),
            contributor_address=WALLET,
            data_contribution={"samples": 1000, "quality_score": 0.95},
        )
        assert improved == "churn/1.1.0"
        assert registry.get_model(improved).contribution == {"samples": 1000, "quality_score": 0.95}

    def test_refuses_two_names_for_one_thing(self, registry: ModelRegistry) -> None:
        registry.register_baseline(fitted(), "churn", "1.0.0")
        with pytest.raises(InvalidInputError, match="baseline_id and baseline_model_id"):
            registry.register_improved_model(fitted(1), baseline_id="churn", baseline_model_id="churn")

    def test_an_address_with_39_digits_is_an_opaque_id(self, registry: ModelRegistry) -> None:
        baseline = registry.register_baseline(fitted(), "churn", "1.0.0")
        short = "0x742d35Cc6634C0532925a3b844Bc9e7595f6234"
        record = registry.get_model(
            registry.register_improved_model(fitted(1), "churn", "1.1.0", baseline, {}, short)
        )
        assert record.contributor is not None
        assert (str(record.contributor), record.contributor.payable) == (short, False)


class TestFind:
    def test_by_id_number_name_and_stage(self, registry: ModelRegistry) -> None:
        for seed, version in enumerate(["1.0.0", "2.0.0-rc.1", "1.1.0"]):
            registry.register_model(fitted(seed), "m", version)
        assert registry.get_model("m/2").model_id == "m/2.0.0-rc.1"
        assert registry.get_model("m", "1.1.0").number == 3
        assert registry.get_model("m").model_id == "m/1.1.0"
        assert registry.get_model("models:/m/1").model_id == "m/1.0.0"
        assert registry.find("m@production") is None
        assert registry.find("m/9.9.9") is None

    def test_says_what_there_is(self, registry: ModelRegistry) -> None:
        registry.register_model(fitted(), "lead-scorer", "1.0.0")
        with pytest.raises(NotFoundError, match=r"lead-scorer has no version 1\.2\.0.*1\.0\.0"):
            registry.get_model("lead-scorer/1.2.0")
        with pytest.raises(NotFoundError, match="Did you mean 'lead-scorer'"):
            registry.get_model("led-scorer/1.0.0")
        with pytest.raises(NotFoundError, match="Did you mean lead-scorer@production"):
            registry.get_model("lead-scorer@prodction")

    def test_lists_in_pages_newest_first(self, registry: ModelRegistry) -> None:
        for seed in range(5):
            registry.register_model(fitted(seed), "m")
        first = registry.list_models(limit=2)
        second = registry.list_models(limit=10, after=first[-1].model_id)
        assert [record.model_id for record in first + second] == [f"m/1.{n}.0" for n in (4, 3, 2, 1, 0)]

    def test_lists_by_contributor_in_any_case_and_by_tag(self, registry: ModelRegistry) -> None:
        baseline = registry.register_baseline(fitted(), "m", "1.0.0", tags={"team": "gtm"})
        registry.register_improved_model(fitted(1), "m", "1.1.0", baseline, {}, WALLET)
        assert [r.model_id for r in registry.list_models(contributor=WALLET.lower())] == ["m/1.1.0"]
        assert [r.model_id for r in registry.list_models(tags={"team": "gtm"})] == ["m/1.0.0"]

    def test_sees_what_others_write_into_the_store(self, registry: ModelRegistry) -> None:
        assert registry.list_models() == []
        registry.store.add_version("theirs", Upload("s3://bucket/model"), {"owner": "them"})
        assert [record.model_id for record in registry.list_models()] == ["theirs/1"]

    @pytest.mark.parametrize("limit", [0, -1, 10_001, True, "5"])
    def test_refuses_limits_that_are_none(self, registry: ModelRegistry, limit: Any) -> None:
        with pytest.raises(InvalidInputError, match="limit"):
            registry.list_models(limit=limit)


class TestLoad:
    def test_predicts_as_the_model_did(self, registry: ModelRegistry) -> None:
        model = fitted()
        model_id = registry.register_model(model, "m", "1.0.0")
        assert np.array_equal(registry.load_model(model_id).predict(ROWS), model.predict(ROWS))

    def test_refuses_changed_bytes(self, registry: ModelRegistry) -> None:
        class Tampering(MemoryModelStore):
            def download(self, record: ModelRecord, into: Path) -> None:
                super().download(record, into)
                victim = next(path for path in into.rglob("*.skops"))
                victim.write_bytes(victim.read_bytes()[:-1])

        registry = ModelRegistry(store=Tampering(), ledger=MemoryLedger())
        registry.register_model(fitted(), "m", "1.0.0")
        with pytest.raises(IntegrityError, match="skops"):
            registry.load_model("m/1.0.0")

    def test_unpickles_only_what_this_registry_stored(self) -> None:
        store = MemoryModelStore()
        mine = ModelRegistry(store=store, ledger=MemoryLedger())
        theirs = ModelRegistry(store=store, ledger=MemoryLedger())
        mine.register_model(shifted, "f", "1.0.0")
        assert np.array_equal(mine.load_model("f/1.0.0").predict(ROWS), ROWS + 1)
        with pytest.raises(UntrustedModelError, match="audit trail"):
            theirs.load_model("f/1.0.0")
        assert np.array_equal(theirs.load_model("f/1.0.0", trust=True).predict(ROWS), ROWS + 1)

    def test_a_pickle_put_under_a_trusted_version_later_is_refused(self, registry: ModelRegistry) -> None:
        registry.register_model(shifted, "f", "1.0.0")
        record = registry.get_model("f/1.0.0")
        registry.store.set_tags("f", record.number, {SHA256: "0" * 64})
        with pytest.raises((UntrustedModelError, IntegrityError)):
            registry.load_model("f/1.0.0")


class TestDelete:
    def test_keeps_the_version_and_gives_it_back(self, registry: ModelRegistry) -> None:
        registry.register_model(fitted(), "m", "1.0.0")
        assert registry.delete("m/1.0.0", "a mistake").deleted == "a mistake"
        assert registry.list_models() == []
        assert [r.model_id for r in registry.list_models(include_deleted=True)] == ["m/1.0.0"]
        with pytest.raises(ConflictError, match="deleted"):
            registry.load_model("m/1.0.0")
        with pytest.raises(ConflictError, match="deleted"):
            registry.register_model(fitted(), "m", "1.0.0")
        assert registry.restore("m/1.0.0").deleted is None
        assert registry.load_model("m/1.0.0").predict(ROWS).shape == (5,)

    def test_wants_a_version_and_not_a_name(self, registry: ModelRegistry) -> None:
        registry.register_model(fitted(), "m", "1.0.0")
        with pytest.raises(InvalidInputError, match=r"m/1\.0\.0"):
            registry.delete("m")
        assert registry.get_model("m").deleted is None

    def test_refuses_parents(self, registry: ModelRegistry) -> None:
        baseline = registry.register_baseline(fitted(), "m", "1.0.0")
        registry.register_improved_model(fitted(1), "m", "1.1.0", baseline, {})
        with pytest.raises(ConflictError, match=r"parent of m/1\.1\.0"):
            registry.delete("m/1.0.0")

    def test_of_a_parent_that_its_children_know_by_its_number_is_refused(
        self, registry: ModelRegistry
    ) -> None:
        row = registry.store.add_version("leg", Upload("hokusai:event"), {})
        registry.register_model(fitted(), "child", "1.0.0", parent="leg/1")
        registry.ledger.index.put(
            registry.store.location, [registry.store.set_tags("leg", row.number, {SEMVER: "0.1.0"})]
        )
        with pytest.raises(ConflictError, match=r"leg/0\.1\.0 is the parent of child/1\.0\.0"):
            registry.delete("leg/0.1.0")

    def test_a_deleted_version_is_no_baseline(self, registry: ModelRegistry) -> None:
        baseline = registry.register_baseline(fitted(), "m", "1.0.0")
        registry.delete(baseline)
        with pytest.raises(ConflictError, match="deleted"):
            registry.register_improved_model(fitted(1), "m", "1.1.0", baseline, {})


class TestTokens:
    def test_registers_what_was_logged(self, registry: ModelRegistry, logged: str) -> None:
        result = registry.register_tokenized_model(
            logged, "MSG-AI", "msg-ai", "reply_rate", 0.1342, {"dataset": "v2", "hokusai_token_id": "other"}
        )
        assert (result["model_name"], result["version"], result["model_id"]) == (
            "MSG-AI",
            "1",
            "MSG-AI/1.0.0",
        )
        assert (result["token_id"], result["metric_name"], result["baseline_value"]) == (
            "msg-ai",
            "reply_rate",
            0.1342,
        )
        assert result["tags"] == {
            "dataset": "v2",
            "hokusai_token_id": "msg-ai",
            "benchmark_metric": "reply_rate",
            "benchmark_value": "0.1342",
        }
        assert registry.get_tokenized_model("MSG-AI", "1") == result
        assert registry.list_models_by_token("msg-ai") == [result]
        assert registry.list_models_by_token("other") == []

    def test_finds_what_others_tagged_in_the_store(self, registry: ModelRegistry) -> None:
        registry.store.add_version("theirs", Upload("s3://bucket/model"), {})
        assert registry.list_models_by_token("msg-ai") == []
        tags = {"hokusai_token_id": "msg-ai", "benchmark_metric": "accuracy", "benchmark_value": "0.5"}
        registry.store.set_tags("theirs", 1, tags)
        assert [m["baseline_value"] for m in registry.list_models_by_token("msg-ai")] == [0.5]

    def test_updates_and_validates_tags(self, registry: ModelRegistry, logged: str) -> None:
        registry.register_tokenized_model(logged, "MSG-AI", "msg-ai", "reply_rate", 0.1342)
        registry.update_model_tags(
            "MSG-AI", "1", {"benchmark_value": "0.1456", "last_evaluated": "2024-01-15"}
        )
        assert registry.get_tokenized_model("MSG-AI", "1")["baseline_value"] == 0.1456
        for bad in ({"benchmark_value": "high"}, {"hokusai_token_id": "MSG"}, {"benchmark_metric": ""}):
            with pytest.raises(InvalidInputError):
                registry.update_model_tags("MSG-AI", "1", bad)
        with pytest.raises(InvalidInputError, match="hokusai_token_id"):
            registry.update_model_tags("MSG-AI", "1", {}, remove=["hokusai_token_id"])
        with pytest.raises(InvalidInputError, match="a list of tags was expected"):
            registry.update_model_tags("MSG-AI", "1", {}, remove="last_evaluated")
        assert registry.list_models_by_token("msg-ai")[0]["tags"]["last_evaluated"] == "2024-01-15"

    @pytest.mark.parametrize("token_id", ["", "MSG", "-a", "a-", "a_b", "a" * 65, None, "ä"])
    def test_refuses_malformed_ids(self, registry: ModelRegistry, token_id: Any, logged: str) -> None:
        with pytest.raises(InvalidInputError, match=r"^Invalid token ID"):
            registry.validate_token_id(token_id)
        with pytest.raises(InvalidInputError, match=r"^Invalid token ID"):
            registry.register_tokenized_model(logged, "m", token_id, "accuracy", 0.5)

    @pytest.mark.parametrize("value", [math.nan, "0.5", True, None])
    def test_refuses_benchmark_values_that_are_no_numbers(
        self, registry: ModelRegistry, value: Any, logged: str
    ) -> None:
        with pytest.raises(InvalidInputError, match="benchmark value"):
            registry.register_tokenized_model(logged, "m", "msg-ai", "accuracy", value)

    def test_says_that_nothing_is_there(self, registry: ModelRegistry, tmp_path: Path) -> None:
        with pytest.raises(NotFoundError):
            registry.register_tokenized_model(str(tmp_path / "none"), "m", "msg-ai", "accuracy", 0.5)

    @pytest.fixture
    def logged(self, registry: ModelRegistry) -> str:
        registry.register_model(fitted(), "source", "1.0.0")
        return "models:/source/1"


class TestLineage:
    def test_spans_generations_branches_and_names(self, registry: ModelRegistry) -> None:
        root = registry.register_baseline(fitted(0), "a", "1.0.0", {"accuracy": 0.80})
        left = registry.register_improved_model(fitted(1), "a", "1.1.0", root, {"accuracy": 0.82}, WALLET)
        registry.register_improved_model(fitted(2), "a", "1.2.0", root, {"accuracy": 0.81})
        registry.register_improved_model(fitted(3), "b", "1.0.0", left, {"accuracy": 0.85})
        lineage = registry.get_model_lineage("a")
        edges = {(edge["parent"], edge["child"]) for edge in lineage.to_dict()["edges"]}
        assert edges == {("a/1.0.0", "a/1.1.0"), ("a/1.0.0", "a/1.2.0"), ("a/1.1.0", "b/1.0.0")}
        assert registry.get_model_lineage("b/1.0.0").to_dict()["edges"] == lineage.to_dict()["edges"]

    def test_of_nothing_is_an_error(self, registry: ModelRegistry) -> None:
        with pytest.raises(NotFoundError):
            registry.get_model_lineage("none")


class TestAsync:
    def test_twins_do_the_same(self, registry: ModelRegistry) -> None:
        async def work() -> Any:
            model_id = await registry.aregister_model(fitted(), "m", "1.0.0")
            return (await registry.aload_model(model_id)).predict(ROWS)

        assert np.array_equal(asyncio.run(work()), fitted().predict(ROWS))


class TestTrail:
    def test_says_who_did_what(self, registry: ModelRegistry) -> None:
        registry.register_model(fitted(), "m", "1.0.0")
        registry.update_model_tags("m", "1.0.0", {"team": "gtm"})
        registry.delete("m/1.0.0")
        events = [
            (e.happening.kind, e.happening.subject, e.happening.actor) for e in registry.ledger.events()
        ]
        assert events == [
            ("model.registered", "m/1.0.0", "ada"),
            ("model.tagged", "m/1.0.0", "ada"),
            ("model.deleted", "m/1.0.0", "ada"),
        ]


class TestNews:
    def test_what_another_process_does_to_an_sqlite_file_is_seen_at_once(self, tmp_path: Path) -> None:
        def opened() -> tuple[ModelRegistry, MlflowModelStore]:
            store = MlflowModelStore(f"sqlite:///{tmp_path}/mlflow.db", str(tmp_path / "artifacts"))
            return ModelRegistry(store=store, ledger=MemoryLedger(), poll_seconds=3600), store

        (mine, _), (_, theirs) = opened(), opened()
        tags = {"hokusai_token_id": "msg-ai", "benchmark_metric": "accuracy", "benchmark_value": "0.5"}
        assert mine.list_models() == []
        theirs.add_version("theirs", Upload("s3://bucket/model"), tags)
        assert [record.model_id for record in mine.list_models()] == ["theirs/1"]
        assert [told["version"] for told in mine.list_models_by_token("msg-ai")] == ["1"]
        theirs.add_version("theirs", Upload("s3://bucket/model"), {})
        theirs.set_tags("theirs", 2, tags)
        assert [told["version"] for told in mine.list_models_by_token("msg-ai")] == ["2", "1"]

    def test_what_it_writes_itself_is_no_news(self, tmp_path: Path) -> None:
        store = MlflowModelStore(f"sqlite:///{tmp_path}/mlflow.db", str(tmp_path / "artifacts"))
        registry = ModelRegistry(store=store, ledger=MemoryLedger(), poll_seconds=3600)
        registry.list_models()  # makes the file
        registry.list_models()
        registry.register_model(fitted(), "m", "1.0.0")
        assert not store.has_news()


class TestMoved:
    def test_a_folder_that_was_moved_is_the_same_registry(self, tmp_path: Path) -> None:
        def opened(home: Path) -> ModelRegistry:
            store = MlflowModelStore(f"sqlite:///{home}/mlflow.db", str(home / "artifacts"))
            return ModelRegistry(
                store=store, ledger=SqlLedger(f"sqlite:///{home}/hokusai.db"), poll_seconds=0
            )

        registered = opened(tmp_path / "old").register_model(fitted(), "m", "1.0.0")
        (tmp_path / "old").rename(tmp_path / "new")
        moved = opened(tmp_path / "new")
        assert moved.load_model(registered).predict(ROWS).shape == (5,)
        assert list(moved.store.orphans()) == []


class TestLostRaces:
    def test_a_row_that_was_copied_before_its_writer_removed_it_is_forgotten(
        self, registry: ModelRegistry
    ) -> None:
        registry.register_model(fitted(), "m", "1.0.0")
        lost = registry.store.add_version("m", Upload("s3://bucket/model"), {"hokusai.semver": "1.0.0"})
        assert len(registry.list_models()) == 2
        registry.store.remove_version("m", lost.number)
        assert [record.number for record in registry.list_models()] == [1]
