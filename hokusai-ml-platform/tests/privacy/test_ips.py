"""IP addresses: what surrounds them, how they are spelled, and what only looks like one."""

from __future__ import annotations

import polars as pl
import pytest

from hokusai.privacy import ips
from hokusai.privacy.detector import canonical_whole, find
from hokusai.privacy.kinds import PiiKind


def found_in(text: str) -> list[str]:
    return [
        text[start:end] for start, end in find(pl.Series([text]), [PiiKind.IP]).select("start", "end").rows()
    ]


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("10.0.0.1/24", "10.0.0.1"),
        ("10.0.0.1:8080", "10.0.0.1"),
        ("192.168.001.001", "192.168.1.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("fe80::1%eth0", "fe80::1"),
        ("[2001:db8::1]:80", "2001:db8::1"),
        ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
    ],
)
def test_a_cell_and_a_sentence_give_one_form(written: str, canonical: str) -> None:
    assert canonical_whole(pl.Series([written]), PiiKind.IP).to_list() == [canonical]
    assert [form for *_, form in ips.spans(f"from {written} today")] == [canonical]


def test_both_ends_of_a_range_are_found() -> None:
    assert found_in("10.0.0.1-10.0.0.9") == ["10.0.0.1", "10.0.0.9"]


@pytest.mark.parametrize(
    "text",
    [
        "python 3.11.7.2",
        "1.10.100.2 released",
        "10.20.30.40-beta",
        "lib-10.20.30.40",
        "192.168.01.1 has too many noughts",
        "999.168.001.001",
    ],
)
def test_versions_and_names_of_packages_are_no_addresses(text: str) -> None:
    assert found_in(text) == []


@pytest.mark.parametrize(
    "cell", ["1.2.3", "10.0.0.256", "10.0.0.1 and more", "[10.0.0.1", "10.0.0.01", "fe80::1%"]
)
def test_cells_that_are_none_have_no_form(cell: str) -> None:
    assert ips.canonical(cell) is None


@pytest.mark.parametrize("text", ["8.8.8.8:53", "to 1.1.1.1:443,", "([2001:db8::1]:443)"])
def test_a_port_makes_an_address_of_what_may_be_a_version(text: str) -> None:
    assert len(found_in(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "client_ip=8.8.8.8",
        "remote_addr=1.2.3.4",
        "http://8.8.8.8/",
        "root@8.8.8.8",
        "peer 2600::1",
        "64:ff9b::8.8.8.8",
    ],
)
def test_a_word_does_so_too_and_ranges_that_are_in_use(text: str) -> None:
    assert len(found_in(text)) == 1


@pytest.mark.parametrize(
    "text",
    ["2024::01", "std::vec", "a::b", "12::30:45", "pkg@1.2.3.4", "client version 1.2.3.4", "ab::c1:d2"],
)
def test_months_times_and_paths_in_code_are_none(text: str) -> None:
    assert found_in(text) == []


@pytest.mark.parametrize(
    "text", ["8.8.8.8", "1.2.3.4:5", "1.2.3.4:99999", "1.2.3.4:10:20", "section 8.8.8.8:53"]
)
def test_other_colons_do_not(text: str) -> None:
    assert found_in(text) == []
