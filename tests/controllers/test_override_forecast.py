"""Forecasts over the wire: by the engine's own beliefs, from what the controller has reported."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import grpc
import pytest

from ampelwerk.controllers.identity import Kind
from ampelwerk.controllers.local import FAR_DS, LocalController
from ampelwerk.controllers.service.forecast import mirrored
from ampelwerk.controllers.service.live_city import ShownByController
from ampelwerk.controllers.steering import with_plans_of
from ampelwerk.models.plan_schedule import PlanSchedule
from ampelwerk.proto.v1 import override_pb2
from ampelwerk.sim.controls import believed_by, connect
from tests.controllers.city import crossroads
from tests.controllers.control_room import Person, Street, asked, records
from tests.controllers.live import refusal, running

Status = grpc.StatusCode


def test_a_forecast_says_what_a_request_would_cost(tmp_path: Path) -> None:
    async def inside() -> None:
        async with running(store=tmp_path / "s") as there, there.connected("north") as client:
            city, street = there.city, Street(there, client)
            city.control = connect("rolling-horizon", city)
            city.beliefs = believed_by(city.control)
            assert city.beliefs is not None
            city.beliefs.traffic.queue_veh[:] = 10.0
            city.beliefs.traffic.lane_rate_veh_s[:] = 0.1
            before = city.beliefs.traffic.queue_veh.copy()
            await street.pass_s(10)
            city.gather(there.clock.now_ms / 1000)
            async with there.channel(Kind.OPERATOR, "ada") as channel:
                ada = Person(channel)
                begin_s = time.perf_counter()
                found = await ada.preview(asked(ttl_ms=120_000))
                took_s = time.perf_counter() - begin_s
                change = {one.approach_id: one.delay_change_veh_s for one in found.approaches}
                red_ms = {one.approach_id: one.max_red_ms for one in found.approaches}
                assert change["north.main"] > 60.0  # stands for two minutes
                assert change["north.main"] > change["north.side"]
                assert 100_000 <= red_ms["north.main"] <= 200_000
                assert found.horizon_ms == 360_000
                assert found.valid_until_unix_ms > there.clock.now_ms
                assert not found.holders
                assert took_s < 5.0  # s; under a second without other load
                assert (city.beliefs.traffic.queue_veh == before).all()
                assert [e for e in records(tmp_path / "s") if e.actor == "ada"] == []
                assert await ada.listed() == {}
                granted = await ada.request(asked())
                (holder,) = (await ada.preview(asked())).holders
                assert holder.override_id == granted.override_id
                flash = override_pb2.OverrideAction(flash=override_pb2.Flash())
                (finding,) = (await ada.preview(asked(action=flash))).findings
                assert "not modelled" in finding.message
                session = city.by_name["north"]
                evening = replace(session.intersection.plans[0], plan_id="evening")
                session.with_plans = with_plans_of(session.intersection, PlanSchedule([evening]))
                choice = override_pb2.SelectPlan(plan_id="evening")
                action = override_pb2.OverrideAction(select_plan=choice)
                assert (await ada.preview(asked(action=action))).approaches
                there.clock.now_ms += 5_000
                assert await refusal(ada.preview(asked("west"))) == (Status.NOT_FOUND, "UNKNOWN_ID")
                assert await refusal(ada.preview(asked(ttl_ms=1))) == (
                    Status.INVALID_ARGUMENT, "INVALID",
                )  # fmt: skip
                city.beliefs = None
                (finding,) = (await ada.preview(asked())).findings
                assert finding.rule == "no_model"

    asyncio.run(inside())


@pytest.mark.parametrize("stage", [0, 1])
@pytest.mark.parametrize("age_ds", [0, 30, 400, 9_000])
def test_the_copy_shows_what_the_controller_shows(stage: int, age_ds: int) -> None:
    site, now_ds = crossroads("north"), 18_000_000_000
    real = LocalController(site, tick_ds=10, now_ds=now_ds - 12_000)
    real.want(1 - stage, FAR_DS)
    at_ds = now_ds - 12_000
    while at_ds < now_ds - age_ds - 120 or not real.settled:
        at_ds += 10
        real.tick(at_ds)
    real.want(stage, FAR_DS)
    while at_ds < now_ds:
        at_ds += 10
        real.tick(at_ds)
    shown = ShownByController(
        stage=real.stage, decidable_from_ds=real.decidable_from_ds, since_ds=real.since_ds
    )
    copied = mirrored(site, shown, now_ds)
    assert (copied.stage, copied.settled) == (stage, True)
    assert copied.aspects == real.aspects
    if real.settled:
        assert copied.since_ds == max(real.since_ds, now_ds - 1_200)
        assert copied.decidable_from_ds <= max(now_ds, real.decidable_from_ds)
