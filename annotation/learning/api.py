"""HTTP for training runs and models."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse, StreamingHttpResponse
from django.urls import path, reverse
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.learning import deciding, services
from annotation.learning.bringing import bring_model
from annotation.learning.models import ModelVersion, TrainingRun
from annotation.learning.packing import find_model, request_packing, serve_model
from annotation.learning.selectors import count_ended_scans, visible_models, visible_runs
from annotation.learning.states import ModelState, RunState
from annotation.work.api import ReasonSerializer
from annotation.work.selectors import visible_campaigns
from voxloop.accounts.requests import Request, person_of
from voxloop.jobs.api import JobSerializer
from voxloop.kernel.errors import NotFound
from voxloop.storage.serving import OctetRenderer, served_as


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


class PortableSerializer(serializers.Serializer[Any]):
    """The zip of a model's folder. `onnx_difference` is the largest difference of a probability between ONNX and torch;
    null for a model that came as ONNX."""

    bytes = serializers.IntegerField()
    files = serializers.IntegerField()
    onnx_difference = serializers.FloatField(allow_null=True)
    made_at = serializers.DateTimeField()


class ModelSerializer(serializers.ModelSerializer[ModelVersion]):
    """`portable` and `download` once the model was packed."""

    state = serializers.ChoiceField(ModelState.choices)
    learned_from_ended = serializers.SerializerMethodField()
    portable = PortableSerializer(allow_null=True)
    download = serializers.SerializerMethodField()

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
            "portable",
            "download",
        ]

    def get_download(self, model: ModelVersion) -> str | None:
        return reverse("api:model-download", args=[model.pk]) if model.portable_key else None

    def get_learned_from_ended(self, model: ModelVersion) -> dict[str, int]:
        """Scans it learned from that were withdrawn or erased since, by state."""
        return count_ended_scans(model)


class NewRunSerializer(serializers.Serializer[Any]):
    campaign = serializers.UUIDField()


class BringSerializer(serializers.Serializer[Any]):
    file = serializers.FileField(allow_empty_file=True, help_text="a zip, as docs/ml-contract.md says")
    campaign = serializers.SlugField(help_text="slug of the campaign")


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


class ModelBringView(APIView):
    """A model that was made elsewhere, as a zip. The run checks and measures it; it is never promoted by itself."""

    permission_classes = [IsAuthenticated]
    parser_classes = [MultiPartParser]

    @extend_schema(request=BringSerializer, responses={202: RunSerializer})
    def post(self, request: Request) -> Response:
        body = BringSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        campaign = visible_campaigns(request.user).filter(slug=body.validated_data["campaign"]).first()
        if campaign is None:
            raise NotFound
        run = bring_model(campaign=campaign, actor=request.user, upload=body.validated_data["file"])
        return Response(RunSerializer(run).data, status=202)


class ModelPackView(APIView):
    """Pack a version as a folder that predicts without the platform; returns the job."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses={202: JobSerializer})
    def post(self, request: Request, pk: UUID) -> Response:
        return Response(JobSerializer(request_packing(model_id=pk, actor=request.user)).data, status=202)


class ModelDownloadView(APIView):
    """The zip of a packed version, whole or one byte range."""

    permission_classes = [IsAuthenticated]
    renderer_classes = [JSONRenderer, OctetRenderer]

    @extend_schema(responses={**served_as("application/zip")})
    def get(self, request: Request, pk: UUID) -> HttpResponse | StreamingHttpResponse:
        return serve_model(request, find_model(pk, request.user), request.user)


urls = [
    path("training-runs/", RunListView.as_view(), name="training-runs"),
    path("training-runs/<uuid:pk>/", RunView.as_view(), name="training-run"),
    path("training-runs/<uuid:pk>/cancel", RunCancelView.as_view(), name="training-run-cancel"),
    path("models/", ModelListView.as_view(), name="models"),
    path("models/bring", ModelBringView.as_view(), name="model-bring"),
    path("models/<uuid:pk>/pack", ModelPackView.as_view(), name="model-pack"),
    path("models/<uuid:pk>/download", ModelDownloadView.as_view(), name="model-download"),
    path("models/<uuid:pk>/promote", ModelPromoteView.as_view(), name="model-promote"),
    path("models/<uuid:pk>/reject", ModelReasonView.as_view(action="reject"), name="model-reject"),
    path("models/<uuid:pk>/roll-back", ModelReasonView.as_view(action="roll-back"), name="model-roll-back"),
]
