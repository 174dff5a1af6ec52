"""A reader does 20 lesions on phantoms and a real one, by mouse and keys alone, over a 5 Mbit/s line that sometimes
breaks. The reader knows the ground truth: goes to the innermost voxel of each lesion, sets the radius of the enclosing
circle, and clicks. Then submits; the reviewer approves; the stored mask must be the one on the screen."""

import hashlib
from dataclasses import dataclass
from functools import partial
from operator import ne
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt
import pytest
from django.db.models import QuerySet
from playwright.sync_api import Browser, Page, expect
from scipy import ndimage as ndi

from annotation.masks.selectors import head_of
from annotation.masks.store import load_labels
from annotation.scans.models import Scan
from annotation.work.models import Assignment
from benchmarks._scans import real_chest_ct
from tests.chromium import Watched, log_in, open_context, shoot
from tests.factories.world import PASSWORD, add_scan, build_world, publish
from tests.faults import Fault, FaultyLine
from tests.journeys.viewer import Ijk, Viewer
from tests.product import wait_for
from tests.real_data import FOLDER
from voxloop.volume.geometry import Geometry
from voxloop.volume.phantom import make_phantom

LESIONS = 20
SHAPE_ZYX = (48, 128, 128)
LEAST_ML = 0.5
FIRST_SEED = 52_000
LINE = {"offline": False, "latency": 80, "downloadThroughput": 625_000, "uploadThroughput": 625_000}
# The line is cut once at each of these lesions.
FAULTS = {2: Fault.BEFORE, 6: Fault.COMMITTED, 11: Fault.BODY, 16: Fault.ANSWER}


@dataclass
class Lesion:
    """Its innermost voxel, and the radius of the enclosing circle around it."""

    middle: Ijk
    radius_mm: float


def lesions_of(truth_zyx: npt.NDArray[np.bool_], spacing: tuple[float, float, float]) -> list[Lesion]:
    """The connected lesions that are large enough, from the feet up."""
    found, _ = ndi.label(truth_zyx)
    lesions = []
    for number, box in enumerate(ndi.find_objects(found), start=1):
        inside = np.pad(found[box] == number, 1)
        if inside.sum() * np.prod(spacing) < 1000 * LEAST_ML:
            continue
        deepest = np.array(
            np.unravel_index(ndi.distance_transform_edt(inside, sampling=spacing).argmax(), inside.shape)
        )
        reach = np.linalg.norm((np.argwhere(inside) - deepest) * spacing, axis=1).max()
        k, j, i = (int(part.start + at - 1) for part, at in zip(box, deepest, strict=True))
        lesions.append(Lesion((i, j, k), float(np.clip(reach, 4, 30))))
    return lesions


def real_scan() -> tuple[npt.NDArray[np.int16], Geometry, npt.NDArray[np.bool_]] | None:
    """LIDC-IDRI-0001 and its tumour as the first reader saw it; `None` where the scan is not present."""
    found, mask = real_chest_ct(), FOLDER / "lidc_masks/LIDC-IDRI-0001_reader1.nii.gz"
    if found is None or not mask.is_file():
        return None
    hu, spacing = found
    loaded: Any = nibabel.as_closest_canonical(nibabel.Nifti1Image.from_filename(Path(mask)))
    truth = np.asarray(loaded.dataobj)[::-1, ::-1].transpose(2, 1, 0) > 0
    return hu, Geometry.axial(hu.shape, spacing), truth


class Reader:
    """Draws the lesions of a scan, despite faults of the line."""

    def __init__(self, page: Page, line: FaultyLine) -> None:
        self.page, self.line, self.done = page, line, 0
        self.screen: dict[Any, str] = {}

    def read(self, assignment: Assignment, lesions: list[Lesion], *, is_last: bool) -> None:
        """Draw, answer, submit, and go to the next scan; records the mask on the screen."""
        page = self.page
        viewer = Viewer(page).wait_ready()
        for lesion in lesions:
            if fault := FAULTS.get(self.done):
                self.line.arm(fault)
            page.keyboard.press("g")
            viewer.set_radius(lesion.radius_mm)
            viewer.go_to(lesion.middle)
            viewer.stroke("g", lesion.middle)
            self.done += 1
        viewer.wait_saved()
        self.screen[assignment.pk] = viewer.mask_hash()
        assert viewer.counts().get("1", 0) > 0
        shoot(page, f"scripted-reader-{len(self.screen)}")
        page.get_by_test_id("tab-questions").click()
        page.get_by_test_id("answer-diagnosis-covid19").click()
        page.get_by_test_id("answer-quality-good").click()
        page.keyboard.press("Control+Enter")
        warned = page.get_by_role("button", name="Submit with these warnings")

        def is_submitted() -> bool:
            return Assignment.objects.get(pk=assignment.pk).state == "submitted"

        wait_for("the submission or its warnings", lambda: warned.is_visible() or is_submitted(), 30)
        if warned.is_visible():
            warned.click()
        wait_for("the submission", is_submitted, 30)
        if not is_last:
            page.wait_for_url(lambda url: "/view/" in url and str(assignment.pk) not in url)


def _is_left(mine: QuerySet[Assignment], count: int) -> bool:
    return mine.exclude(state="approved").count() == count


@pytest.mark.django_db(transaction=True)
def test_twenty_lesions_and_a_real_one_over_a_line_that_breaks(
    transactional_db: None, browser: Browser, live_server: Any
) -> None:
    world = build_world(scans=0)
    truth: dict[Scan, list[Lesion]] = {}
    seed, left = FIRST_SEED, LESIONS
    while left > 0:
        phantom = make_phantom(seed, "ABC"[seed % 3], SHAPE_ZYX)
        found = lesions_of(phantom.findings_zyx == 1, phantom.geometry.spacing_mm_zyx)[:left]
        if found:
            truth[add_scan(world, "a", phantom.hu_zyx, phantom.geometry, number=seed)] = found
        seed, left = seed + 1, left - len(found)
    if (real := real_scan()) is not None:
        hu, geometry, mask = real
        truth[add_scan(world, "b", hu, geometry, number=seed)] = lesions_of(mask, geometry.spacing_mm_zyx)[:1]
    batch = publish(world, size=len(truth))

    watched = Watched(expected=["net::ERR_"])
    with FaultyLine(live_server.url) as line:
        context = open_context(browser, line.url, watched)
        page = context.new_page()
        context.new_cdp_session(page).send("Network.emulateNetworkConditions", LINE)
        log_in(page, "annotator", PASSWORD)
        reader = Reader(page, line)
        assignments = list(batch.assignments.select_related("scan").order_by("position"))
        mine = Assignment.objects.filter(pk__in=[assignment.pk for assignment in assignments])
        page.goto(f"/view/{assignments[0].pk}/")
        for assignment in assignments:
            reader.read(assignment, truth[assignment.scan], is_last=assignment == assignments[-1])
        assert [fault for fault, _ in line.befallen] == list(FAULTS.values())
        assert reader.done == LESIONS + (real is not None)
        context.close()

        context = open_context(browser, line.url, watched)
        page = context.new_page()
        log_in(page, "reviewer", PASSWORD)
        page.goto("/reviews/")
        page.get_by_role("link", name="Review next").or_(page.get_by_role("button", name="Review next")).first.click()
        for left in reversed(range(len(truth))):
            Viewer(page).wait_ready()
            url = page.url
            page.keyboard.press("a")
            page.keyboard.press("Enter")
            wait_for("the approval", partial(_is_left, mine, left), 30)
            if left:
                page.wait_for_url(partial(ne, url))
        expect(page.get_by_role("link", name="Back to the reviews")).to_be_visible()
        context.close()
    for assignment in assignments:
        kept = load_labels(head_of(assignment.pk, "findings"), tuple(assignment.scan.shape_zyx))
        assert hashlib.sha256(kept.tobytes()).hexdigest() == reader.screen[assignment.pk]
    watched.check()
