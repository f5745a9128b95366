"""The rule table, read off the lamps over time, by somebody with a true clock.

Written from the safety concept's table. It sees aspects, the request of each call and true time,
knows whether the call earned a tick, and asserts; it shares nothing with the interlock.
"""

from ampelwerk.models.envelope import Aspect, Envelope


class TraceOracle:
    """Watches one interlock from its start, everything red."""

    def __init__(self, envelope: Envelope, tick_ds: int, *, red_since_ds: int) -> None:
        size = envelope.size
        self._envelope, self._tick_ds = envelope, tick_ds
        self._aspects: tuple[int, ...] = (int(Aspect.RED),) * size
        self._began_ds = [red_since_ds] * size
        self._green_end_ds = [red_since_ds] * size
        self._ticks = [0] * size

    def blank(self, at_ds: int) -> None:
        """The lamps went to a display without aspects: every green ended here."""
        for i, aspect in enumerate(self._aspects):
            if aspect != Aspect.RED:
                self._began_ds[i] = at_ds
            if aspect == Aspect.GREEN:
                self._green_end_ds[i] = at_ds
        self._aspects = (int(Aspect.RED),) * self._envelope.size

    def see(
        self, aspects: tuple[int, ...], at_ds: int, *, requested: int, credited: bool, fault: bool
    ) -> None:
        """The lamps from `at_ds` on.

        Parameters
        ----------
        requested : groups that were validly asked for.
        credited : the call came no earlier than a tick after the one before.
        fault : an internal fault is being cleared.
        """
        size = self._envelope.size
        lit = [i for i in range(size) if aspects[i] != Aspect.RED]
        for i in lit:
            for j in lit:
                assert not self._envelope.conflict[i][j], f"CONFLICT {i} {j}"
        if not credited:
            assert aspects == self._aspects, "TIME: a switch without a tick"
            return
        for i in range(size):
            self._ticks[i] += 1
            if aspects[i] != self._aspects[i]:
                self._switch(i, Aspect(aspects[i]), at_ds, bool(requested >> i & 1), fault)
            elif aspects[i] == Aspect.AMBER:
                assert self._ticks[i] < self._exact(self._envelope.groups[i].amber_ds), "AMBER"
            elif aspects[i] == Aspect.RED_AMBER:
                limit = self._exact(self._envelope.groups[i].red_amber_ds)
                assert self._ticks[i] < limit, "RED_AMBER"
        for i in range(size):
            if aspects[i] == Aspect.GREEN and self._aspects[i] != Aspect.GREEN:
                self._intergreens(i, at_ds)
        for i in range(size):
            if aspects[i] != self._aspects[i]:
                self._began_ds[i], self._ticks[i] = at_ds, 0
        self._aspects = aspects

    def _exact(self, time_ds: int) -> int:
        """Whole ticks of a time."""
        return -(-time_ds // self._tick_ds)

    def _switch(self, i: int, now: Aspect, at_ds: int, requested: bool, fault: bool) -> None:
        """One group changes its aspect."""
        group, was = self._envelope.groups[i], Aspect(self._aspects[i])
        shown_ds = at_ds - self._began_ds[i]
        if was is Aspect.RED:
            assert now is (Aspect.RED_AMBER if group.red_amber_ds else Aspect.GREEN), "SEQUENCE"
            assert requested and not fault, "REQUEST"
            assert shown_ds >= group.min_red_ds, "MIN_RED"
        elif was is Aspect.RED_AMBER:
            assert now is (Aspect.RED if fault else Aspect.GREEN), "SEQUENCE"
            if not fault:
                assert self._ticks[i] == self._exact(group.red_amber_ds), "RED_AMBER"
                assert shown_ds >= group.red_amber_ds, "RED_AMBER"
        elif was is Aspect.GREEN:
            assert now is (Aspect.AMBER if group.amber_ds else Aspect.RED), "SEQUENCE"
            assert fault or not requested, "REQUEST"
            assert fault or shown_ds >= group.min_green_ds, "MIN_GREEN"
            self._green_end_ds[i] = at_ds
        else:
            assert now is Aspect.RED, "SEQUENCE"
            assert self._ticks[i] == self._exact(group.amber_ds), "AMBER"
            assert shown_ds >= group.amber_ds, "AMBER"

    def _intergreens(self, i: int, at_ds: int) -> None:
        """Group i turns green: how long ago did the greens of its foes end?"""
        for j in range(self._envelope.size):
            gap_ds = self._envelope.intergreen_ds[j][i]
            if self._envelope.conflict[j][i] and gap_ds is not None:
                assert at_ds - self._green_end_ds[j] >= gap_ds, f"INTERGREEN {j} {i}"
