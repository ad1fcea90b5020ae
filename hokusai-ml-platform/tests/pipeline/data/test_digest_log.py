"""Digests on disk give the same answers as digests in memory, whatever the size of a block."""

import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.errors import InvalidInputError
from hokusai.pipeline.data.digest_log import DigestLog, first_match
from hokusai.pipeline.data.digest_order import sorted_digests


def digests_of(numbers, *, leading=8):
    """A digest for each number: equal numbers, equal digests; `leading` bytes are spread, the others nearly equal."""
    rows = np.zeros((len(numbers), 32), np.uint8)
    for row, number in zip(rows, numbers, strict=True):
        row[:leading] = np.frombuffer((number * 0x9E3779B97F4A7C15 % 2**64).to_bytes(8), np.uint8)[:leading]
        row[-4:] = np.frombuffer(number.to_bytes(4), np.uint8)
    return rows


def log_of(folder, digests, block_rows, pieces=3):
    log = DigestLog(folder, block_rows=block_rows)
    for piece in np.array_split(digests, pieces):
        log.append(piece)
    return log


numbers = st.lists(st.integers(0, 40), max_size=60)
masks = st.none() | st.integers(0, 2**60 - 1)
block_sizes = st.integers(1, 70)
leading_bytes = st.sampled_from([0, 1, 2, 8])


def mask_of(bits, n_rows):
    return None if bits is None else np.array([bits >> i & 1 == 1 for i in range(n_rows)], dtype=bool)


class TestDuplicates:
    def test_are_all_but_the_earliest(self, tmp_path):
        with log_of(tmp_path, digests_of([5, 6, 5, 7, 7, 5]), 100) as log:
            assert log.duplicates().tolist() == [False, False, True, False, True, True]

    def test_take_no_notice_of_rows_that_are_left_out(self, tmp_path):
        with log_of(tmp_path, digests_of([5, 5, 5, 6]), 100) as log:
            skip = np.array([True, False, False, True])
            assert log.duplicates(skip).tolist() == [False, False, True, False]

    @given(numbers, masks, block_sizes, leading_bytes)
    @settings(max_examples=40)
    def test_are_those_that_a_set_finds(self, tmp_path_factory, numbers, bits, block_rows, leading):
        skip = mask_of(bits, len(numbers))
        seen, expected = set(), []
        for i, number in enumerate(numbers):
            left_out = skip is not None and skip[i]
            expected.append(not left_out and number in seen)
            seen |= set() if left_out else {number}
        digests = digests_of(numbers, leading=leading)
        with log_of(tmp_path_factory.getbasetemp(), digests, block_rows) as log:
            assert log.duplicates(skip).tolist() == expected

    def test_are_found_again_after_more_rows_came(self, tmp_path):
        with log_of(tmp_path, digests_of(range(20)), 4) as log:
            assert not log.duplicates().any()
            log.append(digests_of([3, 30, 30]))
            assert np.flatnonzero(log.duplicates()).tolist() == [20, 22]


class TestOrder:
    @given(numbers, masks, block_sizes, leading_bytes)
    @settings(max_examples=40)
    def test_of_sorted_chunks_is_that_of_the_bytes(
        self, tmp_path_factory, numbers, bits, block_rows, leading
    ):
        digests = digests_of(numbers, leading=leading)
        skip = mask_of(bits, len(numbers))
        kept = digests if skip is None else digests[~skip]
        expected = sorted(row.tobytes() for row in kept)
        with log_of(tmp_path_factory.getbasetemp(), digests, block_rows) as log:
            found = [row.tobytes() for chunk in log.sorted_chunks(skip) for row in chunk]
            in_rows = [row.tobytes() for chunk in log.chunks(skip) for row in chunk]
        assert found == expected
        assert in_rows == [row.tobytes() for row in kept]
        assert [row.tobytes() for row in sorted_digests(kept)] == expected


class TestFirstMatch:
    def test_is_the_first_row_of_the_base_with_the_key(self, tmp_path):
        with (
            log_of(tmp_path, digests_of([1, 9, 2, 1]), 2) as new,
            log_of(tmp_path, digests_of([2, 1, 2, 1, 3]), 100) as base,
        ):
            assert first_match(new, base).tolist() == [1, -1, 0, 1]

    @given(numbers, numbers, block_sizes, block_sizes, leading_bytes)
    @settings(max_examples=40)
    def test_is_what_a_search_finds(self, tmp_path_factory, new, base, new_block, base_block, leading):
        folder = tmp_path_factory.getbasetemp()
        with (
            log_of(folder, digests_of(new, leading=leading), new_block) as new_log,
            log_of(folder, digests_of(base, leading=leading), base_block) as base_log,
        ):
            found = first_match(new_log, base_log).tolist()
        assert found == [base.index(number) if number in base else -1 for number in new]

    def test_of_nothing_is_nothing(self, tmp_path):
        with DigestLog(tmp_path) as empty, log_of(tmp_path, digests_of([1, 2]), 100) as log:
            assert first_match(empty, log).tolist() == []
            assert first_match(log, empty).tolist() == [-1, -1]


class TestReading:
    @given(st.lists(st.integers(0, 9), max_size=20), block_sizes)
    @settings(max_examples=20)
    def test_gives_single_rows_in_any_order(self, tmp_path_factory, rows, block_rows):
        digests = digests_of(range(10))
        with log_of(tmp_path_factory.getbasetemp(), digests, block_rows) as log:
            assert log.take(np.array(rows, dtype=np.int64)).tolist() == digests[rows].tolist()

    def test_gives_the_rows_that_are_asked_for(self, tmp_path):
        digests = digests_of(range(10))
        with log_of(tmp_path, digests, 4) as log:
            assert (log.read(3, 7) == digests[3:7]).all()
            assert log.read(10, 10).shape == (0, 32)

    @pytest.mark.parametrize(("start", "stop"), [(-1, 2), (3, 2), (0, 11)])
    def test_refuses_rows_that_are_not_there(self, tmp_path, start, stop):
        with log_of(tmp_path, digests_of(range(10)), 4) as log, pytest.raises(InvalidInputError):
            log.read(start, stop)

    @pytest.mark.parametrize(
        "wrong", [np.zeros((2, 31), np.uint8), np.zeros(32, np.uint8), np.zeros((2, 32), np.int8)]
    )
    def test_refuses_what_is_no_array_of_digests(self, tmp_path, wrong):
        with DigestLog(tmp_path) as log, pytest.raises(InvalidInputError, match="Digests are bytes"):
            log.append(wrong)

    def test_refuses_a_mask_of_another_length(self, tmp_path):
        with log_of(tmp_path, digests_of(range(10)), 4) as log:
            for ask in (log.duplicates, lambda skip: list(log.sorted_chunks(skip))):
                with pytest.raises(InvalidInputError, match="10 rows, the mask"):
                    ask(np.zeros(9, bool))


class TestFiles:
    def test_are_gone_when_the_process_is_killed(self, tmp_path):
        program = """
            import sys, time
            import numpy as np
            from hokusai.pipeline.data.digest_log import DigestLog
            log = DigestLog(sys.argv[1], block_rows=10)
            log.append(np.random.default_rng(0).integers(0, 256, (100, 32), dtype=np.uint8))
            log.duplicates()
            print("ready", flush=True)
            time.sleep(60)
        """
        with subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(program), tmp_path], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout.readline() == b"ready\n"
            os.kill(process.pid, signal.SIGKILL)
        assert list(tmp_path.iterdir()) == []


class TestMemory:
    """Real memory (RssAnon) above the start, sampled while millions of rows are worked off in another process."""

    PROGRAM = """
        import sys, threading, time
        import numpy as np
        from hokusai.pipeline.data.digest_log import DigestLog, first_match

        def megabytes():
            with open("/proc/self/status") as status:
                return next(int(line.split()[1]) for line in status if line.startswith("RssAnon")) / 1024

        start = peak = megabytes()
        done = threading.Event()

        def watch():
            global peak
            while not done.wait(0.01):
                peak = max(peak, megabytes())

        watcher = threading.Thread(target=watch)
        watcher.start()
        folder, n_rows, equal = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "equal"
        rng = np.random.default_rng(0)
        with DigestLog(folder) as log:
            for _ in range(n_rows // 50_000):
                log.append(np.full((50_000, 32), 7, np.uint8) if equal
                           else rng.integers(0, 256, (50_000, 32), dtype=np.uint8))
            duplicates = int(log.duplicates().sum())
            in_order = sum(len(chunk) for chunk in log.sorted_chunks())
            matched = int((first_match(log, log) >= 0).sum()) if n_rows <= 1_000_000 else None
        done.set()
        watcher.join()
        print(duplicates, in_order, matched, round(peak - start))
    """

    def run(self, *arguments):
        command = [sys.executable, "-c", textwrap.dedent(self.PROGRAM), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, check=True, text=True)
        return done.stdout.split()

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
    @pytest.mark.parametrize(
        ("n_rows", "kind", "expected"),
        [
            (5_000_000, "different", ["0", "5000000", "None"]),
            (2_500_000, "equal", ["2499999", "2500000", "None"]),
            (1_000_000, "different", ["0", "1000000", "1000000"]),
        ],
    )
    def test_stays_below_300_megabytes(self, tmp_path, n_rows, kind, expected):
        *counts, peak = self.run(tmp_path, n_rows, kind)
        assert counts == expected
        assert int(peak) < 300
