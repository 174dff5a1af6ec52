"""HTTP for opening, handing in, claiming, judging and commenting."""

from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.masks.services import begin, prepare
from annotation.reviews import services
from annotation.reviews.checks import change_checks
from annotation.reviews.comments_api import CommentSerializer
from annotation.reviews.context import next_annotation, viewer_context
from annotation.reviews.models import ReviewRound
from annotation.reviews.selectors import visible_rounds
from annotation.work.api import AssignmentSerializer
from annotation.work.models import Assignment
from annotation.work.selectors import visible_assignments, visible_campaigns
from annotation.work.services import claim_assignment, find_own
from voxloop.accounts.services import confirm_signature
from voxloop.kernel.errors import NotFound


class ClaimSerializer(serializers.Serializer[Any]):
    stage = serializers.ChoiceField(["annotation", "review"], default="annotation")
    campaign = serializers.UUIDField(required=False, allow_null=True, default=None)


class SubmitSerializer(serializers.Serializer[Any]):
    answers = serializers.DictField(required=False, allow_null=True, default=None)
    acknowledged = serializers.ListField(child=serializers.CharField(max_length=64), default=list)


class SignatureSerializer(serializers.Serializer[Any]):
    password = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False, default="")
    code = serializers.CharField(required=False, allow_blank=True, max_length=20, default="")


class ReturnSerializer(serializers.Serializer[Any]):
    comments = CommentSerializer(many=True, default=list)


class ChecksSerializer(serializers.Serializer[Any]):
    values = serializers.DictField(child=serializers.BooleanField(allow_null=True))  # type: ignore[assignment]


class ReviewSerializer(serializers.ModelSerializer[ReviewRound]):
    scan = serializers.CharField(source="annotation.scan.code")
    site = serializers.CharField(source="annotation.scan.site.code")
    batch = serializers.CharField(source="annotation.batch.name")
    author = serializers.CharField(source="author.username")
    reviewer = serializers.CharField(source="reviewer.username", allow_null=True, default=None)
    assignment = serializers.UUIDField(source="review_id", allow_null=True)
    risk = serializers.SerializerMethodField()
    reasons = serializers.SerializerMethodField()
    looked_at = serializers.SerializerMethodField(help_text="how many differences the reviewer marked as checked")

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
        return None if self._is_author(round_) else round_.risk

    def get_reasons(self, round_: ReviewRound) -> list[str]:
        return [] if self._is_author(round_) else list(round_.reasons)

    def _is_author(self, round_: ReviewRound) -> bool:
        # Why the model distrusts a mask would tell its author what the model sees.
        return round_.author_id == self.context["request"].user.pk


class AssignmentView(APIView):
    """Everything the viewer needs beside voxels (docs/formats.md)."""

    permission_classes = [IsAuthenticated]

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, pk: UUID) -> Response:
        return Response(viewer_context(_visible(request, pk), request.user))


class OpenView(APIView):
    """Start or go on with one's own assignment."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, pk: UUID) -> Response:
        find_own(pk, request.user)
        begin(assignment_id=pk, actor=request.user)
        return Response(viewer_context(_visible(request, pk), request.user))


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
            found = services.claim_next_round(actor=request.user, campaign=campaign)
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

    @extend_schema(request=SubmitSerializer, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, pk: UUID) -> Response:
        find_own(pk, request.user)
        body = SubmitSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        round_ = services.submit_assignment(assignment_id=pk, actor=request.user, **body.validated_data)
        return Response(
            {
                "state": "submitted",
                "review": str(round_.pk),
                "next": next_annotation(request.user, after=round_.annotation),
            }
        )


class ReviewListView(generics.ListAPIView[ReviewRound]):
    """Review rounds the caller may see."""

    permission_classes = [IsAuthenticated]
    serializer_class = ReviewSerializer
    queryset = ReviewRound.objects.none()
    filterset_fields = ["state", "number"]

    def get_queryset(self) -> Any:
        return visible_rounds(self.request.user).order_by("-risk", "created_at")


class ReviewView(generics.RetrieveAPIView[ReviewRound]):
    permission_classes = [IsAuthenticated]
    serializer_class = ReviewSerializer
    queryset = ReviewRound.objects.none()

    def get_queryset(self) -> Any:
        return visible_rounds(self.request.user)


class ReviewClaimView(APIView):
    """Take this round to judge it; answers the assignment to open."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses=ReviewSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        services.claim_round(round_id=pk, actor=request.user)
        return Response(ReviewSerializer(visible_rounds(request.user).get(pk=pk), context={"request": request}).data)


class ReviewGiveBackView(APIView):
    """Leave a claimed round to others."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses=ReviewSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        services.give_back_round(round_id=pk, actor=request.user)
        return Response(ReviewSerializer(visible_rounds(request.user).get(pk=pk), context={"request": request}).data)


class ReviewChecksView(APIView):
    """What the reviewer has looked at; these change, the others stay."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=ChecksSerializer, responses=ChecksSerializer)
    def patch(self, request: Request, pk: UUID) -> Response:
        body = ChecksSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        looked_at = change_checks(round_id=pk, actor=request.user, changes=body.validated_data["values"])
        return Response({"values": dict.fromkeys(looked_at, True)})


class VerdictView(APIView):
    """Approve as submitted, or approve one's own correction; signed with the password."""

    permission_classes = [IsAuthenticated]
    action = "approve"

    @extend_schema(request=SignatureSerializer, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, pk: UUID) -> Response:
        body = SignatureSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        if not visible_rounds(request.user).filter(pk=pk).exists():
            raise NotFound
        signed_at = confirm_signature(request=request._request, **body.validated_data)
        act = services.approve_round if self.action == "approve" else services.correct_round
        return _verdict(request, act(round_id=pk, actor=request.user, signed_at=signed_at))


class ReturnView(APIView):
    """Send the work back to its author with comments."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=ReturnSerializer, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, pk: UUID) -> Response:
        body = ReturnSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return _verdict(
            request,
            services.return_round(round_id=pk, actor=request.user, comments=body.validated_data["comments"]),
        )


def _visible(request: Request, pk: UUID) -> Assignment:
    assignment = visible_assignments(request.user).filter(pk=pk).first()
    if assignment is None:
        raise NotFound
    return assignment


def _verdict(request: Request, round_: ReviewRound) -> Response:
    """The outcome, and the riskiest round that waits, claimed, so that a reviewer goes on with one key."""
    following = services.claim_next_round(actor=request.user)
    return Response({"state": round_.state, "next": f"/view/{following.review_id}/" if following else None})
