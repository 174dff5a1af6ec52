"""A campaign of another organ, its label schema from a file: drawn, reviewed and released like the standard one."""

import json
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from playwright.sync_api import expect

from annotation.datasets import services as datasets
from annotation.datasets.exporting import write_export
from annotation.masks.models import MaskRevision
from annotation.masks.store import load_labels
from annotation.reviews.claims import claim_round
from annotation.reviews.models import ReviewRound
from annotation.work.campaigns import add_scan, set_member
from annotation.work.models import Assignment, Campaign
from tests.chromium import shoot
from tests.factories.schemas import LIVER
from tests.factories.world import SHAPE, World, first_of, publish
from tests.journeys.viewer import Viewer
from voxloop.accounts.roles import Role
from voxloop.jobs.running import run

MIDDLE = (SHAPE[2] // 2, SHAPE[1] // 2, SHAPE[0] // 2)


def make_campaign(page: Any, schema: Path) -> Campaign:
    """Create it by the form, first with a mistake in the file."""
    page.goto("/campaigns/new/")
    page.get_by_label("Name", exact=True).fill("Liver CT")
    page.get_by_label("Short name").fill("liver-ct")
    page.get_by_label("Label schema", exact=True).select_option("file")
    schema.write_text(json.dumps(LIVER).replace("#e8ac00", "yellow"))
    page.get_by_label("File of the label schema").set_input_files(schema)
    page.get_by_role("button", name="Make campaign").click()
    expect(page.get_by_text("The colour of Metastasis must be like #e8ac00.")).to_be_visible()
    shoot(page, "campaign-new-refused")
    schema.write_text(json.dumps(LIVER))
    page.get_by_label("File of the label schema").set_input_files(schema)
    page.get_by_role("button", name="Make campaign").click()
    expect(page.get_by_text("Liver CT is there.")).to_be_visible()
    return Campaign.objects.get(slug="liver-ct")


def give_people_and_scans(world: World, campaign: Campaign) -> Assignment:
    for name, role in (
        ("annotator", Role.ANNOTATOR),
        ("reviewer", Role.REVIEWER),
        ("coordinator", Role.COORDINATOR),
        ("datamanager", Role.DATA_MANAGER),
    ):
        set_member(campaign=campaign, user=world[name], role=role, actor=world["admin"])
    for scan in world.scans:
        add_scan(campaign=campaign, scan=scan, actor=world["admin"])
    world.campaign = campaign
    return first_of(publish(world, size=1))


def test_another_organ_from_its_schema_to_its_release(
    live_world: World, new_page: Any, tmp_path: Path, settings: Any, watched: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # There is no broker here: the job is not sent but run below.
    monkeypatch.setattr("voxloop.jobs.services.send", lambda *_: None)
    watched.expected.append("status of 422")
    campaign = make_campaign(new_page("admin"), tmp_path / "liver.json")
    assignment = give_people_and_scans(live_world, campaign)

    page = new_page("annotator")
    page.goto("/campaigns/liver-ct/guidelines/")
    expect(page.get_by_text("Metastasis")).to_be_visible()
    shoot(page, "guidelines-liver")
    page.goto(f"/view/{assignment.pk}/")
    viewer = Viewer(page).wait_ready()
    viewer.go_to(MIDDLE)
    # No lung checks, and a CT opens in the soft tissue window.
    expect(page.get_by_test_id("window-soft-tissue")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_text("Stay in the lung if begun in it")).to_have_count(0)
    expect(page.get_by_text("lie outside the lungs")).to_have_count(0)
    page.keyboard.press("2")
    viewer.stroke("g", MIDDLE)
    revision = MaskRevision.objects.get(pk=viewer.wait_saved())
    assert (revision.layer, set(revision.voxel_counts)) == ("lesions", {"2"})
    assert not (faults := viewer.clipped()), "\n".join(faults)
    shoot(page, "viewer-liver")
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Submit with these warnings").click()  # not every slice was looked at
    expect(page.get_by_role("dialog")).to_contain_text("Submitted")
    drawn = load_labels(revision, list(SHAPE))

    page = new_page("reviewer")
    page.goto("/campaigns/liver-ct/enter/")
    row = page.locator("tbody tr[data-href]")
    expect(row).to_have_count(1)
    expect(row).to_contain_text(f"{int((drawn == 2).sum()) * 2.5 / 1000:.1f}")
    claimed = claim_round(round_id=ReviewRound.objects.get().pk, actor=live_world["reviewer"])
    page.goto(f"/view/{claimed.review_id}/")
    Viewer(page).wait_ready()
    page.keyboard.press("a")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("Approved")

    release = datasets.create_release(campaign=campaign, name="r1", actor=live_world["datamanager"], licence="CC0")
    release = datasets.freeze_release(release_id=release.pk, actor=live_world["datamanager"])
    export = datasets.request_export(release_id=release.pk, actor=live_world["datamanager"])
    run(export.job_id, write_export)
    export.refresh_from_db()
    assert export.job.state == "succeeded", export.job.error
    folder = settings.EXPORT_ROOT / "liver-ct-r1"
    (labels,) = folder.glob("labels*/*.nii.gz")
    np.testing.assert_array_equal(np.asanyarray(nibabel.Nifti1Image.from_filename(labels).dataobj).T, drawn)
    assert json.loads((folder / "dataset.json").read_text())["labels"]["cyst"] == 2
