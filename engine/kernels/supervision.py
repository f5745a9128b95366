"""Who must not be kept waiting, and who could not go on: rules shared by the strategies."""

from __future__ import annotations

from ampelwerk.engine._jit import kernel
from ampelwerk.engine.kernels.city import City
from ampelwerk.engine.kernels.decision import Choice, Signals, release_walkers
from ampelwerk.engine.kernels.junction_box import junction_occupied
from ampelwerk.engine.kernels.traffic import NEVER, Traffic

SHORT_VEH, FULL_SHARE, SHORT_WAIT_S = 3.0, 0.5, 10.0
"""A lane on a road that holds no more than this up to the signal behind is served next when this share
of it has been full for this long: a queue would stand in the junction behind. [veh], [-], [s]"""
STUCK_S = 15.0
"""A lane that stood on under a stage is not expected to move under it for this long. [s]"""


@kernel
def may_decide(
    city: City, traffic: Traffic, signals: Signals, i: int, now_s: float, out: Choice
) -> bool:
    """No wish yet at an intersection; whether a strategy is to find one.

    The next greens wait while the junction is occupied, and pedestrians are released first.
    """
    out.stage[i] = -1
    out.hold[i] = junction_occupied(traffic, signals, i)
    return bool(
        now_s >= signals.decidable_s[i] and not release_walkers(city, signals.stage[i], i, out)
    )


@kernel
def busy_elsewhere(city: City, traffic: Traffic, i: int, stage: int) -> bool:
    """Vehicles wait on a lane that the stage does not serve."""
    for lane in range(city.lane_ptr[i], city.lane_ptr[i + 1]):
        if (
            traffic.queue_veh[lane] >= 0.5
            and not city.lane_is_crossing[lane]
            and not serves(city, stage, lane)
        ):
            return True
    return False


@kernel
def longest_waiting(
    city: City, traffic: Traffic, i: int, present: int, now_s: float, wait_s: float
) -> int:
    """Lane at red longest among those that wait without a departure beyond the limit, or -1.

    present : stage shown, counted among all; who cannot move under it waits as at red.

    By time at red and not since the departure: a lane whose green was in vain, because its exit was
    full or its loop has failed, takes its turn behind the others, and not before it has been at red
    beyond the limit again. Else lanes before a full exit called each other's stages in turn.
    """
    found, longest_s = -1, 0.0
    for lane in range(city.lane_ptr[i], city.lane_ptr[i + 1]):
        if (
            city.lane_groups[lane] == 0
            or traffic.queue_veh[lane] < 0.5
            or (
                traffic.green_since_s[lane] > NEVER
                and not stuck(city, traffic, present, lane, now_s)
            )
        ):
            continue
        waited_s = now_s - traffic.departed_s[lane]
        red_s = now_s - traffic.red_since_s[lane]
        if traffic.green_since_s[lane] > NEVER:
            red_s = now_s - traffic.green_since_s[lane]
        limit_s = wait_s
        if (
            city.lane_reach_veh[lane] <= SHORT_VEH
            and traffic.queue_veh[lane] >= FULL_SHARE * city.lane_reach_veh[lane]
        ):
            limit_s = SHORT_WAIT_S
        if waited_s > limit_s and red_s > max(limit_s, longest_s):
            found, longest_s = lane, red_s
    return found


@kernel
def stuck(city: City, traffic: Traffic, stage: int, lane: int, now_s: float) -> bool:
    """The lane has stood on under the stage and is not expected to move under it for a while."""
    for entry in range(city.entry_ptr[stage], city.entry_ptr[stage + 1]):
        if city.entry_lane[entry] == lane:
            return bool(now_s - traffic.stuck_s[entry] < STUCK_S)
    return False


@kernel
def serves(city: City, stage: int, lane: int) -> bool:
    """The stage releases the lane."""
    for entry in range(city.entry_ptr[stage], city.entry_ptr[stage + 1]):
        if city.entry_lane[entry] == lane:
            return True
    return False


@kernel
def exit_share(city: City, traffic: Traffic, lane: int) -> float:
    """Share of the lane's exits that have room."""
    count = city.lane_exit_ptr[lane + 1] - city.lane_exit_ptr[lane]
    if count == 0:
        return 1.0
    open_ = 0
    for j in range(city.lane_exit_ptr[lane], city.lane_exit_ptr[lane + 1]):
        open_ += 1 - traffic.full[city.lane_exit[j]]
    return float(open_ / count)
