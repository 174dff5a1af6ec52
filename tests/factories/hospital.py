"""What coordinators, annotators and reviewers do, as steps of a state machine, and the lists that its scans are in."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from annotation.masks.services import begin
from annotation.reviews.claims import claim_next_round, give_back_round
from annotation.reviews.models import ReviewRound
from annotation.reviews.selectors import review_queue
from annotation.reviews.services import approve_round, return_round, submit_assignment
from annotation.reviews.taking_back import take_back_submission, take_back_verdict
from annotation.scans.services import set_site_membership
from annotation.work.batches import assign_batch, cancel_batch, close_batch, create_batch, publish_batch
from annotation.work.campaigns import set_member
from annotation.work.handing_over import hand_back_out_of_reach
from annotation.work.models import Assignment, Batch, CampaignMember
from annotation.work.pausing import pause_batch, pause_person, resume_batch, resume_person
from annotation.work.people import close_account, open_account
from annotation.work.selectors import pool, unassigned_scans, work_list
from annotation.work.services import (
    block_assignment,
    claim_assignment,
    reclaim_assignment,
    release_assignment,
    skip_assignment,
    unblock_assignment,
)
from tests.factories.world import World, label
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Refusal

ANNOTATORS = ("annotator", "annotator2", "reader")
REVIEWERS = ("reviewer", "reviewer2")


@dataclass(frozen=True)
class Step:
    """One act, and what it may need: `number` chooses a row, `person` an annotator (None: the pool)."""

    act: str
    number: int
    person: str | None
    yes: bool


@dataclass
class Hospital:
    """People who act on three scans. A refusal changes nothing."""

    world: World

    def person(self, name: str | None) -> User | None:
        return User.objects.get(username=name) if name else None

    def attempt(self, act: Any, **arguments: Any) -> Any:
        try:
            with transaction.atomic():
                return act(**arguments)
        except Refusal:
            return None

    def one_of(self, rows: Any, number: int) -> Any:
        found = list(rows.order_by("pk"))
        return found[number % len(found)] if found else None

    def make_batch(self, step: Step) -> None:
        made = self.attempt(
            create_batch,
            campaign=self.world.campaign,
            actor=self.world["coordinator"],
            size=1 + step.number % 3,
            assignee=self.person(step.person),
            starts_anew=step.number % 2 == 0,
        )
        if made and step.yes:
            publish_batch(batch_id=made.pk, actor=self.world["coordinator"])

    def move_batch(self, step: Step) -> None:
        act = (publish_batch, close_batch, cancel_batch)[step.number % 3]
        if batch := self.one_of(Batch.objects.exclude(state__in=["closed", "cancelled"]), step.number):
            self.attempt(act, batch_id=batch.pk, actor=self.world["coordinator"])

    def give_batch(self, step: Step) -> None:
        if batch := self.one_of(Batch.objects.exclude(state__in=["closed", "cancelled"]), step.number):
            self.attempt(
                assign_batch,
                batch_id=batch.pk,
                person=self.person(step.person),
                actor=self.world["coordinator"],
                count=1 if step.yes else None,
            )

    def take_back(self, step: Step) -> None:
        rows = Assignment.objects.filter(stage="annotation").exclude(state="reclaimed")
        if row := self.one_of(rows, step.number):
            self.attempt(
                reclaim_assignment,
                assignment_id=row.pk,
                actor=self.world["coordinator"],
                why="moved",
                person=self.person(step.person),
                starts_anew=step.yes,
            )

    def claim(self, step: Step) -> None:
        person = self.person(step.person or "annotator")
        if person and person.is_active:
            self.attempt(claim_assignment, actor=person)

    def work(self, step: Step, act: Any, **more: Any) -> None:
        rows = Assignment.objects.filter(stage="annotation", person__is_active=True).exclude(state="reclaimed")
        row = self.one_of(rows.select_related("person"), step.number)
        if row is not None:
            self.attempt(act, assignment_id=row.pk, actor=row.person, **more)

    def open(self, step: Step) -> None:
        self.work(step, begin)

    def hand_in(self, step: Step) -> None:
        rows = Assignment.objects.filter(stage="annotation", person__is_active=True, state__in=["queued", "open"])
        row = self.one_of(rows.select_related("person", "scan"), step.number)
        if row is not None:
            name = row.person.username
            self.attempt(label, world=self.world, assignment=row, who=name, is_empty=step.yes)
            self.attempt(submit_assignment, assignment_id=row.pk, actor=row.person, acknowledged=["mask_outside_lung"])

    def skip(self, step: Step) -> None:
        self.work(step, skip_assignment, reason="artefact")

    def block(self, step: Step) -> None:
        self.work(step, block_assignment, reason="artefact")

    def release(self, step: Step) -> None:
        self.work(step, release_assignment)

    def put_back(self, step: Step) -> None:
        if row := self.one_of(Assignment.objects.filter(state__in=["skipped", "blocked"]), step.number):
            self.attempt(unblock_assignment, assignment_id=row.pk, actor=self.world["coordinator"])

    def review(self, step: Step) -> None:
        reviewer = User.objects.get(username=REVIEWERS[step.yes])
        found = self.attempt(claim_next_round, actor=reviewer) if reviewer.is_active else None
        if found is None:
            return
        one = {"round_id": found.pk, "actor": reviewer}
        if step.number % 4 == 0:
            self.attempt(approve_round, **one, signed_at=now())
        elif step.number % 4 == 1:
            self.attempt(return_round, **one, comments=[{"text": "the apex is missing"}])
        elif step.number % 4 == 2:
            self.attempt(give_back_round, **one)

    def take_back_a_hand_in(self, step: Step) -> None:
        self.work(step, take_back_submission)

    def undo_a_verdict(self, step: Step) -> None:
        rows = ReviewRound.objects.filter(state__in=["approved", "returned"], reviewer__is_active=True)
        if found := self.one_of(rows.select_related("reviewer"), step.number):
            self.attempt(take_back_verdict, round_id=found.pk, actor=found.reviewer)

    def close_or_open_account(self, step: Step) -> None:
        row = User.objects.get(username=(*ANNOTATORS, *REVIEWERS)[step.number % 5])
        if row.is_active:
            self.attempt(close_account, person=row, actor=self.world["admin"], why="left")
        else:
            self.attempt(open_account, person=row, actor=self.world["admin"])

    def change_access(self, step: Step) -> None:
        user, admin = User.objects.get(username=step.person or "annotator"), self.world["admin"]
        if step.yes:
            site, is_member = self.world.sites["ab"[step.number % 2]], step.number % 4 < 2
            set_site_membership(user=user, site=site, is_member=is_member, actor=admin)
        else:
            is_member = step.number % 2 == 0
            set_member(campaign=self.world.campaign, user=user, role=Role.ANNOTATOR, is_member=is_member, actor=admin)
        hand_back_out_of_reach(person=user, actor=admin)

    def pause_or_resume_batch(self, step: Step) -> None:
        if batch := self.one_of(Batch.objects.all(), step.number):
            one = {"batch_id": batch.pk, "actor": self.world["coordinator"]}
            self.attempt(resume_batch, **one) if batch.is_paused else self.attempt(pause_batch, **one, why="checked")

    def pause_or_resume_person(self, step: Step) -> None:
        person = User.objects.get(username=(*ANNOTATORS, *REVIEWERS)[step.number % 5])
        one = {"campaign": self.world.campaign, "person_id": person.pk, "actor": self.world["coordinator"]}
        if CampaignMember.objects.filter(user=person, is_paused=True).exists():
            self.attempt(resume_person, **one)
        else:
            self.attempt(pause_person, **one, why="away")

    def rows(self) -> list[str]:
        """Every assignment, for the report of a failure."""
        rows = Assignment.objects.select_related("scan", "person", "batch").order_by("created_at")
        return [f"{row} {row.state} {row.batch} {row.batch.state} {row.batch.assignee}" for row in rows]

    def lists(self) -> dict[str, list[str]]:
        """The lists that each scan is in, as those look whom it concerns."""
        found: dict[Any, list[str]] = {scan.pk: [] for scan in self.world.scans}
        for scan, where in [*self.free(), *self.under_way(), *self.handed_in()]:
            found[scan].append(where)
        return {scan.code: found[scan.pk] for scan in self.world.scans}

    def free(self) -> Iterator[tuple[Any, str]]:
        for pk in unassigned_scans(self.world.campaign).values_list("pk", flat=True):
            yield pk, "free for a batch"
        # Asked as somebody who may take anything: whether such a person is there just now is not the lists' affair.
        for row in pool(self.world["everywhere"], self.world.campaign):
            yield row.scan_id, "the pool"
        for row in Assignment.objects.filter(state="queued", batch__state="draft"):
            yield row.scan_id, "a draft"
        kept_back = pool(self.world["everywhere"], self.world.campaign, even_paused=True)
        for row in kept_back.filter(batch__is_paused=True):
            yield row.scan_id, "a paused batch"

    def under_way(self) -> Iterator[tuple[Any, str]]:
        for person in User.objects.filter(username__in=ANNOTATORS, is_active=True):
            for row in work_list(person).filter(state__in=["queued", "open", "returned"]):
                if row.batch.state not in ("closed", "cancelled"):
                    yield row.scan_id, f"the list of {person} ({row.state})"
        for row in Assignment.objects.filter(state="blocked").exclude(batch__state__in=["closed", "cancelled"]):
            yield row.scan_id, "blocked"

    def handed_in(self) -> Iterator[tuple[Any, str]]:
        waiting = ReviewRound.objects.filter(annotation__state="submitted", state__in=["pending", "claimed"])
        for found in waiting.select_related("annotation", "reviewer"):
            if found.reviewer is None or review_queue(found.reviewer).filter(pk=found.pk).exists():
                yield found.annotation.scan_id, f"review ({found.state})"
        for row in Assignment.objects.filter(stage="annotation", state="approved"):
            yield row.scan_id, "approved"


ACTS = (
    Hospital.make_batch,
    Hospital.move_batch,
    Hospital.give_batch,
    Hospital.take_back,
    Hospital.claim,
    Hospital.open,
    Hospital.hand_in,
    Hospital.skip,
    Hospital.block,
    Hospital.release,
    Hospital.put_back,
    Hospital.review,
    Hospital.take_back_a_hand_in,
    Hospital.undo_a_verdict,
    Hospital.close_or_open_account,
    Hospital.change_access,
    Hospital.pause_or_resume_batch,
    Hospital.pause_or_resume_person,
)
