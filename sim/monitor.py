"""The witness: checks the signal states that SUMO itself recorded, and trusts nothing else.

It reads SUMO's own record (SaveTLSStates) and the net, rebuilds the foes from the right-of-way
matrices, and holds every change against the rules promised in the envelopes. It shares no code
with the interlock; only the vocabulary is common.

Rules: CONFLICT (of two conflicting links at most one is not red), DOUBLE_PRIORITY (two foes both
with G that no program shows so), INTERGREEN, MIN_GREEN, MIN_RED, AMBER, RED_AMBER (missing, short or
long), SEQUENCE (red, red-amber, green, amber, red; lamps go off out of red and come back into it, and
while they are off nobody who conflicts shows anything but red), CONTROL (the state was not set by the
controller), RECORD (a signal is missing in some step, so nothing is known of it). What began at or
before the first record has an unknown history and is not held against anybody.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import quoteattr

from ampelwerk.models.envelope import RoadUser
from ampelwerk.models.intersection import Intersection
from ampelwerk.sim.monitor_net import SignalLinks

_LINE = re.compile(
    # SUMO writes names as they are, quotation marks and all.
    r'<tlsState time="(?P<time>[^"]*)" id="(?P<id>.*)" programID="(?P<program>[^"]*)"'
    r'.* state="(?P<state>[^"]*)"'
)
SET_FROM_OUTSIDE = "online"
"""Program that SUMO records when the state was set from outside."""
UNKNOWN = -(10**9)
"""Before the record. [ds]"""
RED, RED_AMBER, GREEN, AMBER, OFF = "red", "red-amber", "green", "amber", "off"
_ASPECT = {"r": RED, "s": RED, "u": RED_AMBER, "G": GREEN, "g": GREEN, "y": AMBER, "Y": AMBER,
           "o": OFF, "O": OFF}  # fmt: skip
_NEXT = {
    RED: (RED_AMBER, GREEN, OFF), RED_AMBER: (GREEN,), GREEN: (AMBER, RED), AMBER: (RED,),
    OFF: (RED,),
}  # fmt: skip


class Violation(NamedTuple):
    """A rule that the record breaks."""

    time_s: float
    """When. [s]"""
    intersection: str
    """Where."""
    rule: str
    """Name of the rule."""
    links: tuple[int, ...]
    """Link indices concerned."""
    limit_s: float
    """What the rule asks for. [s]"""
    found_s: float
    """What was recorded. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessReport:
    """What the witness saw."""

    checked_switches: int
    """Changes of a link's aspect that were checked."""
    violations: tuple[Violation, ...]
    """Everything that broke a rule."""
    source_overlaps: int
    """Conflicting greens shown by SUMO's own programs, under native control."""
    longest_red_s: float | None
    """Longest red of a vehicle signal, whether or not anybody waited. [s]"""

    def summary(self) -> dict[str, Any]:
        """For measures.json."""
        rules = Counter(violation.rule for violation in self.violations)
        return {
            "checked_switches": self.checked_switches,
            "violations": len(self.violations),
            "by_rule": dict(sorted(rules.items())),
            "source_overlaps": self.source_overlaps,
            "longest_red_shown_s": self.longest_red_s,
        }


class Change(NamedTuple):
    """A signal shows another state."""

    time: str
    """Time as SUMO wrote it. [s]"""
    signal: str
    """Name of the signal."""
    program: str
    """Program in force."""
    state: str
    """One letter per link."""


def write_record_request(names: Sequence[str], path: Path, record: Path) -> None:
    """Additional file that makes SUMO record the state of these signals in every step."""
    lines = [
        f'    <timedEvent type="SaveTLSStates" source={quoteattr(name)} '
        f"dest={quoteattr(str(record))}/>\n"
        for name in names
    ]
    path.write_text(f"<additional>\n{''.join(lines)}</additional>\n", encoding="utf-8")


def changes(record: Path, lines: Counter[str] | None = None) -> Iterator[Change]:
    """Every change of state, the first state of each signal included.

    Parameters
    ----------
    lines : counts the states of each signal, changed or not.
    """
    last: dict[str, tuple[str, str]] = {}
    with record.open(encoding="utf-8") as file:
        for line in file:
            found = _LINE.search(line)
            if found is None:
                continue
            name, shown = found["id"], (found["program"], found["state"])
            if lines is not None:
                lines[name] += 1
            if last.get(name) != shown:
                last[name] = shown
                yield Change(found["time"], name, *shown)


def write_signals_csv(record: Path, path: Path) -> None:
    """signals.csv: time, intersection and state string, on change."""
    last: dict[str, str] = {}
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["time", "intersection", "state"])
        for change in changes(record):
            if last.get(change.signal) != change.state:
                last[change.signal] = change.state
                writer.writerow([change.time, change.signal, change.state])


def write_violations_csv(report: WitnessReport, path: Path) -> None:
    """violations.csv: one row each."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Violation._fields)
        for violation in report.violations:
            writer.writerow([*violation[:3], " ".join(map(str, violation.links)), *violation[4:]])


def check(
    record: Path,
    net: Mapping[str, SignalLinks],
    intersections: Sequence[Intersection],
    *,
    begin_s: float,
    end_s: float,
    step_s: float,
    native: bool,
) -> WitnessReport:
    """Hold a record against the net and the rules.

    Parameters
    ----------
    record : SUMO's record of signal states.
    net : links of every signal, from `monitor_net.read_links`.
    intersections : those that were controlled, with the rules they promised to keep.
    begin_s, end_s : time that the record must cover, begin of the first to end of the last step. [s]
    step_s : length of a simulation step; times are kept to whole steps. [s]
    native : SUMO's own programs ran. They are not ours to judge; overlaps are counted.
    """
    step_ds, end_ds = round(step_s * 10), round(end_s * 10)
    watches = {
        str(site.intersection_id): _Watch(
            site, net[str(site.intersection_id)], step_ds, judge=not native
        )
        for site in intersections
    }
    lines = Counter[str]()
    for change in changes(record, lines):
        watch = watches.get(change.signal)
        if watch is not None:
            watch.see(change)
    for name, watch in watches.items():
        watch.finish(end_ds, round((end_s - begin_s) / step_s), lines[name])
    reds = [watch.longest_red_ds(end_ds) for watch in watches.values()]
    longest_ds = max((red for red in reds if red is not None), default=None)
    return WitnessReport(
        checked_switches=sum(watch.switches for watch in watches.values()),
        violations=tuple(v for watch in watches.values() for v in watch.violations),
        source_overlaps=sum(watch.overlaps for watch in watches.values()),
        longest_red_s=None if longest_ds is None else longest_ds / 10,
    )


@dataclass(slots=True)
class _Link:
    """One link's history."""

    letter: str
    aspect: str
    since_ds: int = UNKNOWN
    """Start of the aspect. [ds]"""
    ended_ds: int = UNKNOWN
    """End of the last green. [ds]"""


@dataclass(slots=True)
class _Times:
    """What is asked of one link, in whole steps. [ds]"""

    min_green_ds: int
    min_red_ds: int
    amber_ds: int
    red_amber_ds: int
    vehicle: bool
    foes: dict[int, int] = field(default_factory=dict)
    """Conflicting link -> intergreen from its end of green to this link's start. [ds]"""


class _Watch:
    """Watches one signal."""

    def __init__(self, site: Intersection, net: SignalLinks, step_ds: int, *, judge: bool) -> None:
        self._name, self._judge, self._step_ds = str(site.intersection_id), judge, step_ds
        self._links: list[_Link] = []
        self._times = _promised(site, net, step_ds)
        self._priority_foes: dict[int, list[int]] = {}
        for a, b in sorted(net.foes - net.both_priority):
            self._priority_foes.setdefault(a, []).append(b)
            self._priority_foes.setdefault(b, []).append(a)
        self.switches = self.overlaps = 0
        self.violations: list[Violation] = []
        self._longest_red_ds: int | None = None

    def see(self, change: Change) -> None:
        """Take a change of state."""
        now_ds = round(float(change.time) * 10)
        if not self._links:
            self._links = [_Link(letter, _ASPECT.get(letter, OFF)) for letter in change.state]
            turned = list(range(len(self._links)))
            raised = {k for k, letter in enumerate(change.state) if letter == "G"}
        else:
            raised = {
                k for k, letter in enumerate(change.state)
                if letter == "G" and self._links[k].letter != "G"
            }  # fmt: skip
            turned = [
                k for k, letter in enumerate(change.state)
                if _ASPECT.get(letter, OFF) != self._links[k].aspect
            ]  # fmt: skip
            for k in turned:
                self._turn(k, _ASPECT.get(change.state[k], OFF), now_ds)
            # Only now: a foe whose green ends in this very step may stand behind in the string.
            for k in turned:
                times = self._times.get(k)
                if self._judge and times is not None and self._links[k].aspect == GREEN:
                    self._check_start(k, times, now_ds)
            self.switches += len(turned)
        for link, letter in zip(self._links, change.state, strict=True):
            link.letter = letter
        if self._judge and change.program != SET_FROM_OUTSIDE:
            self._report("CONTROL", now_ds, (), 0, 0)
        self._together(turned, now_ds)
        if self._judge:
            self._double_priority(raised, now_ds)

    def finish(self, end_ds: int, steps: int, recorded: int) -> None:
        """The record is over: transitions still being shown, and steps that are not in it."""
        if not self._judge:
            return
        if recorded != steps:
            self._report("RECORD", end_ds, (), steps * self._step_ds, recorded * self._step_ds)
        for k, link in enumerate(self._links):
            times = self._times.get(k)
            if times is None or link.since_ds == UNKNOWN:
                continue
            shown_ds = end_ds - link.since_ds
            if link.aspect == AMBER and shown_ds > times.amber_ds:
                self._report("AMBER", end_ds, (k,), times.amber_ds, shown_ds)
            elif link.aspect == RED_AMBER and shown_ds > times.red_amber_ds:
                self._report("RED_AMBER", end_ds, (k,), times.red_amber_ds, shown_ds)

    def longest_red_ds(self, end_ds: int) -> int | None:
        """Longest red of a vehicle link, one that lasts until the end included. [ds]"""
        longest = self._longest_red_ds
        for k, link in enumerate(self._links):
            times = self._times.get(k)
            if link.aspect == RED and times and times.vehicle and link.since_ds != UNKNOWN:
                longest = max(longest or 0, end_ds - link.since_ds)
        return longest

    def _report(
        self, rule: str, now_ds: int, links: tuple[int, ...], limit_ds: int, found_ds: int
    ) -> None:
        self.violations.append(
            Violation(now_ds / 10, self._name, rule, links, limit_ds / 10, found_ds / 10)
        )

    def _turn(self, k: int, aspect: str, now_ds: int) -> None:
        """One link changes its aspect."""
        link, times = self._links[k], self._times.get(k)
        if times is not None and self._judge:
            self._check_turn(k, link, times, aspect, now_ds)
        if link.aspect == RED and times and times.vehicle and link.since_ds != UNKNOWN:
            self._longest_red_ds = max(self._longest_red_ds or 0, now_ds - link.since_ds)
        if link.aspect in (GREEN, OFF):  # who drove past lamps that were off clears like any other
            link.ended_ds = now_ds
        link.aspect, link.since_ds = aspect, now_ds

    def _check_turn(self, k: int, link: _Link, times: _Times, aspect: str, now_ds: int) -> None:
        """Sequence, and how long the aspect before was shown."""
        shown_ds = now_ds - link.since_ds
        known = link.since_ds != UNKNOWN
        if aspect not in _NEXT.get(link.aspect, ()):
            self._report("SEQUENCE", now_ds, (k,), 0, 0)
        if link.aspect == GREEN:
            if known and shown_ds < times.min_green_ds:
                self._report("MIN_GREEN", now_ds, (k,), times.min_green_ds, shown_ds)
            if aspect == RED and times.amber_ds:
                self._report("AMBER", now_ds, (k,), times.amber_ds, 0)
        elif link.aspect == AMBER and known and shown_ds != times.amber_ds:
            self._report("AMBER", now_ds, (k,), times.amber_ds, shown_ds)
        elif link.aspect == RED_AMBER and known and shown_ds != times.red_amber_ds:
            self._report("RED_AMBER", now_ds, (k,), times.red_amber_ds, shown_ds)
        elif link.aspect == RED:
            if known and shown_ds < times.min_red_ds:
                self._report("MIN_RED", now_ds, (k,), times.min_red_ds, shown_ds)
            if aspect == GREEN and times.red_amber_ds:
                self._report("RED_AMBER", now_ds, (k,), times.red_amber_ds, 0)

    def _check_start(self, k: int, times: _Times, now_ds: int) -> None:
        """Intergreens from every conflicting link to one that turns green."""
        for foe, needed_ds in times.foes.items():
            ended_ds = self._links[foe].ended_ds
            if self._links[foe].aspect == GREEN or ended_ds == UNKNOWN:
                continue
            if now_ds - ended_ds < needed_ds:
                self._report("INTERGREEN", now_ds, (foe, k), needed_ds, now_ds - ended_ds)

    def _together(self, turned: list[int], now_ds: int) -> None:
        """Conflicting links that are both not red."""
        links = self._links
        for k in turned:
            times = self._times.get(k)
            if times is None or links[k].aspect == RED:
                continue
            for foe in times.foes:
                both_off = links[foe].aspect == links[k].aspect == OFF
                if links[foe].aspect != RED and not both_off and (foe < k or foe not in turned):
                    if self._judge:
                        self._report("CONFLICT", now_ds, (foe, k), 0, 0)
                    elif links[foe].aspect == links[k].aspect == GREEN:
                        self.overlaps += 1

    def _double_priority(self, raised: set[int], now_ds: int) -> None:
        """Foes that both have priority, one of them from now on, be it out of red or out of g."""
        for k in sorted(raised):
            for foe in self._priority_foes.get(k, ()):
                if self._links[foe].letter == "G" and (foe < k or foe not in raised):
                    pair = (min(k, foe), max(k, foe))
                    self._report("DOUBLE_PRIORITY", now_ds, pair, 0, 0)


def _promised(site: Intersection, net: SignalLinks, step_ds: int) -> dict[int, _Times]:
    """Times and conflicts of every signalled link: the envelope's, and the net's own foes."""

    def steps(time_ds: int) -> int:
        return -(-time_ds // step_ds) * step_ds

    envelope, group_of = site.envelope, site.sumo_link_group
    links = [k for k, group in enumerate(group_of) if group >= 0]
    promised = {}
    for k in links:
        group = envelope.groups[group_of[k]]
        promised[k] = _Times(
            min_green_ds=steps(group.min_green_ds),
            min_red_ds=steps(group.min_red_ds),
            amber_ds=steps(group.amber_ds),
            red_amber_ds=steps(group.red_amber_ds),
            vehicle=group.road_user is not RoadUser.PEDESTRIAN,
        )
    for a in links:
        for b in links:
            pair = (min(a, b), max(a, b))
            apart = pair in net.foes and pair not in net.together
            gap_ds = envelope.intergreen_ds[group_of[a]][group_of[b]]
            if apart or envelope.conflict[group_of[a]][group_of[b]]:
                # Foes whose envelope has no intergreen are owed at least the amber.
                least_ds = promised[a].amber_ds + promised[b].red_amber_ds
                promised[b].foes[a] = max(steps(gap_ds or 0), least_ds)
    return promised
