"""The tables of the ledger as they are now; `migrations` says how older databases come to them.

Every name begins with `hokusai_`, because the database may be shared with MLflow. Texts compare byte by byte, so that
order and equality are the same in every database and in Python.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
)

REVISIONS = ("0001", "0002")
"""Every version of the schema, oldest first; the last is the one below."""

metadata = MetaData()
_Text = Text().with_variant(Text(collation="C"), "postgresql")


def _text(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, _Text, nullable=nullable)


def _location(*, primary_key: bool = True) -> Column[int]:
    return Column("location_id", Integer, ForeignKey("hokusai_locations.id"), primary_key=primary_key)


schema_version = Table(
    "hokusai_schema_version",
    metadata,
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint(
        "version_num", name="hokusai_schema_version_pkc"
    ),  # the table is Alembic's own, renamed
)

about = Table(
    "hokusai_about",
    metadata,
    Column("key", _Text, primary_key=True),
    _text("value"),
)

audit_events = Table(
    "hokusai_audit_events",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, nullable=False),
    _text("kind"),
    _text("subject"),
    _text("actor"),
    _text("details"),
    _text("previous"),
    _text("hash"),
    Index("hokusai_audit_events_kind", "kind", "sequence"),
    Index("hokusai_audit_events_subject", "subject", "sequence"),
)

audit_head = Table(
    "hokusai_audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("count", BigInteger, nullable=False),
    _text("hash"),
)

locations = Table(
    "hokusai_locations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("location", _Text, nullable=False, unique=True),
)

marks = Table(
    "hokusai_index_marks",
    metadata,
    _location(),
    Column("key", _Text, primary_key=True),
    _text("value"),
)

versions = Table(
    "hokusai_model_versions",
    metadata,
    _location(),
    Column("name", _Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("created_ms", BigInteger, nullable=False),
    _text("version_key", nullable=True),
    _text("precedence", nullable=True),
    _text("token_id", nullable=True),
    _text("contributor", nullable=True),
    _text("parent_id", nullable=True),
    _text("parent_name", nullable=True),
    _text("model_type", nullable=True),
    _text("sha256", nullable=True),
    Column("deprecated", SmallInteger, nullable=False),
    Column("deleted", SmallInteger, nullable=False),
    _text("row"),
)

FACTS = ("token_id", "contributor", "parent_id", "parent_name", "model_type", "sha256")
_PLACE = ("created_ms", "name", "number")  # the order of a page

Index(
    "hokusai_model_versions_key", *(versions.c[n] for n in ("location_id", "name", "version_key", "number"))
)
Index(
    "hokusai_model_versions_precedence",
    *(versions.c[n] for n in ("location_id", "name", "precedence", "number", "deprecated", "deleted")),
)
# `deleted` at the end lets a page pass over deleted rows without reading them.
Index("hokusai_model_versions_newest", *(versions.c[n] for n in ("location_id", *_PLACE, "deleted")))
Index(
    "hokusai_model_versions_name",
    *(versions.c[n] for n in ("location_id", "name", "created_ms", "number", "deleted")),
)
for _fact in FACTS:
    Index(
        f"hokusai_model_versions_{_fact}",
        *(versions.c[n] for n in ("location_id", _fact, *_PLACE, "deleted")),
        sqlite_where=versions.c[_fact].is_not(None),
        postgresql_where=versions.c[_fact].is_not(None),
    )

tags = Table(
    "hokusai_model_tags",
    metadata,
    _location(),
    Column("name", _Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("digest", _Text, primary_key=True),  # of a tag and its value, which may be too long to be indexed
    Column("created_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
Index("hokusai_model_tags_digest", *(tags.c[n] for n in ("location_id", "digest", *_PLACE)))

attestations = Table(
    "hokusai_attestations",
    metadata,
    Column("number", Integer, primary_key=True),  # the order in which they were put
    Column("statement_sha256", _Text, nullable=False, unique=True),
    _text("facts"),
    _text("signatures"),
    _text("payload_type"),
    Column("payload", LargeBinary, nullable=False),  # last: who reads the others need not pass over its pages
)

attestation_keys = Table(
    "hokusai_attestation_keys",
    metadata,
    Column("kind", _Text, primary_key=True),
    Column("key", _Text, primary_key=True),
    Column("number", Integer, ForeignKey("hokusai_attestations.number"), primary_key=True),
    sqlite_with_rowid=False,
)

benchmarks = Table(
    "hokusai_benchmarks",
    metadata,
    Column("number", Integer, primary_key=True),  # the order in which they were put
    Column("sha256", _Text, nullable=False, unique=True),
    _text("name"),
    _text("record"),
    Index("hokusai_benchmarks_name", "name", "number"),
)


def _benchmark() -> Column[int]:
    return Column("benchmark", Integer, ForeignKey("hokusai_benchmarks.number"), primary_key=True)


benchmark_uses = Table(
    "hokusai_benchmark_uses",
    metadata,
    _benchmark(),
    Column("sequence", Integer, primary_key=True, autoincrement=False),  # 1, 2, … of all its uses
    _text("purpose"),
    Column("number", Integer, nullable=False),  # 1, 2, … of its uses for this purpose
    _text("subject"),
    _text("submitter"),
    _text("submitter_key"),
    UniqueConstraint("benchmark", "purpose", "number", name="hokusai_benchmark_uses_number"),
    UniqueConstraint("benchmark", "purpose", "subject", name="hokusai_benchmark_uses_subject"),
    Index("hokusai_benchmark_uses_submitter", "benchmark", "purpose", "submitter_key"),
)

ladders = Table(
    "hokusai_benchmark_ladders",
    metadata,
    _benchmark(),
    Column("version", Integer, nullable=False),
    Column("state", LargeBinary, nullable=False),
)

_REFUSAL = "The audit trail is append-only"
_TRIGGERS = {
    "sqlite": [
        f"CREATE TRIGGER hokusai_audit_events_no_{verb.lower()} BEFORE {verb} ON hokusai_audit_events "
        f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
        for verb in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        "CREATE FUNCTION hokusai_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$",
        "CREATE TRIGGER hokusai_audit_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE "
        "ON hokusai_audit_events FOR EACH STATEMENT EXECUTE FUNCTION hokusai_refuse()",
    ],
}


@event.listens_for(audit_events, "after_create")
def _refuse_changes(_table: Table, connection: Connection, **_options: object) -> None:
    for statement in _TRIGGERS[connection.dialect.name]:
        connection.exec_driver_sql(statement)
