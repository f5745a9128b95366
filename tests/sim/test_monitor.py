"""The witness finds every corruption of a real record, and nothing in the record itself.

The record is one that SUMO wrote of cologne8 under priority-index. Each corruption changes the
lamps of one signal as a fault would, and names the rule by which it must be found.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from ampelwerk.models.intersection import Intersection
from ampelwerk.models.profile import Profile, RilsaProfile, SumoProfile
from ampelwerk.sim import monitor
from ampelwerk.sim.monitor_net import SignalLinks, read_links
from ampelwerk.sim.network_import import read_intersections
from ampelwerk.sim.scenario import resolve
from tests.sim.corruptions import CORRUPTIONS, RED_AMBER_CORRUPTIONS, Film, everything_green
from tests.sim.runs import simulate

pytestmark = pytest.mark.sumo

BEGIN, END = 25_200, 25_800


@dataclass(frozen=True)
class Record:
    """States by signal and second, as SUMO showed them."""

    sites: tuple[Intersection, ...]
    links: dict[str, SignalLinks]
    states: dict[str, list[str]]

    def lines(self, *, program: str = "online") -> list[str]:
        """The record as SUMO writes it."""
        return [
            f'    <tlsState time="{BEGIN + second}.00" id="{name}" '
            f'programID="{program}" phase="0" state="{states[second]}"/>\n'
            for second in range(len(next(iter(self.states.values()))))
            for name, states in self.states.items()
        ]

    def check_lines(
        self, path: Path, lines: list[str], *, native: bool = False
    ) -> monitor.WitnessReport:
        """Let the witness read a record."""
        path.write_text("".join(["<tlsStates>\n", *lines, "</tlsStates>\n"]), encoding="utf-8")
        end_s = BEGIN + len(next(iter(self.states.values())))
        return monitor.check(
            path, self.links, self.sites, begin_s=BEGIN, end_s=end_s, step_s=1.0, native=native
        )

    def check(
        self, path: Path, *, program: str = "online", native: bool = False
    ) -> monitor.WitnessReport:
        """Let the witness read this record."""
        return self.check_lines(path, self.lines(program=program), native=native)

    def with_states(self, site: Intersection, states: list[str]) -> Record:
        """The same record but for one signal."""
        return Record(self.sites, self.links, {**self.states, str(site.intersection_id): states})


def recorded(name: str, profile: Profile, begin_s: int, end_s: int, directory: Path) -> Record:
    """What SUMO wrote of a short run, read from the file that the run leaves."""
    scenario = resolve(name, begin_s=begin_s, end_s=end_s)
    measures = simulate(scenario, directory, "priority-index", profile=profile)
    assert measures["safety"]["violations"] == 0
    states: dict[str, list[str]] = {}
    with (directory / "signals.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            series = states.setdefault(row["intersection"], [])
            second = round(float(row["time"])) - begin_s
            series.extend([series[-1]] * (second - len(series)) if series else [])
            series.append(row["state"])
    for series in states.values():
        series.extend([series[-1]] * (end_s - begin_s - len(series)))
    signals = read_intersections(scenario.net_file, scenario.additional_files, profile)
    links = read_links(scenario.net_file, scenario.additional_files)
    return Record(signals.intersections, links, states)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Record:
    directory = tmp_path_factory.mktemp("record") / "run"
    return recorded("cologne8", SumoProfile(), BEGIN, END, directory)


@pytest.fixture(scope="module")
def rilsa(tmp_path_factory: pytest.TempPathFactory) -> Record:
    """One intersection whose envelope asks for red-amber."""
    directory = tmp_path_factory.mktemp("rilsa") / "run"
    return recorded("cologne1", RilsaProfile(), BEGIN, BEGIN + 300, directory)


def test_real_record_is_clean(clean: Record, tmp_path: Path) -> None:
    report = clean.check(tmp_path / "record.xml")
    assert report.violations == ()
    assert report.checked_switches > 1000


def test_rilsa_record_is_clean(rilsa: Record, tmp_path: Path) -> None:
    report = rilsa.check(tmp_path / "record.xml")
    assert report.violations == ()
    assert report.checked_switches > 100


@pytest.mark.parametrize("first", range(1, 40, 3))
def test_what_began_before_the_record_is_not_held_against_anybody(
    clean: Record, tmp_path: Path, first: int
) -> None:
    later = Record(clean.sites, clean.links, {k: s[first:] for k, s in clean.states.items()})
    assert later.check(tmp_path / "record.xml").violations == ()


@pytest.mark.parametrize("loss", ["empty", "cut", "step", "signal", "unreadable"])
def test_states_that_are_not_in_the_record_are_found(
    clean: Record, tmp_path: Path, loss: str
) -> None:
    lines, size = clean.lines(), len(clean.states)
    left = {
        "empty": [],
        "cut": lines[: len(lines) // 2],
        "step": lines[: 50 * size] + lines[51 * size :],
        "signal": [line for line in lines if f'id="{clean.sites[0].intersection_id}"' not in line],
        "unreadable": [line.replace(" state=", " lamps=") for line in lines],
    }[loss]
    report = clean.check_lines(tmp_path / "record.xml", left)
    found = [v.intersection for v in report.violations if v.rule == "RECORD"]
    missed = clean.sites[:1] if loss == "signal" else clean.sites
    assert found == [site.intersection_id for site in missed]


def test_short_red_is_found(clean: Record, tmp_path: Path) -> None:
    site = clean.sites[0]
    groups = tuple(replace(group, min_red_ds=3000) for group in site.envelope.groups)
    stricter = replace(site, envelope=replace(site.envelope, groups=groups))
    report = Record((stricter, *clean.sites[1:]), clean.links, clean.states).check(
        tmp_path / "record.xml"
    )
    assert {violation.rule for violation in report.violations} == {"MIN_RED"}


def test_overlaps_of_sumos_own_program_are_counted_but_no_violations(
    clean: Record, tmp_path: Path
) -> None:
    site = clean.sites[0]
    film = Film(site, clean.states[site.intersection_id])
    everything_green(film)
    spoilt = clean.with_states(site, film.states)
    report = spoilt.check(tmp_path / "record.xml", program="0", native=True)
    assert report.violations == ()
    assert report.source_overlaps > 0


def test_state_that_was_not_set_by_the_controller_is_found(clean: Record, tmp_path: Path) -> None:
    report = clean.check(tmp_path / "record.xml", program="0")
    assert {violation.rule for violation in report.violations} == {"CONTROL"}


@pytest.mark.parametrize(
    ("corrupt", "rule"), RED_AMBER_CORRUPTIONS, ids=[c[0].__name__ for c in RED_AMBER_CORRUPTIONS]
)
def test_corrupted_red_amber_is_found(
    rilsa: Record, tmp_path: Path, corrupt: Callable[[Film], None], rule: str
) -> None:
    site = rilsa.sites[0]
    film = Film(site, rilsa.states[site.intersection_id])
    corrupt(film)
    report = rilsa.with_states(site, film.states).check(tmp_path / "record.xml")
    assert rule in {violation.rule for violation in report.violations}


@pytest.mark.parametrize(("corrupt", "rule"), CORRUPTIONS, ids=[c[0].__name__ for c in CORRUPTIONS])
def test_corrupted_record_is_found(
    clean: Record, tmp_path: Path, corrupt: Callable[[Film], None], rule: str
) -> None:
    def worth(site: Intersection) -> int:
        states = clean.states[site.intersection_id]
        permissive = sum(state.count("g") for state in states)
        return permissive if rule == "DOUBLE_PRIORITY" else len(Film(site, states).greens())

    site = max(clean.sites, key=worth)
    film = Film(site, clean.states[site.intersection_id])
    corrupt(film)
    spoilt = clean.with_states(site, film.states)
    assert spoilt.states != clean.states
    report = spoilt.check(tmp_path / "record.xml")
    assert rule in {violation.rule for violation in report.violations}
    assert {violation.intersection for violation in report.violations} == {site.intersection_id}


@pytest.mark.parametrize("order", [-1, 1], ids=["foe before", "foe behind"])
def test_intergreen_of_nothing_is_found_wherever_the_foe_stands_in_the_string(
    clean: Record, tmp_path: Path, order: int
) -> None:
    site = max(clean.sites, key=lambda site: site.envelope.size)
    film = Film(site, clean.states[site.intersection_id])
    a, b, end, start = film.change(order)
    film.paint(a, end, start, "G")
    film.paint(a, start, start + film.amber(a), "r")
    report = clean.with_states(site, film.states).check(tmp_path / "record.xml")
    found = {(v.time_s, v.links) for v in report.violations if v.rule == "INTERGREEN"}
    assert {(BEGIN + start, (p, q)) for p in film.links(a) for q in film.links(b)} <= found


def test_longest_red_counts_one_that_lasts_to_the_end(clean: Record, tmp_path: Path) -> None:
    site = clean.sites[0]
    film = Film(site, clean.states[site.intersection_id])
    group, _, last = film.greens()[0]
    first_red = last + film.amber(group)
    film.paint(group, first_red, len(film.frames), "r")
    spoilt = clean.with_states(site, film.states)
    report = spoilt.check(tmp_path / "record.xml")
    assert report.longest_red_s is not None
    assert report.longest_red_s >= len(film.frames) - 1 - first_red
