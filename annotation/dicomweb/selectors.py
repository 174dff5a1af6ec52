"""What a person may read through DICOMweb: ready CT scans, and the approved masks that a release would hold."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from annotation.datasets.choosing import newest_approvals
from annotation.dicomweb.permissions import managed_campaigns
from annotation.reviews.models import RoundMask
from annotation.scans.models import Scan
from annotation.scans.states import ScanState
from annotation.work.models import CampaignScan
from annotation.work.permissions import site_ids
from annotation.work.selectors import own_work
from annotation.work.states import AssignmentState
from voxloop.accounts.models import User


def visible_scans(user: User) -> QuerySet[Scan]:
    """Ready CT scans of the person's sites in campaigns that they manage; an administrator sees all. Without what is
    large."""
    rows = Scan.objects.filter(state=ScanState.READY, modality="CT")
    if not user.is_administrator:
        held = CampaignScan.objects.filter(campaign__in=managed_campaigns(user))
        rows = rows.filter(pk__in=held.values("scan_id"), site__in=site_ids(user))
    return rows.select_related("subject", "series__study").defer("facts", "index").order_by("code")


def visible_masks(user: User, scans: QuerySet[Scan]) -> QuerySet[RoundMask]:
    """The newest approved masks of these scans. None of a scan that the person is still reading or judging: their
    reading stays independent."""
    reading = own_work(user).exclude(state__in=[AssignmentState.APPROVED, AssignmentState.SKIPPED])
    rounds = newest_approvals(managed_campaigns(user), scans)
    rounds = rounds.exclude(annotation__scan__in=reading.values("scan_id"))
    rows = RoundMask.objects.filter(round__in=rounds).select_related(
        "approved", "round__author", "round__annotation__campaign__schema"
    )
    return rows.order_by("round__annotation__campaign__slug", "layer")


def facts_of(scans: Iterable[UUID]) -> Mapping[UUID, Mapping[str, Any]]:
    """What is large of the facts of scans, by scan: UIDs of slices, and of the frame of reference."""
    rows = Scan.objects.filter(pk__in=set(scans)).values_list("pk", "facts")
    return {
        pk: {name: facts.get(name) for name in ("sop_instance_uids", "frame_of_reference_uid")} for pk, facts in rows
    }
