"""Sites that a person may see, and the volume index of a scan. `annotation.work` decides on visible scans."""

from django.db.models import QuerySet

from annotation.scans.facts import VolumeIndexFacts, VolumeLimitFacts, VolumePackFacts, VolumePreviewFacts
from annotation.scans.models import Scan, Site
from annotation.scans.volumes import read_index
from voxloop.accounts.models import User
from voxloop.volume.pack.volume import VERSION


def visible_sites(user: User) -> QuerySet[Site]:
    """Sites the person is a member of; an administrator sees all."""
    if user.is_administrator:
        return Site.objects.all()
    return Site.objects.filter(memberships__user=user)


def volume_index(scan: Scan) -> VolumeIndexFacts:
    """The index of a ready scan's volume (docs/formats.md), with the URLs of its parts. Raises Damaged."""
    index = read_index(scan)
    preview, limit = index.preview, index.limit

    def address(part: str, key: str) -> str:
        return f"/api/v1/scans/{scan.pk}/volume/{part}?v={key.rpartition('/')[2][:12]}"

    return VolumeIndexFacts(
        version=VERSION,
        scan=scan.pk,
        modality=scan.modality,
        shape_zyx=index.geometry.shape_zyx,
        spacing_mm_zyx=index.geometry.spacing_mm_zyx,
        lps_from_ijk=index.geometry.lps_from_ijk,
        pack=VolumePackFacts(url=address("pack", scan.pack_key), **{"sums": None, **index.pack.to_json()}),
        preview=VolumePreviewFacts(
            url=address("preview", scan.preview_key),
            bytes=preview.bytes,
            shape_zyx=preview.shape_zyx,
            step_zyx=preview.step_zyx,
            hu_lo=preview.hu_lo,
            hu_step=preview.hu_step,
            codec=preview.codec,
            lengths=preview.lengths,
        ),
        limit=VolumeLimitFacts(address("limit", scan.limit_key), limit.bytes, limit.background_hu) if limit else None,
        hu_range=index.hu_range,
        seal=index.seal(),
    )
