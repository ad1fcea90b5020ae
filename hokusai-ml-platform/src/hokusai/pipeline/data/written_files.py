"""Which files one run wrote, told by its manifest, so that nobody takes files of two runs for one.

Each file appears whole, but three renames are not one: a process that is killed between them leaves what it wrote
beside what an earlier run wrote. So the manifest comes last, and has the size and the digest of the others. While it
is the old one, they are not those that it tells of.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from hokusai.domain.manifest import DataManifest, WrittenFile
from hokusai.utils.files import file_sha256, write_atomically


def written_file(role: str, made: Path, wanted: Path, manifest: Path) -> WrittenFile:
    """What the manifest says of a file that is ready to become `wanted`."""
    place = os.path.relpath(wanted.resolve(), manifest.resolve().parent)
    return WrittenFile(role, Path(place).as_posix(), file_sha256(made), made.stat().st_size)


def write_manifest(manifest: DataManifest, path: Path) -> None:
    """Write the manifest, after all that it tells of.

    Raises:
        InvalidInputError: The folder is missing or cannot be written, or the disk is full.
    """
    text = json.dumps(manifest.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
    write_atomically(path, (text + "\n").encode())


def place_of(told: WrittenFile, manifest: Path) -> Path:
    """Where the file is that the manifest tells of, if nobody moved one of the two."""
    return manifest.resolve().parent / told.path


def is_as_told(path: Path, told: WrittenFile) -> bool:
    """Whether a file has the bytes that the manifest tells of."""
    return path.stat().st_size == told.size_bytes and file_sha256(path) == told.sha256
