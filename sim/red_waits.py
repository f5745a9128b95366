"""Red while somebody waited: from SUMO's routes with exit times and the recorded signals.

A vehicle waits at red from when it would have reached the stop line at the speed limit, or the red
began if that was later, until the red ends or it leaves. Where several links lead the way it went,
the one that held it least counts.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from ampelwerk.sim.net_file import NetFile, elements

RED = frozenset("rs")
Spells = dict[tuple[str, int], list[tuple[float, float]]]
"""(signal, link) -> red spells, begin and end. [s]"""


def longest_red_waited_s(
    net: NetFile, signals: Path, vehroutes: Path, end_s: float
) -> float | None:
    """Longest part of a single red that a vehicle waited through; None if nobody passed. [s]

    Parameters
    ----------
    signals : signals.csv of the run.
    vehroutes : SUMO's routes with exit times.
    end_s : end of the run. [s]
    """
    spells = red_spells(signals, end_s)
    links: dict[tuple[str, str], set[tuple[str, int]]] = {}
    for c in net.connections:
        if c.tl and net.is_road(c.from_lane) and (c.tl, c.link_index) in spells:
            ends = (c.from_lane.rsplit("_", 1)[0], c.to_lane.rsplit("_", 1)[0])
            links.setdefault(ends, set()).add((c.tl, c.link_index))
    free_s = {
        edge_id: edge.lanes[0].length_m / max(edge.lanes[0].speed_mps, 1.0)
        for edge_id, edge in net.edges.items()
        if edge.lanes
    }
    longest: float | None = None
    for ends, enter_s, leave_s in passages(vehroutes, end_s):
        ways = links.get(ends)
        if ways:
            arrive_s = enter_s + free_s.get(ends[0], 0.0)
            waited_s = min(_longest_in(spells[way], arrive_s, leave_s) for way in ways)
            longest = max(longest or 0.0, waited_s)
    return None if longest is None else round(longest, 1)


def red_spells(signals: Path, end_s: float) -> Spells:
    """Red spells of every link in signals.csv."""
    spells: Spells = {}
    since: dict[tuple[str, int], float] = {}
    states: dict[str, str] = {}
    with signals.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            name, time_s, state = row["intersection"], float(row["time"]), row["state"]
            before = states.get(name, "G" * len(state))
            for link, (old, new) in enumerate(zip(before, state, strict=True)):
                way = (name, link)
                spells.setdefault(way, [])
                if new in RED and old not in RED:
                    since[way] = time_s
                elif old in RED and new not in RED:
                    spells[way].append((since.pop(way), time_s))
            states[name] = state
    for way, begin_s in since.items():
        spells[way].append((begin_s, end_s))
    return spells


def passages(vehroutes: Path, end_s: float) -> Iterator[tuple[tuple[str, str], float, float]]:
    """((edge, next edge), time of entering, time of leaving or the end) of every vehicle."""
    for vehicle in elements(vehroutes, ("vehicle",)):
        route = vehicle.find("route")
        if route is None:
            options = vehicle.findall("routeDistribution/route")
            route = options[-1] if options else None
        if route is None:
            continue
        edges = route.get("edges", "").split()
        times = [float(t) for t in route.get("exitTimes", "").split()]
        enter_s = float(vehicle.get("depart", "0"))
        for ends, exit_s in zip(pairwise(edges), times, strict=False):
            left = exit_s >= 0
            yield ends, enter_s, exit_s if left else end_s
            if not left:
                break
            enter_s = exit_s


def _longest_in(spells: list[tuple[float, float]], arrive_s: float, leave_s: float) -> float:
    """Longest overlap of one spell with the stay at the stop line. [s]"""
    return max(
        (min(leave_s, end_s) - max(arrive_s, begin_s) for begin_s, end_s in spells
         if begin_s < leave_s and end_s > arrive_s),
        default=0.0,
    )  # fmt: skip
