"""Commands about timing plans. Each command's body is imported when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from ampelwerk.cli.failure import process_edge
from ampelwerk.cli.options import (
    AdditionalOption,
    DebugOption,
    ForceOption,
    JsonOption,
    MinGreenOption,
    ProfileOption,
    RoutesOption,
    ScenarioArgument,
)

plan_app = typer.Typer(
    name="plan", help="Look at timing plans, compare, take and hand them on.", no_args_is_help=True
)

PlansArgument = Annotated[Path, typer.Argument(metavar="PLANS", help="A plan file.")]
IntersectionsOption = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--intersection", "-i", help="Only this intersection; may be repeated."),
]
PlanNameOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--plan", help="Only the plan of this name."),
]


def check(
    plans: Annotated[
        Path,
        typer.Argument(
            metavar="PLANS", help="A plan file, or SUMO's programs: an additional file or a net."
        ),
    ],
    model: Annotated[
        str,
        typer.Option(
            metavar="MODEL", help="What they are for: a model.json, a .net.xml(.gz), or a scenario."
        ),
    ],
    profile: ProfileOption = "sumo",
    min_green: MinGreenOption = None,
    max_green: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option("--max-green", help="Longest green of a signal group in s; else no limit."),
    ] = None,
    max_red: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option("--max-red", help="Longest red of a signal group in s; else the profile's."),
    ] = None,
    max_cycle: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option("--max-cycle", help="Longest cycle time in s; else the profile's."),
    ] = None,
    output: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--output", "-o", help="Write certificates and findings to this JSON file."),
    ] = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Hold plans against the rules of a profile; exit with 2 if one is unsafe."""
    with process_edge(debug=debug) as edge:
        from ampelwerk.cli import check as command

        edge.code = command.check(
            plans,
            model=model,
            profile=profile,
            min_green_s=min_green,
            max_green_s=max_green,
            max_red_s=max_red,
            max_cycle_s=max_cycle,
            output=output,
            force=force,
            as_json=as_json,
        )


@plan_app.command()
def show(
    plans: PlansArgument,
    intersection: IntersectionsOption = None,
    plan: PlanNameOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Show plans: cycle times, offsets, and what is green from when on."""
    with process_edge(debug=debug):
        from ampelwerk.cli import plan as command

        command.show(plans, intersections=intersection or [], plan=plan, as_json=as_json)


@plan_app.command()
def diff(
    before: Annotated[Path, typer.Argument(metavar="A", help="A plan file.")],
    after: Annotated[Path, typer.Argument(metavar="B", help="Another one.")],
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Say what differs between two plan files."""
    with process_edge(debug=debug):
        from ampelwerk.cli import plan as command

        command.diff(before, after, as_json=as_json)


@plan_app.command("import")
def take(
    scenario: ScenarioArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="Plan file to write.")],
    route_files: RoutesOption = None,
    additional_files: AdditionalOption = None,
    profile: ProfileOption = "sumo",
    min_green: MinGreenOption = None,
    force: ForceOption = False,
    debug: DebugOption = False,
) -> None:
    """Write the programs that a scenario ships as a plan file."""
    with process_edge(debug=debug):
        from ampelwerk.cli import plan as command

        command.take(
            scenario,
            routes=route_files or [],
            additional=additional_files or [],
            profile=profile,
            min_green_s=min_green,
            output=output,
            force=force,
        )


@plan_app.command()
def export(
    plans: PlansArgument,
    scenario: ScenarioArgument,
    sumo_additional: Annotated[
        Path,
        typer.Option("--sumo-additional", help="SUMO additional file to write, with tlLogic."),
    ],
    plan: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--plan", help="Name of the plan; else the one in force at begin."),
    ] = None,
    route_files: RoutesOption = None,
    additional_files: AdditionalOption = None,
    profile: ProfileOption = "sumo",
    min_green: MinGreenOption = None,
    force: ForceOption = False,
    debug: DebugOption = False,
) -> None:
    """Write plans as SUMO's own signal programs, the same second by second."""
    with process_edge(debug=debug):
        from ampelwerk.cli import plan as command

        command.export(
            plans,
            scenario,
            routes=route_files or [],
            additional=additional_files or [],
            profile=profile,
            min_green_s=min_green,
            plan=plan,
            sumo_additional=sumo_additional,
            force=force,
        )


@plan_app.command()
def draw(
    plans: PlansArgument,
    scenario: ScenarioArgument,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Directory for the pictures, two SVG a plan.")
    ],
    intersection: IntersectionsOption = None,
    plan: PlanNameOption = None,
    route_files: RoutesOption = None,
    additional_files: AdditionalOption = None,
    profile: ProfileOption = "sumo",
    min_green: MinGreenOption = None,
    force: ForceOption = False,
    debug: DebugOption = False,
) -> None:
    """Draw signal timing plans, a bar for every signal group, with intergreens; and the stages."""
    with process_edge(debug=debug):
        from ampelwerk.cli import plan as command

        command.draw(
            plans,
            scenario,
            routes=route_files or [],
            additional=additional_files or [],
            profile=profile,
            min_green_s=min_green,
            intersections=intersection or [],
            plan=plan,
            output=output,
            force=force,
        )


@plan_app.command("schema")
def print_schema(debug: DebugOption = False) -> None:
    """Print the JSON Schema of the plan file."""
    with process_edge(debug=debug):
        from ampelwerk.cli import plan as command

        command.print_schema()
