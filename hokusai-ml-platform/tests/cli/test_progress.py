"""Bars: on a terminal, and only of work that lasts."""

from __future__ import annotations

import contextlib
import os
import pty
import sys

import pytest

PROGRAM = """
import sys, time
from hokusai.cli.progress import stepping
with stepping(float(sys.argv[1])) as tell:
    tell("Opening", 0, None)
    tell("Reading", 0, None)
    time.sleep(0.9)
    tell("Cleaning", 1_000, 2_000)
    time.sleep(0.4)
print("done")
"""


def on_a_terminal(*arguments: str) -> str:
    """What a terminal of 50 columns is sent."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["COLUMNS"] = "50"
        os.execv(sys.executable, [sys.executable, "-c", PROGRAM, *arguments])
    shown = b""
    try:
        with contextlib.suppress(OSError):  # its other end is closed
            while news := os.read(terminal, 4096):
                shown += news
        _, status = os.waitpid(pid, 0)
    finally:
        os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0
    return shown.decode()


def test_work_that_is_soon_done_shows_no_bar() -> None:
    assert on_a_terminal("30") == "done\r\n"


def test_what_lasts_is_shown_with_its_figures_and_steps_before_that_are_not() -> None:
    screen = on_a_terminal("0.5")
    assert "Reading" in screen
    assert "1,000/2,000" in screen
    assert "Opening" not in screen
    assert "?" not in screen.replace("\x1b[?25", "")  # the sequences that hide and show the cursor


def test_nothing_is_shown_where_there_is_no_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    from hokusai.cli.progress import counting

    with counting("Reading") as tell:
        tell(1, 2)
    assert capfd.readouterr() == ("", "")
