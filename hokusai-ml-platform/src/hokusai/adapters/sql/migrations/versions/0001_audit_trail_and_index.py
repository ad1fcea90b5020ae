"""The audit trail, and the index of models."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_FACTS = ("token_id", "contributor", "parent_id", "parent_name", "model_type", "sha256")
_REFUSAL = "The audit trail is append-only"
_TRIGGERS = {
    "sqlite": (
        "CREATE TRIGGER hokusai_audit_events_no_update BEFORE UPDATE ON hokusai_audit_events "
        f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END",
        "CREATE TRIGGER hokusai_audit_events_no_delete BEFORE DELETE ON hokusai_audit_events "
        f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION hokusai_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$",
        "CREATE TRIGGER hokusai_audit_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE "
        "ON hokusai_audit_events FOR EACH STATEMENT EXECUTE FUNCTION hokusai_refuse()",
    ),
}


def upgrade() -> None:
    """Forward; there is no way back."""
    op.create_table(
        "hokusai_about",
        sa.Column("key", _TEXT, primary_key=True),
        sa.Column("value", _TEXT, nullable=False),
    )
    _audit_trail()
    op.create_table(
        "hokusai_locations",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("location", _TEXT, nullable=False, unique=True),
    )
    op.create_table(
        "hokusai_index_marks",
        _location(),
        sa.Column("key", _TEXT, primary_key=True),
        sa.Column("value", _TEXT, nullable=False),
    )
    _model_versions()
    op.create_table(
        "hokusai_model_tags",
        _location(),
        sa.Column("name", _TEXT, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("digest", _TEXT, primary_key=True),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "hokusai_model_tags_digest",
        "hokusai_model_tags",
        ["location_id", "digest", "created_ms", "name", "number"],
    )


def _audit_trail() -> None:
    op.create_table(
        "hokusai_audit_events",
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        *(
            sa.Column(name, _TEXT, nullable=False)
            for name in ("kind", "subject", "actor", "details", "previous", "hash")
        ),
    )
    for name in ("kind", "subject"):
        op.create_index(f"hokusai_audit_events_{name}", "hokusai_audit_events", [name, "sequence"])
    for statement in _TRIGGERS[op.get_context().dialect.name]:
        op.execute(statement)
    head = op.create_table(
        "hokusai_audit_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("hash", _TEXT, nullable=False),
    )
    op.bulk_insert(head, [{"id": 1, "count": 0, "hash": "0" * 64}])


def _model_versions() -> None:
    op.create_table(
        "hokusai_model_versions",
        _location(),
        sa.Column("name", _TEXT, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        *(sa.Column(name, _TEXT, nullable=True) for name in ("version_key", "precedence", *_FACTS)),
        sa.Column("deprecated", sa.SmallInteger, nullable=False),
        sa.Column("deleted", sa.SmallInteger, nullable=False),
        sa.Column("row", _TEXT, nullable=False),
    )
    indexes = {
        "key": ("name", "version_key", "number"),
        "precedence": ("name", "precedence", "number", "deprecated", "deleted"),
        "newest": ("created_ms", "name", "number", "deleted"),
        "name": ("name", "created_ms", "number", "deleted"),
    }
    for name, columns in indexes.items():
        op.create_index(f"hokusai_model_versions_{name}", "hokusai_model_versions", ["location_id", *columns])
    for fact in _FACTS:
        present = sa.text(f"{fact} IS NOT NULL")
        op.create_index(
            f"hokusai_model_versions_{fact}",
            "hokusai_model_versions",
            ["location_id", fact, "created_ms", "name", "number", "deleted"],
            sqlite_where=present,
            postgresql_where=present,
        )


def _location() -> sa.Column[int]:
    return sa.Column("location_id", sa.Integer, sa.ForeignKey("hokusai_locations.id"), primary_key=True)
