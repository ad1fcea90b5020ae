"""Columns `name`, which may hold people, goods, firms, towns or books: goods are called after people too."""

from __future__ import annotations

import polars as pl
import pytest

from hokusai.privacy.people_columns import LEAST_SHARE_NAMED, hold_people


def _are_people(cells: str) -> bool:
    return hold_people(pl.Series(cells.split("; ")), LEAST_SHARE_NAMED, unless_shown=True)


@pytest.mark.parametrize(
    "cells",
    [
        "Anna Dress; Emma Skirt; Lucy Blouse; Hugo Boss Belt; Wool Coat; Levi's 501; Leather Wallet; Silk Scarf",
        "Eli Lilly; John Deere; Morgan Stanley; Apple",
        "Sofia; San Diego; Berlin; Paris; Madison; Charlotte; London; New York",
        "Jane Eyre; Emma; 1984; Moby Dick; The Hobbit; Dune; War and Peace; Hamlet",
        "Stefan Chair; Billy Bookcase; Kallax Shelf; Malm Bed; Lack Table",
    ],
)
def test_what_is_called_after_people_is_nobody(cells: str) -> None:
    assert not _are_people(cells)


@pytest.mark.parametrize(
    "cells",
    [
        "Ada Lovelace; John Smith; Jane Roe; Max Müller; Aarav Patel; Ngozi Adeyemi; Wei Zhang; Olga Ivanova; C-1",
        "Siobhan O'Connor; Kwame Mensah; Xiaoming Liu; Priya Iyer; Omar Haddad; Chidi Okafor; Nguyen Van Minh",
        "Braund, Mr. Owen Harris; Heikkinen, Miss. Laina; Allen, Mr. William Henry; Moran, Mr. James",
        "john smith; jane roe; ada quigley; acme",
        "Ada; Bob; Emma; Liam; Olivia; Noah; Ava",
        "J. Smith; A. Jones; M. Garcia; K. Lindqvist",
        "[person_name]; [person_name]; Acme",
    ],
)
def test_names_of_people_are_found_among_a_few_others(cells: str) -> None:
    assert _are_people(cells)
