"""Where personal data stands in text: one quick pass over all rows, careful checks on the few that it leaves.

The quick pass is two Rust regular expressions over the column, one of them over those rows only that have digits or
signs (`marks`). Rows that it lets through are looked at again kind by kind, each kind first with its own Rust
expression and only then, row by row, with the patterns and check digits of its file. No pattern looks around or backs
up without bound, so no text makes them slow.

Names and addresses are found in free text only by the words around them (`names`, `addresses`): no language model
runs. Columns that hold one value a cell are checked as a whole by `matches_whole` and `canonical_whole`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import partial, reduce
from itertools import repeat
from operator import and_, itemgetter
from typing import TYPE_CHECKING

from hokusai.errors import InvalidInputError
from hokusai.privacy import (
    addresses,
    births,
    cards,
    emails,
    ibans,
    ips,
    names,
    national_ids,
    phones,
    wallets,
)
from hokusai.privacy.context import CLAIMED, REMOVED, Found
from hokusai.privacy.folding import TAKEN_OUT, blotted, fold_column
from hokusai.privacy.kinds import ALL_KINDS, DEFAULT_REGIONS, PiiKind
from hokusai.privacy.marks import marks
from hokusai.privacy.numbering import plans
from hokusai.privacy.whole import canonical_whole, matches_whole

if TYPE_CHECKING:
    import polars as pl

__all__ = ["DEFAULT_REGIONS", "canonical_whole", "find", "matches_whole", "prefilter"]

_MOST_CERTAIN_FIRST = (
    PiiKind.EMAIL,
    PiiKind.CRYPTO_ADDRESS,
    PiiKind.IBAN,
    PiiKind.CARD,
    PiiKind.IP,
    PiiKind.NATIONAL_ID,
    PiiKind.DATE_OF_BIRTH,
    PiiKind.PHONE,
    PiiKind.POSTAL_ADDRESS,
    PiiKind.PERSON_NAME,
)
"""Where two kinds claim the same characters, the earlier one has them."""
_GATES = {
    PiiKind.EMAIL: emails.GATE,
    PiiKind.CRYPTO_ADDRESS: wallets.GATE,
    PiiKind.IBAN: ibans.GATE,
    PiiKind.CARD: cards.GATE,
    PiiKind.IP: ips.GATE,
    PiiKind.NATIONAL_ID: national_ids.GATE,
    PiiKind.DATE_OF_BIRTH: births.GATE,
    PiiKind.PHONE: phones.GATE,
    PiiKind.POSTAL_ADDRESS: addresses.GATE,
    PiiKind.PERSON_NAME: names.GATE,
}
"""Rust regex a kind: it matches every text in which the kind's `spans` finds something, and few others."""
_Spans = Callable[[str], Iterable[Found]]
_SPANS: dict[PiiKind, _Spans] = {
    PiiKind.EMAIL: emails.spans,
    PiiKind.CRYPTO_ADDRESS: wallets.spans,
    PiiKind.IBAN: ibans.spans,
    PiiKind.CARD: cards.spans,
    PiiKind.IP: ips.spans,
    PiiKind.POSTAL_ADDRESS: addresses.spans,
    PiiKind.PERSON_NAME: names.spans,
}
_HINTS = {
    **_GATES,
    PiiKind.DATE_OF_BIRTH: births.HINT,
    PiiKind.POSTAL_ADDRESS: addresses.HINT,
    PiiKind.PERSON_NAME: names.HINT,
}
"""The same, but cheap enough to be joined into one: long counts in one kind's would slow down all."""
_NOTHING = r"[^\s\S]"
_WORDED = (PiiKind.DATE_OF_BIRTH, PiiKind.POSTAL_ADDRESS, PiiKind.PERSON_NAME)
_FEW_ROWS, _FEW_CHARACTERS = 60, 10_000
"""So little text is looked at as soon as a regular expression is compiled for it."""
_Finder = tuple[tuple[str, ...], _Spans]
"""Rust regexes that a text must match, and what finds values in it."""
_Span = tuple[int, int, int, str, str]
"""Row, start, end, kind, canonical form."""


def find(
    text: pl.Series,
    kinds: Collection[PiiKind] = ALL_KINDS,
    *,
    regions: Collection[str] = DEFAULT_REGIONS,
    column_kind: PiiKind | None = None,
) -> pl.DataFrame:
    """Every span of personal data in a column of text.

    Args:
        text: Strings, shape (n_rows,); null cells hold nothing.
        kinds: What to look for.
        regions: Countries, as ISO 3166 codes, whose national formats count.
        column_kind: What the column is known to hold: its name stands for the words that would otherwise have to
            stand beside a number.

    Returns:
        One row a span, by row and start, none overlapping: `row` (u32), `start`, `end` (characters of the original
        text, u32), `kind` (string) and `canonical` (the form that is the same for all spellings of one value).

    Raises:
        MissingExtraError: Phones are asked for and `phonenumbers` is not installed.
        InvalidInputError: A region is unknown.

    >>> import polars as pl
    >>> find(pl.Series(["nothing", "ann@example.org, 4111 1111 1111 1111"])).rows()
    [(1, 0, 15, 'email', 'ann@example.org'), (1, 17, 36, 'card', '4111111111111111')]
    """
    import polars as pl

    codes = _regions(regions, kinds)
    plain, moved = fold_column(text, blot=False)
    coded, may_be_left = marks(plain)
    cleaned = _matching(plain, TAKEN_OUT, may_be_left)
    left = cleaned.arg_true()
    seen = plain
    if len(left):  # what earlier cleaning left is cut short here, and blotted out only in rows that hold more
        seen = plain.clone().scatter(left, plain.gather(left).str.replace_all(TAKEN_OUT, REMOVED))
    worded, plainer = _quick_passes(seen, coded | cleaned, kinds, column_kind)
    rows = (worded | plainer).arg_true()
    with_words, without_words = (passes.gather(rows).arg_true() for passes in (worded, plainer))
    candidates = plain.gather(rows)
    if len(left):
        marked = cleaned.gather(rows).arg_true()
        candidates = candidates.scatter(
            marked, [blotted(cell) for cell in candidates.gather(marked).to_list()]
        )
    kept: list[_Span] = []
    for kind in _MOST_CERTAIN_FIRST if len(rows) else ():
        claims: dict[int, list[Found]] = {}
        if kind in kinds:
            gates, finders = _finders(kind, codes, told=kind is column_kind)
            likely = _hits(candidates, with_words if kind in _WORDED else without_words, gates)
            for hits, spans in _shared_out(candidates, likely, finders):
                for at, cell in zip(hits.to_list(), candidates.gather(hits).to_list(), strict=True):
                    if found := list(spans(cell)):
                        claims.setdefault(at, []).extend(found)
        if claims:
            spans_of = {at: _without_overlaps(found) for at, found in claims.items()}
            places = pl.Series(list(claims), dtype=pl.get_index_type())
            unclaimed = map(_unclaimed, candidates.gather(places).to_list(), spans_of.values())
            candidates = candidates.scatter(places, list(unclaimed))
            at_rows = rows.gather(places).to_list()
            for row, found in zip(at_rows, spans_of.values(), strict=True):
                kept += [(row, start, end, kind.value, canonical) for start, end, canonical in found]
    kept.sort(key=itemgetter(0, 1))
    if moved:
        kept = [
            (row, *_original(start, end, moved.get(row)), kind, canonical)
            for row, start, end, kind, canonical in kept
        ]
    rows_of, starts, ends, kinds_of, canonicals = zip(*kept, strict=True) if kept else repeat((), 5)
    return pl.DataFrame(
        {
            "row": pl.Series(rows_of, dtype=pl.UInt32),
            "start": pl.Series(starts, dtype=pl.UInt32),
            "end": pl.Series(ends, dtype=pl.UInt32),
            "kind": pl.Series(kinds_of, dtype=pl.String),
            "canonical": pl.Series(canonicals, dtype=pl.String),
        }
    )


def holding(values: Iterable[str]) -> frozenset[str]:
    """Those of some values, few and different, in which personal data of any kind stands.

    >>> sorted(holding(["billing", "call +49 30 901820", "Mr. Ada Lovelace"]))
    ['Mr. Ada Lovelace', 'call +49 30 901820']
    """
    import polars as pl

    each = list(values)
    rows = find(pl.Series(each, dtype=pl.String))["row"].unique().to_list()
    return frozenset(each[row] for row in rows)


def prefilter(
    text: pl.Series, kinds: Collection[PiiKind] = ALL_KINDS, *, column_kind: PiiKind | None = None
) -> pl.Series:
    """The quick pass: whether a row can hold anything. Every row is let through in which `find` finds something.

    Args:
        text: Strings, odd characters made plain.
        kinds: What is looked for.
        column_kind: What the column is known to hold.

    >>> import polars as pl
    >>> prefilter(pl.Series(["ann@b.co", "nothing", None])).to_list()
    [True, False, False]
    """
    worded, plainer = _quick_passes(text, marks(text)[0], kinds, column_kind)
    return worded | plainer


def _quick_passes(
    text: pl.Series, coded: pl.Series, kinds: Collection[PiiKind], column_kind: PiiKind | None
) -> tuple[pl.Series, pl.Series]:
    """Which rows can hold kinds that words tell, and which the others: in one regex their states would multiply.

    Args:
        text: What to look at.
        coded: The rows that can hold the others at all.
        kinds: What is looked for.
        column_kind: What the column is known to hold.
    """
    told = column_kind is PiiKind.DATE_OF_BIRTH
    hints = {**_HINTS, PiiKind.DATE_OF_BIRTH: births.GATE_TOLD} if told else _HINTS
    worded, plainer = (
        "|".join(f"(?:{hints[kind]})" for kind in kinds if (kind in _WORDED) is by_words) or _NOTHING
        for by_words in (True, False)
    )
    return text.str.contains(worded).fill_null(value=False), _matching(text, plainer, coded)


def _matching(text: pl.Series, pattern: str, likely: pl.Series) -> pl.Series:
    """Whether each text matches, of those that are likely to; null does not."""
    if likely.all():
        return text.str.contains(pattern).fill_null(value=False)
    rows = likely.arg_true()
    hits = text.gather(rows).str.contains(pattern).fill_null(value=False)
    return likely.clone().scatter(rows, hits)


def _finders(kind: PiiKind, regions: tuple[str, ...], *, told: bool) -> tuple[tuple[str, ...], list[_Finder]]:
    """What finds a kind: Rust regexes that a row must match, and what looks closer with regexes of its own."""
    match kind:
        case PiiKind.NATIONAL_ID:
            schemes = national_ids.schemes(regions)
            closer: list[_Finder] = [
                (_gates(scheme.gate, scheme.belief, told=told), partial(scheme.spans, told=told))
                for scheme in schemes
            ]
            return _gates(national_ids.GATE, national_ids.belief(schemes), told=told), closer
        case PiiKind.DATE_OF_BIRTH:
            gate = births.GATE_TOLD if told else births.GATE
            return (gate,), [((), partial(births.spans, told=told))]
        case PiiKind.PHONE:
            gates = _gates(phones.GATE, phones.belief(regions), told=told)
            return gates, [((), partial(phones.spans, regions=regions, told=told))]
        case _:
            return (_GATES[kind],), [((), _SPANS[kind])]


def _gates(shape: str, belief: str, *, told: bool) -> tuple[str, ...]:
    """What a text must match: the shape of a value, and what makes it one unless the column says so."""
    return (shape,) if told or not belief else (shape, belief)


def _regions(regions: Collection[str], kinds: Collection[PiiKind]) -> tuple[str, ...]:
    codes = tuple(regions)
    if PiiKind.PHONE in kinds:
        plans(codes)  # fails now, not at the first row that needs it
    for code in codes:
        if len(code) != 2 or not code.isupper():
            raise InvalidInputError(
                f"{code!r} is no region",
                where="regions",
                hint="Give ISO 3166 codes of two capitals, such as DE.",
            )
    return codes


def _hits(text: pl.Series, rows: pl.Series, gates: tuple[str, ...]) -> pl.Series:
    """Those of the rows that match every gate, or a few more: to look at these costs less than another gate."""
    for gate in gates:
        cells = text.gather(rows)
        if _is_little(cells):
            break
        rows = rows.filter(cells.str.contains(gate))
    return rows


def _shared_out(text: pl.Series, rows: pl.Series, finders: list[_Finder]) -> list[tuple[pl.Series, _Spans]]:
    """The rows that each has to look at, of some that are likely for one of them at least."""
    import polars as pl

    cells = text.gather(rows)
    if len(finders) == 1 or _is_little(cells):
        return [(rows, spans) for _, spans in finders]
    cell = pl.first().str
    matches = cells.to_frame().select(
        reduce(and_, map(cell.contains, gates)).alias(str(at)) for at, (gates, _) in enumerate(finders)
    )  # in one go, since most are few
    return [(rows.filter(hits), spans) for hits, (_, spans) in zip(matches, finders, strict=True)]


def _is_little(cells: pl.Series) -> bool:
    return len(cells) <= _FEW_ROWS and sum(map(len, cells.to_list())) <= _FEW_CHARACTERS


def _without_overlaps(found: list[Found]) -> list[Found]:
    """Of spans of one kind that overlap, the longest; by start.

    The longest come first, so what is kept already is no shorter than the next one and cannot lie within it: where
    they overlap, it has the first or the last character of the next. Looking at these two is enough.
    """
    if len(found) == 1:
        return found
    taken = bytearray(max(end for _, end, _ in found))
    kept: list[Found] = []
    for span in sorted(found, key=lambda each: (each[0] - each[1], each[0])):
        start, end, _ = span
        if not taken[start] and not taken[end - 1]:
            taken[start:end] = b"\1" * (end - start)
            kept.append(span)
    kept.sort()
    return kept


def _unclaimed(text: str, found: list[Found]) -> str:
    """The text without what a more certain kind has claimed, of the same length."""
    pieces: list[str] = []
    at = 0
    for start, end, _ in found:  # by start
        pieces += (text[at:start], CLAIMED * (end - start))
        at = end
    return "".join((*pieces, text[at:]))


def _original(start: int, end: int, offsets: list[int] | None) -> tuple[int, int]:
    return (start, end) if offsets is None else (offsets[start], offsets[end - 1] + 1)
