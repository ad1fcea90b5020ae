"""What would become of a contribution, and what its columns are like."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from hokusai.domain.schema import ColumnRule, DataSchema
from hokusai.errors import SchemaError
from hokusai.pipeline.data.column_states import ColumnStates
from hokusai.pipeline.data.preview import preview
from hokusai.pipeline.data.profiling import profile_files
from hokusai.pipeline.data.reading import read_table
from hokusai.pipeline.data.scan import ReadOptions
from hokusai.privacy.policy import PiiPolicy


@pytest.fixture
def files(tmp_path: Path) -> Path:
    base = {
        "id": [f"b{i}" for i in range(50)],
        "x": [i / 10 for i in range(50)],
        "y": [i % 2 for i in range(50)],
    }
    pl.DataFrame(base).write_csv(tmp_path / "base.csv")
    pl.DataFrame({"id": ["n1", "b3", "n2"], "x": [0.5, 0.3, -1.0], "y": [1, 1, 0]}).write_csv(
        tmp_path / "new.csv"
    )
    return tmp_path


class TestPreview:
    SCHEMA = DataSchema((ColumnRule("id", "text", nullable=False), ColumnRule("x", "float", minimum=0)))

    def test_tells_the_account_that_an_integration_would_have(self, files: Path) -> None:
        seen = preview(files / "new.csv", base=files / "base.csv", schema=self.SCHEMA)
        rows = seen.integration.manifest.rows
        assert (rows.read, rows.kept, rows.rejected, rows.duplicates) == (3, 1, 1, 1)
        assert [(reject.row, reject.reason) for reject in seen.rejects] == [(3, "too small")]
        assert not seen.accepted
        assert seen.verdict == "1 of 3 rows would be rejected: too small (1)."
        assert seen.quality.components["validity"] == pytest.approx(2 / 3)
        assert seen.quality.skipped["drift"] == "no column can be compared with the base data"

    def test_without_faults_it_is_accepted(self, files: Path) -> None:
        seen = preview(files / "new.csv", base=files / "base.csv")
        assert seen.accepted
        assert seen.verdict == "All 2 new rows would be accepted."
        assert seen.effect is None
        assert seen.to_dict()["benchmark"] is None

    def test_an_effect_needs_rows_enough_and_says_so(self, files: Path) -> None:
        effect = preview(files / "new.csv", base=files / "base.csv", target="y").to_dict()["effect"]
        assert "reason" in effect

    def test_personal_data_is_only_reported_whatever_the_policy_does_with_it(self, files: Path) -> None:
        (files / "p.csv").write_text("id,note\n1,write to ada@example.org\n2,fine\n")
        masking = PiiPolicy.parse({"default": "mask", "by_column": {"note": "hash"}})
        seen = preview(files / "p.csv", pii=masking)
        (found,) = seen.integration.manifest.pii.findings
        assert (found.kind, found.action, found.cells) == ("email", "report", 1)
        plain = preview(files / "p.csv", pii=PiiPolicy.parse({"allow": ["note"]}))
        assert plain.integration.manifest.pii.findings == ()

    def test_a_missing_column_cannot_be_previewed(self, files: Path) -> None:
        with pytest.raises(SchemaError, match="column 'label': it is missing"):
            preview(files / "new.csv", schema=DataSchema((ColumnRule("label"),)))


class TestProfile:
    def test_batches_give_what_the_whole_frame_gives(self, files: Path) -> None:
        found = profile_files([files / "base.csv", files / "new.csv"])
        frame = pl.concat([read_table(files / "base.csv").frame, read_table(files / "new.csv").frame])
        assert (found.rows, found.name) == (53, "base.csv, new.csv")
        assert found.columns == ColumnStates(frame.schema, moments=True).see(frame).profiles()

    def test_columns_of_personal_data_are_counted_and_not_told(self, files: Path) -> None:
        ages = {"date_of_birth": ["1990-01-01", "1985-05-05"] * 10, "x": [1, 2] * 10}
        pl.DataFrame(ages).write_csv(files / "p.csv")
        found = profile_files(files / "p.csv", ReadOptions())
        assert found.personal == ("date_of_birth",)
        born = found.columns[0]
        assert (born.summary.nulls, born.summary.unique, born.rows) == (0, 2, 20)
        assert (born.summary.low, born.histogram, born.values) == (None, (), ())
        assert found.columns[1].summary.high == 2
