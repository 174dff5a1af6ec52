"""Import masks of read-only layers (lungs, lobes) for existing scans."""

from django.db import transaction

from annotation.masks.models import MaskRevision
from annotation.masks.nifti import geometry_of, read_nifti_labels
from annotation.masks.selectors import newest_given
from annotation.masks.services import store_import
from annotation.masks.store import hash_of, key_of
from annotation.scans.models import Scan
from annotation.scans.volumes import ready_volume
from annotation.work.models import Campaign
from annotation.work.permissions import require_role
from annotation.work.schema import Layer, parse_schema
from annotation.work.selectors import visible_scans
from annotation.work.withdrawing import check_not_withdrawn
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.kernel.errors import Conflict, NotFound
from voxloop.volume.labelmap import chunk_name, decode_chunk, split_labelmap
from voxloop.volume.labelmap.chunks import Labels


@transaction.atomic
def import_mask(*, scan: Scan, campaign: Campaign, layer: str, body: bytes, actor: User) -> tuple[MaskRevision, bool]:
    """Store a `.nii.gz` on the scan's grid as the mask of a read-only layer (lungs, lobes). Returns the revision and
    whether it is new: the same voxels sent twice are one. Raises Forbidden, NotFound, Conflict (`layer_is_drawn`,
    `not_editable`), Invalid (`bad_mask`, `unknown_layer`)."""
    require_role(actor, campaign, Role.DATA_MANAGER, Role.COORDINATOR)
    if not visible_scans(actor).filter(pk=scan.pk).exists():
        raise NotFound
    check_not_withdrawn(scan)
    target_layer: Layer = parse_schema(campaign.schema.definition).layer(layer)
    if target_layer.editable:
        raise Conflict(
            f"Layer {layer} is drawn by people; a mask for it comes with its scan or by import_masks.",
            code="layer_is_drawn",
        )
    ready_volume(scan)
    labels = read_nifti_labels(body, geometry_of(scan))
    newest = newest_given(scan.pk, layer)
    if newest is not None and newest.content_hash == content_hash(labels, scan):
        return newest, False
    return store_import(scan=scan, layer=target_layer, labels_zyx=labels, actor=actor), True


def content_hash(labels_zyx: Labels, scan: Scan) -> str:
    """The content hash that these labels would have as a revision of the scan."""
    payloads = split_labelmap(labels_zyx)
    return hash_of(
        {key_of(index): chunk_name(decode_chunk(data)) for index, data in payloads.items()},
        ready_volume(scan).shape_zyx,
    )
