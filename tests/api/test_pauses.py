"""A paused batch and a paused person: nothing new is given out, nothing is lost, those concerned read why."""

from typing import Any

import pytest
from django.test import Client

from annotation.masks.offline import take_offline
from annotation.reviews.claims import claim_next_round, claim_round
from annotation.reviews.selectors import review_queue
from annotation.reviews.services import approve_round, return_round, submit_assignment
from annotation.reviews.taking_back import take_back_submission
from annotation.work.batches import assign_batch, close_batch, create_batch
from annotation.work.campaigns import set_member
from annotation.work.models import Assignment, Batch, CampaignMember
from annotation.work.pausing import pause_batch, pause_person, resume_batch, resume_person
from annotation.work.selectors import pool
from annotation.work.services import claim_assignment, open_assignment, reclaim_assignment, release_assignment
from tests.factories.world import World, label, publish
from voxloop.accounts.roles import Role
from voxloop.audit.models import AuditEntry
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Refusal

pytestmark = pytest.mark.django_db
WHY = "The scanner at b is checked."
ROWS = ["mask_outside_lung"]


def log_in(world: World, name: str) -> Client:
    client = Client()
    client.force_login(world[name], backend="django.contrib.auth.backends.ModelBackend")
    return client


def halt(world: World, batch: Batch) -> None:
    pause_batch(batch_id=batch.pk, actor=world["coordinator"], why=WHY)


def refused(act: Any, **arguments: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        act(**arguments)
    return caught.value


def page_of(world: World, name: str, path: str) -> str:
    return " ".join(log_in(world, name).get(path).content.decode().split())


def test_a_paused_batch_gives_out_nothing_and_loses_nothing(world: World) -> None:
    batch = publish(world, size=3)
    first, second, _ = batch.assignments.order_by("position")
    label(world, first)
    halt(world, batch)
    open_assignment(assignment_id=first.pk, actor=world["annotator"])  # what is open goes on to its end
    label(world, first)
    submit_assignment(assignment_id=first.pk, actor=world["annotator"], acknowledged=ROWS)
    assert claim_assignment(actor=world["annotator"]) is None
    fault = refused(open_assignment, assignment_id=second.pk, actor=world["annotator"])
    assert (fault.code, WHY in fault.detail) == ("paused", True)
    assert claim_next_round(actor=world["reviewer"]) is None
    resume_batch(batch_id=batch.pk, actor=world["coordinator"])
    assert claim_assignment(actor=world["annotator"]) == second
    assert claim_next_round(actor=world["reviewer"]) == first.rounds.get()


def test_another_batch_goes_on(world: World) -> None:
    halted, other = publish(world, size=2), publish(world, size=2)
    halt(world, halted)
    found = claim_assignment(actor=world["annotator"])
    assert found is not None
    assert found.batch_id == other.pk


def test_returned_work_of_a_paused_batch_waits(world: World) -> None:
    row = publish(world, size=1).assignments.get()
    label(world, row)
    found = submit_assignment(assignment_id=row.pk, actor=world["annotator"], acknowledged=ROWS)
    claim_round(round_id=found.pk, actor=world["reviewer"])
    halt(world, row.batch)
    # The claimed review goes on to its verdict, too.
    assert list(review_queue(world["reviewer"])) == [found]
    return_round(round_id=found.pk, actor=world["reviewer"], comments=[{"text": "the apex is missing"}])
    assert claim_assignment(actor=world["annotator"]) is None
    assert refused(open_assignment, assignment_id=row.pk, actor=world["annotator"]).code == "paused"


def test_the_pool_leaves_a_paused_batch_out(world: World) -> None:
    batch = publish(world, to=None, size=2)
    taken = claim_assignment(actor=world["annotator"])
    assert taken is not None
    release_assignment(assignment_id=taken.pk, actor=world["annotator"])
    halt(world, batch)
    assert not pool(world["annotator"]).exists()
    assert pool(world["annotator"], even_paused=True).count() == 2
    # Who had it open and comes back reads of the pause, not of a loss.
    assert refused(open_assignment, assignment_id=taken.pk, actor=world["annotator"]).code == "paused"
    resume_batch(batch_id=batch.pk, actor=world["coordinator"])
    assert open_assignment(assignment_id=taken.pk, actor=world["annotator"]).person == world["annotator"]


def test_of_a_paused_batch_what_is_open_is_taken_offline(world: World) -> None:
    batch = publish(world, size=3)
    first = batch.assignments.order_by("position")[0]
    label(world, first)
    halt(world, batch)
    load = take_offline(batch_id=batch.pk, days=2, actor=world["annotator"])
    assert [scan.assignment for scan in load.scans] == [first.pk]


def test_a_paused_batch_is_assigned_reclaimed_and_closed(world: World) -> None:
    batch = publish(world, size=3)
    first, *_ = batch.assignments.order_by("position")
    label(world, first)
    halt(world, batch)
    coordinator = world["coordinator"]
    assign_batch(batch_id=batch.pk, person=world["annotator2"], actor=coordinator, count=1)
    fresh = reclaim_assignment(assignment_id=first.pk, actor=coordinator, why="ill", person=world["annotator2"])
    assert refused(open_assignment, assignment_id=fresh.pk, actor=world["annotator2"]).code == "paused"
    close_batch(batch_id=batch.pk, actor=coordinator)
    batch.refresh_from_db()
    assert (batch.state, batch.is_paused, batch.pause_reason) == ("closed", False, "")
    assert refused(pause_batch, batch_id=batch.pk, actor=coordinator, why=WHY).code == "state_conflict"


def test_a_paused_person_gets_nothing_and_loses_nothing(world: World) -> None:
    batch = publish(world, size=2)
    publish(world, to=None, size=1)
    first, second = batch.assignments.order_by("position")
    label(world, first)
    annotator = world["annotator"]
    one: dict[str, Any] = {"campaign": world.campaign, "actor": world["coordinator"]}
    pause_person(person_id=annotator.pk, why="On holiday until Monday.", **one)
    open_assignment(assignment_id=first.pk, actor=annotator)
    submit_assignment(assignment_id=first.pk, actor=annotator, acknowledged=ROWS)
    assert claim_assignment(actor=annotator) is None
    assert not pool(annotator).exists()
    fault = refused(open_assignment, assignment_id=second.pk, actor=annotator)
    assert (fault.code, "On holiday until Monday." in fault.detail) == ("paused", True)
    second.refresh_from_db()
    assert (second.state, second.person) == ("queued", annotator)
    assert claim_assignment(actor=world["annotator2"]) is not None, "others go on"
    resume_person(person_id=annotator.pk, **one)
    assert claim_assignment(actor=annotator) == second


def test_a_paused_reviewer_takes_no_review(world: World) -> None:
    rounds = []
    for row in publish(world, size=2).assignments.order_by("position"):
        label(world, row)
        rounds.append(submit_assignment(assignment_id=row.pk, actor=world["annotator"], acknowledged=ROWS))
    reviewer = world["reviewer"]
    claim_round(round_id=rounds[0].pk, actor=reviewer)
    pause_person(campaign=world.campaign, person_id=reviewer.pk, actor=world["admin"], why="Away.")
    assert list(review_queue(reviewer)) == rounds[:1]
    assert claim_next_round(actor=reviewer) is None
    assert refused(claim_round, round_id=rounds[1].pk, actor=reviewer).code == "paused"
    approve_round(round_id=rounds[0].pk, actor=reviewer, signed_at=now())
    assert "Your work in Chest CT is paused.</b> Away." in page_of(world, "reviewer", "/reviews/")
    assert claim_next_round(actor=world["reviewer2"]) == rounds[1]


def test_a_review_is_not_taken_in_a_paused_campaign_by_its_address(world: World) -> None:
    row = publish(world, size=1).assignments.get()
    label(world, row)
    found = submit_assignment(assignment_id=row.pk, actor=world["annotator"], acknowledged=ROWS)
    log_in(world, "coordinator").post("/campaigns/chest-ct/pause/", {"reason": "Holiday"})
    assert refused(claim_round, round_id=found.pk, actor=world["reviewer"]).code == "paused"


def test_another_role_does_not_end_a_pause(world: World) -> None:
    person = world["annotator"]
    pause_person(campaign=world.campaign, person_id=person.pk, actor=world["admin"], why="Away.")
    set_member(campaign=world.campaign, user=person, role=Role.REVIEWER, actor=world["admin"])
    set_member(campaign=world.campaign, user=person, role=Role.ANNOTATOR, is_member=False, actor=world["admin"])
    row = CampaignMember.objects.get(campaign=world.campaign, user=person)
    assert (row.role, row.is_paused, row.pause_reason) == (Role.REVIEWER, True, "Away.")
    resume_person(campaign=world.campaign, person_id=person.pk, actor=world["admin"])
    row.refresh_from_db()
    assert (row.is_paused, row.pause_reason) == (False, "")


def test_the_work_list_says_why_and_offers_what_can_be_opened(world: World) -> None:
    halted, other = publish(world, size=2), publish(world, size=1)
    halt(world, halted)
    page = page_of(world, "annotator", "/worklist/")
    assert f"B-001 is paused.</b> {WHY}" in page
    assert f"Label {other.assignments.get().scan.code}" in page
    assert WHY not in page_of(world, "annotator2", "/worklist/")
    row = halted.assignments.order_by("position")[0]
    assert row.scan.code in page_of(world, "annotator", f"/view/{row.pk}/"), "it can be looked at"
    row.refresh_from_db()
    assert (row.state, row.lease_until) == ("queued", None)
    close_batch(batch_id=other.pk, actor=world["coordinator"])
    told = log_in(world, "annotator").post("/worklist/claim/", follow=True).content.decode()
    assert f"B-001 is paused. {WHY}" in told
    pause_person(campaign=world.campaign, person_id=world["annotator"].pk, actor=world["admin"], why="Away.")
    assert "Your work in Chest CT is paused.</b> Away." in page_of(world, "annotator", "/worklist/")


def test_a_coordinator_pauses_a_batch_by_its_page(world: World) -> None:
    batch, client = publish(world, size=1), log_in(world, "coordinator")
    answer = client.post(f"/batches/{batch.pk}/pause/", {"reason": " "}, follow=True)
    assert "Say why B-001 is paused" in answer.content.decode()
    answer = client.post(f"/batches/{batch.pk}/pause/", {"reason": "x" * 501}, follow=True)
    assert "The reason has 501 characters; 500 are kept. Shorten it." in answer.content.decode()
    assert not Batch.objects.get().is_paused
    client.post(f"/batches/{batch.pk}/pause/", {"reason": WHY})
    assert f"B-001 is paused.</b> {WHY}" in page_of(world, "coordinator", f"/batches/{batch.pk}/")
    [card] = client.get("/campaigns/chest-ct/batches/").context["cards"]
    assert ("paused", "warn", "pause") in card.tags
    client.post(f"/batches/{batch.pk}/resume/")
    entries = AuditEntry.objects.filter(action__in=["batch.paused", "batch.resumed"]).order_by("id")
    assert list(entries.values_list("action", "why")) == [("batch.paused", WHY), ("batch.resumed", "")]


def test_a_coordinator_pauses_a_person_by_the_table(world: World) -> None:
    person, client = world["annotator"], log_in(world, "coordinator")
    path = f"/campaigns/chest-ct/people/{person.pk}"
    client.post(f"{path}/pause/", {"reason": "Away."})
    rows = {row.user: row for row, _ in client.get("/campaigns/chest-ct/batches/").context["people"]}
    assert rows[person].pause_reason == "Away."
    assert f"{path}/resume/" in page_of(world, "coordinator", "/campaigns/chest-ct/batches/")
    assert "in Chest CT, paused: Away." in page_of(world, "admin", "/people/")
    client.post(f"{path}/resume/")
    entries = AuditEntry.objects.filter(action__startswith="campaign.person_").order_by("id")
    assert [(one.action, one.new, one.why) for one in entries] == [
        ("campaign.person_paused", {"user": "annotator"}, "Away."),
        ("campaign.person_resumed", {"user": "annotator"}, ""),
    ]


def test_what_a_pause_refuses(world: World) -> None:
    batch, coordinator = publish(world, size=1), world["coordinator"]
    batch_of: dict[str, Any] = {"batch_id": batch.pk, "actor": coordinator}
    person: dict[str, Any] = {"campaign": world.campaign, "person_id": world["annotator"].pk, "actor": coordinator}
    for act, stop, more in (
        (pause_batch, resume_batch, batch_of),
        (pause_person, resume_person, person),
    ):
        with pytest.raises(Invalid, match="Say why"):
            act(why=" ", **more)
        with pytest.raises(Conflict) as never:
            stop(**more)
        act(why=WHY, **more)
        with pytest.raises(Conflict) as twice:
            act(why=WHY, **more)
        assert (never.value.code, twice.value.code) == ("not_paused", "paused")
    with pytest.raises(NotFound):
        pause_person(campaign=world.campaign, person_id=world["outsider"].pk, actor=coordinator, why=WHY)
    with pytest.raises(Forbidden):
        resume_batch(batch_id=batch.pk, actor=world["datamanager"])
    assert Assignment.objects.get().state == "queued"


def test_of_an_ended_batch_nothing_opens_again(world: World) -> None:
    """Handed in, then the batch is closed: a scan that opened again would be in nobody's list."""
    rows = list(publish(world, size=2).assignments.order_by("position"))
    rounds = []
    for row in rows:
        label(world, row)
        rounds.append(submit_assignment(assignment_id=row.pk, actor=world["annotator"], acknowledged=ROWS))
    close_batch(batch_id=rows[0].batch_id, actor=world["coordinator"])
    assert refused(take_back_submission, assignment_id=rows[0].pk, actor=world["annotator"]).code == "batch_ended"
    claim_round(round_id=rounds[1].pk, actor=world["reviewer"])
    return_round(round_id=rounds[1].pk, actor=world["reviewer"], comments=[{"text": "the apex is missing"}])
    rows[1].refresh_from_db()
    assert rows[1].state == "reclaimed"
    again = create_batch(
        campaign=world.campaign, actor=world["coordinator"], chosen_by="hand", scan_ids=[rows[1].scan_id]
    )
    assert again.assignments.get().begun_as == rows[1], "another goes on from what was drawn"
