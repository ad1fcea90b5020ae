"""Whether a run's improvement counts: guardrails on what a run can measure, and the benchmark that was agreed on."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hokusai.adapters.memory_ledger import MemoryLedger
from hokusai.adapters.memory_runs import MemoryRunStore
from hokusai.attestation.benchmark_statement import benchmark_statement_bytes
from hokusai.attestation.commitments import label_root
from hokusai.attestation.envelope import sign
from hokusai.attestation.policy import Policy
from hokusai.attestation.verify import Materials, verify_attestation
from hokusai.core.attestations import Attestations
from hokusai.core.benchmarks import Benchmarks
from hokusai.domain.benchmark import Benchmark
from hokusai.domain.decision import AcceptanceRule, Decision, Guardrail, GuardrailOutcome, Verdict
from hokusai.domain.metrics import Task
from hokusai.errors import BackendUnavailableError, ConflictError, IntegrityError
from hokusai.pipeline import acceptance, attestation, finish
from hokusai.pipeline.delta_output import delta_output
from hokusai.pipeline.plan import resolve_plan
from hokusai.ports import Ledger
from hokusai.utils.config import Settings

KEY, OWNER = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2))
WRONG_SHA256 = "ab" * 32


@pytest.fixture
def known(csv, labelled) -> dict[str, str]:
    """A contribution that helps a poor baseline, on a benchmark of 600 rows with regions, of which some are unknown."""
    bench = labelled(600, 1)
    regions = ["EU", "US", "", "EU"] * 150
    return {
        "contributed_data": csv("more.csv", labelled(300, 2)),
        "contributor": "ann",
        "base_data": csv("base.csv", labelled(20, 7)),
        "benchmark_data": csv("bench.csv", {"region": regions, **bench}),
        "feature_columns": "x,z",
        "metric_weights": '{"accuracy": 1}',
        "min_rows": "600",
    }


@pytest.fixture
def decided(known, plan_of, ran) -> Callable[..., Decision]:
    return lambda **more: ran(plan_of(**{**known, **more})).decision


def only(decision: Decision) -> GuardrailOutcome:
    (outcome,) = decision.guardrails
    return outcome


class TestReasons:
    def test_a_gain_that_counts(self, decided) -> None:
        decision = decided()
        assert decision.accepted
        assert decision.verdict is Verdict.ACCEPTED

    @pytest.mark.parametrize(
        ("more", "verdict", "said"),
        [
            ({"min_rows": "601"}, Verdict.TOO_FEW_ROWS, "has 600 rows, and at least 601 are needed"),
            (
                {"threshold": "50"},
                Verdict.BELOW_THRESHOLD,
                "at least +50.0000 percentage points is asked for",
            ),
            ({"guardrails": "latency_ms=5"}, Verdict.GUARDRAIL, "latency_ms was not measured"),
        ],
    )
    def test_each_against_it(self, decided, more: dict[str, str], verdict: Verdict, said: str) -> None:
        (reason,) = decided(**more).reasons
        assert reason.verdict is verdict
        assert said in reason.detail

    def test_all_of_them_in_their_order(self, decided, csv, labelled) -> None:
        """Twenty rows beside three hundred gain nothing that can be told from noise."""
        decision = decided(
            base_data=csv("plenty.csv", labelled(300, 8)),
            contributed_data=csv("few.csv", labelled(20, 2)),
            min_rows="1000",
            guardrails="latency_ms=5",
        )
        assert [reason.verdict for reason in decision.reasons] == [
            Verdict.TOO_FEW_ROWS,
            Verdict.BELOW_THRESHOLD,
            Verdict.NOT_SIGNIFICANT,
            Verdict.GUARDRAIL,
        ]


class TestGuardrails:
    def test_a_metric_is_held_to_its_lower_bound(self, decided, known, plan_of, ran) -> None:
        run = ran(plan_of(**known, guardrails="recall=0.5"))
        (delta,) = (delta for delta in run.comparison.deltas if delta.metric.name == "recall")
        outcome = only(run.decision)
        assert outcome.change == delta.absolute_delta
        z = 1.6448536269514722  # one-sided 5 %
        assert outcome.bound == pytest.approx(delta.absolute_delta - z * delta.standard_error, rel=0.05)
        assert not outcome.breached
        assert not only(decided(guardrails="f1_score=0.5")).breached  # by another of its names

    def test_a_slice_is_its_rows_alone(self, known, plan_of, ran) -> None:
        run = ran(plan_of(**known, guardrails="accuracy[region=US]=0.5"))
        inside = np.array(["EU", "US", "", "EU"] * 150) == "US"
        right = [
            (model[inside] == run.evaluation.target[inside]).mean()
            for model in (run.evaluation.baseline, run.evaluation.new)
        ]
        assert only(run.decision).change == pytest.approx(right[1] - right[0], abs=1e-12)

    def test_what_is_not_measured_is_a_breach(self, decided) -> None:
        expected = {
            "accuracy[region=Mars]=0.5": "accuracy[region=Mars] was not measured",
            "accuracy[land=EU]=0.5": "accuracy[land=EU] was not measured",
            "latency_ms=5": "a run measures the metrics of classification and size_bytes",
            "rmse=5": "a run measures the metrics of classification and size_bytes",
            "size_bytes[region=EU]=5": "was not measured",
            "+warmth=1": "was not measured",
        }
        decision = decided(guardrails=",".join(expected))
        assert not decision.accepted
        for outcome, (guardrail, said) in zip(decision.guardrails, expected.items(), strict=True):
            assert outcome.breached, guardrail
            assert (outcome.change, outcome.bound) == (None, None)
            assert said in outcome.reason

    def test_size_is_that_of_the_model_files_and_smaller_is_better(self, known, plan_of, ran) -> None:
        forest = {
            "estimator": "sklearn.ensemble.RandomForestClassifier",
            "estimator_params": '{"n_estimators": 5}',
        }
        run = ran(plan_of(**known, **forest, guardrails="size_bytes=100"))
        grown = len(run.new.content) - len(run.old.content)
        assert grown > 100  # trees grow with the rows
        outcome = only(run.decision)
        assert (outcome.change, outcome.bound) == (-grown, -grown)
        assert outcome.breached
        assert not only(ran(plan_of(**known, **forest, guardrails=f"size_bytes={grown}")).decision).breached


@pytest.fixture
def agreed(known, labelled) -> Benchmark:
    data_sha256 = hashlib.sha256(Path(known["benchmark_data"]).read_bytes()).hexdigest()
    return Benchmark(
        name="regions",
        data_sha256=data_sha256,
        task=Task.CLASSIFICATION,
        target_column="label",
        n_rows=600,
        primary_metric="f1",
        minimum_detectable_delta=0.03,
        weights={"f1": Fraction(1, 3), "recall": Fraction(2, 3)},
        rule=AcceptanceRule(min_rows=500, guardrails=(Guardrail("recall", 0.5),)),
        labels_root=label_root(labelled(600, 1)["label"], data_sha256),
    )


@pytest.fixture
def run_on(known, tmp_path: Path, ran):
    """A run that names a benchmark of a ledger, or brings its commitment."""

    def run(record: Benchmark, **more: Any) -> Any:
        given = {k: v for k, v in known.items() if k not in ("min_rows", "metric_weights")}
        given |= {"output_dir": str(tmp_path / "out"), "benchmark": record.name, **more}
        return ran(resolve_plan(given, Settings(home=tmp_path), lambda _: record))

    return run


@pytest.fixture
def commitment(tmp_path: Path):
    def write(benchmark: Benchmark) -> str:
        file = tmp_path / "commitment.json"
        file.write_bytes(sign(benchmark_statement_bytes(benchmark), [OWNER]).to_bytes())
        return str(file)

    return write


class TestAnAgreedBenchmark:
    def test_decides_by_its_metric_weights_and_rule(self, run_on, agreed: Benchmark) -> None:
        run = run_on(agreed)
        assert run.comparison.primary.metric == "f1"
        assert run.comparison.weights == agreed.weights
        assert run.decision.rule == agreed.rule
        assert Verdict.BENCHMARK_MISMATCH not in {reason.verdict for reason in run.decision.reasons}
        assert run.shares.weights == agreed.weights  # what is shared out is what was agreed on

    def test_of_other_bytes_counts_for_nothing(self, run_on, agreed: Benchmark) -> None:
        decision = run_on(replace(agreed, data_sha256=WRONG_SHA256)).decision
        assert decision.verdict is Verdict.BENCHMARK_MISMATCH
        assert WRONG_SHA256 in decision.reasons[0].detail
        assert agreed.data_sha256 in decision.reasons[0].detail

    def test_that_is_not_what_its_owner_committed_to_is_refused_at_once(
        self, run_on, commitment, agreed: Benchmark
    ) -> None:
        right = run_on(agreed, benchmark="", benchmark_statement=commitment(agreed))
        acceptance.require_committed(right.plan, right.facts)
        for change, said in (
            ({"data_sha256": WRONG_SHA256}, "The benchmark's bytes are not"),
            ({"n_rows": 599}, "The benchmark's rows are not"),
            ({"labels_root": WRONG_SHA256}, "The benchmark's labels are not"),
        ):
            wrong = replace(right.plan, benchmark=replace(agreed, **change))
            with pytest.raises(IntegrityError, match=said):
                acceptance.require_committed(wrong, right.facts)

    def test_the_commitment_stands_in_the_attestation_and_its_owners_key_bears_it_out(
        self, run_on, commitment, agreed: Benchmark
    ) -> None:
        file = commitment(agreed)
        run = run_on(agreed, benchmark="", benchmark_statement=file)
        made = attested(run)
        predicate = json.loads(base64.b64decode(json.loads(made.envelope)["payload"]))["predicate"]
        payload = benchmark_statement_bytes(agreed)
        assert predicate["benchmarkStatement"] == {"sha256": hashlib.sha256(payload).hexdigest()}
        given = Materials(benchmark_statement=Path(file).read_bytes())
        for owner, right in ((OWNER, True), (KEY, False)):
            policy = Policy((KEY.public_key(),), owner_keys=(owner.public_key(),))
            assert verify_attestation(made.envelope, policy, given).ok is right


def attested(run: Any) -> attestation.Attestation:
    return attestation.attest(
        run.plan, run.facts, run.contributed, run.old, run.new, run.comparison, run.evaluation,
        run.credited, run.decision, KEY,
    )  # fmt: skip


class TestARejectedRun:
    def test_is_signed_and_verifies_and_its_weights_are_only_how_it_would_be_shared(
        self, known, plan_of, ran
    ) -> None:
        run = ran(plan_of(**{**known, "min_rows": "601"}))
        assert not run.decision.accepted
        assert [one.weight_bps for one in run.credited.credits] == [10_000]
        made = attested(run)
        assert verify_attestation(made.envelope, Policy((KEY.public_key(),))).ok
        strict = Policy((KEY.public_key(),), require_accepted=True)
        assert not verify_attestation(made.envelope, strict).ok


def counted(run: Any, ledger: Callable[[], Ledger]) -> tuple[int, ...]:
    """What the step that measures has counted before; the ledger may be away afterwards."""
    try:
        return acceptance.count_submissions(run.plan, run.new, Benchmarks(ledger()))
    except BackendUnavailableError:
        return (1,)


class TestSubmissions:
    def test_each_contributor_may_submit_as_often_as_was_said(
        self, run_on, agreed: Benchmark, csv, labelled
    ) -> None:
        benchmarks = Benchmarks(MemoryLedger())
        first = run_on(agreed, max_submissions="1")
        assert acceptance.count_submissions(first.plan, first.new, benchmarks) == (1,)
        assert acceptance.count_submissions(first.plan, first.new, benchmarks) == (1,)  # the same content
        other = run_on(agreed, max_submissions="1", contributed_data=csv("other.csv", labelled(250, 3)))
        with pytest.raises(ConflictError):
            acceptance.count_submissions(other.plan, other.new, benchmarks)
        assert len(benchmarks.uses("regions")) == 1


class TestWhatIsKept:
    @pytest.fixture
    def finished(self, tmp_path: Path):
        """The last step of a run, on a ledger; its summary."""

        def finish_(run: Any, ledger: Callable[[], Ledger], run_id: str = "7") -> dict[str, Any]:
            output = delta_output(
                comparison=run.comparison, baseline=run.old, new=run.new,
                contributions=run.contributed.contributions, attribution=run.credited,
                decision=run.decision, data_manifest=run.contributed.manifest,
                benchmark=run.facts.benchmark_dict(), run_id=run_id, timestamp="", config={}, dry_run=False,
            )  # fmt: skip
            ended = finish.FinishedRun(
                run_id, "2024-01-31T10:00:00+00:00", run.plan, run.facts, run.old, run.new,
                run.contributed, counted(run, ledger), run.evaluation, run.comparison, run.credited, run.decision,
                output, attested(run),
                [{"step": "start", "attempt": 0, "started_ms": 1, "ended_ms": 2, "status": "FINISHED"}],
            )  # fmt: skip
            return finish.finish(ended, tmp_path / "home", MemoryRunStore(), "sqlite:///x.db", ledger)

        return finish_

    def test_a_use_is_counted_once_for_one_model_and_its_number_told(
        self, run_on, finished, agreed: Benchmark, csv, labelled
    ) -> None:
        ledger = MemoryLedger()
        Benchmarks(ledger).add(agreed)
        run = run_on(agreed)
        first = finished(run, lambda: ledger)
        assert "Submission 1 to the benchmark 'regions'." in first["notes"]
        again = finished(run, lambda: ledger, "8")
        assert "Submission 1 to the benchmark 'regions'." in again["notes"]
        other = run_on(agreed, contributed_data=csv("other.csv", labelled(250, 3)))
        assert "Submission 2 to the benchmark 'regions'." in finished(other, lambda: ledger, "9")["notes"]
        assert len(Benchmarks(ledger).uses("regions")) == 2

    def test_the_attestation_is_found_by_what_it_is_about(self, run_on, finished, agreed: Benchmark) -> None:
        ledger = MemoryLedger()
        Benchmarks(ledger).add(agreed)
        run = run_on(agreed)
        finished(run, lambda: ledger)
        (facts,) = Attestations(ledger).find(contributor="ann")
        assert facts.new_model_sha256 == run.new.sha256
        assert facts.benchmark_record_sha256 == agreed.sha256

    def test_a_benchmark_that_came_with_its_commitment_alone_is_kept(
        self, run_on, finished, commitment, agreed: Benchmark
    ) -> None:
        ledger = MemoryLedger()
        run = run_on(agreed, benchmark="", benchmark_statement=commitment(agreed))
        assert "Submission 1 to the benchmark 'regions'." in finished(run, lambda: ledger)["notes"]
        assert Benchmarks(ledger).get("regions") == agreed

    def test_a_ledger_that_is_away_costs_nothing_but_a_note(
        self, run_on, finished, agreed: Benchmark
    ) -> None:
        def away() -> Ledger:
            raise BackendUnavailableError("The database does not answer")

        summary = finished(run_on(agreed), away)
        (note,) = (note for note in summary["notes"] if "ledger" in note)
        assert note.startswith("The attestation is not in the ledger yet: The database does not answer.")
        assert note.endswith(f"hokusai attest store {summary['places']['attestation']}")
        assert Path(summary["places"]["attestation"]).exists()

    def test_every_number_of_the_summary_can_be_told(self, run_on, finished, agreed: Benchmark) -> None:
        summary = finished(run_on(agreed), lambda: _with(agreed))
        assert json.loads(json.dumps(summary, allow_nan=False)) == summary
        assert math.isclose(
            sum(one["value"] for one in summary["credit"]["contributors"]), summary["delta_one"]
        )


def _with(benchmark: Benchmark) -> Ledger:
    ledger = MemoryLedger()
    Benchmarks(ledger).add(benchmark)
    return ledger
