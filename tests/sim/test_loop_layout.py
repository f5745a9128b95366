"""Where loops are put on roads that leave little room for them."""

from __future__ import annotations

from pathlib import Path

from ampelwerk.models.network import Network, StopLane
from ampelwerk.models.profile import SumoProfile
from ampelwerk.sim.imported import import_network
from ampelwerk.sim.loop_layout import ADVANCE_LEAST_M, ADVANCE_M, LENGTH_M, UPSTREAM_APART_M
from ampelwerk.sim.net_file import read_net
from tests.sim.odd_networks import (
    STAR,
    STAR_CARS,
    arms,
    crossroads_before_a_signal,
    demand_file,
    plain_net,
    scenario_of,
)
from tests.sim.runs import simulate


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


def test_a_pocket_shorter_than_a_car_has_a_stop_line_loop_of_its_own(tmp_path: Path) -> None:
    """A car at the line would stand between it and a loop on the road behind."""
    nodes = {**STAR, "w": (-11, 0), "v": (-60, 0), "u": (-200, 0)}
    net = plain_net(tmp_path, nodes, [*arms(), ("v", "w"), ("u", "v")])
    network = network_of(net, tmp_path)
    line = lane_on(network, "wc")
    length_m = read_net(net).lanes["wc_0"].length_m
    assert 3.0 < length_m < 5.0
    (loop,) = (network.loops[k] for k in line.stop_loops)
    assert loop.lane_id == "wc_0"
    assert length_m - 1.0 < loop.position_m + LENGTH_M < length_m


def test_where_a_junction_ends_at_the_line_the_loops_lie_on_the_ways_through_it(
    tmp_path: Path,
) -> None:
    """They see who comes to the line, and not who crosses the road before it."""
    scenario = crossroads_before_a_signal(tmp_path)
    network = import_network(scenario, SumoProfile())
    net = read_net(scenario.net_file)
    line = lane_on(network, "wc")
    assert net.lanes["wc_0"].length_m < LENGTH_M
    loops = [network.loops[k] for k in line.stop_loops]
    ways = [c for c in net.connections if c.to_lane == "wc_0" and net.is_road(c.from_lane)]
    assert {loop.lane_id for loop in loops} == {net.inside(way)[-1].lane_id for way in ways}
    for loop in loops:
        length_m = net.lanes[loop.lane_id].length_m
        assert length_m - 1.0 < loop.position_m + LENGTH_M < length_m
    for control in ("actuated", "priority-index", "rolling-horizon"):
        assert simulate(scenario, tmp_path / control, control)["longest_red_s"] < 60.0
