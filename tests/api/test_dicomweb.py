"""DICOMweb over HTTP: who may, what a search finds and pages, and what is refused in words."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver

from annotation.dicomweb.query import fits_wildcards
from annotation.scans.models import Scan
from annotation.scans.services import set_site_membership
from annotation.work.withdrawing import withdraw
from tests.factories.world import World, add_role, approve, first_of, label, make_scan, publish
from voxloop.accounts.models import User
from voxloop.accounts.tokens import issue_token
from voxloop.project.environment import origins
from voxloop.project.scopes import CHANGES

pytestmark = pytest.mark.django_db

WEB = "/dicom-web"
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


def client_of(world: World, who: str, scopes: Any = ("read",)) -> Client:
    client = Client()
    if who != "anonymous":
        client.defaults["HTTP_AUTHORIZATION"] = f"Token {issue_token(user=world[who], scopes=scopes)[1]}"
    return client


def ask(client: Client, path: str, **query: Any) -> Any:
    answer = client.get(f"{WEB}{path}", query)
    assert answer.status_code == 200, answer.content
    return answer


def values(answer: Any, tag: str) -> list[Any]:
    return [one[tag].get("Value", [None])[0] for one in answer.json()]


def places(client: Client, scan: Scan) -> list[str]:
    """Every kind of address of one scan that is read by GET."""
    study = f"/studies/{scan.series.study.uid}"
    series = f"{study}/series/{scan.series.uid}"
    uid = values(ask(client, f"{series}/instances", limit=1), "00080018")[0]
    one = f"{series}/instances/{uid}"
    return [
        *("/studies", "/series", "/instances", study, series, one, f"{study}/series", f"{study}/instances"),
        *(f"{place}/metadata" for place in (study, series, one)),
        *(f"{place}/thumbnail" for place in (study, series, one)),
        *(f"{series}/instances", f"{one}/rendered", f"{one}/frames/1", f"{one}/frames/1/rendered"),
        f"{one}/bulkdata/7FE00010",
    ]


def test_only_data_managers_and_administrators_read(world: World) -> None:
    """Every address × every role. A new address without a row in `places` fails."""
    scan = world.scans[0]
    paths = places(client_of(world, "datamanager"), scan)
    routes = next(one for one in get_resolver().url_patterns if str(one.pattern) == "dicom-web/").url_patterns
    assert len(paths) == len(set(paths)) == len(routes)
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


def test_searches_match_by_the_standard(world: World) -> None:
    client, scan = client_of(world, "datamanager"), world.scans[0]
    study, subject = scan.series.study.uid, scan.subject.pseudonym
    everything = set(values(ask(client, "/studies"), "0020000D"))
    assert len(everything) == 6
    other = world.scans[1].series.study.uid

    def found(**query: str) -> set[str]:
        return set(values(ask(client, "/studies", **query), "0020000D"))

    assert found(StudyInstanceUID=study) == found(**{"0020000D": study}) == {study}
    assert found(StudyInstanceUID=f"{study},{other}") == found(StudyInstanceUID=f"{study}\\{other}") == {study, other}
    assert found(PatientID=subject) == {study}
    assert found(PatientID="S?") == found(PatientID="S*") == found(PatientID="") == found(PatientID="*") == everything
    assert found(PatientID="s0") == set()  # literally
    assert found(PatientName="s0") == found(PatientName=f"{subject}^") == {study}  # names: without regard to case
    assert found(ModalitiesInStudy="CT") == everything
    assert found(ModalitiesInStudy="SEG") == set()
    assert found(StudyDate="20200101") == found(StudyDate="20200101-") == set()  # no date is stored
    assert found(StudyDate="*") == everything
    series = ask(client, "/series", Modality="CT", PatientID=subject).json()
    assert [one["0020000E"]["Value"] for one in series] == [[scan.series.uid]]
    assert "00100020" in series[0]  # outside a study, its attributes come with it
    inside = ask(client, f"/studies/{study}/series").json()[0]
    assert "00100020" not in inside
    assert ask(client, f"/studies/{study}/series", StudyInstanceUID=other).json() == []
    instances = ask(client, f"/studies/{study}/series/{scan.series.uid}/instances")
    assert values(instances, "00200013") == list(range(1, 41))
    uid = values(instances, "00080018")[7]
    assert values(ask(client, "/instances", SOPInstanceUID=uid), "00200013") == [8]
    assert values(ask(client, "/instances", SOPInstanceUID=uid, PatientID="nobody"), "00200013") == []
    assert values(ask(client, f"/studies/{study}/instances", InstanceNumber="40"), "00200013") == [40]


def test_pages_and_fields(world: World) -> None:
    client, scan = client_of(world, "datamanager"), world.scans[0]
    whole = values(ask(client, "/studies"), "0020000D")
    first = ask(client, "/studies", limit=4)
    assert values(first, "0020000D") == whole[:4]
    assert first["Warning"] == (
        '299 http://testserver/dicom-web: "There are 2 additional results that can be requested"'
    )
    last = ask(client, "/studies", limit=4, offset=4)
    assert (values(last, "0020000D"), last.has_header("Warning")) == (whole[4:], False)
    assert ask(client, "/studies", offset=99).json() == []
    assert ask(client, "/studies", limit=0).json() == []
    all_uids = values(ask(client, "/instances"), "00080018")
    assert len(all_uids) == len(set(all_uids)) == 240
    paged = ask(client, "/instances", limit=50, offset=70)
    assert values(paged, "00080018") == all_uids[70:120]
    assert "120 additional" in paged["Warning"]

    study = f"/studies/{scan.series.study.uid}/series"
    plain = ask(client, study).json()[0]
    assert (plain["00081190"]["vr"], plain["00200011"]["Value"]) == ("UR", [1])
    assert "00080056" not in plain
    for name in ("InstanceAvailability", "00080056", "InstanceAvailability,Modality", "all"):
        assert ask(client, study, includefield=name).json()[0]["00080056"]["Value"] == ["ONLINE"]
    more = client.get(f"{WEB}{study}?includefield=PatientID&includefield=00080056").json()[0]
    assert {"00100020", "00080056"} <= set(more)
    fuzzy = ask(client, "/studies", fuzzymatching="true")
    assert "Only literal matching has been performed" in fuzzy["Warning"]
    ignored = ask(client, "/studies", InstitutionName="X")
    assert len(ignored.json()) == 6
    assert "InstitutionName cannot be matched" in ignored["Warning"]
    assert ask(client, "/studies")["Content-Type"] == "application/dicom+json"


def test_the_number_of_queries_does_not_depend_on_what_is_found(world: World) -> None:
    client = client_of(world, "datamanager")
    ask(client, "/studies")  # the first use of a token is noted
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            for path in ("/studies", "/series", "/instances"):
                ask(client, path, includefield="all")
        counts.append(len(asked))
        for seed in range(60, 63):
            make_scan(world, "b", seed=seed)
    assert counts[0] == counts[1] <= 30


HOSTILE = [
    *("limit=-1", "limit=x", "limit=1&limit=2", "limit=99999999999", "offset=1e3", "limit=%00", "offset=٣"),
    *("nothing=1", "__proto__=1", "scan__state=ready", "PatientID__icontains=S", "password=x", "0020000=1"),
    *("fuzzymatching=maybe", "includefield=nothing", "PatientID=a&00100020=b", "%22=1", "FFFFFFFF=1", "=1"),
    f"PatientID={'a' * 2000}",
]


@pytest.mark.parametrize("query", HOSTILE)
def test_bad_queries_are_refused_in_words(world: World, query: str) -> None:
    answer = client_of(world, "datamanager").get(f"{WEB}/studies?{quote(query, safe='=&%')}")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_query")
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "value", ["%00", "%ff%fe", "' OR 1=1 --", "*" * 900, "a*" * 400 + "b", "(a+)+$", "\\", "1-2-3"]
)
def test_odd_values_find_nothing_and_harm_nothing(world: World, value: str) -> None:
    client = client_of(world, "datamanager")
    for name in ("PatientID", "PatientName", "StudyDate", "StudyInstanceUID", "SeriesNumber"):
        answer = client.get(f"{WEB}/series?{name}={quote(value, safe='%')}")
        assert answer.status_code == 200
        assert len(answer.json()) == (6 if value.strip("*") == "" else 0), name


def test_wildcards() -> None:
    rows = {("a*b", "axxb"): 1, ("*", ""): 1, ("a?c", "abc"): 1, ("a", "ab"): 0, ("*b*", "abc"): 1, ("?", ""): 0}
    assert {pair: int(fits_wildcards(*pair)) for pair in rows} == rows
    assert not fits_wildcards("*a" * 500, "b" * 64)
    assert fits_wildcards("*[.]\\*", "x[.]\\y")


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


def test_a_search_over_too_many_instances_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("annotation.dicomweb.searching.MOST_LOOKED_AT", 100)
    client = client_of(world, "datamanager")
    answer = client.get(f"{WEB}/instances?SOPInstanceUID=1.2")
    assert (answer.status_code, answer.json()["code"]) == (413, "search_too_broad")
    study = world.scans[0].series.study.uid
    assert ask(client, f"/studies/{study}/instances", SOPInstanceUID="1.2").json() == []
    assert json.loads(ask(client, "/instances", limit=1).content)
    assert User.objects.exists()
