"""What an attestation over many rows costs: committing to them, then signing, verifying and opening.

Committing is linear in the rows and done once. Signing and verifying are not: the statement has the same size however
many rows there are, and that is what has to stay quick.

    python benchmarks/delta_attest.py [rows]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hokusai.attestation.commitments import commit
from hokusai.attestation.envelope import sign
from hokusai.attestation.materials import Materials
from hokusai.attestation.openings import check_openings, open_rows
from hokusai.attestation.policy import Policy
from hokusai.attestation.predictions import RowPredictions
from hokusai.attestation.statement import statement_bytes
from hokusai.attestation.verify import verify_attestation
from hokusai.domain.attribution import Attribution, AttributionMethod, Credit
from hokusai.domain.canonical import sha256_hex
from hokusai.domain.claim import DeltaOneClaim, Estimator
from hokusai.domain.contribution import Contribution, Contributor
from hokusai.domain.decision import AcceptanceRule
from hokusai.domain.delta import Interval
from hokusai.domain.metrics import Task
from hokusai.stats.decide import decide
from hokusai.stats.paired import compare_classifiers

MOST_MS = 50.0
"""The figure: to sign and verify, once the digests are there."""

DIGESTS = {"benchmark_sha256": "be" * 32, "baseline_model_sha256": "b0" * 32, "new_model_sha256": "0e" * 32}


def main(n_rows: int = 1_000_000) -> None:
    """Run all of it and print it."""
    measure(n_rows)


def measure(n_rows: int = 1_000_000, repetitions: int = 20) -> dict[str, float]:
    """CPU time of each part, in ms; the medians of `repetitions` where a part is quick."""
    draw = np.random.default_rng(7)
    labels = draw.integers(0, 2, n_rows)
    baseline, new = (np.where(draw.random(n_rows) < wrong, 1 - labels, labels) for wrong in (0.15, 0.13))
    names = ("no", "yes")
    said = [[names[i] for i in column.tolist()] for column in (labels, baseline, new)]
    predictions = RowPredictions(Task.CLASSIFICATION, *said)

    commitments, committing = _timed(lambda: commit(*said, **DIGESTS))
    comparison = compare_classifiers(labels, baseline, new, classes=names)
    people = [Contributor(f"contributor-{i}") for i in range(10)]
    part = comparison.delta_one / len(people)
    claim = DeltaOneClaim(
        **DIGESTS,
        contributions=tuple(
            Contribution(one, "rows.csv", f"{i:064x}", 1000, 100, 100, 0, 0, 0, 0)
            for i, one in enumerate(people)
        ),
        comparison=comparison,
        target_column="label",
        feature_columns=tuple(f"feature_{i}" for i in range(50)),
        base_rows=n_rows,
        new_estimator=Estimator("sklearn.linear_model.LogisticRegression", {"C": 1.0}),
        decision=decide(comparison, AcceptanceRule(threshold=Fraction(0))),
        attribution=Attribution(
            AttributionMethod.PROPORTIONAL,
            comparison.delta_one,
            tuple(
                Credit(one, part, 0.0001, Interval(0.9 * part, 1.1 * part, 0.95), 1000, 100) for one in people
            ),
            evaluations=1,
        ),
        commitments=commitments,
    )
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    policy = Policy((key.public_key(),))
    envelope = sign(statement_bytes(claim), [key]).to_bytes()
    report = verify_attestation(envelope, policy)
    assert report.ok, report.failed

    times = {
        "commit to three columns": committing,
        "write and sign": _median(lambda: sign(statement_bytes(claim), [key]).to_bytes(), repetitions),
        "verify": _median(lambda: verify_attestation(envelope, policy), repetitions),
    }
    sha256 = sha256_hex(statement_bytes(claim))
    rows = draw.choice(n_rows, min(59, n_rows), replace=False).tolist()
    opened, times["open 59 rows"] = _timed(lambda: open_rows(claim, sha256, predictions, rows))
    times["check 59 rows"] = _median(lambda: check_openings(opened, claim, sha256), repetitions)
    _, times["verify from all rows"] = _timed(
        lambda: verify_attestation(envelope, policy, Materials(predictions=predictions))
    )
    both = times["write and sign"] + times["verify"]
    print(f"attestation over {n_rows:,} rows: {len(envelope):,} bytes; CPU time")
    for name, ms in times.items():
        print(f"  {name:26} {ms:10.2f} ms")
    print(
        f"  {'sign + verify':26} {both:10.2f} ms, at most {MOST_MS:g}: {'holds' if both <= MOST_MS else 'MISSED'}"
    )
    return {**times, "sign + verify": both}


def _timed(run: Callable[[], Any]) -> tuple[Any, float]:
    began = time.process_time()
    made = run()
    return made, (time.process_time() - began) * 1000


def _median(run: Callable[[], Any], repetitions: int) -> float:
    return sorted(_timed(run)[1] for _ in range(repetitions))[repetitions // 2]


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
