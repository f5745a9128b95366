from ampelwerk.proto.v1 import common_pb2 as _common_pb2
from ampelwerk.proto.v1 import override_pb2 as _override_pb2
from ampelwerk.proto.v1 import plan_pb2 as _plan_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PushKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PUSH_KIND_UNSPECIFIED: _ClassVar[PushKind]
    PUSH_KIND_FULL: _ClassVar[PushKind]
    PUSH_KIND_HEARTBEAT: _ClassVar[PushKind]
    PUSH_KIND_NO_PLAN: _ClassVar[PushKind]
    PUSH_KIND_REVOKE: _ClassVar[PushKind]

class OverrideKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OVERRIDE_KIND_UNSPECIFIED: _ClassVar[OverrideKind]
    OVERRIDE_KIND_SET: _ClassVar[OverrideKind]
    OVERRIDE_KIND_RENEW: _ClassVar[OverrideKind]
    OVERRIDE_KIND_END: _ClassVar[OverrideKind]
PUSH_KIND_UNSPECIFIED: PushKind
PUSH_KIND_FULL: PushKind
PUSH_KIND_HEARTBEAT: PushKind
PUSH_KIND_NO_PLAN: PushKind
PUSH_KIND_REVOKE: PushKind
OVERRIDE_KIND_UNSPECIFIED: OverrideKind
OVERRIDE_KIND_SET: OverrideKind
OVERRIDE_KIND_RENEW: OverrideKind
OVERRIDE_KIND_END: OverrideKind

class RegisterRequest(_message.Message):
    __slots__ = ("intersection_id", "boot_id", "api_minor", "capabilities", "envelope_sha256", "ruleset_sha256", "held_epoch", "held_version", "clock")
    INTERSECTION_ID_FIELD_NUMBER: _ClassVar[int]
    BOOT_ID_FIELD_NUMBER: _ClassVar[int]
    API_MINOR_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    ENVELOPE_SHA256_FIELD_NUMBER: _ClassVar[int]
    RULESET_SHA256_FIELD_NUMBER: _ClassVar[int]
    HELD_EPOCH_FIELD_NUMBER: _ClassVar[int]
    HELD_VERSION_FIELD_NUMBER: _ClassVar[int]
    CLOCK_FIELD_NUMBER: _ClassVar[int]
    intersection_id: str
    boot_id: bytes
    api_minor: int
    capabilities: _containers.RepeatedScalarFieldContainer[str]
    envelope_sha256: bytes
    ruleset_sha256: bytes
    held_epoch: int
    held_version: int
    clock: _common_pb2.ClockStatus
    def __init__(self, intersection_id: _Optional[str] = ..., boot_id: _Optional[bytes] = ..., api_minor: _Optional[int] = ..., capabilities: _Optional[_Iterable[str]] = ..., envelope_sha256: _Optional[bytes] = ..., ruleset_sha256: _Optional[bytes] = ..., held_epoch: _Optional[int] = ..., held_version: _Optional[int] = ..., clock: _Optional[_Union[_common_pb2.ClockStatus, _Mapping]] = ...) -> None: ...

class RegisterReply(_message.Message):
    __slots__ = ("epoch", "api_minor", "heartbeat_ms", "lease_ms", "ack_timeout_ms", "no_plan_timer_ms", "reconnect_window_ms", "server_unix_ms")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    API_MINOR_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_MS_FIELD_NUMBER: _ClassVar[int]
    LEASE_MS_FIELD_NUMBER: _ClassVar[int]
    ACK_TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    NO_PLAN_TIMER_MS_FIELD_NUMBER: _ClassVar[int]
    RECONNECT_WINDOW_MS_FIELD_NUMBER: _ClassVar[int]
    SERVER_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    api_minor: int
    heartbeat_ms: int
    lease_ms: int
    ack_timeout_ms: int
    no_plan_timer_ms: int
    reconnect_window_ms: int
    server_unix_ms: int
    def __init__(self, epoch: _Optional[int] = ..., api_minor: _Optional[int] = ..., heartbeat_ms: _Optional[int] = ..., lease_ms: _Optional[int] = ..., ack_timeout_ms: _Optional[int] = ..., no_plan_timer_ms: _Optional[int] = ..., reconnect_window_ms: _Optional[int] = ..., server_unix_ms: _Optional[int] = ...) -> None: ...

class GetPlanRequest(_message.Message):
    __slots__ = ("intersection_id", "if_version", "if_published_version")
    INTERSECTION_ID_FIELD_NUMBER: _ClassVar[int]
    IF_VERSION_FIELD_NUMBER: _ClassVar[int]
    IF_PUBLISHED_VERSION_FIELD_NUMBER: _ClassVar[int]
    intersection_id: str
    if_version: int
    if_published_version: int
    def __init__(self, intersection_id: _Optional[str] = ..., if_version: _Optional[int] = ..., if_published_version: _Optional[int] = ...) -> None: ...

class GetPlanReply(_message.Message):
    __slots__ = ("epoch", "version", "signed_plan", "published_version", "published_plan")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SIGNED_PLAN_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_VERSION_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_PLAN_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    version: int
    signed_plan: _plan_pb2.SignedPlan
    published_version: int
    published_plan: _plan_pb2.SignedPlan
    def __init__(self, epoch: _Optional[int] = ..., version: _Optional[int] = ..., signed_plan: _Optional[_Union[_plan_pb2.SignedPlan, _Mapping]] = ..., published_version: _Optional[int] = ..., published_plan: _Optional[_Union[_plan_pb2.SignedPlan, _Mapping]] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("boot_id", "held_epoch", "held_version", "held_published_epoch", "held_published_version")
    BOOT_ID_FIELD_NUMBER: _ClassVar[int]
    HELD_EPOCH_FIELD_NUMBER: _ClassVar[int]
    HELD_VERSION_FIELD_NUMBER: _ClassVar[int]
    HELD_PUBLISHED_EPOCH_FIELD_NUMBER: _ClassVar[int]
    HELD_PUBLISHED_VERSION_FIELD_NUMBER: _ClassVar[int]
    boot_id: bytes
    held_epoch: int
    held_version: int
    held_published_epoch: int
    held_published_version: int
    def __init__(self, boot_id: _Optional[bytes] = ..., held_epoch: _Optional[int] = ..., held_version: _Optional[int] = ..., held_published_epoch: _Optional[int] = ..., held_published_version: _Optional[int] = ...) -> None: ...

class Heartbeat(_message.Message):
    __slots__ = ("seq", "sent_unix_ms", "sent_mono_ms", "mode", "level", "cause", "in_force_version", "override_ids", "clock", "published_version")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    SENT_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    SENT_MONO_MS_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    IN_FORCE_VERSION_FIELD_NUMBER: _ClassVar[int]
    OVERRIDE_IDS_FIELD_NUMBER: _ClassVar[int]
    CLOCK_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_VERSION_FIELD_NUMBER: _ClassVar[int]
    seq: int
    sent_unix_ms: int
    sent_mono_ms: int
    mode: _common_pb2.Mode
    level: _common_pb2.Level
    cause: str
    in_force_version: int
    override_ids: _containers.RepeatedScalarFieldContainer[str]
    clock: _common_pb2.ClockStatus
    published_version: int
    def __init__(self, seq: _Optional[int] = ..., sent_unix_ms: _Optional[int] = ..., sent_mono_ms: _Optional[int] = ..., mode: _Optional[_Union[_common_pb2.Mode, str]] = ..., level: _Optional[_Union[_common_pb2.Level, str]] = ..., cause: _Optional[str] = ..., in_force_version: _Optional[int] = ..., override_ids: _Optional[_Iterable[str]] = ..., clock: _Optional[_Union[_common_pb2.ClockStatus, _Mapping]] = ..., published_version: _Optional[int] = ...) -> None: ...

class PlanReport(_message.Message):
    __slots__ = ("nonce", "epoch", "version", "state", "cause", "findings", "at_unix_ms", "in_force_version", "published")
    NONCE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    AT_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    IN_FORCE_VERSION_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_FIELD_NUMBER: _ClassVar[int]
    nonce: int
    epoch: int
    version: int
    state: _plan_pb2.PlanState
    cause: str
    findings: _containers.RepeatedCompositeFieldContainer[_common_pb2.Finding]
    at_unix_ms: int
    in_force_version: int
    published: bool
    def __init__(self, nonce: _Optional[int] = ..., epoch: _Optional[int] = ..., version: _Optional[int] = ..., state: _Optional[_Union[_plan_pb2.PlanState, str]] = ..., cause: _Optional[str] = ..., findings: _Optional[_Iterable[_Union[_common_pb2.Finding, _Mapping]]] = ..., at_unix_ms: _Optional[int] = ..., in_force_version: _Optional[int] = ..., published: bool = ...) -> None: ...

class OverrideReport(_message.Message):
    __slots__ = ("nonce", "override_id", "state", "cause", "remaining_ms", "green_from_unix_ms", "green_ms")
    NONCE_FIELD_NUMBER: _ClassVar[int]
    OVERRIDE_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    REMAINING_MS_FIELD_NUMBER: _ClassVar[int]
    GREEN_FROM_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    GREEN_MS_FIELD_NUMBER: _ClassVar[int]
    nonce: int
    override_id: str
    state: _override_pb2.OverrideState
    cause: str
    remaining_ms: int
    green_from_unix_ms: int
    green_ms: int
    def __init__(self, nonce: _Optional[int] = ..., override_id: _Optional[str] = ..., state: _Optional[_Union[_override_pb2.OverrideState, str]] = ..., cause: _Optional[str] = ..., remaining_ms: _Optional[int] = ..., green_from_unix_ms: _Optional[int] = ..., green_ms: _Optional[int] = ...) -> None: ...

class ControllerMessage(_message.Message):
    __slots__ = ("hello", "heartbeat", "plan_report", "override_report")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    PLAN_REPORT_FIELD_NUMBER: _ClassVar[int]
    OVERRIDE_REPORT_FIELD_NUMBER: _ClassVar[int]
    hello: Hello
    heartbeat: Heartbeat
    plan_report: PlanReport
    override_report: OverrideReport
    def __init__(self, hello: _Optional[_Union[Hello, _Mapping]] = ..., heartbeat: _Optional[_Union[Heartbeat, _Mapping]] = ..., plan_report: _Optional[_Union[PlanReport, _Mapping]] = ..., override_report: _Optional[_Union[OverrideReport, _Mapping]] = ...) -> None: ...

class HeartbeatReply(_message.Message):
    __slots__ = ("seq", "received_unix_ms", "sent_unix_ms", "lease_ms", "epoch")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    SENT_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    LEASE_MS_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    seq: int
    received_unix_ms: int
    sent_unix_ms: int
    lease_ms: int
    epoch: int
    def __init__(self, seq: _Optional[int] = ..., received_unix_ms: _Optional[int] = ..., sent_unix_ms: _Optional[int] = ..., lease_ms: _Optional[int] = ..., epoch: _Optional[int] = ...) -> None: ...

class PlanPush(_message.Message):
    __slots__ = ("nonce", "kind", "epoch", "version", "signed_plan", "batch_id", "prepare_only", "published")
    NONCE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SIGNED_PLAN_FIELD_NUMBER: _ClassVar[int]
    BATCH_ID_FIELD_NUMBER: _ClassVar[int]
    PREPARE_ONLY_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_FIELD_NUMBER: _ClassVar[int]
    nonce: int
    kind: PushKind
    epoch: int
    version: int
    signed_plan: _plan_pb2.SignedPlan
    batch_id: str
    prepare_only: bool
    published: bool
    def __init__(self, nonce: _Optional[int] = ..., kind: _Optional[_Union[PushKind, str]] = ..., epoch: _Optional[int] = ..., version: _Optional[int] = ..., signed_plan: _Optional[_Union[_plan_pb2.SignedPlan, _Mapping]] = ..., batch_id: _Optional[str] = ..., prepare_only: bool = ..., published: bool = ...) -> None: ...

class Activate(_message.Message):
    __slots__ = ("nonce", "batch_id", "at_unix_ms", "abort")
    NONCE_FIELD_NUMBER: _ClassVar[int]
    BATCH_ID_FIELD_NUMBER: _ClassVar[int]
    AT_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    ABORT_FIELD_NUMBER: _ClassVar[int]
    nonce: int
    batch_id: str
    at_unix_ms: int
    abort: bool
    def __init__(self, nonce: _Optional[int] = ..., batch_id: _Optional[str] = ..., at_unix_ms: _Optional[int] = ..., abort: bool = ...) -> None: ...

class OverridePush(_message.Message):
    __slots__ = ("nonce", "override_id", "kind", "action", "ttl_ms", "priority", "delay_ms", "cause", "epoch")
    NONCE_FIELD_NUMBER: _ClassVar[int]
    OVERRIDE_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    TTL_MS_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    DELAY_MS_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    nonce: int
    override_id: str
    kind: OverrideKind
    action: _override_pb2.OverrideAction
    ttl_ms: int
    priority: int
    delay_ms: int
    cause: str
    epoch: int
    def __init__(self, nonce: _Optional[int] = ..., override_id: _Optional[str] = ..., kind: _Optional[_Union[OverrideKind, str]] = ..., action: _Optional[_Union[_override_pb2.OverrideAction, _Mapping]] = ..., ttl_ms: _Optional[int] = ..., priority: _Optional[int] = ..., delay_ms: _Optional[int] = ..., cause: _Optional[str] = ..., epoch: _Optional[int] = ...) -> None: ...

class Goodbye(_message.Message):
    __slots__ = ("reason", "retry_after_ms")
    REASON_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_MS_FIELD_NUMBER: _ClassVar[int]
    reason: str
    retry_after_ms: int
    def __init__(self, reason: _Optional[str] = ..., retry_after_ms: _Optional[int] = ...) -> None: ...

class ServerMessage(_message.Message):
    __slots__ = ("heartbeat_reply", "plan_push", "activate", "override_push", "goodbye")
    HEARTBEAT_REPLY_FIELD_NUMBER: _ClassVar[int]
    PLAN_PUSH_FIELD_NUMBER: _ClassVar[int]
    ACTIVATE_FIELD_NUMBER: _ClassVar[int]
    OVERRIDE_PUSH_FIELD_NUMBER: _ClassVar[int]
    GOODBYE_FIELD_NUMBER: _ClassVar[int]
    heartbeat_reply: HeartbeatReply
    plan_push: PlanPush
    activate: Activate
    override_push: OverridePush
    goodbye: Goodbye
    def __init__(self, heartbeat_reply: _Optional[_Union[HeartbeatReply, _Mapping]] = ..., plan_push: _Optional[_Union[PlanPush, _Mapping]] = ..., activate: _Optional[_Union[Activate, _Mapping]] = ..., override_push: _Optional[_Union[OverridePush, _Mapping]] = ..., goodbye: _Optional[_Union[Goodbye, _Mapping]] = ...) -> None: ...

class PriorityRequest(_message.Message):
    __slots__ = ("intersection_id", "idempotency_key", "group_id", "eta_unix_ms", "ttl_ms", "reason", "supersede")
    INTERSECTION_ID_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    ETA_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    TTL_MS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SUPERSEDE_FIELD_NUMBER: _ClassVar[int]
    intersection_id: str
    idempotency_key: bytes
    group_id: str
    eta_unix_ms: int
    ttl_ms: int
    reason: str
    supersede: bool
    def __init__(self, intersection_id: _Optional[str] = ..., idempotency_key: _Optional[bytes] = ..., group_id: _Optional[str] = ..., eta_unix_ms: _Optional[int] = ..., ttl_ms: _Optional[int] = ..., reason: _Optional[str] = ..., supersede: bool = ...) -> None: ...

class PriorityRelease(_message.Message):
    __slots__ = ("intersection_id", "idempotency_key", "override_id")
    INTERSECTION_ID_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    OVERRIDE_ID_FIELD_NUMBER: _ClassVar[int]
    intersection_id: str
    idempotency_key: bytes
    override_id: str
    def __init__(self, intersection_id: _Optional[str] = ..., idempotency_key: _Optional[bytes] = ..., override_id: _Optional[str] = ...) -> None: ...
