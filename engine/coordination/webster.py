"""Webster's cycle time, for stages in which lanes may be green several times.

The critical flow ratio is the least share of time that has to be green for the demand to pass. With
every lane green in one stage alone it is the sum, over the stages, of the greatest flow ratio of a
lane (Webster, Traffic signal settings, Road Research Technical Paper 39, 1958); with lanes green in
several stages it is the optimum of a small linear programme.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog

from ampelwerk.engine.kernels.city import FloatArray
from ampelwerk.models.errors import OversaturatedError


def stage_flow_ratios(flow_veh_s: FloatArray, demand_veh_s: FloatArray) -> FloatArray:
    """Share of time each stage has to be green, at least; their sum is the critical flow ratio.

    Parameters
    ----------
    flow_veh_s : (lanes, stages) saturation flow, 0 where a lane is at red. [veh/s]
    demand_veh_s : (lanes,) arrivals. [veh/s]
    """
    served = (flow_veh_s > 0).any(axis=1) & (demand_veh_s > 0)
    stages = flow_veh_s.shape[1]
    if not served.any():
        return np.zeros(stages)
    found = linprog(
        np.ones(stages), A_ub=-flow_veh_s[served], b_ub=-demand_veh_s[served], method="highs"
    )
    ratios: FloatArray = np.asarray(found.x, dtype=np.float64)
    return ratios


def optimum_cycle_s(critical_flow_ratio: float, lost_time_s: float) -> float:
    """Cycle time of least delay for a signal by itself. [s]

    Parameters
    ----------
    critical_flow_ratio : sum of the stages' flow ratios. [-]
    lost_time_s : lost time of the whole cycle. [s]

    Raises
    ------
    OversaturatedError : the flow ratios sum to 1 or more: no cycle time serves the demand.
    """
    if critical_flow_ratio >= 1:
        raise OversaturatedError(critical_flow_ratio)
    return (1.5 * lost_time_s + 5.0) / (1.0 - critical_flow_ratio)
