from ampelwerk.proto.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Transition(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRANSITION_UNSPECIFIED: _ClassVar[Transition]
    TRANSITION_DWELL: _ClassVar[Transition]
    TRANSITION_SHORTWAY: _ClassVar[Transition]
    TRANSITION_ADD_ONLY: _ClassVar[Transition]

class Activation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACTIVATION_UNSPECIFIED: _ClassVar[Activation]
    ACTIVATION_CYCLE_START: _ClassVar[Activation]
    ACTIVATION_NEXT_STAGE: _ClassVar[Activation]
    ACTIVATION_AT: _ClassVar[Activation]

class PlanState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PLAN_STATE_UNSPECIFIED: _ClassVar[PlanState]
    PLAN_STATE_DRAFT: _ClassVar[PlanState]
    PLAN_STATE_VERIFIED: _ClassVar[PlanState]
    PLAN_STATE_PUBLISHED: _ClassVar[PlanState]
    PLAN_STATE_PUSHED: _ClassVar[PlanState]
    PLAN_STATE_ACCEPTED: _ClassVar[PlanState]
    PLAN_STATE_APPLIED: _ClassVar[PlanState]
    PLAN_STATE_SUPERSEDED: _ClassVar[PlanState]
    PLAN_STATE_EXPIRED: _ClassVar[PlanState]
    PLAN_STATE_REVERTED: _ClassVar[PlanState]
    PLAN_STATE_REJECTED: _ClassVar[PlanState]
    PLAN_STATE_QUARANTINED: _ClassVar[PlanState]
TRANSITION_UNSPECIFIED: Transition
TRANSITION_DWELL: Transition
TRANSITION_SHORTWAY: Transition
TRANSITION_ADD_ONLY: Transition
ACTIVATION_UNSPECIFIED: Activation
ACTIVATION_CYCLE_START: Activation
ACTIVATION_NEXT_STAGE: Activation
ACTIVATION_AT: Activation
PLAN_STATE_UNSPECIFIED: PlanState
PLAN_STATE_DRAFT: PlanState
PLAN_STATE_VERIFIED: PlanState
PLAN_STATE_PUBLISHED: PlanState
PLAN_STATE_PUSHED: PlanState
PLAN_STATE_ACCEPTED: PlanState
PLAN_STATE_APPLIED: PlanState
PLAN_STATE_SUPERSEDED: PlanState
PLAN_STATE_EXPIRED: PlanState
PLAN_STATE_REVERTED: PlanState
PLAN_STATE_REJECTED: PlanState
PLAN_STATE_QUARANTINED: PlanState

class SignedPlan(_message.Message):
    __slots__ = ("plan", "sha256", "signature", "key_id", "certificate")
    PLAN_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    plan: bytes
    sha256: bytes
    signature: bytes
    key_id: bytes
    certificate: bytes
    def __init__(self, plan: _Optional[bytes] = ..., sha256: _Optional[bytes] = ..., signature: _Optional[bytes] = ..., key_id: _Optional[bytes] = ..., certificate: _Optional[bytes] = ...) -> None: ...

class Plan(_message.Message):
    __slots__ = ("intersection_id", "epoch", "version", "envelope_sha256", "ruleset_sha256", "not_before_unix_ms", "not_after_unix_ms", "decision_id", "cyclic", "rolling", "calendar", "activation")
    INTERSECTION_ID_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ENVELOPE_SHA256_FIELD_NUMBER: _ClassVar[int]
    RULESET_SHA256_FIELD_NUMBER: _ClassVar[int]
    NOT_BEFORE_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    NOT_AFTER_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    CYCLIC_FIELD_NUMBER: _ClassVar[int]
    ROLLING_FIELD_NUMBER: _ClassVar[int]
    CALENDAR_FIELD_NUMBER: _ClassVar[int]
    ACTIVATION_FIELD_NUMBER: _ClassVar[int]
    intersection_id: str
    epoch: int
    version: int
    envelope_sha256: bytes
    ruleset_sha256: bytes
    not_before_unix_ms: int
    not_after_unix_ms: int
    decision_id: str
    cyclic: CyclicPlan
    rolling: RollingSchedule
    calendar: Calendar
    activation: Activation
    def __init__(self, intersection_id: _Optional[str] = ..., epoch: _Optional[int] = ..., version: _Optional[int] = ..., envelope_sha256: _Optional[bytes] = ..., ruleset_sha256: _Optional[bytes] = ..., not_before_unix_ms: _Optional[int] = ..., not_after_unix_ms: _Optional[int] = ..., decision_id: _Optional[str] = ..., cyclic: _Optional[_Union[CyclicPlan, _Mapping]] = ..., rolling: _Optional[_Union[RollingSchedule, _Mapping]] = ..., calendar: _Optional[_Union[Calendar, _Mapping]] = ..., activation: _Optional[_Union[Activation, str]] = ...) -> None: ...

class CyclicPlan(_message.Message):
    __slots__ = ("plan_id", "cycle_ms", "offset_ms", "reference_stage_id", "stages", "transition", "max_change_ms")
    PLAN_ID_FIELD_NUMBER: _ClassVar[int]
    CYCLE_MS_FIELD_NUMBER: _ClassVar[int]
    OFFSET_MS_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_STAGE_ID_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    TRANSITION_FIELD_NUMBER: _ClassVar[int]
    MAX_CHANGE_MS_FIELD_NUMBER: _ClassVar[int]
    plan_id: str
    cycle_ms: int
    offset_ms: int
    reference_stage_id: str
    stages: _containers.RepeatedCompositeFieldContainer[CyclicStage]
    transition: Transition
    max_change_ms: int
    def __init__(self, plan_id: _Optional[str] = ..., cycle_ms: _Optional[int] = ..., offset_ms: _Optional[int] = ..., reference_stage_id: _Optional[str] = ..., stages: _Optional[_Iterable[_Union[CyclicStage, _Mapping]]] = ..., transition: _Optional[_Union[Transition, str]] = ..., max_change_ms: _Optional[int] = ...) -> None: ...

class CyclicStage(_message.Message):
    __slots__ = ("stage_id", "start_ms", "split_ms", "group_ids")
    STAGE_ID_FIELD_NUMBER: _ClassVar[int]
    START_MS_FIELD_NUMBER: _ClassVar[int]
    SPLIT_MS_FIELD_NUMBER: _ClassVar[int]
    GROUP_IDS_FIELD_NUMBER: _ClassVar[int]
    stage_id: str
    start_ms: int
    split_ms: int
    group_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, stage_id: _Optional[str] = ..., start_ms: _Optional[int] = ..., split_ms: _Optional[int] = ..., group_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class RollingSchedule(_message.Message):
    __slots__ = ("decided_unix_ms", "valid_until_unix_ms", "entries", "hold_greens")
    DECIDED_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    VALID_UNTIL_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    HOLD_GREENS_FIELD_NUMBER: _ClassVar[int]
    decided_unix_ms: int
    valid_until_unix_ms: int
    entries: _containers.RepeatedCompositeFieldContainer[ScheduleEntry]
    hold_greens: bool
    def __init__(self, decided_unix_ms: _Optional[int] = ..., valid_until_unix_ms: _Optional[int] = ..., entries: _Optional[_Iterable[_Union[ScheduleEntry, _Mapping]]] = ..., hold_greens: bool = ...) -> None: ...

class ScheduleEntry(_message.Message):
    __slots__ = ("stage_id", "earliest_start_unix_ms", "latest_start_unix_ms", "duration_ms", "min_duration_ms", "max_duration_ms", "committed")
    STAGE_ID_FIELD_NUMBER: _ClassVar[int]
    EARLIEST_START_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    LATEST_START_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    DURATION_MS_FIELD_NUMBER: _ClassVar[int]
    MIN_DURATION_MS_FIELD_NUMBER: _ClassVar[int]
    MAX_DURATION_MS_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_FIELD_NUMBER: _ClassVar[int]
    stage_id: str
    earliest_start_unix_ms: int
    latest_start_unix_ms: int
    duration_ms: int
    min_duration_ms: int
    max_duration_ms: int
    committed: bool
    def __init__(self, stage_id: _Optional[str] = ..., earliest_start_unix_ms: _Optional[int] = ..., latest_start_unix_ms: _Optional[int] = ..., duration_ms: _Optional[int] = ..., min_duration_ms: _Optional[int] = ..., max_duration_ms: _Optional[int] = ..., committed: bool = ...) -> None: ...

class Calendar(_message.Message):
    __slots__ = ("timezone", "days", "tables", "plans")
    TIMEZONE_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    TABLES_FIELD_NUMBER: _ClassVar[int]
    PLANS_FIELD_NUMBER: _ClassVar[int]
    timezone: str
    days: _containers.RepeatedCompositeFieldContainer[CalendarDay]
    tables: _containers.RepeatedCompositeFieldContainer[DayTable]
    plans: _containers.RepeatedCompositeFieldContainer[CyclicPlan]
    def __init__(self, timezone: _Optional[str] = ..., days: _Optional[_Iterable[_Union[CalendarDay, _Mapping]]] = ..., tables: _Optional[_Iterable[_Union[DayTable, _Mapping]]] = ..., plans: _Optional[_Iterable[_Union[CyclicPlan, _Mapping]]] = ...) -> None: ...

class CalendarDay(_message.Message):
    __slots__ = ("date_from", "date_to", "weekday_mask", "special_dates", "priority", "table_id")
    DATE_FROM_FIELD_NUMBER: _ClassVar[int]
    DATE_TO_FIELD_NUMBER: _ClassVar[int]
    WEEKDAY_MASK_FIELD_NUMBER: _ClassVar[int]
    SPECIAL_DATES_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    TABLE_ID_FIELD_NUMBER: _ClassVar[int]
    date_from: int
    date_to: int
    weekday_mask: int
    special_dates: _containers.RepeatedScalarFieldContainer[int]
    priority: int
    table_id: str
    def __init__(self, date_from: _Optional[int] = ..., date_to: _Optional[int] = ..., weekday_mask: _Optional[int] = ..., special_dates: _Optional[_Iterable[int]] = ..., priority: _Optional[int] = ..., table_id: _Optional[str] = ...) -> None: ...

class DayTable(_message.Message):
    __slots__ = ("table_id", "switches")
    TABLE_ID_FIELD_NUMBER: _ClassVar[int]
    SWITCHES_FIELD_NUMBER: _ClassVar[int]
    table_id: str
    switches: _containers.RepeatedCompositeFieldContainer[DaySwitch]
    def __init__(self, table_id: _Optional[str] = ..., switches: _Optional[_Iterable[_Union[DaySwitch, _Mapping]]] = ...) -> None: ...

class DaySwitch(_message.Message):
    __slots__ = ("local_time_s", "plan_id", "isolated", "off")
    LOCAL_TIME_S_FIELD_NUMBER: _ClassVar[int]
    PLAN_ID_FIELD_NUMBER: _ClassVar[int]
    ISOLATED_FIELD_NUMBER: _ClassVar[int]
    OFF_FIELD_NUMBER: _ClassVar[int]
    local_time_s: int
    plan_id: str
    isolated: bool
    off: bool
    def __init__(self, local_time_s: _Optional[int] = ..., plan_id: _Optional[str] = ..., isolated: bool = ..., off: bool = ...) -> None: ...

class PublishRequest(_message.Message):
    __slots__ = ("idempotency_key", "plan", "expected_version", "activation", "at_unix_ms", "batch_id", "reason")
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    ACTIVATION_FIELD_NUMBER: _ClassVar[int]
    AT_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    BATCH_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    idempotency_key: bytes
    plan: Plan
    expected_version: int
    activation: Activation
    at_unix_ms: int
    batch_id: str
    reason: str
    def __init__(self, idempotency_key: _Optional[bytes] = ..., plan: _Optional[_Union[Plan, _Mapping]] = ..., expected_version: _Optional[int] = ..., activation: _Optional[_Union[Activation, str]] = ..., at_unix_ms: _Optional[int] = ..., batch_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class PublishReply(_message.Message):
    __slots__ = ("version", "state", "findings", "audit_seq")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    AUDIT_SEQ_FIELD_NUMBER: _ClassVar[int]
    version: int
    state: PlanState
    findings: _containers.RepeatedCompositeFieldContainer[_common_pb2.Finding]
    audit_seq: int
    def __init__(self, version: _Optional[int] = ..., state: _Optional[_Union[PlanState, str]] = ..., findings: _Optional[_Iterable[_Union[_common_pb2.Finding, _Mapping]]] = ..., audit_seq: _Optional[int] = ...) -> None: ...

class PlanOfBatch(_message.Message):
    __slots__ = ("plan", "expected_version")
    PLAN_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    plan: Plan
    expected_version: int
    def __init__(self, plan: _Optional[_Union[Plan, _Mapping]] = ..., expected_version: _Optional[int] = ...) -> None: ...

class PublishTogetherRequest(_message.Message):
    __slots__ = ("idempotency_key", "plans", "activation", "at_unix_ms", "reason")
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    PLANS_FIELD_NUMBER: _ClassVar[int]
    ACTIVATION_FIELD_NUMBER: _ClassVar[int]
    AT_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    idempotency_key: bytes
    plans: _containers.RepeatedCompositeFieldContainer[PlanOfBatch]
    activation: Activation
    at_unix_ms: int
    reason: str
    def __init__(self, idempotency_key: _Optional[bytes] = ..., plans: _Optional[_Iterable[_Union[PlanOfBatch, _Mapping]]] = ..., activation: _Optional[_Union[Activation, str]] = ..., at_unix_ms: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class PublishTogetherReply(_message.Message):
    __slots__ = ("batch_id", "plans")
    BATCH_ID_FIELD_NUMBER: _ClassVar[int]
    PLANS_FIELD_NUMBER: _ClassVar[int]
    batch_id: str
    plans: _containers.RepeatedCompositeFieldContainer[PublishReply]
    def __init__(self, batch_id: _Optional[str] = ..., plans: _Optional[_Iterable[_Union[PublishReply, _Mapping]]] = ...) -> None: ...

class VerifyRequest(_message.Message):
    __slots__ = ("plan",)
    PLAN_FIELD_NUMBER: _ClassVar[int]
    plan: Plan
    def __init__(self, plan: _Optional[_Union[Plan, _Mapping]] = ...) -> None: ...

class VerifyReply(_message.Message):
    __slots__ = ("findings",)
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    findings: _containers.RepeatedCompositeFieldContainer[_common_pb2.Finding]
    def __init__(self, findings: _Optional[_Iterable[_Union[_common_pb2.Finding, _Mapping]]] = ...) -> None: ...

class RollbackRequest(_message.Message):
    __slots__ = ("intersection_id", "to_version", "expected_version", "reason", "idempotency_key")
    INTERSECTION_ID_FIELD_NUMBER: _ClassVar[int]
    TO_VERSION_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    intersection_id: str
    to_version: int
    expected_version: int
    reason: str
    idempotency_key: bytes
    def __init__(self, intersection_id: _Optional[str] = ..., to_version: _Optional[int] = ..., expected_version: _Optional[int] = ..., reason: _Optional[str] = ..., idempotency_key: _Optional[bytes] = ...) -> None: ...

class ListPlansRequest(_message.Message):
    __slots__ = ("intersection_id",)
    INTERSECTION_ID_FIELD_NUMBER: _ClassVar[int]
    intersection_id: str
    def __init__(self, intersection_id: _Optional[str] = ...) -> None: ...

class ListPlansReply(_message.Message):
    __slots__ = ("plans",)
    PLANS_FIELD_NUMBER: _ClassVar[int]
    plans: _containers.RepeatedCompositeFieldContainer[PlanVersion]
    def __init__(self, plans: _Optional[_Iterable[_Union[PlanVersion, _Mapping]]] = ...) -> None: ...

class PlanVersion(_message.Message):
    __slots__ = ("intersection_id", "version", "state", "plan_id", "author", "published_unix_ms", "cause")
    INTERSECTION_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PLAN_ID_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    intersection_id: str
    version: int
    state: PlanState
    plan_id: str
    author: str
    published_unix_ms: int
    cause: str
    def __init__(self, intersection_id: _Optional[str] = ..., version: _Optional[int] = ..., state: _Optional[_Union[PlanState, str]] = ..., plan_id: _Optional[str] = ..., author: _Optional[str] = ..., published_unix_ms: _Optional[int] = ..., cause: _Optional[str] = ...) -> None: ...

class GetStoredPlanRequest(_message.Message):
    __slots__ = ("intersection_id", "version")
    INTERSECTION_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    intersection_id: str
    version: int
    def __init__(self, intersection_id: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class GetStoredPlanReply(_message.Message):
    __slots__ = ("signed_plan", "plan")
    SIGNED_PLAN_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    signed_plan: SignedPlan
    plan: PlanVersion
    def __init__(self, signed_plan: _Optional[_Union[SignedPlan, _Mapping]] = ..., plan: _Optional[_Union[PlanVersion, _Mapping]] = ...) -> None: ...
