"""Mutants of good plans: every unsafe one is refused by the right rule, every safe one passes.

The judge of lamps is the witness, which watches the plan's states with no interlock between. The
other rules are judged by `tests.reference.plan_oracle`. Neither shares code with the verification.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampelwerk.engine.lamp_program import LampProgram
from ampelwerk.engine.verification import verify, verify_program
from ampelwerk.models.certificate import Certificate, PlanFinding, PlanRule
from ampelwerk.models.errors import Severity
from ampelwerk.models.intersection import Intersection
from ampelwerk.models.plan import CyclicPlan
from ampelwerk.models.profile import Profile, RilsaProfile, SumoProfile
from ampelwerk.sim import monitor
from ampelwerk.sim.monitor_net import SignalLinks, read_links
from ampelwerk.sim.network_import import read_intersections
from ampelwerk.sim.plan_programs import unrolled
from ampelwerk.sim.scenario import resolve
from tests.reference.plan_oracle import Broken, link_states, other_rules, plan_states
from tests.sim.plan_mutations import mutated_plan, mutated_program

CYCLES = 4
"""Cycles that the witness sees: it holds nothing against anybody that began before its record."""
SITES: dict[str, tuple[str, Profile, int]] = {
    "cologne1-sumo": ("cologne1", SumoProfile(), 0),
    "cologne1-rilsa": ("cologne1", RilsaProfile(), 0),
    "corridor-rilsa": ("corridor", RilsaProfile(), 2),  # with pedestrians
    "grid4x4-sumo": ("grid4x4", SumoProfile(), 5),
    "ingolstadt7-sumo": ("ingolstadt7", SumoProfile(), 2),  # many groups, permissive turns
}
"""Scenario, profile, and which of its intersections."""


@dataclass(frozen=True)
class Good:
    """An intersection with a plan that verifies."""

    site: Intersection
    links: SignalLinks
    profile: Profile

    @property
    def plan(self) -> CyclicPlan:
        return self.site.plans[0]


@cache
def good(name: str) -> Good:
    scenario_name, profile, number = SITES[name]
    limits = replace(profile.limits, max_green_s=70.0)
    profile = replace(profile, limits=limits)
    scenario = resolve(scenario_name)
    signals = read_intersections(scenario.net_file, scenario.additional_files, profile)
    site = signals.intersections[number]
    links = read_links(scenario.net_file, scenario.additional_files)
    return Good(site, links[str(site.intersection_id)], profile)


def witnessed(of: Good, site: Intersection, states: Sequence[str]) -> Broken:
    """Rules that the witness sees broken, by signal groups."""
    name = str(site.intersection_id)
    with TemporaryDirectory() as folder:
        record = Path(folder) / "record.xml"
        record.write_text(
            "".join(
                f'<tlsState time="{second}.00" id="{name}" programID="online" phase="0" '
                f'state="{state}"/>\n'
                for second, state in enumerate(states)
            ),
            encoding="utf-8",
        )
        report = monitor.check(
            record, {name: of.links}, [site], begin_s=0, end_s=len(states), step_s=1, native=False
        )
    names = [str(group.group_id) for group in site.envelope.groups]
    broken: Broken = set()
    for found in report.violations:
        if found.rule in ("AMBER", "RED_AMBER") and found.time_s == len(states):
            continue  # cut off by the end of the record
        groups = [names[site.sumo_link_group[link]] for link in found.links]
        if found.rule in ("CONFLICT", "DOUBLE_PRIORITY"):
            groups.sort(key=names.index)
        broken.add((found.rule, tuple(groups)))
    return broken


def settled(broken: Broken) -> Broken:
    """Two foes at green are told once: as a conflict where they never may, else as priority."""
    conflicts = {groups for rule, groups in broken if rule == "CONFLICT"}
    return {
        (rule, groups)
        for rule, groups in broken
        if not (rule == "DOUBLE_PRIORITY" and groups in conflicts)
    }


def told(verdict: Certificate | tuple[PlanFinding, ...]) -> Broken:
    """Errors of a verification as the judges name them.

    Whether a plan is reached again after a disturbance is not to be seen from its states:
    `tests.engine.test_verification` has that rule.
    """
    if isinstance(verdict, Certificate):
        return set()
    clearance = PlanRule.PEDESTRIAN_CLEARANCE
    return {
        ("INTERGREEN" if found.rule is clearance else str(found.rule), found.groups)
        for found in verdict
        if found.severity is Severity.ERROR and found.rule is not PlanRule.DELAYED
    }


def judged_plan(of: Good, plan: CyclicPlan, site: Intersection) -> Broken:
    shown = plan_states(plan, site, CYCLES)
    states = link_states(site, shown.letters)
    names = [str(group.group_id) for group in site.envelope.groups]
    broken = witnessed(of, site, states)
    broken |= {("MIN_GREEN", (names[g],)) for g in shown.never_shown}
    others = other_rules(site, states, plan.cycle_ds // 10, of.profile)
    return settled(broken) | {
        (rule, groups)
        for rule, groups in others
        if not (rule == "SERVICE" and ("MIN_GREEN", groups) in broken)
    }


def judged_program(of: Good, program: LampProgram) -> Broken:
    states = [
        state
        for _ in range(CYCLES)
        for duration_ds, state in zip(program.durations_ds, program.states, strict=True)
        for _ in range(duration_ds // 10)
    ]
    others = other_rules(of.site, states, program.cycle_ds // 10, of.profile)
    return settled(witnessed(of, of.site, states)) | others


@pytest.mark.parametrize("name", SITES)
def test_good_plan_verifies_and_its_judges_agree(name: str) -> None:
    of = good(name)
    verdict = verify(of.plan, of.site, of.profile)
    assert isinstance(verdict, Certificate), verdict
    assert judged_plan(of, of.plan, of.site) == set()


@pytest.mark.parametrize("name", SITES)
@given(seed=st.integers(0, 2**32))
def test_mutated_plan_is_judged_alike(name: str, seed: int) -> None:
    of = good(name)
    plan, site = mutated_plan(of.plan, of.site, Random(seed))
    assert told(verify(plan, site, of.profile)) == judged_plan(of, plan, site)


@pytest.mark.parametrize("name", SITES)
def test_mutants_are_of_many_kinds(name: str) -> None:
    of = good(name)
    broken = list[Broken]()
    for seed in range(40):
        plan, site = mutated_plan(of.plan, of.site, Random(seed))
        broken.append(told(verify(plan, site, of.profile)))
    assert sum(not found for found in broken) >= 8, "safe ones"
    assert len({rule for found in broken for rule, _ in found}) >= 4, "rules broken"


@pytest.mark.parametrize("name", SITES)
@given(seed=st.integers(0, 2**32))
def test_mutated_program_is_judged_alike(name: str, seed: int) -> None:
    of = good(name)
    shown = unrolled(of.site, of.plan, 10)
    program = LampProgram(
        durations_ds=tuple(duration_ds for duration_ds, _ in shown.states),
        states=tuple(state for _, state in shown.states),
        group_of=of.site.sumo_link_group,
        by_link=True,
    )
    mutant = mutated_program(program, Random(seed))
    verdict = verify_program(mutant, of.site, of.profile, "mutant")
    assert told(verdict) == judged_program(of, mutant)
