"""What the pipeline's dry run costs, against an empty flow of the same eleven steps on the same Metaflow.

    make bench-pipeline            or: python benchmarks/bench_pipeline.py --rounds 7

The variants take turns, round after round, so that whatever else the machine does hits all of them. CPU
seconds (of a command and all its processes) are steadier than wall seconds; the ratios are of the minima.
Every variant has its own datastore and home, filled by one round that is not counted, and Python may write
its bytecode: where PYTHONDONTWRITEBYTECODE is set, a run would otherwise measure the compiler.

Targets: the dry run takes at most twice the wall time of the empty flow; importing the flow's module takes at
most 1.3 times as long as importing Metaflow.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATA = "data/test_fixtures/test_queries.csv"
FLOW = "src.pipeline.hokusai_pipeline"
RUN_TARGET = 2.0
IMPORT_TARGET = 1.3


@dataclass
class Variant:
    """One command, with what its rounds have cost."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    wall_seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)

    def go(self, *, counted: bool) -> None:
        """Run it once.

        Raises:
            SystemExit: The command failed; its output is shown.
        """
        environment = {**os.environ, **self.environment, "PYTHONPATH": str(ROOT), "METAFLOW_PYLINT": "0"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        with tempfile.TemporaryFile() as output:
            before = os.times()
            code = subprocess.call(
                self.command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
            )
            after = os.times()
            if code:
                output.seek(0)
                sys.exit(f"{self.name} failed with {code}:\n{output.read().decode(errors='replace')[-4000:]}")
        if counted:
            self.wall_seconds.append(after.elapsed - before.elapsed)
            self.cpu_seconds.append(
                after.children_user + after.children_system - before.children_user - before.children_system
            )


def main() -> None:
    """Measure, print, and say whether the targets are met."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="bench-pipeline-") as folder:
        runs = _run_variants(Path(folder))
        imports = _import_variants()
        print(
            f"{rounds} rounds, interleaved, after one that is not counted; {os.cpu_count()} cores", flush=True
        )
        run_ratio = _measure(runs, rounds)
        import_ratio = _measure(imports, 2 * rounds)
    print(f"dry run / empty flow: {run_ratio:.2f} (target: at most {RUN_TARGET})")
    print(f"importing the flow / importing metaflow: {import_ratio:.2f} (target: at most {IMPORT_TARGET})")
    sys.exit(0 if run_ratio <= RUN_TARGET and import_ratio <= IMPORT_TARGET else 1)


def _run_variants(folder: Path) -> list[Variant]:
    def home(name: str) -> dict[str, str]:
        own = folder / name
        own.mkdir()
        return {"METAFLOW_DATASTORE_SYSROOT_LOCAL": str(own / "metaflow"), "HOKUSAI_HOME": str(own / "home")}

    def dry_run(name: str) -> list[str]:
        return [
            *(sys.executable, "-m", FLOW, "run", "--dry-run"),
            *(f"--contributed-data={DATA}", f"--output-dir={folder / name / 'outputs'}"),
        ]

    return [
        Variant(
            "empty flow", [sys.executable, str(ROOT / "benchmarks" / "empty_flow.py"), "run"], home("empty")
        ),
        Variant("dry run", dry_run("fork"), home("fork")),
        Variant(
            "dry run, process engine",
            dry_run("process"),
            home("process") | {"HOKUSAI_LOCAL_ENGINE": "process"},
        ),
    ]


def _import_variants() -> list[Variant]:
    return [
        Variant("import metaflow", [sys.executable, "-c", "import metaflow"]),
        Variant("import the flow", [sys.executable, "-c", f"import {FLOW}"]),
    ]


def _measure(variants: Sequence[Variant], rounds: int) -> float:
    """Run all variants in turn and print them; the ratio of the second to the first in wall time."""
    for turn in range(rounds + 1):
        for variant in variants:
            variant.go(counted=turn > 0)
    floor = variants[0]
    print(f"\n{'':26}{'wall s, min':>12}{'median':>9}{'ratio':>8}{'CPU s, min':>12}{'median':>9}{'ratio':>8}")
    for variant in variants:
        columns = ((variant.wall_seconds, floor.wall_seconds), (variant.cpu_seconds, floor.cpu_seconds))
        cells = "".join(
            f"{min(own):>12.2f}{statistics.median(own):>9.2f}{min(own) / min(base):>8.2f}"
            for own, base in columns
        )
        print(f"{variant.name:26}{cells}", flush=True)
    print()
    return min(variants[1].wall_seconds) / min(floor.wall_seconds)


if __name__ == "__main__":
    main()
