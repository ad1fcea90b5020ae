"""What is done with each column as a whole, settled once from the first rows and then kept for all batches.

If every batch judged for itself, a column could be tokens in one and text in the next, and the result would depend on
how the rows were cut. So the first rows decide, and with them the names and types of the columns that come out.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from hokusai.errors import SchemaError
from hokusai.privacy.columns import (
    as_text,
    hold_addresses,
    is_about_people,
    is_half_of_names,
    is_of_people,
    is_of_things,
    kind_by_name,
    kinds_by_content,
    looks_like,
    may_hold_ids,
    name_part,
)
from hokusai.privacy.counts import BY_CALLER, BY_CONTENT, BY_NAME
from hokusai.privacy.detector import find
from hokusai.privacy.folding import fold_column
from hokusai.privacy.kinds import PiiKind
from hokusai.privacy.people_columns import Beside, hold_people
from hokusai.privacy.policy import ALWAYS_ALLOWED, PiiAction, PiiPolicy, outwards
from hokusai.privacy.stand_ins import DECLARED
from hokusai.privacy.whole import hold_checked_ids

if TYPE_CHECKING:
    import polars as pl

SAMPLE_CELLS: Final = 1_000
"""Cells with a value that are looked at in each column."""
SAMPLE_ROWS: Final = 100_000
"""Rows among which they are looked for: a column that begins later is judged by its name alone."""
KINDS_IN_A_NAME: Final = (
    *(PiiKind.EMAIL, PiiKind.PHONE, PiiKind.CARD, PiiKind.IBAN, PiiKind.NATIONAL_ID, PiiKind.IP),
    PiiKind.CRYPTO_ADDRESS,
)
"""Kinds that the names of columns are searched for, as where a table has a column a person."""


_CELLS_TOGETHER: Final = 100_000
"""So many cells are looked at in one go: a table may be wide."""
_CARE: Final = {"leave": 0, "text": 1, "cells": 2}


@dataclass(frozen=True, slots=True)
class ColumnPlan:
    """What happens to one column.

    Attributes:
        treatment: `leave`: neither searched nor changed. `cells`: each cell is one value. `text`: cells are searched.
            `fields`: an object, whose fields have plans of their own. What holds for a list holds for its elements.
        kind: What the cells are; where cells are searched, what the name announces; or empty.
        found_by: How it was found that the cells are of this kind.
        sure: Whether cells that do not have the form of `kind` are personal too, because name or caller say so.
        fields: Plans by field.
    """

    treatment: Literal["leave", "cells", "text", "fields"]
    kind: str = ""
    found_by: str = ""
    sure: bool = False
    fields: Mapping[str, ColumnPlan] = field(default_factory=dict)


@dataclass(frozen=True)
class ColumnGate:
    """The plans for all columns.

    Attributes:
        plans: By column, in the data's order.
        telling: Columns whose name itself holds personal data, such as somebody's address.
        absent: Columns that the policy has a rule for, and the data has not.
        unread: Columns that cannot be looked into, such as raw bytes.
    """

    plans: Mapping[str, ColumnPlan]
    telling: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    def joined(self, other: ColumnGate) -> ColumnGate:
        """The plan for data of two sources: what either calls personal is personal."""
        plans = {
            column: max(plan, other.plans.get(column, plan), key=lambda one: _CARE[one.treatment])
            for column, plan in self.plans.items()
        }
        unread = tuple(dict.fromkeys((*self.unread, *other.unread)))
        return replace(self, plans=plans, unread=unread)

    @property
    def personal(self) -> frozenset[str]:
        """Columns whose cells are values of one kind of personal data."""
        return frozenset(name for name, plan in self.plans.items() if plan.treatment == "cells")

    def notes(self) -> tuple[str, ...]:
        """What a reader of the result has to know."""
        absent = (
            f"The policy has a rule for column {name!r}, which is not there{self._meant(name)}"
            for name in self.absent
        )
        unread = (f"Column {name!r} cannot be searched for personal data" for name in self.unread)
        return (*absent, *unread)

    def _meant(self, name: str) -> str:
        near = difflib.get_close_matches(name, self.plans, n=1)
        return f"; perhaps {near[0]!r} is meant" if near else ""

    @classmethod
    def decide(cls, sample: pl.DataFrame, policy: PiiPolicy) -> ColumnGate:
        """The plans, from the first rows of the whole data.

        In each column the first thousand cells that are not null count, among the first 100,000 rows of `sample`;
        more rows do not matter.

        Args:
            sample: The first rows, with all columns.
            policy: What is wanted.

        Raises:
            SchemaError: A column that the policy calls personal is not there.
        """
        import polars as pl

        columns, types = sample.columns, sample.schema
        for name in policy.personal:
            if name not in columns:
                near = difflib.get_close_matches(name, columns, n=1)
                raise SchemaError(
                    f"Column {name!r}, which is to be treated as personal, is missing",
                    hint=f"Did you mean {near[0]!r}?"
                    if near
                    else f"There are: {', '.join(map(repr, columns[:30]))}.",
                )
        searched = [name for name in columns if name not in policy.allow]
        kinds = [kind for kind in policy.kinds if kind in KINDS_IN_A_NAME]
        telling = find(pl.Series(searched, dtype=pl.String), kinds, regions=policy.regions)
        leaves: list[_Leaf] = []
        shapes = {
            name: _shape(sample[name].alias(""), (name,), leaves, personal=name in policy.personal)
            for name in searched
        }
        plan_of = _plans(leaves, policy)
        return cls(
            {
                name: _assembled(shapes[name], plan_of) if name in shapes else ColumnPlan("leave")
                for name in columns
            },
            tuple(searched[row] for row in telling["row"].unique().sort()),
            tuple(
                name
                for name in dict.fromkeys((*policy.by_column, *policy.allow))
                if not any(outer in columns for outer in outwards(name)) and name not in ALWAYS_ALLOWED
            ),
            tuple(name for name in searched if types[name] in (pl.Binary, pl.Object)),
        )


def is_text(dtype: pl.DataType) -> bool:
    """Whether cells of this type are text; those of categories are."""
    import polars as pl

    return dtype in (pl.String, pl.Categorical, pl.Enum)


def _first_cells(column: pl.Series) -> pl.Series:
    cells = column.head(SAMPLE_ROWS)
    return (cells.drop_nulls() if cells.null_count() else cells).head(SAMPLE_CELLS)


class _Leaf(NamedTuple):
    """What holds neither lists nor objects: a column, or a field of one.

    Attributes:
        name: All names from the outside in.
        told: The name that tells what it holds: its own alone if the others are no words for whose it is.
        within: The names of the objects around it, from the outside in, each with all before; first of all, none.
        cells: A sample without null.
        personal: Whether the caller says that every cell is personal.
    """

    name: str
    told: str
    within: tuple[str, ...]
    cells: pl.Series
    personal: bool


class _Named(NamedTuple):
    """What the name of a leaf announces, and whether its cells were asked, and agree."""

    kind: PiiKind | None
    agreed: bool = False


_Shape = int | Mapping[str, "_Shape"]
"""Which leaf a column is, or the shapes of its fields."""


def _shape(column: pl.Series, path: tuple[str, ...], leaves: list[_Leaf], *, personal: bool) -> _Shape:
    """The shape of a column; its leaves are added to the others."""
    import polars as pl

    cells = _first_cells(column)
    if isinstance(cells.dtype, pl.List | pl.Array):
        return _shape(cells.explode(), path, leaves, personal=personal)
    if isinstance(cells.dtype, pl.Struct):
        within = cells.struct.unnest()
        return {key: _shape(within[key], (*path, key), leaves, personal=personal) for key in within.columns}
    name = ".".join(path)
    told = name
    if len(path) > 1 and not (kind_by_name(name) or is_about_people(name) or may_hold_ids(name)):
        told = path[-1]
    around = tuple(".".join(path[:depth]) for depth in range(len(path)))
    leaves.append(_Leaf(name, told, around, cells, personal))
    return len(leaves) - 1


def _assembled(shape: _Shape, plan_of: Sequence[ColumnPlan]) -> ColumnPlan:
    if isinstance(shape, int):
        return plan_of[shape]
    return ColumnPlan("fields", fields={key: _assembled(inner, plan_of) for key, inner in shape.items()})


def _plans(leaves: Sequence[_Leaf], policy: PiiPolicy) -> list[ColumnPlan]:
    """The plan for each; what their cells look like is asked of many in one go."""
    beside = _beside(leaves)
    pairs = _pairs(leaves, policy)
    plans: list[ColumnPlan] = []
    some: list[_Leaf] = []
    cells = 0
    for leaf in leaves:
        some.append(leaf)
        cells += len(leaf.cells)
        if cells >= _CELLS_TOGETHER:
            plans += _plans_of_some(some, policy, beside, pairs)
            some, cells = [], 0
    return plans + _plans_of_some(some, policy, beside, pairs)


def _beside(leaves: Sequence[_Leaf]) -> dict[str, Beside]:
    """What the fields of each object, or of the table, say that it is about: a name is judged by those around it.

    Goods and people, as in a table of orders, say nothing between them.
    """
    says: dict[str, set[Beside]] = {}
    for leaf in leaves:
        for around in leaf.within:
            said = says.setdefault(around, set())
            if is_half_of_names(leaf.told):
                said.add("names")
            elif is_of_people(leaf.told):
                said.add("people")
            elif is_of_things(leaf.told):
                said.add("goods")
    return {
        around: "names" if "names" in said else said.pop() if len(said) == 1 else ""
        for around, said in says.items()
    }


def _pairs(leaves: Sequence[_Leaf], policy: PiiPolicy) -> frozenset[str]:
    """The leaves that are halves of names: called `first` and `last` side by side, and either holds people."""
    halves: dict[tuple[str, tuple[str, ...]], dict[str, _Leaf]] = {}
    for leaf in leaves:
        if (part := name_part(leaf.told)) and is_text(leaf.cells.dtype):
            halves.setdefault((leaf.within[-1], part[:-1]), {})[part[-1]] = leaf
    return frozenset(
        leaf.name
        for both in halves.values()
        if len(both) == 2 and any(hold_people(leaf.cells, regions=policy.regions) for leaf in both.values())
        for leaf in both.values()
    )


def _plans_of_some(
    leaves: Sequence[_Leaf], policy: PiiPolicy, beside: Mapping[str, Beside], pairs: frozenset[str]
) -> list[ColumnPlan]:
    """The plans for some.

    Args:
        leaves: What is asked about.
        policy: What is wanted.
        beside: What each object is about.
        pairs: The leaves that are halves of names.
    """
    named = [_named(leaf, policy, pairs) for leaf in leaves]
    shown = _shown(leaves)
    trusted = [
        is_named.kind is not None
        and (is_named.agreed or _is_trusted(is_named.kind, leaf, cells, beside[leaf.within[-1]], policy))
        for is_named, leaf, cells in zip(named, leaves, shown, strict=True)
    ]
    asked = [
        at
        for at, leaf in enumerate(leaves)
        if not trusted[at] and (is_text(leaf.cells.dtype) or leaf.cells.dtype.is_numeric())
    ]
    contents: list[PiiKind | None] = [None] * len(leaves)
    found = kinds_by_content(
        [shown[at] for at in asked],
        [leaves[at].name for at in asked],
        kinds=policy.kinds,
        regions=policy.regions,
    )
    for at, content in zip(asked, found, strict=True):
        contents[at] = content
    return [
        _plan(leaf, is_named.kind, content, policy, trusted=is_trusted)
        for leaf, is_named, content, is_trusted in zip(leaves, named, contents, trusted, strict=True)
    ]


def _shown(leaves: Sequence[_Leaf]) -> list[pl.Series]:
    """The cells; text without what earlier cleaning left, which shows nothing."""
    import polars as pl

    shown = [leaf.cells for leaf in leaves]
    texts = [at for at, cells in enumerate(shown) if is_text(cells.dtype)]
    if texts:
        plain = fold_column(pl.concat([as_text(shown[at]) for at in texts]))[0]
        start = 0
        for at in texts:
            shown[at] = plain.slice(start, len(shown[at]))
            start += len(shown[at])
    return shown


def _is_trusted(kind: PiiKind, leaf: _Leaf, shown: pl.Series, beside: Beside, policy: PiiPolicy) -> bool:
    """Whether the cells can be what the name announces; where the name leaves that open, more is asked of them."""
    if kind not in (PiiKind.PERSON_NAME, PiiKind.POSTAL_ADDRESS):
        return looks_like(shown, kind)
    return looks_like(leaf.cells, kind, leaf.told, beside=beside, regions=policy.regions)


def _named(leaf: _Leaf, policy: PiiPolicy, pairs: frozenset[str]) -> _Named:
    if _says_nothing(leaf):
        return _Named(None)
    kind = kind_by_name(leaf.told)
    agreed = False
    if kind is None:
        kind = _by_name_and_cells(leaf, policy, pairs)
        agreed = True
    return (
        _Named(kind, agreed) if kind in policy.kinds and _can_hold(leaf.cells.dtype, kind) else _Named(None)
    )


def _by_name_and_cells(leaf: _Leaf, policy: PiiPolicy, pairs: frozenset[str]) -> PiiKind | None:
    """What the name leaves open and the cells tell."""
    regions = policy.regions
    if leaf.name in pairs or (
        is_about_people(leaf.told) and looks_like(leaf.cells, PiiKind.PERSON_NAME, leaf.told, regions=regions)
    ):
        return PiiKind.PERSON_NAME
    if hold_addresses(leaf.cells, leaf.told, regions=regions):
        return PiiKind.POSTAL_ADDRESS
    if may_hold_ids(leaf.told) and hold_checked_ids(as_text(leaf.cells)):
        return PiiKind.NATIONAL_ID
    return None


def _says_nothing(leaf: _Leaf) -> bool:
    """Whether cells cannot be looked into, or are only true or false."""
    import polars as pl

    dtype = leaf.cells.dtype
    return dtype in (pl.Binary, pl.Object, pl.Null) or (dtype == pl.Boolean and not leaf.personal)


def _plan(
    leaf: _Leaf, named: PiiKind | None, content: PiiKind | None, policy: PiiPolicy, *, trusted: bool
) -> ColumnPlan:
    """The plan for one leaf.

    Args:
        leaf: Name, cells, and whether the caller calls it personal.
        named: What its name announces.
        content: What its cells are.
        policy: What is wanted.
        trusted: Whether the cells can be what the name announces.
    """
    dtype = leaf.cells.dtype
    if _says_nothing(leaf):
        return ColumnPlan("leave")
    if trusted and named is not None:
        plan = ColumnPlan("cells", named, BY_CALLER if leaf.personal else BY_NAME, sure=True)
    elif leaf.personal:
        plan = ColumnPlan("cells", content or named or DECLARED, BY_CALLER, sure=True)
    elif content is not None:
        plan = ColumnPlan("cells", content, BY_CONTENT)
    else:
        return _searched(dtype, named, policy)
    if policy.action(leaf.name, plan.kind) is PiiAction.KEEP:  # there may still be other kinds in the text
        return _searched(dtype, None, policy)
    return plan


def _searched(dtype: pl.DataType, named: PiiKind | None, policy: PiiPolicy) -> ColumnPlan:
    if is_text(dtype) and policy.scan_free_text and policy.kinds:
        return ColumnPlan("text", named or "")
    return ColumnPlan("leave")


def _can_hold(dtype: pl.DataType, kind: PiiKind | None) -> bool:
    """Whether values of this type can be what a name announces: a date can only be one of birth."""
    return kind is not None and (not dtype.is_temporal() or kind is PiiKind.DATE_OF_BIRTH)
