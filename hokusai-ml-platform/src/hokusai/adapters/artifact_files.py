"""The files of one artefact: where they may lie, and how they are copied whole, or not at all.

A path comes from whoever made the model, so it is checked before anything is written: no file of an artefact may land
outside its folder. What is written is on the disk, under its final name, only when all of it is there.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit
from urllib.request import url2pathname

from hokusai.errors import IntegrityError, InvalidInputError, NotFoundError

DRAFT_PREFIX = ".unfinished-"
"""Folders that begin with this were not completed."""
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+:/", re.IGNORECASE)


def checked_files(files: Mapping[str, bytes | Path]) -> dict[str, bytes | Path]:
    """`files`, whose paths stay within an artefact and do not stand in each other's way.

    Raises:
        InvalidInputError: A path is empty, absolute, climbs out, or is a file and a folder at once.
        NotFoundError: A file that should be copied is not there.
    """
    if not files:
        raise InvalidInputError("A model has no files to store", where="files")
    folders = {parent.as_posix() for path in files for parent in PurePosixPath(path).parents}
    for path, content in files.items():
        parts = path.split("/")
        if "\\" in path or "\0" in path or any(part in ("", ".", "..") for part in parts):
            raise InvalidInputError(
                f"A file of an artefact cannot be called {path!r}",
                where="files",
                hint="Give its path within the artefact, such as data/weights.bin.",
            )
        if path in folders:
            raise InvalidInputError(f"{path!r} is a file and a folder at once", where="files")
        if isinstance(content, Path) and not content.is_file():
            raise NotFoundError("There is no such file to store", where=str(content))
    return dict(files)


def write_whole(folder: Path, files: Mapping[str, bytes | Path]) -> None:
    """Make `folder`, which must not exist, with these files in it: whole, on the disk, or not at all.

    Raises:
        OSError: The disk is full, or may not be written to; nothing is left.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.with_name(DRAFT_PREFIX + folder.name)
    try:
        write_files(draft, files)
        with ThreadPoolExecutor(
            8
        ) as waiting:  # a file system takes those who wait together to the disk at once
            list(waiting.map(_sync, (*draft.rglob("*"), draft)))
        draft.rename(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    _sync(folder.parent)


def write_files(folder: Path, files: Mapping[str, bytes | Path], *, link: bool = False) -> None:
    """Write these files into `folder`; those that are on the disk already may be linked to instead of copied."""
    folder.mkdir(parents=True, exist_ok=True)
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            target.write_bytes(content)
        elif link:
            target.symlink_to(content.absolute())
        else:
            shutil.copyfile(content, target)


def local_path(location: str) -> Path | None:
    """The path that `location` is, as text or as a `file:` URI; None if it is somewhere else.

    >>> str(local_path("file:///data/my%20model")), local_path("s3://bucket/model")
    ('/data/my model', None)
    """
    if location.startswith("file:"):
        return Path(url2pathname(urlsplit(location).path))
    return None if _SCHEME.match(location) else Path(location)


def refuse_links(place: Path) -> None:
    """Refuse a link, or a folder that holds one: copying it would take in files that are anywhere on this machine.

    A link to the folder itself is no fault: those who keep artefacts may keep them on another disk.

    Raises:
        IntegrityError: There is one; the text names it.
    """
    for path in place.rglob("*") if place.is_dir() else (place,):
        if path.is_symlink():
            raise IntegrityError(
                f"{path.name} is a link to {path.readlink()}, and no file of the model",
                where=str(path),
                hint="Put the file itself in its place.",
            )


def size_of(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _sync(path: Path) -> None:
    """Wait until the disk has a file, or the names in a folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
