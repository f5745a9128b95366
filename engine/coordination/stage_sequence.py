"""The stages of a signal's cycle in order, and the time each change of stage takes."""

from __future__ import annotations

from dataclasses import dataclass

from ampelwerk.engine.lane_service import gives_way
from ampelwerk.models.intersection import Intersection


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSequence:
    """Stages in order, with what follows from the order; all times in whole seconds."""

    stages: tuple[int, ...]
    """Indices into the intersection's stages, the cycle's first one first."""
    late_s: tuple[dict[int, int], ...]
    """For each step: group that turns green in it -> seconds from the begin of the step."""
    least_s: tuple[int, ...]
    """Shortest length of each step. [s]"""


def shipped_stages(intersection: Intersection) -> tuple[int, ...]:
    """The stages that the program in force shows, steps on the way from one to the next left out."""
    shown: list[int] = []
    for step in intersection.plans[0].steps:
        if intersection.stages[step.stage].selectable and (not shown or shown[-1] != step.stage):
            shown.append(step.stage)
    if len(shown) > 1 and shown[0] == shown[-1]:
        shown.pop()
    return tuple(shown)


def sequence_of(intersection: Intersection, stages: tuple[int, ...]) -> StageSequence:
    """Times of an order of stages under the intersection's envelope.

    A group turns green as soon as red-amber and every intergreen from groups that ended before
    allow it; a step lasts at least until the groups that end with it had their minimum green. So
    long lasts, too, the part of a green in which a group no longer, or not yet, gives way: what
    comes to protect left-turners for a second is of no use to them.
    """
    count = len(stages)
    green = [frozenset(intersection.stages[stage].groups) for stage in stages]
    least_s = [1] * count
    late: list[dict[int, int]] = [{} for _ in stages]
    free = [_unopposed(intersection, stage) for stage in stages]
    for _ in range(2):  # the second time with the lengths that steps have at least
        late = [_late_s(intersection, green, least_s, k) for k in range(count)]
        least_s = [_least_s(intersection, green, free, late, k) for k in range(count)]
    return StageSequence(stages=stages, late_s=tuple(late), least_s=tuple(least_s))


def _late_s(
    intersection: Intersection, green: list[frozenset[int]], least_s: list[int], k: int
) -> dict[int, int]:
    """When the groups that enter with step k turn green."""
    envelope, count = intersection.envelope, len(green)
    found = {}
    for group in sorted(green[k] - green[k - 1]):
        late_ds = envelope.groups[group].red_amber_ds
        since_ds = 0
        ended: set[int] = set()
        for back in range(1, count):
            step = (k - back) % count
            for foe in green[step] - green[(step + 1) % count] - ended:
                ended.add(foe)
                if envelope.conflict[foe][group]:
                    gap_ds = max(
                        envelope.intergreen_ds[foe][group] or 0,
                        envelope.groups[foe].amber_ds + envelope.groups[group].red_amber_ds,
                    )
                    late_ds = max(late_ds, gap_ds - since_ds)
            since_ds += 10 * least_s[step]
        found[group] = -(-late_ds // 10)
    return found


def _unopposed(intersection: Intersection, stage: int) -> frozenset[int]:
    """Groups green in a stage that give way to nobody."""
    shown = intersection.stages[stage]
    return frozenset(shown.groups) - {
        movement.group
        for movement in intersection.movements
        if gives_way(movement, shown.groups, shown.permissive)
    }


def _least_s(
    intersection: Intersection,
    green: list[frozenset[int]],
    free: list[frozenset[int]],
    late: list[dict[int, int]],
    k: int,
) -> int:
    """Shortest step k: every group green in it can have its minimum green.

    Where a green lasts over several steps each takes an even part of the minimum, rounded up. The
    part in which a group gives way to nobody counts by itself, from the end of the amber before.

    free : for each step, groups that are green and give way to nobody.
    """
    groups = intersection.envelope.groups
    least = max(late[k].values(), default=0) + 1
    for shown in (green, free):
        for group in shown[k]:
            steps, first = _run(shown, k, group)
            if steps == len(green):
                continue
            wait_s = late[first].get(group, 0)
            if group in green[first - 1]:
                ended = green[first - 1] - green[first]
                wait_s = -(-max((groups[foe].amber_ds for foe in ended), default=0) // 10)
            min_green_s = -(-groups[group].min_green_ds // 10)
            least = max(least, -(-(min_green_s + wait_s) // steps))
    return least


def _run(green: list[frozenset[int]], k: int, group: int) -> tuple[int, int]:
    """Length of the run of steps around k in which a group is green, and its first step."""
    count = len(green)
    first = k
    length = 1
    while length < count and group in green[(first - 1) % count]:
        first = (first - 1) % count
        length += 1
    last = k
    while length < count and group in green[(last + 1) % count]:
        last = (last + 1) % count
        length += 1
    return length, first
