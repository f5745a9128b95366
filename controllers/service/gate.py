"""The gate before every method: identity, access, decoding, deadline, and errors by the table.

One interceptor wraps each method once. A request that cannot be decoded is INVALID_ARGUMENT; left
to gRPC it would be UNKNOWN with internals in its text.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from functools import lru_cache
from typing import Any

import grpc
from google.protobuf.message import DecodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet  # type: ignore[import-not-found]

from ampelwerk.controllers.identity import Identity, parse
from ampelwerk.controllers.service.access import ALLOWED, COMMANDS
from ampelwerk.controllers.service.errors import Refused, abort, as_refused
from ampelwerk.controllers.service.rates import REFUSALS, Buckets
from ampelwerk.models.errors import InvalidInputError

LOOK_S = 0.01
"""Whether calls have ended is looked at this often. [s]"""
AFTERWARDS = 8
"""Turns of the event loop that gRPC needs after a call's last statement."""
DRAINED_RETRY_MS = 1_000
"""A server that stops may be back after this time. [ms]"""
LONGEST_CALL_S = 30.0
"""Unary calls need a deadline, and none further off than this. [s]"""
Behaviour = Callable[[Any, Any], Any]
TurnedAway = Callable[[str, Identity, Refused], Awaitable[None]]
"""Method, who called, why not."""
Context = grpc.aio.ServicerContext[Any, Any]
"""Of one call."""


class Malformed:
    """Stands for a request that could not be decoded."""


@lru_cache(maxsize=32_768)
def _identity(uri: bytes) -> Identity:
    return parse(uri.decode(errors="replace"))


def identity_of(context: Context) -> Identity:
    """Who calls, by the certificate.

    Raises
    ------
    Refused : the certificate names nobody known.
    """
    found = tuple(context.auth_context().get("peer_spiffe_id", ()))
    try:
        return _identity(found[0] if len(found) == 1 else b"")
    except InvalidInputError as error:
        raise Refused(grpc.StatusCode.PERMISSION_DENIED, "IDENTITY", str(error)) from error


def has_unknown_fields(message: Message) -> bool:
    """Whether a message, or one within, carries a field this version does not know."""
    if len(UnknownFieldSet(message)):
        return True
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        parts = [value] if isinstance(value, Message) else list(value)
        if any(has_unknown_fields(part) for part in parts if isinstance(part, Message)):
            return True
    return False


class Gate(grpc.aio.ServerInterceptor):
    """Lets calls pass that are allowed and make sense.

    Parameters
    ----------
    city : trust domain; certificates of another are refused.
    buckets : how many calls are left to whom.
    called : told method and status of every call that has ended.
    turned_away : told of commands that do not pass, for the audit.
    """

    def __init__(
        self,
        city: str,
        buckets: Buckets,
        called: Callable[[str, grpc.StatusCode], None],
        turned_away: TurnedAway | None = None,
    ) -> None:
        self._city, self._buckets, self._called = city, buckets, called
        self._turned_away = turned_away
        self._wrapped: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}
        self._calls = 0
        self._streams: dict[asyncio.Future[Any], str] = {}
        self._draining = False
        self._lingering: tuple[str, ...] = ()

    async def intercept_service(
        self,
        continuation: Callable[
            [grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]
        ],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """The method's handler behind the gate; nothing for a method that is not there."""
        method = handler_call_details.method
        if method not in self._wrapped:
            handler = await continuation(handler_call_details)
            if handler is None:
                return handler
            self._wrapped[method] = self._wrap(method, handler)
        return self._wrapped[method]

    def _check(self, method: str, context: Context) -> None:
        identity = identity_of(context)
        if identity.city != self._city:
            raise Refused(
                grpc.StatusCode.PERMISSION_DENIED, "IDENTITY", "certificate of another city"
            )
        if identity.kind not in ALLOWED.get(method, ()):
            raise Refused(
                grpc.StatusCode.PERMISSION_DENIED,
                "ROLE",
                f"the role {identity.kind} may not call this",
            )
        self._buckets.take(method, identity)

    def _wrap(
        self, method: str, handler: grpc.RpcMethodHandler[Any, Any]
    ) -> grpc.RpcMethodHandler[Any, Any]:
        decode = handler.request_deserializer
        assert decode is not None

        def deserializer(content: bytes) -> Any:
            try:
                return decode(content)
            except (DecodeError, ValueError):
                return Malformed()

        behaviour: Any = (
            handler.unary_unary
            or handler.unary_stream
            or handler.stream_unary
            or handler.stream_stream
        )
        if inspect.isasyncgenfunction(behaviour):
            behaviour = _writing(behaviour)
        lasts = handler.request_streaming or handler.response_streaming
        guarded = self._guarded(method, behaviour, handler.request_streaming, lasts)
        make = {
            (False, False): grpc.unary_unary_rpc_method_handler,
            (False, True): grpc.unary_stream_rpc_method_handler,
            (True, False): grpc.stream_unary_rpc_method_handler,
            (True, True): grpc.stream_stream_rpc_method_handler,
        }[bool(handler.request_streaming), bool(handler.response_streaming)]
        return make(
            guarded,
            request_deserializer=deserializer,
            response_serializer=handler.response_serializer,
        )

    def _admit(self, method: str, request: Any, streaming: bool, context: Context) -> Any:
        """The request, or the stream of them, if the call may go on."""
        self._check(method, context)
        if streaming:
            return _decoded(request)
        if isinstance(request, Malformed):
            raise _malformed()
        remaining_s = context.time_remaining()
        if remaining_s is None and not method.endswith("/Watch"):
            raise Refused(grpc.StatusCode.INVALID_ARGUMENT, "INVALID", "the call has no deadline")
        if method in COMMANDS and has_unknown_fields(request):
            raise Refused(
                grpc.StatusCode.INVALID_ARGUMENT,
                "INVALID",
                "the command has a field that this server does not know",
            )
        return request

    async def _admitted(self, method: str, request: Any, streaming: bool, context: Context) -> Any:
        """As `_admit`; a command that does not pass is recorded, a flood of them now and then."""
        try:
            return self._admit(method, request, streaming, context)
        except Refused as refused:
            if self._turned_away is not None and method in COMMANDS and refused.code != "RATE":
                identity = identity_of(context)
                if self._buckets.left(REFUSALS, identity):
                    await self._turned_away(method, identity, refused)
            raise

    def _guarded(
        self, method: str, behaviour: Behaviour, streaming: bool, lasts: bool
    ) -> Behaviour:
        async def call(request: Any, context: Context) -> Any:
            status = grpc.StatusCode.CANCELLED
            self._calls += 1
            try:
                admitted = await self._admitted(method, request, streaming, context)
                work = behaviour(admitted, context)
                reply = await (self._until_drained(method, work) if lasts else work)
                status = grpc.StatusCode.OK
                return reply
            except (asyncio.CancelledError, grpc.aio.AbortError):
                raise
            except Exception as error:  # noqa: BLE001 - the edge of the process
                refused = as_refused(error)
                status = refused.status
                await abort(context, refused)
            finally:
                self._calls -= 1
                self._called(method, status)

        return call

    async def _until_drained(self, method: str, work: Coroutine[Any, Any, Any]) -> Any:
        """A stream, to its end or until the server stops.

        Raises
        ------
        Refused : the server stops.
        """
        task = asyncio.ensure_future(work)
        self._streams[task] = method
        try:
            if self._drained(method):
                task.cancel()
            await asyncio.wait((task,))
            if task.cancelled() and self._drained(method):
                raise Refused(
                    grpc.StatusCode.UNAVAILABLE,
                    "DRAINING",
                    "the server stops",
                    retry_after_ms=DRAINED_RETRY_MS,
                )
            return task.result()
        finally:
            del self._streams[task]
            task.cancel()  # whoever called may have gone
            await asyncio.gather(task, return_exceptions=True)

    def _drained(self, method: str) -> bool:
        return self._draining and method not in self._lingering

    def drain(self, *lingering: str) -> None:
        """End all streams, those of some methods later: they end by themselves."""
        self._draining, self._lingering = True, lingering
        for task, method in self._streams.items():
            if method not in lingering:
                task.cancel()

    async def settled(self, timeout_s: float) -> bool:
        """Wait until no call runs any more; whether that is so."""
        loop = asyncio.get_running_loop()
        end_s = loop.time() + timeout_s
        while self._calls and loop.time() < end_s:
            await asyncio.sleep(LOOK_S)
        for _ in range(AFTERWARDS):  # gRPC's own part of a call ends a little later
            await asyncio.sleep(0)
        return not self._calls


def _writing(behaviour: Behaviour) -> Behaviour:
    """A method that yields its replies, as one that writes them."""

    async def write(request: Any, context: Context) -> None:
        async for reply in behaviour(request, context):
            await context.write(reply)

    return write


def _malformed() -> Refused:
    return Refused(grpc.StatusCode.INVALID_ARGUMENT, "INVALID", "the message cannot be decoded")


async def _decoded(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for request in requests:
        if isinstance(request, Malformed):
            raise _malformed()
        yield request
