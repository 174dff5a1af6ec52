"""What is known of the subjects of a campaign, site by site."""

from dataclasses import dataclass

from django.db.models import Count, Q

from annotation.scans.models import Subject
from annotation.work.models import Campaign
from annotation.work.selectors import visible_scans
from voxloop.accounts.models import User


@dataclass(frozen=True)
class SiteCount:
    """Subjects of a site in the campaign, and how many have a record, an age, a test."""

    site: str
    name: str
    subjects: int
    records: int
    aged: int
    tested: int


def count_records(user: User, campaign: Campaign) -> list[SiteCount]:
    """One entry for each site whose scans the person may see."""
    scans = visible_scans(user).filter(campaign_scans__campaign=campaign)
    rows = (
        Subject.objects.filter(scans__in=scans)
        .order_by("site__code")
        .values_list("site__code", "site__name")
        .annotate(
            there=Count("pk", distinct=True),
            records=Count("clinical", distinct=True),
            aged=Count("pk", distinct=True, filter=Q(clinical__age_years__isnull=False)),
            tested=Count("pk", distinct=True, filter=Q(clinical__tests__isnull=False)),
        )
    )
    return [SiteCount(*row) for row in rows]
