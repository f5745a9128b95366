"""The database behind the store: SQLite in a file, or PostgreSQL by URL, brought to its layout.

A commit is on disk when it returns: SQLite runs in write-ahead mode with full synchronisation,
PostgreSQL with synchronous commit. Every transaction that writes takes the write lock at its begin,
so that it never fails half way because another one wrote first. SQLite needs a local disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from ampelwerk.models.errors import InvalidInputError, MissingDependencyError, StoreError

READ_ONLY = "ampelwerk_read_only"
"""Execution option of connections that do not write."""
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "busy_timeout=5000",
    "wal_autocheckpoint=1000",
    "journal_size_limit=67108864",
    "trusted_schema=OFF",
)
"""Settings of every SQLite connection."""
_MIGRATIONS = Path(__file__).with_name("migrations")
_MIGRATION_LOCK = 7_249_305_118
"""Any number, the same in all servers: PostgreSQL lets one of them migrate at a time."""


def connect(place: str) -> sa.Engine:
    """An engine for a file's path or a database's URL; nothing is opened yet.

    Raises
    ------
    InvalidInputError : no such kind of database.
    MissingDependencyError : the driver for PostgreSQL is not installed.
    """
    text = place if "://" in place else f"sqlite:///{place}"
    try:
        url = sa.make_url(text)
        if url.drivername in ("postgresql", "postgres"):
            url = url.set(drivername="postgresql+psycopg")
        if url.get_backend_name() not in ("sqlite", "postgresql"):
            raise ArgumentError(f"{url.get_backend_name()} is not supported")
        engine = sa.create_engine(url)
    except (ArgumentError, NoSuchModuleError) as error:
        raise InvalidInputError(
            "this is no store",
            where="--store",
            found=str(error),
            limit="a file, or postgresql://user@host/database",
        ) from error
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            str(error.name), remedy='pip install "ampelwerk[postgres]"'
        ) from error
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    else:
        sa.event.listen(engine, "connect", _prepare_postgresql)
    return engine


def upgrade(engine: sa.Engine) -> None:
    """Bring the database to the newest layout, in one transaction.

    Raises
    ------
    StoreError : it was written by a newer version, or cannot be reached.
    """
    config = _config()
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
        if _steps_behind(engine, connection):
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def require_newest(engine: sa.Engine) -> None:
    """Make sure that the database has the newest layout; nothing is written.

    Raises
    ------
    StoreError : it has not, or cannot be reached.
    """
    with reading(engine) as connection:
        if _steps_behind(engine, connection):
            raise StoreError(
                "this is no store, or one that an older version wrote",
                where=describe(engine),
                remedy="check the place; a server brings its store up to date when it starts",
            )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config


def _steps_behind(engine: sa.Engine, connection: sa.Connection) -> bool:
    """Whether the layout is not the newest.

    Raises
    ------
    StoreError : it is newer than this version knows.
    """
    script = ScriptDirectory.from_config(_config())
    here = MigrationContext.configure(connection).get_current_revision()
    known = {step.revision for step in script.walk_revisions()}
    if here is not None and here not in known:
        raise StoreError(
            "the store was written by a newer version of Ampelwerk",
            where=describe(engine),
            found=f"layout {here}",
            limit=f"layout {script.get_current_head()}",
            remedy="use that version; nothing was changed",
        )
    return here != script.get_current_head()


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that may write: all of it is on disk afterwards, or nothing."""
    with _failures(engine), engine.begin() as connection:
        yield connection


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that sees one state and writes nothing."""
    with _failures(engine), engine.connect() as plain:
        connection = plain.execution_options(**{READ_ONLY: True})
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        with connection.begin():
            yield connection


def describe(engine: sa.Engine) -> str:
    """The database by name, without a password."""
    return engine.url.render_as_string(hide_password=True)


@contextmanager
def _failures(engine: sa.Engine) -> Iterator[None]:
    """What a database says, as an error with a remedy; its parameters stay out of the text."""
    try:
        yield
    except DBAPIError as error:
        text = str(error.orig).strip().splitlines()
        said = text[0] if text else type(error.orig).__name__
        full = "full" in said.lower() or getattr(error.orig, "sqlstate", "") == "53100"
        raise StoreError(
            "the disk of the store is full" if full else "the store does not answer as it must",
            where=describe(engine),
            found=said,
            remedy="make room; nothing was changed"
            if full
            else "check the place and that nothing else holds it; nothing was changed",
            full=full,
        ) from error


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # transactions are begun below, DDL included
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    reads = connection.get_execution_options().get(READ_ONLY)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _prepare_postgresql(connection: Any, _: Any) -> None:
    connection.execute("SET synchronous_commit = on")
    connection.commit()
