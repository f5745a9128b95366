"""From a SUMO net to signalised intersections: groups, conflicts, stages, plans, envelope.

A signal that cannot be controlled is left to SUMO and named with the reason: rail signals and
crossings, programs that are off, a single stage, over 64 signal groups. Nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ampelwerk.models.envelope import (
    IntersectionId,
)
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.intersection import Intersection
from ampelwerk.models.network import Uncontrolled
from ampelwerk.models.profile import Profile
from ampelwerk.sim.conflicts import junction_of
from ampelwerk.sim.net_file import NetConnection, NetFile, elements, read_net
from ampelwerk.sim.program_file import SignalProgram, signal_program
from ampelwerk.sim.signal_import import SignalImport

_RAIL = {"rail_signal", "rail_crossing"}
"""Junctions that SUMO itself controls; netconvert writes no program for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedSignals:
    """What a net holds of signals."""

    net: NetFile
    """The net itself."""
    intersections: tuple[Intersection, ...]
    """Those that can be controlled, by name."""
    uncontrolled: tuple[Uncontrolled, ...]
    """Those that are left to SUMO, by name."""


def read_intersections(
    net_path: Path, additional_paths: Sequence[Path], profile: Profile
) -> ImportedSignals:
    """Import all signals of a net under a rule profile.

    Raises
    ------
    InvalidInputError : a file is missing or broken, or the net has no signals.
    """
    net, links = _signals(net_path, additional_paths)
    intersections, uncontrolled = [], []
    for name in sorted(links):
        programs = net.programs.get(name, [])
        reason = _not_controllable(net, programs, links[name])
        if not reason:
            site = SignalImport(net, name, programs, links[name], profile)
            reason = site.reason
        if reason:
            uncontrolled.append(Uncontrolled(intersection_id=IntersectionId(name), reason=reason))
        else:
            intersections.append(site.intersection())
    return ImportedSignals(
        net=net, intersections=tuple(intersections), uncontrolled=tuple(uncontrolled)
    )


def read_signal(
    net_path: Path, additional_paths: Sequence[Path], profile: Profile, name: str
) -> SignalImport:
    """One signal of a net on its way to an intersection, for whoever asks where its times come from.

    Raises
    ------
    InvalidInputError : as `read_intersections`; or there is no such signal that can be controlled.
    """
    net, links = _signals(net_path, additional_paths)
    if name not in links:
        raise InvalidInputError(
            "the net has no signal of that name",
            where=str(net_path),
            found=name,
            limit=", ".join(sorted(links)),
        )
    programs = net.programs.get(name, [])
    reason = _not_controllable(net, programs, links[name])
    if not reason:
        signal = SignalImport(net, name, programs, links[name], profile)
        reason = signal.reason
    if reason:
        raise InvalidInputError("the signal is left to SUMO", where=name, found=reason)
    return signal


def _signals(
    net_path: Path, additional_paths: Sequence[Path]
) -> tuple[NetFile, dict[str, list[NetConnection]]]:
    """The net with the programs of the additional files, and the connections of every signal."""
    net = read_net(net_path)
    for path in additional_paths:
        for element in elements(path, ("tlLogic",)):
            try:
                program = signal_program(element)
            except ValueError as error:
                raise InvalidInputError(
                    "the program has a value that is no number",
                    where=f"{path}, tlLogic {element.get('id', '')}",
                    found=str(error),
                ) from error
            if program.signal_id not in net.programs:
                raise InvalidInputError(
                    "the program is for a signal that the net does not have",
                    where=f"{path}, tlLogic {program.signal_id}",
                    found=program.signal_id,
                    remedy="give the additional file that was made for this net",
                )
            _load(net.programs[program.signal_id], program)
    links: dict[str, list[NetConnection]] = {}
    for connection in net.connections:
        if connection.tl and connection.link_index >= 0:
            links.setdefault(connection.tl, []).append(connection)
    if not links:
        raise InvalidInputError(
            "the net has no signals",
            where=str(net_path),
            limit="at least one signal with a program",
            remedy="add signals with netedit, or netconvert --tls.guess",
        )
    return net, links


def _load(programs: list[SignalProgram], program: SignalProgram) -> None:
    """Add a program as SUMO does: one without states moves the offset of its namesake."""
    for k, known in enumerate(programs):
        if not program.states and known.program_id == program.program_id:
            programs[k] = replace(known, offset_s=program.offset_s)
            return
    programs.append(program)


def _not_controllable(
    net: NetFile, programs: list[SignalProgram], links: list[NetConnection]
) -> str:
    """Why the signal is left to SUMO; empty if it can be controlled."""
    junctions = [junction_of(net, connection) for connection in links]
    kinds = {program.kind for program in programs}
    if _RAIL & kinds or any(junction and junction.kind in _RAIL for junction in junctions):
        return "It is a rail signal or rail crossing."
    if not programs:
        return "It has no program."
    if not programs[-1].states or kinds == {"off"}:
        return "Its program is off."
    length = len(programs[-1].states[0].state)
    if any(len(state.state) != length for program in programs for state in program.states):
        return "Its programs have states of different length."
    if max(connection.link_index for connection in links) >= length:
        return "Its program has fewer letters than the signal has links."
    if set("".join(state.state for state in programs[-1].states)) <= {"o", "O"}:
        return "Its program is off."
    return ""
