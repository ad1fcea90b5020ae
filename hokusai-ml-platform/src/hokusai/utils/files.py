"""Files that must be whole or absent: digests of what was read, and writes that never leave half a file.

A pipeline that is killed, or a disk that fills up, must not leave an output that looks finished. Failures of
the file system become our own errors here, so that a caller sees one sentence with the path, not a traceback.
Only regular files are read: a pipe may never answer, and a device never end.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from hokusai.errors import ConfigurationError, HokusaiError, InvalidInputError, NotFoundError


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes as hex, read in pieces.

    Raises:
        NotFoundError: There is no such file.
        InvalidInputError: It is a folder, a pipe or a device, or cannot be read.
    """
    try:
        with _open(path) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as exc:
        raise _cannot_read(path, exc) from exc


def read_limited(path: Path, max_bytes: int) -> bytes:
    """The bytes of a file that is expected to be small.

    Raises:
        NotFoundError: There is no such file.
        InvalidInputError: It is a folder, a pipe or a device, cannot be read, or is longer than `max_bytes`.
    """
    try:
        with _open(path) as stream:
            data = stream.read(max_bytes + 1)
    except OSError as exc:
        raise _cannot_read(path, exc) from exc
    if len(data) > max_bytes:
        raise InvalidInputError(f"The file is longer than {max_bytes} bytes", where=str(path))
    return data


def read_secret(path: Path, max_bytes: int, *, what: str, hint: str = "") -> bytes:
    """The whole content of a file that none but its owner may read.

    Args:
        path: The file.
        max_bytes: How long it may be.
        what: What it holds, as in "The signing key".
        hint: How to make one.

    Raises:
        ConfigurationError: There is none, it is too long, or others may read it.
    """
    try:
        data = read_limited(path, max_bytes)
    except (NotFoundError, InvalidInputError) as exc:
        raise ConfigurationError(f"{what} cannot be read: {exc.what}", where=str(path), hint=hint) from exc
    require_private(path, what=what)
    return data


def require_private(path: Path, *, what: str) -> None:
    """Check that a file is its owner's alone; `what` says what it holds, as in "The signing key".

    Raises:
        ConfigurationError: Others may read it.
    """
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise ConfigurationError(
            f"{what} may be read by others than its owner (mode {mode:04o})",
            where=str(path),
            hint=f"Run: chmod 600 {path}. If others had access to this machine, make a new key.",
        )


def write_atomically(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write `data` to `path` so that a reader sees the old file or the new one, never a part.

    Args:
        path: Where to; its folder must exist.
        data: All of the new content.
        mode: Permission bits, applied before anything is written; the process's umask is not.

    Raises:
        InvalidInputError: The folder is missing or cannot be written, or the disk is full.
    """
    with open_atomically(path, mode=mode) as stream:
        stream.write(data)


@contextlib.contextmanager
def open_atomically(path: Path, *, mode: int = 0o644) -> Iterator[io.BufferedWriter]:
    """A stream whose bytes are at `path` once the block has ended well, and nowhere if it has not.

    A temporary file in the same folder is written, synced and renamed over `path`; on failure it is removed
    and `path` is as it was. A process that is killed leaves that file behind, `.NAME.….tmp`, and nothing else.

    Args:
        path: Where to; its folder must exist.
        mode: Permission bits, applied before anything is written; the process's umask is not.

    Raises:
        InvalidInputError: The folder is missing or cannot be written, or the disk is full; also for any other
            failure of the file system within the block.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    except OSError as exc:
        raise _cannot_write(path, exc) from exc
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            os.fchmod(stream.fileno(), mode)
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException as exc:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        # Our own errors may be OSErrors too (`BackendUnavailableError`), and say more than this one would.
        if isinstance(exc, OSError) and not isinstance(exc, HokusaiError):
            raise _cannot_write(path, exc) from exc
        raise
    _sync_folder(path.parent)


def move_into_place(made: Path, path: Path) -> None:
    """Rename a finished file to `path`, over whatever is there; copied whole where that is on another disk.

    Raises:
        InvalidInputError: The folder is missing or cannot be written, or the disk is full.
    """
    try:
        made.replace(path)
    except OSError as exc:
        if exc.errno != errno.EXDEV:
            raise _cannot_write(path, exc) from exc
        with made.open("rb") as source, open_atomically(path) as stream:
            shutil.copyfileobj(source, stream)
    _sync_folder(path.parent)


def check_writable(path: Path) -> None:
    """Find out before long work whether a file could be written: its folder is there, and open to us.

    Raises:
        InvalidInputError: It could not.
    """
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as exc:
        raise _cannot_write(path, exc) from exc


def check_no_overwrite(inputs: Iterable[Path], outputs: Iterable[Path]) -> None:
    """Check that no output is one of the inputs, or another output, under whatever name.

    Raises:
        InvalidInputError: One is; what was read would be lost.
    """
    taken = {path.resolve() for path in inputs}
    for path in outputs:
        if path.resolve() in taken:
            raise InvalidInputError(
                "This file would be written over", where=str(path), hint="Give the output a name of its own."
            )
        taken.add(path.resolve())


def _open(path: Path) -> io.BufferedReader:
    """Open a regular file, without waiting for whoever may write to something else of that name."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    mode = os.fstat(handle).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(handle, "rb")
    os.close(handle)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    raise InvalidInputError(
        "The file cannot be read: it is a pipe, a socket or a device",
        where=str(path),
        hint="Give the name of a regular file.",
    )


def _sync_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut; a file system that cannot do so is no reason to fail."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _cannot_read(path: Path, exc: OSError) -> NotFoundError | InvalidInputError:
    if isinstance(exc, FileNotFoundError):
        return NotFoundError("There is no such file", where=str(path))
    return InvalidInputError(f"The file cannot be read: {exc.strerror}", where=str(path))


def _cannot_write(path: Path, exc: OSError) -> InvalidInputError:
    return InvalidInputError(
        f"The file cannot be written: {exc.strerror}",
        where=str(path),
        hint="Check that the folder exists, may be written, and has space.",
    )
