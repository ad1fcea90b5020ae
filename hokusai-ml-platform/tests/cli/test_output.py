"""What commands print for machines is JSON, whatever is in the stores."""

from __future__ import annotations

import json
import math

import pytest

from hokusai.cli.output import show_json


def test_what_is_no_json_number_is_null(capsys: pytest.CaptureFixture[str]):
    show_json({"a": [math.nan, 0.5, -math.inf], "b": {"c": math.inf, "d": "NaN"}, "e": (1, None)})
    printed = capsys.readouterr().out

    def refused(name: str) -> None:
        raise AssertionError(name)

    told = json.loads(printed, parse_constant=refused)
    assert told == {"a": [None, 0.5, None], "b": {"c": None, "d": "NaN"}, "e": [1, None]}
