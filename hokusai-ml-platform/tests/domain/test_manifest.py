"""The manifest's nouns cannot be made with an account that does not add up."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hokusai.domain.canonical import digest
from hokusai.domain.manifest import (
    ColumnSummary,
    DataManifest,
    DatasetHash,
    PiiFinding,
    PiiSummary,
    RowAccount,
    SourceFile,
)
from hokusai.errors import IntegrityError

counts = st.integers(0, 10**9)


def manifest(**changes: Any) -> DataManifest:
    given: dict[str, Any] = {
        "hash": DatasetHash("aa" * 32, "bb" * 32, 2),
        "columns": (ColumnSummary("x", "float64", 1, 1, 0.0, -1.5, 2.0), ColumnSummary("t", "string", 0, 2)),
        "rows": RowAccount(read=4, kept=2, rejected=1, duplicates=1),
        "sources": (SourceFile("in.csv", "cc" * 32, 10, "csv", "utf-8", delimiter=";", assumed=("a",)),),
        "rejects": {"wrong type": 1},
    }
    return DataManifest(**{**given, **changes})


class TestTheAccount:
    @given(kept=counts, rejected=counts, duplicates=counts)
    def test_adds_up_and_sums_add_up(self, kept: int, rejected: int, duplicates: int) -> None:
        account = RowAccount(kept + rejected + duplicates, kept, rejected, duplicates)
        double = account + account
        assert (double.read, double.kept) == (2 * account.read, 2 * kept)

    @pytest.mark.parametrize(
        "numbers", [(10, 9, 0, 0), (10, 11, 0, -1), (1, 1, 0, 0, 1), (-1, -1), (3, 1, 1, 0)]
    )
    def test_refuses_what_does_not_add_up(self, numbers: tuple[int, ...]) -> None:
        with pytest.raises(IntegrityError):
            RowAccount(*numbers)


class TestTheManifest:
    def test_has_the_specifications_fields_and_the_full_account(self) -> None:
        content = manifest().to_dict()
        expected = {
            "source_path": "in.csv",
            "data_hash": "aa" * 32,
            "row_count": 2,
            "column_count": 2,
            "columns": ["x", "t"],
            "dtypes": {"x": "float64", "t": "string"},
            "null_counts": {"x": 1, "t": 0},
            "unique_counts": {"x": 1, "t": 2},
            "ranges": {"x": {"min": -1.5, "max": 2.0}},
            "rejects": {"wrong type": 1},
        }
        assert {name: content[name] for name in expected} == expected
        assert content["sources"] == [
            {
                "name": "in.csv",
                "sha256": "cc" * 32,
                "size_bytes": 10,
                "format": "csv",
                "encoding": "utf-8",
                "delimiter": ";",
                "assumed": ["a"],
            }
        ]

    def test_digest_is_of_the_content_and_not_of_how_it_was_computed(self) -> None:
        assert manifest(engine="here").digest == manifest(engine="elsewhere").digest
        assert manifest().digest == digest(manifest().content())
        assert manifest().digest != manifest(notes=("n",)).digest

    def test_refuses_rejects_without_a_reason(self) -> None:
        with pytest.raises(IntegrityError, match="1 rows were rejected, but 2 have a reason"):
            manifest(rejects={"wrong type": 2})

    def test_counts_personal_data_by_kind(self) -> None:
        findings = (PiiFinding("a", "email", "hash", 3), PiiFinding("b", "email", "mask", 2))
        assert PiiSummary(findings).to_dict()["by_kind"] == {"email": 5}
        assert PiiSummary().to_dict()["ner"] == "not_run"
