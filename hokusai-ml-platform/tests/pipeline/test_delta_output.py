"""The DeltaOne JSON, held to the specification key by key."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hokusai.domain.attribution import ALL_BPS, Attribution, AttributionMethod, Credit
from hokusai.domain.contribution import Contribution, Contributor
from hokusai.domain.decision import AcceptanceRule, Guardrail
from hokusai.domain.identifiers import WalletAddress
from hokusai.domain.model import ModelArtifact
from hokusai.pipeline.delta_output import VOLATILE, delta_output, without_volatile
from hokusai.stats.decide import decide, unmeasured
from hokusai.stats.paired import compare_classifiers, compare_regressors

WALLET = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"

# "JSON Output Schema" of the specification; from its "Mock Output Example": improved_metrics, degraded_metrics, dry_run
SPECIFIED: dict[str, Any] = {
    "schema_version": None,
    "delta_computation": {
        "delta_one_score": None,
        "metric_deltas": None,
        "computation_method": None,
        "metrics_included": None,
        "improved_metrics": None,
        "degraded_metrics": None,
    },
    "baseline_model": dict.fromkeys(("model_id", "model_type", "metrics", "mlflow_run_id")),
    "new_model": dict.fromkeys(("model_id", "model_type", "metrics", "mlflow_run_id", "training_metadata")),
    "contributor_attribution": dict.fromkeys(
        (
            "contributor_id",
            "wallet_address",
            "data_hash",
            "contributor_weights",
            "contributed_samples",
            "total_samples",
            "data_manifest",
        )
    ),
    "evaluation_metadata": dict.fromkeys(("benchmark_dataset", "evaluation_timestamp", "pipeline_run_id")),
    "pipeline_metadata": dict.fromkeys(("run_id", "timestamp", "config", "dry_run")),
}
# What stands there besides.
ADDED = {"decision"}
ADDED_TO_ATTRIBUTION = {"contributor_credit"}
METRIC_KEYS = ["baseline_value", "new_value", "absolute_delta", "relative_delta", "improvement"]

# 10 rows, 5 of them positive; baseline right on 6 (3 positives), new on 8 (4 positives)
LABELS = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
BASELINE = [0, 0, 0, 1, 1, 0, 0, 1, 1, 1]
NEW = [0, 0, 0, 0, 1, 0, 1, 1, 1, 1]


def contribution(name: str, accepted: int, wallet: str | None = None) -> Contribution:
    return Contribution(
        Contributor(name, WalletAddress.parse(wallet) if wallet else None),
        f"{name}.csv", f"{len(name):064x}", 10, accepted + 2, accepted, 1, 0, 1, 0,
    )  # fmt: skip


def credited(contributions: Sequence[Contribution], *weights_bps: int) -> Attribution:
    """Credit of 3 percentage points, by hand: one weight for each contributor; the whole for one."""
    people = dict.fromkeys(one.contributor for one in contributions)
    rows = {who: sum(c.rows_accepted for c in contributions if c.contributor == who) for who in people}
    weights = weights_bps or (ALL_BPS,)
    parts = tuple(
        Credit(who, 0.03 * bps / ALL_BPS, None, None, bps, rows[who], "" if bps else "nothing was used")
        for who, bps in zip(people, weights, strict=True)
    )
    return Attribution(AttributionMethod.PROPORTIONAL, 0.03, parts, evaluations=1)


BASE = ModelArtifact("churn/1.0.0", "sklearn.A", "a.skops", b"a", {}, 900)
MODEL = ModelArtifact("churn/1.1.0", "sklearn.B", "b.skops", b"b", {"C": 1.0}, 900, 100)


def output(**change: Any) -> dict[str, Any]:
    comparison = change.get("comparison") or compare_classifiers(LABELS, BASELINE, NEW, classes=("no", "yes"))
    contributions = change.get("contributions") or [contribution("ann", 100, WALLET)]
    people = {one.contributor for one in contributions}
    given_: dict[str, Any] = {
        "comparison": comparison,
        "baseline": BASE,
        "new": MODEL,
        "contributions": contributions,
        "attribution": credited(contributions, ALL_BPS, *[0] * (len(people) - 1)),
        "decision": decide(comparison, AcceptanceRule()),
        "data_manifest": {"rows": 102, "data_hash": f"{3:064x}"},
        "benchmark": {"size": 10},
        "run_id": "r1",
        "timestamp": "2024-01-01T00:00:00+00:00",
        "config": {"seed": 42},
        "dry_run": False,
    }
    return delta_output(**{**given_, **change})


class TestKeys:
    def test_are_the_specifications_in_its_order(self) -> None:
        made = output()
        assert [key for key in made if key not in ADDED] == list(SPECIFIED)
        assert set(made) - set(SPECIFIED) == ADDED
        for block, keys in SPECIFIED.items():
            if keys is not None:
                added = ADDED_TO_ATTRIBUTION if block == "contributor_attribution" else set()
                assert [key for key in made[block] if key not in added] == list(keys), block
                assert set(made[block]) - set(keys) == added, block
        for delta in made["delta_computation"]["metric_deltas"].values():
            assert list(delta) == METRIC_KEYS

    def test_training_metadata(self) -> None:
        metadata = output()["new_model"]["training_metadata"]
        assert metadata["base_samples"] == 900
        assert metadata["contributed_samples"] == 100
        assert metadata["contribution_ratio"] == 0.1
        assert (
            metadata["model_sha256"] == "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d"
        )  # of "b"

    def test_is_plain_json(self) -> None:
        made = output()
        assert json.loads(json.dumps(made, allow_nan=False)) == made


class TestValues:
    def test_the_metrics_worked_out_by_hand(self) -> None:
        computed = output()["delta_computation"]
        accuracy, precision = computed["metric_deltas"]["accuracy"], computed["metric_deltas"]["precision"]
        assert accuracy == {
            "baseline_value": 0.6,
            "new_value": 0.8,
            "absolute_delta": 0.2,
            "relative_delta": pytest.approx(1 / 3),
            "improvement": True,
        }
        assert precision["baseline_value"] == 0.6  # 3 of 5 said
        assert precision["new_value"] == 0.8  # 4 of 5 said
        # accuracy, precision, recall and F1 each rise from 3/5 to 4/5
        assert computed["delta_one_score"] == 0.2
        assert computed["computation_method"] == "weighted_average_delta"
        assert computed["metrics_included"] == ["accuracy", "precision", "recall", "f1"]
        assert computed["improved_metrics"] == ["accuracy", "precision", "recall", "f1"]
        assert computed["degraded_metrics"] == []

    def test_the_metrics_of_the_models_stand_with_the_models(self) -> None:
        made = output()
        assert made["baseline_model"]["metrics"] == {
            "accuracy": 0.6,
            "precision": 0.6,
            "recall": 0.6,
            "f1": 0.6,
        }
        assert made["new_model"]["metrics"] == {"accuracy": 0.8, "precision": 0.8, "recall": 0.8, "f1": 0.8}

    def test_only_weighted_metrics_are_included(self) -> None:
        compared = compare_classifiers(LABELS, BASELINE, NEW, classes=("no", "yes"), weights={"recall": 2})
        computed = output(comparison=compared)["delta_computation"]
        assert computed["metrics_included"] == ["recall"]
        assert len(computed["metric_deltas"]) == 4

    @pytest.mark.parametrize("swapped", [False, True])
    def test_directions_in_regression(self, swapped: bool) -> None:
        """Errors of 2 become errors of 1: RMSE and MAE halve, R2 of targets 0, 4, 8, 12 rises 0.8 to 0.95."""
        target = np.array([0.0, 4.0, 8.0, 12.0])
        worse, better = target + np.array([2, -2, 2, -2]), target + np.array([1, -1, 1, -1])
        models = (better, worse) if swapped else (worse, better)
        computed = output(comparison=compare_regressors(target, *models))["delta_computation"]
        rmse, r2 = computed["metric_deltas"]["rmse"], computed["metric_deltas"]["r2"]
        assert rmse["absolute_delta"] == (1.0 if swapped else -1.0)
        assert rmse["relative_delta"] == (1.0 if swapped else -0.5)
        assert r2["absolute_delta"] == pytest.approx(-0.15 if swapped else 0.15)
        assert (rmse["improvement"], r2["improvement"]) == (not swapped, not swapped)
        named = ["rmse", "mae", "r2"]
        assert computed["improved_metrics"] == ([] if swapped else named)
        assert computed["degraded_metrics"] == (named if swapped else [])
        # gains 1/2, 1/2 and 0.15 one way; -1, -1 and -0.15 the other
        assert computed["delta_one_score"] == pytest.approx(-2.15 / 3 if swapped else 1.15 / 3)

    def test_an_unchanged_metric_is_neither_better_nor_worse(self) -> None:
        computed = output(comparison=compare_classifiers(LABELS, NEW, NEW, classes=("a", "b")))[
            "delta_computation"
        ]
        assert (computed["improved_metrics"], computed["degraded_metrics"]) == ([], [])
        assert not computed["metric_deltas"]["accuracy"]["improvement"]


class TestAttribution:
    def test_one_contributor(self) -> None:
        assert output()["contributor_attribution"] == {
            "contributor_id": "ann",
            "wallet_address": WALLET,
            "data_hash": f"{3:064x}",
            "contributor_weights": 0.1,  # 100 of 1000 rows, as in the specification's own example
            "contributed_samples": 100,
            "total_samples": 1000,
            "data_manifest": {"rows": 102, "data_hash": f"{3:064x}"},
            "contributor_credit": {
                "method": "proportional",
                "gain": 0.03,
                "seeds": 1,
                "evaluations": 1,
                "sampling_error": None,
                "note": "",
                "without_contribution": None,
                "contributors": [
                    {
                        "contributor_id": "ann",
                        "wallet_address": WALLET,
                        "payable": True,
                        "value": 0.03,
                        "standard_error": None,
                        "interval": None,
                        "weight_bps": 10_000,
                        "rows": 100,
                        "unpaid": None,
                    }
                ],
            },
        }

    def test_several_in_one_order(self) -> None:
        given_ = [contribution("ann", 75, WALLET), contribution("bobby", 25)]
        made = output(contributions=given_)["contributor_attribution"]
        assert made["contributor_id"] == ["ann", "bobby"]
        assert made["wallet_address"] == [WALLET, None]
        assert made["contributor_weights"] == pytest.approx([0.075, 0.025])
        assert made["data_hash"] == made["data_manifest"]["data_hash"]

    def test_a_baseline_of_unknown_origin(self) -> None:
        made = output(new=replace(MODEL, base_samples=None))
        assert made["contributor_attribution"]["total_samples"] == 100
        assert made["contributor_attribution"]["contributor_weights"] == 1.0

    def test_whoever_gave_several_files_stands_among_the_credited_once(self) -> None:
        given_ = [contribution("ann", 60), contribution("bobby", 30), contribution("ann", 10)]
        made = output(contributions=given_, attribution=credited(given_, 2_500, 7_500))
        attributed = made["contributor_attribution"]
        assert attributed["contributor_id"] == ["ann", "bobby", "ann"]
        assert attributed["contributor_weights"] == pytest.approx([0.06, 0.03, 0.01])
        told = attributed["contributor_credit"]["contributors"]
        assert [(one["contributor_id"], one["rows"], one["weight_bps"]) for one in told] == [
            ("ann", 70, 2_500),
            ("bobby", 30, 7_500),
        ]


class TestDecision:
    def test_too_few_rows_worked_out_by_hand(self) -> None:
        """10 rows, 2 of them better and none worse: the mid-p of that is 1/8, and 10 rows are no 800."""
        made = output()["decision"]
        assert made["accepted"] is False
        assert [reason["verdict"] for reason in made["reasons"]] == ["too_few_rows", "not_significant"]
        assert made["reasons"][0]["detail"] == "The benchmark has 10 rows, and at least 800 are needed"
        assert "one-sided p = 0.125" in made["reasons"][1]["detail"]
        assert made["rule"] == {"min_rows": 800, "threshold": 0.01, "alpha": 0.05}
        assert made["guardrails"] == []

    def test_a_guardrail_that_nobody_measured_stands_there_as_a_breach(self) -> None:
        compared = compare_classifiers(LABELS, BASELINE, NEW, classes=("no", "yes"))
        guardrail = Guardrail("latency_ms", 5.0)
        rule = AcceptanceRule(min_rows=10, guardrails=(guardrail,))
        outcome = unmeasured(guardrail, "the models were not timed")
        made = output(comparison=compared, decision=decide(compared, rule, outcomes=[outcome]))["decision"]
        assert made["guardrails"] == [
            {
                "name": "latency_ms",
                "margin": 5.0,
                "change": None,
                "bound": None,
                "breached": True,
                "reason": "latency_ms was not measured: the models were not timed",
            }
        ]


class TestVolatile:
    def test_what_differs_between_two_runs_is_all_in_the_block(self) -> None:
        first = output()
        second = output(run_id="r2", timestamp="2025-02-02T00:00:00+00:00", config={"seed": 42, "dir": "x"})
        second["baseline_model"]["mlflow_run_id"], second["new_model"]["mlflow_run_id"] = "a1", "b2"
        assert first != second
        assert json.dumps(without_volatile(first)) == json.dumps(without_volatile(second))

    @pytest.mark.parametrize("path", VOLATILE)
    def test_nothing_else_is_in_it(self, path: tuple[str, ...]) -> None:
        made = output()
        stable = without_volatile(made)
        for key in path[:-1]:
            made, stable = made[key], stable[key]
        assert path[-1] in made
        assert path[-1] not in stable

    def test_the_given_object_is_left_alone_and_twice_is_once(self) -> None:
        made = output()
        before = json.dumps(made)
        once = without_volatile(made)
        assert json.dumps(made) == before
        assert without_volatile(once | {"pipeline_metadata": {}}) == once

    def test_another_result_is_no_volatile_matter(self) -> None:
        other = output(comparison=compare_classifiers(LABELS, NEW, NEW, classes=("no", "yes")))
        assert without_volatile(other) != without_volatile(output())
