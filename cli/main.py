"""`ampelwerk`: the command line. Each command's body is imported when it runs."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Optional

import typer

from ampelwerk.cli.audit_commands import app as audit_app
from ampelwerk.cli.command_group import CommandGroup
from ampelwerk.cli.envelope_commands import app as envelope_app
from ampelwerk.cli.failure import process_edge
from ampelwerk.cli.inputs import profile_of
from ampelwerk.cli.live_commands import live
from ampelwerk.cli.options import (
    AdditionalOption,
    AllRedOption,
    AmberOption,
    DebugOption,
    ForceOption,
    JsonOption,
    MinGreenOption,
    OutputOption,
    ProfileOption,
    RoutesOption,
    ScenarioArgument,
    WithoutLoopsOption,
)
from ampelwerk.cli.override_commands import app as override_app
from ampelwerk.cli.plan_commands import check, optimize
from ampelwerk.cli.publish_commands import plan_app
from ampelwerk.cli.room_commands import room
from ampelwerk.cli.run_commands import runs

app = typer.Typer(
    cls=CommandGroup,
    name="ampelwerk",
    help="Adaptive traffic signal control from inductive loops, tried out in SUMO.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    add_completion=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(version("ampelwerk"))
        raise typer.Exit


@app.callback()
def options(
    _version_: Annotated[
        bool,
        typer.Option(
            "--version", "-V", callback=_version, is_eager=True, help="Print the version and stop."
        ),
    ] = False,
) -> None:
    """Adaptive traffic signal control from inductive loops, tried out in SUMO."""


@app.command()
def doctor(as_json: JsonOption = False, debug: DebugOption = False) -> None:
    """Show versions, cores and SUMO; say what is missing and how to get it."""
    with process_edge(debug=debug) as edge:
        from ampelwerk.cli import doctor as command

        edge.code = command.doctor(as_json=as_json)


@app.command()
def scenarios(as_json: JsonOption = False, debug: DebugOption = False) -> None:
    """List the scenario names that can be run here."""
    with process_edge(debug=debug):
        from ampelwerk.cli import scenarios as command

        command.scenarios(as_json=as_json)


@app.command()
def model(
    scenario: ScenarioArgument,
    route_files: RoutesOption = None,
    additional_files: AdditionalOption = None,
    profile: ProfileOption = "sumo",
    min_green: MinGreenOption = None,
    amber: AmberOption = None,
    all_red: AllRedOption = None,
    without_loops: WithoutLoopsOption = None,
    output: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--output", "-o", help="Write the whole model to this JSON file."),
    ] = None,
    explain_intergreen: Annotated[
        Optional[tuple[str, str]],  # noqa: UP045
        typer.Option(
            "--explain-intergreen",
            metavar="A B",
            help="Show how the intergreen from signal group A to B was found, and nothing else.",
        ),
    ] = None,
    intersection: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--intersection", "-i", help="Show this one alone; or where A and B are."),
    ] = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Show the imported intersections: groups, conflicts, stages, loops and warnings."""
    with process_edge(debug=debug):
        from ampelwerk.cli import model as command

        command.model(
            scenario,
            routes=route_files or [],
            additional=additional_files or [],
            profile=profile_of(profile, min_green_s=min_green, amber_s=amber, all_red_s=all_red),
            without_loops=tuple(without_loops or ()),
            output=output,
            force=force,
            as_json=as_json,
            intersection=intersection,
            explained=explain_intergreen,
        )


@app.command()
def report(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Results of `simulate` or `compare`.")
    ],
    route: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="Edges of the time-space diagram, separated by spaces; else chosen."),
    ] = None,
    force: ForceOption = False,
    debug: DebugOption = False,
) -> None:
    """Write DIR/report.html: one self-contained page with tables and diagrams."""
    with process_edge(debug=debug):
        from ampelwerk.cli import report as command

        command.report(directory, route=route.split() if route else None, force=force)


@app.command()
def replay(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="A run made by `simulate --record`.")
    ],
    control: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            help="What another kind of control would have decided; else the recorded one."
        ),
    ] = None,
    output: OutputOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Make the decisions of a recorded run again, from its loops alone and without SUMO."""
    with process_edge(debug=debug) as edge:
        from ampelwerk.cli import replay as command

        edge.code = command.replay(
            directory, control=control, output=output, force=force, as_json=as_json
        )


app.add_typer(runs)
app.command()(check)
app.command()(optimize)
app.add_typer(plan_app)
app.add_typer(audit_app, name="audit")
app.add_typer(override_app, name="override")
app.add_typer(envelope_app, name="envelope")
app.add_typer(live)
app.add_typer(room)


def main() -> None:
    """Entry point of the console script."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
