"""The table of `ampelwerk watch`: what is known of a city, those that need somebody first."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from rich.table import Table
from rich.text import Text

from ampelwerk.cli.tables import add_row
from ampelwerk.controllers.city_words import (
    LineState,
    Picture,
    Seen,
    SeenAlarm,
    SeenIntersection,
    SeenPlan,
)
from ampelwerk.controllers.control_room import SeenOverride

OVER = "ended"
"""State of an override that is over."""


class Board:
    """What is known, kept up to date by changes."""

    def __init__(self) -> None:
        self.intersections: dict[str, SeenIntersection] = {}
        self.alarms: dict[tuple[str, str], SeenAlarm] = {}
        self.overrides: dict[str, SeenOverride] = {}
        self.plans: dict[tuple[str, bool], SeenPlan] = {}
        self.line = LineState(up=True, text="")

    def take(self, change: Seen) -> bool:
        """Take a change; False if nothing that is shown has changed."""
        before: object
        if isinstance(change, Picture):
            if not change.complete:
                for known in (self.intersections, self.alarms, self.overrides, self.plans):
                    known.clear()
            return False
        if isinstance(change, LineState):
            self.line = change
            return True
        if isinstance(change, SeenIntersection):
            before = self.intersections.get(change.intersection)
            self.intersections[change.intersection] = change
        elif isinstance(change, SeenAlarm):
            key = change.intersection, change.alarm_id
            before = self.alarms.get(key)
            self.alarms[key] = change
        elif isinstance(change, SeenPlan):
            kind = change.intersection, change.published
            before = self.plans.get(kind)
            self.plans[kind] = change
        else:
            before = self.overrides.get(change.override_id)
            self.overrides[change.override_id] = change
        return change != before

    def table(self) -> Table:
        """Everything, those that need somebody first."""
        table = Table(title=self._title(), title_justify="left", box=None, header_style="bold")
        table.add_column("intersection", overflow="fold", min_width=len("intersection"))
        for column in ("mode", "follows", "stage"):
            table.add_column(column, overflow="fold")
        for column in ("plan", "published"):
            table.add_column(column, justify="right")
        for column in ("overrides", "alarms", "clock"):
            table.add_column(column, overflow="fold")
        for one in sorted(self.intersections.values(), key=self._urgency):
            follows = f"{one.level} ({one.cause})" if one.cause else one.level
            add_row(
                table,
                one.intersection,
                one.mode or "–",
                follows if one.controller == "leased" else f"{one.controller}: {follows or '–'}",
                one.stage or "–",
                str(one.plan_version or "–"),
                str(one.published_version or "–"),
                self._overrides_at(one) or "–",
                self._alarms_at(one) or "–",
                one.clock or "–",
                style=self._style(one),
            )
        return table

    def _title(self) -> Text:
        levels = Counter(
            one.level if one.controller == "leased" else one.controller
            for one in self.intersections.values()
        )
        words = ", ".join(f"{count} {word}" for word, count in levels.most_common())
        open_alarms = sum(one.active for one in self.alarms.values())
        standing = sum(one.state != OVER for one in self.overrides.values())
        head = f"intersections: {words or 'none'}; alarms: {open_alarms}; overrides: {standing}"
        if self.line.up:
            return Text(head)
        return Text.assemble((self.line.text, "red"), f"; as it was: {head}")

    def _urgency(self, one: SeenIntersection) -> tuple[int, str]:
        """Those that need somebody first, then by name."""
        if one.mode == "failed" or one.level == "failure":
            return 0, one.intersection
        if one.controller in ("lost", "stale"):
            return 1, one.intersection
        if one.open_alarms or self._overrides_at(one):
            return 2, one.intersection
        return (3 if one.controller != "unknown" else 4), one.intersection

    def _style(self, one: SeenIntersection) -> str | None:
        return {0: "bold red", 1: "red", 2: "yellow", 4: "dim"}.get(self._urgency(one)[0])

    def _overrides_at(self, one: SeenIntersection) -> str:
        """What stands there, and what the controller keeps without the server knowing more."""
        here = [
            f"{o.action} {o.state} by {o.holder} until {_clock(o.expiry_unix_ms)}"
            for o in self.overrides.values()
            if o.state != OVER and one.intersection in o.where
        ]
        return "\n".join([*here, *(n for n in one.overrides if n not in self.overrides)])

    def _alarms_at(self, one: SeenIntersection) -> str:
        return "\n".join(
            alarm.alarm_id + ("" if alarm.acked_by else " !")
            for alarm in self.alarms.values()
            if alarm.active and alarm.intersection == one.intersection
        )


def line_of(change: Seen) -> str:
    """A change in one line, empty for none that is shown."""
    if isinstance(change, LineState):
        return change.text
    if isinstance(change, SeenIntersection):
        cause = f" ({change.cause})" if change.cause else ""
        stage = f", stage {change.stage}" if change.stage else ""
        version = f", plan {change.plan_version}" if change.plan_version else ""
        if change.published_version:
            version += f", published plan {change.published_version}"
        mode = f", {change.mode}" if change.mode not in ("", "run") else ""
        level = f" {change.level}" if change.level else ""
        return f"{change.intersection} {change.controller}{level}{cause}{mode}{stage}{version}"
    if isinstance(change, SeenAlarm):
        what = "raised" if change.active else "over"
        who = f", seen by {change.acked_by}" if change.acked_by else ""
        text = f": {change.text}" if change.text else ""
        return f"{change.intersection} alarm {change.alarm_id} {what}{who}{text}"
    if isinstance(change, SeenPlan):
        cause = f" ({change.cause})" if change.cause else ""
        kind = "published plan" if change.published else "plan"
        return f"{change.intersection} {kind} {change.version} {change.state}{cause}"
    if isinstance(change, SeenOverride):
        cause = f" ({change.cause})" if change.cause else ""
        where = " ".join(change.where)
        return (
            f"{where} override {change.override_id} {change.action} {change.state}{cause}, "
            f"{change.holder} ({change.role}), until {_clock(change.expiry_unix_ms)}"
        )
    return ""


def _clock(unix_ms: int) -> str:
    return f"{datetime.fromtimestamp(unix_ms / 1000, UTC):%H:%M:%SZ}"
