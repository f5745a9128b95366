"""What every measure of the report means: name, unit, definition."""

from __future__ import annotations

from dataclasses import dataclass

from ampelwerk.sim import collisions, measures

QUALITY, TRIPS = "Delay, stops, throughput", "Trips and safety"


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure, as printed."""

    key: str
    """Key in measures.json."""
    name: str
    """Name."""
    unit: str
    """Unit."""
    definition: str
    """Definition in a sentence."""
    digits: int = 1
    """Decimals printed."""
    group: str = QUALITY
    """Which table of all runs it stands in."""
    compared: bool = True
    """It says something about a control; otherwise it stands in the table of all runs only."""


MEASURES = (
    Measure("delay_s", "delay", "s", "Mean of timeLoss + departDelay over all vehicle trips due "
            "before the end: the unfinished with their loss so far, those never inserted with "
            "their wait until the end."),
    Measure("delay_p95_s", "delay, 95th percentile", "s", "Delay that 95 % of these trips do not "
            "exceed."),
    Measure("delay_max_s", "greatest delay", "s", "Greatest delay of a single trip."),
    Measure("time_loss_s", "time loss", "s", "Mean timeLoss of inserted trips: time lost against "
            "driving freely at the vehicle's own wanted speed. It is greater than the control "
            "delay of the HCM."),
    Measure("depart_delay_s", "departure delay", "s", "Mean wait before insertion, all trips."),
    Measure("waiting_s", "waiting", "s", "Mean time below 0.1 m/s, inserted trips."),
    Measure("stops", "stops", "–", "Mean number of times a vehicle came below 0.1 m/s, inserted "
            "trips.", 2),
    Measure("travel_time_s", "travel time", "s", "Mean duration of completed trips; for comparison "
            "with papers only, since it leaves out whoever is stuck."),
    Measure("throughput_veh_h", "throughput", "veh/h", "Completed trips per hour.", 0),
    Measure("longest_red_s", "longest red", "s", "Longest part of a single red that a vehicle "
            "waited through, from when it would have reached the stop line at the speed limit.", 0),
    Measure("pedestrian_wait_s", "pedestrian wait", "s", "Mean time a pedestrian loses, nearly all "
            "of it at the kerb."),
    Measure("co2_kg", "CO₂", "kg", "Sum over all vehicles, SUMO's emission model of each vehicle "
            "type.", 0),
    Measure("trips", "trips", "veh", "Vehicle trips due between begin and end.", 0, TRIPS, False),
    Measure("completed", "completed", "veh", "Trips that arrived.", 0, TRIPS),
    Measure("unfinished", "unfinished", "veh", "On the road at the end.", 0, TRIPS),
    Measure("never_inserted", "never inserted", "veh", "Due, but never on the road for lack of "
            "space.", 0, TRIPS),
    Measure("teleports", "teleports", "–", "Vehicles that SUMO lifted over a jam. Above "
            f"{100 * measures.INVALID_TELEPORT_SHARE:g} % of the trips a run is invalid, because "
            "teleports dissolve gridlock for free.", 0, TRIPS),
    Measure("collisions", "collisions", "–", "Collisions that SUMO counted, junctions included.",
            0, TRIPS),
    Measure("collisions_at_signals", "collisions at signals", "–", "Those inside signalised "
            "junctions.", 0, TRIPS),
    Measure("collisions_by_signals", "collisions by signals", "–", "Those at a junction whose "
            f"signals broke a rule in the {collisions.BEFORE_S:g} s before.", 0, TRIPS),
    Measure("checked_switches", "switches checked", "–", "Changes of a lamp that an independent "
            "witness checked against the rules, in SUMO's own record.", 0, TRIPS, False),
    Measure("violations", "rule violations", "–", "What broke a rule: conflicting greens, "
            "intergreen, minimum green and red, amber, red-amber, sequence, who controls, record.", 0, TRIPS),
)  # fmt: skip
"""All measures in the order of the page."""

GRIDLOCK = (
    f"No arrival for {measures.GRIDLOCK_QUIET_S:g} s while at least {measures.GRIDLOCK_RUNNING} "
    f"vehicles run, or at least {measures.GRIDLOCK_WAITING} unfinished vehicles that each waited "
    f"longer than {measures.GRIDLOCK_WAIT_S:g} s."
)
BY_DIRECTION = (
    "Mean over all passages of a signal: time from the signal before, or from departure, to the "
    "stop line, less the time that way takes at the speed limit. Directions say where the vehicles "
    "come from. The wait before insertion, and what is lost behind the last signal, are not in it."
)
OVER_TIME = (
    "Mean delay of the trips that were due in each interval; the band reaches from the least to "
    "the greatest seed. Trips due late have little time to lose much before the end."
)
BY_CLASS = "Mean delay, as defined below, of all trips of a class."
PAIRED = (
    "The same seed gives every control the same traffic, so the difference is taken seed by seed and "
    "averaged; the interval is Student's t. An interval that covers 0 ranks nothing."
)
GREEN_BAND = (
    "The departures at the first signal of a road that meet green at every further one when driving "
    "at the speed limit; its width is that many seconds."
)
TIME_SPACE = (
    "Times at the ends of edges are SUMO's own. Before a signal a vehicle is drawn driving freely, "
    "standing at its place in the queue, and driving on; elsewhere driving evenly. A grey bar is a signal that was not "
    "recorded. There is no warm-up in the picture."
)
