from ampelwerk.proto.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OverrideState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OVERRIDE_STATE_UNSPECIFIED: _ClassVar[OverrideState]
    OVERRIDE_STATE_REFUSED: _ClassVar[OverrideState]
    OVERRIDE_STATE_AWAITING_APPROVAL: _ClassVar[OverrideState]
    OVERRIDE_STATE_GRANTED: _ClassVar[OverrideState]
    OVERRIDE_STATE_DELIVERED: _ClassVar[OverrideState]
    OVERRIDE_STATE_ACTIVE: _ClassVar[OverrideState]
    OVERRIDE_STATE_ENDING: _ClassVar[OverrideState]
    OVERRIDE_STATE_ENDED: _ClassVar[OverrideState]
OVERRIDE_STATE_UNSPECIFIED: OverrideState
OVERRIDE_STATE_REFUSED: OverrideState
OVERRIDE_STATE_AWAITING_APPROVAL: OverrideState
OVERRIDE_STATE_GRANTED: OverrideState
OVERRIDE_STATE_DELIVERED: OverrideState
OVERRIDE_STATE_ACTIVE: OverrideState
OVERRIDE_STATE_ENDING: OverrideState
OVERRIDE_STATE_ENDED: OverrideState

class OverrideAction(_message.Message):
    __slots__ = ("select_plan", "hold_stage", "force_stage", "fixed_time", "gating", "green_wave", "priority", "all_red", "flash", "dark")
    SELECT_PLAN_FIELD_NUMBER: _ClassVar[int]
    HOLD_STAGE_FIELD_NUMBER: _ClassVar[int]
    FORCE_STAGE_FIELD_NUMBER: _ClassVar[int]
    FIXED_TIME_FIELD_NUMBER: _ClassVar[int]
    GATING_FIELD_NUMBER: _ClassVar[int]
    GREEN_WAVE_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    ALL_RED_FIELD_NUMBER: _ClassVar[int]
    FLASH_FIELD_NUMBER: _ClassVar[int]
    DARK_FIELD_NUMBER: _ClassVar[int]
    select_plan: SelectPlan
    hold_stage: HoldStage
    force_stage: ForceStage
    fixed_time: FixedTime
    gating: Gating
    green_wave: GreenWave
    priority: Priority
    all_red: AllRed
    flash: Flash
    dark: Dark
    def __init__(self, select_plan: _Optional[_Union[SelectPlan, _Mapping]] = ..., hold_stage: _Optional[_Union[HoldStage, _Mapping]] = ..., force_stage: _Optional[_Union[ForceStage, _Mapping]] = ..., fixed_time: _Optional[_Union[FixedTime, _Mapping]] = ..., gating: _Optional[_Union[Gating, _Mapping]] = ..., green_wave: _Optional[_Union[GreenWave, _Mapping]] = ..., priority: _Optional[_Union[Priority, _Mapping]] = ..., all_red: _Optional[_Union[AllRed, _Mapping]] = ..., flash: _Optional[_Union[Flash, _Mapping]] = ..., dark: _Optional[_Union[Dark, _Mapping]] = ...) -> None: ...

class SelectPlan(_message.Message):
    __slots__ = ("plan_id",)
    PLAN_ID_FIELD_NUMBER: _ClassVar[int]
    plan_id: str
    def __init__(self, plan_id: _Optional[str] = ...) -> None: ...

class HoldStage(_message.Message):
    __slots__ = ("stage_id",)
    STAGE_ID_FIELD_NUMBER: _ClassVar[int]
    stage_id: str
    def __init__(self, stage_id: _Optional[str] = ...) -> None: ...

class ForceStage(_message.Message):
    __slots__ = ("stage_id",)
    STAGE_ID_FIELD_NUMBER: _ClassVar[int]
    stage_id: str
    def __init__(self, stage_id: _Optional[str] = ...) -> None: ...

class FixedTime(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Gating(_message.Message):
    __slots__ = ("group_id", "max_green_ms")
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    MAX_GREEN_MS_FIELD_NUMBER: _ClassVar[int]
    group_id: str
    max_green_ms: int
    def __init__(self, group_id: _Optional[str] = ..., max_green_ms: _Optional[int] = ...) -> None: ...

class GreenWave(_message.Message):
    __slots__ = ("route_id", "eta_unix_ms", "group_ids")
    ROUTE_ID_FIELD_NUMBER: _ClassVar[int]
    ETA_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    GROUP_IDS_FIELD_NUMBER: _ClassVar[int]
    route_id: str
    eta_unix_ms: _containers.RepeatedScalarFieldContainer[int]
    group_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, route_id: _Optional[str] = ..., eta_unix_ms: _Optional[_Iterable[int]] = ..., group_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class Priority(_message.Message):
    __slots__ = ("group_id", "eta_unix_ms", "lateness_s")
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    ETA_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    CLASS_FIELD_NUMBER: _ClassVar[int]
    LATENESS_S_FIELD_NUMBER: _ClassVar[int]
    group_id: str
    eta_unix_ms: int
    lateness_s: int
    def __init__(self, group_id: _Optional[str] = ..., eta_unix_ms: _Optional[int] = ..., lateness_s: _Optional[int] = ..., **kwargs) -> None: ...

class AllRed(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Flash(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Dark(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ExpectedVersion(_message.Message):
    __slots__ = ("intersection_id", "version")
    INTERSECTION_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    intersection_id: str
    version: int
    def __init__(self, intersection_id: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class OverrideRequest(_message.Message):
    __slots__ = ("idempotency_key", "intersection_ids", "route_id", "action", "ttl_ms", "not_before_unix_ms", "reason", "expected_version", "supersede", "preview_id")
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    INTERSECTION_IDS_FIELD_NUMBER: _ClassVar[int]
    ROUTE_ID_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    TTL_MS_FIELD_NUMBER: _ClassVar[int]
    NOT_BEFORE_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    SUPERSEDE_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_ID_FIELD_NUMBER: _ClassVar[int]
    idempotency_key: bytes
    intersection_ids: _containers.RepeatedScalarFieldContainer[str]
    route_id: str
    action: OverrideAction
    ttl_ms: int
    not_before_unix_ms: int
    reason: str
    expected_version: _containers.RepeatedCompositeFieldContainer[ExpectedVersion]
    supersede: bool
    preview_id: str
    def __init__(self, idempotency_key: _Optional[bytes] = ..., intersection_ids: _Optional[_Iterable[str]] = ..., route_id: _Optional[str] = ..., action: _Optional[_Union[OverrideAction, _Mapping]] = ..., ttl_ms: _Optional[int] = ..., not_before_unix_ms: _Optional[int] = ..., reason: _Optional[str] = ..., expected_version: _Optional[_Iterable[_Union[ExpectedVersion, _Mapping]]] = ..., supersede: bool = ..., preview_id: _Optional[str] = ...) -> None: ...

class IntersectionOverride(_message.Message):
    __slots__ = ("intersection_id", "state", "cause", "green_from_unix_ms", "green_ms")
    INTERSECTION_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    GREEN_FROM_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    GREEN_MS_FIELD_NUMBER: _ClassVar[int]
    intersection_id: str
    state: OverrideState
    cause: str
    green_from_unix_ms: int
    green_ms: int
    def __init__(self, intersection_id: _Optional[str] = ..., state: _Optional[_Union[OverrideState, str]] = ..., cause: _Optional[str] = ..., green_from_unix_ms: _Optional[int] = ..., green_ms: _Optional[int] = ...) -> None: ...

class Override(_message.Message):
    __slots__ = ("override_id", "state", "cause", "holder", "role", "priority", "effective_unix_ms", "expiry_unix_ms", "per_intersection", "audit_seq", "action", "reason")
    OVERRIDE_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    HOLDER_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    PER_INTERSECTION_FIELD_NUMBER: _ClassVar[int]
    AUDIT_SEQ_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    override_id: str
    state: OverrideState
    cause: str
    holder: str
    role: str
    priority: int
    effective_unix_ms: int
    expiry_unix_ms: int
    per_intersection: _containers.RepeatedCompositeFieldContainer[IntersectionOverride]
    audit_seq: int
    action: OverrideAction
    reason: str
    def __init__(self, override_id: _Optional[str] = ..., state: _Optional[_Union[OverrideState, str]] = ..., cause: _Optional[str] = ..., holder: _Optional[str] = ..., role: _Optional[str] = ..., priority: _Optional[int] = ..., effective_unix_ms: _Optional[int] = ..., expiry_unix_ms: _Optional[int] = ..., per_intersection: _Optional[_Iterable[_Union[IntersectionOverride, _Mapping]]] = ..., audit_seq: _Optional[int] = ..., action: _Optional[_Union[OverrideAction, _Mapping]] = ..., reason: _Optional[str] = ...) -> None: ...

class ApproachDelay(_message.Message):
    __slots__ = ("intersection_id", "approach_id", "delay_change_veh_s", "max_red_ms")
    INTERSECTION_ID_FIELD_NUMBER: _ClassVar[int]
    APPROACH_ID_FIELD_NUMBER: _ClassVar[int]
    DELAY_CHANGE_VEH_S_FIELD_NUMBER: _ClassVar[int]
    MAX_RED_MS_FIELD_NUMBER: _ClassVar[int]
    intersection_id: str
    approach_id: str
    delay_change_veh_s: float
    max_red_ms: int
    def __init__(self, intersection_id: _Optional[str] = ..., approach_id: _Optional[str] = ..., delay_change_veh_s: _Optional[float] = ..., max_red_ms: _Optional[int] = ...) -> None: ...

class OverridePreview(_message.Message):
    __slots__ = ("preview_id", "findings", "holders", "approaches", "horizon_ms", "valid_until_unix_ms")
    PREVIEW_ID_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    HOLDERS_FIELD_NUMBER: _ClassVar[int]
    APPROACHES_FIELD_NUMBER: _ClassVar[int]
    HORIZON_MS_FIELD_NUMBER: _ClassVar[int]
    VALID_UNTIL_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    preview_id: str
    findings: _containers.RepeatedCompositeFieldContainer[_common_pb2.Finding]
    holders: _containers.RepeatedCompositeFieldContainer[Override]
    approaches: _containers.RepeatedCompositeFieldContainer[ApproachDelay]
    horizon_ms: int
    valid_until_unix_ms: int
    def __init__(self, preview_id: _Optional[str] = ..., findings: _Optional[_Iterable[_Union[_common_pb2.Finding, _Mapping]]] = ..., holders: _Optional[_Iterable[_Union[Override, _Mapping]]] = ..., approaches: _Optional[_Iterable[_Union[ApproachDelay, _Mapping]]] = ..., horizon_ms: _Optional[int] = ..., valid_until_unix_ms: _Optional[int] = ...) -> None: ...

class RenewRequest(_message.Message):
    __slots__ = ("override_id", "ttl_ms", "reason", "idempotency_key")
    OVERRIDE_ID_FIELD_NUMBER: _ClassVar[int]
    TTL_MS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    override_id: str
    ttl_ms: int
    reason: str
    idempotency_key: bytes
    def __init__(self, override_id: _Optional[str] = ..., ttl_ms: _Optional[int] = ..., reason: _Optional[str] = ..., idempotency_key: _Optional[bytes] = ...) -> None: ...

class ReleaseRequest(_message.Message):
    __slots__ = ("override_id", "reason", "idempotency_key")
    OVERRIDE_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    override_id: str
    reason: str
    idempotency_key: bytes
    def __init__(self, override_id: _Optional[str] = ..., reason: _Optional[str] = ..., idempotency_key: _Optional[bytes] = ...) -> None: ...

class ApproveRequest(_message.Message):
    __slots__ = ("override_id", "reason", "idempotency_key")
    OVERRIDE_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    override_id: str
    reason: str
    idempotency_key: bytes
    def __init__(self, override_id: _Optional[str] = ..., reason: _Optional[str] = ..., idempotency_key: _Optional[bytes] = ...) -> None: ...

class ListOverridesRequest(_message.Message):
    __slots__ = ("intersection_id", "with_ended")
    INTERSECTION_ID_FIELD_NUMBER: _ClassVar[int]
    WITH_ENDED_FIELD_NUMBER: _ClassVar[int]
    intersection_id: str
    with_ended: bool
    def __init__(self, intersection_id: _Optional[str] = ..., with_ended: bool = ...) -> None: ...

class ListOverridesReply(_message.Message):
    __slots__ = ("overrides",)
    OVERRIDES_FIELD_NUMBER: _ClassVar[int]
    overrides: _containers.RepeatedCompositeFieldContainer[Override]
    def __init__(self, overrides: _Optional[_Iterable[_Union[Override, _Mapping]]] = ...) -> None: ...
