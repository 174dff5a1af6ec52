"""Lungs and lobes: a read-only layer is imported by a command, and is in the viewer's context."""

import gzip
import json
from io import StringIO
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from annotation.masks.importing import import_mask
from annotation.masks.models import MaskRevision
from annotation.masks.nifti import geometry_of
from annotation.reviews.context import viewer_context
from annotation.scans.models import Scan
from annotation.scans.services import set_site_membership
from tests.factories.world import SHAPE, World, first_of, publish
from voxloop.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from voxloop.volume.labelmap import MEDIA_TYPE, decode_message, encode_message

pytestmark = pytest.mark.django_db


def lobes() -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Five slabs across the scan, ids 1-5."""
    return np.broadcast_to((np.arange(SHAPE[2]) * 5 // SHAPE[2] + 1).astype(np.uint8), SHAPE).copy()


def nifti_of(labels: np.ndarray[Any, Any], scan: Scan) -> bytes:
    image = nibabel.Nifti1Image(labels.transpose(2, 1, 0), geometry_of(scan).ras_from_ijk())
    return gzip.compress(image.to_bytes())


def test_lobes_by_the_command_are_in_the_context_and_readable(world: World, tmp_path: Path) -> None:
    assignment = first_of(publish(world))
    scan = assignment.scan
    assert "anatomy" not in viewer_context(assignment, world["annotator"]).masks
    (tmp_path / "lobes.nii.gz").write_bytes(nifti_of(lobes(), scan))
    told = []
    for _ in range(2):
        out = StringIO()
        call_command(
            "import_anatomy", scan.code, str(tmp_path / "lobes.nii.gz"), campaign="chest-ct", json=True, stdout=out
        )
        told.append(json.loads(out.getvalue()))
    assert [row["new"] for row in told] == [True, False]
    mask = viewer_context(assignment, world["annotator"]).masks["anatomy"]
    assert (str(mask.head), mask.start, mask.source) == (told[0]["revision"], "import", "")

    client = Client()
    client.force_login(world["annotator"], backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get(mask.url, headers={"Accept": MEDIA_TYPE})
    assert np.array_equal(decode_message(answer.content, SHAPE).labels(), lobes())
    refused = client.put(
        mask.url,
        encode_message("anatomy", SHAPE, {}, []),
        MEDIA_TYPE,
        headers={"If-Match": f'"{mask.head}"', "Idempotency-Key": "8f14e45f-ceea-4a1b-9c1d-1f1f1f1f1f1f"},
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "not_editable")
    assert MaskRevision.objects.filter(layer="anatomy").count() == 1


def test_who_and_what_is_refused(world: World) -> None:
    scan = world.scans[0]
    good = nifti_of(lobes(), scan)

    def send(body: bytes = good, *, layer: str = "anatomy", who: str = "datamanager") -> None:
        import_mask(scan=scan, campaign=world.campaign, layer=layer, body=body, actor=world[who])

    with pytest.raises(Forbidden):
        send(who="annotator")
    with pytest.raises(Conflict, match="drawn by people"):
        send(layer="findings")
    with pytest.raises(Invalid, match="There is no layer"):
        send(layer="bones")
    with pytest.raises(Invalid, match="has no segment 7"):
        send(nifti_of(lobes() + np.uint8(5 + 1), scan))
    with pytest.raises(Invalid, match="voxels"):
        send(nifti_of(lobes()[:-1], scan))
    set_site_membership(user=world["datamanager"], site=scan.site, is_member=False, actor=world["admin"])
    with pytest.raises(NotFound):
        send()
    assert not MaskRevision.objects.exists()


def test_the_command_says_what_is_missing(world: World, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no scan VX-Z-0001") as error:
        call_command("import_anatomy", "VX-Z-0001", str(tmp_path / "x.nii.gz"), campaign="chest-ct")
    assert error.value.returncode == 2
    (tmp_path / "x.nii.gz").write_bytes(b"no mask")
    with pytest.raises(CommandError, match=r"not a whole \.nii\.gz") as error:
        call_command("import_anatomy", world.scans[0].code, str(tmp_path / "x.nii.gz"), campaign="chest-ct")
    assert error.value.returncode == 1
