"""`explain --live`: decisions of a running server in the words for a run."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from typer.testing import CliRunner, Result

from ampelwerk.cli.main import app
from ampelwerk.controllers.certificates import CA, utc_now, write_credentials
from ampelwerk.controllers.identity import Identity, Kind
from ampelwerk.engine.strategies.strategy import Wish
from ampelwerk.sim.group_service import group_services
from tests.controllers.control_room import Person, Street, asked
from tests.controllers.live import BEGIN_MS, CITY, Live, running


async def explain(there: Live, folder: Path, *words: object) -> Result:
    address = ("--server", there.address, "--certificates", folder, "--as", "viewer:vic")
    line = [str(word) for word in ("explain", "--live", "-i", "north", *words, *address)]
    return await asyncio.to_thread(CliRunner().invoke, app, line)


def test_decisions_overrides_and_what_is_shown(tmp_path: Path) -> None:
    async def inside() -> None:
        async with running(store=tmp_path / "s") as there, there.connected("north") as client:
            vic = Identity(city=CITY, kind=Kind.VIEWER, name="vic")
            (tmp_path / CA).write_bytes(there.authority.pem)
            write_credentials(tmp_path, vic, there.authority.issue(vic, utc_now()))
            there.city.algorithm = "rolling-horizon"
            there.city.served = lambda number: group_services(there.city.network, number)
            street = Street(there, client)
            await _check(there, street, tmp_path)

    asyncio.run(inside())


async def _check(there: Live, street: Street, folder: Path) -> None:
    await street.pass_s(5)
    early = await explain(there, folder)
    assert early.exit_code == 0, early.output
    assert "The server has decided nothing here since it was started." in early.output
    assert "follows     adaptive" in early.output
    for stage, runner_up, gap in ((1, None, 0.0), (0, 1, 12.5)):
        there.control.wishes.append(
            Wish(
                intersection=0, stage=stage, reason="the best plan switches now",
                runner_up=runner_up, gap=gap, binding="longest wait of a lane" if gap else "",
            )
        )  # fmt: skip
        there.city.tick(there.clock.now_ms / 1000)
        await street.pass_s(20)
    text = (await explain(there, folder)).output
    # The test's clock begins at 2027-01-15 08:00 UTC.
    assert text.startswith("north at 2027-01-15 08:00:45Z, live, rolling-horizon\n")
    assert "20 s earlier, at 2027-01-15 08:00:25Z, rolling-horizon switched from stage" in text
    assert "asked for at 2027-01-15 08:00:05Z, for 20 s" in text
    assert "chosen      stage main-stage\n              main  motor vehicles from" in text
    assert "why         the best plan switches now" in text
    assert "with stage main-stage, 12.5 vehicle-seconds less waiting were predicted" in text
    assert "binding     longest wait of a lane" in text
    assert "next        nothing has been decided since" in text
    assert "shown: green main; red side" in text
    first = (await explain(there, folder, "--at", BEGIN_MS // 1000 + 6)).output
    assert "1 s earlier, at 2027-01-15 08:00:05Z, rolling-horizon chose stage side-stage." in first
    assert "next        stage main-stage at 2027-01-15 08:00:25Z, 19 s later" in first
    clock = (await explain(there, folder, "--at", "8:00:06")).output
    assert clock == first
    for at in ("8:00:46x", "-5", "1e30", "nan", "17", BEGIN_MS // 1000 + 46):
        refused = await explain(there, folder, "--at", at)
        assert (refused.exit_code, "--at" in refused.output) == (2, True), refused.output
    before = await explain(there, folder, "--at", BEGIN_MS // 1000 + 1)
    assert (before.exit_code, "UNKNOWN_ID" in before.output) == (1, True)
    async with there.channel(Kind.OPERATOR, "ada") as channel:
        await Person(channel).request(asked(reason="burst water main"))
        await street.settle()
    now = (await explain(there, folder)).output
    assert "override    stage of ada (operator), delivered, until" in now
    assert "burst water main" in now
    data = json.loads((await explain(there, folder, "--json")).output)
    assert data["decision"]["chosen"]["stage"] == "main-stage"
    assert data["decision"]["gap_unit"] == "vehicle-seconds of waiting"
    assert [one["holder"] for one in data["overrides"]] == ["ada"]
    assert data["now"]["green"] == ["main"]
