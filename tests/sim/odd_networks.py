"""Networks with peculiarities, built by netgenerate and netconvert from what stands here.

Each builder writes net, demand and additional files into a folder and returns the scenario.
"""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from xml.sax.saxutils import quoteattr

from ampelwerk.sim.scenario import Scenario, resolve
from ampelwerk.sim.sumo_programs import sumo_program

Builder = Callable[[Path], Scenario]
END_S = 240.0


def run_sumo_program(program: str, *options: str | Path) -> None:
    subprocess.run(
        [str(sumo_program(program)), *map(str, options)], check=True, capture_output=True
    )


def _write(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8")
    return path


def _demand(folder: Path, content: str, name: str = "r.rou.xml") -> Path:
    return _write(folder / name, f"<routes>{content}</routes>\n")


def _additional(folder: Path, content: str, name: str = "a.add.xml") -> Path:
    return _write(folder / name, f"<additional>{content}</additional>\n")


def _scenario(net: Path, routes: Path, *additional: Path) -> Scenario:
    return resolve(str(net), routes=[routes], additional=additional, end_s=END_S)


# A grid: A0, B0 ... side by side, with roads that lead in from all sides.

CARS = """
  <flow id="east" from="left0A0" to="B0right0" begin="0" end="300" vehsPerHour="500"/>
  <flow id="west" from="right0B0" to="A0left0" begin="0" end="300" vehsPerHour="350"/>
  <flow id="north" from="bottom0A0" to="A0top0" begin="0" end="300" vehsPerHour="200"/>
  <flow id="turn" from="top1B0" to="B0bottom1" begin="0" end="300" vehsPerHour="120"/>"""
PEOPLE = """
  <personFlow id="walk" begin="0" end="300" period="20">
    <walk from="bottom0A0" to="A0top0"/></personFlow>
  <personFlow id="along" begin="0" end="300" period="30">
    <walk from="left0A0" to="B0right0"/></personFlow>"""
NIGHT = """
  <tlLogic id="A0" type="static" programID="night" offset="0">
    <phase duration="20" state="GGggrrrrGGggrrrr"/><phase duration="3" state="yyyyrrrryyyyrrrr"/>
    <phase duration="20" state="rrrrGGggrrrrGGgg"/><phase duration="3" state="rrrryyyyrrrryyyy"/>
  </tlLogic>"""
"""A second program for the first signal of a grid of one-lane roads."""


def _grid(folder: Path, *options: str, columns: int = 2, rows: int = 1) -> Path:
    net = folder / "grid.net.xml"
    signals = [f"{'ABCD'[column]}{row}" for column in range(columns) for row in range(rows)]
    run_sumo_program(
        "netgenerate", "--grid", "--grid.x-number", str(columns), "--grid.y-number", str(rows),
        "--grid.length", "200", "--grid.attach-length", "200", "--tls.set", ",".join(signals),
        *options, "--output-file", net,
    )  # fmt: skip
    return net


def _edit_states(net: Path, signal: str, edit: Callable[[str], str]) -> None:
    """Change every state of a signal's programs."""

    def program(found: re.Match[str]) -> str:
        return re.sub(r'state="(\w+)"', lambda s: f'state="{edit(s[1])}"', found[0])

    text = net.read_text(encoding="utf-8")
    pattern = rf'<tlLogic id="{signal}".*?</tlLogic>'
    _write(net, re.sub(pattern, program, text, flags=re.DOTALL))


# A star: one junction c with arms to the west, east, north and south, and more if need be.

STAR = {"c": (0, 0), "w": (-200, 0), "e": (200, 0), "n": (0, 200), "s": (0, -200)}
STAR_CARS = """
  <flow id="we" from="wc" to="ce" begin="0" end="300" vehsPerHour="400"/>
  <flow id="ns" from="nc" to="cs" begin="0" end="300" vehsPerHour="300"/>
  <flow id="left" from="sc" to="cw" begin="0" end="300" vehsPerHour="100"/>"""


def _plain(
    folder: Path,
    nodes: dict[str, tuple[int, int]],
    roads: Sequence[tuple[str, str]],
    *options: str,
    signals: Sequence[str] = ("c",),
    kinds: str = "",
    edges: str = "",
    lanes: int = 1,
) -> Path:
    """A net from nodes and two-way roads; `kinds` and `edges` are further XML."""
    net = folder / "plain.net.xml"
    node_xml = "".join(
        f'<node id={quoteattr(name)} x="{x}" y="{y}"'
        f' type="{_kind(name in signals)}"/>'
        for name, (x, y) in nodes.items()
    )
    edge_xml = "".join(
        f"<edge id={quoteattr(p + q)} from={quoteattr(p)} to={quoteattr(q)}"
        f' numLanes="{lanes}" speed="13.89"/>'
        for a, b in roads
        for p, q in ((a, b), (b, a))
    )
    run_sumo_program(
        "netconvert", "--no-turnarounds", *options, "--output-file", net,
        "--node-files", _write(folder / "n.nod.xml", f"<nodes>{node_xml}{kinds}</nodes>"),
        "--edge-files", _write(folder / "e.edg.xml", f"<edges>{edge_xml}{edges}</edges>"),
    )  # fmt: skip
    return net


def _kind(signalled: bool) -> str:
    return "traffic_light" if signalled else "priority"


def _arms(centre: str = "c") -> list[tuple[str, str]]:
    return [(arm, centre) for arm in "wens"]


# Who is on the road


def crossings(folder: Path) -> Scenario:
    """Sidewalks, crossings and people who walk across."""
    net = _grid(folder, "--default.sidewalk-width", "2", "--sidewalks.guess", "--crossings.guess")
    return _scenario(net, _demand(folder, PEOPLE + CARS))


def crossings_signalled_from_both_ends(folder: Path) -> Scenario:
    """A link of its own for each direction of a crossing (linkIndex2)."""
    net, plain = crossings(folder).net_file, folder / "plain"
    run_sumo_program("netconvert", "-s", net, "--plain-output-prefix", plain)
    connections, programs = Path(f"{plain}.con.xml"), Path(f"{plain}.tll.xml")
    text = re.sub(r' outlineShape="[^"]*"', "", connections.read_text(encoding="utf-8"))
    text = re.sub(
        r'(<crossing [^>]*linkIndex="(\d+)")',
        lambda found: f'{found[1]} linkIndex2="{int(found[2]) + 4}"',
        text,
    )
    _write(connections, text)
    states = programs.read_text(encoding="utf-8")
    _write(programs, re.sub(r'state="(\w{16})(\w{4})"', r'state="\1\2\2"', states))
    run_sumo_program(
        "netconvert", "-n", f"{plain}.nod.xml", "-e", f"{plain}.edg.xml", "-x", connections,
        "-i", programs, "-o", net,
    )  # fmt: skip
    return _scenario(net, folder / "r.rou.xml")


def mid_block_crossing(folder: Path) -> Scenario:
    """A signal for pedestrians alone, between two junctions."""
    nodes = {name: STAR[name] for name in "cwe"}
    crossing = '<connections><crossing node="c" edges="ce ec" priority="1"/></connections>'
    net = _plain(
        folder, nodes, [("w", "c"), ("e", "c")], "--default.sidewalk-width", "2",
        "--sidewalks.guess", "--connection-files",
        str(_write(folder / "x.con.xml", crossing)),
    )  # fmt: skip
    people = """
  <personFlow id="over" begin="0" end="300" period="15"><walk edges="wc ce ec"/></personFlow>
  <flow id="we" from="wc" to="ce" begin="0" end="300" vehsPerHour="400"/>
  <flow id="ew" from="ec" to="cw" begin="0" end="300" vehsPerHour="300"/>"""
    return _scenario(net, _demand(folder, people))


def tram(folder: Path) -> Scenario:
    """A tram line on tracks of its own across a signalised junction."""
    tracks = """<edge id="track_in" from="tw" to="c" numLanes="1" speed="11.1" allow="tram"/>
  <edge id="track_out" from="c" to="te" numLanes="1" speed="11.1" allow="tram"/>"""
    net = _plain(folder, {**STAR, "tw": (-200, 40), "te": (200, -40)}, _arms(), edges=tracks)
    demand = """
  <vType id="tram" vClass="tram"/><route id="line" edges="track_in track_out"/>
  <flow id="tram" type="tram" route="line" begin="0" end="300" period="60"/>"""
    return _scenario(net, _demand(folder, demand + STAR_CARS))


def bus_lane(folder: Path) -> Scenario:
    """A lane for buses beside two lanes for all."""
    net, plain = _grid(folder, "--default.lanenumber", "3"), folder / "plain"
    run_sumo_program("netconvert", "-s", net, "--plain-output-prefix", plain)
    edges = Path(f"{plain}.edg.xml")
    text = re.sub(
        r'(<edge id="(?:left0A0|A0B0)"[^>]*)/>',
        r'\1><lane index="0" allow="bus"/></edge>',
        edges.read_text(encoding="utf-8"),
    )
    run_sumo_program(
        "netconvert", "-n", f"{plain}.nod.xml", "-e", _write(edges, text), "-o", net
    )  # fmt: skip
    bus = """
  <vType id="bus" vClass="bus"/><route id="line" edges="left0A0 A0B0 B0right0"/>
  <flow id="bus" type="bus" route="line" begin="0" end="300" period="60"/>"""
    return _scenario(net, _demand(folder, bus + CARS))


def bicycles(folder: Path) -> Scenario:
    """Bicycle lanes."""
    net = _grid(folder, "--default.bikelane-width", "1.5", "--bikelanes.guess")
    ride = """
  <vType id="bike" vClass="bicycle"/>
  <flow id="ride" type="bike" from="left0A0" to="B0right0" begin="0" end="300" period="20"/>"""
    return _scenario(net, _demand(folder, ride + CARS))


# Shape of the net


def joined(folder: Path) -> Scenario:
    """Two junctions 25 m apart under one signal."""
    nodes = {"a": (0, 0), "b": (25, 0), "w": (-200, 0), "e": (225, 0), "n": (0, 200),
             "s": (25, -200)}  # fmt: skip
    roads = [("w", "a"), ("a", "b"), ("b", "e"), ("n", "a"), ("s", "b")]
    net = _plain(folder, nodes, roads, "--tls.join", lanes=2, signals=("a", "b"))
    demand = """
  <flow id="we" from="wa" to="be" begin="0" end="300" vehsPerHour="400"/>
  <flow id="ew" from="eb" to="aw" begin="0" end="300" vehsPerHour="300"/>
  <flow id="ne" from="na" to="be" begin="0" end="300" vehsPerHour="150"/>
  <flow id="sw" from="sb" to="aw" begin="0" end="300" vehsPerHour="150"/>"""
    return _scenario(net, _demand(folder, demand))


def too_many_groups(folder: Path) -> Scenario:
    """Twenty junctions under one signal: more groups than an interlock holds."""
    columns, rows = 5, 4
    nodes = {"w": (-150, 0), "e": (60 * columns, 0)}
    roads = [("w", "00"), (f"{columns - 1}0", "e")]
    signals = [f"{i}{j}" for i in range(columns) for j in range(rows)]
    nodes |= {name: (60 * int(name[0]), 60 * int(name[1])) for name in signals}
    roads += [(f"{i}{j}", f"{i + 1}{j}") for i in range(columns - 1) for j in range(rows)]
    roads += [(f"{i}{j}", f"{i}{j + 1}") for i in range(columns) for j in range(rows - 1)]
    net = _plain(folder, nodes, roads, "--tls.join", "--tls.join-dist", "70", signals=signals)
    cars = '<flow id="f" from="w00" to="40e" begin="0" end="300" vehsPerHour="300"/>'
    return _scenario(net, _demand(folder, cars))


def one_lane(folder: Path) -> Scenario:
    """Roads of one lane that all movements share."""
    left = """
  <flow id="left" from="left0A0" to="A0top0" begin="0" end="300" vehsPerHour="120"/>"""
    return _scenario(_grid(folder), _demand(folder, CARS + left))


def roundabout(folder: Path) -> Scenario:
    """A spider web whose signals netgenerate guesses, under random traffic."""
    net = folder / "web.net.xml"
    run_sumo_program(
        "netgenerate", "--spider", "--spider.arm-number", "5", "--spider.circle-number", "2",
        "--spider.space-radius", "150", "--tls.guess", "--tls.guess.threshold", "10",
        "--output-file", net,
    )  # fmt: skip
    edges = re.findall(r'<edge id="([^":]+)"', net.read_text(encoding="utf-8"))
    size = len(edges)
    trips = "".join(
        f'<trip id="t{k}" depart="{k}" from="{edges[k % size]}" to="{edges[(k * 7 + 3) % size]}"/>'
        for k in range(200)
        if k % size != (k * 7 + 3) % size
    )
    return _scenario(net, _demand(folder, trips))


def left_hand(folder: Path) -> Scenario:
    """Traffic on the left."""
    net = _grid(folder, "--lefthand", "--default.lanenumber", "2")
    return _scenario(net, _demand(folder, CARS))


def without_insides(folder: Path) -> Scenario:
    """A net without internal lanes."""
    net = _grid(folder, "--no-internal-links", "--default.lanenumber", "2")
    return _scenario(net, _demand(folder, CARS))


def hilly(folder: Path) -> Scenario:
    """Points with a height."""
    net = _grid(folder)
    raised = re.sub(
        r'(?<=shape=")[^"]+"',
        lambda shape: shape[0].replace(" ", ",3.5 ")[:-1] + ',3.5"',
        net.read_text(encoding="utf-8"),
    )
    return _scenario(_write(net, raised), _demand(folder, CARS))


# Programs


def several_programs(folder: Path) -> Scenario:
    """A second program, and a timetable (WAUT) that would switch back in mid-run."""
    timetable = """
  <WAUT id="week" refTime="0" startProg="night"><wautSwitch time="120" to="0"/></WAUT>
  <wautJunction wautID="week" junctionID="A0"/>"""
    routes = _demand(folder, CARS)
    return _scenario(_grid(folder), routes, _additional(folder, NIGHT + timetable))


def included_program(folder: Path) -> Scenario:
    """An additional file that includes another one."""
    _additional(folder, NIGHT, "night.xml")
    including = _additional(folder, '<include href="night.xml"/>')
    return _scenario(_grid(folder), _demand(folder, CARS), including)


def moved_offset(folder: Path) -> Scenario:
    """A program without states, as tlsCoordinator.py writes it, moves the offset of another."""
    moved = _additional(folder, '<tlLogic id="A0" programID="0" offset="13"/>')
    return _scenario(_grid(folder), _demand(folder, CARS), moved)


def clock_times(folder: Path) -> Scenario:
    """Durations as hours, minutes, seconds."""
    net = _grid(folder)
    text = net.read_text(encoding="utf-8")
    text = re.sub(r'duration="(\d+)"', lambda d: f'duration="0:00:{int(d[1]):02}"', text)
    return _scenario(_write(net, text), _demand(folder, CARS))


def right_on_red(folder: Path) -> Scenario:
    """Vehicles may turn right at red after a stop (letter s)."""
    net = _grid(folder, "--default.lanenumber", "2")
    turns = re.findall(r'tl="A0" linkIndex="(\d+)" dir="r"', net.read_text(encoding="utf-8"))
    right = {int(link) for link in turns}

    def edit(state: str) -> str:
        return "".join(
            "s" if link in right and letter == "r" else letter for link, letter in enumerate(state)
        )

    _edit_states(net, "A0", edit)
    return _scenario(net, _demand(folder, CARS))


def actuated_programs(folder: Path) -> Scenario:
    """Programs of SUMO's own actuated kind, with least and greatest durations."""
    return _scenario(_grid(folder, "--tls.default-type", "actuated"), _demand(folder, CARS))


def nema(folder: Path) -> Scenario:
    """Two rings side by side, as in North America."""
    net = _grid(folder, "--tls.default-type", "NEMA", "--default.lanenumber", "2")
    return _scenario(net, _demand(folder, CARS))


def left_to_sumo(folder: Path) -> Scenario:
    """One signal that is off and one with a single stage, beside two that can be controlled."""
    net = _grid(folder, columns=4)
    _edit_states(net, "C0", lambda state: "O" * len(state))
    _edit_states(net, "D0", lambda state: "G" + "r" * (len(state) - 1))
    cars = CARS.replace("B0right0", "B0C0").replace("right0B0", "C0B0")
    return _scenario(net, _demand(folder, cars))


def railway(folder: Path) -> Scenario:
    """A level crossing and a rail signal beside a signalised junction."""
    nodes = {**STAR, "w": (-300, 0), "up": (-150, 300), "down": (-150, -300)}
    kinds = """<node id="x" x="-150" y="0" type="rail_crossing"/>
  <node id="block" x="-150" y="150" type="rail_signal"/>"""
    tracks = "".join(
        f'<edge id="{a}-{b}" from="{a}" to="{b}" numLanes="1" speed="30" allow="rail"/>'
        for a, b in (("up", "block"), ("block", "x"), ("x", "down"))
    )
    roads = [("w", "x"), ("x", "c"), ("e", "c"), ("n", "c"), ("s", "c")]
    net = _plain(folder, nodes, roads, kinds=kinds, edges=tracks)
    cars = STAR_CARS.replace('"wc"', '"wx"').replace('"cw"', '"xw"')
    train = """
  <vType id="train" vClass="rail"/><route id="rail" edges="up-block block-x x-down"/>
  <flow id="train" type="train" route="rail" begin="0" end="300" period="100"/>"""
    return _scenario(net, _demand(folder, train + cars))


# Demand, files, times, names


def probability_flows(folder: Path) -> Scenario:
    """Random flows and a distribution of vehicle types."""
    demand = """
  <vTypeDistribution id="mix"><vType id="car" probability="0.8"/>
    <vType id="truck" vClass="truck" probability="0.2"/></vTypeDistribution>
  <flow id="p" type="mix" from="left0A0" to="B0right0" begin="0" end="300" probability="0.15"/>
  <flow id="q" type="mix" from="right1B1" to="A1left1" begin="0" end="300" period="exp(0.1)"/>
  <flow id="n" type="mix" from="bottom0A0" to="A1top0" begin="0" end="300" number="20"/>"""
    net = _grid(folder, "--default.lanenumber", "2", rows=2)
    return _scenario(net, _demand(folder, demand))


def oversaturated(folder: Path) -> Scenario:
    """Far more vehicles than the road takes."""
    demand = CARS.replace('vehsPerHour="', 'vehsPerHour="3')
    return _scenario(_grid(folder), _demand(folder, demand))


def loops_for_some(folder: Path) -> Scenario:
    """A loop that sees buses alone, and one on the lane beside it that sees all."""
    net = _grid(folder, "--default.lanenumber", "2")
    loops = """
  <inductionLoop id="buses" lane="left0A0_0" pos="-3" period="60" file="NUL" vTypes="bus"/>
  <inductionLoop id="all" lane="left0A0_1" pos="-3" period="60" file="NUL"/>"""
    routes = _demand(folder, '<vType id="bus" vClass="bus"/>' + CARS)
    return _scenario(net, routes, _additional(folder, loops))


def zipped(folder: Path) -> Scenario:
    """Net and demand packed with gzip, named by a configuration."""
    for path in (_grid(folder), _demand(folder, CARS)):
        with path.open("rb") as plain, gzip.open(f"{path}.gz", "wb") as packed:
            shutil.copyfileobj(plain, packed)
        path.unlink()
    return _configured(folder, "grid.net.xml.gz", "r.rou.xml.gz")


def half_second_steps(folder: Path) -> Scenario:
    """A step length of 0.5 s."""
    _grid(folder), _demand(folder, CARS)
    return _configured(folder, "grid.net.xml", "r.rou.xml", '<step-length value="0.5"/>')


def fifth_second_steps(folder: Path) -> Scenario:
    """A step length of 0.2 s."""
    _grid(folder), _demand(folder, CARS)
    return _configured(folder, "grid.net.xml", "r.rou.xml", '<step-length value="0.2"/>')


def blanks_in_paths(folder: Path) -> Scenario:
    """Blanks and other signs in the names of files and folders; a list of two route files."""
    folder = folder / "Straße 7 & Söhne's"
    folder.mkdir()
    _grid(folder).rename(folder / "my grid.net.xml")
    _demand(folder, CARS, "my cars.rou.xml")
    trip = '<trip id="one" depart="5" from="left0A0" to="A0top0"/>'
    _demand(folder, trip, "one more.rou.xml")
    return _configured(folder, "my grid.net.xml", "my cars.rou.xml, one more.rou.xml")


def late_begin(folder: Path) -> Scenario:
    """Times given by the clock; the run begins between two steps of the cycle."""
    _grid(folder)
    _demand(folder, CARS.replace('begin="0" end="300"', 'begin="7:00:00" end="7:05:00"'))
    times = '<begin value="7:00:07"/><end value="7:04:00"/>'
    return _configured(folder, "grid.net.xml", "r.rou.xml", times)


def _configured(folder: Path, net: str, routes: str, more: str = "") -> Scenario:
    end = "" if "<end" in more else f'<end value="{END_S:g}"/>'
    configuration = _write(
        folder / "odd.sumocfg",
        f"""<configuration><net-file value="{net}"/><route-files value="{routes}"/>
  {end}{more}</configuration>""",
    )
    return resolve(str(configuration))


ODD_SIGNAL = 'Kö/n#1 & "Süd", Nr. 7!' + "x" * 80
ODD_NODE = "a:b*(c)=[d]%7c+@^~$ß#!.0_w0_1"


def odd_signal_name(folder: Path) -> Scenario:
    """A signal's name with signs that XML, CSV and file names do not like."""
    net = _grid(folder)
    text = net.read_text(encoding="utf-8").replace('<tlLogic id="A0"', '<tlLogic id="@"')
    name = quoteattr(ODD_SIGNAL, {'"': "&quot;"})
    text = text.replace('tl="A0"', f"tl={name}").replace('<tlLogic id="@"', f"<tlLogic id={name}")
    return _scenario(_write(net, text), _demand(folder, CARS))


def odd_edge_names(folder: Path) -> Scenario:
    """Names of edges and junctions that look like those of internal lanes and walking areas."""
    nodes = {ODD_NODE if name == "c" else name: place for name, place in STAR.items()}
    net = _plain(
        folder, nodes, _arms(ODD_NODE), "--default.sidewalk-width", "2", "--sidewalks.guess",
        "--crossings.guess", signals=(ODD_NODE,),
    )  # fmt: skip
    cars = re.sub(r'(from|to)="(\w*)c(\w*)"', rf'\1="\2{ODD_NODE}\3"', STAR_CARS)
    people = f"""<personFlow id="w" begin="0" end="300" period="20">
  <walk from="n{ODD_NODE}" to="{ODD_NODE}s"/></personFlow>"""
    return _scenario(net, _demand(folder, people + cars))


BUILDERS: Sequence[Builder] = (
    crossings, crossings_signalled_from_both_ends, mid_block_crossing, tram, bus_lane, bicycles,
    joined, too_many_groups, one_lane, roundabout, left_hand, without_insides, hilly,
    several_programs, included_program, moved_offset, clock_times, right_on_red,
    actuated_programs, nema, left_to_sumo, railway, probability_flows, oversaturated,
    loops_for_some, zipped, half_second_steps, fifth_second_steps, blanks_in_paths, late_begin,
    odd_signal_name, odd_edge_names,
)  # fmt: skip
