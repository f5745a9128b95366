"""The forecast of an override: by the engine's model, in time, and without touching anything."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from ampelwerk.controllers.local import LocalController
from ampelwerk.controllers.preview import Preview, preview
from ampelwerk.controllers.steering import Lease, resolve_target
from ampelwerk.engine.city import lay_out
from ampelwerk.engine.estimation import no_traffic
from ampelwerk.models.override import PRECEDENCE, OverrideAction
from ampelwerk.models.profile import SumoProfile
from ampelwerk.sim.imported import import_network
from ampelwerk.sim.scenario import resolve
from tests.cli.test_commands import ampelwerk as in_a_process
from tests.conftest import SmallScenario

Forecast = Callable[..., Preview | None]
NOW_S = 600.0


@pytest.fixture(scope="module")
def forecast(small: SmallScenario) -> Forecast:
    """Forecasts at a signal of the small network, ten vehicles waiting on every lane."""
    network = import_network(resolve(str(small.net), routes=[small.routes]), SumoProfile())
    city = lay_out(network)
    traffic = no_traffic(city, 0.0)
    traffic.queue_veh[:] = 10.0
    traffic.lane_rate_veh_s[:] = 0.05
    site = network.intersections[0]
    controller = LocalController(site, tick_ds=10, now_ds=round(NOW_S * 10))

    def of(action: OverrideAction, target: str = "", ttl_s: float = 60) -> Preview | None:
        lease = Lease(
            override_id="o1",
            action=action,
            precedence=PRECEDENCE[action],
            target=resolve_target(site, action, target),
            effective_ds=round(NOW_S * 10),
            expiry_ds=round((NOW_S + ttl_s) * 10),
        )
        before = [np.array(field) for field in traffic], controller.state, controller.stage
        found = preview(city, traffic, 0, controller, lease, NOW_S)
        assert all(np.array_equal(old, new) for old, new in zip(before[0], traffic, strict=True))
        assert (controller.state, controller.stage) == before[1:]
        return found

    return of


def test_all_red_costs_every_lane_and_the_longer_the_more(forecast: Forecast) -> None:
    short, long = (forecast(OverrideAction.ALL_RED, ttl_s=ttl_s) for ttl_s in (30, 90))
    assert short is not None and long is not None
    assert long.change_veh_s > short.change_veh_s > 0
    assert long.left_change_veh > 0
    assert min(long.longest_red_s) >= 85


def test_lamps_that_are_off_are_not_modelled(forecast: Forecast) -> None:
    assert forecast(OverrideAction.FLASH) is None
    assert forecast(OverrideAction.DARK) is None


def test_held_stage_serves_its_lanes_at_the_cost_of_the_others(forecast: Forecast) -> None:
    found = forecast(OverrideAction.HOLD, ttl_s=120)
    assert found is not None
    assert min(found.delay_change_veh_s) < 0 < max(found.delay_change_veh_s)
    assert found.change_veh_s > 0


def test_other_stage_names_the_rule_that_holds_it_back(forecast: Forecast) -> None:
    hold = forecast(OverrideAction.HOLD)
    assert hold is not None
    assert hold.shown_after_s == 1
    assert hold.held_back_by is None
    others = [forecast(OverrideAction.STAGE, name) for name in ("1", "3")]
    waits = [found for found in others if found is not None and found.held_back_by is not None]
    assert waits
    assert all(found.shown_after_s and found.shown_after_s > 1 for found in waits)


def test_answer_comes_within_a_second(forecast: Forecast) -> None:
    forecast(OverrideAction.HOLD)  # kernels are compiled
    began = time.process_time()
    forecast(OverrideAction.HOLD, ttl_s=300)
    assert time.process_time() - began < 1.0


def delay_veh_s(directory: Path) -> float:
    return sum(
        float(trip.get("timeLoss", 0)) + max(0.0, float(trip.get("departDelay", 0)))
        for trip in ElementTree.parse(directory / "tripinfo.xml").iter("tripinfo")
    )


@pytest.mark.sumo
def test_forecast_of_a_run_has_the_size_that_sumo_measures(
    small: SmallScenario, tmp_path: Path
) -> None:
    file = tmp_path / "overrides.toml"
    file.write_text(
        '[[override]]\nat = 100\naction = "all-red"\nintersection = "A0"\nttl = 90\n'
        'reason = "burst water main"\n',
        encoding="utf-8",
    )
    words = ("simulate", *small.arguments, "-e", "450")
    in_a_process(*words, "-o", tmp_path / "without")
    in_a_process(*words, "--overrides", file, "-o", tmp_path / "with")
    measured = delay_veh_s(tmp_path / "with") - delay_veh_s(tmp_path / "without")
    with (tmp_path / "with" / "overrides.csv").open(newline="", encoding="utf-8") as rows:
        row = next(row for row in csv.DictReader(rows) if row["event"] == "forecast")
    expected = float(row["detail"].split(" ")[0])
    assert measured > 500
    assert measured / 2 < expected < measured * 2
