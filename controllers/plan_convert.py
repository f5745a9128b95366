"""Cyclic plans and calendars between the wire and the models.

What comes from the wire is understood against one intersection: stages by their names, and by the
groups they show where those are given, so that a plan made for another network is noticed. All that
does not fit is told at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ampelwerk.controllers.identity import valid_id
from ampelwerk.models.calendar import WEEKDAYS, CalendarEntry
from ampelwerk.models.errors import Finding, InvalidInputError, Severity
from ampelwerk.models.intersection import Intersection
from ampelwerk.models.plan import CyclicPlan, PlanStep, Transition
from ampelwerk.models.plan_schedule import PlanSchedule, StageSchedule
from ampelwerk.models.plan_set import IntersectionPlans
from ampelwerk.models.year_calendar import CalendarDay, YearCalendar, YearSchedule
from ampelwerk.proto.v1 import plan_pb2

MOST_PLANS, MOST_STAGES, MOST_DAYS, MOST_SWITCHES = 64, 64, 400, 48
"""Plans of a calendar, stages of a plan, entries of a calendar, switches of a day."""
LONGEST_CYCLE_MS = 3_600_000
"""Longest cycle time that can be meant. [ms]"""
DAY_S = 86_400
"""Length of a day. [s]"""
_TRANSITIONS = {
    Transition.SHORTWAY: plan_pb2.TRANSITION_SHORTWAY,
    Transition.ADD_ONLY: plan_pb2.TRANSITION_ADD_ONLY,
    Transition.DWELL: plan_pb2.TRANSITION_DWELL,
}
_TRANSITION_OF = {number: transition for transition, number in _TRANSITIONS.items()} | {
    plan_pb2.TRANSITION_UNSPECIFIED: Transition.SHORTWAY
}
FROM_DATE, TO_DATE = 2000_01_01, 2099_12_31
"""Dates of a calendar that holds always, as YYYYMMDD."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanContent:
    """What a published plan says, over the stages of its intersection."""

    plans: tuple[CyclicPlan, ...]
    """One cyclic plan, or those of a calendar."""
    calendar: YearCalendar | None = None
    """Which one is in force when."""
    least_ds: tuple[int, ...] = ()
    """(stages,) time that a step of each stage takes at least. [ds]"""

    @property
    def name(self) -> str:
        """The plans by name."""
        return " ".join(plan.plan_id for plan in self.plans)

    @property
    def schedule(self) -> StageSchedule:
        """Which stage is wanted when."""
        if self.calendar is None:
            return PlanSchedule(self.plans)
        return YearSchedule(
            self.plans, self.calendar, ZoneInfo(self.calendar.timezone), self.least_ds
        )


def plan_message(
    planned: IntersectionPlans,
    calendar: Sequence[CalendarEntry],
    *,
    plan_id: str | None = None,
    timezone: str = "",
) -> plan_pb2.Plan:
    """The plans of an intersection for the wire.

    Parameters
    ----------
    calendar : of the week; without one, the plan named, else the first.
    timezone : of the calendar's times.
    """
    if plan_id is not None or not calendar:
        plan = planned.plans[0] if plan_id is None else planned.plan(plan_id)
        if plan is None:
            raise InvalidInputError(
                "the intersection has no plan of that name",
                where=f"intersection {planned.intersection_id}, --plan",
                found=str(plan_id),
                limit=", ".join(plan.plan_id for plan in planned.plans),
            )
        return plan_pb2.Plan(
            intersection_id=planned.intersection_id, cyclic=_cyclic_message(plan, planned)
        )
    days: dict[tuple[tuple[int, str], ...], int] = {}
    for number, day in enumerate(WEEKDAYS):
        table = tuple(sorted((e.at_s, e.plan_id) for e in calendar if day in e.days))
        if table:
            days[table] = days.get(table, 0) | 1 << number
    used = {entry.plan_id for entry in calendar}
    return plan_pb2.Plan(
        intersection_id=planned.intersection_id,
        calendar=plan_pb2.Calendar(
            timezone=timezone,
            days=[
                plan_pb2.CalendarDay(
                    date_from=FROM_DATE, date_to=TO_DATE, weekday_mask=mask, table_id=f"t{number}"
                )
                for number, mask in enumerate(days.values(), 1)
            ],
            tables=[
                plan_pb2.DayTable(
                    table_id=f"t{number}",
                    switches=[
                        plan_pb2.DaySwitch(local_time_s=at_s, plan_id=name) for at_s, name in table
                    ],
                )
                for number, table in enumerate(days, 1)
            ],
            plans=[
                _cyclic_message(plan, planned) for plan in planned.plans if plan.plan_id in used
            ],
        ),
    )


def _cyclic_message(plan: CyclicPlan, planned: IntersectionPlans) -> plan_pb2.CyclicPlan:
    ends_ds = [step.start_ds for step in plan.steps[1:]] + [plan.cycle_ds]
    return plan_pb2.CyclicPlan(
        plan_id=plan.plan_id,
        cycle_ms=plan.cycle_ds * 100,
        offset_ms=plan.offset_ds * 100,
        reference_stage_id=planned.stages[plan.steps[0].stage].stage_id,
        stages=[
            plan_pb2.CyclicStage(
                stage_id=planned.stages[step.stage].stage_id,
                start_ms=step.start_ds * 100,
                split_ms=(end_ds - step.start_ds) * 100,
                group_ids=sorted(planned.stages[step.stage].groups),
            )
            for step, end_ds in zip(plan.steps, ends_ds, strict=True)
        ],
        transition=_TRANSITIONS[plan.transition],
        max_change_ms=(plan.max_change_ds or 0) * 100,
    )


def read_content(
    plan: plan_pb2.Plan, site: Intersection
) -> tuple[PlanContent | None, list[Finding]]:
    """What a plan says, and all that is wrong with it; nothing if something is."""
    return _Reading(site).read(plan)


class _Reading:
    """One plan, read against one intersection."""

    def __init__(self, site: Intersection) -> None:
        self._where = f"intersection {site.intersection_id}"
        names = [str(group.group_id) for group in site.envelope.groups]
        self._stage = {str(stage.stage_id): n for n, stage in enumerate(site.stages)}
        self._least_ds = site.least_step_ds
        self._groups = [sorted(names[g] for g in stage.groups) for stage in site.stages]
        self.found: list[Finding] = []

    def _add(self, rule: str, where: str, message: str, remedy: str = "") -> None:
        self.found.append(
            Finding(
                rule=rule,
                severity=Severity.ERROR,
                where=f"{self._where}, {where}" if where else self._where,
                message=message,
                remedy=remedy,
            )
        )

    def read(self, plan: plan_pb2.Plan) -> tuple[PlanContent | None, list[Finding]]:
        """The content, or findings."""
        content = None
        kind = plan.WhichOneof("body")
        if kind == "cyclic":
            one = self._cyclic(plan.cyclic)
            content = PlanContent(plans=(one,), least_ds=self._least_ds) if one else None
        elif kind == "calendar":
            content = self._calendar(plan.calendar)
        else:
            self._add("no_plan", "", "There is neither a cyclic plan nor a calendar.")
        return (None if self.found else content), self.found

    def _cyclic(self, message: plan_pb2.CyclicPlan) -> CyclicPlan | None:
        where, before = f"plan {message.plan_id[:64]}", len(self.found)
        if not valid_id(message.plan_id):
            self._add("plan_id", where, "A plan has a name of 1 to 256 letters without spaces.")
        if not 1 <= len(message.stages) <= MOST_STAGES:
            self._add(
                "stages", where, f"It has {len(message.stages)} stages, not 1 to {MOST_STAGES}."
            )
            return None
        if message.transition not in _TRANSITION_OF:
            self._add("transition", where, "There is no such transition.")
        if message.max_change_ms and not 1000 <= message.max_change_ms <= message.cycle_ms:
            self._add(
                "max_change", where, "A transition changes a cycle by 1 s to the cycle time itself."
            )
        if not 0 < message.cycle_ms <= LONGEST_CYCLE_MS or message.offset_ms >= message.cycle_ms:
            self._add("cycle", where, "The cycle time is no such time, or the offset not below it.")
        due_ms, steps = 0, list[PlanStep]()
        for stage in message.stages:
            at = f"{where}, stage {stage.stage_id[:64]}, at {stage.start_ms / 1000:g} s"
            if stage.start_ms != due_ms or not stage.split_ms:
                self._add("order", at, f"It should begin at {due_ms / 1000:g} s, for some time.")
            due_ms = stage.start_ms + stage.split_ms
            number = self._stage.get(stage.stage_id)
            if number is None:
                self._add("unknown_stage", at, "The intersection has no stage of that name.")
                continue
            if stage.group_ids and sorted(stage.group_ids) != self._groups[number]:
                self._add(
                    "other_stage",
                    at,
                    f"The stage of that name shows {' '.join(self._groups[number])}.",
                    "Use the plan with the network it was made for.",
                )
            steps.append(PlanStep(start_ds=stage.start_ms // 100, stage=number))
        if due_ms != message.cycle_ms:
            self._add("order", where, f"The splits sum to {due_ms / 1000:g} s, not to the cycle.")
        if message.reference_stage_id != message.stages[0].stage_id:
            self._add("reference_stage", where, "The reference stage is the one at 0 s.")
        times = [message.cycle_ms, message.offset_ms, message.max_change_ms]
        times += [stage.start_ms for stage in message.stages]
        if any(time_ms % 100 for time_ms in times):
            self._add("resolution", where, "A time is no multiple of 100 ms.")
        if len(self.found) > before:
            return None
        return CyclicPlan(
            plan_id=message.plan_id,
            cycle_ds=message.cycle_ms // 100,
            offset_ds=message.offset_ms // 100,
            steps=tuple(steps),
            transition=_TRANSITION_OF[message.transition],
            max_change_ds=message.max_change_ms // 100 or None,
        )

    def _calendar(self, message: plan_pb2.Calendar) -> PlanContent | None:
        try:
            ZoneInfo(message.timezone)
        except (OSError, ValueError, ZoneInfoNotFoundError):
            self._add("timezone", "calendar", f"No time zone {message.timezone[:64]!r} is known.")
        if not (1 <= len(message.plans) <= MOST_PLANS and 1 <= len(message.days) <= MOST_DAYS):
            self._add(
                "calendar",
                "calendar",
                f"It has {len(message.plans)} plans and {len(message.days)} entries.",
                f"1 to {MOST_PLANS} plans, 1 to {MOST_DAYS} entries.",
            )
            return None
        plans = [self._cyclic(plan) for plan in message.plans]
        self._once([plan.plan_id for plan in message.plans], "plan")
        self._once([table.table_id for table in message.tables], "table")
        known = {plan.plan_id for plan in message.plans}
        tables = {table.table_id: self._table(table, known) for table in message.tables}
        days = [self._day(entry, n, tables) for n, entry in enumerate(message.days, 1)]
        if self.found:
            return None
        return PlanContent(
            plans=tuple(plan for plan in plans if plan),
            calendar=YearCalendar(
                timezone=message.timezone, days=tuple(day for day in days if day), tables=tables
            ),
            least_ds=self._least_ds,
        )

    def _once(self, names: Sequence[str], noun: str) -> None:
        for name, count in Counter(names).items():
            if count > 1:
                self._add("name", "calendar", f"The {noun} {name[:64]!r} is there {count} times.")

    def _table(self, table: plan_pb2.DayTable, known: set[str]) -> tuple[tuple[int, str], ...]:
        where = f"calendar, table {table.table_id[:64]}"
        times = [switch.local_time_s for switch in table.switches]
        if (
            len(times) > MOST_SWITCHES
            or sorted(set(times)) != times
            or max(times, default=0) >= DAY_S
        ):
            self._add("switches", where, "The times of its switches do not rise within one day.")
        for switch in table.switches:
            if switch.WhichOneof("target") != "plan_id":
                self._add("target", where, "A switch names a plan; nothing else is offered here.")
            elif switch.plan_id not in known:
                self._add("unknown_plan", where, f"There is no plan {switch.plan_id[:64]!r}.")
        return tuple((switch.local_time_s, switch.plan_id) for switch in table.switches)

    def _day(
        self,
        entry: plan_pb2.CalendarDay,
        number: int,
        tables: dict[str, tuple[tuple[int, str], ...]],
    ) -> CalendarDay | None:
        where = f"calendar, entry {number}"
        if entry.table_id not in tables:
            self._add("unknown_table", where, f"There is no table {entry.table_id[:64]!r}.")
        if entry.weekday_mask > 127:
            self._add("weekdays", where, "A week has seven days.")
        try:
            first, last = _date(entry.date_from), _date(entry.date_to)
            special = frozenset(map(_date, entry.special_dates))
        except ValueError:
            self._add("date", where, "A date is no date.", "Write dates as YYYYMMDD.")
            return None
        if first > last:
            self._add("date", where, "It ends before it begins.")
        return CalendarDay(
            first=first,
            last=last,
            weekday_mask=entry.weekday_mask,
            special_dates=special,
            priority=entry.priority,
            table_id=entry.table_id,
        )


def _date(number: int) -> date:
    """A date from YYYYMMDD.

    Raises
    ------
    ValueError : there is no such date.
    """
    return date(number // 10_000, number // 100 % 100, number % 100)
