"""HTTP for campaigns, batches and assignments."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.work import batches, services
from annotation.work.models import Assignment, Batch, Campaign
from annotation.work.permissions import roles_of
from annotation.work.selectors import visible_assignments, visible_batches, visible_campaigns
from voxloop.accounts.models import User
from voxloop.accounts.sessions import note_activity
from voxloop.kernel.errors import NotFound


class CampaignSerializer(serializers.ModelSerializer[Campaign]):
    my_roles = serializers.SerializerMethodField()

    class Meta:
        model = Campaign
        fields = ["id", "name", "slug", "batch_size", "is_paused", "retrain_after", "promotes_by_itself", "my_roles"]

    def get_my_roles(self, campaign: Campaign) -> list[str]:
        return sorted(roles_of(self.context["request"].user, campaign))


class BatchSerializer(serializers.ModelSerializer[Batch]):
    assignee = serializers.CharField(source="assignee.username", allow_null=True, default=None)
    scans = serializers.SerializerMethodField()

    class Meta:
        model = Batch
        fields = [
            "id",
            "campaign",
            "number",
            "name",
            "state",
            "assignee",
            "due_on",
            "chosen_by",
            "scans",
            "created_at",
            "published_at",
        ]

    def get_scans(self, batch: Batch) -> int:
        return batch.assignments.filter(stage=Assignment.Stage.ANNOTATION).exclude(state="reclaimed").count()


class NewBatchSerializer(serializers.Serializer[Any]):
    campaign = serializers.UUIDField()
    size = serializers.IntegerField(required=False, allow_null=True, default=None)
    choose = serializers.ChoiceField(["order", "random", "score", "hand"], default="order")
    scans = serializers.ListField(child=serializers.UUIDField(), required=False, default=None, allow_null=True)
    assignee = serializers.CharField(required=False, allow_null=True, default=None)
    due_on = serializers.DateField(required=False, allow_null=True, default=None)
    publish = serializers.BooleanField(default=False)


class AssignBatchSerializer(serializers.Serializer[Any]):
    assignee = serializers.CharField(allow_null=True)


class AssignmentSerializer(serializers.ModelSerializer[Assignment]):
    scan = serializers.CharField(source="scan.code")
    scan_id = serializers.UUIDField()
    site = serializers.CharField(source="scan.site.code")
    batch_name = serializers.CharField(source="batch.name")
    person = serializers.CharField(source="person.username", allow_null=True, default=None)
    view = serializers.SerializerMethodField()

    class Meta:
        model = Assignment
        fields = [
            "id",
            "campaign",
            "batch",
            "batch_name",
            "scan",
            "scan_id",
            "site",
            "stage",
            "state",
            "reason",
            "round",
            "position",
            "person",
            "starts_from",
            "lease_until",
            "active_seconds",
            "opened_at",
            "submitted_at",
            "view",
        ]

    def get_view(self, assignment: Assignment) -> str:
        return f"/view/{assignment.pk}/"


class ReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500)


class BeatSerializer(serializers.Serializer[Any]):
    active_seconds = serializers.IntegerField(min_value=0, max_value=3600)


class CampaignListView(generics.ListAPIView[Campaign]):
    """Campaigns the caller takes part in."""

    permission_classes = [IsAuthenticated]
    serializer_class = CampaignSerializer
    queryset = Campaign.objects.none()

    def get_queryset(self) -> Any:
        return visible_campaigns(self.request.user).order_by("name")


class BatchListView(generics.ListAPIView[Batch]):
    """Batches the caller may see; a coordinator makes new ones."""

    permission_classes = [IsAuthenticated]
    serializer_class = BatchSerializer
    queryset = Batch.objects.none()
    filterset_fields = ["campaign", "state"]

    def get_queryset(self) -> Any:
        return visible_batches(self.request.user).select_related("assignee").order_by("-number")

    @extend_schema(request=NewBatchSerializer, responses={201: BatchSerializer})
    def post(self, request: Request) -> Response:
        body = NewBatchSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data
        campaign = visible_campaigns(request.user).filter(pk=wanted["campaign"]).first()
        if campaign is None:
            raise NotFound("There is no such campaign, or you may not see it.")
        batch = batches.create_batch(
            campaign=campaign,
            actor=request.user,
            size=wanted["size"],
            chosen_by=wanted["choose"],
            assignee=_person(wanted["assignee"]),
            due_on=wanted["due_on"],
            scan_ids=wanted["scans"],
        )
        if wanted["publish"]:
            batch = batches.publish_batch(batch_id=batch.pk, actor=request.user)
        return Response(BatchSerializer(batch).data, status=201)


class BatchActionView(APIView):
    """Publish, close, cancel or assign a batch."""

    permission_classes = [IsAuthenticated]
    action = ""

    @extend_schema(request=None, responses=BatchSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        act = {"publish": batches.publish_batch, "close": batches.close_batch, "cancel": batches.cancel_batch}
        return Response(BatchSerializer(act[self.action](batch_id=pk, actor=request.user)).data)


class BatchAssignView(APIView):
    """Give a batch to a person, or to the pool (`null`)."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=AssignBatchSerializer, responses=BatchSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        body = AssignBatchSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        batch = batches.assign_batch(batch_id=pk, person=_person(body.validated_data["assignee"]), actor=request.user)
        return Response(BatchSerializer(batch).data)


def _person(username: str | None) -> User | None:
    if username is None:
        return None
    person = User.objects.filter(username=username, is_active=True).first()
    if person is None:
        raise NotFound("There is no person of that name.")
    return person


class AssignmentListView(generics.ListAPIView[Assignment]):
    """Assignments the caller may see."""

    permission_classes = [IsAuthenticated]
    serializer_class = AssignmentSerializer
    queryset = Assignment.objects.none()
    filterset_fields = ["state", "stage", "batch", "campaign"]

    def get_queryset(self) -> Any:
        return visible_assignments(self.request.user).order_by("batch__number", "position")


class AssignmentReasonView(APIView):
    """Skip or block, with a reason."""

    permission_classes = [IsAuthenticated]
    action = ""

    @extend_schema(request=ReasonSerializer, responses=AssignmentSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        body = ReasonSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        act = {"skip": services.skip_assignment, "block": services.block_assignment}[self.action]
        done = act(assignment_id=pk, actor=request.user, reason=body.validated_data["reason"])
        return Response(AssignmentSerializer(done).data)


class AssignmentReclaimView(APIView):
    """Take a scan back from a person (coordinator)."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=ReasonSerializer, responses=AssignmentSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        body = ReasonSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        fresh = services.reclaim_assignment(assignment_id=pk, actor=request.user, why=body.validated_data["reason"])
        return Response(AssignmentSerializer(fresh).data)


class AssignmentReleaseView(APIView):
    """Give an untouched scan back."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses=AssignmentSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        return Response(AssignmentSerializer(services.release_assignment(assignment_id=pk, actor=request.user)).data)


class AssignmentUnblockView(APIView):
    """Answer a block, or undo a skip."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses=AssignmentSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        return Response(AssignmentSerializer(services.unblock_assignment(assignment_id=pk, actor=request.user)).data)


class AssignmentBeatView(APIView):
    """Say that one is still at work; extends the lease."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=BeatSerializer, responses=AssignmentSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        body = BeatSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        seconds = body.validated_data["active_seconds"]
        done = services.beat_assignment(assignment_id=pk, actor=request.user, active_seconds=seconds)
        if seconds:
            note_activity(request._request)
        return Response({"lease_until": done.lease_until, "active_seconds": done.active_seconds})
