"""Counts from files: what a row means, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.network import Network
from ampelwerk.models.profile import SumoProfile
from ampelwerk.sim.count_files import demand_from_counts, read_counts
from ampelwerk.sim.imported import import_network
from ampelwerk.sim.scenario import resolve
from tests.conftest import SmallScenario

pytestmark = pytest.mark.sumo


@pytest.fixture(scope="module")
def network(small: SmallScenario) -> Network:
    return import_network(resolve(str(small.net), routes=[small.routes]), SumoProfile())


def table(folder: Path, *rows: str, heading: str = "begin_s,end_s,lane,count") -> Path:
    path = folder / "counts.csv"
    path.write_text("\n".join([heading, *rows]) + "\n", encoding="utf-8")
    return path


def lane(network: Network, number: int) -> str:
    return str(network.lanes[number].lane_id)


def test_rows_are_shared_out_by_time(network: Network, tmp_path: Path) -> None:
    path = table(tmp_path, f"0,1800,{lane(network, 0)},150", f"1800,2700,{lane(network, 0)},30")
    demand = demand_from_counts(network, read_counts(path), 900)
    assert demand.flow_veh_h[:, 0] == pytest.approx([300, 300, 120])
    assert np.isnan(demand.flow_veh_h[:, 1]).all()
    assert {f.rule for f in demand.findings} == {"lane_without_counts"}


def test_signal_groups_are_shared_among_their_lanes(network: Network, tmp_path: Path) -> None:
    site = network.intersections[0]
    movement = site.movements[network.lanes[0].movements[-1]]
    group = site.envelope.groups[movement.group].group_id
    path = table(
        tmp_path,
        f"0,900,{site.intersection_id},{group},90",
        heading="begin_s,end_s,intersection,group,count",
    )
    flow = demand_from_counts(network, read_counts(path), 900).flow_veh_h
    assert np.nansum(flow) == pytest.approx(360)


def test_sumo_e1_output_is_read(network: Network, tmp_path: Path) -> None:
    loop = network.loops[network.lanes[0].stop_loops[0]].loop_id
    path = tmp_path / "e1.xml"
    path.write_text(
        f'<detector><interval begin="0.00" end="900.00" id="{loop}" nVehContrib="50"/>'
        f'<interval begin="900.00" end="1800.00" id="{loop}" nVehContrib="25"/></detector>',
        encoding="utf-8",
    )
    demand = demand_from_counts(network, read_counts(path), 900)
    assert demand.flow_veh_h[:, 0] == pytest.approx([200, 100])


def test_gaps_silent_loops_and_impossible_counts_are_named(
    network: Network, tmp_path: Path
) -> None:
    path = table(
        tmp_path,
        *(f"{t},{t + 900},{lane(network, 0)},40" for t in (0, 1800)),
        *(f"{t},{t + 900},{lane(network, 1)},0" for t in (0, 900, 1800)),
        *(f"{t},{t + 900},{lane(network, 2)},{n}" for t, n in ((0, 50), (900, 9000), (1800, 50))),
        "0,900,nowhere_0,5",
    )
    demand = demand_from_counts(network, read_counts(path), 900)
    found = {(f.rule, f.where) for f in demand.findings}
    assert ("gap", f"lane {lane(network, 0)}") in found
    assert ("silent_loop", f"lane {lane(network, 1)}") in found
    assert ("implausible_count", f"lane {lane(network, 2)}") in found
    assert ("unknown_element", "lane nowhere_0") in found
    assert demand.mean_veh_h()[[0, 2]] == pytest.approx([160, 200])


@pytest.mark.parametrize(
    ("heading", "row"),
    [
        ("begin_s,end_s,count", "0,900,5"),
        ("begin_s,end_s,lane,count", "0,900,x_0,many"),
        ("begin_s,end_s,lane,count", "900,0,x_0,5"),
        ("begin_s,end_s,lane,count", "0,900,x_0,-5"),
        ("begin_s,end_s,lane,count", "0,900,x_0,nan"),
        ("begin_s,end_s,lane,count", "0,900,x_0"),
        ("begin_s,end_s,lane,count", ""),
    ],
)
def test_a_broken_table_is_refused_with_its_line(heading: str, row: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"counts\.csv"):
        read_counts(table(tmp_path, row, heading=heading))


def test_counts_of_another_network_are_refused(network: Network, tmp_path: Path) -> None:
    rows = read_counts(table(tmp_path, "0,900,nowhere_0,5"))
    with pytest.raises(InvalidInputError, match="part of the network"):
        demand_from_counts(network, rows, 900)
