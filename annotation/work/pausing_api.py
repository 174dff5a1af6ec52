"""HTTP for pausing a campaign, a batch, or a person in a campaign."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.work import campaigns, pausing
from annotation.work.models import Batch, Campaign, CampaignMember
from annotation.work.pausable import Pausable
from annotation.work.permissions import require_role
from annotation.work.selectors import visible_batches, visible_campaigns
from voxloop.accounts.models import User
from voxloop.accounts.requests import Request
from voxloop.accounts.roles import Role
from voxloop.kernel import reasons
from voxloop.kernel.errors import NotFound
from voxloop.kernel.facts import plain


class WhyPausedSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=reasons.MOST, help_text="those concerned read it")


@dataclass(frozen=True)
class PauseStateFacts:
    """Whether something is paused; `since` is null where it is not, or not known."""

    is_paused: bool
    reason: str
    since: datetime | None


class PauseView(APIView):
    """What pausing a campaign, a batch and a person have in common."""

    permission_classes = [IsAuthenticated]

    def told(self, row: Pausable) -> Response:
        """The pause as it is now."""
        row.refresh_from_db()
        return Response(plain(PauseStateFacts(row.is_paused, row.pause_reason, row.paused_at)))

    def reason(self, request: Request) -> str:
        """Why, as it was sent. Raises ValidationError without it."""
        body = WhyPausedSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return str(body.validated_data["reason"])


class CampaignPauseView(PauseView):
    """Give out no more work of a campaign: neither scans nor reviews nor trainings."""

    @extend_schema(responses=PauseStateFacts)
    def get(self, request: Request, pk: UUID) -> Response:
        return self.told(_campaign(request, pk))

    @extend_schema(request=WhyPausedSerializer, responses=PauseStateFacts)
    def post(self, request: Request, pk: UUID) -> Response:
        campaign = _led(request, pk)
        campaigns.pause_campaign(campaign=campaign, actor=request.user, why=self.reason(request))
        return self.told(campaign)


class CampaignResumeView(PauseView):
    """Give out work of a campaign again."""

    @extend_schema(request=None, responses=PauseStateFacts)
    def post(self, request: Request, pk: UUID) -> Response:
        campaign = _led(request, pk)
        campaigns.resume_campaign(campaign=campaign, actor=request.user)
        return self.told(campaign)


class BatchPauseView(PauseView):
    """Give out no more scans and reviews of a batch."""

    @extend_schema(responses=PauseStateFacts)
    def get(self, request: Request, pk: UUID) -> Response:
        batch = visible_batches(request.user).filter(pk=pk).first()
        if batch is None:
            raise NotFound
        return self.told(batch)

    @extend_schema(request=WhyPausedSerializer, responses=PauseStateFacts)
    def post(self, request: Request, pk: UUID) -> Response:
        batch: Batch = pausing.pause_batch(batch_id=pk, actor=request.user, why=self.reason(request))
        return self.told(batch)


class BatchResumeView(PauseView):
    """Give out scans and reviews of a batch again."""

    @extend_schema(request=None, responses=PauseStateFacts)
    def post(self, request: Request, pk: UUID) -> Response:
        return self.told(pausing.resume_batch(batch_id=pk, actor=request.user))


class MemberPauseView(PauseView):
    """Give a person no more scans and reviews of a campaign."""

    @extend_schema(responses=PauseStateFacts)
    def get(self, request: Request, pk: UUID, person: UUID) -> Response:
        own = request.user.pk == person
        return self.told(_member(_campaign(request, pk) if own else _led(request, pk), person))

    @extend_schema(request=WhyPausedSerializer, responses=PauseStateFacts)
    def post(self, request: Request, pk: UUID, person: UUID) -> Response:
        campaign = _led(request, pk)
        why = self.reason(request)
        pausing.pause_person(campaign=campaign, person_id=person, actor=request.user, why=why)
        return self.told(_member(campaign, person))


class MemberResumeView(PauseView):
    """Give a person scans and reviews of a campaign again."""

    @extend_schema(request=None, responses=PauseStateFacts)
    def post(self, request: Request, pk: UUID, person: UUID) -> Response:
        campaign = _led(request, pk)
        pausing.resume_person(campaign=campaign, person_id=person, actor=request.user)
        return self.told(_member(campaign, person))


def _campaign(request: Request, pk: UUID) -> Campaign:
    found = visible_campaigns(request.user).filter(pk=pk).first()
    if found is None:
        raise NotFound
    return found


def _led(request: Request, pk: UUID) -> Campaign:
    """A campaign for its coordinator or an administrator. Raises NotFound, Forbidden."""
    user: User = request.user
    found = _campaign(request, pk)
    if not user.is_administrator:
        require_role(user, found, Role.COORDINATOR)
    return found


def _member(campaign: Campaign, person: UUID) -> CampaignMember:
    """Any of the person's roles: a pause is of the person, so all of them carry it. Raises NotFound for no member."""
    found = CampaignMember.objects.filter(campaign=campaign, user=person).order_by("pk").first()
    if found is None:
        raise NotFound
    return found
