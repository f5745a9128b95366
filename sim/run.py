"""One simulation under one kind of control, into one directory.

Order of things: import the network, place loops, start SUMO, run the closed loop, let the witness
read SUMO's own record of the signals, measure. The directory is complete when `measures.json` is
there; it is written last.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from ampelwerk.controllers.frame_border import FrameBorder
from ampelwerk.models.detection import DetectorFrame, LoopAlarm, LoopRole
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.network import Network
from ampelwerk.models.plan_set import network_with_plans
from ampelwerk.sim import loop_layout, measures, monitor
from ampelwerk.sim.backend import Backend, start_backend
from ampelwerk.sim.closed_loop import ClosedLoop, Timing
from ampelwerk.sim.collisions import count_collisions
from ampelwerk.sim.controls import (
    NATIVE,
    PLAN,
    OpenLink,
    beliefs_of,
    controlled_network,
    in_process,
    loop_roles,
)
from ampelwerk.sim.decisions import decisions_csv
from ampelwerk.sim.detector_faults import FaultyLoops
from ampelwerk.sim.detectors import LoopReader
from ampelwerk.sim.hires_file import HiResRecorder
from ampelwerk.sim.imported import import_network, network_json
from ampelwerk.sim.loop_alarms import alarms_csv, what_was_found
from ampelwerk.sim.monitor_net import read_links
from ampelwerk.sim.net_file import read_net
from ampelwerk.sim.override_file import Planned, check_names, read_overrides
from ampelwerk.sim.recording import FrameRecorder, Read, refuse_native
from ampelwerk.sim.red_waits import longest_red_waited_s
from ampelwerk.sim.run_configuration import (
    RunConfig,
    configuration_of_run,
    provenance,
    record_of,
)
from ampelwerk.sim.run_directory import (
    COMPLETE,
    DECISIONS,
    DETECTORS,
    FRAMES,
    MANIFEST,
    MODEL,
    SIGNALS,
)

LOOPS_FILE, RECORD_FILE, RECORD_REQUEST = "loops.add.xml", "tls_states.xml", "record.add.xml"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Notes:
    """What is kept of a run beside its measures, and what is asked during it."""

    frames: Path | None
    """Where to keep what the loops report."""
    events: Path | None
    """Where to write hi-res events."""
    planned: Sequence[Planned]
    """Overrides."""
    directory: Path
    """Where to keep what became of them."""


def run(
    config: RunConfig,
    directory: Path,
    *,
    record: bool = False,
    events: Path | None = None,
    progress: Callable[[float], None] = lambda share: None,
    open_link: OpenLink = in_process,
) -> dict[str, Any]:
    """Run, witness, measure; the measures, as in measures.json.

    Parameters
    ----------
    open_link : joins the local controllers to the control.
    record : keep what every loop reported, for `sim.replay`.
    events : file for hi-res events; two more are written beside it.
    progress : told the share of simulated time done, 0 to 1.
    """
    if record:
        refuse_native(config.control)
    if events is not None:
        refuse_native(config.control, option="--events")
    planned: Sequence[Planned] = ()
    if config.overrides is not None:
        refuse_native(config.control, option="--overrides")
        _refuse_both(record)
        planned = read_overrides(config.overrides)
    started = perf_counter()
    directory = directory.absolute()  # SUMO takes relative names from where its own files lie
    scenario = config.scenario
    manifest = configuration_of_run(config)
    _write_json({"status": "unfinished", "config": manifest}, directory / MANIFEST)
    network = import_network(
        scenario, config.profile, loops=config.loops, without_loops=config.without_loops
    )
    _refuse_loopless(config, network)
    if config.control == PLAN and config.plans:
        network = network_with_plans(network, config.plans)
    (directory / MODEL).write_bytes(network_json(network))
    if planned:
        check_names(
            planned,
            controlled_network(config.control, network, separate=config.separate_signals),
        )
    options = _sumo_options(config, network, directory)
    backend = start_backend(config.backend, options, gui=config.gui)
    try:
        notes = _Notes(
            frames=directory / FRAMES if record else None,
            events=events,
            planned=planned,
            directory=directory,
        )
        timing, loop, alarms, detectors = _simulate(
            config, network, backend, progress, notes, open_link
        )
    finally:
        backend.close()
    decisions = decisions_csv(loop.decisions, loop.network) if loop else decisions_csv((), network)
    (directory / DECISIONS).write_bytes(decisions)
    (directory / DETECTORS).write_bytes(alarms_csv(alarms, network))
    safety = _witness(config, network, directory)
    result = measures.measure_run(
        directory,
        scenario,
        control=config.control,
        profile=config.profile.label,
        seed=config.seed,
        longest_red_s=longest_red_waited_s(
            read_net(scenario.net_file),
            directory / SIGNALS,
            directory / measures.VEHROUTES,
            scenario.end_s,
        ),
        safety=safety,
        cost={
            "wall_s": round(perf_counter() - started, 3),
            "sumo_s": round(timing.sumo_s, 3),
            "control_s": round(timing.control_s, 3),
            "decide_p99_ms": round(
                1e3 * float(np.percentile(timing.decide_s, 99)) if timing.decide_s else 0.0, 4
            ),
        },
        detectors=detectors,
        uncontrolled=[
            {"intersection": str(u.intersection_id), "reason": u.reason}
            for u in network.uncontrolled
        ],
    )
    _write_json(
        {
            "status": COMPLETE,
            "config": manifest,
            **provenance(config, backend, network),
            **({"record": record_of(directory)} if record else {}),
        },
        directory / MANIFEST,
    )
    _write_json(result, directory / "measures.json")
    return result


def _simulate(
    config: RunConfig,
    network: Network,
    backend: Backend,
    progress: Callable[[float], None],
    notes: _Notes,
    open_link: OpenLink,
) -> tuple[Timing, ClosedLoop | None, Sequence[LoopAlarm], dict[str, Any]]:
    """Run the closed loop, or SUMO alone under `native`; with what became of the detectors."""
    scenario = config.scenario
    span_s = scenario.end_s - scenario.begin_s
    steps = round(span_s / scenario.step_s)
    if config.control == NATIVE:
        timing = Timing()
        started = perf_counter()
        for k in range(steps):
            backend.step()
            if k % 100 == 0:
                progress(k / steps)
        timing.sumo_s = perf_counter() - started
        return timing, None, (), _detectors(0, {}, None, ())
    controlled = controlled_network(config.control, network, separate=config.separate_signals)
    loop = ClosedLoop(controlled, backend, begin_s=scenario.begin_s, step_s=scenario.step_s)

    def tell(now_s: float) -> None:
        if now_s % 100 == 0:
            progress((now_s - scenario.begin_s) / span_s)

    roles = loop_roles(config.control)
    heard = sum(site.role in roles for site in network.loops)
    failed_s: Mapping[int, float] = {}
    read: Read | None = None
    noted = notes.frames is not None or notes.events is not None
    if roles or noted:
        read, failed_s = _reader(config, network, backend, tuple(LoopRole) if noted else roles)
    if read is not None and notes.events is not None:
        loop.hires = HiResRecorder(controlled, loop.controllers)
        read = loop.hires.reading(read)
    if read is not None and noted:
        recorder = FrameRecorder(network, read, roles)
        read = recorder.read
    with ExitStack() as stack:
        link = stack.enter_context(open_link(config.control, loop))
        if notes.planned:
            from ampelwerk.sim.control_room import laid_over  # a database comes with it

            stack.enter_context(
                laid_over(loop, notes.planned, notes.directory, beliefs_of(link), link.desk)
            )
        loop.run(scenario.end_s, link, read, tick=tell)
        alarms, border = link.alarms, link.border
    if notes.frames is not None:
        recorder.write(notes.frames, begin_s=scenario.begin_s, step_s=scenario.step_s)
    if notes.events is not None and loop.hires is not None:
        loop.hires.write(notes.events)
    found = _detectors(heard, failed_s, border, alarms)
    return loop.timing, loop, alarms, found


def _refuse_loopless(config: RunConfig, network: Network) -> None:
    """The scenario was said to bring loops; a city that shall have none is `--without-loops`."""
    if config.loops == "scenario" and not network.loops and loop_roles(config.control):
        raise InvalidInputError(
            "the scenario brings no loop that could be used",
            where="--loops scenario",
            limit=f"at least one: {config.control} decides from loops",
            remedy="place them with --loops auto",
        )


def _refuse_both(record: bool) -> None:
    """A replay knows the loops alone."""
    if record:
        raise InvalidInputError(
            "a replay knows the loops alone and would miss the overrides",
            where="--record",
            remedy="record without --overrides",
        )


def _reader(
    config: RunConfig, network: Network, backend: Backend, roles: Collection[LoopRole]
) -> tuple[Callable[[float], DetectorFrame], Mapping[int, float]]:
    """What reads loops of these roles, and which of them fail from which time on. [s]"""
    if not config.faults:
        return LoopReader(network, backend.loop_data(), roles).read, {}
    loops = FaultyLoops(
        network,
        config.faults,
        LoopReader(network, backend.loop_data()).read,
        seed=config.seed,
        begin_s=config.scenario.begin_s,
        step_s=config.scenario.step_s,
        roles=roles,
    )
    return loops.read, loops.failed_s


def _detectors(
    loops: int,
    failed_s: Mapping[int, float],
    border: FrameBorder | None,
    alarms: Sequence[LoopAlarm],
) -> dict[str, Any]:
    """What became of the detectors, for measures.json."""
    refused = border.refused if border else {}
    return {
        "loops": loops,
        "faulty": len(failed_s),
        **what_was_found(alarms, failed_s),
        "frames_refused": sum(refused.values()),
        "refused_because": {str(reason): count for reason, count in sorted(refused.items())},
        "stale_edges": border.stale_edges if border else 0,
    }


def _sumo_options(config: RunConfig, network: Network, directory: Path) -> list[str]:
    """SUMO's command line."""
    scenario = config.scenario
    additional = [str(path) for path in scenario.additional_files]
    if config.control != NATIVE:
        loop_layout.write_loop_additional(network, directory / LOOPS_FILE)
        additional.append(str(directory / LOOPS_FILE))
    monitor.write_record_request(
        [str(site.intersection_id) for site in network.intersections],
        directory / RECORD_REQUEST,
        directory / RECORD_FILE,
    )
    additional.append(str(directory / RECORD_REQUEST))
    return [
        *scenario.sumo_options(additional_files=additional),
        "--seed",
        str(config.seed),
        "--time-to-teleport",
        f"{config.time_to_teleport_s:g}",
        *measures.sumo_output_options(directory),
    ]


def _witness(config: RunConfig, network: Network, directory: Path) -> dict[str, Any]:
    """Let the witness read SUMO's record; keep it as signals.csv. What it found, in short."""
    record = directory / RECORD_FILE
    scenario = config.scenario
    if not network.intersections:
        record.touch()  # SUMO writes none
    net = read_links(scenario.net_file, scenario.additional_files)
    report = monitor.check(
        record,
        net,
        network.intersections,
        begin_s=scenario.begin_s,
        end_s=scenario.end_s,
        step_s=scenario.step_s,
        native=config.control == NATIVE,
    )
    monitor.write_signals_csv(record, directory / SIGNALS)
    record.unlink()
    if report.violations:
        monitor.write_violations_csv(report, directory / "violations.csv")
    collisions = count_collisions(directory / measures.COLLISIONS, net, report)
    return {**report.summary(), **collisions}


def _write_json(content: dict[str, Any], path: Path) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_measures(directory: Path) -> dict[str, Any]:
    """The measures of a finished run."""
    path = directory / "measures.json"
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInputError(
            f"no finished run: {error}", where=str(directory), remedy="run it again"
        ) from error
    return content
