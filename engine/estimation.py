"""Estimation of queues and arrivals from loops: the shell around `kernels.estimation`."""

from __future__ import annotations

import numpy as np

from ampelwerk.engine.kernels import estimation
from ampelwerk.engine.kernels.city import City
from ampelwerk.engine.kernels.decision import Signals
from ampelwerk.engine.kernels.estimation import NEVER, RING_S, Traffic
from ampelwerk.models.detection import DetectorFrame


def no_traffic(city: City, now_s: float) -> Traffic:
    """Beliefs before the first frame: empty roads, equal lane shares."""
    lanes, approaches = city.lanes, len(city.approach_upstream_s)
    loops, entries = len(city.loop_role), len(city.entry_lane)
    share = np.ones(lanes)
    for a in range(approaches):
        members = city.approach_lane[city.approach_lane_ptr[a] : city.approach_lane_ptr[a + 1]]
        share[members] = 1.0 / max(1, len(members))
    return Traffic(
        queue_veh=np.zeros(lanes),
        due_veh=np.zeros((lanes, RING_S)),
        pool_veh=np.zeros((approaches, RING_S)),
        lane_share=share,
        rate_veh_s=np.zeros(approaches),
        green_since_s=np.full(lanes, NEVER),
        red_since_s=np.full(lanes, now_s),
        called_s=np.full(lanes, NEVER),
        departed_s=np.full(lanes, now_s),
        served_veh=np.zeros(entries),
        served_s=np.zeros(entries),
        stuck_s=np.full(entries, NEVER),
        occupied=np.zeros(loops, dtype=np.int64),
        on_s=np.full(loops, NEVER),
        off_s=np.full(loops, NEVER),
        full=np.zeros(len(city.exit_intersection), dtype=np.int64),
        inside_veh=np.zeros(len(city.lane_ptr) - 1),
        second=np.full(1, int(now_s), dtype=np.int64),
        departures=np.zeros(lanes),
        arrivals=np.zeros(approaches),
    )


class Estimator:
    """Keeps the beliefs about traffic up to date, tick by tick."""

    def __init__(self, city: City, now_s: float, step_s: float) -> None:
        self.city, self.step_s = city, step_s
        self.traffic = no_traffic(city, now_s)

    def update(self, frame: DetectorFrame, signals: Signals) -> None:
        """Take one tick's edges and what the signals showed meanwhile."""
        estimation.update(
            self.city,
            self.traffic,
            np.asarray(frame.loop, dtype=np.int64),
            np.asarray(frame.at_s, dtype=np.float64),
            np.asarray(frame.on, dtype=np.int64),
            signals.stage,
            signals.green,
            frame.time_s,
            self.step_s,
        )
