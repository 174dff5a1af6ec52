"""Every job has a task, every beat entry too."""

import pytest
from celery import current_app
from django.conf import settings

from voxloop.jobs.models import Job
from voxloop.project.celery import app


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    app.loader.import_default_modules()


@pytest.mark.parametrize("kind", Job.Kind.values)
def test_every_job_has_a_task_and_a_queue(kind: str) -> None:
    assert f"jobs.{kind}" in current_app.tasks
    assert Job.QUEUES[Job.Kind(kind)] in {"default", "ml"}


@pytest.mark.parametrize("name", sorted(settings.CELERY_BEAT_SCHEDULE))
def test_every_beat_entry_has_a_task(name: str) -> None:
    assert settings.CELERY_BEAT_SCHEDULE[name]["task"] in current_app.tasks


def test_no_job_task_without_a_kind() -> None:
    tasks = {name.removeprefix("jobs.") for name in current_app.tasks if name.startswith("jobs.")}
    assert tasks == set(Job.Kind.values)
