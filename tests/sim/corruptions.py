"""Faults in the record of one signal: each changes its lamps and names the rule that is broken."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from ampelwerk.models.intersection import Intersection


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


def lamps_off_out_of_green(film: Film) -> None:
    group, _, last = film.greens()[0]
    film.paint(group, last - 2, last, "o")


def lamps_off_beside_a_conflicting_green(film: Film) -> None:
    _, b, end, _ = film.change()
    film.paint(b, end - 3, end, "o")


def green_out_of_dark_lamps(film: Film) -> None:
    group, first, _ = film.greens()[0]
    film.paint(group, first - 1, first, "O")


def green_a_second_after_lamps_were_off(film: Film) -> None:
    _, _, _, start = film.change()
    for group in range(film.site.envelope.size):
        film.paint(group, start - 6, start - 1, "o")
        film.paint(group, start - 1, start, "r")


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
    (lamps_off_out_of_green, "SEQUENCE"),
    (lamps_off_beside_a_conflicting_green, "CONFLICT"),
    (green_out_of_dark_lamps, "SEQUENCE"),
    (green_a_second_after_lamps_were_off, "INTERGREEN"),
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
