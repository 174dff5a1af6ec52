"""Searches by DICOMweb: what they find, page and return, and hostile queries."""

import json
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.dicomweb.query import fits_wildcards
from tests.factories.dicomweb import WEB, ask, client_of, values
from tests.factories.world import World, make_scan

pytestmark = pytest.mark.django_db


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


def test_a_search_over_too_many_instances_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("annotation.dicomweb.searching.MOST_LOOKED_AT", 100)
    client = client_of(world, "datamanager")
    answer = client.get(f"{WEB}/instances?SOPInstanceUID=1.2")
    assert (answer.status_code, answer.json()["code"]) == (413, "search_too_broad")
    study = world.scans[0].series.study.uid
    assert ask(client, f"/studies/{study}/instances", SOPInstanceUID="1.2").json() == []
    assert json.loads(ask(client, "/instances", limit=1).content)
