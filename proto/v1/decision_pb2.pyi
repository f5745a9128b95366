from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ExplainRequest(_message.Message):
    __slots__ = ("intersection_id", "decision_id", "at_unix_ms")
    INTERSECTION_ID_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    AT_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    intersection_id: str
    decision_id: str
    at_unix_ms: int
    def __init__(self, intersection_id: _Optional[str] = ..., decision_id: _Optional[str] = ..., at_unix_ms: _Optional[int] = ...) -> None: ...

class CostTerm(_message.Message):
    __slots__ = ("name", "weight", "value", "unit")
    NAME_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    name: str
    weight: float
    value: float
    unit: str
    def __init__(self, name: _Optional[str] = ..., weight: _Optional[float] = ..., value: _Optional[float] = ..., unit: _Optional[str] = ...) -> None: ...

class Binding(_message.Message):
    __slots__ = ("rule", "group_id", "slack_ms")
    RULE_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    SLACK_MS_FIELD_NUMBER: _ClassVar[int]
    rule: str
    group_id: str
    slack_ms: int
    def __init__(self, rule: _Optional[str] = ..., group_id: _Optional[str] = ..., slack_ms: _Optional[int] = ...) -> None: ...

class DecisionInputs(_message.Message):
    __slots__ = ("detector_seq_from", "detector_seq_to", "state_sha256", "substituted")
    DETECTOR_SEQ_FROM_FIELD_NUMBER: _ClassVar[int]
    DETECTOR_SEQ_TO_FIELD_NUMBER: _ClassVar[int]
    STATE_SHA256_FIELD_NUMBER: _ClassVar[int]
    SUBSTITUTED_FIELD_NUMBER: _ClassVar[int]
    detector_seq_from: int
    detector_seq_to: int
    state_sha256: bytes
    substituted: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, detector_seq_from: _Optional[int] = ..., detector_seq_to: _Optional[int] = ..., state_sha256: _Optional[bytes] = ..., substituted: _Optional[_Iterable[str]] = ...) -> None: ...

class ServedGroup(_message.Message):
    __slots__ = ("group_id", "serves", "comes_from", "turns")
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    SERVES_FIELD_NUMBER: _ClassVar[int]
    COMES_FROM_FIELD_NUMBER: _ClassVar[int]
    TURNS_FIELD_NUMBER: _ClassVar[int]
    group_id: str
    serves: str
    comes_from: _containers.RepeatedScalarFieldContainer[str]
    turns: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, group_id: _Optional[str] = ..., serves: _Optional[str] = ..., comes_from: _Optional[_Iterable[str]] = ..., turns: _Optional[_Iterable[str]] = ...) -> None: ...

class DecisionStage(_message.Message):
    __slots__ = ("stage_id", "green", "permissive", "since_unix_ms")
    STAGE_ID_FIELD_NUMBER: _ClassVar[int]
    GREEN_FIELD_NUMBER: _ClassVar[int]
    PERMISSIVE_FIELD_NUMBER: _ClassVar[int]
    SINCE_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    stage_id: str
    green: _containers.RepeatedCompositeFieldContainer[ServedGroup]
    permissive: _containers.RepeatedScalarFieldContainer[str]
    since_unix_ms: int
    def __init__(self, stage_id: _Optional[str] = ..., green: _Optional[_Iterable[_Union[ServedGroup, _Mapping]]] = ..., permissive: _Optional[_Iterable[str]] = ..., since_unix_ms: _Optional[int] = ...) -> None: ...

class Decision(_message.Message):
    __slots__ = ("decision_id", "intersection_id", "at_unix_ms", "algorithm", "parameters_sha256", "chosen", "alternatives", "cost_terms", "margin", "binding", "inputs", "reason", "before", "stage", "next_best", "next_stage_id", "next_unix_ms")
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    INTERSECTION_ID_FIELD_NUMBER: _ClassVar[int]
    AT_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_SHA256_FIELD_NUMBER: _ClassVar[int]
    CHOSEN_FIELD_NUMBER: _ClassVar[int]
    ALTERNATIVES_FIELD_NUMBER: _ClassVar[int]
    COST_TERMS_FIELD_NUMBER: _ClassVar[int]
    MARGIN_FIELD_NUMBER: _ClassVar[int]
    BINDING_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    NEXT_BEST_FIELD_NUMBER: _ClassVar[int]
    NEXT_STAGE_ID_FIELD_NUMBER: _ClassVar[int]
    NEXT_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    intersection_id: str
    at_unix_ms: int
    algorithm: str
    parameters_sha256: bytes
    chosen: str
    alternatives: _containers.RepeatedScalarFieldContainer[str]
    cost_terms: _containers.RepeatedCompositeFieldContainer[CostTerm]
    margin: float
    binding: _containers.RepeatedCompositeFieldContainer[Binding]
    inputs: DecisionInputs
    reason: str
    before: DecisionStage
    stage: DecisionStage
    next_best: DecisionStage
    next_stage_id: str
    next_unix_ms: int
    def __init__(self, decision_id: _Optional[str] = ..., intersection_id: _Optional[str] = ..., at_unix_ms: _Optional[int] = ..., algorithm: _Optional[str] = ..., parameters_sha256: _Optional[bytes] = ..., chosen: _Optional[str] = ..., alternatives: _Optional[_Iterable[str]] = ..., cost_terms: _Optional[_Iterable[_Union[CostTerm, _Mapping]]] = ..., margin: _Optional[float] = ..., binding: _Optional[_Iterable[_Union[Binding, _Mapping]]] = ..., inputs: _Optional[_Union[DecisionInputs, _Mapping]] = ..., reason: _Optional[str] = ..., before: _Optional[_Union[DecisionStage, _Mapping]] = ..., stage: _Optional[_Union[DecisionStage, _Mapping]] = ..., next_best: _Optional[_Union[DecisionStage, _Mapping]] = ..., next_stage_id: _Optional[str] = ..., next_unix_ms: _Optional[int] = ...) -> None: ...
