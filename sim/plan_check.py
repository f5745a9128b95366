"""Plans and SUMO programs held against the intersections of a model, file by file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ampelwerk.engine.lamp_program import LampProgram
from ampelwerk.engine.plan_switches import switch_findings
from ampelwerk.engine.verification import verify, verify_program
from ampelwerk.models.certificate import Certificate, PlanFinding
from ampelwerk.models.errors import Finding, InvalidInputError, Severity
from ampelwerk.models.intersection import Intersection
from ampelwerk.models.network import Uncontrolled
from ampelwerk.models.plan_set import PlanSet, with_plans
from ampelwerk.models.profile import Profile
from ampelwerk.sim.imported import read_network
from ampelwerk.sim.net_file import elements
from ampelwerk.sim.network_import import read_intersections
from ampelwerk.sim.program_file import ProgramState, SignalProgram, signal_program
from ampelwerk.sim.scenario import resolve
from ampelwerk.sim.signal_programs import continuous


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """The intersections that plans are held against."""

    intersections: tuple[Intersection, ...]
    """Those that can be controlled."""
    uncontrolled: tuple[Uncontrolled, ...]
    """The others, with the reason."""

    def site(self, name: str, where: str) -> Intersection:
        """An intersection by its name.

        Raises
        ------
        InvalidInputError : there is none, or it cannot be controlled.
        """
        for site in self.intersections:
            if site.intersection_id == name:
                return site
        reasons = {left.intersection_id: left.reason for left in self.uncontrolled}
        raise InvalidInputError(
            "the model has no such intersection to check against",
            where=where,
            found=next((f"{name}: {r}" for n, r in reasons.items() if n == name), name),
            remedy="take it out, or give the model that the plans were made for",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One plan or program of one intersection, checked."""

    intersection: str
    """Name of the intersection."""
    plan: str
    """Name of the plan or program."""
    certificate: Certificate | None
    """The certificate; None if there are errors."""
    found: tuple[PlanFinding, ...]
    """Findings; with a certificate, its warnings."""
    notes: tuple[Finding, ...] = ()
    """What was noticed when the program was read."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings in words."""
        where = f"{self.intersection}, plan {self.plan}"
        return (*self.notes, *(finding.finding(where) for finding in self.found))


def read_model(model: str, profile: Profile) -> Model:
    """Intersections of a model.json, of a net, or of a scenario.

    Raises
    ------
    InvalidInputError : it is missing or broken, or was made under another profile.
    """
    if model.endswith(".json"):
        path = Path(model)
        if not path.is_file():
            raise InvalidInputError("there is no such model", where=model)
        network = read_network(path)
        for site in network.intersections:
            if site.envelope.profile != profile.label:
                raise InvalidInputError(
                    "the model was made under another profile",
                    where=f"{model}, intersection {site.intersection_id}",
                    found=site.envelope.profile,
                    limit=profile.label,
                    remedy="choose its profile, or make it again with `ampelwerk model`",
                )
        return Model(intersections=network.intersections, uncontrolled=network.uncontrolled)
    if model.endswith((".net.xml", ".net.xml.gz")):
        signals = read_intersections(Path(model), (), profile)
    else:
        scenario = resolve(model)
        signals = read_intersections(scenario.net_file, scenario.additional_files, profile)
    return Model(intersections=signals.intersections, uncontrolled=signals.uncontrolled)


def check_plans(plan_set: PlanSet, model: Model, profile: Profile, where: str) -> list[Checked]:
    """Every plan of a plan file.

    Raises
    ------
    InvalidInputError : the plans were made for another network.
    """
    found = []
    for planned in plan_set.intersections:
        name = str(planned.intersection_id)
        site = with_plans(
            model.site(name, f"{where}, intersection {name}"), planned, plan_set.calendar
        )
        for plan in site.plans:
            verdict = verify(plan, site, profile)
            while_switching = switch_findings(site, plan.plan_id, profile)
            if while_switching:
                told = verdict.warnings if isinstance(verdict, Certificate) else verdict
                verdict = (*told, *while_switching)
            found.append(_checked(name, plan.plan_id, verdict))
    return found


def _checked(
    name: str,
    plan_id: str,
    verdict: Certificate | tuple[PlanFinding, ...],
    notes: Sequence[Finding] = (),
) -> Checked:
    certificate = verdict if isinstance(verdict, Certificate) else None
    return Checked(
        intersection=name,
        plan=plan_id,
        certificate=certificate,
        found=verdict.warnings if isinstance(verdict, Certificate) else verdict,
        notes=tuple(notes),
    )


def check_programs(path: Path, model: Model, profile: Profile) -> list[Checked]:
    """Every tlLogic of an additional file or a net but those that are off or left to SUMO.

    A program whose durations vary is checked at its durations, at the shortest and at the longest.

    Raises
    ------
    InvalidInputError : the file is broken, holds no program, or is for another network.
    """
    found = []
    for element in elements(path, ("tlLogic",)):
        where = f"{path}, tlLogic {element.get('id', '')}"
        try:
            program = signal_program(element)
        except ValueError as error:
            raise InvalidInputError(
                "the program has a value that is no number", where=where, found=str(error)
            ) from error
        if not program.states or program.kind == "off":
            continue
        if any(left.intersection_id == program.signal_id for left in model.uncontrolled):
            continue
        found.append(_check_program(program, model.site(program.signal_id, where), profile, where))
    if not found:
        raise InvalidInputError(
            "the file holds no signal program",
            where=str(path),
            limit="tlLogic elements with phases",
            remedy="name a plan file, an additional file or a net",
        )
    return found


def _check_program(
    program: SignalProgram, site: Intersection, profile: Profile, where: str
) -> Checked:
    for k, state in enumerate(program.states):
        if len(state.state) != site.sumo_link_count or set(state.state) - set("rsuGgyYoO"):
            raise InvalidInputError(
                "a state does not fit the signal",
                where=f"{where}, phase {k}",
                found=state.state,
                limit=f"{site.sumo_link_count} letters of r s u G g y o",
            )
    notes = list[Finding]()
    verdict: Certificate | tuple[PlanFinding, ...] = ()
    for label, states in _variants(program):
        lamps, flickers = _lamps(states, site)
        if flickers and not notes:
            notes.append(_amber_between_greens(program, flickers))
        verdict = verify_program(lamps, site, profile, program.program_id)
        if not isinstance(verdict, Certificate):
            if label:
                verdict = tuple(replace(f, detail=_joined(f.detail, label)) for f in verdict)
            break
    return _checked(str(site.intersection_id), program.program_id, verdict, notes)


def _joined(detail: str, label: str) -> str:
    return f"{detail}, {label}" if detail else label


def _variants(program: SignalProgram) -> Iterator[tuple[str, list[ProgramState]]]:
    """The program as it is, and with its shortest and longest durations if they vary."""
    states = [state for state in program.states if state.duration_s > 0]
    yield "", states
    if any(not state.fixed for state in states):
        for label, name in (
            ("at its shortest durations", "min_duration_s"),
            ("at its longest durations", "max_duration_s"),
        ):
            yield (
                label,
                [
                    state if state.fixed else replace(state, duration_s=varied)
                    for state in states
                    for varied in (getattr(state, name) or state.duration_s,)
                ],
            )


def _lamps(states: Sequence[ProgramState], site: Intersection) -> tuple[LampProgram, set[int]]:
    """The states as lamps see them, and the links whose amber between two greens was left out."""
    shown = ["".join(state.state) for state in states]
    columns = [continuous([state[k] for state in shown]) for k in range(site.sumo_link_count)]
    read = ["".join(column[k] for column in columns) for k in range(len(states))]
    flickers = {
        link
        for before, after in zip(shown, read, strict=True)
        for link in range(site.sumo_link_count)
        if before[link] != after[link]
    }
    lamps = LampProgram(
        durations_ds=tuple(round(state.duration_s * 10) for state in states),
        states=tuple(read),
        group_of=site.sumo_link_group,
        by_link=True,
    )
    return lamps, flickers


def _amber_between_greens(program: SignalProgram, links: set[int]) -> Finding:
    return Finding(
        rule="amber_between_greens",
        severity=Severity.WARNING,
        where=f"{program.signal_id}, plan {program.program_id}, links "
        f"{', '.join(map(str, sorted(links)))}",
        message="amber stands between two greens without red; it was read as green.",
        remedy="Show green instead of amber there.",
    )
