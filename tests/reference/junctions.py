"""Small named junctions, and envelopes built from plain numbers."""

from collections.abc import Sequence

from ampelwerk.models.envelope import Envelope, GroupId, IntersectionId, RoadUser, SignalGroup

Times = tuple[int, int, int, int]
"""Minimum green, amber, red-amber, minimum red. [s]"""


def envelope_of(
    times_s: Sequence[Times], intergreen_s: dict[tuple[int, int], int], scale_ds: int = 10
) -> Envelope:
    """An envelope; pairs in `intergreen_s` conflict, both directions must be given."""
    size = len(times_s)
    return Envelope(
        intersection_id=IntersectionId("reference"),
        profile="test/1",
        groups=tuple(
            SignalGroup(
                group_id=GroupId(f"K{i}" if amber else f"F{i}"),
                road_user=RoadUser.MOTOR if amber else RoadUser.PEDESTRIAN,
                min_green_ds=green * scale_ds,
                amber_ds=amber * scale_ds,
                red_amber_ds=red_amber * scale_ds,
                min_red_ds=red * scale_ds,
            )
            for i, (green, amber, red_amber, red) in enumerate(times_s)
        ),
        conflict=tuple(tuple((i, j) in intergreen_s for j in range(size)) for i in range(size)),
        intergreen_ds=tuple(
            tuple(
                intergreen_s[i, j] * scale_ds if (i, j) in intergreen_s else None
                for j in range(size)
            )
            for i in range(size)
        ),
    )


def four_groups() -> Envelope:
    """Two roads crossing, each direction a group of its own, uneven intergreens."""
    vehicle = (2, 2, 1, 1)
    return envelope_of(
        [vehicle, vehicle, vehicle, vehicle],
        {
            (0, 2): 3, (2, 0): 4, (0, 3): 3, (3, 0): 3,
            (1, 2): 4, (2, 1): 3, (1, 3): 3, (3, 1): 4,
        },
    )  # fmt: skip


def with_crossings() -> Envelope:
    """Four vehicle groups and two crossings that turn red without amber."""
    vehicle, crossing = (2, 2, 1, 1), (3, 0, 0, 1)
    pairs = {
        (0, 2): 3, (2, 0): 4, (0, 3): 3, (3, 0): 3,
        (1, 2): 4, (2, 1): 3, (1, 3): 3, (3, 1): 4,
        (0, 4): 3, (4, 0): 5, (1, 4): 3, (4, 1): 6,
        (2, 5): 3, (5, 2): 6, (3, 5): 3, (5, 3): 5,
    }  # fmt: skip
    return envelope_of([vehicle] * 4 + [crossing] * 2, pairs)


def three_groups() -> Envelope:
    """Three groups in mutual conflict, of three kinds; small enough for every mutant."""
    return envelope_of(
        [(2, 2, 1, 1), (1, 1, 2, 2), (2, 0, 0, 1)],
        {(0, 1): 3, (1, 0): 4, (0, 2): 3, (2, 0): 5, (1, 2): 2, (2, 1): 3},
    )
