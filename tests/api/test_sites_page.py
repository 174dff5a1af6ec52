"""The first hour of an installation: an administrator by command, sites by page."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from annotation.scans.models import Site
from annotation.scans.services import create_site
from tests.factories.world import PASSWORD, World
from voxloop.accounts.models import User
from voxloop.audit.models import AuditEntry
from voxloop.kernel.errors import Conflict, Invalid

pytestmark = pytest.mark.django_db


def command(monkeypatch: pytest.MonkeyPatch, name: str, typed: str) -> str:
    monkeypatch.setattr("sys.stdin", StringIO(typed))
    told = StringIO()
    call_command("create_administrator", name, stdout=told)
    return told.getvalue()


def test_from_nobody_to_a_site(monkeypatch: pytest.MonkeyPatch) -> None:
    assert command(monkeypatch, "ada", f"{PASSWORD}\n") == "ada can log in and invite people.\n"
    assert AuditEntry.objects.filter(action="person.created").exists()
    client = Client()
    assert client.post("/accounts/login/", {"login": "ada", "password": PASSWORD}).status_code == 302
    assert "There is no site yet" in client.get("/sites/").content.decode()
    done = client.post("/sites/new/", {"code": "north", "name": "Northern hospital", "split": "validation"})
    assert (done.status_code, done["Location"]) == (302, "/sites/")
    assert Site.objects.get().split == "validation"
    text = client.get("/sites/").content.decode()
    assert all(words in text for words in ("Northern hospital", "Validation (hold-out)", "nobody"))


@pytest.mark.parametrize(
    ("name", "typed", "says", "code"),
    [
        ("ada", "short\n", "at least 12", 1),
        ("admin", f"{PASSWORD}\n", "There is already a person called admin", 1),
        ("ada", "", "No password was given", 2),
    ],
)
def test_what_makes_no_administrator(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str, typed: str, says: str, code: int
) -> None:
    before = User.objects.count()
    with pytest.raises(CommandError, match=says) as refused:
        command(monkeypatch, name, typed)
    assert refused.value.returncode == code
    assert User.objects.count() == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"code": "a"}, "There is already a site with the code a."),
        ({"code": "A"}, "There is already a site with the code A."),
        ({"code": "two words"}, "Letters a to z and digits only."),
        ({"code": "a-b"}, "Letters a to z and digits only."),
        ({"code": "ä"}, "Letters a to z and digits only."),
        ({"code": "x" * 13}, "at most 12"),
        ({"name": ""}, "This field is required."),
        ({"split": "gold"}, "not one of the available choices"),
    ],
)
def test_a_site_that_cannot_be_is_told(world: World, change: dict[str, str], says: str) -> None:
    client = Client()
    client.force_login(world["admin"])
    answer = client.post("/sites/new/", {"code": "d", "name": "D", "split": "train", **change}, follow=True)
    assert says in answer.content.decode()
    assert Site.objects.count() == 3


def test_a_code_that_would_share_the_numbers_of_another_site_is_refused_below_the_form_too(world: World) -> None:
    with pytest.raises(Invalid) as refused:
        create_site(code="a-b", name="A and B", split="train", actor=world["admin"])
    assert refused.value.code == "bad_site"
    with pytest.raises(Conflict):
        create_site(code="A", name="A", split="train", actor=world["admin"])
