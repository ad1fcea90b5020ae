"""Data files in S3, through boto3: credentials and endpoint are found as boto3 finds them (`AWS_ENDPOINT_URL`).

A copy is fetched whole, checked against the size and the ETag that were listed, and kept under a name made of both, so
that the second run reads the first one's copy. Beyond a size the copies go whose last use is longest ago, but none that
was used in the last day, since a run may still read it. The folder of copies may be deleted whenever nothing runs.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hokusai.errors import BackendUnavailableError, ConfigurationError, DataError
from hokusai.ports import RemoteFile
from hokusai.utils.extras import require
from hokusai.utils.files import open_atomically

SCHEME = "s3://"
MAX_MATCHES = 10_000
MAX_NAME_BYTES = 200
KEEP_BYTES = 20_000_000_000
IN_USE_SECONDS = 86_400
"""So long after it was asked for, a copy may still be read."""

_PIECE_BYTES = 1 << 20
_SPARE_BYTES = 256 << 20
_GLOB = re.compile(r"\*\*/|\*\*|\*|\?|\[!?\]?[^\]]*\]")
_GONE = ("404", "NoSuchKey", "NoSuchBucket", "NotFound", "412", "PreconditionFailed")


class S3Files:
    """Finds and fetches files in S3; a `RemoteFiles`.

    Args:
        folder: Where copies are kept; made when the first one is fetched.
        client: A boto3 client; made on first use if absent.
        keep_bytes: How much of copies stays that nothing uses.
    """

    def __init__(self, folder: Path, client: Any = None, *, keep_bytes: int = KEEP_BYTES) -> None:
        self._folder = folder
        self._made = client
        self._keep_bytes = keep_bytes

    def find(self, pattern: str) -> list[RemoteFile]:
        """See `RemoteFiles`."""
        bucket, key = _split(pattern)
        first = _GLOB.search(key)
        with _failures(pattern):
            if first is None:
                head = self._client.head_object(Bucket=bucket, Key=key)
                return [RemoteFile(pattern, head["ContentLength"], _version(head))]
            found = sorted(
                self._matches(bucket, key[: first.start()], glob_pattern(key)), key=lambda file: file.address
            )
        if not found:
            raise DataError(
                "The glob matches nothing",
                where=pattern,
                hint="Check the bucket and the pattern; * stays within a folder, ** reaches into sub-folders.",
            )
        return found

    def fetch(self, file: RemoteFile) -> Path:
        """See `RemoteFiles`."""
        bucket, key = _split(file.address)
        name = key.rpartition("/")[2]
        identity = f"{file.address}\n{file.version}\n{file.size_bytes}"
        folder = self._folder / hashlib.sha256(identity.encode()).hexdigest()[:24]
        target = folder / name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.utime(folder)  # its last use; the file's own time says whether somebody wrote to it
        if target.is_file() and target.stat().st_size == file.size_bytes:
            return target
        self._forget(file.size_bytes)
        self._check_room(file)
        with _failures(file.address), open_atomically(target, mode=0o600) as copy:
            answer = self._client.get_object(Bucket=bucket, Key=key)
            if (answer["ContentLength"], _version(answer)) != (file.size_bytes, file.version):
                raise _changed(file)
            with answer["Body"] as body:
                while piece := body.read(_PIECE_BYTES):
                    copy.write(piece)
            if copy.tell() != file.size_bytes:
                raise _changed(file)
        return target

    @property
    def _client(self) -> Any:
        if self._made is None:
            self._made = require("boto3", "data").session.Session().client("s3")
        return self._made

    def _matches(self, bucket: str, prefix: str, pattern: re.Pattern[str]) -> Iterator[RemoteFile]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        n_found = 0
        for entry in (entry for page in pages for entry in page.get("Contents", ())):
            if pattern.fullmatch(entry["Key"]) and not entry["Key"].endswith("/"):
                n_found += 1
                if n_found > MAX_MATCHES:
                    raise DataError(
                        f"The glob matches more than {MAX_MATCHES:,} files",
                        where=f"{SCHEME}{bucket}/{prefix}",
                        hint="Name fewer of them, or join small files into larger ones.",
                    )
                yield RemoteFile(f"{SCHEME}{bucket}/{entry['Key']}", entry["Size"], _version(entry))

    def _forget(self, wanted_bytes: int) -> None:
        """Remove the copies whose last use is longest ago, until `wanted_bytes` more can be kept."""
        copies = []
        for folder in self._folder.iterdir():
            with contextlib.suppress(OSError):  # another process forgot it
                size = sum(copy.stat().st_size for copy in folder.iterdir())
                copies.append((folder.stat().st_mtime, size, folder))
        kept = sum(size for _, size, _ in copies) + wanted_bytes
        for used, size, folder in sorted(copies):
            if kept <= self._keep_bytes or used > time.time() - IN_USE_SECONDS:
                return
            shutil.rmtree(folder, ignore_errors=True)
            kept -= size

    def _check_room(self, file: RemoteFile) -> None:
        free = shutil.disk_usage(self._folder).free
        if file.size_bytes + _SPARE_BYTES > free:
            raise DataError(
                f"There is no room for the file's {file.size_bytes:,} bytes: {free:,} are free",
                where=str(self._folder),
                hint="Free some space, keep fewer of these files (HOKUSAI_REMOTE_GB), or give HOKUSAI_HOME more.",
            )


def glob_pattern(glob: str) -> re.Pattern[str]:
    """What a key has to match.

    >>> pattern = glob_pattern("data/**/part-?.csv")
    >>> [bool(pattern.fullmatch(key)) for key in ("data/part-1.csv", "data/a/b/part-2.csv", "data/part-10.csv")]
    [True, True, False]
    """
    made, at = [], 0
    for match in _GLOB.finditer(glob):
        made.append(re.escape(glob[at : match.start()]))
        token = match.group()
        plain = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(token)
        made.append(plain or _one_of(token[1:-1]))
        at = match.end()
    made.append(re.escape(glob[at:]))
    return re.compile("".join(made), re.DOTALL)


def _version(answer: Mapping[str, Any]) -> str:
    return str(answer["ETag"]).strip('"')  # quoted in some servers' answers, and not in others


def _one_of(characters: str) -> str:
    inverted = characters.startswith("!")
    listed = characters.removeprefix("!").replace("\\", r"\\").replace("[", r"\[").replace("]", r"\]")
    listed = listed.replace("^", r"\^").replace("&&", r"&\&").replace("||", r"|\|").replace("~~", r"~\~")
    return f"[{'^/' if inverted else ''}{listed}]"


def _split(address: str) -> tuple[str, str]:
    """Bucket and key.

    Raises:
        DataError: The address names no file, or one whose name cannot stand on a disk.
    """
    bucket, _, key = address.removeprefix(SCHEME).partition("/")
    name = key.rpartition("/")[2]
    if not address.startswith(SCHEME) or not bucket or not name:
        raise DataError(
            "The address names no file", where=address, hint=f"Write {SCHEME}BUCKET/FOLDER/FILE, or a glob."
        )
    if name in (".", "..") or "\0" in name or len(name.encode()) > MAX_NAME_BYTES:
        raise DataError(
            "The file's name cannot stand on a disk", where=address, hint="Copy it under another name."
        )
    return bucket, key


@contextlib.contextmanager
def _failures(where: str) -> Iterator[None]:
    """Whatever boto3 raises becomes one of our own errors."""
    errors = require("botocore.exceptions", "data")
    try:
        yield
    except errors.ClientError as problem:
        code = str(problem.response.get("Error", {}).get("Code", ""))
        if code in _GONE:
            raise DataError(
                "There is no such file", where=where, hint="Check the bucket and the key."
            ) from problem
        if code.startswith("5") or code in ("SlowDown", "InternalError", "ServiceUnavailable"):
            raise BackendUnavailableError(f"S3 does not answer ({code})", where=where) from problem
        raise DataError(
            f"The file may not be read: S3 answers {code}",
            where=where,
            hint="Check the credentials that boto3 finds (environment, profile or role) and what they may read.",
        ) from problem
    except (errors.NoCredentialsError, errors.PartialCredentialsError, errors.ProfileNotFound) as problem:
        raise ConfigurationError(
            "There are no credentials for S3",
            where=where,
            hint="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile or role that boto3 finds.",
        ) from problem
    except errors.ParamValidationError as problem:
        raise DataError("The address names no bucket that there can be", where=where) from problem
    except (errors.BotoCoreError, errors.HTTPClientError) as problem:
        raise BackendUnavailableError(
            f"S3 cannot be reached: {type(problem).__name__}",
            where=where,
            hint="Check the network and AWS_ENDPOINT_URL.",
        ) from problem


def _changed(file: RemoteFile) -> DataError:
    return DataError(
        "The file was changed after it was found",
        where=file.address,
        hint="Wait until it is written, then run again.",
    )
