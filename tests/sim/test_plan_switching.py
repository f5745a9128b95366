"""What is found about switches of the calendar is what a controller really shows around them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ampelwerk.controllers.local import LocalController
from ampelwerk.engine.plan_switches import switch_findings
from ampelwerk.engine.verification import verify
from ampelwerk.models.calendar import WEEKDAYS, CalendarEntry, Weekday
from ampelwerk.models.intersection import Intersection
from ampelwerk.models.plan import CyclicPlan, Transition
from ampelwerk.models.profile import PlanLimits
from tests.sim.plan_mutations import mutated_plan
from tests.sim.test_plan_mutations import good, told

AT_S = 20 * 3600
"""On Monday."""
DUE_DS = 10 * (7 * 86_400 + AT_S)


@cache
def safe_mutants(name: str) -> list[Intersection]:
    """The intersection with one safe mutant of its plan each, none with stages of its own."""
    of = good(name)
    found = []
    for seed in range(60):
        plan, site = mutated_plan(of.plan, of.site, Random(seed))
        if site.stages == of.site.stages and not told(verify(plan, site, of.profile)):
            found.append(replace(site, plans=(plan,)))
    return found


def switched(old: Intersection, new: CyclicPlan) -> Intersection:
    """The intersection with a calendar that has another plan take over."""
    return replace(
        old,
        plans=(replace(old.plans[0], plan_id="old"), replace(new, plan_id="new")),
        calendar=(
            CalendarEntry(days=WEEKDAYS, at_s=0, plan_id="old"),
            CalendarEntry(days=(Weekday.MON,), at_s=AT_S, plan_id="new"),
        ),
    )


def with_offset(site: Intersection, offset_ds: int) -> Intersection:
    """The new plan with another offset."""
    old, new = site.plans
    return replace(site, plans=(old, replace(new, offset_ds=offset_ds)))


def reds_shown_s(site: Intersection) -> dict[str, int]:
    """Longest red of each group around the switch, as its first link shows it."""
    old, new = site.plans
    takeover = site.schedule.takeover(DUE_DS)
    begin_ds, end_ds = DUE_DS - 2 * old.cycle_ds, takeover.at_ds + 2 * new.cycle_ds
    controller = LocalController(site, tick_ds=10, now_ds=begin_ds - 10)
    longest: dict[str, int] = {}
    columns: dict[int, str] = {g: "" for g in range(site.envelope.size)}
    for now_ds in range(begin_ds, end_ds, 10):
        controller.tick(now_ds)
        for g in columns:
            columns[g] += controller.state[site.sumo_link_group.index(g)]
    for g, column in columns.items():
        after = column.lstrip("rs")
        runs = after.replace("s", "r").translate(str.maketrans("Gguy", "    ")).split()
        longest[str(site.envelope.groups[g].group_id)] = max(map(len, runs), default=0)
    return longest


@pytest.mark.parametrize("name", ["cologne1-sumo", "corridor-rilsa"])
@settings(max_examples=15)
@given(data=st.data())
def test_reds_around_a_switch_are_those_the_controller_shows(
    name: str, data: st.DataObject
) -> None:
    mutants = safe_mutants(name)
    assert len(mutants) > 5
    old, new = data.draw(st.sampled_from(mutants)), data.draw(st.sampled_from(mutants))
    later_ds = 10 * data.draw(st.integers(0, new.plans[0].cycle_ds // 10 - 1))
    site = switched(old, replace(new.plans[0], transition=data.draw(st.sampled_from(Transition))))
    site = with_offset(site, later_ds)
    limit_s = data.draw(st.integers(30, 90))
    # The plans' own limit, were there one, is not what is asked for here.
    groups = tuple(replace(group, max_red_ds=None) for group in site.envelope.groups)
    site = replace(site, envelope=replace(site.envelope, groups=groups))
    profile = replace(good(name).profile, limits=PlanLimits(max_red_s=limit_s))
    found = {f.groups[0]: f.found_s for f in switch_findings(site, "new", profile)}
    shown = {group: red_s for group, red_s in reds_shown_s(site).items() if red_s > limit_s}
    assert found == shown


@pytest.mark.parametrize("transition", [Transition.SHORTWAY, Transition.ADD_ONLY])
@pytest.mark.parametrize("name", ["cologne1-sumo", "corridor-rilsa"])
def test_changed_cycles_show_every_stage_in_full(name: str, transition: Transition) -> None:
    old = good(name).site
    corrected = 0
    for later_s in range(0, old.plans[0].cycle_ds // 10, 3):
        new = replace(old.plans[0], transition=transition, max_change_ds=300)
        site = with_offset(switched(old, new), 10 * later_s)
        takeover = site.schedule.takeover(DUE_DS)
        parts = [holds for _, holds in takeover.bridge if isinstance(holds, CyclicPlan)]
        if not parts:
            continue
        corrected += 1
        usual = shown_in_full(site, takeover.at_ds, takeover.at_ds + 2 * new.cycle_ds)
        changed = shown_in_full(site, DUE_DS, takeover.at_ds)
        # Some steps of these programs only lead from one stage to the next.
        in_full = {(a, b) for (a, _), (b, full) in pairwise(usual[:-1]) if full}
        assert in_full
        for (before, _), (stage, full) in pairwise(changed):
            assert full or (before, stage) not in in_full, f"offset {later_s} s: {changed}"
        assert len(changed) >= len(new.steps) * (len(parts) - 1)
    assert corrected


def shown_in_full(site: Intersection, begin_ds: int, end_ds: int) -> list[tuple[int, bool]]:
    """Stages wanted one after the other, and whether all their groups were green, and no other."""
    controller = LocalController(site, tick_ds=10, now_ds=begin_ds - 10)
    found: list[tuple[int, bool]] = []
    for now_ds in range(begin_ds, end_ds, 10):
        controller.tick(now_ds)
        full = controller.green_mask == site.stages[controller.stage].mask
        if found and found[-1][0] == controller.stage:
            full |= found.pop()[1]
        found.append((controller.stage, full))
    return found
