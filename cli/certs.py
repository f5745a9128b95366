"""`ampelwerk certs`: a development certificate authority and certificates for all who need one."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from ampelwerk.controllers.certificates import (
    CA,
    Authority,
    Credentials,
    file_stem,
    holder,
    read_credentials,
    utc_now,
    write_authority,
    write_credentials,
)
from ampelwerk.controllers.identity import ROLES, Identity, Kind, parse, valid_id
from ampelwerk.controllers.site_file import read_network
from ampelwerk.models.errors import InvalidInputError

SERVER = "server"
"""Name of the server's certificate."""


def certs(
    folder: Path, *, city: str, model: Path | None, intersections: list[str], people: list[str]
) -> None:
    """Make what is missing; certificates asked for are made anew."""
    wanted = [controller(city, name) for name in intersections]
    if model is not None:
        wanted += [
            controller(city, str(site.intersection_id))
            for site in read_network(model).intersections
        ]
    wanted += [person(city, text) for text in people]
    fresh = not (folder / CA).exists()
    authority = folder_authority(folder, city)
    if fresh:
        wanted.insert(0, Identity(city=city, kind=Kind.SERVER, name=SERVER))
    for identity in wanted:
        write_credentials(folder, identity, authority.issue(identity, utc_now()))
    console = Console(stderr=True)
    made = "made" if fresh else "used"
    console.print(f"{len(wanted)} certificates in {folder}, authority {made}.", highlight=False)
    console.print("For development only: whoever can read the folder can be anybody.")


def folder_authority(folder: Path, city: str) -> Authority:
    """The authority of a folder, a new one if it has none."""
    if not valid_name_of_city(city):
        raise InvalidInputError(
            "not a valid name of a city",
            where="--city",
            found=city,
            limit="lower-case letters, digits, dots and dashes, at most 63",
        )
    if (folder / CA).exists():
        return Authority.from_folder(folder)
    return write_authority(folder, city, utc_now())


def valid_name_of_city(city: str) -> bool:
    """Whether it may stand in a certificate."""
    known = set("abcdefghijklmnopqrstuvwxyz0123456789.-")
    return 0 < len(city) <= 63 and set(city) <= known


def controller(city: str, name: str) -> Identity:
    """The controller of an intersection."""
    if not valid_id(name):
        raise InvalidInputError(
            "not a valid name of an intersection",
            found=name[:80],
            limit="1 to 256 printable characters without white space",
        )
    return Identity(city=city, kind=Kind.CONTROLLER, name=name)


def person(city: str, text: str, *, where: str = "--person") -> Identity:
    """Somebody in the control room, as ROLE:NAME."""
    role, _, name = text.partition(":")
    if role not in ROLES or not valid_id(name):
        raise InvalidInputError(
            "nobody of the control room",
            where=where,
            found=text[:80],
            limit=f"ROLE:NAME, role one of {', '.join(ROLES)}",
        )
    return Identity(city=city, kind=Kind(role), name=name)


def known_holder(folder: Path, wanted: Identity) -> Identity:
    """Somebody whose certificate lies in a folder; the city is read from it.

    Raises
    ------
    InvalidInputError : there is no such certificate.
    """
    path = folder / f"{file_stem(wanted)}.pem"
    try:
        return parse(holder(path.read_bytes()))
    except OSError as error:
        raise InvalidInputError(
            f"no certificate for the {wanted.kind} {wanted.name}",
            where=str(path),
            remedy="make it with `ampelwerk certs`",
        ) from error


def credentials_of(folder: Path, text: str) -> tuple[Identity, Credentials]:
    """Somebody of the control room, as ROLE:NAME, with the certificate of a folder."""
    identity = known_holder(folder, person("", text, where="--as"))
    return identity, read_credentials(folder, identity)
