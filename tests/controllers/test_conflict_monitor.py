"""The conflict monitor sees each kind of fault on the lamps, and no fault where there is none."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from ampelwerk.controllers.interlock import Interlock
from ampelwerk.controllers.monitor import Broken, ConflictMonitor, Violation
from ampelwerk.models.envelope import Aspect, Envelope
from tests.reference.envelopes import envelopes
from tests.reference.junctions import envelope_of

RED, RED_AMBER, GREEN, AMBER = Aspect
NORTH_EAST = envelope_of([(5, 3, 1, 2), (5, 3, 1, 2)], {(0, 1): 5, (1, 0): 6})
"""Two conflicting groups; minimum green 5 s, amber 3 s, red-amber 1 s, minimum red 2 s."""
CROSSING = envelope_of([(5, 0, 0, 1)], {})
"""A pedestrian crossing without amber."""


def watched(
    envelope: Envelope, transcript: Sequence[tuple[float, tuple[int, ...]]]
) -> list[Violation]:
    """What the monitor reports on (time [s], aspects)."""
    monitor = ConflictMonitor(envelope)
    found: list[Violation] = []
    for time_s, aspects in transcript:
        found += monitor.observe(aspects, round(10 * time_s))
    return found


def rules(violations: list[Violation]) -> list[Broken]:
    return [violation.rule for violation in violations]


SOUND = [
    (0.0, (RED, RED)),
    (10.0, (RED_AMBER, RED)),
    (11.0, (GREEN, RED)),
    (16.0, (AMBER, RED)),
    (19.0, (RED, RED)),
    (20.0, (RED, RED_AMBER)),
    (21.0, (RED, GREEN)),
]


def test_a_sound_change_is_passed() -> None:
    assert watched(NORTH_EAST, SOUND) == []


def test_intergreen_one_tick_short_is_reported_with_limit_and_found() -> None:
    transcript = [*SOUND[:5], (19.9, (RED, RED_AMBER)), (20.9, (RED, GREEN))]
    assert watched(NORTH_EAST, transcript) == [
        Violation(rule=Broken.INTERGREEN, at_ds=209, group=1, against=0, limit_ds=50, found_ds=49)
    ]


def test_minimum_green_amber_and_red_amber_one_tick_short_are_reported() -> None:
    short_green = [*SOUND[:3], (15.9, (AMBER, RED))]
    short_amber = [*SOUND[:4], (18.9, (RED, RED))]
    short_red_amber = [*SOUND[:2], (10.9, (GREEN, RED))]
    short_red = [*SOUND[:5], (20.9, (RED_AMBER, RED))]
    assert rules(watched(NORTH_EAST, short_green)) == [Broken.MIN_GREEN]
    assert rules(watched(NORTH_EAST, short_amber)) == [Broken.AMBER]
    assert rules(watched(NORTH_EAST, short_red_amber)) == [Broken.RED_AMBER]
    assert rules(watched(NORTH_EAST, short_red)) == [Broken.MIN_RED]


def test_skipped_and_invented_aspects_are_reported() -> None:
    skipped_amber = [*SOUND[:3], (16.0, (RED, RED))]
    skipped_red_amber = [*SOUND[:1], (10.0, (GREEN, RED))]
    back_to_green = [*SOUND[:4], (19.0, (GREEN, RED))]
    red_amber_withdrawn = [*SOUND[:2], (11.0, (RED, RED))]
    for transcript in (skipped_amber, skipped_red_amber, red_amber_withdrawn):
        assert rules(watched(NORTH_EAST, transcript)) == [Broken.SEQUENCE]
    assert Broken.SEQUENCE in rules(watched(NORTH_EAST, back_to_green))
    assert watched(CROSSING, [(0, (RED,)), (5, (GREEN,)), (10, (RED,))]) == []
    amber_of_a_crossing = [(0.0, (RED,)), (5.0, (GREEN,)), (10.0, (AMBER,))]
    assert rules(watched(CROSSING, amber_of_a_crossing)) == [Broken.SEQUENCE]


def test_amber_that_never_ends_is_reported_once() -> None:
    stuck = [*SOUND[:4], *((time, (AMBER, RED)) for time in (20.9, 21.0, 21.1, 30.0))]
    found = watched(NORTH_EAST, stuck)
    assert [(violation.rule, violation.at_ds) for violation in found] == [(Broken.AMBER, 211)]


def test_nothing_is_judged_by_what_was_not_seen() -> None:
    assert watched(NORTH_EAST, [(0.0, (GREEN, RED)), (0.1, (AMBER, RED)), (3.1, (RED, RED))]) == []


def test_a_conflict_is_reported_at_once_and_trips_after_300_ms() -> None:
    monitor = ConflictMonitor(NORTH_EAST)
    monitor.observe((GREEN, RED), 0)
    assert Broken.CONFLICT in rules(list(monitor.observe((GREEN, AMBER), 100)))
    for now_ds in (101, 102):
        assert monitor.observe((GREEN, AMBER), now_ds) == ()
        assert not monitor.tripped
    monitor.observe((GREEN, AMBER), 103)
    assert monitor.tripped


def flickering(clean_ds: int) -> ConflictMonitor:
    """A monitor that saw three conflicts of 100 ms with pauses between."""
    monitor = ConflictMonitor(NORTH_EAST)
    now_ds = 0
    for _ in range(3):
        monitor.observe((GREEN, GREEN), now_ds)
        now_ds += 1
        monitor.observe((GREEN, RED), now_ds)
        now_ds += clean_ds
    return monitor


def test_conflicts_add_up_unless_700_ms_pass_without() -> None:
    assert flickering(6).tripped
    assert not flickering(7).tripped


def test_a_trip_is_latched_until_the_local_reset() -> None:
    monitor = flickering(1)
    for now_ds in range(1000, 3000, 10):
        monitor.observe((RED, RED), now_ds)
    assert monitor.tripped
    monitor.reset()
    assert not monitor.tripped
    monitor.observe((RED, RED), 4000)
    assert not monitor.tripped


def test_output_that_is_no_aspect_counts_as_conflict() -> None:
    for nonsense in ((GREEN,), (GREEN, RED, RED), (GREEN, 7), (-1, RED)):
        monitor = ConflictMonitor(NORTH_EAST)
        assert rules(list(monitor.observe(nonsense, 0))) == [Broken.OUTPUT]
        monitor.observe(nonsense, 3)
        assert monitor.tripped


def test_dark_lamps_are_not_judged_but_intergreens_go_on() -> None:
    monitor = ConflictMonitor(NORTH_EAST)
    monitor.observe((GREEN, RED), 0)
    assert monitor.observe(None, 100) == ()
    assert rules(list(monitor.observe((RED, GREEN), 140))) == [Broken.INTERGREEN]
    monitor.reset()
    monitor.observe((GREEN, RED), 200)
    monitor.observe(None, 300)
    assert monitor.observe((RED, GREEN), 350) == ()


def test_a_clock_set_back_is_reported_and_earns_nothing() -> None:
    monitor = ConflictMonitor(NORTH_EAST)
    monitor.observe((RED, RED), 0)
    monitor.observe((RED_AMBER, RED), 100)
    monitor.observe((GREEN, RED), 110)
    assert rules(list(monitor.observe((GREEN, RED), 50))) == [Broken.TIME]
    assert rules(list(monitor.observe((AMBER, RED), 99))) == [Broken.MIN_GREEN]


@given(
    envelope=envelopes(),
    masks=st.lists(st.integers(0, 63), min_size=1, max_size=80),
    tick_ds=st.sampled_from([1, 5, 10]),
)
def test_an_interlock_never_upsets_the_monitor(
    envelope: Envelope, masks: list[int], tick_ds: int
) -> None:
    lamps, monitor, now_ds = Interlock.running(envelope, tick_ds), ConflictMonitor(envelope), 0
    for mask in masks:
        for _ in range(3):
            now_ds += tick_ds
            lamps.tick(mask & ((1 << envelope.size) - 1), now_ds)
            assert monitor.observe(lamps.aspects, now_ds) == ()
    assert not monitor.tripped
