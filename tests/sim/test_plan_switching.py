"""What is found about switches of the calendar is what a controller really shows around them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ampelwerk.controllers.local import LocalController
from ampelwerk.engine.plan_switches import switch_findings
from ampelwerk.engine.verification import verify
from ampelwerk.models.calendar import WEEKDAYS, CalendarEntry, Weekday
from ampelwerk.models.intersection import Intersection
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
    site = replace(
        old,
        plans=(replace(old.plans[0], plan_id="old"), replace(new.plans[0], plan_id="new")),
        calendar=(
            CalendarEntry(days=WEEKDAYS, at_s=0, plan_id="old"),
            CalendarEntry(days=(Weekday.MON,), at_s=AT_S, plan_id="new"),
        ),
    )
    limit_s = data.draw(st.integers(30, 90))
    # The plans' own limit, were there one, is not what is asked for here.
    groups = tuple(replace(group, max_red_ds=None) for group in site.envelope.groups)
    site = replace(site, envelope=replace(site.envelope, groups=groups))
    profile = replace(good(name).profile, limits=PlanLimits(max_red_s=limit_s))
    found = {f.groups[0]: f.found_s for f in switch_findings(site, "new", profile)}
    shown = {group: red_s for group, red_s in reds_shown_s(site).items() if red_s > limit_s}
    assert found == shown
