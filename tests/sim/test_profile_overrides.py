"""Amber, all-red and minimum green that replace those of a scenario's own program."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from ampelwerk.models.intersection import Intersection
from ampelwerk.models.profile import Profile, RilsaProfile, SumoProfile
from ampelwerk.sim.network_import import read_intersections
from ampelwerk.sim.scenario import resolve
from tests.conftest import SmallScenario
from tests.sim.runs import simulate
from tests.sim.test_rilsa import greens_s

OWN_AMBER_DS = 50
"""cologne1's own program: 5 s of amber and no all-red."""


def cologne1(profile: Profile) -> Intersection:
    scenario = resolve("cologne1")
    (site,) = read_intersections(
        scenario.net_file, scenario.additional_files, profile
    ).intersections
    return site


def intergreens_ds(site: Intersection) -> set[int]:
    return {gap for row in site.envelope.intergreen_ds for gap in row if gap is not None}


def ambers_ds(site: Intersection) -> set[int]:
    return {group.amber_ds for group in site.envelope.groups}


@pytest.fixture(scope="module")
def own() -> Intersection:
    return cologne1(SumoProfile())


def test_without_overrides_times_are_the_programs_own(own: Intersection) -> None:
    assert ambers_ds(own) == {OWN_AMBER_DS}
    assert own.envelope.profile == "sumo/1"


@pytest.mark.parametrize("amber_s", [3.0, 6.5])
def test_amber_alone_keeps_the_programs_all_red(own: Intersection, amber_s: float) -> None:
    site = cologne1(SumoProfile(amber_override_s=amber_s))
    assert ambers_ds(site) == {round(10 * amber_s)}
    moved_ds = round(10 * amber_s) - OWN_AMBER_DS
    assert intergreens_ds(site) == {gap_ds + moved_ds for gap_ds in intergreens_ds(own)}


def test_all_red_makes_intergreens_amber_and_all_red() -> None:
    site = cologne1(SumoProfile(amber_override_s=3, all_red_override_s=2))
    assert ambers_ds(site) == {30}
    assert intergreens_ds(site) == {50}
    alone = cologne1(SumoProfile(all_red_override_s=2))
    assert intergreens_ds(alone) == {OWN_AMBER_DS + 20}
    assert alone.envelope.profile == "sumo/1 (all-red 2 s)"


def test_plan_is_drawn_out_for_longer_times_and_kept_for_shorter_ones(own: Intersection) -> None:
    longer = cologne1(SumoProfile(amber_override_s=3, all_red_override_s=4))
    assert longer.plans[0].cycle_ds > own.plans[0].cycle_ds
    for mine_s, given_s in zip(greens_s(longer), greens_s(own), strict=True):
        assert mine_s >= given_s
    assert any("plan_drawn_out" in str(finding) for finding in longer.findings)
    shorter = cologne1(SumoProfile(amber_override_s=3, all_red_override_s=0))
    assert shorter.plans[0] == own.plans[0]


def test_labels_name_what_is_not_the_profiles_own() -> None:
    assert SumoProfile(amber_override_s=3, all_red_override_s=0, min_green_override_s=7).label == (
        "sumo/1 (amber 3 s, all-red 0 s, min green 7 s)"
    )
    assert RilsaProfile().label == "rilsa/1"
    assert RilsaProfile(min_green_s=10).label == "rilsa/1 (min green 10 s)"


@pytest.mark.sumo
def test_lamps_show_the_amber_that_was_given(small: SmallScenario, tmp_path: Path) -> None:
    scenario = resolve(str(small.net), routes=[small.routes], end_s=400.0)
    profile = SumoProfile(amber_override_s=4, all_red_override_s=1, min_green_override_s=8)
    for control in ("fixed", "rolling-horizon"):
        measures = simulate(scenario, tmp_path / control, control, profile=profile)
        assert measures["profile"] == profile.label
        assert measures["safety"]["violations"] == 0
        assert measures["safety"]["checked_switches"] > 20
        assert ambers_shown_s(tmp_path / control / "signals.csv", "A0") == {4.0}


def ambers_shown_s(signals: Path, intersection: str) -> set[float]:
    """Lengths of all ambers that began and ended in a record; it may begin amid one."""
    found, since_s = set(), dict[int, float]()
    with signals.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["intersection"] != intersection:
                continue
            for link, letter in enumerate(row["state"]):
                if letter == "y" and float(row["time"]) > 0.0:
                    since_s.setdefault(link, float(row["time"]))
                elif link in since_s:
                    found.add(float(row["time"]) - since_s.pop(link))
    return found
