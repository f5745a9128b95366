"""Collisions that SUMO noticed inside signalised junctions, and which of them the signals caused.

SUMO lets vehicles touch where a driver runs into somebody left standing in the junction, or where a
permissive turn is misjudged. The signals are to blame if they broke a rule at that junction
shortly before: two conflicting greens, an intergreen, an amber.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ampelwerk.sim.monitor import WitnessReport
from ampelwerk.sim.monitor_net import SignalLinks
from ampelwerk.sim.net_file import elements

BEFORE_S = 30.0
"""A broken rule is to blame for collisions within this time after it. [s]"""


def count_collisions(
    path: Path, net: Mapping[str, SignalLinks], report: WitnessReport
) -> dict[str, int]:
    """Collisions at signals, and those the signals caused.

    Parameters
    ----------
    path : SUMO's collision output.
    net : links of every signal, with the internal lanes they lead over.
    report : what the witness found.
    """
    signal_of = {lane: signal for signal, links in net.items() for lane in links.inside}
    broken = [(v.intersection, v.time_s) for v in report.violations]
    at_signals = caused = 0
    for collision in elements(path, ("collision",)):
        signal = signal_of.get(collision.get("lane", ""))
        if signal is None:
            continue
        at_signals += 1
        time_s = float(collision.get("time", "0"))
        caused += any(
            name == signal and 0 <= time_s - when_s <= BEFORE_S for name, when_s in broken
        )
    return {"collisions_at_signals": at_signals, "collisions_by_signals": caused}
