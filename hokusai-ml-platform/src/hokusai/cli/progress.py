"""A bar that shows how far a long command is: on a terminal only, on standard error, and not for every row.

What is done within a second shows none: a bar that flashes by tells nobody anything.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hokusai.cli.output import console

if TYPE_CHECKING:
    from rich.progress import Progress

_SECONDS_BEFORE = 1.0
_SECONDS_BETWEEN = 0.1


@contextmanager
def counting(what: str) -> Iterator[Callable[[int, int | None], None]]:
    """Show `what` and how much of it is done; yields what is to be told (done, total), the total if it is known."""
    with stepping() as tell:
        tell(what, 0, None)
        yield lambda done, total: tell(what, done, total)


@contextmanager
def stepping(seconds_before: float = _SECONDS_BEFORE) -> Iterator[Callable[[str, int, int | None], None]]:
    """Show one bar for each step of a long work; yields what is to be told (step, done, total).

    Args:
        seconds_before: How long nothing is shown.
    """
    from rich.progress import TaskID

    with _bars(seconds_before) as bar:
        step, task, reached, last = "", TaskID(0), 0, 0.0

        def tell(what: str, done: int, total: int | None) -> None:
            nonlocal step, task, reached, last
            now = time.monotonic()
            if what != step:
                if step and not bar.live.is_started:
                    bar.remove_task(task)
                elif step:  # it ended, even if nobody said that it was complete
                    bar.update(task, completed=max(reached, 1), total=max(reached, 1))
                step, task = what, bar.add_task(what, completed=done, total=total, count=_count(done, total))
            elif done == total or now - last >= _SECONDS_BETWEEN:
                bar.update(task, completed=done, total=total, count=_count(done, total))
                last = now
            reached = done

        yield tell


@contextmanager
def _bars(seconds_before: float) -> Iterator[Progress]:
    """The display, which begins by itself after some seconds."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    out = console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[count]}"))
    bar = Progress(*columns, TimeElapsedColumn(), console=out, transient=True, disable=not out.is_terminal)
    waiting = threading.Timer(seconds_before, bar.start)
    waiting.daemon = True
    if out.is_terminal:
        waiting.start()
    try:
        yield bar
    finally:
        if out.is_terminal:
            waiting.cancel()
            waiting.join()
            bar.stop()


def _count(done: int, total: int | None) -> str:
    """How much is done; nothing where that is not known.

    >>> _count(1_000, 2_000), _count(1_000, None), _count(0, None)
    ('1,000/2,000', '1,000', '')
    """
    return f"{done:,}/{total:,}" if total is not None else f"{done:,}" if done else ""
