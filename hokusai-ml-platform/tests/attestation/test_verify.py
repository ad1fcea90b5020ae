"""What a sound attestation is told to be, what cannot be checked, and what the policy decides."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hokusai.attestation.checks import NO_BASELINE_ERROR_GAIN
from hokusai.attestation.envelope import Envelope, keyid, sign
from hokusai.attestation.materials import Materials, match_files
from hokusai.attestation.policy import Policy
from hokusai.attestation.report import Status, Verdict
from hokusai.attestation.statement import statement_bytes
from hokusai.attestation.verify import (
    CHECK_NAMES,
    verify_attestation,
)
from hokusai.domain.canonical import sha256_hex
from hokusai.domain.claim import DeltaOneClaim, Evidence
from hokusai.domain.delta import Interval, JointCounts, PrimaryRecord, primary_record
from hokusai.errors import ConfigurationError, IntegrityError, MetricError
from hokusai.stats.wald import interval_around, two_sided_p

Signed = Callable[[DeltaOneClaim], bytes]
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(b"another key for tests, 32 bytes.")


class TestSound:
    def test_is_verified(self, envelope: Envelope, policy: Policy, claim: DeltaOneClaim) -> None:
        report = verify_attestation(envelope.to_bytes(), policy)
        assert report.verdict is Verdict.VERIFIED
        assert report.ok
        assert tuple(check.name for check in report.checks) == CHECK_NAMES
        assert [c.name for c in report.checks if c.status is Status.SKIPPED] == [
            "decision", "attribution", "benchmark", "predictions", "openings", "files",
        ]  # fmt: skip
        assert report.signed_by == (keyid(policy.trusted_keys[0]),)
        assert report.statement_sha256 == sha256_hex(statement_bytes(claim))
        assert report.claim is not None
        assert report.claim.comparison == claim.comparison

    def test_mcnemar_of_the_example_is_what_the_report_says(self, envelope: Envelope, policy: Policy) -> None:
        # 8 rows were lost (001: 5, 110: 3), 22 won (010: 10, 101: 12)
        below = sum(math.comb(30, i) for i in range(8))
        mid_p = (2 * below + math.comb(30, 8)) / 2**30
        said = {c.name: c.detail for c in verify_attestation(envelope.to_bytes(), policy).checks}
        assert f"{mid_p:.4g}" in said["significance"]

    def test_says_what_it_does_not_check(self, envelope: Envelope, policy: Policy) -> None:
        notes = " | ".join(verify_attestation(envelope.to_bytes(), policy).not_checked)
        assert "the values of auroc" in notes
        assert "standard errors of auroc: the counts" in notes
        assert "sklearn.dummy.DummyClassifier and sklearn.linear_model.LogisticRegression" in notes
        assert "run the models again" in notes
        assert "weights" in notes
        assert "primary metric" in notes
        assert "baseline-model, new-model, benchmark, base-data, contributed-data/1" in notes

    def test_a_regression_is_verified_as_far_as_it_can_be(
        self, regression: DeltaOneClaim, signed: Signed, policy: Policy
    ) -> None:
        report = verify_attestation(signed(regression), policy)
        assert report.verdict is Verdict.VERIFIED
        assert "the values of rmse, r2" in report.not_checked[0]
        assert "the share of rmse, r2 in DeltaOne" in report.not_checked[0]

    def test_evidence_is_named_as_not_checked(
        self, claim: DeltaOneClaim, signed: Signed, policy: Policy
    ) -> None:
        proof = Evidence("proof of the counts", "ef" * 32, "application/vnd.hokusai.zkhist.v0")
        report = verify_attestation(signed(replace(claim, evidence=(proof,))), policy)
        assert report.verdict is Verdict.VERIFIED
        assert (
            report.not_checked[-1] == "the evidence 'proof of the counts' (application/vnd.hokusai.zkhist.v0)"
        )

    def test_the_report_is_json(self, envelope: Envelope, policy: Policy) -> None:
        report = verify_attestation(envelope.to_bytes(), policy).to_dict()
        assert (report["verdict"], report["ok"], len(report["checks"])) == (
            "verified",
            True,
            len(CHECK_NAMES),
        )

    def test_a_single_weighted_accuracy_has_mcnemars_p_value(
        self, claim: DeltaOneClaim, signed: Signed, policy: Policy
    ) -> None:
        accuracy = claim.comparison.deltas[0]
        only = replace(
            claim.comparison,
            weights={"accuracy": Fraction(1)},
            delta_one=0.14,
            exact=Fraction(14, 100),
            standard_error=accuracy.standard_error,
            interval=accuracy.interval,
            p_value=accuracy.p_value,
        )
        report = verify_attestation(signed(replace(claim, comparison=only)), policy)
        assert report.verdict is Verdict.VERIFIED
        assert "standard errors of auroc:" in report.not_checked[1]
        wald = replace(only, p_value=math.erfc(0.14 / accuracy.standard_error / math.sqrt(2)))
        assert [
            c.name for c in verify_attestation(signed(replace(claim, comparison=wald)), policy).failed
        ] == ["significance"]

    def test_the_rule_for_a_baseline_without_error_is_that_of_the_comparison(self) -> None:
        from hokusai.stats import regression

        assert regression.NO_BASELINE_ERROR_GAIN == NO_BASELINE_ERROR_GAIN


class TestDryRun:
    def test_is_never_evidence(self, claim: DeltaOneClaim, signed: Signed, policy: Policy) -> None:
        report = verify_attestation(signed(replace(claim, dry_run=True)), policy)
        assert report.verdict is Verdict.NOT_EVIDENCE
        assert not report.ok
        assert [c.name for c in report.failed] == ["real run"]
        assert "NOT EVIDENCE" in report.failed[0].detail

    def test_passes_if_the_policy_allows_it_but_is_no_evidence(
        self, claim: DeltaOneClaim, signed: Signed, policy: Policy
    ) -> None:
        report = verify_attestation(signed(replace(claim, dry_run=True)), replace(policy, allow_dry_run=True))
        assert report.ok
        assert report.verdict is Verdict.NOT_EVIDENCE
        assert "NOT EVIDENCE" in report.checks[-1].detail

    def test_that_is_also_wrong_is_refused(
        self, claim: DeltaOneClaim, signed: Signed, policy: Policy
    ) -> None:
        wrong = replace(claim.comparison, exact=Fraction(1, 5))
        report = verify_attestation(signed(replace(claim, dry_run=True, comparison=wrong)), policy)
        assert report.verdict is Verdict.REFUSED


class TestSources:
    """A file can be given that is known already, but then nothing in it is new."""

    @pytest.mark.parametrize(
        ("sha256", "same"), [("be", "the benchmark"), ("ba", "the base data"), ("a1", "contributed-data/1")]
    )
    def test_no_row_is_new_in_a_file_that_is_known(
        self, claim: DeltaOneClaim, signed: Signed, policy: Policy, sha256: str, same: str
    ) -> None:
        first, second, third = claim.contributions
        again = replace(second, sha256=sha256 * 32)
        report = verify_attestation(signed(replace(claim, contributions=(first, again, third))), policy)
        assert [c.name for c in report.failed] == ["subjects"]
        assert f"contributed-data/2 is the same file as {same}, but 100 rows" in report.failed[0].detail
        known = replace(again, rows_accepted=0, rows_duplicate=104)
        report = verify_attestation(signed(replace(claim, contributions=(first, known, third))), policy)
        assert report.failed == ()


class TestPolicy:
    def test_another_confidence_is_refused_unless_it_was_agreed(
        self, claim: DeltaOneClaim, signed: Signed, policy: Policy
    ) -> None:
        def at(record):
            change = record.delta_one if record is claim.comparison else record.absolute_delta
            return interval_around(change, record.standard_error, 0.5)

        narrow = replace(
            claim.comparison,
            interval=at(claim.comparison),
            deltas=tuple(replace(d, interval=at(d)) for d in claim.comparison.deltas),
        )
        data = signed(replace(claim, comparison=narrow))
        report = verify_attestation(data, policy)
        assert [c.name for c in report.failed] == ["intervals"]
        assert "the policy asks for 0.95" in report.failed[0].detail
        assert verify_attestation(data, replace(policy, confidence=0.5)).failed == ()

    def test_weights_of_the_signers_choice_are_refused(self, envelope: Envelope, policy: Policy) -> None:
        agreed = replace(policy, weights={"f1_score": Fraction(1, 2), "accuracy": Fraction(1, 2)})
        assert verify_attestation(envelope.to_bytes(), agreed).verdict is Verdict.VERIFIED
        others = replace(policy, weights={"f1": Fraction(1, 4), "accuracy": Fraction(3, 4)})
        assert [c.name for c in verify_attestation(envelope.to_bytes(), others).failed] == ["weights"]

    def test_a_primary_metric_of_the_signers_choice_is_refused(
        self, claim: DeltaOneClaim, envelope: Envelope, signed: Signed, policy: Policy
    ) -> None:
        agreed = replace(policy, primary_metric="accuracy")
        assert verify_attestation(envelope.to_bytes(), agreed).verdict is Verdict.VERIFIED
        better = replace(claim.comparison, primary=primary_record(claim.comparison.delta("recall")))
        chosen = signed(replace(claim, comparison=better))
        assert verify_attestation(chosen, policy).verdict is Verdict.VERIFIED
        assert [c.name for c in verify_attestation(chosen, agreed).failed] == ["primary record"]

    def test_a_threshold_of_two_needs_two_signers(self, envelope: Envelope, policy: Policy) -> None:
        both = Policy((*policy.trusted_keys, OTHER_KEY.public_key()), threshold=2)
        report = verify_attestation(envelope.to_bytes(), both)
        assert [c.name for c in report.failed] == ["signature"]
        report = verify_attestation(envelope.signed_by(OTHER_KEY).to_bytes(), both)
        assert report.verdict is Verdict.VERIFIED
        assert len(report.signed_by) == 2

    def test_files_must_be_subjects(self, envelope: Envelope, policy: Policy) -> None:
        known = {"model.skops": "0e" * 32, "gift.csv": "a1" * 32}
        report = verify_attestation(envelope.to_bytes(), policy, Materials(known))
        assert report.verdict is Verdict.VERIFIED
        said = {c.name: c.detail for c in report.checks}["files"]
        assert said == "model.skops is new-model; gift.csv is contributed-data/1"
        strange = {**known, "other.csv": "99" * 32}
        report = verify_attestation(envelope.to_bytes(), policy, Materials(strange))
        assert [c.name for c in report.failed] == ["files"]
        assert "other.csv" in report.failed[0].detail

    @pytest.mark.parametrize("threshold", [0, 2])
    def test_refuses_a_threshold_that_cannot_be_met(self, policy: Policy, threshold: int) -> None:
        with pytest.raises(ConfigurationError, match="trusted keys"):
            Policy(policy.trusted_keys, threshold=threshold)

    def test_refuses_to_trust_nobody(self) -> None:
        with pytest.raises(ConfigurationError, match="of 0 trusted keys"):
            Policy(())

    @pytest.mark.parametrize(
        "weights", [{"f1": Fraction(1, 2)}, {}, {"f1": Fraction(1, 2), "f1_score": Fraction(1, 2)}]
    )
    def test_refuses_weights_that_are_none(self, policy: Policy, weights: dict[str, Fraction]) -> None:
        with pytest.raises(ConfigurationError, match="sum to exactly 1"):
            replace(policy, weights=weights)

    def test_refuses_a_metric_that_does_not_exist(self, policy: Policy) -> None:
        with pytest.raises(MetricError, match="acuracy"):
            replace(policy, primary_metric="acuracy")


class TestMatchFiles:
    def test_a_file_given_twice_is_both(self, claim: DeltaOneClaim) -> None:
        first, second, third = claim.contributions
        twice = replace(claim, contributions=(first, replace(second, sha256=first.sha256), third))
        assert match_files(twice, {"a.csv": first.sha256}) == {
            "a.csv": ("contributed-data/1", "contributed-data/2")
        }

    def test_a_file_that_is_none_is_refused(self, claim: DeltaOneClaim) -> None:
        with pytest.raises(IntegrityError, match=r"a\.csv .*is none of the files"):
            match_files(claim, {"a.csv": "00" * 32})


class TestUnsigned:
    """Nothing is looked into that no trusted key has signed."""

    def test_by_a_key_that_is_not_trusted(self, claim: DeltaOneClaim, policy: Policy) -> None:
        report = verify_attestation(sign(statement_bytes(claim), [OTHER_KEY]).to_bytes(), policy)
        assert report.verdict is Verdict.REFUSED
        assert report.statement is None
        assert report.claim is None
        assert [c.status for c in report.checks] == [Status.PASSED, Status.FAILED, *[Status.SKIPPED] * 21]
        assert report.checks[-1].detail == "because the check 'signature' failed"

    def test_no_envelope(self, policy: Policy) -> None:
        report = verify_attestation(b"%PDF-1.7", policy)
        assert [c.name for c in report.failed] == ["envelope"]
        assert (report.signed_by, report.statement_sha256) == ((), None)


class TestSameModel:
    def test_a_model_does_not_differ_from_itself(
        self, claim: DeltaOneClaim, signed: Signed, policy: Policy
    ) -> None:
        report = verify_attestation(signed(replace(claim, new_model_sha256="b0" * 32)), policy)
        assert [c.name for c in report.failed] == ["deltas"]

    def test_no_change_at_all_is_sound(
        self, regression: DeltaOneClaim, signed: Signed, policy: Policy
    ) -> None:
        still = Interval(0.0, 0.0, 0.95)
        deltas = tuple(
            replace(d, new_value=d.baseline_value, gain=0.0, standard_error=0.0, interval=still, p_value=1.0)
            for d in regression.comparison.deltas
        )
        same = replace(
            regression.comparison,
            deltas=deltas,
            delta_one=0.0,
            standard_error=0.0,
            interval=still,
            p_value=1.0,
            primary=primary_record(deltas[0]),
        )
        report = verify_attestation(signed(replace(regression, comparison=same)), policy)
        assert report.verdict is Verdict.VERIFIED


class TestRealComparisons:
    """What the comparison makes of any rows, its verifier accepts: also one row, one class, no error at all."""

    CASES = (
        ([0], [0], [1]),
        ([0, 0, 1], [1, 1, 0], [0, 0, 1]),
        ([1, 1, 1], [0, 0, 0], [1, 1, 1]),
        ([0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 1]),
        ([0, 1, 2, 2, 1], [0, 1, 1, 2, 2], [0, 1, 2, 2, 0]),
    )

    @pytest.mark.parametrize("weights", [None, {"accuracy": 1}, {"recall": 1, "f1": 2}])
    @pytest.mark.parametrize(("labels", "baseline", "new"), CASES)
    def test_of_classifiers(self, claim, signed, policy, labels, baseline, new, weights) -> None:
        from hokusai.stats.paired import compare_classifiers

        classes = ("a", "b", "c")[: 3 if 2 in labels else 2]
        compared = compare_classifiers(labels, baseline, new, classes=classes, weights=weights)
        report = verify_attestation(signed(replace(claim, comparison=compared)), policy)
        assert report.failed == ()

    @pytest.mark.parametrize("seed", range(12))
    @pytest.mark.parametrize(
        "weights", [None, {"f1": 2, "precision": 1}, {"auroc": 3, "recall": 1}, {"auroc": 1}]
    )
    def test_of_any_classifiers(self, claim, signed, policy, seed, weights) -> None:
        import numpy as np

        from hokusai.stats.paired import compare_classifiers

        draw = np.random.default_rng(seed)
        n, size = int(draw.integers(4, 60)), int(draw.integers(2, 5))
        labels = np.concatenate([np.arange(size), draw.integers(0, size, n)])
        one, other = draw.integers(0, size, (2, n + size))
        compared = compare_classifiers(
            labels,
            np.where(draw.random(n + size) < 0.7, labels, one),
            np.where(draw.random(n + size) < 0.8, labels, other),
            classes=tuple("abcd"[:size]),
            baseline_scores=draw.random((n + size, size)),
            new_scores=draw.random((n + size, size)),
            weights=weights,
        )
        assert verify_attestation(signed(replace(claim, comparison=compared)), policy).failed == ()

    def test_of_so_many_classes_that_the_exact_values_are_too_long_to_write(
        self, claim, signed, policy
    ) -> None:
        # The baseline is wrong in one row of each class; class sizes are 1,000 primes near 100,000, so that the
        # mean of the recalls has a denominator of about 5,000 digits.
        sizes = [n for n in range(100_001, 112_000, 2) if all(n % d for d in range(3, 335, 2))][:1000]
        cells = [
            cell for k, n in enumerate(sizes) for cell in (((k, k, k), n - 1), ((k, (k + 1) % 1000, k), 1))
        ]
        old = Fraction(1) - sum(Fraction(1, n) for n in sizes) / 1000
        change = float(1 - old)
        error = math.sqrt(math.fsum((n - 1) / n**3 for n in sizes)) / 1000  # by the delta method, by hand
        recall = replace(
            claim.comparison.delta("recall"),
            baseline_value=float(old),
            new_value=1.0,
            gain=change,
            standard_error=error,
            interval=interval_around(change, error, 0.95),
            p_value=two_sided_p(change / error),
            exact=(old, Fraction(1)),
        )
        compared = replace(
            claim.comparison,
            n_rows=sum(sizes),
            averaging="macro",
            deltas=(recall,),
            weights={"recall": Fraction(1)},
            delta_one=change,
            standard_error=error,
            interval=recall.interval,
            p_value=recall.p_value,
            exact=1 - old,
            counts=JointCounts(tuple(map(str, range(1000))), None, tuple(sorted(cells))),
            primary=PrimaryRecord("recall", 10_000, 10_000, 0),  # 0.99999 is 9999.9 basis points
        )
        report = verify_attestation(signed(replace(claim, comparison=compared)), policy)
        assert report.failed == ()
        assert report.claim is not None
        assert report.claim.comparison.exact is None

    @pytest.mark.parametrize(
        ("baseline", "new"),
        [([1, 2, 4], [1, 2, 3.5]), ([1, 2, 3], [1, 2, 4]), ([2, 3, 4], [1, 2, 3]), ([1, 2, 3], [1, 2, 3])],
    )
    def test_of_regressors(self, claim, signed, policy, baseline, new) -> None:
        from hokusai.stats.paired import compare_regressors

        compared = compare_regressors([1, 2, 3], baseline, new)
        report = verify_attestation(signed(replace(claim, comparison=compared)), policy)
        assert report.failed == ()
