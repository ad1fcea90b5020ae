"""Class labels as text: one spelling for one class, however a file or a model spells it."""

from __future__ import annotations

from typing import Any


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
