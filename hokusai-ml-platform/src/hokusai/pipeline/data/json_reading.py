"""JSON arrays of objects and JSON Lines, strictly and in pieces.

A file is read twice. The first pass proves each record and finds what every column holds (`json_records`,
`json_columns`); the second gives the rows, parsed by Polars into the settled types. Both passes cut the text at the
same places (`json_pieces`), so memory holds one piece. Where records are to be set aside, a pass between them looks
at each alone.

Two other forms are understood, and that is noted: a list that one key wraps, `{"data": [{...}, ...]}`, and columns
instead of rows, `{"a": [1, 2], "b": [3, 4]}`.
"""

from __future__ import annotations

import bisect
import hashlib
import io
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hokusai.domain.manifest import SourceFile
from hokusai.errors import DataError
from hokusai.pipeline.data.columns import cells_of
from hokusai.pipeline.data.json_by_column import rows_of_columns
from hokusai.pipeline.data.json_columns import Survey
from hokusai.pipeline.data.json_fit import NESTED, Settled
from hokusai.pipeline.data.json_pieces import Array, Layout, Lines, Piece, Span
from hokusai.pipeline.data.json_records import BLANKS, Record, read_document, read_proved
from hokusai.pipeline.data.nested_values import nested_text
from hokusai.pipeline.data.scan import ReadOptions, Reject
from hokusai.pipeline.data.source_file import check_conservation, listed, not_utf8

if TYPE_CHECKING:
    import polars as pl

    from hokusai.pipeline.data.source_file import OpenedFile
    from hokusai.pipeline.data.unpacking import ByteReader

MAX_PROBLEMS = 20
HEAD_BYTES = 1 << 16
BATCH_BYTES = 8 << 20
"""Spans are joined up to this length: a batch costs something, however small it is."""
BATCH_CELLS = 1 << 22
"""A batch that would have more cells, most of them empty, is cut: what it takes is not seen from its bytes."""

_OPENS_A_LIST = re.compile(
    rb'\{[ \t\r\n]*"((?:[^"\\]|\\.)*)"[ \t\r\n]*:[ \t\r\n]*\[[ \t\r\n]*(.?)', re.DOTALL
)
_Text = Callable[[], "AbstractContextManager[ByteReader]"]


@dataclass(frozen=True, slots=True)
class JsonScan:
    """A JSON file that was proved; a `TableScan`. `schema` has the columns in the order in which they first appear."""

    source: SourceFile
    rows_read: int
    rejects: tuple[Reject, ...]
    notes: tuple[str, ...]
    columns: dict[str, Settled]
    schema: dict[str, pl.DataType]
    spans: tuple[Span, ...]
    nulls: dict[str, int]
    layout: Layout
    text: _Text

    @property
    def valueless(self) -> frozenset[str]:
        """See `scan.TextScan`."""
        return frozenset(name for name, c in self.columns.items() if c.kind == "null" and c.wanted is None)

    def batches(self) -> Iterator[pl.DataFrame]:
        """See `TableScan`.

        Raises:
            DataError: The file was changed, or the rows are not those that were proved.
        """
        import polars as pl

        parsed_as = {name: c.parsed_as() for name, c in self.columns.items() if c.kind != NESTED}
        rejected = [reject.row for reject in self.rejects]
        nulls = dict.fromkeys(self.columns, 0)
        for span, data in _again(self.text, self.spans):
            low = bisect.bisect_left(rejected, span.number)
            dropped = set(rejected[low : bisect.bisect_left(rejected, span.number + span.height)])
            if len(dropped) == span.height:
                continue
            for raw, n_records, is_lines in self._cut(data, span, dropped):
                found: dict[str, pl.Series] = {}
                with self._agreement():
                    if len(parsed_as) < len(self.columns):
                        found = self._nested(raw, is_lines=is_lines)
                    if parsed_as:
                        read = pl.read_ndjson if is_lines else pl.read_json
                        batch = read(raw if is_lines else b"[" + raw + b"]", schema=parsed_as)
                        found |= {name: cells_of(batch, name) for name in parsed_as}
                for name, values in found.items():
                    check_conservation(self.source.name, n_records, len(values))
                    nulls[name] += values.null_count()
                # Column by column: an expression would take a name such as "*" or "^a.*$" for a pattern of names.
                yield pl.DataFrame({name: c.converted(found[name]) for name, c in self.columns.items()})
        if nulls != self.nulls:
            raise self._disagreement()

    def locate(self, rows: Iterable[int]) -> Iterator[tuple[int, str]]:
        """Line and digest of rows; see `scan.LocatingScan`."""
        wanted = list(rows)
        for span, data in _again(self.text, self.spans):
            low = bisect.bisect_left(wanted, span.number)
            here = set(wanted[low : bisect.bisect_left(wanted, span.number + span.height)])
            for record in self.layout.records(data, span) if here else ():
                if record.number in here:
                    yield record.line, hashlib.sha256(record.raw).hexdigest()

    def _nested(self, raw: bytes, *, is_lines: bool) -> dict[str, pl.Series]:
        """The columns of lists and objects, as texts."""
        import polars as pl

        records = read_proved(raw, lines=is_lines)
        found = {}
        for name in (name for name, column in self.columns.items() if column.kind == NESTED):
            values = (record.get(name) for record in records)
            texts = [None if value is None else nested_text(value) for value in values]
            found[name] = pl.Series(texts, dtype=pl.String)
        return found

    def _cut(self, data: bytes, span: Span, dropped: set[int]) -> Iterator[tuple[bytes, int, bool]]:
        """The records of a piece that are kept, as texts of one batch each: (text, records, whether it is lines)."""
        most = max(1, BATCH_CELLS // len(self.columns))
        if not dropped and span.height <= most:
            yield data, span.height, isinstance(self.layout, Lines)
            return
        kept = [r.raw for r in self.layout.records(data, span) if r.number not in dropped]
        for start in range(0, len(kept), most):
            raw = kept[start : start + most]
            yield b",".join(raw), len(raw), False

    @contextmanager
    def _agreement(self) -> Iterator[None]:
        import polars as pl

        try:
            yield
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError) as problem:
            raise self._disagreement() from problem

    def _disagreement(self) -> DataError:
        return DataError(
            "The second pass over the file found other values than the first",
            where=self.source.name,
            hint="Nothing of it may be used. This is a defect of the reader: please report it with the file.",
        )


def scan_json(file: OpenedFile, options: ReadOptions) -> JsonScan:
    """Scan a JSON file: an array of objects, such a list that one key wraps, or an object of columns.

    Raises:
        DataError: The text is not JSON, or a record is at fault and `options.on_error` is `raise`.
    """
    head = file.text_head(HEAD_BYTES).lstrip(BLANKS)
    if not head.startswith(b"{"):
        return _scan(file, options, "json", Array(file.name, options.limits, opening=1), file.text)
    opens = _OPENS_A_LIST.match(head)
    if opens and opens.group(2) == b"{" and (key := _name_in(opens.group(1))) is not None:
        layout = Array(file.name, options.limits, opens.end() - 1, b"]}")
        return _scan(file, options, "json", layout, file.text, f"The rows are the list under the key {key!r}")
    rows = rows_of_columns(file, options)
    assumed = (
        "The file holds columns, each with a list of values; the values at one place of the lists are a row"
    )
    return _scan(
        file,
        options,
        "json",
        Lines(file.name, options.limits),
        lambda: nullcontext(io.BytesIO(rows)),
        assumed,
    )


def scan_jsonl(file: OpenedFile, options: ReadOptions) -> JsonScan:
    """Scan JSON Lines: one object a line; blank lines are no records.

    Raises:
        DataError: A line is at fault, and `options.on_error` is `raise`.
    """
    return _scan(file, options, "jsonl", Lines(file.name, options.limits), file.text)


def _scan(
    file: OpenedFile, options: ReadOptions, found: str, layout: Layout, text: _Text, *assumed: str
) -> JsonScan:
    survey = _survey(file, options, layout)
    spans: list[Span] = []
    problems: list[str] = []
    n_problems = 0
    with text() as stream:
        for piece in layout.pieces(stream):
            joined = spans[-1].joined(piece.span) if spans else piece.span
            if spans and joined.length <= BATCH_BYTES:
                spans[-1] = joined
            else:
                spans.append(piece.span)
            if piece.proved is not None:
                survey.see(piece.proved, layout.places(piece.data, piece.span))
                continue
            records = layout.records(piece.data, piece.span)
            _refuse_other_encodings(file, piece, records)
            at_fault = [record for record in records if record.values is None]
            n_problems += len(at_fault)
            problems += [
                _place(layout, r) + ": " + r.detail for r in at_fault[: MAX_PROBLEMS - len(problems)]
            ]
            _see(survey, layout, [record for record in records if record.values is not None])
    n_records = sum(span.height for span in spans)
    rejects: tuple[Reject, ...] = ()
    if n_problems or survey.problems():
        if options.on_error == "raise":
            raise _refusal(file.name, layout, problems, n_problems) if n_problems else survey.refusal()
        survey, rejects = _judged(file, options, layout, text, spans, survey.settled())
    if n_records == 1 and survey.holds_objects_only():
        raise DataError(
            "The file is one object of objects, which may be columns and not a row",
            where=file.name,
            hint="Store rows as an array of objects: [{...}, {...}] (in pandas: orient='records').",
        )
    survey.require_filled(options.limits.ratio)
    columns = survey.settled()
    if not columns:
        raise DataError(
            "No record can be used"
            if rejects
            else "The records have no keys"
            if n_records
            else "The file has no rows",
            where=file.name,
            hint="Give a file with at least one row.",
        )
    return JsonScan(
        source=file.source(found, assumed=assumed),
        rows_read=n_records,
        rejects=rejects,
        notes=tuple(survey.notes()),
        columns=columns,
        schema={name: column.dtype() for name, column in columns.items()},
        spans=tuple(spans),
        nulls=survey.nulls(),
        layout=layout,
        text=text,
    )


def _judged(
    file: OpenedFile,
    options: ReadOptions,
    layout: Layout,
    text: _Text,
    spans: list[Span],
    columns: dict[str, Settled],
) -> tuple[Survey, tuple[Reject, ...]]:
    """Each record held against what its columns hold: a survey of those that fit, and the rejected ones."""
    survey = _survey(file, options, layout)
    rejects = []
    for span, data in _again(text, spans):
        kept = []
        for record in layout.records(data, span):
            reject = _reject(file.name, record, columns)
            if reject is None:
                kept.append(record)
            else:
                rejects.append(reject)
        _see(survey, layout, kept)
    return survey, tuple(rejects)


def _reject(name: str, record: Record, columns: dict[str, Settled]) -> Reject | None:
    sha256 = hashlib.sha256(record.raw).hexdigest()
    if record.values is None:
        return Reject(
            name, record.number, record.reason, detail=record.detail, line=record.line, sha256=sha256
        )
    for column, value in record.values.items():
        fault = columns[column].fault(column, value)
        if fault is not None:
            return Reject(name, record.number, fault.reason, fault.column, fault.detail, record.line, sha256)
    return None


def _survey(file: OpenedFile, options: ReadOptions, layout: Layout) -> Survey:
    return Survey(file.name, layout.word, options.types, options.limits.columns)


def _see(survey: Survey, layout: Layout, records: list[Record]) -> None:
    values = [record.values for record in records if record.values is not None]
    if values:
        survey.see(values, [record.line if layout.word == "line" else record.number for record in records])


def _again(text: _Text, spans: list[Span] | tuple[Span, ...]) -> Iterator[tuple[Span, bytes]]:
    """The pieces of the text at `spans`, read anew."""
    with text() as stream:
        at, ahead = 0, b""
        for span in spans:
            end = span.offset + span.length
            pieces = [ahead]
            reached = at + len(ahead)
            while reached < end and (more := stream.read(end - reached)):
                pieces.append(more)
                reached += len(more)
            taken = b"".join(pieces)
            yield span, taken[span.offset - at : end - at]
            at, ahead = end, taken[end - at :]  # what decodes a text may give more than was asked for
        while stream.read(1 << 20):  # to its end, so that a change of the file is seen
            pass


def _name_in(quoted: bytes) -> str | None:
    """The text between two quotes of JSON; None if there is none."""
    try:
        return str(read_document(f'"{quoted.decode()}"'))
    except ValueError:
        return None


def _refuse_other_encodings(file: OpenedFile, piece: Piece, records: list[Record]) -> None:
    """Text that is not UTF-8 as a whole is in another encoding, which whoever called may find."""
    if file.bad_bytes or not any(record.reason == "not UTF-8" for record in records):
        return
    try:
        piece.data.decode()
    except UnicodeDecodeError as problem:
        line = piece.span.line + piece.data.count(b"\n", 0, problem.start)
        byte = piece.data[problem.start]
        raise not_utf8(file.name, byte, piece.span.offset + problem.start, line) from problem


def _refusal(name: str, layout: Layout, problems: list[str], n_problems: int) -> DataError:
    plural = f"{layout.word}s are" if n_problems > 1 else f"{layout.word} is"
    return DataError(
        f"{n_problems:,} {plural} not a JSON object with one meaning: {listed(problems, n_problems, MAX_PROBLEMS)}",
        where=name,
        hint="Every line must be one whole object; several lines of one object, or a list of them, go into a JSON "
        "array: [{...}, {...}]."
        if layout.word == "line"
        else 'Every record must be an object of column names to plain values: {"text": "hello", "label": 1}.',
    )


def _place(layout: Layout, record: Record) -> str:
    return f"{layout.word} {record.line if layout.word == 'line' else record.number:,}"
