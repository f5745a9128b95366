"""How stages serve lanes, and in which order lanes are followed where some give way to others."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

import networkx as nx
import numpy as np

from ampelwerk.engine.city import lay_out
from ampelwerk.engine.coordination.traffic_demand import TrafficDemand
from ampelwerk.engine.kernels.city import City, IntArray
from ampelwerk.models.network import Network


class LaneFlow(NamedTuple):
    """Saturation flow of a lane under a stage."""

    mean_veh_s: float
    """Over a whole green. [veh/s]"""
    flow_veh_s: float
    """With nobody in its way. [veh/s]"""
    opposed_veh_s: float
    """While a queue departs to which it gives way. [veh/s]"""
    foes: tuple[int, ...] = ()
    """Lanes to which it gives way."""


def stop_lanes(city: City) -> IntArray:
    """(lanes of the network,) lane of the city for each; crossings are left out."""
    return np.flatnonzero(city.lane_is_crossing == 0).astype(np.int64)


def lane_numbers(city: City) -> dict[int, int]:
    """Lane of the city -> lane of the network."""
    return {int(k): n for n, k in enumerate(stop_lanes(city))}


def service_entries(city: City) -> Iterator[tuple[tuple[int, int], int]]:
    """(lane, stage) as the network numbers them, and the service of it; crossings are left out."""
    number = lane_numbers(city)
    for first, last in itertools.pairwise(city.stage_ptr):
        for stage in range(first, last):
            for entry in range(city.entry_ptr[stage], city.entry_ptr[stage + 1]):
                lane = number.get(int(city.entry_lane[entry]))
                if lane is not None:
                    yield (lane, int(stage - first)), entry


def lane_flows(network: Network, demand: TrafficDemand) -> dict[tuple[int, int], LaneFlow]:
    """(lane, stage) -> saturation flow, measured or else assumed; none where at red.

    A mean that was given without the flows it comes from is taken whatever comes the other way.
    """
    city = lay_out(network)
    number = lane_numbers(city)
    found = {}
    for key, entry in service_entries(city):
        rows = slice(city.entry_foe_ptr[entry], city.entry_foe_ptr[entry + 1])
        foes = tuple(sorted(number[int(foe)] for foe in city.entry_foe[rows]))
        given = demand.saturation_flow_veh_s.get(key)
        mean = float(city.entry_flow[entry]) if given is None else given
        opposed = flow = mean
        if foes and key in demand.opposed_flow_veh_s:
            opposed, flow = demand.opposed_flow_veh_s[key]
        elif foes and given is None:
            opposed, flow = float(city.entry_opposed[entry]), float(city.entry_unopposed[entry])
        found[key] = LaneFlow(mean, max(flow, opposed), opposed, foes)
    return found


def following_order(foes: Mapping[int, Collection[int]]) -> list[tuple[int, bool]]:
    """Lanes, foes before those who give way to them.

    Lanes that give way to each other, in whatever circle, come twice: at first as if nobody were in
    their way (False), then with what the others then do (True).
    """
    graph = nx.DiGraph()
    graph.add_nodes_from(sorted(foes))
    graph.add_edges_from((foe, lane) for lane in sorted(foes) for foe in sorted(foes[lane]))
    circles = nx.condensation(graph)
    members = {node: sorted(circles.nodes[node]["members"]) for node in circles}
    order = list[tuple[int, bool]]()
    for node in nx.lexicographical_topological_sort(circles, key=lambda n: members[n][0]):
        if len(members[node]) > 1:
            order += [(lane, False) for lane in members[node]]
        order += [(lane, True) for lane in members[node]]
    return order
