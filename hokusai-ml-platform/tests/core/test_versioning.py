"""Promotion, rollback and the rest as a user of the registry meets them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from hokusai.adapters.memory_ledger import MemoryLedger
from hokusai.adapters.memory_models import MemoryModelStore
from hokusai.core.registry import ModelRegistry
from hokusai.core.versioning import ModelVersionManager
from hokusai.domain import records
from hokusai.domain.stages import Move, Stage
from hokusai.errors import ConflictError, InvalidInputError, NotFoundError
from hokusai.ports import Upload

AGE = {"name": "age", "type": "double", "required": True}
CITY = {"name": "city", "type": "string", "required": True}
CHURN = {"name": "churn", "type": "long", "required": True}


def add(registry: ModelRegistry, version: str, name: str = "churn", **facts: Any) -> None:
    """A version with the facts that matter here, straight into the store."""
    tags = {
        records.SEMVER: version,
        records.SHA256: f"{hash(version):064x}"[-64:],
        records.SIZE: str(facts.pop("size", 1000)),
        records.METRICS: json.dumps(facts.pop("metrics", {})),
        records.PARAMS: json.dumps(facts.pop("params", {})),
        records.PARENT: facts.pop("parent", ""),
        records.BASELINE: "true" if facts.pop("is_baseline", False) else "",
        records.SIGNATURE: json.dumps(facts.pop("signature", None) or {}),
    }
    assert not facts
    registry.store.add_version(
        name, Upload("hokusai:event"), {tag: text for tag, text in tags.items() if text}
    )


@pytest.fixture
def manager(registry: ModelRegistry) -> ModelVersionManager:
    """Of `churn` with versions 1.0.0, 1.1.0 and 1.2.0."""
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        add(registry, version)
    return ModelVersionManager(registry)


def trail(manager: ModelVersionManager) -> list[tuple[str, str, str]]:
    events = [event.happening for event in manager.registry.ledger.events()]
    return [(event.kind, event.subject, event.actor) for event in events]


class TestPromote:
    def test_puts_a_version_into_production(self, manager: ModelVersionManager):
        change = manager.promote_model("churn", "1.0.0", stage="production", reason="the first")
        assert (change.model_id, change.stage, change.previous, change.changed) == (
            "churn/1.0.0",
            Stage.PRODUCTION,
            None,
            True,
        )
        assert manager.current("churn").model_id == "churn/1.0.0"
        assert manager.registry.get_model("churn@production").model_id == "churn/1.0.0"
        assert trail(manager) == [("model.promoted", "churn/1.0.0", "ada")]
        assert repr(change) == "<StageChange churn/1.0.0 is in production, after none>"

    def test_says_what_it_replaced(self, manager: ModelVersionManager):
        manager.promote_model("churn", "1.0.0")
        assert manager.promote_model("churn", "1.1.0", "prod").previous == "1.0.0"
        assert manager.stages("churn") == {"development": None, "staging": None, "production": "1.1.0"}

    def test_of_a_version_that_is_there_changes_nothing_and_says_so(self, manager: ModelVersionManager):
        first = manager.promote_model("churn", "1.0.0", reason="first", actor="bob")
        again = manager.promote_model("churn", "1.0.0", reason="again")
        assert (again.changed, again.event) == (False, first.event)
        assert len(manager.history("churn")) == 1
        assert trail(manager) == [("model.promoted", "churn/1.0.0", "bob")]

    def test_writes_the_audit_entry_that_a_dead_process_did_not(
        self, manager: ModelVersionManager, monkeypatch: pytest.MonkeyPatch
    ):
        with monkeypatch.context() as patch:  # dies between the move and the trail
            patch.setattr(manager.registry, "note", lambda *_: None)
            manager.promote_model("churn", "1.0.0", actor="bob")
        assert trail(manager) == []
        assert manager.promote_model("churn", "1.0.0").changed is False
        assert trail(manager) == [("model.promoted", "churn/1.0.0", "bob")]

    def test_takes_the_older_names(self, manager: ModelVersionManager):
        change = manager.promote_model("churn", "1.0.0", environment="staging", promoted_by="eve")
        assert (change.stage, change.event.actor) == (Stage.STAGING, "eve")

    @pytest.mark.parametrize("expected", ["1.0.0", 1, "1.0.0+build.5"])
    def test_happens_if_the_stage_is_as_expected(self, manager: ModelVersionManager, expected: Any):
        manager.promote_model("churn", "1.0.0", expected=None)
        assert manager.promote_model("churn", "1.1.0", expected=expected).changed

    def test_is_refused_if_the_stage_is_not_as_expected(self, manager: ModelVersionManager):
        manager.promote_model("churn", "1.1.0", actor="bob")
        with pytest.raises(
            ConflictError,
            match=r"holds 1\.1\.0, and 1\.0\.0 was expected: bob promoted 1\.1\.0 to production",
        ):
            manager.promote_model("churn", "1.2.0", expected="1.0.0")
        with pytest.raises(ConflictError, match=r"holds 1\.1\.0, and no version was expected"):
            manager.promote_model("churn", "1.2.0", expected=None)
        assert manager.current("churn").model_id == "churn/1.1.0"

    def test_is_not_refused_because_of_what_this_process_saw_last(self, manager: ModelVersionManager):
        registry = manager.registry
        other = ModelVersionManager(
            ModelRegistry(store=registry.store, ledger=registry.ledger, poll_seconds=0)
        )
        manager.promote_model("churn", "1.0.0")
        other.promote_model("churn", "1.1.0")
        assert manager.promote_model("churn", "1.2.0", expected="1.1.0").previous == "1.1.0"

    def test_refuses_what_cannot_be_meant(self, manager: ModelVersionManager):
        with pytest.raises(NotFoundError, match=r"churn has no version 9\.0\.0"):
            manager.promote_model("churn", "9.0.0")
        with pytest.raises(NotFoundError, match="Did you mean 'churn'"):
            manager.promote_model("chrun", "1.0.0")
        with pytest.raises(InvalidInputError, match=r"Not a semantic version: '1\.0'"):
            manager.promote_model("churn", "1.0")
        with pytest.raises(InvalidInputError, match="No stage is called 'prodction'"):
            manager.promote_model("churn", "1.0.0", "prodction")
        assert manager.history("churn") == []

    def test_of_a_version_that_only_mlflow_knows(self, manager: ModelVersionManager):
        row = manager.registry.store.add_version("churn", Upload("hokusai:event"), {})
        assert manager.promote_model("churn", row.number).model_id == "churn/4"
        assert manager.registry.store.alias("churn", "production") == 4


class TestTakenOver:
    """A version that was moved, and had children, before it got its semantic version."""

    @pytest.fixture
    def manager(self, registry: ModelRegistry) -> ModelVersionManager:
        manager = ModelVersionManager(registry)
        row = registry.store.add_version("leg", Upload("hokusai:event"), {})
        manager.promote_model("leg", 1)
        tagged = registry.store.set_tags("leg", row.number, {records.SEMVER: "0.1.0"})
        registry.ledger.index.put(registry.store.location, [tagged])
        for version in ("0.2.0", "0.3.0"):
            add(registry, version, "leg")
        return manager

    def test_is_in_the_stage_that_it_was_in(self, manager: ModelVersionManager):
        assert manager.promote_model("leg", "0.1.0").changed is False
        with pytest.raises(ConflictError, match="a promotion to staging does not go up"):
            manager.promote_model("leg", "0.1.0", "staging")
        with pytest.raises(ConflictError, match="is in production"):
            manager.registry.delete("leg/0.1.0")
        assert manager.clean_up("leg", keep=1).stays["leg/0.1.0"] == "is in production"

    def test_is_known_as_what_is_expected_there(self, manager: ModelVersionManager):
        assert manager.promote_model("leg", "0.2.0", expected="0.1.0").model_id == "leg/0.2.0"

    def test_is_what_a_rollback_goes_back_to(self, manager: ModelVersionManager):
        manager.promote_model("leg", "0.2.0")
        assert manager.clean_up("leg", keep=1).stays["leg/0.1.0"].startswith("is what a rollback")
        assert manager.rollback_model("leg").model_id == "leg/0.1.0"
        assert manager.rollback_model("leg", "0.1.0").changed is False

    def test_stays_as_long_as_a_child_that_names_its_number(self, manager: ModelVersionManager):
        add(manager.registry, "0.4.0", "leg", parent="leg/2")
        assert manager.clean_up("leg", keep=1).stays["leg/0.2.0"] == "is the parent of leg/0.4.0"


class TestRollback:
    def test_goes_to_the_version_before(self, manager: ModelVersionManager):
        manager.promote_model("churn", "1.0.0")
        manager.promote_model("churn", "1.2.0")
        change = manager.rollback_model("churn", reason="latency")
        assert (change.model_id, change.previous, change.event.reason) == ("churn/1.0.0", "1.2.0", "latency")
        assert trail(manager)[-1] == ("model.rolled_back", "churn/1.0.0", "ada")

    def test_goes_to_the_version_that_is_named(self, manager: ModelVersionManager):
        for version in ("1.0.0", "1.1.0", "1.2.0"):
            manager.promote_model("churn", version)
        assert manager.rollback_model("churn", "1.0.0").previous == "1.2.0"
        assert manager.rollback_model("churn", "1.0.0").changed is False
        assert manager.rollback_to_version("churn", "1.2.0").model_id == "churn/1.2.0"

    def test_refuses_what_it_cannot_go_to(self, manager: ModelVersionManager):
        with pytest.raises(ConflictError, match="nothing to roll back"):
            manager.rollback_model("churn")
        with pytest.raises(NotFoundError, match="No model is called 'nobody'"):
            manager.rollback_model("nobody")
        manager.promote_model("churn", "1.0.0")
        with pytest.raises(ConflictError, match=r"Before 1\.0\.0 no version"):
            manager.rollback_model("churn")
        with pytest.raises(ConflictError, match="Promote it instead"):
            manager.rollback_model("churn", "1.1.0")

    def test_twice_at_once_from_one_version_goes_back_once(self, manager: ModelVersionManager):
        for version in ("1.0.0", "1.1.0", "1.2.0"):
            manager.promote_model("churn", version)
        manager.rollback_model("churn", expected="1.2.0")
        with pytest.raises(ConflictError, match=r"holds 1\.1\.0, and 1\.2\.0 was expected: ada rolled"):
            manager.rollback_model("churn", expected="1.2.0")


class TestWithdraw:
    def test_leaves_the_stage_empty(self, manager: ModelVersionManager):
        manager.promote_model("churn", "1.0.0")
        change = manager.withdraw_model("churn", "production", reason="biased")
        assert (change.model_id, change.previous) == ("churn/1.0.0", "1.0.0")
        assert repr(change) == "<StageChange churn/1.0.0 left production>"
        assert manager.current("churn") is None
        assert manager.registry.store.aliases("churn") == {}
        assert [event.move for event in manager.history("churn")] == [Move.PROMOTE, Move.WITHDRAW]
        assert trail(manager)[-1][0] == "model.withdrawn"

    def test_refuses_an_empty_stage_and_an_unknown_model(self, manager: ModelVersionManager):
        with pytest.raises(ConflictError, match="No version of churn is in staging"):
            manager.withdraw_model("churn", "staging")
        with pytest.raises(NotFoundError):
            manager.withdraw_model("nobody", "staging")


class TestDeprecate:
    def test_keeps_a_version_from_being_promoted_until_it_is_reinstated(self, manager: ModelVersionManager):
        assert manager.deprecate_version("churn", "1.2.0", "biased").deprecated == "biased"
        assert manager.get_latest_version("churn").model_id == "churn/1.1.0"
        with pytest.raises(ConflictError, match=r"churn/1\.2\.0 is deprecated: biased"):
            manager.promote_model("churn", "1.2.0")
        assert manager.reinstate_version("churn", "1.2.0").deprecated is None
        assert manager.promote_model("churn", "1.2.0").changed
        kinds = [kind for kind, _, _ in trail(manager)]
        assert kinds == ["model.deprecated", "model.reinstated", "model.promoted"]


def test_tags_are_set_removed_and_read(manager: ModelVersionManager):
    manager.tag_version("churn", "1.0.0", {"team": "growth", "cell": 7})
    manager.tag_version("churn", "1.0.0", {"team": "core"}, remove=["cell"])
    assert manager.version_tags("churn", "1.0.0") == {"team": "core"}


class TestCompare:
    def test_metrics_are_better_or_worse_in_their_own_direction(self, manager: ModelVersionManager):
        add(manager.registry, "2.0.0", metrics={"f1_score": 0.5, "rmse": 2.0, "mae": 1.0, "recall": 0.25})
        add(manager.registry, "2.1.0", metrics={"f1": 0.75, "rmse": 1.5, "mae": 1.5, "accuracy": 0.5})
        compared = manager.compare_versions("churn", "2.0.0", "2.1.0")
        assert {change.name: (change.delta, change.verdict) for change in compared.metrics} == {
            "accuracy": (None, "unknown"),
            "f1": (0.25, "better"),
            "mae": (0.5, "worse"),
            "recall": (None, "unknown"),
            "rmse": (-0.5, "better"),
        }
        assert (compared.improved, compared.worsened, compared.is_improvement) == (
            ("f1", "rmse"),
            ("mae",),
            False,
        )

    def test_parameters_sizes_and_descent(self, manager: ModelVersionManager):
        add(manager.registry, "2.0.0", params={"C": 1.0, "max_iter": 100, "old": 1}, size=10)
        add(
            manager.registry,
            "2.1.0",
            params={"C": 2.0, "max_iter": 100, "new": None},
            size=30,
            parent="churn/2.0.0",
        )
        add(manager.registry, "2.2.0", parent="churn/2.1.0")
        compared = manager.compare_versions("churn", "2.0.0", "2.1.0")
        assert [(param.name, param.a, param.b, param.absent) for param in compared.params] == [
            ("C", 1.0, 2.0, None),
            ("new", None, None, "a"),
            ("old", 1, None, "b"),
        ]
        assert compared.sizes == (10, 30)
        relations = [
            manager.compare_versions("churn", a, b).relation
            for a, b in [
                ("2.0.0", "2.1.0"),
                ("2.1.0", "2.0.0"),
                ("2.0.0", "2.2.0"),
                ("2.2.0", "2.0.0"),
                ("1.0.0", "2.0.0"),
                ("2.0.0", "2.0.0"),
            ]
        ]
        assert relations == ["parent", "child", "ancestor", "descendant", "none", "same"]
        json.dumps(compared.to_dict())
        assert [row[0] for row in compared.rows()] == [
            "C",
            "new",
            "old",
            "signature",
            "type",
            "size",
            "lineage",
        ]

    @pytest.mark.parametrize(
        ("old", "new", "compatible", "reason"),
        [
            ([AGE], [AGE], True, ""),
            ([AGE, CITY], [AGE], True, ""),
            ([AGE], [AGE, CITY], False, "input 'city' is needed, and was not"),
            ([AGE], [AGE, CITY | {"required": False}], True, ""),
            ([AGE], [AGE | {"type": "string"}], False, "input 'age' was double, and is string"),
            ([AGE | {"type": "integer"}], [AGE], True, ""),
            ([AGE], [AGE | {"type": "integer"}], False, "input 'age' was double, and is integer"),
            ([AGE | {"required": False}], [AGE], False, "input 'age' was optional, and is needed"),
        ],
    )
    def test_signatures_are_compatible_if_callers_need_not_change(
        self, manager: ModelVersionManager, old: list, new: list, compatible: bool, reason: str
    ):
        # MLflow writes the parts as JSON text
        add(manager.registry, "2.0.0", signature={"inputs": json.dumps(old), "outputs": json.dumps([CHURN])})
        add(manager.registry, "2.1.0", signature={"inputs": new, "outputs": [CHURN]})
        found = manager.compare_versions("churn", "2.0.0", "2.1.0").signature
        assert (found.compatible, "; ".join(found.reasons)) == (compatible, reason)

    def test_outputs_may_be_added_and_not_taken_away(self, manager: ModelVersionManager):
        add(manager.registry, "2.0.0", signature={"inputs": [AGE], "outputs": [CHURN]})
        add(manager.registry, "2.1.0", signature={"inputs": [AGE], "outputs": [CHURN, CITY]})
        assert manager.compare_versions("churn", "2.0.0", "2.1.0").signature.compatible
        back = manager.compare_versions("churn", "2.1.0", "2.0.0").signature
        assert (back.compatible, back.reasons) == (False, ("output 'city' is gone",))

    @pytest.mark.parametrize(("shape", "compatible"), [([-1, 8], True), ([-1, -1], True), ([-1, 9], False)])
    def test_tensors_are_compatible_by_type_and_shape(
        self, manager: ModelVersionManager, shape: list[int], compatible: bool
    ):
        def signature(shape: list[int]) -> dict[str, Any]:
            tensor = {"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": shape}}
            return {"inputs": json.dumps([tensor]), "outputs": [CHURN]}

        add(manager.registry, "2.0.0", signature=signature([-1, 8]))
        add(manager.registry, "2.1.0", signature=signature(shape))
        assert manager.compare_versions("churn", "2.0.0", "2.1.0").signature.compatible is compatible


class TestSuggest:
    @pytest.mark.parametrize(
        ("told", "expected"),
        [
            ({}, "2.4.0"),
            ({"part": "patch"}, "2.3.2"),
            ({"part": "major"}, "3.0.0"),
            ({"metrics": {"accuracy": 0.75}}, "2.4.0"),
            ({"metrics": {"accuracy": 0.5}}, "2.3.2"),
            ({"signature": {"inputs": [AGE, CITY], "outputs": [CHURN]}}, "3.0.0"),
            ({"signature": {"inputs": [AGE], "outputs": [CHURN]}}, "2.3.2"),
            ({"signature": {"inputs": [AGE], "outputs": [CHURN, CITY]}}, "2.4.0"),
        ],
    )
    def test_what_the_change_is_worth(self, manager: ModelVersionManager, told: dict, expected: str):
        add(
            manager.registry,
            "2.3.1",
            metrics={"accuracy": 0.5},
            signature={"inputs": [AGE], "outputs": [CHURN]},
        )
        assert manager.suggest_next_version("churn", **told) == expected

    def test_nothing_is_suggested_twice(self, manager: ModelVersionManager):
        manager.registry.delete("churn/1.2.0")
        assert manager.suggest_next_version("churn") == "1.3.0"

    def test_the_first(self, manager: ModelVersionManager):
        assert manager.suggest_next_version("new-model") == "1.0.0"

    def test_refuses_other_parts(self, manager: ModelVersionManager):
        with pytest.raises(InvalidInputError, match="major, minor or patch"):
            manager.suggest_next_version("churn", "mini")  # type: ignore[arg-type]


class TestCleanUp:
    @pytest.fixture
    def crowded(self, registry: ModelRegistry) -> ModelVersionManager:
        """Ten versions: 1.0.0 is a baseline; 1.2.0 was in production before 1.3.0; 1.9.0 descends 1.8.0, 1.5.0."""
        parents = {"1.9.0": "churn/1.8.0", "1.8.0": "churn/1.5.0", "1.7.0": "churn/1.6.0"}
        for minor in range(10):
            version = f"1.{minor}.0"
            add(registry, version, is_baseline=minor == 0, parent=parents.get(version, ""))
        add(registry, "1.0.0", name="spin-off", parent="churn/1.4.0")
        manager = ModelVersionManager(registry)
        manager.promote_model("churn", "1.2.0")
        manager.promote_model("churn", "1.3.0")
        return manager

    def test_says_why_each_stays_or_goes_and_does_nothing_yet(self, crowded: ModelVersionManager):
        plan = crowded.clean_up("churn", keep=1)
        assert plan.dry_run
        assert dict(plan.stays) == {
            "churn/1.9.0": "is one of the newest 1",
            "churn/1.8.0": "is the parent of churn/1.9.0",
            "churn/1.5.0": "is the parent of churn/1.8.0",
            "churn/1.4.0": "is the parent of spin-off/1.0.0",
            "churn/1.3.0": "is in production",
            "churn/1.2.0": "is what a rollback of production goes back to",
            "churn/1.0.0": "is a baseline",
        }
        assert list(plan.goes) == ["churn/1.7.0", "churn/1.6.0", "churn/1.1.0"]
        assert len(crowded.list_versions("churn")) == 10

    def test_deletes_softly_when_told_to(self, crowded: ModelVersionManager):
        plan = crowded.clean_up("churn", keep=1, dry_run=False)
        assert not plan.dry_run
        assert [record.model_id for record in crowded.list_versions("churn")] == list(plan.stays)
        assert crowded.registry.get_model("churn/1.6.0").deleted
        assert [kind for kind, _, _ in trail(crowded)].count("model.deleted") == 3
        assert crowded.clean_up("churn", keep=1).goes == {}

    def test_the_older_name(self, crowded: ModelVersionManager):
        plan = crowded.cleanup_old_versions("churn", keep_count=8)
        assert (plan.keep, plan.dry_run, list(plan.goes)) == (8, True, ["churn/1.1.0"])

    @pytest.mark.parametrize("keep", [0, -1, True, 2.5])
    def test_refuses_to_keep_less_than_one(self, crowded: ModelVersionManager, keep: Any):
        with pytest.raises(InvalidInputError, match="a number from 1 was expected"):
            crowded.clean_up("churn", keep)

    def test_of_an_unknown_model(self, crowded: ModelVersionManager):
        with pytest.raises(NotFoundError):
            crowded.clean_up("nobody")


def test_every_method_that_waits_has_a_twin(manager: ModelVersionManager):
    async def use() -> str:
        await manager.apromote_model("churn", "1.0.0")
        await manager.apromote_model("churn", "1.1.0", expected="1.0.0")
        await manager.arollback_model("churn")
        record = await manager.acurrent("churn")
        return record.model_id

    assert asyncio.run(use()) == "churn/1.0.0"
    waiting = {
        name for name in vars(ModelVersionManager) | vars(ModelVersionManager.__mro__[1]) if name[0] != "_"
    }
    older = {"rollback_to_version", "cleanup_old_versions", "get_active_version", "deprecate_model"} | {
        "get_version_history",
        "get_transition_history",
    }
    plain = {name for name in waiting if f"a{name}" in waiting}
    assert waiting - plain - {f"a{name}" for name in plain} == older


def test_a_store_that_mlflow_users_filled_is_read_as_it_is():
    store = MemoryModelStore()
    for _ in range(2):
        store.add_version("churn", Upload("hokusai:event"), {})
    store.set_alias("churn", "production", 1)
    manager = ModelVersionManager(ModelRegistry(store=store, ledger=MemoryLedger(), actor="ada"))
    assert manager.current("churn").model_id == "churn/1"
    assert manager.promote_model("churn", 1).changed is False
    manager.promote_model("churn", 2)
    assert manager.rollback_model("churn").model_id == "churn/1"
    assert store.aliases("churn") == {"production": 1}
