"""The proof of delimited text in machine code, which tells the types of columns too, for files of many megabytes.

One walk over the bytes does what `records.prove` and `cell_types` do in several, for text without surprises; what
surprises it is left to them. Only `quick_proof` imports this module, which needs Numba.

Places are unsigned, since for each signed one Numba asks whether it counts from the end. No loop asks for the end of
the text either, except between quotes: the text ends with a line feed, which ends all others.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hokusai.utils.compiled import compiled

UNTOLD, INTEGER, FLOAT, BOOLEAN, DATE, DATETIME = range(6)
"""What the cells of a column should be; of the first nothing is asked."""
MOST_INTEGER_BYTES = 15
MOST_FLOAT_DIGITS = 17
MOST_FLOAT_BYTES = 90

_U = np.uint64
_0, _1, _2, _3, _4, _5, _7, _8, _10 = map(_U, (0, 1, 2, 3, 4, 5, 7, 8, 10))
_LF, _CR, _QUOTE = 10, 13, 34
_ZERO, _MINUS, _PLUS, _POINT, _COLON, _SPACE, _T, _E, _LOWER = 48, 45, 43, 46, 58, 32, 84, 101, 32
_TRUE = np.frombuffer(b"true", np.uint8)
_FALSE = np.frombuffer(b"false", np.uint8)
_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_SOME_DAY, _SOME_TIME = (np.frombuffer(text, np.uint8) for text in (b"0000-00-00", b"00:00:00"))


@compiled
def walk(data: NDArray[np.uint8], delimiter: int, kinds: NDArray[np.uint8]) -> tuple[Any, Any, Any]:
    """Read all records of a text that begins with one, ends with a line feed, and has no NUL bytes.

    Args:
        data: The text, uint8 of shape (n_bytes,).
        delimiter: Between fields.
        kinds: What each column is thought to be, uint8 of shape (n_columns,).

    Returns:
        The number of records, or -1 if there is one that is not well formed, is blank, has another number of fields, or
        no value at all; bytes of the longest record; and for each column whether all cells are surely empty or values
        of its kind.
    """
    end, last = _U(len(data)), _U(len(kinds) - 1)
    fits = kinds != UNTOLD
    stops = np.zeros(256, np.bool_)
    stops[delimiter] = stops[_LF] = stops[_CR] = stops[_QUOTE] = True
    records, longest, at = 0, _0, _0
    while at < end:
        start, column = at, _0
        while True:
            if data[at] == _QUOTE:
                fits[column] = False
                at = _after_quoted(data, at, end)
                if at == end:  # it is never closed, or not followed by a line feed
                    return -1, 0, fits
            else:
                if fits[column] and not stops[data[at]]:
                    at = _after_value(data, at, kinds[column])
                    fits[column] = stops[data[at]]
                while not stops[data[at]]:
                    at += _1
            if data[at] != delimiter or column == last:
                break
            at += _1
            column += _1
        if column < last or at - start == last:
            return -1, 0, fits
        at += _U(data[at] == _CR)
        if data[at] != _LF:
            return -1, 0, fits
        at += _1
        records += 1
        longest = max(longest, at - start)
    return records, np.int64(longest), fits


@compiled
def _after_quoted(data: Any, at: Any, end: Any) -> Any:
    """The place after the closing quote of the field that begins here; `end` if there is none."""
    while True:
        at += _1
        while at < end and data[at] != _QUOTE:
            at += _1
        at += _1
        if at >= end:
            return end
        if data[at] != _QUOTE:
            return at


@compiled
def _after_value(data: Any, at: Any, kind: Any) -> Any:
    """Where the value of this kind ends that begins here; `at` itself, where a cell cannot end, if there is none."""
    if kind == INTEGER:
        return _after_integer(data, at)
    if kind == FLOAT:
        return _after_float(data, at)
    if kind == BOOLEAN:
        return _after_word(data, at, _TRUE if data[at] | _LOWER == _TRUE[0] else _FALSE)
    day = _after_day(data, at)
    return day if kind == DATE or day == at else _after_time(data, at, day)


@compiled
def _after_integer(data: Any, at: Any) -> Any:
    """0, or digits that do not begin with one, perhaps negative, and few enough to be exact as a double."""
    if data[at] == _ZERO:
        return at + _1
    first = at + _U(data[at] == _MINUS)
    end = _after_digits(data, first)
    sound = first < end and data[first] != _ZERO and end - at <= MOST_INTEGER_BYTES
    return end if sound else at


@compiled
def _after_float(data: Any, at: Any) -> Any:
    """A number with a point, an exponent or few enough digits; see the table of `cell_types`."""
    first = at + _U(data[at] == _MINUS)
    whole = _after_digits(data, first)
    if whole - first > _1 and data[first] == _ZERO:
        return at
    point = data[whole] == _POINT
    end = _after_digits(data, whole + _1) if point else whole
    if end - first <= _U(point):
        return at
    if end - first > MOST_FLOAT_DIGITS:
        while data[first] == _ZERO or (data[first] == _POINT and first < end):
            first += _1
        if end - first - _U(point and first < whole) > MOST_FLOAT_DIGITS:
            return at
    if data[end] | _LOWER == _E:
        end = _after_exponent(data, end)
    elif not point and whole - first > MOST_INTEGER_BYTES:
        return at
    return end if end - at <= MOST_FLOAT_BYTES else at


@compiled
def _after_exponent(data: Any, at: Any) -> Any:
    """Two digits at most, so that a number of few bytes is in range."""
    first = at + _1
    if data[first] == _MINUS or data[first] == _PLUS:
        first += _1
    end = _after_digits(data, first)
    return end if _1 <= end - first <= _2 else at


@compiled
def _after_digits(data: Any, at: Any) -> Any:
    while np.uint8(data[at] - _ZERO) < 10:
        at += _1
    return at


@compiled
def _after_word(data: Any, at: Any, word: Any) -> Any:
    for i in range(len(word)):
        if data[at + _U(i)] | _LOWER != word[i]:
            return at
    return at + _U(len(word))


@compiled
def _after_day(data: Any, at: Any) -> Any:
    """A day that the calendar has, as 2024-02-29."""
    if not _has_form(data, at, _SOME_DAY):
        return at
    year = 100 * _two_digits(data, at) + _two_digits(data, at + _2)
    month, day = _two_digits(data, at + _5), _two_digits(data, at + _8)
    if year == 0 or month == 0 or month > 12 or day == 0:
        return at
    leap = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return at + _10 if day <= _DAYS[month] + leap else at


@compiled
def _after_time(data: Any, at: Any, day: Any) -> Any:
    """What follows a day: T10:00:00, or with a space, and perhaps up to six digits of a second."""
    time = day + _1
    if (data[day] != _T and data[day] != _SPACE) or not _has_form(data, time, _SOME_TIME):
        return at
    hour, minute, second = (
        _two_digits(data, time),
        _two_digits(data, time + _3),
        _two_digits(data, time + _U(6)),
    )
    if hour > 23 or minute > 59 or second > 59:
        return at
    end = time + _8
    if data[end] != _POINT:
        return end
    fraction = _after_digits(data, end + _1)
    return fraction if _2 <= fraction - end <= _7 else at


@compiled
def _has_form(data: Any, at: Any, form: Any) -> bool:
    """Whether digits stand where `form` has zeros, and else what it has."""
    for i in range(len(form)):
        byte = data[at + _U(i)]
        if (np.uint8(byte - _ZERO) >= 10) if form[i] == _ZERO else (byte != form[i]):
            return False
    return True


@compiled
def _two_digits(data: Any, at: Any) -> int:
    return int(data[at] - _ZERO) * 10 + int(data[at + _1] - _ZERO)
