"""Forecasts of overrides at a server: the engine's beliefs, and a copy of what each controller shows.

The controller itself stands at the kerb. A copy is made from its last report: the stage, and since when
it is shown in full; what it shows during a transition counts as just shown. Forecasts run in a thread of
their own, on a copy of the beliefs that the engine's thread makes between two ticks.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from ampelwerk.controllers.local import FAR_DS, LocalController
from ampelwerk.controllers.preview import Preview, preview
from ampelwerk.controllers.service.live_city import LiveCity, ShownByController
from ampelwerk.controllers.service.session import Session
from ampelwerk.controllers.steering import Lease, resolve_target
from ampelwerk.engine.kernels.city import City
from ampelwerk.engine.kernels.traffic import Traffic
from ampelwerk.models.intersection import Intersection
from ampelwerk.models.network import Network
from ampelwerk.models.override import OverrideLeg, OverrideRequest
from ampelwerk.proto.v1 import common_pb2, override_pb2

TICK_DS = 10
"""Tick of the copies. [ds]"""
SETTLED_DS = 1_200
"""After so long every stage is shown in full and has had its minimum greens. [ds]"""
VALID_MS = 10_000
"""Traffic has changed after this time. [ms]"""


class Forecaster:
    """Forecasts for the control room."""

    def __init__(self, city: LiveCity) -> None:
        self._city = city
        self._pool = ThreadPoolExecutor(1, "forecast")

    def close(self) -> None:
        """End the thread."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def of(self, request: OverrideRequest) -> override_pb2.OverridePreview:
        """What a request would do at each of its intersections."""
        city, loop = self._city, asyncio.get_running_loop()
        now_ms = city.clock.unix_ms()
        reply = override_pb2.OverridePreview(valid_until_unix_ms=now_ms + VALID_MS)
        beliefs = await city.beliefs_now()
        for leg in request.legs:
            session = city.by_name[str(leg.intersection_id)]
            if beliefs is None:
                _say(reply, session, "no_model", f"{city.algorithm} believes nothing about queues")
                continue
            if session.mode not in (common_pb2.MODE_RUN, common_pb2.MODE_UNSPECIFIED):
                mode = common_pb2.Mode.Name(session.mode).removeprefix("MODE_").lower()
                _say(reply, session, "no_model", f"its mode, {mode}, is not modelled")
                continue
            found = await loop.run_in_executor(
                self._pool, _forecast, beliefs, session, city.controllers[session.number], request,
                leg, now_ms,
            )  # fmt: skip
            if found is None:
                _say(reply, session, "no_model", "lamps that are off are not modelled")
            else:
                _tell(reply, session, city.network, found)
        return reply


def _forecast(
    beliefs: tuple[City, Traffic],
    session: Session,
    shown: ShownByController,
    request: OverrideRequest,
    leg: OverrideLeg,
    now_ms: int,
) -> Preview | None:
    """Forecast one leg."""
    site, now_ds = session.with_plans, now_ms // 100
    begin_ms = max(now_ms, request.not_before_unix_ms)
    lease = Lease(
        override_id="forecast",
        action=request.action,
        precedence=request.precedence,
        target=resolve_target(site, request.action, leg.target),
        eta_ds=leg.eta_unix_ms // 100,
        max_green_ds=-(-request.max_green_ms // 100),
        effective_ds=begin_ms // 100,
        expiry_ds=(begin_ms + request.ttl_ms) // 100,
    )
    local = mirrored(site, shown, now_ds)
    return preview(*beliefs, session.number, local, lease, now_ds / 10)


def mirrored(site: Intersection, shown: ShownByController, now_ds: int) -> LocalController:
    """A local controller that shows the stage which a report names, for as long as it says."""
    age_ds = 0
    if shown.decidable_from_ds != FAR_DS and shown.since_ds:
        age_ds = min(max(0, now_ds - shown.since_ds), SETTLED_DS)
    age_ds -= age_ds % TICK_DS
    other = next(
        (n for n, stage in enumerate(site.stages) if stage.selectable and n != shown.stage),
        shown.stage,
    )

    def reach(settled_ds: int) -> tuple[LocalController, int]:
        """The stage is shown in full at this moment at the latest; and when it really was."""
        at_ds = settled_ds - 2 * SETTLED_DS
        local = LocalController(site, tick_ds=TICK_DS, now_ds=at_ds)
        local.want(other, FAR_DS)
        for _ in range(0, SETTLED_DS, TICK_DS):
            at_ds += TICK_DS
            local.tick(at_ds)
        local.want(shown.stage, FAR_DS)
        while at_ds < settled_ds:
            at_ds += TICK_DS
            local.tick(at_ds)
            if local.settled:
                break
        return local, at_ds

    _, early_ds = reach(now_ds)
    local, at_ds = reach(now_ds - age_ds + (now_ds - early_ds))
    while at_ds < now_ds:
        at_ds += TICK_DS
        local.tick(at_ds)
    return local


def _say(reply: override_pb2.OverridePreview, session: Session, rule: str, what: str) -> None:
    reply.findings.add(
        rule=rule, severity=common_pb2.SEVERITY_INFO, message=f"{session.name}: {what}"
    )


def _tell(
    reply: override_pb2.OverridePreview, session: Session, network: Network, found: Preview
) -> None:
    """A forecast by approach, and what holds it back."""
    reply.horizon_ms = max(reply.horizon_ms, found.horizon_s * 1000)
    change: dict[str, float] = defaultdict(float)
    red_s: dict[str, int] = defaultdict(int)
    for (name, groups), veh_s in zip(
        _lanes(network, session), found.delay_change_veh_s, strict=True
    ):
        change[name] += veh_s
        red_s[name] = max([red_s[name], *(found.longest_red_s[group] for group in groups)])
    for name, veh_s in change.items():
        reply.approaches.add(
            intersection_id=session.name,
            approach_id=name,
            delay_change_veh_s=veh_s,
            max_red_ms=red_s[name] * 1000,
        )
    held = found.held_back_by
    if held is None or held.group is None:
        return
    group = str(session.intersection.envelope.groups[held.group].group_id)
    after = "not within the forecast"
    if found.shown_after_s is not None:
        after = f"after {found.shown_after_s} s"
    reply.findings.add(
        rule=held.rule.value,
        severity=common_pb2.SEVERITY_INFO,
        group_ids=[group],
        found=float(found.shown_after_s or found.horizon_s),
        unit="s",
        message=f"{session.name}: shown {after}, held back by {held.rule} of {group}",
    )


def _lanes(network: Network, session: Session) -> Sequence[tuple[str, Sequence[int]]]:
    """Approach and signal groups of each lane of an intersection as the engine orders them."""
    site = session.intersection
    lanes = [
        (
            str(network.approaches[lane.approach].edge_id) if lane.approach >= 0 else lane.lane_id,
            [site.movements[movement].group for movement in lane.movements],
        )
        for lane in network.lanes
        if lane.intersection == session.number
    ]
    crossings = [
        (f"crossing:{site.envelope.groups[crossing.group].group_id}", [crossing.group])
        for crossing in network.crossings
        if crossing.intersection == session.number
    ]
    return [*lanes, *crossings]
