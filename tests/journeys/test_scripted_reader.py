"""A reader does 20 lesions on phantoms and a real one, by mouse and keys alone, over 5 Mbit/s that breaks now and then.

The reader knows the truth: goes to the deepest place of each lesion, sets the radius so that the circle just encloses
it, and presses. Then submits; the reviewer approves; and what is kept is what was on the screen.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK
from playwright.sync_api import Browser, Page, expect
from scipy import ndimage as ndi

from annotation.masks.selectors import head_of
from annotation.masks.store import load_labels
from annotation.scans.models import Scan
from annotation.work.models import Assignment
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
# One cut of the line at each of these lesions.
FAULTS = {2: Fault.BEFORE, 6: Fault.COMMITTED, 11: Fault.BODY, 16: Fault.ANSWER}


@dataclass
class Lesion:
    """Where it is deepest, and the radius of the circle that encloses it from there."""

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
    folder, mask = FOLDER / "lidc/LIDC-IDRI-0001", FOLDER / "lidc_masks/LIDC-IDRI-0001_reader1.nii.gz"
    if not folder.is_dir() or not mask.is_file():
        return None
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    sx, sy, sz = image.GetSpacing()
    hu = np.clip(SimpleITK.GetArrayFromImage(image), -1024, 3071).astype(np.int16)
    loaded: Any = nibabel.as_closest_canonical(nibabel.load(Path(mask)))
    truth = np.asarray(loaded.dataobj)[::-1, ::-1].transpose(2, 1, 0) > 0
    return hu, Geometry.axial(hu.shape, (sz, sy, sx)), truth


class Reader:
    """Draws what is to be found in a scan, through whatever the line does."""

    def __init__(self, page: Page, line: FaultyLine) -> None:
        self.page, self.line, self.done = page, line, 0
        self.screen: dict[Any, str] = {}

    def read(self, assignment: Assignment, lesions: list[Lesion], *, is_last: bool) -> None:
        """Draw, answer, submit, and be taken to the next scan; note what was on the screen."""
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
            wait_for("the approval", lambda n=left: mine.exclude(state="approved").count() == n, 30)
            if left:
                page.wait_for_url(lambda now, was=url: now != was)
        expect(page.get_by_role("link", name="Back to the reviews")).to_be_visible()
        context.close()
    for assignment in assignments:
        kept = load_labels(head_of(assignment.pk, "findings"), tuple(assignment.scan.shape_zyx))
        assert hashlib.sha256(kept.tobytes()).hexdigest() == reader.screen[assignment.pk]
    watched.check()
