"""Lost or changed keys, and a database of another folder, are reported."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as django_settings
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import IntegrityError, transaction

from annotation.upkeep.objects import check_objects, named_objects
from tests.factories.world import World
from voxloop.accounts.actors import SystemActor
from voxloop.audit.models import AuditEntry
from voxloop.audit.services import record
from voxloop.audit.verify import verify
from voxloop.installation.checks import keys_are_given
from voxloop.installation.models import Installation
from voxloop.installation.services import accept_secret_key, check_start, settle_installation
from voxloop.keeping.registry import OBJECT_KINDS
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict
from voxloop.storage.store import open_store

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.django_db


@pytest.fixture
def keys(settings: Any) -> Any:
    """An installation whose operator has given both keys."""

    def give(secret: str = "s" * 50, audit: str = "a" * 50) -> None:
        settings.SECRET_KEY, settings.AUDIT_KEY = secret, audit
        settings.KEPT_KEYS = {"VOXLOOP_SECRET_KEY": secret, "VOXLOOP_AUDIT_KEY": audit}
        settings.KEYS_GIVEN = {"VOXLOOP_SECRET_KEY", "VOXLOOP_AUDIT_KEY"}

    give()
    return give


def test_the_row_keeps_prints_and_no_key(keys: Any) -> None:
    row = settle_installation()
    assert set(row.key_prints) == {"VOXLOOP_SECRET_KEY", "VOXLOOP_AUDIT_KEY"}
    assert "s" * 50 not in json.dumps(row.key_prints)
    assert settle_installation().pk == row.pk


def test_there_is_one_row() -> None:
    Installation.objects.create()
    with transaction.atomic(), pytest.raises(IntegrityError):
        Installation.objects.create()
    with transaction.atomic(), pytest.raises(IntegrityError, match="installation_only_one"):
        Installation.objects.create(only=False)


@pytest.mark.parametrize("name", ["secret", "audit"])
@pytest.mark.fault("the keys of the installation are changed")
def test_a_changed_key_is_refused_in_one_sentence(keys: Any, name: str) -> None:
    settle_installation()
    keys(**{name: "another" * 9})
    for start in (settle_installation, check_start):
        with pytest.raises((Conflict, SystemExit), match=rf"^VOXLOOP_{name.upper()}_KEY is not the one .*set it to"):
            start()


@pytest.mark.fault("the keys of the installation are lost")
def test_a_missing_key_is_refused_where_there_was_one(keys: Any, settings: Any, capsys: Any) -> None:
    settle_installation()
    settings.KEYS_GIVEN = set()
    settings.KEPT_KEYS = {"VOXLOOP_SECRET_KEY": "made up", "VOXLOOP_AUDIT_KEY": "made up"}
    with pytest.raises(SystemExit, match="is not set, but this installation has one"):
        check_start()
    assert capsys.readouterr().err.startswith("VOXLOOP_SECRET_KEY is not set: this process generated one")


def test_an_older_installation_with_another_audit_key_is_told(keys: Any, world: World) -> None:
    record(actor=SystemActor.OPERATOR, action="test.happened", target=world.campaign)
    keys(audit="another" * 9)
    with pytest.raises(Conflict, match=r"^VOXLOOP_AUDIT_KEY is not the one"):
        settle_installation()


def test_the_secret_key_is_changed_on_purpose(keys: Any, world: World) -> None:
    settle_installation()
    Session.objects.create(session_key="x", session_data="", expire_date=now())
    keys(secret="another" * 9)
    assert accept_secret_key(actor=SystemActor.OPERATOR) == 1
    check_start()
    entry = AuditEntry.objects.latest("id")
    assert (entry.action, entry.new) == ("installation.secret_key_changed", {"sessions_ended": 1})
    assert verify()[1] is None


def test_the_audit_key_is_never_changed(keys: Any, settings: Any) -> None:
    settle_installation()
    keys(secret="another" * 9, audit="other" * 9)
    with pytest.raises(Conflict, match=r"^VOXLOOP_AUDIT_KEY is not the one"):
        accept_secret_key(actor=SystemActor.OPERATOR)
    settings.KEYS_GIVEN = {"VOXLOOP_SECRET_KEY"}
    with pytest.raises(Conflict, match="sealed with the old secret key"):
        accept_secret_key(actor=SystemActor.OPERATOR)


def test_check_deploy_says_which_key_is_missing(keys: Any, settings: Any) -> None:
    assert keys_are_given(None) == []
    settings.KEYS_GIVEN = set()
    assert [error.id for error in keys_are_given(None)] == ["voxloop.E001", "voxloop.E002"]


@pytest.mark.fault("the database of another folder")
def test_a_database_of_another_state_folder_is_refused(keys: Any, own_state: Path) -> None:
    (own_state / "identity.json").write_text(json.dumps({"id": "first"}))
    settle_installation()
    (own_state / "identity.json").write_text(json.dumps({"id": "second"}))
    with pytest.raises(Conflict, match="belongs to another state folder"):
        settle_installation()


@pytest.mark.fault("the folder of objects is missing")
def test_missing_objects_are_told_at_the_start(keys: Any, world: World) -> None:
    check_objects()
    open_store(django_settings.STORAGE_URL).delete(world.scans[-1].pack_key)
    with pytest.raises(CommandError, match=r"^The database references objects that are not in .*restore\)\.$"):
        call_command("prepare_installation")


def test_every_field_that_names_an_object_is_known(world: World) -> None:
    """Object keys are the only text columns of 100 characters."""

    fields = {
        (model._meta.label, field.name)
        for model in apps.get_models()
        if model.__module__.startswith(("annotation.", "voxloop."))
        for field in model._meta.fields
        if field.name.endswith("key") and field.max_length == 100
    }
    assert fields == {(kind.rows().model._meta.label, kind.field) for kind in OBJECT_KINDS.values()}
    assert set(named_objects()) >= {world.scans[0].pack_key, world.scans[0].preview_key}


def test_a_process_with_other_keys_does_not_start(keys: Any, live_world: World) -> None:
    settle_installation()
    database = django_settings.DATABASES["default"]
    address = f"postgresql://{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}"
    environment = os.environ | {
        "VOXLOOP_DATABASE": f"{address}/{database['NAME']}",
        "VOXLOOP_SECRET_KEY": "s" * 50,
        "VOXLOOP_AUDIT_KEY": "another" * 9,
        "PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}",
    }
    celery = [sys.executable, "-m", "celery", "-A", "voxloop.project"]
    for command in (
        [sys.executable, "-c", "import voxloop.project.wsgi"],
        [*celery, "worker", "-Q", "default", "-c", "1"],
        [*celery, "beat", "--pidfile="],
    ):
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode != 0
        assert "VOXLOOP_AUDIT_KEY is not the one this installation was made with" in done.stderr
