"""Personal data in a contribution is counted and told, and never quoted."""

from __future__ import annotations

from pathlib import Path

from hokusai.pipeline.data.reading import read_table
from hokusai.pipeline.personal_data import find_personal_data, warnings_of


def test_is_counted_by_column_and_kind_and_not_quoted(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(
        "query_id,note,email,label\n1,write ada@example.org,bob@example.org,a\n2,fine,eve@example.org,b\n"
    )
    found = find_personal_data([read_table(tmp_path / "in.csv"), read_table(tmp_path / "in.csv")])
    assert found.to_dict()["by_kind"] == {"email": 6}
    assert list(warnings_of(found)) == [
        "Column 'email' holds personal data (email in 4 cells); take it out first: hokusai data clean.",
        "Column 'note' holds personal data (email in 2 cells); take it out first: hokusai data clean.",
    ]
    assert "example.org" not in str(found.to_dict())


def test_is_not_found_where_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("description,script,order_id,x\nfine,a.py,0001234567890123,0.5\n")
    assert find_personal_data([read_table(tmp_path / "in.csv")]).findings == ()
