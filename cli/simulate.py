"""`ampelwerk simulate`: one run, its progress and its measures."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from ampelwerk.cli.fault_words import fault_of
from ampelwerk.cli.inputs import BLIND, fresh_files, known_control, output_directory
from ampelwerk.cli.planned import plans_for
from ampelwerk.engine.compilation import compile_ahead
from ampelwerk.models.detection import LoopRole
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.faults import Fault
from ampelwerk.models.profile import Profile
from ampelwerk.sim.controls import NATIVE, in_process
from ampelwerk.sim.hires_file import companions
from ampelwerk.sim.measures import WARNINGS
from ampelwerk.sim.recording import refuse_native
from ampelwerk.sim.run import run
from ampelwerk.sim.run_configuration import RunConfig
from ampelwerk.sim.run_directory import LEVELS, MANIFEST
from ampelwerk.sim.scenario import Scenario, resolve

SHOWN_WARNINGS = 3
"""SUMO's warnings that are printed; all are in its file."""
if TYPE_CHECKING:
    from ampelwerk.cli.grpc_link import GrpcLinks

SHOWN = (
    ("delay_s", "mean delay", "s"),
    ("delay_p95_s", "95th percentile of delay", "s"),
    ("stops", "stops per vehicle", ""),
    ("waiting_s", "mean waiting time", "s"),
    ("pedestrian_wait_s", "mean pedestrian wait", "s"),
    ("longest_red_s", "longest red", "s"),
    ("trips", "trips due", ""),
    ("completed", "completed", ""),
    ("unfinished", "unfinished", ""),
    ("never_inserted", "never inserted", ""),
    ("teleports", "teleports", ""),
    ("collisions", "collisions", ""),
)
"""Measures printed after a run; the rest is in measures.json."""


def simulate(
    scenario: str,
    *,
    control: str,
    routes: list[Path],
    additional: list[Path],
    profile: Profile,
    without_loops: tuple[LoopRole, ...],
    separate_signals: bool,
    seed: int,
    begin_s: float | None,
    end_s: float | None,
    loops: str,
    backend: str,
    link: str,
    outage: str | None,
    gui: bool,
    time_to_teleport_s: float,
    record: bool,
    events: Path | None,
    overrides: Path | None,
    faults: list[str],
    plans: Path | None,
    output: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Run, then print the measures."""
    control = known_control(control)
    if record:
        refuse_native(control)
        _refuse_unkept(output)
    if events is not None:
        refuse_native(control, option="--events")
        fresh_files((events, *companions(events)), force=force)
    if seed < 0:
        raise InvalidInputError("a seed is not negative", where="--seed", found=str(seed))
    wrong = tuple(fault_of(text) for text in faults)
    resolved = resolve(scenario, routes=routes, additional=additional, begin_s=begin_s, end_s=end_s)
    wire = _wire(link, control, outage, resolved.end_s - resolved.begin_s)
    console = Console(stderr=True)
    timing = plans_for([control], plans, resolved, profile, console)
    config = RunConfig(
        scenario=resolved,
        control=control,
        profile=profile,
        without_loops=without_loops,
        separate_signals=separate_signals,
        seed=seed,
        loops=loops,
        backend=backend,
        gui=gui,
        time_to_teleport_s=time_to_teleport_s,
        faults=wrong,
        overrides=None if overrides is None else overrides.absolute(),
        plans=timing,
    )
    announce(resolved, [control], console)
    announce_faults(wrong, resolved, [control], console)
    with _directory(output, force=force) as directory, _bar(console) as bar:
        if wire is not None and overrides is not None:
            from ampelwerk.sim.control_room import fresh_store  # a database comes with it

            wire.store = fresh_store(directory.absolute())
        task = bar.add_task(f"{resolved.name}, {control}, seed {seed}", total=1.0)
        measures = run(
            config,
            directory,
            record=record,
            events=events,
            open_link=in_process if wire is None else wire.open,
            progress=lambda share: bar.update(task, completed=share),
        )
        bar.update(task, completed=1.0)
        if wire is not None:
            (directory / LEVELS).write_bytes(wire.levels_csv())
        _warn(directory / WARNINGS, console)
    if as_json:
        print(json.dumps(measures, indent=2, ensure_ascii=False))
    else:
        _show(measures)
    if output is None:
        console.print(
            "Files of the run were not kept; name a directory with --output to keep them."
        )


def _wire(link: str, control: str, outage: str | None, run_s: float) -> GrpcLinks | None:
    """The wire between local controllers and control, if there is to be one."""
    if link == "direct":
        if outage is not None:
            raise InvalidInputError(
                "without a wire none can be cut", where="--outage", remedy="add --link grpc"
            )
        return None
    if control == NATIVE:
        raise InvalidInputError(
            "native is SUMO alone, nothing goes over a wire",
            where="--link",
            found=f"{link} with --control {control}",
            limit="any other kind of control",
        )
    from ampelwerk.cli.grpc_link import GrpcLinks, outage_of

    return GrpcLinks(outage_of(outage, run_s) if outage is not None else None)


def _refuse_unkept(output: Path | None) -> None:
    """A record belongs into a directory that stays."""
    if output is None:
        raise InvalidInputError(
            "the record is kept in the directory of the run, and there is none",
            where="--record",
            remedy="name a directory with --output",
        )


def announce(scenario: Scenario, controls: Sequence[str], console: Console) -> None:
    """Say what the user would otherwise miss; kernels are compiled here, if they must be."""
    compile_ahead(controls, console.print)
    if scenario.dropped_trips:
        console.print(
            f"{scenario.dropped_trips} trips are due before begin ({scenario.begin_s:g} s); "
            "SUMO drops them."
        )


def announce_faults(
    faults: Sequence[Fault], scenario: Scenario, controls: Sequence[str], console: Console
) -> None:
    """Say which faults will touch nothing."""
    for control in controls if faults else ():
        if control in BLIND:
            console.print(f"{control} looks at no loop: the faults touch nothing.")
    if all(control in BLIND for control in controls):
        return
    span_s = scenario.end_s - scenario.begin_s
    for fault in faults:
        if fault.from_s >= span_s:
            console.print(
                f"{fault.label} begins {fault.from_s:g} s after begin, but the simulation is "
                f"over after {span_s:g} s.",
                highlight=False,
            )


def _warn(path: Path, console: Console) -> None:
    """SUMO's warnings, collisions left out since they are counted."""
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    lines = [line for line in text.splitlines() if line and "collision" not in line]
    for line in lines[:SHOWN_WARNINGS]:
        console.print(f"SUMO: {line}", highlight=False, markup=False)
    if len(lines) > SHOWN_WARNINGS:
        console.print(f"SUMO: {len(lines) - SHOWN_WARNINGS} more warnings, see {path.name}")


@contextmanager
def _directory(output: Path | None, *, force: bool) -> Iterator[Path]:
    """The directory asked for, or one that is gone afterwards."""
    if output is not None:
        with output_directory(output, force=force, mark=MANIFEST) as directory:
            yield directory
        return
    temporary = Path(tempfile.mkdtemp(prefix="ampelwerk-"))
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )


def _show(measures: dict[str, Any]) -> None:
    """The main measures, one a line."""
    table = Table(show_header=False, box=None, title_justify="left")
    table.add_column()
    table.add_column(justify="right")
    table.add_column()
    for key, label, unit in SHOWN:
        value = measures[key]
        if value is not None:
            table.add_row(label, f"{value:.1f}" if isinstance(value, float) else str(value), unit)
    safety = measures["safety"]
    table.add_row("switches checked", str(safety["checked_switches"]), "")
    table.add_row("rule violations", str(safety["violations"]), "")
    detectors = measures["detectors"]
    if detectors["faulty"]:
        table.add_row("faulty loops", f"{detectors['faulty']} of {detectors['loops']}", "")
    if detectors["found_faulty"]:
        kinds = ", ".join(f"{n} {kind}" for kind, n in detectors["found_kinds"].items())
        table.add_row("loops found faulty", str(detectors["found_faulty"]), kinds)
    if detectors["frames_refused"]:
        table.add_row("detector frames refused", str(detectors["frames_refused"]), "")
    console = Console()
    console.print(table)
    for left in measures["uncontrolled"]:
        console.print(f"{left['intersection']} is left to SUMO: {left['reason']}", markup=False)
    if measures["gridlock"]:
        console.print("[bold red]GRIDLOCK[/]: traffic stood still; the means say little.")
    if not measures["valid"]:
        console.print("[bold red]INVALID[/]: too many vehicles were teleported.")
