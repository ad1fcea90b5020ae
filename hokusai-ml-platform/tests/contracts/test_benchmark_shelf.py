"""Every `BenchmarkShelf` keeps the same contract: in memory, on SQLite, and on a real PostgreSQL server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import pytest

from hokusai.domain.audit import chain_faults
from hokusai.domain.benchmark import Benchmark, BenchmarkUse, UsePurpose
from hokusai.domain.decision import AcceptanceRule, Guardrail
from hokusai.domain.metrics import Task
from hokusai.errors import ConflictError, InvalidInputError, NotFoundError
from hokusai.ports import Ledger

SUBMISSION, PAYMENT, EVALUATION = UsePurpose.SUBMISSION, UsePurpose.PAYMENT, UsePurpose.EVALUATION


def benchmark(name: str = "churn", n_rows: int = 10_000) -> Benchmark:
    return Benchmark(
        name=name,
        data_sha256="ab" * 32,
        task=Task.CLASSIFICATION,
        target_column="größe",
        n_rows=n_rows,
        primary_metric="f1",
        minimum_detectable_delta=0.004972,
        weights={"f1": Fraction(2, 3), "accuracy": Fraction(1, 3)},
        rule=AcceptanceRule(guardrails=(Guardrail("recall", 0.01, slice=("region", "EU")),)),
        labels_secret=True,
    )


@pytest.fixture
def added(ledger: Ledger) -> str:
    """The identity of a benchmark that is there."""
    ledger.benchmarks.put(benchmark(), actor="ann")
    return benchmark().sha256


class TestRecords:
    def test_are_given_back_as_they_were(self, ledger: Ledger, added: str) -> None:
        assert ledger.benchmarks.get(added) == benchmark()
        (event,) = ledger.events()
        assert (event.happening.kind, event.happening.subject, event.happening.actor) == (
            "benchmark.added",
            added,
            "ann",
        )

    def test_that_are_there_already_stay(self, ledger: Ledger, added: str) -> None:
        ledger.benchmarks.use(added, SUBMISSION, "model", "ann")
        ledger.benchmarks.put(benchmark(), actor="bob")
        assert ledger.benchmarks.find() == [benchmark()]
        assert len(ledger.benchmarks.uses(added)) == 1
        assert [event.happening.kind for event in ledger.events()] == ["benchmark.added", "benchmark.used"]

    def test_of_one_name_are_several_and_the_newest_is_first(self, ledger: Ledger, added: str) -> None:
        second, other = benchmark(n_rows=20_000), benchmark("leads")
        ledger.benchmarks.put(second)
        ledger.benchmarks.put(other)
        assert ledger.benchmarks.find("churn") == [second, benchmark()]
        assert ledger.benchmarks.find() == [other, second, benchmark()]
        assert ledger.benchmarks.find("Churn") == []

    def test_are_found_by_the_beginning_of_their_identity(self, ledger: Ledger, added: str) -> None:
        assert ledger.benchmarks.find(prefix=added[:6]) == [benchmark()]
        assert ledger.benchmarks.find(prefix=added) == [benchmark()]
        assert ledger.benchmarks.find(prefix=added + "0") == []
        assert ledger.benchmarks.find(prefix="x") == []
        assert ledger.benchmarks.find("\0") == []
        assert ledger.benchmarks.find("leads", prefix=added[:6]) == []

    def test_that_are_not_there(self, ledger: Ledger) -> None:
        unknown = "0" * 64
        for ask in (
            lambda: ledger.benchmarks.get(unknown),
            lambda: ledger.benchmarks.use(unknown, SUBMISSION, "model", "ann"),
            lambda: ledger.benchmarks.uses(unknown),
            lambda: ledger.benchmarks.ladder(unknown),
            lambda: ledger.benchmarks.set_ladder(unknown, b"", version=0),
        ):
            with pytest.raises(NotFoundError, match="no such benchmark"):
                ask()


class TestUses:
    def test_are_numbered_by_purpose_and_listed_as_they_came(self, ledger: Ledger, added: str) -> None:
        shelf = ledger.benchmarks
        made = [
            shelf.use(added, SUBMISSION, "m1", "ann", actor="gate"),
            shelf.use(added, EVALUATION, "m1", "bob"),
            shelf.use(added, SUBMISSION, "m2", "Bob"),
            shelf.use(added, SUBMISSION, "m3", "ann"),
        ]
        assert [use.number for use in made] == [1, 1, 2, 3]
        assert shelf.uses(added) == made
        assert shelf.uses(added, purpose=SUBMISSION) == [made[0], made[2], made[3]]
        assert shelf.uses(added, submitter="BOB") == [made[1], made[2]]
        assert shelf.uses(added, purpose=PAYMENT) == []
        told = ledger.events(kind="benchmark.used")
        assert told[0].happening.actor == "gate"
        assert told[2].happening.details == {
            "purpose": "submission",
            "subject": "m2",
            "submitter": "Bob",
            "number": 2,
        }

    def test_of_the_same_subject_are_one(self, ledger: Ledger, added: str) -> None:
        first = ledger.benchmarks.use(added, SUBMISSION, "model", "ann")
        assert ledger.benchmarks.use(added, SUBMISSION, "model", "bob", limit=0) == first
        assert ledger.benchmarks.uses(added) == [BenchmarkUse(added, SUBMISSION, "model", "ann", 1)]
        assert len(ledger.events(kind="benchmark.used")) == 1

    def test_of_two_benchmarks_are_counted_apart(self, ledger: Ledger, added: str) -> None:
        ledger.benchmarks.put(benchmark("leads"))
        ledger.benchmarks.use(added, SUBMISSION, "model", "ann")
        assert ledger.benchmarks.use(benchmark("leads").sha256, SUBMISSION, "model", "ann").number == 1

    def test_beyond_a_submitters_limit_are_refused_in_any_case_of_his_name(
        self, ledger: Ledger, added: str
    ) -> None:
        shelf = ledger.benchmarks
        for subject in ("m1", "m2"):
            shelf.use(added, SUBMISSION, subject, "0xAB", limit=2)
        with pytest.raises(ConflictError, match=r"0xab has used the benchmark 2 times .* and 2 is the limit"):
            shelf.use(added, SUBMISSION, "m3", "0xab", limit=2)
        assert shelf.use(added, EVALUATION, "m3", "0xab", limit=2).number == 1
        assert shelf.use(added, SUBMISSION, "m3", "bob", limit=2).number == 3

    def test_a_vault_is_opened_for_one_payment(self, ledger: Ledger, added: str) -> None:
        first = ledger.benchmarks.use(added, PAYMENT, "epoch 1", "owner")
        assert ledger.benchmarks.use(added, PAYMENT, "epoch 1", "owner") == first
        with pytest.raises(ConflictError, match=r"The vault is spent.*fresh rows"):
            ledger.benchmarks.use(added, PAYMENT, "epoch 2", "owner")
        assert ledger.benchmarks.uses(added) == [first]

    def test_that_could_not_be_shown_are_refused(self, ledger: Ledger, added: str) -> None:
        everybody = ", ".join(f"0x{i:040x}" for i in range(100))
        assert ledger.benchmarks.use(added, EVALUATION, "m", everybody, limit=1).submitter == everybody
        with pytest.raises(ConflictError):
            ledger.benchmarks.use(added, EVALUATION, "n", everybody, limit=1)
        for subject, submitter in (
            ("", "a"),
            ("m", ""),
            ("m\0", "a"),
            ("m" * 257, "a"),
            ("m", "x" * 10_001),
            ("m", "a\nb"),
        ):
            with pytest.raises(InvalidInputError, match="printable"):
                ledger.benchmarks.use(added, SUBMISSION, subject, submitter)
        assert ledger.benchmarks.uses(added, purpose=SUBMISSION) == []

    def test_by_many_at_once_have_numbers_without_gaps(self, ledger: Ledger, added: str) -> None:
        def use(i: int) -> BenchmarkUse | None:
            try:
                return ledger.benchmarks.use(added, SUBMISSION, f"m{i % 20}", f"s{i % 4}", limit=4)
            except ConflictError:
                return None

        with ThreadPoolExecutor(8) as threads:
            made = {use for use in threads.map(use, range(40)) if use}
        assert sorted(use.number for use in made) == list(range(1, 17))  # four of each of four submitters
        assert {use.submitter for use in made} == {"s0", "s1", "s2", "s3"}
        assert set(ledger.benchmarks.uses(added)) == made
        assert chain_faults(ledger.events(), ledger.head()) == []

    def test_only_one_of_many_payments_is_settled(self, ledger: Ledger, added: str) -> None:
        def pay(i: int) -> bool:
            try:
                return bool(ledger.benchmarks.use(added, PAYMENT, f"epoch {i}", "owner"))
            except ConflictError:
                return False

        with ThreadPoolExecutor(6) as threads:
            assert sum(threads.map(pay, range(6))) == 1


class TestTheLadder:
    def test_begins_with_nothing(self, ledger: Ledger, added: str) -> None:
        assert ledger.benchmarks.ladder(added) == (b"", 0)

    def test_is_replaced_by_whoever_saw_its_last_version(self, ledger: Ledger, added: str) -> None:
        shelf = ledger.benchmarks
        assert shelf.set_ladder(added, b"\0first", version=0) == 1
        assert shelf.set_ladder(added, b"second\xff", version=1) == 2
        for stale in (0, 1, 3):
            with pytest.raises(ConflictError, match="meanwhile"):
                shelf.set_ladder(added, b"late", version=stale)
        assert shelf.ladder(added) == (b"second\xff", 2)

    def test_loses_no_update_of_many_at_once(self, ledger: Ledger, added: str) -> None:
        def add(i: int) -> None:
            while True:
                state, version = ledger.benchmarks.ladder(added)
                try:
                    ledger.benchmarks.set_ladder(added, state + bytes([i]), version=version)
                except ConflictError:
                    continue
                return

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(add, range(8)))
        state, version = ledger.benchmarks.ladder(added)
        assert (sorted(state), version) == (list(range(8)), 8)
