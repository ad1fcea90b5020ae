"""Work folders are gone when their job is, however it ended; those of living jobs stay."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hokusai.errors import InvalidInputError
from hokusai.pipeline.data.work_folder import work_folder


def test_goes_with_its_block(tmp_path: Path) -> None:
    with work_folder(tmp_path) as folder:
        (folder / "x").write_text("x")
    with pytest.raises(RuntimeError), work_folder(tmp_path):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_of_a_living_job_stays_and_of_a_killed_one_goes(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from hokusai.pipeline.data.work_folder import work_folder\n"
        "with work_folder(Path(sys.argv[1])) as folder: print(folder, flush=True); time.sleep(60)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    theirs = Path(child.stdout.readline().strip())
    with work_folder(tmp_path):
        assert theirs.exists()
    child.kill()
    child.wait()
    child.stdout.close()
    assert theirs.exists()
    with work_folder(tmp_path):
        assert not theirs.exists()


def test_needs_a_place(tmp_path: Path) -> None:
    with (
        pytest.raises(InvalidInputError, match="No work folder can be made"),
        work_folder(tmp_path / "absent"),
    ):
        pass
