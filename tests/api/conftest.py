"""Fixtures of API tests; every response is validated against the OpenAPI document."""

from typing import Any

import pytest
from django.test import Client

from annotation.masks.services import begin
from annotation.work.models import Assignment
from tests.contract import faults_of_answer, faults_of_page
from tests.factories.world import World, first_of, publish


@pytest.fixture(autouse=True)
def as_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check each API response, and each context in a viewer page, against the OpenAPI document."""
    ask = Client.request

    def request(self: Client, **asked: Any) -> Any:
        answer = ask(self, **asked)
        method, path = answer.request["REQUEST_METHOD"], answer.request["PATH_INFO"]
        faults = faults_of_answer(method, path, answer) + faults_of_page(path, answer)
        assert not faults, "\n".join(faults)
        return answer

    monkeypatch.setattr(Client, "request", request)


@pytest.fixture
def opened(world: World) -> Assignment:
    """The first assignment of a batch, opened by its annotator."""
    return begin(assignment_id=first_of(publish(world)).pk, actor=world["annotator"])
