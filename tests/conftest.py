"""Fixtures for all tests, and the Hypothesis profile for the night."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

from ampelwerk.sim.sumo_programs import sumo_program

# A change is judged by the same examples each time, so that a red run means the change. New ones
# are looked for at night: `pytest --hypothesis-profile=nightly` asks ten thousand times.
settings.register_profile("change", derandomize=True, deadline=None)
settings.register_profile("nightly", max_examples=10_000, derandomize=False, deadline=None)
settings.load_profile("change")


@dataclass(frozen=True)
class SmallScenario:
    """Two signals in a row with side streets, and an even demand."""

    net: Path
    routes: Path

    @property
    def arguments(self) -> list[str]:
        """For the command line."""
        return [str(self.net), "--route-files", str(self.routes)]


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallScenario:
    """A network that is simulated in less than a second."""
    folder = tmp_path_factory.mktemp("small")
    net, routes = folder / "small.net.xml", folder / "small.rou.xml"
    subprocess.run(
        [
            str(sumo_program("netgenerate")), "--grid", "--grid.x-number", "2",
            "--grid.y-number", "1", "--grid.length", "250", "--grid.attach-length", "250",
            "--default-junction-type", "traffic_light", "--default.lanenumber", "2",
            "--output-file", str(net),
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    routes.write_text(
        """<routes>
  <flow id="east" from="left0A0" to="B0right0" begin="0" end="300" vehsPerHour="600"/>
  <flow id="west" from="right0B0" to="A0left0" begin="0" end="300" vehsPerHour="400"/>
  <flow id="north" from="bottom0A0" to="A0top0" begin="0" end="300" vehsPerHour="250"/>
  <flow id="turn" from="top1B0" to="B0right0" begin="0" end="300" vehsPerHour="150"/>
</routes>
""",
        encoding="utf-8",
    )
    return SmallScenario(net, routes)
