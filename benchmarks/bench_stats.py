"""How fast is a paired comparison, beside the bootstrap that gives the same standard errors?

Both compare two binary classifiers on the same rows by accuracy, precision, recall, F1 and AUROC, and give a
standard error for each and for their mean. Figures are CPU seconds of this process: on a loaded machine they
still mean something.

    python benchmarks/bench_stats.py [rows] [resamples]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from hokusai.stats.paired import compare_classifiers

REPEATS = 5
Rows = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]


def main(n_rows: int = 100_000, resamples: int = 200) -> None:
    """Time both on the same rows and print them side by side."""
    rng = np.random.default_rng(0)
    labels = (rng.random(n_rows) < 0.3).astype(np.int64)
    shared = rng.normal(size=n_rows)
    scores = [(1 + gain) * labels + 0.8 * shared + 0.6 * rng.normal(size=n_rows) for gain in (0.0, 0.1)]
    predictions = [(s > 0.5).astype(np.int64) for s in scores]

    def ours() -> list[float]:
        compared = compare_classifiers(
            labels, *predictions, classes=("0", "1"), baseline_scores=scores[0], new_scores=scores[1]
        )
        return [*(delta.standard_error for delta in compared.deltas), compared.standard_error]

    def bootstrap() -> list[float]:
        rows = np.random.default_rng(1)
        changes = []
        for _ in range(resamples):
            at = rows.integers(0, n_rows, n_rows)
            old, new = (_metrics(labels[at], p[at], s[at]) for p, s in zip(predictions, scores, strict=True))
            changes.append(np.append(new - old, np.mean(new - old)))
        return [float(error) for error in np.std(changes, axis=0)]

    our_seconds, our_errors = _best_of(REPEATS, ours)
    their_seconds, their_errors = _best_of(1, bootstrap)
    print(f"{n_rows:,} rows, 5 metrics and their mean (CPU seconds)")
    print(f"  influence functions      {our_seconds:8.3f}   best of {REPEATS}")
    print(f"  numpy paired bootstrap   {their_seconds:8.3f}   {resamples} resamples, 1 run")
    print(f"  ratio                    {their_seconds / our_seconds:8.0f}")
    print("standard error      influence   bootstrap")
    names = ("accuracy", "precision", "recall", "f1", "auroc", "mean")
    for name, mine, theirs in zip(names, our_errors, their_errors, strict=True):
        print(f"  {name:<15} {mine:11.6f} {theirs:11.6f}")


def _metrics(labels: Rows, predictions: Rows, scores: Scores) -> Scores:
    """Accuracy, precision, recall, F1 and AUROC (scores without ties but those of resampling)."""
    hit = int(np.sum(labels & predictions))
    said, true = int(predictions.sum()), int(labels.sum())
    _, place, times = np.unique(scores, return_inverse=True, return_counts=True)
    midranks = np.cumsum(times) - (times - 1) / 2
    area = (midranks[place][labels == 1].sum() - true * (true + 1) / 2) / (true * (len(labels) - true))
    return np.array([np.mean(labels == predictions), hit / said, hit / true, 2 * hit / (said + true), area])


def _best_of(times: int, run: Callable[[], list[float]]) -> tuple[float, list[float]]:
    seconds = []
    result: list[float] = []
    for _ in range(times):
        started = time.process_time()
        result = run()
        seconds.append(time.process_time() - started)
    return min(seconds), result


if __name__ == "__main__":
    main(*(int(argument.replace(",", "").replace("_", "")) for argument in sys.argv[1:]))
