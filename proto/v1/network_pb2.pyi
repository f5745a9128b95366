from ampelwerk.proto.v1 import alarm_pb2 as _alarm_pb2
from ampelwerk.proto.v1 import common_pb2 as _common_pb2
from ampelwerk.proto.v1 import override_pb2 as _override_pb2
from ampelwerk.proto.v1 import plan_pb2 as _plan_pb2
from ampelwerk.proto.v1 import telemetry_pb2 as _telemetry_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ControllerState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONTROLLER_STATE_UNSPECIFIED: _ClassVar[ControllerState]
    CONTROLLER_STATE_UNKNOWN: _ClassVar[ControllerState]
    CONTROLLER_STATE_REGISTERED: _ClassVar[ControllerState]
    CONTROLLER_STATE_LEASED: _ClassVar[ControllerState]
    CONTROLLER_STATE_STALE: _ClassVar[ControllerState]
    CONTROLLER_STATE_LOST: _ClassVar[ControllerState]
CONTROLLER_STATE_UNSPECIFIED: ControllerState
CONTROLLER_STATE_UNKNOWN: ControllerState
CONTROLLER_STATE_REGISTERED: ControllerState
CONTROLLER_STATE_LEASED: ControllerState
CONTROLLER_STATE_STALE: ControllerState
CONTROLLER_STATE_LOST: ControllerState

class IntersectionStatus(_message.Message):
    __slots__ = ("intersection_id", "mode", "level", "cause", "clock", "signal_state", "plan_version", "override_ids", "open_alarms", "state", "published_version")
    INTERSECTION_ID_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    CLOCK_FIELD_NUMBER: _ClassVar[int]
    SIGNAL_STATE_FIELD_NUMBER: _ClassVar[int]
    PLAN_VERSION_FIELD_NUMBER: _ClassVar[int]
    OVERRIDE_IDS_FIELD_NUMBER: _ClassVar[int]
    OPEN_ALARMS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_VERSION_FIELD_NUMBER: _ClassVar[int]
    intersection_id: str
    mode: _common_pb2.Mode
    level: _common_pb2.Level
    cause: str
    clock: _common_pb2.ClockStatus
    signal_state: _telemetry_pb2.SignalState
    plan_version: int
    override_ids: _containers.RepeatedScalarFieldContainer[str]
    open_alarms: int
    state: ControllerState
    published_version: int
    def __init__(self, intersection_id: _Optional[str] = ..., mode: _Optional[_Union[_common_pb2.Mode, str]] = ..., level: _Optional[_Union[_common_pb2.Level, str]] = ..., cause: _Optional[str] = ..., clock: _Optional[_Union[_common_pb2.ClockStatus, _Mapping]] = ..., signal_state: _Optional[_Union[_telemetry_pb2.SignalState, _Mapping]] = ..., plan_version: _Optional[int] = ..., override_ids: _Optional[_Iterable[str]] = ..., open_alarms: _Optional[int] = ..., state: _Optional[_Union[ControllerState, str]] = ..., published_version: _Optional[int] = ...) -> None: ...

class GetNetworkRequest(_message.Message):
    __slots__ = ("intersection_ids",)
    INTERSECTION_IDS_FIELD_NUMBER: _ClassVar[int]
    intersection_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, intersection_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class GetNetworkReply(_message.Message):
    __slots__ = ("intersections", "server_unix_ms")
    INTERSECTIONS_FIELD_NUMBER: _ClassVar[int]
    SERVER_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    intersections: _containers.RepeatedCompositeFieldContainer[IntersectionStatus]
    server_unix_ms: int
    def __init__(self, intersections: _Optional[_Iterable[_Union[IntersectionStatus, _Mapping]]] = ..., server_unix_ms: _Optional[int] = ...) -> None: ...

class WatchNetworkRequest(_message.Message):
    __slots__ = ("intersection_ids", "after_cursor")
    INTERSECTION_IDS_FIELD_NUMBER: _ClassVar[int]
    AFTER_CURSOR_FIELD_NUMBER: _ClassVar[int]
    intersection_ids: _containers.RepeatedScalarFieldContainer[str]
    after_cursor: int
    def __init__(self, intersection_ids: _Optional[_Iterable[str]] = ..., after_cursor: _Optional[int] = ...) -> None: ...

class PlanEvent(_message.Message):
    __slots__ = ("intersection_id", "version", "state", "cause", "published")
    INTERSECTION_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_FIELD_NUMBER: _ClassVar[int]
    intersection_id: str
    version: int
    state: _plan_pb2.PlanState
    cause: str
    published: bool
    def __init__(self, intersection_id: _Optional[str] = ..., version: _Optional[int] = ..., state: _Optional[_Union[_plan_pb2.PlanState, str]] = ..., cause: _Optional[str] = ..., published: bool = ...) -> None: ...

class Snapshot(_message.Message):
    __slots__ = ("complete", "server_unix_ms")
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    SERVER_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    complete: bool
    server_unix_ms: int
    def __init__(self, complete: bool = ..., server_unix_ms: _Optional[int] = ...) -> None: ...

class NetworkEvent(_message.Message):
    __slots__ = ("cursor", "intersection", "override", "alarm", "plan", "snapshot")
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    INTERSECTION_FIELD_NUMBER: _ClassVar[int]
    OVERRIDE_FIELD_NUMBER: _ClassVar[int]
    ALARM_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    cursor: int
    intersection: IntersectionStatus
    override: _override_pb2.Override
    alarm: _alarm_pb2.Alarm
    plan: PlanEvent
    snapshot: Snapshot
    def __init__(self, cursor: _Optional[int] = ..., intersection: _Optional[_Union[IntersectionStatus, _Mapping]] = ..., override: _Optional[_Union[_override_pb2.Override, _Mapping]] = ..., alarm: _Optional[_Union[_alarm_pb2.Alarm, _Mapping]] = ..., plan: _Optional[_Union[PlanEvent, _Mapping]] = ..., snapshot: _Optional[_Union[Snapshot, _Mapping]] = ...) -> None: ...
