"""Postal addresses: how streets are written in capitals and elsewhere, and titles that hold a number and a street."""

from __future__ import annotations

import polars as pl
import pytest

from hokusai.privacy.detector import find
from hokusai.privacy.kinds import PiiKind


def found_in(text: str) -> list[str]:
    spans = find(pl.Series([text]), [PiiKind.POSTAL_ADDRESS]).select("start", "end").rows()
    return [text[start:end] for start, end in spans]


@pytest.mark.parametrize(
    "address",
    [
        *("PO BOX 55", "P.O. BOX 1234, DENVER, CO 80201", "po box 7", "123 MAIN ST", "45 N OAK AVE"),
        *("742 EVERGREEN TERRACE, SPRINGFIELD, OR 97403", "5 42ND STREET", "12 Star Street", "3 Abbey Road"),
        *(
            "1 Rue Victor Hugo, 75001 Paris",
            "12 Avenue Foch",
            "8 Place Vendôme, 75001 Paris",
            "3 rue de la Paix",
        ),
        *("ul. Marszałkowska 10", "ul. Długa 3/4, 00-238 Warszawa", "Al. Jerozolimskie 54", "ul. 3 Maja 5"),
        *("Calle Mayor 5", "Lindenchaussee 5", "Via Roma 12", "22 Mill Way", "123 Main Street"),
        *("12 main street", "45 n oak ave", "5 5th avenue", "hauptstr. 5", "calle mayor 5, 28013 madrid"),
        *("via roma 10", "av. de mayo 450", "rue de la paix 12", "calle mayor 3", "viale monza 12"),
        *("12 RUE DE RIVOLI, 75001 PARIS", "HAUPTSTR. 5", "VIA ROMA 5", "12 bis rue de la Paix"),
    ],
)
def test_streets_are_found_to_the_character(address: str) -> None:
    assert found_in(f"send it to {address} today") == [address]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("12 main street, springfield", "12 main street, springfield"),
        ("45 oak ave, apt 4, denver, co 80201.", "45 oak ave, apt 4, denver, co 80201"),
        ("I live at 12 main street, please ring", "12 main street"),
        ("221b baker street, london nw1 6xe", "221b baker street, london nw1 6xe"),
        ("Unter den Linden 77", "Unter den Linden 77"),
        ("ich wohne Am Alten Markt 5a, danke", "Am Alten Markt 5a"),
        ("An der Alster 12, 20099 Hamburg", "An der Alster 12, 20099 Hamburg"),
        ("lindenstraße 14, 10969 berlin", "lindenstraße 14, 10969 berlin"),
        ("12 rue de rivoli", "12 rue de rivoli"),
        ("12 rue victor hugo, 75001 paris", "12 rue victor hugo, 75001 paris"),
        ("5 boulevard saint-michel", "5 boulevard saint-michel"),
        ("abito in via giuseppe verdi 12 a milano", "via giuseppe verdi 12"),
        ("via della spiga 26, 20121 milano", "via della spiga 26, 20121 milano"),
        ("calle de alcalá 50, 28014 madrid", "calle de alcalá 50, 28014 madrid"),
        ("rua augusta 1500.", "rua augusta 1500"),
        ("vive en paseo de la castellana 100", "paseo de la castellana 100"),
    ],
)
def test_streets_in_small_letters_and_by_their_place_are_found(text: str, address: str) -> None:
    assert found_in(text) == [address]


@pytest.mark.parametrize(
    "text",
    [
        *("3 Way Street Fighter", "2 Way Street", "2 LANE ROAD", "5 Star Court", "3 Wall Street Journals"),
        *("4 Supreme Court cases", "10 Square Feet", "a 4 Wheel Drive", "1 TB HARD DRIVE", "2 Google Drive"),
        *(
            "5 PM CT",
            "5 Square Enix games",
            "4 Place Settings",
            "2 Route Options",
            "et al. Nature 10",
            "BOX 5",
        ),
        *("ul. 10", "TOP 10 PLACE", "Via Appia is old", "500 Sq Ft"),
        *(
            "under the bridge 12",
            "top 10 street foods",
            "2 way street",
            "5 minute drive, then a walk",
            "3 lane road",
        ),
        *(
            "10 dirt road",
            "the 2 main street vendors",
            "order 12 in court",
            "1 tennis court",
            "buy 2 get one drive",
        ),
        *(
            "Am Montag 5",
            "Im Raum 12",
            "Auf der Seite 12",
            "Am Bahnhof 12 Minuten",
            "Im Jahr 2020",
            "calle 5",
        ),
        *(
            "via email 10 times",
            "via port 8080",
            "via api 2",
            "via route 66",
            "via denver 3",
            "sent via dante 3 model",
        ),
        *("rue the day 2", "true label 1", "corso di python 3", "corso roma 2024", "plaza de garaje 12"),
        *("av. score 5", "la calle tiene 2 carriles", "rua sem saída 2", "mise en place de serveurs 2"),
        *("7 Eleven Drive", "SENT VIA EMAIL 5", "Via Git 5", '{"street":"string"}', '{"street": "12"}'),
    ],
)
def test_titles_and_counted_things_are_no_addresses(text: str) -> None:
    assert found_in(text) == []


@pytest.mark.parametrize("field", ['"street":"', '"streetAddress": "', '"address_line_1":"'])
def test_what_stands_in_a_field_of_streets_is_one_if_it_has_a_number(field: str) -> None:
    assert found_in("{" + field + 'Am Markt 3","n":1}') == ["Am Markt 3"]
