"""Faulty loops between SUMO and control: which fail is drawn by seed, what they send by kind.

The same seed and kind fail the same loops under every kind of control, and a greater share fails
those of a smaller one and more. Several faults act one after another, in the order given, so that
one loop may have several. Nothing here knows more than the loops themselves do.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Mapping, Sequence
from random import Random

from ampelwerk.models.detection import DetectorFrame, LoopRole
from ampelwerk.models.faults import Fault, FaultKind
from ampelwerk.models.network import Network
from ampelwerk.sim.fault_streams import (
    Chatter,
    Delayed,
    Edge,
    Setting,
    SplashOver,
    Stream,
    Stuck,
    Swapped,
    bias,
    drift,
    drop,
    duplicate,
    gaps,
    garbage,
)

HELD: Mapping[FaultKind, int | None] = {
    FaultKind.STUCK_ON: 1,
    FaultKind.STUCK_OFF: 0,
    FaultKind.FROZEN: None,
}
"""What a stuck loop shows: occupied, free, or as it was."""
_SIMPLE: Mapping[FaultKind, Callable[[Setting], Stream]] = {
    FaultKind.CHATTER: Chatter,
    FaultKind.DROP: drop,
    FaultKind.GAPS: gaps,
    FaultKind.LATE: lambda setting: Delayed(setting, drawn=False),
    FaultKind.DUPLICATE: duplicate,
    FaultKind.REORDER: lambda setting: Delayed(setting, drawn=True),
    FaultKind.BIAS: bias,
    FaultKind.DRIFT: drift,
}


class FaultyLoops:
    """Reads the loops of a network, some of them faulty.

    Parameters
    ----------
    read : reads the healthy loops, all of them: a neighbour's pulse may come from any.
    seed : which loops fail, and what they do.
    begin_s : begin of the simulation. [s]
    step_s : length of a tick. [s]
    roles : loops that control hears; the others stay silent.
    """

    def __init__(
        self,
        network: Network,
        faults: Sequence[Fault],
        read: Callable[[float], DetectorFrame],
        *,
        seed: int,
        begin_s: float,
        step_s: float,
        roles: Collection[LoopRole] = tuple(LoopRole),
    ) -> None:
        self._read, self._streams = read, list[Stream]()
        failed_s: dict[int, float] = {}
        for number, fault in enumerate(faults):
            loops, partner = drawn_loops(network, fault, seed)
            same = sum(before.kind is fault.kind for before in faults[:number])
            names = {loop: network.loops[loop].loop_id for loop in loops}
            setting = Setting(
                random={k: Random(f"{seed}/{fault.kind}/{same}/{names[k]}") for k in loops},
                from_s=begin_s + fault.from_s,
                level=fault.strength,
                step_s=step_s,
            )
            self._streams.append(_stream(fault.kind, setting, partner, len(network.loops)))
            for loop in loops:
                failed_s[loop] = min(setting.from_s, failed_s.get(loop, setting.from_s))
        unheard = {k for k, loop in enumerate(network.loops) if loop.role not in roles}
        self._unheard = unheard
        self.failed_s = {k: at_s for k, at_s in sorted(failed_s.items()) if k not in unheard}
        """Loops that control hears and that fail, with the time from which they do. [s]"""
        self.faulty = frozenset(self.failed_s)
        """The same without the times."""

    def read(self, now_s: float) -> DetectorFrame:
        """The edges since the call before, as faulty loops send them."""
        frame = self._read(now_s)
        edges: list[Edge] = list(zip(frame.loop, frame.at_s, frame.on, strict=True))
        for stream in self._streams:
            edges = stream(edges, now_s)
        heard = [edge for edge in edges if edge[0] not in self._unheard]
        return DetectorFrame(
            time_s=frame.time_s,
            loop=array("q", [edge[0] for edge in heard]),
            at_s=array("d", [edge[1] for edge in heard]),
            on=array("q", [edge[2] for edge in heard]),
        )


def drawn_loops(network: Network, fault: Fault, seed: int) -> tuple[list[int], dict[int, int]]:
    """Loops that fail, in ascending order; for kinds that need one, each with its partner.

    At least one loop fails if the share is above 0 and any can.
    """
    order = list(range(len(network.loops)))
    Random(f"{seed}/{fault.kind}").shuffle(order)
    partner: dict[int, int] = {}
    if fault.kind is FaultKind.SPLASH_OVER:
        partner = _neighbours(network)
        order = [loop for loop in order if loop in partner]
    elif fault.kind is FaultKind.SWAPPED:
        partner = _pairs(network, order)
        order = list(partner)
    count = max(1, round(fault.share * len(order))) if fault.share and order else 0
    if fault.kind is FaultKind.SWAPPED:
        count += count % 2  # they lie in pairs
    loops = sorted(order[:count])
    return loops, {loop: partner[loop] for loop in loops if loop in partner}


def _stream(kind: FaultKind, setting: Setting, partner: Mapping[int, int], loops: int) -> Stream:
    """What the loops do."""
    if kind in HELD:
        return Stuck(setting, HELD[kind])
    if kind is FaultKind.SPLASH_OVER:
        return SplashOver(setting, partner)
    if kind is FaultKind.SWAPPED:
        return Swapped(setting, partner)
    if kind is FaultKind.GARBAGE:
        return garbage(setting, loops)
    return _SIMPLE[kind](setting)


def _neighbours(network: Network) -> dict[int, int]:
    """Loops with one of the same role in the next lane of the road, to the left if there is one."""
    at: dict[tuple[LoopRole, str, int], int] = {}
    for number, loop in enumerate(network.loops):
        edge, _, position = str(loop.lane_id).rpartition("_")
        if position.isdigit():
            at[loop.role, edge, int(position)] = number
    found = {}
    for (role, edge, lane), number in at.items():
        beside = at.get((role, edge, lane + 1), at.get((role, edge, lane - 1)))
        if beside is not None:
            found[number] = beside
    return found


def _pairs(network: Network, order: Sequence[int]) -> dict[int, int]:
    """Loops wired to the same signal, two and two in the order given."""
    cabinet: dict[int, int] = {}
    for lane in network.lanes:
        for loop in (*lane.stop_loops, *lane.advance_loops):
            cabinet.setdefault(loop, lane.intersection)
    for approach in network.approaches:
        for loop in approach.upstream_loops:
            cabinet.setdefault(loop, approach.intersection)
    for exit_ in network.exits:
        for loop in exit_.exit_loops:
            cabinet.setdefault(loop, exit_.intersection)
    for crossing in network.crossings:
        for loop in crossing.call_loops:
            cabinet.setdefault(loop, crossing.intersection)
    waiting: dict[int, int] = {}
    pairs: dict[int, int] = {}
    for loop in order:
        signal = cabinet.get(loop)
        if signal is None:
            continue
        if signal in waiting:
            other = waiting.pop(signal)
            pairs[other], pairs[loop] = loop, other
        else:
            waiting[signal] = loop
    return pairs
