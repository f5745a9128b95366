"""Publishing from the command line, against a server and controllers that are processes of their own."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ampelwerk.cli.main import app
from ampelwerk.cli.publish import show, takeover
from ampelwerk.controllers.plan_client import SeenVersion
from ampelwerk.models.calendar import WEEKDAYS, CalendarEntry
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.plan import CyclicPlan, PlanStep
from ampelwerk.models.plan_set import PlanSet, plan_set_of
from ampelwerk.sim.plan_file import write_plans
from tests.cli.test_live import address_of, process, serve
from tests.cli.test_override import Desk
from tests.controllers.city import NAMES, crossroads, road_json

WHY = ("--reason", "new plans for the evening")


def plan_set(**more: Any) -> PlanSet:
    """The plans of the made-up road."""
    sites = [crossroads(name) for name in NAMES]
    return plan_set_of(sites, name="road", profile="sumo/1", **more)


def plans_with(path: Path, cycle_s: int, **more: Any) -> Path:
    """A plan file: half a cycle for either road."""
    steps = (PlanStep(start_ds=0, stage=0), PlanStep(start_ds=cycle_s * 5, stage=1))
    plan = CyclicPlan(plan_id="evening", cycle_ds=cycle_s * 10, offset_ds=0, steps=steps)
    usual = plan_set()
    sites = tuple(
        type(site)(intersection_id=site.intersection_id, stages=site.stages, plans=(plan,))
        for site in usual.intersections
    )
    write_plans(
        PlanSet(name="road", version=1, profile="sumo/1", intersections=sites, **more), path
    )
    return path


def until(desk: Desk, expected: dict[str, tuple[int, str]], timeout_s: float = 40.0) -> None:
    """Wait until the newest versions are in some state."""
    end_s = time.monotonic() + timeout_s
    while True:
        rows = desk.rows("plan", "list", "--all")
        newest = {row["intersection"]: (row["version"], row["state"]) for row in rows}
        if newest == expected:
            return
        assert time.monotonic() < end_s, newest
        time.sleep(0.5)


def test_plans_from_the_file_to_the_street_through_a_kill(tmp_path: Path) -> None:
    model, folder = tmp_path / "model.json", tmp_path / "dev"
    model.write_bytes(road_json())
    plans = plans_with(tmp_path / "plans.json", 24)
    with ExitStack() as stack:
        server = stack.enter_context(serve(model))
        desk = Desk(address := address_of(server), folder)
        for name in ("north", "south"):
            words = ("roadside", "--server", address, "--model", model, "-i", name)
            stack.enter_context(process(*words, "--certificates", folder))
        dry = desk.run("plan", "publish", plans, "--all", "--dry-run")
        assert (dry.exit_code, "3 plans may be published" in dry.output) == (0, True), dry.output
        low = desk.run("plan", "publish", plans, "-i", "north", *WHY, "--as", "operator:dev")
        assert (low.exit_code, "ROLE" in low.output) == (1, True)
        bad = plans_with(tmp_path / "bad.json", 8)
        unsafe = desk.run("plan", "publish", bad, "--all", *WHY)
        assert unsafe.exit_code == 2
        assert "MIN_GREEN" in unsafe.output
        assert "nothing was published" in unsafe.output
        whole = desk.run("plan", "publish", plans, "--all", "--together", *WHY)
        assert (whole.exit_code, "OFFLINE" in whole.output, "middle" in whole.output) == (
            1, True, True,
        )  # fmt: skip
        assert desk.run("plan", "list").stdout == "no published plans\n"
        desk.rows("plan", "publish", plans, "--all", *WHY, "--wait", 1, "--activation", "+1")
        until(desk, {"north": (1, "applied"), "middle": (1, "published"), "south": (1, "applied")})
        both = ("-i", "north", "-i", "south", "--together", "--activation", "next-stage")
        longer = plans_with(tmp_path / "longer.json", 30)
        rows = desk.rows("plan", "publish", longer, *both, *WHY, "--wait", 30)
        assert [(row["version"], row["state"]) for row in rows] in (
            [(2, "accepted")] * 2, [(2, "applied"), (2, "accepted")],
            [(2, "accepted"), (2, "applied")], [(2, "applied")] * 2,
        )  # fmt: skip
        until(desk, {"north": (2, "applied"), "middle": (1, "published"), "south": (2, "applied")})
        server.send_signal(signal.SIGKILL)
        server.wait()
        server = stack.enter_context(serve(model, address))
        assert address_of(server) == address
        until(desk, {"north": (2, "applied"), "middle": (1, "published"), "south": (2, "applied")})
        back = desk.rows(
            "plan", "rollback", "north", 1, "--reason", "it was better before", "--wait", 0
        )
        assert back[0]["version"] == 3
        assert back[0]["state"] in ("published", "accepted", "applied")
        again = desk.run("plan", "rollback", "north", 9, "--reason", "it was better before")
        assert (again.exit_code, "no such version" in again.output) == (1, True)
        methods = [row["method"] for row in desk.rows("audit", "show", "--method", "plan.")]
        assert methods.count("plan.publish") == 4  # one was not allowed
        assert {"plan.publishtogether", "plan.rollback", "plan.outcome"} <= set(methods)
        assert "the chain is whole" in desk.run("audit", "verify").output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("publish", "plans.json", *WHY), "--intersection"),
        (("publish", "plans.json", "--all", "-i", "north", *WHY), "--intersection"),
        (("publish", "plans.json", "-i", "west", *WHY), "north, middle, south"),
        (("publish", "plans.json", "--all"), "--reason"),
        (("publish", "plans.json", "--all", *WHY, "--plan", "noon"), "--plan"),
        (("publish", "plans.json", "--all", *WHY, "--activation", "soon"), "--activation"),
        (("publish", "week.json", "--all", *WHY), "--timezone"),
        (("publish", "none.json", "--all", *WHY), "cannot be read"),
        (("publish", "plans.json", "--all", *WHY, "--as", "king:anna"), "--as"),
        (("publish", "plans.json", "--all", *WHY), "no certificate"),
        (("list",), "no certificate"),
        (("rollback", "north", "1", *WHY), "no certificate"),
    ],
)
def test_what_makes_no_sense_is_told_before_anybody_is_asked(
    words: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    plans_with(tmp_path / "plans.json", 30)
    entry = CalendarEntry(days=WEEKDAYS, at_s=3600, plan_id="evening")
    plans_with(tmp_path / "week.json", 30, calendar=(entry,))
    placed = [str(tmp_path / word) if word.endswith(".json") else word for word in words]
    result = Desk("127.0.0.1:1", tmp_path).run("plan", *placed)
    assert result.exit_code == 2, result.output
    assert said in result.output


def test_what_others_wrote_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """Brackets are no markup: a name may have them, and a table that fails at one tells nothing."""
    seen = SeenVersion(
        intersection="[/J7]", version=1, state="published", plans="[red]day", author="eve",
        published_unix_ms=0, cause="",
    )  # fmt: skip
    show([seen], as_json=False)
    assert "[/J7]" in (said := capsys.readouterr().out)
    assert "[red]day" in said


def test_moments_of_the_takeover() -> None:
    assert takeover("next-stage", 0).at_unix_ms == 0
    assert takeover("+2.5", 1_000_040).at_unix_ms == 1_002_500
    assert takeover("2026-05-01T04:00+02:00", 0).at_unix_ms == 1_777_600_800_000
    for text in ("2026-05-01T04:00", "04:00", "+x", "+1e400", "now"):
        with pytest.raises(InvalidInputError, match="--activation"):
            takeover(text, 0)


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    words = ["certs", str(tmp_path), "--person", "supervisor:dev"]
    assert CliRunner().invoke(app, words).exit_code == 0
    plans = plans_with(tmp_path / "plans.json", 30)
    for command in (("plan", "list"), ("plan", "publish", plans, "--all", *WHY)):
        result = Desk("127.0.0.1:1", tmp_path).run(*command)
        assert (result.exit_code, "cannot be reached" in result.output) == (1, True)
