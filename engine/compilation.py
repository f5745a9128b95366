"""The first compilation of the kernels: estimation and strategies, in two processes of their own.

Numba compiles one kernel at a time in a process. Estimation and a strategy share few kernels and
take about as long, so two processes halve the wait. Both work on a network without intersections:
the types of its arrays are those of any network. What is kept on disk serves every later process,
first the one that waits: it compiles nothing itself, since the compiler leaves memory in pieces, and
where SUMO finds room for its objects decides how traffic goes (docs/decisions.md).
"""

from __future__ import annotations

import subprocess
import sys
from array import array
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ampelwerk.engine._jit import COMPILING, compiled_before
from ampelwerk.engine.city import lay_out
from ampelwerk.engine.city_engine import no_signals
from ampelwerk.engine.estimation import Estimator, no_traffic
from ampelwerk.engine.health import LoopHealth
from ampelwerk.engine.kernels import max_pressure, observation, priority_index, rolling_horizon
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
    """Compile the kernels of some kinds of control, unless they were compiled before.

    What a process fails to compile is compiled when it is first used, as without this.

    Parameters
    ----------
    controls : names of controls; those without kernels need nothing.
    say : tells the user that it takes a while.
    """
    missing = [name for name in _PARTS if not compiled_before(_PARTS[name].kernel)]
    # Max-pressure last: its one kernel holds all of estimation, which is made beside it meanwhile.
    strategies = [name for name in missing if name in controls]
    estimate = ESTIMATION in missing and any(name in controls for name in _ESTIMATED)
    shares = [share for share in ([ESTIMATION] if estimate else [], strategies) if share]
    if not shares:
        return
    say(COMPILING)
    children = list[subprocess.Popen[bytes]]()
    try:
        children.extend(map(_process, shares))
        for child in children:
            child.wait()
    finally:
        for child in children:
            child.kill()


def _process(share: Sequence[str]) -> subprocess.Popen[bytes]:
    """A process that compiles a share of the kernels."""
    return subprocess.Popen([sys.executable, "-m", __name__, *share], stdin=subprocess.DEVNULL)


def nowhere() -> tuple[City, Signals]:
    """A city without intersections, and its signals."""
    return lay_out(NOWHERE), no_signals(0, 0.0)


def _no_edges() -> DetectorFrame:
    return DetectorFrame(time_s=0.0, loop=array("q"), at_s=array("d"), on=array("q"))


def _estimate(city: City, signals: Signals) -> None:
    health = LoopHealth(city, 0.0, tuple(LoopRole))
    Estimator(city, 0.0, 1.0, health).update(_no_edges(), signals)


def _rolling_horizon(city: City, signals: Signals) -> None:
    RollingHorizon(city, no_traffic(city, 0.0), signals).decide(0.0)


def _priority_index(city: City, signals: Signals) -> None:
    PriorityIndex(city, no_traffic(city, 0.0), signals).decide(0.0)


def _max_pressure(city: City, signals: Signals) -> None:
    MaxPressure(city, no_traffic(city, 0.0), signals, 1.0).tick(_no_edges())


@dataclass(frozen=True, slots=True)
class _Part:
    """Kernels that are compiled together."""

    kernel: Callable[..., object]
    """The one that is done last, with all that it calls."""
    use: Callable[[City, Signals], Any]
    """Uses them once."""


ESTIMATION = "estimation"
_PARTS: Mapping[str, _Part] = {
    ESTIMATION: _Part(observation.observe, _estimate),
    RollingHorizon.name: _Part(rolling_horizon.choose, _rolling_horizon),
    PriorityIndex.name: _Part(priority_index.choose, _priority_index),
    MaxPressure.name: _Part(max_pressure.tick, _max_pressure),
}
"""Estimation, and one decision of each strategy that has kernels."""
_ESTIMATED = (RollingHorizon.name, PriorityIndex.name)
"""Strategies that decide on what the estimator believes."""


def main(names: Sequence[str]) -> None:
    """Compile some parts."""
    for name in names:
        _PARTS[name].use(*nowhere())


if __name__ == "__main__":
    main(sys.argv[1:])
