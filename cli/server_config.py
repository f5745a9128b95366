"""server.toml: what a server runs, where it listens and whom it believes."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ampelwerk.models.errors import InvalidInputError

STORE = "store.sqlite3"
"""File of overrides and audit."""
Address = Annotated[str, Field(pattern=r"^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}$")]
"""Host and port."""
MOST_PORT = 65_535
"""Highest port."""


class ServerConfig(BaseModel):
    """Contents of a server.toml; relative names are taken from where the file lies."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    city: Annotated[str, Field(pattern=r"^[a-z0-9.-]{1,63}$")]
    """Trust domain of the certificates."""
    model: Path
    """model.json of the intersections."""
    certificates: Path
    """Folder with ca.pem, plan-key.pem and the server's certificate."""
    listen: Address = "127.0.0.1:50551"
    """Where controllers and control rooms dial in."""
    control: str = "rolling-horizon"
    """Kind of control."""
    tick_s: Annotated[float, Field(ge=0.1, le=10.0)] = 1.0
    """Time between two ticks of the engine. [s]"""
    metrics: Address | None = None
    """Where Prometheus may ask; nowhere if left out."""
    store: Annotated[str, Field(min_length=1)] = STORE
    """File of overrides and audit, or URL of a PostgreSQL."""
    reflection: bool = False
    """Tell clients what the interface looks like; for development."""


def read_config(path: Path) -> ServerConfig:
    """A server.toml.

    Raises
    ------
    InvalidInputError : it cannot be read, or something in it is not understood.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        config = ServerConfig.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidInputError(
            first["msg"],
            where=f"{path}: {'.'.join(map(str, first['loc']))}",
            found=repr(first["input"])[:80],
            remedy="docs/roadside-protocol.md lists the fields",
        ) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidInputError(f"cannot be read: {error}", where=str(path)) from error
    here = path.absolute().parent
    return config.model_copy(
        update={
            "model": here / config.model,
            "certificates": here / config.certificates,
            "store": config.store if "://" in config.store else str(here / config.store),
        }
    )


def host_and_port(address: str) -> tuple[str, int]:
    """The two parts of an address.

    Raises
    ------
    InvalidInputError : it is no such address.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or int(port) > MOST_PORT:
        raise InvalidInputError(
            "this is no address",
            found=address,
            limit=f"HOST:PORT, such as 127.0.0.1:50551, with a port of 1 to {MOST_PORT}",
        )
    return host.strip("[]"), int(port)
