from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class AuditRecord(_message.Message):
    __slots__ = ("seq", "prev_sha256", "at_unix_ms", "mono_ms", "actor", "role", "method", "target", "request_sha256", "key", "reason", "result")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    PREV_SHA256_FIELD_NUMBER: _ClassVar[int]
    AT_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    MONO_MS_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    REQUEST_SHA256_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    seq: int
    prev_sha256: bytes
    at_unix_ms: int
    mono_ms: int
    actor: str
    role: str
    method: str
    target: str
    request_sha256: bytes
    key: bytes
    reason: str
    result: str
    def __init__(self, seq: _Optional[int] = ..., prev_sha256: _Optional[bytes] = ..., at_unix_ms: _Optional[int] = ..., mono_ms: _Optional[int] = ..., actor: _Optional[str] = ..., role: _Optional[str] = ..., method: _Optional[str] = ..., target: _Optional[str] = ..., request_sha256: _Optional[bytes] = ..., key: _Optional[bytes] = ..., reason: _Optional[str] = ..., result: _Optional[str] = ...) -> None: ...

class AuditEntry(_message.Message):
    __slots__ = ("record", "sha256")
    RECORD_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    record: bytes
    sha256: bytes
    def __init__(self, record: _Optional[bytes] = ..., sha256: _Optional[bytes] = ...) -> None: ...

class QueryAuditRequest(_message.Message):
    __slots__ = ("from_seq", "to_seq", "actor", "target", "kind")
    FROM_SEQ_FIELD_NUMBER: _ClassVar[int]
    TO_SEQ_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    from_seq: int
    to_seq: int
    actor: str
    target: str
    kind: str
    def __init__(self, from_seq: _Optional[int] = ..., to_seq: _Optional[int] = ..., actor: _Optional[str] = ..., target: _Optional[str] = ..., kind: _Optional[str] = ...) -> None: ...

class GetCheckpointRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Checkpoint(_message.Message):
    __slots__ = ("seq", "sha256", "signature", "key_id", "at_unix_ms")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    AT_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    seq: int
    sha256: bytes
    signature: bytes
    key_id: bytes
    at_unix_ms: int
    def __init__(self, seq: _Optional[int] = ..., sha256: _Optional[bytes] = ..., signature: _Optional[bytes] = ..., key_id: _Optional[bytes] = ..., at_unix_ms: _Optional[int] = ...) -> None: ...
