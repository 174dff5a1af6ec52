"""Which sites a person may see, and what a scan tells of its volume. Which scans one may see follows from work."""

from typing import Any

from django.db.models import QuerySet

from annotation.scans.models import Scan, Site
from annotation.scans.volumes import read_index
from voxloop.accounts.models import User


def visible_sites(user: User) -> QuerySet[Site]:
    """Sites the person is a member of; an administrator sees all."""
    if user.is_administrator:
        return Site.objects.all()
    return Site.objects.filter(memberships__user=user)


def volume_index(scan: Scan) -> dict[str, Any]:
    """The index of a ready scan's volume (docs/formats.md), with the addresses of its parts. Raises Damaged."""
    read_index(scan)
    base = f"/api/v1/scans/{scan.pk}/volume"
    index = {**scan.index, "scan": str(scan.pk), "modality": scan.modality}
    for part, key in (("pack", scan.pack_key), ("preview", scan.preview_key), ("limit", scan.limit_key)):
        if index.get(part):
            digest = key.rpartition("/")[2]
            index[part] = {**index[part], "url": f"{base}/{part}?v={digest[:12]}"}
    return index
