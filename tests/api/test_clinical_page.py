"""The page of clinical records: send a sheet, say what it means, look, store; the next sheet needs no words."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from annotation.scans.models import ClinicalRecord
from tests.factories.world import World

pytestmark = pytest.mark.django_db
PAGE = "/campaigns/chest-ct/scans/clinical/"
SHEET = PAGE + "sheet/"
TEXT = "pseudonym;Alter;Geschlecht;Notiz\nS0;44;w;=cmd\nS3;old;m;\nS9;3;m;\n"
MEANT = {"column_0": "pseudonym", "column_1": "age", "column_2": "sex", "dates": "YYYY-MM-DD"}


@pytest.fixture
def client(world: World) -> Client:
    client = Client()
    client.force_login(world["datamanager"])
    return client


def send(client: Client, world: World, text: str = TEXT, name: str = "sheet.csv") -> Any:
    file = SimpleUploadedFile(name, text.encode())
    return client.post(PAGE, {"site": str(world.sites["a"].pk), "file": file})


def key_of(client: Client) -> str:
    return str(client.session["clinical sheet"]["key"])


def say(client: Client, do: str, **more: str) -> Any:
    return client.post(SHEET, {**MEANT, "key": key_of(client), "do": do, **more})


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_from_a_sheet_to_records(world: World, client: Client) -> None:
    assert "2 0 0 0" in text_of(client.get(PAGE))  # site a: two subjects, nothing known
    assert send(client, world)["Location"] == SHEET
    first = client.get(SHEET)
    assert re.search(r'<option value="pseudonym" selected', first.content.decode())
    looked = say(client, "check", word_sex_0="male", word_sex_1="female")
    told = text_of(looked)
    assert "New records 1" in told
    assert "Lines left out 2" in told
    assert "The age is not whole years from 0 to 130; write such a number." in told
    assert not ClinicalRecord.objects.exists()
    stored = say(client, "store", word_sex_0="male", word_sex_1="female")
    assert stored["Location"] == PAGE
    assert "1 record of site a stored, 0 changed, 0 as before. 2 lines left out." in text_of(client.get(PAGE))
    record = ClinicalRecord.objects.get()
    assert (record.subject.pseudonym, record.age_years, record.sex) == ("S0", 44, "female")
    # The site's next sheet is understood already.
    send(client, world, TEXT.replace("old", "50"))
    page = client.get(SHEET).content.decode()
    assert len(re.findall(r'<option value="(?:age|sex|female|male)" selected', page)) == 4


def test_refusals_stand_on_the_page_and_nothing_is_left(world: World, client: Client) -> None:
    for text, name, code in (("PK", "sheet.xlsx", "unknown_file"), ("a;a\n1;2", "s.csv", "bad_columns")):
        answer = send(client, world, text, name)
        assert (answer.status_code, answer["Voxloop-Code"]) == (422, code)
    assert client.get(SHEET)["Location"] == PAGE  # no sheet waits
    send(client, world)
    answer = say(client, "store", column_0="")
    assert (answer.status_code, answer["Voxloop-Code"]) == (422, "bad_mapping")
    answer = client.post(SHEET, {**MEANT, "key": "uploads/old", "do": "store"})
    assert answer["Voxloop-Code"] == "another_file"
    assert not ClinicalRecord.objects.exists()


def test_a_sheet_is_only_for_who_is_a_member_of_its_site(world: World, client: Client) -> None:
    send(client, world)
    world.sites["a"].memberships.filter(user=world["datamanager"]).delete()
    assert client.get(SHEET).status_code == 404
    assert send(client, world).status_code == 422
