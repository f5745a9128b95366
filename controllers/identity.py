"""Who is at the other end: read from the certificate alone, never from a message.

A certificate names its holder in one URI: ``spiffe://<city>/<kind>/<id>``. Controllers bear the
kind `controller` and the name of their intersection; people and programs of the control room bear
their role; the server bears the kind `server`. Characters that a URI does not allow are written as
``%XX`` (RFC 3986).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, unquote

from ampelwerk.models.errors import InvalidInputError

LONGEST_ID = 256
"""SUMO joins names of junctions; the longest seen has 211 characters."""


class Kind(StrEnum):
    """Kinds of holder."""

    CONTROLLER = "controller"
    SERVER = "server"
    VIEWER = "viewer"
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    ENGINEER = "engineer"


ROLES = (Kind.VIEWER, Kind.OPERATOR, Kind.SUPERVISOR, Kind.ENGINEER)
"""Roles of the control room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Holder of a certificate."""

    city: str
    """Trust domain: lower-case letters, digits, dots, dashes."""
    kind: Kind
    """What it is."""
    name: str
    """Intersection of a controller, else a person or a program."""

    @property
    def uri(self) -> str:
        """The name in its certificate."""
        return f"spiffe://{self.city}/{self.kind}/{quote(self.name, safe='')}"


def valid_id(text: str) -> bool:
    """Whether a name may travel: 1 to 256 printable characters without white space."""
    return 0 < len(text) <= LONGEST_ID and text.isprintable() and not any(map(str.isspace, text))


def parse(uri: str) -> Identity:
    """Holder named by a URI.

    Raises
    ------
    InvalidInputError : it names none of ours.
    """
    scheme, _, rest = uri.partition("://")
    parts = rest.split("/")
    if (
        scheme != "spiffe"
        or len(parts) != 3
        or not parts[0]
        or parts[1] not in set(Kind)
        or not valid_id(unquote(parts[2]))
    ):
        raise InvalidInputError(
            "the certificate names nobody known here",
            found=uri[:200],
            limit=f"spiffe://<city>/<kind>/<name>, kind one of {', '.join(Kind)}",
        )
    return Identity(city=parts[0], kind=Kind(parts[1]), name=unquote(parts[2]))
