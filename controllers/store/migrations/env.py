"""Runs the steps on the connection that `database.upgrade` hands in, all in its one transaction."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
