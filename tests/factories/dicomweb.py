"""Clients of DICOMweb and the addresses of a scan."""

from typing import Any

from django.test import Client

from annotation.scans.models import Scan
from tests.factories.world import World
from voxloop.accounts.tokens import issue_token

WEB = "/dicom-web"


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
