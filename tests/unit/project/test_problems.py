"""Errors as problem documents: status, code and headers of every kind, and none for what nobody expected."""

import errno
import json
import logging
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import IntegrityError, InterfaceError, OperationalError, ProgrammingError
from django.http import Http404
from rest_framework import exceptions

from voxloop.kernel import errors
from voxloop.kernel.errors import Kind, Refusal
from voxloop.project.away import BY_CODE, FaultsOnly, find_unavailable
from voxloop.project.problems import problem
from voxloop.project.statuses import STATUS, TITLES

KINDS = [
    found
    for found in vars(errors).values()
    if isinstance(found, type) and issubclass(found, Refusal) and found not in (Refusal, errors.Damaged)
]


def told(error: Exception) -> tuple[Any, Any]:
    answer = problem(error, {})
    assert answer is not None
    assert answer["Content-Type"] == "application/problem+json"
    body = json.loads(answer.content)
    assert {"type", "title", "status", "code", "detail"} <= set(body)
    assert body["status"] == answer.status_code
    return answer, body


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_refusal_has_a_status_a_code_and_a_title(kind: Any) -> None:
    refusal = kind(7) if kind is errors.TooMany else kind()
    answer, body = told(refusal)
    assert answer.status_code == STATUS[kind.kind]
    assert body["code"] == kind.code
    assert body["title"] == TITLES[answer.status_code] != "Refused"
    assert body["detail"].endswith(".")
    assert answer.get("Retry-After") == (str(refusal.again_after_seconds) if refusal.again_after_seconds else None)


def test_every_kind_has_a_status_and_every_status_a_title() -> None:
    assert set(STATUS) == set(Kind)
    assert set(STATUS.values()) <= set(TITLES)


def test_codes_of_refusals_are_their_own() -> None:
    codes = [kind.code for kind in KINDS]
    assert len(set(codes)) == len(codes)


def test_a_refusal_carries_its_own_words() -> None:
    _, body = told(errors.Conflict("The batch is closed.", code="batch_closed", batch="b1"))
    assert (body["code"], body["detail"], body["batch"]) == ("batch_closed", "The batch is closed.", "b1")


def test_what_is_gone_is_cleared_from_the_browser_and_nothing_else_is() -> None:
    assert told(errors.Gone("The scan was withdrawn."))[0]["Clear-Site-Data"] == '"cache"'
    assert "Clear-Site-Data" not in told(errors.NotFound())[0]


FRAMEWORK: list[tuple[Exception, int, str]] = [
    (Http404("secret path"), 404, "not_found"),
    (PermissionDenied("secret reason"), 403, "forbidden"),
    (RequestDataTooBig(), 413, "too_large"),
    (SuspiciousOperation("secret"), 400, "bad_request"),
    (exceptions.NotAuthenticated(), 401, "not_authenticated"),
    (exceptions.AuthenticationFailed("Invalid token."), 401, "authentication_failed"),
    (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
    (exceptions.ParseError("No JSON."), 400, "parse_error"),
    (exceptions.UnsupportedMediaType("text/x"), 415, "unsupported_media_type"),
    (exceptions.NotAcceptable(), 406, "not_acceptable"),
    (exceptions.Throttled(wait=12), 429, "throttled"),
]


@pytest.mark.parametrize(("error", "status", "code"), FRAMEWORK, ids=lambda each: type(each).__name__)
def test_errors_of_the_framework(error: Exception, status: int, code: str) -> None:
    answer, body = told(error)
    assert (answer.status_code, body["code"]) == (status, code)
    assert "secret" not in answer.content.decode()


def test_headers_of_the_framework_stay() -> None:
    assert told(exceptions.Throttled(wait=12.2))[0]["Retry-After"] == "13"
    failed = exceptions.AuthenticationFailed()
    setattr(failed, "auth_header", "Token")  # noqa: B010 - as a view of the framework sets it
    assert told(failed)[0]["WWW-Authenticate"] == "Token"


def test_fields_that_are_not_valid_are_named() -> None:
    _, body = told(exceptions.ValidationError({"size": ["A number is needed."]}))
    assert (body["status"], body["code"], body["fields"]) == (422, "invalid", {"size": ["A number is needed."]})


@pytest.mark.parametrize(
    ("detail", "sentence"),
    [
        ({"detail": "One."}, "One."),
        ({"other": ["Two.", "Three."]}, "Two."),
        ([{"detail": ["Four."]}], "Four."),
    ],
)
def test_one_sentence_is_found_in_whatever_the_framework_holds(detail: Any, sentence: str) -> None:
    error = exceptions.APIException()
    error.detail = exceptions._get_error_details(detail, "why")
    assert told(error)[1]["detail"] == sentence


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), RuntimeError("x"), OSError(errno.EIO, "x")])
def test_an_error_that_nobody_expected_is_none(error: Exception) -> None:
    assert problem(error, {}) is None


def from_database(kind: type[Exception], sqlstate: str | None) -> Exception:
    """As Django raises it: with the driver's error, which has the SQLSTATE, as its cause."""
    cause = Exception("driver")
    setattr(cause, "sqlstate", sqlstate)  # noqa: B010 - as psycopg sets it
    error = kind("told by the driver")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("kind", "sqlstate", "expected"),
    [
        (OperationalError, "53100", "no_space"),
        (OperationalError, "53200", "busy"),
        (OperationalError, "53300", "busy"),
        (OperationalError, "53000", None),
        (OperationalError, "55P03", "busy"),
        (OperationalError, "57014", "busy"),
        (OperationalError, "57P01", "database_away"),
        (OperationalError, "57P03", "database_away"),
        (OperationalError, "57000", None),
        (OperationalError, "40001", "busy"),
        (OperationalError, "40P01", "busy"),
        (OperationalError, "08006", "database_away"),
        (OperationalError, "08P01", "database_away"),
        (OperationalError, "58030", "database_away"),
        (OperationalError, "XX001", "database_damaged"),
        (OperationalError, "XX002", "database_damaged"),
        (OperationalError, "XX000", None),
        (OperationalError, None, "database_away"),
        (InterfaceError, None, "database_away"),
        (IntegrityError, "23505", None),
        (ProgrammingError, "42P01", None),
        (ProgrammingError, None, None),
        (IntegrityError, "25006", "database_away"),
    ],
)
def test_what_a_database_says_by_its_code(kind: Any, sqlstate: Any, expected: Any) -> None:
    found = find_unavailable(from_database(kind, sqlstate))
    assert (found and found.code) == expected


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_told_as_such(number: int) -> None:
    answer, body = told(OSError(number, "full"))
    assert (answer.status_code, body["code"]) == (507, "no_space")


def test_other_refusals_are_not_the_databases() -> None:
    assert find_unavailable(errors.Conflict("x")) is None
    assert find_unavailable(errors.Busy()) is not None
    assert find_unavailable(None) is None
    assert all(issubclass(kind, Refusal) for kind in BY_CODE.values())


@pytest.mark.parametrize(("status", "is_kept"), [(500, True), (503, False), (507, False), (None, True)])
def test_a_database_that_is_away_leaves_no_traceback(status: Any, is_kept: bool) -> None:
    record = logging.LogRecord("django.request", logging.ERROR, "f", 1, "m", None, None)
    if status is not None:
        vars(record)["status_code"] = status
    assert FaultsOnly().filter(record) is is_kept
