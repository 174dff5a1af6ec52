"""HTTP for campaigns, batches and assignments."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.work import batches, services
from annotation.work.choosing import OLD_NAMES, WAYS
from annotation.work.models import Assignment, Batch, Campaign
from annotation.work.permissions import roles_of
from annotation.work.selectors import visible_assignments, visible_batches, visible_campaigns
from annotation.work.states import AssignmentState, BatchState
from voxloop.accounts.models import User
from voxloop.accounts.requests import Request, person_of
from voxloop.kernel.errors import NotFound


class CampaignSerializer(serializers.ModelSerializer[Campaign]):
    my_roles = serializers.SerializerMethodField()

    class Meta:
        model = Campaign
        fields = [
            "id",
            "name",
            "slug",
            "batch_size",
            "is_paused",
            "retrain_after",
            "retrain_every_days",
            "train_start",
            "promotes_by_itself",
            "my_roles",
        ]

    def get_my_roles(self, campaign: Campaign) -> list[str]:
        return sorted(roles_of(self.context["request"].user, campaign))


class BatchSerializer(serializers.ModelSerializer[Batch]):
    state = serializers.ChoiceField(BatchState.choices)
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
        return (
            batch.assignments.filter(stage=Assignment.Stage.ANNOTATION).exclude(state=AssignmentState.RECLAIMED).count()
        )


class NewBatchSerializer(serializers.Serializer[Any]):
    campaign = serializers.UUIDField()
    size = serializers.IntegerField(required=False, allow_null=True, default=None)
    choose = serializers.ChoiceField([*WAYS, *OLD_NAMES], default="order", help_text="`score` is short for `hybrid`")
    scans = serializers.ListField(child=serializers.UUIDField(), required=False, default=None, allow_null=True)
    assignee = serializers.CharField(required=False, allow_null=True, default=None)
    due_on = serializers.DateField(required=False, allow_null=True, default=None)
    publish = serializers.BooleanField(default=False)
    starts_anew = serializers.BooleanField(default=False, help_text="leave what others drew before")


class AssignBatchSerializer(serializers.Serializer[Any]):
    assignee = serializers.CharField(allow_null=True)
    count = serializers.IntegerField(
        allow_null=True, default=None, help_text="the last so many unstarted scans; null: all"
    )


class AssignmentSerializer(serializers.ModelSerializer[Assignment]):
    state = serializers.ChoiceField(AssignmentState.choices)
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


class ReclaimSerializer(ReasonSerializer):
    person = serializers.CharField(allow_null=True, default=None, help_text="who gets the scan; null: the pool")
    starts_anew = serializers.BooleanField(default=False, help_text="leave what was drawn")


class CampaignListView(generics.ListAPIView[Campaign]):
    """Campaigns the caller takes part in."""

    permission_classes = [IsAuthenticated]
    serializer_class = CampaignSerializer
    queryset = Campaign.objects.none()

    def get_queryset(self) -> Any:
        return visible_campaigns(person_of(self)).order_by("name")


class BatchListView(generics.ListAPIView[Batch]):
    """Batches the caller may see; a coordinator creates new ones."""

    permission_classes = [IsAuthenticated]
    serializer_class = BatchSerializer
    queryset = Batch.objects.none()
    filterset_fields = ["campaign", "state"]

    def get_queryset(self) -> Any:
        return visible_batches(person_of(self)).select_related("assignee").order_by("-number")

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
            starts_anew=wanted["starts_anew"],
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
        wanted = body.validated_data
        batch = batches.assign_batch(
            batch_id=pk, person=_person(wanted["assignee"]), actor=request.user, count=wanted["count"]
        )
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
        return visible_assignments(person_of(self)).order_by("batch__number", "position")


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
    """Take a scan back from a person and give it to another (coordinator)."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=ReclaimSerializer, responses=AssignmentSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        body = ReclaimSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data
        fresh = services.reclaim_assignment(
            assignment_id=pk,
            actor=request.user,
            why=wanted["reason"],
            person=_person(wanted["person"]),
            starts_anew=wanted["starts_anew"],
        )
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
