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
    """(intersection, share of time in which both wanted the same stage)."""

    @property
    def overall_share(self) -> float:
        """Share of time in which both wanted the same stage, mean over the intersections."""
        shares = [share for _, share in self.same_stage_share]
        return sum(shares) / len(shares) if shares else 1.0


def agreement(
    network: Network,
    recorded: Sequence[Decision],
    replayed: Sequence[Decision],
    begin_s: float,
    end_s: float,
) -> Agreement:
    """Compare the decisions of a replay with the recorded ones."""
    pairs = zip(
        network.intersections,
        by_intersection(recorded, network),
        by_intersection(replayed, network),
        strict=True,
    )
    return Agreement(
        recorded=len(recorded),
        replayed=len(replayed),
        same=len({_key(d) for d in recorded} & {_key(d) for d in replayed}),
        same_stage_share=tuple(
            (
                str(site.intersection_id),
                _share(
                    wanted_stages(site, here, begin_s, end_s),
                    wanted_stages(site, there, begin_s, end_s),
                    end_s,
                ),
            )
            for site, here, there in pairs
        ),
    )


def _key(decision: Decision) -> tuple[float, int, int]:
    return decision.time_s, decision.wish.intersection, decision.wish.stage


def _share(a: WantedStages, b: WantedStages, end_s: float) -> float:
    """Share of time with the same stage."""
    times_s = sorted({*a.times_s, *b.times_s})
    spans = zip(times_s, [*times_s[1:], end_s], strict=True)
    same_s = sum(stop - start for start, stop in spans if a.at(start) == b.at(start))
    return same_s / (end_s - times_s[0])
