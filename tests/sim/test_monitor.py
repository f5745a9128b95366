"""The witness finds every corruption of a real record, and nothing in the record itself.

The record is one that SUMO wrote of cologne8 under priority-index. Each corruption changes the
lamps of one signal as a fault would, and names the rule by which it must be found.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import pytest

from ampelwerk.models.intersection import Intersection
from ampelwerk.models.profile import Profile, RilsaProfile, SumoProfile
from ampelwerk.sim import monitor
from ampelwerk.sim.monitor_net import SignalLinks, read_links
from ampelwerk.sim.network_import import read_intersections
from ampelwerk.sim.scenario import resolve
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


class Film:
    """One signal's states, to be corrupted link by link."""

    def __init__(self, site: Intersection, states: list[str]) -> None:
        self.site = site
        self.frames = [list(state) for state in states]

    @property
    def states(self) -> list[str]:
        return ["".join(frame) for frame in self.frames]

    def links(self, group: int) -> list[int]:
        return [k for k, g in enumerate(self.site.sumo_link_group) if g == group]

    def paint(self, group: int, first: int, last: int, letter: str) -> None:
        """Show a letter on all links of a group in the seconds [first, last)."""
        for second in range(first, last):
            for link in self.links(group):
                self.frames[second][link] = letter

    def spells(self, group: int) -> list[tuple[str, int, int]]:
        """(aspect, first second, last second + 1) of a group, whole spells only."""
        link, found = self.links(group)[0], []
        start = 0
        for second in range(1, len(self.frames)):
            here = self.frames[second][link].lower()
            if here != self.frames[second - 1][link].lower():
                found.append((self.frames[second - 1][link].lower(), start, second))
                start = second
        return found[1:]

    def greens(self) -> list[tuple[int, int, int]]:
        """(group, first, last + 1) of whole greens that are followed by a whole amber and red."""
        found = []
        for group in range(self.site.envelope.size):
            spells = self.spells(group)
            for (a, first, last), (b, _, _), (c, _, _) in zip(
                spells, spells[1:], spells[2:], strict=False
            ):
                if (a, b, c) == ("g", "y", "r"):
                    found.append((group, first, last))
        return found

    def change(self, order: int = 0) -> tuple[int, int, int, int]:
        """Groups a and b in conflict, the end of a's green and the next start of b's.

        Parameters
        ----------
        order : 1 if a stands behind b in the state string, -1 if before, 0 for either.
        """
        envelope = self.site.envelope
        for a, _, end in self.greens():
            for b, start, _ in self.greens():
                behind = min(self.links(a)) > max(self.links(b))
                before = max(self.links(a)) < min(self.links(b))
                if (order == 1 and not behind) or (order == -1 and not before):
                    continue
                if envelope.conflict[a][b] and end < start <= end + 12:
                    return a, b, end, start
        raise AssertionError("no change between conflicting groups")

    def amber(self, group: int) -> int:
        return self.site.envelope.groups[group].amber_ds // 10

    def green_after_red_amber(self) -> tuple[int, int, int]:
        """A group, the first second of its red-amber and of the green after it."""
        for group in range(self.site.envelope.size):
            spells = self.spells(group)
            for (a, first, start), (b, _, last) in pairwise(spells):
                if (a, b) == ("u", "g") and last - start > 8:
                    return group, first, start
        raise AssertionError("no green after red-amber")


def conflicting_green(film: Film) -> None:
    _a, b, end, _ = film.change()
    film.paint(b, end - 2, end - 1, "G")


def conflicting_green_for_long(film: Film) -> None:
    a, _b, end, start = film.change()
    film.paint(a, end, start + 4, "G")


def green_during_the_amber_of_a_foe(film: Film) -> None:
    _, b, end, start = film.change()
    film.paint(b, end + 1, start, "G")


def amber_beside_a_conflicting_green(film: Film) -> None:
    _a, b, end, _ = film.change()
    film.paint(b, end - 4, end - 3, "y")


def intergreen_a_second_short(film: Film) -> None:
    a, _b, _, start = film.change()
    # The foe's green is drawn out so that its amber has just passed when b starts.
    film.paint(a, start - film.amber(a) + 1, start, "y")
    film.paint(a, start - film.amber(a) - 6, start - film.amber(a) + 1, "G")


def intergreen_missing(film: Film) -> None:
    a, _b, end, start = film.change()
    film.paint(a, end, start, "G")
    film.paint(a, start, start + film.amber(a), "r")


def short_green(film: Film) -> None:
    group, first, last = next(g for g in film.greens() if g[2] - g[1] >= 5)
    film.paint(group, first, last - 2, "r")


def green_of_one_second(film: Film) -> None:
    group, first, last = film.greens()[-1]
    film.paint(group, first, last - 1, "r")


def interrupted_green(film: Film) -> None:
    group, first, _last = max(film.greens(), key=lambda g: g[2] - g[1])
    film.paint(group, first + 2, first + 3, "r")


def missing_amber(film: Film) -> None:
    group, _, last = film.greens()[0]
    film.paint(group, last, last + film.amber(group), "r")


def amber_a_second_short(film: Film) -> None:
    group, _, last = film.greens()[0]
    film.paint(group, last + film.amber(group) - 1, last + film.amber(group), "r")


def amber_a_second_long(film: Film) -> None:
    group, _, last = film.greens()[0]
    film.paint(group, last + film.amber(group), last + film.amber(group) + 1, "y")


def amber_that_never_ends(film: Film) -> None:
    group, _, last = film.greens()[0]
    film.paint(group, last, last + 20, "y")


def amber_back_to_green(film: Film) -> None:
    group, _, last = film.greens()[0]
    film.paint(group, last + 1, last + film.amber(group), "G")


def amber_before_green(film: Film) -> None:
    group, first, _ = film.greens()[0]
    film.paint(group, first - 1, first, "y")


def amber_out_of_red(film: Film) -> None:
    group, first, _ = film.greens()[1]
    film.paint(group, first - 3, first - 2, "y")


def red_amber_that_nobody_ordered(film: Film) -> None:
    group, first, _ = film.greens()[0]
    film.paint(group, first - 1, first, "u")


def red_amber_instead_of_amber(film: Film) -> None:
    group, _, last = film.greens()[0]
    film.paint(group, last, last + film.amber(group), "u")


def everything_green(film: Film) -> None:
    for group in range(film.site.envelope.size):
        film.paint(group, 300, 303, "G")


def red_amber_out_of_green(film: Film) -> None:
    group, _, last = film.greens()[0]
    film.paint(group, last - 1, last, "u")


def amber_until_the_record_ends(film: Film) -> None:
    group, _, last = film.greens()[-1]
    film.paint(group, last, len(film.frames), "y")


def priority_raised_during_green(film: Film) -> None:
    """A second after every change, so that no lamp changes its colour with it."""
    for second in range(len(film.frames) - 1, 0, -1):
        if film.frames[second] == film.frames[second - 1]:
            frame = film.frames[second]
            film.frames[second] = ["G" if letter == "g" else letter for letter in frame]


def permissive_green_with_priority(film: Film) -> None:
    for second, frame in enumerate(film.frames):
        film.frames[second] = ["G" if letter == "g" else letter for letter in frame]


CORRUPTIONS: list[tuple[Callable[[Film], None], str]] = [
    (conflicting_green, "CONFLICT"),
    (conflicting_green_for_long, "CONFLICT"),
    (green_during_the_amber_of_a_foe, "CONFLICT"),
    (amber_beside_a_conflicting_green, "CONFLICT"),
    (everything_green, "CONFLICT"),
    (intergreen_a_second_short, "INTERGREEN"),
    (intergreen_missing, "INTERGREEN"),
    (short_green, "MIN_GREEN"),
    (green_of_one_second, "MIN_GREEN"),
    (interrupted_green, "MIN_GREEN"),
    (missing_amber, "AMBER"),
    (amber_a_second_short, "AMBER"),
    (amber_a_second_long, "AMBER"),
    (amber_that_never_ends, "AMBER"),
    (amber_until_the_record_ends, "AMBER"),
    (amber_back_to_green, "SEQUENCE"),
    (amber_before_green, "SEQUENCE"),
    (amber_out_of_red, "SEQUENCE"),
    (red_amber_that_nobody_ordered, "RED_AMBER"),
    (red_amber_instead_of_amber, "SEQUENCE"),
    (red_amber_out_of_green, "SEQUENCE"),
    (permissive_green_with_priority, "DOUBLE_PRIORITY"),
    (priority_raised_during_green, "DOUBLE_PRIORITY"),
]


def red_amber_missing(film: Film) -> None:
    group, first, start = film.green_after_red_amber()
    film.paint(group, first, start, "r")


def red_amber_long(film: Film) -> None:
    group, _, start = film.green_after_red_amber()
    film.paint(group, start, start + 1, "u")


def red_amber_back_to_red(film: Film) -> None:
    group, _, start = film.green_after_red_amber()
    film.paint(group, start, start + 1, "r")


def red_amber_until_the_record_ends(film: Film) -> None:
    group, first, _ = film.green_after_red_amber()
    film.paint(group, first, len(film.frames), "u")


RED_AMBER_CORRUPTIONS: list[tuple[Callable[[Film], None], str]] = [
    (red_amber_missing, "RED_AMBER"),
    (red_amber_long, "RED_AMBER"),
    (red_amber_back_to_red, "SEQUENCE"),
    (red_amber_until_the_record_ends, "RED_AMBER"),
]


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
