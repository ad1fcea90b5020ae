"""The verifier's policy: keys that are revoked, the benchmark's owner, rows to be opened, and the file that says so."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hokusai.attestation.benchmark_statement import (
    benchmark_statement_bytes,
    build_benchmark_statement,
    read_benchmark_statement,
)
from hokusai.attestation.envelope import Envelope, keyid, sign
from hokusai.attestation.keys import public_pem
from hokusai.attestation.materials import Materials
from hokusai.attestation.openings import challenged_rows, open_rows
from hokusai.attestation.policy import Policy, Revocation
from hokusai.attestation.policy_file import read_policy
from hokusai.attestation.predictions import RowPredictions
from hokusai.attestation.recompute import compare_rows
from hokusai.attestation.report import VerificationReport
from hokusai.attestation.statement import statement_bytes
from hokusai.attestation.verify import verify_attestation, verify_benchmark_commitment
from hokusai.domain.attribution import AttributionMethod
from hokusai.domain.benchmark import Benchmark
from hokusai.domain.canonical import canonical_json, sha256_hex
from hokusai.domain.claim import DeltaOneClaim
from hokusai.domain.decision import AcceptanceRule, Guardrail
from hokusai.errors import ConfigurationError, HokusaiError, IntegrityError, InvalidInputError

OTHER = Ed25519PrivateKey.from_private_bytes(b"another key for tests, 32 bytes.")
Signed = Callable[[DeltaOneClaim], bytes]


def failed(report: VerificationReport) -> list[str]:
    return [check.name for check in report.failed]


class TestRevoked:
    def test_a_signature_by_a_revoked_key_counts_for_nothing(
        self, envelope: Envelope, policy: Policy, key: Ed25519PrivateKey
    ) -> None:
        revoked = replace(policy, revoked=(Revocation(keyid(key.public_key())),))
        report = verify_attestation(envelope.to_bytes(), revoked)
        assert failed(report) == ["signature"]
        assert "revoked" in report.failed[0].detail
        assert report.claim is None

    def test_but_for_statements_that_were_accepted_before(
        self, claim: DeltaOneClaim, envelope: Envelope, policy: Policy, key: Ed25519PrivateKey
    ) -> None:
        known = Revocation(keyid(key.public_key()), frozenset({sha256_hex(envelope.payload)}))
        revoked = replace(policy, revoked=(known,))
        assert verify_attestation(envelope.to_bytes(), revoked).ok
        forged = sign(statement_bytes(replace(claim, base_rows=1)), [key])
        assert failed(verify_attestation(forged.to_bytes(), revoked)) == ["signature"]

    def test_another_key_can_still_carry_the_statement(
        self, envelope: Envelope, policy: Policy, key: Ed25519PrivateKey
    ) -> None:
        both = Policy((key.public_key(), OTHER.public_key()), revoked=(Revocation(keyid(key.public_key())),))
        assert failed(verify_attestation(envelope.to_bytes(), both)) == ["signature"]
        report = verify_attestation(envelope.signed_by(OTHER).to_bytes(), both)
        assert report.signed_by == (keyid(OTHER.public_key()),)
        assert failed(
            verify_attestation(envelope.signed_by(OTHER).to_bytes(), replace(both, threshold=2))
        ) == ["signature"]

    def test_the_same_key_twice_is_one_key(self, key: Ed25519PrivateKey) -> None:
        with pytest.raises(ConfigurationError, match="2 signatures of 1 trusted keys"):
            Policy((key.public_key(), key.public_key()), threshold=2)


class TestBenchmarkOwner:
    @pytest.fixture
    def owned(self, policy: Policy, owner_key: Ed25519PrivateKey) -> Policy:
        return replace(policy, owner_keys=(owner_key.public_key(),))

    def test_his_commitment_stands_behind_the_statement(
        self, full_claim: DeltaOneClaim, signed: Signed, owned: Policy, commitment: bytes
    ) -> None:
        report = verify_attestation(signed(full_claim), owned, Materials(benchmark_statement=commitment))
        assert report.failed == ()
        said = {check.name: check.detail for check in report.checks}["benchmark"]
        assert said.startswith("'example', committed to by sha256:")
        assert not any("owner" in note for note in report.not_checked)

    def test_a_policy_with_his_keys_insists_on_it(
        self, full_claim: DeltaOneClaim, signed: Signed, owned: Policy
    ) -> None:
        assert failed(verify_attestation(signed(full_claim), owned)) == ["benchmark"]

    def test_keys_come_from_the_policy_alone(
        self, full_claim: DeltaOneClaim, signed: Signed, policy: Policy, commitment: bytes
    ) -> None:
        with_file = Materials(benchmark_statement=commitment)
        assert failed(verify_attestation(signed(full_claim), policy, with_file)) == ["benchmark"]
        strangers = replace(policy, owner_keys=(OTHER.public_key(),))
        assert failed(verify_attestation(signed(full_claim), strangers, with_file)) == ["benchmark"]

    def test_his_key_can_be_revoked(
        self,
        full_claim: DeltaOneClaim,
        signed: Signed,
        owned: Policy,
        commitment: bytes,
        owner_key: Ed25519PrivateKey,
    ) -> None:
        revoked = replace(owned, revoked=(Revocation(keyid(owner_key.public_key())),))
        report = verify_attestation(signed(full_claim), revoked, Materials(benchmark_statement=commitment))
        assert failed(report) == ["benchmark"]

    @pytest.mark.parametrize(
        "changed",
        [
            {"data_sha256": "bf" * 32},
            {"n_rows": 101},
            {"target_column": "other"},
            {"primary_metric": "f1"},
            {"weights": {"accuracy": Fraction(1)}},
            {"weights": {"accuracy": Fraction(1, 4), "f1": Fraction(3, 4)}},
            {"rule": AcceptanceRule(min_rows=50)},
            {"labels_root": "ab" * 32},
            {"name": "another"},
        ],
    )
    def test_a_statement_that_uses_the_benchmark_otherwise_is_refused(
        self,
        full_claim: DeltaOneClaim,
        benchmark: Benchmark,
        signed: Signed,
        owned: Policy,
        owner_key: Ed25519PrivateKey,
        changed: dict[str, object],
    ) -> None:
        other = replace(benchmark, **changed)  # type: ignore[arg-type]
        payload = benchmark_statement_bytes(other)
        refers = replace(
            full_claim, benchmark_record_sha256=other.sha256, benchmark_statement_sha256=sha256_hex(payload)
        )
        if "name" in changed:  # its facts are the same, but it is another record
            refers = replace(refers, benchmark_record_sha256=benchmark.sha256)
        materials = Materials(benchmark_statement=sign(payload, [owner_key]).to_bytes())
        assert failed(verify_attestation(signed(refers), owned, materials)) == ["benchmark"]

    def test_a_statement_that_names_another_commitment_is_refused(
        self, full_claim: DeltaOneClaim, signed: Signed, owned: Policy, commitment: bytes
    ) -> None:
        for name in ("benchmark_statement_sha256", "benchmark_record_sha256", "commitments", "decision"):
            without = replace(full_claim, **{name: None})  # type: ignore[arg-type]
            report = verify_attestation(signed(without), owned, Materials(benchmark_statement=commitment))
            assert failed(report) == ["benchmark"]

    def test_equal_weights_are_equal(
        self, full_claim: DeltaOneClaim, benchmark: Benchmark, signed: Signed, owned: Policy, owner_key
    ) -> None:
        equal = replace(benchmark, weights={})
        payload = benchmark_statement_bytes(equal)
        refers = replace(
            full_claim, benchmark_record_sha256=equal.sha256, benchmark_statement_sha256=sha256_hex(payload)
        )
        materials = Materials(benchmark_statement=sign(payload, [owner_key]).to_bytes())
        assert verify_attestation(signed(refers), owned, materials).ok

    def test_comes_back_as_it_was(self, benchmark: Benchmark) -> None:
        assert read_benchmark_statement(benchmark_statement_bytes(benchmark)) == benchmark

    def test_binds_to_labels_or_to_nothing(self, benchmark: Benchmark) -> None:
        with pytest.raises(InvalidInputError, match="binds its owner to nothing"):
            build_benchmark_statement(replace(benchmark, labels_root=None))

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            (b'"rows":100', b'"rows":101'),
            (b'"nonClaims":[', b'"nonClaims":["All is well.",'),
            (b'"predicate":{', b'"predicate":{"lambda":1,'),
            (b'"name":"benchmark"', b'"name":"bench"'),
            (b"benchmark-commitment/v1", b"benchmark-commitment/v2"),
            (b'"alpha":"0.05"', b'"alpha":"0.050"'),
            (b'"alpha":"0.05"', b'"alpha":NaN'),
            (b'"benchmark":{', b'"benchmark":{"format":1,'),
        ],
    )
    def test_signed_bytes_in_another_form_are_refused(
        self, benchmark: Benchmark, old: bytes, new: bytes
    ) -> None:
        payload = benchmark_statement_bytes(benchmark)
        assert old in payload
        with pytest.raises(IntegrityError):
            read_benchmark_statement(payload.replace(old, new, 1))


class TestCommitmentByItself:
    def test_whoever_receives_it_can_check_it(
        self, commitment: bytes, benchmark: Benchmark, owner_key: Ed25519PrivateKey
    ) -> None:
        for policy in (
            Policy((owner_key.public_key(),)),
            Policy((OTHER.public_key(),), owner_keys=(owner_key.public_key(),)),
        ):
            report = verify_benchmark_commitment(commitment, policy, Materials({"b.csv": "be" * 32}))
            assert report.failed == ()
            assert report.statement_sha256 == sha256_hex(benchmark_statement_bytes(benchmark))
            assert benchmark.sha256 in report.checks[2].detail

    def test_is_refused(self, commitment: bytes, envelope: Envelope, owner_key: Ed25519PrivateKey) -> None:
        owner = Policy((owner_key.public_key(),))
        other_file = Materials({"b.csv": "bf" * 32})
        assert failed(verify_benchmark_commitment(commitment, owner, other_file)) == ["files"]
        strangers = Policy((OTHER.public_key(),))
        assert failed(verify_benchmark_commitment(commitment, strangers)) == ["signature"]
        revoked = replace(owner, revoked=(Revocation(keyid(owner_key.public_key())),))
        assert failed(verify_benchmark_commitment(commitment, revoked)) == ["signature"]
        statement = sign(envelope.payload, [owner_key]).to_bytes()
        assert failed(verify_benchmark_commitment(statement, owner)) == ["statement"]
        assert failed(verify_benchmark_commitment(b"{}", owner)) == ["envelope"]


class TestOpenings:
    def opened(self, claim: DeltaOneClaim, predictions: RowPredictions, rows) -> Materials:
        sha256 = sha256_hex(statement_bytes(claim))
        return Materials(openings=open_rows(claim, sha256, predictions, rows).to_bytes())

    def test_enough_of_them(
        self, full_claim: DeltaOneClaim, predictions: RowPredictions, signed: Signed, policy: Policy
    ) -> None:
        asking = replace(policy, min_openings=3)
        assert failed(verify_attestation(signed(full_claim), asking)) == ["openings"]
        two, three = (self.opened(full_claim, predictions, range(n)) for n in (2, 3))
        assert failed(verify_attestation(signed(full_claim), asking, two)) == ["openings"]
        report = verify_attestation(signed(full_claim), asking, three)
        assert report.failed == ()
        assert any("run the models again on the opened rows" in note for note in report.not_checked)

    def test_those_that_the_challenge_asks_for(
        self, full_claim: DeltaOneClaim, predictions: RowPredictions, signed: Signed, policy: Policy
    ) -> None:
        asking = replace(policy, min_openings=5, challenge="heads")
        rows = challenged_rows(sha256_hex(statement_bytes(full_claim)), "heads", 100, 5)
        right = self.opened(full_claim, predictions, rows)
        assert verify_attestation(signed(full_claim), asking, right).ok
        wrong = self.opened(full_claim, predictions, [row for row in range(100) if row != rows[0]])
        assert failed(verify_attestation(signed(full_claim), asking, wrong)) == ["openings"]

    def test_of_another_statement(
        self, full_claim: DeltaOneClaim, predictions: RowPredictions, signed: Signed, policy: Policy
    ) -> None:
        other = self.opened(replace(full_claim, base_rows=7), predictions, [1])
        assert failed(verify_attestation(signed(full_claim), policy, other)) == ["openings"]

    def test_a_file_that_is_none(self, full_claim: DeltaOneClaim, signed: Signed, policy: Policy) -> None:
        for data in (b"", b"[]", b"\xff", b'{"rows": []}'):
            report = verify_attestation(signed(full_claim), policy, Materials(openings=data))
            assert failed(report) == ["openings"]


class TestPredictions:
    def test_everything_is_worked_out_again(
        self, full_claim: DeltaOneClaim, predictions: RowPredictions, signed: Signed, policy: Policy
    ) -> None:
        report = verify_attestation(signed(full_claim), policy, Materials(predictions=predictions))
        assert report.failed == ()
        said = {check.name: check.detail for check in report.checks}["predictions"]
        assert said == "accuracy, precision, recall, f1, DeltaOne, commitments of 100 rows, worked out again"
        notes = " | ".join(report.not_checked)
        assert "the values of auroc" in notes
        assert "standard errors of auroc:" in notes
        assert "what the commitments are to" not in notes

    def test_other_predictions_with_the_same_counts_break_the_commitments(
        self, full_claim: DeltaOneClaim, predictions: RowPredictions, signed: Signed, policy: Policy
    ) -> None:
        swapped = RowPredictions(
            predictions.task, predictions.labels[::-1], predictions.baseline[::-1], predictions.new[::-1]
        )
        report = verify_attestation(signed(full_claim), policy, Materials(predictions=swapped))
        assert failed(report) == ["predictions"]
        assert "commitment to labels" in report.failed[0].detail

    def test_names_the_first_count_that_differs(
        self, full_claim: DeltaOneClaim, predictions: RowPredictions, signed: Signed, policy: Policy
    ) -> None:
        said = ["no" if predictions.new[0] == "yes" else "yes", *predictions.new[1:]]
        given = Materials(predictions=replace(predictions, new=said))
        report = verify_attestation(signed(full_claim), policy, given)
        assert failed(report) == ["predictions"]
        told = report.failed[0].detail
        read = re.search(
            r"label '(\w+)', baseline '(\w+)', new '(\w+)' in (\d+) rows of the predictions, and in (\d+)",
            told,
        )
        assert read is not None, told
        rows = list(zip(predictions.labels, predictions.baseline, said, strict=True))
        assert int(read[4]) == rows.count(read.group(1, 2, 3))
        assert abs(int(read[5]) - int(read[4])) == 1

    def test_down_to_the_last_error_where_the_methods_are_those_of_today(
        self, full_claim: DeltaOneClaim, predictions: RowPredictions, signed: Signed, policy: Policy
    ) -> None:
        scores = [float(said == "yes") + i / 1000 for i, said in enumerate(predictions.new)]
        scored = replace(predictions, baseline_scores=scores[::-1], new_scores=scores)
        today = replace(full_claim, comparison=compare_rows(scored), decision=None)
        report = verify_attestation(signed(today), policy, Materials(predictions=scored))
        assert report.failed == ()
        said = {check.name: check.detail for check in report.checks}["predictions"]
        assert said.startswith("accuracy, precision, recall, f1, auroc, DeltaOne, commitments of")
        assert not any("auroc" in note for note in report.not_checked)
        unlike = replace(scored, new_scores=scores[::-1])
        report = verify_attestation(signed(today), policy, Materials(predictions=unlike))
        assert failed(report) == ["predictions"]
        assert "auroc" in report.failed[0].detail

    def test_other_counts(
        self, claim: DeltaOneClaim, predictions: RowPredictions, signed: Signed, policy: Policy
    ) -> None:
        changed = replace(predictions, new=[*predictions.new[1:], "no"])
        short = RowPredictions(
            predictions.task, predictions.labels[1:], predictions.baseline[1:], predictions.new[1:]
        )
        strange = replace(predictions, new=["maybe", *predictions.new[1:]])
        for other in (changed, short, strange):
            report = verify_attestation(signed(claim), policy, Materials(predictions=other))
            assert failed(report) == ["predictions"]

    def test_of_a_regression(
        self, regression: DeltaOneClaim, signed: Signed, policy: Policy, tmp_path: Path
    ) -> None:
        values = [float(i) for i in range(50)]
        said = RowPredictions(regression.comparison.task, values, values[::-1], values)
        report = verify_attestation(signed(regression), policy, Materials(predictions=said))
        assert failed(report) == ["predictions"]
        assert "rmse" in report.failed[0].detail
        gone = Materials(predictions=tmp_path / "gone.csv")
        assert failed(verify_attestation(signed(regression), policy, gone)) == ["predictions"]


WHOLE = """
format: hokusai-policy-v1
trustedKeys:
  - file: signer.pub.pem
  - pem: |
{pem}
threshold: 2
revokedKeys:
  - keyid: "sha256:{old}"
    acceptedBefore: ["{digest}"]
ownerKeys:
  - file: signer.pub.pem
weights: {{accuracy: 1, f1_score: 3}}
primaryMetric: accuracy
rule:
  minRows: 50
  threshold: 0.01
  alpha: 0.05
  guardrails:
    - {{metric: recall, margin: 0.01}}
    - {{metric: latency_ms, margin: 0.5, relative: true, slice: [region, EU]}}
requireAccepted: true
confidence: 0.95
openings: {{minimum: 59, challenge: "4 2 6"}}
units: user
attribution: {{methods: [shapley, leave-one-out], minSeeds: 3}}
allowDryRun: true
"""


class TestFile:
    @pytest.fixture
    def folder(self, tmp_path: Path, key: Ed25519PrivateKey) -> Path:
        (tmp_path / "signer.pub.pem").write_bytes(public_pem(key.public_key()))
        return tmp_path

    def write(self, folder: Path, text: str) -> Path:
        (folder / "policy.yaml").write_text(text)
        return folder / "policy.yaml"

    def test_says_it_all(self, folder: Path, key: Ed25519PrivateKey) -> None:
        pem = public_pem(OTHER.public_key()).decode()
        text = WHOLE.format(
            pem="\n".join(f"      {line}" for line in pem.splitlines()), old="00" * 32, digest="ab" * 32
        )
        read = read_policy(self.write(folder, text))
        assert [keyid(one) for one in read.trusted_keys] == [
            keyid(key.public_key()),
            keyid(OTHER.public_key()),
        ]
        assert [keyid(one) for one in read.owner_keys] == [keyid(key.public_key())]
        rest = replace(read, trusted_keys=read.trusted_keys, owner_keys=read.owner_keys)
        assert rest == Policy(
            trusted_keys=read.trusted_keys,
            threshold=2,
            weights={"accuracy": Fraction(1, 4), "f1": Fraction(3, 4)},
            primary_metric="accuracy",
            allow_dry_run=True,
            confidence=0.95,
            revoked=(Revocation("sha256:" + "00" * 32, frozenset({"ab" * 32})),),
            owner_keys=read.owner_keys,
            rule=AcceptanceRule(
                min_rows=50,
                threshold=Fraction(1, 100),
                alpha=0.05,
                guardrails=(
                    Guardrail("recall", 0.01),
                    Guardrail("latency_ms", 0.5, relative=True, slice=("region", "EU")),
                ),
            ),
            require_accepted=True,
            min_openings=59,
            challenge="4 2 6",
            units="user",
            attribution_methods=(AttributionMethod.SHAPLEY, AttributionMethod.LEAVE_ONE_OUT),
            min_seeds=3,
        )

    def test_as_json(self, folder: Path) -> None:
        text = json.dumps({"format": "hokusai-policy-v1", "trustedKeys": [{"file": "signer.pub.pem"}]})
        read = read_policy(self.write(folder, text))
        assert read == Policy(read.trusted_keys)

    @pytest.mark.parametrize(
        ("more", "said"),
        [
            ("treshold: 2", "'treshold' is not known here"),
            ("threshold: 2", "2 signatures of 1 trusted keys"),
            ("threshold: 0", "one or more"),
            ("threshold: 1.5", "whole number"),
            ("threshold: true", "whole number"),
            ("weights: {}", "weights are numbers from 0"),
            ("weights: {accuracy: -1, f1: 2}", "weights are numbers from 0"),
            ("weights: {accuracy: much}", "a number or a ratio"),
            ("weights: {luck: 1}", "No metric is called 'luck'"),
            ("primaryMetric: luck", "No metric is called 'luck'"),
            ("confidence: 2", "between 0.5 and 1"),
            ("confidence: 0.0001", "between 0.5 and 1"),
            ("confidence: .inf", "a number or a ratio"),
            ("rule: {threshold: '1e-999999'}", r"a number or a ratio.*policy.yaml, \$.rule.threshold"),
            ("rule: {threshold: -1}", r"policy.yaml, \$.rule\)"),
            ("rule: {threshold: '1/0'}", r"\$.rule.threshold"),
            (f"rule: {{threshold: '0.{'1' * 60}'}}", r"\$.rule.threshold"),
            ("rule: {minRows: 10, guardrails: [{metric: f1, margin: 1e+400}]}", "margin"),
            ("attribution: {methods: []}", "at least one method"),
            ("attribution: {methods: [luck]}", "no such method of attribution as 'luck'"),
            ("attribution: {minSeeds: 3}", "'methods' is missing"),
            ("attribution: {methods: [shapley], minSeeds: 0}", "one or more"),
            ("attribution: {methods: [shapley], seeds: 3}", "'seeds' is not known here"),
            ("units: 3", "expected text"),
            (f"revokedKeys: [{{keyid: 'sha256:{'AB' * 32}'}}]", r"64 lower-case hex.*revokedKeys\[0\]"),
            (f"revokedKeys: [{{keyid: 'sha256:{'ab' * 32} '}}]", "64 lower-case hex"),
            (f"revokedKeys: [{{keyid: 'sha256:{'ab' * 20}'}}]", "64 lower-case hex"),
            ("revokedKeys: [{keyid: 'sha256:oops'}]", "64 lower-case hex"),
            ("ownerKeys: []", "at least one key"),
            ("ownerThreshold: 2", "2 signatures of 0 keys"),
            ("openings: {count: 3}", "'count' is not known here"),
            ("openings: {minimum: 0}", "one or more"),
            ("rule: {minRows: 5, lambda: 1}", "'lambda' is not known here"),
            ("rule: {alpha: 0.9}", "alpha"),
            ("rule: {guardrails: [{metric: recall}]}", "'margin' is missing"),
            ("rule: {guardrails: [{metric: luck, margin: 1}]}", "whether a higher 'luck' is better"),
            ("revokedKeys: [{keyid: abc}]", "64 lower-case hex"),
            (f"revokedKeys: [{{keyid: 'sha256:{'ab' * 32}', acceptedBefore: [x]}}]", "Not a SHA-256 digest"),
            ("requireAccepted: yes please", "true or false"),
        ],
    )
    def test_is_read_strictly(self, folder: Path, more: str, said: str) -> None:
        text = f"format: hokusai-policy-v1\ntrustedKeys: [{{file: signer.pub.pem}}]\n{more}\n"
        with pytest.raises(HokusaiError, match=said):
            read_policy(self.write(folder, text))

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "trustedKeys: []",
            "format: hokusai-policy-v2\ntrustedKeys: [{file: signer.pub.pem}]",
            "format: hokusai-policy-v1",
            "format: hokusai-policy-v1\ntrustedKeys: []",
            "format: hokusai-policy-v1\ntrustedKeys: [{}]",
            "format: hokusai-policy-v1\ntrustedKeys: [{file: a, pem: b}]",
            "format: hokusai-policy-v1\ntrustedKeys: [{file: gone.pem}]",
            "format: hokusai-policy-v1\ntrustedKeys: [{pem: nonsense}]",
            "format: [",
        ],
    )
    def test_without_keys_there_is_no_policy(self, folder: Path, text: str) -> None:
        with pytest.raises(HokusaiError):
            read_policy(self.write(folder, text))

    def test_a_key_of_another_kind(self, folder: Path) -> None:
        other = generate_private_key(SECP256R1()).public_key()
        pem = other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (folder / "p256.pem").write_bytes(pem)
        text = "format: hokusai-policy-v1\ntrustedKeys: [{file: p256.pem}]"
        with pytest.raises(InvalidInputError, match="Not an Ed25519 public key"):
            read_policy(self.write(folder, text))


def test_a_statement_cannot_bring_its_own_policy(
    full_claim: DeltaOneClaim, key: Ed25519PrivateKey, policy: Policy
) -> None:
    import copy

    from hokusai.attestation.statement import build_statement

    statement = copy.deepcopy(build_statement(full_claim))
    for name, value in {"lambda": 1, "weights": {"accuracy": 1}, "trustedKeys": [], "policy": {}}.items():
        bent = copy.deepcopy(statement)
        bent["predicate"][name] = value  # type: ignore[index]
        report = verify_attestation(sign(canonical_json(bent), [key]).to_bytes(), policy)
        assert failed(report) == ["nothing else"]


def test_the_policy_in_the_documentation_is_one(tmp_path: Path, key: Ed25519PrivateKey) -> None:
    page = (Path(__file__).parents[3] / "docs" / "attestation.md").read_text()
    (text,) = [block.split("```")[0] for block in page.split("```yaml\n")[1:]]
    for name, private in (("platform", key), ("auditor", OTHER), ("owner", OTHER)):
        (tmp_path / f"{name}.pub.pem").write_bytes(public_pem(private.public_key()))
    (tmp_path / "policy.yaml").write_text(
        text.replace('acceptedBefore: ["…"]', f'acceptedBefore: ["{"ab" * 32}"]').replace(
            "sha256:…", "sha256:" + "ab" * 32
        )
    )
    read = read_policy(tmp_path / "policy.yaml")
    assert (read.threshold, read.min_openings, read.challenge) == (2, 59, "heads tails heads")
    assert read.weights == {"accuracy": Fraction(1, 2), "f1": Fraction(1, 2)}
    assert (read.attribution_methods, read.min_seeds) == ((AttributionMethod.SHAPLEY,), 3)
