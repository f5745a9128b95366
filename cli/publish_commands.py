"""Arguments of `ampelwerk plan publish|list|rollback`; the bodies are in `cli.publish`."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from ampelwerk.cli.failure import process_edge
from ampelwerk.cli.options import (
    CERTIFICATES,
    SUPERVISOR,
    CertificatesOption,
    DebugOption,
    JsonOption,
    PersonOption,
    ServerOption,
)
from ampelwerk.cli.plan_commands import PlansArgument, plan_app

__all__ = ["plan_app"]
WaitOption = Annotated[
    float,
    typer.Option(
        "--wait", min=0, help="Look so long for what becomes of it, in s; 0 for one look."
    ),
]
WhyOption = Annotated[str, typer.Option("--reason", help="Why, for the audit: 8 to 500 letters.")]


@plan_app.command()
def publish(
    plans: PlansArgument,
    server: ServerOption,
    reason: WhyOption = "",
    intersection: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--intersection", "-i", help="For this intersection; may be repeated."),
    ] = None,
    everywhere: Annotated[
        bool, typer.Option("--all", help="For all intersections of the file.")
    ] = False,
    together: Annotated[
        bool,
        typer.Option(
            "--together",
            help="All take over at one moment or none does; every controller is there.",
        ),
    ] = False,
    activation: Annotated[
        str,
        typer.Option(
            metavar="WHEN",
            help="cycle-start, next-stage, +SECONDS, or a time such as 2030-05-01T04:00+02:00.",
        ),
    ] = "cycle-start",
    plan: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--plan", help="This plan alone; else the calendar, without one the first."),
    ] = None,
    timezone: Annotated[
        str, typer.Option(help="Of the calendar's times, such as Europe/Berlin.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Let the server check them; nothing is published.")
    ] = False,
    wait: WaitOption = 15.0,
    certificates: CertificatesOption = CERTIFICATES,
    person: PersonOption = SUPERVISOR,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Publish plans to the controllers of a running server; exit with 2 if one is unsafe."""
    with process_edge(debug=debug) as edge:
        from ampelwerk.cli import publish as command

        edge.code = command.publish(
            plans,
            server=server,
            certificates=certificates,
            person=person,
            intersections=intersection or [],
            everywhere=everywhere,
            plan=plan,
            timezone=timezone,
            activation=activation,
            together=together,
            dry_run=dry_run,
            reason=reason,
            wait_s=wait,
            as_json=as_json,
        )


@plan_app.command("list")
def list_(
    server: ServerOption,
    intersection: Annotated[
        str, typer.Option("--intersection", "-i", help="Only of this one.")
    ] = "",
    everything: Annotated[
        bool, typer.Option("--all", help="Versions that stand no more, too.")
    ] = False,
    certificates: CertificatesOption = CERTIFICATES,
    person: PersonOption = SUPERVISOR,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Published plans of a running server: what stands, and the newest of each intersection."""
    with process_edge(debug=debug):
        from ampelwerk.cli import publish as command

        command.listed(
            server=server,
            certificates=certificates,
            person=person,
            intersection=intersection,
            everything=everything,
            as_json=as_json,
        )


@plan_app.command()
def rollback(
    intersection: Annotated[
        str, typer.Argument(metavar="INTERSECTION", help="Name of the intersection.")
    ],
    version: Annotated[int, typer.Argument(metavar="VERSION", help="Whose content comes back.")],
    server: ServerOption,
    reason: WhyOption,
    wait: WaitOption = 15.0,
    certificates: CertificatesOption = CERTIFICATES,
    person: PersonOption = SUPERVISOR,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Publish an old version again under a new number."""
    with process_edge(debug=debug) as edge:
        from ampelwerk.cli import publish as command

        edge.code = command.rollback(
            intersection,
            version,
            server=server,
            certificates=certificates,
            person=person,
            reason=reason,
            wait_s=wait,
            as_json=as_json,
        )
