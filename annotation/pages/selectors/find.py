"""Find a scan, a batch or a person by a part of the name."""

from typing import Any

from django.db.models import Q

from annotation.pages.permissions import ADMINISTRATOR, ROWS
from annotation.work.models import CampaignMember
from annotation.work.permissions import OVERSEERS, campaigns_with_role
from annotation.work.selectors import visible_assignments, visible_batches, visible_scans
from voxloop.accounts.models import User

MOST = 12


def find_everything(user: User, words: str) -> dict[str, Any]:
    """At most twelve of each kind, only what the person may see, each with the page it opens."""
    oversees = campaigns_with_role(user, *OVERSEERS).exists() or user.is_administrator
    scans = visible_scans(user).filter(Q(code__icontains=words)).select_related("site")[:MOST]
    own = {
        row.scan_id: row.pk
        for row in visible_assignments(user).filter(person=user, scan__in=[scan.pk for scan in scans])
    }
    found_scans = [
        (scan, f"/view/{own[scan.pk]}/" if scan.pk in own else f"/scans/{scan.pk}/" if oversees else "")
        for scan in scans
    ]
    batches = visible_batches(user).filter(name__icontains=words).select_related("assignee", "campaign")[:MOST]
    people: Any = []
    if ADMINISTRATOR in ROWS["people"].roles and user.is_administrator:
        people = User.objects.filter(username__icontains=words)[:MOST]
    elif oversees:
        members = CampaignMember.objects.filter(campaign__in=campaigns_with_role(user, *OVERSEERS))
        people = User.objects.filter(pk__in=members.values("user"), username__icontains=words)[:MOST]
    return {
        "scans": found_scans,
        "batches": [(batch, f"/batches/{batch.pk}/" if oversees else "/worklist/") for batch in batches],
        "people": [(person, f"/people/{person.pk}/" if user.is_administrator else "/people/") for person in people],
    }
