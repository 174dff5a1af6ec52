"""Permission to erase a patient, and the erasure of assignments."""

from collections.abc import Sequence
from uuid import UUID

from annotation.scans.erasing import Line, Part, erase_subject
from annotation.scans.models import ErasedSubject, Scan, Subject
from annotation.work.models import Assignment, CampaignMember, CampaignScan, Eligibility, ScanScore
from annotation.work.selectors import visible_scans
from voxloop.accounts.actors import Actor
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.kernel.errors import Forbidden, NotFound
from voxloop.kernel.reasons import kept_reason


def find_subject(subject_id: UUID, actor: User) -> Subject:
    """A subject that the person may erase: an administrator any, a data manager those of their campaigns and sites.

    Raises NotFound for one without visible scans, Forbidden."""
    subject = Subject.objects.select_related("site").filter(pk=subject_id).first()
    if subject is None or not visible_scans(actor).filter(subject=subject).exists():
        raise NotFound
    if not may_erase(actor, subject):
        raise Forbidden("Only a data manager of its campaigns or an administrator may erase a subject.")
    return subject


def may_erase(user: User, subject: Subject) -> bool:
    """Whether the person is an administrator, or data manager of every campaign that has a scan of the subject."""
    if user.is_administrator:
        return True
    campaigns = set(CampaignScan.objects.filter(scan__subject=subject).values_list("campaign_id", flat=True))
    managed = CampaignMember.objects.filter(user=user, role=Role.DATA_MANAGER, campaign__in=campaigns)
    return bool(campaigns) and set(managed.values_list("campaign_id", flat=True)) == campaigns


def erase(*, subject_id: UUID, actor: User, why: str, confirmation: str) -> ErasedSubject:
    """Erase a patient irreversibly; see `scans.erasing.erase_subject`."""
    find_subject(subject_id, actor)
    return erase_subject(subject_id=subject_id, actor=actor, why=kept_reason(why), confirmation=confirmation)


def _describe(scans: Sequence[Scan]) -> list[Line]:
    rows = Assignment.objects.filter(scan__in=scans).count()
    return [
        Line("Assignments", rows, "kept", "who worked when and how long; typed reasons and measurements are deleted")
    ]


def _before(scans: Sequence[Scan], actor: Actor) -> list[str]:
    Assignment.objects.filter(scan__in=scans).exclude(reason="").update(reason="erased")
    Assignment.objects.filter(scan__in=scans).update(marks={}, choice={})
    ScanScore.objects.filter(scan__in=scans).delete()
    Eligibility.objects.filter(scan__in=scans).delete()
    CampaignScan.objects.filter(scan__in=scans).update(
        score_model="", uncertainty=None, extent_ml=None, finding="", is_gold=False
    )
    return []


PART = Part(describe=_describe, before=_before, after=lambda scans: None)
