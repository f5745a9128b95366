"""A scenario as control sees it: intersections, approaches and loops in one `Network`."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from ampelwerk.models.detection import LoopRole
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.network import Network
from ampelwerk.models.profile import Profile
from ampelwerk.sim import approaches, loop_layout, network_import
from ampelwerk.sim.scenario import Scenario


def import_network(
    scenario: Scenario,
    profile: Profile,
    *,
    loops: str = "auto",
    without_loops: Collection[LoopRole] = (),
) -> Network:
    """Import the net and the loops of a scenario under a rule profile.

    Parameters
    ----------
    loops : auto: place what is missing; scenario: only the loops it brings.
    without_loops : roles for which the city has no loops.
    """
    signals = network_import.read_intersections(
        scenario.net_file, scenario.additional_files, profile
    )
    return approaches.build_network(
        signals.net,
        signals.intersections,
        signals.uncontrolled,
        loop_layout.read_scenario_loops(scenario.additional_files),
        loops="scenario" if loops == "scenario" else "auto",
        without_loops=without_loops,
    )


def network_json(network: Network) -> bytes:
    """The network as JSON text: model.json of a run and of `ampelwerk model`."""
    from pydantic import TypeAdapter

    return TypeAdapter(Network).dump_json(network)


def read_network(path: Path) -> Network:
    """The network of a model.json, exactly as it was imported.

    Raises
    ------
    InvalidInputError : the file is broken, or was written by another version.
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(Network).validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidInputError(
            "the model does not fit this version of Ampelwerk",
            where=str(path),
            found=f"{'.'.join(map(str, first['loc']))}: {first['msg']}",
            remedy="run it again",
        ) from error
