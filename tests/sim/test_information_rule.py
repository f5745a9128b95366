"""Control sees loops and its own lamps: any other question to SUMO fails.

The run happens in a process of its own in which every call but the allowed ones raises, and in
which the loop getter's answers let only entry and leave times be read.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from ampelwerk.cli.inputs import CONTROLS
from tests.conftest import SmallScenario

pytestmark = pytest.mark.sumo

GUARD = '''
import sys, tempfile
from pathlib import Path
import libsumo

class Forbidden:
    def __init__(self, name): self.name = name
    def __getattr__(self, call): raise PermissionError(f"{self.name}.{call}")

class Allowed(Forbidden):
    def __init__(self, name, **calls):
        super().__init__(name)
        self.__dict__.update(calls)

class Times(tuple):
    """(id, length, entry, leave, type): entry and leave alone may be read."""
    def __getitem__(self, k):
        if k not in (2, 3): raise PermissionError(f"field {k} of a loop")
        return super().__getitem__(k)
    def __iter__(self): raise PermissionError("all fields of a loop")

read = libsumo.inductionloop.getVehicleData
times = lambda loop: [Times(v) for v in read(loop)]
show = libsumo.trafficlight.setRedYellowGreenState
for name in dir(libsumo):
    if hasattr(getattr(libsumo, name), "getIDList"):
        setattr(libsumo, name, Forbidden(name))
libsumo.inductionloop = Allowed("inductionloop", getVehicleData=times)
libsumo.trafficlight = Allowed("trafficlight", setRedYellowGreenState=show)

from ampelwerk.models.profile import SumoProfile
from ampelwerk.sim.run import run
from ampelwerk.sim.run_configuration import RunConfig
from ampelwerk.sim.scenario import resolve

net, routes, control = sys.argv[1:]
if control == "cheat":
    import ampelwerk.engine.strategies.actuated as actuated
    actuated.Actuated.observe = lambda self, frame: libsumo.vehicle.getIDList()
    control = "actuated"
with tempfile.TemporaryDirectory() as folder:
    measures = run(
        RunConfig(scenario=resolve(net, routes=[Path(routes)], end_s=200.0), control=control,
                  profile=SumoProfile(), seed=1), Path(folder))
assert measures["completed"] > 0
'''


def run_guarded(small: SmallScenario, control: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", GUARD, str(small.net), str(small.routes), control],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("control", [name for name in CONTROLS if name != "native"])
def test_control_asks_sumo_for_loops_alone(small: SmallScenario, control: str) -> None:
    result = run_guarded(small, control)
    assert result.returncode == 0, result.stderr


def test_the_guard_catches_a_strategy_that_asks_for_vehicles(small: SmallScenario) -> None:
    result = run_guarded(small, "cheat")
    assert result.returncode != 0
    assert "PermissionError: vehicle.getIDList" in result.stderr
