"""What a column holds: by its name, in the words people use, and by its cells."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.privacy import columns
from hokusai.privacy.columns import as_text, header_words, kind_by_content, kind_by_name, looks_like
from hokusai.privacy.detector import canonical_whole
from hokusai.privacy.gate import ColumnGate
from hokusai.privacy.kinds import PiiKind
from hokusai.privacy.policy import PiiPolicy

YES = {
    PiiKind.EMAIL: """
        email|Email|EMAIL|e-mail|E_Mail|e mail|mail|emails|user_email|userEmail|userEMailAddress
        |email_address|emailAddress|contact-email|work_email|email2|primary email|sender_email
        |customer.email|courriel|correo_electronico|e-post|メールアドレス|почта|emailaddress
        |E-Mail-Adresse|email_id|billing_email
    """,
    PiiKind.PHONE: """
        phone|Phone|PHONE_NUMBER|phoneNumber|phone_no|telephone|tel|Tel.|mobile|mobile_number|cell_phone
        |cellphone|fax|fax_number|home_phone|work phone|Telefonnummer|Telefon|téléphone
        |numéro_de_téléphone|telefono|Handynummer|msisdn|phone1|contact_phone|電話番号|телефон
        |user_mobile|whatsapp|handy|movil|contact_number
    """,
    PiiKind.CARD: """
        card|card_number|cardNumber|credit_card|creditcard|credit_card_number|CC|cc_number|ccnum
        |debit_card|kreditkarte|payment_card|card_no
    """,
    PiiKind.IBAN: "iban|IBAN|customer_iban|iban_number|sender IBAN",
    PiiKind.NATIONAL_ID: """
        ssn|SSN|social_security_number|socialSecurity|passport|passport_number|passport_no|national_id
        |nationalId|nino|drivers_license|tax_id|codice_fiscale|DNI|cpf|aadhaar|steuer-id|身份证号
        |nin|Personnummer|bsn|PESEL
    """,
    PiiKind.IP: """
        ip|IP|ip_address|ipAddress|IPAddress|ip_addr|client_ip|user_ip|source_ip|ipv4|IPv6|ipv4_address
        |remote_addr|last_ip|login_ip
    """,
    PiiKind.CRYPTO_ADDRESS: """
        wallet|wallet_address|walletAddress|eth_address|address_eth|btc_address|user_wallet|solana_address
    """,
    PiiKind.DATE_OF_BIRTH: """
        dob|DOB|date_of_birth|dateOfBirth|birth_date|birthdate|birthday|Geburtsdatum|date_de_naissance
        |fecha_nacimiento|gebdat|Geb.Dat.|date_naissance|patient_dob|born|生年月日
        |bday|birth_ts|birth_datetime|born_on|f_nac|data_urodzenia|дата_рождения
    """,
    PiiKind.PERSON_NAME: """
        name|Name|first_name|firstName|FIRSTNAME|last_name|lastname|surname|full_name|fullname|given_name
        |middle_name|nom|prénom|Nachname|Vorname|apellido|customer_name|patient name|contact_name
        |user_name|username|cardholder|name_of_patient|client_full_name|氏名|имя|maiden_name
        |fname|naam|lname|mname|voornaam|achternaam|imię|nazwisko
    """,
    PiiKind.POSTAL_ADDRESS: """
        address|Address|addr|street|street_address|home_address|billing_address|shippingAddress
        |address_line_1|address1|adresse|Straße|Anschrift|postal_address|dirección|indirizzo
        |customer_address|adres|ulica|domicilio|住所
    """,
}
NO = """
    description|script|zip_code_lookup|recipient_count|shipping_type|filename|file_name|model_name
    |feature_name|column_name|product_name|company_name|hostname|domain_name|event_name|class_name
    |name_length|tip|chip|ship|strip|recipe|zip|zip_code|email_count|num_emails|number_of_phones|is_email
    |has_phone|email_verified|email_domain|email_type|email_opt_in|email_subject|email_sent
    |email_open_rate|phone_type|phone_model|phone_brand|phone_os|mobile_app_version|mobile_os|ip_count
    |ip_country|ip_version|card_type|card_brand|card_country|card_expiry|scorecard|discard|cardinality
    |cardio|address_id|mac_address|memory_address|web_address|address_type|address_count|addressable
    |contract_address|birth_weight|birth_year|birth_place|birthrate|street_view_count|wall_street_index
    |telemetry|telescope|hotel|satellite|cell_type|cell_id|battery_cell|wallet_balance|wallet_type|query
    |query_id|label|text|title|content|category|score|feature_1|f0|dim_17|embedding|timestamp|created_at
    |updated_at|date|price|amount|quantity|country|city|state|region|latitude|longitude|age|gender
    |user_id|session_id|customer_segment|is_active|prediction|confidence|version|url|unnamed: 0|Unnamed
    |index|id|uuid|hash|email_hash|phone_hash|token|passport_country|nirvana|nir|tin|pants|company
    |card_last4|mailing_list_size|mail_server|handy_feature|portable_size|iban_valid|ssn_flag|dobro
    |renamed|rename|username_length|owner_id|user_count|author_rank|driver_version|ship_to|residence_time
"""


def table(text: str) -> list[str]:
    return [name.strip() for name in text.split("|")]


class TestByName:
    @pytest.mark.parametrize(
        ("kind", "name"), [(kind, name) for kind, text in YES.items() for name in table(text)]
    )
    def test_the_words_of_a_name_announce_a_kind(self, kind: PiiKind, name: str) -> None:
        assert kind_by_name(name) is kind

    @pytest.mark.parametrize("name", [*table(NO), "", "  ", "123", "_", "🙂", "email" * 50])
    def test_what_only_sounds_like_it_announces_nothing(self, name: str) -> None:
        assert kind_by_name(name) is None

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("userID", ("user", "id")),
            ("HTTPServerName", ("http", "server", "name")),
            ("Prénom", ("prenom",)),
            ("Pre\u0301nom", ("prenom",)),
            ("メールアドレス1", ("メールアドレス",)),
            ("\uff45\uff4d\uff41\uff49\uff4c", ("email",)),
            ("a1b2", ("a", "b")),
        ],
    )
    def test_words_are_told_apart(self, name: str, words: tuple[str, ...]) -> None:
        assert header_words(name) == words


class TestByContent:
    @pytest.mark.parametrize(
        ("cells", "kind"),
        [
            (["ada@example.org", "Bob@Example.COM"], PiiKind.EMAIL),
            (["+1 415 555 0100", "+44 20 7946 0958"], PiiKind.PHONE),
            (["4111 1111 1111 1111", "5500-0000-0000-0004"], PiiKind.CARD),
            (["4111111111111111", "5500000000000004"], PiiKind.CARD),
            ([4111111111111111, 5500000000000004], PiiKind.CARD),
            (["GB82 WEST 1234 5698 7654 32", "DE89370400440532013000"], PiiKind.IBAN),
            (["192.168.7.12", "2001:db8::8a2e:370:7334"], PiiKind.IP),
            (["0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"], PiiKind.CRYPTO_ADDRESS),
        ],
    )
    def test_cells_of_one_kind_make_a_column_of_it(self, cells: list[object], kind: PiiKind) -> None:
        assert kind_by_content(pl.Series(cells)) is kind

    @pytest.mark.parametrize(
        "cells",
        [
            [],
            ["reset my password", "write to ada@example.org"],
            ["2024-01-31", "1990-05-17"],
            ["1700000000", "1700000001"],
            [1700000000, 1700000001],
            [4155550100, 4155550101],
            [123456789, 987654321],
            ["Ada Lovelace", "Alan Turing"],
            [0.25, 17.0],
            ["b0a1c2d3e4f5b0a1c2d3e4f5b0a1c2d3e4f5b0a1"],
        ],
    )
    def test_others_do_not(self, cells: list[object]) -> None:
        assert kind_by_content(pl.Series(cells, dtype=None if cells else pl.String)) is None

    @given(st.lists(st.integers(0, 10**11 - 1), min_size=1, max_size=5))
    @settings(max_examples=40)
    def test_small_numbers_are_passed_over_because_their_text_would_tell_nothing(
        self, cells: list[int]
    ) -> None:
        for numbers in (
            pl.Series(cells),
            pl.Series(cells, dtype=pl.Float64),
            pl.Series(cells).cast(pl.String),
        ):
            assert kind_by_content(numbers) is None

    def test_of_small_numbers_no_text_is_made(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(columns, "as_text", None)  # it took most of the time of wide tables
        assert not any(kind_by_content(pl.Series([number])) for number in range(0, 4_000, 99))

    def test_numbers_with_a_fraction_are_none(self) -> None:
        """0.345961 has the digits of a telephone number of Germany, or of France."""
        shares = [(n * 7919 % 1_000_003) / 1_000_003 for n in range(1, 501)]
        rounded = pl.Series([round(share, 6) for share in shares])
        for cells in (rounded, rounded.cast(pl.String), rounded * 1000, -rounded):
            assert kind_by_content(cells) is None
        assert kind_by_content(pl.Series(["030.9018200", "030.90262020"])) is PiiKind.PHONE

    def test_nine_of_ten_are_needed(self) -> None:
        some = [f"u{number}@example.org" for number in range(90)]
        assert kind_by_content(pl.Series([*some, *["?"] * 10])) is PiiKind.EMAIL
        assert kind_by_content(pl.Series([*some[:-1], *["?"] * 11])) is None

    def test_versions_are_no_addresses_where_the_name_says_so(self) -> None:
        cells = pl.Series(["10.0.1.1", "10.0.2.9"])
        assert kind_by_content(cells, column="os_version") is None
        assert kind_by_content(cells, column="seen") is PiiKind.IP

    def test_only_the_kinds_that_are_looked_for(self) -> None:
        assert kind_by_content(pl.Series(["a@b.co"]), kinds=[PiiKind.PHONE]) is None


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("4111_1111_1111_1111", PiiKind.CARD),
        ("4111/1111/1111/1111", PiiKind.CARD),
        ("PL61.1090.1014.0000.0712.1981.2874", PiiKind.IBAN),
    ],
)
def test_values_however_parted_make_a_column_by_name_and_by_content(cell: str, kind: PiiKind) -> None:
    assert looks_like(pl.Series([cell]), kind)
    assert kind_by_content(pl.Series([cell] * 3)) is kind


class TestIds:
    @pytest.mark.parametrize("name", ["id_number", "ID No.", "sin", "documento"])
    @pytest.mark.parametrize(
        ("cells", "kind"),
        [
            (["44051401359", "02070803628", "85070998057"], "national_id"),
            ([44051401359, 85070998057], "national_id"),
            (["111222333", "123456782"], "national_id"),
            (["8507099805", "811218-9876"], "national_id"),
            (["52998224725", "11144477735", "12345678900", "98765432100", "11223344556"], ""),
            (["4155552671", "4155552672"], ""),
            ([0.8414709848, 0.9092974268], ""),
            (["none", "x"], ""),
        ],
    )
    def test_check_digits_tell_where_the_name_may_be_of_order_numbers(
        self, name: str, cells: list[object], kind: str
    ) -> None:
        gate = ColumnGate.decide(pl.DataFrame({name: cells}), PiiPolicy())
        assert gate.plans[name].kind == kind

    def test_of_another_region_have_one_form_too_where_the_column_is_told_to_hold_ids(self) -> None:
        cells = pl.Series(["850709-9805", "19850709-9805", "198507099805", "8507099805", "8507099806", None])
        forms = canonical_whole(cells, PiiKind.NATIONAL_ID, regions=("US",)).to_list()
        assert forms == ["SE:8507099805"] * 4 + [None] * 2


WHO = table(
    "user|owner|author|sender|recipient|manager|agent|assignee|sales_rep|beneficiary|payee|student|teacher|driver"
    "|tenant|doctor|spouse|next_of_kin|employee|account_manager|assigned_to|reported_by|createdBy|updated_by"
    "|approved_by|reviewer|approver|buyer|seller|attendee|participant|player|guest|passenger|candidate|applicant"
)


class TestPeople:
    """Columns whose names leave open whether people are in them."""

    @pytest.mark.parametrize(
        ("name", "cells", "kind"),
        [
            ("contact", ["ada@example.org", "bob@example.org"], PiiKind.EMAIL),
            ("contact", ["Ada Lovelace", "John Doe"], PiiKind.PERSON_NAME),
            ("Emergency Contact", ["+49 30 901820", "+1 415 555 2671"], PiiKind.PHONE),
            ("customer", ["Roe, Jane", "Anna Schmidt", "Quigley"], PiiKind.PERSON_NAME),
            ("patient", ["MARÍA GARCÍA", "john smith"], PiiKind.PERSON_NAME),
            ("client", ["[person_name]", "[person_name]"], PiiKind.PERSON_NAME),
            ("nom", ["Dupont", "Lefebvre"], PiiKind.PERSON_NAME),
            ("name", ["Ada", "Bob"], PiiKind.PERSON_NAME),
            ("name", ["李小龍"], PiiKind.PERSON_NAME),
            *((name, ["Jane Roe", "Qzzt"], PiiKind.PERSON_NAME) for name in WHO),
            ("ship_to", ["12 Mill Rd, Leeds", "Depot"], PiiKind.POSTAL_ADDRESS),
            ("Wohnort", ["Am Markt 5, Bonn"], PiiKind.POSTAL_ADDRESS),
            ("ulica", ["Długa"], PiiKind.POSTAL_ADDRESS),
            ("name", [], PiiKind.PERSON_NAME),
            ("direccion", ["Calle Mayor 5"], PiiKind.POSTAL_ADDRESS),
            ("address", ["東京都千代田区千代田1-1"], PiiKind.POSTAL_ADDRESS),
        ],
    )
    def test_cells_tell(self, name: str, cells: list[str], kind: PiiKind) -> None:
        plan = ColumnGate.decide(pl.DataFrame({name: pl.Series(cells, dtype=pl.String)}), PiiPolicy()).plans[
            name
        ]
        assert (plan.treatment, plan.kind) == ("cells", kind)

    @pytest.mark.parametrize(
        ("name", "cells"),
        [
            ("contact", ["email", "phone"]),
            ("contact", []),
            ("customer", ["C-1001", "C-1002"]),
            ("customer", ["Acme Corp", "Wells Fargo", "Siemens AG"]),
            ("client", ["Chrome", "Firefox"]),
            ("patient", [1, 2]),
            ("nom", ["Chaise Bleue", "Table"]),
            ("name", ["Blue Chair", "Lamp", "Summer Hat"]),
            ("direccion", ["norte", "sur"]),
            ("address", ["0x7ffe", "0x12"]),
            ("wohnort", ["Berlin", "Bad Homburg"]),
            ("residence", ["owned", "rented"]),
            ("bill_to", ["Acme Corp", "Acme Ltd", "Depot 5"]),
            ("user_agent", ["Mozilla/5.0 (X11)", "curl/8.1"]),
            ("owner_id", ["Jane Roe"]),
            ("driver_version", ["Jane Roe"]),
            ("agent", ["Chrome", "Firefox"]),
            *(
                (title, ["Jane Eyre", "Dune", "Emma", "Ulysses"])
                for title in ("title", "book", "film", "product")
            ),
        ],
    )
    def test_cells_that_say_nothing_of_people_are_left(self, name: str, cells: list[object]) -> None:
        frame = pl.DataFrame({name: pl.Series(cells, dtype=None if cells else pl.String)})
        assert ColumnGate.decide(frame, PiiPolicy()).plans[name].treatment != "cells"

    @pytest.mark.parametrize("beside", ["price", "sku", "isbn", "product_category"])
    def test_beside_a_column_of_goods_most_names_have_to_be_of_people(self, beside: str) -> None:
        novels = ["Jane Eyre", "David Copperfield", "Moby Dick", "Silas Marner"]
        for names, personal in ((novels, set()), (["Jane Roe", "John Smith", "Ada Qzzt"], {"name"})):
            frame = pl.DataFrame({"name": names, beside: ["x"] * len(names)})
            assert ColumnGate.decide(frame, PiiPolicy()).personal == personal
        assert ColumnGate.decide(pl.DataFrame({"name": novels}), PiiPolicy()).personal == {"name"}

    def test_beside_a_column_of_people_a_name_is_one_of_theirs(self) -> None:
        frame = pl.DataFrame({"nom": ["Bzzt"], "prenom": ["Qzzt"], "customer": ["C-1"]})
        assert ColumnGate.decide(frame, PiiPolicy()).personal == {"nom", "prenom"}


class TestLooksLike:
    @pytest.mark.parametrize(
        ("cells", "kind", "likely"),
        [
            (["Visa", "Mastercard"], PiiKind.CARD, False),
            (["a@b.co", *["none"] * 9], PiiKind.EMAIL, True),
            (["a@b.co", *["none"] * 10], PiiKind.EMAIL, False),
            ([4155550100, 4155550101], PiiKind.PHONE, True),
            ([4155550100.0, 4155550101.0], PiiKind.PHONE, True),
            ([0.123456789, 0.987654321], PiiKind.NATIONAL_ID, False),
            ([3, 4], PiiKind.DATE_OF_BIRTH, False),
            ([19900517], PiiKind.DATE_OF_BIRTH, True),
            ([1, 2], PiiKind.PERSON_NAME, False),
            (["anything"], PiiKind.PERSON_NAME, True),
            ([], PiiKind.EMAIL, True),
        ],
    )
    def test_a_name_counts_as_far_as_the_cells_agree(
        self, cells: list[object], kind: PiiKind, likely: bool
    ) -> None:
        assert looks_like(pl.Series(cells, dtype=None if cells else pl.String), kind) is likely


def test_a_whole_number_that_is_stored_as_a_fraction_is_written_without_one() -> None:
    cells = pl.Series("n", [4155550100.0, 0.5, None, float("inf"), -3.0])
    assert as_text(cells).to_list() == ["4155550100", "0.5", None, "inf", "-3"]
