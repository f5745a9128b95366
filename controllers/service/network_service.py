"""NetworkService: the intersections as they stand, and their changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence

import grpc

from ampelwerk.controllers.service.errors import Refused
from ampelwerk.controllers.service.gate import Context
from ampelwerk.controllers.service.live_city import LiveCity
from ampelwerk.controllers.service.session import Session
from ampelwerk.proto.v1 import network_pb2
from ampelwerk.proto.v1.network_pb2_grpc import NetworkServiceServicer

LOOK_S = 0.2
"""Changes of one intersection are told at most this often. [s]"""


def sessions_of(city: LiveCity, names: Iterable[str]) -> Sequence[Session]:
    """Sessions of some intersections, or of all if none is named.

    Raises
    ------
    Refused : an intersection is not there.
    """
    found = []
    for name in names:
        session = city.by_name.get(name)
        if session is None:
            raise Refused(grpc.StatusCode.NOT_FOUND, "UNKNOWN_ID", f"no intersection {name[:64]!r}")
        found.append(session)
    return found or city.sessions


class NetworkService(NetworkServiceServicer):
    """For the control room."""

    def __init__(self, city: LiveCity) -> None:
        self._city = city

    async def Get(
        self, request: network_pb2.GetNetworkRequest, context: Context
    ) -> network_pb2.GetNetworkReply:
        """Everything as it stands."""
        sessions = sessions_of(self._city, request.intersection_ids)
        return network_pb2.GetNetworkReply(
            intersections=[session.status() for session in sessions],
            server_unix_ms=self._city.clock.unix_ms(),
        )

    async def Watch(
        self, request: network_pb2.WatchNetworkRequest, context: Context
    ) -> AsyncIterator[network_pb2.NetworkEvent]:
        """Everything as it stands, then what changes; several changes at once are one."""
        sessions = sessions_of(self._city, request.intersection_ids)
        seen = [-1] * len(sessions)
        cursor = 0
        while True:
            for k, session in enumerate(sessions):
                if session.changed != seen[k]:
                    seen[k] = session.changed
                    cursor += 1
                    yield network_pb2.NetworkEvent(cursor=cursor, intersection=session.status())
            await asyncio.sleep(LOOK_S)
