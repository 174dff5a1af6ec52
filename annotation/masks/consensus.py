"""Store what several readers of a scan say together as a new revision; their own stay as they are."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from annotation.masks.models import MaskRevision
from annotation.masks.services import check_labels, store_mask
from annotation.scans.models import Scan
from annotation.work.models import Assignment
from annotation.work.schema import Layer
from voxloop.accounts.models import User
from voxloop.audit.services import record
from voxloop.volume.labelmap import split_labelmap
from voxloop.volume.labelmap.chunks import Labels


@transaction.atomic
def store_consensus(
    *,
    scan: Scan,
    layer: Layer,
    labels_zyx: Labels,
    actor: User,
    source: Mapping[str, Any],
    assignment: Assignment | None = None,
    parent: MaskRevision | None = None,
) -> MaskRevision:
    """Store what several readers say together, or an arbitrator between them. `source` names the way and the
    readings (docs/formats.md); the readings stay as they are."""
    check_labels(labels_zyx, scan)
    revision = store_mask(
        scan=scan,
        layer=layer,
        payloads=split_labelmap(labels_zyx),
        kind=MaskRevision.Kind.CONSENSUS,
        author=actor,
        source=source,
        assignment=assignment,
        parent=parent,
    )
    record(
        actor=actor,
        action="mask.consensus",
        target=revision,
        new={"scan": scan.code, "layer": layer.name, "source": dict(source)},
    )
    return revision
