"""Commands about timing plans. Each command's body is imported when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from ampelwerk.cli.command_group import CommandGroup
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
    cls=CommandGroup,
    name="plan",
    help="Look at timing plans, compare, take, hand on and publish them.",
    no_args_is_help=True,
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


def optimize(
    scenario: Annotated[
        str,
        typer.Argument(
            metavar="SCENARIO|MODEL",
            help="A scenario as for `simulate`, or a model.json (then --counts is needed).",
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Plan file to write.")],
    counts: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Option(
            help="What was counted: directories of recorded runs, E1 output or CSV; may be repeated. "
            "Without it the scenario's own program is simulated and counted."
        ),
    ] = None,
    interval: Annotated[
        str, typer.Option(help="Length of a counting interval, such as 15min, 300s or 1h.")
    ] = "15min",
    count_seeds: Annotated[
        str, typer.Option(help="Seeds of the runs that are counted where no counts are given.")
    ] = "101:104",
    corridor: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="Intersections along a road, such as A,B,C, for a green band."),
    ] = None,
    max_plans: Annotated[
        int, typer.Option(help="Most plans over the day; the calendar switches between them.")
    ] = 1,
    time_limit: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(
            "--time-limit", help="Time for the search in s; what is found by then is taken."
        ),
    ] = None,
    sumo_additional: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Write the plans as SUMO's own programs, too."),
    ] = None,
    route_files: RoutesOption = None,
    additional_files: AdditionalOption = None,
    profile: ProfileOption = "sumo",
    min_green: MinGreenOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Compute timing plans from counts: stages, cycle times, green splits and offsets."""
    with process_edge(debug=debug):
        from ampelwerk.cli import optimize as command

        command.optimize(
            scenario,
            routes=route_files or [],
            additional=additional_files or [],
            counts=counts or [],
            interval=interval,
            count_seeds=count_seeds,
            corridors=corridor or [],
            max_plans=max_plans,
            time_limit_s=time_limit,
            profile=profile,
            min_green_s=min_green,
            output=output,
            sumo_additional=sumo_additional,
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
