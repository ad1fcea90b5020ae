"""Words beside a value, or within it, that say what it is: passports, labels before names, titles."""

from __future__ import annotations

import polars as pl
import pytest

from hokusai.privacy.detector import canonical_whole, find
from hokusai.privacy.kinds import PiiKind


def found_in(text: str) -> list[tuple[str, str]]:
    return [(form, kind) for _, _, _, kind, form in find(pl.Series([text])).rows()]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Passport number 123456789", "123456789"),
        ("passport C01X00T47 shown at the desk", "C01X00T47"),
        ("12AB34567 (passeport)", "12AB34567"),
        ("Reisepass-Nr.: C01X00T47", "C01X00T47"),
    ],
)
def test_a_passport_is_one_beside_its_word(text: str, number: str) -> None:
    assert found_in(text) == [(f"passport:{number}", "national_id")]
    assert find(pl.Series([text]), [PiiKind.NATIONAL_ID], regions=("BR",)).height == 1  # whatever the region


@pytest.mark.parametrize(
    "text",
    [
        "model 12345678Z",
        "123456789",
        "part C01X00T47",
        "passport renewal, order no. 123456789",
        "passport 000000000",
    ],
)
def test_codes_without_the_word_or_of_something_else_are_no_passports(text: str) -> None:
    assert found_in(text) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Contact: Jane Doe", "jane doe"),
        ("Patient: Jane van der Doe.", "jane van der doe"),
        ("Name: Jane Doe\nE-mail: none", "jane doe"),
        ("(name = Ada K. Lovelace; Phone unknown)", "ada k lovelace"),
        ("Name: Jane Doe", "jane doe"),
        ("Order 12 is late.\nname: Jane van der Doe.\nPlease answer", "jane van der doe"),
        ("Send it back, please. Name: Jane Doe, Age: 40", "jane doe"),
        ("Name: Jane Doe Phone: none", "jane doe"),
        ("Name: Blue Chair, Price: 5; Name: Jane Doe", "jane doe"),
    ],
)
def test_a_label_gives_a_name_away(text: str, name: str) -> None:
    assert found_in(text) == [(name, "person_name")]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Mr. von Neumann agreed", "von neumann"),
        ("Dr. med. Anna Schmidt", "anna schmidt"),
        ("Prof. Dr. rer. nat. h.c. Müller", "müller"),
        ("Dr.-Ing. Anna Schmidt", "anna schmidt"),
        ("MR JOHN SMITH CALLED", "john smith"),
        ("DR. GARCIA LOPEZ IS IN", "garcia lopez"),
        ("dear mr. john smith called", "john smith"),
        ("saw dr garcia today", "garcia"),
        ("el Sr. García", "garcía"),
        ("Mme Dupont et Frau Müller", "dupont"),
        ("Herrn Max Müller anrufen", "max müller"),
        ("Mr. J. Smith called", "j smith"),
        ("Dr. E. Codd called", "e codd"),
        ("Mrs. A. B. Smith is here", "a b smith"),
        ("Mr J. R. R. Tolkien", "j r r tolkien"),
        ("Mr A Smith", "a smith"),
        ("MR J. SMITH CALLED", "j smith"),
        ("Herr Martens kommt", "martens"),
        ("Mr. Le Van An", "le van an"),
        ("Dr. Mark Lord", "mark lord"),
        ("Frau Dr. Anna Schmidt", "anna schmidt"),
        ("Mme Claire Petit", "claire petit"),
        ("Sig.ra Bianchi", "bianchi"),
        ("Dhr. de Vries belde", "de vries"),
        ("mevrouw Jansen", "jansen"),
        ("Mr. Kurt D. Zeilenga called", "kurt d zeilenga"),
    ],
)
def test_a_title_gives_a_name_away_in_all_its_spellings(text: str, name: str) -> None:
    assert found_in(text)[0] == (name, "person_name")
    (first, *_) = find(pl.Series([text])).rows()
    titled = text[: first[2]].removeprefix("el ").removeprefix("dear ").removeprefix("saw ")
    assert canonical_whole(pl.Series([titled]), PiiKind.PERSON_NAME).to_list() == [name]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Don José Martínez", "josé martínez"),
        ("Doña Ana Ruiz de la Torre", "ana ruiz de la torre"),
        ("a Dona Maria Silva ligou", "maria silva"),
        ("M. Dupont a appelé", "dupont"),
        ("(M. Jean Dupont)", "jean dupont"),
        ("il Sig. Bianchi", "bianchi"),
        ("el señor García", "garcía"),
        ("la señora Ana Ruiz", "ana ruiz"),
    ],
)
def test_titles_that_are_words_too_stand_before_names_of_many(text: str, name: str) -> None:
    assert found_in(text) == [(name, "person_name")]


@pytest.mark.parametrize(
    "text",
    [
        *("MR REVIEW NEEDED", "DR PLAN READY", "MS EXCEL FILE", "Sr. Software Engineer", "Sr. Data Analyst"),
        *("Mr. and mrs.", "Dr. Pepper", "Dr. med.", "DR. PEPPER"),
        *("mr. robot", "dr pepper", "see prof of physics", "the mr was merged"),
        *("Dr. Martens", "Mr. Coffee", "Dr. Oetker Pizza", "Attn: Billing", "Signed by: Management"),
        *(
            "Don't Stop Believing",
            "don juan",
            "Don Quixote's windmills",
            "Don Pedro Reservoir",
            "Doña Ana County",
        ),
        *(
            "Don Julio Tequila",
            "Don Giovanni by Mozart",
            "at 10 P.M. Smith left",
            "M. Night",
            "2001 M. J. Dominus",
            "Sig. Figure",
        ),
    ],
)
def test_letters_that_are_titles_elsewhere_stay(text: str) -> None:
    assert found_in(text) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("name: ada lovelace", "ada lovelace"),
        ("customer: John Doe", "john doe"),
        ("Customer: Jane van der Doe.", "jane van der doe"),
        ("patient name - jane roe", "jane roe"),
        ("Contact - Jane Roe", "jane roe"),
        ("client = jane roe, age 40", "jane roe"),
        ("customer: jane roe called again", "jane roe"),
        ("customer: jane roe called", "jane roe"),
        ("name: ada maria quigley", "ada maria quigley"),
        ("full name: ada quigley", "ada quigley"),
        ("surname: quigley", "quigley"),
        ("first name: xaver; last seen today", "xaver"),
        ("NAME: JOHN SMITH", "john smith"),
        ("my name: jane roe", "jane roe"),
        ("Surname: von Neumann", "von neumann"),
        ("my name is john smith", "john smith"),
        ("Kunde: Anna Müller", "anna müller"),
        ("Ansprechpartner: Erika Mustermann", "erika mustermann"),
        ("Nombre: Juan Pérez", "juan pérez"),
        ("Nome: Mario Rossi", "mario rossi"),
        ("Author: John Smith", "john smith"),
        ("Sender: Jane Roe", "jane roe"),
        ("user: jane roe", "jane roe"),
        ("assigned to: Peter Parker", "peter parker"),
        ("driver - Jane Roe", "jane roe"),
        ("customer: Xiomara Quintanilla", "xiomara quintanilla"),
        ("owner: Nguyễn Văn An", "nguyễn văn an"),
        ("name: Xiomara Garcia", "xiomara garcia"),
        ("Name: Xiomara Quintanilla, age 40", "xiomara quintanilla"),
        ("assignee: Thandiwe van der Quint\ndue: today", "thandiwe van der quint"),
        ("next of kin: Siobhan O'Reilly, age 40", "siobhan o'reilly"),
        ("sales rep: Li Wei Okonjo-Iweala.", "li wei okonjo-iweala"),
        ("first_name: Jane", "jane"),
        ("customer_last_name: quigley", "quigley"),
        ("- fname: Xaver", "xaver"),
    ],
)
def test_a_label_gives_a_name_away_in_whatever_case(text: str, name: str) -> None:
    assert found_in(text) == [(name, "person_name")]


@pytest.mark.parametrize(
    "text", ["My name is Max Miller", "First name: Max Miller", "Best regards,\nMax Miller"]
)
def test_a_given_name_that_is_also_a_word_of_forms_is_a_name_in_capitals(text: str) -> None:
    assert found_in(text) == [("max miller", "person_name")]


@pytest.mark.parametrize(
    "text",
    [
        *("file name: report final", "file name: anna report", "name: default", "table name: users"),
        *(
            "name: build and test",
            "name: grace period",
            "name: maria db",
            "name: unit tests",
            "my name: default",
        ),
        *("customer: acme corp", "Customer: Acme Corp", "Client: Mozilla Firefox", "client: web app"),
        *("customer - centric design", "contact - us", "name - value pairs", "patient - not known"),
        *("first name: string", "First name: Required", "surname: max 40 characters", "first name: C-1001"),
        *("familyName = element.text", "SURNAME = ObjectIdentifier(4)", "self.lastName = lastName"),
        *("client: ruby on rails", "customer: Schmidt GmbH", "contact: see below"),
        *("Owner: Finance Department", "author: Unknown", "owner: Human Resources", "owner: San Francisco"),
        *(
            "Customer: General Motors",
            "manager: Redux Toolkit",
            "author: Penguin Books",
            "recipient: ALL STAFF",
        ),
        *(
            "user: Guest",
            "assigned to: Backend Team",
            "driver: Intel Graphics",
            "tenant: Default Tenant",
            "customer: Please Call Back",
        ),
        *(
            "first_name: Faker::Name",
            "first_name: user.first_name",
            "last_name: varchar(50)",
            "fname: params",
        ),
    ],
)
def test_not_everything_behind_a_label_is_a_name(text: str) -> None:
    assert found_in(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Name: Blue Chair\nPrice: 5",
        "Product name: Blue Chair, age 3+",
        "Name: Blue Chair, In Stock: yes",
        "name: Build Everything\non: push",
        "Name: Blue Chair is a book",
        *("name: Blue Chair", "Name: Wireless Mouse", "Name: Machine Learning", "Name: Climate Change"),
        *("name: Visual Studio Code", "name: Intel Core", "name: Prod Cluster", "Name: Central Park"),
        *("Thanks\nRegards", "Thanks,\nKind Regards\n"),
        "Name: Jane",
        "watched Mr. Robot again",
        "Contact: Sales Team",
        "patient: Unknown",
        "Patient: Unknown, Female",
    ],
)
def test_names_of_things_stay(text: str) -> None:
    assert found_in(text) == []


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Patient: Lovelace, Ada", "Lovelace, Ada"),
        ("Customer name: Lovelace,  Ada; age 36", "Lovelace,  Ada"),
        ("Name: Lovelace, Ada\nPhone: none", "Lovelace, Ada"),
        ("Name: Blue, Name: Lovelace, Ada", "Lovelace, Ada"),
    ],
)
def test_a_last_name_before_the_first_is_the_same_in_a_list_and_in_a_column(text: str, written: str) -> None:
    assert found_in(text) == [("lovelace ada", "person_name")]
    assert canonical_whole(pl.Series([written]), PiiKind.PERSON_NAME).to_list() == ["lovelace ada"]
    (row,) = find(pl.Series([text])).rows()
    assert text[row[1] : row[2]] == written


def test_a_particle_before_the_last_name_belongs_to_it() -> None:
    assert found_in("Patient: van Dyck, José K.") == [("van dyck josé k", "person_name")]


def test_a_comma_after_a_name_need_not_lead_to_another() -> None:
    assert found_in("Surname: Lovelace, First name: Ada") == [
        ("lovelace", "person_name"),
        ("ada", "person_name"),
    ]
    assert found_in("Customer name: Lovelace, Ada is her first") == [("lovelace", "person_name")]


def test_a_title_is_no_part_of_the_name_in_a_column_either() -> None:
    cells = pl.Series(["Dr. Ada Lovelace", "Mrs Ada  Lovelace", "Ada Lovelace", "Drake Miss", "Dr."])
    assert canonical_whole(cells, PiiKind.PERSON_NAME).to_list() == [
        *["ada lovelace"] * 3,
        "drake miss",
        "dr",
    ]
    assert found_in("saw Dr. Ada Lovelace") == [("ada lovelace", "person_name")]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('{"first_name":"Jane","last_name":"Roe"}', ["jane", "roe"]),
        ('{"name":"John Smith","age":3}', ["john smith"]),
        ('{"full_name": "jane qzzt"}', ["jane qzzt"]),
        ('{"lastName": "O\'Brien"}', ["o'brien"]),
        ("{'customer_first_name': 'xaver'}", ["xaver"]),
        (r"{\"surname\":\"Roe\"}", ["roe"]),
        ('name: "John Smith"', ["john smith"]),
        ("User(name='John Smith', id=1)", ["john smith"]),
    ],
)
def test_a_field_of_json_or_an_argument_gives_a_name_away(text: str, names: list[str]) -> None:
    assert found_in(text) == [(name, "person_name") for name in names]


@pytest.mark.parametrize(
    "text",
    [
        *('{"name":"Wool Coat"}', '{"name":"Emma Skirt"}', '{"name":"build"}', '{"author":"Acme Corp"}'),
        *('{"file_name":"report"}', '{"file_name":"John Smith"}', '{"first_name": "string"}'),
        *("sort: {lastName: 'asc'}", '{"full_name": "octo/hello"}', '{"last_name": ""}', "name = 'main'"),
    ],
)
def test_fields_of_things_and_of_schemas_hold_no_names(text: str) -> None:
    assert found_in(text) == []


def test_the_fields_of_one_person_do_not_hide_each_other() -> None:
    found = found_in("first_name: xaver\nlast_name: quigley\ncity: Rome")
    assert found == [("xaver", "person_name"), ("quigley", "person_name")]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("cc: Jane Doe", ["jane doe"]),
        ("Cc: Jane Doe <jane@x.org>, John Roe", ["jane doe", "john roe"]),
        ("bcc: Xiomara Quintanilla;\n  Jane Doe", ["xiomara quintanilla", "jane doe"]),
        ("to: jane@x.org, John Roe and Jane Doe", ["john roe", "jane doe"]),
        ('From: "Doe, Jane" <jane@x.org>', ["doe jane"]),
        ("**From:** Jane <jane@x.org>", ["jane"]),
        ("From: Xiomara Quintanilla <x@y.org>", ["xiomara quintanilla"]),
        ("to: jane doe <jane@x.org>", ["jane doe"]),
        ("> From: Ngozi Mbeki\n> To: Team\n> Subject: order", ["ngozi mbeki"]),
        ("From: Jane Doe To: John Roe", ["jane doe", "john roe"]),
        ("Attn. Jane Doe", ["jane doe"]),
        ("attn Xiomara Quintanilla", ["xiomara quintanilla"]),
        ("signed by Jane Doe on Monday", ["jane doe"]),
        ("signed, Jane Doe", ["jane doe"]),
        ("Best regards, John Smith", ["john smith"]),
        ("see you. Kind regards, Jane", ["jane"]),
        ("Thanks, Bob.", ["bob"]),
        ("Thanks, kind regards, John Smith | Acme", ["john smith"]),
        ("Thanks, Kind regards, Jane", ["jane"]),
        ("Sincerely, Xiomara Quintanilla", ["xiomara quintanilla"]),
        ("Mit freundlichen Grüßen, Max Mustermann", ["max mustermann"]),
        ("Cordialement, Marie Curie, Paris", ["marie curie"]),
        ("Saludos, Ana Ruiz", ["ana ruiz"]),
        ("Atentamente,\nAna Ruiz", ["ana ruiz"]),
    ],
)
def test_a_letter_gives_away_who_writes_and_to_whom(text: str, names: list[str]) -> None:
    assert [form for form, kind in found_in(text) if kind == "person_name"] == names


@pytest.mark.parametrize(
    "text",
    [
        *(
            "from: Acme Corp",
            "to: Sales Team",
            "From: New York",
            "to: Finance Department",
            "From: Lake Louise",
        ),
        *("From: Hong Kong\nTo: Buenos Aires", "from: Red Hat to: Hugging Face", "from: nancy france"),
        *("Transfer from: Wells Fargo to: Savings Account", "To: Whom It May Concern", "from: Apache Kafka"),
        *("to: Victoria", "From: python to: rust", "area cc: Orange Blossom", "Attn. Customer Service"),
        *(
            "CC: Creative Commons",
            "CC: English Subtitles",
            "Cc: Customer Support, Sales Team",
            "Cc: Stable Kernel",
            "cc: @jane",
        ),
        *("cc: Incident Response", "CC: Visa Platinum", "Cc: Release Managers", "Warehouse to: Regional Hub"),
        *("Signed by Let's Encrypt", "signed by Manchester United", "Signed, Mint Condition"),
        *("Thanks, everyone", "Thanks, Obama", "Thanks, Google Maps", "Thanks, Best Buy", "Cheers, Mate"),
        *("Thanks, Will do", "Best regards, The Support Team", "Kind regards, Acme Corp", "Regards, Support"),
        *("Sincerely, Concerned Citizen", "Cordialement, Votre Équipe", "Saludos, Ciudad de México"),
        *("Mit freundlichen Grüßen, Ihre Sparkasse Köln", "Best wishes, Merry Christmas", "Thanks, Regards"),
    ],
)
def test_letters_to_and_from_nobody_stay(text: str) -> None:
    assert found_in(text) == []
