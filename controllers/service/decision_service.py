"""DecisionService: why the engine asked for a stage, as long as the server remembers."""

from __future__ import annotations

from collections.abc import Sequence

import grpc

from ampelwerk.controllers.service.errors import Refused
from ampelwerk.controllers.service.gate import Context
from ampelwerk.controllers.service.live_city import LiveCity
from ampelwerk.controllers.service.network_service import sessions_of
from ampelwerk.controllers.service.session import Decided, Session
from ampelwerk.proto.v1 import decision_pb2
from ampelwerk.proto.v1.decision_pb2_grpc import DecisionServiceServicer


class DecisionService(DecisionServiceServicer):
    """For the control room."""

    def __init__(self, city: LiveCity) -> None:
        self._city = city

    async def Explain(
        self, request: decision_pb2.ExplainRequest, context: Context
    ) -> decision_pb2.Decision:
        """A decision by its id, the one in force at a moment, or the last one."""
        session = sessions_of(self._city, [request.intersection_id])[0]
        decisions = list(session.decisions)
        for number in reversed(range(len(decisions))):
            decided = decisions[number]
            if request.WhichOneof("which") == "decision_id":
                if decided.decision_id == request.decision_id:
                    return self._message(session, decisions, number)
            elif not request.at_unix_ms or decided.at_unix_ms <= request.at_unix_ms:
                return self._message(session, decisions, number)
        raise Refused(
            grpc.StatusCode.NOT_FOUND,
            "UNKNOWN_ID",
            "no such decision; the server remembers the last "
            f"{session.decisions.maxlen} of each intersection",
        )

    def _message(
        self, session: Session, decisions: Sequence[Decided], number: int
    ) -> decision_pb2.Decision:
        """One of the decisions at an intersection, with the one before and the one after."""
        decided, wish = decisions[number], decisions[number].wish
        served = [
            decision_pb2.ServedGroup(
                group_id=one.group, serves=one.serves, comes_from=one.comes_from, turns=one.turns
            )
            for one in self._city.served(session.number)
        ]

        def stage(index: int, since_unix_ms: int = 0) -> decision_pb2.DecisionStage:
            found, groups = session.intersection.stages[index], session.intersection.envelope.groups
            return decision_pb2.DecisionStage(
                stage_id=found.stage_id,
                green=[served[group] for group in found.groups],
                permissive=[groups[group].group_id for group in found.permissive],
                since_unix_ms=since_unix_ms,
            )

        decision = decision_pb2.Decision(
            decision_id=decided.decision_id,
            intersection_id=session.name,
            at_unix_ms=decided.at_unix_ms,
            algorithm=decided.algorithm,
            chosen=session.intersection.stages[wish.stage].stage_id,
            stage=stage(wish.stage, decided.at_unix_ms),
            margin=wish.gap,
            reason=wish.reason,
        )
        if number:
            before = decisions[number - 1]
            decision.before.CopyFrom(stage(before.wish.stage, before.at_unix_ms))
        if wish.runner_up is not None and wish.runner_up != wish.stage:
            decision.alternatives.append(session.intersection.stages[wish.runner_up].stage_id)
            decision.next_best.CopyFrom(stage(wish.runner_up))
        if wish.binding:
            decision.binding.add(rule=wish.binding)
        if number + 1 < len(decisions):
            following = decisions[number + 1]
            stages = session.intersection.stages
            decision.next_stage_id = stages[following.wish.stage].stage_id
            decision.next_unix_ms = following.at_unix_ms
        return decision
