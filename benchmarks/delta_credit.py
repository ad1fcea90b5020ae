"""What luck is paid, what a benchmark's answers give away, and what fair credit costs.

Payments: submissions come one after another; each is accepted or not by some rule on a public benchmark, and becomes
the model that the next one has to beat. `paid` and `true` are percentage points in total, averaged over repetitions.
Only counts of rows enter, so that rows are not drawn one by one: of a model that is right in r of n rows, a submission
that is discordant in a share q spoils binomially many of the r and repairs binomially many of the others.

    python benchmarks/delta_credit.py [repetitions]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from hokusai.domain.attribution import AttributionMethod
from hokusai.domain.contribution import Contributor
from hokusai.stats.allocation import Coalition, Gain, attribute, coalitions
from hokusai.stats.ladder import Ladder
from hokusai.stats.mcnemar import mcnemar_mid_p
from hokusai.stats.settlement import settle

ACCURACY, DISCORDANCE = 0.85, 0.04
ALPHA, Z = 0.05, 1.6448536269514722
Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def main(repetitions: int = 200) -> None:
    """Run all of it and print it."""
    payments(repetitions)
    guessing()
    six_contributors()
    credit_speed()


@dataclass(frozen=True)
class Rule:
    """How submissions are accepted and paid.

    Attributes:
        name: For people.
        accepts: (rows repaired, rows spoilt, rows) of each repetition to whether it is accepted.
        pays: Likewise to what is paid at once, a fraction; None where an epoch is settled on a vault.
    """

    name: str
    accepts: Callable[[Counts, Counts, int], Bools]
    pays: Callable[[Counts, Counts, int], Floats] | None = None


def payments(repetitions: int = 200) -> dict[str, float]:
    """The rules side by side; gives what each pays one farmer for 300 submissions of nothing, in points."""
    rules = (
        Rule("any gain, pay what is seen", lambda b, c, _: b > c, _seen),
        Rule("p < .05, pay what is seen", _significant, _seen),
        Rule("p < .05, pay its lower bound", _significant, lambda b, c, n: np.maximum(0, _bound(b, c, n))),
        Rule("Ladder as a rule to pay by", lambda b, c, n: (b - c) / n > _error(b, c, n), _seen),
        Rule("p < .05, then the vault", _significant),
    )
    effects = np.array([0.0] * 7 + [0.003] * 2 + [-0.003])
    print(f"\nPaid by rule, accuracy {ACCURACY}, {DISCORDANCE:.0%} discordant, {repetitions} repetitions")
    print(f"{'':<30}{'honest, 100 of them, 10,000 rows':>34}{'50,000 rows':>16}{'300 nulls':>12}")
    print(
        f"{'':<30}{'accepted':>10}{'false':>7}{'power':>7}{'paid / true':>14}{'paid / true':>14}{'paid':>10}"
    )
    farmed = {}
    for rule in rules:
        small = _simulate(rule, 10_000, 100, effects, repetitions)
        large = _simulate(rule, 50_000, 100, effects, repetitions)
        null = _simulate(rule, 10_000, 300, np.zeros(1), repetitions)
        farmed[rule.name] = null.paid
        print(
            f"{rule.name:<30}{small.accepted:10.1f}{small.false_share:7.2f}{small.power:7.2f}"
            f"{small.paid:7.2f} / {small.true:4.2f}{large.paid:7.2f} / {large.true:4.2f}{null.paid:10.3f}"
        )
    return farmed


@dataclass(frozen=True)
class Outcome:
    """Averages over the repetitions; paid and true in percentage points."""

    accepted: float
    false_share: float
    power: float
    paid: float
    true: float


def _simulate(rule: Rule, n: int, submissions: int, effects: Floats, repetitions: int) -> Outcome:
    rng = np.random.default_rng([n, submissions, repetitions])
    right = rng.binomial(n, ACCURACY, repetitions)
    # Of the vault's rows: those that the first model has right (0) and wrong (1), and how many the last has right.
    first = rng.binomial(n, ACCURACY, repetitions)
    started = np.stack([first, n - first])
    kept = np.stack([first, np.zeros_like(first)])
    skill = np.full(repetitions, ACCURACY)
    paid = np.zeros(repetitions)
    accepted, false, found, worthy = (np.zeros(repetitions) for _ in range(4))
    for _ in range(submissions):
        effect = rng.choice(effects, repetitions)
        repairs, spoils = (DISCORDANCE + effect) / 2 / (1 - skill), (DISCORDANCE - effect) / 2 / skill
        b, c = rng.binomial(n - right, repairs), rng.binomial(right, spoils)
        taken = rule.accepts(b, c, n)
        if rule.pays:
            paid += np.where(taken, rule.pays(b, c, n), 0.0)
        right = np.where(taken, right + b - c, right)
        later = kept + rng.binomial(started - kept, repairs) - rng.binomial(kept, spoils)
        kept = np.where(taken, later, kept)
        skill = np.where(taken, skill + effect, skill)
        accepted += taken
        false += taken & (effect <= 0)
        worthy += effect > 0
        found += taken & (effect > 0)
    if rule.pays is None:
        b, c = kept[1], started[0] - kept[0]
        paid = np.array([_pool(int(one), int(other), n) for one, other in zip(b, c, strict=True)])
    return Outcome(
        accepted=float(accepted.mean()),
        false_share=float(false.sum() / max(accepted.sum(), 1)),
        power=float(found.sum() / max(worthy.sum(), 1)),
        paid=float(100 * paid.mean()),
        true=float(100 * (skill - ACCURACY).mean()),
    )


def _pool(repaired: int, spoilt: int, n: int) -> float:
    error = float(_error(np.array(repaired), np.array(spoilt), n))
    return settle(gain=(repaired - spoilt) / n, standard_error=error, n_rows=n, alpha=ALPHA).pool


def _significant(b: Counts, c: Counts, _n: int) -> Bools:
    return np.array([x > y and _mid_p(int(x), int(y)) / 2 < ALPHA for x, y in zip(b, c, strict=True)])


_mid_p = cache(mcnemar_mid_p)


def _seen(b: Counts, c: Counts, n: int) -> Floats:
    return (b - c) / n


def _error(b: Counts, c: Counts, n: int) -> Floats:
    """Paired standard error of (b - c) / n."""
    return np.sqrt((b + c) / n - ((b - c) / n) ** 2) / np.sqrt(n)


def _bound(b: Counts, c: Counts, n: int) -> Floats:
    return (b - c) / n - Z * _error(b, c, n)


def guessing(rows: int = 4_000, tries: int = 2_000, repetitions: int = 5) -> tuple[float, float]:
    """The share of labels that a majority of "better" random guesses has right: by full scores, and by the Ladder."""
    full, ladder = [], []
    for repetition in range(repetitions):
        rng = np.random.default_rng(repetition)
        labels = rng.integers(0, 2, rows, dtype=np.int8)
        guesses = rng.integers(0, 2, (tries, rows), dtype=np.int8)
        losses = guesses != labels
        state, better = Ladder.start(rng.integers(0, 2, rows)), []
        for i in range(tries):
            state, told = state.submit(losses[i])
            if told.improved:
                better.append(i)
        for scores, kept in ((full, losses.mean(axis=1) < 0.5), (ladder, better)):
            scores.append(float(np.mean((guesses[kept].mean(axis=0) > 0.5) == labels)))
    result = float(np.mean(full)), float(np.mean(ladder))
    print(
        f"\nLabels guessed by the majority of {tries:,} random guesses that were told to be better, {rows:,} rows"
    )
    print(f"  by full scores {result[0]:.3f}   by the Ladder {result[1]:.3f}   (chance: .500)")
    return result


def six_contributors(repetitions: int = 10, n_rows: int = 5_000) -> bool:
    """Six contributors to a logistic regression on 60 base rows; whether everything holds that has to.

    A and B gave the same 300 good rows, C 300 with 30 % of the labels wrong, D 60, E 300 with random labels, F 600.
    """
    names, sizes, wrong = "ABCDEF", (300, 300, 300, 60, 300, 600), (0.0, 0.0, 0.3, 0.0, 0.5, 0.0)
    people = [Contributor(name) for name in names]
    methods = (AttributionMethod.PROPORTIONAL, AttributionMethod.LEAVE_ONE_OUT, AttributionMethod.SHAPLEY)
    points = np.zeros((len(methods), 6))
    paid = np.zeros((len(methods), 6))
    holds = True
    started = time.process_time()
    for repetition in range(repetitions):
        gains = _trained(repetition, n_rows, sizes, wrong)
        for m, method in enumerate(methods):
            told = attribute(people, gains, rows=sizes, method=method)
            points[m] += [100 * credit.value / repetitions for credit in told.credits]
            paid[m] += [credit.weight_bps / repetitions for credit in told.credits]
        a, b, *_, e, _ = told.credits
        total = sum(credit.value for credit in told.credits)
        holds &= abs(total - told.gain) < 1e-9 and a.value == b.value and not e.weight_bps
    seconds = time.process_time() - started
    print(f"\nSix contributors, {repetitions} repetitions: points of the gain, and basis points of the pay")
    print(f"{'':<16}" + "".join(f"{name:>14}" for name in names))
    for method, value, weight in zip(methods, points, paid, strict=True):
        print(f"  {method:<14}" + "".join(f"{v:7.2f} {w:6.0f}" for v, w in zip(value, weight, strict=True)))
    print(f"  sum = gain, A = B, random labels earn nothing: {'holds' if holds else 'DOES NOT HOLD'}")
    print(f"  {seconds / repetitions:.2f} CPU seconds each, 64 models trained")
    return holds


def _trained(
    seed: int, n_rows: int, sizes: tuple[int, ...], wrong: tuple[float, ...]
) -> dict[Coalition, Gain]:
    """The gain of each coalition of contributors, of whom the first two gave the same."""
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(seed)
    direction = rng.normal(size=12)
    direction *= 0.75 / np.linalg.norm(direction)

    def draw(n: int, flipped: float = 0.0) -> tuple[Floats, Counts]:
        x = rng.normal(size=(n, 12))
        y = (rng.random(n) < 1 / (1 + np.exp(-x @ direction))).astype(np.int64)
        return x, np.where(rng.random(n) < flipped, 1 - y, y)

    base, (test_x, test_y) = draw(60), draw(n_rows)
    given = [draw(size, flipped) for size, flipped in zip(sizes, wrong, strict=True)]
    given[1] = given[0]

    def right(parts: list[tuple[Floats, Counts]]) -> Floats:
        x, y = (np.concatenate(column) for column in zip(*parts, strict=True))
        return np.asarray(LogisticRegression().fit(x, y).predict(test_x) == test_y, dtype=np.float64)

    before = right([base])
    gains = {}
    for members in coalitions(len(sizes)):
        change = right([base, *(given[i] for i in members)]) - before
        gains[members] = Gain((float(change.mean()),), (change - change.mean()).astype(np.float32))
    return gains


def credit_speed(n_rows: int = 10_000) -> dict[int, float]:
    """CPU seconds that credit takes once the coalitions are trained: exact Shapley values with the errors of rows."""
    print(f"\nExact Shapley values with their errors, {n_rows:,} benchmark rows, 3 seeds (CPU seconds)")
    seconds = {}
    for n in (6, 10):
        rng = np.random.default_rng(n)
        gains = {
            c: Gain(
                tuple(0.01 * len(c) + 0.001 * rng.normal(size=3)),
                rng.normal(0, 0.2, n_rows).astype(np.float32),
            )
            for c in coalitions(n)
        }
        started = time.process_time()
        told = attribute([Contributor(f"c{i}") for i in range(n)], gains, rows=[100] * n)
        seconds[n] = time.process_time() - started
        off = abs(sum(credit.value for credit in told.credits) - told.gain)
        print(f"  {n:2} contributors, {len(gains):5,} coalitions {seconds[n]:8.3f}   sum - gain {off:.1e}")
    return seconds


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
