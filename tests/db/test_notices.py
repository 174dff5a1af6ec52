"""People are told what happened to their work, once, where they want it, and nothing that would unblind them."""

import socket
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail

from annotation.learning.models import TrainingRun
from annotation.learning.states import TRAINING_RUN, RunState
from annotation.notices.gathering import gather
from annotation.notices.kinds import Channel, NoticeKind
from annotation.notices.mailing import MOST_TRIES, mail_when_due, send_notices
from annotation.notices.models import Notice
from annotation.notices.reminding import remind
from annotation.notices.services import choose, mark_read
from annotation.reviews.claims import claim_round
from annotation.reviews.comments import add_comment, add_reply
from annotation.reviews.models import ReviewRound, Trial
from annotation.reviews.services import return_round, submit_assignment
from annotation.reviews.states import TRIAL, TrialState
from annotation.work.batches import assign_batch, close_batch
from annotation.work.gold import hide_gold
from annotation.work.models import Batch
from tests.factories.clients import logged_in
from tests.factories.gold import golden
from tests.factories.world import World, add_role, first_of, label, make_scan, publish
from voxloop.accounts.actors import SystemActor
from voxloop.accounts.zones import today_of
from voxloop.audit.services import advance
from voxloop.jobs.models import Job
from voxloop.jobs.running import run
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Invalid, NotFound

pytestmark = pytest.mark.django_db
EVERY = [f"{kind}:{channel}" for kind in NoticeKind for channel in Channel]


def texts(world: World, name: str) -> list[str]:
    return list(Notice.objects.filter(person=world[name]).order_by("created_at").values_list("text", flat=True))


def submitted(world: World) -> ReviewRound:
    assignment = first_of(publish(world, size=2))
    label(world, assignment)
    return submit_assignment(assignment_id=assignment.pk, actor=world["annotator"])


def test_work_that_is_given_returned_and_commented_is_told_once(world: World) -> None:
    found = submitted(world)
    claim_round(round_id=found.pk, actor=world["reviewer"])
    comment = add_comment(round_id=found.pk, actor=world["reviewer"], text="the fissure")
    add_reply(comment_id=comment.pk, actor=world["annotator"], text="I see")
    return_round(round_id=found.pk, actor=world["reviewer"])
    assert gather() > 0
    scan = found.annotation.scan
    assert texts(world, "annotator") == [
        f"Batch {found.annotation.batch} was given to you: 2 scans.",
        f"A comment on {scan}.",
        f"{scan} came back to you; the comments say what to change.",
    ]
    assert texts(world, "reviewer") == [f"An answer to a comment on {scan}."]
    assert texts(world, "annotator2") == []
    assert gather() == 0
    client = logged_in(world, "annotator")
    assert "Notices, 3 unread" in client.get("/worklist/").content.decode()
    for notice in Notice.objects.filter(person=world["annotator"]):
        answer = client.post("/notices/read/", {"notice": str(notice.pk)}, follow=True)
        assert answer.status_code == 200, notice.url
    assert "unread" not in client.get("/worklist/").content.decode().split("</header>")[0]


def test_one_is_not_told_of_what_one_does_and_the_next_person_is(world: World) -> None:
    batch = publish(world, to=None, size=2)
    assign_batch(batch_id=batch.pk, person=world["annotator2"], actor=world["coordinator"])
    gather()
    close_batch(batch_id=batch.pk, actor=world["coordinator"])
    gather()
    assert texts(world, "annotator2") == [f"Batch {batch} was given to you: 2 scans."]
    assert texts(world, "coordinator") == []


def test_coordinators_are_told_of_batches_and_trainings(world: World) -> None:
    batch = publish(world, size=1)
    add_role(world, "reviewer2", "coordinator")
    close_batch(batch_id=batch.pk, actor=world["reviewer2"])
    training = TrainingRun.objects.create(
        campaign=world.campaign, number=4, profile="demo", seed=1, manifest={}, manifest_hash="0"
    )
    advance(training, RunState.FAILED, table=TRAINING_RUN, actor=SystemActor.WORKER)
    gather()
    assert texts(world, "coordinator") == [f"Batch {batch} was closed.", "Training 4 failed."]


def test_who_passed_a_certification_is_told(world: World) -> None:
    batch = publish(world, size=1)
    trial = Trial.objects.create(
        campaign=world.campaign, person=world["annotator"], number=1, batch=batch, pass_dice=0.6, dice=0.8
    )
    advance(trial, TrialState.PASSED, table=TRIAL, actor=SystemActor.WORKER)
    gather()
    assert texts(world, "annotator")[-1] == "You passed the certification; your work is open."


@pytest.mark.parametrize(("days", "says"), [(1, "is due tomorrow"), (-1, "has passed"), (0, ""), (2, "")])
def test_due_dates_are_told_the_day_before_and_after(world: World, days: int, says: str) -> None:
    batch = publish(world, size=1)
    Batch.objects.filter(pk=batch.pk).update(due_on=today_of(world["annotator"]) + timedelta(days=days))
    remind()
    remind()
    assert len(texts(world, "annotator")) == bool(says)
    assert all(says in text for text in texts(world, "annotator"))


def test_reviewers_hear_once_a_day_that_reviews_wait(world: World) -> None:
    submitted(world)
    assert remind() == 2  # two reviewers
    assert remind() == 0
    assert texts(world, "reviewer") == ["1 review waits for you."]
    Notice.objects.update(key="that of yesterday")
    assert remind() == 2


def test_nothing_that_is_told_names_gold_repeats_or_samples(world: World) -> None:
    golden(world, 2)
    for seed in range(6, 10):
        make_scan(world, "a", seed=seed)
    plain = publish(world, to="annotator2", size=3)
    mixed = publish(world, to="annotator2", size=3)
    Notice.objects.all().delete()
    hide_gold(batch_id=mixed.pk, actor=world["coordinator"], count=2)
    row = mixed.assignments.filter(is_gold=True).first()
    label(world, row, who="annotator2")
    submit_assignment(assignment_id=row.pk, actor=world["annotator2"])
    gather()
    remind()
    told = [text.replace(str(mixed), "B").replace(str(plain), "B") for text in texts(world, "annotator2")]
    assert len(set(told)) <= 2, told
    said = " ".join(Notice.objects.exclude(person=world["coordinator"]).values_list("text", flat=True)).lower()
    assert not [word for word in ("gold", "repeat", "sample", "hidden", "second", "blind") if word in said]


def test_what_is_switched_off_is_not_told_and_addresses_are_checked(world: World, settings: Any) -> None:
    settings.MAIL_IS_SET = True
    choose(person=world["annotator"], wanted=["due:page", "work_given:mail"], email="reader@example.org")
    world["annotator"].refresh_from_db()
    found = submitted(world)
    add_comment(round_id=found.pk, actor=world["reviewer"], text="the fissure")
    gather()
    notice = Notice.objects.get(person=world["annotator"])
    assert (notice.kind, notice.on_page, notice.by_mail) == ("work_given", False, True)
    assert logged_in(world, "annotator").get("/notices/").content.decode().count("No notices yet") == 1
    with pytest.raises(Invalid) as refused:
        choose(person=world["annotator"], wanted=[], email="no address")
    assert refused.value.code == "bad_email"
    with pytest.raises(NotFound):
        mark_read(person=world["annotator2"], only=notice.pk)
    client = logged_in(world, "annotator2")
    assert client.post("/notices/read/", {"notice": "no id"}).status_code == 404
    client.post("/notices/choices/", {"wanted": EVERY, "email": "two@example.org"})
    world["annotator2"].refresh_from_db()
    assert world["annotator2"].email == "two@example.org"


def carry_out() -> Job:
    mail_when_due()
    job = Job.objects.filter(kind="send_notices").latest("created_at")
    run(job.pk, send_notices)
    job.refresh_from_db()
    return job


def test_mail_is_sent_by_a_job_and_tried_again(world: World, settings: Any) -> None:
    settings.MAIL_IS_SET = True
    choose(person=world["annotator"], wanted=EVERY, email="reader@example.org")
    world["annotator"].refresh_from_db()
    batch = publish(world, size=2)
    gather()
    assert mail_when_due() == 1
    assert mail_when_due() == 1
    assert Job.objects.filter(kind="send_notices").count() == 1
    works = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with socket.create_server(("127.0.0.1", 0)) as closed:
        settings.EMAIL_HOST, settings.EMAIL_PORT = closed.getsockname()[:2]
    failed = carry_out()
    assert (failed.state, failed.error_code) == ("failed", "mail_refused")
    notice = Notice.objects.get(person=world["annotator"])
    assert notice.mail_tries == 1
    assert notice.mail_next_at is not None
    assert notice.mail_next_at > now()
    settings.EMAIL_BACKEND = works
    Notice.objects.update(mail_next_at=now())
    assert carry_out().result == {"mails": 1}
    assert mail.outbox[0].to == ["reader@example.org"]
    assert mail.outbox[0].subject == "Voxloop: 1 notice"
    assert f"Chest CT: Batch {batch} was given to you: 2 scans." in mail.outbox[0].body
    assert mail_when_due() == 0
    # One that never goes is given up.
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    Notice.objects.update(mail_next_at=now(), mail_tries=MOST_TRIES - 1)
    carry_out()
    notice.refresh_from_db()
    assert notice.mail_next_at is None


def test_without_a_mail_server_nobody_is_mailed(world: World, settings: Any) -> None:
    settings.MAIL_IS_SET = False
    choose(person=world["annotator"], wanted=EVERY, email="reader@example.org")
    publish(world, size=1)
    gather()
    assert not Notice.objects.filter(by_mail=True).exists()
    assert mail_when_due() == 0
    assert "This server sends no mail" in logged_in(world, "annotator").get("/notices/").content.decode()
