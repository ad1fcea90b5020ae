"""Labelled texts: personal data that is right by its check digits, and things that only look like it.

Check digits are computed here by trial, not by the product's formulas turned round: a digit is appended that makes
the textbook sum come out, so that a mistake in the product does not repeat itself here.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Labelled:
    """A text, where personal data stands in it, and which maker made it."""

    text: str
    spans: tuple[tuple[int, int, str], ...]
    maker: str


def digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choices("0123456789", k=count))


def hexes(rng: random.Random, count: int) -> str:
    return "".join(rng.choices("0123456789abcdef", k=count))


def letters(rng: random.Random, count: int) -> str:
    return "".join(rng.choices(LETTERS, k=count))


def luhn_complete(body: str) -> str:
    def total(number: str) -> int:
        places = [int(d) for d in number][::-1]
        return sum(places[0::2]) + sum(sum(divmod(2 * p, 10)) for p in places[1::2])

    return next(body + d for d in "0123456789" if total(body + d) % 10 == 0)


def iban(rng: random.Random) -> str:
    country, body = rng.choice(
        [
            ("DE", digits(rng, 18)),
            ("GB", letters(rng, 4) + digits(rng, 14)),
            ("FR", digits(rng, 23)),
            ("NL", letters(rng, 4) + digits(rng, 10)),
            ("ES", digits(rng, 20)),
            ("NO", digits(rng, 11)),
        ]
    )
    number = int("".join(str(ord(c) - 55) if c.isalpha() else c for c in body + country + "00"))
    code = f"{country}{98 - number % 97:02d}{body}"
    return " ".join(code[i : i + 4] for i in range(0, len(code), 4)) if rng.random() < 0.5 else code


def card(rng: random.Random) -> str:
    prefix, length = rng.choice(
        [("4", 16), ("51", 16), ("2300", 16), ("37", 15), ("6011", 16), ("3530", 16), ("62", 16)]
    )
    number = luhn_complete(prefix + digits(rng, length - 1 - len(prefix)))
    separator = rng.choice(["", " ", "-"])
    if length == 15:
        return separator.join((number[:4], number[4:10], number[10:]))
    return separator.join(number[i : i + 4] for i in range(0, 16, 4))


def phone(rng: random.Random) -> str:
    d = digits
    last7 = f"{rng.randrange(200, 990)}-{d(rng, 4)}"
    return rng.choice(
        [
            f"({rng.choice(['415', '212', '617', '303'])}) {last7}",
            f"{rng.choice(['415', '212', '617', '303'])}-{last7}",
            f"+1 {rng.choice(['415', '212'])} {last7.replace('-', ' ')}",
            f"+1{rng.choice(['415', '212'])}{last7.replace('-', '')}",
            f"020 7{d(rng, 3)} {d(rng, 4)}",
            f"+44 20 7{d(rng, 3)} {d(rng, 4)}",
            f"+44 (0)20 7{d(rng, 3)} {d(rng, 4)}",
            f"01 4{d(rng, 1)} {d(rng, 2)} {d(rng, 2)} {d(rng, 2)}",
            f"+33 6 1{d(rng, 1)} {d(rng, 2)} {d(rng, 2)} {d(rng, 2)}",
            f"+49 30 2{d(rng, 6)}",
            f"+49 (0)151 2{d(rng, 7)}",
            f"03-3{d(rng, 3)}-{d(rng, 4)}",
            f"(11) 9{rng.randrange(6, 10)}{d(rng, 3)}-{d(rng, 4)}",
            f"+91 98{d(rng, 3)} {d(rng, 5)}",
            f"+34 612 {d(rng, 2)} {d(rng, 2)} {d(rng, 2)}",
            f"+39 06 6{d(rng, 3)} {d(rng, 4)}",
        ]
    )


def phone_abroad(rng: random.Random) -> str:
    """As people dial and type numbers of other countries."""
    number = rng.choice([f"49 30 2{digits(rng, 6)}", f"44 20 7{digits(rng, 3)} {digits(rng, 4)}"])
    return f"{rng.choice(['+ ', '011 ', '00 '])}{number}"


def bare_phone(rng: random.Random) -> str:
    return f"{rng.choice(['415', '212', '617', '303'])}{rng.randrange(200, 990)}{digits(rng, 4)}"


def email(rng: random.Random) -> str:
    user = rng.choice(["ann", "bob.lee", "c_d", "o'brien", "x+tag", "j-p.müller", "info", "a1"])
    host = rng.choice(["example.org", "mail.example.co.uk", "uni-köln.de", "sub.domain.example.com", "b.io"])
    address = f"{user}{rng.randrange(1000)}@{host}"
    return address.upper() if rng.random() < 0.1 else address


def quoted_email(rng: random.Random) -> str:
    return f'"{rng.choice(["ada lovelace", "Bob.Lee", "c d"])}"@example{rng.randrange(9)}.org'


def short_ip(rng: random.Random) -> str:
    """As versions look too."""
    return ".".join(str(rng.randrange(1, 10)) for _ in range(4))


def ip(rng: random.Random) -> str:
    if rng.random() < 0.7:
        return f"{rng.randrange(11, 126)}.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(100, 255)}"
    groups = [f"{rng.randrange(0x100, 0x10000):x}" for _ in range(rng.choice([4, 6]))]
    return "2001:db8:" + (":".join(groups) if len(groups) == 6 else ":".join(groups[:2]) + "::" + groups[2])


def wallet(rng: random.Random) -> str:
    fixed = [
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2",
        "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
        "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr",
        "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh",
    ]
    return rng.choice(fixed) if rng.random() < 0.4 else "0x" + hexes(rng, 40)


BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def base58(data: bytes) -> str:
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = BASE58[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def solana(rng: random.Random) -> str:
    """The public key of a private one."""
    key = Ed25519PrivateKey.from_private_bytes(rng.randbytes(32)).public_key()
    return base58(key.public_bytes_raw())


def ssn(rng: random.Random) -> str:
    return f"{rng.randrange(1, 665):03d}-{rng.randrange(1, 100):02d}-{rng.randrange(1, 10000):04d}"


def cpf(rng: random.Random) -> str:
    body = digits(rng, 9)
    for _ in range(2):
        weights = range(len(body) + 1, 1, -1)
        rest = sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11
        body += str(0 if rest < 2 else 11 - rest)
    return f"{body[:3]}.{body[3:6]}.{body[6:9]}-{body[9:]}"


def nir(rng: random.Random) -> str:
    body = (
        f"{rng.choice('12')}{digits(rng, 2)}{rng.randrange(1, 13):02d}{rng.randrange(10, 95)}{digits(rng, 6)}"
    )
    return f"{body}{97 - int(body) % 97:02d}"


def dni(rng: random.Random) -> str:
    number = rng.randrange(10_000_000, 99_999_999)
    return f"{number}{'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23]}"


def national_id(rng: random.Random) -> str:
    return rng.choice([ssn, cpf, nir, dni])(rng)


def birth(rng: random.Random) -> str:
    year, month, day = rng.randrange(1940, 2010), rng.randrange(1, 13), rng.randrange(1, 29)
    name = MONTHS[month - 1]
    return rng.choice(
        [
            f"{year}-{month:02d}-{day:02d}",
            f"{day:02d}/{month:02d}/{year}",
            f"{day}.{month}.{year}",
            f"{name} {day}, {year}",
        ]
    )


GIVEN = ("Anna", "John", "María", "Jürgen", "Priya", "Chloé", "Paweł", "Ada", "Mohammed", "Giulia")
FAMILY = ("Schmidt", "Smith", "García", "Müller", "Patel", "Dupont", "Nowak", "Lovelace", "Hassan", "O'Brien")


def name(rng: random.Random) -> str:
    return f"{rng.choice(GIVEN)} {rng.choice(FAMILY)}"


def small_name(rng: random.Random) -> str:
    return name(rng).replace("O'B", "B").lower()


def loud_name(rng: random.Random) -> str:
    return name(rng).replace("O'B", "B").upper()


def surname(rng: random.Random) -> str:
    return rng.choice([*FAMILY, "von Neumann", "de la Cruz", "van der Berg", "Quigley"])


def street(rng: random.Random) -> str:
    number = rng.randrange(11, 900)
    return rng.choice(
        [
            f"{number} {rng.choice(['MAIN', 'OAK', 'N HILL', 'PARK'])} {rng.choice(['ST', 'AVE', 'STREET', 'RD'])}",
            f"{number} {rng.choice(['Mill', 'Baker', 'Station', 'Wall'])} {rng.choice(['Street', 'Road', 'Way'])}",
            f"PO BOX {number}",
            f"po box {number}",
            f"{number} Rue Victor Hugo, 75001 Paris",
            f"{number} Avenue Foch",
            f"{number} Place Vendôme, 75001 Paris",
            f"ul. Marszałkowska {number}",
            f"ul. Długa {number}/4, 00-238 Warszawa",
            f"Calle Mayor {number}",
            f"{number} {rng.choice(['mill', 'baker', 'oak'])} {rng.choice(['street', 'road', 'ave'])}",
            f"Via Roma {number}",
            f"Lindenstraße {number}, 10969 Berlin",
        ]
    )


SENTENCES: dict[str, tuple[str, ...]] = {
    "email": (
        "write to {}",
        "{}",
        "<{}>",
        "mailto:{}?subject=x",
        "contact: {}.",
        "'{}' wrote",
        "a,{},b",
        "({})",
    ),
    "phone": (
        "call {} after five",
        "{}",
        "Phone: {}.",
        "reach me at {}, thanks",
        "Tel. {}",
        "my number, {}, is new",
    ),
    "bare_phone": (
        *("call {} after five", "Phone: {}.", "my cell is {}", "tel={}", "WhatsApp {}"),
        *("my number is {}", "text me at {}", "her new number: {}"),
    ),
    "card": ("paid with {} today", "{}", "card: {}.", "Visa {} exp 12/27", "number {} (mine)"),
    "iban": ("transfer to {} please", "{}", "IBAN: {}.", "iban={}", "account {}, thanks"),
    "ip": ("login from {}", "{}", "client {}:", "ip={}", "[{}] GET /", "blocked {}, again"),
    "crypto_address": ("send it to {}", "{}", "wallet: {}.", "address={}", "({})"),
    "national_id": ("my number is {}", "{}", "id: {}.", "SSN/CPF/NIR/DNI {}", "({})"),
    "date_of_birth": (
        "born on {}",
        "DOB: {}",
        "Date of birth {}.",
        "née, birthday {}",
        "geboren am {}",
        "d.o.b. {}",
    ),
}
MAKERS: dict[str, Callable[[random.Random], str]] = {
    "email": email,
    "phone": phone,
    "bare_phone": bare_phone,
    "card": card,
    "iban": iban,
    "ip": ip,
    "crypto_address": wallet,
    "national_id": national_id,
    "date_of_birth": birth,
}
WORDED_MAKERS: dict[str, tuple[str, Callable[[random.Random], str], tuple[str, ...]]] = {
    "quoted e-mail": ("email", quoted_email, ("write to {}", "{}", "<{}>")),
    "phone abroad": ("phone", phone_abroad, ("dial {} today", "{}", "Tel. {}")),
    "iban in small letters": (
        "iban",
        lambda r: iban(r).lower(),
        ("iban {}", "iban: {}", "to iban {} please"),
    ),
    "ip with port": ("ip", short_ip, ("connect to {}:443", "{}:53", "dns={}:8080, up")),
    "solana": (
        "crypto_address",
        solana,
        ("send SOL to {}", "wallet: {}.", "my Solana address is {}", "{} (phantom)"),
    ),
    "titled": ("person_name", surname, ("saw Mr. {}", "Dr. {} called", "Mme {}", "Frau Prof. Dr. {}")),
    "titled in full": (
        "person_name",
        name,
        ("Dr. med. {}", "Dr. rer. nat. {} called", "Sr. {}", "Prof. {}, MD"),
    ),
    "loud": ("person_name", loud_name, ("MR {}", "SPOKE TO DR. {}", "NAME: {}", "CUSTOMER NAME: {}")),
    "labelled": ("person_name", name, ("customer: {}", "Client = {}", "patient name - {}", "full name: {}")),
    "fields": (
        "person_name",
        lambda r: r.choice(["Xiomara Quintanilla", "Thandiwe Mthembu", "Siobhan O'Reilly", name(r)]),
        ("customer: {}", "owner: {}\ncity: Rome", "Manager: {}, age 40", "sales rep: {}"),
    ),
    "small": (
        "person_name",
        small_name,
        ("name: {}", "patient name - {}", "contact = {}", "client: {}, age 40"),
    ),
    "street": ("postal_address", street, ("ship to {}", "{}", "he lives at {}.", "{}; ring twice")),
}
"""Kind, maker and sentences of what is found by the words beside it, or is seldom written so."""
HARD_NEGATIVES: dict[str, Callable[[random.Random], str]] = {
    "order number": lambda r: f"order {digits(r, 10)} shipped",
    "order number 16": lambda r: f"order no. {r.choice('45')}{digits(r, 15)}",
    "invoice": lambda r: f"Invoice INV-{r.randrange(2015, 2026)}-{digits(r, 6)}",
    "float": lambda r: f"loss {r.random():.16f}",
    "large float": lambda r: f"{r.random() * 1e9:.6f}",
    "unix time": lambda r: f"at {r.randrange(1_500_000_000, 1_800_000_000)}",
    "unix milliseconds": lambda r: f"ts={r.randrange(1_500_000_000_000, 1_800_000_000_000)}",
    "unix nanoseconds": lambda r: f"ts={r.randrange(15 * 10**17, 18 * 10**17)}",
    "iso time": lambda r: (
        f"2024-{r.randrange(1, 13):02d}-{r.randrange(1, 29):02d}T{r.randrange(10, 24)}:15:{r.randrange(10, 60)}Z"
    ),
    "date and time": lambda r: (
        f"2023-{r.randrange(1, 13):02d}-{r.randrange(1, 29):02d} 10:{r.randrange(10, 60)}:11.123456"
    ),
    "date": lambda r: f"released on {r.randrange(1, 29)}/{r.randrange(1, 13)}/{r.randrange(1990, 2025)}",
    "sha256": lambda r: f"sha256:{hexes(r, 64)}",
    "sha1": lambda r: f"commit {hexes(r, 40)}",
    "md5": lambda r: hexes(r, 32),
    "transaction": lambda r: f"0x{hexes(r, 64)}",
    "uuid": lambda r: str(uuid.UUID(int=r.getrandbits(128), version=4)),
    "version": lambda r: f"v{r.randrange(20)}.{r.randrange(30)}.{r.randrange(99)}",
    "long version": lambda r: (
        f"version {r.randrange(20, 120)}.{r.randrange(10)}.{r.randrange(250)}.{r.randrange(250)}"
    ),
    "browser": lambda r: (
        f"Chrome/{r.randrange(80, 130)}.0.{r.randrange(250)}.{r.randrange(250)} Safari/537.36"
    ),
    "latitude": lambda r: f"{r.uniform(-90, 90):.6f}, {r.uniform(-180, 180):.6f}",
    "mac": lambda r: ":".join(hexes(r, 2) for _ in range(6)),
    "mac hyphens": lambda r: "-".join(hexes(r, 2).upper() for _ in range(6)),
    "eui64": lambda r: ":".join(hexes(r, 2) for _ in range(8)),
    "ean": lambda r: f"EAN {r.choice(['400', '978', '590'])}{digits(r, 10)}",
    "isbn": lambda r: f"ISBN 978-3-16-{digits(r, 6)}-{digits(r, 1)}",
    "issn": lambda r: f"ISSN {digits(r, 4)}-{digits(r, 4)}",
    "package": lambda r: f"react@18.{r.randrange(9)}.0 and @babel/core@7.{r.randrange(30)}.1",
    "retina image": lambda r: f"logo{r.randrange(99)}@2x.png",
    "decorator": lambda r: f"@app.route('/{hexes(r, 4)}') def f(): pass",
    "handle": lambda r: f"thanks @{r.choice(['ann', 'bob'])}{r.randrange(99)}!",
    "vector": lambda r: "[" + ", ".join(f"{r.gauss(0, 1):.4f}" for _ in range(8)) + "]",
    "integer list": lambda r: " ".join(str(r.randrange(1000)) for _ in range(9)),
    "zip+4": lambda r: f"TX {digits(r, 5)}-{digits(r, 4)}",
    "sku": lambda r: f"SKU {letters(r, 2)}{digits(r, 6)}{letters(r, 1)}",
    "part number": lambda r: f"part {letters(r, 3)}-{digits(r, 4)}-{letters(r, 2)}",
    "price": lambda r: f"$1,{digits(r, 3)},{digits(r, 3)}.{digits(r, 2)}",
    "percentage": lambda r: f"{r.random() * 100:.8f}%",
    "doi": lambda r: f"doi:10.{r.randrange(1000, 9999)}/s{digits(r, 5)}-0{digits(r, 2)}-{digits(r, 5)}-x",
    "arxiv": lambda r: f"arXiv:{r.randrange(10, 25)}{r.randrange(1, 13):02d}.{digits(r, 5)}",
    "nine digits": lambda r: digits(r, 9),
    "ten digits": lambda r: digits(r, 10),
    "imei": lambda r: f"IMEI {luhn_complete('35' + digits(r, 12))}",
    "time range": lambda r: f"{r.randrange(24)}:00:{r.randrange(10, 60)}-{r.randrange(24)}:30:00",
    "cplusplus": lambda r: f"std::vector<int> a::b{r.randrange(9)}",
    "netmask": lambda r: f"255.255.{r.choice(['255', '0'])}.0 on 127.0.0.1",
    "ratio": lambda r: f"{r.randrange(9)}/{r.randrange(9)} of {digits(r, 3)} {digits(r, 3)} {digits(r, 3)}",
    "season": lambda r: (
        f"Spring {r.randrange(1990, 2030)} collection, Page {r.randrange(99)} of {r.randrange(99)}"
    ),
    "greeting": lambda r: f"Dear {r.choice(['Sir or Madam', 'Customer', 'Hiring Manager', 'Team'])}, thanks",
    "label of a thing": lambda r: (
        f"{r.choice(['file', 'table', 'column', 'host'])} name: {r.choice(['report final', 'users', 'web one'])}"
    ),
    "label of nobody": lambda r: (
        f"{r.choice(['name', 'customer', 'client', 'patient', 'contact', 'first name', 'surname'])}"
        f"{r.choice([': ', '=', ' - '])}{r.choice(['default', 'required', 'string', 'acme corp', 'unknown', 'C-1001'])}"
    ),
    "owner that is nobody": lambda r: (
        f"{r.choice(['owner', 'Manager', 'author', 'customer', 'assignee', 'user'])}: "
        f"{r.choice(['Finance Department', 'Human Resources', 'Unknown', 'Data Platform', 'Acme Corp'])}"
    ),
    "letters of no title": lambda r: (
        f"{r.choice(['MR', 'DR', 'MS', 'SR'])} {r.choice(['REVIEW', 'PLAN', 'EXCEL FILE'])}"
    ),
    "senior": lambda r: f"Sr. {r.choice(['Engineer', 'Data Analyst', 'Python Developer', 'Manager'])} wanted",
    "title with a street": lambda r: (
        f"{r.randrange(2, 9)} {r.choice(['Way Street Fighter', 'Wall Street Journals', 'Star Court', 'Wheel Drive'])}"
    ),
    "counted in small letters": lambda r: (
        f"top {r.randrange(2, 99)} {r.choice(['street foods', 'minute drive', 'lane road', 'road trips', 'in court'])}"
    ),
    "somewhere, some time": lambda r: (
        f"{r.choice(['Am Montag', 'Im Raum', 'Auf der Seite', 'In der Woche', 'under the bridge'])} {r.randrange(99)}"
    ),
    "counted in capitals": lambda r: (
        f"{r.randrange(1, 9)} {r.choice(['HARD DRIVE', 'LANE ROAD', 'WAY STREET', 'TB'])}"
    ),
    "number of something": lambda r: (
        f"the {r.choice(['page', 'prime', 'batch', 'order'])} number {digits(r, 10)}"
    ),
    "sum": lambda r: f"{digits(r, 2)} + {digits(r, 2)} {digits(r, 2)} {digits(r, 6)}",
    "short version": lambda r: ".".join(str(r.randrange(10)) for _ in range(4)),
    "base58 id": lambda r: f"job {''.join(r.choices(BASE58, k=r.randrange(32, 45)))} done",
    "ipfs": lambda r: f"pay for {base58(bytes([0x12, 0x20]) + r.randbytes(32))} with the wallet",
    "key of a wallet's file": lambda r: f"wallet {base58(r.randbytes(r.choice([25, 31, 33])))}",
    "string in code": lambda r: f'{{"a": "@{hexes(r, 4)}.b{hexes(r, 2)}"}}',
    "way": lambda r: f"{r.randrange(9)} of the Best Way to Drive, {r.randrange(99)} ways",
}
TEXT = """the model was trained with care and people asked how well it works in practice because every answer is read by
someone who needs to know whether that result can be used again tomorrow or should rather wait until more examples have
been seen"""
WORDS = TEXT.split()


def personal(count: int, seed: int = 1) -> list[Labelled]:
    """`count` texts of each kind, in turns alone, in a sentence and in filler."""
    rng = random.Random(seed)
    made = []
    for maker, make in MAKERS.items():
        for _ in range(count):
            value = make(rng)
            before, after = rng.choice(SENTENCES[maker]).split("{}")
            if rng.random() < 0.3:
                before, after = f"{filler(rng)} {before}", f"{after} {filler(rng)}"
            kind = "phone" if maker == "bare_phone" else maker
            made.append(
                Labelled(before + value + after, ((len(before), len(before) + len(value), kind),), maker)
            )
    return made


def worded(count: int, seed: int = 3) -> list[Labelled]:
    """`count` texts of each sort that words tell or that is seldom written so."""
    rng = random.Random(seed)
    made = []
    for maker, (kind, make, sentences) in WORDED_MAKERS.items():
        for _ in range(count):
            value = make(rng)
            before, after = rng.choice(sentences).split("{}")
            made.append(
                Labelled(before + value + after, ((len(before), len(before) + len(value), kind),), maker)
            )
    return made


def hard_negatives(count: int, seed: int = 2) -> list[Labelled]:
    """`count` texts of each sort that hold nobody's data."""
    rng = random.Random(seed)
    return [Labelled(make(rng), (), maker) for maker, make in HARD_NEGATIVES.items() for _ in range(count)]


def filler(rng: random.Random) -> str:
    return " ".join(rng.choices(WORDS, k=rng.randrange(4, 12)))
