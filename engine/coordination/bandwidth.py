"""Green bands along a road: offsets of widest bands as a mixed-integer programme.

After Little, The synchronization of traffic signals by mixed-integer linear programming (Operations
Research 14, 1966) and Little, Kelson & Gartner, MAXBAND (Transportation Research Record 795, 1981),
for a given cycle time and given splits. A band is a stretch of time that travels along the road at
the speed of progression and meets green at every signal.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import highspy

from ampelwerk.models.errors import InvalidInputError

SOLVED_WITHIN_S = 20.0
"""Time limit of one programme; the best band found by then is taken. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class BandSignal:
    """One signal of a road; times on its own cycle clock, counted from its offset."""

    cycle_s: float
    """Cycle time; the road's, or half of it. [s]"""
    out_start_s: float
    """Begin of green outbound. [s]"""
    out_green_s: float
    """Green outbound. [s]"""
    in_start_s: float
    """Begin of green inbound. [s]"""
    in_green_s: float
    """Green inbound; 0 where the road is one-way. [s]"""
    out_travel_s: float = 0.0
    """Travel time from the signal before, outbound. [s]"""
    in_travel_s: float = 0.0
    """Travel time to the signal before, inbound. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class GreenBand:
    """The widest bands."""

    offset_s: tuple[float, ...]
    """Offsets, the first signal's 0. [s]"""
    out_s: float
    """Width of the outbound band. [s]"""
    in_s: float
    """Width of the inbound band. [s]"""


def green_band(
    signals: Sequence[BandSignal], *, cycle_s: float, in_weight: float = 1.0
) -> GreenBand:
    """Offsets of widest bands.

    Parameters
    ----------
    signals : in order of the outbound direction.
    cycle_s : the road's cycle time. [s]
    in_weight : worth of a second of inbound band against one outbound, such as the ratio of the
        volumes. Below 1 the inbound band is at least that share of the outbound one; above 1 it is
        the other way round. With 0 only the outbound band counts.

    Raises
    ------
    InvalidInputError : fewer than two signals.
    """
    if len(signals) < 2:
        raise InvalidInputError(
            "a green band needs two signals", found=str(len(signals)), limit="2 or more"
        )
    model = _solver()
    model.setOptionValue("threads", 1)
    model.setOptionValue("random_seed", 1)
    model.setOptionValue("time_limit", SOLVED_WITHIN_S)
    widest_s = min(signal.out_green_s for signal in signals)
    out = model.addVariable(0, widest_s)
    narrowest_s = min(signal.in_green_s for signal in signals)
    back = model.addVariable(0, narrowest_s)
    # A road may have a band one way only: without a band its front need not meet green.
    has_out, has_back = model.addBinary(), model.addBinary()
    model.addConstr(out <= widest_s * has_out)
    model.addConstr(back <= narrowest_s * has_back)
    out_front = model.addVariable(0, cycle_s)
    in_front = model.addVariable(0, cycle_s)
    offsets = []
    out_travel_s = in_travel_s = 0.0
    for k, signal in enumerate(signals):
        offset = model.addVariable(0, 0 if k == 0 else signal.cycle_s)
        offsets.append(offset)
        out_travel_s += signal.out_travel_s
        in_travel_s -= signal.in_travel_s
        for front, travel_s, start_s, green_s, width, exists in (
            (out_front, out_travel_s, signal.out_start_s, signal.out_green_s, out, has_out),
            (in_front, in_travel_s, signal.in_start_s, signal.in_green_s, back, has_back),
        ):
            around = abs(travel_s) // signal.cycle_s + cycle_s // signal.cycle_s + 2
            cycles = model.addIntegral(-around, around)
            begin = offset + start_s + signal.cycle_s * cycles
            slack = signal.cycle_s * (1 - exists)
            model.addConstr(begin <= front + travel_s + slack)
            model.addConstr(front + travel_s + width <= begin + green_s + slack)
    if 0 < in_weight < 1:
        model.addConstr(back >= in_weight * out)
    elif in_weight > 1:
        model.addConstr(in_weight * out >= back)
    model.maximize(out + in_weight * back)
    values = list(model.getSolution().col_value)
    return GreenBand(
        offset_s=tuple(values[offset.index] for offset in offsets),
        out_s=values[out.index],
        in_s=values[back.index],
    )


def _solver() -> Any:
    """A solver that says nothing: it greets on standard output, which is for data, when it is made."""
    make: Any = highspy.Highs  # its stubs know no types
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        model = make()
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)
    model.silent()
    return model
