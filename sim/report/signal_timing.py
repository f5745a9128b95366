"""Signal timing diagram (Signalzeitenplan): a horizontal bar for every signal group.

Green and amber are full bars, red-amber is half red, half amber, red is a thin bar, so that the
greens stand out in print without colour. Above the bars stand the stages. The kinds of control
are drawn over each other on one time axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from ampelwerk.models.envelope import Aspect
from ampelwerk.models.intersection import Intersection
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
from ampelwerk.sim.report.signal_record import Shown, StateChanges, group_links, shown
from ampelwerk.sim.report.stage_times import StageShown, stages_shown

Box = list[tuple[float, float]]
"""Corners of a rectangle: seconds across, rows down."""
HALF_BAR, HALF_RED = 0.36, 0.07
"""Half the height of a bar, in rows."""
ROW_IN, HEADING_ROWS = 0.175, 1.9
_STAGE_LABEL_S = 5.0
"""A stage shorter than this share of 240 s is not named in the picture. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingBlock:
    """What one kind of control showed at an intersection."""

    control: str
    """Kind of control."""
    groups: tuple[tuple[Shown, ...], ...]
    """(groups,) intervals of each signal group."""
    stages: tuple[StageShown, ...]
    """Stages, as shown."""


def timing_block(
    control: str, site: Intersection, changes: StateChanges, begin_s: float, end_s: float
) -> TimingBlock:
    """Read one block off the record."""
    return TimingBlock(
        control=control,
        groups=tuple(
            tuple(shown(changes, group_links(site, group), begin_s, end_s))
            for group in range(site.envelope.size)
        ),
        stages=tuple(stages_shown(site, changes, begin_s, end_s)),
    )


def bars(intervals: Sequence[Shown], row: float) -> dict[str, list[Box]]:
    """Rectangles of one signal group by colour."""
    found: dict[str, list[Box]] = {}

    def add(aspect: Aspect, item: Shown, low: float, high: float) -> None:
        found.setdefault(ASPECT_COLOUR[aspect], []).append(
            [(item.start_s, low), (item.end_s, low), (item.end_s, high), (item.start_s, high)]
        )

    for item in intervals:
        if item.aspect is Aspect.RED:
            add(Aspect.RED, item, row - HALF_RED, row + HALF_RED)
        elif item.aspect is Aspect.RED_AMBER:
            add(Aspect.RED, item, row - HALF_BAR, row)
            add(Aspect.AMBER, item, row, row + HALF_BAR)
        else:
            add(item.aspect, item, row - HALF_BAR, row + HALF_BAR)
    return found


def timing_picture(
    site: Intersection,
    blocks: Sequence[TimingBlock],
    labels: Sequence[str],
    begin_s: float,
    end_s: float,
    key: str,
) -> str:
    """The diagram of one intersection as SVG.

    Parameters
    ----------
    labels : (groups,) names of the signal groups.
    """
    size = site.envelope.size
    rows = len(blocks) * (size + HEADING_ROWS)
    height_in = rows * ROW_IN + 0.75
    label_in = 0.25 + 0.066 * max(len(label) for label in labels)
    with style():
        figure = new_figure(WIDTH_IN, height_in)
        axes = figure.add_axes(
            (label_in / WIDTH_IN, 0.42 / height_in, 1 - (label_in + 0.35) / WIDTH_IN,
             1 - 0.75 / height_in)
        )  # fmt: skip
        boxes: dict[str, list[Box]] = {}
        names: list[tuple[float, str]] = []
        edges: list[Box] = []
        top = 0.0
        for block in blocks:
            axes.text(begin_s, top + 0.35, block.control, fontweight="bold", va="center")
            first = top + HEADING_ROWS
            for group, intervals in enumerate(block.groups):
                names.append((first + group, labels[group]))
                for colour, more in bars(intervals, first + group).items():
                    boxes.setdefault(colour, []).extend(more)
            _name_stages(axes, site, block.stages, first, edges, end_s - begin_s)
            top += size + HEADING_ROWS
        for colour, corners in sorted(boxes.items()):
            filled(axes, corners, colour)
        stroked(axes, edges, INK, 0.6, linestyle=(0, (1, 2)))
        axes.set_ylim(top - 0.4, -0.4)
        axes.set_yticks([row for row, _ in names], [name for _, name in names], fontsize=8)
        axes.tick_params(axis="y", length=0)
        time_axis(axes, begin_s, end_s)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x", color="#e6e9ed", linewidth=0.6)
        axes.set_axisbelow(True)
        aspect_legend(figure, 1 - 0.3 / WIDTH_IN, 1 - 0.02 / height_in)
        return svg(figure, title=f"Signal timing of {site.intersection_id}", key=key)


def aspect_legend(figure: Figure, right: float, top: float) -> None:
    """What the colours mean; its upper right corner in shares of the figure."""
    figure.legend(
        handles=[Patch(color=ASPECT_COLOUR[a], label=ASPECT_NAME[a])
                 for a in (Aspect.GREEN, Aspect.AMBER, Aspect.RED)]
        + [Patch(facecolor=ASPECT_COLOUR[Aspect.AMBER], edgecolor=ASPECT_COLOUR[Aspect.RED],
                 linewidth=2, label=ASPECT_NAME[Aspect.RED_AMBER])],
        loc="upper right", ncols=4, bbox_to_anchor=(right, top), borderpad=0, handlelength=1.4,
    )  # fmt: skip


def _name_stages(
    axes: Axes,
    site: Intersection,
    stages: Sequence[StageShown],
    first_row: float,
    edges: list[Box],
    span_s: float,
) -> None:
    """Brackets with stage names above a block, and dotted lines where a stage begins."""
    bottom = first_row + site.envelope.size - 0.5
    for item in stages:
        edges.append([(item.start_s, first_row - 0.95), (item.start_s, bottom)])
        if item.end_s - item.start_s >= _STAGE_LABEL_S * span_s / 240:
            axes.text(
                (item.start_s + item.end_s) / 2, first_row - 0.8,
                str(site.stages[item.stage].stage_id),
                ha="center", va="center", fontsize=7.5, color=INK, clip_on=True,
            )  # fmt: skip
    row = first_row - 0.5
    stroked(axes, [[(item.start_s, row), (item.end_s, row)] for item in stages], FAINT, 1.2)
