"""A published plan held against its intersection: by the server before it is stored, and again by the
controller before it is accepted. Both run exactly this.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice

from ampelwerk.controllers import convert
from ampelwerk.controllers.plan_convert import PlanContent, read_content
from ampelwerk.engine.plan_switches import longest_reds_ds, red_findings
from ampelwerk.engine.verification import verify
from ampelwerk.models.certificate import Certificate, PlanFinding
from ampelwerk.models.errors import Finding, InvalidInputError, Severity
from ampelwerk.models.intersection import Intersection
from ampelwerk.models.profile import Profile, profile_named
from ampelwerk.models.year_calendar import YearSchedule
from ampelwerk.proto.v1 import common_pb2, plan_pb2

CALENDAR_DAYS, MOST_AHEAD = 731, 2_000
"""A calendar's switches are looked at so far ahead [d], and no more than so many of them."""
MOST_PLAYED = 20
"""Different switches that are played through, spread over that time: each takes some milliseconds."""
_DAY_DS = 864_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedPlan:
    """What a check has found."""

    content: PlanContent | None
    """What the plan says; None if it may not be carried out."""
    findings: tuple[common_pb2.Finding, ...]
    """Everything found; with a content, warnings alone."""
    certificates: bytes = b""
    """A certificate for each cyclic plan, as JSON."""


def check_plan(
    plan: plan_pb2.Plan, site: Intersection, *, envelope_hash: bytes, now_unix_ms: int
) -> CheckedPlan:
    """Hold a plan against envelope, rule set and the intersection it is for.

    Parameters
    ----------
    envelope_hash : name of the envelope held here.
    now_unix_ms : a calendar is looked at from now on. [ms]
    """
    found = [convert.finding_message(finding) for finding in _misplaced(plan, site, envelope_hash)]
    content, misread = read_content(plan, site)
    found += [convert.finding_message(finding) for finding in misread]
    if content is None or found:
        return CheckedPlan(content=None, findings=tuple(found))
    try:
        profile = profile_named(site.envelope.profile)
    except InvalidInputError as error:
        wrong = _finding(site, "unknown_profile", str(error))
        return CheckedPlan(content=None, findings=(convert.finding_message(wrong),))
    certificates, broken = [], False
    for cyclic in content.plans:
        verdict = verify(cyclic, site, profile)
        safe = isinstance(verdict, Certificate)
        told = verdict.warnings if isinstance(verdict, Certificate) else verdict
        found += [
            _plan_finding(one, f"{site.intersection_id}, plan {cyclic.plan_id}") for one in told
        ]
        broken = broken or not safe
        if isinstance(verdict, Certificate):
            certificates.append(asdict(verdict))
    if not broken and content.calendar is not None:
        late = _reds_at_switches(content, site, profile, now_unix_ms)
        found += [_plan_finding(one, f"{site.intersection_id}, calendar") for one in late]
        broken = bool(late)
    return CheckedPlan(
        content=None if broken else content,
        findings=tuple(found),
        certificates=b"" if broken else json.dumps(certificates, sort_keys=True).encode(),
    )


def _misplaced(plan: plan_pb2.Plan, site: Intersection, envelope_hash: bytes) -> Iterator[Finding]:
    """What says that the plan is not for this place."""
    if plan.intersection_id != site.intersection_id:
        yield _finding(site, "wrong_intersection", f"It is for {plan.intersection_id[:64]!r}.")
    if plan.envelope_sha256 != envelope_hash:
        yield _finding(site, "wrong_envelope", "The plan was made for another envelope.")
    if plan.ruleset_sha256 != convert.ruleset_sha256(site.envelope):
        yield _finding(site, "wrong_ruleset", "The plan was verified under another rule set.")


def _finding(site: Intersection, rule: str, message: str) -> Finding:
    where = f"intersection {site.intersection_id}"
    return Finding(rule=rule, severity=Severity.ERROR, where=where, message=message)


def _reds_at_switches(
    content: PlanContent, site: Intersection, profile: Profile, now_unix_ms: int
) -> tuple[PlanFinding, ...]:
    """Reds that are too long while a plan takes over from another one by the calendar."""
    schedule, groups = content.schedule, site.envelope.groups
    limited = any(profile.limits.red_ds(group.max_red_ds) is not None for group in groups)
    if not limited or not isinstance(schedule, YearSchedule):
        return ()
    begin_ds = now_unix_ms // 100
    cases: dict[tuple[object, ...], int] = {}
    ahead = schedule.switches_between(begin_ds, begin_ds + CALENDAR_DAYS * _DAY_DS)
    for due_ds in islice(ahead, MOST_AHEAD):
        old, new = schedule.plan_at(due_ds - 1), schedule.plan_at(due_ds)
        clocks = old.cycle_clock_ds(due_ds), new.cycle_clock_ds(due_ds)
        cases.setdefault((old.plan_id, new.plan_id, *clocks), due_ds)
    worst: dict[int, int] = {}
    times = sorted(cases.values())
    for due_ds in times[:: -(-len(times) // MOST_PLAYED) or 1]:
        for group, red_ds in enumerate(longest_reds_ds(site, schedule, due_ds)):
            worst[group] = max(worst.get(group, 0), red_ds)
    return red_findings(site, worst, profile)


def _plan_finding(finding: PlanFinding, where: str) -> common_pb2.Finding:
    """A finding of the verification for the wire, with its facts."""
    message = convert.finding_message(finding.finding(where))
    message.remedy = finding.remedy if finding.severity is Severity.ERROR else ""
    message.group_ids.extend(finding.groups)
    message.stage_ids.extend(finding.stages)
    if finding.at_s is not None:
        message.at_ms = round(finding.at_s * 1000)
    if finding.limit_s is not None:
        message.limit = finding.limit_s
    if finding.found_s is not None:
        message.found, message.unit = finding.found_s, "s"
    return message
