"""E-mail addresses in text.

Every one holds an @, which is %40 in the address of a page, so the search starts there and looks both ways a bounded
distance: no text makes it slow.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote

from hokusai.privacy.context import Found

GATE = "@|%40"
CANONICAL = (
    r"^[a-z0-9_%+](?:[a-z0-9_%+'.-]*[a-z0-9_%+-])?@(?:[a-z][a-z0-9-]*\.){1,3}"
    "(?:com|org|net|edu|gov|io|eu|de|fr|es|it|pl|nl|pt|br|jp|cn|in|uk|us|ca|au|ch|at|be|se|no|dk|fi|ru|info|co)$"
)
"""Rust regex: a cell of at most 64 bytes that is an address in canonical form, as most cells of such columns are."""
WHOLE = (
    r"^[A-Za-z0-9_%+](?:[A-Za-z0-9_%+'.-]{0,62}[A-Za-z0-9_%+-])?"
    r"@(?:[A-Za-z0-9][A-Za-z0-9-]{0,62}\.){1,3}(?:[A-Za-z]{2,24})$"
)
"""Rust regex: a cell that is one common address, quickly told; the rest is looked at one by one."""
WHOLE_ELSEWHERE = (
    r"^[\p{L}\p{N}_%+](?:[\p{L}\p{N}_%+'.-]*[\p{L}\p{N}_%+-])?"
    r"@(?:[\p{L}\p{N}][\p{L}\p{N}_-]*\.){1,4}\p{L}{2,24}$"
)
"""The same for letters of all scripts; for cells of at most 64 characters, so that nothing in it need be counted."""
_NOT_TOP_LEVEL_TEXT = """
png jpg jpeg gif svg webp bmp tif tiff ico css js ts jsx tsx mjs cjs json map html htm xhtml php asp
aspx jsp xml yml yaml toml ini cfg conf txt csv tsv parquet pdf doc docx xls xlsx ppt pptx gz tgz tar bz
rar mp mp3 mp4 avi woff woff2 ttf otf eot py ipynb pyc so dll exe bin class jar war java kt go rb lua
swift scala cpp hpp log bak tmp lock sql db sqlite local localhost internal lan localdomain invalid
shape dtype
"""
NOT_TOP_LEVEL = frozenset(_NOT_TOP_LEVEL_TEXT.split())
"""Ends of file names and of code that no domain has, and names that mean a machine."""
NO_DOMAIN = r"@[0-9]{1,2}x\.|\.(?:" + "|".join(sorted(NOT_TOP_LEVEL)) + ")$"
"""Rust regex: an end that no address in lower case has."""
_DOMAIN = re.compile(r"((?:[^\W_][\w-]{0,62}\.){1,8}(?:[xX][nN]--[a-zA-Z0-9-]{2,59}|[^\W\d_]{2,24}))")
_ANY_SIGN = re.compile("@|%40")
_SIGN = re.compile(r"[\w%+'\"-](@|%40)")
_BEFORE_SIGN = "_%+'-\""
_RARE = 20
"""Characters a sign from which on looking for the sign first is quicker: passing over it takes Python longer."""
_LOCAL_BACKWARD = re.compile(r"[\w%+'.-]{1,64}")
_QUOTED_BACKWARD = re.compile(r"\"(?:\w|[\w.][\w .,'&()+-]{0,60}\w)\"(?:[^\w\"]|$)")
"""A local part in quotes, where blanks may stand: no end of one string in code and start of the next."""
_NO_START = ".'-"
_SCALE = re.compile(r"\d{1,2}x\.")


def spans(text: str) -> Iterator[Found]:
    """The addresses in a text; the canonical form is in lower case and NFC.

    >>> list(spans("write to Ann.Lee+x@Mail.Example.org, not logo@2x.png"))
    [(9, 35, 'ann.lee+x@mail.example.org')]
    """
    done = 0
    for at, after in _signs(text):
        found = _DOMAIN.match(text, after)
        encoded = after - at > 1
        if found and encoded and text[found.end() : found.end() + 1] == "@":
            continue  # the @ proper comes yet
        if found and text[at - 1] == '"':
            quoted = _QUOTED_BACKWARD.match(text[max(done, at - 65) : at][::-1])
            if quoted and _is_domain(found[1]):
                start, done = at - quoted[0].rindex('"') - 1, found.end()
                yield start, done, canonical(text[start:done])
            continue
        local = _LOCAL_BACKWARD.match(text[max(done, at - 64) : at][::-1]) if found else None
        if found and local:
            start = at - len(local[0].rstrip(_NO_START))
            end = found.end()
            if start < at and _is_domain(found[1]) and not _is_path(text, start, end):
                done = end
                written = text[start:end]
                yield start, end, canonical(unquote(written) if encoded else written)


def canonical(address: str) -> str:
    """One spelling for all of an address: NFC, lower case.

    >>> canonical("Ann@Example.ORG")
    'ann@example.org'
    """
    return unicodedata.normalize("NFC", address).lower()


def _signs(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each sign before which a local part may end, as `_SIGN` finds them."""
    if (text.count("@") + text.count("%40")) * _RARE > len(text):
        for found in _SIGN.finditer(text):
            yield found.span(1)
        return
    done = 0
    for found in _ANY_SIGN.finditer(text):
        at, after = found.span()
        if at > done and (text[at - 1].isalnum() or text[at - 1] in _BEFORE_SIGN):
            yield at, after
            done = after


def _is_domain(domain: str) -> bool:
    top = domain.rpartition(".")[2].lower()
    return top not in NOT_TOP_LEVEL and not _SCALE.match(domain)


def _is_path(text: str, start: int, end: int) -> bool:
    """Whether this is `git@host.org:path`, which names a machine and no person."""
    return text[start : start + 4] == "git@" and text[end : end + 1] in (":", "/")
