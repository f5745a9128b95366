"""The verification: what it certifies, what it finds, and that it needs the standard library only."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampelwerk.engine.lamp_program import LampProgram, plan_greens, planned_lamps
from ampelwerk.engine.verification import VERIFIER, verify, verify_program
from ampelwerk.models.certificate import Certificate, PlanFinding, PlanRule
from ampelwerk.models.envelope import Envelope
from ampelwerk.models.errors import Severity
from ampelwerk.models.intersection import Intersection, Stage, StageId
from ampelwerk.models.plan import CyclicPlan, PlanStep
from ampelwerk.models.profile import PlanLimits, RilsaProfile, SumoProfile
from tests.reference.envelopes import envelopes
from tests.reference.junctions import envelope_of

PROFILE = SumoProfile()


def crossroads() -> Envelope:
    """Two roads, 0 and 1, and a crossing, 2, over road 0."""
    return replace(
        envelope_of(
            [(5, 3, 1, 1), (5, 3, 1, 1), (6, 0, 0, 1)],
            {(0, 1): 5, (1, 0): 6, (0, 2): 4, (2, 0): 9},
        ),
        profile=PROFILE.label,
    )


def site(*stages: tuple[int, ...], envelope: Envelope | None = None) -> Intersection:
    envelope = envelope or crossroads()
    size = envelope.size
    return Intersection(
        envelope=envelope,
        movements=(),
        sumo_link_count=size,
        sumo_link_group=tuple(range(size)),
        sumo_link_letter=" " * size,
        yields=((False,) * size,) * size,
        stages=tuple(
            Stage(stage_id=StageId(str(k + 1)), groups=groups) for k, groups in enumerate(stages)
        ),
        plans=(),
    )


def plan(cycle_s: int, *steps: tuple[int, int]) -> CyclicPlan:
    return CyclicPlan(
        plan_id="day",
        cycle_ds=10 * cycle_s,
        offset_ds=70,
        steps=tuple(PlanStep(start_ds=10 * at_s, stage=stage) for at_s, stage in steps),
    )


TWO_STAGES = ((0,), (1, 2))
GOOD = plan(60, (0, 0), (30, 1))


def refused(verdict: Certificate | tuple[PlanFinding, ...]) -> tuple[PlanFinding, ...]:
    assert not isinstance(verdict, Certificate)
    assert any(found.severity is Severity.ERROR for found in verdict)
    return verdict


def only(verdict: Certificate | tuple[PlanFinding, ...]) -> PlanFinding:
    (found,) = refused(verdict)
    return found


def test_times_that_a_plan_asks_for() -> None:
    greens = plan_greens(GOOD, site(*TWO_STAGES).stages, crossroads())
    # Road 0 after road 1 (6 s) and after the crossing (9 s); road 1 and crossing after road 0.
    assert {(g.group, g.start_ds, g.end_ds) for g in greens} == {
        (0, 90, 300), (1, 350, 600), (2, 340, 600),
    }  # fmt: skip
    lamps = planned_lamps(GOOD, site(*TWO_STAGES).stages, crossroads())
    assert lamps.cycle_ds == 600
    shown = list(zip(lamps.durations_ds, lamps.states, strict=True))
    assert shown == [
        (30, "ryr"), (50, "rrr"), (10, "urr"), (210, "Grr"), (30, "yrr"), (10, "rrr"),
        (10, "ruG"), (250, "rGG"),
    ]  # fmt: skip


def test_good_plan_gets_a_certificate() -> None:
    found = verify(GOOD, site(*TWO_STAGES), PROFILE)
    assert isinstance(found, Certificate)
    assert (found.profile, found.plan_id, found.verifier) == ("sumo/1", "day", VERIFIER)
    assert found.warnings == ()
    assert found == verify(GOOD, site(*TWO_STAGES), PROFILE)


def test_certificate_names_what_it_was_given_for() -> None:
    first = verify(GOOD, site(*TWO_STAGES), PROFILE)
    other_plan = verify(plan(60, (0, 0), (31, 1)), site(*TWO_STAGES), PROFILE)
    longer = replace(
        crossroads(), intergreen_ds=((None, 60, 40), (60, None, None), (90, None, None))
    )
    other_site = verify(GOOD, site(*TWO_STAGES, envelope=longer), PROFILE)
    rules = replace(PROFILE, limits=PlanLimits(max_red_s=100))
    other_rules = verify(GOOD, site(*TWO_STAGES), rules)
    certificates = [first, other_plan, other_site, other_rules]
    assert all(isinstance(c, Certificate) for c in certificates)
    digests = [
        (c.plan_sha256, c.intersection_sha256, c.ruleset_sha256)
        for c in certificates
        if isinstance(c, Certificate)
    ]
    changed = [
        tuple(a != b for a, b in zip(digests[0], other, strict=True)) for other in digests[1:]
    ]
    assert changed == [(True, False, False), (False, True, False), (False, False, True)]


def test_conflicting_groups_in_one_stage() -> None:
    found = refused(verify(plan(60, (0, 0), (30, 1)), site((0, 1), (2,)), PROFILE))
    assert (PlanRule.CONFLICT, ("K0", "K1")) in {(f.rule, f.groups) for f in found}


def test_group_that_left_in_an_earlier_transition_may_still_be_clearing() -> None:
    # The crossing clears 9 s; a stage of 8 s with road 1 alone lies between.
    envelope = replace(
        crossroads(),
        intergreen_ds=((None, 50, 40), (40, None, None), (150, None, None)),
    )
    hasty = plan(60, (0, 0), (30, 1), (50, 2))
    found = only(verify(hasty, site((0,), (1, 2), (1,), envelope=envelope), PROFILE))
    assert found.rule is PlanRule.PEDESTRIAN_CLEARANCE
    assert (found.groups, found.at_s, found.limit_s, found.found_s) == (
        ("F2", "K0"),
        4.0,
        15.0,
        14.0,
    )
    assert found.stages == ("1",)
    assert "Remedy" in str(found.finding("here"))


def test_short_green_and_step_over_before_its_green() -> None:
    short = only(verify(plan(60, (0, 0), (13, 1)), site(*TWO_STAGES), PROFILE))
    assert (short.rule, short.groups, short.found_s) == (PlanRule.MIN_GREEN, ("K0",), 4.0)
    never = refused(verify(plan(60, (0, 0), (9, 1)), site(*TWO_STAGES), PROFILE))
    assert (PlanRule.MIN_GREEN, 0.0) in {(f.rule, f.found_s) for f in never}
    assert not {f.rule for f in never} & {PlanRule.SERVICE}


def test_group_that_is_never_served() -> None:
    found = only(verify(GOOD, site((0,), (1,), (2,)), PROFILE))
    assert (found.rule, found.groups) == (PlanRule.SERVICE, ("F2",))
    dead = verify(GOOD, site((0,), (1,)), PROFILE)  # no stage of the scenario serves it either
    assert isinstance(dead, Certificate)
    assert [(w.rule, w.severity) for w in dead.warnings] == [(PlanRule.SERVICE, Severity.WARNING)]


def test_limits_of_the_profile() -> None:
    limits = PlanLimits(max_green_s=20, max_red_s=30, max_cycle_s=50)
    found = refused(verify(GOOD, site(*TWO_STAGES), replace(PROFILE, limits=limits)))
    assert {(f.rule, f.groups, f.found_s) for f in found} == {
        (PlanRule.CYCLE, (), 60.0),
        (PlanRule.MAX_GREEN, ("K0",), 21.0),
        (PlanRule.MAX_GREEN, ("K1",), 25.0),
        (PlanRule.MAX_GREEN, ("F2",), 26.0),
        (PlanRule.MAX_RED, ("K0",), 35.0),
        (PlanRule.MAX_RED, ("K1",), 31.0),
        (PlanRule.MAX_RED, ("F2",), 34.0),
    }


def test_envelope_below_its_profile_is_found() -> None:
    other = only(verify(GOOD, site(*TWO_STAGES), RilsaProfile()))
    assert other.rule is PlanRule.ENVELOPE and "sumo/1" in other.message
    envelope = crossroads()
    groups = (replace(envelope.groups[0], min_green_ds=40), *envelope.groups[1:])
    low = replace(envelope, groups=groups, profile="rilsa/1")
    found = only(verify(GOOD, site(*TWO_STAGES, envelope=low), RilsaProfile()))
    assert (found.rule, found.groups, found.limit_s) == (PlanRule.ENVELOPE, ("K0",), 5.0)


def test_steps_that_only_lead_on_belong_to_the_transition() -> None:
    stages = site((0,), (1, 2), ()).stages
    clearing = plan(60, (0, 0), (30, 2), (33, 1))
    here = replace(site((0,), (1, 2)), stages=(*stages[:2], replace(stages[2], selectable=False)))
    greens = plan_greens(clearing, here.stages, here.envelope)
    assert {(g.group, g.start_ds) for g in greens} == {(0, 90), (1, 350), (2, 340)}
    assert isinstance(verify(clearing, here, PROFILE), Certificate)


@pytest.mark.parametrize(
    ("states", "rule"),
    [
        ([(30, "Grr"), (3, "yrr"), (2, "rrr"), (20, "rGr")], PlanRule.AMBER),
        ([(30, "Grr"), (3, "yrr"), (1, "rrr"), (1, "rur"), (20, "rGr"), (3, "ryr"), (2, "rrr"),
          (1, "urr"), (2, "Grr")], PlanRule.SERVICE),
        ([(30, "Grr"), (4, "yrr"), (1, "rur"), (20, "rGr")], PlanRule.AMBER),
        ([(30, "Grr"), (3, "yrr"), (4, "rur"), (20, "rGr")], PlanRule.RED_AMBER),
        ([(30, "Grr"), (3, "yGr")], PlanRule.CONFLICT),
        ([(30, "Goo"), (3, "yoo")], PlanRule.SEQUENCE),
    ],
)  # fmt: skip
def test_program_that_names_its_lamps(states: list[tuple[int, str]], rule: PlanRule) -> None:
    program = LampProgram(
        durations_ds=tuple(10 * duration_s for duration_s, _ in states),
        states=tuple(state for _, state in states),
        group_of=(0, 1, 2),
    )
    found = refused(verify_program(program, site(*TWO_STAGES), PROFILE, "x"))
    assert rule in {f.rule for f in found}


def test_needs_the_standard_library_only() -> None:
    code = (
        "import sys\nimport ampelwerk.engine.verification\n"
        "heavy = {'numpy', 'numba', 'networkx', 'pydantic', 'libsumo', 'rich', 'typer'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


def test_interlock_that_shows_something_else_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def longer_green(
        plan: CyclicPlan, stages: tuple[Stage, ...], envelope: Envelope
    ) -> LampProgram:
        """Road 0 a second earlier than the interlock would let it go, with intergreens to match."""
        hasty = replace(
            envelope, intergreen_ds=((None, 50, 40), (50, None, None), (80, None, None))
        )
        return planned_lamps(plan, stages, hasty)

    monkeypatch.setattr("ampelwerk.engine.verification.planned_lamps", longer_green)
    monkeypatch.setattr("ampelwerk.engine.verification.lamp_findings", lambda *_: [])
    found = only(verify(GOOD, site(*TWO_STAGES), PROFILE))
    assert (found.rule, found.at_s) == (PlanRule.DELAYED, 7.0)


@st.composite
def planned_sites(draw: st.DrawFn) -> tuple[CyclicPlan, Intersection]:
    """Any legal envelope, stages without conflicts, and a plan of any times."""
    envelope = replace(draw(envelopes()), profile=PROFILE.label)
    stages = []
    for _ in range(draw(st.integers(2, 4))):
        groups = list[int]()
        for group in draw(st.permutations(range(envelope.size))):
            if not any(envelope.conflict[group][other] for other in groups):
                groups.append(group)
        stages.append(tuple(sorted(groups)))
    here = site(*stages, envelope=envelope)
    leads_on = draw(st.integers(-1, len(stages) - 1))
    here = replace(
        here,
        stages=tuple(
            replace(stage, selectable=k != leads_on) for k, stage in enumerate(here.stages)
        ),
    )
    scale_ds = draw(st.sampled_from([1, 5, 10]))
    lengths = draw(st.lists(st.integers(1, 20), min_size=1, max_size=5))
    starts = [scale_ds * sum(lengths[:k]) for k in range(len(lengths))]
    steps = tuple(
        PlanStep(start_ds=start_ds, stage=draw(st.integers(0, len(stages) - 1)))
        for start_ds in starts
    )
    cycle_ds = scale_ds * sum(lengths)
    offset_ds = draw(st.integers(0, cycle_ds - 1))
    return CyclicPlan(plan_id="any", cycle_ds=cycle_ds, offset_ds=offset_ds, steps=steps), here


@given(planned_sites())
def test_interlock_shows_every_plan_whose_times_keep_the_rules(
    planned: tuple[CyclicPlan, Intersection],
) -> None:
    verdict = verify(*planned, PROFILE)
    if not isinstance(verdict, Certificate):
        assert not any("not shown as planned" in found.message for found in verdict), verdict


def test_plan_that_is_not_reached_again_after_a_disturbance_is_refused() -> None:
    # Group 0 is wanted for 12 s, which its red-amber and minimum green just fill. Begun late, it ends
    # late, group 1 is late in turn, and so on for ever.
    envelope = replace(
        envelope_of([(6, 0, 6, 0), (0, 0, 3, 0)], {(0, 1): 0, (1, 0): 0}), profile=PROFILE.label
    )
    tight = plan(18, (0, 0), (12, 1))
    found = only(verify(tight, site((0,), (1,), envelope=envelope), PROFILE))
    assert found.rule is PlanRule.DELAYED
    assert "entered from stage" in found.message and "not reached" in found.message
    loose = plan(20, (0, 0), (14, 1))
    assert isinstance(verify(loose, site((0,), (1,), envelope=envelope), PROFILE), Certificate)


def test_plan_that_is_shown_but_not_reached_from_all_red_is_refused_for_that() -> None:
    # Group 0 is wanted for 10 s, which its red-amber and minimum green just fill, group 1 for its intergreen
    # and minimum green. All red at second 0, in the middle of group 0's, makes it late, and so on for ever.
    envelope = replace(
        envelope_of([(4, 0, 6, 5), (8, 0, 0, 0)], {(0, 1): 1, (1, 0): 0}), profile=PROFILE.label
    )
    found = only(
        verify(plan(19, (0, 0), (2, 1), (11, 0)), site((0,), (1,), envelope=envelope), PROFILE)
    )
    assert found.rule is PlanRule.DELAYED
    assert "entered from all red" in found.message
