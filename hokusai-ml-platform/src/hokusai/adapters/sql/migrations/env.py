"""Alembic's entry: runs the migrations on the connection, and in the transaction, that `schema.migrate` opened."""

from alembic import context

from hokusai.adapters.sql.tables import metadata, schema_version

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=schema_version.name,
    render_as_batch=True,
    transactional_ddl=False,  # the transaction is ours: it begins before the version is read
)
context.run_migrations()
