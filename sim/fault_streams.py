"""What each kind of fault does to the edges of its loops, tick by tick.

A stream takes the edges of a tick and gives those that arrive instead. Edges of healthy loops pass
in their order and untouched. Each faulty loop draws from random numbers of its own, so what happens
on one loop changes nothing on another. The edges of a loop stay in order of time, except where the
fault is that they do not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from random import Random

Edge = tuple[int, float, int]
"""Loop, time in seconds, 1 rising or 0 falling."""
Stream = Callable[[list[Edge], float], list[Edge]]
"""(edges, end of the tick in seconds) -> edges."""

SHORTEST_PULSE_S, LONGEST_PULSE_S = 0.02, 0.06
"""A pulse of a chattering loop; a car at 50 km/h gives 0.4 s. [s]"""
LONGEST_CUT_S = 0.1
"""Gap in a pulse that is counted twice. [s]"""
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Which loops fail, when, and how strongly."""

    random: Mapping[int, Random]
    """Random numbers of each faulty loop."""
    from_s: float
    """When they fail. [s]"""
    level: float
    """How strongly, as in `models.faults`."""
    step_s: float
    """Length of a tick. [s]"""

    def draw(self, loop: int, percent: float) -> bool:
        """True as often as the percentage says."""
        return self.random[loop].random() < percent / 100


class Stuck:
    """From some moment on no edge comes; the output is held at one value.

    Parameters
    ----------
    held : 1 occupied, 0 free, None as it was.
    """

    def __init__(self, setting: Setting, held: int | None) -> None:
        self._set, self._held = setting, held
        self._on = dict.fromkeys(setting.random, 0)
        self._failed = False

    def __call__(self, edges: list[Edge], now_s: float) -> list[Edge]:
        """The edges of healthy loops, and once those that bring the others to what they hold."""
        from_s = self._set.from_s
        if now_s <= from_s:
            _follow(self._on, edges)
            return edges
        if self._failed:
            return [edge for edge in edges if edge[0] not in self._on]
        out = [edge for edge in edges if edge[0] not in self._on or edge[1] <= from_s]
        _follow(self._on, out)
        self._failed = True
        if self._held is not None:
            held = self._held
            out += [(loop, from_s, held) for loop, on in self._on.items() if on != held]
        return out


class EdgeByEdge:
    """Every edge of a faulty loop becomes none, one or several at once."""

    def __init__(self, setting: Setting, become: Callable[[Edge, float], Sequence[Edge]]) -> None:
        self._set, self._become = setting, become

    def __call__(self, edges: list[Edge], now_s: float) -> list[Edge]:
        """What the edges became."""
        if now_s <= self._set.from_s:
            return edges
        out: list[Edge] = []
        for edge in edges:
            if edge[0] in self._set.random:
                out += self._become(edge, now_s)
            else:
                out.append(edge)
        return out


def drop(setting: Setting) -> Stream:
    """Edges are lost, rising and falling alike."""
    return EdgeByEdge(
        setting, lambda edge, _: () if setting.draw(edge[0], setting.level) else (edge,)
    )


def duplicate(setting: Setting) -> Stream:
    """Edges are sent twice."""
    return EdgeByEdge(
        setting, lambda edge, _: (edge, edge) if setting.draw(edge[0], setting.level) else (edge,)
    )


def gaps(setting: Setting) -> Stream:
    """Silence and service take turns, each as long as the level; loops are out of step."""
    phase = {loop: 2 * random.random() for loop, random in setting.random.items()}

    def become(edge: Edge, now_s: float) -> Sequence[Edge]:
        turn = (now_s - setting.from_s) / setting.level + phase[edge[0]]
        return () if turn % 2 < 1 else (edge,)

    return EdgeByEdge(setting, become)


def garbage(setting: Setting, loops: int) -> Stream:
    """Edges become what cannot be: no number, another hour, an unknown loop, a third state."""

    def become(edge: Edge, now_s: float) -> Sequence[Edge]:
        if not setting.draw(edge[0], setting.level):
            return (edge,)
        loop, at_s, on = edge
        broken: Sequence[Edge] = (
            *((loop, t, on) for t in (math.nan, math.inf, -math.inf, -1e18, 1e18)),
            *((loop, at_s + t, on) for t in (-HOUR_S, HOUR_S)),
            *((k, at_s, on) for k in (-1, loops, 2**62)),
            *((loop, at_s, k) for k in (-1, 2)),
        )
        return (setting.random[loop].choice(broken),)

    return EdgeByEdge(setting, become)


class Delayed:
    """Edges arrive later than they happened, with their true times.

    Parameters
    ----------
    drawn : every edge has a delay of its own, from 0 to the level; else all have the level.
    """

    def __init__(self, setting: Setting, *, drawn: bool) -> None:
        self._set, self._drawn = setting, drawn
        self._waiting: list[tuple[float, int, Edge]] = []
        self._count = 0

    def __call__(self, edges: list[Edge], now_s: float) -> list[Edge]:
        """Edges of healthy loops, then those whose time has come."""
        setting = self._set
        if now_s <= setting.from_s:
            return edges
        out: list[Edge] = []
        for edge in edges:
            random = setting.random.get(edge[0])
            if random is None or not math.isfinite(edge[1]):
                out.append(edge)
                continue
            delay_s = setting.level * random.random() if self._drawn else setting.level
            self._count += 1
            heappush(self._waiting, (edge[1] + delay_s, self._count, edge))
        while self._waiting and self._waiting[0][0] <= now_s:
            out.append(heappop(self._waiting)[2])
        return out


class Chatter:
    """Short extra pulses while nothing is on the loop."""

    def __init__(self, setting: Setting) -> None:
        self._set = setting
        self._on = dict.fromkeys(setting.random, 0)

    def __call__(self, edges: list[Edge], now_s: float) -> list[Edge]:
        """The edges and the pulses."""
        if now_s <= self._set.from_s:
            _follow(self._on, edges)
            return edges
        out, own = _split(edges, self._on)
        for loop, random in self._set.random.items():
            mine = own.get(loop, [])
            pulses = self._pulses(random, now_s)
            free = [pulse for pulse in pulses if not self._occupied(loop, mine, *pulse)]
            for rise_s, fall_s in free:
                mine += [(loop, rise_s, 1), (loop, fall_s, 0)]
            mine.sort(key=_time)
            out += mine
        _follow(self._on, edges)
        return out

    def _pulses(self, random: Random, now_s: float) -> list[tuple[float, float]]:
        """Rise and fall of the pulses of a tick, spread over it without overlap."""
        step_s = self._set.step_s
        count = int(self._set.level / 60 * step_s + random.random())
        pulses = []
        for k in range(count):
            length_s = random.uniform(SHORTEST_PULSE_S, LONGEST_PULSE_S)
            room_s = max(0.0, step_s / count - length_s)
            rise_s = now_s - step_s + k * step_s / count + room_s * random.random()
            pulses.append((rise_s, min(rise_s + length_s, now_s)))
        return pulses

    def _occupied(self, loop: int, mine: Sequence[Edge], rise_s: float, fall_s: float) -> bool:
        """A vehicle is on the loop during the pulse, or comes or goes."""
        on = self._on[loop]
        for _, at_s, is_on in sorted(mine, key=_time):
            if at_s <= rise_s:
                on = is_on
            elif at_s <= fall_s:
                return True
        return on != 0


class SplashOver:
    """A loop sees some vehicles of the next lane, too; what overlaps is one pulse.

    Parameters
    ----------
    beside : faulty loop -> loop whose vehicles it sees.
    """

    def __init__(self, setting: Setting, beside: Mapping[int, int]) -> None:
        self._set, self._beside = setting, beside
        self._own = dict.fromkeys(setting.random, 0)
        self._ghost = dict.fromkeys(setting.random, 0)

    def __call__(self, edges: list[Edge], now_s: float) -> list[Edge]:
        """The edges, those of faulty loops mixed with the neighbour's."""
        if now_s <= self._set.from_s:
            _follow(self._own, edges)
            return edges
        out, own = _split(edges, self._own)
        for loop in self._set.random:
            other = self._beside[loop]
            seen = [edge for edge in edges if edge[0] == other]
            if not seen:
                mine = own.get(loop, [])
                if not self._ghost[loop]:
                    _follow(self._own, mine)
                    out += mine
                    continue
            for edge in sorted([*own.get(loop, []), *seen], key=_time):
                out += self._mixed(loop, edge)
        return out

    def _mixed(self, loop: int, edge: Edge) -> Sequence[Edge]:
        """What an edge of the loop or of its neighbour changes in what the loop sends."""
        source, at_s, on = edge
        if source == loop:
            self._own[loop] = on
            return () if self._ghost[loop] else (edge,)
        if on == self._ghost[loop] or (on and not self._set.draw(loop, self._set.level)):
            return ()
        self._ghost[loop] = on
        return () if self._own[loop] else ((loop, at_s, on),)


class Miscounting:
    """Vehicles are missed, or cut in two, so that counts are too low or too high.

    Parameters
    ----------
    factor : time in s -> vehicles counted for one.
    """

    def __init__(self, setting: Setting, factor: Callable[[float], float]) -> None:
        self._set, self._factor = setting, factor
        self._rise_s: dict[int, float | None] = dict.fromkeys(setting.random)

    def __call__(self, edges: list[Edge], now_s: float) -> list[Edge]:
        """The edges, with pulses taken out or cut."""
        failed = now_s > self._set.from_s
        out: list[Edge] = []
        for edge in edges:
            loop, at_s, on = edge
            if loop not in self._rise_s:
                out.append(edge)
                continue
            percent = 100 * (self._factor(now_s) - 1) if failed else 0.0
            if on:
                if percent < 0 and self._set.draw(loop, -percent):
                    continue
                self._rise_s[loop] = at_s
                out.append(edge)
                continue
            rise_s = self._rise_s[loop]
            if failed and rise_s is None:
                continue  # the fall of a pulse that was missed
            if rise_s is not None and percent > 0 and self._set.draw(loop, percent):
                cut_s = min(LONGEST_CUT_S, (at_s - rise_s) / 3)
                out += [(loop, at_s - 2 * cut_s, 0), (loop, at_s - cut_s, 1)]
            self._rise_s[loop] = None
            out.append(edge)
        return out


def bias(setting: Setting) -> Stream:
    """The count is wrong by a constant factor."""
    return Miscounting(setting, lambda _: setting.level)


def drift(setting: Setting) -> Stream:
    """The count is wrong by a factor that grows with time, 0 to 2."""

    def factor(now_s: float) -> float:
        hours = (now_s - setting.from_s) / HOUR_S
        return min(2.0, max(0.0, 1 + setting.level / 100 * hours))

    return Miscounting(setting, factor)


class Swapped:
    """Two loops send under each other's name.

    Parameters
    ----------
    other : faulty loop -> the one it is mistaken for; both are in it.
    """

    def __init__(self, setting: Setting, other: Mapping[int, int]) -> None:
        self._from_s, self._other = setting.from_s, other
        self._on = dict.fromkeys(setting.random, 0)
        self._failed = False

    def __call__(self, edges: list[Edge], now_s: float) -> list[Edge]:
        """The edges under the wrong names, and once those that swap what was occupied."""
        if now_s <= self._from_s:
            _follow(self._on, edges)
            return edges
        if self._failed:
            return [(self._other.get(loop, loop), at_s, on) for loop, at_s, on in edges]
        self._failed = True
        before = [edge for edge in edges if edge[1] <= self._from_s]
        _follow(self._on, before)
        swap = [
            (loop, self._from_s, self._on[other])
            for loop, other in self._other.items()
            if self._on[other] != self._on[loop]
        ]
        after = [
            (self._other.get(loop, loop), at_s, on)
            for loop, at_s, on in edges
            if not at_s <= self._from_s
        ]
        return [*before, *swap, *after] if self._other else edges


def _time(edge: Edge) -> float:
    return edge[1]


def _follow(on: dict[int, int], edges: Sequence[Edge]) -> None:
    """Keep in mind which loops are occupied."""
    for loop, _, is_on in edges:
        if loop in on:
            on[loop] = is_on


def _split(
    edges: Sequence[Edge], faulty: Mapping[int, int]
) -> tuple[list[Edge], dict[int, list[Edge]]]:
    """Edges of healthy loops, and those of each faulty one."""
    healthy: list[Edge] = []
    own: dict[int, list[Edge]] = {}
    for edge in edges:
        if edge[0] in faulty:
            own.setdefault(edge[0], []).append(edge)
        else:
            healthy.append(edge)
    return healthy, own
