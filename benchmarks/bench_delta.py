"""What honest comparison costs, how often it is fooled, and what credit and attestations cost.

Speed: the cell bootstrap beside scipy's, DeLong, a whole comparison. Honesty: how often a contribution that changes
nothing is accepted, how often a true gain is, and how often each kind of interval lies above zero for equally good
models. Then credit (`delta_credit.py`) and attestations (`delta_attest.py`). Figures are CPU seconds of this process:
on a loaded machine they still mean something.

    python benchmarks/bench_delta.py [rows] [resamples] [repetitions]
"""

from __future__ import annotations

import importlib
import importlib.util
import math
import sys
import time
import warnings
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import numpy.typing as npt
from scipy import stats

from hokusai.domain.decision import AcceptanceRule
from hokusai.domain.delta import JointCounts
from hokusai.stats.auroc import measure_auroc
from hokusai.stats.cell_bootstrap import cell_bootstrap
from hokusai.stats.cell_influence import INFLUENCE_FUNCTION, error_from_counts
from hokusai.stats.classification import joint_counts
from hokusai.stats.decide import decide
from hokusai.stats.mcnemar import mcnemar_mid_p
from hokusai.stats.paired import compare_classifiers

ALPHA = 0.05
SCIPY_RESAMPLES = 40
"""As many as scipy is given time for; its time is in proportion to them."""

Rows = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]


def main(n_rows: int = 100_000, resamples: int = 10_000, repetitions: int = 2_000) -> None:
    """Run all of it and print it."""
    speed(n_rows, resamples)
    decisions(repetitions)
    intervals(repetitions)
    for module in ("delta_credit", "delta_attest"):
        if importlib.util.find_spec(module):
            print()
            importlib.import_module(module).main()


def speed(n_rows: int = 100_000, resamples: int = 10_000) -> dict[str, float]:
    """CPU seconds of each, and how many times scipy's the cell bootstrap's are."""
    labels, predictions, scores = _models(n_rows)
    columns = [np.column_stack([-score, score]) for score in scores]

    def cells() -> None:
        counts = joint_counts(labels, *predictions, classes=("0", "1"), positive=1)[0]
        drawn = cell_bootstrap(counts, resamples=resamples)
        for name in drawn.names:
            drawn.bca(name)

    ten = _many_classes(n_rows, 10)

    def of_ten_classes() -> None:
        drawn = cell_bootstrap(ten, resamples=resamples)
        for name in drawn.names:
            drawn.bca(name)

    theirs = _scipy_seconds(labels, predictions) * resamples / SCIPY_RESAMPLES
    found = {
        "cell bootstrap, two classes": _best_of(5, cells),
        "cell bootstrap, ten classes": _best_of(2, of_ten_classes),
        "scipy.stats.bootstrap, extrapolated": theirs,
        "DeLong, two models": _best_of(5, lambda: measure_auroc(labels, columns[0], columns[1], (1,))),
        "comparison of five metrics": _best_of(
            5,
            lambda: compare_classifiers(
                labels, *predictions, classes=("0", "1"), baseline_scores=scores[0], new_scores=scores[1]
            ),
        ),
    }
    print(f"{n_rows:,} rows; bootstraps: {resamples:,} resamples, four metrics (CPU seconds)")
    for name, seconds in found.items():
        print(f"  {name:<36} {seconds:10.3f}")
    found["ratio"] = theirs / found["cell bootstrap, two classes"]
    print(f"  cell bootstrap with BCa: {found['ratio']:,.0f} x scipy's percentile bootstrap")
    print(
        f"  (scipy timed with {SCIPY_RESAMPLES} resamples; the {n_rows:,} leave-one-out runs of its BCa not counted)"
    )
    return found


def decisions(repetitions: int = 2_000, n_rows: int = 10_000, discordance: float = 0.04) -> dict[str, float]:
    """Share of contributions accepted: of those that change nothing, and of those worth a point."""
    significance = AcceptanceRule(min_rows=1, threshold=Fraction(0), alpha=ALPHA)
    found = {
        "no gain": _accepted(repetitions, n_rows, discordance, 0.0, significance),
        "no gain, all tables counted": _size(n_rows, discordance),
        "+1 point": _accepted(repetitions // 4, n_rows, discordance, 0.01, significance),
        "+1 point, +1 point asked for": _accepted(
            repetitions // 4, n_rows, discordance, 0.01, AcceptanceRule()
        ),
    }
    error = math.sqrt(ALPHA * (1 - ALPHA) / repetitions)
    print(f"\nAccepted at alpha = {ALPHA}, {n_rows:,} rows, discordance {discordance:.0%} (+- {error:.4f})")
    for name, rate in found.items():
        print(f"  {name:<36} {rate:10.4f}")
    return found


def intervals(repetitions: int = 2_000) -> dict[str, dict[str, float]]:
    """Share of intervals above zero for equally good models, nominally .025: macro F1 of rare classes."""
    print("\n95 % intervals of macro F1 above zero, equally good models (nominal .025)")
    print(f"  {'':<26}{'jackknife':>10} {'first order':>12} {'percentile':>11} {'BCa':>7}")
    found = {}
    for n_rows, n_classes in ((30, 10), (100, 10), (300, 10), (30, 3)):
        above = dict.fromkeys(("jackknife", "first order", "percentile", "BCa"), 0)
        rng = np.random.default_rng(n_rows)
        for seed in range(repetitions):
            counts = _equally_good(rng, n_rows, n_classes)
            drawn = cell_bootstrap(counts, ["f1"], resamples=1_000, seed=seed)
            change = float(drawn.changes[0])
            errors = (
                error_from_counts(counts, {"f1": 1.0}),
                error_from_counts(counts, {"f1": 1.0}, {"f1": INFLUENCE_FUNCTION}),
            )
            lows = (
                *(change - 1.959964 * error for error in errors),
                drawn.percentile("f1").low,
                drawn.bca("f1").low,
            )
            for name, low in zip(above, lows, strict=True):
                above[name] += change > 0 and low > 1e-12
        rates = {name: times / repetitions for name, times in above.items()}
        found[f"{n_rows} rows, {n_classes} classes"] = rates
        first, second, third, last = rates.values()
        print(
            f"  {n_rows:>4} rows, {n_classes:>2} classes      {first:10.3f} {second:12.3f} {third:11.3f} {last:7.3f}"
        )
    return found


def _models(n_rows: int) -> tuple[Rows, list[Rows], list[Scores]]:
    """Labels, both models' predictions and both models' scores."""
    rng = np.random.default_rng(0)
    labels = (rng.random(n_rows) < 0.3).astype(np.int64)
    shared = rng.normal(size=n_rows)
    scores = [(1 + gain) * labels + 0.8 * shared + 0.6 * rng.normal(size=n_rows) for gain in (0.0, 0.1)]
    return labels, [(score > 0.5).astype(np.int64) for score in scores], scores


def _many_classes(n_rows: int, n_classes: int) -> JointCounts:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, n_classes, n_rows)
    old = np.where(rng.random(n_rows) < 0.85, labels, rng.integers(0, n_classes, n_rows))
    new = np.where(rng.random(n_rows) < 0.8, old, rng.integers(0, n_classes, n_rows))
    return joint_counts(labels, old, new, classes=tuple(map(str, range(n_classes))), positive=None)[0]


def _equally_good(rng: np.random.Generator, n_rows: int, n_classes: int) -> JointCounts:
    labels = rng.integers(0, n_classes, n_rows)
    old, new = (
        np.where(rng.random(n_rows) < 0.7, labels, rng.integers(0, n_classes, n_rows)) for _ in range(2)
    )
    return joint_counts(labels, old, new, classes=tuple(map(str, range(n_classes))), positive=None)[0]


def _scipy_seconds(labels: Rows, predictions: list[Rows]) -> float:
    """CPU seconds of scipy's paired percentile bootstrap of the same four metrics, all four in one pass."""

    def changes(label: Rows, old: Rows, new: Rows, axis: int = -1) -> Scores:
        per_model = []
        for said in (old, new):
            hits, positives, truths = (np.sum(part, axis=axis) for part in (label & said, said, label))
            right = np.mean(label == said, axis=axis)
            per_model.append([right, hits / positives, hits / truths, 2 * hits / (positives + truths)])
        return np.subtract(per_model[1], per_model[0])

    def run() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            stats.bootstrap(
                (labels, *predictions),
                changes,
                paired=True,
                vectorized=True,
                method="percentile",
                n_resamples=SCIPY_RESAMPLES,
                batch=10,
                rng=np.random.default_rng(2),
            )

    return _best_of(3, run)


def _accepted(repetitions: int, n_rows: int, discordance: float, gain: float, rule: AcceptanceRule) -> float:
    """Share of contributions with this true gain that the rule accepts, from rows to decision."""
    rng = np.random.default_rng(3)
    ways = [(discordance - gain) / 2, (discordance + gain) / 2, 0.85, 0.15 - discordance]
    accepted = 0
    for lost, won, both, neither in rng.multinomial(n_rows, ways, size=repetitions):
        old = np.repeat([1, 0, 1, 0], [lost, won, both, neither])
        new = np.repeat([0, 1, 1, 0], [lost, won, both, neither])
        compared = compare_classifiers(
            np.ones(n_rows, dtype=np.int64), old, new, classes=("no", "yes"), metrics=["accuracy"]
        )
        accepted += decide(compared, rule).accepted
    return accepted / repetitions


def _size(n_rows: int, discordance: float) -> float:
    """The same without luck: the chances of all tables of equally good models that are accepted, added up."""
    total = 0.0
    few, many = (int(stats.binom.ppf(share, n_rows, discordance)) for share in (1e-12, 1 - 1e-12))
    for differ in range(few, many + 1):
        low, high = differ // 2, differ + 1  # the least number of rows won that is significant lies between
        while low < high:
            won = (low + high) // 2
            significant = 2 * won > differ and mcnemar_mid_p(differ - won, won) / 2 < ALPHA
            low, high = (low, won) if significant else (won + 1, high)
        total += float(stats.binom.pmf(differ, n_rows, discordance) * stats.binom.sf(low - 1, differ, 0.5))
    return total


def _best_of(times: int, run: Callable[[], object]) -> float:
    seconds = []
    for _ in range(times):
        started = time.process_time()
        run()
        seconds.append(time.process_time() - started)
    return min(seconds)


if __name__ == "__main__":
    main(*(int(argument.replace(",", "").replace("_", "")) for argument in sys.argv[1:]))
