"""The city behind the services: one session per intersection, and the engine that ticks beside.

A tick gathers what the controllers have reported since the one before, lets the engine think, and
pushes a rolling schedule where the stage changes or half of the validity has passed. The thinking
touches nothing that the event loop uses, so that it may run in another thread.
"""

from __future__ import annotations

import asyncio
import copy
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from ampelwerk.controllers import convert
from ampelwerk.controllers.clock import Clock
from ampelwerk.controllers.control import Control
from ampelwerk.controllers.frame_border import FrameBorder
from ampelwerk.controllers.plan_convert import read_content
from ampelwerk.controllers.service.session import Decided, Session
from ampelwerk.controllers.signing import PlanSigner
from ampelwerk.controllers.site import loop_owners
from ampelwerk.controllers.steering import with_plans_of
from ampelwerk.engine.estimation import Estimator
from ampelwerk.engine.kernels.city import City
from ampelwerk.engine.kernels.decision import Signals
from ampelwerk.engine.kernels.traffic import Traffic
from ampelwerk.engine.strategies.strategy import Wish
from ampelwerk.models.detection import DetectorFrame
from ampelwerk.models.network import Network
from ampelwerk.models.plan_schedule import StageSchedule
from ampelwerk.proto.v1 import controller_pb2, plan_pb2, telemetry_pb2

VALID_MS = 60_000
"""A schedule lapses unless renewed within a minute. [ms]"""
AT_ONCE, DECIDED_AT_ONCE = 20, 200
"""So many schedules are signed, and decisions noted, before the event loop may turn to something else."""
RENEW_MS = 30_000
"""It is renewed at half its validity. [ms]"""
log = logging.getLogger("ampelwerk.server")


@dataclass(slots=True)
class ShownByController:
    """Signals of one controller as strategies that ask for them see them."""

    stage: int = 0
    """Stage requested."""
    decidable_from_ds: int = 0
    """Moment from which another stage may be asked for. [ds]"""
    since_ds: int = 0
    """Moment at which the stage was shown in full. [ds]"""


class Served(Protocol):
    """Whom a signal group serves, in words."""

    @property
    def group(self) -> str:
        """Its name."""
        ...

    @property
    def serves(self) -> str:
        """Road users."""
        ...

    @property
    def comes_from(self) -> Sequence[str]:
        """Where they come from."""
        ...

    @property
    def turns(self) -> Sequence[str]:
        """Where they go."""
        ...


class GroupOf(NamedTuple):
    """A group of which no more is known than its road users."""

    group: str
    serves: str
    comes_from: tuple[str, ...] = ()
    turns: tuple[str, ...] = ()


class LiveCity:
    """All intersections of a server.

    It offers what a kind of control is connected to: `network`, `signals`, `controllers`, `begin_s`
    and `step_s`. The control is handed in afterwards, as `control`.

    Parameters
    ----------
    epoch : rises with every start of a server of this city.
    begin_s : time of the first tick, less `step_s`. [s]
    step_s : time between two ticks. [s]
    """

    def __init__(
        self,
        network: Network,
        clock: Clock,
        signer: PlanSigner,
        *,
        epoch: int,
        begin_s: float,
        step_s: float,
    ) -> None:
        self.network, self.clock, self.epoch = network, clock, epoch
        self.begin_s, self.step_s = begin_s, step_s
        size = len(network.intersections)
        self.signals = Signals(
            stage=np.zeros(size, dtype=np.int64),
            green=np.zeros(size, dtype=np.int64),
            since_s=np.full(size, begin_s),
            decidable_s=np.full(size, begin_s),
        )
        self.controllers = [ShownByController() for _ in range(size)]
        self.border = FrameBorder(len(network.loops))
        self.control: Control | None = None
        """Estimator and strategy; until it is set nothing is decided."""
        self.beliefs: Estimator | None = None
        """What the control believes about traffic, None if it believes nothing."""
        self.schedules: list[StageSchedule] | None = None
        """Plans that the control follows where it knows too little, None if it follows none."""
        self.algorithm = ""
        """Name of the control, for explanations."""
        self.served: Callable[[int], Sequence[Served]] = self._group_names
        """Whom each signal group of an intersection serves, in words, for explanations."""
        self.progressed: Callable[[], None] = lambda: None
        """Called when a controller has reported about a plan."""
        self.signer = signer
        """Signs what goes down."""
        own: list[dict[str, int]] = [{} for _ in range(size)]
        for loop, owner in enumerate(loop_owners(network)):
            if owner is not None:
                own[owner][str(network.loops[loop].loop_id)] = loop
        self.sessions = [
            Session(
                number=number,
                intersection=intersection,
                envelope_hash=convert.envelope_hash(intersection.envelope),
                detectors=own[number],
            )
            for number, intersection in enumerate(network.intersections)
        ]
        self.by_name: Mapping[str, Session] = {s.name: s for s in self.sessions}
        self.pushes = 0
        """Schedules pushed so far."""
        self.ticks = 0
        """Ticks so far."""
        self._batches: list[tuple[Mapping[str, int], telemetry_pb2.DetectorBatch]] = []
        self._shown: dict[int, convert.ShownSignals] = {}
        self._pool = ThreadPoolExecutor(1, "engine")
        self._to_schedule: dict[int, Session] = {}
        self._scheduling: asyncio.Task[None] | None = None

    def _group_names(self, number: int) -> Sequence[Served]:
        """Without better words the kind of road user."""
        groups = self.network.intersections[number].envelope.groups
        return [GroupOf(str(group.group_id), group.road_user.value) for group in groups]

    def take_edges(self, session: Session, batch: telemetry_pb2.DetectorBatch) -> None:
        """Detector data for the next tick."""
        if batch.edges:
            self._batches.append((session.detectors, batch))

    def take_signals(self, session: Session, shown: convert.ShownSignals) -> None:
        """What a controller shows, for the next tick."""
        self._shown[session.number] = shown

    def tick(self, now_s: float) -> Sequence[Wish]:
        """One tick in this thread; the wishes."""
        wishes = self._think(self.gather(now_s), now_s)
        now_ms = self.clock.unix_ms()
        for session, wish in self._due(wishes, now_ms):
            self._decide(session, wish, now_ms)
            self._schedule(session)
        return wishes

    async def tick_beside(self, now_s: float) -> Sequence[Wish]:
        """One tick, the thinking in another thread. Schedules go out beside the ticks that follow: many
        of them hold up neither the engine nor anybody who waits for an answer.
        """
        frame = self.gather(now_s)
        loop = asyncio.get_running_loop()
        wishes = await loop.run_in_executor(self._pool, self._think, frame, now_s)
        now_ms = self.clock.unix_ms()
        for number, (session, wish) in enumerate(self._due(wishes, now_ms)):
            self._decide(session, wish, now_ms)
            self._to_schedule[session.number] = session
            if number % DECIDED_AT_ONCE == DECIDED_AT_ONCE - 1:
                await asyncio.sleep(0)
        if self._to_schedule and (self._scheduling is None or self._scheduling.done()):
            self._scheduling = asyncio.create_task(self._schedule_waiting())
        return wishes

    async def _schedule_waiting(self) -> None:
        """Sign and offer schedules until none is due, the first decided first."""
        signed = 0
        while self._to_schedule:
            session = self._to_schedule.pop(next(iter(self._to_schedule)))
            try:
                self._schedule(session)
            except Exception:
                log.exception("no schedule could be made", extra={"intersection": session.name})
            signed += 1
            if signed % AT_ONCE == 0:
                await asyncio.sleep(0)

    async def beliefs_now(self) -> tuple[City, Traffic] | None:
        """The engine's map and a copy of its beliefs, made between two ticks."""
        beliefs = self.beliefs
        if beliefs is None:
            return None
        loop = asyncio.get_running_loop()
        traffic = await loop.run_in_executor(self._pool, copy.deepcopy, beliefs.traffic)
        return beliefs.city, traffic

    def took_over(self, session: Session, version: int) -> None:
        """A controller follows another plan of its own from now on, 0: the one it came with."""
        if version == session.published_applied:
            return
        session.published_applied = version
        session.changed += 1
        published, site = session.published, session.intersection
        schedule: StageSchedule = site.schedule
        if published is not None and version == published.version:
            content, _ = read_content(plan_pb2.Plan.FromString(published.signed.plan), site)
            schedule = content.schedule if content is not None else schedule
        session.with_plans = with_plans_of(site, schedule)
        if self.schedules is not None:
            self.schedules[session.number] = schedule

    def close(self) -> None:
        """End the engine's thread, and what it set going."""
        if self._scheduling is not None:
            self._scheduling.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def gather(self, now_s: float) -> DetectorFrame:
        """What has been reported since the last tick; the signals go into the engine's arrays."""
        for number, shown in self._shown.items():
            controller, signals = self.controllers[number], self.signals
            controller.stage, controller.since_ds = shown.stage, shown.since_ds
            controller.decidable_from_ds = shown.decidable_from_ds
            signals.stage[number] = shown.stage
            signals.green[number] = np.uint64(shown.green_mask).view(np.int64)
            signals.since_s[number] = shown.since_ds / 10
            signals.decidable_s[number] = shown.decidable_from_ds / 10
        self._shown.clear()
        batches, self._batches = self._batches, []
        return self.border.passed(convert.frame_of(batches, now_s), now_s)

    def _think(self, frame: DetectorFrame, now_s: float) -> Sequence[Wish]:
        if self.control is None:
            return ()
        self.control.observe(frame)
        return self.control.decide(now_s)

    def _due(self, wishes: Sequence[Wish], now_ms: int) -> Iterator[tuple[Session, Wish | None]]:
        """Intersections whose stage changes, with the wish; those whose schedule is half over, or
        whose greens are kept back from now on or no longer.
        """
        self.ticks += 1
        held = {wish.intersection for wish in wishes if wish.hold}
        for wish in wishes:
            session = self.sessions[wish.intersection]
            if not wish.hold and (session.stage != wish.stage or session.ask_again):
                session.ask_again = False
                yield session, wish
        for session in self.sessions:
            hold = session.number in held
            due = session.held != hold or now_ms - session.decided_ms >= RENEW_MS
            session.held = hold
            if due and session.stage is not None and session.stream is not None:
                yield session, None

    def _decide(self, session: Session, wish: Wish | None, now_ms: int) -> None:
        """Take note of what an intersection is to show, or that its schedule is to be renewed."""
        if wish is not None:
            session.stage, session.held = wish.stage, False
            if session.stream is None:
                session.signed = None  # of an older wish
            session.decided += 1
            decision_id = f"{session.name}.{session.decided}"
            session.decisions.append(Decided(decision_id, now_ms, self.algorithm, wish))
        session.decided_ms = now_ms

    def _schedule(self, session: Session) -> None:
        """A new version of the schedule of one intersection.

        For an absent controller none is made; what was wished is remembered while it may be of use.
        """
        if session.stream is None or session.stage is None:
            return
        session.version += 1
        session.signed = self.signer.signed(
            convert.rolling_plan(
                session.intersection,
                session.stage,
                envelope_hash=session.envelope_hash,
                epoch=self.epoch,
                version=session.version,
                decided_unix_ms=session.decided_ms,
                valid_ms=VALID_MS,
                decision_id=f"{session.name}.{session.decided}",
                hold_greens=session.held,
            )
        )
        self.pushes += 1
        self.push_newest(session)

    def greet(self, session: Session) -> None:
        """A controller has connected: give it what was wished last, if that is still of use."""
        now_ms = self.clock.unix_ms()
        if session.stage is not None and now_ms - session.decided_ms >= VALID_MS:
            session.stage = session.signed = None
        if session.stage is not None and session.version not in session.quarantined:
            session.decided_ms = now_ms
            self._schedule(session)
        else:
            self.push_newest(session)

    def push_newest(self, session: Session) -> None:
        """Offer the newest schedule, or say that there is none yet."""
        stream = session.stream
        if stream is None:
            return
        if session.signed is not None and session.version not in session.quarantined:
            push = controller_pb2.PlanPush(
                kind=controller_pb2.PUSH_KIND_FULL,
                epoch=self.epoch,
                version=session.version,
                signed_plan=session.signed,
            )
        else:
            push = controller_pb2.PlanPush(
                kind=controller_pb2.PUSH_KIND_HEARTBEAT, epoch=self.epoch
            )
        stream.push(push)
