"""What would become of a contribution, and what its columns are like."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import polars as pl
import pytest

from hokusai.domain.manifest import RowAccount
from hokusai.domain.schema import ColumnRule, DataSchema
from hokusai.errors import InvalidInputError, SchemaError
from hokusai.pipeline.data.column_states import ColumnStates
from hokusai.pipeline.data.expected_effect import ExpectedEffect, NoEstimate
from hokusai.pipeline.data.preview import preview
from hokusai.pipeline.data.profiling import profile_files
from hokusai.pipeline.data.reading import read_table
from hokusai.pipeline.data.scan import ReadOptions
from hokusai.pipeline.data.streaming import Recipe, integrate_files
from hokusai.privacy.policy import PiiPolicy
from hokusai.privacy.tokens import Tokenizer


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

    @pytest.mark.parametrize("how", ["append", "replace", "update"])
    def test_is_what_a_merge_does(self, files: Path, how: Literal["append", "replace", "update"]) -> None:
        new = {"id": ["n1", "b3", "b4", "n1"], "x": [0.5, 0.3, 9.0, 0.6], "y": [1, 1, 1, 0]}
        pl.DataFrame(new).write_csv(files / "new.csv")
        key = ["id"] if how == "update" else []
        seen = preview(files / "new.csv", base=files / "base.csv", how=how, key=key, target="y")
        recipe = Recipe(how=how, key=tuple(key), target="y", read=ReadOptions(on_error="reject"))
        tokenizer = Tokenizer(bytes(range(32)))
        done = integrate_files(files / "new.csv", base=files / "base.csv", recipe=recipe, tokenizer=tokenizer)
        assert seen.integration.manifest.content() == done.manifest.content()
        told = seen.integration.manifest.transformations[-1].details
        assert {name: told[name] for name in ("added", "changed", "unchanged")} == {
            "append": {"added": 3, "changed": 0, "unchanged": 1},
            "replace": {"added": 4, "changed": 0, "unchanged": 0},
            "update": {"added": 0, "changed": 1, "unchanged": 1},  # n1 says two things
        }[how]
        assert isinstance(seen.effect, NoEstimate)
        assert ("take the place" in seen.effect.reason) == (how != "append")

    def test_without_faults_it_is_accepted(self, files: Path) -> None:
        seen = preview(files / "new.csv", base=files / "base.csv")
        assert seen.accepted
        assert seen.verdict == "All 2 new rows would be accepted."
        assert seen.effect is None
        assert seen.to_dict()["benchmark"] is None

    def test_an_effect_needs_rows_enough_and_says_so(self, files: Path) -> None:
        effect = preview(files / "new.csv", base=files / "base.csv", target="y").to_dict()["effect"]
        assert "reason" in effect

    @pytest.mark.parametrize(
        ("policy", "duplicates"),
        [({}, 2), ({"default": "mask"}, 1), ({"default": "report"}, 1), ({"by_column": {"note": "drop"}}, 1)],
    )
    def test_rows_are_compared_as_cleaning_will_leave_them(
        self, files: Path, policy: dict[str, object], duplicates: int
    ) -> None:
        people = ["Ada@Example.org", "ada@example.org", "ada@example.org", "[email]", "[email]"]
        pl.DataFrame({"id": [1] * 5, "note": people}).write_csv(files / "p.csv")
        wanted, tokenizer = PiiPolicy.parse(policy), Tokenizer(bytes(range(32)))
        seen = preview(files / "p.csv", pii=wanted)
        done = integrate_files(files / "p.csv", recipe=Recipe(pii=wanted), tokenizer=tokenizer)
        assert (
            seen.integration.manifest.rows
            == done.manifest.rows
            == RowAccount(5, 5 - duplicates, 0, duplicates)
        )
        assert seen.integration.manifest.pii.findings == done.manifest.pii.findings
        assert seen.quality == done.quality
        assert "pii:" not in str(seen.to_dict(values=True))
        again = preview(
            files / "p.csv", pii=wanted
        )  # by another key, so that nobody can try values against it
        same = again.integration.manifest.hash == seen.integration.manifest.hash
        assert same is (policy != {})
        assert seen.integration.manifest.pii.key_id == ""
        plain = preview(files / "p.csv", pii=PiiPolicy.parse({"allow": ["note"]}))
        assert plain.integration.manifest.pii.findings == ()

    def test_names_that_are_personal_data_are_told_by_their_kind(self, files: Path) -> None:
        (files / "n.csv").write_text("bob@example.org,ada@example.org,(email),id\n1,x,y,1\n2,x,y,2\n")
        told = preview(files / "n.csv", target="id", near_text=["ada@example.org"]).to_dict(values=True)
        names = ["(email) 2", "(email) 3", "(email)", "id"]
        assert told["manifest"]["columns"] == names
        for by_name in ("dtypes", "null_counts", "unique_counts"):
            assert list(told["manifest"][by_name]) == names
        assert told["manifest"]["ranges"]["(email) 2"] == {"min": 1, "max": 1}  # the second row repeats it
        assert "pii:" not in str(told)
        assert "example.org" not in str(told)

    def test_an_error_tells_the_place_of_a_column_whose_name_is_personal_data(self, files: Path) -> None:
        (files / "n.csv").write_text("id,bob@example.org\n1,5\n2,5\n")
        with pytest.raises(InvalidInputError, match=r"^Column 2 is of type Int64"):
            preview(files / "n.csv", near_text=["bob@example.org"])
        with pytest.raises(SchemaError, match=r"The same key \(column 2\)"):
            preview(files / "n.csv", base=files / "n.csv", how="update", key=["bob@example.org"])
        with pytest.raises(InvalidInputError, match=r"^Column 2 is of type Int64"):
            recipe = Recipe(near_text=("bob@example.org",))
            integrate_files(files / "n.csv", recipe=recipe, tokenizer=Tokenizer(bytes(range(32))))

    def test_tokens_in_the_base_can_be_compared_with_tokens_only(self, files: Path) -> None:
        token = Tokenizer(bytes(range(32))).token("email", "ada@example.org")
        for name, mail in (("tokens", token), ("raw", "ada@example.org"), ("none", "-")):
            pl.DataFrame({"id": [1], "mail": [mail]}).write_csv(files / f"{name}.csv")
        told = preview(files / "raw.csv", base=files / "tokens.csv").integration.manifest
        assert told.rows.kept == 1
        (note,) = told.notes
        assert note.startswith("tokens.csv: It holds tokens of another key (mlq7bkdb)")
        assert (
            preview(files / "tokens.csv", base=files / "tokens.csv").integration.manifest.rows.duplicates == 1
        )
        for new, base in (("tokens", "tokens"), ("none", "tokens"), ("raw", "raw")):
            assert preview(files / f"{new}.csv", base=files / f"{base}.csv").integration.manifest.notes == ()

    def test_a_missing_column_cannot_be_previewed(self, files: Path) -> None:
        with pytest.raises(SchemaError, match="'label' is missing"):
            preview(files / "new.csv", schema=DataSchema((ColumnRule("label"),)))

    def test_a_target_or_feature_that_is_not_there_is_an_error_that_says_what_is_meant(
        self, files: Path
    ) -> None:
        (files / "l.csv").write_text("label,hour\n1,2\n0,3\n")
        with pytest.raises(SchemaError, match=r"'labl' is missing.*Did you mean 'label'\?"):
            preview(files / "l.csv", target="labl")
        with pytest.raises(SchemaError, match=r"'huor' is missing.*Did you mean 'hour'\?"):
            preview(files / "l.csv", target="label", features=["huor"])


class TestJudgesTheRowsThatAreKept:
    SCHEMA = DataSchema((ColumnRule("z", "integer", maximum=100),))

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """400 base rows and 60 new ones in which the label is whether hour is above 11; and 200 with z too high, and
        the label turned round.
        """

        def rows(first: int, last: int, z: int, turned: int = 0) -> pl.DataFrame:
            numbers = range(first, last)
            return pl.DataFrame(
                {
                    "id": list(numbers),
                    "hour": [n * 7 % 24 for n in numbers],
                    "size": [n * 7919 % 1000 / 8 for n in numbers],
                    "z": [z] * len(numbers),
                    "label": [int(n * 7 % 24 > 11) ^ turned for n in numbers],
                }
            )

        good, bad = rows(400, 460, 1), rows(460, 660, 900, turned=1)
        rows(0, 400, 1).write_csv(tmp_path / "base.csv")
        good.write_csv(tmp_path / "good.csv")
        pl.concat([good, bad, good[:5]]).write_csv(tmp_path / "all.csv")
        return tmp_path

    def test_rejected_and_repeated_rows_change_neither_quality_nor_effect(self, folder: Path) -> None:
        seen, alone = (
            preview(folder / name, base=folder / "base.csv", schema=self.SCHEMA, target="label")
            for name in ("all.csv", "good.csv")
        )
        account = seen.integration.manifest.rows
        assert (account.read, account.kept, account.rejected, account.duplicates) == (265, 60, 200, 5)
        assert isinstance(seen.effect, ExpectedEffect)
        assert seen.effect.new_rows == 60
        assert seen.effect == alone.effect
        of_all, of_kept = dict(seen.quality.components), dict(alone.quality.components)
        assert (of_all.pop("validity"), of_all.pop("uniqueness")) == (
            pytest.approx(65 / 265, abs=1e-6),
            pytest.approx(260 / 265, abs=1e-6),
        )
        assert (of_kept.pop("validity"), of_kept.pop("uniqueness")) == (1, 1)
        assert of_all == of_kept

    def test_it_is_the_quality_that_the_manifest_tells(self, folder: Path) -> None:
        seen = preview(folder / "all.csv", schema=self.SCHEMA, target="label")
        assert seen.integration.manifest.quality == seen.quality.to_dict()

    def test_the_files_are_read_for_the_account_and_never_again(self, folder: Path) -> None:
        steps: list[str] = []
        preview(folder / "good.csv", target="label", progress=lambda step, _done, _total: steps.append(step))
        assert list(dict.fromkeys(steps)) == ["Reading", "Cleaning", "Finding duplicates", "Writing"]

    def test_what_numbers_the_rows_is_no_feature(self, folder: Path) -> None:
        seen = preview(folder / "good.csv", base=folder / "base.csv", target="label")
        assert seen.quality.ignored == ("id",)
        assert "'id'" not in str(seen.quality.to_dict()["parts"])
        declared = DataSchema((ColumnRule("size", "float", unique=True),))
        assert preview(folder / "good.csv", schema=declared, target="label").quality.ignored == ("id", "size")

    def test_the_caller_may_say_what_is_predicted_from(self, folder: Path) -> None:
        seen = preview(folder / "good.csv", base=folder / "base.csv", target="label", features=["hour"])
        assert seen.quality.ignored == ("id", "size", "z")
        (consistency,) = (part for part in seen.quality.parts if part.name == "consistency")
        # 60 numbers in a row have every hour
        assert consistency.detail.startswith("0 of 24 combinations of features have several labels")

    def test_base_data_without_labels_gives_no_effect_and_is_told(self, folder: Path) -> None:
        pl.read_csv(folder / "base.csv").drop("label").write_csv(folder / "bare.csv")
        seen = preview(folder / "good.csv", base=folder / "bare.csv", target="label")
        assert isinstance(seen.effect, NoEstimate)
        assert any("'label'" in note for note in seen.integration.manifest.notes)


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
