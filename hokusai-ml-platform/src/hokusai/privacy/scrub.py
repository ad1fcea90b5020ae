"""Taking personal data out of a table: found, counted, and replaced as the policy says.

Columns that hold one kind of it are worked on as a whole; other text is searched. What is found depends on the rows
and the gate alone, so batches of a table, cleaned apart, are the cleaned table. Cleaning what is clean changes nothing:
text is searched again after something was taken out of it, until nothing is found, since what remains may mean more
without it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from hokusai.errors import ConfigurationError, SchemaError
from hokusai.privacy.columns import as_text, says_ssn, says_version
from hokusai.privacy.counts import BY_CONTENT, BY_NAME, IN_NAMES, Found, PiiCounts
from hokusai.privacy.detector import canonical_whole, find, matches_whole
from hokusai.privacy.gate import KINDS_IN_A_NAME, ColumnGate, ColumnPlan, is_text
from hokusai.privacy.kinds import PiiKind
from hokusai.privacy.policy import ACTING, PiiAction, PiiPolicy
from hokusai.privacy.stand_ins import DECLARED, is_stand_in_or_blank, mask, replaced_at
from hokusai.privacy.tokens import Tokenizer

if TYPE_CHECKING:
    import polars as pl

__all__ = ["ColumnGate", "PiiCounts", "scrub", "with_categories"]


def scrub(
    frame: pl.DataFrame,
    policy: PiiPolicy,
    tokenizer: Tokenizer | None = None,
    *,
    gate: ColumnGate | None = None,
) -> tuple[pl.DataFrame, PiiCounts]:
    """A table without personal data, and how much of it there was.

    Args:
        frame: The table, or a batch of it.
        policy: What happens to which kind, and where.
        tokenizer: Makes the tokens of the action `hash`; not needed without it.
        gate: The plans for the columns, from the first rows of the whole table; by default from those of `frame`.

    Returns:
        The cleaned rows, in order: null stays null, text stays text, and numbers and dates that were replaced are text
        now. Columns that were dropped are left out; names of columns that held personal data are replaced likewise.
        And the counts of this batch.

    Raises:
        ConfigurationError: The policy hashes, and there is no tokenizer.
        SchemaError: A column of `frame` is not in the gate, or one that the policy calls personal is missing.
        MissingExtraError: Phone numbers are looked for, and the extra `data` is not installed.

    >>> import polars as pl
    >>> frame = pl.DataFrame({"note": ["write to ada@example.org", None], "description": ["a", "b"]})
    >>> cleaned, counts = scrub(frame, PiiPolicy(default="mask"))
    >>> cleaned["note"].to_list(), counts.total
    (['write to [email]', None], 1)
    """
    import polars as pl

    if policy.hashes and tokenizer is None:
        raise ConfigurationError(
            "The policy hashes personal data, but there is no key",
            hint="Set HOKUSAI_PII_KEY, or choose another action, such as `mask`.",
        )
    gate = gate or ColumnGate.decide(frame, policy)
    scrubber = _Scrubber(policy, tokenizer)
    names = scrubber.names(frame.columns, gate)
    together = scrubber.low_texts(frame, gate, names)
    kept: dict[str, pl.Series] = {}
    for column in frame.get_columns():
        plan = gate.plans.get(column.name)
        if plan is None:  # its name is not told: nobody has searched it
            raise SchemaError(
                "A column is not among those for which the search for personal data was planned",
                where=f"column {frame.get_column_index(column.name) + 1}",
                hint="Plan with rows that have all columns.",
            )
        shown = names[column.name]
        cells = column.alias("")  # methods of a series take its name for a pattern
        cleaned = together.get(column.name)
        if cleaned is None:
            cleaned = scrubber.column(cells, plan, _Place(column.name, shown))
        if cleaned is not None:
            kept[shown] = cleaned
    cleaned_frame = pl.DataFrame(kept) if kept else pl.DataFrame(height=frame.height)  # rows without columns
    return cleaned_frame, scrubber.counts()


def with_categories(cleaned: pl.DataFrame, frame: pl.DataFrame) -> pl.DataFrame:
    """The cleaned table, with the categories of those columns in which nothing changed.

    For a whole table only: what changed in a batch says nothing about the others, and all must have the same types.

    >>> import polars as pl
    >>> frame = pl.DataFrame({"size": ["S", "L"]}, schema={"size": pl.Categorical})
    >>> with_categories(scrub(frame, PiiPolicy(default="mask"))[0], frame).dtypes
    [Categorical]
    """
    import polars as pl

    unchanged = [
        cells
        for cells in frame.get_columns()
        if isinstance(cells.dtype, pl.Categorical | pl.Enum)
        and cells.name in cleaned.schema
        and cleaned.get_column(cells.name).equals(cells.cast(pl.String))
    ]
    return cleaned.with_columns(unchanged)


_LOW_ROWS, _CELLS_TOGETHER, _BYTES_TOGETHER = 1_000, 100_000, 10_000_000
"""In tables no higher, columns of text are searched together: one by one, each would cost more than its cells."""


class _Place(NamedTuple):
    """A column or what lies within it: its own name, and the one to be told."""

    name: str
    shown: str

    def within(self, key: str) -> _Place:
        return _Place(f"{self.name}.{key}", f"{self.shown}.{key}")


class _Scrubber:
    """One pass over a table; it collects the counts."""

    def __init__(self, policy: PiiPolicy, tokenizer: Tokenizer | None) -> None:
        self._policy = policy
        self._tokenizer = tokenizer
        self._cells: Counter[Found] = Counter()
        self._names: Counter[Found] = Counter()
        self._hashed = False

    def counts(self) -> PiiCounts:
        key_id = self._tokenizer.key_id if self._hashed and self._tokenizer else ""
        cells = {found: count for found, count in self._cells.items() if count}
        return PiiCounts(cells, dict(self._names), key_id)

    def names(self, columns: list[str], gate: ColumnGate) -> dict[str, str]:
        """Every column's name as it may be shown."""
        import polars as pl

        shown = {name: name for name in columns}
        telling = [name for name in columns if name in gate.telling]
        if telling:
            kinds = [str(kind) for kind in self._policy.kinds if kind in KINDS_IN_A_NAME]
            actions = {kind: self._policy.by_kind.get(kind, self._policy.default) for kind in kinds}
            actions |= {  # a column must have a name
                kind: PiiAction.MASK for kind, action in actions.items() if action is PiiAction.DROP
            }
            cleaned, found = self._replaced(pl.Series(telling, dtype=pl.String), "", actions)
            for kind, action, count in _by_kind(found, actions):
                self._names[Found(IN_NAMES, kind, str(action), BY_CONTENT)] += count
            shown |= zip(telling, cleaned, strict=True)
        taken: set[str] = {name for name in columns if shown[name] == name}
        for name in telling:  # two masks are alike, two columns must not be
            plain, number = shown[name], 1
            while shown[name] in taken and shown[name] != name:
                number += 1
                shown[name] = f"{plain} {number}"
            taken.add(shown[name])
        return shown

    def low_texts(
        self, frame: pl.DataFrame, gate: ColumnGate, names: Mapping[str, str]
    ) -> dict[str, pl.Series]:
        """Columns of text of a table of few rows, as they may be shown; without those whose name announces a kind."""
        import polars as pl

        if not 0 < frame.height <= _LOW_ROWS:
            return {}
        alike: dict[tuple[tuple[str, PiiAction], ...], list[str]] = {}
        for name, dtype in frame.schema.items():
            if dtype == pl.String and gate.plans.get(name) == ColumnPlan("text"):
                alike.setdefault(tuple(self._actions(name).items()), []).append(name)
        shown: dict[str, pl.Series] = {}
        for columns in alike.values():
            of_bytes = _BYTES_TOGETHER * len(columns) // max(1, int(frame.select(columns).estimated_size()))
            most = max(1, min(of_bytes, _CELLS_TOGETHER // frame.height))
            for first in range(0, len(columns), most):
                some = columns[first : first + most]
                cells = pl.concat([frame[name].alias("") for name in some])
                cleaned, found = self._replaced(cells, "", self._actions(some[0]))
                of_column = found.with_columns(column=pl.col("row") // frame.height)
                for column, kind, action, count in _by_kind(of_column, self._actions(some[0]), "column"):
                    self._cells[Found(names[some[column]], kind, str(action), BY_CONTENT)] += count
                shown |= {
                    name: cleaned.slice(at * frame.height, frame.height) for at, name in enumerate(some)
                }
        return shown

    def _actions(self, column: str) -> dict[str, PiiAction]:
        """The kinds to look for in the text of a column, and what happens to each."""
        versions = says_version(column) and column not in self._policy.by_column
        return {
            str(kind): self._policy.action(column, kind)
            for kind in self._policy.kinds
            if not (versions and kind is PiiKind.IP)
        }

    def column(self, cells: pl.Series, plan: ColumnPlan, place: _Place) -> pl.Series | None:
        """The column as it may be shown; None if it is to be left out."""
        import polars as pl

        if plan.treatment == "leave" or cells.dtype == pl.Null:
            return cells
        if isinstance(cells.dtype, pl.Array):
            cells = cells.arr.to_list()
        if isinstance(cells.dtype, pl.List):
            return _elements(cells, lambda inner: self._inner(inner, plan, place))
        if isinstance(cells.dtype, pl.Struct):
            return self._objects(cells, plan, place)
        if plan.treatment == "text":
            return self._text(cells.cast(pl.String), plan.kind, place)
        return self._values(cells, plan, place)

    def _inner(self, cells: pl.Series, plan: ColumnPlan, place: _Place) -> pl.Series:
        """As `column`; what would be left out is null, so that lists and objects keep their shape."""
        import polars as pl

        cleaned = self.column(cells, plan, place)
        return pl.Series(cells.name, [None] * len(cells), dtype=pl.String) if cleaned is None else cleaned

    def _objects(self, cells: pl.Series, plan: ColumnPlan, place: _Place) -> pl.Series:
        import polars as pl

        within = cells.struct.unnest().get_columns()
        cleaned = [self._inner(one, plan.fields[one.name], place.within(one.name)) for one in within]
        if not cleaned:
            return cells
        objects = pl.DataFrame(cleaned).to_struct(cells.name)
        absent = pl.lit(cells.is_null())
        return pl.select(pl.when(absent).then(None).otherwise(pl.lit(objects)).alias(cells.name)).to_series()

    def _values(self, cells: pl.Series, plan: ColumnPlan, place: _Place) -> pl.Series | None:
        """A column whose cells are one value each."""
        action = self._policy.action(place.name, plan.kind)
        text = as_text(cells)
        nothing = is_stand_in_or_blank(text)
        values = text.set(nothing, None) if nothing.any() else text
        if cells.dtype.is_numeric() and says_ssn(place.name):
            values = values.str.replace("^([0-9]{7})$", "0${1}").str.replace("^([0-9]{8})$", "0${1}")
        if (
            plan.kind == PiiKind.PERSON_NAME
            and plan.found_by == BY_NAME
            and self._searches_emails(place.name)
        ):
            values = _without_emails(values)
        if plan.kind == DECLARED:
            canonical = values.clear().extend_constant(None, len(values))
        else:
            canonical = canonical_whole(values, PiiKind(plan.kind), regions=self._policy.regions)
        if plan.sure:
            formless = (canonical.is_null() & values.is_not_null()).arg_true()
            canonical = replaced_at(canonical, formless, _plainest(values.gather(formless)))
        settled = canonical.is_not_null()
        self._cells[Found(place.shown, str(plan.kind), str(action), plan.found_by)] += int(settled.sum())
        if action is PiiAction.DROP:
            return None
        if action in ACTING:
            stand_ins = self._stand_ins(canonical, plan.kind, action)
            cleaned = stand_ins if settled.all() else stand_ins.zip_with(settled, text)
        elif is_text(cells.dtype):
            cleaned = text
        else:
            return cells  # counted only: numbers stay numbers
        others = (cells.is_not_null() & ~settled).arg_true()
        if action not in ACTING and plan.sure:  # a name that is kept may still hold an address
            others = cells.is_not_null().arg_true()
        if len(others) and self._policy.scan_free_text:
            known = "" if action in ACTING else plan.kind
            searched = self._text(cleaned.gather(others), plan.kind, place, counted=known)
            cleaned = replaced_at(cleaned, others, searched)
        return cleaned.alias(cells.name)

    def _searches_emails(self, column: str) -> bool:
        return self._policy.scan_free_text and str(PiiKind.EMAIL) in self._actions(column)

    def _text(self, cells: pl.Series, kind: str, place: _Place, *, counted: str = "") -> pl.Series:
        """Free text, searched; `counted` is a kind that the caller has counted."""
        actions = self._actions(place.name)
        cleaned, found = self._replaced(cells, kind, actions)
        for one, action, count in _by_kind(found, actions):
            if one != counted:
                self._cells[Found(place.shown, one, str(action), BY_CONTENT)] += count
        return cleaned

    def _replaced(
        self, text: pl.Series, announced: str, actions: Mapping[str, PiiAction]
    ) -> tuple[pl.Series, pl.DataFrame]:
        """Text with what was found in it replaced, until nothing is found; and `row` and `kind` of what was found.

        Args:
            text: What to search.
            announced: The kind that the column's name announces, or empty.
            actions: The kinds to look for, and what happens to each.
        """
        import polars as pl

        if text.null_count() == len(text):
            return text, pl.DataFrame(schema={"row": pl.UInt32, "kind": pl.String})
        column_kind = PiiKind(announced) if announced and announced != DECLARED else None
        kinds = [PiiKind(kind) for kind in actions]
        acting = [kind for kind, action in actions.items() if action in ACTING]
        seen: list[pl.DataFrame] = []
        rows, part = pl.int_range(len(text), dtype=pl.UInt32, eager=True), text
        while True:
            spans = find(part, kinds, regions=self._policy.regions, column_kind=column_kind)
            seen.append(pl.DataFrame({"row": rows.gather(spans["row"]), "kind": spans["kind"]}))
            spans = spans.filter(pl.col("kind").is_in(acting))
            if spans.is_empty():
                break
            changed = spans["row"].unique().sort()
            part = self._without(part.gather(changed), spans, actions)
            rows = rows.gather(changed)
            text = replaced_at(text, rows, part)
        return text, pl.concat(seen).unique()

    def _without(self, text: pl.Series, spans: pl.DataFrame, actions: Mapping[str, PiiAction]) -> pl.Series:
        """Cells, each of which has spans, with something else in the place of every span."""
        import polars as pl

        parts = []
        for (kind,), some in spans.group_by("kind"):
            stand_ins = self._stand_ins(some["canonical"], str(kind), actions[str(kind)])
            parts.append(some.select("row", "start", "end", stand_in=stand_ins))
        ordered = pl.concat(parts).sort("row", "start")
        cells = iter(text.to_list())
        cleaned: list[str] = []
        row, cell, at, pieces = -1, "", 0, list[str]()
        for span_row, start, end, stand_in in ordered.iter_rows():
            if span_row != row:
                cleaned.append("".join((*pieces, cell[at:])))
                row, cell, at, pieces = span_row, next(cells), 0, []
            pieces += (cell[at:start], stand_in)
            at = end
        cleaned.append("".join((*pieces, cell[at:])))
        return pl.Series(text.name, cleaned[1:], dtype=pl.String)  # the first was before any cell

    def _stand_ins(self, canonical: pl.Series, kind: str, action: PiiAction) -> pl.Series:
        """What comes in the place of values; null where there is none."""
        import polars as pl

        if action is PiiAction.HASH and self._tokenizer is not None:
            self._hashed |= canonical.null_count() < len(canonical)
            return self._tokenizer.tokens(kind, canonical)
        stand_in = mask(kind) if action is PiiAction.MASK else ""
        return pl.select(pl.when(pl.lit(canonical).is_not_null()).then(pl.lit(stand_in))).to_series()


def _by_kind(found: pl.DataFrame, actions: Mapping[str, PiiAction], *by: str) -> Iterator[tuple[Any, ...]]:
    """By further columns if asked, then by kind: these, the kind, what happens to it and in how many cells."""
    cells = found.group_by(*by, "kind").len().sort(*by, "kind")
    for *rest, kind, count in cells.iter_rows():
        if actions[kind] is not PiiAction.KEEP:
            yield *rest, kind, actions[kind], count


def _without_emails(values: pl.Series) -> pl.Series:
    """Names without the cells that are e-mail addresses: these are searched for as such."""
    likely = values.str.contains("@", literal=True).fill_null(value=False).arg_true()
    if not len(likely):
        return values
    are = matches_whole(values.gather(likely), PiiKind.EMAIL)
    return values.clone().scatter(likely.filter(are), None)


def _plainest(text: pl.Series) -> pl.Series:
    """The form in which values without a form of their own are compared: NFC, lower case, single blanks."""
    return text.str.normalize("NFC").str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()


def _elements(cells: pl.Series, change: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """Lists with their elements changed, all at once."""
    import polars as pl

    frame = pl.DataFrame({"row": pl.int_range(len(cells), eager=True), "cell": cells})
    held = frame.filter(pl.col("cell").list.len() > 0).explode("cell")
    changed = held.select("row", pl.Series("element", change(held["cell"])))
    lists = changed.group_by("row", maintain_order=True).agg("element")
    both = frame.join(lists, on="row", how="left", maintain_order="left")
    empty = pl.lit([], dtype=lists.schema["element"])
    rest = pl.when(pl.col("cell").is_not_null()).then(empty)
    return both.select(
        pl.when(pl.col("element").is_not_null()).then("element").otherwise(rest).alias(cells.name)
    )[cells.name]
