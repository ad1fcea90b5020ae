"""Machine code costs time only, whatever becomes of the files in which it is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from hokusai.utils.compiled import compiled


def twice(number: int) -> int:
    return 2 * number


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("numba.config.CACHE_DIR", str(tmp_path))
    return tmp_path


def test_is_kept_for_the_next_process(cache: Path) -> None:
    assert compiled(twice)(21) == 42
    assert list(cache.rglob("*.nbi")), "nothing was kept"
    again = compiled(twice)
    assert again(21) == 42
    assert sum(again.stats.cache_hits.values()) == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize("damaged", ["*.nbi", "*.nbc"])
def test_a_damaged_file_is_made_again(cache: Path, damaged: str) -> None:
    compiled(twice)(21)
    for path in cache.rglob(damaged):
        path.write_bytes(path.read_bytes()[:20])
    assert compiled(twice)(21) == 42
    last = compiled(twice)
    assert last(21) == 42
    assert sum(last.stats.cache_hits.values()) == 1  # type: ignore[attr-defined]


def test_a_full_disk_is_no_fault(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("numba.core.caching.IndexDataCacheFile.save", full)
    assert compiled(twice)(21) == 42
    assert not list(cache.rglob("*.nbi"))


def test_no_folder_for_it_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> None:
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr("numba.core.caching.FunctionCache", none)
    assert compiled(twice)(21) == 42
