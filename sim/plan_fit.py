"""Lengthen a fixed-time plan until the envelope's intergreens and minimum greens fit into it.

A scenario's program was written for its own intergreens. Under a profile that asks for longer ones
the interlock would start greens late and the plan would take the lost seconds from the green. So
steps are drawn out instead: every green stays as long as it was, and the cycle grows.
"""

from __future__ import annotations

from collections.abc import Sequence

from ampelwerk.models.envelope import Envelope
from ampelwerk.models.intersection import Stage
from ampelwerk.models.plan import CyclicPlan, PlanStep
from ampelwerk.sim.signal_programs import GREEN, RED_AMBER, LampState


def fitted(
    plan: CyclicPlan, stages: Sequence[Stage], envelope: Envelope, states: Sequence[LampState]
) -> CyclicPlan:
    """The plan with steps long enough for the envelope; the same plan if it fits already.

    Parameters
    ----------
    states : the program that the plan was made of.
    """
    red_amber_ds = [_red_amber_ds(states, g) for g in range(envelope.size)]
    groups = [frozenset(stages[step.stage].groups) for step in plan.steps]
    ends = [*(step.start_ds for step in plan.steps[1:]), plan.cycle_ds]
    given = [end - step.start_ds for step, end in zip(plan.steps, ends, strict=True)]
    # A longer step only lengthens the intergreens after it: one pass over the given times will do.
    lengths = [
        given[k]
        + max((_late_ds(envelope, groups, given, k, b, red_amber_ds) for b in entering), default=0)
        for k, entering in enumerate(groups[k] - groups[k - 1] for k in range(len(groups)))
    ]
    lengths = [
        length
        + max(
            (_short_ds(envelope, groups, given, k, g, red_amber_ds) for g in groups[k]), default=0
        )
        for k, length in enumerate(lengths)
    ]
    if lengths == given:
        return plan
    start_ds, steps = 0, []
    for step, length in zip(plan.steps, lengths, strict=True):
        steps.append(PlanStep(start_ds=start_ds, stage=step.stage))
        start_ds += length
    return CyclicPlan(
        plan_id=plan.plan_id,
        cycle_ds=start_ds,
        offset_ds=plan.offset_ds % start_ds,
        steps=tuple(steps),
    )


def _late_ds(
    envelope: Envelope,
    groups: Sequence[frozenset[int]],
    lengths: Sequence[int],
    k: int,
    entering: int,
    red_amber_ds: Sequence[int],
) -> int:
    """How much later than in the program a group that enters with step k turns green. [ds]"""
    count, since_ds = len(groups), 0
    late_ds = envelope.groups[entering].red_amber_ds
    left: set[int] = set()
    for back in range(1, count):
        earlier = (k - back) % count
        # Groups green in the earlier step and not in the one after it ended there.
        for leaving in groups[earlier] - groups[(earlier + 1) % count] - left:
            left.add(leaving)
            if envelope.conflict[leaving][entering]:
                needed_ds = envelope.intergreen_ds[leaving][entering] or 0
                late_ds = max(late_ds, needed_ds - since_ds)
        since_ds += lengths[earlier]
    return max(0, late_ds - red_amber_ds[entering])


def _short_ds(
    envelope: Envelope,
    groups: Sequence[frozenset[int]],
    lengths: Sequence[int],
    k: int,
    group: int,
    red_amber_ds: Sequence[int],
) -> int:
    """What is missing to the minimum green of a group that ends with step k. [ds]"""
    count = len(groups)
    if group in groups[(k + 1) % count]:
        return 0
    shown_ds = -red_amber_ds[group]  # its first step begins with it
    for back in range(count):
        step = (k - back) % count
        if group not in groups[step]:
            break
        shown_ds += lengths[step]
    return max(0, envelope.groups[group].min_green_ds - shown_ds)


def _red_amber_ds(states: Sequence[LampState], group: int) -> int:
    """Red-amber that the program itself shows before every green of a group. [ds]"""
    shown = []
    for k, state in enumerate(states):
        if state.letters[group] not in GREEN or states[k - 1].letters[group] in GREEN:
            continue
        before_ds, back = 0, 1
        while back < len(states) and states[k - back].letters[group] in RED_AMBER:
            before_ds += states[k - back].duration_ds
            back += 1
        shown.append(before_ds)
    return min(shown, default=0)
