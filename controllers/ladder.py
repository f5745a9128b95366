"""The fallback ladder: what a controller follows when the server, or its clock, is lost.

===========  ======================================  =============================================
level        follows                                 needs
===========  ======================================  =============================================
ADAPTIVE     the server's rolling schedule           lease, an answer of the server, a true clock
COORDINATED  its own cyclic plan, offset kept        a clock that is true, or was not long ago
ISOLATED     local actuation, no common clock        nothing
FAILURE      the failure display                     ended at the cabinet only
===========  ======================================  =============================================

Down at once: the stage that is shown ends as the interlock allows, minimum green kept. Up when the
needs of the better level have been met for a minute, at the beginning of a cycle, so that a link
that comes and goes does not throw the signals about. At its first tick a controller takes the best
level there is.
"""

from __future__ import annotations

from enum import IntEnum

from ampelwerk.controllers.arbiter import Arbiter
from ampelwerk.controllers.local import FAR_DS, LocalController
from ampelwerk.controllers.modes import Mode
from ampelwerk.engine.strategies.actuated import Actuated
from ampelwerk.models.detection import DetectorFrame
from ampelwerk.models.network import Network

STABLE_MS = 60_000
"""The needs of a better level must be met for so long. [ms]"""


class Level(IntEnum):
    """What a controller follows; the lower number is the better level."""

    ADAPTIVE = 1
    COORDINATED = 2
    ISOLATED = 3
    FAILURE = 4


class FallbackLadder:
    """Chooses the level of one controller and what its local controller is asked for.

    Parameters
    ----------
    site : the intersection and its loops, as `controllers.site` takes them out of a network.
    local : its local controller.
    arbiter : stands before it; what the level asks for waits while somebody higher has the say.
    """

    def __init__(
        self, site: Network, local: LocalController, arbiter: Arbiter | None = None
    ) -> None:
        self._local = local
        self._asked: Arbiter | LocalController = arbiter or local
        self._actuated = Actuated(site, [local])
        self._better_since_ms: int | None = None
        self._clock_ds: int | None = None
        self.level = Level.COORDINATED
        """Level in force."""
        self.cause = "start"
        """Why this level."""
        self.steps: list[tuple[int, Level, str]] = []
        """(Unix time [ds], level, cause) of every change."""

    def observe(self, frame: DetectorFrame) -> None:
        """Edges of the site's loops; local actuation is ready whenever it is needed."""
        self._actuated.observe(frame)

    def choose(self, best: Level, cause: str, *, now_ds: int, mono_ms: int) -> Level:
        """The level from this tick on.

        Parameters
        ----------
        best : best level whose needs are met now.
        cause : why not a better one; empty at ADAPTIVE.
        """
        first = self._clock_ds is None
        clock_ds = self._local.schedule.plan_at(now_ds).cycle_clock_ds(now_ds)
        begins = self._clock_ds is not None and clock_ds < self._clock_ds
        self._clock_ds = clock_ds
        if self._local.interlock.mode is Mode.FAILED:
            best, cause = Level.FAILURE, self._local.interlock.failure
        if best > self.level or first or (self.level is Level.FAILURE and best < self.level):
            self._enter(best, cause, now_ds)
        elif best < self.level:
            if self._better_since_ms is None:
                self._better_since_ms = mono_ms
            if begins and mono_ms - self._better_since_ms >= STABLE_MS:
                self._enter(best, cause, now_ds)
        else:
            self._better_since_ms = None
        return self.level

    def ask(self, stage: int | None, now_ds: int) -> None:
        """Ask the local controller for what the level demands.

        Parameters
        ----------
        stage : stage of the rolling schedule, None if the server has asked for none.
        """
        asked = self._asked
        if self.level is Level.ADAPTIVE:
            if stage is not None:
                asked.want(stage, FAR_DS)
        elif self.level is Level.ISOLATED:
            if asked.on_plan:
                asked.want(self._local.stage, FAR_DS)
            for wish in self._actuated.decide(now_ds / 10):
                asked.want(wish.stage, FAR_DS)

    def _enter(self, level: Level, cause: str, now_ds: int) -> None:
        self._better_since_ms = None
        if level is self.level and self.steps:
            return
        self.level, self.cause = level, cause
        self.steps.append((now_ds, level, cause))
        if level is not Level.ISOLATED:
            self._asked.follow_plan()
