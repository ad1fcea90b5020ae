"""From a run to its attestation: the same inputs, the same bytes; nothing of when, where or by whom it was run."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hokusai.attestation.materials import Materials
from hokusai.attestation.policy import Policy
from hokusai.attestation.predictions import read_predictions
from hokusai.attestation.recompute import compare_rows
from hokusai.attestation.verify import verify_attestation
from hokusai.domain.canonical import sha256_hex
from hokusai.domain.metrics import Task
from hokusai.domain.model import ModelArtifact
from hokusai.errors import HokusaiError
from hokusai.pipeline import attestation, evaluation, reference

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


class Run(NamedTuple):
    made: attestation.Attestation
    facts: reference.Facts
    old: ModelArtifact
    new: ModelArtifact
    measured: evaluation.Evaluation


@pytest.fixture
def attested(csv, labelled, plan_of, ran):
    """One run, up to its attestation."""

    def make(**more: Any) -> Run:
        given = {
            "contributed_data": f"{csv('c1.csv', labelled(20, 2))},{csv('c2.csv', labelled(10, 5))}",
            "base_data": csv("base.csv", labelled(60, 1)),
            "contributor": "ann,bob",
        }
        plan = plan_of(**{**given, **more})
        run = ran(plan)
        made = attestation.attest(
            plan, run.facts, run.contributed, run.old, run.new, run.comparison, run.evaluation,
            run.credited, run.decision, KEY,
        )  # fmt: skip
        return Run(made, run.facts, run.old, run.new, run.evaluation)

    return make


def statement_of(made: attestation.Attestation) -> dict[str, Any]:
    return json.loads(base64.b64decode(json.loads(made.envelope)["payload"]))


@pytest.mark.parametrize("dry_run", [False, True])
def test_two_runs_on_the_same_inputs_give_the_same_bytes(attested, tmp_path: Path, dry_run: bool) -> None:
    first = attested(dry_run=dry_run)[0]
    second = attested(dry_run=dry_run, output_dir=str(tmp_path / "elsewhere"))[0]
    assert first == second
    assert attested(dry_run=dry_run, seed="7")[0].statement_sha256 != first.statement_sha256


def test_the_subjects_are_the_bytes_of_the_run(attested, tmp_path: Path) -> None:
    made, facts, old, new, _ = attested()
    digests = {s["name"]: s["digest"]["sha256"] for s in statement_of(made)["subject"]}
    contributed = {f"contributed-data/{i}": sha256_hex((tmp_path / f"c{i}.csv").read_bytes()) for i in (1, 2)}
    assert digests == {
        "baseline-model": sha256_hex(old.content),
        "new-model": sha256_hex(new.content),
        "benchmark": facts.benchmark_sha256,
        "base-data": sha256_hex((tmp_path / "base.csv").read_bytes()),
        **contributed,
    }


def test_nothing_volatile_stands_in_the_payload(attested, tmp_path: Path) -> None:
    import datetime as dt
    import getpass
    import socket

    text = json.dumps(statement_of(attested()[0]))
    today = dt.datetime.now(dt.UTC).date().isoformat()
    for volatile in (
        str(tmp_path),
        today,
        socket.gethostname(),
        "run_id",
        "timestamp",
        f'"{getpass.getuser()}"',
    ):
        assert volatile not in text


def test_it_verifies_and_another_key_does_not(attested) -> None:
    made = attested()[0]
    assert verify_attestation(made.envelope, Policy((KEY.public_key(),))).ok
    other = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()
    assert not verify_attestation(made.envelope, Policy((other,))).ok
    assert sha256_hex(base64.b64decode(json.loads(made.envelope)["payload"])) == made.statement_sha256
    assert json.loads(made.envelope)["signatures"][0]["keyid"] == made.keyid
    assert made.envelope.endswith(b"\n")


def test_a_dry_run_says_so(attested) -> None:
    predicate = json.dumps(statement_of(attested(dry_run=True)[0])["predicate"])
    assert '"dryRun": true' in predicate
    assert "scikit-learn" not in predicate


def test_the_libraries_that_decide_are_named(attested) -> None:
    predicate = json.dumps(statement_of(attested()[0])["predicate"])
    for name in ("hokusai-ml-platform", "numpy", "polars", "scikit-learn"):
        assert f'"{name}"' in predicate


def test_the_decision_the_credit_and_the_commitments_are_part_of_it(attested) -> None:
    predicate = statement_of(attested()[0])["predicate"]
    assert predicate["decision"]["accepted"] is False  # 12 rows are held out of 60, and 800 are needed
    assert predicate["decision"]["reasons"][0]["verdict"] == "too_few_rows"
    credit = predicate["attribution"]
    assert [one["contributor"] for one in credit["credits"]] == ["ann", "bob"]
    assert "commitments" in predicate


def test_how_many_tasks_retrain_changes_no_byte(attested) -> None:
    first, second = (attested(retraining_tasks=str(n))[0] for n in (1, 3))
    assert first == second


class TestPredictions:
    def test_bear_the_attestation_out(self, attested, tmp_path: Path) -> None:
        run = attested()
        file = tmp_path / "predictions.parquet"
        file.write_bytes(attestation.predictions_file(run.measured))
        columns = pl.read_parquet(file)
        assert columns.columns == ["row", "label", "baseline", "new", "baseline_score", "new_score"]
        assert columns["row"].to_list() == list(range(run.facts.benchmark_rows))
        assert set(columns["label"].to_list()) == {"yes", "no"}
        given = Materials(predictions=read_predictions(file, Task.CLASSIFICATION))
        assert verify_attestation(run.made.envelope, Policy((KEY.public_key(),)), given).ok

    def test_of_another_run_do_not(self, attested, tmp_path: Path) -> None:
        run, other = attested(), attested(seed="7")
        file = tmp_path / "predictions.parquet"
        file.write_bytes(attestation.predictions_file(other.measured))
        given = Materials(predictions=read_predictions(file, Task.CLASSIFICATION))
        assert not verify_attestation(run.made.envelope, Policy((KEY.public_key(),)), given).ok

    def test_of_many_classes_have_a_score_for_each(self, tmp_path: Path) -> None:
        draw = np.random.default_rng(3)
        truth = draw.integers(0, 3, 90)
        scores = [np.eye(3)[truth] + draw.normal(0, spread, (90, 3)) for spread in (1.0, 0.7)]
        said = [table.argmax(axis=1) for table in scores]
        measured = evaluation.Evaluation(Task.CLASSIFICATION, ("1", "2", "10"), truth, *said, *scores)
        file = tmp_path / "predictions.parquet"
        file.write_bytes(attestation.predictions_file(measured))
        assert pl.read_parquet(file).columns[4:] == [
            f"{model}_score[{name}]" for model in ("baseline", "new") for name in ("1", "2", "10")
        ]
        again = compare_rows(read_predictions(file, Task.CLASSIFICATION))
        assert again == evaluation.compare(measured)
        assert {delta.metric.name for delta in again.deltas} >= {"auroc"}

    @pytest.mark.parametrize(
        ("scores", "said"),
        [
            (
                {"new_score[1]": 0.5, "new_score[2]": 0.5},
                "of the classes '1', '2'; the rows are of '1', '2', '3'",
            ),
            ({"new_score": 0.5}, "one score for each row, and there are 3 classes"),
            ({"new_score": 0.5, "new_score[1]": 0.5}, "in 'new_score' and by class in 'new_score"),
            ({"score[1]": 0.5}, "unknown: score"),
        ],
    )
    def test_scores_that_fit_no_classes_are_refused(self, tmp_path: Path, scores: dict, said: str) -> None:
        file = tmp_path / "predictions.csv"
        rows = {name: ["1", "2", "3"] for name in ("label", "baseline", "new")}
        pl.DataFrame({**rows, **{name: [value] * 3 for name, value in scores.items()}}).write_csv(file)
        with pytest.raises(HokusaiError, match=re.escape(said)):
            compare_rows(read_predictions(file, Task.CLASSIFICATION))
