"""HTTP for opening, handing in, claiming, judging and commenting."""

from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils.functional import cached_property
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.masks.services import begin, prepare
from annotation.reviews import claims, services
from annotation.reviews.checks import change_checks
from annotation.reviews.comments_api import CommentSerializer
from annotation.reviews.context import next_annotation, viewer_context
from annotation.reviews.facts import ChecksFacts, ContextFacts, HandedInFacts
from annotation.reviews.models import ReviewRound
from annotation.reviews.selectors import visible_rounds
from annotation.reviews.states import RoundState
from annotation.reviews.trials import hand_in_trial
from annotation.work.api import AssignmentSerializer
from annotation.work.models import Assignment
from annotation.work.requeuing import lines_of, worked_on_by
from annotation.work.selectors import own_work, visible_assignments, visible_campaigns
from annotation.work.services import claim_assignment, find_own
from annotation.work.states import AssignmentState
from voxloop.accounts.requests import Request, person_of
from voxloop.kernel.errors import NotFound
from voxloop.kernel.facts import plain


class ClaimSerializer(serializers.Serializer[Any]):
    stage = serializers.ChoiceField(["annotation", "review"], default="annotation")
    campaign = serializers.UUIDField(required=False, allow_null=True, default=None)


class SubmitSerializer(serializers.Serializer[Any]):
    answers = serializers.DictField(required=False, allow_null=True, default=None)
    acknowledged = serializers.ListField(child=serializers.CharField(max_length=64), default=list)
    comments = CommentSerializer(many=True, default=list)


class ChecksSerializer(serializers.Serializer[Any]):
    values = serializers.DictField(child=serializers.BooleanField(allow_null=True))


class ReviewSerializer(serializers.ModelSerializer[ReviewRound]):
    state = serializers.ChoiceField(RoundState.choices)
    scan = serializers.CharField(source="annotation.scan.code")
    site = serializers.CharField(source="annotation.scan.site.code")
    batch = serializers.CharField(source="annotation.batch.name")
    author = serializers.CharField(source="author.username")
    reviewer = serializers.CharField(source="reviewer.username", allow_null=True, default=None)
    assignment = serializers.UUIDField(source="review_id", allow_null=True)
    risk = serializers.SerializerMethodField()
    reasons = serializers.SerializerMethodField()
    looked_at = serializers.SerializerMethodField(help_text="number of differences marked as checked by the reviewer")

    class Meta:
        model = ReviewRound
        fields = [
            "id",
            "scan",
            "site",
            "batch",
            "author",
            "number",
            "state",
            "reviewer",
            "risk",
            "reasons",
            "assignment",
            "created_at",
            "ended_at",
            "looked_at",
        ]

    def get_looked_at(self, round_: ReviewRound) -> int:
        return len(round_.looked_at)

    def get_risk(self, round_: ReviewRound) -> int | None:
        return None if self._is_annotator(round_) else round_.risk

    def get_reasons(self, round_: ReviewRound) -> list[str]:
        return [] if self._is_annotator(round_) else list(round_.reasons)

    def _is_annotator(self, round_: ReviewRound) -> bool:
        # The reasons of the risk would show the annotator what the model sees.
        if round_.author_id == self.context["request"].user.pk:
            return True
        return round_.annotation_id in self._annotated

    @cached_property
    def _annotated(self) -> set[UUID]:
        user = self.context["request"].user
        rows = Assignment.objects.filter(Q(pk__in=worked_on_by(user)) | Q(pk__in=lines_of(own_work(user))))
        return set(rows.values_list("pk", flat=True))


class AssignmentView(APIView):
    """Everything the viewer needs beside voxels (docs/formats.md)."""

    permission_classes = [IsAuthenticated]

    @extend_schema(responses=ContextFacts)
    def get(self, request: Request, pk: UUID) -> Response:
        return Response(plain(viewer_context(_visible(request, pk), request.user)))


class OpenView(APIView):
    """Start or continue one's own assignment."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses=ContextFacts)
    def post(self, request: Request, pk: UUID) -> Response:
        begin(assignment_id=pk, actor=request.user)
        return Response(plain(viewer_context(_visible(request, pk), request.user)))


class ClaimView(APIView):
    """The next assignment for the caller, atomically; 204 when there is none."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=ClaimSerializer, responses={200: AssignmentSerializer, 204: None})
    def post(self, request: Request) -> Response:
        body = ClaimSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        campaign = None
        if body.validated_data["campaign"]:
            campaign = visible_campaigns(request.user).filter(pk=body.validated_data["campaign"]).first()
            if campaign is None:
                raise NotFound
        if body.validated_data["stage"] == "review":
            found = claims.claim_next_round(actor=request.user, campaign=campaign)
            assignment = found.review if found else None
        else:
            assignment = claim_assignment(actor=request.user, campaign=campaign)
            if assignment is not None:
                prepare(assignment=assignment)
        if assignment is None:
            return Response(status=204)
        return Response(AssignmentSerializer(_visible(request, assignment.pk)).data)


class SubmitView(APIView):
    """Hand an annotation in."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=SubmitSerializer, responses=HandedInFacts)
    def post(self, request: Request, pk: UUID) -> Response:
        found = find_own(pk, request.user)
        body = SubmitSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        if found.stage == Assignment.Stage.CERTIFICATION:
            hand_in_trial(
                assignment_id=pk, actor=request.user, answers=given["answers"], acknowledged=given["acknowledged"]
            )
            return Response(plain(HandedInFacts(AssignmentState.SUBMITTED, None, f"/view/{pk}/")))
        round_ = services.submit_assignment(assignment_id=pk, actor=request.user, **given)
        following = next_annotation(request.user, after=round_.annotation)
        return Response(plain(HandedInFacts(AssignmentState.SUBMITTED, round_.pk, following)))


class ReviewListView(generics.ListAPIView[ReviewRound]):
    """Review rounds the caller may see."""

    permission_classes = [IsAuthenticated]
    serializer_class = ReviewSerializer
    queryset = ReviewRound.objects.none()
    filterset_fields = ["state", "number"]

    def get_queryset(self) -> Any:
        return visible_rounds(person_of(self)).order_by("-risk", "created_at")


class ReviewView(generics.RetrieveAPIView[ReviewRound]):
    permission_classes = [IsAuthenticated]
    serializer_class = ReviewSerializer
    queryset = ReviewRound.objects.none()

    def get_queryset(self) -> Any:
        return visible_rounds(person_of(self))


class ReviewClaimView(APIView):
    """Claim this round for review; returns the assignment to open."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses=ReviewSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        claims.claim_round(round_id=pk, actor=request.user)
        return Response(ReviewSerializer(visible_rounds(request.user).get(pk=pk), context={"request": request}).data)


class ReviewGiveBackView(APIView):
    """Leave a claimed round to others."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses=ReviewSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        claims.give_back_round(round_id=pk, actor=request.user)
        return Response(ReviewSerializer(visible_rounds(request.user).get(pk=pk), context={"request": request}).data)


class ReviewChecksView(APIView):
    """Mark differences as checked or not; others stay unchanged."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=ChecksSerializer, responses=ChecksFacts)
    def patch(self, request: Request, pk: UUID) -> Response:
        body = ChecksSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        looked_at = change_checks(round_id=pk, actor=request.user, changes=body.validated_data["values"])
        return Response(plain(ChecksFacts(dict.fromkeys(looked_at, True))))


def _visible(request: Request, pk: UUID) -> Assignment:
    assignment = visible_assignments(request.user).filter(pk=pk).first()
    if assignment is None:
        raise NotFound
    return assignment
