"""Columns `name`, which may hold people, goods, firms, towns or books: goods are called after people too."""

from __future__ import annotations

import polars as pl
import pytest

from hokusai.privacy.people_columns import Beside, hold_names
from hokusai.privacy.policy import PiiPolicy
from hokusai.privacy.scrub import scrub

ADA = "pii:email:mlq7bkdb:ihlwjofg6iwr5pyx5tkppffjmw"


def _are_people(cells: str, beside: Beside = "") -> bool:
    return hold_names(pl.Series(cells.split("; ")), beside)


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


@pytest.mark.parametrize(
    ("cells", "beside", "are_people"),
    [
        ("Red Lamp; Blue Chair; Oak Table; Garden Hose; Steel Kettle", "people", False),
        ("Red Lamp; Blue Chair; Oak Table; Garden Hose; Steel Kettle", "names", False),
        ("Acme Inc; Siemens AG; Deutsche Bank; Walmart; Toyota", "people", False),
        ("University of X; City Hospital; Cafe Blue", "people", False),
        ("Billing Service; Prod Cluster", "people", False),
        ("Thandeka Mbiyozo; Xochitl Ixba; Zorbax Quinn; Acme Inc", "people", True),
        ("Thandeka Mbiyozo; Xochitl Ixba; Zorbax Quinn; Acme Inc", "", False),
        ("Thandeka Mbiyozo; Jane Roe; Zorbax Quinn", "goods", False),
        ("Ada; Thandeka; Zola", "people", True),
        ("Mbiyozo; Ixba", "names", True),
        ("Mbiyozo; Ixba", "people", False),
    ],
)
def test_what_stands_beside_says_how_many_are_enough_but_cells_are_asked(
    cells: str, beside: Beside, are_people: bool
) -> None:
    assert _are_people(cells, beside) is are_people


@pytest.mark.parametrize("left", ["a@b.co", "[email]", ADA, "+1 415 555 2671", "12 Main Street", "-"])
def test_what_is_of_another_kind_says_nothing_cleaned_or_not(left: str) -> None:
    assert _are_people("; ".join(["Jane Roe", *[left] * 9]))
    assert not _are_people("; ".join(["Red Lamp", *[left] * 9]), "people")
    assert not _are_people(left)


def _masked(**columns: object) -> pl.DataFrame:
    rules = PiiPolicy.parse({"default": "mask"})
    cleaned, _ = scrub(pl.DataFrame(columns), rules)
    assert scrub(cleaned, rules)[0].equals(cleaned)
    return cleaned


@pytest.mark.parametrize("name", ["contact", "name", "customer"])
def test_e_mail_addresses_among_names_are_addresses_and_the_names_are_found_at_once(name: str) -> None:
    assert _masked(**{name: ["Jane Doe", "x@example.org", "y@example.org"]})[name].to_list() == [
        "[person_name]",
        "[email]",
        "[email]",
    ]


@pytest.mark.parametrize("beside", ["supplier_email", "phone", "first_name", "manufacturer_email"])
def test_goods_beside_a_column_of_people_are_left_whole(beside: str) -> None:
    value = {"phone": "+1 415 555 2671", "first_name": "Jane"}.get(beside, "a@b.co")
    goods = ["Red Lamp", "Blue Chair", "Oak Table"]
    assert _masked(sku=[1, 2, 3], name=goods, **{beside: [value] * 3})["name"].to_list() == goods


def test_names_of_customers_beside_what_they_bought_are_found() -> None:
    names = ["Jane Roe", "Thandeka Mbiyozo", "Zorbax Quinn", "Ada Smith"]
    orders = {"email": ["a@b.co"] * 4, "price": [2] * 4}
    assert set(_masked(name=names, **orders)["name"]) == {"[person_name]"}
    assert _masked(name=names, price=[2] * 4)["name"].to_list() == names


def test_a_field_of_an_object_is_judged_as_a_column_beside_the_other_fields() -> None:
    people = {"name": "Thandeka Mbiyozo", "email": "a@b.co"}
    masked = {"name": "[person_name]", "email": "[email]"}
    goods = {"name": "Red Lamp", "price": 3}
    cleaned = _masked(o=[people], some=[[people, people]], goods=[goods])
    assert cleaned.to_dicts() == [{"o": masked, "some": [masked, masked], "goods": goods}]


def test_first_and_last_side_by_side_are_halves_of_names_if_the_cells_say_so() -> None:
    names = {"first": ["Jane", "Zola"], "last": ["Qzzt", "Bzzt"]}
    assert set(_masked(**names).row(0)) == {"[person_name]"}
    assert set(_masked(o=[{"first": "Jane", "last": "Qzzt"}])["o"][0].values()) == {"[person_name]"}
    for others in ({"first": ["Jane", "Zola"]}, {"first": ["won", "lost"], "last": ["lost", "won"]}):
        assert _masked(**others).equals(pl.DataFrame(others))
