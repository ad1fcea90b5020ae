"""What a real run with 1,000,000 contributed rows takes: seconds, and memory against the loaded data.

    make bench-memory              or: python benchmarks/bench_memory.py --rows 200000 --format parquet

The data is made up: 40 features and a binary label, in a temporary folder. While the run goes on, every process
of it is watched. The figure of a process is the kernel's own high-water mark of its resident memory (VmHWM), so
no peak falls between two looks; it counts file pages that the kernel could drop, so it is on the high side.
Beside it stands the largest sampled anonymous part (RssAnon): what the process really holds.

Target: the largest process holds at most 3 times the loaded contribution (as Polars counts it).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from hokusai.cli.flow_process import STEPS

ROOT = Path(__file__).resolve().parents[1]
FEATURES = 40
BASE_ROWS = BENCHMARK_ROWS = 20_000
TARGET = 3.0
LOOK_EVERY_SECONDS = 0.05
MB = 1e6


def main() -> None:
    """Make the data, run the pipeline on it, print what it took, and say whether the target is met."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--format", choices=("csv", "parquet"), default="csv")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-memory-") as name:
        folder = Path(name)
        sizes = {"contributed": given.rows, "base": BASE_ROWS, "benchmark": BENCHMARK_ROWS}
        files = {
            role: _write(folder, role, rows, seed, given.format)
            for seed, (role, rows) in enumerate(sizes.items())
        }
        loaded = files["contributed"][1]
        print(
            f"{given.rows:,} contributed rows of {FEATURES} features as {given.format}: "
            f"{files['contributed'][0].stat().st_size / MB:,.0f} MB in the file, {loaded / MB:,.0f} MB loaded",
            flush=True,
        )
        seconds, watch = _run(folder, {role: path for role, (path, _) in files.items()})
    ratio = _show(watch, loaded, seconds)
    sys.exit(0 if ratio <= TARGET else 1)


def _write(folder: Path, role: str, rows: int, seed: int, form: str) -> tuple[Path, int]:
    """A file of made-up rows; (its path, its size when loaded)."""
    draw = np.random.default_rng(seed)
    values = draw.standard_normal((rows, FEATURES)).round(6)
    weights = np.random.default_rng(99).standard_normal(FEATURES)
    noise = draw.standard_normal(rows) * 4
    frame = pl.DataFrame(values, schema=[f"feature_{n}" for n in range(FEATURES)], orient="row").with_columns(
        label=pl.Series((values @ weights + noise > 0).astype(np.int64))
    )
    path = folder / f"{role}.{form}"
    if form == "csv":
        frame.write_csv(path)
    else:
        frame.write_parquet(path)
    return path, int(frame.estimated_size())


def _run(folder: Path, files: dict[str, Path]) -> tuple[float, Watch]:
    command = [
        *(sys.executable, "-m", "src.pipeline.hokusai_pipeline", "run"),
        *(f"--{role}-data={path}" for role, path in files.items()),
        f"--output-dir={folder / 'outputs'}",
    ]
    progress = folder / "progress"
    own = {
        "HOKUSAI_HOME": str(folder / "home"),
        "METAFLOW_DATASTORE_SYSROOT_LOCAL": str(folder / "metaflow"),
        "HOKUSAI_PROGRESS_FILE": str(progress),
        "PYTHONPATH": str(ROOT),
    }
    environment = {**os.environ, **own}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with (folder / "output").open("wb") as output:
        began = time.monotonic()
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        watch = Watch(process.pid, progress)
        watch.start()
        code = process.wait()
        seconds = time.monotonic() - began
        watch.stop()
    if code:
        sys.exit(f"the run failed with {code}:\n{(folder / 'output').read_text()[-4000:]}")
    return seconds, watch


@dataclass
class Seen:
    """The most that one process was seen to hold, in bytes, and what the run was doing when it appeared."""

    step: str
    peak: int = 0
    anonymous: int = 0


class Watch(threading.Thread):
    """Looks at all processes below a given one, until it is told to stop."""

    def __init__(self, root: int, progress: Path) -> None:
        super().__init__(daemon=True)
        self._root = root
        self._progress = progress
        self._ended = threading.Event()
        self.processes: dict[int, Seen] = {}
        self.step_seconds: dict[str, float] = {}

    def run(self) -> None:
        """Look, again and again."""
        while not self._ended.wait(LOOK_EVERY_SECONDS):
            step = self._step()
            for pid in _family(self._root):
                held = _memory(pid)
                if held is None:
                    continue
                # A step is the head of a process group of its own; all else is the engine.
                own = _is_group_head(pid) and pid != self._root
                seen = self.processes.setdefault(pid, Seen(step if own else "engine"))
                if own and seen.step == "engine":  # seen between its fork and its own group
                    seen.step = step
                seen.peak = max(seen.peak, held[0])
                seen.anonymous = max(seen.anonymous, held[1])

    def stop(self) -> None:
        """Stop looking, and take down how long each step took."""
        self._ended.set()
        self.join()
        for line in self._lines():
            if line["event"] == "finished":
                self.step_seconds[line["step"]] = line["seconds"]

    def _step(self) -> str:
        """The step that runs, or is about to: a process is seen before it has told of its step."""
        finished = [line["step"] for line in self._lines() if line["event"] == "finished"]
        return STEPS[len(finished)] if len(finished) < len(STEPS) else STEPS[-1]

    def _lines(self) -> list[dict[str, object]]:
        try:
            text = self._progress.read_text()
        except OSError:
            return []
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def _family(root: int) -> Iterator[int]:
    yield root
    try:
        tasks = list(Path(f"/proc/{root}/task").iterdir())
        children = [int(pid) for task in tasks for pid in (task / "children").read_text().split()]
    except OSError:
        return
    for child in children:
        yield from _family(child)


def _is_group_head(pid: int) -> bool:
    try:
        return os.getpgid(pid) == pid
    except OSError:
        return False


def _memory(pid: int) -> tuple[int, int] | None:
    """(high-water mark of resident memory, anonymous part now), in bytes."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    found = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    if "VmHWM" not in found:
        return None  # it is ending
    return tuple(int(found[name].split()[0]) * 1024 for name in ("VmHWM", "RssAnon"))  # type: ignore[return-value]


def _show(watch: Watch, loaded: int, seconds: float) -> float:
    by_step: dict[str, Seen] = {}
    for seen in watch.processes.values():
        most = by_step.setdefault(seen.step, Seen(seen.step))
        most.peak, most.anonymous = max(most.peak, seen.peak), max(most.anonymous, seen.anonymous)
    print(
        f"\n{'process of':32}{'seconds':>9}{'peak MB':>10}{'x loaded':>10}{'anonymous MB':>14}{'x loaded':>10}"
    )
    for step, most in by_step.items():
        spent = watch.step_seconds.get(step)
        print(
            f"{step:32}{f'{spent:.1f}' if spent is not None else '':>9}"
            f"{most.peak / MB:>10,.0f}{most.peak / loaded:>10.2f}"
            f"{most.anonymous / MB:>14,.0f}{most.anonymous / loaded:>10.2f}"
        )
    ratio = max(most.peak for most in by_step.values()) / loaded
    print(f"\nwhole run: {seconds:.1f} s")
    print(f"largest process / loaded data: {ratio:.2f} (target: at most {TARGET})")
    return ratio


if __name__ == "__main__":
    main()
