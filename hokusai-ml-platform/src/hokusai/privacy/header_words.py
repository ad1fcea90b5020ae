"""The words of column names that announce personal data, in the languages that headers are written in.

Plain tables, apart from the rules that read them (`columns`), so that a word can be added without reading code. All
are in lower case and without accents, as `columns.header_words` gives them; a phrase is words with blanks between.
"""

from __future__ import annotations

from typing import Final

from hokusai.privacy.kinds import PiiKind

CLEAR: Final[dict[PiiKind, str]] = {
    PiiKind.EMAIL: """
        email, emails, e mail, emailaddress, mailaddress, mail address, email address, courriel, adresse mail,
        adresse electronique, correo electronico, correo, mailadresse, emailadresse, posta elettronica,
        メール, メールアドレス, 邮箱, 电子邮件, почта, e post
    """,
    PiiKind.PHONE: """
        phone, phones, phonenumber, phone number, telephone, telephonenumber, telefon, telefonnummer,
        telefono, telefone, telefonnr, cellphone, cell phone, cell number, mobile phone, mobilephone,
        mobile number, mobile no, mobilenumber, mobilnummer, mobiltelefon, handynummer, rufnummer,
        numero de telephone, numero de telefono, msisdn, fax number, faxnumber, faxnummer, tel no, tel number,
        whatsapp number, gsm number, contact number, contact no, kontaktnummer,
        電話, 電話番号, 电话, 手机, 手机号, телефон
    """,
    PiiKind.CARD: """
        credit card, creditcard, debit card, debitcard, card number, cardnumber, card no, cc number, cc num,
        ccnum, ccnumber, payment card, kreditkarte, kartennummer, carte bancaire, carte de credit,
        tarjeta de credito, numero de tarjeta, carta di credito, cartao de credito
    """,
    PiiKind.IBAN: "iban, ibans, iban number, bank iban",
    PiiKind.NATIONAL_ID: """
        ssn, social security, social security number, socialsecuritynumber, national id, nationalid,
        national id number, national identification number, national insurance, national insurance number,
        nino, passport, passport number, passportnumber, passport no, reisepass, personalausweis,
        ausweisnummer, driver license, drivers license, driver licence, driving licence, driving license,
        license number, tax id, taxid, taxpayer id, tin number, steuer id, steuerid,
        steueridentifikationsnummer, steuernummer, sozialversicherungsnummer, numero de securite sociale,
        numero securite sociale, dni, nie, nif, codice fiscale, codicefiscale, cpf, aadhaar, aadhar,
        pan number, pan card, curp, nin, personnummer, personnr, bsn, burgerservicenummer, sofinummer, pesel,
        social insurance number, fodselsnummer, my number, mynumber, マイナンバー, 身份证, 身份证号, инн, снилс
    """,
    PiiKind.IP: """
        ip address, ipaddress, ip addr, ipaddr, ip adresse, adresse ip, direccion ip, ipv address,
        remote addr, client ip, clientip, remote ip, source ip, src ip, dst ip, dest ip, user ip, server ip,
        login ip, last ip
    """,
    PiiKind.CRYPTO_ADDRESS: """
        wallet address, walletaddress, wallet addr, eth address, ethereum address, btc address,
        bitcoin address, crypto address, address eth, address btc, eth wallet, btc wallet, eth addr, btc addr,
        crypto wallet, solana address, sol address, solana wallet, sol wallet, address solana, address sol,
        wallet solana, solana addr, sol addr
    """,
    PiiKind.DATE_OF_BIRTH: """
        dob, date of birth, dateofbirth, birth date, birthdate, birthday, birth day, day of birth,
        geburtsdatum, geburtstag, gebdat, geb dat, gebdatum, geb datum, date naissance, date de naissance,
        fecha nacimiento, fecha de nacimiento, data di nascita, data nascita, data nascimento, data de
        nascimento, dt nascimento, dt nasc, fecha nac, fec nac, fec nacimiento, date naiss, geboortedatum,
        fodelsedatum, data urodzenia, bday, birth ts, birth datetime, born on, f nac,
        дата рождения, 生年月日, 出生日期
    """,
    PiiKind.PERSON_NAME: """
        first name, firstname, last name, lastname, full name, fullname, middle name, middlename, given name,
        givenname, given names, family name, familyname, maiden name, surname, surnames, forename, forenames,
        person name, customer name, client name, patient name, employee name, contact name, student name,
        member name, user name, username, author name, sender name, recipient name, owner name, holder name,
        cardholder, card holder, cardholder name, account holder, guardian name, doctor name, passenger name,
        applicant name, legal name, display name, real name, name of patient, name of customer, mothers name,
        mother name, father name, fathers name, nachname, vorname, familienname, prenom, nom de famille,
        nombre completo, apellido, apellidos, cognome, sobrenome, nome completo, 氏名, 名前, 姓名, имя,
        фамилия, фио, fname, lname, mname, nazwiska, imiona, voornaam, achternaam, imie, nazwisko
    """,
    PiiKind.POSTAL_ADDRESS: """
        street, street address, streetaddress, street name, postal address, home address, mailing address,
        billing address, shipping address, delivery address, residential address, work address, address line,
        addressline, addr line, strasse, anschrift, postanschrift, rue, adresse postale, direccion postal,
        calle, ulica, domicilio, indirizzo, endereco, logradouro, 住所, 地址, адрес
    """,
}
"""Phrases that announce a kind wherever they stand in a name, unless another word says it is something about it."""

IDS_OR_NUMBERS: Final = """
id number, id no, id nr, id num, id card, id card number, identity number, identity card, identification number,
personal number, personal id, citizen id, citizen number, sin, tin, nas, numero identificacion, numero documento,
numero de identificacion, numero de documento, documento, documento identidad, documento de identidad, cedula
"""
"""Phrases for ids of people, and for numbers of things too: the check digits of the cells tell."""

ONLY_ALONE: Final[dict[PiiKind, str]] = {
    PiiKind.EMAIL: "mail, mails, eml",
    PiiKind.PHONE: "tel, mobile, mobil, fax, cell, handy, whatsapp, gsm, movil, celular, cellulare, portable, phonenum",
    PiiKind.CARD: "card, cc, karte, tarjeta, pan",
    PiiKind.IP: "ip, ips, ipv",
    PiiKind.CRYPTO_ADDRESS: "wallet, wallets",
    PiiKind.DATE_OF_BIRTH: "born, birth, nascita, naissance, nacimiento",
    PiiKind.PERSON_NAME: "name, names, naam, namen, nom, nome, nombre, nombres",
    PiiKind.POSTAL_ADDRESS: "address, addresses, addr, adres, adresy, adresse, adressen, direccion",
}
"""Words with other meanings too: they announce a kind only if all the others in the name are `PEOPLE` or
`WHICH` (beside a name: `PEOPLE`, since files, models and features have names)."""

WHOM: Final = """
contact contacts customer customers client clients patient patients guest guests passenger passengers employee
employees kunde kundin kunden patientin klient cliente clientes paciente pacientes contacto contatto
ansprechpartner user users owner owners author authors sender recipient manager
managers agent agents assignee rep beneficiary payee student students teacher teachers driver drivers tenant tenants
doctor spouse kin attendee attendees participant participants player players candidate candidates applicant applicants
reviewer reviewers approver approvers buyer buyers seller sellers
"""
"""Words for people: a column that is named by nothing else holds their names, or their numbers, or firms."""

BY_WHOM: Final = "assigned to, reports to"
"""Likewise, as phrases; any name that ends in `by` is one too."""

WHICH_PERSON: Final = (
    "person primary secondary main emergency my our your the new old first second full sales next of account"
)
"""Words that may stand beside them."""

MAYBE_ADDRESS: Final = "ship to, bill to, residence, wohnort, wohnsitz"
"""Names of columns of addresses, towns, people or depots: only the cells tell."""

HALVES: Final = """
first name, firstname, fname, last name, lastname, lname, given name, givenname, given names, family name, familyname,
maiden name, surname, surnames, forename, forenames, vorname, nachname, familienname, prenom, apellido, apellidos,
cognome, sobrenome, nazwisko, imie, voornaam, achternaam, имя, фамилия
"""
"""Phrases for one half of a name."""

THINGS: Final = """
price prices preis prix precio cost sku stock inventory category brand isbn ean upc gtin asin barcode publisher genre
pages manufacturer colour color size msrp
"""
"""Words for what goods have: beside such a column, `name` is that of goods."""

PEOPLE: Final = """
user users customer client contact person people patient employee member student owner sender
recipient from to visitor subscriber buyer seller holder emergency billing shipping personal private
my your his her the a of
"""
"""Words that say whose it is."""

WHICH: Final = """
home work office delivery mailing primary secondary alternate alt main backup number no nr num nummer
numero value raw text original old new current login signup registration
"""
"""Words that say which one, or nothing."""

ABOUT: Final = """
count counts counter type types kind length len size flag is has had was are can should verified
verification valid validated validity invalid opt optin optout status state domain domains provider
carrier brand model version os platform hash hashed md sha token tokens format prefix suffix regex
pattern template subject body sent open opened opens click clicked clicks bounce rate score ratio
share percent pct avg average mean median min max sum total std var lookup index idx rank country code
category class feature embedding vector sentiment language lang vendor campaign frequency freq enabled
disabled consent allowed preference preferences notification notifications permission missing
available present unique distinct diff match matches matched similarity distance risk fraud spam app
application device bill plan usage minutes expiry expiration exp cvv cvc limit issuer network balance
masked encrypted deleted updated created time timestamp year age month weight place city region
order
"""
"""Words that make of a name something about the value, not the value."""

COUNTING: Final = "num n nb number no cnt"
"""Words that count when they come first: `num_emails`, `number_of_phones`."""
