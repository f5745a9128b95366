"""`--fault` and the loss curve, used as a stranger would."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ampelwerk.cli.fault_words import fault_of, kinds_of, shares_of
from ampelwerk.models.faults import FROM_S, LEVELS, Fault, FaultKind
from tests.cli.test_commands import ampelwerk
from tests.conftest import SmallScenario


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("stuck-off:20%", Fault(kind=FaultKind.STUCK_OFF, share=0.2)),
        ("STUCK_OFF:20", Fault(kind=FaultKind.STUCK_OFF, share=0.2)),
        ("chatter:5%", Fault(kind=FaultKind.CHATTER, share=0.05, level=60)),
        ("chatter:5%,level=300/min", Fault(kind=FaultKind.CHATTER, share=0.05, level=300)),
        ("late:50%, level=10s, from=0", Fault(kind=FaultKind.LATE, share=0.5, from_s=0, level=10)),
        ("drift:100%,level=-3%/h", Fault(kind=FaultKind.DRIFT, share=1, level=-3)),
        ("garbage:0.5%", Fault(kind=FaultKind.GARBAGE, share=0.005)),
    ],
)
def test_words_for_faults(text: str, wanted: Fault) -> None:
    assert fault_of(text) == wanted
    assert fault_of(str(wanted)) == wanted


@pytest.mark.parametrize("kind", FaultKind)
def test_every_kind_has_its_usual_time_and_level(kind: FaultKind) -> None:
    fault = fault_of(f"{kind}:10%")
    assert fault.from_s == FROM_S
    assert fault.level == (LEVELS[kind].default if kind in LEVELS else None)
    assert kinds_of([str(kind)])[0].label == kind


def test_share_of_zero_is_always_among_the_shares() -> None:
    assert shares_of("50,10%") == [0.0, 0.1, 0.5]


@pytest.mark.sumo
def test_faults_are_recorded_and_a_share_of_zero_changes_nothing(
    small: SmallScenario, tmp_path: Path
) -> None:
    common = ["simulate", *small.arguments, "--control", "actuated", "-e", "300"]
    ampelwerk(*common, "-o", tmp_path / "healthy")
    ampelwerk(*common, "-o", tmp_path / "none", "--fault", "chatter:0%,from=0")
    wrong = ["--fault", "stuck-on:25%,from=60", "--fault", "garbage:50%,level=20,from=60"]
    shown = ampelwerk(*common, "-o", tmp_path / "wrong", *wrong)
    assert "faulty loops" in shown.stdout
    assert "detector frames refused" in shown.stdout
    signals, detectors = {}, {}
    for name in ("healthy", "none", "wrong"):
        signals[name] = (tmp_path / name / "signals.csv").read_bytes()
        measures = json.loads((tmp_path / name / "measures.json").read_text(encoding="utf-8"))
        detectors[name] = measures["detectors"]
        assert measures["safety"]["violations"] == 0
    assert signals["healthy"] == signals["none"] != signals["wrong"]
    assert detectors["healthy"] == detectors["none"]
    assert detectors["healthy"]["faulty"] == detectors["healthy"]["frames_refused"] == 0
    assert 0 < detectors["wrong"]["faulty"] < detectors["wrong"]["loops"]
    assert detectors["wrong"]["frames_refused"] > 0
    manifest = json.loads((tmp_path / "wrong" / "run.json").read_text(encoding="utf-8"))
    assert manifest["config"]["faults"] == [
        {"kind": "stuck-on", "share": 0.25, "from_s": 60.0, "level": None},
        {"kind": "garbage", "share": 0.5, "from_s": 60.0, "level": 20.0},
    ]


def test_faults_that_touch_nothing_are_said(small: SmallScenario) -> None:
    common = ["simulate", *small.arguments, "-e", "100", "--fault", "drop:10%"]
    assert "looks at no loop" in ampelwerk(*common, "--control", "fixed").stderr
    assert "over after 100 s" in ampelwerk(*common, "--control", "actuated").stderr


@pytest.mark.sumo
def test_loss_curve_is_written_printed_and_resumed(small: SmallScenario, tmp_path: Path) -> None:
    directory = tmp_path / "out"
    words = [
        "faults", *small.arguments, "--control", "actuated", "-e", "400", "--seeds", "1:3",
        "--kind", "stuck-off,from=30", "--shares", "0,50", "--workers", "2", "-o", str(directory),
    ]  # fmt: skip
    shown = ampelwerk(*words).stdout
    assert "stuck-off,from=30" in shown
    assert "50%" in shown
    data = json.loads((directory / "loss.json").read_text(encoding="utf-8"))
    assert data["control"] == "actuated"
    assert data["seeds"] == [1, 2]
    points = data["curves"]["stuck-off,from=30"]["points"]
    assert [point["share"] for point in points] == [0.0, 0.5]
    fixed, healthy, broken = (
        p["delay_s"]["mean"] for p in (data["fixed"], data["healthy"], points[1])
    )
    assert points[1]["loss"]["mean"] == pytest.approx((broken - healthy) / (fixed - healthy))
    assert data["fixed"]["loss"]["mean"] == pytest.approx(1.0)
    assert all(run["detectors"]["faulty"] for run in points[1]["by_seed"])
    with (directory / "loss.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["control"], row["share"]) for row in rows] == [
        ("fixed", "0"), ("actuated", "0"), ("actuated", "0.5"),
    ]  # fmt: skip
    picture = ElementTree.parse(directory / "loss.svg").getroot()
    texts = {"".join(element.itertext()).strip() for element in picture.iter()}
    assert {"stuck-off,from=30", "fixed", "mean delay [s/veh]"} <= texts
    again = ampelwerk(*words, "--json")
    assert "6 of 6 runs are here already" in again.stderr
    assert json.loads(again.stdout) == data
    refused = ampelwerk(*words, "--control", "max-pressure", expect=2)
    assert "different: control" in refused.stderr
