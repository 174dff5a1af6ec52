"""HTTP for training runs and models."""

from typing import Any
from uuid import UUID

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.learning import deciding, services
from annotation.learning.models import ModelVersion, TrainingRun
from annotation.learning.selectors import count_ended_scans, visible_models, visible_runs
from annotation.learning.states import ModelState, RunState
from annotation.work.api import ReasonSerializer
from annotation.work.selectors import visible_campaigns
from voxloop.accounts.requests import Request, person_of
from voxloop.kernel.errors import NotFound


class RunSerializer(serializers.ModelSerializer[TrainingRun]):
    state = serializers.ChoiceField(RunState.choices)
    progress = serializers.IntegerField(source="job.progress", default=0)
    message = serializers.CharField(source="job.message", default="")
    model = serializers.SerializerMethodField()

    class Meta:
        model = TrainingRun
        fields = [
            "id",
            "campaign",
            "number",
            "state",
            "trigger",
            "profile",
            "seed",
            "manifest_hash",
            "progress",
            "message",
            "gate",
            "error",
            "model",
            "created_at",
            "started_at",
            "ended_at",
        ]

    def get_model(self, run: TrainingRun) -> str | None:
        found = ModelVersion.objects.filter(run=run).values_list("pk", flat=True).first()
        return str(found) if found else None


class RunDetailSerializer(RunSerializer):
    class Meta(RunSerializer.Meta):
        fields = [*RunSerializer.Meta.fields, "manifest", "curves", "results"]


class ModelSerializer(serializers.ModelSerializer[ModelVersion]):
    state = serializers.ChoiceField(ModelState.choices)
    learned_from_ended = serializers.SerializerMethodField()

    class Meta:
        model = ModelVersion
        fields = [
            "id",
            "campaign",
            "number",
            "state",
            "run",
            "metrics",
            "created_at",
            "promoted_at",
            "replaced_at",
            "learned_from_ended",
        ]

    def get_learned_from_ended(self, model: ModelVersion) -> dict[str, int]:
        """Scans it learned from that were withdrawn or erased since, by state."""
        return count_ended_scans(model)


class NewRunSerializer(serializers.Serializer[Any]):
    campaign = serializers.UUIDField()


class PromoteSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=500)


class RunListView(generics.ListAPIView[TrainingRun]):
    """Training runs the caller may see; a coordinator starts one."""

    permission_classes = [IsAuthenticated]
    serializer_class = RunSerializer
    queryset = TrainingRun.objects.none()
    filterset_fields = ["campaign", "state"]

    def get_queryset(self) -> Any:
        return visible_runs(person_of(self)).order_by("-created_at")

    @extend_schema(request=NewRunSerializer, responses={201: RunSerializer})
    def post(self, request: Request) -> Response:
        body = NewRunSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        campaign = visible_campaigns(request.user).filter(pk=body.validated_data["campaign"]).first()
        if campaign is None:
            raise NotFound
        run = services.request_training(campaign=campaign, actor=request.user)
        return Response(RunSerializer(run).data, status=201)


class RunView(generics.RetrieveAPIView[TrainingRun]):
    permission_classes = [IsAuthenticated]
    serializer_class = RunDetailSerializer
    queryset = TrainingRun.objects.none()

    def get_queryset(self) -> Any:
        return visible_runs(person_of(self))


class RunCancelView(APIView):
    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses=RunSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        return Response(RunSerializer(services.cancel_training(run_id=pk, actor=request.user)).data)


class ModelListView(generics.ListAPIView[ModelVersion]):
    """Model versions the caller may see."""

    permission_classes = [IsAuthenticated]
    serializer_class = ModelSerializer
    queryset = ModelVersion.objects.none()
    filterset_fields = ["campaign", "state"]

    def get_queryset(self) -> Any:
        return visible_models(person_of(self)).order_by("-created_at")


class ModelPromoteView(APIView):
    """Promote a version. A reason is needed unless it passed the gate."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=PromoteSerializer, responses=ModelSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        body = PromoteSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        model = deciding.promote_model(model_id=pk, actor=request.user, why=body.validated_data["reason"])
        return Response(ModelSerializer(model).data)


class ModelReasonView(APIView):
    """Turn down a version that waits for a decision (`reject`), or replace this champion by the version that served
    before it, which is the answer (`roll-back`)."""

    permission_classes = [IsAuthenticated]
    action = ""

    @extend_schema(request=ReasonSerializer, responses=ModelSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        body = ReasonSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        act = {"reject": deciding.reject_model, "roll-back": deciding.roll_back}[self.action]
        return Response(ModelSerializer(act(model_id=pk, actor=request.user, why=body.validated_data["reason"])).data)


urls = [
    path("training-runs/", RunListView.as_view(), name="training-runs"),
    path("training-runs/<uuid:pk>/", RunView.as_view(), name="training-run"),
    path("training-runs/<uuid:pk>/cancel", RunCancelView.as_view(), name="training-run-cancel"),
    path("models/", ModelListView.as_view(), name="models"),
    path("models/<uuid:pk>/promote", ModelPromoteView.as_view(), name="model-promote"),
    path("models/<uuid:pk>/reject", ModelReasonView.as_view(action="reject"), name="model-reject"),
    path("models/<uuid:pk>/roll-back", ModelReasonView.as_view(action="roll-back"), name="model-roll-back"),
]
