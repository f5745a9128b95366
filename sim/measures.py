"""Performance measures of a run, each defined once, from SUMO's own output files.

`delay_s` is the mean of timeLoss + departDelay over all vehicles that should have departed in the
window: the unfinished with their loss so far, those never inserted with their wait until the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ampelwerk.models.errors import InvalidInputError
from ampelwerk.sim.net_file import elements
from ampelwerk.sim.scenario import Scenario

TRIPINFO, SUMMARY, STATISTIC = "tripinfo.xml", "summary.xml", "statistic.xml"
WARNINGS = "sumo_warnings.txt"
"""SUMO's own warnings, such as routes it drops."""
COLLISIONS, VEHROUTES = "collisions.xml", "vehroutes.xml"

GRIDLOCK_QUIET_S = 300.0
"""This long without an arrival while `GRIDLOCK_RUNNING` vehicles run is gridlock. [s]"""
GRIDLOCK_RUNNING = 20
GRIDLOCK_WAIT_S, GRIDLOCK_WAITING = 900.0, 5
"""So many unfinished vehicles that each waited longer than this are gridlock, too. [s], [veh]"""
INVALID_TELEPORT_SHARE = 0.02
"""Above this share of teleports a run is invalid: they dissolve gridlock for free. [-]"""


def sumo_output_options(directory: Path) -> list[str]:
    """SUMO options that write what `measure_run` reads."""
    return [
        "--tripinfo-output", str(directory / TRIPINFO),
        "--tripinfo-output.write-unfinished",
        "--tripinfo-output.write-undeparted",
        "--summary-output", str(directory / SUMMARY),
        "--statistic-output", str(directory / STATISTIC),
        "--vehroute-output", str(directory / VEHROUTES),
        "--vehroute-output.exit-times",
        "--vehroute-output.write-unfinished",
        "--collision-output", str(directory / COLLISIONS),
        "--collision.action", "warn",
        "--collision.check-junctions",
        "--device.emissions.probability", "1",
        "--no-step-log",
        "--error-log", str(directory / WARNINGS),
        "--no-warnings",  # on the terminal; the file has them all
        "--duration-log.disable",
    ]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Trips:
    """All vehicle trips of a run, side by side; N trips."""

    due_s: np.ndarray[Any, np.dtype[np.float64]]
    """(N,) when the vehicle should have departed. [s]"""
    inserted: np.ndarray[Any, np.dtype[np.bool_]]
    """(N,) it did depart."""
    finished: np.ndarray[Any, np.dtype[np.bool_]]
    """(N,) it arrived."""
    time_loss_s: np.ndarray[Any, np.dtype[np.float64]]
    """(N,) time lost against free driving; 0 if not inserted. [s]"""
    depart_delay_s: np.ndarray[Any, np.dtype[np.float64]]
    """(N,) wait before insertion. [s]"""
    waiting_s: np.ndarray[Any, np.dtype[np.float64]]
    """(N,) time below 0.1 m/s. [s]"""
    stops: np.ndarray[Any, np.dtype[np.float64]]
    """(N,) times it came below 0.1 m/s. [-]"""
    duration_s: np.ndarray[Any, np.dtype[np.float64]]
    """(N,) time on the road. [s]"""
    arrival_s: np.ndarray[Any, np.dtype[np.float64]]
    """(N,) arrival, -1 if unfinished. [s]"""
    co2_kg: np.ndarray[Any, np.dtype[np.float64]]
    """(N,) carbon dioxide emitted. [kg]"""
    vehicle_type: tuple[str, ...]
    """(N,) vType."""
    first_edge: tuple[str, ...]
    """(N,) edge of departure."""
    persons: tuple[Mapping[str, str], ...]
    """Attributes of the personinfo elements, waiting time of their walks included."""

    @property
    def delay_s(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """(N,) time loss and wait before insertion. [s]"""
        return self.time_loss_s + self.depart_delay_s


def read_trips(path: Path) -> Trips:
    """Read tripinfo.xml.

    Raises
    ------
    InvalidInputError : missing or cut off.
    """
    rows: list[tuple[float, ...]] = []
    kinds, edges, persons = list[str](), list[str](), list[dict[str, str]]()
    for element in elements(path, ("tripinfo", "personinfo")):
        if element.tag == "personinfo":
            legs = [leg for leg in element if leg.tag == "walk"]
            wait_s = sum(float(leg.get("timeLoss", "0")) for leg in legs)
            persons.append({**element.attrib, "walkTimeLoss": str(wait_s)})
            continue
        value = element.attrib
        depart_s, wait_s = float(value["depart"]), float(value["departDelay"])
        emissions = element.find("emissions")
        inserted = depart_s >= 0
        rows.append(
            (
                depart_s - wait_s if inserted else -1.0,
                inserted,
                float(value["arrival"]) >= 0,
                float(value["timeLoss"]) if inserted else 0.0,
                wait_s,
                float(value["waitingTime"]) if inserted else 0.0,
                float(value["waitingCount"]) if inserted else 0.0,
                float(value["duration"]) if inserted else 0.0,
                float(value["arrival"]),
                float(emissions.get("CO2_abs", "0")) / 1e6 if emissions is not None else 0.0,
            )
        )
        kinds.append(value.get("vType", ""))
        edges.append(value.get("departLane", "").rsplit("_", 1)[0])
    table = np.array(rows, dtype=np.float64).reshape(len(rows), 10)
    return Trips(
        due_s=table[:, 0],
        inserted=table[:, 1] > 0,
        finished=table[:, 2] > 0,
        time_loss_s=table[:, 3],
        depart_delay_s=table[:, 4],
        waiting_s=table[:, 5],
        stops=table[:, 6],
        duration_s=table[:, 7],
        arrival_s=table[:, 8],
        co2_kg=table[:, 9],
        vehicle_type=tuple(kinds),
        first_edge=tuple(edges),
        persons=tuple(persons),
    )


def is_gridlocked(trips: Trips, summary: Path) -> bool:
    """Gridlock: a long time without an arrival on a full road, or several endless waits."""
    stuck = ~trips.finished & (trips.waiting_s > GRIDLOCK_WAIT_S)
    if int(stuck.sum()) >= GRIDLOCK_WAITING:
        return True
    quiet_since_s, arrived = None, -1
    for step in elements(summary, ("step",)):
        time_s, now = float(step.get("time", "0")), int(step.get("arrived", step.get("ended", "0")))
        if now != arrived or int(step.get("running", "0")) < GRIDLOCK_RUNNING:
            quiet_since_s, arrived = time_s, now
        elif quiet_since_s is not None and time_s - quiet_since_s >= GRIDLOCK_QUIET_S:
            return True
    return False


def _mean(values: np.ndarray[Any, np.dtype[np.float64]]) -> float | None:
    return round(float(values.mean()), 3) if len(values) else None


def measure_run(
    directory: Path,
    scenario: Scenario,
    *,
    control: str,
    profile: str,
    seed: int,
    longest_red_s: float | None,
    pedestrian_wait_s: float | None = None,
    safety: Mapping[str, Any],
    cost: Mapping[str, Any],
    detectors: Mapping[str, Any],
    uncontrolled: Sequence[Mapping[str, str]],
) -> dict[str, Any]:
    """Every measure of a run, as written to measures.json.

    Parameters
    ----------
    directory : holds SUMO's files, written with `sumo_output_options`.
    longest_red_s : from `red_waits`.
    safety : from the witness.
    cost : wall-clock times of the run.
    detectors : loops read, those that failed, frames refused.
    """
    trips = read_trips(directory / TRIPINFO)
    if not len(trips.finished) and not trips.persons:
        raise InvalidInputError(
            "nobody departed", where=str(directory / TRIPINFO), remedy="check demand and times"
        )
    statistic = {
        element.tag: element.attrib
        for element in elements(directory / STATISTIC, ("teleports", "safety"))
    }
    delay_s, inserted = trips.delay_s, trips.inserted
    hours = (scenario.end_s - scenario.begin_s) / 3600
    teleports = int(statistic.get("teleports", {}).get("total", "0"))
    count = len(delay_s)
    return {
        "scenario": scenario.name,
        "control": control,
        "profile": profile,
        "seed": seed,
        "begin": scenario.begin_s,
        "end": scenario.end_s,
        "trips": count,
        "completed": int(trips.finished.sum()),
        "unfinished": int((inserted & ~trips.finished).sum()),
        "never_inserted": int((~inserted).sum()),
        "dropped_before_begin": scenario.dropped_trips,
        "delay_s": _mean(delay_s),
        "delay_p95_s": round(float(np.percentile(delay_s, 95)), 3) if count else None,
        "delay_max_s": round(float(delay_s.max()), 3) if count else None,
        "time_loss_s": _mean(trips.time_loss_s[inserted]),
        "depart_delay_s": _mean(trips.depart_delay_s),
        "waiting_s": _mean(trips.waiting_s[inserted]),
        "stops": _mean(trips.stops[inserted]),
        "travel_time_s": _mean(trips.duration_s[trips.finished]),
        "throughput_veh_h": round(float(trips.finished.sum()) / hours, 3),
        "longest_red_s": longest_red_s,
        "pedestrian_wait_s": pedestrian_wait_s
        if pedestrian_wait_s is not None
        else _pedestrian_loss(trips),
        "by_class": by_class(trips, dict(scenario.vehicle_class)),
        "teleports": teleports,
        "collisions": int(statistic.get("safety", {}).get("collisions", "0")),
        "gridlock": is_gridlocked(trips, directory / SUMMARY),
        "valid": teleports <= INVALID_TELEPORT_SHARE * max(1, count),
        "co2_kg": round(float(trips.co2_kg.sum()), 3),
        "safety": dict(safety),
        "cost": dict(cost),
        "detectors": dict(detectors),
        "uncontrolled": list(uncontrolled),
    }


def _pedestrian_loss(trips: Trips) -> float | None:
    """Mean time a pedestrian loses on the way, which is nearly all waiting at the kerb. [s]"""
    if not trips.persons:
        return None
    return round(float(np.mean([float(p["walkTimeLoss"]) for p in trips.persons])), 3)


def by_class(trips: Trips, vehicle_class: Mapping[str, str]) -> dict[str, dict[str, float]]:
    """Trips and mean delay by vehicle class."""
    classes = np.array([_class_of(kind, vehicle_class) for kind in trips.vehicle_type])
    return {
        str(name): {
            "trips": int((classes == name).sum()),
            "delay_s": round(float(trips.delay_s[classes == name].mean()), 3),
        }
        for name in sorted(set(classes.tolist()))
    }


def _class_of(kind: str, vehicle_class: Mapping[str, str]) -> str:
    """Class of a vType; SUMO names types drawn from a distribution ``type@id``."""
    name = kind.split("@")[0]
    default = {"DEFAULT_BIKETYPE": "bicycle", "DEFAULT_CONTAINERTYPE": "container"}
    return vehicle_class.get(name, default.get(name, "passenger"))
