"""Plans for odd networks: nothing crashes, every plan verifies, every signal without one is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ampelwerk.engine.coordination import timing_plans
from ampelwerk.engine.coordination.deadline import Deadline
from ampelwerk.engine.coordination.timing_plans import daily_plans
from ampelwerk.engine.coordination.traffic_demand import TrafficDemand
from ampelwerk.engine.verification import verify
from ampelwerk.models.certificate import Certificate
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.network import Network
from ampelwerk.models.profile import Profile, RilsaProfile, SumoProfile
from ampelwerk.sim.imported import import_network
from tests.sim import odd_inputs, odd_networks
from tests.sim.odd_networks import Builder

pytestmark = pytest.mark.sumo


def demand_of(network: Network, veh_h: float) -> TrafficDemand:
    """Alike lanes, the third of four quarters busier; nothing is known of the first lane."""
    flow = np.full((4, len(network.lanes)), veh_h)
    flow[2] *= 2
    flow[:, :1] = np.nan
    return TrafficDemand(begin_s=6 * 3600, interval_s=1800, flow_veh_h=flow)


@pytest.mark.parametrize(
    ("builder", "veh_h"),
    [
        *((builder, 300.0) for builder in (*odd_networks.NETWORKS, *odd_inputs.INPUTS)),
        (odd_networks.crossings, 0.0),
        (odd_networks.crossings, 2500.0),
        (odd_networks.mid_block_crossing, 2500.0),
    ],
)
def test_odd_network_gets_plans_or_reasons(builder: Builder, veh_h: float, tmp_path: Path) -> None:
    scenario = builder(tmp_path)
    profiles: tuple[Profile, ...] = (SumoProfile(), RilsaProfile())
    for profile in profiles:
        try:
            network = import_network(scenario, profile)
        except InvalidInputError:
            assert isinstance(profile, RilsaProfile)
            continue
        found, calendar = daily_plans(
            network, demand_of(network, veh_h), profile, most=2, deadline=Deadline()
        )
        assert {entry.plan_id for entry in calendar} <= {"optimised-1", "optimised-2"}
        for site in found.sites:
            for plan in site.plans:
                assert isinstance(verify(plan, site, profile), Certificate)
        planned = {str(site.intersection_id) for site in found.sites}
        named = {f.where.split(",")[0] for f in found.findings if f.rule == "no_safe_plan"}
        assert planned | named == {str(site.intersection_id) for site in network.intersections}


@pytest.mark.parametrize(("spare_s", "refused"), [(0, 4), (timing_plans.SPARE_S, 0)])
def test_plans_have_time_to_catch_up(
    spare_s: int, refused: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing_plans, "SPARE_S", spare_s)
    network = import_network(odd_networks.ring(tmp_path), SumoProfile())
    found, _ = daily_plans(
        network, demand_of(network, 20.0), SumoProfile(), most=1, deadline=Deadline()
    )
    rules = [finding.rule for finding in found.findings]
    assert rules.count("plan_refused") == refused
    assert len(found.sites) == len(network.intersections)


def test_plans_are_the_same_every_time(tmp_path: Path) -> None:
    network = import_network(odd_networks.crossings(tmp_path), SumoProfile())
    demand = demand_of(network, 400.0)
    first, second = (
        daily_plans(network, demand, SumoProfile(), most=2, deadline=Deadline()) for _ in range(2)
    )
    assert first == second


def test_a_time_limit_is_honoured_with_safe_plans(tmp_path: Path) -> None:
    network = import_network(odd_networks.crossings(tmp_path), SumoProfile())
    deadline = Deadline(1e-6)
    found, _ = daily_plans(
        network, demand_of(network, 400.0), SumoProfile(), most=1, deadline=deadline
    )
    assert deadline.reached
    assert len(found.sites) == len(network.intersections)


def test_hours_without_traffic_do_not_shorten_the_plans(tmp_path: Path) -> None:
    # A simulation that runs on for an hour after the last trip is counted for that hour, too.
    network = import_network(odd_networks.crossings(tmp_path), SumoProfile())
    busy = demand_of(network, 500.0)
    hours = np.concatenate([busy.flow_veh_h, np.full((12, len(network.lanes)), 5.0)])
    plans = [
        daily_plans(network, demand, SumoProfile(), most=1, deadline=Deadline())[0]
        for demand in (busy, replace(busy, flow_veh_h=hours))
    ]
    assert plans[0].computed
    assert plans[0].sites == plans[1].sites
