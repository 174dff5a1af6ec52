"""A campaign after its creation: what may be changed, by whom, and what a pause does."""

import pytest
from django.test import Client

from annotation.reviews.selectors import review_queue
from annotation.reviews.services import submit_assignment
from annotation.scans.services import rename_site
from annotation.work.campaigns import (
    CHANGEABLE,
    change_campaign,
    create_campaign,
    pause_campaign,
    resume_campaign,
)
from annotation.work.services import claim_assignment, open_assignment
from annotation.work.standard import CHEST_CT
from tests.factories.world import World, label, publish
from voxloop.audit.models import AuditEntry
from voxloop.kernel.errors import Conflict, Invalid

pytestmark = pytest.mark.django_db
SETTINGS = {
    "name": "Chest CT",
    "planned_scans": "2802",
    "planned_until": "",
    "batch_size": "40",
    "due_days": "14",
    "lease_minutes": "120",
    "seen_policy": "block",
    "proposed_policy": "block",
    "signature_policy": "always",
    "blank_percent": "0",
    "older_percent": "5",
    "repeat_percent": "5",
    "overlap_percent": "0",
    "overlap_readers": "2",
    "overlap_low_dice": "0",
    "overlap_most": "3",
    "gold_percent": "0",
    "planted_percent": "0",
    "certification_dice": "0.6",
    "review_policy": "all",
    "retrain_after": "25",
    "retrain_every_days": "0",
    "train_start": "scratch",
    "promotes_by_itself": "on",
    "guidelines": "",
}


def log_in(world: World, name: str) -> Client:
    client = Client()
    client.force_login(world[name], backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_settings_are_changed_and_logged(world: World) -> None:
    answer = log_in(world, "admin").post("/campaigns/chest-ct/settings/", SETTINGS, follow=True)
    assert "6 settings of Chest CT changed." in answer.content.decode()
    world.campaign.refresh_from_db()
    assert (world.campaign.batch_size, world.campaign.seen_policy) == (40, "block")
    entry = AuditEntry.objects.get(action="campaign.changed")
    assert entry.old == {
        "planned_scans": 0,
        "batch_size": 50,
        "seen_policy": "off",
        "proposed_policy": "off",
        "signature_policy": "recent",
        "older_share": 0.0,
    }
    assert entry.new == {
        "planned_scans": 2802,
        "batch_size": 40,
        "seen_policy": "block",
        "proposed_policy": "block",
        "signature_policy": "always",
        "older_share": 0.05,
    }


def test_the_same_again_changes_nothing(world: World) -> None:
    same = {name: getattr(world.campaign, name) for name in CHANGEABLE}
    assert change_campaign(campaign=world.campaign, actor=world["admin"], **same) == []
    assert not AuditEntry.objects.filter(action="campaign.changed").exists()


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("batch_size", "501", "less than or equal to 500"),
        ("planned_scans", "-1", "greater than or equal to 0"),
        ("planned_scans", "99999999999", "less than or equal to 1000000"),
        ("seen_policy", "sometimes", "Select a valid choice"),
        ("name", "", "This field is required"),
    ],
)
def test_a_value_out_of_bounds_is_told_at_its_field(world: World, field: str, value: str, says: str) -> None:
    answer = log_in(world, "admin").post("/campaigns/chest-ct/settings/", SETTINGS | {field: value})
    assert answer.status_code == 422
    assert any(says in error for error in answer.context["form"].errors[field]), answer.context["form"].errors
    world.campaign.refresh_from_db()
    assert world.campaign.batch_size == 50


def test_a_scan_has_no_more_readers_than_are_allowed(world: World) -> None:
    body = SETTINGS | {"overlap_readers": "5", "overlap_most": "2"}
    answer = log_in(world, "admin").post("/campaigns/chest-ct/settings/", body)
    assert answer.status_code == 422
    assert answer.context["form"].errors == {
        "overlap_most": ["Such a scan has 5 readers from the start; allow 5 or more."]
    }


def test_services_refuse_what_the_pages_refuse(world: World) -> None:
    with pytest.raises(Invalid) as refused:
        change_campaign(campaign=world.campaign, actor=world["admin"], planned_scans=3_000_000_000)
    assert (refused.value.code, refused.value.extra["field"]) == ("bad_campaign", "planned_scans")
    create_campaign(name="Abdomen", slug="abdomen", definition=CHEST_CT, actor=world["admin"])
    with pytest.raises(Conflict) as taken:
        change_campaign(campaign=world.campaign, actor=world["admin"], name="Abdomen")
    assert taken.value.code == "campaign_taken"
    for name in ("", " ", "x" * 121):
        with pytest.raises(Invalid) as unnamed:
            rename_site(site_id=world.sites["a"].pk, name=name, actor=world["admin"])
        assert unnamed.value.code == "bad_site_name"


def test_a_pause_gives_out_nothing_and_loses_nothing(world: World) -> None:
    batch = publish(world, size=3)
    first, second, _ = batch.assignments.order_by("position")
    label(world, first)
    pause_campaign(campaign=world.campaign, actor=world["coordinator"], why="The scanner at b is checked")
    # What is open goes on to its end.
    submit_assignment(assignment_id=first.pk, actor=world["annotator"], acknowledged=["mask_outside_lung"])
    assert claim_assignment(actor=world["annotator"]) is None
    with pytest.raises(Conflict) as refused:
        open_assignment(assignment_id=second.pk, actor=world["annotator"])
    assert refused.value.code == "paused"
    assert not review_queue(world["reviewer"], world.campaign).exists()
    page = log_in(world, "annotator").get("/worklist/").content.decode()
    assert "Chest CT is paused." in page
    assert "The scanner at b is checked" in page
    assert "/resume/" not in page
    told = log_in(world, "annotator").post("/worklist/claim/", follow=True).content.decode()
    assert "Chest CT is paused: The scanner at b is checked" in told
    resume_campaign(campaign=world.campaign, actor=world["coordinator"])
    assert claim_assignment(actor=world["annotator"]) == second
    assert review_queue(world["reviewer"], world.campaign).count() == 1


def test_a_coordinator_pauses_and_goes_on_by_the_page(world: World) -> None:
    client = log_in(world, "coordinator")
    answer = client.post("/campaigns/chest-ct/pause/", {"reason": " "}, follow=True)
    assert "Say why the campaign is paused" in answer.content.decode()
    client.post("/campaigns/chest-ct/pause/", {"reason": "Holiday"})
    assert "Go on" in client.get("/campaigns/chest-ct/batches/").content.decode()
    client.post("/campaigns/chest-ct/resume/")
    world.campaign.refresh_from_db()
    assert (world.campaign.is_paused, world.campaign.pause_reason) == (False, "")
    actions = AuditEntry.objects.filter(action__startswith="campaign.").order_by("id").values_list("action", "why")
    assert list(actions)[-2:] == [("campaign.paused", "Holiday"), ("campaign.resumed", "")]


def test_twice_is_told(world: World) -> None:
    pause_campaign(campaign=world.campaign, actor=world["admin"], why="Holiday")
    with pytest.raises(Conflict) as refused:
        pause_campaign(campaign=world.campaign, actor=world["admin"], why="Holiday")
    assert refused.value.code == "paused"
    resume_campaign(campaign=world.campaign, actor=world["admin"])
    with pytest.raises(Conflict) as refused:
        resume_campaign(campaign=world.campaign, actor=world["admin"])
    assert refused.value.code == "not_paused"
    with pytest.raises(Invalid) as without:
        pause_campaign(campaign=world.campaign, actor=world["admin"], why="")
    assert without.value.code == "reason_required"


def test_a_site_is_renamed_and_keeps_its_code(world: World) -> None:
    client = log_in(world, "admin")
    client.post(f"/sites/{world.sites['a'].pk}/", {"name": "Hospital on the hill", "code": "z", "split": "test"})
    world.sites["a"].refresh_from_db()
    found = world.sites["a"]
    assert (found.name, found.code, found.split) == ("Hospital on the hill", "a", "train")
    assert AuditEntry.objects.get(action="site.renamed").old == {"name": "Site a"}
    assert client.post(f"/sites/{found.pk}/", {"name": ""}).status_code == 422
