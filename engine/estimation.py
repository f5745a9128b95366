"""Estimation of queues and arrivals from loops: the shell around `kernels.estimation`."""

from __future__ import annotations

import numpy as np

from ampelwerk.engine.crew import SOLO, Crew
from ampelwerk.engine.health import LoopHealth
from ampelwerk.engine.kernels import estimation
from ampelwerk.engine.kernels.city import City, FloatArray, IntArray
from ampelwerk.engine.kernels.decision import Signals
from ampelwerk.engine.kernels.short_links import MANY_EDGES, MANY_S
from ampelwerk.engine.kernels.traffic import AHEAD, BOX_S, COMING, NEVER, Traffic
from ampelwerk.models.detection import DetectorFrame

ANNOUNCED = 0.9
"""Share of a lane's vehicles that upstream loops announce, at first. [-]"""


def no_traffic(city: City, now_s: float) -> Traffic:
    """Beliefs before the first frame: empty roads, equal lane shares."""
    lanes, streams = city.lanes, len(city.stream_s)
    loops, entries = len(city.loop_role), len(city.entry_lane)
    sites = len(city.lane_ptr) - 1
    return Traffic(
        queue_veh=np.zeros(lanes),
        behind_veh=np.zeros(lanes),
        beyond=np.zeros(lanes, dtype=np.int64),
        coming=np.zeros(lanes, dtype=np.int64),
        coming_s=np.zeros((lanes, COMING)),
        ahead=np.zeros(streams, dtype=np.int64),
        ahead_s=np.zeros((streams, AHEAD)),
        advance_s=city.lane_advance_s.copy(),
        stream_s=city.stream_s.copy(),
        share=city.stream_share.copy(),
        cover=_cover(city),
        resolved=np.zeros(streams),
        came=np.zeros(lanes),
        lane_rate_veh_s=np.zeros(lanes),
        stream_rate_veh_s=np.zeros(streams),
        green_since_s=np.full(lanes, NEVER),
        red_since_s=np.full(lanes, now_s),
        called_s=np.full(lanes, NEVER),
        departed_s=np.full(lanes, now_s),
        joined_s=np.full(lanes, NEVER),
        served_veh=np.zeros(entries),
        served_s=np.zeros(entries),
        opposed_veh=np.zeros(entries),
        opposed_s=np.zeros(entries),
        stuck_s=np.full(entries, NEVER),
        fill_edges=np.full(len(city.fill_exit), MANY_EDGES),
        fill_s=np.full(len(city.fill_exit), MANY_S),
        occupied=np.zeros(loops, dtype=np.int64),
        on_s=np.full(loops, NEVER),
        off_s=np.full(loops, NEVER),
        full=np.zeros(len(city.exit_intersection), dtype=np.int64),
        entered_veh=np.zeros((sites, BOX_S)),
        left_veh=np.zeros((sites, BOX_S)),
        late_veh=np.zeros(sites),
        late_mean_veh=np.zeros(sites),
        departures=np.zeros(lanes),
        arrivals=np.zeros(lanes),
        passages=np.zeros(streams),
        began_s=np.full(1, now_s),
        ticked_s=np.full(1, now_s),
    )


def _cover(city: City) -> FloatArray:
    """Share of a lane's vehicles from each stream, before any came: as the streams' shares say."""
    cover = city.stream_share.copy()
    for a in range(len(city.approach_stream_ptr) - 1):
        streams = range(city.approach_stream_ptr[a], city.approach_stream_ptr[a + 1])
        for place in range(city.approach_lane_ptr[a + 1] - city.approach_lane_ptr[a]):
            entries = [city.stream_lane_ptr[u] + place for u in streams]
            total = float(cover[entries].sum())
            if total > 0.0:
                cover[entries] *= ANNOUNCED / total
    return cover


class Estimator:
    """Keeps the beliefs about traffic up to date, tick by tick.

    Parameters
    ----------
    health : judges the loops and replaces what is not believed; without it all are believed.
    crew : threads that share the work.
    """

    def __init__(
        self,
        city: City,
        now_s: float,
        step_s: float,
        health: LoopHealth | None = None,
        crew: Crew = SOLO,
    ) -> None:
        self.city, self.step_s = city, step_s
        self.traffic = no_traffic(city, now_s)
        self.health = health
        self._crew = crew

    def update(self, frame: DetectorFrame, signals: Signals) -> None:
        """Take one tick's edges and what the signals showed meanwhile, faulty loops left out."""
        health, now_s = self.health, frame.time_s
        edges = (
            np.asarray(frame.loop, dtype=np.int64),
            np.asarray(frame.at_s, dtype=np.float64),
            np.asarray(frame.on, dtype=np.int64),
        )
        if health is None:
            self.take(*edges, now_s, signals)
            return
        believed = health.believed(self.traffic, signals, edges, now_s)
        health.observe(self.traffic, signals, believed, now_s, self.step_s)

    def take(
        self, loop: IntArray, at_s: FloatArray, on: IntArray, now_s: float, signals: Signals
    ) -> None:
        """The same from arrays as in `DetectorFrame`, every loop believed."""
        city, traffic, step_s = self.city, self.traffic, self.step_s
        if self._crew is SOLO:  # one call instead of three: handing arrays over takes its time
            estimation.update(city, traffic, signals, loop, at_s, on, now_s, step_s)
            return

        def believe(first: int, last: int, _: int) -> None:
            estimation.believe(city, traffic, signals, now_s, step_s, first, last)

        def fill_exits(first: int, last: int, _: int) -> None:
            estimation.fill_exits(city, traffic, first, last, now_s)

        estimation.book(city, traffic, loop, at_s, on, now_s)
        self._crew.share(believe, len(signals.stage))
        self._crew.share(fill_exits, len(traffic.full))
        traffic.ticked_s[0] = now_s
