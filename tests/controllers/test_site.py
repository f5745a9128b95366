"""What a controller knows about its place, and the file it reads it from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ampelwerk.controllers.site import loop_owners, site_of
from ampelwerk.controllers.site_file import read_network, read_site
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.sim.imported import network_json
from ampelwerk.sim.imported import read_network as read_with_pydantic
from tests.controllers.city import road, road_json


def test_a_site_has_its_intersection_and_loops_alone() -> None:
    site = site_of(road(), "middle")
    assert [str(i.intersection_id) for i in site.intersections] == ["middle"]
    assert [str(loop.loop_id) for loop in site.loops] == ["middle.main", "middle.side"]
    assert [lane.stop_loops for lane in site.lanes] == [(0,), (1,)]
    assert {lane.intersection for lane in site.lanes} == {0}
    assert {approach.intersection for approach in site.approaches} == {0}


def test_every_loop_has_one_owner() -> None:
    assert loop_owners(road()) == [0, 0, 1, 1, 2, 2]


def test_standard_library_reads_what_pydantic_wrote(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_bytes(network_json(road()))
    assert read_network(path) == road() == read_with_pydantic(path)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda m: m["intersections"][0]["plans"][0].update(cycle_ds="60"), "cycle_ds"),
        (lambda m: m["intersections"][0]["plans"][0].update(cycle_ds=True), "cycle_ds"),
        (lambda m: m["loops"][1].update(role="ear"), "loops.1.role"),
        (lambda m: m["lanes"][0].update(colour="red"), "lanes.0.colour"),
        (lambda m: m.pop("exits"), "exits"),
        (lambda m: m.update(loops=None), "loops"),
    ],
)
def test_a_model_that_does_not_fit_is_refused_by_place(
    tmp_path: Path, change: object, place: str
) -> None:
    model = json.loads(road_json())
    change(model)  # type: ignore[operator]
    path = tmp_path / "model.json"
    path.write_text(json.dumps(model))
    with pytest.raises(InvalidInputError, match=place):
        read_network(path)


def test_an_unknown_intersection_is_named_with_those_known(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_bytes(road_json())
    with pytest.raises(InvalidInputError, match="north, middle, south"):
        read_site(path, "west")
