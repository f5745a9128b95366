"""From the words of the command line to a rule profile, seeds and an output directory."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
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


def profile_of(
    name: str,
    *,
    min_green_s: float | None = None,
    amber_s: float | None = None,
    all_red_s: float | None = None,
) -> Profile:
    """The rule profile of a name, with the times that were given.

    Raises
    ------
    InvalidInputError : a time is out of range, or the profile computes it.
    """
    _check_range("minimum green", "--min-green", min_green_s, 1, 60)
    _check_range("amber", "--amber", amber_s, 1, 10)
    _check_range("all-red", "--all-red", all_red_s, 0, 10)
    if name == "sumo":
        return SumoProfile(
            min_green_override_s=min_green_s,
            amber_override_s=amber_s,
            all_red_override_s=all_red_s,
        )
    for option, value in (("--amber", amber_s), ("--all-red", all_red_s)):
        if value is not None:
            raise InvalidInputError(
                "the rilsa profile computes ambers and intergreens; they cannot be given",
                where=option,
                found=f"{value:g}",
                remedy="leave the option out, or use --profile sumo",
            )
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


def _check_range(what: str, option: str, value_s: float | None, low: int, high: int) -> None:
    """Refuse a time that no signal has, or one finer than signals count."""
    if value_s is None:
        return
    # Written so that NaN is refused, too.
    if not (low <= value_s <= high and round(10 * value_s) == round(10 * value_s, 6)):
        raise InvalidInputError(
            f"{what} out of range",
            where=option,
            found=f"{value_s:g}",
            limit=f"{low} to {high} s in tenths of a second",
        )


def seed_list(text: str, option: str = "--seeds") -> list[int]:
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
            where=option,
            found=text,
            limit="first:end with first < end, or whole numbers separated by commas, none twice",
        )
    return seeds


def fresh_directory(path: Path, *, force: bool, mark: str) -> Path:
    """An empty directory for results.

    Parameters
    ----------
    mark : file by which a directory of ours is known; only such a one is emptied by `force`.

    Raises
    ------
    InvalidInputError : it holds results and `force` was not given, or it holds something else.
    """
    if _filled(path, force=force, mark=mark):
        shutil.rmtree(path)
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def output_directory(path: Path, *, force: bool, mark: str) -> Iterator[Path]:
    """As `fresh_directory`; everything is as before if the input is refused within."""
    path = path.absolute()
    existed, refused = path.is_dir(), False
    before: Path | None = None
    if _filled(path, force=force, mark=mark):
        before = Path(tempfile.mkdtemp(prefix=".ampelwerk-", dir=path.parent)) / path.name
        path.rename(before)
    path.mkdir(parents=True, exist_ok=True)
    try:
        yield path
    except InvalidInputError:
        refused = True
        shutil.rmtree(path)
        if before is not None:
            before.rename(path)
            before.parent.rmdir()
        elif existed:
            path.mkdir()
        raise
    finally:
        if before is not None and not refused:
            shutil.rmtree(before.parent, ignore_errors=True)


def _filled(path: Path, *, force: bool, mark: str) -> bool:
    """Whether there is something that may be thrown away; errors as in `fresh_directory`."""
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
        return True
    return False


def fresh_files(paths: Iterable[Path], *, force: bool) -> None:
    """Make sure that files can be written, each to a place of its own.

    Raises
    ------
    InvalidInputError : one is there and `force` was not given, its directory is not, or two are the
        same.
    """
    seen = set[Path]()
    for path in paths:
        if path.resolve() in seen:
            raise InvalidInputError(
                "two different files are to be written to one place",
                where=str(path),
                remedy="give each a name of its own",
            )
        seen.add(path.resolve())
        if path.is_dir():
            raise InvalidInputError("a directory stands where a file is wanted", where=str(path))
        if path.exists() and not force:
            raise InvalidInputError(
                "the file exists", where=str(path), remedy="overwrite it with --force"
            )
        if not path.parent.is_dir():
            raise InvalidInputError(
                "the directory of the file does not exist",
                where=str(path),
                remedy="make it, or choose another place",
            )
