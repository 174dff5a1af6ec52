"""HTTP for comments, replies, and what of them was read."""

from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.reviews import comments
from annotation.reviews.context import comment_facts, reply_facts
from annotation.reviews.selectors import visible_rounds
from voxloop.kernel.errors import NotFound


class TextSerializer(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=2000)


class ReplySerializer(TextSerializer):
    # Made by the caller, so that words which were sent twice are said once.
    id = serializers.UUIDField(required=False, allow_null=True, default=None)


class CommentSerializer(ReplySerializer):
    ijk = serializers.ListField(
        child=serializers.IntegerField(min_value=0),
        min_length=3,
        max_length=3,
        required=False,
        allow_null=True,
        default=None,
    )


class SeenSerializer(serializers.Serializer[Any]):
    until = serializers.DateTimeField()


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
