"""A folder for what a long job needs on disk; what a killed job left behind, the next one in its place removes.

A job holds a lock in its folder, and the system lets go of it when the job ends, however it ends. So a folder whose
lock is free belongs to nobody.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from hokusai.errors import InvalidInputError

_PREFIX = ".hokusai-work-"
_LOCK, _MAKING = "lock", "lock.new"


@contextlib.contextmanager
def work_folder(beside: Path | None = None) -> Iterator[Path]:
    """A new folder in `beside`, else where the system keeps temporary files; it is removed when the block ends.

    Raises:
        InvalidInputError: No folder can be made there.
    """
    place = beside if beside is not None else Path(tempfile.gettempdir())
    try:
        _remove_abandoned(place)
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
    except OSError as problem:
        raise InvalidInputError(
            f"No work folder can be made: {problem.strerror}", where=str(place), hint="Choose another folder."
        ) from problem
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        lock = stack.enter_context((folder / _MAKING).open("wb"))
        fcntl.flock(lock, fcntl.LOCK_EX)
        (folder / _MAKING).rename(folder / _LOCK)  # only a lock that is held is ever seen under its name
        yield folder


def _remove_abandoned(place: Path) -> None:
    for folder in place.glob(f"{_PREFIX}*"):
        # A folder without a lock is one that is being made this moment.
        with contextlib.suppress(OSError):
            handle = os.open(folder / _LOCK, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                own = os.fstat(handle)
                if stat.S_ISREG(own.st_mode) and own.st_uid == os.getuid():
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(handle)
