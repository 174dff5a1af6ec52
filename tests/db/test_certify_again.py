"""Changed guidelines can ask annotators to certify again: new work closes, what is begun goes on, and all are told."""

import pytest

from annotation.notices.gathering import gather
from annotation.notices.models import Notice
from annotation.reviews.models import Trial
from annotation.reviews.trials import begin_trial, let_work
from annotation.work.campaigns import change_campaign
from annotation.work.certifying import ask_to_certify_again, must_certify
from annotation.work.models import Assignment, Campaign, CampaignMember
from annotation.work.selectors import pool
from annotation.work.services import claim_assignment, open_assignment
from tests.api.test_campaign_settings import SETTINGS
from tests.factories.clients import logged_in
from tests.factories.gold import golden, read, set_policy
from tests.factories.world import World, invite_readers, publish
from voxloop.audit.models import AuditEntry
from voxloop.kernel.errors import Conflict, Invalid

pytestmark = pytest.mark.django_db
WHY = "Vessels are left out now."
PAGE = "/campaigns/chest-ct/settings/"


@pytest.fixture
def certified(world: World) -> World:
    """A certification set of one scan; `reader0` has passed it, holds one open scan and one that nobody began."""
    golden(world, 1, certifies=True)
    world.people |= {person.username: person for person in invite_readers(world, 2)}
    set_policy(world.campaign, certifies=True, certification_dice=0.6)
    pass_it(world)
    publish(world, to="reader0", size=2)
    assert claim_assignment(actor=world["reader0"]) is not None
    return world


def pass_it(world: World) -> Trial:
    trial = begin_trial(campaign=world.campaign, actor=world["reader0"])
    read(world, trial.batch.assignments.select_related("scan", "campaign").get(), "reader0", 9.0)
    trial.refresh_from_db()
    assert trial.state == "passed"
    return trial


def ask(world: World, why: str = WHY) -> int:
    return ask_to_certify_again(campaign=world.campaign, actor=world["coordinator"], why=why)


def test_new_work_closes_and_what_is_begun_goes_on(certified: World) -> None:
    world, reader = certified, certified["reader0"]
    mine = Assignment.objects.filter(person=reader, stage="annotation").order_by("position")
    begun, waiting = mine.select_related("scan", "campaign")
    assert ask(world) == 1
    with pytest.raises(Conflict, match="guidelines have changed") as closed:
        open_assignment(assignment_id=waiting.pk, actor=reader)
    assert closed.value.code == "not_certified"
    read(world, begun, "reader0")
    assert claim_assignment(actor=reader) is None
    assert not pool(reader).exists()
    page = logged_in(world, "reader0").get("/worklist/").content.decode()
    for words in (WHY, "certification again", "Begin attempt 2", "version 1", "Read the guidelines"):
        assert words in page
    again = pass_it(world)
    assert again.number == 2
    assert not must_certify(reader, world.campaign)
    assert open_assignment(assignment_id=waiting.pk, actor=reader).state == "open"


def test_an_attempt_from_before_does_not_count(certified: World) -> None:
    world = certified
    trial = begin_trial(campaign=world.campaign, actor=world["reader1"])
    ask(world)
    read(world, trial.batch.assignments.select_related("scan", "campaign").get(), "reader1", 9.0)
    trial.refresh_from_db()
    assert trial.state == "passed"
    assert must_certify(world["reader1"], Campaign.objects.get())
    gather()
    told = Notice.objects.filter(person=world["reader1"], key=f"certification:{trial.pk}").get()
    assert "guidelines have changed since" in told.text
    assert begin_trial(campaign=world.campaign, actor=world["reader1"]).number == 2
    ask(world, "Once more.")
    let_work(campaign=world.campaign, person_id=world["reader0"].pk, actor=world["coordinator"], why="wrote them")
    assert not must_certify(world["reader0"], Campaign.objects.get())


def test_those_who_were_certified_are_told_once(certified: World) -> None:
    world = certified
    ask(world)
    gather()
    gather()
    told = Notice.objects.filter(key__startswith="again:")
    assert [(one.person, one.url) for one in told] == [(world["reader0"], "/worklist/")]
    assert WHY in told.get().text
    entry = AuditEntry.objects.get(action="campaign.certify_again")
    assert (entry.why, entry.new) == (WHY, {"guidelines_version": 1, "annotators": 1})


def test_it_needs_a_reason_and_a_certification(certified: World) -> None:
    with pytest.raises(Invalid) as silent:
        ask(certified, "  ")
    assert silent.value.code == "reason_required"
    set_policy(certified.campaign, certifies=False)
    with pytest.raises(Conflict) as none:
        ask(certified)
    assert none.value.code == "not_certifying"
    assert CampaignMember.objects.filter(certified_at__isnull=False).count() == 1


def test_the_settings_count_versions_and_ask(certified: World) -> None:
    world, client = certified, logged_in(certified, "coordinator")
    body = SETTINGS | {"certifies": "on", "guidelines": "Leave vessels out."}
    client.post(PAGE, body)
    assert Campaign.objects.get().guidelines_version == 2
    assert not must_certify(world["reader0"], Campaign.objects.get())  # nobody asked
    refused = client.post(PAGE, body | {"certify_again": "on"})
    assert (refused.status_code, list(refused.context["form"].errors)) == (422, ["certify_why"])
    refused = client.post(PAGE, body | {"certify_again": "on", "certify_why": WHY, "certifies": ""})
    assert list(refused.context["form"].errors) == ["certify_again"]
    client.post(PAGE, body | {"guidelines": "And the fissures.", "certify_again": "on", "certify_why": WHY})
    found = Campaign.objects.get()
    assert (found.guidelines_version, found.recertify_why) == (3, WHY)
    assert must_certify(world["reader0"], found)
    assert "version 3" in logged_in(world, "reader0").get("/campaigns/chest-ct/guidelines/").content.decode()
    assert "certifies again" in client.get("/campaigns/chest-ct/gold/").content.decode()
    change_campaign(campaign=found, actor=world["coordinator"], planned_scans=7)
    assert Campaign.objects.get().guidelines_version == 3
