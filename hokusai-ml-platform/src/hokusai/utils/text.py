"""Text from outside, made safe to show: a terminal obeys control characters, whoever wrote them."""

from __future__ import annotations

import difflib
from collections.abc import Sequence


def printable(text: str) -> str:
    r"""`text` with every character that is not for reading replaced, line breaks kept.

    >>> printable("evil\x1b[2J.csv")
    'evil\ufffd[2J.csv'
    """
    return "".join(char if char.isprintable() or char == "\n" else "\ufffd" for char in text)


def quantity(number: int, noun: str) -> str:
    """A number of things; `noun` is in the singular, and takes an s in the plural.

    >>> quantity(1, "row"), quantity(2_000, "row")
    ('1 row', '2,000 rows')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def meant(word: str, words: Sequence[str]) -> str:
    """What a word that is none of a few may have meant, as the hint of an error.

    >>> meant("apend", ["append", "replace"]), meant("x", ["append", "replace"])
    ("Did you mean 'append'?", 'Use one of append, replace.')
    """
    near = difflib.get_close_matches(word, words, n=1)
    return f"Did you mean {near[0]!r}?" if near else f"Use one of {', '.join(words)}."


def one_line(text: str) -> str:
    r"""`text` as `printable` gives it, line breaks replaced too: it cannot pass for a line of ours.

    >>> one_line("churn\nError: none")
    'churn\ufffdError: none'
    """
    return printable(text).replace("\n", "\ufffd")
