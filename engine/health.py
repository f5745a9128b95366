"""Health of loops: the shell around `kernels.health` and `kernels.degradation`."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np

from ampelwerk.engine.kernels import loops, observation
from ampelwerk.engine.kernels.city import (
    ADVANCE,
    CALL,
    EXIT,
    STOP_LINE,
    UPSTREAM,
    City,
    FloatArray,
    IntArray,
)
from ampelwerk.engine.kernels.decision import Signals
from ampelwerk.engine.kernels.loops import DENSE, Health, Watch
from ampelwerk.engine.kernels.traffic import NEVER, Traffic
from ampelwerk.engine.lane_service import SATURATION_FLOW_VEH_S
from ampelwerk.models.detection import LoopAlarm, LoopRole

PRIOR_VEH, PRIOR_SHARE, PRIOR_S = 3.0, 0.75, 60.0
"""What a loop is taken to have seen before begin, as a share of what its lane's other loop saw, and
in which time. [veh], [-], [s]"""
UNCAPPED_VEH = 1e6
"""A cap above this is none. [veh]"""
Edges = tuple[IntArray, FloatArray, IntArray]
"""Loop, time [s] and direction of each edge, as in `DetectorFrame`."""
NO_EDGES: Edges = (np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64))
JUDGE_EVERY_S = 4.0
"""Loops are judged this often; no green is shorter. [s]"""
FAULT = {
    loops.SOUND: "sound",
    loops.STUCK_ON: "stuck-on",
    loops.STUCK_OFF: "stuck-off",
    loops.CHATTER: "chatter",
}
"""Names of faults."""
_ROLE = {
    STOP_LINE: LoopRole.STOP_LINE,
    ADVANCE: LoopRole.ADVANCE,
    UPSTREAM: LoopRole.UPSTREAM,
    EXIT: LoopRole.EXIT,
    CALL: LoopRole.CALL,
}


def _rows(rows: Iterable[Iterable[int]]) -> tuple[IntArray, IntArray]:
    """Compressed rows: pointers and values."""
    lists = [list(row) for row in rows]
    ptr = np.concatenate([[0], np.cumsum([len(row) for row in lists])]).astype(np.int64)
    return ptr, np.array([value for row in lists for value in row], dtype=np.int64)


def watch_of(city: City, roles: Collection[LoopRole]) -> Watch:
    """Where each loop belongs, and which loops see the same vehicles."""
    count = len(city.loop_role)
    targets = [
        city.loop_target[city.loop_target_ptr[k] : city.loop_target_ptr[k + 1]].tolist()
        for k in range(count)
    ]
    stops = [
        city.lane_stop_loop[city.lane_stop_ptr[n] : city.lane_stop_ptr[n + 1]].tolist()
        for n in range(city.lanes)
    ]
    advance: list[list[int]] = [[] for _ in range(city.lanes)]
    upstream: list[list[int]] = [[] for _ in range(city.lanes)]
    leading: list[list[int]] = [[] for _ in city.exit_intersection]
    heard = [_ROLE[int(role)] in roles for role in city.loop_role]
    approach = [
        city.approach_lane[city.approach_lane_ptr[a] : city.approach_lane_ptr[a + 1]].tolist()
        for a in range(len(city.approach_lane_ptr) - 1)
    ]
    for k in range(count):
        if city.loop_role[k] == ADVANCE:
            for lane in targets[k]:
                advance[lane].append(k)
        elif city.loop_role[k] == UPSTREAM and heard[k]:
            for u in targets[k]:
                for lane in approach[city.stream_approach[u]]:
                    upstream[lane].append(k)
    for lane in range(city.lanes):
        for j in range(city.lane_exit_ptr[lane], city.lane_exit_ptr[lane + 1]):
            leading[city.lane_exit[j]].append(lane)
    home, near, lanes_of = [], [], list[list[int]]()
    waits = [False] * city.lanes
    for flow, cap, lane in zip(city.entry_flow, city.entry_cap, city.entry_lane, strict=True):
        waits[lane] = waits[lane] or flow < SATURATION_FLOW_VEH_S or cap < UNCAPPED_VEH
    for k in range(count):
        role, lanes = city.loop_role[k], list[int]()
        if role == UPSTREAM:
            lanes = [n for u in targets[k] for n in approach[city.stream_approach[u]]]
        elif role == EXIT:
            lanes = [n for x in targets[k] for n in leading[x]]
        else:
            lanes = targets[k]
        lanes_of.append(lanes)
        home.append(int(city.lane_intersection[lanes[0]]) if lanes else -1)
        partners = list[int]()
        for n in lanes:
            if role == STOP_LINE:
                partners += advance[n] or upstream[n]
            elif role == UPSTREAM:
                partners += advance[n] or stops[n]
            elif role in (ADVANCE, EXIT):
                partners += stops[n]
        near.append(dict.fromkeys(partners))
    near_ptr, near_loops = _rows(near)
    advance_ptr, advance_loops = _rows(advance)
    heard_loops = [
        sum(1 for k in range(count) if heard[k] and home[k] == i)
        for i in range(len(city.lane_ptr) - 1)
    ]
    return Watch(
        heard=np.array(heard, dtype=np.int64),
        home=np.array(home, dtype=np.int64),
        near_ptr=near_ptr,
        near=near_loops,
        advance_ptr=advance_ptr,
        advance=advance_loops,
        yields=np.array([any(waits[n] for n in row) for row in lanes_of], dtype=np.int64),
        loops=np.array(heard_loops, dtype=np.int64),
    )


def no_health(city: City, watch: Watch, now_s: float) -> Health:
    """Before the first frame: every loop is sound; those of a lane are taken to have counted."""
    count = len(city.loop_role)
    own, near_seen, far_seen = np.zeros(count), np.zeros(count), np.zeros(count)
    for k in range(count):
        i = watch.home[k]
        if i < 0 or city.loop_role[k] not in (STOP_LINE, ADVANCE):
            continue
        own[k] = PRIOR_VEH
        far_seen[k] = 2 * PRIOR_VEH * (city.lane_ptr[i + 1] - city.lane_ptr[i])
        near = watch.near[watch.near_ptr[k] : watch.near_ptr[k + 1]]
        near_seen[k] = PRIOR_VEH / PRIOR_SHARE
        if len(near) and city.loop_role[near[0]] == UPSTREAM:
            near_seen[k] = far_seen[k]

    def zeros(size: int = count) -> FloatArray:
        return np.zeros(size)

    def whole(size: int = count) -> IntArray:
        return np.zeros(size, dtype=np.int64)

    signals = len(watch.loops)
    return Health(
        quality=np.ones(count),
        fault=whole(),
        out=whole(),
        on=whole(),
        since_s=np.full(count, now_s),
        evidence_s=np.full(count, NEVER),
        rises_s=np.full((count, DENSE), NEVER),
        turn=whole(),
        blips=zeros(),
        blip_s=np.full(count, NEVER),
        burst=zeros(),
        burst_s=np.full(count, NEVER),
        counted=zeros(),
        passed=zeros(signals),
        near_mark=zeros(),
        far_mark=zeros(),
        worst=np.zeros((count, 4)),
        own=own,
        near_seen=near_seen,
        far_seen=far_seen,
        own_s=np.where(own > 0.0, PRIOR_S, 0.0),
        vehicle_s=np.full(count, now_s),
        greens=zeros(),
        green_s=zeros(),
        refuted=zeros(),
        refuted_s=np.full(count, NEVER),
        kept_cover=zeros(len(city.stream_share)),
        kept_share=zeros(len(city.stream_share)),
        blind=whole(signals),
        lost=whole(signals),
        doubted=whole(signals),
        heard_s=np.full(signals, now_s),
        rate=zeros(signals),
    )


class LoopHealth:
    """Judges loops every few seconds, takes out of service those not believed, stands in for them.

    `City.lane_advance_loop` is kept to the loops in service.
    """

    def __init__(self, city: City, now_s: float, roles: Collection[LoopRole]) -> None:
        self._city, self._judged_s = city, now_s
        self.watch = watch_of(city, roles)
        self.state = no_health(city, self.watch, now_s)
        self.alarms: list[LoopAlarm] = []
        """Every loss and every recovery, by time."""
        self._known = self.state.quality == 0.0
        self._unheard: list[Edges] = []
        self._out = 0

    def believed(self, traffic: Traffic, signals: Signals, edges: Edges, now_s: float) -> Edges:
        """The edges of one tick that come from loops in service; all are kept for judgement.

        A loop out of service that shows something is judged at once: it may be back.
        """
        loop, at_s, on = edges
        if not len(loop):
            return edges
        self._unheard.append(edges)
        if self._out and self.state.out[loop].any():
            self._judge(traffic, signals, now_s)
            kept = self.state.out[loop] == 0
            return loop[kept], at_s[kept], on[kept]
        return edges

    def observe(
        self, traffic: Traffic, signals: Signals, edges: Edges, now_s: float, step_s: float
    ) -> None:
        """Take the believed edges of a tick; judge if it is time; stand in for lost loops."""
        since_s = now_s - self._judged_s
        due = since_s >= JUDGE_EVERY_S - 1e-6
        unheard = self._take_unheard() if due else NO_EDGES
        self._out = observation.observe(
            self._city, self.watch, self.state, traffic, signals, *edges, *unheard,
            now_s, step_s, since_s if due else 0.0, self._out,
        )  # fmt: skip
        if due:
            self._judged_s = now_s
            self._note(now_s)

    def _judge(self, traffic: Traffic, signals: Signals, now_s: float) -> None:
        """Judge out of turn."""
        self._out = observation.observe(
            self._city, self.watch, self.state, traffic, signals, *NO_EDGES, *self._take_unheard(),
            now_s, 0.0, now_s - self._judged_s, self._out,
        )  # fmt: skip
        self._judged_s = now_s
        self._note(now_s)

    def _take_unheard(self) -> Edges:
        """All edges since the last judgement."""
        if not self._unheard:
            return NO_EDGES
        loop, at_s, on = zip(*self._unheard, strict=True)
        self._unheard = []
        return np.concatenate(loop), np.concatenate(at_s), np.concatenate(on)

    def _note(self, now_s: float) -> None:
        """Add to the alarms what has changed."""
        lost = self.state.quality == 0.0
        if (lost == self._known).all():
            return
        self.alarms += [
            LoopAlarm(
                time_s=now_s,
                loop=int(k),
                fault=FAULT[int(self.state.fault[k])] if lost[k] else FAULT[loops.SOUND],
                quality=float(self.state.quality[k]),
            )
            for k in np.flatnonzero(lost != self._known)
        ]
        self._known = lost
