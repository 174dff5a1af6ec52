"""The loop as one story: real processes, real HTTP, a real browser.

A data manager uploads DICOM → a coordinator publishes → an annotator grows a lesion, reloads, finds the same voxels and
submits → a reviewer returns it with a pinned comment → it is corrected and approved → a model is trained on approved
masks, promoted, and pre-annotates the rest → a release is frozen, exported, and verified offline."""

import gzip
import json
import subprocess
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import nibabel
import numpy as np
from playwright.sync_api import Browser, Page, expect
from scipy import ndimage

from tests.chromium import Watched, log_in, open_context, shoot
from tests.factories.world import PASSWORD
from tests.journeys.client import CODES, READ_THE_REST, SEED, Api, answer, pack_series
from tests.journeys.viewer import Viewer
from tests.product import wait_for

# Subjects of the training sites with a lesion that is easy to hit, then of the hold-out; chosen by inspection.
SUBJECTS = {"a": range(1000, 1005), "b": range(2000, 2003), "c": range(3000, 3004)}


# All reading except the browser's, through the services.


class Running(Protocol):
    """A product with running servers and migrated tables."""

    url: str
    releases: Path  # where an export can be read
    export_to: str  # the destination that a data manager chooses; "": the server's own folder

    def manage(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]: ...


def tell_the_story(
    product: Running, start: Callable[[str], object], tmp_path: Path, browser: Browser, watched: Watched, **options: Any
) -> None:
    """Run the loop. `start` starts a process by name; `options` are for browser profiles."""
    campaign = product.manage("shell", "-v", "0", "-c", SEED.format(password=PASSWORD)).stdout.split()[-1]
    for name in ("web", "default", "ml"):
        start(name)
    story = Story(product, campaign, tmp_path)
    story.send_scans()
    story.give_one_out()

    def page_of(username: str) -> Page:
        page = open_context(browser, product.url, watched, **options).new_page()
        log_in(page, username, PASSWORD)
        return page

    desk = page_of("annotator")
    target, grown, voxels = story.draw(desk)
    review = page_of("reviewer")
    story.send_back(review, target, voxels)
    approved = story.correct_and_approve(desk, review, target, grown)
    story.read_the_rest()
    story.train()
    story.find_a_prediction(desk)
    story.release(approved, grown)


class Story:
    """The loop, step by step; steps share results."""

    def __init__(self, product: Running, campaign: str, folder: Path) -> None:
        self.product, self.campaign, self.folder = product, campaign, folder
        self.datamanager, self.coordinator = Api(product.url, "datamanager"), Api(product.url, "coordinator")
        self.reviewer = Api(product.url, "reviewer")
        self.phantoms: dict[str, Any] = {}  # by the code that intake gave their subject
        self.codes: dict[str, str] = {}
        self.scans: dict[str, Any] = {}
        self.ours = self.scan = ""

    def shell(self, code: str) -> str:
        """Run a line of Python in the product; returns the last word printed."""
        return self.product.manage("shell", "-v", "0", "-c", code).stdout.split()[-1]

    def send_scans(self) -> None:
        """DICOM is imported by the real intake."""
        phantoms: dict[str, Any] = {}
        for site, numbers in SUBJECTS.items():
            data, made = pack_series(site, numbers, self.folder)
            phantoms |= made
            job = self.datamanager.upload(f"{site}.zip", data, site=site, campaign="chest-ct")
            wait_for("the import", partial(self.has_succeeded, job["id"]), 120)
        self.scans = {row["code"]: row for row in self.datamanager.call("GET", "/scans/?page_size=200")["results"]}
        assert [row["state"] for row in self.scans.values()] == ["ready"] * len(phantoms)
        self.codes = json.loads(
            self.product.manage("shell", "-v", "0", "-c", CODES.format(names=list(phantoms))).stdout
        )
        self.phantoms = {self.codes[name]: phantom for name, phantom in phantoms.items()}

    def has_succeeded(self, job: str) -> bool:
        return bool(self.datamanager.call("GET", f"/jobs/{job}/")["state"] == "succeeded")

    def give_one_out(self) -> None:
        """The coordinator assigns one scan; it is the one with the largest infectious opacity of site a."""
        of_site_a = [self.codes[name] for name in self.codes if name.startswith("A")]
        self.ours = max(of_site_a, key=lambda s: int((self.phantoms[s].findings_zyx == 1).sum()))
        self.scan = self.shell(
            f"from annotation.scans.models import Scan; print(Scan.objects.get(subject__pseudonym={self.ours!r}).pk)"
        )
        wanted = {"campaign": self.campaign, "size": 1, "choose": "hand", "scans": [self.scan]}
        batch = self.coordinator.call("POST", "/batches/", {**wanted, "assignee": "annotator", "publish": True})
        assert batch["scans"] == 1

    def draw(self, page: Page) -> tuple[tuple[int, int, int], dict[str, int], str]:
        """The annotator grows the lesion, reloads, finds the same voxels and hands them in."""
        page.goto("/worklist/")
        page.get_by_role("link", name="Open scan").first.click()
        viewer = Viewer(page).wait_ready()
        target = middle_of(self.phantoms[self.ours].findings_zyx == 1)
        viewer.go_to(target)
        page.keyboard.press("g")
        viewer.set_radius(20)
        viewer.stroke("g", target)
        grown = viewer.counts()
        assert grown.get("1", 0) > 50
        viewer.wait_saved()
        voxels = viewer.mask_hash()
        shoot(page, "journey-grown")
        page.reload()
        viewer.wait_ready()
        assert viewer.counts() == grown
        assert viewer.mask_hash() == voxels
        answer(page)
        page.keyboard.press("Control+Enter")
        page.get_by_role("button", name="Submit with these warnings").click()  # not every slice was looked at
        self.wait_for_rounds("pending")
        page.get_by_role("link", name="Back to my work").click()
        page.wait_for_url("**/worklist/")
        return target, grown, voxels

    def wait_for_rounds(self, state: str) -> None:
        wait_for(f"a round {state}", lambda: self.reviewer.call("GET", f"/reviews/?state={state}")["results"], 20)

    def review_next(self, review: Page) -> Viewer:
        review.goto("/reviews/")
        link = review.get_by_role("link", name="Review next")
        link.or_(review.get_by_role("button", name="Review next")).first.click()
        return Viewer(review).wait_ready()

    def send_back(self, review: Page, target: tuple[int, int, int], voxels: str) -> None:
        """The reviewer returns it with a comment pinned to a voxel."""
        judge = self.review_next(review)
        assert judge.mask_hash() == voxels
        first = self.reviewer.call("GET", "/reviews/?state=claimed")["results"][0]
        judge.go_to(target)
        review.keyboard.press("c")
        review.mouse.click(*judge.at(target))
        review.get_by_test_id("dialog-text").fill("Lesion is cut short below; follow it.")
        review.get_by_test_id("dialog-done").click()
        expect(review.get_by_test_id("draft")).to_have_count(1)
        shoot(review, "journey-comment")
        review.keyboard.press("r")
        one = f"/reviews/{first['id']}/"
        wait_for("the return", lambda: self.reviewer.call("GET", one)["state"] == "returned", 20)

    def correct_and_approve(self, page: Page, review: Page, target: tuple[int, int, int], grown: dict[str, int]) -> str:
        """It is first in the annotator's list; corrected, it goes back and is approved. Returns the revision."""
        viewer = self.open_first(page)
        pin = context_of(page)["comments"][0]
        assert pin["text"].startswith("Lesion is cut short")
        assert max(abs(a - b) for a, b in zip(pin["ijk"], target, strict=True)) <= 1
        viewer.go_to(target)
        page.keyboard.press("b")
        viewer.set_radius(6)
        viewer.stroke("b", (target[0] + 6, target[1], target[2]))
        assert viewer.counts()["1"] > grown["1"]
        approved = viewer.wait_saved()
        final = viewer.mask_hash()
        page.keyboard.press("Control+Enter")
        page.get_by_role("button", name="Submit with these warnings").click()
        self.wait_for_rounds("pending")
        assert self.review_next(review).mask_hash() == final
        shoot(review, "journey-review")
        review.keyboard.press("a")
        review.keyboard.press("Enter")
        self.wait_for_rounds("approved")
        expect(review.get_by_role("link", name="Back to the reviews")).to_be_visible()
        return approved

    def open_first(self, page: Page) -> Viewer:
        page.goto("/worklist/")
        page.get_by_role("link", name="Open scan").first.click()
        return Viewer(page).wait_ready()

    def read_the_rest(self) -> None:
        """The others are read through the services, so that there is something to learn from."""
        of_site_a = [name for name in self.codes if name.startswith("A") and self.codes[name] != self.ours]
        unopened = self.codes[max(of_site_a)]
        rest = {s: found.findings_zyx for s, found in self.phantoms.items() if s not in (self.ours, unopened)}
        np.savez_compressed(self.folder / "truth.npz", **rest)
        self.product.manage("shell", "-v", "0", "-c", READ_THE_REST.format(truth=str(self.folder / "truth.npz")))

    def train(self) -> None:
        """A model is trained by the real worker, left to a person by the gate because few scans were measured,
        promoted by the coordinator, and pre-annotates unopened scans."""
        run = self.coordinator.call("POST", "/training-runs/", {"campaign": self.campaign})

        def ended() -> Any:
            found = self.coordinator.call("GET", f"/training-runs/{run['id']}/")
            return found if found["state"] in ("promoted", "undecided", "rejected", "failed", "lost") else None

        found = wait_for("the training run", ended, 600)
        assert found["state"] == "undecided", found
        assert found["curves"]
        self.coordinator.call("POST", f"/models/{found['model']}/promote", {"reason": "The first one."})
        query = (
            "from annotation.learning.models import PreAnnotation; "
            "print(PreAnnotation.objects.filter(state='ready', scan__site__code='a').count())"
        )
        wait_for("pre-annotations", lambda: int(self.shell(query)), 120, 3)

    def find_a_prediction(self, page: Page) -> None:
        """The next scan starts from the model's prediction."""
        wanted = {"campaign": self.campaign, "size": 1, "assignee": "annotator", "publish": True}
        self.coordinator.call("POST", "/batches/", wanted)
        self.open_first(page)
        context = context_of(page)
        assert context["masks"]["findings"]["start"] == "prediction"
        assert [overlay["key"] for overlay in context["overlays"]] == ["prediction"]

    def release(self, approved: str, grown: dict[str, int]) -> None:
        """A release is frozen, exported and verified; a tampered one fails."""
        product = self.product
        release = self.datamanager.call("POST", "/releases/", {"campaign": self.campaign, "name": "2026.1"})
        self.datamanager.call("POST", f"/releases/{release['id']}/freeze")
        destination = {"destination": product.export_to} if product.export_to else {}
        self.datamanager.call("POST", f"/releases/{release['id']}/export", destination)
        wait_for("the export", lambda: list(product.releases.glob("[!.]*/SHA256SUMS")), 180)
        done = next(product.releases.glob("[!.]*/SHA256SUMS")).parent
        assert product.manage("verify_release", str(done)).returncode == 0
        code = next(row["code"] for row in self.scans.values() if row["id"] == self.scan)
        label = done / "labels" / f"{code}.nii.gz"
        labels = np.asarray(nibabel.Nifti1Image.from_filename(label).dataobj)
        assert (labels == reviewer_mask(self.reviewer, approved)).all()
        assert int((labels == 1).sum()) > grown["1"]
        label.write_bytes(label.read_bytes()[:-9] + b"tampered!")
        assert product.manage("verify_release", str(done), check=False).returncode == 1
        assert product.manage("verify_audit").returncode == 0


def context_of(page: Page) -> dict[str, Any]:
    """The context in the viewer's page."""
    found: dict[str, Any] = json.loads(page.locator("#context").text_content() or "")
    return found


def middle_of(mask: np.ndarray) -> tuple[int, int, int]:
    """A voxel (i, j, k) deep inside the mask."""
    k, j, i = np.unravel_index(int(ndimage.distance_transform_edt(mask).argmax()), mask.shape)
    return int(i), int(j), int(k)


def assignment_of(url: str) -> str:
    return url.rstrip("/").rpartition("/")[2]


def reviewer_mask(reviewer: Api, revision: str) -> np.ndarray:
    """The approved voxels as the API serves them, NIfTI."""
    request = urllib.request.Request(
        f"{reviewer.url}/api/v1/revisions/{revision}/mask",
        headers={"Authorization": f"Token {reviewer.token}", "Accept": "application/gzip"},
    )

    with urllib.request.urlopen(request, timeout=60) as answer_:
        raw = gzip.decompress(answer_.read())
    return np.asarray(nibabel.Nifti1Image.from_bytes(raw).dataobj)
