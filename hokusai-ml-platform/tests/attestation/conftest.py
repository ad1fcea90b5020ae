"""One improvement worked out by hand, claimed and signed.

The benchmark has 100 rows. By (label, baseline, new), 0 "no" and 1 "yes":

    000: 40   001: 5   010: 10   011: 5   100: 5   101: 12   110: 3   111: 20

Baseline: 68 right, 38 said "yes", 23 of them rightly. New: 82 right, 42 said "yes", 32 of them rightly. 40 rows
are "yes". The standard errors, and the p-values that follow from them, were made once by the comparison.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hokusai.attestation.benchmark_statement import benchmark_statement_bytes
from hokusai.attestation.commitments import commit, label_root
from hokusai.attestation.envelope import Envelope, sign
from hokusai.attestation.policy import Policy
from hokusai.attestation.predictions import RowPredictions
from hokusai.attestation.statement import statement_bytes
from hokusai.domain.attribution import Attribution, AttributionMethod, Credit
from hokusai.domain.benchmark import Benchmark
from hokusai.domain.canonical import sha256_hex
from hokusai.domain.claim import DeltaOneClaim, Estimator
from hokusai.domain.contribution import Contribution, Contributor
from hokusai.domain.decision import (
    AcceptanceRule,
    Decision,
    Guardrail,
    GuardrailOutcome,
    Reason,
    Verdict,
)
from hokusai.domain.delta import Comparison, Interval, JointCounts, MetricDelta, PrimaryRecord
from hokusai.domain.identifiers import WalletAddress
from hokusai.domain.metrics import METRICS, Task

F = Fraction
CELLS = (
    ((0, 0, 0), 40),
    ((0, 0, 1), 5),
    ((0, 1, 0), 10),
    ((0, 1, 1), 5),
    ((1, 0, 0), 5),
    ((1, 0, 1), 12),
    ((1, 1, 0), 3),
    ((1, 1, 1), 20),
)


def _delta(name: str, baseline: Fraction, new: Fraction, error: float, bounds, p: float, method: str):
    return MetricDelta(
        metric=METRICS[name],
        baseline_value=float(baseline),
        new_value=float(new),
        gain=float(new - baseline),
        standard_error=error,
        interval=Interval(*bounds, 0.95),
        p_value=p,
        method=method,
        exact=(baseline, new),
    )


def example_comparison() -> Comparison:
    by_influence = "influence-function"
    return Comparison(
        task=Task.CLASSIFICATION,
        n_rows=100,
        averaging="binary",
        deltas=(
            _delta("accuracy", F(68, 100), F(82, 100), 0.052952809179494915,
                   (0.03621440112796803, 0.243785598872032), 0.010673840530216696, "mcnemar-mid-p"),
            _delta("precision", F(23, 38), F(32, 42), 0.07322298639991702,
                   (0.013127187825721531, 0.3001560201943286), 0.03241616700856667, by_influence),
            _delta("recall", F(23, 40), F(32, 40), 0.09005206827163939,
                   (0.048501189454244725, 0.4014988105457553), 0.012470096785045535, by_influence),
            _delta("f1", F(46, 78), F(64, 82), 0.069300691889424,
                   (0.05491735492748101, 0.3265710753414371), 0.005915762836092978, by_influence),
            _delta("auroc", F(53, 80), F(49, 60), 0.05576041019327688,
                   (0.0448782709246639, 0.26345506240866945), 0.005695681483730912, "delong"),
        ),
        weights={"accuracy": F(1, 2), "f1": F(1, 2)},
        delta_one=0.16537210756722953,
        standard_error=0.05994239064423096,
        interval=Interval(0.04788718075730619, 0.28285703437715287, 0.95),
        p_value=0.005800502544295753,
        exact=F(26443, 159900),  # (14/100 + (32/41 - 23/39)) / 2
        counts=JointCounts(("no", "yes"), 1, CELLS),
        primary=PrimaryRecord("accuracy", 6800, 8200, 1400),
        warnings=("An example, worked out by hand",),
    )  # fmt: skip


def example_contribution(contributor: str, wallet: str | None, accepted: int, sha256: str) -> Contribution:
    address = None if wallet is None else WalletAddress.parse(wallet)
    return Contribution(
        contributor=Contributor(contributor, address),
        file_name=f"{contributor}.csv",
        sha256=sha256,
        size_bytes=4096,
        rows_read=accepted + 10,
        rows_accepted=accepted,
        rows_duplicate=4,
        rows_in_base=3,
        rows_in_benchmark=2,
        rows_without_label=1,
    )


@pytest.fixture
def comparison() -> Comparison:
    return example_comparison()


@pytest.fixture
def claim() -> DeltaOneClaim:
    return DeltaOneClaim(
        baseline_model_sha256="b0" * 32,
        new_model_sha256="0e" * 32,
        benchmark_sha256="be" * 32,
        base_data_sha256="ba" * 32,
        contributions=(
            example_contribution("alice", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", 300, "a1" * 32),
            example_contribution("bob", "0x742d35Cc6634C0532925a3b844Bc9e7595f6234", 100, "b2" * 32),
            example_contribution("carol", None, 50, "c3" * 32),
        ),
        comparison=example_comparison(),
        target_column="label",
        feature_columns=("query", "clicks"),
        base_rows=1000,
        new_estimator=Estimator(
            "sklearn.linear_model.LogisticRegression",
            {
                "C": 1.0,
                "max_iter": 200,
                "class_weight": {"yes": 0.5, "no": 2},
                "solver": "lbfgs",
                "l1_ratio": None,
            },
        ),
        baseline_estimator=Estimator("sklearn.dummy.DummyClassifier", {"strategy": "prior"}),
        libraries={"hokusai-ml-platform": "0.1.0", "scikit-learn": "1.7.2"},
    )


@pytest.fixture
def key() -> Ed25519PrivateKey:
    """A key for tests alone: anybody can make it."""
    return Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture
def policy(key: Ed25519PrivateKey) -> Policy:
    return Policy((key.public_key(),))


@pytest.fixture
def envelope(claim: DeltaOneClaim, key: Ed25519PrivateKey) -> Envelope:
    return sign(statement_bytes(claim), [key])


@pytest.fixture
def signed(key: Ed25519PrivateKey) -> Callable[[DeltaOneClaim], bytes]:
    """The attestation of a claim, by the test key."""
    return lambda claim: sign(statement_bytes(claim), [key]).to_bytes()


@pytest.fixture
def regression(claim: DeltaOneClaim) -> DeltaOneClaim:
    """RMSE 4 to 3 (gain 1/4) with standard error 0.5, R2 0.5 to 0.75; weights 3/4 and 1/4."""
    z = 1.959963984540054  # the normal quantile for 95 %

    def delta(name: str, old: float, new: float, gain: float, error: float, p: float) -> MetricDelta:
        change = new - old
        interval = Interval(change - z * error, change + z * error, 0.95)
        return MetricDelta(METRICS[name], old, new, gain, error, interval, p, "influence-function")

    return replace(
        claim,
        comparison=Comparison(
            task=Task.REGRESSION,
            n_rows=50,
            averaging="",
            # p-values of |z| = 2 and 2.5 from a table of the normal distribution, to 15 digits
            deltas=(
                delta("rmse", 4.0, 3.0, 0.25, 0.5, 0.0455002638963584),
                delta("r2", 0.5, 0.75, 0.25, 0.1, 0.0124193306515523),
            ),
            weights={"rmse": F(3, 4), "r2": F(1, 4)},
            delta_one=0.25,
            standard_error=0.125,
            interval=Interval(0.25 - z * 0.125, 0.25 + z * 0.125, 0.95),
            p_value=0.0455002638963584,
            exact=None,
            counts=None,
            primary=PrimaryRecord("rmse", None, None, 2500),
        ),
    )


def example_rows() -> list[tuple[str, str, str]]:
    """(label, baseline, new) of each benchmark row: the cells above, shuffled by the digest of their place."""
    rows = [tuple(("no", "yes")[i] for i in cell) for cell, count in CELLS for _ in range(count)]
    order = sorted(range(len(rows)), key=lambda i: hashlib.sha256(str(i).encode()).digest())
    return [rows[i] for i in order]  # type: ignore[misc]


@pytest.fixture
def predictions() -> RowPredictions:
    labels, baseline, new = (list(column) for column in zip(*example_rows(), strict=True))
    return RowPredictions(Task.CLASSIFICATION, labels, baseline, new)


@pytest.fixture
def benchmark() -> Benchmark:
    """The benchmark of the example, as its owner commits to it; 0.17 is what 100 rows find (4 % discordant)."""
    labels = [label for label, _, _ in example_rows()]
    return Benchmark(
        name="example",
        data_sha256="be" * 32,
        task=Task.CLASSIFICATION,
        target_column="label",
        n_rows=100,
        primary_metric="accuracy",
        minimum_detectable_delta=0.05,
        weights={"accuracy": F(1, 2), "f1": F(1, 2)},
        rule=AcceptanceRule(
            min_rows=50,
            guardrails=(Guardrail("recall", 0.01), Guardrail("latency_ms", 0.5, relative=True)),
        ),
        labels_root=label_root(labels, "be" * 32),
    )


@pytest.fixture
def full_claim(claim: DeltaOneClaim, benchmark: Benchmark, predictions: RowPredictions) -> DeltaOneClaim:
    """The example with everything that a claim can say.

    Recall rose by 0.225 with standard error 0.09005206827: its one-sided 95 % bound is 0.225 - 1.6448536 x 0.0900521 =
    0.0768775. Alice's 0.11 and Bob's 0.06 are paid, 11/17 and 6/17 of 10,000; Carol's value is the rest of the gain.
    """
    recall, latency = benchmark.rule.guardrails
    bound = 0.225 - 1.6448536269514722 * 0.09005206827163939
    outcomes = (
        GuardrailOutcome(recall, 0.225, bound, -0.01, breached=False, reason="recall is not worse"),
        GuardrailOutcome(latency, -1.0, -1.5, -2.0, breached=False, reason="latency may be worse by 1.5"),
    )
    gain = claim.comparison.delta_one
    alice, bob, carol = (contribution.contributor for contribution in claim.contributions)
    return replace(
        claim,
        decision=Decision(
            (Reason(Verdict.ACCEPTED, "accuracy gained 14 percentage points"),), benchmark.rule, outcomes
        ),
        attribution=Attribution(
            AttributionMethod.SHAPLEY,
            gain,
            (
                Credit(alice, 0.11, 0.02, Interval(0.07, 0.15, 0.95), 6471, 300),
                Credit(bob, 0.06, 0.025, Interval(0.01, 0.11, 0.95), 3529, 100),
                Credit(carol, gain - 0.17, 0.01, Interval(-0.03, 0.02, 0.95), 0, 50, "it may be noise"),
            ),
            seeds=3,
            evaluations=7,
            note="An example",
        ),
        commitments=commit(
            predictions.labels,
            predictions.baseline,
            predictions.new,
            benchmark_sha256="be" * 32,
            baseline_model_sha256="b0" * 32,
            new_model_sha256="0e" * 32,
        ),
        benchmark_record_sha256=benchmark.sha256,
        benchmark_statement_sha256=sha256_hex(benchmark_statement_bytes(benchmark)),
    )


@pytest.fixture
def base_claim(full_claim: DeltaOneClaim) -> DeltaOneClaim:
    """The same, where training without any contribution gains 0.02; each model was trained once.

    Carol's value is what is left: 0.1653721 - 0.02 - 0.17 = -0.0246279, and its interval covers zero.
    """
    told = full_claim.attribution
    assert told is not None
    gain = told.gain - 0.02
    carol = replace(
        told.credits[2],
        value=gain - 0.17,
        standard_error=0.015,
        interval=Interval(-0.0546, 0.0054, 0.95),
        unpaid="what the data is worth cannot be told from zero",
    )
    credits_ = (*told.credits[:2], carol)
    return replace(full_claim, attribution=replace(told, gain=gain, without=0.02, seeds=1, credits=credits_))


@pytest.fixture
def owner_key() -> Ed25519PrivateKey:
    """The key of the benchmark's owner; for tests alone."""
    return Ed25519PrivateKey.from_private_bytes(bytes(range(100, 132)))


@pytest.fixture
def commitment(benchmark: Benchmark, owner_key: Ed25519PrivateKey) -> bytes:
    """The owner's signed commitment, as it stands in a file."""
    return sign(benchmark_statement_bytes(benchmark), [owner_key]).to_bytes()
