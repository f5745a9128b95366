"""Signal timing plan (Signalzeitenplan): one cycle of a plan, a bar for every signal group.

Beside the bars stand begin, end and length of green on the cycle clock. A thin line leads from the end
of a green to the start of each green that waits for it longest; there stands the intergreen that is
required and, behind a plus sign, what the plan gives beyond it. Above the bars stand the stages, from
the second in which they are wanted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes

from ampelwerk.engine.lamp_program import (
    LampProgram,
    planned_lamps,
    required_gap_ds,
    spells,
)
from ampelwerk.engine.lamp_rules import ASPECT
from ampelwerk.models.envelope import Aspect, Envelope
from ampelwerk.models.intersection import Intersection
from ampelwerk.models.plan import CyclicPlan
from ampelwerk.sim.report.drawing import (
    FAINT,
    INK,
    PAPER,
    WIDTH_IN,
    filled,
    new_figure,
    stroked,
    style,
    svg,
)
from ampelwerk.sim.report.signal_record import Shown
from ampelwerk.sim.report.signal_timing import HALF_BAR, Box, aspect_legend, bars

CAPTION = (
    "Signal timing plan in force at begin, one cycle: that of the plan file under control plan, else the "
    "scenario's program. Lines lead from the end of a green to the start of the green that waits for it "
    "longest; there stands the intergreen required, + what the plan gives beyond it [s]."
)
ROW_IN = 0.24
_TABLE_IN, _TOP_IN, _BOTTOM_IN = 1.75, 0.95, 0.45
_TICKS_S = (1, 2, 5, 10, 20, 30, 60)
_COLUMNS = ((0.4, "begin"), (0.85, "end"), (1.35, "green [s]"))
"""Place right of the bars [in] and title of the columns beside them."""
_LONGEST_NAME = 60
"""Letters of an intersection's name that there is room for."""
_NAME_SHARE = 0.02
"""A stage shorter than this share of the cycle is not named."""


def shorten(name: str, longest: int) -> str:
    """A name that is no longer than that, its end left out if need be."""
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


class DrawnIntergreen(NamedTuple):
    """An intergreen as it is drawn."""

    leaving: int
    """Signal group whose green ends."""
    entering: int
    """Signal group whose green begins."""
    end_ds: int
    """End of green on the cycle clock. [ds]"""
    gap_ds: int
    """From there to the start of green. [ds]"""
    required_ds: int
    """What the envelope requires. [ds]"""


def plan_picture(site: Intersection, plan: CyclicPlan, labels: Sequence[str], key: str) -> str:
    """The diagram of one plan as SVG.

    Parameters
    ----------
    labels : (groups,) names of the signal groups.
    key : short name, unique in the page.
    """
    lamps = planned_lamps(plan, site.stages, site.envelope)
    size, cycle_s = site.envelope.size, plan.cycle_ds / 10
    height_in = size * ROW_IN + _TOP_IN + _BOTTOM_IN
    label_in = 0.25 + 0.066 * max(len(label) for label in labels)
    with style():
        figure = new_figure(WIDTH_IN, height_in)
        axes = figure.add_axes(
            (label_in / WIDTH_IN, _BOTTOM_IN / height_in,
             1 - (label_in + _TABLE_IN) / WIDTH_IN, size * ROW_IN / height_in)
        )  # fmt: skip
        axes.set_xlim(0, cycle_s)
        axes.set_ylim(size - 0.5, -0.5)
        _bars(axes, lamps, size)
        _intergreens(axes, lamps, site.envelope)
        _stages(axes, site, plan)
        _green_times(axes, lamps, size)
        axes.set_yticks(range(size), labels, fontsize=8)
        axes.tick_params(axis="y", length=0)
        step_s = next((s for s in _TICKS_S if cycle_s / s <= 20), _TICKS_S[-1])
        axes.set_xticks([k * step_s for k in range(int(cycle_s // step_s) + 1)])
        axes.set_xlabel("second of the cycle")
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x", color="#e6e9ed", linewidth=0.6)
        axes.set_axisbelow(True)
        figure.text(
            0.1 / WIDTH_IN, 1 - 0.16 / height_in,
            f"plan {plan.plan_id}: cycle time {cycle_s:g} s, offset {plan.offset_ds / 10:g} s  –  "
            + shorten(str(site.intersection_id), _LONGEST_NAME),
            fontweight="bold", va="center",
        )  # fmt: skip
        aspect_legend(figure, 1 - 0.1 / WIDTH_IN, 1 - 0.27 / height_in)
        return svg(figure, title=f"Signal timing plan of {site.intersection_id}", key=key)


def shown_in_cycle(lamps: LampProgram, group: int) -> Iterator[Shown]:
    """Aspects of a group within one cycle; what runs over its end comes in two pieces."""
    cycle_ds = lamps.cycle_ds
    for aspect, start_ds, length_ds in spells(lamps, group, ASPECT):
        end_ds = start_ds + length_ds
        yield Shown(start_ds / 10, min(end_ds, cycle_ds) / 10, Aspect(aspect))
        if end_ds > cycle_ds:
            yield Shown(0.0, (end_ds - cycle_ds) / 10, Aspect(aspect))


def drawn_intergreens(lamps: LampProgram, envelope: Envelope) -> list[DrawnIntergreen]:
    """For every start of green the end of green that it has to wait for longest."""
    greens = {
        group: [
            (start_ds, length_ds)
            for aspect, start_ds, length_ds in spells(lamps, group, ASPECT)
            if aspect == Aspect.GREEN and length_ds < lamps.cycle_ds
        ]
        for group in range(envelope.size)
    }
    found = []
    for entering, own in greens.items():
        for start_ds, _ in own:
            waits = [
                DrawnIntergreen(
                    leaving, entering, (other_ds + length_ds) % lamps.cycle_ds,
                    (start_ds - other_ds - length_ds) % lamps.cycle_ds,
                    required_gap_ds(envelope, leaving, entering),
                )
                for leaving, others in greens.items()
                if envelope.conflict[leaving][entering]
                for other_ds, length_ds in others
            ]  # fmt: skip
            if waits:
                found.append(min(waits, key=lambda w: (w.gap_ds - w.required_ds, w.gap_ds)))
    return found


def _bars(axes: Axes, lamps: LampProgram, size: int) -> None:
    boxes: dict[str, list[Box]] = {}
    for group in range(size):
        for colour, more in bars(list(shown_in_cycle(lamps, group)), group).items():
            boxes.setdefault(colour, []).extend(more)
    for colour, corners in sorted(boxes.items()):
        filled(axes, corners, colour)


def _intergreens(axes: Axes, lamps: LampProgram, envelope: Envelope) -> None:
    """Lines from an end of green to a start of green; one over the end of the cycle is drawn twice."""
    lines: list[Box] = []
    cycle_s = lamps.cycle_ds / 10
    for found in drawn_intergreens(lamps, envelope):
        end_s, gap_s = found.end_ds / 10, found.gap_ds / 10
        more_ds = found.gap_ds - found.required_ds
        text = f"{found.required_ds / 10:g}" + (f"+{more_ds / 10:g}" if more_ds > 0 else "")
        down = 1 if found.entering > found.leaving else -1
        for shift_s in (0.0, -cycle_s):
            start = (end_s + shift_s, found.leaving + down * HALF_BAR)
            stop = (end_s + gap_s + shift_s, found.entering - down * HALF_BAR)
            if stop[0] < 0 or start[0] > cycle_s:
                continue
            lines.append([start, stop])
        axes.text(
            (end_s + gap_s) % cycle_s + 0.004 * cycle_s, found.entering, text, fontsize=6.5,
            color=PAPER, fontweight="bold", ha="left", va="center",
        )  # fmt: skip
    stroked(axes, lines, INK, 0.5, clip_on=True)


def _stages(axes: Axes, site: Intersection, plan: CyclicPlan) -> None:
    """Names of the stages above the bars, and dotted lines where one is wanted from."""
    size, cycle_s = site.envelope.size, plan.cycle_ds / 10
    starts = [step.start_ds / 10 for step in plan.steps]
    edges: list[Box] = [[(start_s, -1.4), (start_s, size - 0.5)] for start_s in starts]
    stroked(axes, edges, INK, 0.6, linestyle=(0, (1, 2)), clip_on=False)
    for step, start_s, end_s in zip(plan.steps, starts, [*starts[1:], cycle_s], strict=True):
        stroked(axes, [[(start_s, -0.7), (end_s, -0.7)]], FAINT, 1.2, clip_on=False)
        if end_s - start_s >= _NAME_SHARE * cycle_s:
            axes.text(
                (start_s + end_s) / 2, -1.1, str(site.stages[step.stage].stage_id),
                ha="center", va="center", fontsize=8, fontweight="bold",
            )  # fmt: skip
    axes.text(-0.008 * cycle_s, -1.1, "stage", ha="right", va="center", fontsize=8)


def _green_times(axes: Axes, lamps: LampProgram, size: int) -> None:
    """Begin, end and length of every green beside the bars."""
    width_in = axes.get_position().width * WIDTH_IN
    columns = [(1 + place_in / width_in, title) for place_in, title in _COLUMNS]
    transform = axes.get_yaxis_transform()
    for place, title in columns:
        axes.text(place, -1.1, title, transform=transform, ha="center", va="center", fontsize=7.5)
    for group in range(size):
        greens = [
            (start_ds, length_ds)
            for aspect, start_ds, length_ds in spells(lamps, group, ASPECT)
            if aspect == Aspect.GREEN
        ]
        cells = [
            " ".join(f"{start_ds / 10:g}" for start_ds, _ in greens),
            " ".join(f"{(start_ds + n) % lamps.cycle_ds / 10:g}" for start_ds, n in greens),
            " ".join(f"{length_ds / 10:g}" for _, length_ds in greens),
        ]
        if any(length_ds == lamps.cycle_ds for _, length_ds in greens):
            cells = ["always", "", ""]
        elif not greens:
            cells = ["never", "", ""]
        for (place, _), text in zip(columns, cells, strict=True):
            axes.text(
                place, group, text, transform=transform, ha="center", va="center", fontsize=7.5
            )
