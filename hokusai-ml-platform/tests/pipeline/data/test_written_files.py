"""A manifest comes last and tells of the files beside it, so that files of two runs are never taken for one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hokusai.domain.canonical import digest
from hokusai.errors import DataError
from hokusai.pipeline.data import streaming
from hokusai.pipeline.data.recipe import Recipe
from hokusai.pipeline.data.scan import ReadOptions
from hokusai.pipeline.data.streaming import integrate_files
from hokusai.pipeline.data.told_types import ToldTypes, TypedFiles
from hokusai.pipeline.data.written_files import is_as_told

RECIPE = Recipe(pii=None, quality=False, read=ReadOptions(on_error="reject"))
NAMES = ("rejects.jsonl", "sub/out.csv", "m.json")
"""In the order in which they are put into place."""


def run(folder: Path, value: str) -> None:
    (folder / "in.jsonl").write_text(f'{{"a": 1, "b": "{value}"}}\n{{bad {value}\n')
    rejects, out, manifest = (folder / name for name in NAMES)
    integrate_files(folder / "in.jsonl", out, rejects=rejects, manifest=manifest, recipe=RECIPE)


class Killed(BaseException):
    """The process is gone."""


def killed_before(step: int, monkeypatch: pytest.MonkeyPatch, whoever: Callable[[], None]) -> None:
    """Run until so many files have been put into place; the next one is not."""
    done = 0

    def counted(move: Callable[..., None]) -> Callable[..., None]:
        def moved(*given: Any) -> None:
            nonlocal done
            if done == step:
                raise Killed
            done += 1
            move(*given)

        return moved

    with monkeypatch.context() as patched:
        for name in ("move_into_place", "write_manifest"):
            patched.setattr(streaming, name, counted(getattr(streaming, name)))
        with pytest.raises(Killed):
            whoever()


@pytest.mark.parametrize("step", range(3))
def test_a_run_that_is_killed_between_two_files_is_told_by_the_manifest(
    step: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sub").mkdir()
    run(tmp_path, "old")
    before = {name: (tmp_path / name).read_bytes() for name in NAMES}
    told = ToldTypes.of_manifest(tmp_path / "m.json")
    assert [(file.role, file.path) for file, _ in told.written] == [
        ("rejects", "rejects.jsonl"), ("output", "sub/out.csv")
    ]  # fmt: skip
    assert all(is_as_told(place, file) for file, place in told.written)
    told.require_bytes([tmp_path / "sub/out.csv"])
    assert told.foreign_rejects() is None

    killed_before(step, monkeypatch, lambda: run(tmp_path, "new"))
    after = {name: (tmp_path / name).read_bytes() for name in NAMES}
    assert [after[name] != before[name] for name in NAMES] == [step > 0, step > 1, False]
    told = ToldTypes.of_manifest(tmp_path / "m.json")
    assert (told.foreign_rejects() is not None) == (step > 0)
    if step > 1:
        with pytest.raises(DataError, match=r"not what m\.json tells of: the two are of different runs"):
            told.require_bytes([tmp_path / "sub/out.csv"])
    else:
        told.require_bytes([tmp_path / "sub/out.csv"])

    run(tmp_path, "new")
    told = ToldTypes.of_manifest(tmp_path / "m.json")
    told.require_bytes([tmp_path / "sub/out.csv"])
    assert told.foreign_rejects() is None


def test_a_manifest_of_a_former_release_tells_of_no_files(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    run(tmp_path, "x")
    content = json.loads((tmp_path / "m.json").read_text())
    del content["written"]
    (tmp_path / "m.json").write_text(json.dumps(content))
    ToldTypes.of_manifest(tmp_path / "m.json").require_bytes([tmp_path / "sub/out.csv"])


class TestReadBack:
    @pytest.fixture
    def content(self, tmp_path: Path) -> dict[str, Any]:
        (tmp_path / "sub").mkdir()
        run(tmp_path, "x")
        content: dict[str, Any] = json.loads((tmp_path / "m.json").read_text())
        return content

    @pytest.mark.parametrize(
        ("place", "value"),
        [
            (("written",), 1),
            (("written",), {}),
            (("written", 0), {"role": "output"}),
            (("written", 0, "path"), "a\0b"),
            (("written", 0, "path"), ""),
            (("written", 0, "size_bytes"), "x"),
            (("written", 0, "size_bytes"), True),
            (("written", 0, "size_bytes"), -1),
            (("written", 0, "sha256"), "0"),
            (("written", 0, "role"), None),
            (("hash",), {"data_hash": 1}),
            (("hash",), None),
            (("hash", "data_hash"), 1),
            (("hash", "content_root"), "x"),
            (("hash", "rows"), "1"),
            (("hash", "spec"), "hokusai-data-v0"),
        ],
    )
    def test_what_is_malformed_is_called_so(
        self, content: dict[str, Any], tmp_path: Path, place: tuple[Any, ...], value: object
    ) -> None:
        within: Any = content
        for step in place[:-1]:
            within = within[step]
        within[place[-1]] = value
        (tmp_path / "m.json").write_text(json.dumps(content))
        with pytest.raises(
            DataError, match=f"hash or files are not as they are written: .*{place[-1] or ''}"
        ):
            ToldTypes.of_manifest(tmp_path / "m.json")

    @pytest.mark.parametrize("digest_too", [False, True])
    @pytest.mark.parametrize(
        "changes",
        [
            {"data_hash": "0" * 64},
            {"row_count": 7},
            {"rows": {"kept": 99}},
            {"dtypes": {"a": "string"}},
            {"more": 1},
            {"manifest_digest": None},
        ],
    )
    def test_what_was_changed_is_not_believed(
        self, content: dict[str, Any], tmp_path: Path, changes: dict[str, Any], digest_too: bool
    ) -> None:
        content |= changes
        if digest_too:
            covered = content.keys() - {"engine", "written", "manifest_digest"}
            content["manifest_digest"] = digest({name: content[name] for name in covered})
        (tmp_path / "m.json").write_text(json.dumps(content))
        if digest_too and not changes.keys() & {"data_hash", "row_count"}:
            ToldTypes.of_manifest(tmp_path / "m.json")  # a digest is no signature
            return
        found = "contradicts itself" if digest_too else "was changed after it was written"
        with pytest.raises(DataError, match=found):
            ToldTypes.of_manifest(tmp_path / "m.json")

    def test_a_list_of_rejects_that_no_file_can_be_is_not_there(
        self, content: dict[str, Any], tmp_path: Path
    ) -> None:
        content["written"][0]["path"] = "a" * 5_000
        (tmp_path / "m.json").write_text(json.dumps(content))
        ToldTypes.of_manifest(tmp_path / "m.json").require_rejects()

    def test_rows_of_a_copy_are_held_against_the_hash(self, content: dict[str, Any], tmp_path: Path) -> None:
        told = ToldTypes.of_manifest(tmp_path / "m.json")
        copy = tmp_path / "copy.csv"
        copy.write_text((tmp_path / "sub/out.csv").read_text())
        assert sum(rows.height for rows in TypedFiles([copy], ReadOptions(), told).told_batches()) == 1
        copy.write_text("a,b\n2,x\n")
        with pytest.raises(DataError, match=r"not what m\.json tells of.*copy\.csv"):
            list(TypedFiles([copy], ReadOptions(), told).told_batches())
        list(TypedFiles([copy], ReadOptions(), ToldTypes(told.kinds)).told_batches())
