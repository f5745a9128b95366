"""Networks with peculiarities, built by netgenerate and netconvert from what stands here.

Each builder writes net and demand into a folder and returns the scenario.
"""

from __future__ import annotations

import re
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


def write(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8")
    return path


def demand_file(folder: Path, content: str, name: str = "r.rou.xml") -> Path:
    return write(folder / name, f"<routes>{content}</routes>\n")


def additional_file(folder: Path, content: str, name: str = "a.add.xml") -> Path:
    return write(folder / name, f"<additional>{content}</additional>\n")


def scenario_of(net: Path, routes: Path, *additional: Path) -> Scenario:
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


def grid(folder: Path, *options: str, columns: int = 2, rows: int = 1) -> Path:
    net = folder / "grid.net.xml"
    signals = [f"{'ABCD'[column]}{row}" for column in range(columns) for row in range(rows)]
    run_sumo_program(
        "netgenerate", "--grid", "--grid.x-number", str(columns), "--grid.y-number", str(rows),
        "--grid.length", "200", "--grid.attach-length", "200", "--tls.set", ",".join(signals),
        *options, "--output-file", net,
    )  # fmt: skip
    return net


# A star: one junction c with arms to the west, east, north and south, and more if need be.

STAR = {"c": (0, 0), "w": (-200, 0), "e": (200, 0), "n": (0, 200), "s": (0, -200)}
STAR_CARS = """
  <flow id="we" from="wc" to="ce" begin="0" end="300" vehsPerHour="400"/>
  <flow id="ns" from="nc" to="cs" begin="0" end="300" vehsPerHour="300"/>
  <flow id="left" from="sc" to="cw" begin="0" end="300" vehsPerHour="100"/>"""


def plain_net(
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
        f'<node id={quoteattr(name)} x="{x}" y="{y}" type="{_kind(name in signals)}"/>'
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
        "--node-files", write(folder / "n.nod.xml", f"<nodes>{node_xml}{kinds}</nodes>"),
        "--edge-files", write(folder / "e.edg.xml", f"<edges>{edge_xml}{edges}</edges>"),
    )  # fmt: skip
    return net


def _kind(signalled: bool) -> str:
    return "traffic_light" if signalled else "priority"


def arms(centre: str = "c") -> list[tuple[str, str]]:
    return [(arm, centre) for arm in "wens"]


# Who is on the road


def crossings(folder: Path) -> Scenario:
    """Sidewalks, crossings and people who walk across."""
    net = grid(folder, "--default.sidewalk-width", "2", "--sidewalks.guess", "--crossings.guess")
    return scenario_of(net, demand_file(folder, PEOPLE + CARS))


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
    write(connections, text)
    states = programs.read_text(encoding="utf-8")
    write(programs, re.sub(r'state="(\w{16})(\w{4})"', r'state="\1\2\2"', states))
    run_sumo_program(
        "netconvert", "-n", f"{plain}.nod.xml", "-e", f"{plain}.edg.xml", "-x", connections,
        "-i", programs, "-o", net,
    )  # fmt: skip
    return scenario_of(net, folder / "r.rou.xml")


def mid_block_crossing(folder: Path) -> Scenario:
    """A signal for pedestrians alone, between two junctions."""
    nodes = {name: STAR[name] for name in "cwe"}
    crossing = '<connections><crossing node="c" edges="ce ec" priority="1"/></connections>'
    net = plain_net(
        folder, nodes, [("w", "c"), ("e", "c")], "--default.sidewalk-width", "2",
        "--sidewalks.guess", "--connection-files",
        str(write(folder / "x.con.xml", crossing)),
    )  # fmt: skip
    people = """
  <personFlow id="over" begin="0" end="300" period="15"><walk edges="wc ce ec"/></personFlow>
  <flow id="we" from="wc" to="ce" begin="0" end="300" vehsPerHour="400"/>
  <flow id="ew" from="ec" to="cw" begin="0" end="300" vehsPerHour="300"/>"""
    return scenario_of(net, demand_file(folder, people))


def tram(folder: Path) -> Scenario:
    """A tram line on tracks of its own across a signalised junction."""
    tracks = """<edge id="track_in" from="tw" to="c" numLanes="1" speed="11.1" allow="tram"/>
  <edge id="track_out" from="c" to="te" numLanes="1" speed="11.1" allow="tram"/>"""
    net = plain_net(folder, {**STAR, "tw": (-200, 40), "te": (200, -40)}, arms(), edges=tracks)
    demand = """
  <vType id="tram" vClass="tram"/><route id="line" edges="track_in track_out"/>
  <flow id="tram" type="tram" route="line" begin="0" end="300" period="60"/>"""
    return scenario_of(net, demand_file(folder, demand + STAR_CARS))


def bus_lane(folder: Path) -> Scenario:
    """A lane for buses beside two lanes for all."""
    net, plain = grid(folder, "--default.lanenumber", "3"), folder / "plain"
    run_sumo_program("netconvert", "-s", net, "--plain-output-prefix", plain)
    edges = Path(f"{plain}.edg.xml")
    text = re.sub(
        r'(<edge id="(?:left0A0|A0B0)"[^>]*)/>',
        r'\1><lane index="0" allow="bus"/></edge>',
        edges.read_text(encoding="utf-8"),
    )
    run_sumo_program(
        "netconvert", "-n", f"{plain}.nod.xml", "-e", write(edges, text), "-o", net
    )  # fmt: skip
    bus = """
  <vType id="bus" vClass="bus"/><route id="line" edges="left0A0 A0B0 B0right0"/>
  <flow id="bus" type="bus" route="line" begin="0" end="300" period="60"/>"""
    return scenario_of(net, demand_file(folder, bus + CARS))


def bicycles(folder: Path) -> Scenario:
    """Bicycle lanes."""
    net = grid(folder, "--default.bikelane-width", "1.5", "--bikelanes.guess")
    ride = """
  <vType id="bike" vClass="bicycle"/>
  <flow id="ride" type="bike" from="left0A0" to="B0right0" begin="0" end="300" period="20"/>"""
    return scenario_of(net, demand_file(folder, ride + CARS))


# Shape of the net


def joined(folder: Path) -> Scenario:
    """Two junctions 25 m apart under one signal."""
    nodes = {"a": (0, 0), "b": (25, 0), "w": (-200, 0), "e": (225, 0), "n": (0, 200),
             "s": (25, -200)}  # fmt: skip
    roads = [("w", "a"), ("a", "b"), ("b", "e"), ("n", "a"), ("s", "b")]
    net = plain_net(folder, nodes, roads, "--tls.join", lanes=2, signals=("a", "b"))
    demand = """
  <flow id="we" from="wa" to="be" begin="0" end="300" vehsPerHour="400"/>
  <flow id="ew" from="eb" to="aw" begin="0" end="300" vehsPerHour="300"/>
  <flow id="ne" from="na" to="be" begin="0" end="300" vehsPerHour="150"/>
  <flow id="sw" from="sb" to="aw" begin="0" end="300" vehsPerHour="150"/>"""
    return scenario_of(net, demand_file(folder, demand))


def too_many_groups(folder: Path) -> Scenario:
    """Twenty junctions under one signal: more groups than an interlock holds."""
    columns, rows = 5, 4
    nodes = {"w": (-150, 0), "e": (60 * columns, 0)}
    roads = [("w", "00"), (f"{columns - 1}0", "e")]
    signals = [f"{i}{j}" for i in range(columns) for j in range(rows)]
    nodes |= {name: (60 * int(name[0]), 60 * int(name[1])) for name in signals}
    roads += [(f"{i}{j}", f"{i + 1}{j}") for i in range(columns - 1) for j in range(rows)]
    roads += [(f"{i}{j}", f"{i}{j + 1}") for i in range(columns) for j in range(rows - 1)]
    net = plain_net(folder, nodes, roads, "--tls.join", "--tls.join-dist", "70", signals=signals)
    cars = '<flow id="f" from="w00" to="40e" begin="0" end="300" vehsPerHour="300"/>'
    return scenario_of(net, demand_file(folder, cars))


def one_lane(folder: Path) -> Scenario:
    """Roads of one lane that all movements share."""
    left = """
  <flow id="left" from="left0A0" to="A0top0" begin="0" end="300" vehsPerHour="120"/>"""
    return scenario_of(grid(folder), demand_file(folder, CARS + left))


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
    return scenario_of(net, demand_file(folder, trips))


def ring(folder: Path) -> Scenario:
    """Six signals around a ring, with a crossing at every arm and a stage for each arm."""
    net = folder / "ring.net.xml"
    run_sumo_program(
        "netgenerate", "--spider", "--spider.arm-number", "6", "--spider.circle-number", "1",
        "--spider.space-radius", "150", "--default.lanenumber", "2",
        "--default-junction-type", "traffic_light", "--tls.layout", "incoming",
        "--crossings.guess", "--sidewalks.guess", "--output-file", net,
    )  # fmt: skip
    edge = re.findall(r'<edge id="([^":]+)"', net.read_text(encoding="utf-8"))[0]
    trip = f'<trip id="t" depart="1" from="{edge}" to="{edge}"/>'
    return scenario_of(net, demand_file(folder, trip))


def left_hand(folder: Path) -> Scenario:
    """Traffic on the left."""
    net = grid(folder, "--lefthand", "--default.lanenumber", "2")
    return scenario_of(net, demand_file(folder, CARS))


def without_insides(folder: Path) -> Scenario:
    """A net without internal lanes."""
    net = grid(folder, "--no-internal-links", "--default.lanenumber", "2")
    return scenario_of(net, demand_file(folder, CARS))


def hilly(folder: Path) -> Scenario:
    """Points with a height."""
    net = grid(folder)
    raised = re.sub(
        r'(?<=shape=")[^"]+"',
        lambda shape: shape[0].replace(" ", ",3.5 ")[:-1] + ',3.5"',
        net.read_text(encoding="utf-8"),
    )
    return scenario_of(write(net, raised), demand_file(folder, CARS))


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
    net = plain_net(folder, nodes, roads, kinds=kinds, edges=tracks)
    cars = STAR_CARS.replace('"wc"', '"wx"').replace('"cw"', '"xw"')
    train = """
  <vType id="train" vClass="rail"/><route id="rail" edges="up-block block-x x-down"/>
  <flow id="train" type="train" route="rail" begin="0" end="300" period="100"/>"""
    return scenario_of(net, demand_file(folder, train + cars))


def crossroads_before_a_signal(folder: Path, at_m: int = -16) -> Scenario:
    """A junction without signals ends a metre or so before a stop line."""
    nodes = {**STAR, "w": (at_m, 0), "v": (-100, 0), "p": (at_m, 90), "q": (at_m, -90)}
    net = plain_net(folder, nodes, [*arms(), ("v", "w"), ("p", "w"), ("q", "w")])
    cars = """
  <flow id="past" from="pw" to="wq" begin="0" end="300" vehsPerHour="300"/>
  <flow id="west" from="vw" to="ce" begin="0" end="300" vehsPerHour="120"/>
  <flow id="join" from="pw" to="cn" begin="0" end="300" vehsPerHour="60"/>
  <flow id="down" from="nc" to="cs" begin="0" end="300" vehsPerHour="300"/>"""
    return scenario_of(net, demand_file(folder, cars))


# Two junctions 10 m apart, side roads on opposite sides: their signals clear the link in a stage of
# its own.

_A = ("GGgrrrGGG", "GGgrrryyy", "GGGrrrrrr", "yyyrrrrrr", "rrrGGGrrr", "rrryyyrrr")
_B = ("GGGGGgrrr", "yyyGGgrrr", "rrrGGGrrr", "rrryyyrrr", "rrrrrrGGG", "rrrrrryyy")
_LENGTHS_S = (25, 3, 6, 3, 20, 3)


def staggered(folder: Path) -> Scenario:
    nodes = {"a": (0, 0), "b": (0, 30), "n": (0, 230), "s": (0, -200), "w": (-200, 30)}
    net = plain_net(
        folder, {**nodes, "e": (200, 0)}, [("n", "b"), ("b", "a"), ("a", "s"), ("w", "b"), ("e", "a")],
        signals=("a", "b"), lanes=2,
    )  # fmt: skip
    program = "".join(
        f'<tlLogic id="{signal}" programID="cleared" type="static" offset="0">'
        + "".join(
            f'<phase duration="{length_s}" state="{state}"/>'
            for length_s, state in zip(_LENGTHS_S, states, strict=True)
        )
        + "</tlLogic>"
        for signal, states in (("a", _A), ("b", _B))
    )
    routes = demand_file(
        folder,
        """
  <flow id="down" from="nb" to="as" begin="0" end="300" vehsPerHour="350"/>
  <flow id="up" from="sa" to="bn" begin="0" end="300" vehsPerHour="350"/>
  <flow id="into_w" from="sa" to="bw" begin="0" end="300" vehsPerHour="120"/>
  <flow id="into_e" from="nb" to="ae" begin="0" end="300" vehsPerHour="120"/>
  <flow id="west" from="wb" to="as" begin="0" end="300" vehsPerHour="150"/>
  <flow id="east" from="ea" to="bn" begin="0" end="300" vehsPerHour="150"/>""",
    )
    return scenario_of(net, routes, additional_file(folder, program))


NETWORKS: Sequence[Builder] = (
    crossings, crossings_signalled_from_both_ends, mid_block_crossing, tram, bus_lane, bicycles,
    joined, too_many_groups, one_lane, roundabout, left_hand, without_insides, hilly, railway,
    staggered, crossroads_before_a_signal,
)  # fmt: skip
