"""HTTP for jobs."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from voxloop.accounts.requests import Request, person_of
from voxloop.jobs.models import Job
from voxloop.jobs.selectors import visible_jobs
from voxloop.jobs.services import cancel
from voxloop.jobs.states import JobState
from voxloop.kernel.errors import NotFound


class JobSerializer(serializers.ModelSerializer[Job]):
    state = serializers.ChoiceField(JobState.choices)

    class Meta:
        model = Job
        fields = [
            "id",
            "kind",
            "state",
            "progress",
            "message",
            "result",
            "error_code",
            "error",
            "attempt",
            "created_at",
            "started_at",
            "ended_at",
        ]


class JobListView(generics.ListAPIView[Job]):
    """Jobs the caller may see."""

    permission_classes = [IsAuthenticated]
    serializer_class = JobSerializer
    queryset = Job.objects.none()
    filterset_fields = ["kind", "state"]

    def get_queryset(self) -> Any:
        return visible_jobs(person_of(self))


class JobView(generics.RetrieveAPIView[Job]):
    permission_classes = [IsAuthenticated]
    serializer_class = JobSerializer
    queryset = Job.objects.none()

    def get_queryset(self) -> Any:
        return visible_jobs(person_of(self))


class JobCancelView(APIView):
    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses=JobSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        if not visible_jobs(request.user).filter(pk=pk).exists():
            raise NotFound
        return Response(JobSerializer(cancel(job_id=pk, actor=request.user)).data)
