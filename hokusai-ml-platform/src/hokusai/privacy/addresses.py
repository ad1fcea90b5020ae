"""Postal addresses in text: a number and a street word, in the forms of a few languages, with what follows them.

A house without a street word ("Flat 3, The Oaks") is not found; nor is a town alone, which is nobody's address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hokusai.privacy.context import Found, before
from hokusai.privacy.name_shapes import UPPER, canonical

_WORD = rf"[{UPPER}][^\W\d_]{{1,24}}(?:['\u2019-][^\W\d_]{{1,24}})?\b\.?"
_TOWN = rf"{_WORD}(?: {{1,2}}{_WORD}){{0,2}}"
_STREETS = (
    "Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Square|Sq|Terrace|Ter|Way|Parkway|Pkwy"
    "|Circle|Cir|Highway|Hwy|Close|Crescent|Cres|Gardens|Grove|Mews|Row|Walk|Alley|Trail|Plaza|Loop|Pike"
)
_LOUD_STREETS = (
    "STREET|ST|AVENUE|AVE|ROAD|RD|BOULEVARD|BLVD|LANE|LN|DRIVE|DR|COURT|PLACE|SQUARE|TERRACE|WAY|PARKWAY|PKWY|CIRCLE|HWY"
    "|HIGHWAY|CRESCENT"
)
_UNIT = r"(?:,? {1,2}(?:Apt|Apartment|Suite|Ste|Unit|Floor|Fl|Flat|Room|Rm|#)\.? ?#?[0-9A-Za-z-]{1,6})?"
_US_TOWN = (
    rf"(?:[,\n]{{1,2}} {{0,2}}{_TOWN})?(?:,? {{1,2}}[A-Z]{{2}}\b)?(?: {{1,2}}[0-9]{{5}}(?:-[0-9]{{4}})?\b)?"
)
_UK_CODE = r"(?:,? {1,2}[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-Z]{2}\b)?"
_CODE_AND_TOWN = rf"(?:[,\n]{{1,2}} {{0,2}}(?:[A-Z]{{1,2}}-)?[0-9]{{4,5}} {{1,2}}{_TOWN})"
_FRENCH = (
    r"rue|avenue|av\.|boulevard|bd\.?|place|allée|chemin|impasse|quai|cours|route|square|passage|faubourg"
)
_LOUD_FRENCH = r"Rue|Allée|Chemin|Impasse|Quai|Avenue|Boulevard|Bd\.?"
_FRENCH_WITH_TOWN = r"Place|Cours|Route|Square|Passage"
"""Words of English too: a postcode and a town have to follow."""
_FRENCH_NAME = rf"(?:(?:de|du|des|la|le|les|de la) |d['\u2019]|l['\u2019]){{0,3}}{_TOWN}"
_POLISH = r"[Uu]l\.|[Uu]lica|[Aa]leja|Aleje|Al\."
_ROMANCE = r"Calle|C/|Avda\.?|Avenida|Av\.|Plaza|Paseo|Carrer|Rua|R\.|Travessa|Alameda|Viale|Piazza|Corso|Largo|Vicolo"
_GERMAN = r"straße|strasse|str\.|weg|platz|allee|gasse|damm|ufer|chaussee|steig|promenade"
_LOUD_WORD = rf"[{UPPER}][{UPPER}'-]{{1,24}}"
_LOUD_TOWN = rf"(?:[,\n]{{1,2}} {{0,2}}[0-9]{{4,5}} {{1,2}}{_LOUD_WORD}(?: {{1,2}}{_LOUD_WORD}){{0,2}})"
_LOUD_ROUTES = "RUE|AVENUE|BOULEVARD|ALLÉE|CHEMIN|IMPASSE|QUAI"
_LOUD_GERMAN = "STRASSE|STRAßE|STR\\.|WEG|PLATZ|ALLEE|GASSE|DAMM|UFER"
_SMALL_STREETS = (
    "street|st|avenue|ave|road|rd|boulevard|blvd|lane|ln|drive|dr|court|ct|terrace|crescent|parkway|pkwy"
    "|highway|hwy"
)
_SMALL_STREET = re.compile(
    r"\b[0-9]{1,5}[a-z]? {1,2}(?:[nsew]{1,2}\.? )?"
    r"(?P<words>(?:(?:[a-z]{3,24}|[0-9]{1,3}(?:st|nd|rd|th)) ){1,3}?)"
    rf"(?:{_SMALL_STREETS})\b\.?(?:,? (?:apt|apartment|suite|ste|unit|floor|flat|room|#)\.? ?#?[0-9a-z]{{1,5}}\b)?"
)
_SMALL_TOWN = re.compile(
    r"(?:, (?P<town>[a-z]{3,24}(?: [a-z]{3,24})?)\b(?:,? [a-z]{2}\b)?)?"
    r"(?:,? [0-9]{5}\b|,? [a-z]{1,2}[0-9]{1,2} ?[0-9][a-z]{2}\b)?"
)
_SMALL_LETTERS = "a-zäöüßàâáãçèéêëìíîïñòóôõöùúûœ"
_SMALL_WORD = rf"[{_SMALL_LETTERS}]{{3,24}}"
_SMALL_ELSEWHERE = re.compile(
    r"\b(?:[a-zäöü]{3,24}(?:straße|strasse|str\.) {1,2}[0-9]{1,3}[a-h]?"
    rf"|[0-9]{{1,3}},? rue (?:(?:de|du|des|la|le|les) ){{0,2}}{_SMALL_WORD})\b"
    r"(?:, [0-9]{4,5} [^\W\d_]{3,24})?"
)
_ITALIANS = (
    "roma|milano|torino|napoli|firenze|venezia|italia|garibaldi|mazzini|cavour|dante|verdi|matteotti|marconi|manzoni"
    "|leopardi|carducci|galilei|mameli|gramsci|(?:giuseppe|vittorio|guglielmo|giacomo|alessandro|dante|aldo)"
    rf" {_SMALL_WORD}"
)
"""After what Italian streets are called: `via` is also by way of, and `corso` a course."""
_SMALL_ROUTES = "rue|avenue|boulevard|bd|allée|impasse"
_OF_FRENCH = r"(?:de la |des? |du |de l['\u2019]|d['\u2019])"
_SMALL_ROMANCE = re.compile(
    rf"\b(?:via (?:(?:della|delle|degli|dello|dei|del) |dell['\u2019]){_SMALL_WORD}|(?:via|corso) (?:{_ITALIANS})"
    rf"|(?:viale|vicolo|piazza|carrer|rua|avenida|avda\.?|calle) (?:(?:de|del|della|dei|d[ao]s?|la|las|los|el) ){{0,2}}"
    rf"{_SMALL_WORD}(?: {_SMALL_WORD})?"
    rf"|(?:av\. (?:de|da|do|das|dos|del|de la)|(?:paseo|plaza) (?:del|de l[ao]s?)) {_SMALL_WORD}(?: {_SMALL_WORD})?"
    rf"|plaza mayor|(?:{_SMALL_ROUTES}) (?:{_OF_FRENCH}|l[ae]s? ){_SMALL_WORD}(?:[ -]{_SMALL_WORD}){{0,2}})"
    r",? (?:n[º°.] ?)?(?P<number>[0-9]{1,4})(?: ?bis|[a-d])?\b(?:,? [0-9]{4,5} [^\W\d_]{3,24})?"
    rf"|\b[0-9]{{1,4}}(?: ?(?:bis|ter))?,? (?:rue |(?:{_SMALL_ROUTES}|quai) (?:{_OF_FRENCH}|sainte?[ -]))"
    rf"(?:(?:de|du|des|la|le|les) ){{0,2}}{_SMALL_WORD}(?:[ -]{_SMALL_WORD}){{0,2}}\b(?:, [0-9]{{5}} {_SMALL_WORD}\b)?"
)
_NO_ROMANCE = frozenset(["cada", "com", "con", "entre", "mide", "sem", "sin", "tem", "tiene"])
"""What stands behind `calle` and `rua` in sentences, and in no address."""
_ROMANCE_END = re.compile(r" {0,2}(?:[,.;:)!?\n]|$)| (?:en|in|em|à|a) [^\W\d_]")
_ROMANCE_AT = re.compile(r"(?i)\b(?:en|em|na|in|à|au|abito|presso|vivo|habite|indirizzo|adresse|dirección) $")
_GERMAN_ARTICLE = "(?:An|In|Auf|Unter|Hinter|Vor|Bei|Neben) de[rmn]"
_GERMAN_PLACE = re.compile(
    rf"\b(?:Am|Im|Zum|Zur|Beim|{_GERMAN_ARTICLE}) (?P<place>(?:{_WORD} )?{_WORD})"
    rf" [0-9]{{1,3}} ?[a-h]?\b{_CODE_AND_TOWN}?"
)
"""A street that is called after where it lies: Unter den Linden 77."""
_END = re.compile(r" {0,2}(?:[,.;:)!?\n]|$)")
_AT = re.compile(r"(?i)(?:\b(?:at|to|from|near|live[sd]?|addr(?:ess)?(?: is)?)|[:=]) {1,2}$")
_STREET_FIELD = re.compile(
    r"(?i:street(?:_?(?:address|name))?|address_?line|stra(?:ß|ss)e|calle|anschrift)_?[0-9]?"
    r"""\\?["']?[ ]?[:=][ ]{0,3}\\?(?P<quote>["'])(?P<street>[^"'\\\r\n<>{}$%=@_\x1e\x1f]{3,80})(?P=quote)"""
)
"""A field of JSON, such as `"street":"Am Markt 3"`."""
_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b[0-9]{{1,6}}[A-Za-z]?(?:-[0-9]{{1,5}})? {{1,2}}(?:[NSEW]{{1,2}}\.? {{1,2}})?"
        rf"(?:(?:{_WORD}|[0-9]{{1,3}}(?:st|nd|rd|th)) {{1,2}}){{1,4}}?(?:{_STREETS})\b\.?(?: [NSEW]{{1,2}}\b)?"
        rf"{_UNIT}{_US_TOWN}{_UK_CODE}",
        rf"\b[0-9]{{1,6}}[A-Z]?(?:-[0-9]{{1,5}})? {{1,2}}(?:[NSEW]{{1,2}}\.? {{1,2}})?"
        rf"(?:(?:[{UPPER}][{UPPER}'-]{{2,24}}|[0-9]{{1,3}}(?:ST|ND|RD|TH)) {{1,2}}){{1,4}}?(?:{_LOUD_STREETS})\b\.?"
        rf"(?: [NSEW]{{1,2}}\b)?{_UNIT}{_US_TOWN}{_UK_CODE}",
        rf"\b(?i:P\. ?O\. ?|PO |P ?O |Post Office |Post)(?i:box) #?[0-9]{{1,6}}\b{_US_TOWN}{_UK_CODE}",
        rf"\b(?:Postfach|Apartado(?: de [Cc]orreos)?|Casella [Pp]ostale|Caixa [Pp]ostal|Boîte [Pp]ostale)"
        rf" #?[0-9]{{1,6}}\b{_CODE_AND_TOWN}?",
        rf"\b(?:{_WORD}[ -])?[{UPPER}][^\W\d_]{{2,24}}(?:[ -][{UPPER}])?(?:{_GERMAN}) {{1,2}}[0-9]{{1,4}}"
        rf"(?: ?[a-h]\b)?(?:-[0-9]{{1,4}})?{_CODE_AND_TOWN}?",
        rf"\b{_TOWN}[ -](?:Straße|Strasse|Str\.|Weg|Platz|Allee|Gasse|Damm|Ufer|Ring) {{1,2}}[0-9]{{1,4}}"
        rf"(?: ?[a-h]\b)?{_CODE_AND_TOWN}?",
        rf"\b(?:{_WORD}[ -]){{0,2}}{_WORD} [0-9]{{1,3}} ?[a-h]?{_CODE_AND_TOWN.replace('4,5', '5')}",
        rf"\b[0-9]{{1,4}}(?: ?(?:bis|ter|quater))?,? {{1,2}}"
        rf"(?:(?:{_FRENCH}|{_LOUD_FRENCH}) {_FRENCH_NAME}{_CODE_AND_TOWN}?"
        rf"|(?:{_FRENCH_WITH_TOWN}) {_FRENCH_NAME}{_CODE_AND_TOWN})",
        rf"\b(?:{_POLISH}) {{0,2}}(?:[0-9]{{1,2}} )?{_TOWN} {{1,2}}[0-9]{{1,4}}[A-Za-z]?\b"
        rf"(?: ?(?:/|m\.) ?[0-9]{{1,4}}\b)?(?:[,\n]{{1,2}} {{0,2}}[0-9]{{2}}-[0-9]{{3}} {{1,2}}{_TOWN})?",
        rf"\b(?:{_ROMANCE}) {{0,2}}(?:(?:de|del|della|dei|da|do|dos|das|la|las|los|el) ){{0,3}}{_TOWN}"
        rf",? {{1,2}}(?:n[º°o]\.? ?)?[0-9]{{1,4}}\b(?:,? [0-9][º°ª]?(?: ?[A-Z])?\b)?{_CODE_AND_TOWN}?",
        rf"\bVia (?:(?:de|del|della|dei|da|la) ){{0,2}}{_TOWN},? {{1,2}}[0-9]{{1,3}}\b{_CODE_AND_TOWN}?",
        rf"\b[0-9]{{1,4}}(?: ?(?:BIS|TER))?,? {{1,2}}(?:{_LOUD_ROUTES}) (?:(?:DE|DU|DES|LA|LE|LES) ){{0,2}}"
        rf"{_LOUD_WORD}(?: {{1,2}}{_LOUD_WORD}){{0,3}}{_LOUD_TOWN}?",
        rf"\b[{UPPER}]{{3,24}}(?:{_LOUD_GERMAN}) {{1,2}}[0-9]{{1,4}}(?: ?[A-H]\b)?{_LOUD_TOWN}?",
        rf"\bVIA (?:(?:DE|DEL|DELLA|DEI|DA|LA) ){{0,2}}{_LOUD_WORD}(?: {{1,2}}{_LOUD_WORD}){{0,2}}"
        rf",? {{1,2}}[0-9]{{1,3}}\b{_LOUD_TOWN}?",
        r"〒 ?[0-9]{3}-[0-9]{4}(?: ?[一-龥ぁ-んァ-ヶ々ー0-9-]{2,40})?",
    )
)
_LETTER_AND_NUMBER = re.compile(r"[^\W\d_]{2}.*[0-9]|[0-9].*[^\W\d_]{2}")
_NO_STREETS_TEXT = """
the this that my your our his her their a an no every each one some any best long good other first last
only same email fax phone sms fedex dhl ups usb api git github gitlab slack zoom teams docker http https python java
hinweg rückweg umweg ausweg heimweg arbeitsplatz sitzplatz parkplatz stellplatz tabellenplatz
listenplatz startplatz lageplatz
"""
_NO_STREETS = frozenset(_NO_STREETS_TEXT.split())
_NO_SMALL_TEXT = """
about across after again along and apart around away back bad beautiful big blind block blocks bridge bumpy busy car
cars central centre city closed common country court cross crowded day days dead dirt drive driver drivers easy fast
feet few film find food for free from front full get golf great hard high hour hours house houses human hundred into
just lane lanes large left life long lots major man many men meter meters metres mile miles million min mins minute
minutes month months more most music narrow near nearby nearest new next nice off old onto open out over own page
pages people percent person pieces popular public quiet random rare real right road rural scenic short side single
slow small star steep street such test tests than that the then these they this those thousand through time times
top track tracks trip trips types under usb very video was way ways wet wheel wide windy with without women yard
yards year years
"""
_NO_SMALL = frozenset(_NO_SMALL_TEXT.split())
"""What stands between a number and a street in sentences, and in no address."""
_NO_TOWN_TEXT = """
and anyway asap bitte but bye cheers danke for from here how merci not now okay please ring soon thank thanks the then
there this today tomorrow tonight twice unless what when where which who why with you
"""
_NO_TOWN = frozenset(_NO_TOWN_TEXT.split())
_NO_PLACES = re.compile(
    r"(?i)(?:.*(?:tag|woche|monat|jahr|stunde|minute|kapitel|seite|zeile|spalte|nummer|klasse|version|zahl|raum|zimmer"
    r"|gleis|etage|stock|uhr|preis|artikel|absatz|punkt|schritt|phase|liga|gruppe|teil|fall|nacht|zeit|alter|wert"
    r"|durchschnitt|regel|film|buch|band|spiel|saison|halle|sektor|zone|linie|kurs|kanal|test|level|stufe|rahmen)(?:en|e|n|s|es)?"
    r"|januar|februar|märz|april|mai|juni|juli|august|.*ember|oktober|platz|rang|top|schnitt|kreis|bus|modell|feld|bild"
    r"|mittel|mittwoch|abend|morgen|anfang|ende|frühling|sommer|herbst|winter)"
)
"""Where and when things are: Am Montag 5, Im Raum 12, Auf der Seite 3."""
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
_TIME_WORD = re.compile(r"(?i)\b(?:in|since|by|of|until|from|before|after|year|during) $")
_COUNTED = re.compile(
    r"(?i)(?:[1-9][ -]{1,2}(?:way|lane|star|part|piece|man|player)"
    r"|7[ -]eleven|[1-9][0-9]?[ -]{1,2}(?:day|hour|minute|year|step|mile)|[0-9]{1,2} (?:am|pm)) "
)
"""What there are a few of: a 3 Way Street, a 5 Star Court."""
_THING = re.compile(
    r"(?i)[ -](?:(?:hard|usb|disk|disc|flash|thumb|wheel|google|tape|state|test|external) dr(?:ive)?"
    r"|(?:supreme|tennis|high|food|basketball|appeals|district|federal|squash) court"
    r"|(?:easy|big|right|wrong|better|great|bedroom) (?:way|place)|days? road)\b"
)
_TITLE_NEXT = re.compile(
    r" (?:(?:Fighter|Food|Art|View|Smart|Style|Wear|Photography|Racing|Racer|Journal|Dance|Band|Light|Lamp|Sign|Trip"
    r"|Runner|Bike|Map|Race|Rage|Test|Show|Case|Session|Order|Ruling|Mat|Card|Root|Feet|Foot|Ft|Enix|Thru)s?|fighters?|journals"
    r"|bands|lights|lamps|signs|trips|runners|racers|bikes|maps|tests|cases|rulings|orders|mats|cards|roots|feet|foot|ft)\b"
    r"|-(?:based|style|level|smart|wise)\b"
)
"""What goes on after a street only in titles and names of things: Street Fighter, Road Trip, Square Root."""
_BOX = r"(?i:box) #?[0-9]"
_FIELD = (
    r"""(?i:street|address|name|line|strasse|straße|calle|anschrift)_?[0-9]?\\?["']? ?[:=] {0,3}\\?["']"""
)
_SMALL_HINT = (
    r"via (?:de|ro|mi|to|na|fi|ve|it|g[airu]|ma|ca|da|le|vi|al)|corso |viale |vicolo |piazza |carrer |rua |avenida "
    r"|avda|calle |av\. d|(?:paseo|plaza) (?:de|ma)|(?:rue|avenue|boulevard|bd|allée|impasse) (?:d[eu'\u2019]|l[ae])"
)
HINT = (
    rf"(?:{_STREETS}|{_LOUD_STREETS})(?-u:\b)|{_BOX}|Postfach|Apartado|[Pp]ostal"
    r"|(?:ß[Ee]|sse|SSE|tr\.|TR\.|eg|EG|tz|TZ|[ls]ee|LEE|mm|MM|fer|FER|ig|de|Ring) {1,2}[0-9]"
    r"|(?i-u:et|ss|me|ne|se|ße|le|ft)_?[0-9]?\\?[\x22']? ?[:=] {0,3}\\?[\x22']"
    r"|[0-9] ?[a-h]?[,\n]{1,2} {0,2}(?:[A-Z]{1,2}-)?[0-9]{5} "
    rf"|[0-9rsRS],? {{1,2}}(?:{_FRENCH}|{_LOUD_FRENCH}|{_FRENCH_WITH_TOWN}|{_LOUD_ROUTES}) "
    rf"|{_ROMANCE}|(?:Via|VIA) |{_POLISH}|〒"
    rf"|[0-9][a-z]? [a-z0-9. ]* (?:{_SMALL_STREETS})(?-u:\b)|{_SMALL_HINT}|(?:Am|Im|Zum|Zur|Beim|{_GERMAN_ARTICLE}) "
)
"""Rust regex for the quick pass over all rows, made for speed as that of `names`."""
GATE = (
    rf"[0-9][A-Za-z]? {{1,2}}[^\n]*(?-u:\b)(?:{_STREETS}|{_LOUD_STREETS}|{_SMALL_STREETS})(?-u:\b)|{_BOX}|Postfach"
    rf"|Apartado|[Pp]ostale?|(?:{_GERMAN}|Straße|Strasse|Str\.|Weg|Platz|Allee|Gasse|Damm|Ufer|Ring|{_LOUD_GERMAN})"
    rf" {{1,2}}[0-9]|{_FIELD}|[0-9] ?[a-h]?[,\n]{{1,2}} {{0,2}}(?:[A-Z]{{1,2}}-)?[0-9]{{5}} {{1,2}}"
    rf"|[0-9rsRS],? {{1,2}}(?:{_FRENCH}|{_LOUD_FRENCH}|{_FRENCH_WITH_TOWN}|{_LOUD_ROUTES}) "
    rf"|(?:{_ROMANCE}|(?-u:\b)(?:{_SMALL_HINT})|Via |VIA |(?:Am|Im|Zum|Zur|Beim|{_GERMAN_ARTICLE}) )[^\n0-9]*[0-9]"
    rf"|(?-u:\b)(?:{_POLISH})[^\n]*[0-9]|〒"
)
"""Rust regex for the rows that are left."""


def spans(text: str) -> Iterator[Found]:
    """The addresses in a text; the canonical form is that of `names`.

    >>> [canonical for _, _, canonical in spans("to 221B Baker Street, London NW1 6XE or Am Markt 5, 04109 Leipzig")]
    ['221b baker street london nw1 6xe', 'am markt 5 04109 leipzig']
    """
    return iter(dict.fromkeys(_places(text)))  # two patterns may find the same


def _places(text: str) -> Iterator[Found]:
    for found in _STREET_FIELD.finditer(text):
        street = found["street"]
        if _LETTER_AND_NUMBER.search(street):
            yield *found.span("street"), canonical(street)
    for pattern in _PATTERNS:
        for found in pattern.finditer(text):
            if not _is_prose(text, found):
                yield found.start(), found.end(), canonical(found[0])
    for start, end in _unmistakable(text):
        yield start, end, canonical(text[start:end])


def _unmistakable(text: str) -> Iterator[tuple[int, int]]:
    """What stands like an address, though neither capitals nor a word for streets say so."""
    for found in _SMALL_ELSEWHERE.finditer(text):
        yield found.span()
    for found in _SMALL_ROMANCE.finditer(text):
        if _is_small_romance(text, found):
            yield found.span()
    for found in _GERMAN_PLACE.finditer(text):
        if _END.match(text, found.end()) and not any(map(_NO_PLACES.fullmatch, found["place"].split())):
            yield found.span()
    for found in _SMALL_STREET.finditer(text):
        if not _NO_SMALL.isdisjoint(found["words"].split()) or _is_prose(text, found):
            continue
        town = _SMALL_TOWN.match(text, found.end())
        if town and _END.match(text, town.end()) and _NO_TOWN.isdisjoint((town["town"] or "").split()):
            yield found.start(), town.end()
        elif _END.match(text, found.end()) or _AT.search(before(text, found.start())):
            yield found.span()


def _is_small_romance(text: str, found: re.Match[str]) -> bool:
    """Whether a street in small letters ends as an address does, or stands where one lives, and counts nothing."""
    words = set(found[0].replace(",", " ").split())
    if not words.isdisjoint(_NO_ROMANCE) or _YEAR.fullmatch(found["number"] or ""):
        return False
    if _ROMANCE_END.match(text, found.end()):
        return words.isdisjoint(_NO_TOWN)
    if not found["number"]:
        return False
    ahead = before(text, found.start())
    return (_AT.search(ahead) or _ROMANCE_AT.search(ahead)) is not None


def _is_prose(text: str, found: re.Match[str]) -> bool:
    """Whether this is "2 The Best Way", "3 Way Street", "3 Wall Street Journals" or "in 2020 Wall Street"."""
    if found[0][0].isdigit() and (
        _COUNTED.match(found[0]) or _THING.search(found[0]) or _TITLE_NEXT.match(text, found.end())
    ):
        return True
    words = [word.strip(".,").lower() for word in found[0].split(" ", 2)]
    if not _NO_STREETS.isdisjoint(words[:2]):
        return True
    return (
        _YEAR.fullmatch(words[0]) is not None and _TIME_WORD.search(before(text, found.start())) is not None
    )
