"""Networks with peculiarities, built by netgenerate and netconvert from what stands here.

Each builder writes net, demand and additional files into a folder and returns the words that name
the scenario on the command line.
"""

from __future__ import annotations

import gzip
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from ampelwerk.sim.sumo_programs import sumo_program

Builder = Callable[[Path], list[str]]


def _run(program: str, *options: str | Path) -> None:
    subprocess.run(
        [str(sumo_program(program)), *map(str, options)], check=True, capture_output=True
    )


def _grid(net: Path, *options: str, columns: int = 2, rows: int = 1) -> None:
    """A grid of signals with roads leading in from all sides."""
    _run(
        "netgenerate", "--grid", "--grid.x-number", str(columns), "--grid.y-number", str(rows),
        "--grid.length", "200", "--grid.attach-length", "200",
        "--default-junction-type", "traffic_light", *options, "--output-file", net,
    )  # fmt: skip


CARS = """
  <flow id="east" from="left0A0" to="B0right0" begin="0" end="300" vehsPerHour="500"/>
  <flow id="west" from="right0B0" to="A0left0" begin="0" end="300" vehsPerHour="350"/>
  <flow id="north" from="bottom0A0" to="A0top0" begin="0" end="300" vehsPerHour="200"/>
  <flow id="turn" from="top1B0" to="B0bottom1" begin="0" end="300" vehsPerHour="120"/>
"""


def _demand(path: Path, content: str = CARS) -> Path:
    path.write_text(f"<routes>{content}</routes>\n", encoding="utf-8")
    return path


def _words(net: Path, routes: Path, *additional: Path) -> list[str]:
    words = [str(net), "-r", str(routes)]
    for path in additional:
        words += ["-a", str(path)]
    return words


def crossings(folder: Path) -> list[str]:
    """Sidewalks, crossings and people who walk across."""
    net = folder / "crossings.net.xml"
    _grid(net, "--default.sidewalk-width", "2", "--sidewalks.guess", "--crossings.guess")
    people = """
  <personFlow id="walk" begin="0" end="300" period="20">
    <walk from="bottom0A0" to="A0top0"/></personFlow>
  <personFlow id="along" begin="0" end="300" period="30">
    <walk from="left0A0" to="B0right0"/></personFlow>"""
    return _words(net, _demand(folder / "r.rou.xml", people + CARS))


def tram(folder: Path) -> list[str]:
    """A tram line on tracks of its own across a signalised junction."""
    (folder / "n.nod.xml").write_text(
        """<nodes><node id="c" x="0" y="0" type="traffic_light"/>
  <node id="w" x="-200" y="0"/><node id="e" x="200" y="0"/>
  <node id="n" x="0" y="200"/><node id="s" x="0" y="-200"/>
  <node id="tw" x="-200" y="40"/><node id="te" x="200" y="-40"/></nodes>""",
        encoding="utf-8",
    )
    edges = "".join(
        f'<edge id="{a}c" from="{a}" to="c" numLanes="1" speed="13.9"/>'
        f'<edge id="c{a}" from="c" to="{a}" numLanes="1" speed="13.9"/>'
        for a in "wens"
    )
    (folder / "e.edg.xml").write_text(
        f"""<edges>{edges}
  <edge id="track_in" from="tw" to="c" numLanes="1" speed="11.1" allow="tram"/>
  <edge id="track_out" from="c" to="te" numLanes="1" speed="11.1" allow="tram"/></edges>""",
        encoding="utf-8",
    )
    net = folder / "tram.net.xml"
    _run("netconvert", "-n", folder / "n.nod.xml", "-e", folder / "e.edg.xml",
         "--no-turnarounds", "-o", net)  # fmt: skip
    demand = """
  <vType id="tram" vClass="tram"/>
  <route id="line" edges="track_in track_out"/>
  <flow id="tram" type="tram" route="line" begin="0" end="300" period="60"/>
  <flow id="we" from="wc" to="ce" begin="0" end="300" vehsPerHour="400"/>
  <flow id="ns" from="nc" to="cs" begin="0" end="300" vehsPerHour="300"/>
  <flow id="left" from="sc" to="cw" begin="0" end="300" vehsPerHour="100"/>"""
    return _words(net, _demand(folder / "r.rou.xml", demand))


def bus_lane(folder: Path) -> list[str]:
    """A lane for buses beside two lanes for all."""
    net = folder / "bus.net.xml"
    _grid(net, "--default.lanenumber", "3")
    plain = folder / "plain"
    _run("netconvert", "-s", net, "--plain-output-prefix", plain)
    text = Path(f"{plain}.edg.xml").read_text(encoding="utf-8")
    text = text.replace('numLanes="3"', 'numLanes="3" disallow="pedestrian"')
    marked = []
    for line in text.splitlines():
        if 'id="left0A0"' in line or 'id="A0B0"' in line:
            head = line.replace("/>", ">") if line.rstrip().endswith("/>") else line
            marked.append(head)
            marked.append('<lane index="0" allow="bus"/>')
            if line.rstrip().endswith("/>"):
                marked.append("</edge>")
        else:
            marked.append(line)
    Path(f"{plain}.edg.xml").write_text("\n".join(marked), encoding="utf-8")
    _run("netconvert", "-n", f"{plain}.nod.xml", "-e", f"{plain}.edg.xml", "-o", net)
    demand = (
        """
  <vType id="bus" vClass="bus"/>
  <route id="line" edges="left0A0 A0B0 B0right0"/>
  <flow id="bus" type="bus" route="line" begin="0" end="300" period="60"/>"""
        + CARS
    )
    return _words(net, _demand(folder / "r.rou.xml", demand))


def joined(folder: Path) -> list[str]:
    """Two junctions 25 m apart under one signal."""
    (folder / "n.nod.xml").write_text(
        """<nodes><node id="a" x="0" y="0" type="traffic_light" tl="both"/>
  <node id="b" x="25" y="0" type="traffic_light" tl="both"/>
  <node id="w" x="-200" y="0"/><node id="e" x="225" y="0"/>
  <node id="n" x="0" y="200"/><node id="s" x="25" y="-200"/></nodes>""",
        encoding="utf-8",
    )
    pairs = [("w", "a"), ("a", "b"), ("b", "e"), ("n", "a"), ("s", "b")]
    edges = "".join(
        f'<edge id="{p}{q}" from="{p}" to="{q}" numLanes="2" speed="13.9"/>'
        for a, b in pairs
        for p, q in ((a, b), (b, a))
    )
    (folder / "e.edg.xml").write_text(f"<edges>{edges}</edges>", encoding="utf-8")
    net = folder / "joined.net.xml"
    _run("netconvert", "-n", folder / "n.nod.xml", "-e", folder / "e.edg.xml",
         "--no-turnarounds", "-o", net)  # fmt: skip
    demand = """
  <flow id="we" from="wa" to="be" begin="0" end="300" vehsPerHour="400"/>
  <flow id="ew" from="eb" to="aw" begin="0" end="300" vehsPerHour="300"/>
  <flow id="ne" from="na" to="be" begin="0" end="300" vehsPerHour="150"/>
  <flow id="sw" from="sb" to="aw" begin="0" end="300" vehsPerHour="150"/>"""
    return _words(net, _demand(folder / "r.rou.xml", demand))


def zipped(folder: Path) -> list[str]:
    """Net and demand packed with gzip, named by a configuration."""
    net, routes = folder / "zipped.net.xml", _demand(folder / "r.rou.xml")
    _grid(net)
    for path in (net, routes):
        with path.open("rb") as plain, gzip.open(f"{path}.gz", "wb") as packed:
            shutil.copyfileobj(plain, packed)
        path.unlink()
    configuration = folder / "zipped.sumocfg"
    configuration.write_text(
        """<configuration><input><net-file value="zipped.net.xml.gz"/>
  <route-files value="r.rou.xml.gz"/></input><time><end value="300"/></time></configuration>""",
        encoding="utf-8",
    )
    return [str(configuration)]


def several_programs(folder: Path) -> list[str]:
    """A second program, and a timetable (WAUT) that would switch to it in mid-run."""
    net = folder / "programs.net.xml"
    _grid(net)
    text = net.read_text(encoding="utf-8")
    block = text[text.index('<tlLogic id="A0"') : text.index("</tlLogic>") + len("</tlLogic>")]
    night = block.replace('programID="0"', 'programID="night"').replace("duration=", "duration=")
    programs = folder / "programs.add.xml"
    programs.write_text(
        f"""<additional>{night}
  <WAUT id="week" refTime="0" startProg="night"><wautSwitch time="120" to="0"/></WAUT>
  <wautJunction wautID="week" junctionID="A0"/></additional>""",
        encoding="utf-8",
    )
    return _words(net, _demand(folder / "r.rou.xml"), programs)


def probability_flows(folder: Path) -> list[str]:
    """Random flows and a distribution of vehicle types."""
    net = folder / "flows.net.xml"
    _grid(net, "--default.lanenumber", "2", rows=2)
    demand = """
  <vTypeDistribution id="mix"><vType id="car" probability="0.8"/>
    <vType id="truck" vClass="truck" probability="0.2"/></vTypeDistribution>
  <flow id="p" type="mix" from="left0A0" to="B0right0" begin="0" end="300" probability="0.15"/>
  <flow id="q" type="mix" from="right1B1" to="A1left1" begin="0" end="300" period="exp(0.1)"/>
  <flow id="n" type="mix" from="bottom0A0" to="A1top0" begin="0" end="300" number="20"/>"""
    return _words(net, _demand(folder / "r.rou.xml", demand))


def one_lane(folder: Path) -> list[str]:
    """Roads of one lane that all movements share."""
    net = folder / "lane.net.xml"
    _grid(net, "--default.lanenumber", "1")
    demand = (
        CARS
        + """
  <flow id="left" from="left0A0" to="A0top0" begin="0" end="300" vehsPerHour="120"/>"""
    )
    return _words(net, _demand(folder / "r.rou.xml", demand))


def right_on_red(folder: Path) -> list[str]:
    """Vehicles may turn right at red after a stop (letter s)."""
    net = folder / "right.net.xml"
    _grid(net, "--default.lanenumber", "2")
    text = net.read_text(encoding="utf-8")
    links = {
        int(line.split('linkIndex="')[1].split('"')[0])
        for line in text.splitlines()
        if 'tl="A0"' in line and 'dir="r"' in line
    }
    lines = []
    inside = False
    for line in text.splitlines():
        inside = (inside or '<tlLogic id="A0"' in line) and "</tlLogic>" not in line
        if inside and 'state="' in line:
            head, state = line.split('state="')
            state, tail = state.split('"', 1)
            shown = "".join(
                "s" if k in links and letter == "r" else letter for k, letter in enumerate(state)
            )
            line = f'{head}state="{shown}"{tail}'
        lines.append(line)
    net.write_text("\n".join(lines), encoding="utf-8")
    return _words(net, _demand(folder / "r.rou.xml"))


def half_second_steps(folder: Path) -> list[str]:
    """A step length of 0.5 s."""
    return _with_step(folder, "0.5")


def fifth_second_steps(folder: Path) -> list[str]:
    """A step length of 0.2 s."""
    return _with_step(folder, "0.2")


def _with_step(folder: Path, step: str) -> list[str]:
    net, routes = folder / "step.net.xml", _demand(folder / "r.rou.xml")
    _grid(net)
    configuration = folder / "step.sumocfg"
    configuration.write_text(
        f"""<configuration><net-file value="{net.name}"/><route-files value="{routes.name}"/>
  <end value="300"/><step-length value="{step}"/></configuration>""",
        encoding="utf-8",
    )
    return [str(configuration)]


def odd_names(folder: Path) -> list[str]:
    """Names with signs that XML, CSV and file names do not like."""
    net = folder / "names.net.xml"
    _grid(net)
    text = net.read_text(encoding="utf-8")
    name = "Kö/n#1 &amp; &quot;Süd&quot;, Nr. 7!" + "x" * 80
    text = text.replace('id="A0" type="static"', f'id="{name}" type="static"')
    text = text.replace('tl="A0"', f'tl="{name}"')
    net.write_text(text, encoding="utf-8")
    return _words(net, _demand(folder / "r.rou.xml"))


def roundabout(folder: Path) -> list[str]:
    """A spider web whose centre is left to netconvert to guess."""
    net = folder / "web.net.xml"
    _run("netgenerate", "--spider", "--spider.arm-number", "5", "--spider.circle-number", "2",
         "--spider.space-radius", "150", "--tls.guess", "--tls.guess.threshold", "10",
         "--output-file", net)  # fmt: skip
    edges = [
        line.split('edge id="')[1].split('"')[0]
        for line in net.read_text(encoding="utf-8").splitlines()
        if '<edge id="' in line and "function" not in line
    ]
    trips = "".join(
        f'<trip id="t{k}" depart="{k * 2}" from="{edges[k % len(edges)]}" '
        f'to="{edges[(k * 7 + 3) % len(edges)]}"/>'
        for k in range(120)
        if edges[k % len(edges)] != edges[(k * 7 + 3) % len(edges)]
    )
    return _words(net, _demand(folder / "r.rou.xml", trips))


def left_hand(folder: Path) -> list[str]:
    """Traffic on the left."""
    net = folder / "left.net.xml"
    _grid(net, "--lefthand", "--default.lanenumber", "2")
    return _words(net, _demand(folder / "r.rou.xml"))


def actuated_programs(folder: Path) -> list[str]:
    """Programs of SUMO's own actuated kind, with least and greatest durations."""
    net = folder / "actuated.net.xml"
    _grid(net, "--tls.default-type", "actuated")
    return _words(net, _demand(folder / "r.rou.xml"))


def bicycles(folder: Path) -> list[str]:
    """Bicycle lanes."""
    net = folder / "bikes.net.xml"
    _grid(net, "--default.bikelane-width", "1.5", "--bikelanes.guess", "--default.lanenumber", "1")
    demand = """
  <vType id="bike" vClass="bicycle"/>
  <flow id="ride" type="bike" from="left0A0" to="B0right0" begin="0" end="300" period="20"/>"""
    return _words(net, _demand(folder / "r.rou.xml", demand + CARS))


def left_to_sumo(folder: Path) -> list[str]:
    """One signal that is off and one with a single stage, beside two that can be controlled."""
    net = folder / "left.net.xml"
    _grid(net, columns=4)
    text = net.read_text(encoding="utf-8")
    lines, current = [], ""
    for line in text.splitlines():
        if "<tlLogic" in line:
            current = line.split('id="')[1].split('"')[0]
        if 'state="' in line and current in ("C0", "D0"):
            length = len(line.split('state="')[1].split('"')[0])
            letter = "O" if current == "C0" else "G"
            line = f'<phase duration="90" state="{letter * length}"/>'
        lines.append(line)
    net.write_text("\n".join(lines), encoding="utf-8")
    return _words(
        net,
        _demand(
            folder / "r.rou.xml",
            CARS.replace("B0right0", "D0right0").replace("right0B0", "right0D0"),
        ),
    )


def without_insides(folder: Path) -> list[str]:
    """A net without internal lanes."""
    net = folder / "bare.net.xml"
    _grid(net, "--no-internal-links")
    return _words(net, _demand(folder / "r.rou.xml"))


def oversaturated(folder: Path) -> list[str]:
    """Twice as many vehicles as the road takes."""
    net = folder / "full.net.xml"
    _grid(net, "--default.lanenumber", "1")
    demand = CARS.replace('vehsPerHour="', 'vehsPerHour="3')
    return _words(net, _demand(folder / "r.rou.xml", demand))


BUILDERS: Sequence[Builder] = (
    crossings, tram, bus_lane, joined, zipped, several_programs, probability_flows, one_lane,
    right_on_red, half_second_steps, fifth_second_steps, odd_names, roundabout, left_hand,
    actuated_programs, bicycles, left_to_sumo, without_insides, oversaturated,
)  # fmt: skip
