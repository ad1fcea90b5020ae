"""What is to be done to rows that come in, as one value that is checked before any work begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from hokusai.domain.schema import ColumnRule, DataSchema
from hokusai.errors import InvalidInputError
from hokusai.pipeline.data.columns import UnknownColumnError, require_named
from hokusai.pipeline.data.scan import ReadOptions
from hokusai.privacy.policy import PiiPolicy, outwards
from hokusai.utils.text import meant

How = Literal["append", "replace", "update"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is done to the rows that come in.

    Attributes:
        schema: What must hold of every row.
        pii: What happens to personal data; None leaves it as it is.
        deduplicate: Whether rows that repeat an earlier one, also one of the base data, are left out: in all columns,
            or in those of `key`.
        near_text: Columns of text in which rows that say nearly the same as an earlier one are left out too; these
            columns are held in memory.
        how: `append` puts the new rows behind the base rows; `replace` takes them instead; `update` by `key` puts
            them where the base data has their key, and the others behind.
        key: The columns that identify a row: by them an `update` puts rows in place, and otherwise rows repeat one
            another. A row without a value in any of them then repeats nothing.
        target: The column that is predicted, for the quality of its labels.
        features: What it is predicted from; by default all other columns but those that only identify a row.
        seed: Of what is drawn: the hashes by which near duplicates are found.
        quality: Whether the quality of what came in is assessed.
        read: What is known of the files; its `on_error` also says what the schema's faults do.
    """

    schema: DataSchema | None = None
    pii: PiiPolicy | None = field(default_factory=PiiPolicy)
    deduplicate: bool = True
    near_text: tuple[str, ...] = ()
    how: How = "append"
    key: tuple[str, ...] = ()
    target: str | None = None
    features: tuple[str, ...] = ()
    seed: int = 42
    quality: bool = True
    read: ReadOptions = field(default_factory=ReadOptions)

    @property
    def repeats_by_key(self) -> bool:
        """Whether rows repeat one another if their keys are the same, whatever else stands in them."""
        return bool(self.key) and self.how != "update"


def check_recipe(recipe: Recipe, *, has_base: bool) -> None:
    """Find contradictions.

    Raises:
        InvalidInputError: There is one.
    """
    if recipe.how not in ("append", "replace", "update"):
        raise InvalidInputError(
            f"{recipe.how!r} is no way to merge", where="how", hint=meant(recipe.how, get_args(How))
        )
    if recipe.how == "update" and not (has_base and recipe.key):
        what = "base data" if recipe.key else "key columns"
        raise InvalidInputError(
            f"An update needs {what}",
            where="how",
            hint="Name the base data and the columns that identify a row, or use append.",
        )
    if recipe.repeats_by_key and not recipe.deduplicate:
        raise InvalidInputError(
            "A key says which rows repeat one another, but such rows are to be kept",
            where="key",
            hint="Leave out one of the two.",
        )


def require_policy_columns(policy: PiiPolicy, columns: Sequence[str]) -> None:
    """Check that a policy can be obeyed in files that have these columns together.

    A column that it calls personal must be there; else whatever the column is called now would pass. Other rules are
    for columns where they are, since one policy may serve many files. A field of a column has no rule of its own:
    lists and objects of files are read as text.

    Raises:
        UnknownColumnError: It cannot.
    """
    require_named(columns, policy.personal, "the policy's `personal`")
    for name in (*policy.by_column, *policy.allow):
        outer = next((one for one in outwards(name) if one in columns), name)
        if outer != name:
            raise UnknownColumnError(
                f"The policy has a rule for {name!r}, but from files column {outer!r} is read as one text",
                where="the policy",
                hint=f"Make it a rule for {outer!r}; those for fields hold for tables in memory.",
            )


def typed(read: ReadOptions, schema: DataSchema | None) -> ReadOptions:
    """What is known of files, the types in the schema too."""
    return replace(read, types={**schema.types, **read.types}) if schema else read


def with_keys(schema: DataSchema | None, key: Sequence[str]) -> DataSchema:
    """The schema in which the key columns also must have a value: a row without one can be merged nowhere."""
    rules = {rule.name: rule for rule in (schema.columns if schema else ())}
    keyed = {
        name: replace(rules.get(name) or ColumnRule(name), nullable=False, required=True) for name in key
    }
    return replace(schema or DataSchema(), columns=tuple({**rules, **keyed}.values()))
