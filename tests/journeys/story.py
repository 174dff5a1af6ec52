"""The loop as one story: real processes, real HTTP, a real browser.

A data manager uploads DICOM → a coordinator publishes → an annotator grows a lesion, reloads, finds the same voxels and
submits → a reviewer returns it with a pinned comment → it is corrected and approved → a model is trained on what was
approved, promoted, and pre-annotates the rest → a release is frozen, exported, and proved offline.
"""

import io
import json
import subprocess
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import nibabel
import numpy as np
from playwright.sync_api import Browser, expect

from annotation.demonstration.dicom import SCANNERS, write_ct_series
from tests.chromium import Watched, log_in, open_context, shoot
from tests.factories.world import PASSWORD
from tests.journeys.viewer import Viewer
from tests.product import wait_for
from voxloop.volume.phantom import PROFILES, make_phantom

SHAPE = (40, 112, 112)
# Subjects of the training sites with a lesion that one can hit, then of the hold-out; chosen by looking.
SUBJECTS = {"a": range(1000, 1005), "b": range(2000, 2003), "c": range(3000, 3004)}

SEED = """
from annotation.scans.services import create_site
from annotation.work.people import invite_person
from annotation.work.campaigns import create_campaign
from annotation.work.standard import CHEST_CT
from voxloop.accounts.roles import Role
admin = invite_person(username="admin", password={password!r}, actor="test", is_administrator=True)
sites = [create_site(code=c, name="Site " + c, split=s, actor=admin)
         for c, s in (("a", "train"), ("b", "train"), ("c", "validation"))]
campaign = create_campaign(name="Chest CT", slug="chest-ct", definition=CHEST_CT, actor=admin,
                           blank_share=0.0, retrain_after=1000)
for name, role in (("annotator", Role.ANNOTATOR), ("annotator2", Role.ANNOTATOR), ("reviewer", Role.REVIEWER),
                   ("coordinator", Role.COORDINATOR), ("datamanager", Role.DATA_MANAGER)):
    invite_person(username=name, password={password!r}, actor=admin, roles=[(campaign, role)], sites=sites)
print(campaign.pk)
"""

# Everybody's reading but the one that the browser does, through the same services.
READ_THE_REST = """
import json, sys
from uuid import uuid4
import numpy as np
from annotation.masks.answers import save_answers
from annotation.masks.services import begin, save_message
from annotation.masks.states import EMPTY
from annotation.reviews.services import approve_round, claim_round, submit_assignment
from annotation.work.models import Assignment
from annotation.work.batches import create_batch, publish_batch
from annotation.work.models import Campaign
from annotation.scans.models import Scan
from voxloop.accounts.models import User
from voxloop.kernel.clock import now
from voxloop.volume.labelmap import encode_message, split_labelmap
people = {{user.username: user for user in User.objects.all()}}
campaign = Campaign.objects.get()
truth = np.load({truth!r})
codes = [scan for scan in Scan.objects.filter(state="ready").order_by("code") if scan.subject.pseudonym in truth.files]
batch = create_batch(campaign=campaign, actor=people["coordinator"], assignee=people["annotator2"], size=50,
                     scan_ids=[scan.pk for scan in codes])
publish_batch(batch_id=batch.pk, actor=people["coordinator"])
for assignment in batch.assignments.select_related("scan__subject"):
    labels = truth[assignment.scan.subject.pseudonym]
    begin(assignment_id=assignment.pk, actor=people["annotator2"])
    if labels.any():
        message = encode_message("findings", labels.shape, split_labelmap(labels))
        save_message(assignment_id=assignment.pk, layer="findings", key=uuid4(), if_match=EMPTY,
                     actor=people["annotator2"], message=message)
    infected = bool(np.isin(labels, [1, 2, 3]).any())
    values = {{"diagnosis": "covid19" if infected else "no_signs", "quality": "good"}}
    if not labels.any():
        values["confirmed_empty"] = True
    save_answers(assignment_id=assignment.pk, values=values, actor=people["annotator2"])
    round_ = submit_assignment(assignment_id=assignment.pk, actor=people["annotator2"],
                               acknowledged=["mask_outside_lung"])
    claim_round(round_id=round_.pk, actor=people["reviewer"])
    approve_round(round_id=round_.pk, actor=people["reviewer"], signed_at=now())
print(len(codes))
"""


class Api:
    """A script that uses the API with a token."""

    def __init__(self, url: str, username: str) -> None:
        self.url, self.token = url, ""
        self.token = self.call("POST", "/auth/token", {"username": username, "password": PASSWORD})["token"]

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
        head = {"Content-Type": "application/json", **(headers or {})}
        if self.token:
            head["Authorization"] = f"Token {self.token}"
        request = urllib.request.Request(f"{self.url}/api/v1{path}", data=data, method=method, headers=head)
        with urllib.request.urlopen(request, timeout=60) as answer:
            raw = answer.read()
        return json.loads(raw) if raw else None

    def upload(self, name: str, data: bytes, **fields: str) -> Any:
        edge = "voxloop-test-boundary"
        parts = [
            f'--{edge}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode() for k, v in fields.items()
        ]
        parts.append(
            f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            "Content-Type: application/zip\r\n\r\n".encode()
            + data
            + f"\r\n--{edge}--\r\n".encode()
        )
        return self.call(
            "POST", "/scans/upload", b"".join(parts), {"Content-Type": f"multipart/form-data; boundary={edge}"}
        )


# The intake re-keys what names a patient: which code it has given to which phantom.
CODES = """
import json
from annotation.scans.pseudonyms import open_key
from annotation.work.campaigns import key_of
from annotation.work.models import Campaign
codes = open_key(key_of(Campaign.objects.get()))
print(json.dumps({{name: codes.subject(name[0].lower(), "patient", name) for name in {names!r}}}))
"""


def pack_series(site: str, numbers: range, folder: Path) -> tuple[bytes, dict[str, Any]]:
    """A zip of one CT series per subject, and the phantoms by pseudonym."""
    out, phantoms = io.BytesIO(), {}
    with zipfile.ZipFile(out, "w") as archive:
        for seed in numbers:
            subject = f"{site.upper()}{seed}"
            phantom = phantoms[subject] = make_phantom(seed, PROFILES[site.upper()], shape_zyx=SHAPE)
            place = folder / subject
            place.mkdir()
            hu = np.clip(phantom.hu_zyx, -1024, 3071)
            for path in write_ct_series(place, hu, phantom.geometry, subject=subject, scanner=SCANNERS[site]):
                archive.write(path, f"{subject}/{path.name}")
    return out.getvalue(), phantoms


class Running(Protocol):
    """A product whose servers run and whose tables are made."""

    url: str
    releases: Path  # where an export can be read
    export_to: str  # the destination that a data manager chooses; "": the server's own folder

    def manage(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]: ...


def tell_the_story(
    product: Running, start: Callable[[str], object], tmp_path: Path, browser: Browser, watched: Watched, **options: Any
) -> None:
    """`start` starts what is not running yet, by name; `options` are those of the browser's profiles."""
    campaign = product.manage("shell", "-v", "0", "-c", SEED.format(password=PASSWORD)).stdout.split()[-1]
    for name in ("web", "default", "ml"):
        start(name)

    # Real DICOM comes in through the real intake.
    datamanager = Api(product.url, "datamanager")
    phantoms: dict[str, Any] = {}
    for site, numbers in SUBJECTS.items():
        data, made = pack_series(site, numbers, tmp_path)
        phantoms |= made
        job = datamanager.upload(f"{site}.zip", data, site=site, campaign="chest-ct")
        wait_for(
            "the import", lambda job=job: datamanager.call("GET", f"/jobs/{job['id']}/")["state"] == "succeeded", 120
        )
    scans = {row["code"]: row for row in datamanager.call("GET", "/scans/?page_size=200")["results"]}
    assert [row["state"] for row in scans.values()] == ["ready"] * len(phantoms)

    # The coordinator gives one scan out; it is the one with the largest infectious opacity of site a.
    coordinator = Api(product.url, "coordinator")
    codes = json.loads(product.manage("shell", "-v", "0", "-c", CODES.format(names=list(phantoms))).stdout)
    phantoms = {codes[name]: phantom for name, phantom in phantoms.items()}
    of_site_a = [codes[name] for name in codes if name.startswith("A")]
    ours = max(of_site_a, key=lambda s: int((phantoms[s].findings_zyx == 1).sum()))
    find = f"from annotation.scans.models import Scan; print(Scan.objects.get(subject__pseudonym={ours!r}).pk)"
    scan = product.manage("shell", "-v", "0", "-c", find).stdout.split()[-1]
    batch = coordinator.call(
        "POST",
        "/batches/",
        {"campaign": campaign, "size": 1, "choose": "hand", "scans": [scan], "assignee": "annotator", "publish": True},
    )
    assert batch["scans"] == 1

    # The annotator grows the lesion, reloads, and finds the same voxels.
    profile = open_context(browser, product.url, watched, **options)
    page = profile.new_page()
    log_in(page, "annotator", PASSWORD)
    page.goto("/worklist/")
    page.get_by_role("link", name="Open scan").first.click()
    viewer = Viewer(page).wait_ready()
    target = middle_of(phantoms[ours].findings_zyx == 1)
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
    reviewer = Api(product.url, "reviewer")
    wait_for("the submission", lambda: reviewer.call("GET", "/reviews/?state=pending")["results"], 20)
    page.get_by_role("link", name="Back to my work").click()
    page.wait_for_url("**/worklist/")

    # The reviewer returns it with a comment pinned to a voxel.
    desk = open_context(browser, product.url, watched, **options)
    review = desk.new_page()
    log_in(review, "reviewer", PASSWORD)
    review.goto("/reviews/")
    review.get_by_role("link", name="Review next").or_(review.get_by_role("button", name="Review next")).first.click()
    judge = Viewer(review).wait_ready()
    assert judge.mask_hash() == voxels
    round_1 = reviewer.call("GET", "/reviews/?state=claimed")["results"][0]
    judge.go_to(target)
    review.keyboard.press("c")
    review.mouse.click(*judge.at(target))
    review.get_by_test_id("dialog-text").fill("Lesion is cut short below; follow it.")
    review.get_by_test_id("dialog-done").click()
    expect(review.get_by_test_id("draft")).to_have_count(1)
    shoot(review, "journey-comment")
    review.keyboard.press("r")
    wait_for("the return", lambda: reviewer.call("GET", f"/reviews/{round_1['id']}/")["state"] == "returned", 20)

    # It is first in the annotator's list; corrected, it goes back and is approved.
    page.goto("/worklist/")
    page.get_by_role("link", name="Open scan").first.click()
    viewer.wait_ready()
    context = json.loads(page.locator("#context").text_content() or "")
    pin = context["comments"][0]
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
    wait_for("the second round", lambda: reviewer.call("GET", "/reviews/?state=pending")["results"], 20)
    review.goto("/reviews/")
    review.get_by_role("link", name="Review next").or_(review.get_by_role("button", name="Review next")).first.click()
    judge.wait_ready()
    assert judge.mask_hash() == final
    shoot(review, "journey-review")
    review.keyboard.press("a")
    wait_for("the approval", lambda: reviewer.call("GET", "/reviews/?state=approved")["results"], 20)

    expect(review.get_by_role("link", name="Back to the reviews")).to_be_visible()

    # The others are read through the services, so that there is something to learn from.
    unopened = codes[max(name for name in codes if name.startswith("A") and codes[name] != ours)]
    rest = {s: phantom.findings_zyx for s, phantom in phantoms.items() if s not in (ours, unopened)}
    np.savez_compressed(tmp_path / "truth.npz", **rest)
    product.manage("shell", "-v", "0", "-c", READ_THE_REST.format(truth=str(tmp_path / "truth.npz")))

    # A model is trained by the real worker, promoted by the gate, and pre-annotates what nobody has opened.
    run = coordinator.call("POST", "/training-runs/", {"campaign": campaign})
    ended = wait_for(
        "the training run",
        lambda: (
            (found := coordinator.call("GET", f"/training-runs/{run['id']}/"))["state"]
            in ("promoted", "rejected", "failed", "lost")
            and found
        ),
        300,
    )
    assert ended["state"] == "promoted", ended
    assert ended["curves"]
    query = (
        "from annotation.learning.models import PreAnnotation; "
        "print(PreAnnotation.objects.filter(state='ready', scan__site__code='a').count())"
    )
    wait_for("pre-annotations", lambda: int(product.manage("shell", "-v", "0", "-c", query).stdout.split()[-1]), 120, 3)
    batch = coordinator.call(
        "POST", "/batches/", {"campaign": campaign, "size": 1, "assignee": "annotator", "publish": True}
    )
    page.goto("/worklist/")
    page.get_by_role("link", name="Open scan").first.click()
    viewer.wait_ready()
    context = json.loads(page.locator("#context").text_content() or "")
    assert context["masks"]["findings"]["start"] == "prediction"
    assert [overlay["key"] for overlay in context["overlays"]] == ["prediction"]

    # A release is frozen, exported and proved.
    release = datamanager.call("POST", "/releases/", {"campaign": campaign, "name": "2026.1"})
    datamanager.call("POST", f"/releases/{release['id']}/freeze")
    datamanager.call(
        "POST", f"/releases/{release['id']}/export", {"destination": product.export_to} if product.export_to else {}
    )
    wait_for("the export", lambda: list(product.releases.glob("[!.]*/SHA256SUMS")), 180)
    done = next(product.releases.glob("[!.]*/SHA256SUMS")).parent
    assert product.manage("verify_release", str(done)).returncode == 0
    code = next(row["code"] for row in scans.values() if row["id"] == scan)
    labels = np.asarray(nibabel.load(done / "labels" / f"{code}.nii.gz").dataobj)
    expected = reviewer_mask(reviewer, approved)
    assert (labels == expected).all()
    assert int((labels == 1).sum()) > grown["1"]
    label = done / "labels" / f"{code}.nii.gz"
    label.write_bytes(label.read_bytes()[:-9] + b"tampered!")
    assert product.manage("verify_release", str(done), check=False).returncode == 1
    assert product.manage("verify_audit").returncode == 0


def middle_of(mask: np.ndarray) -> tuple[int, int, int]:
    """A voxel (i, j, k) deep inside the mask."""
    from scipy import ndimage

    k, j, i = np.unravel_index(int(ndimage.distance_transform_edt(mask).argmax()), mask.shape)
    return int(i), int(j), int(k)


def answer(page: Any) -> None:
    """The two required questions, by mouse."""
    page.get_by_test_id("tab-questions").click()
    page.get_by_test_id("answer-diagnosis-covid19").click()
    page.get_by_test_id("answer-quality-good").click()


def assignment_of(url: str) -> str:
    return url.rstrip("/").rpartition("/")[2]


def reviewer_mask(reviewer: Api, revision: str) -> np.ndarray:
    """The approved voxels as the API serves them, NIfTI."""
    request = urllib.request.Request(
        f"{reviewer.url}/api/v1/revisions/{revision}/mask",
        headers={"Authorization": f"Token {reviewer.token}", "Accept": "application/gzip"},
    )
    import gzip

    with urllib.request.urlopen(request, timeout=60) as answer_:
        raw = gzip.decompress(answer_.read())
    return np.asarray(nibabel.Nifti1Image.from_bytes(raw).dataobj)
