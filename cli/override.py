"""`ampelwerk override`: what an operator asks a running server for."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ampelwerk.cli.certs import credentials_of
from ampelwerk.cli.certs import person as known_person
from ampelwerk.cli.tables import add_row, print_lines
from ampelwerk.controllers.control_room import ControlRoomClient, Forecast, SeenOverride
from ampelwerk.controllers.override_convert import KEY_BYTES
from ampelwerk.models.envelope import IntersectionId
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.override import (
    WITH_ETA,
    OverrideAction,
    OverrideLeg,
    OverrideRequest,
    Role,
)


def wanted(
    action: str,
    *,
    person: str,
    intersections: Sequence[str],
    legs: Sequence[str],
    target: str,
    eta_s: float | None,
    ttl_s: float,
    delay_s: float,
    max_green_s: float,
    reason: str,
    supersede: bool,
    key: str | None,
) -> OverrideRequest:
    """The request of a command line; times count from now."""
    if action not in set(OverrideAction):
        raise InvalidInputError(
            "there is no such action", where="ACTION", found=action, limit=", ".join(OverrideAction)
        )
    who = known_person("", person, where="--as")
    now_ms = time.time_ns() // 1_000_000
    places = [
        OverrideLeg(
            intersection_id=IntersectionId(place),
            target=target,
            eta_unix_ms=now_ms + round(eta_s * 1000) if eta_s is not None else 0,
        )
        for place in intersections
    ]
    if eta_s is None and places and OverrideAction(action) in WITH_ETA:
        raise InvalidInputError(
            "it is not said when the vehicle arrives", where="--eta", limit="s from now"
        )
    return OverrideRequest(
        key=_key(key).hex(),
        action=OverrideAction(action),
        legs=(*places, *(_leg(text, now_ms) for text in legs)),
        requester=who.name,
        role=Role(who.kind),
        reason=reason,
        ttl_ms=round(ttl_s * 1000),
        not_before_unix_ms=now_ms + round(delay_s * 1000) if delay_s else 0,
        max_green_ms=round(max_green_s * 1000),
        supersede=supersede,
    )


def request(server: str, certificates: Path, person: str, ask: OverrideRequest) -> SeenOverride:
    """Ask for an override."""
    with _line(server, certificates, person) as line:
        return line.request(ask)


def preview(server: str, certificates: Path, person: str, ask: OverrideRequest) -> Forecast:
    """What an override would do."""
    with _line(server, certificates, person) as line:
        return line.preview(ask)


def renew(
    server: str, certificates: Path, person: str, name: str, *, ttl_s: float, reason: str,
    key: str | None,
) -> SeenOverride:  # fmt: skip
    """Let an override last so long from now."""
    with _line(server, certificates, person) as line:
        return line.renew(name, round(ttl_s * 1000), key=_key(key), reason=reason)


def release(
    server: str, certificates: Path, person: str, name: str, *, reason: str, key: str | None
) -> SeenOverride:
    """End an override."""
    with _line(server, certificates, person) as line:
        return line.release(name, key=_key(key), reason=reason)


def approve(
    server: str, certificates: Path, person: str, name: str, *, reason: str, key: str | None
) -> SeenOverride:
    """Agree as the second person."""
    with _line(server, certificates, person) as line:
        return line.approve(name, key=_key(key), reason=reason)


def listed(
    server: str, certificates: Path, person: str, *, intersection: str, with_ended: bool
) -> list[SeenOverride]:
    """Overrides that stand, and those that are over if asked."""
    with _line(server, certificates, person) as line:
        return line.overrides(intersection, with_ended=with_ended)


def show(overrides: Sequence[SeenOverride], *, as_json: bool) -> None:
    """Print overrides: one JSON line each, or a table."""
    if as_json:
        print_lines(overrides)
        return
    if not overrides:
        print("no overrides")
        return
    table = Table(box=None, header_style="bold")
    for column in ("override", "state", "until", "action"):
        table.add_column(column, no_wrap=True)
    table.add_column("where, by whom and why", overflow="fold")
    for one in overrides:
        until = datetime.fromtimestamp(one.expiry_unix_ms / 1000, UTC)
        places = (
            " ".join(map(str, (f"{place}: {state}", one.greens.get(place, "")))).strip()
            for place, state in one.where.items()
        )
        add_row(
            table,
            one.override_id,
            f"{one.state}\n({one.cause})" if one.cause else one.state,
            f"{until:%H:%M:%S}Z",
            one.action,
            "\n".join((*places, f"{one.holder} ({one.role})", one.reason)).strip(),
        )
    Console().print(table)


def show_forecast(found: Forecast, *, as_json: bool) -> None:
    """Print a forecast."""
    if as_json:
        print_lines([found])
        return
    if found.approaches:
        table = Table(box=None, header_style="bold")
        table.add_column("intersection", overflow="fold")
        table.add_column("approach", overflow="fold")
        table.add_column("delay [veh s]", justify="right")
        table.add_column("longest red [s]", justify="right")
        for one in found.approaches:
            change, red = f"{one.delay_change_veh_s:+.0f}", f"{one.longest_red_s:.0f}"
            add_row(table, one.intersection, one.approach, change, red)
        Console(markup=False).print(table)  # units stand in brackets
        total = sum(one.delay_change_veh_s for one in found.approaches)
        print(f"{total:+.0f} veh s in {found.horizon_s:.0f} s")
    for note in found.notes:
        print(note)
    for other in found.holders:
        print(f"stands there: {other.override_id}, {other.action} of {other.holder} ({other.role})")


def _line(server: str, certificates: Path, person: str) -> ControlRoomClient:
    _, credentials = credentials_of(certificates, person)
    return ControlRoomClient(server, credentials)


def _leg(text: str, now_ms: int) -> OverrideLeg:
    """INTERSECTION=GROUP@SECONDS; names may contain either sign."""
    head, at, seconds = text.rpartition("@")
    place, equals, group = head.rpartition("=")
    try:
        if not (at and equals and place and group):
            raise ValueError
        eta_s = float(seconds)
    except ValueError as error:
        raise InvalidInputError(
            "this is no leg of a route",
            where="--leg",
            found=text,
            limit="INTERSECTION=GROUP@SECONDS, such as J7=K1@45",
        ) from error
    if not 0.0 <= eta_s <= 86_400.0:
        raise InvalidInputError("no such time", where="--leg", found=text, limit="0 to 86400 s")
    return OverrideLeg(
        intersection_id=IntersectionId(place),
        target=group,
        eta_unix_ms=now_ms + round(eta_s * 1000),
    )


def _key(text: str | None) -> bytes:
    """Idempotency key: the one given, so that a request may be sent again, or a fresh one."""
    if text is None:
        return secrets.token_bytes(KEY_BYTES)
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise InvalidInputError(
            "this is no idempotency key",
            where="--key",
            found=text,
            limit=f"{2 * KEY_BYTES} hexadecimal digits",
        )
    return key
