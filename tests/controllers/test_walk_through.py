"""The walk-through of docs/roadside-protocol.md, sent by a client that knows nothing beforehand.

As grpcurl does, it asks the server what the interface looks like and makes its messages from JSON.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from google.protobuf.descriptor import MethodDescriptor
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest
from grpc_reflection.v1alpha.reflection_pb2_grpc import ServerReflectionStub

from ampelwerk.controllers.convert import envelope_hash, ruleset_sha256
from ampelwerk.controllers.identity import Kind
from ampelwerk.proto.v1 import common_pb2
from tests.controllers.city import crossroads
from tests.controllers.live import BEGIN_MS, Live, running, until

PAGE = Path(__file__).parents[2] / "docs/roadside-protocol.md"
BLOCK = re.compile(r"^```json (\S+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def _filled(text: str) -> str:
    """What the page leaves to the reader."""
    envelope = crossroads("north").envelope
    values = {
        "boot_id": base64.b64encode(bytes(range(16))).decode(),
        "envelope_sha256": base64.b64encode(envelope_hash(envelope)).decode(),
        "ruleset_sha256": base64.b64encode(ruleset_sha256(envelope)).decode(),
        "now_ms": str(BEGIN_MS),
        "now_s": str(BEGIN_MS / 1000),
    }
    return re.sub(r"\$\{(\w+)\}", lambda match: values[match[1]], text)


def _messages(text: str) -> list[dict[str, Any]]:
    """The JSON objects of a block, one after another."""
    decoder, found, at = json.JSONDecoder(), [], 0
    while at < len(text):
        content, end = decoder.raw_decode(text, at)
        found.append(content)
        at = end + len(text[end:]) - len(text[end:].lstrip())
    return found


class Stranger:
    """A client that has the server's word alone."""

    def __init__(self, channel: Any, asking: Any) -> None:
        self._channel, self._asking = channel, ServerReflectionStub(asking)
        self._pool: Any = descriptor_pool.DescriptorPool()
        self._known: set[str] = set()

    async def learn(self, service: str) -> None:
        async def questions() -> Any:
            yield ServerReflectionRequest(file_containing_symbol=service)

        async for answer in self._asking.ServerReflectionInfo(questions(), timeout=5):
            files = [
                descriptor_pb2.FileDescriptorProto.FromString(content)
                for content in answer.file_descriptor_response.file_descriptor_proto
            ]
            assert files, answer
            for file in sorted(files, key=lambda file: len(file.dependency)):
                await self._add(file, {f.name: f for f in files})
            break

    async def _add(self, file: descriptor_pb2.FileDescriptorProto, among: dict[str, Any]) -> None:
        if file.name in self._known:
            return
        self._known.add(file.name)
        for name in file.dependency:
            await self._add(among[name], among)
        self._pool.Add(file)

    async def send(self, name: str, contents: list[dict[str, Any]], answers: int) -> list[Any]:
        """Send messages to a method; the answers as JSON."""
        service, _, method = name.partition("/")
        await self.learn(service)
        described: MethodDescriptor = self._pool.FindServiceByName(service).methods_by_name[method]
        ask = message_factory.GetMessageClass(described.input_type)
        answer = message_factory.GetMessageClass(described.output_type)
        requests = [json_format.ParseDict(content, ask()) for content in contents]
        found = []
        if described.client_streaming:
            call = self._channel.stream_stream(
                f"/{name}", ask.SerializeToString, answer.FromString
            )()
            for request in requests:
                await call.write(request)
            for _ in range(answers):
                found.append(json_format.MessageToDict(await call.read()))
            self.kept = call  # the stream stays open
        else:
            call = self._channel.unary_unary(f"/{name}", ask.SerializeToString, answer.FromString)
            found.append(json_format.MessageToDict(await call(requests[0], timeout=5)))
        return found


async def _walk(there: Live) -> None:
    page = PAGE.read_text(encoding="utf-8")
    steps = [(name, _messages(_filled(text))) for name, text in BLOCK.findall(page)]
    assert [name.partition("/")[2] for name, _ in steps] == [
        *("Register", "Connect", "UploadEvents", "UploadDetectors", "ReportAlarms")
    ]
    session = there.city.by_name["north"]
    kept = []
    async with (
        there.channel(Kind.CONTROLLER, "north") as channel,
        there.channel(Kind.VIEWER, "anna") as asking,
    ):
        stranger = Stranger(channel, asking)
        for name, contents in steps:
            answers = await stranger.send(name, contents, 2 if name.endswith("Connect") else 1)
            kept.append(getattr(stranger, "kept", None))
            if name.endswith("Register"):
                assert answers[0]["leaseMs"] == 20_000
            elif name.endswith("Connect"):
                assert {next(iter(answer)) for answer in answers} == {"planPush", "heartbeatReply"}
                await until(lambda: session.stream is not None and session.stream.idle)
            elif name.endswith(("Events", "Detectors")):
                assert answers == [{"ackedSeq": "1"}]
        assert session.level == common_pb2.LEVEL_COORDINATED
        assert session.signals.stage_id == "main-stage"
        assert session.alarms["lamp-7"].active
        there.city.tick(BEGIN_MS / 1000)
        assert list(there.control.frames[-1].on) == [1]


def test_the_walk_through_of_the_page_works_as_it_is_printed() -> None:
    async def inside() -> None:
        async with running(reflection=True) as there:
            await _walk(there)

    asyncio.run(inside())
