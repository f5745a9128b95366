"""`ampelwerk envelope`: safety data of intersections, from a model or a table, signed and checked."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ampelwerk.cli.inputs import fresh_files, profile_of
from ampelwerk.controllers import signed_envelope
from ampelwerk.controllers.intergreen_table import import_table
from ampelwerk.controllers.modes import Display
from ampelwerk.controllers.safety_data import SafetyData, safety_data
from ampelwerk.controllers.signed_envelope import SUFFIX, SignedEnvelope
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.network import Network


def build(
    source: str,
    *,
    additional: list[Path],
    profile: str,
    min_green_s: float | None,
    intersections: list[str],
    failure_display: str,
    output: Path,
    as_json: bool,
) -> None:
    """Write the unsigned safety data of a model's intersections."""
    from ampelwerk.sim.rilsa import FAST_APPROACH

    network = _network(source, additional, profile, min_green_s)
    sites = {str(site.intersection_id): site for site in network.intersections}
    unknown = [name for name in intersections if name not in sites]
    if unknown:
        raise InvalidInputError(
            "no such intersection",
            where="--intersection",
            found=", ".join(unknown),
            limit=", ".join(sites),
        )
    chosen = [sites[name] for name in intersections or sites]
    for site in chosen:
        for finding in site.findings:
            if finding.rule == FAST_APPROACH:
                raise InvalidInputError(
                    "an approach is too fast for a signal in the street",
                    where=finding.where,
                    found=finding.message,
                    remedy="lower the speed limit of the lane where the road's is lower there, or "
                    "name the intersections that shall have an envelope",
                )
    _write([safety_data(site, Display(failure_display)) for site in chosen], output, as_json)


def _network(
    source: str, additional: list[Path], profile: str, min_green_s: float | None
) -> Network:
    """The network of a model.json, or of a scenario or net."""
    from ampelwerk.sim.imported import read_network
    from ampelwerk.sim.network_import import read_intersections
    from ampelwerk.sim.scenario import resolve

    if source.endswith(".json"):
        return read_network(Path(source))
    if source.endswith((".net.xml", ".net.xml.gz")):
        nets, files = Path(source), tuple(additional)
    else:
        scenario = resolve(source, routes=[], additional=additional, begin_s=None, end_s=None)
        nets, files = scenario.net_file, scenario.additional_files
    signals = read_intersections(nets, files, profile_of(profile, min_green_s=min_green_s))
    return Network(
        intersections=tuple(signals.intersections),
        approaches=(),
        lanes=(),
        exits=(),
        crossings=(),
        loops=(),
        uncontrolled=tuple(signals.uncontrolled),
    )


def import_(
    table: Path,
    *,
    intersection: str,
    stages: Path | None,
    profile: str,
    failure_display: str,
    output: Path,
    as_json: bool,
) -> None:
    """Write the unsigned safety data of an authority's table."""
    data = import_table(
        table,
        intersection,
        stages=stages,
        profile=f"{profile}/1",
        failure_display=Display(failure_display),
    )
    _write([data], output, as_json)


def keygen(name: Path, *, as_json: bool) -> None:
    """Write a pair of keys."""
    private, public = name.with_suffix(".key.pem"), name.with_suffix(".pub.pem")
    key_id = signed_envelope.new_key(private, public)
    if as_json:
        print(json.dumps({"key_id": key_id, "private": str(private), "public": str(public)}))
    else:
        print(f"key {key_id}\nprivate {private} (keep it offline)\npublic {public}")


def sign(files: list[Path], *, key: Path, as_json: bool) -> None:
    """Sign files in place."""
    secret = signed_envelope.read_private_key(key)
    read = [(path, _read(path)) for path in files]
    for path, envelope in read:
        fresh = path.with_name(f".{path.name}.new")
        fresh.write_bytes(signed_envelope.signed(envelope, secret).to_bytes())
        fresh.replace(path)
    _tell([(path, _read(path)) for path in files], as_json)


def verify(files: list[Path], *, keys: list[Path], as_json: bool) -> None:
    """Check files against trusted public keys."""
    trusted = [signed_envelope.read_public_key(path) for path in keys]
    read = []
    for path in files:
        envelope = _read(path)
        signed_envelope.verify(envelope, trusted, str(path))
        read.append((path, envelope))
    _tell(read, as_json)


def load(
    files: list[Path], *, place: str, keys: list[Path], actor: str, reason: str, as_json: bool
) -> None:
    """Hand signed safety data to a server's store, all files or none."""
    import time
    from contextlib import closing

    from ampelwerk.controllers.store.audit import AuditEntry
    from ampelwerk.controllers.store.store import Store

    trusted = [signed_envelope.read_public_key(path) for path in keys]
    read = [(path, _read(path)) for path in files]
    now_ms = time.time_ns() // 1_000_000
    with closing(Store(place)) as store, store.change() as change:
        for _, envelope in read:
            fresh = change.envelopes.add(envelope, trusted, now_ms)
            change.record(
                AuditEntry(
                    at_unix_ms=now_ms,
                    actor=actor,
                    role="engineer",
                    method="envelope.load",
                    target=f"{envelope.data.intersection.intersection_id} {envelope.sha256}",
                    result="ok" if fresh else "repeated",
                    reason=reason,
                    detail=f"signed with key {envelope.key_id}",
                )
            )
    _tell(read, as_json)


def show(file: Path, *, as_json: bool) -> None:
    """Print the safety data of a file."""
    envelope = _read(file)
    if as_json:
        print(envelope.content.decode())
        return
    console = Console(highlight=False, markup=False)
    site = envelope.data.intersection
    groups = site.envelope.groups
    names = [str(group.group_id) for group in groups]
    console.print(f"intersection {site.intersection_id}, profile {site.envelope.profile}")
    console.print(f"SHA-256 {envelope.sha256}")
    console.print(f"signed with key {envelope.key_id}" if envelope.key_id else "not signed")
    console.print(f"failure display {envelope.data.failure_display}")
    table = Table(box=None, pad_edge=False)
    for title in ("group", "serves"):
        table.add_column(title, no_wrap=True)
    for title in ("min green", "amber", "red-amber", "min red", "max red"):
        table.add_column(title, justify="right", no_wrap=True)
    gaps = Table(box=None, pad_edge=False)
    for name in ("from", *names):
        gaps.add_column(name, justify="right" if name != "from" else "left", no_wrap=True)
    for i, group in enumerate(groups):
        longest = "" if group.max_red_ds is None else f"{group.max_red_ds / 10:g}"
        table.add_row(
            names[i],
            group.road_user.value,
            *(
                f"{time_ds / 10:g}"
                for time_ds in (
                    group.min_green_ds, group.amber_ds, group.red_amber_ds, group.min_red_ds,
                )
            ),
            longest,
        )  # fmt: skip
        gaps.add_row(
            names[i],
            *(
                "-" if gap_ds is None else f"{gap_ds / 10:g}"
                for gap_ds in site.envelope.intergreen_ds[i]
            ),
        )
    console.print(table)
    console.print("Times in s. Intergreens from the row to the column:")
    console.print(gaps)
    for stage in site.stages:
        green = " ".join(names[g] + ("*" * (g in stage.permissive)) for g in stage.groups)
        console.print(f"stage {stage.stage_id}: {green}")
    for plan in site.plans:
        steps = ", ".join(
            f"{step.start_ds / 10:g} s: {site.stages[step.stage].stage_id}" for step in plan.steps
        )
        console.print(
            f"plan {plan.plan_id}: cycle {plan.cycle_ds / 10:g} s; {steps}", soft_wrap=True
        )


def _read(path: Path) -> SignedEnvelope:
    """A file of safety data; one named by a hash must have that hash."""
    envelope = signed_envelope.read_envelope(path.read_bytes(), str(path))
    stem = path.name.removesuffix(SUFFIX)
    named_by_hash = len(stem) == 64 and all(digit in "0123456789abcdef" for digit in stem)
    if named_by_hash and stem != envelope.sha256:
        raise InvalidInputError(
            "the safety data are not those that the file is named after",
            where=str(path),
            found=f"SHA-256 {envelope.sha256}",
            remedy="copy the file again from where it was signed",
        )
    return envelope


def _write(data: list[SafetyData], output: Path, as_json: bool) -> None:
    """One file each, named by its SHA-256."""
    output.mkdir(parents=True, exist_ok=True)
    written = []
    for item in data:
        envelope = signed_envelope.unsigned(item)
        path = output / f"{envelope.sha256}{SUFFIX}"
        if not path.exists():  # the same data, perhaps signed already
            fresh_files([path], force=False)
            path.write_bytes(envelope.to_bytes())
        written.append((path, _read(path)))
    _tell(written, as_json)


def _tell(files: list[tuple[Path, SignedEnvelope]], as_json: bool) -> None:
    """One line a file."""
    if as_json:
        rows = [
            {
                "intersection": str(envelope.data.intersection.intersection_id),
                "sha256": envelope.sha256,
                "key_id": envelope.key_id or None,
                "file": str(path),
            }
            for path, envelope in files
        ]
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for path, envelope in files:
        signer = f"signed with key {envelope.key_id}" if envelope.key_id else "not signed"
        print(f"{envelope.data.intersection.intersection_id}  {signer}  {path}")
