"""DICOMweb over HTTP: who may, what is offered, damage, and other origins."""

from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.urls import get_resolver

from annotation.scans.services import set_site_membership
from annotation.work.withdrawing import withdraw
from tests.factories.dicomweb import WEB, ask, client_of, places, values
from tests.factories.world import World, add_role, approve, first_of, label, publish
from voxloop.project.environment import origins
from voxloop.project.scopes import CHANGES

pytestmark = pytest.mark.django_db

PEOPLE = {
    "anonymous": 401,
    "outsider": 403,
    "annotator": 403,
    "annotator2": 403,
    "reviewer": 403,
    "coordinator": 403,
    "datamanager": 200,
    "admin": 200,
}


def test_only_data_managers_and_administrators_read(world: World) -> None:
    """Every address × every role. A new address without a row in `places` fails."""
    scan = world.scans[0]
    paths = places(client_of(world, "datamanager"), scan)
    routes: Any = next(one for one in get_resolver().url_patterns if str(one.pattern) == "dicom-web/")
    assert len(paths) == len(set(paths)) == len(routes.url_patterns)
    for who, expected in PEOPLE.items():
        client = client_of(world, who)
        for path in paths:
            answer = client.get(f"{WEB}{path}")
            assert answer.status_code == expected, f"{who} got {answer.status_code} from {path}"
            if expected != 200:
                assert answer.json()["code"] == ("not_authenticated" if expected == 401 else "forbidden")
            assert client.head(f"{WEB}{path}").status_code == (401 if expected == 401 else 405)


def test_a_log_in_on_the_pages_reads_too_and_a_session_needs_the_csrf_token(world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(world["datamanager"], backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(f"{WEB}/studies").status_code == 200
    assert client.post(f"{WEB}/studies", b"", content_type="multipart/related").status_code == 403


def test_tokens_need_their_scope(world: World) -> None:
    assert {CHANGES[name] for name in ("dicom-studies", "dicom-study")} == {"manage"}
    reader, worker = client_of(world, "datamanager"), client_of(world, "datamanager", ["work"])
    assert worker.get(f"{WEB}/studies").json()["code"] == "scope_missing"
    assert reader.post(f"{WEB}/studies", b"", content_type="multipart/related").json()["code"] == "scope_missing"


def test_what_is_not_the_persons_is_not_there(world: World) -> None:
    """Another site, a withdrawn scan, and a made-up UID look the same."""
    client, scan = client_of(world, "datamanager"), world.scans[0]
    paths = places(client, scan)[3:]
    before = len(ask(client, "/studies").json())
    set_site_membership(user=world["datamanager"], site=world.sites["a"], is_member=False, actor=world["admin"])
    client = client_of(world, "datamanager")  # tokens end with a membership
    assert len(ask(client, "/studies").json()) == before - 2
    searches = [path for path in paths if path.endswith(("/series", "/instances"))]
    for path in set(paths) - set(searches):
        answer = client.get(f"{WEB}{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path
    assert [ask(client, path).json() for path in searches] == [[]] * 3
    admin = client_of(world, "admin")
    assert ask(admin, paths[0])["Content-Type"].startswith("multipart/related")
    for path in ("/studies/1.2.3", "/studies/1.2.3/metadata", "/studies/1.2.3/series/1.2/instances/1/frames/1"):
        assert admin.get(f"{WEB}{path}").json()["code"] == "not_found"


def test_a_withdrawn_scan_is_gone(world: World) -> None:
    client, scan = client_of(world, "datamanager"), world.scans[0]
    withdraw(scan_id=scan.pk, actor=world["datamanager"], why="consent taken back")
    assert client.get(f"{WEB}/studies/{scan.series.study.uid}").status_code == 404
    assert scan.series.study.uid not in values(ask(client, "/studies"), "0020000D")


def test_readers_who_manage_see_no_mask_of_a_scan_they_still_read(world: World) -> None:
    """Approved for one reader, and open for another who is a data manager, too: their reading stays independent."""
    assignment = first_of(publish(world, size=1))
    label(world, assignment)
    approve(world, assignment)
    study = f"/studies/{assignment.scan.series.study.uid}/series"
    assert values(ask(client_of(world, "datamanager"), study), "00080060") == ["CT", "SEG"]
    add_role(world, "annotator2", "data_manager")
    other = client_of(world, "annotator2")
    assert values(ask(other, study), "00080060") == ["CT", "SEG"]
    assignment.__class__.objects.create(
        scan=assignment.scan,
        batch=assignment.batch,
        campaign=assignment.campaign,
        person=world["annotator2"],
        position=99,
        reader=2,
        is_overlap=True,
        state="open",
        stage="annotation",
    )
    assert values(ask(other, study), "00080060") == ["CT"]
    assert values(ask(client_of(world, "datamanager"), study), "00080060") == ["CT", "SEG"]


@pytest.mark.parametrize(
    ("path", "accept", "status"),
    [
        ("/studies", "application/dicom+xml", 406),
        ("/studies", 'multipart/related; type="application/dicom+xml"', 406),
        ("/studies", "application/json;q=0.5, text/html", 200),
        ("{study}", 'multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.4.50', 406),
        ("{study}", 'multipart/related; type="application/octet-stream"', 406),
        ("{study}", "application/dicom; q=0", 406),
        ("{one}", "application/dicom", 200),
        ("{one}/frames/1", "image/jpeg", 406),
        ("{one}/frames/1", "image/jphc", 200),
        ("{one}/frames/1", '"' * 5000, 406),
        ("{one}/rendered", "video/mp4", 406),
        ("{one}/rendered?accept=image/png", "*/*", 200),
    ],
)
def test_only_what_is_offered(world: World, path: str, accept: str, status: int) -> None:
    client, scan = client_of(world, "datamanager"), world.scans[0]
    study, one = (places(client, scan)[n] for n in (3, 5))
    answer = client.get(f"{WEB}{path.format(study=study, one=one)}", HTTP_ACCEPT=accept)
    assert answer.status_code == status
    if status == 406:
        assert answer.json()["code"] == "not_acceptable"


@pytest.mark.parametrize(
    ("tail", "status", "code"),
    [
        ("/frames/0", 404, "not_found"),
        ("/frames/2", 404, "not_found"),
        ("/frames/1,x", 400, "bad_frames"),
        (f"/frames/{'1,' * 200}1", 400, "bad_frames"),
        ("/rendered?window=1,2", 400, "bad_rendering"),
        ("/rendered?window=0,0,linear", 400, "bad_rendering"),
        ("/rendered?window=nan,1,linear", 400, "bad_rendering"),
        ("/rendered?viewport=99999,1", 400, "bad_rendering"),
        ("/rendered?quality=0", 400, "bad_rendering"),
    ],
)
def test_bad_frames_and_pictures(world: World, tail: str, status: int, code: str) -> None:
    client = client_of(world, "datamanager")
    answer = client.get(f"{WEB}{places(client, world.scans[0])[5]}{tail}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_damaged_slice_is_not_sent(world: World) -> None:
    """Its frame is refused and so is the series, before the first byte; the other frames are served."""
    client, scan = client_of(world, "datamanager"), world.scans[0]
    series = f"/studies/{scan.series.study.uid}/series/{scan.series.uid}"
    uids = values(ask(client, f"{series}/instances"), "00080018")
    (pack,) = [
        path
        for path in (django_settings.STATE_DIR / "objects").rglob("*")
        if path.name == scan.pack_key.rpartition("/")[2]
    ]
    data = bytearray(pack.read_bytes())
    offset, length = scan.index["pack"]["slices"][3]
    data[offset + length // 2] ^= 1
    pack.chmod(0o600)
    pack.write_bytes(data)
    for path in (series, f"{series}/instances/{uids[3]}/frames/1", f"{series}/instances/{uids[3]}"):
        answer = client.get(f"{WEB}{path}")
        assert (answer.status_code, answer.json()["code"]) == (409, "object_damaged"), path
    assert ask(client, f"{series}/instances/{uids[4]}/frames/1").getvalue()


def test_other_origins_only_where_they_are_named(world: World, settings: Any) -> None:
    client, ours = client_of(world, "datamanager"), "https://viewer.example.org"

    def crossed(origin: str, method: str = "get", path: str = f"{WEB}/studies") -> Any:
        asked = {"HTTP_ORIGIN": origin, "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "GET"}
        return getattr(client, method)(path, **asked)

    assert not crossed(ours).has_header("Access-Control-Allow-Origin")
    assert crossed(ours, "options").status_code == 405
    settings.DICOMWEB_ORIGINS = frozenset({ours})
    assert crossed(ours)["Access-Control-Allow-Origin"] == ours
    before = crossed(ours, "options")
    assert (before.status_code, before["Access-Control-Allow-Headers"]) == (204, "Authorization, Accept, Content-Type")
    assert not before.has_header("Access-Control-Allow-Credentials")  # no cookie counts
    refused = Client().get(f"{WEB}/studies", HTTP_ORIGIN=ours)
    assert (refused.status_code, refused["Access-Control-Allow-Origin"]) == (401, ours)
    for origin in ("https://evil.example.org", "null", "https://viewer.example.org.evil.org", ours.upper()):
        answer = crossed(origin)
        assert not answer.has_header("Access-Control-Allow-Origin"), origin
        assert "Origin" in answer["Vary"]
        assert crossed(origin, "options").status_code == 405
    assert not crossed(ours, path="/api/v1/me/").has_header("Access-Control-Allow-Origin")


@pytest.mark.parametrize("text", ["*", "https://a.org/path", "a.org", "https://a.org:x", "javascript://a"])
def test_an_origin_must_be_one(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("VOXLOOP_DICOMWEB_ORIGINS", f"https://ok.org, {text}")
    with pytest.raises(ImproperlyConfigured, match="is no origin"):
        origins("VOXLOOP_DICOMWEB_ORIGINS")
