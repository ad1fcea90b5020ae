"""The files of one artefact: where they may lie, and how they are copied whole, or not at all.

A path comes from whoever made the model, so it is checked before anything is written: no file of an artefact may land
outside its folder. What is written is on the disk, under its final name, only when all of it is there.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from hokusai.errors import InvalidInputError, NotFoundError

DRAFT_PREFIX = ".unfinished-"
"""Folders that begin with this were not completed."""


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
        draft.rename(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    _sync(folder.parent)


def write_files(folder: Path, files: Mapping[str, bytes | Path]) -> None:
    """Write these files into `folder`, and wait until the disk has them."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {folder}
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        made |= {parent for parent in target.parents if parent.is_relative_to(folder)}
        with target.open("wb") as file:
            if isinstance(content, Path):
                with content.open("rb") as source:
                    shutil.copyfileobj(source, file, 1 << 20)
            else:
                file.write(content)
            file.flush()
            os.fsync(file.fileno())
    for place in made:
        _sync(place)


def size_of(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _sync(folder: Path) -> None:
    """Make the names in a folder as durable as the files."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
