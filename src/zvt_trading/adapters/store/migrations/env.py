"""What Alembic runs: the steps between the database's revision and the wanted one."""

from alembic import context

from zvt_trading.adapters.store.schema import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
