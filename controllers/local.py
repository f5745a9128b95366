"""The local controller: carries out wanted stages, or its own plan when wishes stop.

It asks the interlock for the signal groups of one stage at a time and turns the aspects that the
interlock grants into the controller's output. It never writes a lamp itself.
"""

from __future__ import annotations

from ampelwerk.controllers.interlock import Interlock
from ampelwerk.controllers.modes import Display, Mode
from ampelwerk.controllers.refusals import Refusal
from ampelwerk.models.envelope import Aspect
from ampelwerk.models.intersection import Intersection
from ampelwerk.models.plan_schedule import StageSchedule

FAR_DS = 2**62
"""A moment that never comes. [ds]"""
HOLD_DS = 50
"""Longest wait of a stage's greens, once all that ends has ended, for the junction to clear. [ds]"""


class LocalController:
    """Runs one intersection.

    It begins in the state that its plan shows at `now_ds`: two cycles of the plan are played
    through the interlock beforehand, so that every running time is known from the start.

    Parameters
    ----------
    intersection : what to control.
    tick_ds : time between two calls of `tick`. [ds]
    now_ds : present time. [ds]
    cold : start as a cabinet does that was just switched on: self-test, all red, then the plan.
    """

    def __init__(
        self, intersection: Intersection, *, tick_ds: int, now_ds: int, cold: bool = False
    ) -> None:
        self.intersection = intersection
        self._schedule: StageSchedule = intersection.schedule
        self._masks = [stage.mask for stage in intersection.stages]
        make = Interlock if cold else Interlock.running
        self.interlock = make(intersection.envelope, tick_ds)
        """The only writer of its lamps; others look."""
        self._tick_ds = tick_ds
        self._wish: int | None = None
        self._wish_until_ds = -FAR_DS
        self._letters = _Letters(intersection)
        self._hold = False
        self.held_ds = 0
        """How long the greens of the running transition have waited on request. [ds]"""
        self.stage = 0
        """Stage requested."""
        self.since_ds = now_ds
        """Moment at which the stage was shown in full. [ds]"""
        self.decidable_from_ds = FAR_DS
        """Moment from which another stage may be asked for. [ds]"""
        self.state = ""
        """Output, one letter per link."""
        if cold:
            self.stage = self._schedule.stage_at(now_ds)
            self.state = self._letters.state(self.interlock.aspects, self.stage)
            return
        ticks = -(-2 * self._schedule.plan_at(now_ds).cycle_ds // tick_ds)
        start_ds = now_ds - ticks * tick_ds
        self.stage = self._schedule.stage_at(start_ds)
        for k in range(ticks + 1):
            self.tick(start_ds + k * tick_ds)

    @property
    def green_mask(self) -> int:
        """Groups at green, group i at bit i."""
        return self.interlock.green_mask

    @property
    def aspects(self) -> tuple[int, ...]:
        """(n,) aspect of every signal group."""
        return self.interlock.aspects

    @property
    def on_plan(self) -> bool:
        """No wish is in force; the plan is executed."""
        return self._wish is None

    @property
    def schedule(self) -> StageSchedule:
        """Its own plan."""
        return self._schedule

    def take_plan(self, schedule: StageSchedule) -> None:
        """Another plan of its own from the next tick on, over the stages of the intersection."""
        self._schedule = schedule

    @property
    def steered(self) -> bool:
        """Nobody above the strategy stands before a bare controller."""
        return False

    def want(self, stage: int, until_ds: int) -> None:
        """Ask for a stage; the wish lapses at `until_ds` unless renewed."""
        self._wish, self._wish_until_ds = stage, until_ds

    def hold(self) -> None:
        """Greens of the running transition that have not begun wait for another tick.

        Once everything that ends has ended, for no longer than `HOLD_DS`. A plan is not held.
        """
        self._hold = self._wish is not None

    def follow_plan(self) -> None:
        """Drop the wish; the plan is executed from the next tick on."""
        self._wish = None

    def renew(self, until_ds: int) -> None:
        """Go on with what is shown now until then."""
        if self._wish is None:
            self._wish = self.stage
        self._wish_until_ds = until_ds

    def switch(self, display: Display | None) -> None:
        """Order a display in place of aspects, None for aspects again; every minimum is kept."""
        if display is None:
            self.interlock.switch_on()
        else:
            self.interlock.switch_off(display)

    @property
    def display(self) -> Display:
        """What the lamps show."""
        return self.interlock.display

    @property
    def mode(self) -> Mode:
        """Operating mode of the interlock."""
        return self.interlock.mode

    @property
    def tick_ds(self) -> int:
        """Time between two ticks. [ds]"""
        return self._tick_ds

    @property
    def settled(self) -> bool:
        """All that is asked is shown, and nothing else."""
        return self.interlock.settled

    def refusals(self) -> tuple[Refusal, ...]:
        """Why what is asked is not, or not yet, shown."""
        return self.interlock.refusals()

    @property
    def isolated(self) -> bool:
        """The clock failed too often: nobody from outside is listened to."""
        return self.interlock.isolated

    def tick(self, now_ds: int) -> bool:
        """Move on by one tick; True if the output changed."""
        stage = self._wish
        if stage is None or now_ds >= self._wish_until_ds:
            self._wish = None
            stage = self._schedule.stage_at(now_ds)
        switched = stage != self.stage
        self.stage = stage
        interlock, mask = self.interlock, self._masks[stage]
        held, self._hold = self._hold, False
        if switched:
            self.held_ds = 0
        elif held and self.decidable_from_ds == FAR_DS and self.held_ds < HOLD_DS:
            mask &= interlock.lit_mask
        changed = interlock.tick(mask, now_ds)
        if mask != self._masks[stage]:
            if interlock.settled:
                self.held_ds += self._tick_ds
        elif changed or switched:
            self._after_change(now_ds)
        if changed or switched:
            if interlock.display is Display.ASPECTS:
                state = self._letters.state(interlock.aspects, stage)
            else:
                state = self._letters.without_aspects(interlock.display)
            changed = state != self.state
            self.state = state
            return changed
        return False

    def _after_change(self, now_ds: int) -> None:
        """When may the next stage be asked for?"""
        interlock = self.interlock
        if not interlock.settled:
            self.decidable_from_ds = FAR_DS
            return
        groups = self.intersection.envelope.groups
        missing_ds = max(
            (
                groups[group].min_green_ds - interlock.shown_ticks(group) * self._tick_ds
                for group in self.intersection.stages[self.stage].groups
            ),
            default=0,
        )
        self.since_ds = now_ds
        self.decidable_from_ds = now_ds + max(0, missing_ds)


class _Letters:
    """Aspects to the letters of the state string.

    A green group shows g where its stage was delivered so, or while it or a group it gives way to
    still runs out of the stage before; else G.
    """

    def __init__(self, intersection: Intersection) -> None:
        self._intersection = intersection
        self._cache: dict[tuple[tuple[int, ...], int, str], tuple[str, str]] = {}
        self._last = "G" * intersection.envelope.size

    def state(self, aspects: tuple[int, ...], stage: int) -> str:
        """The state string for the aspects under a requested stage."""
        key = (aspects, stage, self._last)
        found = self._cache.get(key)
        if found is None:
            letters = self._green_letters(aspects, stage)
            found = self._cache[key] = letters, self._compose(aspects, letters, stage)
        self._last, state = found
        return state

    def without_aspects(self, display: Display) -> str:
        """The state string of a display that shows no aspects."""
        site = self._intersection
        letter = {Display.FLASH: "o", Display.DARK: "O"}.get(display, "r")
        return "".join(
            fixed if group < 0 else letter
            for group, fixed in zip(site.sumo_link_group, site.sumo_link_letter, strict=True)
        )

    def _green_letters(self, aspects: tuple[int, ...], number: int) -> str:
        """G or g for every group, kept while it is not green."""
        site = self._intersection
        stage = site.stages[number]
        letters = list(self._last)
        for group, aspect in enumerate(aspects):
            if aspect != Aspect.GREEN:
                continue
            if group in stage.permissive:
                letters[group] = "g"
            elif group in stage.groups:
                letters[group] = "G"
            runs_out = group not in stage.groups
            if stage.selectable and any(
                yields
                and aspects[foe] in (Aspect.GREEN, Aspect.AMBER)
                and (runs_out or foe not in stage.groups)
                for foe, yields in enumerate(site.yields[group])
            ):
                letters[group] = "g"
        return "".join(letters)

    def _compose(self, aspects: tuple[int, ...], green_letters: str, stage: int) -> str:
        """One letter per link."""
        site = self._intersection
        on_red = site.stages[stage].turn_on_red
        shown = []
        for link, group in enumerate(site.sumo_link_group):
            if group < 0:
                shown.append(site.sumo_link_letter[link])
            elif aspects[group] == Aspect.GREEN:
                shown.append(green_letters[group])
            elif aspects[group] == Aspect.AMBER:
                shown.append("y")
            elif aspects[group] == Aspect.RED_AMBER:
                shown.append("u")
            else:
                shown.append("s" if group in on_red else "r")
        return "".join(shown)
