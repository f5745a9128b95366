"""Commands that look at a city and say why: of a running server, or of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from ampelwerk.cli.failure import process_edge
from ampelwerk.cli.options import (
    CERTIFICATES,
    OPERATOR,
    VIEWER,
    CertificatesOption,
    DebugOption,
    JsonOption,
    PersonOption,
    ServerOption,
    server_address,
)

room = typer.Typer()
"""Part of `cli.main`'s commands."""


@room.command()
def watch(
    server: ServerOption,
    intersection: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--intersection", "-i", help="Only this one; may be repeated."),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Print what stands, and end.")] = False,
    certificates: CertificatesOption = CERTIFICATES,
    person: PersonOption = VIEWER,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Show intersections, overrides and alarms as they stand and as they change, until Ctrl-C."""
    with process_edge(debug=debug):
        from ampelwerk.cli import watch as command

        command.watch(server, certificates, person, intersection or [], once=once, as_json=as_json)


@room.command()
def alarms(
    server: ServerOption,
    intersection: Annotated[
        str, typer.Option("--intersection", "-i", help="Only those of this one.")
    ] = "",
    with_inactive: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
    ack: Annotated[
        str, typer.Option("--ack", metavar="ALARM", help="Say that you have seen this alarm.")
    ] = "",
    certificates: CertificatesOption = CERTIFICATES,
    person: PersonOption = OPERATOR,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """List alarms, the newest first, or acknowledge one."""
    with process_edge(debug=debug):
        from ampelwerk.cli import alarms as command

        if ack:
            found = [command.acknowledge(server, certificates, person, intersection, ack)]
        else:
            found = command.listed(
                server, certificates, person, intersection, with_inactive=with_inactive
            )
        command.show(found, as_json=as_json)


@room.command()
def explain(
    intersection: Annotated[
        str, typer.Option("--intersection", "-i", help="Name of the signal; see `model`.")
    ],
    directory: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Argument(metavar="[DIR]", help="One run, made by `simulate` or `replay`."),
    ] = None,
    at: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--at",
            "-t",
            help="Time of the simulation, in s or as hours:minutes:seconds; with --live Unix "
            "seconds or a time of today in UTC, now if left out.",
        ),
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Of a running server instead of a run.")
    ] = False,
    server: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--server", help="With --live: host and port of the server.", callback=server_address
        ),
    ] = None,
    certificates: CertificatesOption = CERTIFICATES,
    person: PersonOption = VIEWER,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Say in plain words what was decided at an intersection at or last before a time, and why."""
    with process_edge(debug=debug):
        from ampelwerk.cli import explain as command

        if live or server:
            from ampelwerk.cli import explain_live

            command.require_no_run(directory, live=live, server=server)
            explain_live.explain(
                str(server), certificates, person, intersection=intersection, at=at, as_json=as_json
            )
        else:
            command.explain(directory, intersection=intersection, at=at, as_json=as_json)
