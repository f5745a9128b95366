"""The plan search from its definition, slowly: one lane after the other, one step after the other.

Written from the definition in the module docstrings of the kernels, with lists and without their sums.
"""

from __future__ import annotations

from dataclasses import dataclass

from ampelwerk.engine.kernels.plan_model import Model, Weights

HOLD = -1
TIE = 1e-9
"""Plans that differ by less cost the same; the one found first stays. [veh s]"""


@dataclass(frozen=True)
class Label:
    """A plan up to a moment: what it cost, what stands on each lane, how it began."""

    cost: float
    queue_veh: list[float]
    first: int


class Walk:
    """Carries out plans in the model."""

    def __init__(self, model: Model, weights: Weights, grid_s: list[int], lanes: int) -> None:
        self.model, self.weights, self.grid_s = model, weights, grid_s
        self.lanes = range(lanes)

    def rank(self, cost: float, queue_veh: list[float], stage: int) -> float:
        """Cost so far and to come: every queue drains at its best; at red it waits for green."""
        for lane in self.lanes:
            n = queue_veh[lane]
            wait_s = 0.0 if self.model.flow_veh_s[stage, lane] > 0 else self.weights.red_s
            cost += self.model.weight[lane] * n * (n * self.model.drain_s[lane] / 2 + wait_s)
        return cost

    def stay(self, label: Label, p: int, q: int, g: int) -> list[tuple[int, float, list[float]]]:
        """Change from stage p to q at moment g and keep it: cost and queues at each moment."""
        model, grid_s = self.model, self.grid_s
        begin_s = grid_s[g] + model.lost_s[p, q] + self.weights.start_up_s
        queue_veh, cost = list(label.queue_veh), label.cost
        left_veh = [float(model.cap_veh[q, lane]) for lane in self.lanes]
        found = []
        for k in range(g + 1, len(grid_s)):
            step_s = grid_s[k] - grid_s[k - 1]
            for lane in self.lanes:
                n, weight = queue_veh[lane], model.weight[lane]
                open_s = min(max(grid_s[k] - begin_s, 0.0), step_s)
                if model.flow_veh_s[p, lane] > 0:
                    open_s = step_s
                demand = n + model.arriving_veh[k - 1, lane]
                gone = min(model.flow_veh_s[q, lane] * open_s, demand, left_veh[lane])
                left_veh[lane] -= gone
                queue_veh[lane] = demand - gone
                old = (step_s - 1) / 2
                cost += weight * ((step_s - old) * queue_veh[lane] + old * n)
            found.append((k, float(cost), list(queue_veh)))
        return found

    def shortest_s(self, p: int, q: int) -> float:
        """A stage that begins lasts its change and its minimum green at least."""
        if p == q:
            return 1.0
        return float(self.model.lost_s[p, q] + self.model.min_green_s[q])


def search(
    model: Model, weights: Weights, grid_s: list[int], present: int, stages: int, lanes: int
) -> dict[int, float]:
    """Least cost of a plan by its first decision, one label kept for each moment and stage."""
    walk = Walk(model, weights, grid_s, lanes)
    start = Label(0.0, [float(n) for n in model.queue_veh[:lanes]], HOLD)
    labels: dict[tuple[int, int], Label] = {(0, present): start}
    best: dict[int, float] = {}
    for g in range(len(grid_s) - 1):
        for p in range(stages):
            label = labels.get((g, p))
            if label is None:
                continue
            for q in range(stages):
                if (p == q and g > 0) or (p != q and not model.allowed[q]):
                    continue
                first = label.first if g > 0 or p == q else q
                for k, cost, queue_veh in walk.stay(label, p, q, g):
                    rank = walk.rank(cost, queue_veh, q)
                    if k == len(grid_s) - 1:
                        best[first] = min(best.get(first, rank), rank)
                    elif grid_s[k] - grid_s[g] >= walk.shortest_s(p, q):
                        old = labels.get((k, q))
                        if old is None or rank < walk.rank(old.cost, old.queue_veh, q) - TIE:
                            labels[k, q] = Label(cost, queue_veh, first)
    return best


def exhaustive(
    model: Model, weights: Weights, grid_s: list[int], present: int, stages: int, lanes: int
) -> dict[int, float]:
    """The same over every sequence of stages with every length of each: for tiny cases."""
    walk = Walk(model, weights, grid_s, lanes)
    best: dict[int, float] = {}
    last = len(grid_s) - 1

    def go_on(label: Label, p: int, g: int) -> None:
        for q in range(stages):
            if (p == q and g > 0) or (p != q and not model.allowed[q]):
                continue
            first = label.first if g > 0 or p == q else q
            for k, cost, queue_veh in walk.stay(label, p, q, g):
                if k == last:
                    rank = walk.rank(cost, queue_veh, q)
                    best[first] = min(best.get(first, rank), rank)
                elif grid_s[k] - grid_s[g] >= walk.shortest_s(p, q):
                    go_on(Label(cost, queue_veh, first), q, k)

    go_on(Label(0.0, [float(n) for n in model.queue_veh[:lanes]], HOLD), present, 0)
    return best


__all__ = ["HOLD", "exhaustive", "search"]
