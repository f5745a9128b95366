"""How far two controls agree on the same recorded loops: decision by decision, and in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ampelwerk.models.network import Network
from ampelwerk.sim.decisions import Decision, WantedStages, by_intersection, wanted_stages


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Two lists of decisions compared."""

    recorded: int
    """Decisions recorded."""
    replayed: int
    """Decisions of the replay."""
    same: int
    """Decisions found in both: same time, intersection and stage."""
    same_stage_share: tuple[tuple[str, float], ...]
    """(intersection, share of time in which both wanted the same stage), for the intersections
    that both controls run as one."""

    @property
    def overall_share(self) -> float | None:
        """The mean of these shares; None without an intersection that both run as one."""
        shares = [share for _, share in self.same_stage_share]
        return sum(shares) / len(shares) if shares else None


def agreement(
    recorded: Sequence[Decision],
    recorded_network: Network,
    replayed: Sequence[Decision],
    replayed_network: Network,
    begin_s: float,
    end_s: float,
) -> Agreement:
    """Compare the decisions of a replay with the recorded ones, each on the network it is for."""
    there = {
        site.intersection_id: decisions
        for site, decisions in zip(
            replayed_network.intersections,
            by_intersection(replayed, replayed_network),
            strict=True,
        )
    }
    pairs = [
        (site, decisions, there[site.intersection_id])
        for site, decisions in zip(
            recorded_network.intersections,
            by_intersection(recorded, recorded_network),
            strict=True,
        )
        if site.intersection_id in there
    ]
    return Agreement(
        recorded=len(recorded),
        replayed=len(replayed),
        same=len(_keys(recorded, recorded_network) & _keys(replayed, replayed_network)),
        same_stage_share=tuple(
            (
                str(site.intersection_id),
                _share(
                    wanted_stages(site, here, begin_s, end_s),
                    wanted_stages(site, other, begin_s, end_s),
                    end_s,
                ),
            )
            for site, here, other in pairs
        ),
    )


def _keys(decisions: Sequence[Decision], network: Network) -> set[tuple[float, str, str]]:
    """What was decided, by name."""
    found = set()
    for decision in decisions:
        site = network.intersections[decision.wish.intersection]
        stage = site.stages[decision.wish.stage]
        found.add((decision.time_s, str(site.intersection_id), str(stage.stage_id)))
    return found


def _share(a: WantedStages, b: WantedStages, end_s: float) -> float:
    """Share of time with the same stage."""
    times_s = sorted({*a.times_s, *b.times_s})
    spans = zip(times_s, [*times_s[1:], end_s], strict=True)
    same_s = sum(stop - start for start, stop in spans if a.at(start) == b.at(start))
    return same_s / (end_s - times_s[0])
