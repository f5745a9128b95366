"""An override chooses a plan that somebody has published, and keeps it when another one takes over."""

from __future__ import annotations

import grpc

from ampelwerk.controllers.identity import Kind
from ampelwerk.proto.v1 import override_pb2
from tests.controllers.control_room import MAIN, SIDE, Person, asked, refused
from tests.controllers.plan_room import NEXT_STAGE, PlanRoom, cyclic, plan, plan_room
from tests.controllers.plan_room import asked as publish

EVENING = override_pb2.OverrideAction(select_plan=override_pb2.SelectPlan(plan_id="evening"))


def wanted_stage(main_s: int, now_ms: int) -> int:
    """Stage that a plan of 80 s wants, from the message alone."""
    message = cyclic(main_s=main_s)
    clock_ms = (now_ms - message.offset_ms) % message.cycle_ms
    (name,) = (
        stage.stage_id
        for stage in message.stages
        if stage.start_ms <= clock_ms < stage.start_ms + stage.split_ms
    )
    return [MAIN, SIDE].index(name)


@plan_room
async def test_a_published_plan_is_chosen_and_stays_until_it_is_over(room: PlanRoom) -> None:
    there, street = room.there, await room.street("north")
    eve, roadside = await room.author(), street.clients[0].roadside
    ada = Person(await room.line(Kind.OPERATOR, "ada"))
    status = grpc.StatusCode.NOT_FOUND
    await refused(room.store, ada.request(asked(action=EVENING)), status, "UNKNOWN_ID", actor="ada")
    await eve.publish(publish(plan(main_s=50), activation=NEXT_STAGE))
    await street.pass_s(90)
    granted = await ada.request(asked(action=EVENING, ttl_ms=600_000))
    there.control.want(0, 1)
    there.city.tick(there.clock.now_ms / 1000)  # the strategy wants the side road
    await street.settle()
    later = await eve.publish(
        publish(plan(main_s=30, name="late"), expected_version=1, activation=NEXT_STAGE)
    )
    shown = {}
    for second in range(170):
        await street.pass_s(1)
        if second == 100:
            assert roadside.published.version == later.version
            await ada.renew(granted.override_id, 600_000)
        shown[there.clock.now_ms] = roadside.local.stage
    assert all(stage == wanted_stage(50, now_ms) for now_ms, stage in shown.items())
    assert any(stage != wanted_stage(30, now_ms) for now_ms, stage in shown.items())
    (kept,) = (await ada.listed(with_ended=False)).values()
    assert kept.state == override_pb2.OVERRIDE_STATE_ACTIVE
    await ada.release(granted.override_id)
    await street.settle()
    await refused(room.store, ada.request(asked(action=EVENING)), status, "UNKNOWN_ID", actor="ada")
    late = override_pb2.OverrideAction(select_plan=override_pb2.SelectPlan(plan_id="late"))
    assert (await ada.request(asked(action=late))).state == override_pb2.OVERRIDE_STATE_GRANTED
