"""The calendar's switches from plan to plan, played through the interlock.

No switch can break a lamp rule, for the interlock makes every transition. What a switch can do is let
a group wait: its red is held against the longest one that envelope and profile allow. Standard library
only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ampelwerk.engine.transition import RED, all_red, compile_rules, step
from ampelwerk.engine.verification import common_tick_ds
from ampelwerk.models.calendar import switches
from ampelwerk.models.certificate import PlanFinding, PlanRule
from ampelwerk.models.errors import Severity
from ampelwerk.models.intersection import Intersection
from ampelwerk.models.plan_schedule import StageSchedule
from ampelwerk.models.profile import Profile

_SECOND_DS = 10
_CYCLES = 2
"""Cycles of the old plan before a switch, and of the new plan after it."""


def switch_findings(site: Intersection, plan_id: str, profile: Profile) -> tuple[PlanFinding, ...]:
    """Reds that are too long while a plan takes over, at any entry of the calendar; the longest each.

    Parameters
    ----------
    site : with the plans and the calendar that are to be checked.
    plan_id : the plan that takes over.
    """
    worst: dict[int, int] = {}
    for due_ds in _due_times_ds(site, plan_id):
        for group, red_ds in enumerate(longest_reds_ds(site, site.schedule, due_ds)):
            worst[group] = max(worst.get(group, 0), red_ds)
    return red_findings(site, worst, profile)


def red_findings(
    site: Intersection, longest_ds: Mapping[int, int], profile: Profile
) -> tuple[PlanFinding, ...]:
    """Reds while a plan takes over that are longer than envelope and profile allow.

    Parameters
    ----------
    longest_ds : longest red of each group. [ds]
    """
    found = []
    for group, red_ds in sorted(longest_ds.items()):
        limit_ds = profile.limits.red_ds(site.envelope.groups[group].max_red_ds)
        if limit_ds is not None and red_ds > limit_ds:
            found.append(
                PlanFinding(
                    rule=PlanRule.MAX_RED,
                    severity=Severity.ERROR,
                    groups=(str(site.envelope.groups[group].group_id),),
                    limit_s=limit_ds / 10,
                    found_s=red_ds / 10,
                    detail="while the plan takes over",
                )
            )
    return tuple(found)


def _due_times_ds(site: Intersection, plan_id: str) -> Iterator[int]:
    """Times of the second week at which the plan replaces another one. [ds]"""
    schedule = site.schedule
    for switch in switches(site.calendar):
        due_ds = 10 * (switch.week_s + 7 * 86_400)
        if switch.plan_id == plan_id and schedule.plan_at(due_ds - 1).plan_id != plan_id:
            yield due_ds


def longest_reds_ds(site: Intersection, schedule: StageSchedule, due_ds: int) -> list[int]:
    """(groups,) longest red around a switch. [ds]

    Parameters
    ----------
    schedule : plans over the stages of the intersection.
    due_ds : when another plan comes into force. [ds]
    """
    old, new = schedule.plan_at(due_ds - 1), schedule.plan_at(due_ds)
    times_ds = [_SECOND_DS]  # entries of the calendar are whole seconds
    for plan in (old, new):
        times_ds += [plan.cycle_ds, plan.offset_ds, *(each.start_ds for each in plan.steps)]
    tick_ds = common_tick_ds(site.envelope, times_ds)
    begin_ds = due_ds - _CYCLES * old.cycle_ds // tick_ds * tick_ds
    end_ds = schedule.takeover(due_ds).at_ds + _CYCLES * new.cycle_ds
    masks = [stage.mask for stage in site.stages]
    rules = compile_rules(site.envelope, tick_ds)
    state = all_red(rules)
    seen = [False] * rules.size
    longest = [0] * rules.size
    for now_ds in range(begin_ds, end_ds, tick_ds):
        state = step(rules, state, masks[schedule.stage_at(now_ds)])
        for group, aspect in enumerate(state.aspect):
            if aspect != RED:
                seen[group] = True
            elif seen[group]:  # how long it was red before the begin, nobody knows
                longest[group] = max(longest[group], state.shown[group] * tick_ds)
    return longest
