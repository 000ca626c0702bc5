"""Alembic's entry: runs migrations on the connection that `bot.store.database` hands over."""

from __future__ import annotations

from alembic import context

from bot.store.schema import metadata

connection = context.config.attributes.get("connection")
if connection is None:
    raise RuntimeError("migrations run through bot.store.database.Database.migrate")
context.configure(connection=connection, target_metadata=metadata)
context.run_migrations()
