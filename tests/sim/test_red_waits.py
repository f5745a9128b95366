"""Red while somebody waited, on records made by hand."""

from __future__ import annotations

from pathlib import Path

from ampelwerk.sim.red_waits import passages, red_spells


def test_red_spells_of_each_link(tmp_path: Path) -> None:
    path = tmp_path / "signals.csv"
    path.write_text(
        "time,intersection,state\n10,a,Gr\n30,a,yr\n33,a,rr\n35,a,rG\n50,b,s\n", encoding="utf-8"
    )
    assert red_spells(path, 60.0) == {
        ("a", 0): [(33.0, 60.0)],
        ("a", 1): [(10.0, 35.0)],
        ("b", 0): [(50.0, 60.0)],
    }


def test_passages_end_where_the_vehicle_still_is(tmp_path: Path) -> None:
    path = tmp_path / "vehroutes.xml"
    path.write_text(
        '<routes><vehicle id="v" depart="5.00"><route edges="a b c" exitTimes="20.00 -1.00 -1.00"/>'
        "</vehicle></routes>",
        encoding="utf-8",
    )
    assert list(passages(path, 100.0)) == [(("a", "b"), 5.0, 20.0), (("b", "c"), 20.0, 100.0)]
