"""Cost of control: seconds in the control loop for each second inside SUMO's step.

    python benchmarks/control_cost.py

Both are measured within one run, so the ratio does not depend on how fast the machine is. Beside
it stands the same ratio for the environment loop of sumo-rl with libsumo on the same network, with
fixed actions every 5 s: a loop that decides nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from ampelwerk.sim.sumo_programs import sumo_program

NETWORKS = ("cologne8", "ingolstadt21")
CONTROLS = ("fixed", "actuated", "max-pressure", "priority-index", "rolling-horizon")
REPEATS = 3

SUMO_RL = """
import os, sys, time
os.environ["LIBSUMO_AS_TRACI"] = "1"
from pathlib import Path
from ampelwerk.sim.scenario import resolve
from sumo_rl import SumoEnvironment
scenario = resolve(sys.argv[1])
env = SumoEnvironment(
    net_file=str(scenario.net_file), route_file=",".join(map(str, scenario.route_files)),
    begin_time=int(scenario.begin_s), num_seconds=int(scenario.end_s - scenario.begin_s),
    delta_time=5, yellow_time=2, min_green=5, single_agent=False, sumo_warnings=False,
    fixed_ts=False, add_system_info=False, add_per_agent_info=False)
env.reset(seed=1)
spent, step = 0.0, env.sumo.simulationStep
def timed(*args):
    global spent
    begin = time.perf_counter()
    step(*args)
    spent += time.perf_counter() - begin
env.sumo.simulationStep = timed
begin, done, k = time.perf_counter(), False, 0
while not done:
    actions = {ts: (k // 6) % env.traffic_signals[ts].num_green_phases for ts in env.ts_ids}
    _, _, dones, _ = env.step(actions)
    done, k = dones["__all__"], k + 1
total = time.perf_counter() - begin
print("ratio", (total - spent) / spent)
"""


def ours(network: str, control: str) -> float:
    """Ratio of one run, the least of a few: a busy machine only ever adds."""
    ratios = []
    for _ in range(REPEATS):
        with tempfile.TemporaryDirectory() as folder:
            result = subprocess.run(
                [
                    sys.executable, "-c", "from ampelwerk.cli.main import main; main()",
                    "simulate", network, "--control", control, "--json",
                    "-o", str(Path(folder) / "run"),
                ],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
        cost: dict[str, float] = json.loads(result.stdout)["cost"]
        ratios.append(cost["control_s"] / cost["sumo_s"])
    return min(ratios)


def sumo_rl(network: str) -> float | None:
    """The same ratio of sumo-rl's loop; None if it does not run here."""
    result = subprocess.run(
        [sys.executable, "-c", SUMO_RL, network],
        capture_output=True, text=True, check=False,
        env={"SUMO_HOME": str(sumo_program("sumo").parents[1]), **os.environ},
    )  # fmt: skip
    lines = [line for line in result.stdout.splitlines() if line.startswith("ratio")]
    if not lines:
        print(result.stderr.strip().splitlines()[-1:], file=sys.stderr)
        return None
    return float(lines[-1].split()[1])


def main() -> None:
    """Print a table."""
    print(f"{'':16}" + "".join(f"{network:>16}" for network in NETWORKS))
    for control in CONTROLS:
        print(f"{control:16}" + "".join(f"{ours(n, control):16.2f}" for n in NETWORKS))
    found = [sumo_rl(network) for network in NETWORKS]
    texts = ["–" if ratio is None else f"{ratio:.2f}" for ratio in found]
    print(f"{'sumo-rl loop':16}" + "".join(f"{text:>16}" for text in texts))


if __name__ == "__main__":
    main()
