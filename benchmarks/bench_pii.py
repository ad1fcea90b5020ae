"""How fast is personal data found in text, and how well, beside Presidio's pattern recognisers?

Sparse text has personal data in 5 % of its rows, dense text in all. Presidio sees the first rows of the same texts, and
both look for the same seven kinds in the same regions; Hokusai also for all its kinds and over all rows. F1 is over
labelled texts and as many kinds of hard negatives (tests/privacy/samples.py). Figures are CPU seconds.

    python benchmarks/bench_pii.py [rows] [--peer PYTHON]

PYTHON is an interpreter that has benchmarks/peers-requirements.txt; without it, an environment is made in a temporary
folder.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import polars as pl

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "hokusai-ml-platform" / "tests" / "privacy"))

import samples  # noqa: E402 - the tests' labelled texts, not an installed package

from hokusai.privacy.detector import DEFAULT_REGIONS, canonical_whole, find  # noqa: E402
from hokusai.privacy.kinds import ALL_KINDS, PiiKind  # noqa: E402

SEVEN = tuple(
    PiiKind(kind) for kind in ("email", "phone", "card", "national_id", "iban", "ip", "crypto_address")
)
PEER_SPARSE_ROWS, PEER_DENSE_ROWS = 20_000, 2_000
REPEATS = 7
Spans = Sequence[tuple[int, int, str]]


def main(rows: int, peer: str | None) -> None:
    """Time both, score both, print them side by side."""
    rng = random.Random(0)
    shared = [each for each in samples.personal(400) if _is_shared(each)]
    labelled = [*shared, *samples.hard_negatives(60)]
    sparse = [_sentence(rng, rng.choice(shared).text if rng.random() < 0.05 else "") for _ in range(rows)]
    dense = [_sentence(rng, rng.choice(shared).text) for _ in range(rows // 20)]
    texts = {
        "sparse": sparse[:PEER_SPARSE_ROWS],
        "dense": dense[:PEER_DENSE_ROWS],
        "labelled": [each.text for each in labelled],
    }
    with tempfile.TemporaryDirectory() as folder:
        theirs = _peer(Path(folder), texts, peer)
    print(f"{'CPU time of finding':34} {'MB':>7} {'MB/s':>9} {'Presidio':>9} {'ratio':>6}")
    for name in ("sparse", "dense"):
        seconds = _best([*texts[name]], SEVEN)
        mb = _megabytes(texts[name])
        their_rate = mb / theirs["seconds"][name]
        ours = mb / seconds
        print(
            f"{name + ', the same rows, 7 kinds':34} {mb:7.1f} {ours:9.2f} {their_rate:9.3f} {ours / their_rate:6.0f}"
        )
    for name, whole, kinds in (
        ("sparse, all rows, 7 kinds", sparse, SEVEN),
        ("sparse, all rows, all kinds", sparse, ALL_KINDS),
        ("dense, all rows, 7 kinds", dense, SEVEN),
        ("dense, all rows, all kinds", dense, ALL_KINDS),
    ):
        mb = _megabytes(whole)
        their_rate = _megabytes(texts[name.split(",")[0]]) / theirs["seconds"][name.split(",")[0]]
        ours = mb / _best(whole, kinds)
        print(f"{name:34} {mb:7.1f} {ours:9.2f} {their_rate:9.3f} {ours / their_rate:6.0f}")
    found: list[list[tuple[int, int, str]]] = [[] for _ in labelled]
    for row, start, end, kind, _ in find(pl.Series(texts["labelled"]), SEVEN).rows():
        found[row].append((start, end, kind))
    print("\nlabelled texts: F1, precision, recall")
    for name, spans in (("Hokusai", found), ("Presidio", theirs["spans"]["labelled"])):
        print(f"  {name:10} {' '.join(f'{value:.3f}' for value in _scores(labelled, spans))}")
    _columns(rng, rows)


def _columns(rng: random.Random, rows: int) -> None:
    print("\ncolumns of one value a cell: MB and million cells a CPU second")
    for kind, make in (
        (PiiKind.EMAIL, samples.email),
        (PiiKind.PHONE, samples.phone),
        (PiiKind.CARD, samples.card),
        (PiiKind.IBAN, samples.iban),
        (PiiKind.IP, samples.ip),
    ):
        cells = pl.Series([make(rng) for _ in range(rows // 2)])
        canonical_whole(cells[:100], kind)
        seconds = min(
            _timed(lambda cells=cells, kind=kind: canonical_whole(cells, kind)) for _ in range(REPEATS)
        )
        mb = cells.str.len_bytes().sum() / 1e6
        print(f"  {kind.value:10} {mb / seconds:8.1f} {len(cells) / seconds / 1e6:8.2f}")


def _is_shared(each: samples.Labelled) -> bool:
    """Whether both can find it: dates of birth and other countries' ids are no recognisers of the seven."""
    if each.maker == "date_of_birth":
        return False
    return each.maker != "national_id" or each.text[each.spans[0][0] :][3:4] == "-"


def _sentence(rng: random.Random, inside: str) -> str:
    return " ".join(part for part in (samples.filler(rng), inside, samples.filler(rng)) if part)


def _megabytes(texts: Sequence[str]) -> float:
    return sum(len(text.encode()) for text in texts) / 1e6


def _best(texts: Sequence[str], kinds: Sequence[PiiKind]) -> float:
    column = pl.Series(texts)
    find(column[:100], kinds)
    return min(_timed(lambda: find(column, kinds)) for _ in range(REPEATS))


def _timed(work: object) -> float:
    begin = time.process_time()
    work()  # type: ignore[operator]
    return time.process_time() - begin


def _scores(labelled: Sequence[samples.Labelled], found: Sequence[Spans]) -> tuple[float, float, float]:
    """F1, precision and recall; a value counts as found if 80 % of its characters are covered by its kind."""
    right = missed = wrong = 0
    for each, spans in zip(labelled, found, strict=True):
        for start, end, kind in each.spans:
            covered = sum(max(0, min(end, b) - max(start, a)) for a, b, k in spans if k == kind)
            right += covered >= 0.8 * (end - start)
            missed += covered < 0.8 * (end - start)
        wrong += sum(not any(a < end and start < b for start, end, _ in each.spans) for a, b, _ in spans)
    precision, recall = right / (right + wrong), right / (right + missed)
    return 2 * precision * recall / (precision + recall), precision, recall


def _peer(
    folder: Path, texts: dict[str, list[str]], python: str | None
) -> dict[str, dict[str, list[Spans] | float]]:
    if python is None:
        python = str(folder / "peer" / "bin" / "python")
        uv = str(Path(sys.executable).parent / "uv")
        subprocess.run([uv, "venv", "-q", "--python", sys.executable, str(folder / "peer")], check=True)
        wanted = str(ROOT / "benchmarks" / "peers-requirements.txt")
        subprocess.run([uv, "pip", "install", "-q", "-p", python, "-r", wanted], check=True)
    (folder / "texts.json").write_text(json.dumps(texts), "utf-8")
    script = str(ROOT / "benchmarks" / "presidio_peer.py")
    regions = ",".join(DEFAULT_REGIONS)
    subprocess.run(
        [python, script, str(folder / "texts.json"), str(folder / "result.json"), regions],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    return json.loads((folder / "result.json").read_text("utf-8"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rows", type=int, nargs="?", default=400_000)
    parser.add_argument("--peer", help="interpreter with benchmarks/peers-requirements.txt")
    arguments = parser.parse_args()
    main(arguments.rows, arguments.peer)
