"""The stages of a signal's cycle in order, and the time each change of stage takes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ampelwerk.engine.lamp_program import required_gap_ds
from ampelwerk.engine.lane_service import gives_way
from ampelwerk.models.envelope import Envelope
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

    def longer(self, spare_s: int) -> StageSequence:
        """The same with time to spare in every step. [s]"""
        return replace(self, least_s=tuple(least_s + spare_s for least_s in self.least_s))


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

    A group turns green as soon as red-amber and the intergreens of its own transition allow it; a step
    lasts at least until the groups that end with it had their minimum green. So long lasts, too, the
    part of a green in which a group no longer, or not yet, gives way: what comes to protect
    left-turners for a second is of no use to them. And where a group that ended in an earlier
    transition is still clearing, such as pedestrians whose vehicles go on, the step before lasts until
    it has cleared in time.
    """
    count = len(stages)
    green = [frozenset(intersection.stages[stage].groups) for stage in stages]
    free = [_unopposed(intersection, stage) for stage in stages]
    late = [_late_s(intersection, green, k) for k in range(count)]
    least_s = [_least_s(intersection, green, free, late, k) for k in range(count)]
    for k in range(count):
        least_s[k - 1] += _clearing_s(intersection, green, late, least_s, k)
    return StageSequence(stages=stages, late_s=tuple(late), least_s=tuple(least_s))


def _late_s(intersection: Intersection, green: list[frozenset[int]], k: int) -> dict[int, int]:
    """When the groups that enter with step k turn green."""
    envelope = intersection.envelope
    return {
        group: max(
            -(-envelope.groups[group].red_amber_ds // 10),
            *(_gap_s(envelope, foe, group) for foe in green[k - 1] - green[k]),
            0,
        )
        for group in sorted(green[k] - green[k - 1])
    }


def _clearing_s(
    intersection: Intersection,
    green: list[frozenset[int]],
    late: list[dict[int, int]],
    least_s: list[int],
    k: int,
) -> int:
    """By how much the step before k is too short for those who ended earlier and still clear."""
    envelope, count = intersection.envelope, len(green)
    short_s = since_s = 0
    for back in range(2, count):
        since_s += least_s[(k - back + 1) % count]
        ended = green[(k - back) % count] - green[(k - back + 1) % count]
        for group, late_s in late[k].items():
            for foe in ended:
                short_s = max(short_s, _gap_s(envelope, foe, group) - since_s - late_s)
    return short_s


def _gap_s(envelope: Envelope, leaving: int, entering: int) -> int:
    """Intergreen in whole seconds, 0 for groups that do not conflict. [s]"""
    if not envelope.conflict[leaving][entering]:
        return 0
    return -(-required_gap_ds(envelope, leaving, entering) // 10)


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
