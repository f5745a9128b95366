"""The loss curve: mean delay over the share of faulty loops, and what it is in terms of L."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from ampelwerk.sim.loss_curve import LossCurves, Point
from ampelwerk.sim.report.drawing import (
    CONTROL_COLOURS,
    FAINT,
    INK,
    delay_axis,
    new_figure,
    style,
    svg,
)

_WIDTH_IN, _PLOT_IN, _LEFT_IN, _RIGHT_IN, _BOTTOM_IN = 7.6, 3.4, 0.62, 0.75, 0.5
_LINE_IN, _COLUMNS = 0.2, 4
"""Height of a line of the legend, and its columns."""
_BANDS = 6
"""More bands than these hide each other and are left out; loss.json has them. [curves]"""
_LINES = ("-", "--", ":")
"""A second round of the same colours has another line."""


def loss_picture(curves: LossCurves) -> str:
    """The picture as SVG: a line per kind of fault with its interval, fixed time a level line.

    Bands show the paired differences to the healthy runs, which is the uncertainty of L.
    """
    entries = len(curves.curves) + 1
    top_in = 0.15 + _LINE_IN * -(-entries // _COLUMNS)
    height_in = _PLOT_IN + top_in + _BOTTOM_IN
    with style():
        figure = new_figure(_WIDTH_IN, height_in)
        axes = figure.add_axes(
            (
                _LEFT_IN / _WIDTH_IN,
                _BOTTOM_IN / height_in,
                1 - (_LEFT_IN + _RIGHT_IN) / _WIDTH_IN,
                _PLOT_IN / height_in,
            )
        )
        healthy_s = _mean(curves.healthy)
        fixed_s = _mean(curves.fixed)
        for number, (kind, points) in enumerate(curves.curves.items()):
            colour = CONTROL_COLOURS[number % len(CONTROL_COLOURS)]
            line = _LINES[number // len(CONTROL_COLOURS) % len(_LINES)]
            known = [(100 * p.share, p.change_s) for p in points if p.change_s is not None]
            at = [share for share, _ in known]
            if healthy_s is None:
                continue
            low = [healthy_s + (c.mean if c.low is None else c.low) for _, c in known]
            high = [healthy_s + (c.mean if c.high is None else c.high) for _, c in known]
            if len(curves.curves) <= _BANDS:
                axes.fill_between(at, low, high, color=colour, alpha=0.13, linewidth=0)
            axes.plot(
                at, [healthy_s + c.mean for _, c in known], color=colour, linestyle=line,
                linewidth=1.6, marker="o", markersize=3.2, label=kind,
            )  # fmt: skip
        if fixed_s is not None:
            axes.axhline(fixed_s, color=INK, linewidth=1.1, linestyle=(0, (6, 3)), label="fixed")
        delay_axis(axes)
        axes.set_ylim(0, _top_s(curves))
        shares = sorted({100 * p.share for points in curves.curves.values() for p in points})
        axes.set_xlim(-0.02 * shares[-1], 1.02 * shares[-1])
        axes.set_xticks(shares)
        axes.set_xlabel(f"faulty loops [%], under {curves.control}")
        if curves.has_loss and healthy_s is not None and fixed_s is not None:
            _loss_axis(axes, healthy_s, fixed_s)
        figure.legend(
            loc="upper left", bbox_to_anchor=(_LEFT_IN / _WIDTH_IN, 1 - 0.06 / height_in),
            ncols=_COLUMNS, borderpad=0, borderaxespad=0, labelspacing=0.35, columnspacing=1.6,
        )  # fmt: skip
        return svg(figure, title=f"Loss of {curves.control} with faulty loops", key="loss")


def _loss_axis(axes: Axes, healthy_s: float, fixed_s: float) -> None:
    """L at the right: 0 healthy, 1 fixed time."""
    gain_s = fixed_s - healthy_s
    ways: Any = (
        lambda delay_s: (delay_s - healthy_s) / gain_s,
        lambda loss: healthy_s + loss * gain_s,
    )
    right = axes.secondary_yaxis("right", functions=ways)
    right.spines["right"].set_visible(True)
    right.spines["right"].set_color(FAINT)
    right.yaxis.set_major_locator(MaxNLocator(6))
    right.set_ylabel("loss L [-]: 0 healthy, 1 fixed time")


def _top_s(curves: LossCurves) -> float:
    """Upper end of the delay axis: all means, and of a band as much as leaves them legible. [s]"""
    points = [curves.fixed, *(p for line in curves.curves.values() for p in line)]
    means_s = [p.delay_s.mean for p in points if p.delay_s]
    highs_s = [p.delay_s.mean + (p.change_s.high or p.change_s.mean) - p.change_s.mean
               for p in points if p.delay_s and p.change_s]  # fmt: skip
    greatest_s = max(means_s, default=1.0)
    if len(curves.curves) > _BANDS:
        return max(1.08 * greatest_s, 1.0)
    return max(1.08 * greatest_s, min(1.05 * max(highs_s, default=0.0), 1.5 * greatest_s), 1.0)


def _mean(point: Point) -> float | None:
    return point.delay_s.mean if point.delay_s else None
