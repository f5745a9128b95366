"""Every intergreen of an envelope follows from what is said about it."""

from __future__ import annotations

import math

import pytest

from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.profile import Profile, RilsaProfile, SumoProfile
from ampelwerk.sim.intergreen_explanation import explain_intergreen
from ampelwerk.sim.network_import import read_intersections
from ampelwerk.sim.scenario import resolve


def pairs(name: str, profile: Profile) -> list[tuple[str, str, str, int]]:
    """Conflicting groups of some intersections, with their intergreen. [ds]"""
    scenario = resolve(name)
    signals = read_intersections(scenario.net_file, scenario.additional_files, profile)
    return [
        (str(site.intersection_id), str(a.group_id), str(b.group_id), gap_ds)
        for site in signals.intersections[:2]
        for a, row in zip(site.envelope.groups, site.envelope.intergreen_ds, strict=True)
        for b, gap_ds in zip(site.envelope.groups, row, strict=True)
        if gap_ds is not None
    ]


@pytest.mark.parametrize("name", ["cologne1", "corridor"])
def test_rilsa_intergreen_follows_from_its_streams(name: str) -> None:
    scenario, profile = resolve(name), RilsaProfile()
    for place, a, b, gap_ds in pairs(name, profile)[::7]:
        found = explain_intergreen(scenario.net_file, (), profile, place, a, b)
        assert found.intergreen_s == gap_ds / 10
        longest = []
        for trace in found.streams:
            t_r = (trace.clearing_m + trace.length_m) / trace.clearing_mps
            t_e = 0.0 if trace.entering_mps is None else trace.entering_m / trace.entering_mps
            assert trace.exact_s == pytest.approx(trace.crossing_s + t_r - t_e)
            longest.append(max(0, math.ceil(trace.exact_s - 1e-9)))
        assert [trace.result_s for trace in found.streams] == longest
        assert longest == sorted(longest, reverse=True)
        assert gap_ds / 10 == max(longest[0], found.amber_s + found.red_amber_s)


def test_sumo_intergreen_follows_from_the_program() -> None:
    scenario, profile = resolve("corridor"), SumoProfile()
    for place, a, b, gap_ds in pairs("corridor", profile)[::7]:
        found = explain_intergreen(scenario.net_file, (), profile, place, a, b)
        assert found.streams == () and found.program is not None
        limits = [found.program.smallest_gap_s, found.program.clearing_s]
        assert gap_ds / 10 == min(limit for limit in limits if limit is not None)


def test_groups_without_conflict_have_none() -> None:
    scenario = resolve("cologne1")
    place = "GS_cluster_357187_359543"
    found = explain_intergreen(scenario.net_file, (), RilsaProfile(), place, "K1", "K5")
    assert found.intergreen_s is None and found.streams == () and found.program is None


def test_unknown_names_are_refused() -> None:
    scenario = resolve("corridor")
    with pytest.raises(InvalidInputError, match=r"found: K77; allowed: K1"):
        explain_intergreen(scenario.net_file, (), RilsaProfile(), "j0", "K1", "K77")
    with pytest.raises(InvalidInputError, match=r"no signal of that name.*found: j9; allowed: j0"):
        explain_intergreen(scenario.net_file, (), RilsaProfile(), "j9", "K1", "K2")
