"""From predictions and files to a signed attestation, its openings and its verification, as somebody types it."""

from __future__ import annotations

import json
import random
import sys
from fractions import Fraction
from pathlib import Path

import polars as pl
import pytest

from hokusai.attestation.envelope import Envelope
from hokusai.attestation.keys import load_signing_key, private_pem, public_pem
from hokusai.attestation.predictions import read_predictions
from hokusai.attestation.reader import read_statement
from hokusai.domain.benchmark import Benchmark
from hokusai.domain.canonical import parse_json, sha256_hex
from hokusai.domain.claim import DeltaOneClaim
from hokusai.domain.decision import AcceptanceRule, Guardrail, Verdict
from hokusai.domain.metrics import Task

WALLET = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A benchmark of 200 rows, two contributed files, and what two models said; the new one is better."""
    folder = tmp_path_factory.mktemp("files")
    drawn = random.Random(5)

    def rows(n: int, far: int) -> pl.DataFrame:
        labels = [drawn.choice(["no", "yes"]) for _ in range(n)]
        return pl.DataFrame({"x": [far + i / 7 for i in range(n)], "label": labels})

    benchmark = rows(200, 0)
    benchmark.write_csv(folder / "benchmark.csv")
    pl.concat([rows(40, 1000), benchmark[:3]]).write_csv(folder / "alice.csv")
    rows(20, 2000).write_csv(folder / "bob.csv")
    labels = benchmark["label"].to_list()
    wrong = {"no": "yes", "yes": "no"}
    said = {
        "label": labels,
        "baseline": [wrong[one] if i % 4 == 0 else one for i, one in enumerate(labels)],
        "new": [wrong[one] if i % 20 == 0 else one for i, one in enumerate(labels)],
    }
    pl.DataFrame(said).write_parquet(folder / "predictions.parquet")
    pl.DataFrame(said).write_csv(folder / "predictions.csv")
    (folder / "old.model").write_bytes(b"the old model")
    (folder / "new.model").write_bytes(b"the new model")
    return folder


@pytest.fixture
def arguments(files: Path) -> list[str]:
    """What `create` needs, all but where to write it."""
    return [
        "attest", "create",
        "--predictions", str(files / "predictions.parquet"),
        "--baseline-model", str(files / "old.model"), "--new-model", str(files / "new.model"),
        "--benchmark-data", str(files / "benchmark.csv"),
        "--contributed-data", str(files / "alice.csv"), "--contributed-data", str(files / "bob.csv"),
        "--contributor", "alice,bob", "--wallet", f"{WALLET},bobs-wallet",
    ]  # fmt: skip


def claim_in(path: Path) -> DeltaOneClaim:
    return read_statement(parse_json(Envelope.parse(path.read_bytes()).payload))


class TestCreate:
    def test_everything_comes_from_the_files(self, hokusai, arguments, files: Path, tmp_path: Path) -> None:
        assert hokusai(*arguments, "-o", "a.json").code == 0
        claim = claim_in(tmp_path / "a.json")
        # 50 of 200 rows wrong before, 10 after
        assert claim.comparison.delta("accuracy").exact == (pytest.approx(0.75), pytest.approx(0.95))
        assert claim.new_model_sha256 == sha256_hex(b"the new model")
        assert claim.benchmark_sha256 == sha256_hex((files / "benchmark.csv").read_bytes())
        alice, bob = claim.contributions
        assert (alice.rows_read, alice.rows_accepted, alice.rows_in_benchmark) == (43, 40, 3)
        assert (bob.rows_accepted, bob.contributor.payable, alice.contributor.payable) == (20, False, True)
        assert claim.commitments is not None
        assert claim.feature_columns == ("x",)

    def test_is_the_same_each_time(self, hokusai, arguments, tmp_path: Path) -> None:
        for name in ("a.json", "b.json"):
            assert hokusai(*arguments, "-o", name).code == 0
        assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()

    def test_is_verified_with_all_that_is_at_hand(self, hokusai, arguments, files: Path) -> None:
        hokusai(*arguments, "-o", "a.json")
        at_hand = [f"--files={files / name}" for name in ("old.model", "new.model", "alice.csv", "bob.csv")]
        answer = hokusai(
            "attest", "verify", "a.json", "--json", "--predictions", str(files / "predictions.csv"),
            f"--files={files / 'benchmark.csv'}", *at_hand,
        )  # fmt: skip
        assert answer.code == 0
        statuses = {check["name"]: check["status"] for check in answer.json["checks"]}
        assert statuses["predictions"] == statuses["files"] == "passed"
        assert not any(
            "standard errors" in note or "files behind" in note for note in answer.json["notChecked"]
        )

    def test_units_are_the_benchmarks_own(self, hokusai, arguments, files: Path, tmp_path: Path) -> None:
        benchmark = pl.read_csv(files / "benchmark.csv").with_columns(user=pl.int_range(pl.len()) // 4)
        benchmark.write_csv(tmp_path / "users.csv")
        given = [str(tmp_path / "users.csv") if "benchmark.csv" in one else one for one in arguments]
        assert (
            hokusai(
                *given, "--unit-column", "user", "--threshold", "0", "--min-rows", "100", "-o", "a.json"
            ).code
            == 0
        )
        assert claim_in(tmp_path / "a.json").comparison.n_units == 50
        said = pl.read_parquet(files / "predictions.parquet")
        said.with_columns(unit=pl.int_range(pl.len()) // 4).write_csv(tmp_path / "by_user.csv")
        said.with_columns(unit=pl.int_range(pl.len()) // 8).write_csv(tmp_path / "by_two.csv")
        verify = ("attest", "verify", "a.json", "--predictions")
        assert hokusai(*verify, "by_user.csv").code == 0
        assert "do not say which row" in hokusai(*verify, str(files / "predictions.csv")).out
        given[given.index("--predictions") + 1] = str(tmp_path / "by_two.csv")
        answer = hokusai(*given, "--unit-column", "user", "-o", "b.json")
        assert answer.code == 1
        assert "differ in which rows belong together" in answer.err

    def test_predictions_of_other_rows_are_refused(
        self, hokusai, arguments, files: Path, tmp_path: Path
    ) -> None:
        frame = pl.read_parquet(files / "predictions.parquet")
        frame.reverse().write_csv(tmp_path / "reversed.csv")
        frame[:-1].write_csv(tmp_path / "short.csv")
        for name, said in (("reversed.csv", "the predictions file says"), ("short.csv", "of 199 rows")):
            given = [str(tmp_path / name) if "predictions.parquet" in one else one for one in arguments]
            answer = hokusai(*given, "-o", "a.json")
            assert answer.code == 1
            assert said in answer.err

    def test_contributed_rows_of_one_class_need_no_second(
        self, hokusai, arguments, files: Path, tmp_path: Path
    ) -> None:
        pl.DataFrame({"x": [3000.5, 3001.5], "label": ["yes", "yes"]}).write_csv(tmp_path / "rare.csv")
        given = [
            str(tmp_path / "rare.csv") if one.endswith(("alice.csv", "bob.csv")) else one for one in arguments
        ]
        at = given.index("--contributor")
        answer = hokusai(*given[: at - 2], "--contributor", "alice", "-o", "a.json")
        assert answer.code == 0
        (rare,) = claim_in(tmp_path / "a.json").contributions
        assert rare.rows_accepted == 2
        assert "All labelled rows of the contribution are of the class 'yes'." in answer.err

    def test_warns_of_wallets_and_of_files_that_are_nobodys(self, hokusai, arguments) -> None:
        answer = hokusai(*arguments, "-o", "a.json")
        assert "bobs-wallet" in answer.err
        assert WALLET not in answer.err
        at = arguments.index("--contributor")
        answer = hokusai(*arguments[:at], "-o", "b.json")
        assert "alice.csv, bob.csv: no --contributor is named" in answer.err

    def test_one_model_says_one_thing(self, hokusai, arguments, files: Path, tmp_path: Path) -> None:
        one = [str(files / "old.model") if given.endswith("new.model") else given for given in arguments]
        answer = hokusai(*one, "-o", "a.json")
        assert answer.code == 1
        # Of 200 rows every 4th is wrong before and every 20th after, which are every 4th too: 50 - 10.
        assert "are the same file, and their predictions differ in 40 rows" in answer.err
        assert not (tmp_path / "a.json").exists()
        frame = pl.read_parquet(files / "predictions.parquet")
        frame.with_columns(new=pl.col("baseline")).write_parquet(tmp_path / "same.parquet")
        same = [str(tmp_path / "same.parquet") if x.endswith("predictions.parquet") else x for x in one]
        assert hokusai(*same, "-o", "a.json").code == 0
        assert claim_in(tmp_path / "a.json").comparison.delta_one == 0

    def test_says_what_is_missing(self, hokusai) -> None:
        answer = hokusai("attest", "create", "-o", "a.json")
        assert answer.code == 2
        assert "--predictions, --baseline-model, --new-model" in answer.err


class TestRule:
    def test_decides_by_what_is_typed(self, hokusai, arguments, tmp_path: Path) -> None:
        assert (
            hokusai(
                *arguments, "--weight", "accuracy=3", "--weight", "f1=1", "--metric", "f1", "--min-rows", "100",
                "--threshold", "2.5", "--guardrail", "recall=0.01", "-o", "a.json",
            ).code
            == 0
        )  # fmt: skip
        claim = claim_in(tmp_path / "a.json")
        assert claim.decision is not None
        assert claim.decision.verdict is Verdict.ACCEPTED
        assert claim.decision.rule == AcceptanceRule(100, Fraction(1, 40), 0.05, (Guardrail("recall", 0.01),))
        assert claim.comparison.weights == {"accuracy": Fraction(3, 4), "f1": Fraction(1, 4)}
        assert claim.comparison.primary.metric == "f1"
        assert hokusai("attest", "verify", "a.json").code == 0

    def test_of_which_one_option_is_enough(self, hokusai, arguments, tmp_path: Path) -> None:
        for option, verdict in (
            (("--alpha", "0.05"), Verdict.TOO_FEW_ROWS),  # of the usual 800
            (("--min-rows", "200"), Verdict.ACCEPTED),
            ((), None),
        ):
            hokusai(*arguments, *option, "-o", "a.json")
            decision = claim_in(tmp_path / "a.json").decision
            assert (decision and decision.verdict) == verdict

    def test_an_unmeasured_guardrail_is_a_breach(self, hokusai, arguments, tmp_path: Path) -> None:
        hokusai(*arguments, "--min-rows", "100", "--guardrail", "latency_ms=10%", "-o", "a.json")
        decision = claim_in(tmp_path / "a.json").decision
        assert decision is not None
        assert decision.verdict is Verdict.GUARDRAIL


class TestOpen:
    @pytest.fixture
    def made(self, hokusai, arguments, files: Path) -> list[str]:
        hokusai(*arguments, "-o", "a.json")
        return ["attest", "open", "a.json", "--predictions", str(files / "predictions.csv"), "-o", "o.json"]

    def test_rows_by_number(self, hokusai, made) -> None:
        answer = hokusai(*made, "--rows", "0,7,198-199")
        assert answer.code == 0
        assert "4 rows of 200 opened" in answer.out
        answer = hokusai("attest", "verify", "a.json", "--openings", "o.json")
        assert answer.code == 0
        assert "4 of 200 rows are what was committed to" in answer.out

    def test_rows_by_challenge_as_the_policy_asks_for(self, hokusai, made, tmp_path: Path) -> None:
        key = load_signing_key(None, tmp_path / "home")
        (tmp_path / "k.pem").write_bytes(public_pem(key.public))
        (tmp_path / "policy.yaml").write_text(
            "format: hokusai-policy-v1\ntrustedKeys: [{file: k.pem}]\n"
            "openings: {minimum: 20, challenge: dice}\n"
        )
        asking = ("attest", "verify", "a.json", "--policy", "policy.yaml", "--openings", "o.json")
        hokusai(*made, "--challenge", "dice", "--count", "20")
        assert hokusai(*asking).code == 0
        hokusai(*made, "--challenge", "other dice", "--count", "20")
        assert hokusai(*asking).code == 1

    def test_says_which_rows_or_is_told(self, hokusai, made) -> None:
        for more in ([], ["--rows", "1", "--challenge", "x"]):
            assert hokusai(*made, *more).code == 2
        assert hokusai(*made, "--rows", "200").code == 1

    def test_with_a_secret_only_who_has_it_can_open(
        self, hokusai, arguments, files: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "secret").write_bytes(b"sixteen bytes or more")
        hokusai(*arguments, "--secret-file", "secret", "-o", "s.json")
        given = ("attest", "open", "s.json", "--predictions", str(files / "predictions.csv"), "--rows", "1")
        assert hokusai(*given, "-o", "o.json").code == 1
        assert hokusai(*given, "--secret-file", "secret", "-o", "o.json").code == 0
        assert hokusai("attest", "verify", "s.json", "--openings", "o.json").code == 0


class TestBenchmark:
    @pytest.fixture
    def record(self, files: Path, tmp_path: Path) -> Benchmark:
        benchmark = Benchmark(
            name="example",
            data_sha256=sha256_hex((files / "benchmark.csv").read_bytes()),
            task=Task.CLASSIFICATION,
            target_column="label",
            n_rows=200,
            primary_metric="accuracy",
            minimum_detectable_delta=0.05,
            rule=AcceptanceRule(min_rows=100, guardrails=(Guardrail("recall", 0.02),)),
        )
        shown = {**benchmark.to_dict(), "sha256": benchmark.sha256, "uses": {}}
        (tmp_path / "record.json").write_text(json.dumps(shown))
        return benchmark

    def test_the_owner_commits_and_the_statement_follows(
        self, hokusai, arguments, files: Path, tmp_path: Path, record: Benchmark, monkeypatch
    ) -> None:
        monkeypatch.setenv("HOKUSAI_HOME", str(tmp_path / "owner"))
        answer = hokusai(
            "attest", "create", "--benchmark", "record.json", "--labels", str(files / "benchmark.csv"),
            "-o", "benchmark.json",
        )  # fmt: skip
        assert answer.code == 0, answer.err
        assert "Benchmark       example" in hokusai("attest", "show", "benchmark.json").out
        owner = tmp_path / "owner" / "keys" / "attestation-ed25519.pub.pem"
        answer = hokusai("attest", "verify", "benchmark.json", f"--files={files / 'benchmark.csv'}")
        assert answer.code == 0
        assert "VERIFIED" in answer.out
        monkeypatch.setenv("HOKUSAI_HOME", str(tmp_path / "home"))
        assert hokusai(*arguments, "--benchmark-statement", "benchmark.json", "-o", "a.json").code == 0
        claim = claim_in(tmp_path / "a.json")
        assert claim.decision is not None
        assert claim.decision.verdict is Verdict.ACCEPTED
        assert claim.decision.rule == record.rule
        more = ("--threshold", "1", "--weight", "f1=1", "--benchmark-statement", "benchmark.json")
        answer = hokusai(*arguments, *more, "-o", "b.json")
        assert answer.code == 2
        assert "commitment settles --threshold, --weight already" in answer.err
        given = ("attest", "verify", "a.json", "--benchmark-statement", "benchmark.json")
        answer = hokusai(*given, "--owner-key", str(owner))
        assert answer.code == 0
        assert "'example', committed to by" in answer.out
        assert hokusai(*given).code == 1  # the owner's key comes from the verifier

    def test_other_labels_than_the_record_commits_to(
        self, hokusai, files: Path, tmp_path: Path, record: Benchmark
    ) -> None:
        bound = {**record.to_dict(), "labelsRoot": "ab" * 32}
        (tmp_path / "bound.json").write_text(json.dumps(bound))
        answer = hokusai(
            "attest", "create", "--benchmark", "bound.json", "--labels", str(files / "benchmark.csv"),
            "-o", "b.json",
        )  # fmt: skip
        assert answer.code == 1
        assert "commits to other labels" in answer.err


class TestSign:
    def test_a_second_party_signs_beside_the_first(
        self, hokusai, arguments, tmp_path: Path, monkeypatch
    ) -> None:
        hokusai(*arguments, "-o", "a.json")
        monkeypatch.setenv("HOKUSAI_HOME", str(tmp_path / "auditor"))
        answer = hokusai("attest", "sign", "a.json", "-o", "both.json")
        assert answer.code == 0
        assert "2 signatures in all" in answer.out
        keys = [
            f"--key={tmp_path / one / 'keys' / 'attestation-ed25519.pub.pem'}" for one in ("home", "auditor")
        ]
        assert hokusai("attest", "verify", "both.json", *keys, "--threshold", "2").code == 0
        assert hokusai("attest", "verify", "a.json", *keys, "--threshold", "2").code == 1

    def test_a_bare_statement(self, hokusai, arguments, tmp_path: Path) -> None:
        hokusai(*arguments, "--unsigned", "-o", "bare.json")
        assert "payload" not in json.loads((tmp_path / "bare.json").read_text())
        assert hokusai("attest", "sign", "bare.json", "-o", "signed.json").code == 0
        hokusai(*arguments, "-o", "a.json")
        assert (tmp_path / "signed.json").read_bytes() == (tmp_path / "a.json").read_bytes()

    def test_what_contradicts_itself_is_not_signed(self, hokusai, arguments, tmp_path: Path) -> None:
        hokusai(*arguments, "--unsigned", "-o", "bare.json")
        bent = (tmp_path / "bare.json").read_text().replace('"deltaBps":"2000"', '"deltaBps":"9000"')
        (tmp_path / "bent.json").write_text(bent)
        answer = hokusai("attest", "sign", "bent.json", "-o", "signed.json")
        assert answer.code == 1
        assert "so it is not signed" in answer.err
        assert not (tmp_path / "signed.json").exists()

    def test_what_is_not_known_is_signed_blindly_or_not(self, hokusai, tmp_path: Path) -> None:
        (tmp_path / "other.json").write_text('{"predicateType": "https://example.org/other"}')
        assert hokusai("attest", "sign", "other.json").code == 1
        assert hokusai("attest", "sign", "other.json", "--blindly").code == 0
        (tmp_path / "none.json").write_text("[]")
        assert hokusai("attest", "sign", "none.json", "--blindly").code == 1

    def test_by_a_command_that_holds_the_key(self, hokusai, arguments, tmp_path: Path, monkeypatch) -> None:
        key = load_signing_key(None, tmp_path / "safe")
        program = tmp_path / "signer.py"
        program.write_text(
            "import sys\n"
            "from cryptography.hazmat.primitives.serialization import load_pem_private_key\n"
            "key = load_pem_private_key(open(sys.argv[1], 'rb').read(), None)\n"
            "sys.stdout.buffer.write(key.sign(sys.stdin.buffer.read()))\n"
        )
        assert key.path is not None
        monkeypatch.setenv(
            "HOKUSAI_SIGNER_COMMAND", json.dumps([sys.executable, str(program), str(key.path)])
        )
        monkeypatch.setenv("HOKUSAI_SIGNER_PUBLIC_KEY", str(key.path.with_suffix(".pub.pem")))
        assert hokusai(*arguments, "-o", "a.json").code == 0
        answer = hokusai("attest", "verify", "a.json")
        assert answer.code == 0
        assert f"Trusted key: held by the command {sys.executable}" in answer.out
        assert key.keyid in hokusai("attest", "key").out
        assert hokusai("attest", "key", "--rotate").code == 1
        assert not (tmp_path / "home" / "keys").exists()


class TestRotate:
    def test_what_the_old_key_signed_still_verifies(self, hokusai, arguments) -> None:
        hokusai(*arguments, "-o", "before.json")
        answer = hokusai("attest", "key", "--rotate")
        assert answer.code == 0
        assert "A new signing key was made" in answer.out
        hokusai(*arguments, "-o", "after.json")
        for name in ("before.json", "after.json"):
            answer = hokusai("attest", "verify", name)
            assert answer.code == 0
            assert "(your key before)" in answer.out

    def test_without_a_key_there_is_nothing_to_follow(self, hokusai) -> None:
        answer = hokusai("attest", "key", "--rotate")
        assert answer.code == 1
        assert "hokusai attest key" in answer.err


class TestShow:
    def test_for_people(self, hokusai, arguments) -> None:
        hokusai(*arguments, "-o", "a.json")
        out = hokusai("attest", "show", "a.json").out
        for text in (
            "DeltaOne",
            "accuracy",
            "+0.2000",
            "alice",
            "40 of 43",
            "66.67%",
            "Nothing of this was verified",
        ):
            assert text in out

    def test_with_decision_and_attribution(self, hokusai) -> None:
        full = Path(__file__).parents[1] / "attestation" / "data" / "delta-one-v1-full.json"
        out = hokusai("attest", "show", str(full)).out
        for text in ("accepted: accuracy gained 14", "64.71%", "it may be noise", "Credit by shapley"):
            assert text in out

    def test_as_it_was_signed(self, hokusai, arguments, tmp_path: Path) -> None:
        hokusai(*arguments, "-o", "a.json")
        payload = Envelope.parse((tmp_path / "a.json").read_bytes()).payload
        assert hokusai("attest", "show", "a.json", "--json").json == json.loads(payload)


def test_a_policy_settles_what_options_would(hokusai, arguments, tmp_path: Path) -> None:
    hokusai(*arguments, "-o", "a.json")
    (tmp_path / "policy.yaml").write_text(
        "format: hokusai-policy-v1\n"
        "trustedKeys: [{file: home/keys/attestation-ed25519.pub.pem}]\nprimaryMetric: accuracy\n"
    )
    assert hokusai("attest", "verify", "a.json", "--policy", "policy.yaml").code == 0
    answer = hokusai("attest", "verify", "a.json", "--policy", "policy.yaml", "--primary", "f1")
    assert answer.code == 2
    assert "The policy settles --primary" in answer.err


def test_a_key_that_is_configured_signs(hokusai, arguments, files: Path, tmp_path: Path, monkeypatch) -> None:
    key = load_signing_key(None, tmp_path / "elsewhere")
    pem = private_pem(key.signer).decode()  # type: ignore[arg-type]
    monkeypatch.setenv("HOKUSAI_SIGNING_KEY", pem)
    hokusai(*arguments, "-o", "a.json")
    (signature,) = Envelope.parse((tmp_path / "a.json").read_bytes()).signatures
    assert signature.keyid == key.keyid
    assert read_predictions(files / "predictions.csv", Task.CLASSIFICATION).n_rows == 200
