"""Every request and result of a stage: frozen documents to and from JSON (docs/ml-contract.md).

Must not import torch: the web and the Celery worker import this."""

from mlservice.contract.config import Segment, TrainingConfig
from mlservice.contract.policy import GatePolicy
from mlservice.contract.profiles import profile, profile_names, read_profile
from mlservice.contract.requests import (
    AcquireRequest,
    AcquireScan,
    EvaluateRequest,
    PlanRequest,
    PredictRequest,
    ScanRef,
    TrainRequest,
)
from mlservice.contract.results import (
    AcquireResult,
    Case,
    Change,
    Choice,
    EvaluateResult,
    Gate,
    Lesion,
    LossPoint,
    Outcome,
    PlanResult,
    Prediction,
    PredictResult,
    Rule,
    ScanScore,
    SiteChange,
    SiteScore,
    SizeScore,
    Summary,
    TrainResult,
    Verdict,
)

__all__ = [
    "AcquireRequest",
    "AcquireResult",
    "AcquireScan",
    "Case",
    "Change",
    "Choice",
    "EvaluateRequest",
    "EvaluateResult",
    "Gate",
    "GatePolicy",
    "Lesion",
    "LossPoint",
    "Outcome",
    "PlanRequest",
    "PlanResult",
    "PredictRequest",
    "PredictResult",
    "Prediction",
    "Rule",
    "ScanRef",
    "ScanScore",
    "Segment",
    "SiteChange",
    "SiteScore",
    "SizeScore",
    "Summary",
    "TrainRequest",
    "TrainResult",
    "TrainingConfig",
    "Verdict",
    "profile",
    "profile_names",
    "read_profile",
]
