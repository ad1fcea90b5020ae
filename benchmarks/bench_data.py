"""What the whole integration of contributed files costs, beside the least that this machine could do with them.

Each figure is of a process of its own: CPU seconds (user and system) of the process, start and imports included, and
the largest anonymous part of its memory (RssAnon), looked at every 10 ms. Whole integration is: read and prove, check
against a schema, take personal data out, find duplicates, update base data by key (a twentieth of the rows), hash,
assess the quality, write Parquet and the manifest. Rows wait on disk, whatever memory is free. No target column is
named, so no model is trained to judge labels; that takes the same few seconds for any number of rows.

    make bench-data                or: python benchmarks/bench_data.py --megabytes 400 --only-integration

The floors: SHA-256 of the CSV file, which cannot be had for less than once; the rows read by Polars as they come,
nothing proved; and read and written again as Parquet. Seconds depend on the machine, above all on whether its processor
has instructions for SHA-256, so what is `MISSED` is to be read beside the floors.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import data_rows
import polars as pl

MB = 1e6
LOOK_EVERY_SECONDS = 0.01
LEAST_RATE, MOST_MEMORY, MOST_GROWTH = 40.0, 2_000.0, 11.0
SAME_MEMORY = 1.5
"""Beside ten times the rows: the libraries are the greater part of a small run's memory."""
BASE_SHARE = 20
ROOT = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took."""

    cpu_seconds: float
    wall_seconds: float
    peak_mb: float


def main() -> int:
    """Measure all, print it side by side, and give how many targets are missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megabytes", type=float, default=1_500, help="of contributed CSV")
    parser.add_argument("--folder", help="where the files are made, and removed again")
    parser.add_argument(
        "--only-integration", action="store_true", help="leave bench_data_hash and bench_pii out"
    )
    parser.add_argument("--work", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        WORK[given.work[0]](*map(Path, given.work[1:]))
        return 0
    with tempfile.TemporaryDirectory(prefix="bench-data-", dir=given.folder) as name:
        missed = _integration(Path(name), given.megabytes)
    if not given.only_integration:
        for script in ("bench_data_hash.py", "bench_pii.py"):
            print(f"\n{script}", flush=True)
            missed += subprocess.run([sys.executable, str(ROOT / script)], check=False).returncode != 0
    print("\nAll targets are met." if not missed else f"\nTargets missed: {missed}.")
    return missed


def _integration(folder: Path, megabytes: float) -> int:
    per_row = data_rows.write_csv(folder / "few.csv", 10_000) / 10_000
    rows = int(megabytes * MB / per_row)
    large, small = folder / "large.csv", folder / "small.csv"
    sizes = {large: data_rows.write_csv(large, rows), small: data_rows.write_csv(small, rows // 10)}
    for path in (large, small):
        sizes[path] += _write_base(path, rows if path is large else rows // 10)
    parquet = folder / "large.parquet"
    data_rows.write_parquet(parquet, rows)
    _write_base(parquet, rows)
    print(
        f"{rows:,} rows, {sizes[large] / MB:,.0f} MB of CSV with the base data; {platform.machine()}",
        flush=True,
    )
    print(f"{'':38} {'CPU s':>7} {'wall s':>7} {'MB/CPU s':>9} {'peak MB':>8}")
    costs: dict[str, Cost] = {}
    for name, work, path in (
        ("sha256 of the CSV file", "sha256", large),
        ("CSV read by Polars, nothing proved", "polars", large),
        ("CSV to Parquet by Polars", "polars-parquet", large),
        ("integration of CSV", "integrate", large),
        ("integration of the same rows in Parquet", "integrate", parquet),
        ("integration of a tenth of the CSV", "integrate", small),
    ):
        cost = costs[name] = _measured(work, path)
        rate = sizes[small if path is small else large] / MB / cost.cpu_seconds
        print(
            f"{name:38} {cost.cpu_seconds:7.1f} {cost.wall_seconds:7.1f} {rate:9.1f} {cost.peak_mb:8,.0f}",
            flush=True,
        )
    whole, tenth = costs["integration of CSV"], costs["integration of a tenth of the CSV"]
    floors = ("sha256 of the CSV file", "CSV to Parquet by Polars")
    floor = sum(costs[name].cpu_seconds for name in floors)
    print(f"\nThe integration takes {whole.cpu_seconds / floor:.1f} times as long as both floors together.")
    print(f"{'figure':46} {'value':>8} {'target':>8}")
    figures = (
        ("MB of CSV per CPU second, at least", sizes[large] / MB / whole.cpu_seconds, LEAST_RATE, False),
        ("peak memory, MB", whole.peak_mb, MOST_MEMORY, True),
        ("CPU seconds, times those of a tenth", whole.cpu_seconds / tenth.cpu_seconds, MOST_GROWTH, True),
        ("peak memory, times that of a tenth", whole.peak_mb / tenth.peak_mb, SAME_MEMORY, True),
    )
    missed = 0
    for name, value, target, is_most in figures:
        met = value <= target if is_most else value >= target
        missed += not met
        print(f"{name:46} {value:8,.1f} {target:8,.1f} {'met' if met else 'MISSED'}")
    return missed


def _write_base(path: Path, rows: int) -> int:
    """Base data beside `path`, in its format: the first ids with other values, each once; gives its size."""
    base = _base_of(path)
    batches = data_rows.batches(max(1, rows // BASE_SHARE), seed=1)
    rows_of_base = pl.concat(batches).unique("query_id", maintain_order=True)
    if path.suffix == ".csv":
        rows_of_base.write_csv(base)
    else:
        rows_of_base.write_parquet(base)
    return base.stat().st_size


def _base_of(path: Path) -> Path:
    return path.with_stem(f"{path.stem}-base")


def _measured(work: str, path: Path) -> Cost:
    """The cost of a process that does `work` on `path`."""
    began = time.perf_counter()
    command = [sys.executable, str(ROOT / "bench_data.py"), "--work", work, str(path)]
    with tempfile.TemporaryFile() as output:
        child = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        peak = 0
        while True:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            if pid:
                break
            peak = max(peak, _anonymous_kb(child.pid))
            time.sleep(LOOK_EVERY_SECONDS)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            output.seek(0)
            sys.exit(f"{work} of {path.name} failed:\n{output.read().decode()[-4000:]}")
    return Cost(usage.ru_utime + usage.ru_stime, time.perf_counter() - began, peak * 1024 / MB)


def _anonymous_kb(pid: int) -> int:
    """The process's anonymous memory now; 0 once it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon")), 0)


def _sha256(path: Path) -> None:
    import hashlib

    with path.open("rb") as stream:
        hashlib.file_digest(stream, "sha256")


def _polars(path: Path) -> None:
    pl.scan_csv(path).select(pl.all().count()).collect(engine="streaming")


def _polars_parquet(path: Path) -> None:
    pl.scan_csv(path).sink_parquet(path.with_suffix(".floor.parquet"))


def _integrate(path: Path) -> None:
    from hokusai.domain.schema import ColumnRule, DataSchema
    from hokusai.pipeline.data.streaming import Recipe, integrate_files
    from hokusai.privacy.tokens import Tokenizer

    schema = DataSchema(
        columns=(
            ColumnRule("query_id", "integer", nullable=False, minimum=0),
            ColumnRule("query_text", "text", nullable=False),
            ColumnRule("label", "text", allowed=("billing", "login", "shipping", "account", "other")),
            ColumnRule("age", "integer", minimum=0, maximum=150),
        )
    )
    done = integrate_files(
        path,
        path.with_suffix(".out.parquet"),
        base=_base_of(path),
        recipe=Recipe(schema=schema, how="update", key=("query_id",)),
        tokenizer=Tokenizer(bytes(range(32))),
        memory_budget_bytes=0,
    )
    path.with_suffix(".manifest.json").write_text(json.dumps(done.manifest.to_dict()))


WORK: dict[str, Callable[[Path], None]] = {
    "sha256": _sha256,
    "polars": _polars,
    "polars-parquet": _polars_parquet,
    "integrate": _integrate,
}

if __name__ == "__main__":
    sys.exit(bool(main()))
