"""The report of a directory of results: one HTML file that needs nothing besides itself.

Means and delays use every run; time-space diagrams, stages and signal timing show one run of each
control, all of the same seed and over the same time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.intersection import Turn
from ampelwerk.models.network import Network
from ampelwerk.sim.net_file import NetFile, read_net
from ampelwerk.sim.report import definitions, naming, tables
from ampelwerk.sim.report.delay_section import delay_section
from ampelwerk.sim.report.difference_plot import difference_picture
from ampelwerk.sim.report.drawing import clock
from ampelwerk.sim.report.intersections import intersection_parts
from ampelwerk.sim.report.plan_diagram import CAPTION as PLAN_CAPTION
from ampelwerk.sim.report.results import FinishedRun, Results, read_results
from ampelwerk.sim.report.road_section import road_section
from ampelwerk.sim.report.signal_record import read_signals
from ampelwerk.sim.run_directory import SIGNALS

TEMPLATES = Path(__file__).parent / "templates"
PAGE = "report.html"
_MOST_OPEN = 3
"""With more intersections than this each is folded away until it is wanted."""


def write_report(
    directory: Path,
    *,
    route: Sequence[str] | None = None,
    force: bool = False,
    tell: Callable[[str], None] = lambda step: None,
) -> Path:
    """Write DIR/report.html; its path.

    Parameters
    ----------
    route : edges of the time-space diagram; None: the busiest way through several signals.
    force : overwrite the page of an earlier time.
    tell : told what is being drawn.

    Raises
    ------
    InvalidInputError : there are no results, a file of a run is missing or broken, the route is no
        way through the net, or the page is there already.
    """
    results = read_results(directory)
    path = directory / PAGE
    if path.exists() and not force:
        raise InvalidInputError(
            "the report is there already", where=str(path), remedy="overwrite it with --force"
        )
    page = report_page(results, route, tell)
    fresh = path.with_suffix(".new")
    fresh.write_text(page, encoding="utf-8")
    fresh.replace(path)
    return path


def report_page(results: Results, route: Sequence[str] | None, tell: Callable[[str], None]) -> str:
    """The page as HTML."""
    drawn = results.drawn
    network = drawn[0].network()
    net = read_net(drawn[0].net_file)
    _check_lanes(net, network)
    comparison = results.compared()
    records = {run.control: read_signals(run.file(SIGNALS)) for run in drawn}
    delays = delay_section(results, net, network, tell)
    road, (window_s, _) = road_section(drawn, records, net, network, route, tell)
    sites = intersection_parts(drawn, records, net, network, window_s, tell)
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["svg"] = Markup
    tell("writing the page")
    return environment.get_template("report.html.jinja").render(
        title=str(drawn[0].measures["scenario"]),
        facts=_facts(results),
        warnings=_warnings(results, net, network),
        controls=list(results.controls),
        reference=comparison.controls[0],
        seeds=comparison.seeds,
        flags=tables.flags(comparison),
        rows=tables.comparison_rows(comparison),
        run_tables=tables.run_tables(comparison),
        differences=difference_picture(comparison),
        delays=delays,
        road=road,
        sites=sites,
        open_sites=len(sites) <= _MOST_OPEN,
        drawn_seeds=sorted({run.seed for run in drawn}),
        measures=definitions.MEASURES,
        definitions=definitions,
        turn_words=naming.TURN_WORDS,
        plan_caption=PLAN_CAPTION,
        version=version("ampelwerk"),
    )


def _facts(results: Results) -> list[tuple[str, str]]:
    """What was run, in pairs of name and value."""
    first = results.drawn[0]
    config, versions = first.manifest["config"], first.manifest.get("versions", {})
    teleport_s = float(config["time_to_teleport_s"])
    time = (
        f"{clock(first.begin_s)} to {clock(first.end_s)} ({first.begin_s:g} to {first.end_s:g} s), "
        f"steps of {config['scenario']['step_s']:g} s"
    )
    sumo = sorted({str(r.manifest.get("versions", {}).get("sumo", "?")) for r in results.runs})
    return [
        ("scenario", str(first.measures["scenario"])),
        ("net", first.net_file.name),
        ("demand", ", ".join(Path(p).name for p in config["scenario"]["route_files"])),
        ("time", time),
        ("warm-up", "none: every trip due from begin to end counts"),
        ("trips due before begin", f"{first.measures['dropped_before_begin']}, dropped by SUMO"),
        ("control", ", ".join(results.controls)),
        ("seeds", ", ".join(map(str, sorted({run.seed for run in results.runs})))),
        ("rule profile", str(first.measures["profile"])),
        ("teleports", f"after {teleport_s:g} s" if teleport_s > 0 else "never"),
        *([("no loops", ", ".join(missing))] if (missing := config.get("without_loops")) else []),
        *(
            [("signals at short links", "each on its own")]
            if config.get("separate_signals")
            else []
        ),
        *([("faulty loops", wrong)] if (wrong := _faults(config)) else []),
        ("versions", f"{', '.join(sumo)}; Ampelwerk {versions.get('ampelwerk', '?')}"),
    ]


def _faults(config: Mapping[str, Any]) -> str:
    """What was wrong with the loops; empty for healthy ones."""
    return "; ".join(
        f"{fault['kind']}: {100 * fault['share']:g} % from {fault['from_s']:g} s after begin on"
        + ("" if fault["level"] is None else f", level {fault['level']:g}")
        for fault in config.get("faults", ())
    )


def _warnings(results: Results, net: NetFile, network: Network) -> list[str]:
    """What a reader must know before any number."""
    found = [f"{name} was cut off and is left out." for name in results.incomplete]
    seeds = {control: [run.seed for run in runs] for control, runs in results.controls.items()}
    if len({tuple(numbers) for numbers in seeds.values()}) > 1:
        listed = "; ".join(f"{c}: {', '.join(map(str, n))}" for c, n in seeds.items())
        found.append(
            f"The controls have different seeds ({listed}); differences use the seeds they share, "
            "the means do not compare."
        )
    if len(results.controls) > 1 and results.comparison is None:
        found.append(
            "The comparison was not finished: the order of the controls, and so the reference, "
            "is that of their names."
        )
    expected = results.drawn[0].manifest.get("inputs_sha256", {}).get(str(net.path))
    if expected and hashlib.sha256(net.path.read_bytes()).hexdigest() != expected:
        found.append("The net file has changed since the run; pictures of roads may not fit.")
    found += _flag_words(results.runs)
    found += [
        f"{signal.intersection_id} is left to SUMO: {signal.reason}"
        for signal in network.uncontrolled
    ]
    return found


def _flag_words(runs: Sequence[FinishedRun]) -> list[str]:
    """A line for every run that is gridlocked, invalid or unsafe."""
    found = []
    for run in runs:
        name = f"{run.control}, seed {run.seed}"
        violations = int(run.measures["safety"]["violations"])
        if run.measures["gridlock"]:
            found.append(f"{name}: GRIDLOCK. Traffic stood still; means over it say little.")
        if not run.measures["valid"]:
            found.append(f"{name}: INVALID. Too many vehicles were teleported.")
        if violations:
            found.append(f"{name}: {violations} switches broke a rule, see violations.csv.")
    return found


def _check_lanes(net: NetFile, network: Network) -> None:
    """The net still has the lanes of the model.

    Raises
    ------
    InvalidInputError : it has not.
    """
    for site in network.intersections:
        for movement in site.movements:
            if movement.turn is Turn.CROSSING:
                continue
            for lane in (movement.from_lane, movement.to_lane):
                if lane not in net.lanes:
                    raise InvalidInputError(
                        "the net is not the one that was simulated",
                        where=str(net.path),
                        found=f"no lane {lane}",
                        remedy="put the old net back, or run again",
                    )
