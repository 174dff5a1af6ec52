"""Background work: the broker, the workers of each queue, beat."""

import time
from typing import Any
from uuid import uuid4

import psycopg
from celery import current_app
from django.conf import settings
from django.db import connection

from annotation.upkeep.doctor.result import CheckResult, fails, judged, ok, warns
from voxloop.jobs.models import Job, Worker
from voxloop.jobs.states import JobState
from voxloop.kernel.clock import now

CHANNEL, TASK = "voxloop_doctor", "upkeep.answer_doctor"
ANSWERS_WITHIN_S = 20.0
LATE_S, TOO_LATE_S = 30.0, 120.0
START = "Start the worker of this queue, or restart it (docs/operating.md)."


def check_default_worker() -> CheckResult:
    """A message sent to the queue `default` is processed."""
    return _check_queue("default")


def check_ml_worker() -> CheckResult:
    """A message sent to the queue `ml` is processed, or a training keeps its worker busy."""
    return _check_queue("ml")


def _check_queue(queue: str) -> CheckResult:
    name = f"worker {queue}"
    token = uuid4().hex
    with psycopg.connect(**_listening(), autocommit=True) as line:
        line.execute(f"LISTEN {CHANNEL}")
        try:
            current_app.send_task(TASK, args=[token], queue=queue, expires=ANSWERS_WITHIN_S, retry=False)
        except Exception as error:  # each broker raises different exceptions
            return fails(
                name,
                f"The broker does not take messages ({type(error).__name__}).",
                "Start the broker, or correct VOXLOOP_BROKER; jobs requested meanwhile are re-sent automatically.",
            )
        sent = time.monotonic()
        for heard in line.notifies(timeout=ANSWERS_WITHIN_S):
            if heard.payload == token:
                return ok(name, f"A task ran {time.monotonic() - sent:.1f} s after it was sent.")
    busy = [
        kind
        for kind in Job.objects.filter(state=JobState.RUNNING).values_list("kind", flat=True)
        if _queue_of(kind) == queue
    ]
    if busy:
        return warns(
            name,
            f"No task ran within {ANSWERS_WITHIN_S:.0f} s; {len(busy)} job of kind {busy[0]} is running.",
            "Wait for it to end and look again.",
        )
    return fails(name, f"A task that was sent did not run within {ANSWERS_WITHIN_S:.0f} s.", START)


def check_beat() -> CheckResult:
    """Scheduled tasks are sent: leases expire, jobs are re-sent, the log is anchored."""
    clock = Worker.objects.filter(queues=[]).order_by("-taken_at").first()
    if clock is None:
        return fails("beat", "No scheduler (beat) runs.", "Start beat (celery -A voxloop.project beat).")
    age = (now() - clock.taken_at).total_seconds()
    return judged(
        "beat",
        age,
        (LATE_S, TOO_LATE_S),
        f"The scheduler (beat) last checked for due tasks {age:.0f} s ago.",
        "Restart beat; exactly one runs in an installation.",
    )


def _queue_of(kind: str) -> str:
    return str(Job.QUEUES[Job.Kind(kind)])


def _listening() -> dict[str, Any]:
    here = settings.DATABASES[connection.alias] | {"NAME": connection.settings_dict["NAME"]}
    wanted = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    return {ours: str(here[theirs]) for ours, theirs in wanted.items() if here.get(theirs)}
