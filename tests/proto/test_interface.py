"""The generated code is current, and v1 only ever grows."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "proto/v1").glob("*.proto"))
RELEASED = ROOT / "proto/v1/released.binpb"
"""The interface as it was released; only `make proto-release` writes it."""
Facts = dict[str, str]


def _facts_of_message(message: DescriptorProto, path: str) -> Iterator[tuple[str, str]]:
    yield path, "message"
    for field in message.field:
        kind = FieldDescriptorProto.Type.Name(field.type)
        label = FieldDescriptorProto.Label.Name(field.label)
        choice = message.oneof_decl[field.oneof_index].name if field.HasField("oneof_index") else ""
        yield f"{path}/{field.number}", f"{field.name} {kind} {field.type_name} {label} {choice}"
    for nested in message.nested_type:
        yield from _facts_of_message(nested, f"{path}.{nested.name}")
    for enum in message.enum_type:
        yield from _facts_of_enum(enum, f"{path}.{enum.name}")


def _facts_of_enum(enum: EnumDescriptorProto, path: str) -> Iterator[tuple[str, str]]:
    for value in enum.value:
        yield f"{path}/{value.number}", value.name


def facts(files: list[FileDescriptorProto]) -> Facts:
    """Everything a peer relies on: place in the interface -> what is there."""
    found: Facts = {}
    for file in files:
        for message in file.message_type:
            found.update(_facts_of_message(message, f"{file.package}.{message.name}"))
        for enum in file.enum_type:
            found.update(_facts_of_enum(enum, f"{file.package}.{enum.name}"))
        for service in file.service:
            for method in service.method:
                found[f"{file.package}.{service.name}/{method.name}"] = (
                    f"{method.input_type} {method.client_streaming} "
                    f"{method.output_type} {method.server_streaming}"
                )
    return found


def breaks(before: Facts, now: Facts) -> list[str]:
    """What a peer of the released interface would no longer find."""
    return [f"{place}: {what}" for place, what in before.items() if now.get(place) != what]


def _present() -> list[FileDescriptorProto]:
    files = []
    for source in SOURCES:
        module = import_module(f"ampelwerk.proto.v1.{source.stem}_pb2")
        file = FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        files.append(file)
    return files


def _released() -> list[FileDescriptorProto]:
    return list(FileDescriptorSet.FromString(RELEASED.read_bytes()).file)


def test_generated_code_is_current(tmp_path: Path) -> None:
    subprocess.run(
        [
            *[sys.executable, "-m", "grpc_tools.protoc", "-Iampelwerk/proto=proto"],
            *[f"--{kind}_out={tmp_path}" for kind in ("python", "pyi", "grpc_python")],
            *[f"ampelwerk/proto/v1/{source.name}" for source in SOURCES],
        ],
        cwd=ROOT,
        check=True,
    )
    made = tmp_path / "ampelwerk/proto/v1"
    names = {path.name for path in made.iterdir()}
    assert names == {path.name for path in (ROOT / "proto/v1").glob("*_pb2*.py*")}
    stale = [n for n in names if (made / n).read_bytes() != (ROOT / "proto/v1" / n).read_bytes()]
    assert not stale, "run `make proto`"


def test_nothing_released_was_changed_or_removed() -> None:
    assert breaks(facts(_released()), facts(_present())) == []


@pytest.mark.parametrize("change", ["number", "name", "type", "method", "enum", "oneof"])
def test_a_break_is_noticed(change: str) -> None:
    files = _released()
    plan = next(file for file in files if file.name.endswith("plan.proto"))
    message = next(m for m in plan.message_type if m.name == "Plan")
    if change == "number":
        message.field[0].number = 99
    elif change == "name":
        message.field[0].name = "site"
    elif change == "type":
        message.field[1].type = FieldDescriptorProto.TYPE_UINT32
    elif change == "method":
        del plan.service[0].method[0]
    elif change == "enum":
        plan.enum_type[0].value[1].name = "TRANSITION_WAIT"
    else:
        field = next(field for field in message.field if field.HasField("oneof_index"))
        field.ClearField("oneof_index")
    assert breaks(facts(_released()), facts(files))


def test_every_field_of_time_and_length_names_its_unit() -> None:
    units = ("_ms", "_s", "_mps", "_veh_s")
    for file in _present():
        for message in file.message_type:
            for field in message.field:
                if field.name.startswith(("occupied", "interval", "cycle", "offset", "lateness")):
                    assert field.name.endswith(units), f"{message.name}.{field.name}"


def test_zero_of_every_enum_is_unspecified() -> None:
    for file in _present():
        for enum in file.enum_type:
            assert enum.value[0].number == 0
            assert enum.value[0].name.endswith("_UNSPECIFIED")
