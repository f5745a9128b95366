"""`ampelwerk replay`: the decisions of a recorded run again, or those of another control."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from ampelwerk.cli.failure import OK, RUNTIME_ERROR
from ampelwerk.cli.inputs import fresh_directory, known_control
from ampelwerk.engine.compilation import compile_ahead
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.sim.agreement import Agreement, agreement
from ampelwerk.sim.controls import NATIVE, PLAN, controlled_network
from ampelwerk.sim.decisions import read_decisions
from ampelwerk.sim.replay import (
    Difference,
    Record,
    Replayed,
    first_difference,
    open_record,
    write_replay,
)
from ampelwerk.sim.replay import replay as make_again
from ampelwerk.sim.run_directory import DECISIONS, MANIFEST, open_run


def replay(
    directory: Path, *, control: str | None, output: Path | None, force: bool, as_json: bool
) -> int:
    """Replay, compare with what was recorded, print; write if asked."""
    if control is not None:
        control = _replayable(control)
    record = open_record(open_run(directory))
    _require_plans(control, record)
    control = control or record.run.control
    if output is not None:
        _refuse_own(output, directory)
        fresh_directory(output, force=force, mark=MANIFEST)
    console = Console(stderr=True)
    _warn(record, console)
    compile_ahead([control], console.print)
    with console.status(f"{control} decides again") as status:
        replayed = make_again(
            record,
            control,
            progress=lambda share: status.update(f"{control} decides again, {share:.0%}"),
        )
    if output is not None:
        write_replay(record, replayed, output)
    if control == record.run.control:
        return _same_control(record, replayed, as_json=as_json)
    run = record.run
    before = controlled_network(run.control, record.network, separate=run.separate_signals)
    found = agreement(
        read_decisions(run.file(DECISIONS), before),
        before,
        replayed.decisions,
        controlled_network(control, record.network, separate=run.separate_signals),
        run.begin_s,
        run.end_s,
    )
    _print_agreement(record, replayed, found, as_json=as_json)
    if output is None:
        console.print("The decisions were not kept; name a directory with --output to keep them.")
    return OK


def _replayable(name: str) -> str:
    """A control that decides on loops."""
    control = known_control(name)
    if control == NATIVE:
        raise InvalidInputError(
            "native is SUMO's own program; without SUMO it decides nothing",
            where="--control",
            found=name,
            remedy="choose another one, such as fixed",
        )
    return control


def _require_plans(control: str | None, record: Record) -> None:
    """Plans of a plan file can be replayed only where they were recorded."""
    if control == PLAN and record.run.control != PLAN:
        raise InvalidInputError(
            "the record holds no plans of a plan file",
            where="--control",
            found=control,
            limit=f"any other kind of control; the record is of {record.run.control}",
            remedy="choose fixed for the scenario's own program",
        )


def _refuse_own(output: Path, directory: Path) -> None:
    """Writing must not destroy what is replayed."""
    own = directory.resolve()
    if output.resolve() in (own, *own.parents):
        raise InvalidInputError(
            "the output directory holds the run that is replayed",
            where=str(output),
            remedy="choose another one",
        )


def _warn(record: Record, console: Console) -> None:
    """What may make the replay differ."""
    for name, (recorded, here) in record.other_versions.items():
        console.print(
            f"warning: recorded with {name} {recorded}, replayed with {here}; "
            "decisions may differ for that reason alone.",
            highlight=False,
        )
    if not record.decisions_untouched:
        console.print(f"warning: {DECISIONS} was changed after the run wrote it.", highlight=False)


def _same_control(record: Record, replayed: Replayed, *, as_json: bool) -> int:
    """Whether every byte came out again."""
    difference = first_difference(record, replayed)
    if as_json:
        _print_json(
            record,
            replayed,
            identical=difference is None,
            first_difference=None if difference is None else asdict(difference),
        )
    elif difference is None:
        print(f"identical: {_count(replayed)} of {replayed.control}, byte for byte as recorded.")
    else:
        _print_difference(record, difference)
    return OK if difference is None else RUNTIME_ERROR


def _print_difference(record: Record, difference: Difference) -> None:
    print(f"different from line {difference.line} of {record.run.directory / DECISIONS} on:")
    print(f"  recorded  {difference.recorded or '(nothing)'}")
    print(f"  replayed  {difference.replayed or '(nothing)'}")


def _print_agreement(
    record: Record, replayed: Replayed, found: Agreement, *, as_json: bool
) -> None:
    """How far the other control agrees."""
    recorded, here = record.run.control, replayed.control
    share = found.overall_share
    note = (
        f"The loops saw the traffic that {recorded} let through. Had {here} been in charge, other "
        f"vehicles would have come at other times: `ampelwerk simulate --control {here}` tells."
    )
    if as_json:
        _print_json(
            record,
            replayed,
            recorded_decisions=found.recorded,
            same_decisions=found.same,
            recorded_only=found.recorded - found.same,
            replayed_only=found.replayed - found.same,
            same_stage_share=None if share is None else round(share, 4),
            by_intersection={name: round(part, 4) for name, part in found.same_stage_share},
            note=note,
        )
        return
    print(f"recorded   {recorded}, {found.recorded} decisions")
    print(f"replayed   {here}, {found.replayed} decisions")
    print(f"the same   {found.same}: same second, intersection and stage")
    print(
        f"different  {found.recorded - found.same} of {recorded}, "
        f"{found.replayed - found.same} of {here}"
    )
    if share is not None:
        print(f"in time    {share:.1%} of the time both wanted the same stage")
    else:
        print("in time    not compared: no intersection is run as the same one by both")
    print(note)


def _print_json(record: Record, replayed: Replayed, **more: Any) -> None:
    content = {
        "scenario": record.run.scenario,
        "recorded_control": record.run.control,
        "control": replayed.control,
        "decisions": len(replayed.decisions),
        "other_versions": {
            name: {"recorded": recorded, "here": here}
            for name, (recorded, here) in record.other_versions.items()
        },
        **more,
    }
    print(json.dumps(content, indent=2, ensure_ascii=False))


def _count(replayed: Replayed) -> str:
    count = len(replayed.decisions)
    return f"{count} decision" if count == 1 else f"{count} decisions"
