"""A made-up city whose signals do what is wished."""

from __future__ import annotations

import numpy as np

from ampelwerk.engine.city_engine import CityEngine
from ampelwerk.engine.kernels.decision import Choice
from tests.engine.synthetic_city import Edges, Obedience, city_of, play, street_of


class Town:
    """A made-up city that runs."""

    def __init__(self, size: int, threads: int) -> None:
        self.city = city_of(size, seed=4)
        self.engine = CityEngine(self.city, 0.0, 1.0, threads=threads)
        self._street = street_of(self.city, 0.9, seed=4)
        self._signals = Obedience(self.city, self.engine.signals)
        self._rng = np.random.default_rng(4)
        room = 9 * self.city.lanes
        self._edges = Edges(np.zeros(room, np.int64), np.zeros(room), np.zeros(room, np.int64))
        self.second = 0

    def edges(self) -> Edges:
        """What the loops report of the next second."""
        green, chance = self.engine.signals.green, self._rng.random(self.city.lanes)
        count = play(self._street, green, self.second, chance, self._edges)
        self.second += 1
        order = np.argsort(self._edges.at_s[:count], kind="stable")
        edges = self._edges
        return Edges(edges.loop[order], edges.at_s[order], edges.on[order])

    def tick(self) -> Choice:
        """One second."""
        choice = self.engine.tick(*self.edges(), float(self.second))
        self._signals.obey(choice, float(self.second))
        return choice
