from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Severity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEVERITY_UNSPECIFIED: _ClassVar[Severity]
    SEVERITY_INFO: _ClassVar[Severity]
    SEVERITY_WARNING: _ClassVar[Severity]
    SEVERITY_ERROR: _ClassVar[Severity]

class ClockSource(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CLOCK_SOURCE_UNSPECIFIED: _ClassVar[ClockSource]
    CLOCK_SOURCE_NTP: _ClassVar[ClockSource]
    CLOCK_SOURCE_GNSS: _ClassVar[ClockSource]
    CLOCK_SOURCE_PTP: _ClassVar[ClockSource]
    CLOCK_SOURCE_RTC: _ClassVar[ClockSource]
    CLOCK_SOURCE_NONE: _ClassVar[ClockSource]
    CLOCK_SOURCE_INJECTED: _ClassVar[ClockSource]

class Level(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LEVEL_UNSPECIFIED: _ClassVar[Level]
    LEVEL_ADAPTIVE: _ClassVar[Level]
    LEVEL_COORDINATED: _ClassVar[Level]
    LEVEL_ISOLATED: _ClassVar[Level]
    LEVEL_FAILURE: _ClassVar[Level]

class Mode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MODE_UNSPECIFIED: _ClassVar[Mode]
    MODE_INIT: _ClassVar[Mode]
    MODE_START: _ClassVar[Mode]
    MODE_RUN: _ClassVar[Mode]
    MODE_CLEARING: _ClassVar[Mode]
    MODE_OFF: _ClassVar[Mode]
    MODE_FAILED: _ClassVar[Mode]

class Aspect(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ASPECT_UNSPECIFIED: _ClassVar[Aspect]
    ASPECT_RED: _ClassVar[Aspect]
    ASPECT_RED_AMBER: _ClassVar[Aspect]
    ASPECT_GREEN: _ClassVar[Aspect]
    ASPECT_AMBER: _ClassVar[Aspect]
SEVERITY_UNSPECIFIED: Severity
SEVERITY_INFO: Severity
SEVERITY_WARNING: Severity
SEVERITY_ERROR: Severity
CLOCK_SOURCE_UNSPECIFIED: ClockSource
CLOCK_SOURCE_NTP: ClockSource
CLOCK_SOURCE_GNSS: ClockSource
CLOCK_SOURCE_PTP: ClockSource
CLOCK_SOURCE_RTC: ClockSource
CLOCK_SOURCE_NONE: ClockSource
CLOCK_SOURCE_INJECTED: ClockSource
LEVEL_UNSPECIFIED: Level
LEVEL_ADAPTIVE: Level
LEVEL_COORDINATED: Level
LEVEL_ISOLATED: Level
LEVEL_FAILURE: Level
MODE_UNSPECIFIED: Mode
MODE_INIT: Mode
MODE_START: Mode
MODE_RUN: Mode
MODE_CLEARING: Mode
MODE_OFF: Mode
MODE_FAILED: Mode
ASPECT_UNSPECIFIED: Aspect
ASPECT_RED: Aspect
ASPECT_RED_AMBER: Aspect
ASPECT_GREEN: Aspect
ASPECT_AMBER: Aspect

class Finding(_message.Message):
    __slots__ = ("rule", "severity", "group_ids", "stage_ids", "at_ms", "limit", "found", "unit", "message", "remedy")
    RULE_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    GROUP_IDS_FIELD_NUMBER: _ClassVar[int]
    STAGE_IDS_FIELD_NUMBER: _ClassVar[int]
    AT_MS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    FOUND_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    REMEDY_FIELD_NUMBER: _ClassVar[int]
    rule: str
    severity: Severity
    group_ids: _containers.RepeatedScalarFieldContainer[str]
    stage_ids: _containers.RepeatedScalarFieldContainer[str]
    at_ms: int
    limit: float
    found: float
    unit: str
    message: str
    remedy: str
    def __init__(self, rule: _Optional[str] = ..., severity: _Optional[_Union[Severity, str]] = ..., group_ids: _Optional[_Iterable[str]] = ..., stage_ids: _Optional[_Iterable[str]] = ..., at_ms: _Optional[int] = ..., limit: _Optional[float] = ..., found: _Optional[float] = ..., unit: _Optional[str] = ..., message: _Optional[str] = ..., remedy: _Optional[str] = ...) -> None: ...

class ErrorDetail(_message.Message):
    __slots__ = ("code", "findings", "findings_total", "holder", "expires_unix_ms", "retry_after_ms", "incident_id")
    CODE_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_TOTAL_FIELD_NUMBER: _ClassVar[int]
    HOLDER_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_MS_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_ID_FIELD_NUMBER: _ClassVar[int]
    code: str
    findings: _containers.RepeatedCompositeFieldContainer[Finding]
    findings_total: int
    holder: str
    expires_unix_ms: int
    retry_after_ms: int
    incident_id: str
    def __init__(self, code: _Optional[str] = ..., findings: _Optional[_Iterable[_Union[Finding, _Mapping]]] = ..., findings_total: _Optional[int] = ..., holder: _Optional[str] = ..., expires_unix_ms: _Optional[int] = ..., retry_after_ms: _Optional[int] = ..., incident_id: _Optional[str] = ...) -> None: ...

class ClockStatus(_message.Message):
    __slots__ = ("source", "offset_ms", "error_ms", "last_sync_unix_ms", "stepped")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    OFFSET_MS_FIELD_NUMBER: _ClassVar[int]
    ERROR_MS_FIELD_NUMBER: _ClassVar[int]
    LAST_SYNC_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    STEPPED_FIELD_NUMBER: _ClassVar[int]
    source: ClockSource
    offset_ms: int
    error_ms: int
    last_sync_unix_ms: int
    stepped: bool
    def __init__(self, source: _Optional[_Union[ClockSource, str]] = ..., offset_ms: _Optional[int] = ..., error_ms: _Optional[int] = ..., last_sync_unix_ms: _Optional[int] = ..., stepped: bool = ...) -> None: ...
