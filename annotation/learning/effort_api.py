"""HTTP for measured efforts."""

from typing import Any

from rest_framework import generics, serializers
from rest_framework.permissions import IsAuthenticated

from annotation.learning.gains import visible_efforts
from annotation.learning.models import Effort
from voxloop.accounts.requests import person_of


class EffortSerializer(serializers.ModelSerializer[Effort]):
    """What one approved scan took, against the mask that `model` had of it."""

    arm = serializers.ChoiceField(Effort.Arm.choices)
    scan = serializers.CharField(source="assignment.scan.code")
    site = serializers.CharField(source="assignment.scan.site.code")
    submitted_at = serializers.DateTimeField(source="assignment.submitted_at")

    class Meta:
        model = Effort
        fields = [
            "assignment",
            "campaign",
            "scan",
            "site",
            "arm",
            "model",
            "active_seconds",
            "strokes",
            "drawn_ml",
            "predicted_ml",
            "added_ml",
            "removed_ml",
            "repeat_dice",
            "submitted_at",
            "measured_at",
        ]


class EffortListView(generics.ListAPIView[Effort]):
    """Efforts of campaigns that the caller oversees, newest first."""

    permission_classes = [IsAuthenticated]
    serializer_class = EffortSerializer
    queryset = Effort.objects.none()
    filterset_fields = ["campaign", "arm", "model"]

    def get_queryset(self) -> Any:
        return visible_efforts(person_of(self)).order_by("-assignment__submitted_at", "assignment")
