"""Where personal data stands in text: one quick pass over all rows, careful checks on the few that it leaves.

The quick pass is one Rust regular expression over the column. Rows that it lets through are looked at again kind by
kind, each kind first with its own Rust expression and only then, row by row, with the patterns and check digits of
its file. No pattern looks around or backs up without bound, so no text makes them slow.

Names and addresses are found in free text only by the words around them (`names`, `addresses`): no language model
runs. Columns that hold one value a cell are checked as a whole by `matches_whole` and `canonical_whole`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import partial
from operator import itemgetter
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
from hokusai.privacy.context import Found
from hokusai.privacy.folding import fold_column
from hokusai.privacy.kinds import ALL_KINDS, DEFAULT_REGIONS, PiiKind
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
_SPANS: dict[PiiKind, Callable[[str], Iterable[Found]]] = {
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
_Span = tuple[int, int, int, int, str]
"""Row, rank of the kind, minus the length, start, canonical form: sorts the most certain and longest first."""


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
    plain, moved = fold_column(text)
    rows = _hits(plain, prefilter(kinds, column_kind=column_kind))
    candidates = plain.gather(rows)
    claims: list[_Span] = []
    for rank, kind in enumerate(_MOST_CERTAIN_FIRST):
        if kind in kinds:
            for gate, spans in _finders(kind, codes, told=kind is column_kind):
                hits = _hits(candidates, gate)
                for row, cell in zip(
                    rows.gather(hits).to_list(), candidates.gather(hits).to_list(), strict=True
                ):
                    claims += [
                        (row, rank, start - end, start, canonical) for start, end, canonical in spans(cell)
                    ]
    kept = _without_overlaps(claims)
    return pl.DataFrame(
        [
            (row, *_original(start, end, moved.get(row)), kind, canonical)
            for row, start, end, kind, canonical in kept
        ],
        schema={
            "row": pl.UInt32,
            "start": pl.UInt32,
            "end": pl.UInt32,
            "kind": pl.String,
            "canonical": pl.String,
        },
        orient="row",
    )


def prefilter(kinds: Collection[PiiKind] = ALL_KINDS, *, column_kind: PiiKind | None = None) -> str:
    """The Rust regex that every text matches in which `find` finds something, odd characters made plain.

    >>> prefilter([PiiKind.EMAIL])
    '(?:@)'
    """
    told = column_kind is PiiKind.DATE_OF_BIRTH
    hints = {**_HINTS, PiiKind.DATE_OF_BIRTH: births.GATE_TOLD} if told else _HINTS
    return "|".join(f"(?:{hints[kind]})" for kind in _MOST_CERTAIN_FIRST if kind in kinds)


def _finders(
    kind: PiiKind, regions: tuple[str, ...], *, told: bool
) -> list[tuple[str, Callable[[str], Iterable[Found]]]]:
    """What finds a kind in the rows that match a Rust regex."""
    match kind:
        case PiiKind.NATIONAL_ID:
            return [
                (scheme.gate, partial(scheme.spans, told=told)) for scheme in national_ids.schemes(regions)
            ]
        case PiiKind.DATE_OF_BIRTH:
            return [(births.GATE_TOLD if told else births.GATE, partial(births.spans, told=told))]
        case PiiKind.PHONE:
            return [(phones.GATE, partial(phones.spans, regions=regions, told=told))]
        case _:
            return [(_GATES[kind], _SPANS[kind])]


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


def _hits(text: pl.Series, gate: str) -> pl.Series:
    return text.str.contains(gate).fill_null(False).arg_true() if gate else text.clear().cast(int)


def _without_overlaps(claims: list[_Span]) -> list[tuple[int, int, int, str, str]]:
    """Spans as row, start, end, kind, canonical; where some overlap, the most certain stays, then the longest."""
    claims.sort()
    kept: list[tuple[int, int, int, str, str]] = []
    of_row: list[tuple[int, int]] = []
    at_row = -1
    for row, rank, minus_length, start, canonical in claims:
        if row != at_row:
            at_row, of_row = row, []
        end = start - minus_length
        if all(end <= left or right <= start for left, right in of_row):
            of_row.append((start, end))
            kept.append((row, start, end, _MOST_CERTAIN_FIRST[rank].value, canonical))
    kept.sort(key=itemgetter(0, 1))
    return kept


def _original(start: int, end: int, offsets: list[int] | None) -> tuple[int, int]:
    return (start, end) if offsets is None else (offsets[start], offsets[end - 1] + 1)
