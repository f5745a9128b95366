from ampelwerk.proto.v1 import alarm_pb2 as _alarm_pb2
from ampelwerk.proto.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Quality(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    QUALITY_UNSPECIFIED: _ClassVar[Quality]
    QUALITY_GOOD: _ClassVar[Quality]
    QUALITY_SUSPECT: _ClassVar[Quality]
    QUALITY_FAILED: _ClassVar[Quality]
    QUALITY_SUBSTITUTED: _ClassVar[Quality]
QUALITY_UNSPECIFIED: Quality
QUALITY_GOOD: Quality
QUALITY_SUSPECT: Quality
QUALITY_FAILED: Quality
QUALITY_SUBSTITUTED: Quality

class DetectorSample(_message.Message):
    __slots__ = ("detector_id", "count", "occupied_ms", "speed_mps", "class_counts", "quality", "fault_code")
    DETECTOR_ID_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    OCCUPIED_MS_FIELD_NUMBER: _ClassVar[int]
    SPEED_MPS_FIELD_NUMBER: _ClassVar[int]
    CLASS_COUNTS_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    FAULT_CODE_FIELD_NUMBER: _ClassVar[int]
    detector_id: str
    count: int
    occupied_ms: int
    speed_mps: float
    class_counts: _containers.RepeatedScalarFieldContainer[int]
    quality: Quality
    fault_code: str
    def __init__(self, detector_id: _Optional[str] = ..., count: _Optional[int] = ..., occupied_ms: _Optional[int] = ..., speed_mps: _Optional[float] = ..., class_counts: _Optional[_Iterable[int]] = ..., quality: _Optional[_Union[Quality, str]] = ..., fault_code: _Optional[str] = ...) -> None: ...

class DetectorEdge(_message.Message):
    __slots__ = ("detector_id", "at_unix_s", "on")
    DETECTOR_ID_FIELD_NUMBER: _ClassVar[int]
    AT_UNIX_S_FIELD_NUMBER: _ClassVar[int]
    ON_FIELD_NUMBER: _ClassVar[int]
    detector_id: str
    at_unix_s: float
    on: bool
    def __init__(self, detector_id: _Optional[str] = ..., at_unix_s: _Optional[float] = ..., on: bool = ...) -> None: ...

class DetectorBatch(_message.Message):
    __slots__ = ("boot_id", "seq", "from_unix_ms", "interval_ms", "replayed", "samples", "edges")
    BOOT_ID_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    FROM_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_MS_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    EDGES_FIELD_NUMBER: _ClassVar[int]
    boot_id: bytes
    seq: int
    from_unix_ms: int
    interval_ms: int
    replayed: bool
    samples: _containers.RepeatedCompositeFieldContainer[DetectorSample]
    edges: _containers.RepeatedCompositeFieldContainer[DetectorEdge]
    def __init__(self, boot_id: _Optional[bytes] = ..., seq: _Optional[int] = ..., from_unix_ms: _Optional[int] = ..., interval_ms: _Optional[int] = ..., replayed: bool = ..., samples: _Optional[_Iterable[_Union[DetectorSample, _Mapping]]] = ..., edges: _Optional[_Iterable[_Union[DetectorEdge, _Mapping]]] = ...) -> None: ...

class HiResEvent(_message.Message):
    __slots__ = ("at_unix_ms", "code", "parameter")
    AT_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    PARAMETER_FIELD_NUMBER: _ClassVar[int]
    at_unix_ms: int
    code: int
    parameter: int
    def __init__(self, at_unix_ms: _Optional[int] = ..., code: _Optional[int] = ..., parameter: _Optional[int] = ...) -> None: ...

class GroupState(_message.Message):
    __slots__ = ("group_id", "aspect", "since_unix_ms", "cause", "min_end_unix_ms", "max_end_unix_ms", "likely_end_unix_ms", "confidence")
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    ASPECT_FIELD_NUMBER: _ClassVar[int]
    SINCE_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    MIN_END_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    MAX_END_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    LIKELY_END_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    group_id: str
    aspect: _common_pb2.Aspect
    since_unix_ms: int
    cause: str
    min_end_unix_ms: int
    max_end_unix_ms: int
    likely_end_unix_ms: int
    confidence: float
    def __init__(self, group_id: _Optional[str] = ..., aspect: _Optional[_Union[_common_pb2.Aspect, str]] = ..., since_unix_ms: _Optional[int] = ..., cause: _Optional[str] = ..., min_end_unix_ms: _Optional[int] = ..., max_end_unix_ms: _Optional[int] = ..., likely_end_unix_ms: _Optional[int] = ..., confidence: _Optional[float] = ...) -> None: ...

class SignalState(_message.Message):
    __slots__ = ("stage_id", "cycle_ms", "plan_version", "groups", "stage_since_unix_ms", "next_stage_from_unix_ms")
    STAGE_ID_FIELD_NUMBER: _ClassVar[int]
    CYCLE_MS_FIELD_NUMBER: _ClassVar[int]
    PLAN_VERSION_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    STAGE_SINCE_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    NEXT_STAGE_FROM_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    stage_id: str
    cycle_ms: int
    plan_version: int
    groups: _containers.RepeatedCompositeFieldContainer[GroupState]
    stage_since_unix_ms: int
    next_stage_from_unix_ms: int
    def __init__(self, stage_id: _Optional[str] = ..., cycle_ms: _Optional[int] = ..., plan_version: _Optional[int] = ..., groups: _Optional[_Iterable[_Union[GroupState, _Mapping]]] = ..., stage_since_unix_ms: _Optional[int] = ..., next_stage_from_unix_ms: _Optional[int] = ...) -> None: ...

class EventBatch(_message.Message):
    __slots__ = ("boot_id", "seq", "hires", "state")
    BOOT_ID_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    HIRES_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    boot_id: bytes
    seq: int
    hires: _containers.RepeatedCompositeFieldContainer[HiResEvent]
    state: SignalState
    def __init__(self, boot_id: _Optional[bytes] = ..., seq: _Optional[int] = ..., hires: _Optional[_Iterable[_Union[HiResEvent, _Mapping]]] = ..., state: _Optional[_Union[SignalState, _Mapping]] = ...) -> None: ...

class RejectedBatch(_message.Message):
    __slots__ = ("seq", "rule")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    seq: int
    rule: str
    def __init__(self, seq: _Optional[int] = ..., rule: _Optional[str] = ...) -> None: ...

class UploadAck(_message.Message):
    __slots__ = ("acked_seq", "missing", "rejected", "throttle_ms")
    ACKED_SEQ_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    THROTTLE_MS_FIELD_NUMBER: _ClassVar[int]
    acked_seq: int
    missing: _containers.RepeatedScalarFieldContainer[int]
    rejected: _containers.RepeatedCompositeFieldContainer[RejectedBatch]
    throttle_ms: int
    def __init__(self, acked_seq: _Optional[int] = ..., missing: _Optional[_Iterable[int]] = ..., rejected: _Optional[_Iterable[_Union[RejectedBatch, _Mapping]]] = ..., throttle_ms: _Optional[int] = ...) -> None: ...

class ReportAlarmsRequest(_message.Message):
    __slots__ = ("alarms", "complete")
    ALARMS_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    alarms: _containers.RepeatedCompositeFieldContainer[_alarm_pb2.Alarm]
    complete: bool
    def __init__(self, alarms: _Optional[_Iterable[_Union[_alarm_pb2.Alarm, _Mapping]]] = ..., complete: bool = ...) -> None: ...

class ReportAlarmsReply(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
