"""Attestations, and benchmarks with their uses."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Forward; there is no way back."""
    op.create_table(
        "hokusai_attestations",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("statement_sha256", _TEXT, nullable=False, unique=True),
        *(sa.Column(name, _TEXT, nullable=False) for name in ("facts", "signatures", "payload_type")),
        sa.Column("payload", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "hokusai_attestation_keys",
        sa.Column("kind", _TEXT, primary_key=True),
        sa.Column("key", _TEXT, primary_key=True),
        sa.Column("number", sa.Integer, sa.ForeignKey("hokusai_attestations.number"), primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "hokusai_benchmarks",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("sha256", _TEXT, nullable=False, unique=True),
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("record", _TEXT, nullable=False),
    )
    op.create_index("hokusai_benchmarks_name", "hokusai_benchmarks", ["name", "number"])
    op.create_table(
        "hokusai_benchmark_uses",
        _benchmark(),
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("purpose", _TEXT, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        *(sa.Column(name, _TEXT, nullable=False) for name in ("subject", "submitter", "submitter_key")),
        sa.UniqueConstraint("benchmark", "purpose", "number", name="hokusai_benchmark_uses_number"),
        sa.UniqueConstraint("benchmark", "purpose", "subject", name="hokusai_benchmark_uses_subject"),
    )
    op.create_index(
        "hokusai_benchmark_uses_submitter",
        "hokusai_benchmark_uses",
        ["benchmark", "purpose", "submitter_key"],
    )
    op.create_table(
        "hokusai_benchmark_ladders",
        _benchmark(),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.LargeBinary, nullable=False),
    )


def _benchmark() -> sa.Column[int]:
    return sa.Column("benchmark", sa.Integer, sa.ForeignKey("hokusai_benchmarks.number"), primary_key=True)
