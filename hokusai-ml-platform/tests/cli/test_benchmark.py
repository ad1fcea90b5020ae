"""`hokusai benchmark` and the attestations of the ledger, as somebody types them."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hokusai.adapters.sql.ledger import SqlLedger
from hokusai.attestation.envelope import sign
from hokusai.attestation.keys import public_pem
from hokusai.attestation.statement import statement_bytes
from hokusai.core.benchmarks import Benchmarks
from hokusai.domain.benchmark import Benchmark, UsePurpose
from hokusai.domain.claim import DeltaOneClaim, Estimator
from hokusai.domain.contribution import Contribution, Contributor
from hokusai.domain.decision import AcceptanceRule
from hokusai.pipeline.benchmark_record import benchmark_of_files
from hokusai.stats.allocation import Gain, attribute
from hokusai.stats.decide import decide
from hokusai.stats.paired import compare_classifiers

Hokusai = Callable[..., Any]
RELEASED = Path(__file__).parents[1] / "attestation" / "data" / "delta-one-v1.json"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """1,200 rows, of which two have no label."""
    path = tmp_path / "churn.csv"
    rows = [f"{i},{'' if i in (5, 7) else 'yes' if i % 3 else 'no'}" for i in range(1200)]
    path.write_text("x,label\n" + "\n".join(rows) + "\n")
    return path


class TestAdd:
    def test_makes_the_record_that_the_pipeline_would_know(self, hokusai: Hokusai, data: Path) -> None:
        answer = hokusai(
            *(
                "benchmark",
                "add",
                str(data),
                "--target",
                "label",
                "--metric",
                "f1_score",
                "--min-rows",
                "500",
            ),
            *("--threshold", "0.5", "--weight", "f1=2", "--weight", "accuracy=1", "--labels-secret"),
            *(
                "--guardrail",
                "recall=0.01",
                "--guardrail",
                "recall[region=EU]=0.02",
                "--guardrail",
                "latency_ms=10%",
            ),
            *("--guardrail", "+score=0.1", "--json"),
        )
        assert answer.code == 0, answer.err
        told = answer.json
        identity = told.pop("sha256")
        made = Benchmark.from_dict(told)
        assert made.sha256 == identity
        assert made.data_sha256 == hashlib.sha256(data.read_bytes()).hexdigest()
        assert (made.name, made.n_rows, made.primary_metric, made.labels_secret) == (
            "churn",
            1198,
            "f1",
            True,
        )
        assert {name: str(weight) for name, weight in made.weights.items()} == {
            "accuracy": "1/3",
            "f1": "2/3",
        }
        assert (str(made.rule.threshold), made.rule.min_rows) == ("1/200", 500)
        assert [(g.name, g.margin, g.relative, g.direction) for g in made.rule.guardrails] == [
            ("recall", 0.01, False, 1),
            ("recall[region=EU]", 0.02, False, 1),
            ("latency_ms", 0.1, True, -1),
            ("score", 0.1, False, 1),
        ]
        # 2.48647 * sqrt(.04 / 1198)
        assert made.minimum_detectable_delta == pytest.approx(0.0143676, abs=1e-6)
        assert hokusai("benchmark", "show", identity[:8], "--json").json["sha256"] == identity

    def test_says_what_its_size_can_find(self, hokusai: Hokusai, data: Path) -> None:
        answer = hokusai("benchmark", "add", str(data), "--target", "label", "--min-rows", "2000")
        assert [line.strip() for line in answer.out.splitlines()[1:]] == [
            "A true gain of 1.44 percentage points is found 4 times out of 5, if the models answer 4 % of the rows "
            "differently.",
            "A true gain of 1, the threshold, takes 2,474 rows to be found as often; there are 1,198.",
            "With fewer than 2,000 rows, nothing on it counts.",
        ]

    @pytest.mark.parametrize(
        ("arguments", "code", "said"),
        [
            (["--target", "lable"], 1, "Did you mean 'label'"),
            (["--target", "label", "--metric", "rmse"], 1, "'rmse' is a regression metric"),
            (["--target", "label", "--guardrail", "recall"], 2, "not of the form METRIC=MARGIN"),
            (["--target", "label", "--guardrail", "recall=1/0"], 2, "not of the form METRIC=MARGIN"),
            (["--target", "label", "--guardrail", "score=0.1"], 2, "+METRIC="),
            (["--target", "label", "--guardrail", "recall=-0.1"], 2, "0 or more"),
            (["--target", "label", "--threshold", "much"], 2, "'much' is no number"),
            (["--target", "label", "--alpha", "0.7"], 1, "0 < alpha < 0.5"),
        ],
    )
    def test_of_what_cannot_be_one_says_why(
        self, hokusai: Hokusai, data: Path, arguments: list[str], code: int, said: str
    ) -> None:
        answer = hokusai("benchmark", "add", str(data), *arguments)
        assert answer.code == code
        assert said in answer.err


class TestShow:
    def test_lists_the_newest_first_with_their_uses(
        self, hokusai: Hokusai, data: Path, tmp_path: Path
    ) -> None:
        assert hokusai("benchmark", "list").out == "There are no benchmarks yet.\n"
        hokusai("benchmark", "add", str(data), "--target", "label")
        hokusai("benchmark", "add", str(data), "--target", "x", "--name", "sizes", "--split", "vault")
        benchmarks = Benchmarks(SqlLedger(f"sqlite:///{tmp_path / 'home' / 'hokusai.db'}"), "gate")
        for subject in ("m1", "m2"):
            benchmarks.use("churn", UsePurpose.SUBMISSION, subject, "Ann")
        names = [line.split()[0] for line in hokusai("benchmark", "list").out.splitlines()]
        assert names == ["Name", "sizes", "churn"]
        assert [one["uses"]["submission"] for one in hokusai("benchmark", "list", "--json").json] == [0, 2]
        shown = hokusai("benchmark", "show", "churn").out
        assert "submission 2" in shown
        assert "label (classification)" in shown
        assert "percent of the baseline's rmse" in hokusai("benchmark", "show", "sizes").out

    def test_says_who_used_it_when(self, hokusai: Hokusai, data: Path, tmp_path: Path) -> None:
        hokusai("benchmark", "add", str(data), "--target", "label")
        assert hokusai("benchmark", "uses", "churn").out == "It was never used.\n"
        benchmarks = Benchmarks(SqlLedger(f"sqlite:///{tmp_path / 'home' / 'hokusai.db'}"), "gate")
        benchmarks.use("churn", UsePurpose.SUBMISSION, "model-1", "Ann")
        benchmarks.use("churn", UsePurpose.EVALUATION, "model-1", "Bob")
        (use,) = hokusai("benchmark", "uses", "churn", "--submitter", "ANN", "--json").json
        assert (use["number"], use["purpose"], use["subject"], use["submitter"]) == (
            1,
            "submission",
            "model-1",
            "Ann",
        )
        assert use["at"].endswith("UTC")
        lines = hokusai("benchmark", "uses", "churn", "--purpose", "evaluation").out.splitlines()
        assert len(lines) == 2 and "Bob" in lines[1]

    def test_of_what_is_not_there(self, hokusai: Hokusai) -> None:
        for command in ("show", "uses"):
            answer = hokusai("benchmark", command, "churn")
            assert (answer.code, answer.out) == (1, "")
            assert "hokusai benchmark add" in answer.err


class TestSeveralFiles:
    def test_are_one_benchmark_with_one_digest(self, data: Path, tmp_path: Path) -> None:
        second = tmp_path / "second.csv"
        shutil.copy(data, second)
        made = benchmark_of_files([data, second], name="both", target_column="label")
        digest = hashlib.sha256(data.read_bytes()).digest()
        assert made.data_sha256 == hashlib.sha256(digest * 2).hexdigest()
        assert made.n_rows == 2 * 1198


class TestAttestationsInTheLedger:
    def test_are_stored_found_and_fetched(self, hokusai: Hokusai, tmp_path: Path) -> None:
        assert hokusai("attest", "find").out == "There is no such attestation.\n"
        answer = hokusai("attest", "store", str(RELEASED), "--model-id", "churn/1.1.0", "--json")
        facts = answer.json
        assert facts["model_id"] == "churn/1.1.0"
        for asked in (
            ["--model", facts["new_model_sha256"]],
            ["--model", facts["baseline_model_sha256"]],
            ["--contributor", facts["contributors"][0]["id"].upper()],
            ["--benchmark", facts["benchmark_sha256"], "--limit", "1"],
            ["--subject", facts["subjects"][-1]["sha256"]],
        ):
            assert hokusai("attest", "find", *asked, "--json").json == [facts]
        assert facts["statement_sha256"] in hokusai("attest", "find").out
        out = tmp_path / "fetched.json"
        assert hokusai("attest", "fetch", facts["statement_sha256"], "-o", str(out)).code == 0
        assert out.read_bytes() == RELEASED.read_bytes().rstrip()

    def test_are_found_by_a_file_and_by_a_benchmarks_name(
        self, hokusai: Hokusai, data: Path, tmp_path: Path
    ) -> None:
        hokusai("benchmark", "add", str(data), "--target", "label")
        hokusai("attest", "store", str(RELEASED))
        assert hokusai("attest", "find", "--benchmark", "churn", "--json").json == []
        assert hokusai("attest", "find", "--model", str(data), "--json").json == []
        answer = hokusai("attest", "find", "--model", "neither")
        assert (answer.code, "neither a SHA-256 digest nor a file" in answer.err) == (1, True)

    def test_that_are_not_there_are_said_to_be(self, hokusai: Hokusai) -> None:
        answer = hokusai("attest", "fetch", "0" * 64)
        assert (answer.code, "no attestation" in answer.err) == (1, True)


class TestSettle:
    @pytest.fixture
    def files(self, tmp_path: Path) -> dict[str, Path]:
        """A key, and the attestations of an epoch of one improvement: one on the vault, one on a public benchmark."""
        key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
        claims = {"epoch": improved(hashlib.sha256(self.VAULT).hexdigest()), "step": improved("ab" * 32)}
        paths = {"key": tmp_path / "key.pem", "vault": tmp_path / "vault.csv"}
        paths["key"].write_bytes(public_pem(key.public_key()))
        paths["vault"].write_bytes(self.VAULT)
        for name, claim in claims.items():
            paths[name] = tmp_path / f"{name}.json"
            paths[name].write_bytes(sign(statement_bytes(claim), [key]).to_bytes())
        return paths

    VAULT = b"x,label\n" + b"".join(b"%d,%s\n" % (i, b"yes" if i % 2 else b"no") for i in range(1000))

    def test_pays_who_was_accepted_and_spends_the_vault(
        self, hokusai: Hokusai, files: dict[str, Path]
    ) -> None:
        hokusai(
            "benchmark",
            "add",
            str(files["vault"]),
            "--target",
            "label",
            "--split",
            "vault",
            "--weight",
            "accuracy=1",
        )
        settle = (
            "benchmark",
            "settle",
            "vault",
            "--epoch",
            str(files["epoch"]),
            "--accepted",
            str(files["step"]),
        )
        trusted = (*settle, "--key", str(files["key"]))
        paid = hokusai(*trusted, "--json").json
        assert float(paid["pool"]) == pytest.approx(0.05 - 1.644854 * (0.05 * 0.95 / 1000) ** 0.5, abs=1e-6)
        assert paid["weights_bps"] == [{"contributor": "ann", "wallet": None, "bps": 10_000}]
        shown = hokusai(*trusted)
        assert (shown.code, "3.8664 DeltaOnes" in shown.out, "10,000" in shown.out) == (0, True, True)
        assert [one["uses"]["payment"] for one in hokusai("benchmark", "list", "--json").json] == [1]
        assert (
            hokusai("audit", "log", "--kind", "epoch.settled", "--json").json[0]["details"]["pool"]
            == paid["pool"]
        )

    def test_believes_nobody_whose_key_is_not_trusted(self, hokusai: Hokusai, files: dict[str, Path]) -> None:
        hokusai(
            "benchmark",
            "add",
            str(files["vault"]),
            "--target",
            "label",
            "--split",
            "vault",
            "--weight",
            "accuracy=1",
        )
        other = files["key"].with_name("other.pem")
        other.write_bytes(public_pem(Ed25519PrivateKey.generate().public_key()))
        answer = hokusai("benchmark", "settle", "vault", "--epoch", str(files["epoch"]), "--key", str(other))
        assert (answer.code, "The attestation is refused" in answer.err) == (1, True)
        assert hokusai("benchmark", "uses", "vault", "--json").json == []


def improved(benchmark_sha256: str) -> DeltaOneClaim:
    """A new model that is right in 50 more rows of 1,000, by the data of one contributor."""
    labels = [i % 2 for i in range(1000)]
    baseline = [1 - label if i < 50 else label for i, label in enumerate(labels)]
    comparison = compare_classifiers(labels, baseline, labels, classes=("no", "yes"), weights={"accuracy": 1})
    gains = {(0,): Gain((0.049, 0.05, 0.051))}
    return DeltaOneClaim(
        baseline_model_sha256="b0" * 32,
        new_model_sha256="0e" * 32,
        benchmark_sha256=benchmark_sha256,
        contributions=(Contribution(Contributor("ann"), "a.csv", "ef" * 32, 100, 10, 10, 0, 0, 0, 0),),
        comparison=comparison,
        target_column="label",
        feature_columns=("x",),
        base_rows=100,
        new_estimator=Estimator("sklearn.linear_model.LogisticRegression"),
        decision=decide(comparison, AcceptanceRule()),
        attribution=attribute([Contributor("ann")], gains, rows=[10]),
    )
