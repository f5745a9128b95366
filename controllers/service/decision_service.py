"""DecisionService: why the engine asked for a stage, as long as the server remembers."""

from __future__ import annotations

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
        for decided in reversed(session.decisions):
            if request.WhichOneof("which") == "decision_id":
                if decided.decision_id == request.decision_id:
                    return _message(decided, session)
            elif not request.at_unix_ms or decided.at_unix_ms <= request.at_unix_ms:
                return _message(decided, session)
        raise Refused(
            grpc.StatusCode.NOT_FOUND,
            "UNKNOWN_ID",
            "no such decision; the server remembers the last "
            f"{session.decisions.maxlen} of each intersection",
        )


def _message(decided: Decided, session: Session) -> decision_pb2.Decision:
    wish, stages = decided.wish, session.intersection.stages
    decision = decision_pb2.Decision(
        decision_id=decided.decision_id,
        intersection_id=session.name,
        at_unix_ms=decided.at_unix_ms,
        algorithm=decided.algorithm,
        chosen=stages[wish.stage].stage_id,
        margin=wish.gap,
        reason=wish.reason,
    )
    if wish.runner_up is not None:
        decision.alternatives.append(stages[wish.runner_up].stage_id)
    if wish.binding:
        decision.binding.add(rule=wish.binding)
    return decision
