"""Benchmarks: found by name, used within limits, answered through the Ladder, paid on once."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from hokusai.adapters.memory_ledger import MemoryLedger
from hokusai.core.benchmarks import Benchmarks, EpochPayment
from hokusai.domain.attribution import Attribution, AttributionMethod, Credit
from hokusai.domain.benchmark import Benchmark, UsePurpose
from hokusai.domain.contribution import Contributor
from hokusai.domain.decision import AcceptanceRule
from hokusai.domain.delta import Comparison
from hokusai.domain.metrics import Task
from hokusai.errors import ConflictError, InvalidInputError, NotFoundError
from hokusai.stats.paired import compare_classifiers
from hokusai.stats.settlement import Accepted

FIRST, LAST, OTHER = "1" * 64, "2" * 64, "3" * 64
SUBMISSION, PAYMENT = UsePurpose.SUBMISSION, UsePurpose.PAYMENT


def benchmark(
    name: str = "churn", *, data: str = "ab" * 32, split: str = "test", n_rows: int = 1000
) -> Benchmark:
    return Benchmark(
        name=name,
        data_sha256=data,
        task=Task.CLASSIFICATION,
        target_column="label",
        n_rows=n_rows,
        primary_metric="accuracy",
        minimum_detectable_delta=0.0157,
        split=split,
        rule=AcceptanceRule(),
    )


VAULT = replace(benchmark("vault", data="cd" * 32, split="vault"), weights={"accuracy": Fraction(1)})


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger()


@pytest.fixture
def benchmarks(ledger: MemoryLedger) -> Benchmarks:
    made = Benchmarks(ledger, "ann")
    made.add(benchmark())
    made.add(VAULT)
    return made


class TestGet:
    def test_by_name_identity_or_how_that_begins(self, benchmarks: Benchmarks) -> None:
        for ref in ("churn", benchmark().sha256, benchmark().sha256[:6]):
            assert benchmarks.get(ref) == benchmark()

    def test_by_name_gives_the_newest(self, benchmarks: Benchmarks) -> None:
        newer = benchmarks.add(benchmark(n_rows=2000))
        assert benchmarks.get("churn") == newer
        assert benchmarks.find("churn") == [newer, benchmark()]
        assert benchmarks.get(benchmark().sha256) == benchmark()

    def test_of_what_is_not_there_suggests_what_is(self, benchmarks: Benchmarks) -> None:
        with pytest.raises(NotFoundError, match=r"'chrun'.*Did you mean 'churn'"):
            benchmarks.get("chrun")
        with pytest.raises(NotFoundError, match=r"There are: churn, vault"):
            benchmarks.get(benchmark().sha256[:5])  # too short to be meant
        with pytest.raises(NotFoundError, match="hokusai benchmark add"):
            Benchmarks(MemoryLedger()).get("f" * 64)

    def test_by_a_beginning_that_several_have_is_refused(self, benchmarks: Benchmarks) -> None:
        alike = [benchmarks.add(benchmark(name)) for name in ("b2133", "b5698")]  # found by trying
        beginning = "c5d294"
        assert {one.sha256[:6] for one in alike} == {beginning}
        with pytest.raises(InvalidInputError, match=rf"2 benchmarks begin with '{beginning}'"):
            benchmarks.get(beginning)
        assert benchmarks.get(alike[0].sha256[:12]) == alike[0]


class TestUse:
    def test_is_counted_and_limited(self, benchmarks: Benchmarks, ledger: MemoryLedger) -> None:
        assert benchmarks.use("churn", SUBMISSION, FIRST, "Bob", limit=1).number == 1
        with pytest.raises(ConflictError, match=r"bob has used .* 1 is the limit"):
            benchmarks.use("churn", SUBMISSION, LAST, "bob", limit=1)
        assert [use.subject for use in benchmarks.uses("churn", submitter="bob")] == [FIRST]
        assert ledger.events(kind="benchmark.used")[0].happening.actor == "ann"

    def test_of_a_vault_is_for_payment_only(self, benchmarks: Benchmarks) -> None:
        for purpose in (SUBMISSION, UsePurpose.EVALUATION):
            with pytest.raises(ConflictError, match="opened once"):
                benchmarks.use("vault", purpose, FIRST, "bob")
        with pytest.raises(ConflictError, match="Nobody is told"):
            benchmarks.feedback("vault", [0.0, 1.0], baseline_losses=[1.0, 1.0])
        assert benchmarks.uses("vault") == []

    def test_for_payment_needs_a_vault(self, benchmarks: Benchmarks) -> None:
        with pytest.raises(InvalidInputError, match="no vault"):
            benchmarks.use("churn", PAYMENT, FIRST, "owner")


class TestFeedback:
    @pytest.fixture
    def losses(self) -> np.ndarray:
        """Of a model that is wrong in the first 200 of 1,000 rows."""
        return np.where(np.arange(1000) < 200, 1.0, 0.0)

    def test_tells_of_an_improvement_beyond_noise_and_remembers_it(
        self, benchmarks: Benchmarks, losses: np.ndarray
    ) -> None:
        better = np.where(np.arange(1000) < 150, 1.0, 0.0)
        told = benchmarks.feedback("churn", better, baseline_losses=losses)
        assert (told.improved, told.loss) == (True, Fraction(150, 1000))
        again = benchmarks.feedback("churn", losses)
        assert (again.improved, again.loss) == (False, Fraction(150, 1000))

    def test_tells_nothing_of_one_that_is_lucky(self, benchmarks: Benchmarks, losses: np.ndarray) -> None:
        lucky = losses.copy()
        lucky[[0, 1, 2, 500, 501]] = 1 - lucky[[0, 1, 2, 500, 501]]  # three better, two worse
        told = benchmarks.feedback("churn", lucky, baseline_losses=losses)
        assert (told.improved, told.loss) == (False, Fraction(200, 1000))

    def test_begins_with_a_baseline_of_the_same_rows(
        self, benchmarks: Benchmarks, losses: np.ndarray
    ) -> None:
        with pytest.raises(InvalidInputError, match="nothing to be better than"):
            benchmarks.feedback("churn", losses)
        with pytest.raises(InvalidInputError, match=r"1000 rows, and there are losses of 999"):
            benchmarks.feedback("churn", losses, baseline_losses=losses[1:])
        benchmarks.feedback("churn", losses, baseline_losses=losses)
        with pytest.raises(InvalidInputError, match="1000 rows"):
            benchmarks.feedback("churn", losses[1:])

    def test_follows_from_what_somebody_else_submitted_meanwhile(
        self, ledger: MemoryLedger, benchmarks: Benchmarks, losses: np.ndarray
    ) -> None:
        best = np.where(np.arange(1000) < 100, 1.0, 0.0)
        good = np.where(np.arange(1000) < 150, 1.0, 0.0)
        shelf, raced = ledger.benchmarks, []
        write = shelf.set_ladder

        def after_somebody_else(sha256: str, state: bytes, *, version: int) -> int:
            if not raced:
                raced.append(True)
                Benchmarks(ledger).feedback("churn", best, baseline_losses=losses)
            return write(sha256, state, version=version)

        shelf.set_ladder = after_somebody_else  # type: ignore[method-assign]  # the moment between reading and writing
        told = benchmarks.feedback("churn", good, baseline_losses=losses)
        assert (told.improved, told.loss) == (False, Fraction(100, 1000))


class TestSettle:
    @pytest.fixture
    def better(self) -> Comparison:
        """50 rows of 1,000 go from wrong to right: +5 points in accuracy, and nothing else counts."""
        return compared(50)

    def test_pays_the_lower_bound_and_spends_the_vault(
        self, benchmarks: Benchmarks, better: Comparison
    ) -> None:
        paid = self.settle(benchmarks, better)
        error = (0.05 * 0.95 / 1000) ** 0.5  # of 50 changes in 1,000 rows, all for the better
        assert paid.settlement.pool == pytest.approx(0.05 - 1.644854 * error, abs=1e-6)
        assert paid.use.subject.startswith(f"{FIRST}..{LAST}..")
        assert [use.purpose for use in benchmarks.uses("vault")] == [PAYMENT]
        assert self.settle(benchmarks, better) == paid
        with pytest.raises(ConflictError, match=r"not fresh.*payment"):
            self.settle(benchmarks, better, last=OTHER)

    def test_of_the_same_models_for_other_people_is_another_payment(
        self, benchmarks: Benchmarks, better: Comparison
    ) -> None:
        self.settle(benchmarks, better, accepted=[attribution(0.03, (Contributor("ann"), 10_000))])
        with pytest.raises(ConflictError, match="not fresh"):
            self.settle(benchmarks, better, accepted=[attribution(0.03, (Contributor("eve"), 10_000))])
        with pytest.raises(ConflictError, match="not fresh"):
            self.settle(benchmarks, replace(better, standard_error=1e-6))

    def test_needs_the_weights_that_were_agreed_equal_ones_if_none_were(
        self, benchmarks: Benchmarks, better: Comparison
    ) -> None:
        benchmarks.add(replace(VAULT, name="equal", data_sha256="ee" * 32, weights={}))
        with pytest.raises(InvalidInputError, match="weighs"):
            self.settle(benchmarks, better, ref="equal")

    def test_needs_labels_that_served_in_no_other_file(
        self, benchmarks: Benchmarks, better: Comparison
    ) -> None:
        benchmarks.add(
            replace(VAULT, name="public", split="test", data_sha256="ef" * 32, labels_root="aa" * 32)
        )
        benchmarks.use("public", SUBMISSION, OTHER, "bob")
        benchmarks.add(replace(VAULT, name="secret", labels_root="aa" * 32))
        with pytest.raises(ConflictError, match=r"they served as public"):
            self.settle(benchmarks, better, ref="secret")

    def test_of_an_epoch_that_was_settled_on_another_vault_is_refused(
        self, benchmarks: Benchmarks, better: Comparison
    ) -> None:
        self.settle(benchmarks, better)
        benchmarks.add(replace(VAULT, name="second", data_sha256="ee" * 32))
        with pytest.raises(ConflictError, match="was settled on the vault"):
            self.settle(benchmarks, better, ref="second")

    def test_shares_the_pool_among_who_was_accepted(self, benchmarks: Benchmarks, better: Comparison) -> None:
        ann, bob = Contributor("ann"), Contributor("bob")
        accepted = [
            attribution(0.03, (ann, 7500), (bob, 2500)),
            attribution(0.01, (bob, 10_000)),
        ]  # ann .0225, bob .0075 + .01
        weights = self.settle(benchmarks, better, accepted=accepted).weights
        assert weights == ((ann, 5625), (bob, 4375))

    def test_of_no_gain_spends_the_vault_and_pays_nothing(self, benchmarks: Benchmarks) -> None:
        paid = self.settle(
            benchmarks, compared(2), accepted=[attribution(0.03, (Contributor("ann"), 10_000))]
        )
        assert (paid.settlement.pool, paid.weights) == (0.0, ())
        with pytest.raises(ConflictError, match="not fresh"):
            self.settle(benchmarks, compared(2), last=OTHER)

    def test_needs_rows_that_served_under_no_other_name(
        self, benchmarks: Benchmarks, better: Comparison
    ) -> None:
        benchmarks.add(replace(VAULT, name="public", split="test"))
        benchmarks.use("public", SUBMISSION, OTHER, "bob")
        with pytest.raises(ConflictError, match=r"they served as public for a submission"):
            self.settle(benchmarks, better)
        assert benchmarks.uses("vault") == []

    def test_of_a_vault_that_is_added_anew_under_another_name_is_refused(
        self, benchmarks: Benchmarks, better: Comparison
    ) -> None:
        self.settle(benchmarks, better)
        benchmarks.add(replace(VAULT, name="vault again"))
        with pytest.raises(ConflictError, match="they served as vault for a payment"):
            self.settle(benchmarks, better, ref="vault again", last=OTHER)

    @pytest.mark.parametrize(
        ("ref", "comparison", "said"),
        [
            ("churn", lambda: compared(50), "no vault"),
            ("vault", lambda: compared(50, 900), "1000"),
            ("weighed", lambda: compared(50), "weighs"),
        ],
    )
    def test_of_what_does_not_fit_spends_nothing(
        self, benchmarks: Benchmarks, ref: str, comparison: object, said: str
    ) -> None:
        benchmarks.add(replace(VAULT, name="weighed", data_sha256="ef" * 32, weights={"f1": Fraction(1)}))
        with pytest.raises(InvalidInputError, match=said):
            self.settle(benchmarks, comparison(), ref=ref)  # type: ignore[operator]
        assert benchmarks.uses(ref) == []

    @staticmethod
    def settle(
        benchmarks: Benchmarks,
        comparison: Comparison,
        *,
        ref: str = "vault",
        last: str = LAST,
        accepted: list[Accepted] | None = None,
    ) -> EpochPayment:
        return benchmarks.settle(
            ref, comparison, first_model_sha256=FIRST, last_model_sha256=last, accepted=accepted or ()
        )


def compared(gained: int, n_rows: int = 1000) -> Comparison:
    labels = np.arange(n_rows) % 2
    baseline = np.where(np.arange(n_rows) < gained, 1 - labels, labels)
    return compare_classifiers(labels, baseline, labels, classes=("no", "yes"), weights={"accuracy": 1})


def attribution(gain: float, *paid: tuple[Contributor, int]) -> Accepted:
    shares = tuple(Credit(who, gain, None, None, bps, 10) for who, bps in paid)
    return Accepted(gain, Attribution(AttributionMethod.PROPORTIONAL, gain, shares))
