"""Refusals that only a request meets: credentials, lengths, and access that has ended already."""

from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from tests.api.test_loop_over_http import log_in
from tests.factories.kept_world import again
from tests.factories.world import PASSWORD, World, build_world
from voxloop.accounts.models import ApiToken, User
from voxloop.accounts.tokens import issue_token
from voxloop.jobs.models import Job
from voxloop.jobs.running import claim

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> World:
    return again(build_world, scans=0)


def pages_of(world: World, name: str) -> Client:
    client = Client()
    client.force_login(world[name], backend="django.contrib.auth.backends.ModelBackend")
    return client


def said_by(answer: Any) -> set[str]:
    """What the next page will tell."""
    assert answer.status_code == 302
    return {str(message) for message in get_messages(answer.wsgi_request)}


def test_wrong_credentials_say_nothing_of_which_was_wrong(world: World) -> None:
    answers = []
    for name, password in (("annotator", "wrong"), ("nobody", PASSWORD), ("annotator", "")):
        body = {"username": name, "password": password}
        answers.append(Client().post("/api/v1/auth/token", body, "application/json"))
    assert [answer.status_code for answer in answers] == [403, 403, 422]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["code"] == "wrong_credentials"
    assert ApiToken.objects.count() == 0


@pytest.mark.parametrize("length", ["abc", "-1", "1e3", "²", "9" * 19])
def test_an_upload_of_no_length(world: World, length: str) -> None:
    client = log_in(world, "datamanager")
    answer = client.post("/api/v1/scans/upload", {"site": "a", "campaign": "chest-ct"}, CONTENT_LENGTH=length)
    assert (answer.status_code, answer.json()["code"]) in {(422, "bad_content_length"), (413, "too_large")}
    assert (answer.status_code == 413) == (length == "9" * 19)
    assert Job.objects.count() == 0


def test_a_log_in_that_has_ended_is_not_ended_again(world: World) -> None:
    client = pages_of(world, "annotator")
    for which in ("999999", "0"):
        answer = client.post("/people/me/sessions/", {"which": which})
        assert said_by(answer) == {"That log-in has ended already."}  # no_session: a page says the sentence
    assert client.get("/worklist/").status_code == 200


def test_a_token_that_has_ended_is_not_ended_again(world: World) -> None:
    token, _ = issue_token(user=world["annotator"])
    other, _ = issue_token(user=world["reviewer"])
    admin, path = pages_of(world, "admin"), f"/people/{world['annotator'].pk}/access/"
    for key in ("", "nothing", other.token_key):
        answer = admin.post(path, {"end": "token", "token_key": key})
        assert said_by(answer) == {"That token has ended already."}  # no_token
    assert ApiToken.objects.count() == 2
    admin.post(path, {"end": "token", "token_key": token.token_key})
    assert list(ApiToken.objects.all()) == [other]


def test_a_new_password_is_another_one(world: World) -> None:
    client = pages_of(world, "annotator")
    body = {"oldpassword": PASSWORD, "password1": PASSWORD, "password2": PASSWORD}
    answer: Any = client.post("/accounts/password/change/", body)
    assert "That is the password you have; choose another." in answer.content.decode()
    assert answer.context["form"].errors.as_data()["password1"][0].code == "same_password"
    changed = dict.fromkeys(("password1", "password2"), PASSWORD + " 2")
    assert client.post("/accounts/password/change/", {**body, **changed}).status_code == 302
    assert User.objects.get(pk=world["annotator"].pk).check_password(PASSWORD + " 2")


def test_a_job_whose_workers_were_lost_too_often_is_lost(db: None) -> None:
    job = Job.objects.create(kind="train", key="a", max_attempts=2)
    for attempt in (1, 2):
        held = claim(job.pk)
        assert held is not None
        assert held.job.attempt == attempt
        assert claim(job.pk) is None  # held by its worker
        Job.objects.filter(pk=job.pk).update(lease_until="2000-01-01T00:00:00Z")
    assert claim(job.pk) is None
    job.refresh_from_db()
    assert (job.state, job.error_code) == ("lost", "attempts_used")
    assert job.error.endswith(".")
