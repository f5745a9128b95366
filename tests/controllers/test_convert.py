"""What goes over the wire comes back the same."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampelwerk.controllers import convert
from ampelwerk.controllers.local import LocalController
from ampelwerk.controllers.schedule import schedule_of
from ampelwerk.models.detection import DetectorFrame
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.proto.v1 import common_pb2, plan_pb2, telemetry_pb2
from tests.controllers.city import crossroads

TIMES_S = st.floats(0, 4e9, allow_nan=False)
EDGES = st.lists(st.tuples(st.integers(0, 3), TIMES_S, st.integers(0, 1)), max_size=30)
NAMES = ("a", "b", "c", "d")


def frame(edges: list[tuple[int, float, int]]) -> DetectorFrame:
    return DetectorFrame(
        time_s=1.0,
        loop=array("q", [edge[0] for edge in edges]),
        at_s=array("d", [edge[1] for edge in edges]),
        on=array("q", [edge[2] for edge in edges]),
    )


@given(edges=EDGES, cut=st.integers(0, 30))
def test_edges_of_several_controllers_become_one_frame_to_the_last_bit(
    edges: list[tuple[int, float, int]], cut: int
) -> None:
    known = {name: loop for loop, name in enumerate(NAMES)}
    batches = []
    for part in (edges[:cut], edges[cut:]):
        batch = telemetry_pb2.DetectorBatch(edges=convert.edges_message(frame(part), NAMES))
        batches.append((known, telemetry_pb2.DetectorBatch.FromString(batch.SerializeToString())))
    expected = sorted(edges, key=lambda edge: edge[0])
    assert convert.frame_of(batches, 1.0) == frame(expected)


def test_signals_of_every_second_of_a_cycle_survive_the_wire() -> None:
    local = LocalController(crossroads("north"), tick_ds=10, now_ds=0)
    seen = set()
    for second in range(1, 70):
        local.tick(second * 10)
        message = convert.signal_state_message(
            local, now_ds=second * 10, tick_ds=10, plan_version=3
        )
        sent = telemetry_pb2.SignalState.FromString(message.SerializeToString())
        shown = convert.shown_signals(sent, local.intersection)
        assert shown.stage == local.stage
        assert shown.green_mask == local.green_mask
        assert shown.since_ds == local.since_ds
        assert shown.decidable_from_ds == local.decidable_from_ds
        seen.add((shown.stage, shown.green_mask))
    assert len(seen) == 4  # two stages, each reached through red


@pytest.mark.parametrize("wrong", ["stage", "order", "missing", "aspect"])
def test_signals_of_another_intersection_are_refused(wrong: str) -> None:
    local = LocalController(crossroads("north"), tick_ds=10, now_ds=0)
    message = convert.signal_state_message(local, now_ds=0, tick_ds=10, plan_version=0)
    if wrong == "stage":
        message.stage_id = "left"
    elif wrong == "order":
        message.groups[0].group_id, message.groups[1].group_id = "side", "main"
    elif wrong == "missing":
        del message.groups[1]
    else:
        message.groups[0].aspect = common_pb2.ASPECT_UNSPECIFIED
    with pytest.raises(InvalidInputError, match="north"):
        convert.shown_signals(message, local.intersection)


@given(
    stage=st.integers(0, 1),
    now_ds=st.integers(0, 2**34),
    version=st.integers(1, 2**63),
    hold=st.booleans(),
)
def test_a_schedule_asks_for_what_was_decided(
    stage: int, now_ds: int, version: int, hold: bool
) -> None:
    site, now_ms = crossroads("north"), now_ds * 100
    envelope_hash = convert.envelope_hash(site.envelope)
    made = convert.rolling_plan(
        site,
        stage,
        envelope_hash=envelope_hash,
        epoch=1,
        version=version,
        decided_unix_ms=now_ms,
        valid_ms=60_000,
        decision_id="",
        hold_greens=hold,
    )
    sent = plan_pb2.Plan.FromString(made.SerializeToString())
    schedule = schedule_of(sent, site, envelope_hash=envelope_hash, unix_ms=now_ms, nonce=5)
    assert schedule.stage_at(now_ms) == stage
    assert schedule.stage_at(now_ms - 100) is None
    assert schedule.valid_until_unix_ms == now_ms + 60_000
    assert (schedule.version, schedule.nonce, schedule.hold_greens) == (version, 5, hold)
