"""Inductive loops and what they report in one tick."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from ampelwerk.models.intersection import LaneId

LoopId = NewType("LoopId", str)


class LoopRole(StrEnum):
    """What a loop is for."""

    STOP_LINE = "stop-line"
    ADVANCE = "advance"
    UPSTREAM = "upstream"
    EXIT = "exit"
    CALL = "call"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """One inductive loop in one lane."""

    loop_id: LoopId
    """Name, unique in the network."""
    role: LoopRole
    """What it is for."""
    lane_id: LaneId
    """Lane it lies in."""
    position_m: float
    """Its upstream edge, from the start of the lane. [m]"""
    length_m: float
    """Its length along the lane. [m]"""
    generated: bool
    """True if placed by Ampelwerk, false if the scenario brought it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopAlarm:
    """A loop was found faulty, or is believed again."""

    time_s: float
    """When it was found. [s]"""
    loop: int
    """Index into `Network.loops`."""
    fault: str
    """What is wrong; `sound` once it has healed."""
    quality: float
    """1 believed, 0.5 in part, 0 lost. [-]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorFrame:
    """What all loops reported since the frame before: edges, in no particular order.

    The three arrays run side by side, one entry per edge.
    """

    time_s: float
    """End of the interval. [s]"""
    loop: array[int]
    """Index of the loop."""
    at_s: array[float]
    """Time of the edge. [s]"""
    on: array[int]
    """1 for a rising edge (a vehicle arrives), 0 for a falling edge (it has left)."""
