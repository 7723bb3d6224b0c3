"""Alembic's entry: runs on the connection that `card_core.store.migration` opened."""

from alembic import context

from card_core.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
context.run_migrations()
