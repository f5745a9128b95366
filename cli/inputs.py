"""From the words of the command line to a rule profile, seeds and an output directory."""

from __future__ import annotations

import shutil
from difflib import get_close_matches
from pathlib import Path

from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.profile import Profile, RilsaProfile, SumoProfile

CONTROLS = (
    "native", "fixed", "plan", "actuated", "max-pressure", "priority-index", "rolling-horizon",
)  # fmt: skip
"""Kinds of signal control."""
BLIND = ("native", "fixed", "plan")
"""Those that look at no loop."""
ALIASES = {"adaptive": "rolling-horizon"}
"""Other names for them."""


def known_control(name: str) -> str:
    """The name of a control, or an error that suggests one."""
    name = ALIASES.get(name, name)
    if name in CONTROLS:
        return name
    near = get_close_matches(name, (*CONTROLS, *ALIASES), n=1)
    raise InvalidInputError(
        "unknown kind of control",
        where="--control",
        found=name,
        limit=", ".join(CONTROLS),
        remedy=f"did you mean {near[0]}?" if near else "choose one of these",
    )


def profile_of(name: str, min_green_s: float | None) -> Profile:
    """The rule profile of a name, with the minimum green if one was given."""
    if min_green_s is not None and not 1 <= min_green_s <= 60:
        raise InvalidInputError(
            "minimum green out of range",
            where="--min-green",
            found=f"{min_green_s:g}",
            limit="1 to 60 s",
        )
    if name == "sumo":
        return SumoProfile(min_green_override_s=min_green_s)
    if min_green_s is None:
        return RilsaProfile()
    if min_green_s != int(min_green_s) or min_green_s < RilsaProfile().min_green_s:
        raise InvalidInputError(
            "the rilsa profile allows no such minimum green",
            where="--min-green",
            found=f"{min_green_s:g}",
            limit="whole seconds, 5 or more",
        )
    return RilsaProfile(min_green_s=int(min_green_s))


def seed_list(text: str) -> list[int]:
    """Seeds: ``1:6`` is 1 to 5, the end left out, as in SUMO's runSeeds; ``1,5,9`` names them."""
    try:
        if ":" in text:
            first, last = (int(part) for part in text.split(":"))
            seeds = list(range(first, last))
        else:
            seeds = [int(part) for part in text.split(",")]
    except ValueError:
        seeds = []
    if not seeds or len(set(seeds)) != len(seeds) or min(seeds) < 0:
        raise InvalidInputError(
            "these are no seeds",
            where="--seeds",
            found=text,
            limit="first:end with first < end, or whole numbers separated by commas, none twice",
        )
    return seeds


def fresh_file(path: Path, *, force: bool) -> None:
    """Refuse to write over a file that is there already.

    Raises
    ------
    InvalidInputError : it exists and `force` was not given, or its directory does not exist.
    """
    if path.exists() and not force:
        raise InvalidInputError(
            "the file exists", where=str(path), remedy="overwrite it with --force"
        )
    if not path.parent.is_dir():
        raise InvalidInputError(
            "the directory of the file does not exist", where=str(path), remedy="make it first"
        )


def fresh_directory(path: Path, *, force: bool, mark: str) -> Path:
    """An empty directory for results.

    Parameters
    ----------
    mark : file by which a directory of ours is known; only such a one is emptied by `force`.

    Raises
    ------
    InvalidInputError : it holds results and `force` was not given, or it holds something else.
    """
    if path.is_file():
        raise InvalidInputError("a file stands where a directory is wanted", where=str(path))
    if path.exists() and any(path.iterdir()):
        if not force:
            raise InvalidInputError(
                "the output directory is not empty",
                where=str(path),
                remedy="choose another one, or overwrite it with --force",
            )
        if not (path / mark).exists():
            raise InvalidInputError(
                "the output directory holds something else than results",
                where=str(path),
                limit=f"--force empties only a directory that has a {mark}",
                remedy="choose another one",
            )
        shutil.rmtree(path)
    path.mkdir(parents=True, exist_ok=True)
    return path
