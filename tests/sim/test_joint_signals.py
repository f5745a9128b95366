"""Signals at a short link become one intersection that lets nobody in who cannot leave."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from ampelwerk.engine.city import lay_out
from ampelwerk.engine.estimation import no_traffic
from ampelwerk.engine.kernels.city import City
from ampelwerk.engine.kernels.decision import BY_LINK, BY_PLAN, LINK_FULL, Signals
from ampelwerk.engine.kernels.rolling_horizon import conclude, no_scratch
from ampelwerk.engine.kernels.short_links import learn_entries, may_fill
from ampelwerk.engine.kernels.traffic import Traffic
from ampelwerk.engine.short_links import fills
from ampelwerk.engine.strategies.rolling_horizon import DEFAULT
from ampelwerk.engine.strategies.wishes import no_choice
from ampelwerk.models.intersection import Intersection, Turn
from ampelwerk.models.network import Network
from ampelwerk.models.profile import SumoProfile
from ampelwerk.sim.agreement import agreement
from ampelwerk.sim.controls import controlled_network
from ampelwerk.sim.explanation import explain
from ampelwerk.sim.imported import import_network
from ampelwerk.sim.joint_signals import SHORT_LINK_M, join_signals
from ampelwerk.sim.replay import first_difference, open_record, replay
from ampelwerk.sim.run_directory import open_run
from ampelwerk.sim.scenario import resolve
from tests.sim import odd_networks
from tests.sim.runs import record, simulate

PAIRS = {("243641585", "gneJ257"), ("30503246", "30624898")}
"""Signals of ingolstadt21 that stand 12 and 15 m apart."""


@pytest.fixture(scope="module", params=["staggered", "ingolstadt21"])
def network(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Network:
    if request.param == "staggered":
        scenario = odd_networks.staggered(tmp_path_factory.mktemp("staggered"))
    else:
        scenario = resolve("ingolstadt21")
    return import_network(scenario, SumoProfile())


def joint_sites(network: Network) -> list[tuple[int, Intersection]]:
    return [(i, site) for i, site in enumerate(network.intersections) if site.parts]


def filling_stages(joined: Network) -> set[tuple[int, str]]:
    """Intersection and name of the stages that let into a link whose far end is red."""
    stages = [(i, s.stage_id) for i, site in enumerate(joined.intersections) for s in site.stages]
    return {stage for stage, filled in zip(stages, fills(joined), strict=True) if filled}


def test_no_other_stage_fills_a_link_and_only_the_rolling_horizon_takes_it(
    network: Network,
) -> None:
    joined = join_signals(network)
    filling = filling_stages(joined)
    assert filling <= {(i, stage.stage_id) for i, s in joint_sites(joined) for stage in s.stages}
    assert not any(fills(network))
    city, number = lay_out(joined), 0
    for i, site in enumerate(joined.intersections):
        planned = {step.stage for step in site.plans[0].steps}
        for k, stage in enumerate(site.stages):
            fill = (i, stage.stage_id) in filling
            assert (city.fill_ptr[number + 1] > city.fill_ptr[number]) == fill
            assert not (fill and (city.selectable[number] or k in planned))
            number += 1


def few_or_many(network: Network, every_s: float) -> tuple[list[bool], City, Traffic, int]:
    """Whether a stage may fill its link, each minute of ten in which somebody turns in that often.

    The stage shown has the same groups lead into the link, and those of its far end green.
    """
    joined = join_signals(network)
    city = lay_out(joined)
    stage = next(s for s, filled in enumerate(fills(joined)) if filled)
    k = city.fill_ptr[stage]
    i = city.exit_intersection[city.fill_exit[k]]
    sites = len(joined.intersections)
    signals = Signals(
        stage=np.zeros(sites, dtype=np.int64),
        green=np.full(sites, city.fill_groups[k]),
        since_s=np.zeros(sites),
        decidable_s=np.zeros(sites),
    )
    traffic = no_traffic(city, 0.0)
    traffic.fill_edges[k + 1 : city.fill_ptr[stage + 1]] = 0.0  # the stage's other links: nobody
    loop = city.exit_loop[city.exit_loop_ptr[city.fill_exit[k]]]
    found = [bool(may_fill(city, traffic, stage))]
    for now_s in range(1, 601):
        if now_s % every_s == 0:
            traffic.on_s[loop] = now_s
        learn_entries(city, traffic, signals, i, float(now_s), 1.0)
        if now_s % 60 == 0:
            found.append(bool(may_fill(city, traffic, stage)))
    return found, city, traffic, stage


def test_a_link_is_filled_where_few_turn_into_it_and_not_before_that_is_known(
    network: Network,
) -> None:
    few, city, traffic, stage = few_or_many(network, 60)
    assert not few[0]
    assert all(few[3:])
    many = few_or_many(network, 6)[0]
    assert not any(many)
    # One waits, and another would not fit.
    number = city.fill_exit[city.fill_ptr[stage]]
    lane = city.exit_next[city.exit_next_ptr[number]]
    traffic.queue_veh[lane] = city.lane_storage_veh[lane]
    assert not may_fill(city, traffic, stage)
    traffic.queue_veh[lane] = 0.0
    assert may_fill(city, traffic, stage)
    traffic.full[number] = 1
    assert not may_fill(city, traffic, stage)


def test_a_stage_that_fills_a_link_is_left_when_it_may_not_be_shown_whatever_that_costs(
    network: Network,
) -> None:
    _, city, traffic, stage = few_or_many(network, 60)
    i = int(city.exit_intersection[city.fill_exit[city.fill_ptr[stage]]])
    stages = int(city.stage_ptr[i + 1] - city.stage_ptr[i])
    sites = len(city.stage_ptr) - 1
    signals = Signals(
        stage=np.full(sites, stage - city.stage_ptr[i]),
        green=np.zeros(sites, dtype=np.int64),
        since_s=np.zeros(sites),
        decidable_s=np.zeros(sites),
    )
    model = no_scratch(city.lanes, stages, 4, 4).model
    cost = np.array([50.0 + p for p in range(stages)] + [10.0])
    for allowed, reason in ((1, BY_PLAN), (0, BY_LINK)):
        choice = no_choice(sites)
        model.allowed[signals.stage[i]] = allowed
        conclude(city, traffic, signals, DEFAULT.margins, model, cost, i, -1, 600.0, choice)
        assert choice.reason[i] == reason
        assert (choice.stage[i] == signals.stage[i]) == bool(allowed)
        assert (choice.binding[i] == LINK_FULL) == (not allowed)


def test_who_comes_with_others_says_nothing_about_who_would_fill_the_link(
    network: Network,
) -> None:
    joined = join_signals(network)
    city = lay_out(joined)
    traffic = no_traffic(city, 0.0)
    before = traffic.fill_s.copy()
    for k in np.flatnonzero(city.fill_others):
        sites = len(joined.intersections)
        signals = Signals(
            stage=np.zeros(sites, dtype=np.int64),
            green=np.full(sites, city.fill_groups[k] | city.fill_others[k]),
            since_s=np.zeros(sites),
            decidable_s=np.zeros(sites),
        )
        i = int(city.exit_intersection[city.fill_exit[k]])
        learn_entries(city, traffic, signals, i, 60.0, 1.0)
        assert traffic.fill_s[k] == before[k]


def test_the_pairs_are_joined(network: Network) -> None:
    found = {tuple(site.part_names) for _, site in joint_sites(join_signals(network))}
    assert found == ({("a", "b")} if len(network.intersections) == 2 else PAIRS)


def test_whoever_is_let_into_a_short_link_has_a_free_way_out(network: Network) -> None:
    """Or turns into it in a stage that is only for who watches the link."""
    joined = join_signals(network)
    filling = filling_stages(joined)
    assert filling
    short = {exit_.lane_id: exit_ for exit_ in joined.exits if exit_.length_m <= SHORT_LINK_M}
    checked = 0
    for i, site in joint_sites(joined):
        ends = [m for m in site.movements if m.from_lane in short]
        for stage, m in product(site.stages, site.movements):
            if not stage.selectable or m.group not in stage.groups or m.to_lane not in short:
                continue
            if (i, stage.stage_id) in filling:
                assert m.turn is not Turn.STRAIGHT
                continue
            assert short[m.to_lane].intersection == i
            road = m.to_lane.rpartition("_")[0]
            for out in ends:
                if out.from_lane.rpartition("_")[0] == road:
                    assert out.group in stage.groups
                    if out.group in stage.permissive:
                        assert not set(out.yields_to) & set(stage.groups)
                    checked += 1
    assert checked > 0


def test_everybody_is_served_by_stages_to_choose_and_by_the_plan(network: Network) -> None:
    for _, site in joint_sites(join_signals(network)):
        everybody = set(range(len(site.envelope.groups)))
        chosen = {g for stage in site.stages if stage.selectable for g in stage.groups}
        planned = {g for step in site.plans[0].steps for g in site.stages[step.stage].groups}
        assert chosen == planned == everybody


def test_rules_of_the_members_stay_and_the_link_is_cleared(network: Network) -> None:
    by_name = {str(site.intersection_id): site for site in network.intersections}
    for _, site in joint_sites(join_signals(network)):
        first = 0
        across = 0
        for name in site.part_names:
            member = by_name[name]
            size = member.envelope.size
            for r, c in product(range(size), range(size)):
                assert (
                    site.envelope.conflict[first + r][first + c] == member.envelope.conflict[r][c]
                )
                assert (
                    site.envelope.intergreen_ds[first + r][first + c]
                    == member.envelope.intergreen_ds[r][c]
                )
            across += sum(
                map(
                    sum,
                    (row[first + size :] for row in site.envelope.conflict[first : first + size]),
                )
            )
            first += size
        assert across == 1  # those who go straight through from both ends


def test_lanes_and_exits_point_to_what_they_pointed_to(network: Network) -> None:
    joined = join_signals(network)

    def lane_facts(net: Network) -> set[tuple[object, ...]]:
        return {
            (
                lane.lane_id,
                net.approaches[lane.approach].edge_id,
                tuple(
                    net.intersections[lane.intersection].movements[m].to_lane
                    for m in lane.movements
                ),
            )
            for lane in net.lanes
        }

    def exit_facts(net: Network) -> set[tuple[object, ...]]:
        return {
            (
                exit_.lane_id,
                tuple(net.lanes[k].lane_id for k in exit_.leads_to),
                tuple(
                    net.intersections[exit_.intersection].movements[m].from_lane
                    for m in exit_.movements
                ),
            )
            for exit_ in net.exits
        }

    assert lane_facts(joined) == lane_facts(network)
    assert exit_facts(joined) == exit_facts(network)
    numbers = [lane.intersection for lane in joined.lanes]
    assert numbers == sorted(numbers)
    for approach in joined.approaches:
        assert all(joined.lanes[k].intersection == approach.intersection for k in approach.lanes)


def test_states_are_split_among_the_signals(network: Network) -> None:
    for _, site in joint_sites(join_signals(network)):
        letters = "".join(chr(ord("A") + k % 26) for k in range(site.sumo_link_count))
        parts = site.states(letters)
        assert [name for name, _ in parts] == site.part_names
        assert "".join(state for _, state in parts) == letters


def test_signals_stay_apart_without_a_stage_that_clears_the_link(tmp_path: Path) -> None:
    scenario = odd_networks.staggered(tmp_path)
    plain = import_network(
        resolve(str(scenario.net_file), routes=list(scenario.route_files), end_s=60.0),
        SumoProfile(),
    )
    assert join_signals(plain) is plain


def test_only_kinds_of_control_that_choose_stages_freely_join(network: Network) -> None:
    assert controlled_network("fixed", network, separate=False) is network
    assert controlled_network("actuated", network, separate=False) is network
    assert controlled_network("rolling-horizon", network, separate=True) is network
    assert len(controlled_network("rolling-horizon", network, separate=False).intersections) < len(
        network.intersections
    )


def test_agreement_compares_only_what_both_controls_run_as_one(network: Network) -> None:
    joined = join_signals(network)
    apart = len(network.intersections) - sum(len(site.parts) for _, site in joint_sites(joined))
    found = agreement([], network, [], joined, 0.0, 100.0)
    assert len(found.same_stage_share) == apart
    assert (found.overall_share is None) == (apart == 0)


@pytest.mark.sumo
def test_a_joint_run_is_safe_and_explained_by_the_name_of_either_signal(tmp_path: Path) -> None:
    scenario = odd_networks.staggered(tmp_path)
    measures = simulate(scenario, tmp_path / "run", "rolling-horizon")
    assert measures["safety"]["violations"] == 0
    assert not measures["gridlock"]
    run = open_run(tmp_path / "run")
    at_s = scenario.end_s - 60.0
    one, other = explain(run, "a", at_s), explain(run, "b", at_s)
    assert one == other
    assert one.intersection == "a+b"
    assert len(one.lamps.state) == 18


@pytest.mark.sumo
def test_a_run_of_separate_signals_is_read_back_and_replayed_as_such(tmp_path: Path) -> None:
    scenario = odd_networks.staggered(tmp_path)
    (place,) = record(
        scenario, tmp_path / "runs", ["rolling-horizon"], separate_signals=True
    ).values()
    run = open_run(place)
    assert run.separate_signals
    assert explain(run, "a", scenario.end_s - 60.0).intersection == "a"
    found = open_record(run)
    assert first_difference(found, replay(found, "rolling-horizon")) is None
