"""Somebody's line to the server: people of the control room and their commands."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Self

import grpc

from ampelwerk.controllers.certificates import Credentials
from ampelwerk.controllers.client import CHANNEL_OPTIONS
from ampelwerk.controllers.errors_told import as_error, detail_of

TIMEOUT_S = 10.0
"""Deadline of a request. [s]"""
LONGEST_BACKOFF_MS = 5_000
"""A server that is away is looked for at least this often. [ms]"""
RECEIVE, MOST_BYTES = "grpc.max_receive_message_length", 16 * 1024 * 1024
"""Largest answer that is taken: a city's list of plans. [B]"""
MOST_WAITS = 20
"""Times that a request which came too soon is sent again."""


class Line:
    """A channel with a certificate; a context manager.

    Every method raises `InvalidInputError`, `RequestRefusedError`, `UnsafePlanError` or `ServerError`
    with what the server says.
    """

    def __init__(self, address: str, credentials: Credentials) -> None:
        self._channel = grpc.secure_channel(
            address,
            grpc.ssl_channel_credentials(
                root_certificates=credentials.authority,
                private_key=credentials.key,
                certificate_chain=credentials.certificate,
            ),
            options=[
                *(option for option in CHANNEL_OPTIONS if option[0] != RECEIVE),
                (RECEIVE, MOST_BYTES),
                ("grpc.max_reconnect_backoff_ms", LONGEST_BACKOFF_MS),
            ],
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._channel.close()


def told(method: Any, message: Any) -> Any:
    """The server's answer; a request that came too soon is sent again when the server allows it."""
    for attempt in range(MOST_WAITS + 1):
        try:
            return method(message, timeout=TIMEOUT_S)
        except grpc.RpcError as error:
            detail = detail_of(error)
            if detail.code != "RATE" or attempt == MOST_WAITS:
                raise as_error(error) from error
            time.sleep(detail.retry_after_ms / 1000)
    raise AssertionError("unreachable")
