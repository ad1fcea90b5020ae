"""Improvements as they are reported: exact arithmetic, every name of a member, and what is refused."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st

from hokusai.domain.reported import ReportedImprovement
from hokusai.domain.reported_contribution import ReportedContribution
from hokusai.errors import InvalidInputError, MetricError

WALLET = "0x742D35cc6634C0532925A3B844BC9E7595f62341"
DATA = {"contributor_address": WALLET, "data_hash": "ab" * 32, "samples": 1000}


def report(old, new, data=DATA, **kwargs):
    return ReportedImprovement.of(old, new, data, **kwargs)


class TestArithmetic:
    def test_is_that_of_the_decimals_that_were_reported(self):
        told = report({"accuracy": 0.85, "f1": 0.83}, {"accuracy": 0.88, "f1": 0.86})
        assert told.delta == {"accuracy": 0.03, "f1": 0.03}  # and not 0.030000000000000027
        assert told.delta_one == Fraction(3, 100)

    def test_knows_which_way_is_better(self):
        told = report({"rmse": 2.0, "r2": 0.5}, {"rmse": 1.5, "r2": 0.25})
        assert told.delta == {"rmse": -0.5, "r2": -0.25}
        assert [metric.improved for metric in told.metrics] == [True, False]
        # A quarter of the error is gone, and r2 is a quarter worse.
        assert [metric.gain for metric in told.metrics] == [Fraction(1, 4), Fraction(-1, 4)]
        assert told.delta_one == 0

    def test_from_no_error_at_all_every_error_is_all_of_it(self):
        assert report({"mae": 0}, {"mae": 0.1}).delta_one == -1
        assert report({"mae": 0}, {"mae": 0}).delta_one == 0

    def test_a_metric_without_a_unit_stays_out_of_delta_one(self):
        told = report({"latency_ms": 20, "auc": 0.75}, {"latency_ms": 15, "auc": 0.8})
        assert told.delta == {"latency_ms": -5.0, "auc": 0.05}
        assert told.weights == {"auc": 1}
        assert told.delta_one == Fraction(1, 20)
        assert told.warnings == ("latency_ms: no part of DeltaOne, since nothing tells the unit",)
        assert report({"latency_ms": 20}, {"latency_ms": 15}).delta_one is None

    def test_two_names_of_a_metric_are_one(self):
        told = report({"f1": 0.5, "model:auc": 0.5}, {"roc_auc": 0.75, "f1_score": 0.625})
        assert told.delta == {"f1": 0.125, "model:auc": 0.25}

    def test_takes_the_numbers_of_numpy(self):
        told = report({"f1": np.float32(0.83), "mae": np.int64(4)}, {"f1": np.float64(0.86), "mae": 3})
        assert told.delta == {"f1": 0.03, "mae": -1.0}

    def test_a_metric_whose_direction_is_told_counts(self):
        told = report({"score": 10}, {"score": 12}, higher_is_better={"score": False})
        assert told.metrics[0].improved is False

    @tried(max_examples=40)
    @given(
        st.dictionaries(st.sampled_from(["accuracy", "f1", "auroc", "recall"]), st.floats(0, 1), min_size=1)
    )
    def test_equal_metrics_are_no_improvement_and_swapping_turns_the_sign(self, metrics):
        other = {name: 1 - value for name, value in metrics.items()}
        assert report(metrics, metrics).delta_one == 0
        assert report(metrics, other).delta_one == -report(other, metrics).delta_one


class TestMetricsAreRefused:
    @pytest.mark.parametrize(
        ("old", "new", "why"),
        [
            ({"accuracy": 0.8, "f1": 0.7}, {"accuracy": 0.9}, "'f1' is among the baseline metrics only"),
            ({"accuracy": 0.8}, {"accuracy": 0.9, "auc": 0.7}, "'auc' is among the improved metrics only"),
            ({}, {}, "no metrics to compare"),
            ({"f1": 0.8, "f1_score": 0.8}, {"f1": 0.9}, "'f1' and 'f1_score' are one metric"),
            ({"f1": "0.8"}, {"f1": 0.9}, "'0.8', which is not a number"),
            ({"f1": True}, {"f1": 0.9}, "True, which is not a number"),
            ({"f1": None}, {"f1": 0.9}, "None, which is not a number"),
            ({"f1": 0.8j}, {"f1": 0.9}, "which is not a number"),
            ({"f1": Decimal("0.8")}, {"f1": 0.9}, "which is not a number"),
            ({"f1": math.nan}, {"f1": 0.9}, "is nan"),
            ({"f1": 0.8}, {"f1": math.inf}, "is inf"),
            ({"mae": 10**400}, {"mae": 1}, "is inf"),
            ({"score": 1}, {"score": 2}, "whether a higher 'score' is better"),
            ({"": 1}, {"": 2}, "name is ''"),
            ({3: 1}, {3: 2}, "name is 3"),
            ({"accuracy": 85}, {"accuracy": 88}, "cannot be above 1.*not per cent: 0.85"),
            ({"accuracy": -0.1}, {"accuracy": 0.8}, "cannot be below 0"),
            ({"rmse": -1}, {"rmse": 1}, "cannot be below 0"),
            ([("f1", 0.5)], {"f1": 0.5}, "baseline metrics are list"),
        ],
    )
    def test_with_the_reason(self, old, new, why):
        with pytest.raises(MetricError, match=why):
            report(old, new)

    def test_a_direction_against_what_is_known(self):
        with pytest.raises(MetricError, match="lower is better, and the opposite was said"):
            report({"rmse": 2}, {"rmse": 1}, higher_is_better={"rmse": True})


class TestContribution:
    @pytest.mark.parametrize("wallet", ["contributor_address", "contributor", "wallet_address", "address"])
    @pytest.mark.parametrize("data", ["data_hash", "dataset_hash"])
    @pytest.mark.parametrize("rows", ["samples", "data_size"])
    @pytest.mark.parametrize("quality", ["quality_score", "data_quality_score"])
    def test_is_the_same_by_any_of_its_names(self, wallet, data, rows, quality):
        told = ReportedContribution.of({wallet: WALLET, data: "abc", rows: 5, quality: 0.5})
        assert told.to_dict() == {
            "contributor_address": WALLET,
            "contributor_id": WALLET,
            "data_hash": "abc",
            "samples": 5,
            "quality_score": 0.5,
        }

    def test_keeps_what_it_does_not_know(self):
        told = ReportedContribution.of({**DATA, "region": "EU", "batches": [1, {"a": None}]})
        assert told.other == {"region": "EU", "batches": [1, {"a": None}]}
        assert ReportedContribution.of(told.to_dict()) == told

    def test_said_twice_alike_is_said_once(self):
        assert ReportedContribution.of({**DATA, "data_size": 1000}).samples == 1000

    @pytest.mark.parametrize(
        ("text", "digest"),
        [
            ("ab" * 32, "ab" * 32),
            ("0x" + "AB" * 32, "ab" * 32),
            ("sha256:" + "0c" * 32, "0c" * 32),
            ("abc123", None),
        ],
    )
    def test_knows_a_digest_when_it_sees_one(self, text, digest):
        told = ReportedContribution.of({**DATA, "data_hash": text})
        assert (told.data_hash, told.data_sha256) == (text, digest)
        assert any("no SHA-256" in warning for warning in told.warnings) == (digest is None)

    def test_a_malformed_wallet_is_a_name_that_cannot_be_paid(self):
        short = "0x742d35Cc6634C0532925a3b844Bc9e7595f6234"  # 39 digits
        told = ReportedContribution.of({**DATA, "contributor_address": short})
        assert told.contributor.contributor_id == short
        assert not told.contributor.payable
        assert "this has 39" in told.warnings[0]

    def test_a_wallet_without_its_checksum_is_told(self):
        told = ReportedContribution.of(
            {**DATA, "contributor_address": "0x742d35Cc6634C0532925a3b844Bc9e7595f62341"}
        )
        assert told.contributor.payable
        assert WALLET in told.warnings[0]

    def test_an_id_alone_is_somebody_who_cannot_be_paid(self):
        told = ReportedContribution.of({"contributor_id": "ann", "samples": 3})
        assert not told.contributor.payable
        assert "has no wallet" in told.warnings[0]

    @pytest.mark.parametrize(
        ("data", "why"),
        [
            ({"samples": 5}, "Nobody is said to have contributed"),
            ({"contributor": WALLET}, "gave no data"),
            ({"contributor": WALLET, "samples": 0}, "samples is 0"),
            ({"contributor": WALLET, "samples": -5}, "samples is -5"),
            ({"contributor": WALLET, "samples": 2.5}, "samples is 2.5"),
            ({"contributor": WALLET, "samples": True}, "samples is True"),
            ({"contributor": WALLET, "samples": 2**53}, "whole number"),
            ({"contributor": WALLET, "data_hash": ""}, "a text was expected"),
            ({"contributor": WALLET, "data_hash": b"abc"}, "a text was expected"),
            ({"contributor": {"id": 5}, "samples": 5}, "a text was expected"),
            ({"contributor": "x" * 300, "samples": 5}, "longer than 256"),
            ({**DATA, "contributor": "somebody else"}, "said twice, and differently"),
            ({**DATA, "data_size": 999}, "said twice, and differently"),
            ({**DATA, "quality_score": math.nan}, "finite number was expected"),
            ({**DATA, "quality_score": "high"}, "finite number was expected"),
            ({**DATA, "extra": {1, 2}}, "has to be JSON"),
            ({**DATA, "extra": math.inf}, "has to be JSON"),
            ("0xabc", "contribution is str"),
        ],
    )
    def test_is_refused_with_the_reason(self, data, why):
        with pytest.raises(InvalidInputError, match=why):
            ReportedContribution.of(data)
