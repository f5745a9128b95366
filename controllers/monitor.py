"""The conflict monitor (gate G3): watches the lamps, knows nothing of who switches them.

It sees the aspects shown, the time and the envelope, keeps its own running times from them, and
shares no code with the interlock. A conflict on the lamps for 300 ms in all trips it; less is
forgotten after 700 ms without. Every other broken rule is reported once, for the cabinet to clear
and fail. Times are judged in deciseconds of its own clock: an aspect may last longer than its time,
because late ticks stretch, but never shorter.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ampelwerk.models.envelope import Aspect, Envelope

TRIP_DS = 3
"""Conflict in all that trips the monitor (safety concept, section 4). [ds]"""
FORGET_DS = 7
"""Time without conflict after which earlier conflict is forgotten. [ds]"""
STRETCH_DS = 20
"""Late ticks may stretch amber and red-amber by this much in all. [ds]"""

NEXT = {
    Aspect.RED: (Aspect.RED_AMBER, Aspect.GREEN),
    Aspect.RED_AMBER: (Aspect.GREEN,),
    Aspect.GREEN: (Aspect.AMBER, Aspect.RED),
    Aspect.AMBER: (Aspect.RED,),
}
"""Aspects that may follow; a step over amber or red-amber only where its time is zero."""

KNOWN = frozenset(int(aspect) for aspect in Aspect)
"""Aspects a lamp may show."""


class Broken(StrEnum):
    """A rule seen broken on the lamps."""

    CONFLICT = "CONFLICT"
    INTERGREEN = "INTERGREEN"
    MIN_GREEN = "MIN_GREEN"
    MIN_RED = "MIN_RED"
    AMBER = "AMBER"
    RED_AMBER = "RED_AMBER"
    SEQUENCE = "SEQUENCE"
    OUTPUT = "OUTPUT"
    TIME = "TIME"


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One rule broken, once."""

    rule: Broken
    """The rule."""
    at_ds: int
    """When it was seen. [ds]"""
    group: int | None = None
    """Group that broke it."""
    against: int | None = None
    """Group it conflicts with."""
    limit_ds: int | None = None
    """Time that was demanded. [ds]"""
    found_ds: int | None = None
    """Time that was seen. [ds]"""


class ConflictMonitor:
    """Watches the lamps of one intersection.

    What was shown before the first observation is unknown, so no minimum is judged for it; what
    began within sight is judged in full.
    """

    def __init__(self, envelope: Envelope) -> None:
        self._envelope = envelope
        self._size = envelope.size
        self._conflict = envelope.conflict
        self._intergreen_ds = envelope.intergreen_ds
        self._now_ds: int | None = None
        self._forget_lamps()
        self._conflict_ds = 0
        self._clean_ds = 0
        self.tripped = False
        """Latched until `reset`."""

    def reset(self) -> None:
        """Local reset, for somebody who stands at the cabinet."""
        self.tripped = False
        self._now_ds = None
        self._conflict_ds = self._clean_ds = 0
        self._forget_lamps()

    def observe(self, aspects: tuple[int, ...] | None, now_ds: int) -> tuple[Violation, ...]:
        """Take what the lamps show from now on; returns the rules seen broken.

        Parameters
        ----------
        aspects : (n,) aspects; None while the lamps are dark or flash, when nothing is judged.
        now_ds : time of the monitor's own clock. [ds]
        """
        found: list[Violation] = []
        elapsed_ds = 0 if self._now_ds is None else now_ds - self._now_ds
        if elapsed_ds < 0:
            found.append(Violation(rule=Broken.TIME, at_ds=now_ds, found_ds=elapsed_ds))
        self._now_ds = now_ds
        self._pass(max(0, elapsed_ds))
        if aspects is None:
            self._forget_aspects()
        elif len(aspects) != self._size or not KNOWN.issuperset(aspects):
            # Lamps that show no aspect of ours are as dangerous as a conflict.
            found.append(Violation(rule=Broken.OUTPUT, at_ds=now_ds))
            self._forget_aspects()
            self._in_conflict = True
        else:
            found.extend(self._judge(tuple(Aspect(aspect) for aspect in aspects), now_ds))
        return tuple(found)

    def _forget_lamps(self) -> None:
        """Nothing has been seen yet."""
        self._aspects: list[Aspect | None] = [None] * self._size
        self._shown_ds: list[int | None] = [None] * self._size
        self._since_green_ds: list[int | None] = [None] * self._size
        self._pairs: set[tuple[int, int]] = set()
        self._overran: set[int] = set()
        self._in_conflict = False

    def _forget_aspects(self) -> None:
        """The lamps cannot be judged; how long ago each green ended is still known."""
        self._aspects = [None] * self._size
        self._shown_ds = [None] * self._size
        self._pairs = set()

    def _pass(self, elapsed_ds: int) -> None:
        """Time has passed under what was shown before."""
        for group, aspect in enumerate(self._aspects):
            shown_ds, since_ds = self._shown_ds[group], self._since_green_ds[group]
            if shown_ds is not None:
                self._shown_ds[group] = shown_ds + elapsed_ds
            if aspect is Aspect.GREEN:
                self._since_green_ds[group] = 0
            elif since_ds is not None:
                self._since_green_ds[group] = since_ds + elapsed_ds
        if self._in_conflict:
            self._conflict_ds += elapsed_ds
            self._clean_ds = 0
            self.tripped = self.tripped or self._conflict_ds >= TRIP_DS
        else:
            self._clean_ds += elapsed_ds
            if self._clean_ds >= FORGET_DS:
                self._conflict_ds = 0
        self._in_conflict = False

    def _judge(self, shown: tuple[Aspect, ...], now_ds: int) -> list[Violation]:
        """Every rule that the lamps break now."""
        found = self._conflicts(shown, now_ds)
        for group, aspect in enumerate(shown):
            last = self._aspects[group]
            if aspect is last:
                found.extend(self._overrun(group, aspect, now_ds))
                continue
            if last is not None:
                found.extend(self._change(group, last, aspect, now_ds))
            if aspect is Aspect.GREEN:
                found.extend(self._intergreens(group, now_ds))
            self._aspects[group] = aspect
            self._shown_ds[group] = None if last is None else 0
            self._overran.discard(group)
        return found

    def _conflicts(self, shown: tuple[Aspect, ...], now_ds: int) -> list[Violation]:
        """Conflicting pairs of which neither is red; each reported when it begins."""
        pairs = {
            (i, j)
            for i in range(self._size)
            if shown[i] is not Aspect.RED
            for j in range(i)
            if self._conflict[i][j] and shown[j] is not Aspect.RED
        }
        found = [
            Violation(rule=Broken.CONFLICT, at_ds=now_ds, group=i, against=j)
            for i, j in sorted(pairs - self._pairs)
        ]
        self._pairs = pairs
        self._in_conflict = bool(pairs)
        return found

    def _change(self, group: int, last: Aspect, aspect: Aspect, now_ds: int) -> list[Violation]:
        """Rules about the end of an aspect and the beginning of the next."""
        times, found = self._envelope.groups[group], []
        jumped = (last is Aspect.GREEN and aspect is Aspect.RED and times.amber_ds > 0) or (
            last is Aspect.RED and aspect is Aspect.GREEN and times.red_amber_ds > 0
        )
        extra = (aspect is Aspect.AMBER and times.amber_ds == 0) or (
            aspect is Aspect.RED_AMBER and times.red_amber_ds == 0
        )
        if aspect not in NEXT[last] or jumped or extra:
            found.append(Violation(rule=Broken.SEQUENCE, at_ds=now_ds, group=group))
        rule, limit_ds = {
            Aspect.RED: (Broken.MIN_RED, times.min_red_ds),
            Aspect.RED_AMBER: (Broken.RED_AMBER, times.red_amber_ds),
            Aspect.GREEN: (Broken.MIN_GREEN, times.min_green_ds),
            Aspect.AMBER: (Broken.AMBER, times.amber_ds),
        }[last]
        shown_ds = self._shown_ds[group]
        if shown_ds is not None and shown_ds < limit_ds:
            found.append(
                Violation(
                    rule=rule, at_ds=now_ds, group=group, limit_ds=limit_ds, found_ds=shown_ds
                )
            )
        return found

    def _intergreens(self, group: int, now_ds: int) -> list[Violation]:
        """Greens of conflicting groups that ended too short a time ago."""
        found = []
        for foe in range(self._size):
            since_ds = self._since_green_ds[foe]
            limit_ds = self._intergreen_ds[foe][group]
            if not self._conflict[foe][group] or limit_ds is None:
                continue
            if since_ds is not None and since_ds < limit_ds:
                found.append(
                    Violation(
                        rule=Broken.INTERGREEN,
                        at_ds=now_ds,
                        group=group,
                        against=foe,
                        limit_ds=limit_ds,
                        found_ds=since_ds,
                    )
                )
        return found

    def _overrun(self, group: int, aspect: Aspect, now_ds: int) -> list[Violation]:
        """Amber and red-amber that do not end, reported once."""
        times, shown_ds = self._envelope.groups[group], self._shown_ds[group]
        if aspect is Aspect.AMBER:
            rule, limit_ds = Broken.AMBER, times.amber_ds
        elif aspect is Aspect.RED_AMBER:
            rule, limit_ds = Broken.RED_AMBER, times.red_amber_ds
        else:
            return []
        if shown_ds is None or shown_ds <= limit_ds + STRETCH_DS or group in self._overran:
            return []
        self._overran.add(group)
        return [
            Violation(rule=rule, at_ds=now_ds, group=group, limit_ds=limit_ds, found_ds=shown_ds)
        ]
