"""Bad input is refused with what, where and remedy, exit code 2, and nothing written."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ampelwerk.cli.main import app
from ampelwerk.cli.server_config import STORE
from tests.conftest import SmallScenario

BAD_INPUT = 2


def ampelwerk(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def assert_refused(result: Result, *phrases: str) -> None:
    assert result.exit_code == BAD_INPUT, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    for phrase in phrases:
        assert phrase in result.stderr


def test_missing_configuration_file(tmp_path: Path) -> None:
    path = tmp_path / "nowhere.sumocfg"
    assert_refused(ampelwerk("simulate", path), str(path), "cannot be opened")


def test_unknown_catalogue_name_suggests_the_near_one() -> None:
    assert_refused(ampelwerk("simulate", "cologne9"), "cologne9", "cologne8")


def test_missing_route_file(small: SmallScenario, tmp_path: Path) -> None:
    path = tmp_path / "nowhere.rou.xml"
    assert_refused(ampelwerk("simulate", small.net, "-r", path), str(path))


def test_net_without_routes(small: SmallScenario) -> None:
    assert_refused(ampelwerk("simulate", small.net), "no demand", "--route-files")


def test_broken_net(small: SmallScenario, tmp_path: Path) -> None:
    broken = tmp_path / "broken.net.xml"
    broken.write_text(small.net.read_text(encoding="utf-8")[:3000], encoding="utf-8")
    assert_refused(ampelwerk("simulate", broken, "-r", small.routes), str(broken))


def test_broken_routes(small: SmallScenario, tmp_path: Path) -> None:
    broken = tmp_path / "broken.rou.xml"
    broken.write_text("<routes><flow id=", encoding="utf-8")
    assert_refused(ampelwerk("simulate", small.net, "-r", broken), str(broken))


def test_broken_configuration(tmp_path: Path) -> None:
    broken = tmp_path / "broken.sumocfg"
    broken.write_text("<configuration><input>", encoding="utf-8")
    assert_refused(ampelwerk("simulate", broken), str(broken))


def test_net_without_signals(small: SmallScenario, tmp_path: Path) -> None:
    import subprocess

    from ampelwerk.sim.sumo_programs import sumo_program

    net = tmp_path / "plain.net.xml"
    subprocess.run(
        [str(sumo_program("netconvert")), "--sumo-net-file", str(small.net),
         "--tls.discard-loaded", "--output-file", str(net)],
        check=True, capture_output=True,
    )  # fmt: skip
    assert_refused(ampelwerk("simulate", net, "-r", small.routes), str(net), "no signals", "remedy")


def test_routes_of_another_net(small: SmallScenario, tmp_path: Path) -> None:
    other = tmp_path / "other.rou.xml"
    other.write_text(
        '<routes><trip id="t" depart="0" from="elsewhere" to="nowhere"/></routes>',
        encoding="utf-8",
    )
    assert_refused(ampelwerk("simulate", small.net, "-r", other), "elsewhere")


def test_unknown_control_suggests_the_near_one(small: SmallScenario) -> None:
    result = ampelwerk("simulate", *small.arguments, "--control", "actuatd")
    assert_refused(result, "actuatd", "did you mean actuated")


def test_begin_after_end(small: SmallScenario) -> None:
    result = ampelwerk("simulate", *small.arguments, "-b", "500", "-e", "400")
    assert_refused(result, "begin 500", "end 400")


def test_empty_demand(small: SmallScenario, tmp_path: Path) -> None:
    empty = tmp_path / "empty.rou.xml"
    empty.write_text("<routes/>", encoding="utf-8")
    assert_refused(ampelwerk("simulate", small.net, "-r", empty), "demand is empty", str(empty))


def test_demand_that_is_all_before_begin(small: SmallScenario) -> None:
    result = ampelwerk("simulate", *small.arguments, "-b", "5000", "-e", "6000")
    assert_refused(result, "demand is empty", "--begin")


def test_output_directory_with_results_needs_force(small: SmallScenario, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}", encoding="utf-8")
    (tmp_path / "measures.json").write_text("{}", encoding="utf-8")
    result = ampelwerk("simulate", *small.arguments, "-o", tmp_path)
    assert_refused(result, str(tmp_path), "--force")
    assert (tmp_path / "measures.json").read_text(encoding="utf-8") == "{}"


def test_force_never_empties_a_directory_that_is_not_ours(
    small: SmallScenario, tmp_path: Path
) -> None:
    thesis = tmp_path / "thesis.tex"
    thesis.write_text("years of work", encoding="utf-8")
    assert_refused(ampelwerk("simulate", *small.arguments, "-o", tmp_path, "--force"))
    assert thesis.read_text(encoding="utf-8") == "years of work"


def test_a_refused_run_leaves_everything_as_it_was(small: SmallScenario, tmp_path: Path) -> None:
    overrides = tmp_path / "overrides.toml"
    overrides.write_text("")
    words = ("simulate", small.net, "-r", small.routes, "--overrides", overrides, "--record")
    assert_refused(ampelwerk(*words, "-o", tmp_path / "new"), "--record")
    assert not (tmp_path / "new").exists()
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "run.json").write_text("{}")
    assert_refused(ampelwerk(*words, "-o", kept, "--force"), "--record")
    assert (kept / "run.json").read_text() == "{}"
    assert {path.name for path in tmp_path.iterdir()} == {"kept", "overrides.toml"}


def test_control_from_loops_where_the_scenario_has_none(small: SmallScenario) -> None:
    words = ("simulate", small.net, "-r", small.routes, "--loops", "scenario")
    assert_refused(ampelwerk(*words), "--loops scenario", "--loops auto")
    assert ampelwerk(*words, "--control", "fixed", "--end", "60").exit_code == 0


def test_new_results_take_the_place_of_old_ones_and_of_nothing_else(
    small: SmallScenario, tmp_path: Path
) -> None:
    (tmp_path / ".run.before").mkdir()
    words = ("simulate", small.net, "-r", small.routes, "--control", "fixed", "--end", "30")
    for more in ((), ("--force",)):
        assert ampelwerk(*words, "-o", tmp_path / "run", *more).exit_code == 0
    assert {path.name for path in tmp_path.iterdir()} == {".run.before", "run"}


def test_window_where_there_is_no_screen(
    small: SmallScenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    assert_refused(
        ampelwerk("simulate", small.net, "-r", small.routes, "--gui"), "--gui", "DISPLAY"
    )


@pytest.mark.parametrize("seeds", ["5:1", "a", "1,1", "-3", ""])
def test_seeds_that_are_none(small: SmallScenario, tmp_path: Path, seeds: str) -> None:
    result = ampelwerk(
        "compare", *small.arguments, "--control", "fixed", "--control", "native",
        f"--seeds={seeds}", "-o", tmp_path / "out",
    )  # fmt: skip
    assert_refused(result, "--seeds")
    assert not (tmp_path / "out").exists()


def test_comparison_of_one_control(small: SmallScenario, tmp_path: Path) -> None:
    result = ampelwerk("compare", *small.arguments, "--control", "fixed", "-o", tmp_path / "out")
    assert_refused(result, "two or more")


def test_minimum_green_out_of_range(small: SmallScenario) -> None:
    assert_refused(ampelwerk("simulate", *small.arguments, "--min-green", "0"), "1 to 60 s")


@pytest.mark.parametrize(
    ("words", "phrases"),
    [
        (["--amber", "0"], ["amber out of range", "1 to 10 s"]),
        (["--amber", "nan"], ["--amber", "nan", "finite"]),
        (["--amber", "3.14"], ["tenths of a second"]),
        (["--all-red", "-1"], ["all-red out of range", "0 to 10 s"]),
        (["--amber", "3", "--profile", "rilsa"], ["--amber", "computes", "--profile sumo"]),
        (["--all-red", "0", "--profile", "rilsa"], ["--all-red", "computes", "--profile sumo"]),
    ],
)
@pytest.mark.parametrize("command", ["model", "simulate", "compare", "faults"])
def test_times_that_no_profile_takes(
    small: SmallScenario, tmp_path: Path, command: str, words: list[str], phrases: list[str]
) -> None:
    needed = {
        "compare": ["--control", "fixed", "--control", "actuated", "-o", str(tmp_path / "out")],
        "faults": ["-o", str(tmp_path / "out")],
    }.get(command, [])
    assert_refused(ampelwerk(command, *small.arguments, *needed, *words), *phrases)
    assert not (tmp_path / "out").exists()


def test_model_of_an_intersection_that_is_not_there(small: SmallScenario, tmp_path: Path) -> None:
    words = ["model", *small.arguments, "-o", str(tmp_path / "model.json")]
    assert_refused(ampelwerk(*words, "-i", "Z9"), "--intersection", "Z9", "A0, B0")
    assert_refused(ampelwerk(*words, "-i", "top0"), "--intersection", "top0", "A0, B0")
    assert_refused(ampelwerk(*words, "-i", "A0", "--json"), "--intersection", "whole")
    assert not (tmp_path / "model.json").exists()


def test_step_length_that_does_not_divide_a_second(small: SmallScenario, tmp_path: Path) -> None:
    configuration = tmp_path / "odd.sumocfg"
    configuration.write_text(
        f"""<configuration><net-file value="{small.net}"/><route-files value="{small.routes}"/>
        <step-length value="0.3"/></configuration>""",
        encoding="utf-8",
    )
    assert_refused(ampelwerk("simulate", configuration), "0.3 s", "step-length")


def test_report_of_a_directory_without_results(tmp_path: Path) -> None:
    assert_refused(ampelwerk("report", tmp_path), str(tmp_path))


def test_unknown_signal_in_a_plan_of_the_scenario(small: SmallScenario, tmp_path: Path) -> None:
    plan = tmp_path / "plan.add.xml"
    plan.write_text(
        """<additional><tlLogic id="Z9" type="static" programID="p" offset="0">
        <phase duration="30" state="GG"/></tlLogic></additional>""",
        encoding="utf-8",
    )
    result = ampelwerk("simulate", *small.arguments, "-a", plan)
    assert_refused(result, "Z9", str(plan))


@pytest.mark.parametrize(
    ("fault", "phrase"),
    [
        ("stuck-of:20%", "did you mean stuck-off?"),
        ("melted:20%", "stuck-off, stuck-on, frozen"),
        ("stuck-off", "KIND:SHARE"),
        ("stuck-off:101%", "0% to 100%"),
        ("stuck-off:-1", "0% to 100%"),
        ("stuck-off:nan", "0% to 100%"),
        ("stuck-off:0.2", "write 20%"),
        ("stuck-off:many", "'many' is no number"),
        ("stuck-off:20%,level=3", "no level"),
        ("chatter:20%,level=fast", "'fast' is no number"),
        ("chatter:20%,level=1e6", "1 to 600 /min"),
        ("drop:20%,level=nan", "0 to 100 %"),
        ("drop:20%,form=5", "did you mean from=?"),
        ("drop:20%,from=-5", "0 s or more"),
        ("drop:20%,from=5,from=6", "not understood"),
        ("", "unknown kind of fault"),
    ],
)
def test_fault_that_is_none(small: SmallScenario, fault: str, phrase: str) -> None:
    result = ampelwerk("simulate", *small.arguments, "--control", "actuated", "--fault", fault)
    assert_refused(result, "--fault", phrase)


@pytest.mark.parametrize(
    ("words", "phrases"),
    [
        (["--kind", "stuck-off:20%"], ["--kind", "--shares"]),
        (["--kind", "chattr"], ["--kind", "did you mean chatter?"]),
        (["--kind", "drop", "--kind", "drop,level=5"], ["--kind", "twice"]),
        (["--shares", "0"], ["--shares", "one above 0"]),
        (["--shares", "10,10"], ["--shares", "none twice"]),
        (["--shares", "10,120"], ["--shares", "0% to 100%"]),
        (["--shares", ""], ["--shares", "no number"]),
        (["--control", "fixed"], ["--control", "looks at no loop"]),
        (["--workers", "0"], ["--workers", "at least one"]),
        (["--seeds", "3:1"], ["--seeds"]),
    ],
)
def test_loss_curve_of_nonsense(
    small: SmallScenario, tmp_path: Path, words: list[str], phrases: list[str]
) -> None:
    result = ampelwerk("faults", *small.arguments, "-o", tmp_path / "out", *words)
    assert_refused(result, *phrases)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_options_that_are_no_number(small: SmallScenario, tmp_path: Path, value: str) -> None:
    # No limit would hold them: every comparison with nan is false.
    assert_refused(ampelwerk("simulate", *small.arguments, "-e", value), "--end", value)
    plans = tmp_path / "plans.json"
    assert ampelwerk("plan", "import", *small.arguments, "-o", plans).exit_code == 0
    check = ("check", plans, "--model", small.net)
    assert_refused(ampelwerk(*check, "--max-green", value), "--max-green", value)
    assert ampelwerk(*check, "--max-green", "300").exit_code == 0


def test_two_files_in_one_place(small: SmallScenario, tmp_path: Path) -> None:
    path = tmp_path / "both.json"
    result = ampelwerk("optimize", *small.arguments, "-o", path, "--sumo-additional", path)
    assert_refused(result, str(path), "a name of its own")
    assert not path.exists()


def test_places_where_nothing_can_be_read_or_written(tmp_path: Path) -> None:
    gone = tmp_path / "gone.envelope"
    assert_refused(ampelwerk("envelope", "show", gone), str(gone), "remedy")
    assert_refused(ampelwerk("envelope", "show", tmp_path), str(tmp_path), "remedy")


def test_export_of_an_unsafe_plan_says_so(small: SmallScenario, tmp_path: Path) -> None:
    plans, sumo = tmp_path / "plans.json", tmp_path / "plans.add.xml"
    assert ampelwerk("plan", "import", *small.arguments, "-o", plans).exit_code == 0
    content = json.loads(plans.read_text(encoding="utf-8"))
    plan = content["intersections"][0]["plans"][0]
    plan["steps"][1]["at_s"] = 1
    plans.write_text(json.dumps(content), encoding="utf-8")
    result = ampelwerk("plan", "export", plans, *small.arguments, "--sumo-additional", sumo)
    assert "not safe by sumo/1" in result.stderr
    assert content["intersections"][0]["id"] in result.stderr


@pytest.mark.parametrize(
    "address", ["nonsense", "127.0.0.1", ":50551", "127.0.0.1:99999", "127.0.0.1:-1"]
)
def test_address_to_listen_at(small: SmallScenario, tmp_path: Path, address: str) -> None:
    model = tmp_path / "model.json"
    assert ampelwerk("model", *small.arguments, "-o", model).exit_code == 0
    serve = ("serve", "--dev", "--model", model, "--folder", tmp_path / "dev")
    assert_refused(ampelwerk(*serve, "--listen", address), address, "HOST:PORT")


@pytest.mark.parametrize(
    "words",
    [
        ("override", "list"), ("watch",), ("alarms",), ("plan", "list"), ("audit", "show"),
        ("explain", "--live", "--intersection", "J1"), ("roadside", "-i", "J1", "--model", "m.json"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1:99999", ":50551"])
def test_address_to_dial(words: tuple[str, ...], address: str) -> None:
    assert_refused(ampelwerk(*words, "--server", address), "--server", address)


def test_a_server_that_cannot_listen_leaves_the_one_that_does_in_charge(
    small: SmallScenario, tmp_path: Path
) -> None:
    model, folder = tmp_path / "model.json", tmp_path / "dev"
    assert ampelwerk("model", *small.arguments, "-o", model).exit_code == 0
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        words = ("serve", "--dev", "--model", model, "--folder", folder, "--listen", address)
        assert_refused(ampelwerk(*words), address, "cannot listen there", "in use")
    assert not (folder / STORE).exists()  # so nobody leads anew
