"""Notices by e-mail, one mail a person with all that is new; what a server did not take is tried again later."""

from collections import defaultdict
from datetime import timedelta
from smtplib import SMTPException
from typing import Any

import structlog
from django.conf import settings
from django.core.mail import send_mail

from annotation.notices.models import Notice
from voxloop.accounts.models import User
from voxloop.jobs.models import Job
from voxloop.jobs.running import Claim
from voxloop.jobs.services import enqueue
from voxloop.jobs.states import JobState
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict
from voxloop.kernel.ids import new_id

log = structlog.get_logger(__name__)
MOST_TRIES = 6  # after 1, 4, 9, 16 and 25 minutes
MOST_LINES = 30


def mail_when_due() -> int:
    """Ask for a job while a notice waits for its mail and no job is under way; returns how many wait."""
    if not settings.MAIL_IS_SET:
        return 0
    waiting = Notice.objects.filter(mail_next_at__lte=now()).count()
    under_way = Job.objects.filter(kind=Job.Kind.SEND_NOTICES, state__in=[JobState.QUEUED, JobState.RUNNING])
    if waiting and not under_way.exists():
        enqueue(Job.Kind.SEND_NOTICES, payload={}, key=f"send_notices:{new_id()}")
    return waiting


def send_notices(held: Claim) -> dict[str, Any]:
    """Carry out a `send_notices` job. Raises Conflict (`mail_refused`) when a mail could not be sent; each that could
    is kept as sent, each other comes again."""
    waiting: dict[User, list[Notice]] = defaultdict(list)
    due = Notice.objects.filter(mail_next_at__lte=now()).select_related("person", "campaign").order_by("created_at")
    for notice in due:
        waiting[notice.person].append(notice)
    sent, refused = 0, 0
    for done, (person, notices) in enumerate(waiting.items()):
        held.report(95 * done // len(waiting), f"Mail {done + 1} of {len(waiting)}")
        if _send(person, notices):
            sent += 1
        else:
            refused += 1
    if refused:
        raise Conflict(
            f"{refused} of {len(waiting)} mails could not be sent; they are tried again. Look at VOXLOOP_MAIL if it "
            "stays so.",
            code="mail_refused",
        )
    return {"mails": sent}


def _send(person: User, notices: list[Notice]) -> bool:
    keys = [notice.pk for notice in notices]
    if not (person.email and person.is_active and settings.MAIL_IS_SET):
        Notice.objects.filter(pk__in=keys).update(mail_next_at=None)
        return True
    lines = [f"{notice.campaign}: {notice.text}" for notice in notices[:MOST_LINES]]
    if len(notices) > MOST_LINES:
        lines.append(f"And {len(notices) - MOST_LINES} more.")
    end = "Log in to see them. What is mailed to you is chosen on the page of notices."
    subject = "Voxloop: 1 notice" if len(notices) == 1 else f"Voxloop: {len(notices)} notices"
    try:
        send_mail(subject, "\n".join([*lines, "", end, ""]), None, [person.email])
    except (OSError, SMTPException) as error:
        log.warning("notice_not_mailed", person=str(person.pk), error=type(error).__name__)
        for notice in notices:
            tries = notice.mail_tries + 1
            again = now() + timedelta(minutes=tries**2) if tries < MOST_TRIES else None
            Notice.objects.filter(pk=notice.pk).update(mail_tries=tries, mail_next_at=again)
        return False
    Notice.objects.filter(pk__in=keys).update(mailed_at=now(), mail_next_at=None)
    return True
