"""What faulty loops send, and that healthy ones are not touched by it."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ampelwerk.controllers.frame_border import FrameBorder
from ampelwerk.engine.city import lay_out
from ampelwerk.engine.estimation import Estimator
from ampelwerk.engine.health import LoopHealth
from ampelwerk.engine.kernels.decision import Signals
from ampelwerk.models.detection import DetectorFrame, LoopRole
from ampelwerk.models.faults import LEVELS, Fault, FaultKind
from ampelwerk.models.network import Network
from ampelwerk.models.profile import SumoProfile
from ampelwerk.sim.detector_faults import FaultyLoops, drawn_loops
from ampelwerk.sim.imported import import_network
from ampelwerk.sim.scenario import resolve
from tests.conftest import SmallScenario
from tests.sim.runs import simulate

Edge = tuple[int, float, int]
FROM_S, END_S = 10.0, 60
every_kind = pytest.mark.parametrize("kind", FaultKind)
a_kind, a_seed = st.sampled_from(FaultKind), st.integers(0, 1000)
few = settings(max_examples=15)


@pytest.fixture(scope="module")
def network(small: SmallScenario) -> Network:
    return import_network(resolve(str(small.net), routes=[small.routes]), SumoProfile())


def traffic(network: Network, seed: int, *, step_s: float = 1.0) -> list[DetectorFrame]:
    """Pulses of about half a second on every loop, now and then a long one."""
    random = Random(seed)
    edges: list[Edge] = []
    for loop in range(len(network.loops)):
        at_s = random.uniform(0, 6)
        while at_s < END_S:
            length_s = random.choice([0.3, 0.5, 0.8, 6.0])
            edges += [(loop, at_s, 1), (loop, at_s + length_s, 0)]
            at_s += length_s + random.uniform(0.2, 8)
    frames = []
    for tick in range(1, round(END_S / step_s) + 1):
        now_s = tick * step_s
        frames.append(frame([e for e in edges if now_s - step_s < e[1] <= now_s], now_s))
    return frames


def frame(edges: Sequence[Edge], now_s: float) -> DetectorFrame:
    return DetectorFrame(
        time_s=now_s,
        loop=array("q", [edge[0] for edge in edges]),
        at_s=array("d", [edge[1] for edge in edges]),
        on=array("q", [edge[2] for edge in edges]),
    )


def edges_of(frames: Sequence[DetectorFrame]) -> list[Edge]:
    return [edge for f in frames for edge in zip(f.loop, f.at_s, f.on, strict=True)]


def reader(frames: Sequence[DetectorFrame]) -> Callable[[float], DetectorFrame]:
    by_time = {f.time_s: f for f in frames}
    return lambda now_s: by_time.get(now_s, frame([], now_s))


def play(
    network: Network,
    faults: Sequence[Fault],
    frames: Sequence[DetectorFrame],
    *,
    seed: int = 1,
    step_s: float = 1.0,
    more_s: float = 0.0,
    roles: Sequence[LoopRole] = tuple(LoopRole),
) -> tuple[list[DetectorFrame], frozenset[int]]:
    """The frames as faulty loops send them, and which loops fail."""
    loops = FaultyLoops(
        network, faults, reader(frames), seed=seed, begin_s=0.0, step_s=step_s, roles=roles
    )
    times = [f.time_s for f in frames]
    times += [END_S + k * step_s for k in range(1, round(more_s / step_s) + 1)]
    return [loops.read(now_s) for now_s in times], loops.faulty


def fault(kind: FaultKind, share: float = 0.4, level: float | None = None) -> Fault:
    return Fault(kind=kind, share=share, from_s=FROM_S, level=level)


def of_loop(edges: Sequence[Edge], loop: int) -> list[Edge]:
    return [edge for edge in edges if edge[0] == loop]


def assert_alternating(edges: Sequence[Edge]) -> None:
    for before, after in pairwise(edges):
        assert before[1] <= after[1]
        assert before[2] != after[2]


def bytes_of(frames: Sequence[DetectorFrame]) -> list[tuple[float, bytes, bytes, bytes]]:
    return [(f.time_s, f.loop.tobytes(), f.at_s.tobytes(), f.on.tobytes()) for f in frames]


@few
@given(kinds=st.lists(a_kind, min_size=1, max_size=4), seed=a_seed, days=a_seed)
def test_same_seed_gives_the_same_bytes(
    network: Network, kinds: list[FaultKind], seed: int, days: int
) -> None:
    frames, faults = traffic(network, days), [fault(kind) for kind in kinds]
    first, second = (play(network, faults, frames, seed=seed) for _ in range(2))
    assert bytes_of(first[0]) == bytes_of(second[0])
    assert first[1] == second[1]


@every_kind
def test_share_of_zero_changes_no_byte(network: Network, kind: FaultKind) -> None:
    frames = traffic(network, 1)
    sent, faulty = play(network, [fault(kind, 0.0)], frames)
    assert bytes_of(sent) == bytes_of(frames)
    assert not faulty


@every_kind
def test_nothing_changes_before_the_fault_and_healthy_loops_never(
    network: Network, kind: FaultKind
) -> None:
    frames = traffic(network, 2)
    sent, faulty = play(network, [fault(kind)], frames)
    assert faulty
    assert bytes_of(sent[: int(FROM_S)]) == bytes_of(frames[: int(FROM_S)])
    healthy = [edge for edge in edges_of(frames) if edge[0] not in faulty]
    never_faulty = set(healthy)
    assert [edge for edge in edges_of(sent) if edge in never_faulty] == healthy


@few
@given(first=a_kind, second=a_kind, seed=a_seed)
def test_faults_act_one_after_another(
    network: Network, first: FaultKind, second: FaultKind, seed: int
) -> None:
    frames = traffic(network, 3)
    if first is second:
        return
    at_once, faulty = play(network, [fault(first), fault(second)], frames, seed=seed)
    between, faulty_first = play(network, [fault(first)], frames, seed=seed)
    in_turn, faulty_second = play(network, [fault(second)], between, seed=seed)
    assert bytes_of(at_once) == bytes_of(in_turn)
    assert faulty == faulty_first | faulty_second


@few
@given(kind=a_kind, seed=a_seed, shares=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_a_greater_share_fails_the_same_loops_and_more(
    network: Network, kind: FaultKind, seed: int, shares: tuple[float, float]
) -> None:
    few_loops, many_loops = (
        set(drawn_loops(network, fault(kind, share), seed)[0]) for share in sorted(shares)
    )
    assert few_loops <= many_loops


@pytest.mark.parametrize("share", [0.0, 0.1, 0.25, 0.5, 1.0])
def test_share_is_kept_and_loops_are_drawn_by_seed(network: Network, share: float) -> None:
    drawn = [tuple(drawn_loops(network, fault(FaultKind.DROP, share), s)[0]) for s in range(6)]
    assert {len(loops) for loops in drawn} == {round(share * len(network.loops))}
    assert len(set(drawn)) > 1 or share in (0.0, 1.0)


def test_the_same_loops_fail_under_a_control_that_hears_fewer(network: Network) -> None:
    frames, heard = traffic(network, 4), (LoopRole.STOP_LINE, LoopRole.ADVANCE)
    every, all_faulty = play(network, [fault(FaultKind.CHATTER)], frames)
    some, some_faulty = play(network, [fault(FaultKind.CHATTER)], frames, roles=heard)
    inside = {k for k, loop in enumerate(network.loops) if loop.role in heard}
    assert some_faulty == all_faulty & inside
    assert edges_of(some) == [edge for edge in edges_of(every) if edge[0] in inside]


@few
@given(days=a_seed, seed=a_seed)
def test_stuck_off_loops_send_nothing_and_are_free(network: Network, days: int, seed: int) -> None:
    sent, faulty = play(network, [fault(FaultKind.STUCK_OFF)], traffic(network, days), seed=seed)
    for loop in faulty:
        edges = of_loop(edges_of(sent), loop)
        assert all(at_s <= FROM_S for _, at_s, _ in edges)
        assert not edges or edges[-1][2] == 0
        assert_alternating(edges)


@few
@given(days=a_seed, seed=a_seed)
def test_stuck_on_loops_stay_occupied(network: Network, days: int, seed: int) -> None:
    sent, faulty = play(network, [fault(FaultKind.STUCK_ON)], traffic(network, days), seed=seed)
    for loop in faulty:
        edges = of_loop(edges_of(sent), loop)
        assert all(at_s <= FROM_S for _, at_s, _ in edges)
        assert edges[-1][2] == 1
        assert_alternating(edges)


def test_frozen_loops_hold_what_they_had(network: Network) -> None:
    frames = traffic(network, 5)
    sent, faulty = play(network, [fault(FaultKind.FROZEN)], frames)
    for loop in faulty:
        before = [edge for edge in of_loop(edges_of(frames), loop) if edge[1] <= FROM_S]
        assert of_loop(edges_of(sent), loop) == before


@few
@given(days=a_seed, step_s=st.sampled_from([0.1, 0.5, 1.0]), level=st.sampled_from([60, 300, 600]))
def test_chatter_adds_pulses_of_20_to_60_ms(
    network: Network, days: int, step_s: float, level: float
) -> None:
    frames = traffic(network, days, step_s=step_s)
    sent, faulty = play(network, [fault(FaultKind.CHATTER, 0.2, level)], frames, step_s=step_s)
    true = Counter(edges_of(frames))
    free_s = pulses = 0.0
    for loop in faulty:
        edges = of_loop(edges_of(sent), loop)
        assert_alternating(edges)
        extra = sorted((Counter(edges) - true).elements(), key=lambda edge: edge[1])
        for rise, fall in zip(extra[::2], extra[1::2], strict=True):
            assert (rise[2], fall[2]) == (1, 0)
            assert rise[1] > FROM_S - 1e-9
            assert 0.02 - 1e-9 <= fall[1] - rise[1] <= 0.06 + 1e-9
        pulses += len(extra) / 2
        free_s += END_S - FROM_S
    assert not true - Counter(edges_of(sent))
    assert 0.3 * level * free_s / 60 <= pulses <= 1.1 * level * free_s / 60


@pytest.mark.parametrize("kind", [FaultKind.LATE, FaultKind.REORDER])
@pytest.mark.parametrize("level", [0.5, 5.0, 30.0])
def test_late_edges_all_come_with_their_true_times(
    network: Network, kind: FaultKind, level: float
) -> None:
    frames = traffic(network, 6)
    sent, faulty = play(network, [fault(kind, 0.5, level)], frames, more_s=level + 1)
    assert Counter(edges_of(sent)) == Counter(edges_of(frames))
    for received in sent:
        for loop, at_s, _ in zip(received.loop, received.at_s, received.on, strict=True):
            assert at_s <= received.time_s
            if loop not in faulty or received.time_s <= FROM_S:
                continue
            assert received.time_s - at_s < level + 1.0
            if kind is FaultKind.LATE:
                assert at_s + level <= received.time_s
    orders = [[e[1] for e in of_loop(edges_of(sent), loop)] for loop in faulty]
    assert all(o == sorted(o) for o in orders) == (kind is FaultKind.LATE or level < 0.2)


def test_drop_and_gaps_only_take_away(network: Network) -> None:
    frames = traffic(network, 7)
    for wrong in (fault(FaultKind.DROP, 1.0, 20), fault(FaultKind.GAPS, 1.0, 10)):
        kept, true = Counter(edges_of(play(network, [wrong], frames)[0])), Counter(edges_of(frames))
        assert not kept - true
        lost = sum((true - kept).values()) / sum(n for e, n in true.items() if e[1] > FROM_S)
        assert lost == pytest.approx(0.2 if wrong.kind is FaultKind.DROP else 0.5, abs=0.08)


def test_duplicates_are_the_same_edge_again(network: Network) -> None:
    frames = traffic(network, 8)
    sent, true = (
        edges_of(play(network, [fault(FaultKind.DUPLICATE, 1.0)], frames)[0]),
        edges_of(frames),
    )
    assert set(sent) == set(true)
    assert len(sent) - len(true) == pytest.approx(0.1 * len(true), rel=0.35)


@pytest.mark.parametrize("level", [0.0, 0.7, 1.3, 2.0])
def test_biased_counts_are_wrong_by_the_factor(network: Network, level: float) -> None:
    frames = traffic(network, 9)
    sent, _ = play(network, [fault(FaultKind.BIAS, 1.0, level)], frames)
    counted, true = (
        sum(on for _, at_s, on in edges_of(f) if FROM_S + 1 < at_s < END_S - 7)
        for f in (sent, frames)
    )
    assert counted / true == pytest.approx(level, abs=0.1)
    for loop in range(len(network.loops)):
        assert_alternating(of_loop(edges_of(sent), loop))


def test_drift_grows(network: Network) -> None:
    frames = traffic(network, 10)
    steady, _ = play(network, [fault(FaultKind.DRIFT, 1.0, 0.0)], frames)
    assert bytes_of(steady) == bytes_of(frames)
    late = [frame([(0, f.time_s + 36000, o) for o in (1, 0)], f.time_s + 36000) for f in frames]
    sent, _ = play(network, [fault(FaultKind.DRIFT, 1.0, -10.0)], late)
    assert not edges_of(sent)  # ten hours of losing 10 % an hour


def test_splash_over_sees_some_of_the_next_lane(network: Network) -> None:
    frames = traffic(network, 11)
    sent, faulty = play(network, [fault(FaultKind.SPLASH_OVER, 1.0, 100)], frames)
    drawn, beside = drawn_loops(network, fault(FaultKind.SPLASH_OVER, 1.0), 1)
    assert faulty == set(drawn) == set(beside)
    for loop, other in beside.items():
        one, two = network.loops[loop], network.loops[other]
        assert one.role is two.role
        assert str(one.lane_id).rpartition("_")[0] == str(two.lane_id).rpartition("_")[0]
        edges = of_loop(edges_of(sent), loop)
        assert_alternating(edges)
        after = [e for e in edges if e[1] > FROM_S + 7]
        mine = {t for _, t, _ in of_loop(edges_of(frames), loop)}
        theirs = {t for _, t, _ in of_loop(edges_of(frames), other)}
        assert {t for _, t, _ in after} <= mine | theirs
        assert {t for _, t, _ in after} & theirs


def test_swapped_loops_belong_to_one_signal_and_send_each_others_edges(network: Network) -> None:
    frames = traffic(network, 12)
    sent, faulty = play(network, [fault(FaultKind.SWAPPED, 0.5)], frames)
    drawn, other = drawn_loops(network, fault(FaultKind.SWAPPED, 0.5), 1)
    assert faulty == set(drawn)
    assert len(drawn) % 2 == 0
    for loop in drawn:
        assert other[other[loop]] == loop != other[loop]
        after = [e[1:] for e in of_loop(edges_of(sent), loop) if e[1] > FROM_S]
        assert after == [e[1:] for e in of_loop(edges_of(frames), other[loop]) if e[1] > FROM_S]
        assert_alternating(of_loop(edges_of(sent), loop))


def estimator(network: Network) -> tuple[Estimator, Signals]:
    size = len(network.intersections)
    signals = Signals(
        stage=np.zeros(size, dtype=np.int64),
        green=np.array([site.stages[0].mask for site in network.intersections], dtype=np.int64),
        since_s=np.zeros(size),
        decidable_s=np.zeros(size),
    )
    city = lay_out(network)
    return Estimator(city, 0.0, 1.0, LoopHealth(city, 0.0, tuple(LoopRole))), signals


def test_garbage_is_refused_whole_and_changes_no_belief(network: Network) -> None:
    frames = traffic(network, 13)
    sent, _ = play(network, [fault(FaultKind.GARBAGE, 0.3, 20)], frames)
    border = FrameBorder(len(network.loops))
    one, signals = estimator(network)
    two, _ = estimator(network)
    for received, true in zip(sent, frames, strict=True):
        before = border.refused.total()
        one.update(border.passed(received, received.time_s), signals)
        refused = border.refused.total() > before
        assert refused == (bytes_of([received]) != bytes_of([true]))
        two.update(frame([], true.time_s) if refused else true, signals)
    assert 5 < border.refused.total() < len(frames)
    for mine, expected in zip(one.traffic, two.traffic, strict=True):
        assert np.isfinite(mine).all()
        assert mine.tobytes() == expected.tobytes()


@settings(max_examples=10)
@given(kinds=st.lists(a_kind, min_size=1, max_size=5, unique=True), seed=a_seed)
def test_no_mixture_of_faults_leaves_a_belief_that_is_no_number(
    network: Network, kinds: list[FaultKind], seed: int
) -> None:
    strong = [fault(k, 0.5, LEVELS[k].high if k in LEVELS else None) for k in kinds]
    sent, _ = play(network, strong, traffic(network, seed), seed=seed)
    border = FrameBorder(len(network.loops))
    beliefs, signals = estimator(network)
    for received in sent:
        beliefs.update(border.passed(received, received.time_s), signals)
    for values in beliefs.traffic:
        assert np.isfinite(values).all()


@pytest.mark.sumo
@pytest.mark.parametrize("control", ["actuated", "rolling-horizon"])
def test_real_run_with_many_faults_breaks_no_rule(
    small: SmallScenario, tmp_path_factory: pytest.TempPathFactory, control: str
) -> None:
    kinds = (
        FaultKind.STUCK_ON, FaultKind.CHATTER, FaultKind.LATE, FaultKind.REORDER,
        FaultKind.SWAPPED, FaultKind.SPLASH_OVER, FaultKind.GARBAGE,
    )  # fmt: skip
    faults = tuple(Fault(kind=kind, share=0.2, from_s=60.0) for kind in kinds)
    scenario = resolve(str(small.net), routes=[small.routes], end_s=500.0)
    directory = tmp_path_factory.mktemp("faulty") / "run"
    measures = simulate(scenario, directory, control, faults=faults)
    assert measures["safety"]["violations"] == 0
    assert measures["safety"]["checked_switches"] > 10
    detectors = measures["detectors"]
    assert 0 < detectors["faulty"] <= detectors["loops"]
    assert detectors["frames_refused"] == sum(detectors["refused_because"].values()) > 0
