"""Timing plans that leave optimisation: computed, verified, and explained where they are not.

A signal that offers no choice keeps its program; so does one whose computed plan does not verify.
Whatever is kept is verified too; what does not verify is left out and named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from ampelwerk.engine.coordination.corridor_band import CorridorBand
from ampelwerk.engine.coordination.day_plans import Stretch, calendar_of, stretches
from ampelwerk.engine.coordination.deadline import Deadline
from ampelwerk.engine.coordination.optimisation import LONGEST_S, SignalPlan, optimise
from ampelwerk.engine.coordination.plan_problem import Streets
from ampelwerk.engine.coordination.stage_sequence import shipped_stages
from ampelwerk.engine.coordination.traffic_demand import TrafficDemand
from ampelwerk.engine.kernels.city import FloatArray
from ampelwerk.engine.plan_switches import switch_findings
from ampelwerk.engine.verification import verify
from ampelwerk.models.calendar import CalendarEntry
from ampelwerk.models.certificate import Certificate
from ampelwerk.models.errors import Finding, Severity
from ampelwerk.models.intersection import Intersection
from ampelwerk.models.network import Network
from ampelwerk.models.plan import CyclicPlan, PlanStep
from ampelwerk.models.profile import Profile

SPARE_S = 1
"""Time that each step of a signal gets beyond the shortest if its plan is refused without it. [s]"""
NEARLY_FULL = 0.95
"""Degree of saturation above which a signal is named. [-]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingPlans:
    """What came out for one demand."""

    sites: tuple[Intersection, ...]
    """Intersections with their verified plan as the only one."""
    computed: tuple[SignalPlan, ...]
    """What the model says of the computed ones, plan after plan."""
    findings: tuple[Finding, ...]
    """Oversaturation, and signals without a computed plan, with the reason."""


def timing_plans(
    network: Network,
    demand: TrafficDemand,
    profile: Profile,
    *,
    flow_veh_h: FloatArray,
    period_h: float,
    plan_id: str,
    deadline: Deadline,
    progress: Callable[[float], None] = lambda share: None,
    corridors: Iterable[tuple[int, ...]] = (),
) -> TimingPlans:
    """Compute and verify plans for one demand.

    Parameters
    ----------
    flow_veh_h : (L,) demand the plans are for. [veh/h]
    period_h : time for which it lasts. [h]
    plan_id : name of the plans.
    corridors : intersections along a road, in order, for which a green band is wanted.
    """
    findings = list[Finding]()
    streets = Streets(network, demand, flow_veh_h, period_h)
    planned = []
    for i, site in enumerate(network.intersections):
        reason = _no_choice(site, streets, i)
        if reason:
            findings.append(
                _finding("not_optimised", Severity.INFO, site, reason, "Its program stays.")
            )
        else:
            planned.append(i)
    longest_s = int(min(LONGEST_S, profile.limits.max_cycle_s or LONGEST_S))
    optimised = partial(
        optimise,
        streets,
        planned,
        deadline=deadline,
        longest_s=longest_s,
        corridors=tuple(corridors),
    )
    computed, bands = optimised(progress=progress)
    verdicts = _verdicts(network, computed, profile, plan_id)
    tight = [signal for signal, (ready, _) in verdicts.items() if ready is None]
    if tight and not deadline.passed():
        # Without a second to spare in its steps a plan never catches up after a disturbance.
        again, their_bands = optimised(spare_s=dict.fromkeys(tight, SPARE_S))
        verdicts_again = _verdicts(network, again, profile, plan_id)
        if sum(ready is None for ready, _ in verdicts_again.values()) < len(tight):
            computed, bands, verdicts = again, their_bands, verdicts_again
    findings += [_band_finding(network, band) for band in bands]
    plan_of = {plan.signal: plan for plan in computed}
    sites = []
    for i, site in enumerate(network.intersections):
        ready: Intersection | None = None
        if i in verdicts:
            ready, error = verdicts[i]
            if ready is None:
                message = f"the computed plan does not verify: {error}"
                findings.append(
                    _finding("plan_refused", Severity.WARNING, site, message, "Its program stays.")
                )
            findings += _saturation(site, plan_of[i])
        if ready is None:
            ready, refused = _with_shipped(site, profile, plan_id)
            findings += refused
        if ready is not None:
            sites.append(ready)
    named = tuple(replace(plan, plan_id=plan_id) for plan in computed)
    return TimingPlans(sites=tuple(sites), computed=named, findings=tuple(findings))


def daily_plans(
    network: Network,
    demand: TrafficDemand,
    profile: Profile,
    *,
    most: int,
    deadline: Deadline,
    progress: Callable[[float], None] = lambda share: None,
    corridors: Sequence[tuple[int, ...]] = (),
) -> tuple[TimingPlans, tuple[CalendarEntry, ...]]:
    """Plans for the demand of a day, at most so many, and when each is in force.

    A signal that has no safe plan for one of the stretches is left out altogether. A plan whose
    switch would keep a group at red too long is refused in the same way as an unsafe one.
    """
    found = stretches(demand.flow_veh_h, demand.interval_s, most)
    names = _names(found)
    parts = []
    for number, name in enumerate(names):
        of_plan = [stretch for stretch in found if stretch.plan == number]
        chosen = demand.busy([k for part in of_plan for k in range(part.first, part.end)])
        longest = max(sum(part.first <= k < part.end for k in chosen) for part in of_plan)
        parts.append(
            timing_plans(
                network,
                demand,
                profile,
                flow_veh_h=demand.mean_veh_h(chosen),
                period_h=longest * demand.interval_s / 3600.0,
                plan_id=name,
                deadline=deadline,
                progress=_part_of(progress, number, len(names)),
                corridors=corridors,
            )
        )
    calendar = calendar_of(found, demand.begin_s, demand.interval_s, names)
    by_name = [{site.intersection_id: site for site in part.sites} for part in parts]
    sites, findings = [], list(dict.fromkeys(f for part in parts for f in part.findings))
    for first in parts[0].sites:
        own = [
            sites_of[first.intersection_id]
            for sites_of in by_name
            if first.intersection_id in sites_of
        ]
        if len(own) < len(parts):
            continue
        site = replace(first, plans=tuple(one.plans[0] for one in own), calendar=calendar)
        reds = [f for name in names for f in switch_findings(site, name, profile)]
        if reds:
            where = f"{site.intersection_id}, calendar"
            message = f"a switch of the calendar is refused: {reds[0].finding(where).message}"
            findings.append(
                _finding(
                    "no_safe_plan",
                    Severity.WARNING,
                    site,
                    message,
                    "It is left out of the plan file.",
                )
            )
            continue
        sites.append(site)
    computed = tuple(plan for part in parts for plan in part.computed)
    return TimingPlans(sites=tuple(sites), computed=computed, findings=tuple(findings)), calendar


def _names(found: Sequence[Stretch]) -> list[str]:
    """Names of the plans: numbers, where there is more than one."""
    plans = max(stretch.plan for stretch in found) + 1
    return ["optimised"] if plans == 1 else [f"optimised-{k + 1}" for k in range(plans)]


def _part_of(progress: Callable[[float], None], k: int, count: int) -> Callable[[float], None]:
    """Progress of one part as progress of all."""
    return lambda share: progress((k + share) / count)


def _band_finding(network: Network, band: CorridorBand) -> Finding:
    """How wide the band of a corridor is, and whether the plans have it."""
    where = ", ".join(str(network.intersections[i].intersection_id) for i in band.corridor)
    message = f"no green band: {band.reason}"
    if not band.reason:
        message = (
            f"widest green bands at {band.cycle_s} s: {band.out_s:.0f} s in this order, "
            f"{band.in_s:.0f} s against it; "
            + ("the plans have them." if band.chosen else "offsets of lower index were taken.")
        )
    return Finding(
        rule="green_band", severity=Severity.INFO, where=f"corridor {where}", message=message
    )


def cyclic_plan(found: SignalPlan, plan_id: str) -> CyclicPlan:
    """The plan as controllers know it."""
    steps, start_ds = [], 0
    for stage, step_s in zip(found.stages, found.step_s, strict=True):
        steps.append(PlanStep(start_ds=start_ds, stage=stage))
        start_ds += 10 * step_s
    return CyclicPlan(
        plan_id=plan_id,
        cycle_ds=start_ds,
        offset_ds=10 * found.offset_s % start_ds,
        steps=tuple(steps),
    )


def _no_choice(site: Intersection, streets: Streets, signal: int) -> str:
    """Why there is nothing to compute; empty if there is."""
    if len(shipped_stages(site)) < 2:
        return "its program shows a single stage."
    lanes = streets.lanes_of[signal]
    if not lanes:
        return "it has no lanes for vehicles; its pedestrians keep what they have."
    if not any(streets.demand_veh_h[lane] > 0 for lane in lanes):
        return "no vehicle was counted on any of its lanes."
    return ""


def _verdicts(
    network: Network, computed: Sequence[SignalPlan], profile: Profile, plan_id: str
) -> dict[int, tuple[Intersection | None, str]]:
    """Signal -> the intersection with its computed plan alone, or the first error."""
    return {
        plan.signal: _verified(
            network.intersections[plan.signal], cyclic_plan(plan, plan_id), profile
        )
        for plan in computed
    }


def _with_shipped(
    site: Intersection, profile: Profile, plan_id: str
) -> tuple[Intersection | None, list[Finding]]:
    """The intersection with the program in force, if that verifies."""
    ready, error = _verified(site, replace(site.plans[0], plan_id=plan_id), profile)
    if ready is not None:
        return ready, []
    message = f"neither a computed plan nor its program verifies: {error}"
    remedy = "It is left out of the plan file."
    return None, [_finding("no_safe_plan", Severity.WARNING, site, message, remedy)]


def _verified(
    site: Intersection, plan: CyclicPlan, profile: Profile
) -> tuple[Intersection | None, str]:
    """The intersection with this plan alone, or the first error."""
    ready = replace(site, plans=(plan,))
    verdict = verify(plan, ready, profile)
    if isinstance(verdict, Certificate):
        return ready, ""
    where = f"{site.intersection_id}, plan {plan.plan_id}"
    errors = [finding for finding in verdict if finding.severity is Severity.ERROR]
    return None, errors[0].finding(where).message


def _saturation(site: Intersection, found: SignalPlan) -> list[Finding]:
    if found.saturation <= NEARLY_FULL:
        return []
    over = found.saturation > 1.0
    return [
        _finding(
            "oversaturated" if over else "nearly_saturated",
            Severity.WARNING,
            site,
            f"with the best splits at {found.cycle_s} s the degree of saturation is still "
            f"{found.saturation:.2f}.",
            "Queues will grow while this demand lasts; more lanes or less traffic would help."
            if over
            else "",
        )
    ]


def _finding(
    rule: str, severity: Severity, site: Intersection, message: str, remedy: str
) -> Finding:
    return Finding(
        rule=rule,
        severity=severity,
        where=str(site.intersection_id),
        message=message,
        remedy=remedy,
    )
