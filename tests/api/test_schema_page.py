"""The page of a label schema: rows are added, moved and removed by its buttons; nothing typed is lost; files."""

import json
from html.parser import HTMLParser
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from annotation.work.models import Campaign
from annotation.work.schema import parse_schema
from annotation.work.standard import CHEST_CT
from tests.factories.clients import logged_in
from tests.factories.schemas import LIVER
from tests.factories.world import World, first_of, label, publish

pytestmark = pytest.mark.django_db
PAGE = "/campaigns/chest-ct/schema/"


class Fields(HTMLParser):
    """What a browser sends of the editor's form."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.sent: dict[str, Any] = {}
        self.focused = ""
        self._select = ""
        self._inside = False
        self.feed(answer.content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self._inside = "data-schema" in given
        name = given.get("name")
        if "autofocus" in given:
            self.focused = str(given["name"])
        if tag == "select":
            self._select = name or ""
        is_chosen = "selected" in given or self._select not in self.sent
        if tag == "option" and self._select and self._inside and is_chosen:
            self.sent[self._select] = given.get("value", "")
        if tag != "input" or not self._inside or not name:
            return
        if given.get("type") == "checkbox":
            if "checked" in given:
                self.sent.setdefault(name, []).append(given.get("value") or "on")
        else:
            self.sent[name] = given.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        if tag == "form":
            self._inside = False


def definition(world: World) -> Any:
    return Campaign.objects.get(pk=world.campaign.pk).schema.definition


def test_a_saved_page_without_a_change_changes_nothing(world: World) -> None:
    client = logged_in(world, "coordinator")
    sent = Fields(client.get(PAGE)).sent
    answer = client.post(PAGE, sent | {"do": "save"}, follow=True)
    assert "Nothing was changed." in answer.content.decode()
    assert definition(world) == CHEST_CT


def test_a_schema_is_built_by_buttons_and_saved(world: World) -> None:
    client = logged_in(world, "coordinator")
    sent = Fields(client.get(PAGE)).sent
    added = Fields(client.post(PAGE, sent | {"do": "add:segment:0"}, HTTP_HX_REQUEST="true"))
    assert added.focused == "s-0-6-name"
    assert added.sent["s-0-6-value"] == "7"
    assert added.sent["s-0-6-colour"] not in {added.sent[f"s-0-{n}-colour"] for n in range(6)}
    sent = added.sent | {"s-0-6-name": "Ground-glass opacity", "s-0-6-code": "Lung mass"}
    sent = Fields(client.post(PAGE, sent | {"do": "up:segment:0:6"})).sent
    assert (sent["s-0-5-name"], sent["s-0-5-key"]) == ("Ground-glass opacity", "ground_glass_opacity")
    sent = Fields(client.post(PAGE, sent | {"do": "remove:segment:0:6"})).sent
    sent = Fields(client.post(PAGE, sent | {"do": "add:question"})).sent
    number = sum(name.startswith("q-") and name.endswith("-text") for name in sent) - 1
    sent |= {f"q-{number}-text": "Contrast", f"o-{number}-0-label": "With", f"o-{number}-1-label": "Without"}
    sent |= {f"q-{number}-required": "on", f"q-{number}-when": "quality"}
    shown = client.post(PAGE, sent | {"do": "check"})
    assert f'name="q-{number}-answers" value="poor"' in shown.content.decode()
    sent = Fields(shown).sent | {f"q-{number}-answers": ["good", "limited"]}
    answer = client.post(PAGE, sent | {"do": "save"}, follow=True)
    assert "Version 2 of the label schema is saved: 3 changes." in answer.content.decode()
    schema = parse_schema(definition(world))
    assert [one.name for one in schema.layers[0].segments][4:] == ["Atelectasis", "Ground-glass opacity"]
    assert schema.layers[0].segments[5].code["value"] == "309529002"
    asked = schema.questions[-1]
    assert (asked.key, [one.value for one in asked.options]) == ("contrast", ["with", "without"])
    assert asked.shown_when is not None
    assert asked.shown_when.values == ["good", "limited"]
    page = answer.content.decode()
    assert "New segment Ground-glass opacity." in page
    old = client.get(f"{PAGE}v1.json")
    assert json.loads(old.content) == CHEST_CT
    assert old["Content-Disposition"] == 'attachment; filename="chest-ct-schema-v1.json"'
    assert client.get(f"{PAGE}v9.json").status_code == 404


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"s-0-0-name": ""}, "The name of segment 1 of layer findings"),
        ({"s-0-0-value": "x"}, "The value of Infectious opacity (layer Still here) has to be a whole number"),
        ({"s-0-0-value": "255"}, "Segment ids go from 1 to 254"),
        ({"s-0-0-code": "no such term"}, "The coded term of Infectious opacity (layer Still here, value 1) is not in"),
        ({"s-0-0-colour": "red"}, "must be like #e8ac00"),
        ({"s-0-1-value": "1"}, "the same id, 1: Infectious opacity and "),
        ({"q-0-text": ""}, "Question diagnosis has no text."),
        ({"q-6-maximum": "many"}, "have to be numbers, not “many”"),
        ({"q-1-when": "quality"}, "depends on quality, which does not come before it"),
    ],
)
def test_what_is_wrong_is_told_and_stays_typed(world: World, typed: dict[str, str], says: str) -> None:
    client = logged_in(world, "coordinator")
    sent = Fields(client.get(PAGE)).sent | typed | {"l-0-title": "Still here"}
    answer = client.post(PAGE, sent | {"do": "save"})
    assert answer.status_code == 422
    assert answer["Voxloop-Code"] == "bad_schema"
    assert says in answer.content.decode()
    kept = Fields(answer).sent
    assert kept["l-0-title"] == "Still here"
    assert all(kept[name] == value for name, value in typed.items() if not name.endswith("when"))
    assert definition(world) == CHEST_CT


def test_what_work_holds_cannot_be_clicked_and_is_refused_when_sent(world: World) -> None:
    assignment = first_of(publish(world, size=1))
    label(world, assignment)
    client = logged_in(world, "coordinator")
    page = client.get(PAGE)
    assert "masks of 1 scan: value, key and term stay" in page.content.decode()
    sent = Fields(page).sent
    sent = Fields(client.post(PAGE, sent | {"do": "remove:segment:0:0"})).sent
    answer = client.post(PAGE, sent | {"do": "save"})
    assert (answer.status_code, answer["Voxloop-Code"]) == (422, "schema_in_use")
    assert "used by masks of 1 scan" in answer.content.decode()


def test_a_row_is_locked_by_where_it_came_from_and_what_is_taken_is_marked(world: World) -> None:
    label(world, first_of(publish(world, size=1)))
    client = logged_in(world, "coordinator")
    page = client.get(PAGE)
    locks = page.content.decode().count("#lock")
    sent = Fields(page).sent
    for button in ("add:segment:0", "add:question"):
        sent = Fields(client.post(PAGE, sent | {"do": button})).sent
    number = sum(name.startswith("q-") and name.endswith("-text") for name in sent) - 1
    sent |= {
        "s-0-6-name": "New one",
        "s-0-6-value": "1",
        "s-0-6-key": sent["s-0-0-key"],
        f"q-{number}-key": "diagnosis",
    }
    sent = Fields(client.post(PAGE, sent | {"do": "up:segment:0:6"})).sent
    shown = client.post(PAGE, sent | {"do": "check"})
    text = shown.content.decode()
    assert text.count("#lock") == locks
    assert "Value 1 is Infectious opacity&#x27;s: give this segment another, for example 7." in text
    assert text.count('aria-invalid="true"') == 3
    for at in ("s-0-5", f"q-{number}"):
        assert f'id="{at}-wrong"' in text
    refused = client.post(PAGE, sent | {"do": "save"})
    assert (refused.status_code, refused["Voxloop-Code"]) == (422, "bad_schema")
    sent = Fields(refused).sent | {"s-0-5-value": "7", "s-0-5-key": ""}
    sent = Fields(client.post(PAGE, sent | {"do": f"remove:question:{number}"})).sent
    client.post(PAGE, sent | {"do": "save"})
    added = definition(world)["layers"][0]["segments"][5]
    assert (added["id"], added["key"], added["name"]) == (7, "new_one", "New one")


def test_what_is_typed_is_downloaded_when_another_saved_first(world: World) -> None:
    client = logged_in(world, "coordinator")
    mine = Fields(client.get(PAGE)).sent | {"l-0-title": "Mine"}
    client.post(PAGE, mine | {"do": "save", "l-0-title": "Theirs"})
    refused = client.post(PAGE, mine | {"do": "save"})
    assert refused["Voxloop-Code"] == "schema_moved"
    assert "Download as typed" in refused.content.decode()
    kept = client.post(PAGE, Fields(refused).sent | {"do": "download"})
    assert kept["Content-Disposition"] == 'attachment; filename="chest-ct-schema-draft.json"'
    assert parse_schema(json.loads(kept.content)).layers[0].title == "Mine"
    assert definition(world)["layers"][0]["title"] == "Theirs"
    wrong = client.post(PAGE, mine | {"do": "download", "s-0-0-value": "x"})
    assert (wrong.status_code, wrong["Voxloop-Code"]) == (422, "bad_schema")


def test_a_row_of_a_file_that_work_does_not_allow_can_be_corrected(world: World) -> None:
    label(world, first_of(publish(world, size=1)))
    client = logged_in(world, "coordinator")
    other = json.loads(json.dumps(CHEST_CT))
    other["layers"][0]["segments"][0] |= {"key": "another", "name": "Another"}
    content = file_of(json.dumps(other).encode())
    sent = Fields(client.post(PAGE, {"do": "load", "version": "1", "schema_file": content})).sent
    assert (sent["s-0-0-was"], sent["s-0-1-was"]) == ("", "2")
    refused = client.post(PAGE, sent | {"do": "save"})
    assert refused["Voxloop-Code"] == "schema_in_use"
    sent = Fields(refused).sent | {"s-0-0-key": CHEST_CT["layers"][0]["segments"][0]["key"]}
    assert client.post(PAGE, sent | {"do": "save"}).status_code == 302


def test_a_file_is_shown_first_and_saved_then(world: World) -> None:
    client = logged_in(world, "coordinator")
    shown = client.post(PAGE, {"do": "load", "version": "1", "schema_file": file_of(json.dumps(LIVER).encode())})
    assert "Nothing is saved yet" in shown.content.decode()
    assert definition(world) == CHEST_CT
    client.post(PAGE, Fields(shown).sent | {"do": "save"})
    assert parse_schema(definition(world)) == parse_schema(LIVER)
    for content, says in ((b"{", "This is not JSON"), (b'{"layers": []}', "at least one layer")):
        wrong = client.post(PAGE, {"do": "load", "schema_file": file_of(content)})
        assert wrong.status_code == 422
        assert says in wrong.content.decode()
    assert "Choose the file" in client.post(PAGE, {"do": "load"}).content.decode()


def file_of(content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("schema.json", content, "application/json")


def test_odd_buttons_and_numbers_change_nothing(world: World) -> None:
    client = logged_in(world, "coordinator")
    sent = Fields(client.get(PAGE)).sent
    odd = ["", "add", "add:segment", "add:segment:99", "add:option:x", "remove:segment:0:99", "up:layer:0", "x:y:z"]
    odd += ["down:option:1:4", "remove:nothing:0", "up:segment:0:0", "add:segment:" + "9" * 400]
    for do in odd:
        again = Fields(client.post(PAGE, sent | {"do": do})).sent
        assert again | {"csrfmiddlewaretoken": ""} == sent | {"csrfmiddlewaretoken": ""}, do
    assert client.post(PAGE, sent | {"do": "save", "version": "9" * 40}).status_code == 302
    assert client.post(PAGE, {"do": "save"}).status_code == 422
    assert definition(world) == CHEST_CT


def test_terms_are_found_by_words_and_by_code(world: World) -> None:
    client = logged_in(world, "coordinator")
    found = client.get("/coded-terms/?q=right+upper").content.decode()
    assert 'value="Upper lobe of right lung (SCT 45653009)"' in found
    typed = client.get("/coded-terms/?s-0-1-code=pneum", HTTP_HX_TRIGGER_NAME="s-0-1-code").content.decode()
    assert "Pneumonia (SCT 233604007)" in typed
    assert client.get("/coded-terms/?q=233604007").content.decode().count("<option") == 1
    assert client.get("/coded-terms/").content.decode().strip() == ""
