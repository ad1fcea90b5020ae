"""A token's benchmark, as it is written into tags and read back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from hokusai.domain.tokens import TokenBenchmark
from hokusai.errors import InvalidInputError


@pytest.mark.parametrize("value", [np.float64(0.5), np.float32(0.5), 0.5])
def test_numbers_of_any_library_are_written_as_plain_ones(value: Any):
    told = TokenBenchmark("msg-ai", "reply_rate", value).tags()
    assert told["benchmark_value"] == "0.5"
    assert TokenBenchmark.from_tags(told) == TokenBenchmark("msg-ai", "reply_rate", 0.5)


@pytest.mark.parametrize(
    "value", [True, "0.5", b"0.5", None, np.bool_(True), np.nan, 10**400, Decimal("0.5")]
)
def test_what_is_no_finite_number_is_refused(value: Any):
    with pytest.raises(InvalidInputError, match="finite number"):
        TokenBenchmark("msg-ai", "reply_rate", value)
