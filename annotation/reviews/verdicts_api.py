"""HTTP for verdicts: approve, correct, return, and the decision of an arbitration."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.reviews import claims, services
from annotation.reviews.comments_api import CommentSerializer
from annotation.reviews.deciding import decide
from annotation.reviews.facts import VerdictFacts
from annotation.reviews.models import Arbitration, ReviewRound
from annotation.reviews.selectors import own_claims, visible_rounds
from annotation.reviews.states import ArbitrationState, RoundState
from annotation.reviews.taking_back import UNDO_LASTS
from annotation.work.models import SignaturePolicy
from voxloop.accounts.requests import Request
from voxloop.accounts.services import confirm_signature
from voxloop.kernel.errors import NotFound
from voxloop.kernel.facts import plain

# How long an entered password counts as one's signature; None: as long as the installation's setting says.
SIGNATURE_LASTS: dict[SignaturePolicy, timedelta | None] = {
    SignaturePolicy.ALWAYS: timedelta(0),
    SignaturePolicy.RECENT: None,
    SignaturePolicy.LOG_IN: timedelta.max,
}


class SignatureSerializer(serializers.Serializer[Any]):
    password = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False, default="")
    code = serializers.CharField(required=False, allow_blank=True, max_length=20, default="")


class ReturnSerializer(serializers.Serializer[Any]):
    comments = CommentSerializer(many=True, default=list)


class VerdictView(APIView):
    """Approve as submitted, or approve one's own correction; signed with the password."""

    permission_classes = [IsAuthenticated]
    action = "approve"

    @extend_schema(request=SignatureSerializer, responses=VerdictFacts)
    def post(self, request: Request, pk: UUID) -> Response:
        body = SignatureSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        found = visible_rounds(request.user).filter(pk=pk).first()
        if found is None:
            raise NotFound
        lasts = SIGNATURE_LASTS[SignaturePolicy(found.annotation.campaign.signature_policy)]
        signed_at = confirm_signature(request=request._request, lasts=lasts, **body.validated_data)
        waiting = Arbitration.objects.filter(round=found, state=ArbitrationState.CLAIMED).first()
        if found.state == RoundState.ARBITRATION and waiting is not None:
            done = decide(arbitration_id=waiting.pk, actor=request.user, signed_at=signed_at)
            return _verdict(request, done, undo_seconds=0)
        act = services.approve_round if self.action == "approve" else services.correct_round
        return _verdict(request, act(round_id=pk, actor=request.user, signed_at=signed_at))


class ReturnView(APIView):
    """Send the work back to its author with comments."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=ReturnSerializer, responses=VerdictFacts)
    def post(self, request: Request, pk: UUID) -> Response:
        body = ReturnSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return _verdict(
            request,
            services.return_round(round_id=pk, actor=request.user, comments=body.validated_data["comments"]),
        )


def _verdict(request: Request, round_: ReviewRound, undo_seconds: int | None = None) -> Response:
    """The outcome, and the next round, claimed for this reviewer: the riskiest that waits, else one's own claim."""
    following = claims.claim_next_round(actor=request.user) or own_claims(request.user).first()
    return Response(
        plain(
            VerdictFacts(
                RoundState(round_.state),
                f"/view/{following.review_id}/" if following else None,
                int(UNDO_LASTS.total_seconds()) if undo_seconds is None else undo_seconds,
            )
        )
    )
