"""Every request and result of a stage: frozen dataclasses to and from JSON (docs/ml-contract.md).

Light on purpose: the web and the Celery worker import this and never torch.
"""

from mlservice.contract.codec import CONTRACT_VERSION, ContractError, from_json, read_json, to_json, write_json
from mlservice.contract.config import PROFILES, Segment, TrainingConfig, profile
from mlservice.contract.requests import (
    AcquireRequest,
    AcquireScan,
    EvaluateRequest,
    PlanRequest,
    PredictRequest,
    PreprocessRequest,
    ScanRef,
    TrainRequest,
)
from mlservice.contract.results import (
    AcquireResult,
    Choice,
    EvaluateResult,
    Failure,
    Gate,
    Interval,
    LossPoint,
    PlanResult,
    Prediction,
    PredictResult,
    PreprocessResult,
    Progress,
    Rule,
    ScanScore,
    SiteScore,
    Summary,
    TrainResult,
)

__all__ = [
    "CONTRACT_VERSION",
    "PROFILES",
    "AcquireRequest",
    "AcquireResult",
    "AcquireScan",
    "Choice",
    "ContractError",
    "EvaluateRequest",
    "EvaluateResult",
    "Failure",
    "Gate",
    "Interval",
    "LossPoint",
    "PlanRequest",
    "PlanResult",
    "PredictRequest",
    "PredictResult",
    "Prediction",
    "PreprocessRequest",
    "PreprocessResult",
    "Progress",
    "Rule",
    "ScanRef",
    "ScanScore",
    "Segment",
    "SiteScore",
    "Summary",
    "TrainRequest",
    "TrainResult",
    "TrainingConfig",
    "from_json",
    "profile",
    "read_json",
    "to_json",
    "write_json",
]
