"""The main job on real data: two people contribute handwritten digits, and a model gets better.

The data is scikit-learn's own copy of a public data set (UCI, optical recognition of handwritten digits): 1,797
scans of 64 pixels each. A third is held out as the benchmark. The baseline knows only a few of the rest; Alice and
Bob bring the others. What follows is what anybody would type: run the pipeline, then verify its attestation.
"""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

from rich.console import Console

OUTPUTS = Path("outputs/demo")
BASE_ROWS, ALICE_ROWS, BOB_ROWS = 150, 700, 348
ALICE, BOB = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"


def main() -> int:
    """Write the data files, run the pipeline on them, verify what it attests."""
    console = Console()
    data = write_data(OUTPUTS / "data")
    console.rule("Contributed data in, DeltaOne and an attestation out")
    hokusai = [sys.executable, "-m", "hokusai.cli"]
    run = [
        *hokusai, "pipeline", "run",
        f"--base-data={data / 'base.csv'}",
        f"--contributed-data={data / 'alice.csv'},{data / 'bob.csv'}",
        f"--benchmark-data={data / 'benchmark.csv'}",
        "--contributor=alice,bob",
        f"--wallet={ALICE},{BOB}",
        "--target-column=digit",
        f"--output-dir={OUTPUTS}",
    ]  # fmt: skip
    console.print(f"[dim]$ hokusai {' '.join(run[3:])}[/]", soft_wrap=True, highlight=False)
    if code := subprocess.run(run, check=False).returncode:
        return code
    newest = max(OUTPUTS.glob("attestation_*.json"), key=lambda path: path.stat().st_mtime)
    console.rule("Anybody can verify it")
    verify = [
        *hokusai, "attest", "verify", str(newest),
        *(f"--files={data / name}" for name in ("alice.csv", "bob.csv", "benchmark.csv")),
    ]  # fmt: skip
    console.print(f"[dim]$ hokusai {' '.join(verify[3:])}[/]", soft_wrap=True, highlight=False)
    return subprocess.run(verify, check=False).returncode


def write_data(folder: Path) -> Path:
    """Split the digits into base, two contributions and the benchmark, as CSV files in `folder`."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    known, benchmark = train_test_split(
        range(len(digits.target)), test_size=1 / 3, random_state=0, stratify=digits.target
    )
    alice_from, bob_from = BASE_ROWS, BASE_ROWS + ALICE_ROWS
    parts = {
        "base": known[:alice_from],
        "alice": known[alice_from:bob_from],
        "bob": known[bob_from : bob_from + BOB_ROWS],
        "benchmark": benchmark,
    }
    folder.mkdir(parents=True, exist_ok=True)
    header = [f"pixel_{row}_{column}" for row in range(8) for column in range(8)]
    for name, rows in parts.items():
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow([*header, "digit"])
            for row in rows:
                writer.writerow([*(int(value) for value in digits.data[row]), int(digits.target[row])])
    return folder


if __name__ == "__main__":
    sys.exit(main())
