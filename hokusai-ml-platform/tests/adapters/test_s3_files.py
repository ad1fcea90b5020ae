"""Files in S3, on a real server: found by address and glob, fetched whole, and what is said when they are not there."""

import dataclasses
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hokusai.adapters import s3_files
from hokusai.adapters.s3_files import S3Files, glob_pattern
from hokusai.core.remote_files import default_remote_files, provide_remote_files
from hokusai.errors import BackendUnavailableError, ConfigurationError, DataError
from hokusai.pipeline.data.files import expand_paths
from hokusai.ports import RemoteFile
from hokusai.stack.s3 import S3Server

OBJECTS = {
    "data/b.csv": b"x\n2\n",
    "data/a.csv": b"x\n1\n",
    "data/deep/down/c.csv": b"x\n3\n",
    "data/notes.txt": b"no data",
    "data/empty.csv.part": b"",
    "odd/x,y [1].csv": b"x\n4\n",
}


BUCKET = "s3://contributions"


@pytest.fixture(scope="module")
def client(s3_server: S3Server) -> Iterator[Any]:
    client = s3_server.client()
    client.create_bucket(Bucket="contributions")
    for key, body in OBJECTS.items():
        client.put_object(Bucket="contributions", Key=key, Body=body)
    yield client
    client.close()


@pytest.fixture
def files(client: Any, tmp_path: Path) -> Iterator[S3Files]:
    made = S3Files(tmp_path / "remote", client)
    before = provide_remote_files(lambda: made)
    yield made
    provide_remote_files(before)


@pytest.fixture
def by_environment(
    s3_server: S3Server, client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> S3Files:
    """Finds its own way, as boto3 does."""
    for name, value in s3_server.env().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3")
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server.url)
    return S3Files(tmp_path / "remote")


def keys(found: list[RemoteFile]) -> list[str]:
    return [file.address.removeprefix("s3://contributions/") for file in found]


class TestFinding:
    def test_one_address_has_its_size(self, files: S3Files) -> None:
        (found,) = files.find(f"{BUCKET}/data/a.csv")
        assert (found.address, found.size_bytes) == (f"{BUCKET}/data/a.csv", 4)

    @pytest.mark.parametrize(
        ("pattern", "expected"),
        [
            ("data/*.csv", ["data/a.csv", "data/b.csv"]),
            ("data/**/*.csv", ["data/a.csv", "data/b.csv", "data/deep/down/c.csv"]),
            ("**.csv", ["data/a.csv", "data/b.csv", "data/deep/down/c.csv", "odd/x,y [1].csv"]),
            ("data/[!b].csv", ["data/a.csv"]),
            ("d*/?.csv", ["data/a.csv", "data/b.csv"]),
        ],
    )
    def test_a_glob_matches_as_it_does_on_a_disk(
        self, files: S3Files, pattern: str, expected: list[str]
    ) -> None:
        assert keys(files.find(f"{BUCKET}/{pattern}")) == expected

    @pytest.mark.parametrize("address", ["data/gone.csv", "data/*.parquet"])
    def test_what_is_not_there(self, files: S3Files, address: str) -> None:
        with pytest.raises(DataError, match=r"no such file|matches nothing"):
            files.find(f"{BUCKET}/{address}")

    def test_a_bucket_that_is_not_there(self, files: S3Files) -> None:
        for address in ("s3://nowhere/a.csv", "s3://nowhere/*.csv"):
            with pytest.raises(DataError, match="no such file"):
                files.find(address)

    @pytest.mark.parametrize(
        "address", ["s3://", "s3://contributions", "s3://contributions/data/", "s3://b/x/.."]
    )
    def test_addresses_that_name_no_file(self, files: S3Files, address: str) -> None:
        with pytest.raises(DataError, match=r"names no file|cannot stand on a disk"):
            files.find(address)

    def test_more_matches_than_anybody_means(self, files: S3Files, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(s3_files, "MAX_MATCHES", 1)
        with pytest.raises(DataError, match="more than 1 files"):
            files.find(f"{BUCKET}/data/*.csv")


class TestFetching:
    def test_a_copy_is_whole_has_the_base_name_and_is_made_once(self, files: S3Files) -> None:
        (found,) = files.find(f"{BUCKET}/data/a.csv")
        path = files.fetch(found)
        assert (path.name, path.read_bytes(), path.stat().st_mode & 0o777) == ("a.csv", b"x\n1\n", 0o600)
        made = path.stat().st_mtime_ns
        assert files.fetch(found) == path
        assert path.stat().st_mtime_ns == made
        assert [entry.name for entry in path.parent.iterdir()] == ["a.csv"]

    def test_a_file_of_several_pieces(
        self, files: S3Files, client: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(s3_files, "_PIECE_BYTES", 1000)
        body = bytes(range(256)) * 50
        client.put_object(Bucket="contributions", Key="large.bin", Body=body)
        assert files.fetch(*files.find(f"{BUCKET}/large.bin")).read_bytes() == body

    def test_a_file_that_changed_since_it_was_found(self, files: S3Files, client: Any) -> None:
        client.put_object(Bucket="contributions", Key="moving.csv", Body=b"x\n1\n")
        (found,) = files.find(f"{BUCKET}/moving.csv")
        client.put_object(Bucket="contributions", Key="moving.csv", Body=b"x\n2\n")
        with pytest.raises(DataError, match="changed after it was found"):
            files.fetch(found)
        client.delete_object(Bucket="contributions", Key="moving.csv")
        with pytest.raises(DataError, match="no such file"):
            files.fetch(found)
        assert not list(files._folder.rglob("*.csv*"))

    def test_a_file_that_the_disk_has_no_room_for(self, files: S3Files) -> None:
        (found,) = files.find(f"{BUCKET}/data/a.csv")
        with pytest.raises(DataError, match="no room"):
            files.fetch(dataclasses.replace(found, size_bytes=1 << 60))


class TestForgetting:
    def test_the_copy_whose_last_use_is_longest_ago_goes_and_none_in_use(
        self, client: Any, tmp_path: Path
    ) -> None:
        files = S3Files(tmp_path, client, keep_bytes=12)
        names = ("data/a.csv", "data/b.csv", "data/deep/down/c.csv", "odd/x,y [[]1].csv")
        one, two, three, four = (files.find(f"{BUCKET}/{name}")[0] for name in names)
        first, second, third = files.fetch(one), files.fetch(two), files.fetch(three)
        assert all(copy.is_file() for copy in (first, second, third))
        for copy, days_ago in ((first, 4), (second, 3), (third, 2)):
            then = time.time() - days_ago * 86_400
            os.utime(copy.parent, (then, then))
        assert files.fetch(one) == first  # which is a use
        files.fetch(four)
        assert [copy.is_file() for copy in (first, second, third)] == [True, False, True]
        S3Files(tmp_path, client, keep_bytes=0).fetch(two)
        assert [copy.is_file() for copy in (first, second, third)] == [True, True, False]


class TestWhoAsks:
    def test_the_environment_alone_is_enough(self, by_environment: S3Files) -> None:
        found = by_environment.find(f"{BUCKET}/data/*.csv")
        assert [by_environment.fetch(file).read_bytes() for file in found] == [b"x\n1\n", b"x\n2\n"]

    def test_a_wrong_key(self, by_environment: S3Files, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "guessed")
        with pytest.raises(DataError, match="may not be read"):
            by_environment.find(f"{BUCKET}/data/*.csv")

    def test_no_key(self, by_environment: S3Files, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
        monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
        with pytest.raises(ConfigurationError, match="no credentials"):
            by_environment.find(f"{BUCKET}/data/*.csv")

    def test_a_server_that_is_not_there(
        self, by_environment: S3Files, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        with pytest.raises(BackendUnavailableError, match="cannot be reached"):
            by_environment.find(f"{BUCKET}/data/*.csv")


class TestAsFilesOfARun:
    def test_addresses_and_globs_become_local_paths_in_order(self, files: S3Files, tmp_path: Path) -> None:
        here = tmp_path / "here.csv"
        here.write_bytes(b"x\n0\n")
        paths = expand_paths(f"{BUCKET}/data/*.csv, {here}")
        assert [path.read_bytes() for path in paths] == [b"x\n1\n", b"x\n2\n", b"x\n0\n"]
        assert expand_paths([f"{BUCKET}/data/b.csv", here])[0].name == "b.csv"

    def test_one_file_under_two_addresses_of_the_list_is_refused(self, files: S3Files) -> None:
        with pytest.raises(DataError, match="named twice"):
            expand_paths(f"{BUCKET}/data/*.csv,{BUCKET}/data/a.csv")

    def test_an_empty_object_is_refused_before_anything_is_fetched(self, files: S3Files) -> None:
        with pytest.raises(DataError, match=r"empty.*empty\.csv\.part"):
            expand_paths(f"{BUCKET}/data/*")
        assert not files._folder.exists()

    def test_names_from_others_may_not_be_addresses(self, files: S3Files, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="leads out of the folder"):
            expand_paths(f"{BUCKET}/data/a.csv", root=tmp_path)


def test_without_a_provider_it_says_what_to_do() -> None:
    before = provide_remote_files(None)
    try:
        with pytest.raises(ConfigurationError, match="copy the file here"):
            default_remote_files()
    finally:
        provide_remote_files(before)


def test_wiring_provides_copies_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import hokusai.wiring  # noqa: F401 - plugs in the provider

    monkeypatch.setenv("HOKUSAI_HOME", str(tmp_path))
    made = default_remote_files()
    assert isinstance(made, S3Files)
    assert made._folder == tmp_path / "remote"


@pytest.mark.parametrize(
    ("glob", "key", "matches"),
    [
        ("a.csv", "aXcsv", False), ("[a-c].csv", "b.csv", True), ("[a-c].csv", "d.csv", False),
        ("[!a]", "/", False), ("[]]", "]", True), ("[^a]", "^", True), ("a**b", "a/x/b", True), ("*", "a/b", False),
        ("**/x", "x", True), ("**/x", "a/b/x", True), ("(.*)", "abc", False), ("[\\]", "\\", True),
    ],
)  # fmt: skip
def test_globs(glob: str, key: str, matches: bool) -> None:
    assert bool(glob_pattern(glob).fullmatch(key)) is matches
