"""Verification (gate G1): a plan gets a certificate, or every finding at once.

Standard library only, for a controller at the roadside verifies again what it is sent. Two ways lead
to the same states and must agree: the plan's times alone (`lamp_program`) and the interlock's own
transition function, entered from every stage of the plan and every step of its cycle.

A plan is refused if any rule is broken *before* an interlock has waited or delayed anything: what
needs to be delayed does not show what was planned.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from math import gcd

from ampelwerk.engine.lamp_program import GreenTime, LampProgram, plan_greens, planned_lamps
from ampelwerk.engine.lamp_rules import ASPECT, GREEN, lamp_findings
from ampelwerk.engine.transition import (
    RED,
    SATURATED,
    Rules,
    State,
    all_red,
    compile_rules,
    step,
)
from ampelwerk.models.certificate import Certificate, PlanFinding, PlanRule, digest
from ampelwerk.models.envelope import Envelope, RoadUser
from ampelwerk.models.errors import Severity
from ampelwerk.models.intersection import Intersection
from ampelwerk.models.plan import CyclicPlan
from ampelwerk.models.profile import Profile, RilsaProfile

VERIFIER = 1
"""Version of what is checked here and how; part of every certificate."""
_MOST_RED_AMBER_S = 2
"""Longest red-amber (RiLSA 2015). [s]"""
_RUN_IN_CYCLES = 2


def verify(
    plan: CyclicPlan, site: Intersection, profile: Profile
) -> Certificate | tuple[PlanFinding, ...]:
    """Hold a plan against the envelope of its intersection and the limits of a profile.

    Returns
    -------
    A certificate, with warnings if there are any; or all findings, at least one of them an error.
    """
    lamps = planned_lamps(plan, site.stages, site.envelope)
    found = [
        *_envelope_findings(site.envelope, profile),
        *_cycle_findings(plan.cycle_ds, profile),
        *_never_green(plan_greens(plan, site.stages, site.envelope), site),
        *lamp_findings(lamps, site, profile.limits),
    ]
    found += _service_findings(lamps, site, found)
    found = [_with_stages(finding, plan, site) for finding in found]
    if not any(finding.severity is Severity.ERROR for finding in found):
        found += _delays(plan, site, lamps)
    stages = [asdict(site.stages[step.stage]) for step in plan.steps]
    return _verdict(found, site, plan.plan_id, profile, {"plan": asdict(plan), "stages": stages})


def verify_program(
    program: LampProgram, site: Intersection, profile: Profile, program_id: str
) -> Certificate | tuple[PlanFinding, ...]:
    """The same for a program that names the state of every lamp, such as one of SUMO's.

    It has no stages and no interlock before it, so nothing can be delayed.
    """
    found = [
        *_envelope_findings(site.envelope, profile),
        *_cycle_findings(program.cycle_ds, profile),
        *lamp_findings(program, site, profile.limits),
    ]
    found += _service_findings(program, site, found)
    return _verdict(found, site, program_id, profile, list(program))


def _verdict(
    found: Sequence[PlanFinding],
    site: Intersection,
    plan_id: str,
    profile: Profile,
    content: object,
) -> Certificate | tuple[PlanFinding, ...]:
    if any(finding.severity is Severity.ERROR for finding in found):
        return tuple(found)
    return Certificate(
        intersection_id=site.intersection_id,
        plan_id=plan_id,
        profile=profile.label,
        intersection_sha256=digest({"envelope": asdict(site.envelope), "yields": site.yields}),
        plan_sha256=digest(content),
        ruleset_sha256=digest(profile),
        verifier=VERIFIER,
        checks=tuple(PlanRule),
        warnings=tuple(found),
    )


def _envelope_findings(envelope: Envelope, profile: Profile) -> Iterator[PlanFinding]:
    """The envelope was made under this profile, and no time of it is below the profile's."""

    def wrong(detail: str, group: str = "", limit_s: float = 0, found_s: float = 0) -> PlanFinding:
        return PlanFinding(
            rule=PlanRule.ENVELOPE,
            severity=Severity.ERROR,
            groups=(group,) if group else (),
            limit_s=limit_s if group else None,
            found_s=found_s if group else None,
            detail=detail,
        )

    if envelope.profile != profile.label:
        yield wrong(f"made under {envelope.profile}, checked against {profile.label}")
        return
    if not isinstance(profile, RilsaProfile):
        return
    for group in envelope.groups:
        name = str(group.group_id)
        if group.min_green_ds < profile.min_green_s * 10:
            yield wrong("minimum green", name, profile.min_green_s, group.min_green_ds / 10)
        if group.min_red_ds < profile.min_red_s * 10:
            yield wrong("minimum red", name, profile.min_red_s, group.min_red_ds / 10)
        if group.red_amber_ds > _MOST_RED_AMBER_S * 10:
            yield wrong("red-amber", name, _MOST_RED_AMBER_S, group.red_amber_ds / 10)
        least_s = 0
        if group.road_user is RoadUser.CYCLIST:
            least_s = profile.cyclist_amber_s
        elif group.road_user is not RoadUser.PEDESTRIAN:
            least_s = profile.turning_amber_s
        if group.amber_ds < least_s * 10:
            yield wrong("amber", name, least_s, group.amber_ds / 10)


def _cycle_findings(cycle_ds: int, profile: Profile) -> Iterator[PlanFinding]:
    limits, cycle_s = profile.limits, cycle_ds / 10
    if limits.max_cycle_s is not None and cycle_s > limits.max_cycle_s:
        yield _cycle(Severity.ERROR, limits.max_cycle_s, cycle_s)
    elif limits.usual_cycle_s is not None and cycle_s > limits.usual_cycle_s:
        yield _cycle(Severity.WARNING, limits.usual_cycle_s, cycle_s)
    elif limits.min_cycle_s is not None and cycle_s < limits.min_cycle_s:
        yield _cycle(Severity.WARNING, limits.min_cycle_s, cycle_s)


def _cycle(severity: Severity, limit_s: float, found_s: float) -> PlanFinding:
    return PlanFinding(rule=PlanRule.CYCLE, severity=severity, limit_s=limit_s, found_s=found_s)


def _never_green(greens: Sequence[GreenTime], site: Intersection) -> Iterator[PlanFinding]:
    """Steps that are over before a group that they want could turn green."""
    for green in greens:
        if green.end_ds <= green.start_ds:
            group = site.envelope.groups[green.group]
            yield PlanFinding(
                rule=PlanRule.MIN_GREEN,
                severity=Severity.ERROR,
                groups=(str(group.group_id),),
                at_s=green.wanted_ds / 10,
                limit_s=group.min_green_ds / 10,
                found_s=0.0,
                detail="its step is over before the transition to it is",
            )


def _service_findings(
    program: LampProgram, site: Intersection, found: Sequence[PlanFinding]
) -> list[PlanFinding]:
    """Groups that are never green; only a warning for one that no stage of the scenario serves."""
    served = {
        program.group_of[lamp]
        for state in program.states
        for lamp, letter in enumerate(state)
        if ASPECT[letter] == GREEN
    }
    servable = {group for stage in site.stages for group in stage.groups}
    explained = {f.groups[0] for f in found if f.rule is PlanRule.MIN_GREEN and f.found_s == 0.0}
    return [
        PlanFinding(
            rule=PlanRule.SERVICE,
            severity=Severity.ERROR if g in servable else Severity.WARNING,
            groups=(str(group.group_id),),
        )
        for g, group in enumerate(site.envelope.groups)
        if g not in served and group.group_id not in explained
    ]


def _with_stages(finding: PlanFinding, plan: CyclicPlan, site: Intersection) -> PlanFinding:
    """The finding with the stage that is wanted at its time."""
    if finding.at_s is None:
        return finding
    stage = site.stages[plan.stage_at(round(finding.at_s * 10) + plan.offset_ds)]
    fields = {name: getattr(finding, name) for name in PlanFinding.__slots__}
    return PlanFinding(**{**fields, "stages": (str(stage.stage_id),)})


def _delays(plan: CyclicPlan, site: Intersection, lamps: LampProgram) -> list[PlanFinding]:
    """Where the interlock does not show what the plan's times ask for."""
    run = _InterlockRun(plan, site, lamps)
    late_ds = run.first_difference_ds()
    if late_ds is not None:
        return [_delayed(late_ds, "it is not shown as planned")]
    entered = run.entry_that_never_rejoins()
    if entered is not None:
        stage, at_ds = entered
        name = "all red" if stage is None else f"stage {site.stages[stage].stage_id}"
        return [_delayed(at_ds, f"entered from {name}, it is not reached within two cycles")]
    return []


def _delayed(at_ds: int, detail: str) -> PlanFinding:
    return PlanFinding(
        rule=PlanRule.DELAYED, severity=Severity.ERROR, at_s=at_ds / 10, detail=detail
    )


class _InterlockRun:
    """A plan played through the interlock's transition function."""

    def __init__(self, plan: CyclicPlan, site: Intersection, lamps: LampProgram) -> None:
        self._plan, self._site = plan, site
        self._tick_ds = common_tick_ds(
            site.envelope, [plan.cycle_ds, *(each.start_ds for each in plan.steps)]
        )
        self._rules = compile_rules(site.envelope, self._tick_ds)
        self._ticks = plan.cycle_ds // self._tick_ds
        self._masks = [
            site.stages[plan.stage_at(k * self._tick_ds + plan.offset_ds)].mask
            for k in range(self._ticks)
        ]
        self._planned = list(_aspects_by_tick(lamps, self._tick_ds))
        self._longest = 1 + max(
            max(map(max, self._rules.intergreen), default=0),
            *self._rules.min_green,
            *self._rules.min_red,
            *self._rules.amber,
            *self._rules.red_amber,
        )
        """Running times beyond this are of no account. [ticks]"""
        # Out of red after every intergreen, through red-amber, then beyond all account.
        self._settling = -(-3 * self._longest // self._ticks) * self._ticks
        """Whole cycles after which running times no longer tell where a state came from. [ticks]"""
        self._on_plan: set[tuple[int, State]] = set()

    def first_difference_ds(self) -> int | None:
        """Cycle second at which the plan, run in, shows something else than planned. [ds]

        A plan without a second to spare is shown if it is entered in time, and else late for ever: then
        it is none of this that is wrong with it. So it is begun from all red, and if need be from each of
        its stages as that is due.
        """
        first = self._run_in(all_red(self._rules), 0)
        if first is None:
            return None
        for each in self._plan.steps:
            settled = _settled(self._rules, self._site.stages[each.stage].groups)
            if self._run_in(settled, each.start_ds // self._tick_ds) is None:
                return None
        return first

    def _run_in(self, state: State, clock: int) -> int | None:
        """The first difference after an entry; without one, `_on_plan` holds every state."""
        for k in range(clock - self._ticks, _RUN_IN_CYCLES * self._ticks + self._settling):
            state = step(self._rules, state, self._masks[k % self._ticks])
        shown = set[tuple[int, State]]()
        for k in range(self._ticks):
            state = self._clipped(step(self._rules, state, self._masks[k]))
            if state.aspect != self._planned[k]:
                return k * self._tick_ds
            shown.add((k, state))
        self._on_plan = shown
        return None

    def entry_that_never_rejoins(self) -> tuple[int | None, int] | None:
        """(stage, cycle time [ds]) from which the plan is not reached within two cycles.

        A stage is entered as shown for long; no stage is all red at the begin of the cycle. Entries are
        tried at the begin of every step, a tick after it and a tick before.
        """
        if not self._rejoins(all_red(self._rules), 0):
            return None, 0
        starts = {s.start_ds // self._tick_ds for s in self._plan.steps}
        clocks = sorted({(k + near) % self._ticks for k in starts for near in (-1, 0, 1)})
        for stage in sorted({s.stage for s in self._plan.steps}):
            for clock in clocks:
                if not self._rejoins(_settled(self._rules, self._site.stages[stage].groups), clock):
                    return stage, clock * self._tick_ds
        return None

    def _rejoins(self, state: State, clock: int) -> bool:
        passed = list[tuple[int, State]]()
        for k in range(clock, clock + 2 * self._ticks + self._settling):
            at = k % self._ticks
            state = self._clipped(step(self._rules, state, self._masks[at]))
            if (at, state) in self._on_plan:
                self._on_plan.update(passed)
                return True
            passed.append((at, state))
        return False

    def _clipped(self, state: State) -> State:
        """The state with running times beyond every rule cut off, so that equal ones are equal."""
        most = self._longest
        return State(
            state.aspect,
            tuple(min(t, most) for t in state.shown),
            tuple(min(t, most) for t in state.ended),
        )


def _settled(rules: Rules, groups: Sequence[int]) -> State:
    """Exactly these groups green, and all as it is for long."""
    return State(
        tuple(GREEN if g in groups else RED for g in range(rules.size)),
        (SATURATED,) * rules.size,
        tuple(0 if g in groups else SATURATED for g in range(rules.size)),
    )


def common_tick_ds(envelope: Envelope, times_ds: Iterable[int]) -> int:
    """Longest tick of which every time of an envelope, and these, are multiples. [ds]"""
    times = list(times_ds)
    for group in envelope.groups:
        times += [group.min_green_ds, group.min_red_ds, group.amber_ds, group.red_amber_ds]
    times += [gap_ds or 0 for row in envelope.intergreen_ds for gap_ds in row]
    return gcd(*times)


def _aspects_by_tick(lamps: LampProgram, tick_ds: int) -> Iterator[tuple[int, ...]]:
    for duration_ds, state in zip(lamps.durations_ds, lamps.states, strict=True):
        aspects = tuple(ASPECT[letter] for letter in state)
        for _ in range(duration_ds // tick_ds):
            yield aspects
