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
from annotation.reviews import comments, services
from annotation.reviews.context import comment_facts, next_annotation, reply_facts, viewer_context
from annotation.reviews.models import ReviewRound
from annotation.reviews.selectors import visible_rounds
from annotation.work.api import AssignmentSerializer
from annotation.work.models import Assignment
from annotation.work.selectors import visible_assignments, visible_campaigns
from annotation.work.services import claim_assignment
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


class TextSerializer(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=2000)


class ReplySerializer(TextSerializer):
    # Made by the caller, so that words which were sent twice are said once.
    id = serializers.UUIDField(required=False, allow_null=True, default=None)


class SeenSerializer(serializers.Serializer[Any]):
    until = serializers.DateTimeField()


class CommentSerializer(ReplySerializer):
    ijk = serializers.ListField(
        child=serializers.IntegerField(min_value=0), min_length=3, max_length=3, required=False, allow_null=True,
        default=None,
    )  # fmt: skip


class ReturnSerializer(serializers.Serializer[Any]):
    comments = CommentSerializer(many=True, default=list)


class ReviewSerializer(serializers.ModelSerializer[ReviewRound]):
    scan = serializers.CharField(source="annotation.scan.code")
    site = serializers.CharField(source="annotation.scan.site.code")
    batch = serializers.CharField(source="annotation.batch.name")
    author = serializers.CharField(source="author.username")
    reviewer = serializers.CharField(source="reviewer.username", allow_null=True, default=None)
    assignment = serializers.UUIDField(source="review_id", allow_null=True)
    risk = serializers.SerializerMethodField()
    reasons = serializers.SerializerMethodField()

    class Meta:
        model = ReviewRound
        fields = [
            "id", "scan", "site", "batch", "author", "number", "state", "reviewer", "risk", "reasons", "assignment",
            "created_at", "ended_at",
        ]  # fmt: skip

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
        _visible(request, pk)
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
        _visible(request, pk)
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
        signed_at = confirm_signature(request=request._request, password=body.validated_data["password"])
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


class ReviewCommentsView(APIView):
    """Comments of a round."""

    permission_classes = [IsAuthenticated]

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, pk: UUID) -> Response:
        round_ = visible_rounds(request.user).filter(pk=pk).first()
        if round_ is None:
            raise NotFound
        rows = round_.comments.select_related("author", "round").prefetch_related("replies__author")
        return Response({"results": [comment_facts(row) for row in rows]})

    @extend_schema(request=CommentSerializer, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request, pk: UUID) -> Response:
        body = CommentSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        comment = comments.add_comment(round_id=pk, actor=request.user, **body.validated_data)
        return Response(comment_facts(comment), status=201)


class CommentsSeenView(APIView):
    """Say up to when the comments on this scan were read."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=SeenSerializer, responses=SeenSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        body = SeenSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        until = comments.mark_seen(round_id=pk, actor=request.user, until=body.validated_data["until"])
        return Response({"until": until})


class CommentView(APIView):
    """One's own comment, while it may be changed."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=TextSerializer, responses=OpenApiTypes.OBJECT)
    def patch(self, request: Request, pk: UUID) -> Response:
        body = TextSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(
            comment_facts(comments.edit_comment(comment_id=pk, actor=request.user, text=body.validated_data["text"]))
        )


class RepliesView(APIView):
    """Answer a comment."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=ReplySerializer, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request, pk: UUID) -> Response:
        body = ReplySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        reply = comments.add_reply(comment_id=pk, actor=request.user, **body.validated_data)
        return Response(reply_facts(reply), status=201)


class ReplyView(APIView):
    """One's own reply, while it may be changed."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=TextSerializer, responses=OpenApiTypes.OBJECT)
    def patch(self, request: Request, pk: UUID) -> Response:
        body = TextSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(
            reply_facts(comments.edit_reply(reply_id=pk, actor=request.user, text=body.validated_data["text"]))
        )


class CommentStateView(APIView):
    """Resolve or reopen a comment."""

    permission_classes = [IsAuthenticated]
    action = "resolve"

    @extend_schema(request=None, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, pk: UUID) -> Response:
        act = comments.resolve_comment if self.action == "resolve" else comments.reopen_comment
        return Response(comment_facts(act(comment_id=pk, actor=request.user)))


def _visible(request: Request, pk: UUID) -> Assignment:
    assignment = visible_assignments(request.user).filter(pk=pk).first()
    if assignment is None:
        raise NotFound
    return assignment


def _verdict(request: Request, round_: ReviewRound) -> Response:
    """The outcome, and the riskiest round that waits, claimed, so that a reviewer goes on with one key."""
    following = services.claim_next_round(actor=request.user)
    return Response({"state": round_.state, "next": f"/view/{following.review_id}/" if following else None})
