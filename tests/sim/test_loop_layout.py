"""Where loops are put on roads that leave little room for them."""

from __future__ import annotations

from pathlib import Path

from ampelwerk.models.network import Network, StopLane
from ampelwerk.models.profile import SumoProfile
from ampelwerk.sim.imported import import_network
from ampelwerk.sim.loop_layout import ADVANCE_LEAST_M, ADVANCE_M, UPSTREAM_APART_M
from tests.sim.odd_networks import STAR, STAR_CARS, arms, demand_file, plain_net, scenario_of


def network_of(net: Path, folder: Path) -> Network:
    return import_network(scenario_of(net, demand_file(folder, STAR_CARS)), SumoProfile())


def lane_on(network: Network, edge: str) -> StopLane:
    return next(lane for lane in network.lanes if lane.lane_id == f"{edge}_0")


def test_an_upstream_loop_lies_well_before_the_advance_loop_or_not_at_all(tmp_path: Path) -> None:
    """Vehicles appear on the western arm, so a loop at its very start would see none of them."""
    net = plain_net(tmp_path, {**STAR, "w": (-72, 0)}, arms())
    network = network_of(net, tmp_path)
    west = network.approaches[lane_on(network, "wc").approach]
    assert 57 <= lane_on(network, "wc").length_m < 69
    assert west.upstream_loops == ()
    assert sum(len(approach.upstream_loops) for approach in network.approaches) == 3
    for approach in network.approaches:
        for distance_m in approach.upstream_m:
            for lane in approach.lanes:
                assert distance_m > network.lanes[lane].advance_m + UPSTREAM_APART_M - 0.1


def test_an_advance_loop_lies_at_the_start_of_a_road_in_two_pieces(tmp_path: Path) -> None:
    """The last metres to the line are an edge of their own; two roads merge before the other."""
    nodes = {**STAR, "w": (-15, 0), "v": (-52, 0), "u": (-200, 0), "t": (-180, 90)}
    roads = [*arms(), ("v", "w"), ("u", "v"), ("t", "v")]
    network = network_of(plain_net(tmp_path, nodes, roads), tmp_path)
    west = lane_on(network, "wc")
    assert len(west.advance_loops) == 1
    assert network.loops[west.advance_loops[0]].lane_id == "vw_0"
    assert ADVANCE_LEAST_M <= west.advance_m < ADVANCE_M
