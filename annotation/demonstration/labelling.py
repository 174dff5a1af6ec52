"""Simulated readers label the first scans of each site through the ordinary services, some of them twice."""

import time
from collections.abc import Mapping, Sequence
from uuid import uuid4

from django.db import transaction

from annotation.demonstration.phantoms import phantom_of
from annotation.demonstration.plan import READ_TWICE, SITES, pseudonym_of, seed_of
from annotation.demonstration.progress import SetupReporter
from annotation.demonstration.reading import read_like_a_person
from annotation.demonstration.stage import Stage, code_of, in_days
from annotation.demonstration.waiting import NotCreatedError
from annotation.masks.answers import save_answers
from annotation.masks.models import Head
from annotation.masks.services import begin, save_message
from annotation.masks.states import EMPTY
from annotation.reviews.claims import claim_round
from annotation.reviews.models import ReviewRound
from annotation.reviews.services import approve_round, submit_assignment
from annotation.reviews.states import RoundState
from annotation.scans.models import Scan
from annotation.work.activity import beat_assignment
from annotation.work.batches import create_batch, publish_batch
from annotation.work.campaigns import change_campaign
from annotation.work.models import Assignment, Batch
from annotation.work.overlap import list_owed
from annotation.work.states import AssignmentState, BatchState
from voxloop.accounts.models import User
from voxloop.kernel.clock import now
from voxloop.volume.labelmap import encode_message, split_labelmap

LAYER = "findings"
INFECTIOUS = {1, 2, 3}  # segment ids of the standard schema
SEEDS_APART = 500_000  # of two readers of one scan


def label_first_scans(*, stage: Stage, progress: SetupReporter) -> None:
    """One reader labels and submits the first scans of each site, another some of them, too, and the reviewer approves
    them, through the services."""
    phantoms = _phantoms_by_code(stage)
    scans = list(Scan.objects.filter(campaign_scans__campaign=stage.campaign, subject__pseudonym__in=phantoms))
    held = Assignment.objects.filter(campaign=stage.campaign, stage=Assignment.Stage.ANNOTATION, scan__in=scans)
    if not held.exists():
        # Only here: later batches begin from the model's masks, and readers who are compared begin blank.
        administrator = stage.people["administrator"]
        with transaction.atomic():
            change_campaign(campaign=stage.campaign, actor=administrator, overlap_share=READ_TWICE)
            _give_out(stage, "annotator2", scans)
            change_campaign(campaign=stage.campaign, actor=administrator, overlap_share=0.0)
    if list_owed(stage.campaign, stage.people["annotator3"]):
        _give_out(stage, "annotator3", [])
    for batch in Batch.objects.filter(assignments__in=held, state=BatchState.DRAFT).distinct():
        publish_batch(batch_id=batch.pk, actor=stage.people["coordinator"])
    # Both readings of a scan one after the other: its phantom is made once.
    readings = list(held.select_related("scan__subject", "person").order_by("scan__code", "reader"))
    for number, assignment in enumerate(readings, start=1):
        progress.report(14, f"Labelling and reviewing: scan {number} of {len(readings)}")
        if assignment.person is not None and assignment.state in (AssignmentState.QUEUED, AssignmentState.OPEN):
            _label(assignment, assignment.person, phantoms)
        _approve(assignment, stage.people["reviewer"])


def _give_out(stage: Stage, name: str, scans: Sequence[Scan]) -> None:
    """A batch of these scans, or (none) of the readings that are owed."""
    reader = stage.people[name]
    create_batch(
        campaign=stage.campaign,
        actor=stage.people["coordinator"],
        size=len(scans) or len(list_owed(stage.campaign, reader)),
        assignee=reader,
        due_on=in_days(7),
        scan_ids=[scan.pk for scan in scans] or None,
    )


def _label(assignment: Assignment, reader: User, phantoms: Mapping[str, str]) -> None:
    """Label and submit as the reader. The time that counts is what the simulated reader really took."""
    started = time.monotonic()
    begin(assignment_id=assignment.pk, actor=reader)
    subject = assignment.scan.subject
    if subject is None:
        raise NotCreatedError(f"Scan {assignment.scan.code} has no subject.")
    name = phantoms[subject.pseudonym]
    phantom = phantom_of(name)
    seed = seed_of(name) + SEEDS_APART * (assignment.reader - 1)
    labels = read_like_a_person(phantom.findings_zyx, phantom.geometry.spacing_mm_zyx, seed)
    if not Head.objects.filter(assignment=assignment).exists() and labels.any():
        message = encode_message(LAYER, labels.shape, split_labelmap(labels))
        save_message(
            assignment_id=assignment.pk, layer=LAYER, message=message, if_match=EMPTY, key=uuid4(), actor=reader
        )
    found = {int(value) for value in set(labels.flat) if value}
    answers = {"quality": "good", "diagnosis": "covid19" if found & INFECTIOUS else "no_signs"}
    save_answers(
        assignment_id=assignment.pk, values=answers | ({} if found else {"confirmed_empty": True}), actor=reader
    )
    beat_assignment(assignment_id=assignment.pk, actor=reader, active_seconds=time.monotonic() - started)
    submit_assignment(assignment_id=assignment.pk, actor=reader, acknowledged=["mask_outside_lung", "not_seen"])


def _approve(assignment: Assignment, reviewer: User) -> None:
    round_ = ReviewRound.objects.filter(
        annotation=assignment, state__in=[RoundState.PENDING, RoundState.CLAIMED]
    ).first()
    if round_ is not None:
        claim_round(round_id=round_.pk, actor=reviewer)
        approve_round(round_id=round_.pk, actor=reviewer, signed_at=now())


def _phantoms_by_code(stage: Stage) -> dict[str, str]:
    """The phantoms to be labelled, by the codes that intake gave them."""
    names = [pseudonym_of(site, number) for site in SITES for number in range(1, stage.labelled[site.code] + 1)]
    return {code_of(stage, name): name for name in names}
