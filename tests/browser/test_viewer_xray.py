"""A radiograph from the file to the export: one slice of uint16, drawn on in one pane."""

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from django.conf import settings
from playwright.sync_api import expect

from annotation.intake.services import import_now
from annotation.masks.models import MaskRevision
from annotation.masks.store import load_labels
from annotation.scans.models import Scan
from annotation.work.models import Assignment
from tests.browser.test_viewer_looks import open_viewer
from tests.chromium import shoot
from tests.factories.world import World, publish
from tests.factories.xray import COLUMNS, ROWS, make_xray, stored_values
from voxloop.storage.store import open_store
from voxloop.volume.nifti import write_image, write_labels
from voxloop.volume.pack import VolumeIndex, decode_pack


@pytest.mark.parametrize("photometric", ["MONOCHROME2", "MONOCHROME1"])
def test_an_x_ray_is_seen_drawn_on_and_exported(
    live_world: World, new_page: Any, tmp_path: Path, photometric: str
) -> None:
    result = import_now(
        path=make_xray(tmp_path / "in", photometric),
        site=live_world.sites["a"],
        campaign=live_world.campaign,
        actor=live_world["datamanager"],
    )
    assert not result["refused"]
    scan = Scan.objects.get(pk=result["scans"][0]["id"])
    assert (scan.state, scan.modality, scan.shape_zyx) == ("ready", "DX", [1, ROWS, COLUMNS])
    publish(live_world, size=7)
    assignment = Assignment.objects.get(scan=scan)
    viewer = open_viewer(new_page, assignment)
    page = viewer.page
    # MONOCHROME1 is inverted by its largest value, so that it begins at 0.
    values = stored_values().astype(int) - (0 if photometric == "MONOCHROME2" else int(stored_values().min()))
    for i, j in ((40, 60), (0, 0), (95, 119)):
        assert viewer.facts(f"huAt({i}, {j}, 0)") == values[j, i]
    expect(page.get_by_test_id("pane-coronal")).to_be_hidden()
    expect(page.get_by_test_id("pane-surface")).to_be_hidden()
    expect(page.get_by_test_id("slab")).to_have_count(0)
    expect(page.get_by_test_id("scout")).to_have_count(0)
    expect(page.get_by_test_id("window-whole-range")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_test_id("pane-axial")).to_contain_text("X-ray")
    # Growing marks the disc, and only it.
    page.keyboard.press("g")
    viewer.set_radius(12)
    viewer.stroke("g", (40, 60, 0))
    disc = stored_values() > 50_000
    assert abs(viewer.counts()["1"] - int(disc.sum())) <= 0.06 * disc.sum()
    page.get_by_test_id("tab-segments").click()
    expect(page.get_by_test_id("total-ml")).to_contain_text("cm²")
    page.wait_for_function("() => window.voxloop.lesions.length === 1")
    page.keyboard.press("j")
    expect(page.get_by_test_id("lesion-facts")).to_contain_text("mm")
    # A sphere is a disc here.
    before = viewer.counts()["1"]
    page.keyboard.press("b")
    viewer.set_radius(4)
    viewer.stroke("b", (80, 20, 0))
    y, x = np.mgrid[:ROWS, :COLUMNS]
    painted = ((y - 20) * 0.4) ** 2 + ((x - 80) * 0.5) ** 2 <= 16 + 1e-6
    assert viewer.counts()["1"] - before == int(painted.sum())
    shoot(page, f"viewer-xray-{photometric.lower()}")
    assert not (faults := viewer.clipped()), "\n".join(faults)
    revision = MaskRevision.objects.get(pk=viewer.wait_saved())
    labels = load_labels(revision, scan.shape_zyx)
    assert int((labels == 1).sum()) == viewer.counts()["1"]
    check_release(tmp_path, scan, values, labels)


def check_release(folder: Path, scan: Scan, values: np.ndarray, labels: np.ndarray) -> None:
    """The release holds uint16 with the file's values, and the mask on the same grid."""
    index = VolumeIndex.from_json(scan.index)
    pack = open_store(settings.STORAGE_URL).get(scan.pack_key)
    write_image(folder / "image.nii.gz", decode_pack(pack, index.pack, index.geometry.shape_zyx), index.geometry)
    write_labels(folder / "labels.nii.gz", labels, index.geometry)
    image, mask = (
        nib.Nifti1Image.from_filename(folder / "image.nii.gz"),
        nib.Nifti1Image.from_filename(folder / "labels.nii.gz"),
    )
    assert image.get_data_dtype() == np.uint16
    assert (values == np.asarray(image.dataobj)[..., 0].T).all()
    assert (labels[0] == np.asarray(mask.dataobj)[..., 0].T).all()
    assert np.allclose(np.abs(np.diag(image.affine))[:2], [0.5, 0.4])
