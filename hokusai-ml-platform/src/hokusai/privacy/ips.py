"""IP addresses in text, without versions, times, hardware addresses and the addresses that are nobody's."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from hokusai.privacy.context import Found, after, before, is_glued

GATE = r"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]|::[0-9A-Fa-f]|[0-9A-Fa-f]::|(?:[0-9A-Fa-f]{1,4}:){6}[0-9A-Fa-f]"
_DOTTED = re.compile(r"[0-9][0-9.]*[0-9]")
_V4 = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_ENDS_V4 = re.compile(r"(?:^|[^0-9.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}-$")
_V6 = re.compile(r"[0-9A-Fa-f:]{2,64}(?:\.[0-9]{1,3}){0,3}")
_PADDED = re.compile(r"[0-9]{3}(?:\.[0-9]{3}){3}")
_ZONE = "(?:%[0-9A-Za-z_.-]{1,32})?"
_WITH_REST = re.compile(
    r"(?P<v4>[0-9]{1,3}(?:\.[0-9]{1,3}){3})(?:/[0-9]{1,2}|:[0-9]{1,5})?"
    rf"|\[(?P<boxed>[0-9A-Fa-f:.]{{2,45}}){_ZONE}\](?::[0-9]{{1,5}})?"
    rf"|(?P<v6>[0-9A-Fa-f:.]{{2,45}}){_ZONE}(?:/[0-9]{{1,3}})?"
)
"""An address and what may be written behind it: a zone, the length of a prefix, a port."""
_VERSION = re.compile(
    r"(?i)(?:\b(?:v|ver|versions?|release|rel|build|firmware|section|sec|chapter|clause|art|oid)\.?[\s:=#]*(?:is )?"
    r"|\b(?:python|java|jdk|php|ruby|perl|node(?:\.?js)?|chrome|firefox|safari|opera) "
    r"|(?:date|grade|bump)(?:[ds]|ed)? (?:to|from) |[a-z]/|[<>=~^!]=\s*|[<>~^]\s*|§\s*)$"
)
_VERSION_AFTER = re.compile(r"(?i),? (?:(?:is|was|has been|gets|got) )?(?:released\b|beta\b|alpha\b|rc[0-9])")
_ADDRESS_WORD = re.compile(
    r"(?i)(?:^|[^a-z])(?:ip|ips|ipv4|ipaddr|addr|hosts?|clients?|servers?|login|logged in|connect(?:ed)?|remote|peer"
    r"|gateway|dns|nameserver|resolver|ssh|scp|ping|telnet|traceroute|nslookup|whois|curl|wget)(?:[^a-z]|$)"
    r"|(?-i:[a-z](?:I[pP]|Addr|Address)[^A-Za-z])|[a-z]://$|(?:^|[^a-z])(?:root|admin|ubuntu|user|pi)@$"
)
_OF_ONE = re.compile(r"(?i)(?:[23][0-9a-f]{3}|f[cd][0-9a-f]{2}|fe[89ab][0-9a-f]):|64:ff9b:|::ffff:")
"""How addresses begin that a machine can have, on the internet or within a house; `12::30:45` is a time.

References:
    IANA, Internet Protocol Version 6 Address Space.
"""
_KNOWN_SHORT = re.compile(r"(?i)(?:200[1-3]|2[4-9a-f][0-9a-f]{2}|f[cd][0-9a-f]{2}|fe80)::[^0]")
"""How those of two groups begin; `2024::01` is a month."""
_PORT = re.compile(r":[0-9]{2,5}")
_LAST_PORT = 65_535
_NEAR_CHARACTERS = 12


def spans(text: str) -> Iterator[Found]:
    """The addresses in a text; the canonical form is the compressed one, in lower case.

    >>> list(spans("from 203.0.113.9, v 1.2.3.4, at 12:30:45"))
    [(5, 16, '203.0.113.9')]
    """
    for found in _DOTTED.finditer(text):
        if found[0].count(".") == 3 and (address := _personal_v4(found[0], text, found.start(), found.end())):
            yield found.start(), found.end(), address
    if ":" in text:
        for found in _V6.finditer(text):
            end = found.end() - (found[0].endswith(":") and not found[0].endswith("::"))
            address = _personal_v6(text[found.start() : end], text, found.start(), end)
            if address:
                yield found.start(), end, address


def canonical(text: str) -> str | None:
    """The compressed form of an address, whoever's it is, without prefix, zone and port; None if this is none.

    >>> canonical("2001:0DB8:0:0:0:0:0:1"), canonical("10.0.0.1/24"), canonical("[2001:db8::1]:80")
    ('2001:db8::1', '10.0.0.1', '2001:db8::1')
    >>> canonical("192.168.001.001"), canonical("::ffff:10.0.0.1"), canonical("1.2.3")
    ('192.168.1.1', '10.0.0.1', None)
    """
    found = _WITH_REST.fullmatch(text)
    address = _parsed(found["v4"] or found["boxed"] or found["v6"]) if found else None
    return str(address) if address else None


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address; one of version 4 that is written as one of version 6 is the former."""
    if _PADDED.fullmatch(text):
        text = ".".join(str(int(octet)) for octet in text.split("."))
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _personal_v4(written: str, text: str, start: int, end: int) -> str | None:
    """The address, unless it is a version, a netmask, a loop to oneself, or part of something longer."""
    if not _V4.fullmatch(written) or (address := _parsed(written)) is None:
        return None
    if not _is_apart(text, start, end):
        return None
    octets = written.split(".")
    nobody = address.is_loopback or address.is_unspecified or address.is_multicast or octets[0] == "255"
    if nobody or _is_version(text, start, end):
        return None
    if (
        max(map(len, octets)) == 1
        and not _ADDRESS_WORD.search(before(text, start))
        and not _has_port(text, end)
    ):
        return None  # 1.2.3.4 is a version or a section more often than an address
    return str(address)


def _personal_v6(written: str, text: str, start: int, end: int) -> str | None:
    """The address, unless it reads as a time, a hardware address or a path of C++ or Rust (`a::b`)."""
    if not _OF_ONE.match(written):
        return None
    if written.count(":") < 2 or not _is_apart(text, start, end) or (address := _parsed(written)) is None:
        return None
    groups = [group for group in written.split(":") if group]
    if "::" in written:
        known = len(groups) == 2 and _KNOWN_SHORT.match(written)
        if (len(groups) < 3 and not known) or not any(c.isdigit() for c in written):
            return None
    elif max(map(len, groups)) <= 2:
        return None  # an EUI-64, or bytes
    return None if address.is_loopback or address.is_unspecified else str(address)


def _is_version(text: str, start: int, end: int) -> bool:
    words = before(text, start, _NEAR_CHARACTERS)
    return _VERSION.search(words) is not None or _VERSION_AFTER.match(after(text, end)) is not None


def _has_port(text: str, end: int) -> bool:
    found = _PORT.match(text, end)
    if found is None or int(found[0][1:]) > _LAST_PORT:
        return False
    next_ = text[found.end() : found.end() + 2]
    return not next_ or not (
        is_glued(next_[0]) or (len(next_) == 2 and next_[0] in ".:" and next_[1].isdigit())
    )


def _is_apart(text: str, start: int, end: int) -> bool:
    """Whether it is no piece of something longer; "10.0.0.1-10.0.0.9" are two."""
    left, right = text[max(0, start - 1) : start], text[end : end + 1]
    if is_glued(left) or left == "." or is_glued(right):
        return False
    return (left != "-" or _ENDS_V4.search(text[max(0, start - 17) : start]) is not None) and (
        right != "-" or _V4.match(text, end + 1) is not None
    )
