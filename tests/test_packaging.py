"""What pip installs is what stands in the tree."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("cli", "sim", "controllers", "engine", "models", "proto")


def test_every_package_is_listed() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    listed = set(settings["tool"]["setuptools"]["packages"])
    there = {
        ".".join(["ampelwerk", *path.parent.relative_to(ROOT).parts])
        for room in ROOMS
        for path in (ROOT / room).rglob("__init__.py")
    }
    assert listed == there


def test_every_room_is_typed() -> None:
    for room in ROOMS:
        if (ROOT / room).is_dir():
            assert (ROOT / room / "py.typed").is_file()


def test_every_data_file_is_packaged() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    data = settings["tool"]["setuptools"]["package-data"]
    packaged = {
        path
        for package, patterns in data.items()
        if package != "*"
        for pattern in patterns
        for path in ROOT.joinpath(*package.split(".")[1:]).glob(pattern)
    }
    there = {
        path
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.is_file() and path.suffix in {".xml", ".sumocfg", ".jinja", ".css"}
    }
    assert there
    assert there <= packaged
