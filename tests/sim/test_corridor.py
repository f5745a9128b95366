"""Our own network: it builds once, imports whole, fits the rilsa profile, and runs."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from ampelwerk.engine.strategies.actuated import stage_order
from ampelwerk.models.envelope import RoadUser
from ampelwerk.models.errors import SimulationError
from ampelwerk.models.profile import Profile, RilsaProfile, SumoProfile
from ampelwerk.sim import corridor
from ampelwerk.sim.network_import import ImportedSignals, read_intersections
from ampelwerk.sim.scenario import resolve
from tests.sim.runs import simulate

CROSSINGS = range(14, 18)
"""Links of the crossings at every signal: north, east, south, west arm."""


@pytest.fixture(scope="module")
def configuration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return corridor.build_corridor(tmp_path_factory.mktemp("cache"))


def imported(configuration: Path, profile: Profile) -> ImportedSignals:
    scenario = resolve(str(configuration))
    return read_intersections(scenario.net_file, scenario.additional_files, profile)


def test_cache_follows_the_xdg_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert corridor.cache_directory() == tmp_path / "ampelwerk"
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    assert corridor.cache_directory().is_absolute()


@pytest.mark.sumo
def test_it_is_built_once_and_again_when_its_sources_change(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    first = corridor.build_corridor(cache)
    built = (first.parent / "corridor.net.xml").stat().st_mtime_ns
    assert corridor.build_corridor(cache) == first
    assert (first.parent / "corridor.net.xml").stat().st_mtime_ns == built
    assert list(cache.iterdir()) == [first.parent]

    changed = tmp_path / "sources"
    shutil.copytree(corridor.SOURCES, changed)
    with (changed / "corridor.rou.xml").open("a", encoding="utf-8") as file:
        file.write("<!-- changed -->\n")
    monkeypatch.setattr(corridor, "SOURCES", changed)
    assert corridor.build_corridor(cache).parent != first.parent


@pytest.mark.sumo
def test_sources_that_netconvert_refuses_leave_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "sources"
    shutil.copytree(corridor.SOURCES, broken)
    (broken / "corridor.edg.xml").write_text("<edges><edge", encoding="utf-8")
    monkeypatch.setattr(corridor, "SOURCES", broken)
    with pytest.raises(SimulationError, match="netconvert"):
        corridor.build_corridor(tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


@pytest.mark.sumo
def test_cache_that_is_no_folder_is_refused_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("", encoding="utf-8")
    with pytest.raises(SimulationError, match="XDG_CACHE_HOME"):
        corridor.build_corridor(tmp_path / "cache")


@pytest.mark.sumo
@pytest.mark.parametrize("profile", [SumoProfile(), RilsaProfile()], ids=["sumo", "rilsa"])
def test_every_signal_is_controlled_with_its_crossings(
    configuration: Path, profile: Profile
) -> None:
    signals = imported(configuration, profile)
    assert signals.uncontrolled == ()
    assert [str(s.envelope.intersection_id) for s in signals.intersections] == [
        "j0", "j1", "j2", "j3", "j4",
    ]  # fmt: skip
    for site in signals.intersections:
        walking = {site.sumo_link_group[link] for link in CROSSINGS}
        assert len(walking) == len(CROSSINGS)
        assert all(site.envelope.groups[g].road_user is RoadUser.PEDESTRIAN for g in walking)


@pytest.mark.sumo
def test_nobody_crosses_the_arterial_without_a_signal(configuration: Path) -> None:
    net = imported(configuration, SumoProfile()).net
    crossings = {e.edge_id for e in net.edges.values() if e.function == "crossing"}
    assert crossings == {f":j{k}_c{arm}" for k in range(5) for arm in range(4)}


@pytest.mark.sumo
def test_program_satisfies_the_rilsa_profile_as_it_is(configuration: Path) -> None:
    signals = imported(configuration, RilsaProfile())
    for site in signals.intersections:
        assert [plan.cycle_ds for plan in site.plans] == [900]
        assert {finding.rule for finding in site.findings} <= {"split_lane"}


def test_stages_with_pedestrians_come_before_the_same_without(configuration: Path) -> None:
    """Though the program leads in to the side road by red-amber without them."""
    for site in imported(configuration, SumoProfile()).intersections:
        order = stage_order(site)
        shown = [s for s, stage in enumerate(site.stages) if stage.selectable and stage.delivered]
        assert sorted(order) == shown
        pairs = [(s, t) for s in order if (t := site.without_walkers(s)) is not None]
        assert len(pairs) >= 2
        assert all(order.index(with_) < order.index(without) for with_, without in pairs)


@pytest.mark.sumo
def test_it_runs_safely_and_pedestrians_get_green(configuration: Path, tmp_path: Path) -> None:
    scenario = resolve(str(configuration), end_s=600)
    measures = simulate(scenario, tmp_path / "run", "actuated")
    assert measures["uncontrolled"] == []
    assert measures["safety"]["violations"] == 0
    assert measures["safety"]["collisions_by_signals"] == 0
    assert measures["completed"] > 100
    assert not measures["gridlock"]
    with (tmp_path / "run" / "signals.csv").open(encoding="utf-8") as file:
        states = [(row[1], row[2]) for row in csv.reader(file)]
    for k in range(5):
        shown = [state for name, state in states if name == f"j{k}"]
        across_the_arterial = any("G" in (state[15], state[17]) for state in shown)
        along_the_arterial = any("G" in (state[14], state[16]) for state in shown)
        assert across_the_arterial and along_the_arterial
