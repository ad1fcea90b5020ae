"""What a proof is made of that a row is in a dataset, or is not; how it is made and checked is in `row_proofs`.

Proofs come from others. Reading one is strict: what it holds is all there is in it, and a proof that contradicts itself
cannot be made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from hokusai.attestation.merkle import EMPTY_ROOT, InclusionProof, hash_of_hex, hashes, leaf_hash, natural
from hokusai.errors import IntegrityError
from hokusai.pipeline.data.canonical_columns import KINDS, CanonicalColumn, Kind, header_digest
from hokusai.pipeline.data.digest_tree import GROUP_ROWS, SPEC, final_hash


@dataclass(frozen=True, slots=True)
class Group:
    """An entry of the tree: up to 16 digests, and the path from them to the root.

    Attributes:
        number: Of the group, from 0.
        digests: In the tree's order.
        path: The hashes beside the way to the root, the nearest first.
    """

    number: int
    digests: tuple[bytes, ...]
    path: tuple[bytes, ...]

    def root(self, rows: int) -> bytes:
        """The root of a tree of so many rows that has this group.

        Raises:
            IntegrityError: No such tree has it.
        """
        if not 0 <= self.number * GROUP_ROWS < rows:
            raise IntegrityError(f"The proof speaks of group {self.number} of {rows:,} rows")
        expected = min(GROUP_ROWS, rows - self.number * GROUP_ROWS)
        if len(self.digests) != expected:
            raise IntegrityError(
                f"A group of the proof has {len(self.digests)} digests instead of {expected}"
            )
        inclusion = InclusionProof(self.number, -(-rows // GROUP_ROWS), self.path)
        return inclusion.root(leaf_hash(b"".join(self.digests)))

    def to_dict(self) -> dict[str, Any]:
        """As plain data; digests are hex."""
        return {
            "number": self.number,
            "digests": [digest.hex() for digest in self.digests],
            "path": [step.hex() for step in self.path],
        }

    @classmethod
    def from_dict(cls, data: object) -> Group:
        """Read what `to_dict` gave.

        Raises:
            IntegrityError: It is something else.
        """
        fields = _fields(data, {"number", "digests", "path"}, "groups")
        return cls(
            natural(fields["number"], "number"),
            hashes(fields["digests"], "digests", GROUP_ROWS),
            hashes(fields["path"], "path"),
        )


@dataclass(frozen=True, slots=True)
class RowProof:
    """That a row stands at this place of a dataset.

    Attributes:
        columns: Of the dataset, by name, with their logical types.
        rows: Of the dataset.
        row: Number of the row, from 0.
        group: Where it is in the tree.
    """

    columns: tuple[CanonicalColumn, ...]
    rows: int
    row: int
    group: Group

    def __post_init__(self) -> None:
        if self.row // GROUP_ROWS != self.group.number or self.row >= self.rows:
            raise IntegrityError(f"Row {self.row:,} of {self.rows:,} is not in group {self.group.number:,}")
        self.group.root(self.rows)  # a group of another length, or a path, that no such tree has

    @property
    def data_hash(self) -> str:
        """The hash of the dataset that the proof leads to."""
        return final_hash("rows", header_digest(self.columns), self.rows, self.group.root(self.rows))

    @property
    def digest(self) -> bytes:
        """The digest of the row."""
        return self.group.digests[self.row % GROUP_ROWS]

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "spec": SPEC,
            "proof": "row",
            "columns": _columns_to_lists(self.columns),
            "rows": self.rows,
            "row": self.row,
            "group": self.group.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: object) -> RowProof:
        """Read what `to_dict` gave, and nothing else.

        Raises:
            IntegrityError: A field is missing, unknown, of the wrong type or contradicts another.
        """
        fields = _fields(data, {"spec", "proof", "columns", "rows", "row", "group"}, "$")
        _require_kind(fields, "row")
        rows, row = natural(fields["rows"], "rows"), natural(fields["row"], "row")
        return cls(_columns_from_lists(fields["columns"]), rows, row, Group.from_dict(fields["group"]))


@dataclass(frozen=True, slots=True)
class ContentProof:
    """That a row is somewhere in a dataset, or nowhere: by its place among the sorted digests.

    Absence rests on the digests being sorted, as whoever computed `content_root` by the specification did.

    Attributes:
        columns: Of the dataset, by name, with their logical types.
        rows: Of the dataset.
        digest: Of the row.
        groups: The one that has the digest; or those, one or two, between whose digests it would be; none if the
            dataset is empty.
    """

    columns: tuple[CanonicalColumn, ...]
    rows: int
    digest: bytes
    groups: tuple[Group, ...]

    @property
    def present(self) -> bool:
        """Whether the proof says that the row is there."""
        return any(self.digest in group.digests for group in self.groups)

    @property
    def content_root(self) -> str:
        """The hash of the dataset that the proof leads to.

        Raises:
            IntegrityError: The proof contradicts itself, or leaves open whether the row is there.
        """
        roots = {group.root(self.rows) for group in self.groups} or {EMPTY_ROOT}
        if len(roots) > 1:
            raise IntegrityError("The groups of the proof lead to different roots")
        if not self.present:
            self._require_gap()
        return final_hash("content", header_digest(self.columns), self.rows, roots.pop())

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "spec": SPEC,
            "proof": "content",
            "columns": _columns_to_lists(self.columns),
            "rows": self.rows,
            "digest": self.digest.hex(),
            "groups": [group.to_dict() for group in self.groups],
        }

    @classmethod
    def from_dict(cls, data: object) -> ContentProof:
        """Read what `to_dict` gave, and nothing else.

        Raises:
            IntegrityError: A field is missing, unknown or of the wrong type.
        """
        fields = _fields(data, {"spec", "proof", "columns", "rows", "digest", "groups"}, "$")
        _require_kind(fields, "content")
        if not isinstance(fields["groups"], list) or len(fields["groups"]) > 2:
            raise IntegrityError("A proof has at most two groups", where="groups")
        return cls(
            _columns_from_lists(fields["columns"]),
            natural(fields["rows"], "rows"),
            hash_of_hex(fields["digest"], "digest"),
            tuple(Group.from_dict(group) for group in fields["groups"]),
        )

    def _require_gap(self) -> None:
        """Check that the digests of the groups leave no place where the row's could be."""
        if not self.groups and self.rows:
            raise IntegrityError("A proof without digests says nothing about a dataset that has rows")
        if len(self.groups) == 2 and self.groups[1].number != self.groups[0].number + 1:
            raise IntegrityError("The groups of the proof are not neighbours")
        digests = [digest for group in self.groups for digest in group.digests]
        if digests != sorted(digests):
            raise IntegrityError("The digests of the proof are not in order")
        if not digests:
            return
        first = self.groups[0].number * GROUP_ROWS
        if self.digest < digests[0] and first != 0:
            raise IntegrityError("The row could be before the digests of the proof")
        if self.digest > digests[-1] and first + len(digests) != self.rows:
            raise IntegrityError("The row could be after the digests of the proof")


def _columns_to_lists(columns: Iterable[CanonicalColumn]) -> list[list[str]]:
    return [[column.name, column.kind] for column in columns]


def _columns_from_lists(data: object) -> tuple[CanonicalColumn, ...]:
    if not isinstance(data, list):
        raise IntegrityError("A proof lists the columns as pairs of name and type", where="columns")
    columns = []
    for item in data:
        match item:
            case [str(name), str(kind)] if kind in KINDS and _is_unicode(name):
                columns.append(CanonicalColumn(name, cast(Kind, kind)))
            case _:
                raise IntegrityError(
                    "A column of a proof is not a pair of name and known type", where="columns"
                )
    names = [column.name for column in columns]
    if names != sorted(set(names)):
        raise IntegrityError("The columns of a proof are not in the order of their names", where="columns")
    return tuple(columns)


def _is_unicode(name: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in name)


def _fields(data: object, names: set[str], where: str) -> Mapping[str, Any]:
    if not isinstance(data, Mapping) or set(data) != names:
        raise IntegrityError(f"A proof has here the fields {', '.join(sorted(names))}", where=where)
    return data


def _require_kind(fields: Mapping[str, Any], kind: str) -> None:
    if fields["spec"] != SPEC or fields["proof"] != kind:
        raise IntegrityError(f"This is not a {kind} proof of {SPEC}", where="$")
