"""The main job on real data: people contribute handwritten digits, a model gets better, and who helped is credited.

The data is scikit-learn's own copy of a public data set (UCI, optical recognition of handwritten digits): 1,797
scans of 64 pixels each. A third is held out as the benchmark. The baseline knows only a few of the rest; Alice and
Bob bring others. Mallory brings scans too, with digits that she made up. What follows is what anybody would type: run
the pipeline, then verify its attestation.
"""

from __future__ import annotations

import csv
import random
import subprocess
import sys
from pathlib import Path

from rich.console import Console

OUTPUTS = Path("outputs/demo")
BASE_ROWS, ALICE_ROWS, BOB_ROWS, MALLORY_ROWS = 150, 600, 298, 150
ALICE, BOB, MALLORY = (
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
)


def main() -> int:
    """Write the data files, run the pipeline on them, verify what it attests."""
    console = Console()
    data = write_data(OUTPUTS / "data")
    console.rule("Contributed data in, DeltaOne and an attestation out")
    hokusai = [sys.executable, "-m", "hokusai.cli"]
    run = [
        *hokusai, "pipeline", "run",
        f"--base-data={data / 'base.csv'}",
        f"--contributed-data={data / 'alice.csv'},{data / 'bob.csv'},{data / 'mallory.csv'}",
        f"--benchmark-data={data / 'benchmark.csv'}",
        "--contributor=alice,bob,mallory",
        f"--wallet={ALICE},{BOB},{MALLORY}",
        "--min-rows=500",
        "--target-column=digit",
        f"--output-dir={OUTPUTS}",
    ]  # fmt: skip
    console.print(f"[dim]$ hokusai {' '.join(run[3:])}[/]", soft_wrap=True, highlight=False)
    if code := subprocess.run(run, check=False).returncode:
        return code
    newest = max(OUTPUTS.glob("attestation_*.json"), key=lambda path: path.stat().st_mtime)
    predictions = newest.with_name(newest.name.replace("attestation_", "predictions_")).with_suffix(
        ".parquet"
    )
    console.rule("Anybody can verify it")
    verify = [
        *hokusai, "attest", "verify", str(newest),
        *(f"--files={data / name}" for name in ("alice.csv", "bob.csv", "mallory.csv", "benchmark.csv")),
        f"--predictions={predictions}",
    ]  # fmt: skip
    console.print(f"[dim]$ hokusai {' '.join(verify[3:])}[/]", soft_wrap=True, highlight=False)
    return subprocess.run(verify, check=False).returncode


def write_data(folder: Path) -> Path:
    """Split the digits into base, three contributions and the benchmark, as CSV files in `folder`."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    known, benchmark = train_test_split(
        range(len(digits.target)), test_size=1 / 3, random_state=0, stratify=digits.target
    )
    alice_from, bob_from = BASE_ROWS, BASE_ROWS + ALICE_ROWS
    mallory_from = bob_from + BOB_ROWS
    made_up = random.Random(0)  # noqa: S311 - no secret
    parts = {
        "base": known[:alice_from],
        "alice": known[alice_from:bob_from],
        "bob": known[bob_from:mallory_from],
        "mallory": known[mallory_from : mallory_from + MALLORY_ROWS],
        "benchmark": benchmark,
    }
    folder.mkdir(parents=True, exist_ok=True)
    header = [f"pixel_{row}_{column}" for row in range(8) for column in range(8)]
    for name, rows in parts.items():
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow([*header, "digit"])
            for row in rows:
                digit = made_up.randrange(10) if name == "mallory" else int(digits.target[row])
                writer.writerow([*(int(value) for value in digits.data[row]), digit])
    return folder


if __name__ == "__main__":
    sys.exit(main())
