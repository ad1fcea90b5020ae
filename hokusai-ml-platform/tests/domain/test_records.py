"""A version's tags, as others may have left them."""

from __future__ import annotations

import json

import pytest

from hokusai.domain import records
from hokusai.domain.records import ModelRecord
from hokusai.errors import IntegrityError

DEEP = "[" * 19_000 + "]" * 19_000


@pytest.mark.parametrize(
    "text", ['{"acc":"high"}', "[1]", '{"acc":NaN}', '{"acc":null}', '{"acc":1e999}', DEEP, f'{{"a":{DEEP}}}']
)
def test_metrics_that_are_no_numbers_are_named_and_not_believed(text: str):
    record = ModelRecord("m", 1, tags={records.METRICS: text, records.METADATA: '{"rows":40}'})
    with pytest.raises(IntegrityError, match=r"hokusai\.metrics of m version 1"):
        _ = record.metrics
    told = record.to_dict()
    assert (told["metrics"], told["metadata"]) == ({}, {"rows": 40})
    assert [fault[:38] for fault in told["faults"]] == ["The tag hokusai.metrics of m version 1"]
    assert repr(record) == "<ModelRecord m/1 unreadable metrics>"


def test_sizes_of_thousands_of_digits_are_refused():
    record = ModelRecord("m", 1, tags={records.SHA256: "0" * 64, records.SIZE: "9" * 5000})
    with pytest.raises(IntegrityError, match="size_bytes"):
        _ = record.stored
    assert (record.to_dict()["sha256"], record.to_dict()["size_bytes"]) == ("0" * 64, None)


def test_an_unusable_contributor_is_a_fault_of_the_row():
    record = ModelRecord("m", 1, tags={records.CONTRIBUTOR: "x" * 5000})
    with pytest.raises(IntegrityError, match="contributor"):
        _ = record.contributor
    assert record.to_dict()["contributor"] is None
    assert len(record.to_dict()["faults"]) == 1


def test_a_readable_row_tells_of_no_faults():
    told = ModelRecord("m", 1, tags={records.METRICS: '{"acc":0.9}'}).to_dict()
    assert told["metrics"] == {"acc": 0.9}
    assert "faults" not in json.dumps(told)
