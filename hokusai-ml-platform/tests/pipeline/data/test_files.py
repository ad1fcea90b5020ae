"""Which files a text names, and what is said where it names none."""

import os
import pickle
from pathlib import Path

import pytest

from hokusai.errors import DataError
from hokusai.pipeline.data.files import expand_paths


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.csv", "a.csv", "queries.csv"):
        (tmp_path / name).write_text("x\n1\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "c.csv").write_text("x\n1\n")
    return tmp_path


def test_one_file(folder: Path) -> None:
    assert expand_paths(str(folder / "a.csv")) == (folder / "a.csv",)


def test_several_keep_their_order(folder: Path) -> None:
    assert expand_paths(f"{folder}/b.csv, {folder}/a.csv") == (folder / "b.csv", folder / "a.csv")


def test_a_glob_is_sorted_and_passes_over_folders(folder: Path) -> None:
    assert [p.name for p in expand_paths(f"{folder}/*")] == ["a.csv", "b.csv", "queries.csv"]
    assert [p.name for p in expand_paths(f"{folder}/**/c*.csv")] == ["c.csv"]


def test_a_name_with_a_comma_or_a_bracket_is_a_file_if_it_exists(folder: Path) -> None:
    for name in ("x,y.csv", "z[1].csv"):
        (folder / name).write_text("x\n1\n")
        assert expand_paths(str(folder / name)) == (folder / name,)


def test_a_missing_file_suggests_near_names(folder: Path) -> None:
    with pytest.raises(DataError, match=r"no such file.*querys\.csv.*Did you mean 'queries\.csv'"):
        expand_paths(f"{folder}/querys.csv")
    with pytest.raises(DataError, match=r"Did you mean 'queries\.csv'"):
        expand_paths(f"{folder}/Queries.CSV")
    with pytest.raises(DataError, match="does not exist either"):
        expand_paths(f"{folder}/nowhere/a.csv")


def test_a_glob_without_match_says_what_is_there(folder: Path) -> None:
    with pytest.raises(DataError, match=r"matches nothing.*\*\.json.*there are: a\.csv"):
        expand_paths(f"{folder}/*.json")
    with pytest.raises(DataError, match="nothing but folders"):
        expand_paths(f"{folder}/su*")


def test_no_name_at_all() -> None:
    with pytest.raises(DataError, match="No file is named"):
        expand_paths(" , ")


def test_a_folder_an_empty_file_a_pipe_and_a_broken_link_are_refused(folder: Path) -> None:
    with pytest.raises(DataError, match=r"folder, not a file.*\*\.csv"):
        expand_paths(str(folder / "sub"))
    (folder / "empty.csv").touch()
    with pytest.raises(DataError, match="empty"):
        expand_paths(str(folder / "empty.csv"))
    os.mkfifo(folder / "pipe.csv")
    with pytest.raises(DataError, match="pipe"):
        expand_paths(str(folder / "pipe.csv"))
    (folder / "link.csv").symlink_to(folder / "gone.csv")
    with pytest.raises(DataError, match="no such file"):
        expand_paths(str(folder / "link.csv"))


def test_a_file_named_twice_is_refused_also_through_a_link_or_dots(folder: Path) -> None:
    with pytest.raises(DataError, match="named twice"):
        expand_paths(f"{folder}/a.csv,{folder}/sub/../a.csv")
    (folder / "link.csv").symlink_to(folder / "a.csv")
    with pytest.raises(DataError, match="named twice"):
        expand_paths(f"{folder}/a.csv,{folder}/link.csv")


def test_a_file_that_may_not_be_read(folder: Path) -> None:
    secret = folder / "secret.csv"
    secret.write_text("x\n1\n")
    secret.chmod(0)
    # The superuser may read everything, so step down for a moment where the tests run as root.
    was = os.geteuid()
    if was == 0:
        for parent in (folder, *folder.parents):
            if parent.stat().st_mode & 0o001 == 0:
                break  # then the folder itself is closed to others, which is denied all the same
        os.seteuid(65534)
    try:
        with pytest.raises(DataError, match="permission denied"):
            expand_paths(str(secret))
    finally:
        os.seteuid(was)


def test_a_list_of_names_keeps_its_order(folder: Path) -> None:
    assert expand_paths([f"{folder}/b.csv", folder / "a.csv"]) == (folder / "b.csv", folder / "a.csv")
    with pytest.raises(DataError, match="No file is named"):
        expand_paths([])


class TestWithinARoot:
    """Names that others gave stay in one folder."""

    def test_relative_names_and_globs_begin_there(self, folder: Path) -> None:
        assert expand_paths("b.csv,sub/*.csv", root=folder) == (folder / "b.csv", folder / "sub" / "c.csv")

    @pytest.mark.parametrize(
        "name", ["../a.csv", "x/../../a.csv", "/etc/hostname", "../*.csv", "**/../../*.csv", "~"]
    )
    def test_names_that_lead_out_are_refused(self, folder: Path, name: str) -> None:
        with pytest.raises(DataError, match=r"leads out of the folder|no such file|matches nothing"):
            expand_paths(name, root=folder / "sub")

    def test_so_are_links(self, folder: Path) -> None:
        (folder / "sub" / "link.csv").symlink_to(folder / "a.csv")
        for name in ("link.csv", "*.csv"):
            with pytest.raises(DataError, match="leads out of the folder"):
                expand_paths(name, root=folder / "sub")
        (folder / "sub" / "within.csv").symlink_to(folder / "sub" / "c.csv")
        assert expand_paths("within.csv", root=folder / "sub")


def test_pipes_sockets_and_devices_are_refused_also_by_glob(folder: Path) -> None:
    os.mkfifo(folder / "pipe.csv")
    with pytest.raises(DataError, match="pipe, socket or device"):
        expand_paths(f"{folder}/p*.csv")
    with pytest.raises(DataError, match="pipe, socket or device"):
        expand_paths("/dev/zero")


def test_names_that_no_file_can_have(folder: Path) -> None:
    with pytest.raises(DataError, match="NUL"):
        expand_paths("a\0.csv")
    with pytest.raises(DataError, match="cannot be read"):
        expand_paths(f"{folder}/{'x' * 300}.csv")


@pytest.mark.parametrize(
    "address", ["https://me:secret@x.org/x.csv?key=secret", "gs://secret/*.csv", "http://secret"]
)
def test_addresses_that_are_not_read_are_named_by_their_kind_only(address: str) -> None:
    for name in (address, Path(address)):  # a path has lost one of the slashes
        with pytest.raises(
            DataError, match=f"read from {address.split(':', maxsplit=1)[0]}:// addresses.*Fetch"
        ) as refused:
            expand_paths(name)
        assert "secret" not in str(refused.value)
    with pytest.raises(DataError, match="path without file://"):
        expand_paths("file:///data/x.csv")


def test_a_missing_file_is_caught_as_what_open_raises(folder: Path) -> None:
    with pytest.raises(FileNotFoundError) as missing:
        expand_paths(str(folder / "quaries.csv"))
    assert isinstance(missing.value, DataError)
    assert "There is no such file" in str(missing.value)
    assert "Did you mean 'queries.csv'" in str(missing.value)
    assert str(pickle.loads(pickle.dumps(missing.value))) == str(missing.value)  # made here
