"""Jobs: one owner at a time, lost workers detected, no writes by a superseded worker."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from voxloop.accounts.actors import SystemActor
from voxloop.jobs.models import Job
from voxloop.jobs.running import Claim, LeaseLost, claim, run
from voxloop.jobs.services import cancel, enqueue, resend_expired
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Invalid

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(django_capture_on_commit_callbacks: object) -> Job:
    return enqueue(Job.Kind.IMPORT_SCANS, payload={}, key="one")


def lapse(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(lease_until=now() - timedelta(seconds=1))


def test_the_same_key_is_the_same_job(job: Job) -> None:
    assert enqueue(Job.Kind.IMPORT_SCANS, payload={}, key="one") == job


def test_one_claim_at_a_time(job: Job) -> None:
    assert claim(job.pk) is not None
    assert claim(job.pk) is None


@pytest.mark.fault("a frozen worker wakes after its job was given to another")
def test_an_expired_claim_is_taken_over_and_the_old_one_can_no_longer_write(job: Job) -> None:
    first = claim(job.pk)
    assert first is not None
    lapse(job)
    second = claim(job.pk)
    assert second is not None
    assert second.fence > first.fence
    with pytest.raises(LeaseLost):
        first.report(50)
    second.report(60, "Half")
    job.refresh_from_db()
    assert (job.progress, job.message, job.attempt) == (60, "Half", 2)


@pytest.mark.fault("a job that kills its workers")
def test_a_job_lost_too_often_is_lost(job: Job) -> None:
    for _ in range(2):
        assert claim(job.pk) is not None
        lapse(job)
    resend_expired()
    job.refresh_from_db()
    assert (job.state, job.error_code) == ("lost", "worker_lost")
    assert claim(job.pk) is None


def test_a_refusal_is_told(job: Job) -> None:
    def work(held: Claim) -> None:
        raise Invalid("The file is empty.", code="empty_file")

    run(job.pk, work)
    job.refresh_from_db()
    assert (job.state, job.error_code, job.error) == ("failed", "empty_file", "The file is empty.")


def test_a_fault_does_not_show_its_insides(job: Job) -> None:
    def work(held: Claim) -> None:
        raise ValueError("/secret/path")

    run(job.pk, work)
    job.refresh_from_db()
    assert (job.state, job.error_code) == ("failed", "internal")
    assert "/secret" not in job.error


def test_a_result_is_kept(job: Job) -> None:
    run(job.pk, lambda held: {"scans": 3})
    job.refresh_from_db()
    assert (job.state, job.progress, job.result, job.lease_until) == ("succeeded", 100, {"scans": 3}, None)
    run(job.pk, lambda held: {"scans": 4})
    job.refresh_from_db()
    assert job.result == {"scans": 3}


def test_cancelling_reaches_the_worker(job: Job) -> None:
    held = claim(job.pk)
    assert held is not None
    cancel(job_id=job.pk, actor=SystemActor.OPERATOR)
    with pytest.raises(LeaseLost):
        held.report(10)
    with pytest.raises(Conflict):
        cancel(job_id=job.pk, actor=SystemActor.OPERATOR)


def test_the_database_refuses_a_running_job_without_a_lease(job: Job) -> None:
    with pytest.raises(IntegrityError, match="job_running_has_lease"), transaction.atomic():
        Job.objects.filter(pk=job.pk).update(state="running")
