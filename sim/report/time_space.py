"""Time-space diagram: vehicles and signals along a road, and the green bands through all of them.

Signals stand at the true positions of their stop lines. A green band is the set of departures that
meet green at every signal of the road when driving at the speed limit; its width is that many
seconds. Travel speed is upward, time runs to the right.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ampelwerk.models.envelope import Aspect
from ampelwerk.sim.report.drawing import (
    ASPECT_COLOUR,
    ASPECT_NAME,
    FAINT,
    INK,
    WIDTH_IN,
    filled,
    new_figure,
    stroked,
    style,
    svg,
    time_axis,
)
from ampelwerk.sim.report.road import Road
from ampelwerk.sim.report.signal_record import Shown, StateChanges, shown
from ampelwerk.sim.report.trajectories import Polyline

WINDOW_S = 600.0
"""Time shown. [s]"""
BAND_COLOUR, BAND_EDGE, CAR = "#cdeedb", "#5fbf8f", "#0b5394"
_LEAST_LABELLED_S = 3.0
"""Narrower bands are drawn without their width. [s]"""
_LONGEST_NAME = 18


@dataclass(frozen=True, slots=True)
class GreenBand:
    """Departures at the first signal that meet green at all signals."""

    start_s: float
    """First departure at the first stop line. [s]"""
    end_s: float
    """Last departure. [s]"""

    @property
    def width_s(self) -> float:
        """Width. [s]"""
        return self.end_s - self.start_s


def signal_intervals(
    road: Road, record: Mapping[str, StateChanges], begin_s: float, end_s: float
) -> list[list[Shown]]:
    """(signals,) what each signal of the road showed to traffic along it; empty if unrecorded."""
    return [
        shown(record[signal.name], signal.links, begin_s, end_s) if signal.name in record else []
        for signal in road.signals
    ]


def green_bands(road: Road, intervals: Sequence[Sequence[Shown]]) -> list[GreenBand]:
    """Bands through all recorded signals, at the speed limit; none with fewer than two."""
    known = [k for k, items in enumerate(intervals) if items]
    if len(known) < 2:
        return []
    first_m = road.signals[known[0]].position_m
    open_: list[tuple[float, float]] = [(float("-inf"), float("inf"))]
    for k in known:
        later_s = road.free_s(first_m, road.signals[k].position_m)
        greens = [
            (item.start_s - later_s, item.end_s - later_s)
            for item in intervals[k]
            if item.aspect is Aspect.GREEN
        ]
        open_ = [
            (max(a, c), min(b, d)) for a, b in open_ for c, d in greens if max(a, c) < min(b, d)
        ]
    return [GreenBand(a, b) for a, b in sorted(open_)]


def time_space_picture(
    road: Road,
    control: str,
    lines: Sequence[Polyline],
    record: Mapping[str, StateChanges],
    begin_s: float,
    end_s: float,
    key: str,
) -> tuple[str, list[GreenBand]]:
    """The diagram of one run as SVG, and the green bands in it."""
    margin_s = road.free_s(0, road.length_m)
    wide = signal_intervals(road, record, begin_s - margin_s, end_s + margin_s)
    bands = [
        band
        for band in green_bands(road, wide)
        if band.end_s > begin_s - margin_s / 2 and band.start_s < end_s
    ]
    height_in = min(6.4, 3.0 + 0.3 * len(road.signals))
    with style():
        figure = new_figure(WIDTH_IN, height_in)
        axes = figure.add_axes(
            (0.62 / WIDTH_IN, 0.45 / height_in, 1 - 2.5 / WIDTH_IN, 1 - 0.85 / height_in)
        )
        _draw_bands(axes, road, bands, begin_s, end_s)
        stroked(axes, _within(lines, begin_s, end_s), CAR, 0.55, alpha=0.75)
        _draw_signals(axes, road, wide, begin_s, end_s, height_in)
        axes.set_ylim(0, road.length_m)
        axes.set_ylabel("distance [m]")
        time_axis(axes, begin_s, end_s)
        axes.set_title(control, pad=14)
        _name_signals(axes, road, end_s, height_in)
        figure.legend(
            handles=[
                *(Patch(color=ASPECT_COLOUR[a], label=ASPECT_NAME[a])
                  for a in (Aspect.GREEN, Aspect.AMBER, Aspect.RED, Aspect.RED_AMBER)),
                Line2D([], [], color=CAR, linewidth=0.8, label="vehicle"),
                Patch(facecolor=BAND_COLOUR, edgecolor=BAND_EDGE, label="green band, width in s"),
            ],
            loc="upper right", bbox_to_anchor=(1 - 1.88 / WIDTH_IN, 1 - 0.05 / height_in),
            ncols=6, borderpad=0, handlelength=1.5, columnspacing=1.3,
        )  # fmt: skip
        return svg(figure, title=f"Time-space diagram under {control}", key=key), bands


def _draw_bands(
    axes: Axes, road: Road, bands: Sequence[GreenBand], begin_s: float, end_s: float
) -> None:
    if not bands:
        return
    first_m, last_m = road.signals[0].position_m, road.signals[-1].position_m
    corners_m = sorted(
        {first_m, last_m, *(e.start_m for e in road.edges if first_m < e.start_m < last_m)}
    )
    way = [(road.free_s(first_m, x), x) for x in corners_m]
    areas = [
        [*((band.start_s + t, x) for t, x in way), *((band.end_s + t, x) for t, x in way[::-1])]
        for band in bands
    ]
    filled(axes, areas, BAND_COLOUR, zorder=0.5)
    sides = [[(side + t, x) for t, x in way] for b in bands for side in (b.start_s, b.end_s)]
    stroked(axes, sides, BAND_EDGE, 0.6, zorder=0.6)
    middle_t, middle_m = way[len(way) // 2]
    labelled: list[float] = []
    for band in sorted(bands, key=lambda b: (-b.width_s, b.start_s)):
        at_s = (band.start_s + band.end_s) / 2 + middle_t
        clear = all(abs(at_s - other) > 0.028 * (end_s - begin_s) for other in labelled)
        inside = begin_s + 8 < at_s < end_s - 8
        if band.width_s >= _LEAST_LABELLED_S and clear and inside:
            labelled.append(at_s)
            axes.text(
                at_s, middle_m + road.length_m * 0.035, f"{band.width_s:.0f} s", fontsize=7.5,
                ha="center", va="center", color="#00693a", fontweight="bold", zorder=5,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.9},
            )  # fmt: skip


def _draw_signals(
    axes: Axes,
    road: Road,
    intervals: Sequence[Sequence[Shown]],
    begin_s: float,
    end_s: float,
    height_in: float,
) -> None:
    """Bars of the signal states, 5 points high, just beyond the stop lines."""
    half_m = road.length_m * (2.4 / 72) / (height_in - 0.85)
    boxes: dict[str, list[Polyline]] = {}
    for signal, items in zip(road.signals, intervals, strict=True):
        low, high = signal.position_m - half_m, signal.position_m + half_m
        if not items:
            whole = [(begin_s, low), (end_s, low), (end_s, high), (begin_s, high)]
            boxes.setdefault(FAINT, []).append(whole)
        for item in items:
            start, stop = max(item.start_s, begin_s), min(item.end_s, end_s)
            if start < stop:
                boxes.setdefault(ASPECT_COLOUR[item.aspect], []).append(
                    [(start, low), (stop, low), (stop, high), (start, high)]
                )
    for colour, areas in sorted(boxes.items()):
        filled(axes, areas, colour, zorder=3)


def _name_signals(axes: Axes, road: Road, end_s: float, height_in: float) -> None:
    """Names and positions right of the diagram, moved apart where signals stand close."""
    least_m = road.length_m * (10.5 / 72) / (height_in - 0.85)
    place_m = float("-inf")
    for signal in road.signals:
        place_m = max(signal.position_m, place_m + least_m)
        name = signal.name
        if len(name) > _LONGEST_NAME:
            name = f"{name[: _LONGEST_NAME - 8]}…{name[-7:]}"
        note = "" if signal.controlled else ", left to SUMO"
        axes.annotate(
            f"{name} ({signal.position_m:.0f} m{note})", (end_s, signal.position_m),
            xytext=(end_s + (end_s - axes.get_xlim()[0]) * 0.012, place_m), fontsize=7.2,
            va="center", ha="left", annotation_clip=False, color=INK,
            arrowprops={"arrowstyle": "-", "color": FAINT, "linewidth": 0.5, "shrinkA": 0,
                        "shrinkB": 0},
        )  # fmt: skip


def _within(lines: Sequence[Polyline], begin_s: float, end_s: float) -> list[Polyline]:
    """The parts of lines between two times, cut exactly at both."""
    found = []
    for line in lines:
        piece: Polyline = []
        for (t1, x1), (t2, x2) in itertools.pairwise(line):
            if t2 < begin_s or t1 > end_s or t2 <= t1:
                continue
            slope = (x2 - x1) / (t2 - t1)
            start, stop = max(t1, begin_s), min(t2, end_s)
            if not piece:
                piece.append((start, x1 + slope * (start - t1)))
            piece.append((stop, x1 + slope * (stop - t1)))
        if piece:
            found.append(piece)
    return found


def busiest_window(
    lines: Sequence[Polyline], begin_s: float, end_s: float, length_s: float = WINDOW_S
) -> tuple[float, float]:
    """The time in which most vehicles reach the road, on whole minutes; the first of several."""
    length_s = min(length_s, end_s - begin_s)
    starts = sorted(line[0][0] for line in lines)
    best = (-1, begin_s)
    start_s = begin_s
    while start_s + length_s <= end_s:
        count = sum(start_s <= t < start_s + length_s for t in starts)
        if count > best[0]:
            best = (count, start_s)
        start_s += 60.0
    return best[1], best[1] + length_s
