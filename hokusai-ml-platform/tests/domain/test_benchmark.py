"""A benchmark as a record: what it may say, and its identity."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.domain.benchmark import Benchmark
from hokusai.domain.canonical import canonical_json, parse_json
from hokusai.domain.decision import AcceptanceRule, Guardrail
from hokusai.domain.metrics import Task
from hokusai.errors import HokusaiError, InvalidInputError

PLAIN = Benchmark("churn", "ab" * 32, Task.CLASSIFICATION, "label", 10_000, "accuracy", 0.005)
RICH = replace(
    PLAIN,
    weights={"f1": Fraction(2, 3), "accuracy": Fraction(1, 3)},
    rule=AcceptanceRule(
        500,
        Fraction(1, 200),
        0.01,
        (Guardrail("recall", 0.01, slice=("region", "EU")), Guardrail("latency_ms", 0.1, relative=True)),
    ),
    labels_root="cd" * 32,
    labels_secret=True,
    split="vault",
)


class TestIdentity:
    def test_is_fixed_for_good(self) -> None:
        assert PLAIN.sha256 == "93f18c9ef6414e510244c6e78353aebe09c9573a4b4a46026a9861c7792dac61"
        assert RICH.sha256 == "29c2c2cd3ed3c1cdef7f4acfac4491b0ed3ef996f6aa2562bcd4ae8ac2bfefa8"

    def test_does_not_hang_on_the_order_of_weights(self) -> None:
        assert replace(RICH, weights=dict(reversed(list(RICH.weights.items())))).sha256 == RICH.sha256

    def test_is_another_for_everything_that_is_said(self) -> None:
        changes: dict[str, Any] = {
            "name": "leads",
            "data_sha256": "ba" * 32,
            "target_column": "y",
            "n_rows": 9_999,
            "split": "vault",
            "primary_metric": "f1",
            "weights": {"f1": Fraction(1)},
            "minimum_detectable_delta": 0.0051,
            "discordance": 0.05,
            "rule": AcceptanceRule(alpha=0.01),
            "labels_root": "cd" * 32,
            "labels_secret": True,
        }
        identities = {replace(PLAIN, **{name: value}).sha256 for name, value in changes.items()}
        assert len(identities | {PLAIN.sha256}) == len(changes) + 1

    @pytest.mark.parametrize("benchmark", [PLAIN, RICH])
    def test_is_the_same_after_writing_and_reading(self, benchmark: Benchmark) -> None:
        told = parse_json(canonical_json(benchmark.to_dict()))
        assert isinstance(told, dict)
        read = Benchmark.from_dict(told)
        assert read == benchmark
        assert read.sha256 == benchmark.sha256

    @given(st.floats(1e-6, 1), st.floats(0.001, 0.499), st.fractions(0, 1), st.floats(0, 1e6))
    @settings(max_examples=30, deadline=None)
    def test_survives_any_number(self, mdd: float, alpha: float, threshold: Fraction, margin: float) -> None:
        rule = AcceptanceRule(1, threshold, alpha, (Guardrail("recall", margin),))
        benchmark = replace(PLAIN, minimum_detectable_delta=mdd, rule=rule)
        assert Benchmark.from_dict(benchmark.to_dict()) == benchmark


class TestWhatIsNone:
    @pytest.mark.parametrize(
        "changes",
        [
            {"name": ""},
            {"name": "a\nb"},
            {"name": "x" * 201},
            {"data_sha256": "AB" * 32},
            {"labels_root": "ab"},
            {"n_rows": 0},
            {"primary_metric": "rmse"},
            {"weights": {"f1": Fraction(1, 2)}},
            {"weights": {"f1": Fraction(3, 2), "accuracy": Fraction(-1, 2)}},
            {"weights": {"mae": Fraction(1)}},
            {"n_rows": 10.0},
            {"labels_secret": "no"},
            {"minimum_detectable_delta": float("nan")},
            {"discordance": 0.0},
        ],
    )
    def test_is_refused(self, changes: dict[str, Any]) -> None:
        with pytest.raises(HokusaiError):
            replace(PLAIN, **changes)

    @pytest.mark.parametrize(
        "edit",
        [
            lambda told: told.pop("rule"),
            lambda told: told.update(more=1),
            lambda told: told.update(format="hokusai-benchmark-v2"),
            lambda told: told.update(rows="many"),
            lambda told: told.update(discordance="0.040"),
            lambda told: told.update(higherIsBetter=False),
            lambda told: told.update(rule=None),
            lambda told: told["rule"].update(threshold="0.01"),
            lambda told: told.update(weights={"f1": "1/0"}),
            lambda told: told.update(weights={"f1": "1e99999999"}),
            lambda told: told["rule"].update(threshold=1),
            lambda told: told["rule"].update(guardrails=[{"metric": "recall"}]),
            lambda told: told.update(rows=True),
        ],
    )
    def test_is_not_read(self, edit: Any) -> None:
        told = PLAIN.to_dict()
        edit(told)
        with pytest.raises(InvalidInputError, match="Not a benchmark"):
            Benchmark.from_dict(told)
