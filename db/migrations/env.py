"""What Alembic runs: the steps, within the transaction of the connection that it was given."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
