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


@dataclass(frozen=True)
class Service:
    """Service of a lane, and what it is before and after the way is clear."""

    clear_s: float
    before: float
    after: float

    def between(self, begin_s: float, end_s: float) -> float:
        """Vehicles that could leave between two moments."""
        opposed_s = min(max(self.clear_s - begin_s, 0.0), end_s - begin_s)
        return self.before * opposed_s + self.after * (end_s - begin_s - opposed_s)


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

    def service(
        self, label: Label, p: int, q: int, lane: int, now_s: float, begin_s: float
    ) -> Service:
        """What a lane is able to serve in stage q after stage p."""
        model = self.model
        flow, opposed = float(model.flow_veh_s[q, lane]), float(model.opposed_veh_s[q, lane])
        foes = [
            foe
            for foe in self.lanes
            if int(model.foes[q, lane]) >> foe & 1 and model.flow_veh_s[q, foe] > 0
        ]
        if flow <= 0 or not int(model.foes[q, lane]):
            return Service(0.0, flow, flow)
        clear_s, free = 0.0, 1.0
        for foe in foes:
            theirs = float(model.flow_veh_s[q, foe])
            rate = sum(float(n) for n in model.arriving_veh[: len(self.grid_s) - 1, foe])
            spare = max(0.1 * theirs, theirs - rate / max(1.0, self.grid_s[-1]))
            since_s = now_s if model.flow_veh_s[p, foe] > 0 else begin_s
            clear_s = max(clear_s, since_s + label.queue_veh[foe] / spare)
            free *= spare / theirs
        if opposed >= flow:
            return Service(clear_s, flow, flow)
        return Service(clear_s, opposed, opposed + (flow - opposed) * free)

    def stopped(self, p: int, q: int) -> float:
        """The first who comes to each lane that loses green has to stop, if anybody comes."""
        model, cost = self.model, 0.0
        for lane in self.lanes:
            if model.flow_veh_s[p, lane] > 0 and not model.flow_veh_s[q, lane] > 0:
                came = sum(float(n) for n in model.arriving_veh[: len(self.grid_s) - 1, lane])
                cost += self.weights.stop_s * float(model.weight[lane]) * min(1.0, came)
        return cost

    def stay(self, label: Label, p: int, q: int, g: int) -> list[tuple[int, float, list[float]]]:
        """Change from stage p to q at moment g and keep it: cost and queues at each moment."""
        model, grid_s = self.model, self.grid_s
        begin_s = grid_s[g] + model.lost_s[p, q] + self.weights.start_up_s
        queue_veh, cost = list(label.queue_veh), label.cost + self.stopped(p, q)
        left_veh = [float(model.cap_veh[q, lane]) for lane in self.lanes]
        service = [self.service(label, p, q, lane, grid_s[g], begin_s) for lane in self.lanes]
        found = []
        for k in range(g + 1, len(grid_s)):
            step_s = grid_s[k] - grid_s[k - 1]
            for lane in self.lanes:
                n, weight = queue_veh[lane], model.weight[lane]
                open_s = min(max(grid_s[k] - begin_s, 0.0), step_s)
                if model.flow_veh_s[p, lane] > 0:
                    open_s = step_s
                demand = n + model.arriving_veh[k - 1, lane]
                able = service[lane].between(grid_s[k] - open_s, grid_s[k])
                gone = min(able, demand, left_veh[lane])
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
