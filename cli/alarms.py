"""`ampelwerk alarms`: what is wrong in a city, and who has seen it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ampelwerk.cli.certs import credentials_of
from ampelwerk.cli.tables import add_row, print_lines
from ampelwerk.controllers.city_view import CityView
from ampelwerk.controllers.city_words import SeenAlarm
from ampelwerk.models.errors import InvalidInputError


def listed(
    server: str, certificates: Path, person: str, intersection: str, *, with_inactive: bool
) -> list[SeenAlarm]:
    """Alarms, the newest first."""
    with view_of(server, certificates, person) as view:
        return view.alarms(intersection, with_inactive=with_inactive)


def acknowledge(
    server: str, certificates: Path, person: str, intersection: str, alarm_id: str
) -> SeenAlarm:
    """Say that one has seen an alarm; without an intersection it must be the only one of its name."""
    with view_of(server, certificates, person) as view:
        if not intersection:
            places = [a.intersection for a in view.alarms() if a.alarm_id == alarm_id]
            if len(places) != 1:
                raise InvalidInputError(
                    "there is more than one alarm of this name"
                    if places
                    else "no active alarm has this name",
                    where="--ack",
                    found=alarm_id,
                    limit=", ".join(places[:8]),
                    remedy="name the --intersection",
                )
            (intersection,) = places
        return view.acknowledge(intersection, alarm_id)


def view_of(server: str, certificates: Path, person: str) -> CityView:
    """Somebody's line to a server."""
    _, credentials = credentials_of(certificates, person)
    return CityView(server, credentials)


def show(alarms: Sequence[SeenAlarm], *, as_json: bool) -> None:
    """Print alarms: one JSON line each, or a table."""
    if as_json:
        print_lines(alarms)
        return
    if not alarms:
        print("no alarms")
        return
    table = Table(box=None, header_style="bold")
    for column in ("raised", "intersection", "alarm", "severity"):
        table.add_column(column, overflow="fold")
    for column in ("state", "seen by", "text"):
        table.add_column(column, overflow="fold")
    for one in alarms:
        add_row(
            table,
            moment(one.raised_unix_ms),
            one.intersection,
            one.alarm_id,
            one.severity,
            "active" if one.active else f"over since {moment(one.cleared_unix_ms)}",
            one.acked_by or "–",
            one.text,
            style="red" if one.active and one.severity == "major" else None,
        )
    Console().print(table)


def moment(unix_ms: int) -> str:
    """A time in UTC, with its date unless it is today."""
    at = datetime.fromtimestamp(unix_ms / 1000, UTC)
    today = datetime.now(UTC).date()
    return f"{at:%H:%M:%SZ}" if at.date() == today else f"{at:%Y-%m-%d %H:%M:%SZ}"
