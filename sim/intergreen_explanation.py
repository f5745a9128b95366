"""Where the intergreen of two signal groups comes from, down to the metres and the seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ampelwerk.models.envelope import RoadUser
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.profile import Profile, RilsaProfile, SumoProfile
from ampelwerk.sim import program_times
from ampelwerk.sim.intergreens import IntergreenTrace, intergreen_traces
from ampelwerk.sim.network_import import read_signal
from ampelwerk.sim.signal_import import SignalImport


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramGap:
    """What the scenario's own programs show of two groups."""

    smallest_gap_s: float | None
    """Smallest time from an end of green of the first to a start of the second; None if never. [s]"""
    clearing_s: float
    """Longest time from an end of green of the first to the start of the next stage. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntergreenExplanation:
    """The intergreen of two signal groups, and what it follows from."""

    intersection: str
    """The intersection."""
    clearing: str
    """Signal group whose green ends."""
    entering: str
    """Signal group whose green begins."""
    profile: str
    """Rule profile and version."""
    intergreen_s: float | None
    """End of green to start of green; None if the groups do not conflict. [s]"""
    amber_s: float
    """Amber of the clearing group. [s]"""
    red_amber_s: float
    """Red-amber of the entering group. [s]"""
    streams: tuple[IntergreenTrace, ...]
    """Profile rilsa: every pair of streams, the one that decides first."""
    program: ProgramGap | None
    """Profile sumo: what the programs show."""


def explain_intergreen(
    net_file: Path,
    additional_files: Sequence[Path],
    profile: Profile,
    intersection: str,
    clearing: str,
    entering: str,
) -> IntergreenExplanation:
    """Trace the intergreen from the end of green of one group to the start of another.

    Raises
    ------
    InvalidInputError : there is no such intersection or group.
    """
    signal = read_signal(net_file, additional_files, profile, intersection)
    site = signal.intersection()
    names = [str(group.group_id) for group in site.envelope.groups]
    for name in (clearing, entering):
        if name not in names:
            raise InvalidInputError(
                "the intersection has no signal group of that name",
                where=intersection,
                found=name,
                limit=", ".join(names),
            )
    a, b = names.index(clearing), names.index(entering)
    gap_ds = site.envelope.intergreen_ds[a][b]
    traces: list[IntergreenTrace] = []
    program = None
    if gap_ds is not None and isinstance(profile, RilsaProfile):
        streams = signal.streams()
        traces = intergreen_traces(streams[a], streams[b], profile)
        traces.sort(key=lambda trace: -trace.exact_s)
    elif gap_ds is not None and isinstance(profile, SumoProfile):
        program = _program_gap(signal, a, b, profile)
    return IntergreenExplanation(
        intersection=intersection,
        clearing=clearing,
        entering=entering,
        profile=site.envelope.profile,
        intergreen_s=None if gap_ds is None else gap_ds / 10,
        amber_s=site.envelope.groups[a].amber_ds / 10,
        red_amber_s=site.envelope.groups[b].red_amber_ds / 10,
        streams=tuple(traces),
        program=program,
    )


def _program_gap(signal: SignalImport, a: int, b: int, profile: SumoProfile) -> ProgramGap:
    gap_ds = program_times.smallest_gap_ds(signal.lamps, a, b)
    walks = signal.users()[a] is RoadUser.PEDESTRIAN
    times = program_times.group_times(signal.lamps, a, profile, pedestrian=walks)
    return ProgramGap(
        smallest_gap_s=None if gap_ds is None else gap_ds / 10, clearing_s=times.clearing_ds / 10
    )
