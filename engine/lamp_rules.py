"""The lamp rules, held against the states of a signal program around its cycle.

What is judged is what the lamps would show if nothing stood between the program and them: no
interlock waits here. All findings are told at once, each with its place on the cycle clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from ampelwerk.engine.lamp_program import LampProgram, required_gap_ds, spells
from ampelwerk.models.certificate import PlanFinding, PlanRule
from ampelwerk.models.envelope import Aspect, RoadUser
from ampelwerk.models.errors import Severity
from ampelwerk.models.intersection import Intersection
from ampelwerk.models.profile import PlanLimits

RED, RED_AMBER, GREEN, AMBER = (
    int(a) for a in (Aspect.RED, Aspect.RED_AMBER, Aspect.GREEN, Aspect.AMBER)
)
DARK = -1
"""Neither aspect: the lamp is off or flashes."""
ASPECT = {
    "r": RED, "s": RED, "u": RED_AMBER, "G": GREEN, "g": GREEN, "y": AMBER, "Y": AMBER,
    "o": DARK, "O": DARK,
}  # fmt: skip
"""Letter -> what it shows."""
_MAY_FOLLOW = {RED: (RED_AMBER, GREEN), RED_AMBER: (GREEN,), GREEN: (AMBER, RED), AMBER: (RED,)}


def lamp_findings(
    program: LampProgram, site: Intersection, limits: PlanLimits
) -> list[PlanFinding]:
    """Everything that the states of a program break; of equal findings the worst."""
    check = _LampCheck(program, site, limits)
    worst: dict[tuple[PlanRule, Severity, tuple[str, ...]], PlanFinding] = {}
    for found in check.findings():
        key = (found.rule, found.severity, found.groups)
        if key not in worst or _excess_s(found) > _excess_s(worst[key]):
            worst[key] = found
    return list(worst.values())


def _excess_s(found: PlanFinding) -> float:
    """How far a finding is from its limit. [s]"""
    if found.found_s is None or found.limit_s is None:
        return 0.0
    return abs(found.found_s - found.limit_s)


class _LampCheck:
    """The check of one program."""

    def __init__(self, program: LampProgram, site: Intersection, limits: PlanLimits) -> None:
        self._program, self._site, self._limits = program, site, limits
        self._envelope = site.envelope
        self._names = [str(group.group_id) for group in site.envelope.groups]
        self._lamps = [lamp for lamp, group in enumerate(program.group_of) if group >= 0]
        self._spells = {lamp: list(spells(program, lamp, ASPECT)) for lamp in self._lamps}
        self._cycle_ds = program.cycle_ds

    def findings(self) -> Iterator[PlanFinding]:
        """All findings, equal ones of several lamps of a group included."""
        for lamp in self._lamps:
            yield from self._of_lamp(lamp)
        yield from self._together()
        for lamp in self._lamps:
            for aspect, start_ds, _ in self._spells[lamp]:
                if aspect == GREEN and len(self._spells[lamp]) > 1:
                    yield from self._start(lamp, start_ds)

    def _found(
        self,
        rule: PlanRule,
        groups: tuple[int, ...],
        at_ds: int,
        *,
        limit_ds: float | None = None,
        found_ds: float | None = None,
        severity: Severity = Severity.ERROR,
        detail: str = "",
    ) -> PlanFinding:
        return PlanFinding(
            rule=rule,
            severity=severity,
            groups=tuple(self._names[g] for g in groups),
            at_s=at_ds % self._cycle_ds / 10,
            limit_s=None if limit_ds is None else limit_ds / 10,
            found_s=None if found_ds is None else found_ds / 10,
            detail=detail,
        )

    def _of_lamp(self, lamp: int) -> Iterator[PlanFinding]:
        """Sequence and durations of one lamp."""
        found, group = self._spells[lamp], self._program.group_of[lamp]
        rules = self._envelope.groups[group]
        if len(found) == 1:
            aspect, _, _ = found[0]
            if aspect not in (RED, GREEN):
                yield self._found(PlanRule.SEQUENCE, (group,), 0, detail="it never changes")
            return
        for k, (aspect, start_ds, length_ds) in enumerate(found):
            follows = found[(k + 1) % len(found)][0]
            end_ds = start_ds + length_ds

            def wrong(
                rule: PlanRule,
                limit_ds: float,
                found_ds: int = length_ds,
                at_ds: int = start_ds,
                severity: Severity = Severity.ERROR,
            ) -> PlanFinding:
                return self._found(
                    rule, (group,), at_ds, limit_ds=limit_ds, found_ds=found_ds, severity=severity
                )

            if follows not in _MAY_FOLLOW.get(aspect, ()):
                yield self._found(PlanRule.SEQUENCE, (group,), end_ds)
            if aspect == GREEN:
                if length_ds < rules.min_green_ds:
                    yield wrong(PlanRule.MIN_GREEN, rules.min_green_ds)
                most_s = self._limits.max_green_s
                if most_s is not None and length_ds > most_s * 10:
                    yield wrong(PlanRule.MAX_GREEN, most_s * 10)
                if follows == RED and rules.amber_ds:
                    yield wrong(PlanRule.AMBER, rules.amber_ds, 0, end_ds)
            elif aspect == AMBER and length_ds != rules.amber_ds:
                yield wrong(PlanRule.AMBER, rules.amber_ds)
            elif aspect == RED_AMBER and length_ds != rules.red_amber_ds:
                yield wrong(PlanRule.RED_AMBER, rules.red_amber_ds)
            elif aspect == RED:
                if length_ds < rules.min_red_ds:
                    yield wrong(PlanRule.MIN_RED, rules.min_red_ds)
                if follows == GREEN and rules.red_amber_ds:
                    yield wrong(PlanRule.RED_AMBER, rules.red_amber_ds, 0, end_ds)
                most_ds = self._limits.red_ds(rules.max_red_ds)
                if most_ds is not None and length_ds > most_ds:
                    yield wrong(PlanRule.MAX_RED, most_ds)
                patience_s = self._limits.pedestrian_red_s
                walks = rules.road_user is RoadUser.PEDESTRIAN
                if walks and patience_s is not None and length_ds > patience_s * 10:
                    yield wrong(PlanRule.MAX_RED, patience_s * 10, severity=Severity.WARNING)

    def _together(self) -> Iterator[PlanFinding]:
        """Pairs that are lit at the same time."""
        clock_ds = 0
        group_of = self._program.group_of
        meeting = self._priority_pairs()
        for duration_ds, state in zip(
            self._program.durations_ds, self._program.states, strict=True
        ):
            lit = {group_of[lamp] for lamp in self._lamps if ASPECT[state[lamp]] not in (RED, DARK)}
            for a, b in combinations(sorted(lit), 2):
                if self._envelope.conflict[a][b]:
                    yield self._found(PlanRule.CONFLICT, (a, b), clock_ds)
            for a, b in meeting:
                if state[a] == state[b] == "G":
                    pair = tuple(sorted((group_of[a], group_of[b])))
                    yield self._found(PlanRule.DOUBLE_PRIORITY, pair, clock_ds)
            clock_ds += duration_ds

    def _priority_pairs(self) -> list[tuple[int, int]]:
        """Pairs of lamps of which one gives way, unless the scenario itself lets both go first."""
        group_of, first = self._program.group_of, set[tuple[int, int]]()
        for stage in self._site.stages:
            if stage.delivered and stage.selectable:  # a red-amber step names nobody who gives way
                first |= set(combinations(sorted(set(stage.groups) - set(stage.permissive)), 2))
        found = []
        for a, b in sorted(self._giving_way()):
            pair = (min(group_of[a], group_of[b]), max(group_of[a], group_of[b]))
            if pair[0] >= 0 and not self._envelope.conflict[pair[0]][pair[1]] and pair not in first:
                found.append((a, b))
        return found

    def _giving_way(self) -> set[tuple[int, int]]:
        """Pairs of lamps of which one gives way to the other, the smaller first."""
        if self._program.by_link:
            pairs = {
                (movement.sumo_link_index, foe)
                for movement in self._site.movements
                for foe in movement.yields_to_links
            }
        else:
            pairs = {
                (a, b)
                for a, row in enumerate(self._site.yields)
                for b, way in enumerate(row)
                if way
            }
        return {(min(pair), max(pair)) for pair in pairs}

    def _start(self, lamp: int, start_ds: int) -> Iterator[PlanFinding]:
        """Intergreens from every conflicting lamp to one that turns green."""
        entering = self._program.group_of[lamp]
        for foe in self._lamps:
            leaving = self._program.group_of[foe]
            if not self._envelope.conflict[leaving][entering] or len(self._spells[foe]) == 1:
                continue
            if self._is_green(foe, start_ds):
                continue  # a conflict, told as such
            ended = [s + length for aspect, s, length in self._spells[foe] if aspect == GREEN]
            gap_ds = min(((start_ds - end_ds) % self._cycle_ds for end_ds in ended), default=None)
            needed_ds = required_gap_ds(self._envelope, leaving, entering)
            if gap_ds is not None and gap_ds < needed_ds:
                walking = self._envelope.groups[leaving].road_user is RoadUser.PEDESTRIAN
                yield self._found(
                    PlanRule.PEDESTRIAN_CLEARANCE if walking else PlanRule.INTERGREEN,
                    (leaving, entering),
                    start_ds,
                    limit_ds=needed_ds,
                    found_ds=gap_ds,
                )

    def _is_green(self, lamp: int, at_ds: int) -> bool:
        return any(
            aspect == GREEN and (at_ds - start_ds) % self._cycle_ds < length_ds
            for aspect, start_ds, length_ds in self._spells[lamp]
        )
