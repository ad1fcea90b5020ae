"""Text from outside, made safe to show: a terminal obeys control characters, whoever wrote them."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""`text` with every character that is not for reading replaced, line breaks kept.

    >>> printable("evil\x1b[2J.csv")
    'evil\ufffd[2J.csv'
    """
    return "".join(char if char.isprintable() or char == "\n" else "\ufffd" for char in text)
