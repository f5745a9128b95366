"""Arguments of `ampelwerk override`; the bodies are in `cli.override`."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from ampelwerk.cli.command_group import CommandGroup
from ampelwerk.cli.failure import process_edge
from ampelwerk.cli.options import (
    CERTIFICATES,
    OPERATOR,
    SUPERVISOR,
    CertificatesOption,
    DebugOption,
    JsonOption,
    PersonOption,
    ServerOption,
)

app = typer.Typer(
    cls=CommandGroup,
    help="Overrides of a running server: ask for them, renew, release, approve and list them.",
    no_args_is_help=True,
)
NameArgument = Annotated[str, typer.Argument(metavar="OVERRIDE", help="Name of the override.")]
ReasonOption = Annotated[str, typer.Option(help="Why, for the audit.")]
KeyOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        help="Idempotency key, 32 hexadecimal digits: sent again with the same key, the request "
        "has no second effect."
    ),
]
ActionArgument = Annotated[
    str,
    typer.Argument(
        metavar="ACTION",
        help="stage, hold, plan, gating, green-wave, priority, all-red, flash or dark.",
    ),
]
IntersectionsOption = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--intersection", "-i", help="Where; may be repeated."),
]
LegsOption = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(
        "--leg",
        metavar="INTERSECTION=GROUP@SECONDS",
        help="Of a green wave: the vehicle's group, and when it arrives, in s from now; may be repeated.",
    ),
]
TargetOption = Annotated[
    str, typer.Option(help="Stage, plan or signal group, as the action needs.")
]
EtaOption = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option(min=0, help="When the vehicle arrives, in s from now."),
]
TtlOption = Annotated[float, typer.Option(help="How long it lasts unless renewed, in s.")]
DelayOption = Annotated[float, typer.Option("--in", min=0, help="Begin in so many s.")]
MaxGreenOption = Annotated[float, typer.Option(help="Of gating: longest green, in s.")]
SupersedeOption = Annotated[
    bool, typer.Option("--supersede", help="Take the place of one of equal precedence, if you may.")
]


@app.command()
def request(
    action: ActionArgument,
    server: ServerOption,
    reason: ReasonOption,
    intersection: IntersectionsOption = None,
    leg: LegsOption = None,
    target: TargetOption = "",
    eta: EtaOption = None,
    ttl: TtlOption = 300.0,
    delay: DelayOption = 0.0,
    max_green: MaxGreenOption = 0.0,
    supersede: SupersedeOption = False,
    key: KeyOption = None,
    certificates: CertificatesOption = CERTIFICATES,
    person: PersonOption = OPERATOR,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Ask for an override; it ends by itself."""
    with process_edge(debug=debug):
        from ampelwerk.cli import override as command

        ask = command.wanted(
            action, person=person, intersections=intersection or [], legs=leg or [], target=target,
            eta_s=eta, ttl_s=ttl, delay_s=delay, max_green_s=max_green, reason=reason,
            supersede=supersede, key=key,
        )  # fmt: skip
        command.show([command.request(server, certificates, person, ask)], as_json=as_json)


@app.command()
def preview(
    action: ActionArgument,
    server: ServerOption,
    intersection: IntersectionsOption = None,
    leg: LegsOption = None,
    target: TargetOption = "",
    eta: EtaOption = None,
    ttl: TtlOption = 300.0,
    delay: DelayOption = 0.0,
    max_green: MaxGreenOption = 0.0,
    certificates: CertificatesOption = CERTIFICATES,
    person: PersonOption = OPERATOR,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """What an override would do, by the server's model; nothing is changed."""
    with process_edge(debug=debug):
        from ampelwerk.cli import override as command

        ask = command.wanted(
            action, person=person, intersections=intersection or [], legs=leg or [], target=target,
            eta_s=eta, ttl_s=ttl, delay_s=delay, max_green_s=max_green,
            reason="a forecast", supersede=False, key=None,
        )  # fmt: skip
        command.show_forecast(command.preview(server, certificates, person, ask), as_json=as_json)


@app.command()
def renew(
    name: NameArgument,
    server: ServerOption,
    ttl: TtlOption = 300.0,
    reason: ReasonOption = "",
    key: KeyOption = None,
    certificates: CertificatesOption = CERTIFICATES,
    person: PersonOption = OPERATOR,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Let an override last so long from now."""
    with process_edge(debug=debug):
        from ampelwerk.cli import override as command

        found = command.renew(server, certificates, person, name, ttl_s=ttl, reason=reason, key=key)
        command.show([found], as_json=as_json)


@app.command()
def release(
    name: NameArgument,
    server: ServerOption,
    reason: ReasonOption = "",
    key: KeyOption = None,
    certificates: CertificatesOption = CERTIFICATES,
    person: PersonOption = OPERATOR,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """End an override now."""
    with process_edge(debug=debug):
        from ampelwerk.cli import override as command

        found = command.release(server, certificates, person, name, reason=reason, key=key)
        command.show([found], as_json=as_json)


@app.command()
def approve(
    name: NameArgument,
    server: ServerOption,
    reason: ReasonOption = "",
    key: KeyOption = None,
    certificates: CertificatesOption = CERTIFICATES,
    person: PersonOption = SUPERVISOR,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Agree as the second person."""
    with process_edge(debug=debug):
        from ampelwerk.cli import override as command

        found = command.approve(server, certificates, person, name, reason=reason, key=key)
        command.show([found], as_json=as_json)


@app.command("list")
def list_(
    server: ServerOption,
    intersection: Annotated[
        str, typer.Option("--intersection", "-i", help="Only what is about this one.")
    ] = "",
    with_ended: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
    certificates: CertificatesOption = CERTIFICATES,
    person: PersonOption = OPERATOR,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Overrides that stand, await approval or are ending."""
    with process_edge(debug=debug):
        from ampelwerk.cli import override as command

        found = command.listed(
            server, certificates, person, intersection=intersection, with_ended=with_ended
        )
        command.show(found, as_json=as_json)
