"""Alembic's way from one layout of the store to the next."""
