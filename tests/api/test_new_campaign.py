"""A campaign is made with a label schema that ships, with that of another campaign, or with one from a file."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from annotation.work.models import Campaign
from annotation.work.standard import CHEST_CT, CHEST_X_RAY
from tests.factories.schemas import LIVER
from tests.factories.world import World


def logged_in(world: World, name: str) -> Client:
    client = Client()
    client.force_login(world[name], backend="django.contrib.auth.backends.ModelBackend")
    return client


def make(client: Client, content: bytes | None = None, **fields: Any) -> Any:
    sent = {"name": "Liver CT", "slug": "liver-ct", "planned_scans": 0, **fields}
    if content is not None:
        sent["schema_file"] = SimpleUploadedFile("schema.json", content, "application/json")
    return client.post("/campaigns/new/", sent)


@pytest.mark.django_db
def test_a_schema_goes_out_as_a_file_and_comes_back_changed(world: World) -> None:
    client = logged_in(world, "admin")
    answer = client.get("/campaigns/chest-ct/schema.json")
    assert answer["Content-Disposition"] == 'attachment; filename="chest-ct-schema.json"'
    sent = json.loads(answer.content)
    assert sent == CHEST_CT
    sent["layers"][0]["name"] = "opacities"
    done = make(client, b"\xef\xbb\xbf" + json.dumps(sent).encode(), schema="file")
    assert (done.status_code, done["Location"]) == (302, "/people/")
    campaign = Campaign.objects.get(slug="liver-ct")
    assert campaign.schema.definition == sent
    assert world.campaign.schema.definition == CHEST_CT
    assert "opacities" in client.get("/campaigns/liver-ct/schema.json").content.decode()
    assert client.get("/campaigns/liver-ct/guidelines/").status_code == 200


@pytest.mark.django_db
def test_what_ships_and_what_another_campaign_has_can_be_chosen(world: World) -> None:
    client = logged_in(world, "admin")
    assert make(client, schema="chest-x-ray").status_code == 302
    assert Campaign.objects.get(slug="liver-ct").schema.definition == CHEST_X_RAY
    assert make(client, schema=str(world.campaign.pk), name="Again", slug="again").status_code == 302
    again = Campaign.objects.get(slug="again")
    assert again.schema.definition == CHEST_CT
    assert again.schema_id != world.campaign.schema_id


@pytest.mark.parametrize(
    ("schema", "content", "says"),
    [
        ("file", None, "Choose the file of the label schema."),
        ("file", b"", "The submitted file is empty."),
        ("file", b"{\n'layers': []}", "Expecting property name enclosed in double quotes, line 2."),
        ("file", b"\xff\xfe{}", "This is not a label schema as JSON in UTF-8"),
        ("file", b"[" * 100_000, "This is not a label schema as JSON in UTF-8"),
        ("file", b'{"layers": ' + b"9" * 5000 + b"}", "This is not a label schema as JSON in UTF-8"),
        ("file", b" " * (257 << 10), "at most 256 KiB"),
        ("file", b'{"layers": []}', "at least one layer that is drawn on"),
        ("chest-ct", json.dumps(LIVER).encode(), "A file was chosen as well."),
        ("no-such-schema", None, "not one of the available choices"),
        ("", None, "This field is required."),
    ],
)
@pytest.mark.django_db
def test_what_cannot_be_a_schema_is_told_at_its_field(
    world: World, schema: str, content: bytes | None, says: str
) -> None:
    answer = make(logged_in(world, "admin"), content, schema=schema)
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert Campaign.objects.count() == 1
