"""Dates of birth: the fields of JSON that hold them, and what is born and nobody."""

from __future__ import annotations

import polars as pl
import pytest

from hokusai.privacy.detector import find
from hokusai.privacy.kinds import PiiKind


def found_in(text: str) -> list[str]:
    return find(pl.Series([text]), [PiiKind.DATE_OF_BIRTH])["canonical"].to_list()


@pytest.mark.parametrize("key", ["birth_date", "birthDate", "date_of_birth", "dateOfBirth", "user_dob"])
def test_a_field_of_json_says_what_its_date_is(key: str) -> None:
    assert found_in(f'{{"{key}":"1985-03-12"}}') == ["1985-03-12"]


@pytest.mark.parametrize("text", ["Born in the U.S.A. 1984-06-04", "new born 2023-01-01 product"])
def test_records_and_products_have_no_birthday(text: str) -> None:
    assert found_in(text) == []
