"""Text from outside, made safe to show: a terminal obeys control characters, whoever wrote them."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""`text` with every character that is not for reading replaced, line breaks kept.

    >>> printable("evil\x1b[2J.csv")
    'evil\ufffd[2J.csv'
    """
    return "".join(char if char.isprintable() or char == "\n" else "\ufffd" for char in text)


def one_line(text: str) -> str:
    r"""`text` as `printable` gives it, line breaks replaced too: it cannot pass for a line of ours.

    >>> one_line("churn\nError: none")
    'churn\ufffdError: none'
    """
    return printable(text).replace("\n", "\ufffd")
