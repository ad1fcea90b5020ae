"""Writes that are whole or absent, and reads that fail in one sentence."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from hokusai.errors import BackendUnavailableError, InvalidInputError, NotFoundError
from hokusai.utils.files import file_sha256, open_atomically, read_limited, write_atomically


class TestWriteAtomically:
    @pytest.mark.parametrize("mode", [0o600, 0o644])
    def test_writes_all_bytes_with_the_mode_asked_for(self, tmp_path: Path, mode: int) -> None:
        old_umask = os.umask(0o077)
        try:
            write_atomically(tmp_path / "a.bin", b"\x00content", mode=mode)
        finally:
            os.umask(old_umask)
        assert (tmp_path / "a.bin").read_bytes() == b"\x00content"
        assert (tmp_path / "a.bin").stat().st_mode & 0o777 == mode

    def test_replaces_what_was_there_and_leaves_nothing_else(self, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_text("old")
        write_atomically(tmp_path / "a.txt", b"new")
        assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
        assert (tmp_path / "a.txt").read_text() == "new"

    @pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
    def test_leaves_the_old_file_and_no_other_on_failure(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException
    ) -> None:
        # A full disk cannot be had in a test, so the sync is made to fail.
        def fail(_: int) -> None:
            raise failure

        (tmp_path / "a.txt").write_text("old")
        monkeypatch.setattr(os, "fsync", fail)
        expected = InvalidInputError if isinstance(failure, OSError) else KeyboardInterrupt
        with pytest.raises(expected):
            write_atomically(tmp_path / "a.txt", b"new")
        assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
        assert (tmp_path / "a.txt").read_text() == "old"

    def test_names_a_folder_that_is_missing(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidInputError, match=r"cannot be written: No such file.*gone"):
            write_atomically(tmp_path / "gone" / "a.txt", b"x")

    def test_does_not_replace_a_folder(self, tmp_path: Path) -> None:
        (tmp_path / "d").mkdir()
        with pytest.raises(InvalidInputError, match="cannot be written"):
            write_atomically(tmp_path / "d", b"x")
        assert [p.name for p in tmp_path.iterdir()] == ["d"]


class TestOpenAtomically:
    def test_nothing_is_there_before_the_block_has_ended(self, tmp_path: Path) -> None:
        target = tmp_path / "a.txt"
        with open_atomically(target) as stream:
            stream.write(b"first")
            stream.flush()
            assert not target.exists()
            stream.write(b" second")
        assert target.read_bytes() == b"first second"

    def test_what_is_raised_in_the_block_comes_out_as_it_is_and_leaves_nothing(self, tmp_path: Path) -> None:
        unreachable = BackendUnavailableError("The bucket cannot be reached")
        with pytest.raises(BackendUnavailableError) as caught, open_atomically(tmp_path / "a.txt") as stream:
            stream.write(b"half")
            raise unreachable
        assert caught.value is unreachable
        assert list(tmp_path.iterdir()) == []


class TestReading:
    def test_digest_of_a_file_larger_than_one_buffer(self, tmp_path: Path) -> None:
        data = bytes(range(256)) * 4096
        (tmp_path / "big").write_bytes(data)
        assert file_sha256(tmp_path / "big") == hashlib.sha256(data).hexdigest()

    def test_up_to_the_limit_and_not_beyond(self, tmp_path: Path) -> None:
        (tmp_path / "f").write_bytes(b"12345")
        assert read_limited(tmp_path / "f", 5) == b"12345"
        with pytest.raises(InvalidInputError, match="longer than 4 bytes"):
            read_limited(tmp_path / "f", 4)

    @pytest.mark.parametrize("read", [file_sha256, lambda path: read_limited(path, 9)])
    def test_says_what_is_missing_or_not_a_file(self, tmp_path: Path, read) -> None:
        with pytest.raises(NotFoundError, match=r"no such file .*gone"):
            read(tmp_path / "gone")
        with pytest.raises(InvalidInputError, match="cannot be read: Is a directory"):
            read(tmp_path)

    @pytest.mark.parametrize("read", [file_sha256, lambda path: read_limited(path, 9)])
    def test_does_not_wait_for_a_pipe_or_read_a_device(self, tmp_path: Path, read) -> None:
        os.mkfifo(tmp_path / "pipe")
        for path in (tmp_path / "pipe", Path("/dev/zero")):
            with pytest.raises(InvalidInputError, match=r"it is a pipe, a socket or a device \("):
                read(path)
        with pytest.raises(InvalidInputError, match="Is a directory"):
            read(tmp_path)
