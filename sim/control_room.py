"""The control room of a simulation: asks for overrides at their times, by the desk that a city would use.

Requests go through the same desk, store and audit as in a live system, and reach each local controller
as leases that its arbiter keeps. Second t of the simulation is Unix second t. What happened is kept in
`overrides.csv`; the store with its audit is a file beside it.
"""

from __future__ import annotations

import csv
import heapq
import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ampelwerk.controllers.arbiter import Arbiter, Say
from ampelwerk.controllers.lease_of import lease_of
from ampelwerk.controllers.preview import Preview, preview
from ampelwerk.engine.estimation import Estimator
from ampelwerk.engine.strategies.strategy import Wish
from ampelwerk.models.errors import InvalidInputError, RequestRefusedError
from ampelwerk.models.intersection import Intersection
from ampelwerk.models.network import Network
from ampelwerk.models.override import EndCause, Override, OverrideId, Role
from ampelwerk.sim.closed_loop import ClosedLoop
from ampelwerk.sim.decisions import Decision
from ampelwerk.sim.desk import Desk, DirectDesk
from ampelwerk.sim.override_file import Planned

OVERRIDES, STORE = "overrides.csv", "store.sqlite3"
COLUMNS = ("time", "name", "override", "event", "cause", "where", "detail")
_SECOND_PERSON = "second-person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """A row of overrides.csv."""

    time_s: float
    """When. [s]"""
    name: str
    """Key of the request."""
    override: str
    """Name of the override, empty if it was refused."""
    event: str
    """State, ``refused`` or ``renewed``."""
    cause: str = ""
    """Why it is over, or the code of the refusal."""
    where: str = ""
    """Intersections whose lamps follow it, or all that were named."""
    detail: str = ""
    """More, in one sentence."""


class ControlRoom:
    """Carries out the requests of a file.

    Parameters
    ----------
    planned : the requests, with names that are there (`override_file.check_names`).
    network : what is controlled.
    arbiters : one for each intersection.
    desk : decides, and brings it to the arbiters.
    beliefs : what is believed about traffic; each override is forecast with it.
    """

    def __init__(
        self,
        planned: Sequence[Planned],
        network: Network,
        arbiters: Sequence[Arbiter],
        desk: Desk,
        beliefs: Estimator | None = None,
    ) -> None:
        self._network, self._beliefs = network, beliefs
        self._arbiters = {
            site.intersection_id: arbiter
            for site, arbiter in zip(network.intersections, arbiters, strict=True)
        }
        self._sites = {site.intersection_id: site for site in network.intersections}
        self._desk = desk
        self._ids: dict[str, OverrideId] = {}
        self._names: dict[OverrideId, str] = {}
        self._seen: dict[OverrideId, tuple[str, str]] = {}
        self.happenings: list[Happening] = []
        self._steered = ["" for _ in arbiters]
        self._stages = [-1 for _ in arbiters]
        order = itertools.count()
        self._due: list[tuple[float, int, str, Planned]] = []
        for item in planned:
            steps = [(item.at, "request"), *((at, "renew") for at in item.renew)]
            if item.approve is not None:
                steps.append((item.approve, "approve"))
            if item.release is not None:
                steps.append((item.release, "release"))
            self._due.extend((at, next(order), step, item) for at, step in steps)
        heapq.heapify(self._due)

    def close(self) -> None:
        """Let go of the desk."""
        self._desk.close()

    def tick(self, now_s: float) -> None:
        """Ask for what is due, and end what is over."""
        now_ms = round(now_s * 1000)
        while self._due and self._due[0][0] <= now_s:
            _, number, step, item = heapq.heappop(self._due)
            try:
                reply = self._do(step, item, now_ms, f"{item.name}-{step}-{number}")
            except (RequestRefusedError, InvalidInputError) as error:
                code = error.code.value if isinstance(error, RequestRefusedError) else "INVALID"
                self.happenings.append(
                    Happening(
                        time_s=now_s,
                        name=item.name,
                        override=str(self._ids.get(item.name, "")),
                        event="refused",
                        cause=code,
                        where=" ".join(leg.intersection_id for leg in item.request().legs),
                        detail=f"{step}: {error}",
                    )
                )
            else:
                self._tell(self._desk.changes(), now_s)
                if step == "renew":
                    self._note(reply, now_s, "renewed")
        self._desk.tick(now_ms)
        self._tell(self._desk.changes(), now_s)

    def after(self, now_s: float) -> Iterator[Decision]:
        """Take the controllers' reports; stages that an override asked for, as decisions."""
        now_ms = round(now_s * 1000)
        self._desk.listen(now_ms)
        self._tell(self._desk.changes(), now_s)
        for i, arbiter in enumerate(self._arbiters.values()):
            steered = arbiter.holder if arbiter.say is Say.OVERRIDE else ""
            stage = arbiter.controller.stage
            if steered and (steered, stage) != (self._steered[i], self._stages[i]):
                yield Decision(time_s=now_s, wish=self._wish(i, stage, OverrideId(steered)))
            self._steered[i], self._stages[i] = steered, stage

    def write(self, path: Path) -> None:
        """overrides.csv."""
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            for row in self.happenings:
                writer.writerow(
                    [f"{row.time_s:g}", row.name, row.override, row.event, row.cause, row.where,
                     row.detail]
                )  # fmt: skip

    def _wish(self, i: int, stage: int, name: OverrideId) -> Wish:
        override = self._desk.find(name)
        if override is None:
            return Wish(intersection=i, stage=stage, reason="override")
        reason = f"override {self._names[name]}: {override.request.action}"
        return Wish(intersection=i, stage=stage, reason=reason)

    def _do(self, step: str, item: Planned, now_ms: int, key: str) -> Override:
        """One step in the life of a request; what the desk replies."""
        if step == "request":
            reply = self._desk.request(item.request(), now_ms)
            self._ids[item.name], self._names[reply.override_id] = reply.override_id, item.name
            self._forecast(reply, now_ms / 1000)
            if item.approve is None and reply.state == "awaiting-approval":
                self._tell(self._desk.changes(), now_ms / 1000)
                return self._desk.approve(
                    reply.override_id, _SECOND_PERSON, Role.SUPERVISOR, now_ms, key=f"{key}-approve"
                )
            return reply
        name = self._ids.get(item.name, OverrideId(item.name))
        if step == "approve":
            return self._desk.approve(name, _SECOND_PERSON, Role.SUPERVISOR, now_ms, key=key)
        if step == "renew":
            return self._desk.renew(
                name, round(item.ttl * 1000), item.requester, item.role, now_ms, key=key
            )
        return self._desk.release(name, item.requester, item.role, now_ms, key=key)

    def _forecast(self, override: Override, now_s: float) -> None:
        """Keep what the engine's model expects of an override at each of its intersections."""
        if self._beliefs is None:
            return
        for leg in override.request.legs:
            place = leg.intersection_id
            arbiter = self._arbiters[place]
            step_s = arbiter.controller.tick_ds / 10
            found = preview(
                self._beliefs.city,
                self._beliefs.traffic,
                list(self._arbiters).index(place),
                arbiter.controller,
                lease_of(override, leg, self._sites[place], zero_unix_ms=0),
                now_s - step_s,
            )
            self.happenings.append(
                Happening(
                    time_s=now_s,
                    name=self._name(override),
                    override=str(override.override_id),
                    event="forecast",
                    where=str(place),
                    detail=_words(found, self._sites[place]),
                )
            )

    def _name(self, override: Override) -> str:
        """Its name in the file."""
        return self._names.get(override.override_id, override.request.key)

    def _tell(self, changed: Sequence[Override], now_s: float) -> None:
        """Keep a row for each step in the life of an override."""
        for override in changed:
            seen = (override.state.value, " ".join(override.active))
            if self._seen.get(override.override_id) != seen:
                self._seen[override.override_id] = seen
                self._note(override, now_s, override.state.value)

    def _note(self, override: Override, now_s: float, event: str) -> None:
        request = override.request
        places = override.active or tuple(leg.intersection_id for leg in request.legs)
        self.happenings.append(
            Happening(
                time_s=now_s,
                name=self._name(override),
                override=str(override.override_id),
                event=event,
                cause=override.cause.value if isinstance(override.cause, EndCause) else "",
                where=" ".join(places),
                detail=f"{request.action} until {override.expiry_unix_ms / 1000:g} s",
            )
        )


def _words(found: Preview | None, site: Intersection) -> str:
    """A forecast in one sentence."""
    if found is None:
        return "lamps that are off are not modelled"
    text = (
        f"{found.change_veh_s:+.0f} veh s beside {sum(found.delay_veh_s):.0f} in "
        f"{found.horizon_s} s, {found.left_change_veh:+.1f} veh waiting at the end"
    )
    if found.shown_after_s is not None:
        text += f"; shown after {found.shown_after_s} s"
    held = found.held_back_by
    if held is not None and held.group is not None:
        text += f", held back by {held.rule} of {site.envelope.groups[held.group].group_id}"
    return text


def fresh_store(directory: Path) -> Path:
    """The store of a run; that of a run before, in the same directory, is gone."""
    for path in directory.glob(f"{STORE}*"):
        path.unlink()
    return directory / STORE


@contextmanager
def laid_over(
    loop: ClosedLoop,
    planned: Sequence[Planned],
    directory: Path,
    beliefs: Estimator | None,
    desk: Desk | None = None,
) -> Iterator[None]:
    """Lay overrides over a closed loop while it runs, and keep what became of them.

    Parameters
    ----------
    directory : of the run; gets `OVERRIDES` and `STORE`.
    beliefs : what the control believes about traffic, for forecasts; None if it believes nothing.
    desk : stands behind a link already, with arbiters in the loop; None: one of this process.
    """
    if desk is None:
        arbiters = loop.with_arbiters()
        names = [site.intersection_id for site in loop.network.intersections]
        desk = DirectDesk(dict(zip(names, arbiters, strict=True)), fresh_store(directory))
    else:
        arbiters = [actor for actor in loop.actors if isinstance(actor, Arbiter)]
    room = ControlRoom(planned, loop.network, arbiters, desk, beliefs)
    loop.control_room = room
    try:
        yield
    finally:
        room.close()
        room.write(directory / OVERRIDES)
