"""A roadside device without its wire: local controller, ladder, lease, plans, overrides, buffers.

It takes messages and gives messages; `controllers.client` carries them. Time comes from outside, so
the same object runs at the kerb and in a simulation. Everything that lasts is measured on the
monotonic clock: a lease counts from the moment the answered heartbeat was sent.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial

from ampelwerk.controllers import convert
from ampelwerk.controllers.alarm_log import MAJOR, MINOR, AlarmLog
from ampelwerk.controllers.arbiter import Arbiter, Say
from ampelwerk.controllers.clock import Clock
from ampelwerk.controllers.held_schedule import HeldSchedule
from ampelwerk.controllers.ladder import STABLE_MS, FallbackLadder, Level
from ampelwerk.controllers.lease import Lease
from ampelwerk.controllers.local import LocalController
from ampelwerk.controllers.modes import Mode
from ampelwerk.controllers.override_leases import OverrideLeases
from ampelwerk.controllers.plan_file import PlanFile
from ampelwerk.controllers.published import PublishedPlans
from ampelwerk.controllers.schedule import Schedule
from ampelwerk.controllers.signing import PlanVerifier
from ampelwerk.controllers.uploads import UploadBuffer
from ampelwerk.models.detection import DetectorFrame
from ampelwerk.models.network import Network
from ampelwerk.proto.v1 import common_pb2, controller_pb2, plan_pb2, telemetry_pb2

API_MINOR = 0
"""Minor version of the interface."""


class Roadside:
    """One controller.

    Parameters
    ----------
    site : its intersection and loops, as `controllers.site` takes them out of a network.
    local : its local controller.
    verifier : believes the server's plans.
    boot_id : 16 random bytes of this start.
    source : where the clock has its time from.
    wake : called when there is something to send.
    arbiter : stands before `local` already; without one it gets its own.
    plan_file : keeps published plans; without one they last as long as the process.
    beside : checks published plans, which may take longer than a tick; without one at once.
    """

    def __init__(
        self,
        site: Network,
        local: LocalController,
        clock: Clock,
        verifier: PlanVerifier,
        *,
        boot_id: bytes,
        tick_ds: int,
        source: common_pb2.ClockSource = common_pb2.CLOCK_SOURCE_NTP,
        wake: Callable[[], None] = lambda: None,
        arbiter: Arbiter | None = None,
        plan_file: PlanFile | None = None,
        beside: Executor | None = None,
    ) -> None:
        self.site, self.local, self.clock, self.wake = site, local, clock, wake
        self.intersection = site.intersections[0]
        self.arbiter = arbiter or Arbiter(local)
        """Lays overrides over the local controller."""
        self.ladder = FallbackLadder(site, local, self.arbiter)
        self._boot_id, self._tick_ds = boot_id, tick_ds
        self._lease = Lease(clock, source)
        self._limited_groups = [
            (number, str(group.group_id))
            for number, group in enumerate(self.intersection.envelope.groups)
            if group.max_red_ds is not None
        ]
        self._envelope_hash = convert.envelope_hash(self.intersection.envelope)
        self._loop_names = [str(loop.loop_id) for loop in site.loops]
        self.detectors: UploadBuffer[telemetry_pb2.DetectorBatch] = UploadBuffer()
        """Detector data on their way."""
        self.events: UploadBuffer[telemetry_pb2.EventBatch] = UploadBuffer()
        """Signal states and events on their way."""
        self.outbox: deque[controller_pb2.ControllerMessage] = deque()
        """Messages for the stream of plans."""
        self.alarms = AlarmLog(clock)
        """What is wrong here."""
        self.overrides = OverrideLeases(self.arbiter, clock)
        """Overrides the server has asked for."""
        self._connected_ms: int | None = None
        self.published = PublishedPlans(
            local,
            verifier,
            clock,
            plan_file or PlanFile(None),
            envelope_hash=self._envelope_hash,
            report=partial(self._report, published=True),
            beside=beside,
        )
        """Cyclic plan or calendar that somebody has published."""
        self._held = HeldSchedule(
            self.intersection, self._envelope_hash, verifier, clock, self._report
        )
        self.applied_version = 0
        """Version of a schedule carried out; 0 while none is."""
        self.stale_pushes = 0
        """Pushes of a server that is deposed."""
        self._passed_over: str | None = None
        self._timers = controller_pb2.RegisterReply(
            heartbeat_ms=5_000, lease_ms=20_000, no_plan_timer_ms=15_000
        )
        self._heartbeat_due_ms = 0
        self._time_alarms, self._alarm_ms = 0, clock.mono_ms()

    @property
    def epoch(self) -> int:
        """Highest one: of a server that has answered, or of a schedule accepted."""
        return self._held.epoch

    @property
    def version(self) -> int:
        """Highest version of a schedule accepted."""
        return self._held.version

    @property
    def schedule(self) -> Schedule | None:
        """Rolling schedule held."""
        return self._held.schedule

    @property
    def rejected_plans(self) -> int:
        """Schedules and published plans refused."""
        return self._held.rejected + self.published.rejected

    # -- connection --------------------------------------------------------------------------

    def registration(self) -> controller_pb2.RegisterRequest:
        """What to register with."""
        return controller_pb2.RegisterRequest(
            intersection_id=self.intersection.intersection_id,
            boot_id=self._boot_id,
            api_minor=API_MINOR,
            capabilities=["rolling", "cyclic", "actuated", "overrides", "published"],
            envelope_sha256=self._envelope_hash,
            ruleset_sha256=convert.ruleset_sha256(self.intersection.envelope),
            held_epoch=self.epoch,
            held_version=self.version,
            clock=self._lease.clock_status(),
        )

    def connected(self, reply: controller_pb2.RegisterReply) -> None:
        """The server has registered it: say hello, tell what is shown, send again what got lost."""
        self._timers = reply
        self._held.epoch = max(self._held.epoch, reply.epoch)
        self._connected_ms = self.clock.mono_ms()
        self._heartbeat_due_ms = self._connected_ms
        self._passed_over = None
        self._lease.forget()
        self.outbox.clear()
        epoch, version = self.published.held
        hello = controller_pb2.Hello(
            boot_id=self._boot_id,
            held_epoch=self.epoch,
            held_version=self.version,
            held_published_epoch=epoch,
            held_published_version=version,
        )
        self.outbox.append(controller_pb2.ControllerMessage(hello=hello))
        self.published.connected()
        for batch in self.detectors.rewind():
            batch.replayed = True
        self.events.rewind()
        self.report_signals()
        self.beat()

    def disconnected(self) -> None:
        """The link is gone; the lease runs on."""
        self._connected_ms = None
        self.outbox.clear()
        self._lease.forget()
        self.published.disconnected()

    @property
    def quiet(self) -> bool:
        """Everything that was sent has been answered."""
        return (
            not self.outbox
            and not self._lease.unanswered
            and self.detectors.all_acknowledged
            and self.events.all_acknowledged
        )

    # -- from the server ---------------------------------------------------------------------

    def receive(self, message: controller_pb2.ServerMessage) -> None:
        """Take one message of the stream of plans; what comes from a deposed server is ignored."""
        kind = message.WhichOneof("body")
        if kind == "heartbeat_reply":
            if message.heartbeat_reply.epoch >= self.epoch:
                self._lease.answered(message.heartbeat_reply)
        elif kind == "plan_push":
            if message.plan_push.epoch < self.epoch:
                self.stale_pushes += 1
            elif message.plan_push.published:
                self.published.take(message.plan_push)
            else:
                self._held.take(message.plan_push)
        elif kind == "activate":
            self.published.activate(message.activate)
        elif kind == "override_push":
            if message.override_push.epoch < self.epoch:
                self.stale_pushes += 1
                return
            report = self.overrides.take(message.override_push)
            self.outbox.append(controller_pb2.ControllerMessage(override_report=report))
            self.wake()

    # -- street ------------------------------------------------------------------------------

    def detect(self, frame: DetectorFrame, *, from_ms: int, interval_ms: int) -> None:
        """Edges of the site's own loops in an interval, for the server and for local actuation."""
        self.ladder.observe(frame)
        self.detectors.put(
            telemetry_pb2.DetectorBatch(
                boot_id=self._boot_id,
                from_unix_ms=from_ms,
                interval_ms=interval_ms,
                replayed=self._connected_ms is None,
                edges=convert.edges_message(frame, self._loop_names),
            )
        )
        self.wake()

    def prepare(self, now_ds: int) -> None:
        """Before a tick of the local controller: which level, and what is asked for."""
        mono_ms = self.clock.mono_ms()
        self._lease.watch_clock()
        self._watch_interlock(mono_ms)
        self._watch_alarms()
        self.overrides.expire(now_ds)
        self.published.tick(now_ds)
        self._held.lapse()
        level = self.ladder.choose(*self._best(), now_ds=now_ds, mono_ms=mono_ms)
        schedule = self.schedule if level is Level.ADAPTIVE else None
        if schedule is not None and self._is_passed_over(schedule):
            schedule = None
        stage = schedule.stage_at(now_ds * 100) if schedule is not None else None
        self.ladder.ask(stage, now_ds)
        if stage is not None and schedule is not None and schedule.hold_greens:
            self.arbiter.hold()
        if schedule is None or stage is None:
            self.applied_version = 0
        elif schedule.version != self.applied_version:
            self.applied_version = schedule.version
            self._report(schedule.nonce, schedule.version, plan_pb2.PLAN_STATE_APPLIED)

    def _is_passed_over(self, schedule: Schedule) -> bool:
        """Whether it was decided before an override ended.

        What was wished then may be long out of date: the signals go on from what is shown, until the
        server, which sees that, decides anew.
        """
        if self.arbiter.say is Say.OVERRIDE:
            self._passed_over = schedule.decision_id
            return False
        return schedule.decision_id == self._passed_over

    def tick(self, now_ds: int) -> bool:
        """One tick of the local controller beneath the overrides; True if the lamps changed."""
        changed = self.arbiter.tick(now_ds)
        self.report_overrides()
        return changed

    def report_overrides(self) -> bool:
        """Tell the server what became of overrides, if anything has; it asks again after a break."""
        reports = self.overrides.reports()
        if self._connected_ms is None or not reports:
            return False
        self.outbox.extend(
            controller_pb2.ControllerMessage(override_report=report) for report in reports
        )
        self.wake()
        return True

    def report_signals(self) -> None:
        """Tell the server what is shown."""
        now_ds = self.clock.unix_ms() // 100
        self.events.put(
            telemetry_pb2.EventBatch(
                boot_id=self._boot_id,
                state=convert.signal_state_message(
                    self.local,
                    now_ds=now_ds,
                    tick_ds=self._tick_ds,
                    plan_version=self.applied_version,
                ),
            )
        )
        self.wake()

    def beat(self, *, at_once: bool = False) -> None:
        """A heartbeat, if it is time for one; its answer says that all before it has been heard."""
        mono_ms = self.clock.mono_ms()
        if self._connected_ms is None or not (at_once or mono_ms >= self._heartbeat_due_ms):
            return
        self._heartbeat_due_ms = mono_ms + self._timers.heartbeat_ms
        seq, unix_ms, mono_ms = self._lease.sent()
        self.outbox.append(
            controller_pb2.ControllerMessage(
                heartbeat=controller_pb2.Heartbeat(
                    seq=seq,
                    sent_unix_ms=unix_ms,
                    sent_mono_ms=mono_ms,
                    mode=f"MODE_{self.local.interlock.mode.name}",
                    level=f"LEVEL_{self.ladder.level.name}",
                    cause=self.ladder.cause,
                    in_force_version=self.applied_version,
                    published_version=self.published.version,
                    override_ids=self.overrides.names,
                    clock=self._lease.clock_status(),
                )
            )
        )
        self.wake()

    def _watch_interlock(self, mono_ms: int) -> None:
        """An interlock that was called late too often believes its caller after a minute again."""
        interlock = self.local.interlock
        if interlock.time_alarms != self._time_alarms:
            self._time_alarms, self._alarm_ms = interlock.time_alarms, mono_ms
        elif interlock.isolated and mono_ms - self._alarm_ms >= STABLE_MS:
            interlock.rejoin()

    def _watch_alarms(self) -> None:
        """Raise and clear alarms."""
        interlock, alarms, groups = self.local.interlock, self.alarms, self._limited_groups
        failed = interlock.mode is Mode.FAILED
        alarms.set("interlock_failed", failed, severity=MAJOR, text=interlock.failure)
        alarms.set("late_ticks", interlock.isolated, severity=MINOR)
        alarms.set("clock_not_true", not self._lease.clock_is_true, severity=MINOR)
        alarms.set("local_control", self.arbiter.local, severity=MINOR)
        if groups:
            overdue = interlock.overdue_groups()
            for number, name in groups:
                alarms.set("red_too_long", number in overdue, severity=MINOR, component=name)
        if alarms.news:
            self.wake()

    def _best(self) -> tuple[Level, str]:
        """Best level whose needs are met, and why there is no better one."""
        if self.local.interlock.isolated:
            return Level.ISOLATED, "the interlock was called late too often"
        return self._lease.best_level(server_has_answered=self._held.answered)

    def _report(
        self,
        nonce: int,
        version: int,
        state: plan_pb2.PlanState,
        cause: str = "",
        findings: tuple[common_pb2.Finding, ...] = (),
        *,
        published: bool = False,
    ) -> None:
        if self._connected_ms is None:
            return
        self.outbox.append(
            controller_pb2.ControllerMessage(
                plan_report=controller_pb2.PlanReport(
                    nonce=nonce,
                    epoch=self.epoch,
                    version=version,
                    state=state,
                    cause=cause,
                    findings=findings,
                    at_unix_ms=self.clock.unix_ms(),
                    in_force_version=self.applied_version,
                    published=published,
                )
            )
        )
        self.wake()
