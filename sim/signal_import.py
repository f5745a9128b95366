"""One signal of a SUMO net on its way to an `Intersection`."""

from __future__ import annotations

from itertools import combinations, pairwise

from ampelwerk.engine.stage_sets import compatible_sets
from ampelwerk.models.envelope import (
    MAX_GROUPS,
    Envelope,
    GroupId,
    IntersectionId,
    RoadUser,
    SignalGroup,
)
from ampelwerk.models.errors import Finding, Severity
from ampelwerk.models.intersection import Intersection, LaneId, Movement, Stage, StageId, Turn
from ampelwerk.models.profile import Profile, RilsaProfile, SumoProfile
from ampelwerk.sim import program_times
from ampelwerk.sim.conflicts import LinkRelations, link_relations, path_of
from ampelwerk.sim.intergreens import Stream
from ampelwerk.sim.net_file import NetConnection, NetFile
from ampelwerk.sim.plan_fit import fitted
from ampelwerk.sim.program_file import SignalProgram
from ampelwerk.sim.rilsa import rilsa_envelope, streams_of
from ampelwerk.sim.road_users import road_user_of
from ampelwerk.sim.signal_programs import group_links, lamp_states, stages_and_plans

MAX_STAGES = 64
"""Delivered and generated stages together; a node with many crossings has hundreds of cliques."""
_TURN = {
    "s": Turn.STRAIGHT,
    "l": Turn.LEFT,
    "L": Turn.LEFT,
    "r": Turn.RIGHT,
    "R": Turn.RIGHT,
    "t": Turn.U_TURN,
    "T": Turn.U_TURN,
}


class SignalImport:
    """One signal on its way to an `Intersection`."""

    def __init__(
        self,
        net: NetFile,
        name: str,
        programs: list[SignalProgram],
        links: list[NetConnection],
        profile: Profile,
    ) -> None:
        self.net, self.name, self.links, self.profile = net, name, links, profile
        # The program loaded last is in force at begin, so it comes first.
        self.programs = [p for p in reversed(programs) if p.states and p.kind != "off"]
        self.length = len(self.programs[0].states[0].state)
        incoming = {
            connection.link_index: self._origin(connection)
            for connection in sorted(links, key=lambda c: c.link_index)
        }
        self.groups, self.constant = group_links(self.programs, incoming, self.length)
        self.group_of = {link: g for g, links_ in enumerate(self.groups) for link in links_}
        self.lamps = [lamp_states(program, self.groups) for program in self.programs]
        walking = frozenset(
            g
            for g, links_ in enumerate(self.groups)
            if self._road_user(links_) is RoadUser.PEDESTRIAN
        )
        self.stages, self.plans = stages_and_plans(self.programs, self.groups, walking)
        self.findings: list[Finding] = []
        self.reason = self._refusal()

    def _refusal(self) -> str:
        if len(self.groups) > MAX_GROUPS:
            return f"It has {len(self.groups)} signal groups; at most {MAX_GROUPS} are possible."
        if not self.groups or sum(stage.selectable for stage in self.stages) < 2:
            return "It has a single stage."
        if not self.plans:
            return "Its program is off."
        return ""

    def _origin(self, connection: NetConnection) -> str:
        """Incoming edge; for pedestrians the crossing."""
        if not self.net.is_road(connection.from_lane):
            return connection.to_lane
        return connection.from_lane.rsplit("_", 1)[0]

    def _note(self, rule: str, where: str, message: str, remedy: str = "") -> None:
        self.findings.append(
            Finding(
                rule=rule,
                severity=Severity.WARNING,
                where=f"{self.name}, {where}",
                message=message,
                remedy=remedy,
            )
        )

    def intersection(self) -> Intersection:
        """Everything put together."""
        relations = link_relations(self.net, self.links)
        together = self._together()
        conflict, yields = self._matrices(relations, together)
        users = self.users()
        envelope = self._envelope(conflict, users)
        stages = self.stages + self._generated(conflict, yields)
        self._fit_plans(envelope)
        movements = self._movements(relations)
        self._remarks(envelope)
        return Intersection(
            envelope=envelope,
            movements=tuple(movements),
            sumo_link_count=self.length,
            sumo_link_group=tuple(self.group_of.get(link, -1) for link in range(self.length)),
            sumo_link_letter="".join(self.constant.get(link, " ") for link in range(self.length)),
            yields=tuple(tuple(row) for row in yields),
            stages=tuple(stages),
            plans=tuple(self.plans),
            findings=tuple(self.findings),
        )

    def _together(self) -> set[tuple[int, int]]:
        """Pairs of groups that some state shows green together."""
        pairs: set[tuple[int, int]] = set()
        for states in self.lamps:
            for state in states:
                pairs.update(combinations(sorted(state.green), 2))
        return pairs

    def _matrices(
        self, relations: LinkRelations, together: set[tuple[int, int]]
    ) -> tuple[list[list[bool]], list[list[bool]]]:
        """Conflicts, and who gives way to whom among permissive pairs."""
        size = len(self.groups)
        conflict = [[False] * size for _ in range(size)]
        yields = [[False] * size for _ in range(size)]
        for a, b in combinations(range(size), 2):
            pairs = [(p, q) for p in self.groups[a] for q in self.groups[b]]
            foes = any(pair in relations.foes for pair in pairs)
            if (a, b) in together:
                if foes:
                    yields[a][b] = any(pair in relations.yields for pair in pairs)
                    yields[b][a] = any((q, p) in relations.yields for p, q in pairs)
                continue
            conflict[a][b] = conflict[b][a] = foes or self._apart(relations, a, b)
        return conflict, yields

    def _apart(self, relations: LinkRelations, a: int, b: int) -> bool:
        """Groups at different junctions of one program: released together only if delivered so."""
        here = {j for link in self.groups[a] for j in relations.junction_of.get(link, ())}
        there = {j for link in self.groups[b] for j in relations.junction_of.get(link, ())}
        return not here & there

    def _road_user(self, links: list[int]) -> RoadUser:
        """Whom a group serves, from the permissions of its lanes."""
        lanes = []
        for connection in self.links:
            if connection.link_index in links:
                if not self.net.is_road(connection.from_lane):
                    return RoadUser.PEDESTRIAN
                lanes.append(self.net.lanes[connection.from_lane])
        return road_user_of(lanes)

    def _envelope(self, conflict: list[list[bool]], users: list[RoadUser]) -> Envelope:
        size = len(self.groups)
        names = self._names(users)
        if isinstance(self.profile, RilsaProfile):
            return rilsa_envelope(
                self.net,
                self.name,
                self._links_of(),
                names,
                users,
                conflict,
                self.profile,
                self._note,
            )
        profile: SumoProfile = self.profile
        times = [
            program_times.group_times(
                self.lamps, g, profile, pedestrian=users[g] is RoadUser.PEDESTRIAN
            )
            for g in range(size)
        ]
        for g in range(size):
            if times[g].variable_amber:
                self._note(
                    "variable_amber",
                    f"group {names[g]}",
                    "its program shows ambers of different length; the most frequent is used.",
                )
        return Envelope(
            intersection_id=IntersectionId(self.name),
            profile=profile.label,
            groups=tuple(
                SignalGroup(
                    group_id=names[g],
                    road_user=users[g],
                    min_green_ds=times[g].min_green_ds,
                    amber_ds=times[g].amber_ds,
                    red_amber_ds=times[g].red_amber_ds,
                    min_red_ds=round(profile.min_red_s * 10),
                )
                for g in range(size)
            ),
            conflict=tuple(tuple(row) for row in conflict),
            intergreen_ds=tuple(
                tuple(
                    program_times.intergreen_ds(self.lamps, times, a, b, profile)
                    if conflict[a][b]
                    else None
                    for b in range(size)
                )
                for a in range(size)
            ),
        )

    def _fit_plans(self, envelope: Envelope) -> None:
        """Draw out plans that are too short for times that are not their own."""
        if isinstance(self.profile, SumoProfile) and not self.profile.is_overridden:
            return
        shown = [states for states in self.lamps if states]  # as the plans: none without length
        for k, plan in enumerate(self.plans):
            self.plans[k] = longer = fitted(plan, self.stages, envelope, shown[k])
            if longer is not plan:
                self._note(
                    "plan_drawn_out",
                    f"plan {plan.plan_id}",
                    f"its cycle grows from {plan.cycle_ds / 10:g} to {longer.cycle_ds / 10:g} s "
                    "so that every green stays as long as it was.",
                    "Signals with other cycle times are no longer coordinated.",
                )

    def users(self) -> list[RoadUser]:
        """Whom each group serves."""
        return [self._road_user(links) for links in self.groups]

    def streams(self) -> list[list[Stream]]:
        """Streams of each group, with the geometry that intergreens are computed from."""
        return streams_of(self.net, self._links_of(), self.users())

    def _links_of(self) -> list[list[NetConnection]]:
        """Connections of each group."""
        return [[c for c in self.links if c.link_index in links] for links in self.groups]

    def _names(self, users: list[RoadUser]) -> list[GroupId]:
        """K1, K2 ... for motor vehicles, F for pedestrians, as on German signal plans."""
        letter = {
            RoadUser.MOTOR: "K",
            RoadUser.PEDESTRIAN: "F",
            RoadUser.CYCLIST: "R",
            RoadUser.TRAM: "S",
            RoadUser.BUS: "B",
        }
        count: dict[RoadUser, int] = {}
        names = []
        for user in users:
            count[user] = count.get(user, 0) + 1
            names.append(GroupId(f"{letter[user]}{count[user]}"))
        return names

    def _generated(self, conflict: list[list[bool]], yields: list[list[bool]]) -> list[Stage]:
        """Maximal sets of compatible groups that the program does not have."""
        ever = {g for states in self.lamps for state in states for g in state.green}
        delivered = {stage.groups for stage in self.stages}
        room = MAX_STAGES - len(self.stages)
        fresh = [found for found in compatible_sets(conflict, ever) if found not in delivered]
        always_on_red = [
            g
            for g in range(len(self.groups))
            if all(
                g in stage.turn_on_red
                for stage in self.stages
                if stage.selectable and g not in stage.groups
            )
        ]
        return [
            Stage(
                stage_id=StageId(f"g{k + 1}"),
                groups=clique,
                permissive=tuple(g for g in clique if any(yields[g][foe] for foe in clique)),
                turn_on_red=tuple(g for g in always_on_red if g not in clique),
                delivered=False,
            )
            for k, clique in enumerate(fresh[: max(0, room)])
        ]

    def _movements(self, relations: LinkRelations) -> list[Movement]:
        found = []
        for connection in sorted(self.links, key=lambda c: c.link_index):
            crossing = not self.net.is_road(connection.from_lane)
            path = path_of(self.net, connection)
            found.append(
                Movement(
                    sumo_link_index=connection.link_index,
                    group=self.group_of.get(connection.link_index, -1),
                    from_lane=LaneId(connection.from_lane),
                    to_lane=LaneId(connection.to_lane),
                    via_lane=LaneId(connection.via_lane),
                    turn=Turn.CROSSING
                    if crossing
                    else _TURN.get(connection.direction, Turn.STRAIGHT),
                    yields_to=tuple(
                        sorted(
                            {
                                self.group_of[foe]
                                for link, foe in relations.yields
                                if link == connection.link_index and foe in self.group_of
                            }
                        )
                    ),
                    yields_to_links=tuple(
                        sorted(
                            foe for link, foe in relations.yields if link == connection.link_index
                        )
                    ),
                    length_m=sum(
                        ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
                        for (x1, y1), (x2, y2) in pairwise(path)
                    ),
                )
            )
        return found

    def _remarks(self, envelope: Envelope) -> None:
        """What an engineer should know about the program."""
        for g, group in enumerate(envelope.groups):
            green = [g in state.green for states in self.lamps for state in states]
            if not any(green):
                self._note(
                    "dead_group",
                    f"group {group.group_id}",
                    "it is never green.",
                    "Check the program.",
                )
            elif all(green):
                self._note("always_green", f"group {group.group_id}", "it is never red.")
        for a, b in combinations(range(envelope.size), 2):
            if envelope.conflict[a][b] and self._overlap(a, b):
                pair = f"groups {envelope.groups[a].group_id} and {envelope.groups[b].group_id}"
                self._note(
                    "source_overlap",
                    pair,
                    "the program lets one begin while the other still clears.",
                    "The interlock keeps them apart; correct the program.",
                )
        groups_of: dict[str, set[int]] = {}
        for connection in self.links:
            released_by = self.group_of.get(connection.link_index, -1)
            groups_of.setdefault(connection.from_lane, set()).add(released_by)
        for lane, groups in sorted(groups_of.items()):
            if len(groups) > 1 and self.net.is_road(lane):
                self._note(
                    "split_lane", f"lane {lane}", f"it is released by {len(groups)} signal groups."
                )

    def _overlap(self, a: int, b: int) -> bool:
        """Some state shows both other than red."""
        return any(
            state.letters[a] not in "rs" and state.letters[b] not in "rs"
            for states in self.lamps
            for state in states
        )
