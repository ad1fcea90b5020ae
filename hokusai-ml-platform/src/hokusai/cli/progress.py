"""A bar that shows how far a long command is: on a terminal only, on standard error, and not for every row."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hokusai.cli.output import console

_SECONDS_BETWEEN = 0.1


@contextmanager
def counting(what: str) -> Iterator[Callable[[int, int | None], None]]:
    """Show `what` and how much of it is done; yields what is to be told (done, total), the total if it is known."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    out = console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    last = 0.0
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as bar:
        task = bar.add_task(what, total=None)

        def tell(done: int, total: int | None) -> None:
            nonlocal last
            now = time.monotonic()
            if done == total or now - last >= _SECONDS_BETWEEN:
                last = now
                bar.update(task, completed=done, total=total)

        yield tell


@contextmanager
def stepping() -> Iterator[Callable[[str, int, int | None], None]]:
    """Show one bar for each step of a long work; yields what is to be told (step, done, total)."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    out = console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    step, task, reached, last = "", TaskID(0), 0, 0.0
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as bar:

        def tell(what: str, done: int, total: int | None) -> None:
            nonlocal step, task, reached, last
            now = time.monotonic()
            if what != step:
                if step:  # it ended, even if nobody said that it was complete
                    bar.update(task, completed=max(reached, 1), total=max(reached, 1))
                step, task = what, bar.add_task(what, completed=done, total=total)
            elif done == total or now - last >= _SECONDS_BETWEEN:
                bar.update(task, completed=done, total=total)
                last = now
            reached = done

        yield tell
