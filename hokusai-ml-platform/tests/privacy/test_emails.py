"""E-mail addresses: as pages write them, and where several at signs stand."""

from __future__ import annotations

import polars as pl
import pytest

from hokusai.privacy.detector import canonical_whole, find
from hokusai.privacy.kinds import PiiKind


@pytest.mark.parametrize(
    ("text", "written", "canonical"),
    [
        ("https://x.com/?email=john%40example.com&x=1", "john%40example.com", "john@example.com"),
        ("u=JOHN%2Bnews%40Example.com", "JOHN%2Bnews%40Example.com", "john+news@example.com"),
        ("via user%40inner.com@relay.org", "user%40inner.com@relay.org", "user%40inner.com@relay.org"),
        ('<"Ada Lovelace"@example.org>', '"Ada Lovelace"@example.org', '"ada lovelace"@example.org'),
        ("x@b@c.com", "b@c.com", "b@c.com"),
    ],
)
def test_an_address_is_found_as_pages_and_relays_write_it(text: str, written: str, canonical: str) -> None:
    rows = find(pl.Series([text]), [PiiKind.EMAIL]).rows()
    assert [(text[start:end], form) for _, start, end, _, form in rows] == [(written, canonical)]
    assert canonical_whole(pl.Series([written]), PiiKind.EMAIL).to_list() == [canonical]


@pytest.mark.parametrize("text", ["50%40 off", "logo%402x.png", "%40example.com", "100%40 a.b"])
def test_a_share_or_a_picture_is_no_address(text: str) -> None:
    assert find(pl.Series([text]), [PiiKind.EMAIL]).is_empty()


@pytest.mark.parametrize(
    "text",
    ['{"a": "@scope.name"}', '["x", "@scope.name"]', '""@b.org', 'x"y"@b.org', '" a"@b.org', '"logo"@2x.png'],
)
def test_the_end_of_a_string_in_code_is_no_local_part(text: str) -> None:
    assert find(pl.Series([text]), [PiiKind.EMAIL]).is_empty()
