"""A proof convinces of what is so, and of nothing else."""

import copy
import datetime as dt
import json
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.domain.canonical import canonical_json, parse_json
from hokusai.errors import IntegrityError, InvalidInputError
from hokusai.pipeline.data.canonical_columns import canonical_columns
from hokusai.pipeline.data.dataset_hash import dataset_hash
from hokusai.pipeline.data.digest_log import DigestLog
from hokusai.pipeline.data.proofs import ContentProof, RowProof
from hokusai.pipeline.data.row_digests import row_digests
from hokusai.pipeline.data.row_proofs import (
    prove_content,
    prove_content_of_digests,
    prove_row,
    prove_row_of_digests,
    verify_content,
    verify_row,
)


def rows_of(n_rows):
    return pl.DataFrame(
        {"id": range(n_rows), "label": [None if i % 5 == 0 else f"l{i}" for i in range(n_rows)]}
    )


def flipped(document):
    """Copies of a proof as JSON, each with one hex digit of one hash changed, or one number."""

    def places(value, path=()):
        if isinstance(value, dict):
            for key, item in value.items():
                yield from places(item, (*path, key))
        elif isinstance(value, list):
            for i, item in enumerate(value):
                yield from places(item, (*path, i))
        elif isinstance(value, int) or (isinstance(value, str) and len(value) == 64):
            yield path, value

    for path, value in places(document):
        for change in (
            [value + 1] if isinstance(value, int) else [_with_bit(value, bit) for bit in (0, 100, 255)]
        ):
            twin = copy.deepcopy(document)
            inner = twin
            for key in path[:-1]:
                inner = inner[key]
            inner[path[-1]] = change
            yield path, twin


def _with_bit(text, bit):
    return f"{int(text, 16) ^ (1 << bit):064x}"


class TestRow:
    @pytest.mark.parametrize("n_rows", [1, 2, 15, 16, 17, 33, 100])
    def test_every_row_is_proved_at_its_place(self, n_rows):
        frame = rows_of(n_rows)
        expected = dataset_hash(frame).data_hash
        for row in range(n_rows):
            proof = RowProof.from_dict(parse_json(canonical_json(prove_row(frame, row).to_dict())))
            verify_row(proof, frame[row], expected)
            verify_row(proof, frame.row(row, named=True), expected)

    def test_another_row_is_not(self):
        frame = rows_of(40)
        proof = prove_row(frame, 17)
        with pytest.raises(IntegrityError, match=r"another row .*: row 18"):
            verify_row(proof, frame[18], dataset_hash(frame).data_hash)
        with pytest.raises(IntegrityError, match="another dataset"):
            verify_row(proof, frame[17], dataset_hash(frame[:39]).data_hash)
        with pytest.raises(IntegrityError, match="another dataset"):
            verify_row(proof, frame[17], dataset_hash(frame).content_root)

    def test_another_place_is_not(self):
        frame = pl.DataFrame({"id": [1] * 40})
        proof = prove_row(frame, 17)
        verify_row(proof, {"id": 1}, dataset_hash(frame).data_hash)
        moved = proof.to_dict() | {"row": 33}
        with pytest.raises(IntegrityError, match="not in group"):
            RowProof.from_dict(moved)

    @pytest.mark.parametrize(("n_rows", "row"), [(1, 0), (40, 3), (40, 39), (100, 50)])
    def test_no_change_of_a_bit_or_number_goes_through(self, n_rows, row):
        frame = rows_of(n_rows)
        expected = dataset_hash(frame).data_hash
        changed = list(flipped(prove_row(frame, row).to_dict()))
        assert len(changed) > 3
        for path, document in changed:
            with pytest.raises(IntegrityError):
                verify_row(RowProof.from_dict(document), frame[row], expected)
                pytest.fail(f"the change at {path} was not noticed")

    def test_the_types_are_proved_too(self):
        frame = rows_of(20)
        document = prove_row(frame, 3).to_dict()
        document["columns"][0][1] = "f"
        with pytest.raises(IntegrityError):
            verify_row(
                RowProof.from_dict(document), {"id": 3.0, "label": "l3"}, dataset_hash(frame).data_hash
            )

    @pytest.mark.parametrize("row", [-1, 40, 48, 1000])
    def test_there_is_no_proof_for_a_row_that_is_not_there(self, row):
        with pytest.raises(InvalidInputError, match="no such row in a dataset of 40"):
            prove_row(rows_of(40), row)

    def test_it_is_short(self):
        proof = prove_row(rows_of(5000), 4)
        assert (
            len(proof.group.digests) + len(proof.group.path) == 16 + 9
        )  # 313 groups: 8 levels of the first 256, and the rest

    def test_comes_from_digests_on_disk_as_well(self, tmp_path):
        frame = rows_of(100)
        with DigestLog(tmp_path, block_rows=7) as log:
            log.append(row_digests(frame))
            columns = canonical_columns(frame.schema)
            assert prove_row_of_digests(columns, log.chunks, 55) == prove_row(frame, 55)
            digest = row_digests(frame[55]).tobytes()
            assert prove_content_of_digests(columns, log.sorted_chunks, digest) == prove_content(
                frame, frame[55]
            )


class TestContent:
    @pytest.mark.parametrize("n_rows", [0, 1, 16, 17, 100])
    def test_what_is_there_is_proved_and_what_is_not_as_well(self, n_rows):
        frame = rows_of(n_rows)
        root = dataset_hash(frame.reverse()).content_root
        for i in range(n_rows + 60):
            row = {"id": i, "label": None if i % 5 == 0 else f"l{i}"}
            proof = ContentProof.from_dict(json.loads(json.dumps(prove_content(frame, row).to_dict())))
            assert verify_content(proof, row, root) is (i < n_rows)

    @given(st.lists(st.integers(0, 30), max_size=60), st.integers(0, 30))
    @settings(max_examples=40)
    def test_rows_that_occur_several_times_are_there(self, ids, wanted):
        frame = pl.DataFrame({"id": ids}, schema={"id": pl.Int64})
        proof = prove_content(frame, {"id": wanted})
        assert verify_content(proof, {"id": wanted}, dataset_hash(frame).content_root) is (wanted in ids)

    @pytest.mark.parametrize("wanted", [3, 39, 40, 41, 42, 43, 44])
    def test_no_change_of_a_bit_or_number_goes_through(self, wanted):
        frame = rows_of(40)
        root = dataset_hash(frame).content_root
        row = {"id": wanted, "label": None if wanted % 5 == 0 else f"l{wanted}"}
        for path, document in flipped(prove_content(frame, row).to_dict()):
            with pytest.raises(IntegrityError):
                verify_content(ContentProof.from_dict(document), row, root)
                pytest.fail(f"the change at {path} was not noticed")

    def test_absence_cannot_be_claimed_by_showing_other_groups(self):
        frame = rows_of(100)
        root = dataset_hash(frame).content_root
        honest = [prove_content(frame, frame[i]).to_dict() for i in range(100)]
        groups = {proof["groups"][0]["number"]: proof["groups"][0] for proof in honest}
        assert sorted(groups) == list(range(7))
        for row in (0, 50, 99):
            own = honest[row]["groups"][0]["number"]
            others = [number for number in groups if number != own]
            lies = [[], *([n] for n in others), *([a, b] for a in others for b in others)]
            for numbers in lies:
                document = honest[row] | {"groups": [groups[number] for number in numbers]}
                with pytest.raises(IntegrityError):
                    verify_content(ContentProof.from_dict(document), frame[row], root)
                    pytest.fail(f"the groups {numbers} were taken as a proof")

    def test_another_row_is_not_what_is_proved(self):
        frame = rows_of(40)
        with pytest.raises(IntegrityError, match="another row"):
            verify_content(prove_content(frame, frame[1]), frame[2], dataset_hash(frame).content_root)


class TestRowFromValues:
    FRAME = pl.DataFrame(
        {
            "at": [dt.datetime(2024, 7, 1, 12)],
            "blob": [b"\x00"],
            "day": [dt.date(2024, 2, 29)],
            "flag": [True],
            "price": pl.Series([Decimal("1.50")], dtype=pl.Decimal(9, 2)),
            "score": [2.0],
            "span": [dt.timedelta(seconds=1)],
            "time": [dt.time(12, 30)],
        }
    )

    def test_may_be_python_values(self):
        proof = prove_row(self.FRAME, 0)
        verify_row(proof, self.FRAME.row(0, named=True), dataset_hash(self.FRAME).data_hash)

    def test_may_be_text_and_numbers_as_in_json(self):
        row = self.FRAME.row(0, named=True) | {
            "at": "2024-07-01T14:00:00+02:00",
            "day": "2024-02-29",
            "price": 1.5,
            "score": 2,
            "time": "12:30",
        }
        verify_row(prove_row(self.FRAME, 0), row, dataset_hash(self.FRAME).data_hash)

    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("at", "yesterday"),
            ("day", 5.5),
            ("price", "1.5"),
            ("price", Decimal("1.5000000000000000001")),
            ("score", "high"),
            ("flag", "yes"),
            ("flag", 1),
            ("time", "25:00"),
            ("at", "2024-07-01T12:00:00.0000009"),
            ("at", 1_719_835_200_000_000),
            ("day", 19782),
            ("score", True),
            ("price", True),
            ("time", "12:30:00.0000001"),
            ("time", "12:30+02:00"),
        ],
    )
    def test_of_another_type_are_refused_without_quoting_them(self, column, value):
        row = self.FRAME.row(0, named=True) | {column: value}
        with pytest.raises(InvalidInputError, match=f"column '{column}' is not a") as caught:
            verify_row(prove_row(self.FRAME, 0), row, dataset_hash(self.FRAME).data_hash)
        assert str(value) not in str(caught.value)

    def test_that_no_double_holds_are_not_rounded_to_one(self):
        frame = pl.DataFrame({"score": [2.0**53]})
        expected, proof = dataset_hash(frame).data_hash, prove_row(frame, 0)
        verify_row(proof, {"score": 2**53}, expected)
        with pytest.raises(InvalidInputError, match="not a double"):
            verify_row(proof, {"score": 2**53 + 1}, expected)

    def test_need_the_columns_of_the_dataset(self):
        frame = rows_of(3)
        proof = prove_row(frame, 1)
        for row in ({"id": 1}, {"id": 1, "label": "l1", "more": 2}, frame[1].rename({"id": "Id"}), frame[:2]):
            with pytest.raises(InvalidInputError):
                verify_row(proof, row, dataset_hash(frame).data_hash)


class TestReading:
    @pytest.mark.parametrize(
        "change",
        [
            {"spec": "hokusai-data-v2"},
            {"proof": "content"},
            {"columns": {}},
            {"columns": [["label", "s"], ["id", "i"]]},
            {"columns": [["id", "i"], ["id", "i"], ["label", "s"]]},
            {"columns": [["id", "q"], ["label", "s"]]},
            {"columns": [["id"], ["label", "s"]]},
            {"columns": [["\ud800", "i"], ["\ud801", "s"]]},
            {"rows": 0},
            {"rows": -1},
            {"rows": "40"},
            {"row": True},
            {"group": None},
            {"group": {"number": 1, "digests": []}},
            {"group": {"number": 1, "digests": ["00" * 32] * 17, "path": []}},
            {"more": 1},
        ],
    )
    def test_refuses_what_is_no_proof(self, change):
        document = prove_row(rows_of(40), 17).to_dict() | change
        with pytest.raises(IntegrityError):
            _ = RowProof.from_dict(document).data_hash

    @pytest.mark.parametrize("change", [{"proof": "row"}, {"groups": {}}, {"groups": [{}]}, {"digest": "00"}])
    def test_refuses_what_is_no_proof_of_content(self, change):
        document = prove_content(rows_of(40), rows_of(40)[3]).to_dict() | change
        with pytest.raises(IntegrityError):
            ContentProof.from_dict(document)

    @pytest.mark.parametrize("change", [{"digests": []}, {"digests": ["00" * 32] * 15}, {"path": []}])
    def test_a_group_that_no_such_tree_has_makes_no_proof(self, change):
        document = prove_row(rows_of(40), 7).to_dict()
        with pytest.raises(IntegrityError):
            RowProof.from_dict(document | {"group": document["group"] | change})

    def test_refuses_more_than_two_groups(self):
        document = prove_content(rows_of(40), rows_of(40)[3]).to_dict()
        document["groups"] *= 3
        with pytest.raises(IntegrityError, match="at most two groups"):
            ContentProof.from_dict(document)
