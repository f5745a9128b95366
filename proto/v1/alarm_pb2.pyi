from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AlarmSeverity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ALARM_SEVERITY_UNSPECIFIED: _ClassVar[AlarmSeverity]
    ALARM_SEVERITY_MINOR: _ClassVar[AlarmSeverity]
    ALARM_SEVERITY_MAJOR: _ClassVar[AlarmSeverity]
ALARM_SEVERITY_UNSPECIFIED: AlarmSeverity
ALARM_SEVERITY_MINOR: AlarmSeverity
ALARM_SEVERITY_MAJOR: AlarmSeverity

class Alarm(_message.Message):
    __slots__ = ("alarm_id", "code", "severity", "component", "active", "raised_unix_ms", "cleared_unix_ms", "acked_by", "text", "intersection_id")
    ALARM_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    COMPONENT_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    RAISED_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    CLEARED_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    ACKED_BY_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    INTERSECTION_ID_FIELD_NUMBER: _ClassVar[int]
    alarm_id: str
    code: str
    severity: AlarmSeverity
    component: str
    active: bool
    raised_unix_ms: int
    cleared_unix_ms: int
    acked_by: str
    text: str
    intersection_id: str
    def __init__(self, alarm_id: _Optional[str] = ..., code: _Optional[str] = ..., severity: _Optional[_Union[AlarmSeverity, str]] = ..., component: _Optional[str] = ..., active: bool = ..., raised_unix_ms: _Optional[int] = ..., cleared_unix_ms: _Optional[int] = ..., acked_by: _Optional[str] = ..., text: _Optional[str] = ..., intersection_id: _Optional[str] = ...) -> None: ...

class ListAlarmsRequest(_message.Message):
    __slots__ = ("intersection_id", "with_inactive")
    INTERSECTION_ID_FIELD_NUMBER: _ClassVar[int]
    WITH_INACTIVE_FIELD_NUMBER: _ClassVar[int]
    intersection_id: str
    with_inactive: bool
    def __init__(self, intersection_id: _Optional[str] = ..., with_inactive: bool = ...) -> None: ...

class ListAlarmsReply(_message.Message):
    __slots__ = ("alarms",)
    ALARMS_FIELD_NUMBER: _ClassVar[int]
    alarms: _containers.RepeatedCompositeFieldContainer[Alarm]
    def __init__(self, alarms: _Optional[_Iterable[_Union[Alarm, _Mapping]]] = ...) -> None: ...

class AcknowledgeAlarmRequest(_message.Message):
    __slots__ = ("intersection_id", "alarm_id")
    INTERSECTION_ID_FIELD_NUMBER: _ClassVar[int]
    ALARM_ID_FIELD_NUMBER: _ClassVar[int]
    intersection_id: str
    alarm_id: str
    def __init__(self, intersection_id: _Optional[str] = ..., alarm_id: _Optional[str] = ...) -> None: ...

class AcknowledgeAlarmReply(_message.Message):
    __slots__ = ("alarm",)
    ALARM_FIELD_NUMBER: _ClassVar[int]
    alarm: Alarm
    def __init__(self, alarm: _Optional[_Union[Alarm, _Mapping]] = ...) -> None: ...
