"""Attestations on a database: the signed bytes in one table, what they are found by in another."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select, update

from hokusai.adapters.shelf_events import stored
from hokusai.adapters.sql import bulk
from hokusai.adapters.sql.engine import Database
from hokusai.adapters.sql.tables import attestation_keys, attestations
from hokusai.adapters.sql.trail import append
from hokusai.domain.audit import checked_happening
from hokusai.domain.canonical import canonical_json, require_sha256
from hokusai.domain.contribution import Contributor
from hokusai.domain.identifiers import WalletAddress
from hokusai.domain.stored_attestation import (
    AttestationFacts,
    StatementSignature,
    StoredAttestation,
    search_keys,
)
from hokusai.errors import NotFoundError


class SqlAttestationShelf:
    """An `AttestationShelf` on SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __repr__(self) -> str:
        return f"SqlAttestationShelf({self._database.location!r})"

    def put(self, attestation: StoredAttestation, *, actor: str = "") -> StoredAttestation:
        """Keep an attestation, or the signatures that it brings to the copy that is kept."""

        def work(connection: Connection) -> StoredAttestation:
            number = _insert(connection, attestation)
            if number is not None:
                merged = attestation
                rows = [{"kind": kind, "key": key, "number": number} for kind, key in merged.facts.found_by()]
                if rows:
                    bulk.upsert(connection, attestation_keys, ("kind", "key", "number"), rows)
            else:
                known = {"sha256": attestation.statement_sha256}
                row: Any = connection.execute(_KEPT.with_for_update(), known).one()
                kept = _attestation(row, attestation.payload)
                merged = kept.with_signatures_of(attestation)
                if merged == kept:
                    return kept
                changed = update(attestations).where(attestations.c.number == row.number)
                connection.execute(changed.values(_columns(merged)))
            append(connection, [checked_happening(stored(merged.facts, actor))])
            return merged

        return self._database.write(work)

    def get(self, statement_sha256: str) -> StoredAttestation:
        """The attestation of the statement with this digest."""
        found = self._database.row(_WHOLE, {"sha256": require_sha256(statement_sha256, "attestation")})
        if found is None:
            raise NotFoundError("There is no attestation of this statement", where=statement_sha256)
        return _attestation(found, bytes(found.payload))

    def find(
        self,
        *,
        model_sha256: str | None = None,
        contributor: str | None = None,
        benchmark_sha256: str | None = None,
        subject_sha256: str | None = None,
        limit: int = 100,
        after: str | None = None,
    ) -> list[AttestationFacts]:
        """What is known of attestations to which all that is given applies, the latest put first."""
        asked = search_keys(
            model_sha256=model_sha256,
            contributor=contributor,
            benchmark_sha256=benchmark_sha256,
            subject_sha256=subject_sha256,
        )
        parameters: dict[str, Any] = {f"{kind}_key": key for kind, key in asked.items()}
        if after is not None:
            last = self._database.row(_KEPT, {"sha256": require_sha256(after, "after")})
            if last is None:
                raise NotFoundError("There is no attestation of this statement", where=after)
            parameters["below"] = last.number
        statement = _page(tuple(asked), is_next=after is not None).limit(limit)
        return [_facts(row) for row in self._database.rows(statement, parameters)]


_FACTS = (attestations.c.number, attestations.c.facts, attestations.c.signatures, attestations.c.payload_type)
_KEPT = select(*_FACTS).where(attestations.c.statement_sha256 == bindparam("sha256"))
_WHOLE = select(*_FACTS, attestations.c.payload).where(attestations.c.statement_sha256 == bindparam("sha256"))


def _page(kinds: tuple[str, ...], *, is_next: bool) -> Select[Any]:
    """The newest first; where keys are asked for, in the order of the first one's index."""
    statement, order = select(*_FACTS), attestations.c.number
    for position, kind in enumerate(kinds):
        keys = attestation_keys.alias(kind)
        statement = statement.join(keys, keys.c.number == attestations.c.number)
        statement = statement.where(keys.c.kind == kind, keys.c.key == bindparam(f"{kind}_key"))
        order = order if position else keys.c.number
    if is_next:
        statement = statement.where(order < bindparam("below"))
    return statement.order_by(order.desc())


def _insert(connection: Connection, attestation: StoredAttestation) -> int | None:
    """The number of a new row; None where the statement is there already, by whoever was first."""
    values = {
        "statement_sha256": attestation.statement_sha256,
        "payload_type": attestation.payload_type,
        "payload": attestation.payload,
        **_columns(attestation),
    }
    number: int | None = connection.execute(
        bulk.insert(connection, attestations)
        .values(values)
        .on_conflict_do_nothing(index_elements=["statement_sha256"])
        .returning(attestations.c.number)
    ).scalar_one_or_none()
    return number


def _columns(attestation: StoredAttestation) -> dict[str, str]:
    """What may change when it is put again: what it is found by, and its signatures."""
    facts = attestation.facts
    told = {
        name: getattr(facts, name)
        for name in AttestationFacts.__dataclass_fields__
        if name not in ("contributors", "signed_by")
    }
    people = [
        {"id": one.contributor_id, "wallet": str(one.wallet) if one.wallet else None}
        for one in facts.contributors
    ]
    signatures = [
        {"keyid": one.keyid, "sig": base64.b64encode(one.sig).decode()} for one in attestation.signatures
    ]
    return {
        "facts": canonical_json({**told, "contributors": people}).decode(),
        "signatures": canonical_json(signatures).decode(),
    }


def _attestation(row: Any, payload: bytes) -> StoredAttestation:
    signatures = tuple(_signature(one) for one in json.loads(row.signatures))
    return StoredAttestation(payload, row.payload_type, signatures, _facts(row))


def _facts(row: Any) -> AttestationFacts:
    told = json.loads(row.facts)
    told["subjects"] = tuple((name, sha256) for name, sha256 in told["subjects"])
    told["contributors"] = tuple(_contributor(one) for one in told["contributors"])
    return AttestationFacts(**told, signed_by=tuple(one["keyid"] for one in json.loads(row.signatures)))


def _contributor(told: Mapping[str, Any]) -> Contributor:
    return Contributor(told["id"], WalletAddress.parse(told["wallet"]) if told["wallet"] else None)


def _signature(told: Mapping[str, str]) -> StatementSignature:
    return StatementSignature(told["keyid"], base64.b64decode(told["sig"]))
