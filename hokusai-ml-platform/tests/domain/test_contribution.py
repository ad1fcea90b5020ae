"""A contributed file's account always adds up; only addresses are paid."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hokusai.domain.contribution import Contribution, Contributor
from hokusai.domain.identifiers import WalletAddress

COUNTS = ("rows_accepted", "rows_duplicate", "rows_in_base", "rows_in_benchmark", "rows_without_label")


def account(read: int, parts: list[int]) -> Contribution:
    counts = dict(zip(COUNTS, parts, strict=True))
    return Contribution(Contributor("ann"), "a.csv", "ab" * 32, 10, rows_read=read, **counts)


@given(st.lists(st.integers(0, 10**9), min_size=5, max_size=5), st.integers(-5, 5))
def test_every_row_read_is_in_one_place(parts: list[int], off: int) -> None:
    if off == 0:
        assert account(sum(parts), parts).rows_read == sum(parts)
    else:
        with pytest.raises(
            ValueError, match=rf"a\.csv: {sum(parts) + off} rows read, but {sum(parts)} accounted for"
        ):
            account(sum(parts) + off, parts)


@pytest.mark.parametrize(
    ("wallet", "payable"),
    [
        (None, False),
        ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", True),
        ("0x" + "1" * 39, False),
        ("ann", False),
    ],
)
def test_who_can_be_paid(wallet: str | None, payable: bool) -> None:
    assert Contributor("ann", WalletAddress.parse(wallet) if wallet else None).payable is payable
