"""The schema is complete, and no valid or invalid request causes a server error."""

import json
import re
from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
import schemathesis
from django.db import transaction
from django.test import Client
from django.urls import Resolver404, resolve
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.api.odd_values import ODD_BODIES, ODD_HEADERS, ODD_QUERIES, ODD_VALUES
from tests.api.permission_rows import ROWS, YES
from tests.api.test_permissions import one_of_each, pk_of, subjects, world
from tests.factories.world import World, mask_message
from voxloop.accounts.models import User
from voxloop.accounts.tokens import issue_token
from voxloop.volume.labelmap import MEDIA_TYPE

pytestmark = pytest.mark.django_db
__all__ = ["one_of_each", "subjects", "world"]  # fixtures

EXAMPLES = 4
CONTENT_TYPES = [
    "application/json",
    "text/plain",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "application/json; charset=x",
    "application/x-www-form-urlencoded",
    MEDIA_TYPE,
    "application/gzip",
    "",
    "\xff",
    "application/json; charset=utf-16",
]


@schemathesis.serializer(MEDIA_TYPE, "application/gzip")
def as_it_is(context: Any, value: Any) -> Any:
    """Serializer for raw bodies, which schemathesis lacks."""
    return value


def whole_schema() -> dict[str, Any]:
    generator: Any = SchemaGenerator()  # type: ignore[no-untyped-call]  # it carries no types
    schema: dict[str, Any] = json.loads(json.dumps(generator.get_schema(request=None, public=True), default=str))
    return schema


def test_the_schema_is_made_without_a_warning_and_is_valid() -> None:
    GENERATOR_STATS.reset()
    made = whole_schema()
    validate_schema(made)  # type: ignore[no-untyped-call]  # it carries no types
    assert not GENERATOR_STATS, "see `manage.py spectacular --fail-on-warn --validate`"
    assert len(made["paths"]) > 40


class Caller:
    """One person's client; every response is checked, and changes are rolled back."""

    def __init__(self, user: User) -> None:
        self.client = Client(raise_request_exception=False)
        self.client.defaults["HTTP_AUTHORIZATION"] = f"Token {issue_token(user=user)[1]}"
        self.faults: list[str] = []
        self.asked = 0

    def ask(self, method: str, path: str, **request: Any) -> None:
        with transaction.atomic():
            answer = self.client.generic(method, path, **request)
            body = answer.getvalue() if answer.streaming else answer.content
            transaction.set_rollback(True)
        self.asked += 1
        if fault := fault_of(answer, body):
            shown = {key: repr(value)[:120] for key, value in request.items()}
            self.faults.append(f"{fault}: {method} {path[:200]} {shown}")

    def check(self) -> None:
        kinds = "\n".join(sorted(set(self.faults))[:20])
        assert not self.faults, f"{len(self.faults)} of {self.asked} answers are faulty:\n{kinds}"


def fault_of(answer: Any, body: bytes) -> str:
    """What is wrong with a response (a 5xx, or a refusal that is not a problem document); empty if nothing."""
    if answer.status_code >= 500:
        return f"{answer.status_code}"
    if answer.status_code in (301, 302):
        return f"{answer.status_code} to {answer['Location']}"
    if answer.status_code < 400 or answer.status_code == 416:
        return ""
    if answer["Content-Type"] != "application/problem+json":
        return f"{answer.status_code} as {answer['Content-Type']}"
    told = json.loads(body)
    if not {"type", "title", "status", "code", "detail"} <= set(told) or not told["code"]:
        return f"{answer.status_code} without its parts"
    return "" if told["status"] == answer.status_code else f"{answer.status_code} says {told['status']}"


def routes(made: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for path, methods in made["paths"].items():
        for method in methods:
            if method in ("get", "post", "put", "patch", "delete"):
                yield path, method.upper()


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return whole_schema()


@pytest.fixture
def kinds_of_id(subjects: dict[str, Any], made: dict[str, Any]) -> dict[str, list[UUID]]:
    """Existing ids by path."""
    found: dict[str, list[UUID]] = {}
    for path in made["paths"]:
        try:
            name = resolve(with_any_ids(path)).url_name
        except Resolver404:
            continue
        if "{id}" in path:
            found[path] = [pk_of(f"api:{name}", subjects)]
    return found


def with_any_ids(route: str) -> str:
    """The route with an id for each of its parameters, of nothing that exists."""
    return re.sub(r"\{\w+\}", lambda _: str(uuid4()), route)


def send_examples(caller: Caller, operation: Any, ids: list[str]) -> None:
    """Send requests that the schema of one operation allows."""

    @seed(20)
    @hypothesis_settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(), pk=st.sampled_from(ids))
    def send(case: Any, pk: str) -> None:
        request: dict[str, Any] = {"QUERY_STRING": urlencode(case.query or {}, doseq=True)}
        for name, value in (case.headers or {}).items():
            request[f"HTTP_{name.upper().replace('-', '_')}"] = str(value)
        if case.media_type == "application/json":
            request |= {"data": json.dumps(case.body, default=str), "content_type": "application/json"}
        elif case.media_type:
            data = case.body if isinstance(case.body, bytes) else str(case.body).encode()
            request |= {"data": data, "content_type": case.media_type}
        caller.ask(case.method, operation.path.replace("{id}", pk), **request)

    send()


@pytest.mark.parametrize("person", ["annotator", "coordinator", "datamanager"])
def test_requests_made_from_the_schema(
    world: World, made: dict[str, Any], kinds_of_id: dict[str, list[UUID]], person: str
) -> None:
    caller = Caller(world[person])
    for result in schemathesis.openapi.from_dict(made).get_all_operations():
        operation = cast(Any, result).ok()
        send_examples(caller, operation, [str(pk) for pk in kinds_of_id.get(operation.path, [""])])
    caller.check()
    assert caller.asked > 200


def test_requests_broken_on_purpose(world: World, made: dict[str, Any], kinds_of_id: dict[str, list[UUID]]) -> None:
    caller = Caller(world["annotator"])
    for route, method in routes(made):
        pk = str(next(iter(kinds_of_id.get(route, [""]))))
        path = route.replace("{id}", pk)
        for bad in ("x", "0", "%00", str(uuid4()), pk.upper(), pk + "%00") if pk else ():
            caller.ask(method, route.replace("{id}", bad))
        if method == "GET":
            for query in ODD_QUERIES if not pk else ODD_QUERIES[-6:]:
                caller.ask("GET", path, QUERY_STRING=query)
            for header in ("HTTP_RANGE", "HTTP_IF_NONE_MATCH", "HTTP_ACCEPT") if pk else ("HTTP_ACCEPT",):
                for value in ODD_HEADERS[header]:
                    caller.ask("GET", path, **{header: value})
            continue
        has_body = "requestBody" in made["paths"][route][method.lower()]
        for body in ODD_BODIES if has_body else ODD_BODIES[:3]:
            caller.ask(method, path, data=body, content_type="application/json")
        for kind in CONTENT_TYPES if has_body else CONTENT_TYPES[:3]:
            caller.ask(method, path, data=b'{"reason": "x"}', content_type=kind)
        caller.ask(method, path, data=b"{}", content_type="application/json", QUERY_STRING="layer=%00")
    caller.check()


def test_odd_values_in_every_field(world: World, made: dict[str, Any], kinds_of_id: dict[str, list[UUID]]) -> None:
    callers = {name: Caller(world[name]) for name in ("annotator", "reviewer", "coordinator", "datamanager")}
    for route, method in routes(made):
        content = made["paths"][route][method.lower()].get("requestBody", {}).get("content", {})
        if "application/json" not in content:
            continue
        reference = content["application/json"]["schema"].get("$ref", "")
        fields = made["components"]["schemas"].get(reference.rpartition("/")[2], {}).get("properties", {})
        name = f"api:{resolve(with_any_ids(route)).url_name}"
        path = with_any_ids(route.replace("{id}", str(next(iter(kinds_of_id.get(route, [""]))))))
        person = next((one for one in callers if ROWS.get((name, method.lower()), {}).get(one) == YES), "annotator")
        plain = {"campaign": str(world.campaign.pk), "name": "x", "reason": "x", "text": "x", "size": 1}
        whole = {name: value for name, value in plain.items() if name in fields}
        for name in fields:
            for value in ODD_VALUES:
                body = json.dumps({**whole, name: value})
                callers[person].ask(method, path, data=body, content_type="application/json")
    for caller in callers.values():
        caller.check()
    assert sum(caller.asked for caller in callers.values()) > 300


def test_odd_saves_of_a_mask(world: World, subjects: dict[str, Any]) -> None:
    caller = Caller(world["annotator"])
    path = f"/api/v1/assignments/{subjects['assignment']}/mask"
    good = mask_message()
    for body in (b"", b"\x00", good[:40], good[:-1], good + b"x", good[::-1], b"\x1f\x8b" + b"\x00" * 50):
        for kind in (MEDIA_TYPE, "application/gzip"):
            for match in ('"empty"', *ODD_HEADERS["HTTP_IF_MATCH"]):
                caller.ask(
                    "PUT", path, data=body, content_type=kind, HTTP_IF_MATCH=match, HTTP_IDEMPOTENCY_KEY=str(uuid4())
                )
    for key in ODD_HEADERS["HTTP_IDEMPOTENCY_KEY"]:
        caller.ask("PUT", path, data=good, content_type=MEDIA_TYPE, HTTP_IF_MATCH='"empty"', HTTP_IDEMPOTENCY_KEY=key)
    caller.check()


def test_an_address_that_is_not_there_is_a_problem_document(world: World) -> None:
    caller = Caller(world["annotator"])
    for path in ("/api/v1/nothing", "/api/v1/scans/%00/", "/api/", "/api/v2/me/", "/api/v1/scans/../../etc/passwd"):
        caller.ask("GET", path)
        caller.ask("POST", path, data=b"{}", content_type="application/json")
    for method in ("DELETE", "PATCH", "TRACE", "OPTIONS", "BREW"):
        caller.ask(method, "/api/v1/me/")
    caller.check()
