"""Texts written by hand, apart from the generator: personal data is marked as `{kind|value}`.

They were written before the detector was run on them, from numbers in published examples of the schemes.
"""

from __future__ import annotations

STRUCTURED = (
    "About my booking: you can mail me at {email|sofia.rossi@posta.example.it} or ring {phone|+39 06 698 12345}.",
    "{email|first.last@example.com}, {email|second@example.com};{email|third@example.com}",
    "Forwarded from {email|no-reply@shop.example} on Tuesday",
    "my skype is live:someone and my email address is {email|Some.One_99@Example.CO.UK}!!",
    'Reply-To: "Support" <{email|support@help.example.org}>',
    "https://example.org/unsubscribe?user={email|jane@example.org}&id=4",
    "Please call {phone|(212) 736-5000} and ask for the front desk.",
    "Office: {phone|212-736-5000 ext. 42}. Fax: {phone|212.736.5001}",
    "call me on {phone|07911 123456} any time",
    "our London office, {phone|020 7946 0018}, is closed on Monday",
    "Ruf mich an: {phone|030 901820}, danke!",
    "Telefon {phone|089/233 00-0} oder mobil {phone|0151 23456789}",
    "joignable au {phone|01 42 34 56 78} ou par mail",
    "mon portable: {phone|06 12 34 56 78}",
    "llámame al móvil {phone|612 345 678} por la tarde",
    "whatsapp {phone|+55 11 98765-4321} (Ana)",
    "電話は{phone|03-3581-0101}です",
    "dial {phone|+91 98765 43210} for delivery",
    "emergency contact {phone|+44 (0)161 496 0123}",
    "sms to {phone|+14155552671} please",
    "Card: {card|4012 8888 8888 1881}, exp 09/27, cvv 123",
    "I was charged twice on {card|5105105105105100}!",
    "amex {card|3714-496353-98431} declined",
    "the number on the front is {card|6011000990139424}",
    "please refund to {iban|GB29 NWBK 6016 1331 9268 19} asap",
    "IBAN {iban|DE75512108001245126199} bei der Bank",
    "virement sur {iban|FR76 3000 6000 0112 3456 7890 189}",
    "iban: {iban|es9121000418450200051332}",
    "My SSN is {national_id|536-90-4399} and I moved last year",
    "social security number: {national_id|536904399}",
    "CPF do titular: {national_id|111.444.777-35}",
    "numéro de sécurité sociale {national_id|2 55 08 14 168 025 38}",
    "Steuer-ID {national_id|86095742719} bitte vormerken",
    "DNI {national_id|12345678Z}, gracias",
    "mi NIE es {national_id|X1234567L}",
    "codice fiscale: {national_id|RSSMRA85T10A562S}",
    "NI number {national_id|JG103759A}",
    "PAN card {national_id|ABCPE1234F} attached",
    "failed password for root from {ip|203.0.113.77} port 22",
    '{ip|198.51.100.23} - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200',
    "peer {ip|2001:db8:85a3::8a2e:370:7334} timed out",
    "X-Forwarded-For: {ip|192.0.2.44}, {ip|198.51.100.101}",
    "tip jar: {crypto_address|0xde0B295669a9FD93d5F28D9Ec85E40f4cb697BAe}",
    "donate BTC {crypto_address|1BoatSLRHtKNngkdXEeobR76b53LETtpyT} thanks",
    "or {crypto_address|bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq}",
    "patient born {date_of_birth|03/14/1979}, admitted 01/02/2024",
    "DOB {date_of_birth|1979-03-14}",
    "geboren am {date_of_birth|14. März 1979} in Köln",
    "née le {date_of_birth|14 mars 1979} à Lyon",
    "fecha de nacimiento: {date_of_birth|14/03/1979}",
    "生年月日 {date_of_birth|1979年3月14日}",
)
CONTEXTUAL = (
    "Dear Mr {person_name|Albert Hofmann}, thank you for your letter.",
    "Spoke to Dr. {person_name|Maria Garcia-Lopez} about it",
    "Hello, my name is {person_name|John Smith} and I need help",
    "Best regards,\n{person_name|Emily Watson}",
    "Sehr geehrte Frau {person_name|Schneider}, vielen Dank",
    "bonjour, je m'appelle {person_name|Chloé Martin}",
    "Customer name: {person_name|Priya Patel}",
    "Ship to {postal_address|742 Evergreen Terrace, Springfield, OR 97403} by Friday",
    "I live at {postal_address|10 Downing Street, London SW1A 2AA}",
    "wohnhaft {postal_address|Lindenstraße 14, 10969 Berlin}",
    "{postal_address|25 rue du Faubourg Saint-Honoré, 75008 Paris}",
    "vive en {postal_address|Calle de Alcalá 50, 28014 Madrid}",
    "mail it to {postal_address|P.O. Box 1234, Denver, CO 80201}",
    "住所は{postal_address|〒100-8111 東京都千代田区千代田1-1}",
)
NOBODY = (
    "What is the capital of France? It has 2,102,650 inhabitants (2023).",
    "The run took 00:14:32.118 and used 12345678 tokens at 0.000123456789 each.",
    "see RFC 5322, section 3.4.1, and ISO 8601-1:2019",
    "git clone git@github.com:org/repo.git && cd repo",
    "pip install numpy==1.26.4 pandas>=2.2.0,<3.0.0.0",
    "std::map<std::string, int> m; a::b::c(); x @ y.T",
    "Table 4: 0.91 0.87 0.93 0.88 0.90 0.12 0.45 0.67",
    "phase 3 of 4, 2019-2023, pp. 1234-1240, vol. 12(3)",
    "UPS tracking 1Z999AA10123456784, order #112-3456789-0123456",
    "ASIN B08N5WRWNW, UPC 036000291452, ISBN 0-306-40615-2",
    "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "block 0x5bad55 tx 0x88df016429689c079f3b2f6ad39fa052532c56795b733da78a1b0fe0a1e5b6a4",
    "GPS 48.858844, 2.294351; altitude 35 m; 1013.25 hPa",
    "the year 1984 by Orwell, born of fear; chapter 12.3.4.5",
    "May 5 was sunny. Will sold 1,234,567 units for $9,876,543.21.",
    "Best regards to everyone! Dear Customer, your Dr Pepper is here.",
    "Invoice 2024-000123456 due 2024-05-31, PO 4500012345",
    "MAC 00-1B-63-84-45-E6, serial C02XD0AAJGH5, IMEI 490154203237518",
    "model gpt-4-0613, temperature 0.7, seed 1234567890, ctx 128000",
    "fe::ed and dead::beef are jokes; 12:34:56 is a time",
    "In 2020 Wall Street had 3 New York Ways; Via Appia is old.",
    "x = 3.141592653589793; y = 2.718281828459045e10; z = -1.6180339887",
    "uuid 123e4567-e89b-12d3-a456-426614174000, ulid 01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "192 168 1 1 are four numbers, 300.300.300.300 is no address",
    "score 21-15, 21-18; ratio 4:3; 1/2 cup; 5'11\"; 6-pack; 24/7",
)


def parsed(marked: str) -> tuple[str, list[tuple[int, int, str]]]:
    """A marked text without its marks, and the spans."""
    text, spans, rest = "", [], marked
    while "{" in rest:
        before, _, rest = rest.partition("{")
        inside, _, rest = rest.partition("}")
        kind, _, value = inside.partition("|")
        text += before
        spans.append((len(text), len(text) + len(value), kind))
        text += value
    return text + rest, spans
