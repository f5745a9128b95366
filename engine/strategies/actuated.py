"""`actuated`: a stage is held until its traffic has gaps, and stages nobody calls are skipped.

Gap-out: every lane of the stage has seen no vehicle at its advance loop (else at the stop line)
for its gap time. Max-out: the stage has run its maximum green since somebody else first called.
Standard library only: the same code runs in a controller that is cut off from the server.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ampelwerk.engine.strategies.strategy import Wish
from ampelwerk.models.detection import DetectorFrame, LoopAlarm, LoopRole
from ampelwerk.models.intersection import Intersection
from ampelwerk.models.network import Network

MAX_GREEN_S = 50.0
"""Longest green once another stage is called, as in SUMO's actuated programs. [s]"""
STOP_LINE_GAP_S = 2.5
"""Gap time of a lane that has only a stop-line loop. [s]"""
SHORTEST_GAP_S, LONGEST_GAP_S = 2.0, 4.0
"""Bounds of the gap time of a lane with an advance loop. [s]"""
CALL_S = 4.0
"""Who stays in a walking area this long at red waits for the crossing, and who stands this long
before a line with some movements at green waits for another. [s]"""
STUCK_S = 120.0
"""A loop occupied this long without an edge is stuck, or its lane does not move: no reason to stay
green. [s]"""
NEVER_S = -1e9


class ShownStage(Protocol):
    """What a local controller shows."""

    stage: int
    """Stage requested."""
    decidable_from_ds: int
    """Moment from which another stage may be asked for. [ds]"""
    since_ds: int
    """Moment at which the stage was shown in full. [ds]"""


class _Lane:
    """What is known about one lane, or one pedestrian crossing."""

    __slots__ = ("always", "called", "gap_s", "occupied", "seen_s", "standing", "stands_s")

    def __init__(self, gap_s: float, always: bool) -> None:
        self.gap_s, self.always = gap_s, always
        self.called, self.occupied, self.seen_s = always, 0, NEVER_S
        self.standing, self.stands_s = 0, NEVER_S


class _Kerb(_Lane):
    """What is remembered of a crossing: somebody stays at its kerb."""

    __slots__ = ("busy", "since_s")

    def __init__(self, always: bool) -> None:
        super().__init__(0.0, always)
        self.busy: set[int] = set()
        self.since_s: float | None = None


def stage_order(intersection: Intersection) -> list[int]:
    """Stages in the program's order, each with pedestrians before the same without.

    The program may lead in to the latter's lamps first, by red-amber; pedestrians who waited would then
    get their green only after the vehicles had theirs.
    """
    order = list[int]()
    for s, stage in enumerate(intersection.stages):
        if stage.selectable and stage.delivered:
            without = intersection.without_walkers(s)
            order.insert(order.index(without) if without in order else len(order), s)
    return order


class Actuated:
    """Vehicle-actuated control of every intersection on its own."""

    name = "actuated"

    def __init__(self, network: Network, controllers: Sequence[ShownStage]) -> None:
        self._controllers = controllers
        self.alarms: Sequence[LoopAlarm] = ()
        self._lanes = [_Lane(*_gap(network, number)) for number in range(len(network.lanes))]
        crossings = [_Kerb(not crossing.call_loops) for crossing in network.crossings]
        self._kerbs = [kerb for kerb in crossings if not kerb.always]
        self._by_kerb_loop: list[list[_Kerb]] = [[] for _ in network.loops]
        self._by_stop_loop: list[list[_Lane]] = [[] for _ in network.loops]
        self._by_gap_loop: list[list[_Lane]] = [[] for _ in network.loops]
        for lane, state in zip(network.lanes, self._lanes, strict=True):
            for loop in lane.stop_loops:
                self._by_stop_loop[loop].append(state)
            for loop in lane.advance_loops or lane.stop_loops:
                self._by_gap_loop[loop].append(state)
        for crossing, state in zip(network.crossings, crossings, strict=True):
            for loop in crossing.call_loops:
                self._by_kerb_loop[loop].append(state)
        self._served: list[list[list[_Lane]]] = []
        self._in_full: list[list[list[_Lane]]] = []
        self._order: list[list[int]] = []
        self._without: list[list[int | None]] = []
        for i, intersection in enumerate(network.intersections):
            members = [
                ({intersection.movements[m].group for m in lane.movements}, state)
                for lane, state in zip(network.lanes, self._lanes, strict=True)
                if lane.intersection == i
            ]
            members += [
                ({crossing.group}, state)
                for crossing, state in zip(network.crossings, crossings, strict=True)
                if crossing.intersection == i
            ]
            self._served.append(
                [
                    [state for groups, state in members if groups & set(stage.groups)]
                    for stage in intersection.stages
                ]
            )
            self._in_full.append(
                [
                    [state for groups, state in members if groups <= set(stage.groups)]
                    for stage in intersection.stages
                ]
            )
            self._without.append(
                [intersection.without_walkers(s) for s in range(len(intersection.stages))]
            )
            self._order.append(stage_order(intersection))
        self._opposed_since_s: list[float | None] = [None] * len(network.intersections)

    def observe(self, frame: DetectorFrame) -> None:
        """Book one tick's edges."""
        for loop, at_s, on in zip(frame.loop, frame.at_s, frame.on, strict=True):
            if on:
                for lane in self._by_stop_loop[loop]:
                    lane.called = True
                    lane.standing += 1
                    lane.stands_s = at_s
                for lane in self._by_gap_loop[loop]:
                    lane.occupied += 1
                    lane.seen_s = at_s
                    lane.called = True
                for kerb in self._by_kerb_loop[loop]:
                    kerb.busy.add(loop)
                    kerb.since_s = at_s if kerb.since_s is None else kerb.since_s
            else:
                for lane in self._by_stop_loop[loop]:
                    lane.standing = max(0, lane.standing - 1)
                for kerb in self._by_kerb_loop[loop]:
                    kerb.busy.discard(loop)
                for lane in self._by_gap_loop[loop]:
                    lane.occupied = max(0, lane.occupied - 1)
                    lane.seen_s = at_s

    def decide(self, now_s: float) -> Sequence[Wish]:
        """Wishes for the intersections whose stage should change."""
        for kerb in self._kerbs:
            if kerb.since_s is not None and now_s - kerb.since_s >= CALL_S:
                kerb.called, kerb.since_s = kerb.called or bool(kerb.busy), None
        wishes = []
        now_ds = round(now_s * 10)
        for i, shown in enumerate(self._controllers):
            if now_ds >= shown.decidable_from_ds:
                wish = self._decide_one(i, shown, now_s)
                if wish is not None:
                    wishes.append(wish)
        return wishes

    def _decide_one(self, i: int, shown: ShownStage, now_s: float) -> Wish | None:
        """Gap-out, max-out or go on."""
        served = self._served[i][shown.stage]
        gapped = True
        for lane in served:
            if isinstance(lane, _Kerb):
                lane.called, lane.since_s = lane.always, None
            elif now_s - lane.seen_s <= (STUCK_S if lane.occupied else lane.gap_s):
                gapped = False
                break
        without = self._without[i][shown.stage]
        if without is not None:
            # Ended early, the pedestrians' clearing time passes while vehicles still run.
            return Wish(intersection=i, stage=without, reason="pedestrians have been served")
        opposed_s = self._opposed_since_s[i]
        if not gapped and opposed_s is not None and now_s - opposed_s < MAX_GREEN_S:
            return None
        following = self._next_called(i, shown.stage, served, now_s)
        if following is None:
            self._opposed_since_s[i] = None
            return None
        if opposed_s is None:
            self._opposed_since_s[i] = opposed_s = now_s
        if not gapped and now_s - max(opposed_s, shown.since_ds / 10) < MAX_GREEN_S:
            return None
        for lane in served:
            lane.called = lane.always or lane.occupied > 0 or lane.standing > 0
        self._opposed_since_s[i] = None
        reason = "gap-out" if gapped else "max-out"
        return Wish(intersection=i, stage=following, reason=reason)

    def _next_called(self, i: int, present: int, served: list[_Lane], now_s: float) -> int | None:
        """Next stage in order that serves a calling lane which the present one does not.

        A lane of which only some movements are green calls once its first vehicle stands on.
        """
        in_full = self._in_full[i]
        stuck = [
            lane
            for lane in served
            if lane.standing and lane not in in_full[present] and now_s - lane.stands_s >= CALL_S
        ]
        order = self._order[i]
        start = order.index(present) + 1 if present in order else 0
        for k in range(len(order)):
            stage = order[(start + k) % len(order)]
            if stage != present and (
                any(lane.called and lane not in served for lane in self._served[i][stage])
                or any(lane in in_full[stage] for lane in stuck)
            ):
                return self._called_part(i, stage)
        return None

    def _called_part(self, i: int, stage: int) -> int:
        """The stage, without its pedestrians if none of them calls."""
        without = self._without[i][stage]
        if without is None:
            return stage
        kerbs = [lane for lane in self._served[i][stage] if isinstance(lane, _Kerb)]
        return stage if any(kerb.called for kerb in kerbs) else without


def _gap(network: Network, number: int) -> tuple[float, bool]:
    """Gap time of a lane, and whether it has no loop at all and therefore always calls."""
    lane = network.lanes[number]
    if not lane.advance_loops:
        return STOP_LINE_GAP_S, not lane.stop_loops
    gap_s = lane.advance_m / lane.speed_mps
    return min(max(gap_s, SHORTEST_GAP_S), LONGEST_GAP_S), False


ROLES = (LoopRole.STOP_LINE, LoopRole.ADVANCE, LoopRole.CALL)
"""Loops that the strategy needs."""
