"""How little delay signals could leave where more comes than they can pass: a linear programme.

    python -m benchmarks.fluid_bound results/                           # arterial4x4
    python -m benchmarks.fluid_bound results/ --network grid4x4

Vehicles are a fluid that keeps to its routes. Whoever divides the time of each signal among the
stages of its program knows all demand beforehand, waits for no minimum green, and may hold vehicles
anywhere without one being in another's way. Time between two vehicles is what a run under
`rolling-horizon` shows: the mean of a movement's platoons of eight and more, from the third vehicle
on, and the least such mean of all movements that turn alike at the same speed limit.
A share of the time is lost in changes of stage: none, or as much as in that run.

Turning vehicles that give way go in the seconds left by those they give way to (gaps used), or only
in those left by the whole lane from which these come (gaps not used): drivers do something between.

The demand must be vehicles with routes. Prints Markdown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_matrix
from sumolib.net import readNet

from ampelwerk.models.envelope import Aspect
from ampelwerk.models.errors import InvalidInputError, SimulationError
from ampelwerk.sim.measures import VEHROUTES
from ampelwerk.sim.net_file import elements
from ampelwerk.sim.red_waits import passages
from ampelwerk.sim.report.signal_record import StateChanges, read_signals, shown
from ampelwerk.sim.run_directory import SIGNALS
from ampelwerk.sim.scenario import Scenario
from benchmarks import runs

CONTROL = "rolling-horizon"
STEP_S = 20.0
"""Steps of the programme. [s]"""
DENSE_VEH, RAMP_VEH, DENSE_S = 8, 2, 4.0
"""Platoons of so many vehicles are looked at, after the headways of the first, up to this headway.
[veh], [veh], [s]"""
SEEN_VEH = 50
"""A movement's mean counts if so many headways were seen. [veh]"""
DEFAULT_S = 2.0
"""Headway where of none that turn alike so many were. [s]"""
AMBER_S = 3.0
"""Vehicles that leave so long after the green belong to it. [s]"""

Movement = tuple[str, str]
"""Edge, and the edge that follows."""
Routes = Mapping[tuple[str, ...], list[float]]
"""Edges -> departures. [s]"""


@dataclass(slots=True, kw_only=True)
class Street:
    """What the programme takes as given."""

    net: Any
    routes: Routes
    begin_s: float
    end_s: float
    headway_s: Mapping[Movement, float]

    def links(self, movement: Movement) -> list[Any]:
        """The net's connections of a movement."""
        edge, onto = (self.net.getEdge(name) for name in movement)
        return list(edge.getOutgoing().get(onto, []))

    def signals(self) -> dict[str, dict[Movement, list[tuple[Any, int]]]]:
        """Signal -> the movements that routes use -> its connections and their places in states."""
        used = {movement for edges in self.routes for movement in pairwise(edges)}
        found: dict[str, dict[Movement, list[tuple[Any, int]]]] = {}
        for signal in self.net.getTrafficLights():
            by: dict[Movement, list[tuple[Any, int]]] = defaultdict(list)
            for lane, onto, place in signal.getConnections():
                movement = (lane.getEdge().getID(), onto.getEdge().getID())
                if movement in used:
                    by[movement] += [
                        (c, place) for c in self.links(movement) if c.getFromLane() is lane
                    ]
            if by:
                found[signal.getID()] = dict(by)
        return found


@dataclass(slots=True, kw_only=True)
class Rows:
    """Rows of a sparse matrix, and their right sides."""

    row: list[int] = field(default_factory=list)
    column: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    right: list[float] = field(default_factory=list)

    def add(self, terms: Iterable[tuple[int, float]], right: float) -> None:
        """One row more."""
        for column, value in terms:
            self.row.append(len(self.right))
            self.column.append(column)
            self.value.append(value)
        self.right.append(right)

    def matrix(self, columns: int) -> Any:
        """All of them."""
        shape = (len(self.right), columns)
        return coo_matrix((self.value, (self.row, self.column)), shape=shape).tocsr()


class Programme:
    """The linear programme: least sum of waiting over all steps."""

    def __init__(self, street: Street, *, lost_share: float, gaps_used: bool) -> None:
        self._street, self._gaps_used = street, gaps_used
        self._steps = int((street.end_s - street.begin_s) / STEP_S)
        self._cost: list[float] = []
        self._equal, self._most = Rows(), Rows()
        self._leaving: dict[Movement, list[int]] = defaultdict(list)
        signals = street.signals()
        signalled = {movement for movements in signals.values() for movement in movements}
        for edges, departs_s in street.routes.items():
            self._follow(edges, departs_s, signalled)
        for name, movements in signals.items():
            self._share_time(name, movements, lost_share)

    def mean_delay_s(self) -> float:
        """Least mean delay of all vehicles due. [s]"""
        columns = len(self._cost)
        found = linprog(
            self._cost,
            A_ub=self._most.matrix(columns), b_ub=self._most.right,
            A_eq=self._equal.matrix(columns), b_eq=self._equal.right,
            bounds=(0, None), method="highs-ipm",
        )  # fmt: skip
        if found.status != 0:
            raise SimulationError(f"the programme has no solution: {found.message}")
        return float(found.fun) / sum(map(len, self._street.routes.values()))

    def _new(self, cost: float = 0.0) -> int:
        """A variable for every step; the first one's number."""
        first = len(self._cost)
        self._cost += [cost] * self._steps
        return first

    def _follow(
        self, edges: tuple[str, ...], departs_s: list[float], signalled: set[Movement]
    ) -> None:
        """Those of one route: what comes to each signal on it waits until it leaves."""
        comes = np.zeros(self._steps)
        for depart_s in departs_s:
            comes[int((depart_s - self._street.begin_s) / STEP_S)] += 1.0
        before, way_s = -1, 0.0
        for movement in pairwise(edges):
            edge = self._street.net.getEdge(movement[0])
            way_s += edge.getLength() / edge.getSpeed()
            if movement not in signalled:
                continue
            late = round(way_s / STEP_S)
            queue, leaves = self._new(STEP_S), self._new()
            for t in range(self._steps):
                terms = [(queue + t, 1.0), (leaves + t, 1.0)]
                if t:
                    terms.append((queue + t - 1, -1.0))
                if before >= 0 and t >= late:
                    terms.append((before + t - late, -1.0))
                first = before < 0 and t >= late
                self._equal.add(terms, comes[t - late] if first else 0.0)
            self._leaving[movement].append(leaves)
            before, way_s = leaves, 0.0

    def _share_time(
        self, name: str, movements: Mapping[Movement, list[tuple[Any, int]]], lost_share: float
    ) -> None:
        """The stages of a signal share its time; each lets movements pass by their headways."""
        headway_s = self._street.headway_s
        program = next(iter(self._street.net.getTLS(name).getPrograms().values()))
        states = sorted({p.state for p in program.getPhases()})
        states = [state for state in states if "y" not in state.lower() and "G" in state]
        stages = [self._new() for _ in states]
        passing = {
            (movement, state): self._new()
            for movement, links in movements.items()
            for state in states
            if any(state[place] in "gG" for _, place in links)
        }
        for t in range(self._steps):
            self._most.add([(stage + t, 1.0) for stage in stages], STEP_S * (1.0 - lost_share))
            for movement in movements:
                leaving = [(leaves + t, 1.0) for leaves in self._leaving[movement]]
                way = [(passing[movement, s] + t, -1.0) for s in states if (movement, s) in passing]
                self._most.add(leaving + way, 0.0)
            for state, stage in zip(states, stages, strict=True):
                for together in self._in_turn(state, movements):
                    terms = [(passing[m, state] + t, headway_s[m]) for m in together]
                    self._most.add([*terms, (stage + t, -1.0)], 0.0)

    def _in_turn(
        self, state: str, movements: Mapping[Movement, list[tuple[Any, int]]]
    ) -> set[frozenset[Movement]]:
        """Movements that take one second after another while a state is shown."""
        green = {
            movement: [(c, state[place]) for c, place in links if state[place] in "gG"]
            for movement, links in movements.items()
        }
        green = {movement: links for movement, links in green.items() if links}
        lanes: dict[str, set[Movement]] = defaultdict(set)
        for movement, links in green.items():
            if len(links) == 1:
                lanes[links[0][0].getFromLane().getID()].add(movement)
        found = {frozenset((movement,)) for movement in green} | set(map(frozenset, lanes.values()))
        for movement, links in green.items():
            if links[0][1] != "g":
                continue
            for foe, theirs in green.items():
                if foe[0] != movement[0] and _gives_way(links[0][0], theirs[0][0]):
                    lane = lanes.get(theirs[0][0].getFromLane().getID(), {foe})
                    found.add(frozenset((movement, *((foe,) if self._gaps_used else lane))))
        return found


def _gives_way(own: Any, other: Any) -> bool:
    """A connection has to give way to another."""
    node = own.getFrom().getToNode()
    places = node.getLinkIndex(own), node.getLinkIndex(other)
    return bool(node.areFoes(*places) and node.forbids(other, own))


def routes_of(scenario: Scenario) -> Routes:
    """Departures by route, in the time simulated."""
    found: dict[tuple[str, ...], list[float]] = defaultdict(list)
    for path in scenario.route_files:
        for vehicle in elements(path, ("vehicle", "trip", "flow")):
            route = vehicle.find("route")
            if route is None:
                raise InvalidInputError(
                    "the demand is not of vehicles with routes of their own",
                    where=str(path),
                    found=f"{vehicle.tag} {vehicle.get('id', '')}",
                    remedy="write routes with duarouter",
                )
            depart_s = float(vehicle.get("depart", "0"))
            if scenario.begin_s <= depart_s < scenario.end_s:
                found[tuple(route.get("edges", "").split())].append(depart_s)
    return found


def lost_share_of(street: Street, record: Mapping[str, StateChanges]) -> float:
    """Share of the signals' time that shows amber, or green to nobody."""
    spans = [
        (end_s - start_s, "y" in state.lower() or "G" not in state)
        for changes in record.values()
        for start_s, end_s, state in changes.spans(street.begin_s, street.end_s)
    ]
    return sum(s for s, lost in spans if lost) / sum(s for s, _ in spans)


def headways_of(
    street: Street, record: Mapping[str, StateChanges], vehroutes: Path
) -> dict[Movement, float]:
    """Headway of each movement in dense platoons. [s]"""
    left_s: dict[Movement, list[float]] = defaultdict(list)
    for movement, _, leave_s in passages(vehroutes, street.end_s):
        left_s[movement].append(leave_s)
    alike: dict[Movement, tuple[str, float]] = {}
    least: dict[tuple[str, float], float] = {}
    for name, movements in street.signals().items():
        for movement, links in movements.items():
            found: list[float] = []
            places = [place for _, place in links]
            for spell in shown(record[name], places, street.begin_s, street.end_s):
                if spell.aspect is not Aspect.GREEN:
                    continue
                until_s = spell.end_s + AMBER_S
                platoon = sorted(t for t in left_s[movement] if spell.start_s < t <= until_s)
                if len(platoon) >= DENSE_VEH:
                    heads = [b - a for a, b in pairwise(platoon[RAMP_VEH:])]
                    found += [head for head in heads if head <= DENSE_S]
            kind = (links[0][0].getDirection().lower(), links[0][0].getFrom().getSpeed())
            alike[movement] = kind
            if len(found) >= SEEN_VEH:
                least[kind] = min(float(np.mean(found)), least.get(kind, DENSE_S))
    return {movement: least.get(kind, DEFAULT_S) for movement, kind in alike.items()}


def _headways(street: Street) -> str:
    """Headways by way to turn and speed limit."""
    found = {}
    for movement, headway_s in street.headway_s.items():
        link = street.links(movement)[0]
        found[link.getDirection().lower(), link.getFrom().getSpeed()] = headway_s
    return ", ".join(f"{way} at {v:g} m/s {h:.2f}" for (way, v), h in sorted(found.items()))


def main() -> None:
    """Run what is missing, print the table."""
    parser = runs.parser(str(__doc__).splitlines()[0], seeds="1:2", networks=("arterial4x4",))
    choice = runs.chosen(parser.parse_args())
    jobs = {n: {CONTROL: choice.jobs(choice.config(n, CONTROL))} for n in choice.networks}
    runs.run_all(jobs, choice.workers)
    print(choice.title("Least mean delay of a fluid [s]"))
    dense = []
    print(runs.head(["network", "lost in changes", "gaps used", "not used", CONTROL]))
    for network, by_control in jobs.items():
        seed, job = min(by_control[CONTROL].items())
        scenario = job.config.scenario
        routes = routes_of(scenario)
        street = Street(
            net=readNet(str(scenario.net_file), withPrograms=True),
            routes=routes, begin_s=scenario.begin_s, end_s=scenario.end_s,
            headway_s={},
        )  # fmt: skip
        record = read_signals(job.directory / SIGNALS)
        lost_share = lost_share_of(street, record)
        street.headway_s = headways_of(street, record, job.directory / VEHROUTES)
        dense.append(f"{network}: {_headways(street)}")
        reached = runs.text_of(runs.collected({seed: job}).delay_s)
        for share in (0.0, lost_share):
            least_s = [
                Programme(street, lost_share=share, gaps_used=used).mean_delay_s()
                for used in (True, False)
            ]
            cells = [network, f"{share:.0%}", *(f"{s:.0f}" for s in least_s), reached]
            print(runs.row(cells))
    print("\nTime between two vehicles of a platoon [s]:", *dense)


if __name__ == "__main__":
    runs.start(main)
