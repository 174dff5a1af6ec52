"""The upload page in a real browser: a folder with planted names is de-identified there, and nothing of it arrives."""

import zipfile
from pathlib import Path
from typing import Any

from django.conf import settings
from playwright.sync_api import Page, expect
from pydicom import dcmread
from pydicom.dataset import Dataset

from annotation.intake.deidentify.vault import Vault
from annotation.intake.tasks import import_scans
from annotation.scans.models import Scan
from tests.browser.conftest import enter
from tests.browser.test_pages import faults
from tests.chromium import Watched, close_quietly, open_context, shoot
from tests.factories.world import World
from tests.faults import Fault, FaultyLine
from tests.unit.intake.series import make_series
from voxloop.jobs.models import Job
from voxloop.storage.store import open_store

PASSPHRASE = "onions and ducks"
PLANTED = {
    "PatientName": "Zwiebelfisch^Ottokar",
    "PatientBirthDate": "19480229",
    "PatientAddress": "Buttergasse 7, Entenhausen",
    "StudyDescription": "Chest of Zwiebelfisch",
    "InstitutionName": "Klinik am Teich",
    "ReferringPhysicianName": "Teichmann^Berta",
    "ImageComments": "Zwiebelfisch, O. had tea",
}
NUMBER = "ZWIEBEL-081"


def plant(folder: Path, number: int) -> list[str]:
    """A series of a made-up patient, his identifiers in many places; answers them."""
    words = [*PLANTED.values(), f"{NUMBER}{number}", "QPRIVATE", "QNESTED", "QPREAMBLE", "QOVERLAY"]
    for path in make_series(folder, subject=f"Q-{number}", seed=number):
        header = dcmread(path)
        words += [str(header.StudyInstanceUID), str(header.SeriesInstanceUID), str(header.SOPInstanceUID)]
        for keyword, value in (PLANTED | {"PatientID": f"{NUMBER}{number}"}).items():
            setattr(header, keyword, value)
        header.private_block(0x0029, "QPRIVATE MAKER", create=True).add_new(1, "LO", "QPRIVATE")
        item = Dataset()
        item.PatientName = "QNESTED"
        header.ReferencedStudySequence = [item]
        header.add_new(0x60003000, "OW", b"QOVERLAY")
        header.preamble = b"QPREAMBLE".ljust(128, b"\0")
        header.save_as(path)
    return words


def add_pages(folder: Path) -> None:
    """A picture of a screen, a file that is no DICOM, and an overview that belongs to the series."""
    first = sorted(folder.glob("*.dcm"))[0]
    page = dcmread(first)
    page.SOPClassUID, page.SeriesInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3.10"
    page.save_as(folder / "page.dcm")
    scout = dcmread(first)
    scout.SOPInstanceUID, scout.ImageType = "1.2.3.9", ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    scout.save_as(folder / "scout.dcm")
    (folder / "notes.txt").write_text("Zwiebelfisch")


def make_key(folder: Path) -> Path:
    path = folder / "vault.json"
    vault = Vault.open(path, PASSPHRASE)
    vault.keys("chest-ct")
    vault.save()
    return path


def open_key(page: Page, key: Path) -> None:
    page.get_by_label("Key file", exact=True).set_input_files(key)
    page.get_by_label("Passphrase", exact=True).fill(PASSPHRASE)
    page.get_by_role("button", name="Open key file").click()
    expect(page.get_by_text("The key file is open")).to_be_visible()


def save_key(page: Page, to: Path) -> None:
    with page.expect_download() as told:
        page.get_by_role("button", name="Save key file").click()
    assert told.value.suggested_filename == "vault.json"
    told.value.save_as(to)


def choose(page: Page, folder: Path) -> None:
    page.get_by_label("Choose a folder").set_input_files(folder)


def arrived(job: Job, folder: Path) -> bytes:
    """What the server stored of an upload: the zip, and what is in it."""
    stored = folder / "stored.zip"
    open_store(settings.STORAGE_URL).fetch(job.payload["upload"], stored)
    with zipfile.ZipFile(stored) as archive:
        return stored.read_bytes() + b"".join(name.encode() + archive.read(name) for name in archive.namelist())


def import_next(page: Page, row: int = 0) -> Job:
    """Do what a worker does with the job of a row that waits."""
    expect(page.get_by_role("listitem").nth(row)).to_contain_text("The server reads it")
    job = Job.objects.get(kind=Job.Kind.IMPORT_SCANS, state="queued")
    import_scans(str(job.pk))
    return job


def test_nothing_that_names_a_patient_arrives(live_world: World, new_page: Any, tmp_path: Path) -> None:
    scans = Scan.objects.count()
    folder, key = tmp_path / "study", make_key(tmp_path)
    words = plant(folder, 1)
    add_pages(folder)
    page = new_page("datamanager", reduced_motion="reduce")
    found: list[str] = []

    def look(name: str) -> None:
        nonlocal found
        for theme, width in (("light", 1440), ("dark", 390)):
            page.emulate_media(color_scheme=theme)
            page.set_viewport_size({"width": width, "height": 1400})
            found += faults(page)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is wider than {width}"
            shoot(page, f"upload-{name}-{theme}")

    page.goto("/scans/upload/")
    expect(page.get_by_text("Nothing is chosen yet")).to_be_visible()
    look("empty")
    choose(page, folder)
    expect(page.get_by_text("11 files chosen")).to_be_visible()
    open_key(page, key)
    listed = page.get_by_role("list", name="What becomes of each series").get_by_role("listitem")
    expect(listed).to_have_count(2)
    expect(listed.nth(1)).to_contain_text("is a secondary capture, a picture of a screen")
    expect(listed.nth(1)).to_contain_text("Not sent")
    expect(listed.nth(0)).to_contain_text("1 file stays here: The picture is a localiser (an overview); leave it out.")
    expect(page.get_by_text("1 file is no DICOM: not sent.")).to_be_visible()
    page.get_by_text("Attributes of these files").click()
    look("judged")
    assert Job.objects.filter(kind=Job.Kind.IMPORT_SCANS).count() == 0

    save_key(page, key)
    (subject,) = Vault.open(key, PASSPHRASE).subjects("chest-ct").values()
    assert (subject["patient_id"], subject["name"]) == (f"{NUMBER}1", PLANTED["PatientName"])
    page.get_by_role("button", name="Send 1 item").click()
    expect(page.get_by_text("The server reads it")).to_be_visible()
    job = Job.objects.get(kind=Job.Kind.IMPORT_SCANS, state="queued")
    stored = arrived(job, tmp_path).lower()
    for word in words:
        for form in (word.encode(), word.encode("utf-16-le"), word.encode()[::-1]):
            assert form.lower() not in stored, word
    look("sending")
    import_next(page)
    expect(listed.nth(0)).to_contain_text("Sent")
    assert Scan.objects.count() == scans + 1
    expect(page.get_by_role("link", name=Scan.objects.latest("created_at").code)).to_be_visible()
    expect(page.locator("#last-uploads")).to_contain_text("1 came in")
    look("sent")
    assert not found, "\n".join(found)


def test_a_cut_line_and_a_reload_send_nothing_twice(
    live_world: World, browser: Any, faulty_line: FaultyLine, watched: Watched, tmp_path: Path
) -> None:
    watched.expected += ["net::ERR_"]
    folder, key = tmp_path / "study", make_key(tmp_path)
    for number in (1, 2):
        plant(folder / str(number), number)
    context = open_context(browser, faulty_line.url, watched)
    enter(context, "datamanager", faulty_line.url)
    page = context.new_page()
    page.goto("/scans/upload/")
    open_key(page, key)
    choose(page, folder)
    save_key(page, key)
    faulty_line.befalls = lambda request: request.path.endswith("/scans/upload")
    faulty_line.arm(Fault.BODY)
    page.get_by_role("button", name="Send 2 items").click()
    first = import_next(page)  # after the cut it was sent again
    assert [what for what, _ in faulty_line.befallen] == [Fault.BODY]
    expect(page.locator("[data-state=sent]")).to_have_count(1)
    rows = page.get_by_role("listitem")
    expect(rows.nth(1)).to_contain_text("The server reads it")
    page.get_by_role("button", name="Cancel").click()
    expect(rows.nth(1)).to_contain_text("Ready")
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()

    open_key(page, key)
    choose(page, folder)
    page.get_by_role("button", name="Send 2 items").click()
    second = import_next(page, 1)
    expect(rows.nth(0)).to_contain_text("Sent before")
    expect(page.get_by_text("Nothing is left to send")).to_be_visible()
    assert {first.pk, second.pk} == {*Job.objects.filter(kind=Job.Kind.IMPORT_SCANS).values_list("pk", flat=True)}
    close_quietly(context)


def test_a_key_is_made_and_a_wrong_passphrase_is_told(live_world: World, new_page: Any, tmp_path: Path) -> None:
    page, key = new_page("datamanager"), make_key(tmp_path)
    page.goto("/scans/upload/")
    page.get_by_label("Key file", exact=True).set_input_files(key)
    page.get_by_label("Passphrase", exact=True).fill("another one")
    page.get_by_role("button", name="Open key file").click()
    expect(page.get_by_role("alert")).to_contain_text("The passphrase does not open the site's vault")
    page.get_by_label("Make a new one").check()
    page.get_by_label("New passphrase", exact=True).fill(PASSPHRASE)
    page.get_by_label("New passphrase again").fill(f"{PASSPHRASE}!")
    page.get_by_role("button", name="Make key file").click()
    expect(page.get_by_text("The two passphrases differ")).to_be_visible()
    page.get_by_label("New passphrase again").fill(PASSPHRASE)
    page.get_by_role("button", name="Make key file").click()
    expect(page.get_by_text("The key file is open")).to_be_visible()
    plant(tmp_path / "study", 1)
    choose(page, tmp_path / "study")
    save_key(page, tmp_path / "made.json")
    assert len(Vault.open(tmp_path / "made.json", PASSPHRASE).subjects("chest-ct")) == 1


def test_a_zip_is_read_and_a_nifti_goes_as_it_is(live_world: World, new_page: Any, tmp_path: Path) -> None:
    page, key = new_page("datamanager"), make_key(tmp_path)
    words = plant(tmp_path / "study", 1)
    packed = tmp_path / "study.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((tmp_path / "study").glob("*.dcm")):
            archive.write(path, f"inside/{path.name}")
    (tmp_path / "scan.nii").write_bytes(b"not read here")
    page.goto("/scans/upload/")
    page.get_by_label("Choose files").set_input_files([packed, tmp_path / "scan.nii"])
    expect(page.get_by_text("NIfTI goes without it")).to_be_visible()
    open_key(page, key)
    save_key(page, key)
    page.get_by_role("button", name="Send 2 items").click()
    expect(page.get_by_text("The server reads it")).to_be_visible()
    stored = arrived(Job.objects.get(kind=Job.Kind.IMPORT_SCANS, state="queued"), tmp_path).lower()
    assert not [word for word in words if word.encode().lower() in stored]
    import_next(page)
    import_next(page, 1)
    expect(page.locator("[data-state=sent]")).to_have_count(1)
    expect(page.locator("[data-state=refused]")).to_have_count(1)
