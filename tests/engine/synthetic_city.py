"""A city of any size for the engine: intersections, traffic on their loops, signals that obey.

Every intersection has four approaches of three lanes (left, straight, straight and right), four
loops a lane, and four to eight stages: each road straight and left, then whole approaches. Demand
puts the critical lane of every stage at a given degree of saturation under a fixed plan of 90 s.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ampelwerk.engine._jit import kernel
from ampelwerk.engine.kernels.city import (
    ADVANCE,
    EXIT,
    STOP_LINE,
    UPSTREAM,
    City,
    FloatArray,
    IntArray,
)
from ampelwerk.engine.kernels.decision import Choice, Signals

LANES, CYCLE_S, FLOW_VEH_S = 12, 90.0, 0.53
STAGES = (
    (1, 2, 7, 8),
    (0, 6),
    (4, 5, 10, 11),
    (3, 9),
    (0, 1, 2),
    (6, 7, 8),
    (3, 4, 5),
    (9, 10, 11),
)
"""Lanes served; an intersection has the first four to eight."""
SPLIT = (0.35, 0.15, 0.35, 0.15)
"""Upstream loop to advance loop 8 s, from there to the line 4 s, over the junction 3 s."""
TO_ADVANCE_S, TO_LINE_S, OVER_S, SLOTS = 8, 4, 3, 16
ZONE_VEH = 6
"""Vehicles between advance loop and stop line."""


def _rows(lists: list[list[int]]) -> tuple[IntArray, IntArray]:
    """Compressed rows."""
    ptr = np.cumsum([0, *map(len, lists)])
    return ptr.astype(np.int64), np.array([v for row in lists for v in row], dtype=np.int64)


def one_intersection(stages: int, rng: np.random.Generator) -> City:
    """An intersection alone; its indices begin at zero."""
    served = [list(row) for row in STAGES[:stages]]
    entry_ptr, entry_lane = _rows(served)
    lane = np.arange(LANES)
    change_s = rng.integers(4, 8, (stages, stages)).astype(float)
    np.fill_diagonal(change_s, 0.0)
    each = np.arange(LANES + 1)
    no_float, ones = np.zeros(LANES), np.ones(LANES)
    return City(
        lane_ptr=np.array([0, LANES]),
        stage_ptr=np.array([0, stages]),
        entry_ptr=entry_ptr,
        entry_lane=entry_lane,
        entry_flow=FLOW_VEH_S * rng.uniform(0.9, 1.1, len(entry_lane)),
        entry_foe_ptr=np.zeros(len(entry_lane) + 1, dtype=np.int64),
        entry_foe=np.zeros(0, dtype=np.int64),
        entry_opposed=np.zeros(len(entry_lane)),
        entry_unopposed=np.zeros(len(entry_lane)),
        entry_cap=np.full(len(entry_lane), 1e9),
        without_walkers=np.full(stages, -1),
        min_green_s=np.full(stages, 5),
        selectable=np.ones(stages, dtype=np.int64),
        transition_ptr=np.array([0]),
        transition_s=change_s.ravel(),
        lane_intersection=np.zeros(LANES, dtype=np.int64),
        lane_approach=lane // 3,
        lane_groups=1 << lane,
        lane_storage_veh=16 * ones,
        lane_reach_veh=27 * ones,
        lane_advance_m=45 * ones,
        lane_advance_s=TO_LINE_S * ones,
        lane_stop_ptr=each,
        lane_stop_loop=lane,
        lane_advance_loop=LANES + lane,
        lane_weight=ones,
        lane_is_crossing=np.zeros(LANES, dtype=np.int64),
        lane_exit_ptr=each,
        lane_exit=lane,
        approach_lane_ptr=np.arange(0, LANES + 1, 3),
        approach_lane=lane,
        approach_stream_ptr=np.arange(0, LANES + 1, 3),
        stream_approach=lane // 3,
        stream_loop=2 * LANES + lane,
        stream_room_veh=14 * ones,
        stream_s=TO_ADVANCE_S * ones,
        site_stream_ptr=np.array([0, LANES]),
        site_stream=lane,
        stream_lane_ptr=3 * each,
        stream_share=np.where(np.eye(3, dtype=bool)[lane % 3], 0.7, 0.15).ravel(),
        loop_role=np.repeat([STOP_LINE, ADVANCE, UPSTREAM, EXIT], LANES),
        loop_target_ptr=np.arange(4 * LANES + 1),
        loop_target=np.tile(lane, 4),
        exit_intersection=np.zeros(LANES, dtype=np.int64),
        exit_loop_ptr=each,
        exit_loop=3 * LANES + lane,
        exit_next_ptr=np.zeros_like(each),
        exit_next=no_float[:0].astype(np.int64),
        fill_ptr=np.zeros(stages + 1, dtype=np.int64),
        fill_exit=no_float[:0].astype(np.int64),
        fill_groups=no_float[:0].astype(np.int64),
        fill_others=no_float[:0].astype(np.int64),
    )


_POINTS_AT = {
    "entry_lane": "lane_groups",
    "entry_foe": "lane_groups",
    "without_walkers": "",
    "lane_intersection": "transition_ptr",
    "lane_approach": "approaches",
    "lane_stop_loop": "loop_role",
    "lane_advance_loop": "loop_role",
    "lane_exit": "exit_intersection",
    "approach_lane": "lane_groups",
    "stream_approach": "approaches",
    "stream_loop": "loop_role",
    "site_stream": "stream_s",
    "loop_target": "lane_groups",
    "exit_intersection": "transition_ptr",
    "exit_loop": "loop_role",
    "transition_ptr": "transition_s",
}
"""What indices in an array count. All targets of loops come twelve to an intersection."""


def join(parts: list[City]) -> City:
    """Intersections side by side."""
    size = {name: np.array([len(getattr(p, name)) for p in parts]) for name in City._fields}
    size["approaches"] = size["approach_lane_ptr"] - 1
    fields: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]] = {}
    for name in City._fields:
        arrays = [getattr(part, name) for part in parts]
        if name.endswith("_ptr") and name != "transition_ptr":
            steps = np.concatenate([np.diff(a) for a in arrays])
            fields[name] = np.concatenate([[0], np.cumsum(steps)]).astype(np.int64)
            continue
        values = np.concatenate(arrays)
        target = _POINTS_AT.get(name, "")
        if target:
            before = np.cumsum(size[target]) - size[target]
            values = (values + np.repeat(before, size[name])).astype(np.int64)
        fields[name] = values
    return City(**fields)  # type: ignore[arg-type]


def city_of(intersections: int, seed: int) -> City:
    """Intersections of four to eight stages in turn, in a ring: exits lead to the next one's lanes."""
    rng = np.random.default_rng(seed)
    kinds = [one_intersection(4 + k % 5, rng) for k in range(50)]
    city = join([kinds[i % len(kinds)] for i in range(intersections)])
    lanes = intersections * LANES
    return city._replace(
        exit_next_ptr=np.arange(lanes + 1),
        exit_next=(np.arange(lanes) + LANES) % lanes,
    )


class Street(NamedTuple):
    """Vehicles on every lane; S slots of a ring, one a second."""

    rate_veh_s: FloatArray
    to_advance: IntArray
    """(L, S) vehicles due at the advance loop in each second."""
    to_line: IntArray
    over: IntArray
    queue: IntArray
    held: IntArray
    """(L,) 1 while a vehicle stands on the stop-line loop."""
    jammed: IntArray
    """(L,) 1 while one stands on the advance loop."""
    next_s: FloatArray
    """(L,) earliest moment of the next departure. [s]"""


def street_of(city: City, saturation: float, seed: int) -> Street:
    """Empty roads with a demand."""
    rng = np.random.default_rng(seed + 1)
    size = len(city.lane_ptr) - 1
    share = np.zeros(LANES)
    for lanes, split in zip(STAGES, SPLIT, strict=False):
        share[list(lanes)] = split * (1 - 20.0 / CYCLE_S)
    below = rng.uniform(0.5, 1.0, (size, LANES))
    for lanes in STAGES[: len(SPLIT)]:
        below[:, rng.choice(lanes)] = 1.0
    rate = saturation * FLOW_VEH_S * (share * below).ravel()

    def ring() -> IntArray:
        return np.zeros((size * LANES, SLOTS), dtype=np.int64)

    def line() -> IntArray:
        return np.zeros(size * LANES, dtype=np.int64)

    return Street(rate, ring(), ring(), ring(), line(), line(), line(), np.zeros(size * LANES))


class Edges(NamedTuple):
    """Room for the edges of one tick."""

    loop: IntArray
    at_s: FloatArray
    on: IntArray


@kernel
def _edge(edges: Edges, count: int, loop: int, at_s: float, on: int) -> int:
    edges.loop[count], edges.at_s[count], edges.on[count] = loop, at_s, on
    return count + 1


@kernel
def play(street: Street, green: IntArray, second: int, chance: FloatArray, edges: Edges) -> int:
    """One second on every lane; the number of edges.

    green : (I,) green lanes of each intersection, as a bit mask.
    chance : (L,) a number from 0 to 1 for each lane.
    """
    count, slot, now_s = 0, second % SLOTS, float(second)
    for lane in range(len(street.queue)):
        i, own = lane // LANES, lane % LANES
        stop = i * 4 * LANES + own
        advance, upstream, exit_ = stop + LANES, stop + 2 * LANES, stop + 3 * LANES
        # Platoons: most come in one half of a cycle.
        wave = 1.6 if (second + 7 * lane) % 90 < 45 else 0.4
        if chance[lane] < wave * street.rate_veh_s[lane]:
            count = _edge(edges, count, upstream, now_s + 0.2, 1)
            count = _edge(edges, count, upstream, now_s + 0.6, 0)
            street.to_advance[lane, (second + TO_ADVANCE_S) % SLOTS] = 1
        if street.to_advance[lane, slot]:
            street.to_advance[lane, slot] = 0
            if not street.jammed[lane]:
                count = _edge(edges, count, advance, now_s + 0.3, 1)
                if street.queue[lane] >= ZONE_VEH:
                    street.jammed[lane] = 1
                else:
                    count = _edge(edges, count, advance, now_s + 0.7, 0)
            street.to_line[lane, (second + TO_LINE_S) % SLOTS] += 1
        if street.jammed[lane] and street.queue[lane] < ZONE_VEH:
            street.jammed[lane] = 0
            count = _edge(edges, count, advance, now_s + 0.8, 0)
        street.queue[lane] += street.to_line[lane, slot]
        street.to_line[lane, slot] = 0
        is_green = (green[i] >> own) & 1
        if not is_green:
            street.next_s[lane] = now_s + 2.0
        if street.queue[lane] and is_green and street.next_s[lane] < now_s + 1.0:
            if not street.held[lane]:
                count = _edge(edges, count, stop, now_s + 0.1, 1)
            count = _edge(edges, count, stop, now_s + 0.5, 0)
            street.held[lane] = 0
            street.queue[lane] -= 1
            street.next_s[lane] = max(street.next_s[lane], now_s) + 1 / FLOW_VEH_S
            street.over[lane, (second + OVER_S) % SLOTS] = 1
        if street.queue[lane] and not street.held[lane]:
            count = _edge(edges, count, stop, now_s + 0.9, 1)
            street.held[lane] = 1
        if street.over[lane, slot]:
            street.over[lane, slot] = 0
            count = _edge(edges, count, exit_, now_s + 0.3, 1)
            count = _edge(edges, count, exit_, now_s + 0.6, 0)
    return count


class Obedience:
    """Signals that do what is wished: intergreen, then the stage for its minimum green at least."""

    def __init__(self, city: City, signals: Signals) -> None:
        self._city, self._signals = city, signals
        masks = np.bitwise_or.reduceat(city.lane_groups[city.entry_lane], city.entry_ptr[:-1])
        self._masks = masks
        signals.green[:] = masks[city.stage_ptr[:-1] + signals.stage]
        self._shown_s = np.full(len(signals.stage), np.inf)

    def obey(self, choice: Choice, now_s: float) -> None:
        """Begin the changes wished; show the stages whose intergreen is over."""
        city, signals = self._city, self._signals
        first = city.stage_ptr[:-1]
        i = np.flatnonzero((choice.stage >= 0) & (choice.stage != signals.stage))
        old, new = signals.stage[i], choice.stage[i]
        stages = np.diff(city.stage_ptr)[i]
        signals.green[i] = self._masks[first[i] + old] & self._masks[first[i] + new]
        self._shown_s[i] = now_s + city.transition_s[city.transition_ptr[i] + old * stages + new]
        signals.stage[i], signals.decidable_s[i] = new, np.inf
        i = np.flatnonzero(self._shown_s <= now_s)
        stage = first[i] + signals.stage[i]
        signals.green[i], signals.since_s[i] = self._masks[stage], now_s
        signals.decidable_s[i] = now_s + city.min_green_s[stage]
        self._shown_s[i] = np.inf
