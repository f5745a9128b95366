"""Odd signal programs, demand, files, times and names on small networks that are not odd.

Each builder writes net, demand and additional files into a folder and returns the scenario.
"""

from __future__ import annotations

import gzip
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from xml.sax.saxutils import quoteattr

from ampelwerk.sim.scenario import Scenario, resolve
from tests.sim.odd_networks import (
    CARS,
    END_S,
    STAR,
    STAR_CARS,
    Builder,
    additional_file,
    arms,
    demand_file,
    grid,
    plain_net,
    scenario_of,
    write,
)

NIGHT = """
  <tlLogic id="A0" type="static" programID="night" offset="0">
    <phase duration="20" state="GGggrrrrGGggrrrr"/><phase duration="3" state="yyyyrrrryyyyrrrr"/>
    <phase duration="20" state="rrrrGGggrrrrGGgg"/><phase duration="3" state="rrrryyyyrrrryyyy"/>
  </tlLogic>"""
"""A second program for the first signal of a grid of one-lane roads."""


def edit_states(net: Path, signal: str, edit: Callable[[str], str]) -> None:
    """Change every state of a signal's programs."""

    def program(found: re.Match[str]) -> str:
        return re.sub(r'state="(\w+)"', lambda s: f'state="{edit(s[1])}"', found[0])

    text = net.read_text(encoding="utf-8")
    pattern = rf'<tlLogic id="{signal}".*?</tlLogic>'
    write(net, re.sub(pattern, program, text, flags=re.DOTALL))


# Programs


def several_programs(folder: Path) -> Scenario:
    """A second program, and a timetable (WAUT) that would switch back in mid-run."""
    timetable = """
  <WAUT id="week" refTime="0" startProg="night"><wautSwitch time="120" to="0"/></WAUT>
  <wautJunction wautID="week" junctionID="A0"/>"""
    routes = demand_file(folder, CARS)
    return scenario_of(grid(folder), routes, additional_file(folder, NIGHT + timetable))


def included_program(folder: Path) -> Scenario:
    """An additional file that includes another one."""
    additional_file(folder, NIGHT, "night.xml")
    including = additional_file(folder, '<include href="night.xml"/>')
    return scenario_of(grid(folder), demand_file(folder, CARS), including)


def moved_offset(folder: Path) -> Scenario:
    """A program without states, as tlsCoordinator.py writes it, moves the offset of another."""
    moved = additional_file(folder, '<tlLogic id="A0" programID="0" offset="13"/>')
    return scenario_of(grid(folder), demand_file(folder, CARS), moved)


def clock_times(folder: Path) -> Scenario:
    """Durations as hours, minutes, seconds."""
    net = grid(folder)
    text = net.read_text(encoding="utf-8")
    text = re.sub(r'duration="(\d+)"', lambda d: f'duration="0:00:{int(d[1]):02}"', text)
    return scenario_of(write(net, text), demand_file(folder, CARS))


def right_on_red(folder: Path) -> Scenario:
    """Vehicles may turn right at red after a stop (letter s)."""
    net = grid(folder, "--default.lanenumber", "2")
    turns = re.findall(r'tl="A0" linkIndex="(\d+)" dir="r"', net.read_text(encoding="utf-8"))
    right = {int(link) for link in turns}

    def edit(state: str) -> str:
        return "".join(
            "s" if link in right and letter == "r" else letter for link, letter in enumerate(state)
        )

    edit_states(net, "A0", edit)
    return scenario_of(net, demand_file(folder, CARS))


def actuated_programs(folder: Path) -> Scenario:
    """Programs of SUMO's own actuated kind, with least and greatest durations."""
    return scenario_of(grid(folder, "--tls.default-type", "actuated"), demand_file(folder, CARS))


def nema(folder: Path) -> Scenario:
    """Two rings side by side, as in North America."""
    net = grid(folder, "--tls.default-type", "NEMA", "--default.lanenumber", "2")
    return scenario_of(net, demand_file(folder, CARS))


def left_to_sumo(folder: Path) -> Scenario:
    """One signal that is off and one with a single stage, beside two that can be controlled."""
    net = grid(folder, columns=4)
    edit_states(net, "C0", lambda state: "O" * len(state))
    edit_states(net, "D0", lambda state: "G" + "r" * (len(state) - 1))
    cars = CARS.replace("B0right0", "B0C0").replace("right0B0", "C0B0")
    return scenario_of(net, demand_file(folder, cars))


# Demand, files, times, names


def probability_flows(folder: Path) -> Scenario:
    """Random flows and a distribution of vehicle types."""
    demand = """
  <vTypeDistribution id="mix"><vType id="car" probability="0.8"/>
    <vType id="truck" vClass="truck" probability="0.2"/></vTypeDistribution>
  <flow id="p" type="mix" from="left0A0" to="B0right0" begin="0" end="300" probability="0.15"/>
  <flow id="q" type="mix" from="right1B1" to="A1left1" begin="0" end="300" period="exp(0.1)"/>
  <flow id="n" type="mix" from="bottom0A0" to="A1top0" begin="0" end="300" number="20"/>"""
    net = grid(folder, "--default.lanenumber", "2", rows=2)
    return scenario_of(net, demand_file(folder, demand))


def oversaturated(folder: Path) -> Scenario:
    """Far more vehicles than the road takes."""
    demand = CARS.replace('vehsPerHour="', 'vehsPerHour="3')
    return scenario_of(grid(folder), demand_file(folder, demand))


def loops_for_some(folder: Path) -> Scenario:
    """A loop that sees buses alone, and one on the lane beside it that sees all."""
    net = grid(folder, "--default.lanenumber", "2")
    loops = """
  <inductionLoop id="buses" lane="left0A0_0" pos="-3" period="60" file="NUL" vTypes="bus"/>
  <inductionLoop id="all" lane="left0A0_1" pos="-3" period="60" file="NUL"/>"""
    routes = demand_file(folder, '<vType id="bus" vClass="bus"/>' + CARS)
    return scenario_of(net, routes, additional_file(folder, loops))


def zipped(folder: Path) -> Scenario:
    """Net and demand packed with gzip, named by a configuration."""
    for path in (grid(folder), demand_file(folder, CARS)):
        with path.open("rb") as plain, gzip.open(f"{path}.gz", "wb") as packed:
            shutil.copyfileobj(plain, packed)
        path.unlink()
    return configured(folder, "grid.net.xml.gz", "r.rou.xml.gz")


def half_second_steps(folder: Path) -> Scenario:
    """A step length of 0.5 s."""
    grid(folder), demand_file(folder, CARS)
    return configured(folder, "grid.net.xml", "r.rou.xml", '<step-length value="0.5"/>')


def fifth_second_steps(folder: Path) -> Scenario:
    """A step length of 0.2 s."""
    grid(folder), demand_file(folder, CARS)
    return configured(folder, "grid.net.xml", "r.rou.xml", '<step-length value="0.2"/>')


def blanks_in_paths(folder: Path) -> Scenario:
    """Blanks and other signs in the names of files and folders; a list of two route files."""
    folder = folder / "Straße 7 & Söhne's"
    folder.mkdir()
    grid(folder).rename(folder / "my grid.net.xml")
    demand_file(folder, CARS, "my cars.rou.xml")
    trip = '<trip id="one" depart="5" from="left0A0" to="A0top0"/>'
    demand_file(folder, trip, "one more.rou.xml")
    return configured(folder, "my grid.net.xml", "my cars.rou.xml, one more.rou.xml")


def late_begin(folder: Path) -> Scenario:
    """Times given by the clock; the run begins between two steps of the cycle."""
    grid(folder)
    demand_file(folder, CARS.replace('begin="0" end="300"', 'begin="7:00:00" end="7:05:00"'))
    times = '<begin value="7:00:07"/><end value="7:04:00"/>'
    return configured(folder, "grid.net.xml", "r.rou.xml", times)


def configured(folder: Path, net: str, routes: str, more: str = "") -> Scenario:
    end = "" if "<end" in more else f'<end value="{END_S:g}"/>'
    configuration = write(
        folder / "odd.sumocfg",
        f"""<configuration><net-file value="{net}"/><route-files value="{routes}"/>
  {end}{more}</configuration>""",
    )
    return resolve(str(configuration))


ODD_SIGNAL = 'Kö/n#1 & "Süd", Nr. 7!' + "x" * 80
ODD_NODE = "a:b*(c)=[d]%7c+@^~$ß#!.0_w0_1"


def odd_signal_name(folder: Path) -> Scenario:
    """A signal's name with signs that XML, CSV and file names do not like."""
    net = grid(folder)
    text = net.read_text(encoding="utf-8").replace('<tlLogic id="A0"', '<tlLogic id="@"')
    name = quoteattr(ODD_SIGNAL, {'"': "&quot;"})
    text = text.replace('tl="A0"', f"tl={name}").replace('<tlLogic id="@"', f"<tlLogic id={name}")
    return scenario_of(write(net, text), demand_file(folder, CARS))


def odd_edge_names(folder: Path) -> Scenario:
    """Names of edges and junctions that look like those of internal lanes and walking areas."""
    nodes = {ODD_NODE if name == "c" else name: place for name, place in STAR.items()}
    net = plain_net(
        folder, nodes, arms(ODD_NODE), "--default.sidewalk-width", "2", "--sidewalks.guess",
        "--crossings.guess", signals=(ODD_NODE,),
    )  # fmt: skip
    cars = re.sub(r'(from|to)="(\w*)c(\w*)"', rf'\1="\2{ODD_NODE}\3"', STAR_CARS)
    people = f"""<personFlow id="w" begin="0" end="300" period="20">
  <walk from="n{ODD_NODE}" to="{ODD_NODE}s"/></personFlow>"""
    return scenario_of(net, demand_file(folder, people + cars))


INPUTS: Sequence[Builder] = (
    several_programs, included_program, moved_offset, clock_times, right_on_red,
    actuated_programs, nema, left_to_sumo, probability_flows, oversaturated, loops_for_some,
    zipped, half_second_steps, fifth_second_steps, blanks_in_paths, late_begin, odd_signal_name,
    odd_edge_names,
)  # fmt: skip
