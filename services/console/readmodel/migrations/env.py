"""How do the migrations reach the database? They use the connection that `database.upgrade` was given."""

from alembic import context

from services.console.readmodel.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
