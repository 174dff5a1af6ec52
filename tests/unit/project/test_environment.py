"""Settings read from the environment: what they accept, and what stops the start."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from voxloop.project.environment import database_at, flag, roles

JUDGES = {"reviewer", "arbitrator", "coordinator", "administrator"}


@pytest.mark.parametrize("text", ["1", "true", "TRUE", "Yes", "on"])
def test_what_means_yes(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOXLOOP_X", text)
    assert flag("VOXLOOP_X")
    assert flag("VOXLOOP_X", default=False)


@pytest.mark.parametrize("text", ["0", "false", "no", "off", "", "maybe"])
def test_what_means_no(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOXLOOP_X", text)
    assert not flag("VOXLOOP_X", default=True)


def test_a_flag_that_is_not_set_has_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VOXLOOP_X", raising=False)
    assert not flag("VOXLOOP_X")
    assert flag("VOXLOOP_X", default=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", set()),
        ("0", set()),
        ("No", set()),
        (" off ", set()),
        ("1", JUDGES),
        ("Yes", JUDGES),
        ("on", JUDGES),
        ("reviewer", {"reviewer"}),
        ("annotator, Data_Manager ,", {"annotator", "data_manager"}),
        ("administrator,annotator", {"administrator", "annotator"}),
    ],
)
def test_roles_that_need_a_second_factor(text: str, expected: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOXLOOP_X", text)
    assert roles("VOXLOOP_X") == expected


@pytest.mark.parametrize("text", ["reviewers", "reviewer;annotator", "administrator,root"])
def test_a_role_that_is_none_stops_the_start(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt role would leave its people without a second factor."""
    monkeypatch.setenv("VOXLOOP_X", text)
    with pytest.raises(ImproperlyConfigured, match="which is not a role"):
        roles("VOXLOOP_X")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://a:b@db:5433/vox", ("vox", "a", "b", "db", "5433")),
        ("postgresql://a:b@db/vox", ("vox", "a", "b", "db", "")),
        ("postgresql://db/vox", ("vox", "", "", "db", "")),
        ("postgresql://us%40er:p%2Fw%3A%20d@db/vo%20x", ("vo x", "us@er", "p/w: d", "db", "")),
        ("postgresql://a:b@%2Fvar%2Frun/vox", ("vox", "a", "b", "/var/run", "")),
    ],
)
def test_the_address_of_a_database(url: str, expected: Any) -> None:
    found = database_at(url)
    assert tuple(found[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")) == expected
    assert found["ATOMIC_REQUESTS"] is False


def test_no_statement_waits_for_a_lock_for_ever() -> None:
    options: Any = database_at("postgresql://db/vox")["OPTIONS"]
    assert "lock_timeout=15s" in options["options"]
    assert "timezone=UTC" in options["options"]
    assert options["connect_timeout"] <= 10
    assert options["keepalives_count"] * options["keepalives_interval"] + options["keepalives_idle"] <= 60
