"""An epoch settled on attestations: a chain of accepted improvements, one vault, one payment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest

from hokusai.adapters.memory_ledger import MemoryLedger
from hokusai.core.benchmarks import Benchmarks
from hokusai.core.epochs import settle_epoch
from hokusai.domain.benchmark import Benchmark, UsePurpose
from hokusai.domain.claim import DeltaOneClaim, Estimator
from hokusai.domain.contribution import Contribution, Contributor
from hokusai.domain.decision import AcceptanceRule
from hokusai.domain.metrics import Task
from hokusai.errors import ConflictError, InvalidInputError
from hokusai.stats.allocation import Gain, attribute
from hokusai.stats.decide import decide
from hokusai.stats.paired import compare_classifiers

VAULT = Benchmark(
    "vault", "cd" * 32, Task.CLASSIFICATION, "label", 1000, "accuracy", 0.0157, split="vault",
    weights={"accuracy": Fraction(1)},
)  # fmt: skip
PUBLIC = "ab" * 32


def improvement(old: str, new: str, by: str = "ann", *, gained: int = 20, on: str = PUBLIC) -> DeltaOneClaim:
    """That the model `new` is right in so many more rows of 1,000 than `old`, by the data of one contributor."""
    labels = [i % 2 for i in range(1000)]
    baseline = [1 - label if i < gained else label for i, label in enumerate(labels)]
    comparison = compare_classifiers(labels, baseline, labels, classes=("no", "yes"), weights={"accuracy": 1})
    who = Contributor(by)
    gains = {(0,): Gain(tuple(gained / 1000 + noise for noise in (-0.001, 0.0, 0.001)))}
    return DeltaOneClaim(
        baseline_model_sha256=model(old),
        new_model_sha256=model(new),
        benchmark_sha256=on,
        contributions=(Contribution(who, "a.csv", "ef" * 32, 100, 10, 10, 0, 0, 0, 0),),
        comparison=comparison,
        target_column="label",
        feature_columns=("x",),
        base_rows=100,
        new_estimator=Estimator("sklearn.linear_model.LogisticRegression"),
        decision=decide(comparison, AcceptanceRule()),
        attribution=attribute([who], gains, rows=[10]),
    )


def model(name: str) -> str:
    return name.encode().hex().ljust(64, "0")


EPOCH = improvement("a", "c", gained=50, on=VAULT.data_sha256)
STEPS = [improvement("b", "c", "bob"), improvement("a", "b", "ann", gained=60)]


@pytest.fixture
def benchmarks() -> Benchmarks:
    made = Benchmarks(MemoryLedger(), "owner")
    made.add(VAULT)
    return made


def test_everybody_on_the_way_has_a_share(benchmarks: Benchmarks) -> None:
    paid = settle_epoch(benchmarks, "vault", EPOCH, STEPS)
    shares = {who.contributor_id: bps for who, bps in paid.weights}
    assert shares == {"ann": 7500, "bob": 2500}  # gains of 6 and of 2 points
    error = (0.05 * 0.95 / 1000) ** 0.5
    assert paid.settlement.pool == pytest.approx(0.05 - 1.644854 * error, abs=1e-6)
    assert settle_epoch(benchmarks, "vault", EPOCH, STEPS[::-1]) == paid


def test_it_is_written_down_once(benchmarks: Benchmarks) -> None:
    ledger = MemoryLedger()
    Benchmarks(ledger).add(VAULT)
    for _ in range(2):
        paid = settle_epoch(Benchmarks(ledger, "owner"), "vault", EPOCH, STEPS)
    (event,) = ledger.events(kind="epoch.settled")
    assert event.happening.actor == "owner"
    assert event.happening.details["pool"] == repr(paid.settlement.pool)
    assert event.happening.details["weights_bps"][0] == {"contributor": "ann", "wallet": None, "bps": 7500}


def test_another_epoch_needs_another_vault(benchmarks: Benchmarks) -> None:
    settle_epoch(benchmarks, "vault", EPOCH, STEPS)
    other = improvement("c", "d", on=VAULT.data_sha256)
    with pytest.raises(ConflictError, match="not fresh"):
        settle_epoch(benchmarks, "vault", other, [improvement("c", "d")])


@pytest.mark.parametrize(
    ("epoch", "accepted", "said"),
    [
        (improvement("a", "c"), lambda: STEPS, "the vault is cdcdcdcdcdcd"),
        (replace(EPOCH, target_column="y"), lambda: STEPS, r"\(y\)"),
        (replace(EPOCH, dry_run=True), lambda: STEPS, "rehearsal"),
        (EPOCH, lambda: STEPS[:1], "no chain"),
        (EPOCH, lambda: STEPS[1:], "no chain"),
        (EPOCH, lambda: [*STEPS, improvement("c", "d")], "no chain"),
        (EPOCH, lambda: [*STEPS, improvement("a", "b", "eve")], "no chain"),
        (EPOCH, lambda: [STEPS[0], improvement("a", "b", gained=5)], "not accepted"),
        (EPOCH, lambda: [STEPS[0], replace(STEPS[1], decision=None)], "not accepted"),
        (EPOCH, lambda: [STEPS[0], replace(STEPS[1], dry_run=True)], "not accepted"),
        (EPOCH, lambda: [STEPS[0], replace(STEPS[1], attribution=None)], "who is credited"),
        (EPOCH, lambda: [STEPS[0], improvement("a", "b", on=VAULT.data_sha256)], "on the vault itself"),
    ],
)
def test_what_does_not_belong_together_is_refused_and_the_vault_stays_sealed(
    benchmarks: Benchmarks, epoch: DeltaOneClaim, accepted: Callable[[], list[DeltaOneClaim]], said: str
) -> None:
    with pytest.raises(InvalidInputError, match=said):
        settle_epoch(benchmarks, "vault", epoch, accepted())
    assert benchmarks.uses("vault", purpose=UsePurpose.PAYMENT) == []


def test_a_vault_with_units_is_settled_on_errors_between_units() -> None:
    sealed = Benchmarks(MemoryLedger(), "owner")
    sealed.add(replace(VAULT, unit_column="user"))
    with pytest.raises(
        InvalidInputError, match="column of units is user, and the comparison's errors are between rows"
    ):
        settle_epoch(sealed, "vault", EPOCH, STEPS)
    assert sealed.uses("vault", purpose=UsePurpose.PAYMENT) == []
    labels = [i % 2 for i in range(1000)]
    baseline = [1 - label if i < 50 else label for i, label in enumerate(labels)]
    by_unit = compare_classifiers(
        labels,
        baseline,
        labels,
        classes=("no", "yes"),
        weights={"accuracy": 1},
        units=[i // 5 for i in range(1000)],
    )
    paid = settle_epoch(sealed, "vault", replace(EPOCH, comparison=by_unit), STEPS)
    assert 0 < paid.settlement.pool < 0.05


def test_an_epoch_that_changed_nothing_pays_nobody(benchmarks: Benchmarks) -> None:
    paid = settle_epoch(benchmarks, "vault", improvement("a", "a", gained=0, on=VAULT.data_sha256), [])
    assert (paid.settlement.pool, paid.weights) == (0.0, ())
