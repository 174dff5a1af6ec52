"""Work passes from hand to hand: the next person goes on from the mask, the answers and the comments of the last."""

from typing import Any

import pytest

from annotation.masks.models import MaskRevision
from annotation.masks.selectors import head_of, is_served_blank, newest_answers
from annotation.masks.services import begin
from annotation.reviews.claims import claim_round
from annotation.reviews.services import return_round, submit_assignment
from annotation.scans.services import set_site_membership
from annotation.work.batches import assign_batch, close_batch, create_batch, publish_batch
from annotation.work.handing_over import hand_back_out_of_reach
from annotation.work.leases import end_offline
from annotation.work.models import Assignment
from annotation.work.people import close_account
from annotation.work.services import (
    block_assignment,
    claim_assignment,
    expire_leases,
    reclaim_assignment,
    release_assignment,
    skip_assignment,
    unblock_assignment,
)
from tests.api.test_loop_over_http import log_in
from tests.factories.world import World, add_role, first_of, label, publish
from voxloop.accounts.models import User
from voxloop.kernel.errors import Conflict, Forbidden, Invalid

pytestmark = pytest.mark.django_db


def taken_over(world: World, *, returned: bool = False, **how: Any) -> tuple[Assignment, Assignment]:
    """A scan that `annotator` drew on, perhaps got back from a reviewer, and that `annotator2` now has."""
    first = first_of(publish(world, size=1))
    label(world, first)
    if returned:
        found = submit_assignment(assignment_id=first.pk, actor=world["annotator"], acknowledged=["mask_outside_lung"])
        claim_round(round_id=found.pk, actor=world["reviewer"])
        return_round(
            round_id=found.pk, actor=world["reviewer"], comments=[{"text": "the apex is missing", "ijk": [3, 4, 5]}]
        )
    fresh = reclaim_assignment(
        assignment_id=first.pk, actor=world["coordinator"], why="on leave", person=world["annotator2"], **how
    )
    begin(assignment_id=fresh.pk, actor=world["annotator2"])
    first.refresh_from_db()
    fresh.refresh_from_db()
    return first, fresh


def test_mask_answers_and_history_go_on_under_the_name_of_who_made_them(world: World) -> None:
    first, fresh = taken_over(world)
    mask = head_of(first.pk, "findings")
    assert mask is not None
    assert head_of(fresh.pk, "findings") == mask
    assert newest_answers(fresh) == newest_answers(first) != {}
    assert fresh.answer_sets.get().author == world["annotator"]
    client = log_in(world, "annotator2")
    told = client.get(f"/api/v1/assignments/{fresh.pk}/history?layer=findings").json()
    assert [row["author"] for row in told["revisions"]] == ["annotator"]
    assert client.get(f"/api/v1/revisions/{mask.pk}/mask").status_code == 200
    label(world, fresh, who="annotator2")
    newest = head_of(fresh.pk, "findings")
    assert newest is not None
    assert (newest.parent, newest.author) == (mask, world["annotator2"])
    told = client.get(f"/api/v1/assignments/{fresh.pk}/history?layer=findings").json()
    assert [row["author"] for row in told["revisions"]] == ["annotator2", "annotator"]


def test_whoever_lost_the_scan_reads_nothing_that_came_after(world: World) -> None:
    _first, fresh = taken_over(world)
    label(world, fresh, who="annotator2")
    later = head_of(fresh.pk, "findings")
    assert later is not None
    client = log_in(world, "annotator")
    assert client.get(f"/api/v1/revisions/{later.pk}/mask").status_code == 404
    assert client.get(f"/api/v1/assignments/{fresh.pk}/").status_code == 404


def test_the_coordinator_may_let_it_start_anew(world: World) -> None:
    first, fresh = taken_over(world, starts_anew=True)
    assert (head_of(fresh.pk, "findings"), newest_answers(fresh), fresh.begun_as) == (None, {}, None)
    old = head_of(first.pk, "findings")
    assert old is not None
    assert log_in(world, "annotator2").get(f"/api/v1/revisions/{old.pk}/mask").status_code == 404


def test_returned_work_goes_on_with_its_comments_and_its_round(world: World) -> None:
    _first, fresh = taken_over(world, returned=True)
    client = log_in(world, "annotator2")
    told = client.get(f"/api/v1/assignments/{fresh.pk}/").json()
    [comment] = told["comments"]
    assert (told["round"], comment["text"], comment["ijk"], comment["author"]) == (
        2,
        "the apex is missing",
        [3, 4, 5],
        "reviewer",
    )
    assert (told["can"]["comment"], told["review"]["reasons"]) == (True, [])
    round_id = told["review"]["id"]
    said = client.get(f"/api/v1/reviews/{round_id}/").json()
    assert (said["risk"], said["reasons"]) == (None, [])
    answered = client.post(f"/api/v1/comments/{comment['id']}/replies", {"text": "drawn"}, "application/json")
    assert answered.status_code == 201
    label(world, fresh, who="annotator2")
    again = submit_assignment(assignment_id=fresh.pk, actor=world["annotator2"], acknowledged=["mask_outside_lung"])
    assert (again.number, again.author) == (2, world["annotator2"])
    seen = {row["key"] for row in client.get(f"/api/v1/assignments/{fresh.pk}/").json()["overlays"]}
    assert "previous" in seen


def test_nobody_reviews_a_mask_that_they_began(world: World) -> None:
    _first, fresh = taken_over(world)
    label(world, fresh, who="annotator2")
    found = submit_assignment(assignment_id=fresh.pk, actor=world["annotator2"], acknowledged=["mask_outside_lung"])
    add_role(world, "annotator", "reviewer")
    with pytest.raises(Forbidden) as refused:
        claim_round(round_id=found.pk, actor=world["annotator"])
    assert refused.value.code == "own_work"
    client = log_in(world, "annotator")
    assert client.post("/api/v1/assignments/claim", {"stage": "review"}, "application/json").status_code == 204
    told = client.get(f"/api/v1/reviews/{found.pk}/").json()
    assert (told["risk"], told["reasons"]) == (None, [])


def test_the_blank_arm_stays_blank_whoever_has_the_scan(world: World) -> None:
    world.campaign.blank_share = 0.5
    world.campaign.save()
    for row in publish(world, size=3).assignments.all():
        begin(assignment_id=row.pk, actor=world["annotator"])
        arm = is_served_blank(Assignment.objects.get(pk=row.pk))
        for _ in range(4):
            row = reclaim_assignment(
                assignment_id=row.pk, actor=world["coordinator"], why="moved", person=world["annotator"]
            )
            assert is_served_blank(Assignment.objects.get(pk=row.pk)) == arm


def test_what_nobody_opened_begins_with_the_next_person(world: World) -> None:
    untouched = first_of(publish(world, size=1))
    fresh = reclaim_assignment(assignment_id=untouched.pk, actor=world["coordinator"], why="on leave")
    assert fresh.begun_as is None


def test_a_scan_given_to_another_must_be_theirs_to_see(world: World) -> None:
    first = first_of(publish(world, size=1))
    cases = (("outsider", "not_an_annotator"), ("reviewer", "not_an_annotator"), ("annotator2", "site_not_visible"))
    set_site_membership(user=world["annotator2"], site=first.scan.site, is_member=False, actor=world["admin"])
    for name, code in cases:
        with pytest.raises(Invalid) as refused:
            reclaim_assignment(assignment_id=first.pk, actor=world["coordinator"], why="x", person=world[name])
        assert refused.value.code == code
    first.refresh_from_db()
    assert first.state == "queued"


def test_a_scan_taken_out_of_a_persons_batch_is_offered_by_the_pool(world: World) -> None:
    first = first_of(publish(world, size=2))
    fresh = reclaim_assignment(assignment_id=first.pk, actor=world["coordinator"], why="on leave")
    taken = claim_assignment(actor=world["annotator2"])
    assert taken is not None
    assert taken.pk == fresh.pk


def test_a_batch_is_split_between_two(world: World) -> None:
    batch = publish(world, size=3)
    with pytest.raises(Invalid) as refused:
        assign_batch(batch_id=batch.pk, person=world["annotator2"], actor=world["coordinator"], count=4)
    assert refused.value.code == "bad_size"
    assign_batch(batch_id=batch.pk, person=world["annotator2"], actor=world["coordinator"], count=2)
    batch.refresh_from_db()
    people = list(batch.assignments.order_by("position").values_list("person__username", flat=True))
    assert (people, batch.assignee) == (["annotator", "annotator2", "annotator2"], world["annotator"])


def test_a_new_batch_goes_on_where_a_closed_one_ended(world: World) -> None:
    batch = publish(world, size=1)
    first = first_of(batch)
    label(world, first)
    close_batch(batch_id=batch.pk, actor=world["coordinator"])
    for starts_anew in (True, False):
        made = create_batch(
            campaign=world.campaign,
            actor=world["coordinator"],
            assignee=world["annotator2"],
            scan_ids=[first.scan_id],
            starts_anew=starts_anew,
        )
        publish_batch(batch_id=made.pk, actor=world["coordinator"])
        row = begin(assignment_id=first_of(made).pk, actor=world["annotator2"])
        assert (head_of(row.pk, "findings") is None) == starts_anew
        if starts_anew:
            # Nothing was drawn: give it up, so that the older work is the newest that was begun.
            Assignment.objects.filter(pk=row.pk).delete()


def test_a_skipped_scan_of_a_closed_batch_is_not_put_into_its_list(world: World) -> None:
    batch = publish(world, size=2)
    first = first_of(batch)
    begin(assignment_id=first.pk, actor=world["annotator"])
    skip_assignment(assignment_id=first.pk, actor=world["annotator"], reason="artefact")
    close_batch(batch_id=batch.pk, actor=world["coordinator"])
    with pytest.raises(Conflict) as refused:
        unblock_assignment(assignment_id=first.pk, actor=world["coordinator"])
    assert refused.value.code == "batch_ended"


def test_a_skip_of_somebody_who_left_is_undone_into_the_pool(world: World) -> None:
    first = first_of(publish(world, size=2))
    begin(assignment_id=first.pk, actor=world["annotator"])
    skip_assignment(assignment_id=first.pk, actor=world["annotator"], reason="artefact")
    close_account(person=world["annotator"], actor=world["admin"], why="left")
    done = unblock_assignment(assignment_id=first.pk, actor=world["coordinator"])
    assert (done.state, done.person) == ("queued", None)


def test_what_is_out_of_reach_after_a_site_was_taken_away_goes_to_others(world: World) -> None:
    batch = publish(world, size=3)
    kept = batch.assignments.exclude(scan__site=world.sites["a"]).count()
    label(world, batch.assignments.filter(scan__site=world.sites["a"]).order_by("position")[0])
    set_site_membership(user=world["annotator"], site=world.sites["a"], is_member=False, actor=world["admin"])
    assert hand_back_out_of_reach(person=world["annotator"], actor=world["admin"]) == 3 - kept
    batch.refresh_from_db()
    assert batch.assignee == world["annotator"]
    assert batch.assignments.filter(person=world["annotator"], state="queued").count() == kept
    taken = claim_assignment(actor=world["annotator2"])
    assert taken is not None
    begin(assignment_id=taken.pk, actor=world["annotator2"])
    assert MaskRevision.objects.filter(head_of__assignment=taken).count() == 1


def test_a_lease_on_passed_on_work_that_was_not_touched_ends_too(world: World) -> None:
    _first, fresh = taken_over(world, returned=True)
    Assignment.objects.filter(pk=fresh.pk).update(lease_until="2020-01-01T00:00:00Z")
    assert expire_leases() == 1


def test_what_is_handed_in_is_not_skipped_and_only_what_is_open_is_given_back(world: World) -> None:
    batch = publish(world, size=2)
    handed_in, skipped = batch.assignments.order_by("position")
    label(world, handed_in)
    submit_assignment(assignment_id=handed_in.pk, actor=world["annotator"], acknowledged=["mask_outside_lung"])
    begin(assignment_id=skipped.pk, actor=world["annotator"])
    skip_assignment(assignment_id=skipped.pk, actor=world["annotator"], reason="artefact")
    for act in (skip_assignment, block_assignment):
        with pytest.raises(Conflict) as refused:
            act(assignment_id=handed_in.pk, actor=world["annotator"], reason="artefact")
        assert refused.value.code == "not_editable"
    with pytest.raises(Conflict) as refused:
        release_assignment(assignment_id=skipped.pk, actor=world["annotator"])
    assert refused.value.code == "state_conflict"


def test_whoever_had_a_scan_opens_it_again_from_the_pool(world: World) -> None:
    publish(world, to=None, size=1)
    taken = claim_assignment(actor=world["annotator"])
    assert taken is not None
    Assignment.objects.filter(pk=taken.pk).update(lease_until="2020-01-01T00:00:00Z")
    assert expire_leases() == 1
    assert log_in(world, "annotator2").post(f"/api/v1/assignments/{taken.pk}/open").status_code == 404
    told = log_in(world, "annotator").post(f"/api/v1/assignments/{taken.pk}/open")
    assert (told.status_code, told.json()["can"]["edit"]) == (200, True)


def test_whoever_had_a_scan_does_not_get_it_back_from_another(world: World) -> None:
    publish(world, to=None, size=1)
    taken = claim_assignment(actor=world["annotator"])
    assert taken is not None
    Assignment.objects.filter(pk=taken.pk).update(lease_until="2020-01-01T00:00:00Z")
    assert expire_leases() == 1
    assert claim_assignment(actor=world["annotator2"]) == taken
    told = log_in(world, "annotator").post(f"/api/v1/assignments/{taken.pk}/open")
    assert (told.status_code, told.json()["code"]) == (409, "lease_lost")


def test_nothing_is_given_to_a_closed_account(world: World) -> None:
    batch = publish(world, size=1)
    close_account(person=world["annotator2"], actor=world["admin"], why="left")
    closed, coordinator = User.objects.get(username="annotator2"), world["coordinator"]
    with pytest.raises(Invalid) as refused:
        assign_batch(batch_id=batch.pk, person=closed, actor=coordinator)
    assert refused.value.code == "not_an_annotator"
    with pytest.raises(Invalid) as refused:
        create_batch(campaign=world.campaign, actor=coordinator, assignee=closed)
    assert refused.value.code == "not_an_annotator"


def test_a_glance_at_passed_on_work_is_no_work_when_a_batch_is_brought_back(world: World) -> None:
    _first, fresh = taken_over(world, returned=True)
    Assignment.objects.filter(pk=fresh.pk).update(active_seconds=20)
    assert end_offline(batch_id=fresh.batch_id, actor=world["annotator2"]) == 1
    begin(assignment_id=fresh.pk, actor=world["annotator2"])
    Assignment.objects.filter(pk=fresh.pk).update(active_seconds=40)
    assert end_offline(batch_id=fresh.batch_id, actor=world["annotator2"]) == 0
