"""Where SUMO's programs are: sumo, sumo-gui, netconvert, netgenerate and the rest."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

from ampelwerk.models.errors import MissingDependencyError


def sumo_program(name: str) -> Path:
    """Path of a program: from SUMO_HOME, the eclipse-sumo wheel, or PATH, in this order.

    Raises
    ------
    MissingDependencyError : it is nowhere.
    """
    file_name = f"{name}.exe" if os.name == "nt" else name
    homes = [Path(os.environ["SUMO_HOME"])] if "SUMO_HOME" in os.environ else []
    spec = importlib.util.find_spec("sumo")
    if spec and spec.submodule_search_locations:
        homes += [Path(place) for place in spec.submodule_search_locations]
    for home in homes:
        program = home / "bin" / file_name
        if program.is_file():
            return program
    on_path = shutil.which(name)
    if on_path:
        return Path(on_path)
    raise MissingDependencyError(f"SUMO's {name}", remedy='pip install "ampelwerk[sumo]"')
