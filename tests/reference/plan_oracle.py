"""A second opinion on timing plans, second by second, written apart from the verification.

`plan_states` is a controller without an interlock: it follows the clock and its transitions and
shows whatever that makes. `other_rules` reads off such states what no monitor of lamps looks for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ampelwerk.models.envelope import Envelope
from ampelwerk.models.intersection import Intersection
from ampelwerk.models.plan import CyclicPlan
from ampelwerk.models.profile import Profile

Broken = set[tuple[str, tuple[str, ...]]]
"""Rules that are broken, each with the names of the groups concerned."""


@dataclass
class _Group:
    """One signal group of the controller."""

    ends_s: int = -(10**6)
    """End of its last green."""
    starts_s: int | None = None
    """Start of its present or coming green."""


@dataclass
class PlanStates:
    """What the controller showed."""

    letters: list[str] = field(default_factory=list)
    """(seconds,) one letter per group."""
    never_shown: set[int] = field(default_factory=set)
    """Groups whose step was over before they could turn green."""


def plan_states(plan: CyclicPlan, site: Intersection, cycles: int) -> PlanStates:
    """States from the start of a cycle on, after two cycles that nobody sees."""
    envelope, cycle_s = site.envelope, plan.cycle_ds // 10
    groups = [_Group() for _ in range(envelope.size)]
    clearing: dict[int, int] = {}
    shown = PlanStates()
    step = None
    for now in range(-2 * cycle_s, cycles * cycle_s):
        clock = now % cycle_s
        here = max(k for k, s in enumerate(plan.steps) if s.start_ds <= clock * 10)
        if step is None:
            for g in site.stages[plan.steps[here].stage].groups:
                groups[g].starts_s = now
        elif here != step or clock == 0:
            before, after = (site.stages[plan.steps[k].stage] for k in (step, here))
            if before.selectable and before.groups:
                clearing = {}
            for g in set(before.groups) - set(after.groups):
                clearing[g] = now
                starts = groups[g].starts_s
                assert starts is not None
                if starts >= now:
                    shown.never_shown.add(g)
                else:
                    groups[g].ends_s = now
                groups[g].starts_s = None
            for g in set(after.groups) - set(before.groups):
                groups[g].starts_s = _start(envelope, clearing, g, now)
        step = here
        if now >= 0:
            stage = site.stages[plan.steps[here].stage]
            shown.letters.append(
                "".join(
                    _letter(envelope, groups[g], g, now, g in stage.permissive)
                    for g in range(envelope.size)
                )
            )
    return shown


def _start(envelope: Envelope, clearing: dict[int, int], g: int, now: int) -> int:
    """When a group that enters turns green."""
    start = now + envelope.groups[g].red_amber_ds // 10
    for foe, left in clearing.items():
        gap_ds = envelope.intergreen_ds[foe][g]
        if gap_ds is not None:
            least_ds = envelope.groups[foe].amber_ds + envelope.groups[g].red_amber_ds
            start = max(start, left + max(gap_ds, least_ds) // 10)
    return start


def _letter(envelope: Envelope, group: _Group, g: int, now: int, permissive: bool) -> str:
    rules = envelope.groups[g]
    if group.starts_s is not None:
        if now >= group.starts_s:
            return "g" if permissive else "G"
        if now >= group.starts_s - rules.red_amber_ds // 10:
            return "u"
    return "y" if now < group.ends_s + rules.amber_ds // 10 else "r"


def link_states(site: Intersection, letters: Sequence[str]) -> list[str]:
    """Group letters as state strings of links."""
    return [
        "".join(
            site.sumo_link_letter[link] if g < 0 else state[g]
            for link, g in enumerate(site.sumo_link_group)
        )
        for state in letters
    ]


def other_rules(
    site: Intersection, states: Sequence[str], cycle_s: int, profile: Profile
) -> Broken:
    """Service, longest green and red, and cycle time, from link states of some whole cycles."""
    broken: Broken = set()
    names = [str(group.group_id) for group in site.envelope.groups]
    served = {g for stage in site.stages for g in stage.groups}
    for g, name in enumerate(names):
        links = [k for k, group in enumerate(site.sumo_link_group) if group == g]
        columns = ["".join(state[k] for state in states) for k in links]
        if g in served and not any(set(column) & set("Gg") for column in columns):
            broken.add(("SERVICE", (name,)))
        for column in columns:
            longest = site.envelope.groups[g].max_red_ds
            if longest is not None and _longest(column, "rs") * 10 > longest:
                broken.add(("MAX_RED", (name,)))
            most_s = profile.limits.max_green_s
            if most_s is not None and _longest(column, "Gg") > most_s:
                broken.add(("MAX_GREEN", (name,)))
    most_s = profile.limits.max_cycle_s
    if most_s is not None and cycle_s > most_s:
        broken.add(("CYCLE", ()))
    return broken


def _longest(column: str, letters: str) -> int:
    """Longest stretch of letters, 0 if there is nothing else in the column."""
    if set(column) <= set(letters):
        return 0
    longest = run = 0
    for letter in column:
        run = run + 1 if letter in letters else 0
        longest = max(longest, run)
    return longest
