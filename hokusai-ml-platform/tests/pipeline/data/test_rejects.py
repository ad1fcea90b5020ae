"""The list of rejected rows: whole or absent, and without values."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from hokusai.errors import DataError, InvalidInputError
from hokusai.pipeline.data.rejects import RejectsWriter, read_rejects
from hokusai.pipeline.data.scan import Reject

SMALL = Reject("a.csv", 7, "too small", "größe", "expected at least 0", line=9, sha256="ab" * 32)
RAGGED = Reject("a.csv", 2, "wrong number of fields")


class TestWriter:
    def test_writes_one_object_a_row_in_the_order_of_the_rows(self, tmp_path: Path) -> None:
        path = tmp_path / "rejects.jsonl"
        with RejectsWriter(path) as rejects:
            assert rejects.add_all([SMALL, RAGGED]) == 2
        first, second = path.read_text().splitlines()
        assert json.loads(second) == {
            "source": "a.csv", "row": 7, "line": 9, "reason": "too small", "column": "größe",
            "detail": "expected at least 0", "sha256": "ab" * 32,
        }  # fmt: skip
        assert "größe" in second
        assert json.loads(first)["row"] == 2
        assert list(read_rejects(path)) == [RAGGED, SMALL]

    def test_lists_rows_by_source_and_number_however_they_come(self, tmp_path: Path) -> None:
        rng = random.Random(3)
        rows = [Reject(f"{name}.csv", row, "too small") for name in "ba" for row in range(1, 1_501)]
        passes = [[row for row in rows if row.row % 3 == turn] for turn in range(3)]
        with RejectsWriter(tmp_path / "r.jsonl") as rejects:
            for each in rng.sample(passes, 3):
                rejects.add_all(each)
        assert list(read_rejects(tmp_path / "r.jsonl")) == rows

    def test_finds_the_place_of_rows_of_which_only_the_number_is_known(self, tmp_path: Path) -> None:
        def locate(rows: Iterable[int]) -> Iterator[tuple[int, str]]:
            return ((row + 1, f"{row:064x}") for row in rows)

        with RejectsWriter(tmp_path / "r.jsonl") as rejects:
            rejects.locate_by("a.csv", locate)
            rejects.add_all([SMALL, Reject("a.csv", 12, "not unique"), Reject("a.csv", 3, "no value")])
        found = [(each.row, each.line, each.sha256) for each in read_rejects(tmp_path / "r.jsonl")]
        assert found == [(3, 4, f"{3:064x}"), (7, 9, "ab" * 32), (12, 13, f"{12:064x}")]

    def test_counts_by_reason_and_by_source(self) -> None:
        with RejectsWriter(None) as rejects:
            rejects.add_all([SMALL, RAGGED, RAGGED, Reject("b.csv", 1, "too small")])
            rejects.add_all([RAGGED])
        assert list(rejects.counts.items()) == [("wrong number of fields", 3), ("too small", 2)]
        assert (rejects.total, rejects.count_of("a.csv"), rejects.count_of("c.csv")) == (5, 4, 0)

    def test_a_list_without_rows_is_an_empty_file(self, tmp_path: Path) -> None:
        with RejectsWriter(tmp_path / "r.jsonl"):
            pass
        assert (tmp_path / "r.jsonl").read_bytes() == b""

    def test_no_file_is_left_where_the_work_fails(self, tmp_path: Path) -> None:
        (tmp_path / "r.jsonl").write_text("of the last run\n")
        with pytest.raises(ZeroDivisionError), RejectsWriter(tmp_path / "r.jsonl") as rejects:
            rejects.add_all([SMALL] * 5_000)
            raise ZeroDivisionError
        assert [p.name for p in tmp_path.iterdir()] == ["r.jsonl"]
        assert (tmp_path / "r.jsonl").read_text() == "of the last run\n"

    def test_a_missing_folder_is_named_at_once(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidInputError, match=r"cannot be written.*gone"):
            RejectsWriter(tmp_path / "gone" / "r.jsonl").__enter__()

    def test_a_killed_process_leaves_no_list(self, tmp_path: Path) -> None:
        program = (
            "import sys, time\n"
            "from hokusai.pipeline.data.rejects import RejectsWriter\n"
            "from hokusai.pipeline.data.scan import Reject\n"
            "with RejectsWriter(sys.argv[1]) as rejects:\n"
            "    rejects.add_all([Reject('a.csv', 1, 'too small')] * 100_000)\n"
            "    print('half', flush=True)\n"
            "    time.sleep(60)\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path / "r.jsonl")], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"half\n"
            os.kill(process.pid, signal.SIGKILL)
        assert not (tmp_path / "r.jsonl").exists()

    def test_memory_does_not_grow_with_the_number_of_rows(self, tmp_path: Path) -> None:
        with RejectsWriter(tmp_path / "r.jsonl") as rejects:
            rejects.add_all(Reject("a.csv", row, "too small") for row in range(2_000))
            tracemalloc.start()
            rejects.add_all(Reject("a.csv", row, "too small") for row in range(15_000))
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert peak < 600_000
        assert (tmp_path / "r.jsonl").stat().st_size > 1_500_000


class TestReading:
    @pytest.mark.parametrize(
        "line", ["", "[]", '{"row": 1}', '{"source": "a", "row": 1, "reason": "x", "cell": 5}']
    )
    def test_names_the_line_that_is_no_entry(self, tmp_path: Path, line: str) -> None:
        with RejectsWriter(tmp_path / "r.jsonl") as rejects:
            rejects.add(SMALL)
        with (tmp_path / "r.jsonl").open("a") as file:
            file.write(line + "\n")
        with pytest.raises(DataError, match=r"not the entry of a rejected row \(.*r\.jsonl, line 2\)"):
            list(read_rejects(tmp_path / "r.jsonl"))

    def test_says_that_there_is_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidInputError, match="cannot be read: No such file"):
            list(read_rejects(tmp_path / "gone"))
