"""What an index finds a row by, read from tags that anybody may have written.

An index must take every row that MLflow has. So nothing here raises: a fact that cannot be read is left out, and
the row is found by its others.
"""

from __future__ import annotations

from dataclasses import dataclass

from hokusai.domain.records import CONTRIBUTOR, MODEL_TYPE, PARENT, SHA256, ModelRecord
from hokusai.domain.tokens import TOKEN_TAG


@dataclass(frozen=True, slots=True)
class IndexKeys:
    """The facts of a row that it is looked up by; None where it does not have one.

    Attributes:
        version_key: The semantic version without build metadata.
        precedence: A text whose order is that of precedence, every release after every pre-release.
        contributor: In lower case, as addresses are compared.
    """

    version_key: str | None
    precedence: str | None
    token_id: str | None
    contributor: str | None
    parent_id: str | None
    parent_name: str | None
    model_type: str | None
    sha256: str | None
    deprecated: bool
    deleted: bool


def keys_of(record: ModelRecord) -> IndexKeys:
    """What `record` is found by.

    >>> keys_of(ModelRecord("churn", 3, tags={"hokusai.semver": "1.0.0", "hokusai.contributor": "0xAB"})).contributor
    '0xab'
    """
    version, tags = record.version, record.tags
    parent = tags.get(PARENT) or None
    return IndexKeys(
        version_key=version.key if version else None,
        precedence=f"{0 if version.is_prerelease else 1}{version.sortable}" if version else None,
        token_id=tags.get(TOKEN_TAG) or None,
        contributor=contributor_key(tags.get(CONTRIBUTOR)),
        parent_id=parent,
        parent_name=parent.partition("/")[0] if parent else None,
        model_type=tags.get(MODEL_TYPE) or None,
        sha256=tags.get(SHA256) or None,
        deprecated=record.deprecated is not None,
        deleted=record.deleted is not None,
    )


def contributor_key(contributor: str | None) -> str | None:
    """A contributor as it is compared: without regard to case."""
    return contributor.lower() if contributor else None
