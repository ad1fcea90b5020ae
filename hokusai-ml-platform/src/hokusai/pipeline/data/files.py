"""Which files a run reads: a name, several names or a glob, here or in S3, resolved before any long step begins.

A run that starts with a mistyped path should end in its first second, with the name that was meant. So
everything that can be known of a file without reading it (that it exists, is a regular file, has bytes, and
may be read) is checked here. Standard library only: the flow calls this at its very start. Files in S3 are
found and sized at once, and then fetched; from there on they are files like any other.
"""

from __future__ import annotations

import difflib
import glob
import os
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from hokusai.errors import DataError

REMOTE = "s3://"

_GLOB_CHARACTERS = "*?["
_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+):/")
"""How an address begins, whose `//` is `/` once it was taken for a path."""


class MissingFileError(DataError, FileNotFoundError):
    """There is no such file; callers may also catch it as what `open` raises."""


def expand_paths(
    spec: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], *, root: Path | None = None
) -> tuple[Path, ...]:
    """The files that `spec` names.

    A comma separates names, unless the whole text is the name of a file. The matches of a glob (`**` reaches
    into sub-folders; folders that match are passed over) are sorted by name; otherwise the order is as given, which
    matters: of two equal contributed rows, the earlier file keeps the credit.

    Args:
        spec: A file, several joined by commas, a glob, an address such as `s3://bucket/folder/*.csv`, or a mixture;
            or a list of these.
        root: Names that others gave must stay within this folder, links included; relative ones begin there.

    Returns:
        At least one path; none of them twice. Files in S3 are those of their local copies.

    Raises:
        DataError: A file is missing, empty, not a regular file, unreadable, named twice or outside of `root`, or a
            glob matches none.
        BackendUnavailableError: S3 cannot be reached.
    """
    specs = [spec] if isinstance(spec, str | os.PathLike) else list(spec)
    names = [
        name
        for part in specs
        for name in (_names(part, root) if isinstance(part, str) else [os.fspath(part)])
    ]
    paths = tuple(path for name in names for path in _matches(name, root))
    if not paths:
        raise DataError("No file is named", hint="Give a file, several joined by commas, or a glob.")
    seen: dict[Path, Path] = {}
    for path in paths:
        check_readable(path)
        twin = seen.setdefault(path.resolve(), path)
        if twin is not path:
            raise DataError(
                f"The file is named twice, as {str(twin)!r} and as {str(path)!r}",
                hint="Name every file once: its rows would be counted twice.",
            )
    return paths


def check_readable(path: Path) -> None:
    """Check that `path` is a regular file with bytes in it that this process may read.

    Raises:
        MissingFileError: There is none.
        DataError: It is not; the text says why and suggests near names where the file does not exist.
    """
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise DataError(
                "This is a folder, not a file",
                where=str(path),
                hint=f"To read every file in it, give a glob such as {str(path / '*.csv')!r}.",
            )
        if not stat.S_ISREG(status.st_mode):
            raise DataError(
                "This is a pipe, socket or device, not a regular file",
                where=str(path),
                hint="Write the data to a file first: it is read more than once.",
            )
        if status.st_size == 0:
            raise DataError("The file is empty (0 bytes)", where=str(path), hint="Give a file with rows.")
        with path.open("rb"):
            pass
    except FileNotFoundError as problem:
        if address := _ADDRESS.match(str(path)):
            raise _unread(address.group(1)) from problem
        raise MissingFileError("There is no such file", where=str(path), hint=_near_names(path)) from problem
    except PermissionError as problem:
        raise DataError(
            "The file may not be read: permission denied",
            where=str(path),
            hint="Check the permissions of the file and of the folders above it.",
        ) from problem
    except OSError as problem:
        raise DataError(f"The file cannot be read: {problem.strerror}", where=str(path)) from problem


def _names(spec: str, root: Path | None) -> Iterator[str]:
    whole = spec.strip()
    if not whole.startswith(REMOTE) and _exists(_placed(whole, root)):
        yield whole
        return
    yield from (name for part in spec.split(",") if (name := part.strip()))


def _matches(name: str, root: Path | None) -> list[Path]:
    if name.startswith(REMOTE):
        return _fetched(name, root)
    path = _placed(name, root)
    if not _exists(path) and (address := _ADDRESS.match(name)):
        raise _unread(address.group(1))
    if _exists(path) or not any(character in name for character in _GLOB_CHARACTERS):
        return [_within(path, root)]
    pattern = str(path) if root is None else str(Path(glob.escape(str(root))) / name)
    found = sorted(Path(match) for match in glob.glob(pattern, recursive=True))  # noqa: PTH207  # also absolute
    files = [_within(match, root) for match in found if not match.is_dir()]
    if not files:
        only = " but folders" if found else ""
        raise DataError(
            f"The glob matches nothing{only}",
            where=name,
            hint=_near_names(path) or "Check the folder and the pattern.",
        )
    return files


def _placed(name: str, root: Path | None) -> Path:
    if "\0" in name:
        raise DataError("A file's name cannot hold a NUL character", where=repr(name))
    return Path(name).expanduser() if root is None else root / name


def _within(path: Path, root: Path | None) -> Path:
    """`path`, if it leads to no place outside of `root`."""
    if root is not None and not path.resolve().is_relative_to(root.resolve()):
        raise DataError(
            "The name leads out of the folder that files may be taken from",
            where=str(path),
            hint=f"Give a file in {str(root)!r}; links and '..' may not lead elsewhere.",
        )
    return path


def _fetched(address: str, root: Path | None) -> list[Path]:
    from hokusai.core.remote_files import default_remote_files

    if root is not None:
        raise DataError(
            "The name leads out of the folder that files may be taken from",
            where=address,
            hint=f"Give a file in {str(root)!r}.",
        )
    remote = default_remote_files()
    found = remote.find(address)
    empty = next((file for file in found if not file.size_bytes), None)
    if empty is not None:
        raise DataError("The file is empty (0 bytes)", where=empty.address, hint="Give a file with rows.")
    return [remote.fetch(file) for file in found]


def _unread(scheme: str) -> DataError:
    """The error for an address; it is not quoted, since addresses hold keys and passwords."""
    return DataError(
        f"Nothing is read from {scheme}:// addresses",
        hint="Give the path without file://."
        if scheme == "file"
        else f"Fetch the file first and give its path; only {REMOTE} addresses are fetched here.",
    )


def _exists(path: Path) -> bool:
    try:
        return bool(path.name) and path.exists()
    except OSError:  # too long, or a folder above it is closed to us: the later check says which
        return False


def _near_names(path: Path) -> str:
    """What the caller may have meant: near names in the folder, or that the folder is missing."""
    folder = path.parent
    try:
        names = sorted(entry.name for entry in folder.iterdir())
    except FileNotFoundError:
        return f"The folder {str(folder)!r} does not exist either."
    except OSError:
        return ""
    if any(character in path.name for character in _GLOB_CHARACTERS):
        return (
            f"In {str(folder)!r} there are: {', '.join(names[:5])}."
            if names
            else f"{str(folder)!r} is empty."
        )
    by_folded = {name.casefold(): name for name in names}
    near = difflib.get_close_matches(path.name.casefold(), by_folded, n=3, cutoff=0.6)
    if not near:
        near = [folded for folded in by_folded if Path(folded).stem == path.stem.casefold()][:3]
    return f"Did you mean {' or '.join(repr(by_folded[name]) for name in near)}?" if near else ""
