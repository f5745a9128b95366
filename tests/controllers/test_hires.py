"""Hi-res events of a signal group, second by second as the enumeration has them."""

from __future__ import annotations

from collections.abc import Sequence

from ampelwerk.controllers.hires import FREE, Event, EventCode, SignalEvents
from ampelwerk.models.envelope import (
    Aspect,
    Envelope,
    GroupId,
    IntersectionId,
    RoadUser,
    SignalGroup,
)
from ampelwerk.models.plan import CyclicPlan, PlanStep

R, RA, G, A = Aspect.RED, Aspect.RED_AMBER, Aspect.GREEN, Aspect.AMBER


def group(name: str, road_user: RoadUser, amber_ds: int, red_amber_ds: int) -> SignalGroup:
    return SignalGroup(
        group_id=GroupId(name),
        road_user=road_user,
        min_green_ds=50,
        amber_ds=amber_ds,
        red_amber_ds=red_amber_ds,
        min_red_ds=10,
    )


CROSSING = Envelope(
    intersection_id=IntersectionId("j1"),
    profile="rilsa/1",
    groups=(group("K1", RoadUser.MOTOR, 30, 10), group("F1", RoadUser.PEDESTRIAN, 0, 0)),
    conflict=((False, True), (True, False)),
    intergreen_ds=((None, 50), (80, None)),
)
PLAN = CyclicPlan(
    plan_id="day",
    cycle_ds=600,
    offset_ds=-50,
    steps=(PlanStep(start_ds=0, stage=0), PlanStep(start_ds=300, stage=1)),
)


def events(shown: Sequence[tuple[int, tuple[int, int]]]) -> list[Event]:
    log = SignalEvents(CROSSING, (PLAN,))
    return [e for now_ds, aspects in shown for e in log.see(now_ds, aspects, pattern=FREE)]


def test_vehicle_group_green_amber_clearance() -> None:
    shown = [(0, (R, R)), (10, (RA, R)), (20, (G, R)), (80, (G, R)), (90, (A, R)), (120, (R, R))]
    shown += [(130, (R, R)), (140, (R, R))]
    assert events(shown)[1:] == [
        Event(20, EventCode.BEGIN_GREEN, 1),
        Event(70, EventCode.MINIMUM_GREEN_REACHED, 1),
        Event(90, EventCode.FORCE_OFF, 1),
        Event(90, EventCode.END_GREEN, 1),
        Event(90, EventCode.BEGIN_AMBER, 1),
        Event(120, EventCode.END_AMBER, 1),
        Event(120, EventCode.BEGIN_RED_CLEARANCE, 1),
        Event(140, EventCode.END_RED_CLEARANCE, 1),
    ]


def test_pedestrian_group_walk_clearance_dont_walk() -> None:
    assert events([(0, (R, R)), (10, (R, G)), (60, (R, R)), (140, (G, R))])[1:] == [
        Event(10, EventCode.BEGIN_WALK, 2),
        Event(60, EventCode.BEGIN_PEDESTRIAN_CLEARANCE, 2),
        Event(140, EventCode.BEGIN_DONT_WALK, 2),
        Event(140, EventCode.BEGIN_GREEN, 1),
    ]


def test_green_again_before_anybody_else_ends_the_clearance() -> None:
    found = events([(0, (R, R)), (10, (G, R)), (60, (A, R)), (90, (R, R)), (100, (G, R))])
    assert found[-2:] == [
        Event(100, EventCode.END_RED_CLEARANCE, 1),
        Event(100, EventCode.BEGIN_GREEN, 1),
    ]


def test_green_that_began_before_the_log_has_an_end_alone() -> None:
    found = events([(0, (G, R)), (60, (A, R))])
    assert [e.code for e in found] == [
        EventCode.PATTERN, EventCode.FORCE_OFF, EventCode.END_GREEN, EventCode.BEGIN_AMBER,
    ]  # fmt: skip


def test_change_of_pattern_tells_cycle_time_and_offset() -> None:
    log = SignalEvents(CROSSING, (PLAN,))
    assert list(log.see(0, (R, R), pattern=FREE)) == [Event(0, EventCode.PATTERN, FREE)]
    assert list(log.see(10, (R, R), pattern=FREE)) == []
    assert list(log.see(20, (R, R), pattern=1)) == [
        Event(20, EventCode.PATTERN, 1),
        Event(20, EventCode.CYCLE_TIME, 60),
        Event(20, EventCode.OFFSET, 55),
    ]


def test_reason_of_the_end_is_told() -> None:
    log = SignalEvents(CROSSING, (PLAN,))
    list(log.see(0, (G, R), pattern=FREE))
    found = list(log.see(10, (A, R), pattern=FREE, ended_by=EventCode.GAP_OUT))
    assert found[0] == Event(10, EventCode.GAP_OUT, 1)


def test_flash_is_told_when_it_begins_and_ends() -> None:
    log = SignalEvents(CROSSING, (PLAN,))
    list(log.see(0, (R, R), pattern=FREE))
    assert list(log.see(10, (R, R), pattern=FREE, flashing=True)) == [
        Event(10, EventCode.FLASH_STATUS, 3)
    ]
    assert list(log.see(20, (R, R), pattern=FREE, flashing=True)) == []
    assert list(log.see(30, (R, R), pattern=FREE)) == [Event(30, EventCode.FLASH_STATUS, 2)]
