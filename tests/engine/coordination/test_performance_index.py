"""The performance index against plain NumPy, against the HCM, and what must hold for any problem."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ampelwerk.engine.kernels.cyclic_queue import cyclic_queue, incremental_delay
from ampelwerk.engine.kernels.dispersion import EARLIEST, add_dispersed, smoothing
from ampelwerk.engine.kernels.performance_index import no_flows, performance_index
from ampelwerk.engine.kernels.plan_descent import balance, improve_signal
from tests.engine.coordination.problems import plans_of, problem_of, with_foes
from tests.reference import cyclic_model


@settings(max_examples=40)
@given(
    st.integers(1, 4),
    st.integers(2, 5),
    st.integers(2, 4),
    st.integers(30, 90),
    st.integers(0, 999),
)
def test_index_equals_the_plain_numpy_version(
    signals: int, lanes: int, steps: int, common_s: int, seed: int
) -> None:
    problem = problem_of(signals, lanes, steps, seed)
    plans = plans_of(problem, common_s, seed)
    flows = no_flows(signals * lanes)
    for linked in (False, True):
        found = performance_index(problem, plans, flows, linked, 2)
        wanted = cyclic_model.index(problem, plans, linked=linked, sweeps=2)
        assert found == pytest.approx(wanted, rel=1e-9, abs=1e-9)


def test_robertson_1969_dispersion_of_one_vehicle() -> None:
    # Mean travel time 25 s, K = 0.35: T = 20 s, F = 1 / (1 + 0.35 * 20) = 1/8. What leaves in second
    # 0 arrives from second 20 on, an eighth of what is left each second.
    factor = smoothing(25.0, 0.35)
    assert factor == pytest.approx(1 / 8)
    leaving, arriving = np.zeros(200), np.zeros(200)
    leaving[0] = 1.0
    add_dispersed(leaving, 1.0, round(EARLIEST * 25), factor, 200, arriving)
    assert arriving[19] == pytest.approx(0.0, abs=1e-9)
    assert arriving[20:24] == pytest.approx([1 / 8 * (7 / 8) ** k for k in range(4)])


@given(st.lists(st.floats(0, 1), min_size=2, max_size=80), st.integers(0, 300), st.floats(0.05, 1))
def test_dispersion_loses_nobody(flow: list[float], earliest_s: int, factor: float) -> None:
    leaving = np.array(flow)
    arriving = np.zeros(len(flow))
    add_dispersed(leaving, 1.0, earliest_s, factor, len(flow), arriving)
    assert arriving.sum() == pytest.approx(leaving.sum())
    assert arriving == pytest.approx(cyclic_model.robertson(leaving, earliest_s, factor), abs=1e-9)


def test_hcm_2000_uniform_delay() -> None:
    # d1 = 0.5 C (1 - g/C)^2 / (1 - X g/C); here C = 90 s, g/C = 0.4, X = 0.8: 19.1 + small change
    # by whole seconds.
    cycle_s, green_s, saturation_flow = 90, 36, 0.5
    service = np.where(np.arange(cycle_s) >= cycle_s - green_s, saturation_flow, 0.0)
    arriving = np.full(cycle_s, 0.8 * saturation_flow * green_s / cycle_s)
    queue, _, _ = cyclic_queue(arriving, service, 1.0, cycle_s, np.zeros(cycle_s))
    d1 = 0.5 * cycle_s * (1 - 0.4) ** 2 / (1 - 0.8 * 0.4)
    assert queue / arriving[0] == pytest.approx(d1, abs=0.6)


def test_hcm_2000_incremental_delay_of_an_oversaturated_lane_group() -> None:
    # v = 800 veh/h, c = 775 veh/h, T = 0.25 h: d2 = 900 T [(X - 1) + sqrt((X - 1)^2 + 4 X / (c T))]
    # = 225 (0.0323 + 0.1495) = 40.9 s.
    assert incremental_delay(800 / 775, 775.0, 0.25) == pytest.approx(40.9, abs=0.05)


def test_webster_1958_two_stage_example_has_greens_in_proportion_to_flow_ratios() -> None:
    # Flow ratios 0.25 and 0.30, lost time 10 s: the optimum cycle is (15 + 5) / 0.45 = 44.4 s, and
    # its 35 s of effective green at 45 s are shared 16 to 19.
    problem = problem_of(1, 2, 2, 0)
    problem.flow_veh_s[:] = problem.mean_veh_s[:] = [[0.5, 0.0], [0.0, 0.5]]
    problem.late_s[:] = [[5.0, 0.0], [0.0, 5.0]]
    problem.demand_veh_s[:] = [0.25 * 0.5, 0.30 * 0.5]
    problem.least_s[:] = 6
    plans = plans_of(problem, 45, 0)
    plans.repeats[0] = 1
    assert balance(problem, plans, 0)
    assert [int(step) - 5 for step in plans.step_s] == [16, 19]


def test_who_gives_way_waits_for_the_opposing_queue_and_then_takes_the_gaps() -> None:
    # Departures take effect from second 5 to the amber's first second, 25, of 60 s for both. 0.1 veh/s
    # come the other way: 3.9 of them wait in second 5 and go at 0.5 veh/s with those who still come,
    # until 3.9 / (0.5 - 0.1) = 9.75 s have passed; then a fifth of the time is taken by who arrives.
    problem = problem_of(1, 2, 2, 0)
    first, last = 0, 1
    problem = with_foes(problem, [[[], []], [[first], []]])
    problem.flow_veh_s[:] = [[0.5, 0.0], [0.4, 0.0]]
    problem.opposed_veh_s[:] = [[0.5, 0.0], [0.04, 0.0]]
    problem.late_s[:] = [[5.0, 0.0], [5.0, 0.0]]
    problem.demand_veh_s[:] = [0.1, 0.02]
    plans = plans_of(problem, 60, 0)
    plans.repeats[0], plans.offset_s[0], plans.step_s[:] = 1, 0, [25, 35]
    flows = no_flows(2)
    performance_index(problem, plans, flows, False, 1)
    assert flows.leaving[first, 5:14] == pytest.approx(0.5)
    assert flows.service[:5] == pytest.approx(0.0)
    assert flows.service[5:14] == pytest.approx(0.04)
    assert flows.service[15:26] == pytest.approx(0.04 + (0.4 - 0.04) * 0.8)
    assert flows.service[26:] == pytest.approx(0.0)
    served = 60 * 0.02 / flows.saturation[last]
    assert served == pytest.approx(flows.service[:60].sum())


@settings(max_examples=20)
@given(st.integers(2, 4), st.integers(60, 100), st.integers(0, 999))
def test_descent_keeps_cycle_and_shortest_steps_and_never_makes_it_worse(
    signals: int, common_s: int, seed: int
) -> None:
    problem = problem_of(signals, 4, 3, seed)
    plans = plans_of(problem, common_s, seed)
    plans.repeats[:] = 1
    for signal in range(signals):
        assert balance(problem, plans, signal)
    flows = no_flows(signals * 4)
    performance_index(problem, plans, flows, True, 3)
    for signal in range(signals):
        assert improve_signal(problem, plans, flows, signal, True, True) >= 0
        steps = plans.step_s[signal * 3 : signal * 3 + 3]
        assert steps.sum() == common_s
        assert (steps >= problem.least_s[signal * 3 : signal * 3 + 3]).all()
        assert 0 <= plans.offset_s[signal] < common_s


def test_a_cycle_too_short_for_its_stages_is_refused() -> None:
    problem = problem_of(1, 3, 3, 0)
    assert not balance(problem, plans_of(problem, 20, 1), 0)
