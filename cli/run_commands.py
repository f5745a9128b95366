"""`simulate`, `compare` and `faults`: options of the commands that run simulations."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Optional

import typer

from ampelwerk.cli.failure import process_edge
from ampelwerk.cli.inputs import profile_of
from ampelwerk.cli.options import (
    AdditionalOption,
    AllRedOption,
    AmberOption,
    BackendOption,
    BeginOption,
    DebugOption,
    EndOption,
    FaultOption,
    ForceOption,
    JsonOption,
    MinGreenOption,
    OutputOption,
    PlansOption,
    ProfileOption,
    ResultsOption,
    RoutesOption,
    ScenarioArgument,
    SchedulerOption,
    SeparateOption,
    TeleportOption,
    WithoutLoopsOption,
    WorkersOption,
)
from ampelwerk.models.faults import FaultKind

runs = typer.Typer()


@runs.command()
def simulate(
    scenario: ScenarioArgument,
    control: Annotated[
        str,
        typer.Option(
            help="native, fixed, plan, actuated, max-pressure, priority-index or rolling-horizon "
            "(adaptive for short); native is SUMO's own program, untouched."
        ),
    ] = "adaptive",
    route_files: RoutesOption = None,
    additional_files: AdditionalOption = None,
    profile: ProfileOption = "sumo",
    seed: Annotated[int, typer.Option(help="Seed of SUMO's random numbers.")] = 1,
    begin: BeginOption = None,
    end: EndOption = None,
    min_green: MinGreenOption = None,
    amber: AmberOption = None,
    all_red: AllRedOption = None,
    without_loops: WithoutLoopsOption = None,
    separate_signals: SeparateOption = False,
    loops: Annotated[
        Literal["auto", "scenario"],
        typer.Option(help="auto: place what is missing; scenario: only the loops it brings."),
    ] = "auto",
    backend: BackendOption = "libsumo",
    link: Annotated[
        Literal["direct", "grpc"],
        typer.Option(
            help="grpc: a server and one controller per intersection, over mTLS on this machine."
        ),
    ] = "direct",
    outage: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            metavar="FROM:LENGTH",
            help="With --link grpc: cut the lines FROM s after begin, for LENGTH s.",
        ),
    ] = None,
    gui: Annotated[bool, typer.Option("--gui", help="Open SUMO's window (uses traci).")] = False,
    time_to_teleport: TeleportOption = -1.0,
    record: Annotated[
        bool,
        typer.Option(
            "--record",
            help="Keep what every loop reported, for `ampelwerk replay`; needs --output.",
        ),
    ] = False,
    events: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--events",
            help="Write hi-res events (Indiana codes) to this CSV file, for ATSPM tools.",
        ),
    ] = None,
    overrides: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--overrides",
            help="What a control room asks for, in TOML or JSON; keys: docs/overrides.md.",
        ),
    ] = None,
    fault: FaultOption = None,
    plans: PlansOption = None,
    output: OutputOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Run one simulation under one kind of signal control and measure it."""
    with process_edge(debug=debug):
        from ampelwerk.cli import simulate as command

        command.simulate(
            scenario,
            control=control,
            routes=route_files or [],
            additional=additional_files or [],
            profile=profile_of(profile, min_green_s=min_green, amber_s=amber, all_red_s=all_red),
            without_loops=tuple(without_loops or ()),
            separate_signals=separate_signals,
            seed=seed,
            begin_s=begin,
            end_s=end,
            loops=loops,
            backend="traci" if gui else backend,
            link=link,
            outage=outage,
            gui=gui,
            time_to_teleport_s=time_to_teleport,
            record=record,
            events=events,
            overrides=overrides,
            faults=fault or [],
            plans=plans,
            output=output,
            force=force,
            as_json=as_json,
        )


@runs.command()
def compare(
    scenario: ScenarioArgument,
    control: Annotated[
        list[str],
        typer.Option(help="A kind of control; give it twice or more, the first is the reference."),
    ],
    output: ResultsOption,
    seeds: Annotated[str, typer.Option(help="Seeds: 1:6 (the end is left out) or 1,5,9.")] = "1:6",
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    route_files: RoutesOption = None,
    additional_files: AdditionalOption = None,
    profile: ProfileOption = "sumo",
    begin: BeginOption = None,
    end: EndOption = None,
    min_green: MinGreenOption = None,
    amber: AmberOption = None,
    all_red: AllRedOption = None,
    without_loops: WithoutLoopsOption = None,
    separate_signals: SeparateOption = False,
    backend: BackendOption = "libsumo",
    time_to_teleport: TeleportOption = -1.0,
    fault: FaultOption = None,
    plans: PlansOption = None,
    gate: Annotated[
        bool,
        typer.Option("--gate", help="Exit with 3 if a control is clearly worse than the first."),
    ] = False,
    force: ForceOption = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Run several kinds of control over the same seeds and compare them in pairs."""
    with process_edge(debug=debug) as edge:
        from ampelwerk.cli import compare as command

        edge.code = command.compare(
            scenario,
            controls=control,
            seeds=seeds,
            workers=workers,
            scheduler=scheduler,
            routes=route_files or [],
            additional=additional_files or [],
            profile=profile_of(profile, min_green_s=min_green, amber_s=amber, all_red_s=all_red),
            without_loops=tuple(without_loops or ()),
            separate_signals=separate_signals,
            begin_s=begin,
            end_s=end,
            backend=backend,
            time_to_teleport_s=time_to_teleport,
            faults=fault or [],
            plans=plans,
            output=output,
            force=force,
            gate=gate,
            as_json=as_json,
        )


@runs.command()
def faults(
    scenario: ScenarioArgument,
    output: ResultsOption,
    control: Annotated[
        str, typer.Option(help="A kind of control that looks at loops, such as actuated.")
    ] = "adaptive",
    kind: Annotated[
        list[str],
        typer.Option(
            metavar="KIND[,from=S][,level=N]",
            help=f"A kind of fault; may be repeated: {', '.join(FaultKind)}. "
            "Levels: docs/faults.md.",
        ),
    ] = ["stuck-off", "stuck-on", "chatter"],  # noqa: B006 - only read
    shares: Annotated[
        str, typer.Option(help="Shares of faulty loops in percent, separated by commas.")
    ] = "0,10,25,50",
    seeds: Annotated[str, typer.Option(help="Seeds: 1:4 (the end is left out) or 1,5,9.")] = "1:4",
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    route_files: RoutesOption = None,
    additional_files: AdditionalOption = None,
    profile: ProfileOption = "sumo",
    begin: BeginOption = None,
    end: EndOption = None,
    min_green: MinGreenOption = None,
    amber: AmberOption = None,
    all_red: AllRedOption = None,
    without_loops: WithoutLoopsOption = None,
    separate_signals: SeparateOption = False,
    backend: BackendOption = "libsumo",
    time_to_teleport: TeleportOption = -1.0,
    force: ForceOption = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Let more and more loops fail and draw what it costs, against fixed time."""
    with process_edge(debug=debug) as edge:
        from ampelwerk.cli import faults as command

        edge.code = command.faults(
            scenario,
            control=control,
            kinds=kind,
            shares=shares,
            seeds=seeds,
            workers=workers,
            scheduler=scheduler,
            routes=route_files or [],
            additional=additional_files or [],
            profile=profile_of(profile, min_green_s=min_green, amber_s=amber, all_red_s=all_red),
            without_loops=tuple(without_loops or ()),
            separate_signals=separate_signals,
            begin_s=begin,
            end_s=end,
            backend=backend,
            time_to_teleport_s=time_to_teleport,
            output=output,
            force=force,
            as_json=as_json,
        )
