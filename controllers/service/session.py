"""What the server knows about one controller, and the slot through which plans go out to it.

At most one push is unanswered. A newer schedule waits in a slot, not in a queue: what is out of date is
never sent. Published plans wait in a queue before it: each of them is answered. That a write has ended
proves nothing; an answer does.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from ampelwerk.controllers.service.inbox import Inbox
from ampelwerk.engine.strategies.strategy import Wish
from ampelwerk.models.intersection import Intersection
from ampelwerk.proto.v1 import (
    alarm_pb2,
    common_pb2,
    controller_pb2,
    network_pb2,
    plan_pb2,
    telemetry_pb2,
)

MOST_SAID = 200
"""Characters kept of what a controller says."""
DECISIONS_KEPT = 200
"""Decisions remembered of one intersection."""


def fit_to_show(text: str, most: int = MOST_SAID) -> str:
    """What a controller says, as it may stand on somebody's screen: bounded, without control codes."""
    return "".join(
        sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text[:most]
    )


class Unanswered(NamedTuple):
    """A push on its way."""

    nonce: int
    version: int
    sent_mono_ms: int


class Decided(NamedTuple):
    """A stage asked for by the engine."""

    decision_id: str
    """Name, as in the plan."""
    at_unix_ms: int
    """When. [ms]"""
    algorithm: str
    """Kind of control."""
    wish: Wish
    """What, and why."""


class PlanStream:
    """One open stream of plans."""

    def __init__(self, mono_ms: Callable[[], int]) -> None:
        self._mono_ms = mono_ms
        self._outbox: deque[controller_pb2.ServerMessage] = deque()
        self._slot: controller_pb2.PlanPush | None = None
        self._published: deque[controller_pb2.ServerMessage] = deque()
        self._nonce = 0
        self._wake = asyncio.Event()
        self.unanswered: Unanswered | None = None
        """The push that was sent and not answered."""
        self.stale_reports = 0
        """Reports about a push that is not the last one."""
        self._override_nonce = 0
        self.unanswered_overrides: dict[int, int] = {}
        """Override pushes without answer: their nonce, and when they were sent. [ms]"""
        self.closed = False
        """Somebody wants the stream to end."""

    @property
    def idle(self) -> bool:
        """Nothing to send and nothing unanswered."""
        return (
            self._slot is None
            and not self._published
            and self.unanswered is None
            and not self.unanswered_overrides
            and not self._outbox
        )

    @property
    def last_nonce(self) -> int:
        """Nonce of the newest push that was sent."""
        return self._nonce

    def answer(self, message: controller_pb2.ServerMessage) -> None:
        """Send a message that needs no answer."""
        self._outbox.append(message)
        self._wake.set()

    def push(self, push: controller_pb2.PlanPush) -> None:
        """Send a push when the one before has been answered; a waiting one is replaced."""
        self._slot = push
        self._wake.set()

    def push_published(self, message: controller_pb2.ServerMessage) -> None:
        """Send a published plan, or `Activate`; each is answered before the next push goes out."""
        self._published.append(message)
        self._wake.set()

    def answered(self, nonce: int) -> bool:
        """Take note of a report; false if it is about none of the last push."""
        if nonce != self._nonce:
            self.stale_reports += 1
            return False
        self.unanswered = None
        if self._slot is not None or self._published:
            self._wake.set()
        return True

    def push_override(self, push: controller_pb2.OverridePush) -> None:
        """Send what became of an override; each is answered by itself, none takes another's place."""
        self._override_nonce += 1
        push.nonce = self._override_nonce
        self.unanswered_overrides[push.nonce] = self._mono_ms()
        self.answer(controller_pb2.ServerMessage(override_push=push))

    def override_answered(self, nonce: int) -> bool:
        """Take note of a report; false if no push of that number waits for one."""
        if self.unanswered_overrides.pop(nonce, None) is None:
            self.stale_reports += 1
            return False
        return True

    def waits_since_ms(self) -> int | None:
        """When the oldest push without answer was sent, None without one. [ms]"""
        sent = list(self.unanswered_overrides.values())
        if self.unanswered is not None:
            sent.append(self.unanswered.sent_mono_ms)
        return min(sent, default=None)

    def close(self) -> None:
        """End the stream once what is being written has gone out."""
        self.closed = True
        self._wake.set()

    async def next(self) -> controller_pb2.ServerMessage | None:
        """The next message to write, None when there will be none."""
        while True:
            if self._outbox:
                return self._outbox.popleft()
            if self.closed:
                return None
            if self.unanswered is None:
                message = self._next_push()
                if message is not None:
                    return message
            self._wake.clear()
            await self._wake.wait()

    def _next_push(self) -> controller_pb2.ServerMessage | None:
        """The push whose turn it is, with its nonce."""
        if self._published:
            message = self._published.popleft()
        elif self._slot is not None:
            message, self._slot = controller_pb2.ServerMessage(plan_push=self._slot), None
        else:
            return None
        self._nonce += 1
        push = message.plan_push if message.HasField("plan_push") else message.activate
        push.nonce = self._nonce
        self.unanswered = Unanswered(self._nonce, message.plan_push.version, self._mono_ms())
        return message


class PublishedPlan(NamedTuple):
    """A cyclic plan or a calendar that somebody has published."""

    epoch: int
    """Term of the server that published it."""
    version: int
    """Version in the store."""
    signed: plan_pb2.SignedPlan
    """As it was signed."""


class RefusedPlan(NamedTuple):
    """A published plan that its controller has refused."""

    version: int
    cause: str
    """What the controller says."""


@dataclass(slots=True, kw_only=True, eq=False)
class Session:
    """One intersection, whether its controller is there or not."""

    number: int
    """Index into `Network.intersections`."""
    intersection: Intersection
    """What is controlled."""
    envelope_hash: bytes
    """Name of its envelope."""
    detectors: dict[str, int]
    """Its detectors, with their indices into `Network.loops`."""
    boot_id: bytes = b""
    """Start of the controller's program that registered last."""
    capabilities: frozenset[str] = frozenset()
    """What the controller can do."""
    state: network_pb2.ControllerState = network_pb2.CONTROLLER_STATE_UNKNOWN
    """Life of the controller."""
    mode: common_pb2.Mode = common_pb2.MODE_UNSPECIFIED
    """Mode of its interlock."""
    level: common_pb2.Level = common_pb2.LEVEL_UNSPECIFIED
    """What it follows."""
    cause: str = ""
    """Why it follows that."""
    override_ids: tuple[str, ...] = ()
    """Overrides whose leases it keeps."""
    clock: common_pb2.ClockStatus = field(default_factory=common_pb2.ClockStatus)
    """What it knows about its clock."""
    lease_until_ms: int = 0
    """Its lease, on the server's monotonic clock. [ms]"""
    stream: PlanStream | None = None
    """Its open stream of plans."""
    version: int = 0
    """Version of a schedule given out last; never used twice."""
    stage: int | None = None
    """Stage of its schedule, None while there is none."""
    ask_again: bool = False
    """An override is over there: a wish counts as new, even for the stage wished last."""
    held: bool = False
    """Its schedule keeps greens back."""
    decided: int = 0
    """Decisions so far."""
    decided_ms: int = 0
    """When that was decided or renewed, on the server's clock. [ms]"""
    signed: plan_pb2.SignedPlan | None = None
    """Its schedule as it was signed."""
    accepted_version: int = 0
    """Newest version it has accepted."""
    applied_version: int = 0
    """Newest version it has put into force."""
    quarantined: set[int] = field(default_factory=set)
    """Schedules it has refused, by version."""
    published: PublishedPlan | None = None
    """Cyclic plan or calendar that it shall have beneath its schedules."""
    published_applied: int = 0
    """Version of the published plan that has taken over there."""
    with_plans: Intersection = field(init=False)
    """The intersection with the plans that its controller may be told to run by now."""
    published_refused: RefusedPlan | None = None
    """Published plan it has refused last, None if it has accepted a newer one."""
    detector_inbox: Inbox[telemetry_pb2.DetectorBatch] = field(default_factory=Inbox)
    """Detector data."""
    event_inbox: Inbox[telemetry_pb2.EventBatch] = field(default_factory=Inbox)
    """Signal states and events."""
    signals: telemetry_pb2.SignalState = field(default_factory=telemetry_pb2.SignalState)
    """What it shows."""
    alarms: dict[str, alarm_pb2.Alarm] = field(default_factory=dict)
    """Its alarms by their id; replaced with every change, never changed."""
    plan_reports: dict[bool, controller_pb2.PlanReport] = field(default_factory=dict)
    """What it has said last of a schedule, and under True of a published plan."""
    decisions: deque[Decided] = field(default_factory=lambda: deque(maxlen=DECISIONS_KEPT))
    """What was decided last, by time."""
    changed: int = 0
    """Rises with every change that a control room would like to see."""

    @property
    def name(self) -> str:
        """The intersection."""
        return str(self.intersection.intersection_id)

    def __post_init__(self) -> None:
        self.with_plans = self.intersection

    @property
    def takes_published(self) -> bool:
        """Its controller is there, and takes published plans."""
        return self.stream is not None and "published" in self.capabilities

    def status(self) -> network_pb2.IntersectionStatus:
        """As a control room sees it."""
        return network_pb2.IntersectionStatus(
            intersection_id=self.name,
            mode=self.mode,
            level=self.level,
            cause=self.cause,
            clock=self.clock,
            signal_state=self.signals,
            plan_version=self.applied_version,
            published_version=self.published_applied,
            override_ids=self.override_ids,
            open_alarms=sum(alarm.active for alarm in self.alarms.values()),
            state=self.state,
        )
