"""What does the hash of a dataset cost, beside SHA-256 of the CSV file with the same rows?

Rows are like those of a support desk: 22 columns of ids, text, numbers with gaps, labels and times. Figures are CPU
seconds of this process. Where the processor has instructions for SHA-256 the file's hash is about five times as fast,
and the ratios are larger: they are compared with targets that were set on such a machine.

    python benchmarks/bench_data_hash.py [rows]
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from hokusai.pipeline.data.block_hash import block_hash
from hokusai.pipeline.data.dataset_hash import dataset_hash
from hokusai.pipeline.data.digest_log import DigestLog, first_match
from hokusai.pipeline.data.row_digests import row_digests

REPEATS = 3
AT_MOST = {"row-level": 10.0, "block-level": 2.6}
BATCH_ROWS = 65_536
WORDS = (
    *("how", "do", "I", "reset", "my", "password", "please", "the", "order", "number", "refund", "invoice"),
    *(
        "shipping",
        "delay",
        "account",
        "billing",
        "api",
        "error",
        "token",
        "model",
        "when",
        "will",
        "it",
        "arrive",
    ),
)


def main(n_rows: int = 400_000) -> int:
    """Time all on the same rows, print them side by side, and say whether the targets are met."""
    with tempfile.TemporaryDirectory() as folder:
        frame, csv = rows(n_rows), Path(folder, "rows.csv")
        frame.write_csv(csv)
        file_bytes = csv.read_bytes()

        def on_disk() -> None:
            with DigestLog(folder) as log:
                for batch in frame.iter_slices(BATCH_ROWS):
                    log.append(row_digests(batch))
                log.dataset_hash(frame.schema, skip=log.duplicates())

        floor = _best_of(lambda: hashlib.sha256(file_bytes).digest())
        figures = {
            "sha256 of the CSV file": floor,
            "digests of the rows": _best_of(lambda: row_digests(frame)),
            "row-level": _best_of(lambda: dataset_hash(frame)),
            "row-level, on disk": _best_of(on_disk),
            "block-level": _best_of(lambda: block_hash(frame)),
        }
        keys = row_digests(frame.select("query_id"))
        with DigestLog(folder) as log:
            log.append(keys)
            figures["duplicates in a log"] = _best_of(log.duplicates)
            figures["a log against itself"] = _best_of(lambda: first_match(log, log))
    print(f"{n_rows:,} rows, {frame.width} columns, {len(file_bytes) / 1e6:,.0f} MB of CSV")
    print(f"{'':26}  CPU s   ns/row   MB/CPU s   x sha256   target")
    missed = 0
    for name, seconds in figures.items():
        ratio, target = seconds / floor, AT_MOST.get(name)
        missed += target is not None and ratio > target
        print(
            f"{name:<26} {seconds:6.2f} {seconds / n_rows * 1e9:8,.0f} {len(file_bytes) / 1e6 / seconds:10,.0f}"
            f" {ratio:10.2f}   {f'<= {target}' if target else ''}"
        )
    print("All targets are met." if not missed else f"{missed} targets are missed.")
    return missed


def rows(n_rows: int, seed: int = 1) -> pl.DataFrame:
    """Queries with labels, features, ids and times; 3 % of the features are missing."""
    rng = np.random.default_rng(seed)
    words = np.array(WORDS)
    text = pl.DataFrame({f"w{i}": words[rng.integers(0, len(words), n_rows)] for i in range(14)})
    columns: dict[str, pl.Series] = {
        "query_id": pl.Series([f"q{i:09d}" for i in range(n_rows)]),
        "query": text.select(pl.concat_str(pl.all(), separator=" ")).to_series(),
        "contact": pl.Series([f"user{i}@example.com" for i in rng.integers(0, 10 * n_rows, n_rows)]),
        "phone": pl.Series([f"+1415555{i:04d}" for i in rng.integers(0, 10_000, n_rows)]),
        "label": pl.Series(
            np.array(["billing", "shipping", "technical", "other"])[rng.integers(0, 4, n_rows)]
        ),
        "at": pl.Series(rng.integers(1_600_000_000, 1_700_000_000, n_rows) * 1_000_000).cast(
            pl.Datetime("us")
        ),
        "solved": pl.Series(rng.random(n_rows) < 0.5),
    }
    for i in range(10):
        values = rng.normal(size=n_rows)
        values[rng.random(n_rows) < 0.03] = np.nan
        columns[f"feature_{i}"] = pl.Series(values).fill_nan(None)
    for i in range(5):
        columns[f"count_{i}"] = pl.Series(rng.integers(0, 10 ** (i + 2), n_rows))
    return pl.DataFrame(columns)


def _best_of(work: Callable[[], object]) -> float:
    seconds = []
    for _ in range(REPEATS):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return min(seconds)


if __name__ == "__main__":
    sys.exit(bool(main(*(int(argument) for argument in sys.argv[1:]))))
