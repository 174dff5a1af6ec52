"""A campaign from another one, by its coordinator; and a first campaign that a coordinator makes alone."""

import pytest

from annotation.pages.policy_words import GROUPS, default_of
from annotation.work.campaigns import change_campaign
from annotation.work.cloning import COPIED, clone_campaign
from annotation.work.models import Assignment, Batch, Campaign, CampaignMember, CampaignScan
from annotation.work.schema_changing import change_schema
from annotation.work.standard import CHEST_CT
from tests.factories.clients import logged_in
from tests.factories.schemas import LIVER
from tests.factories.world import World, publish
from voxloop.audit.models import AuditEntry
from voxloop.kernel.errors import Invalid

pytestmark = pytest.mark.django_db
PAGE = "/campaigns/chest-ct/clone/"


def test_rules_and_ticked_people_come_along_and_no_work(world: World) -> None:
    publish(world, size=2)
    change_campaign(
        campaign=world.campaign, actor=world["admin"], batch_size=7, due_days=3, guidelines="Draw all.", certifies=True
    )
    CampaignMember.objects.filter(user=world["annotator"]).update(certified_at=world.campaign.created_at)
    client = logged_in(world, "coordinator")
    page = client.get(PAGE).content.decode()
    assert "Findings with 6 segments" in page
    ticked = [f"{world['annotator'].pk}:annotator", f"{world['reviewer'].pk}:reviewer"]
    answer = client.post(PAGE, {"name": "Second", "slug": "second", "members": ticked}, follow=True)
    assert "Second is there" in answer.content.decode()
    made = Campaign.objects.get(slug="second")
    world.campaign.refresh_from_db()
    assert {name: getattr(made, name) for name in COPIED} == {name: getattr(world.campaign, name) for name in COPIED}
    assert (made.batch_size, made.due_days, made.guidelines) == (7, 3, "Draw all.")
    roles = set(made.members.values_list("user__username", "role", "certified_at"))
    assert roles == {("annotator", "annotator", None), ("reviewer", "reviewer", None), ("coordinator",) * 2 + (None,)}
    for rows in (CampaignScan, Batch, Assignment):
        assert not rows.objects.filter(campaign=made).exists()
    assert made.pseudonym_key is None
    # Each changes its own schema.
    change_schema(campaign=made, definition=LIVER, seen_version=1, actor=world["coordinator"])
    world.campaign.refresh_from_db()
    assert (world.campaign.schema.version, world.campaign.schema.definition) == (1, CHEST_CT)
    assert AuditEntry.objects.get(action="campaign.cloned").new == {
        "from": "chest-ct",
        "schema_version": 1,
        "members": 2,
    }


def test_what_is_taken_or_of_another_campaign_is_refused(world: World) -> None:
    client = logged_in(world, "coordinator")
    body = {"name": "Chest CT", "slug": "second", "members": []}
    taken = client.post(PAGE, body)
    assert (taken.status_code, taken["Voxloop-Code"]) == (422, "campaign_taken")
    assert client.post(PAGE, body | {"name": "B", "slug": "chest-ct"})["Voxloop-Code"] == "slug_taken"
    stranger = f"{world['outsider'].pk}:reviewer"
    assert client.post(PAGE, {"name": "B", "slug": "b", "members": [stranger]}).status_code == 422
    with pytest.raises(Invalid) as refused:
        clone_campaign(
            source=world.campaign,
            name="B",
            slug="b",
            members=[(world["annotator"].pk, "coordinator")],
            actor=world["coordinator"],
        )
    assert refused.value.code == "not_a_member"
    assert Campaign.objects.count() == 1


def test_a_coordinator_makes_a_campaign_alone_and_sets_it_up(world: World) -> None:
    client = logged_in(world, "coordinator")
    assert "/campaigns/new/" in client.get("/campaigns/").content.decode()
    made = client.post(
        "/campaigns/new/", {"name": "New", "slug": "first", "planned_scans": 0, "schema": "chest-x-ray"}, follow=True
    )
    assert made.redirect_chain[-1][0] == "/campaigns/first/schema/"
    assert "you coordinate it" in made.content.decode()
    campaign = Campaign.objects.get(name="New")
    assert list(campaign.members.values_list("user__username", "role")) == [("coordinator", "coordinator")]
    assert client.get(f"/campaigns/{campaign.slug}/settings/").status_code == 200


def test_every_policy_has_a_sentence_and_a_default(world: World) -> None:
    answer = logged_in(world, "coordinator").get("/campaigns/chest-ct/settings/")
    form = answer.context["form"]
    shown = [name for group in GROUPS for name in group.fields]
    assert sorted(shown) == sorted(form.fields)
    for group in GROUPS[1:]:
        for name in group.fields:
            assert len(str(form.fields[name].help_text).partition(" Default: ")[0]) > 12, name
            assert default_of(name), name
    page = answer.content.decode()
    assert "Default: Every scan." in page
    assert "Training profile" in page
    due = logged_in(world, "coordinator").get("/campaigns/chest-ct/batches/new/").context["form"]
    assert (due.fields["due_on"].initial - due.today).days == 14
