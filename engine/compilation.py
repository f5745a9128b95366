"""The first compilation of the kernels: estimation here, strategies in a process beside it.

Numba compiles one kernel at a time in a process. Estimation and a strategy share few kernels and
take about as long, so two processes halve the wait. Both work on a network without intersections:
the types of its arrays are those of any network. What is kept on disk serves every later process.
"""

from __future__ import annotations

import subprocess
import sys
from array import array
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from ampelwerk.engine._jit import COMPILING, compiled_before
from ampelwerk.engine.city import lay_out
from ampelwerk.engine.city_engine import no_signals
from ampelwerk.engine.estimation import Estimator, no_traffic
from ampelwerk.engine.health import LoopHealth
from ampelwerk.engine.kernels.city import City
from ampelwerk.engine.kernels.decision import Signals
from ampelwerk.engine.strategies.max_pressure import MaxPressure
from ampelwerk.engine.strategies.priority_index import PriorityIndex
from ampelwerk.engine.strategies.rolling_horizon import RollingHorizon
from ampelwerk.models.detection import DetectorFrame, LoopRole
from ampelwerk.models.network import Network

NOWHERE = Network(
    intersections=(), approaches=(), lanes=(), exits=(), crossings=(), loops=(), uncontrolled=()
)
"""A network without intersections."""


def compile_ahead(controls: Collection[str], say: Callable[[str], object]) -> None:
    """Compile what kinds of control need, unless kernels were compiled before.

    A strategy whose process fails is compiled when it is first used, as without this.

    Parameters
    ----------
    say : tells the user that it takes a while.
    """
    if compiled_before():
        return
    say(COMPILING)
    # Max-pressure last: its one kernel holds all of estimation, which this process makes meanwhile.
    strategies = [name for name in _DECIDE if name in controls]
    if strategies in ([], [MaxPressure.name]):
        return
    child = subprocess.Popen(
        [sys.executable, "-m", __name__, *strategies], stdin=subprocess.DEVNULL
    )
    try:
        _estimate()
        child.wait()
    finally:
        child.kill()


def nowhere() -> tuple[City, Signals]:
    """A city without intersections, and its signals."""
    return lay_out(NOWHERE), no_signals(0, 0.0)


def _no_edges() -> DetectorFrame:
    return DetectorFrame(time_s=0.0, loop=array("q"), at_s=array("d"), on=array("q"))


def _estimate() -> None:
    """One tick of estimation."""
    city, signals = nowhere()
    health = LoopHealth(city, 0.0, tuple(LoopRole))
    Estimator(city, 0.0, 1.0, health).update(_no_edges(), signals)


def _rolling_horizon(city: City, signals: Signals) -> None:
    RollingHorizon(city, no_traffic(city, 0.0), signals).decide(0.0)


def _priority_index(city: City, signals: Signals) -> None:
    PriorityIndex(city, no_traffic(city, 0.0), signals).decide(0.0)


def _max_pressure(city: City, signals: Signals) -> None:
    MaxPressure(city, no_traffic(city, 0.0), signals, 1.0).tick(_no_edges())


_DECIDE: Mapping[str, Callable[[City, Signals], Any]] = {
    RollingHorizon.name: _rolling_horizon,
    PriorityIndex.name: _priority_index,
    MaxPressure.name: _max_pressure,
}
"""One decision of each strategy that has kernels."""


def main(strategies: Sequence[str]) -> None:
    """Compile some strategies; the process beside."""
    for name in strategies:
        _DECIDE[name](*nowhere())


if __name__ == "__main__":
    main(sys.argv[1:])
