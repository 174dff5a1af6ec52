"""HTTP for taking back a submission or a verdict."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.reviews.api import ReviewSerializer
from annotation.reviews.selectors import visible_rounds
from annotation.reviews.taking_back import take_back_submission, take_back_verdict
from annotation.work.api import AssignmentSerializer
from annotation.work.selectors import visible_assignments
from annotation.work.services import find_own
from voxloop.accounts.requests import Request


class SubmissionTakeBackView(APIView):
    """Take back what one has handed in, while no reviewer has begun on it."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses=AssignmentSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        find_own(pk, request.user)
        take_back_submission(assignment_id=pk, actor=request.user)
        return Response(AssignmentSerializer(visible_assignments(request.user).get(pk=pk)).data)


class VerdictTakeBackView(APIView):
    """Take back one's own verdict within ten seconds; the round is claimed again."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses=ReviewSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        take_back_verdict(round_id=pk, actor=request.user)
        return Response(ReviewSerializer(visible_rounds(request.user).get(pk=pk), context={"request": request}).data)
