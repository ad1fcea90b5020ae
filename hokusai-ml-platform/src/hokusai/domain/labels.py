"""Class labels as text: one spelling for one class, however a file or a model spells it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

_NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?", re.ASCII)


def class_name(value: Any) -> str:
    """A class label as text: the same for 1, 1.0 and "1", for True and "true".

    >>> class_name(1.0), class_name(True), class_name("spam")
    ('1', 'true', 'spam')
    """
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def class_order(names: Iterable[str]) -> tuple[str, ...]:
    """All different class names in their order: numbers by size, anything else by text.

    >>> class_order(["10", "9", "10"]), class_order(["10", "9", "b"])
    (('9', '10'), ('10', '9', 'b'))
    """
    different = sorted(set(names))
    if all(_NUMBER.fullmatch(name) for name in different):
        return tuple(sorted(different, key=float))
    return tuple(different)
