"""The doctor: every check warns or fails when what it checks is broken."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client

from annotation.upkeep.doctor import (
    CHECKS,
    CheckResult,
    Health,
    database,
    examine,
    installation,
    machine,
    storage,
    work,
)
from annotation.upkeep.management.commands import doctor
from tests.factories.world import World, build_world
from tests.product import free_port
from voxloop.accounts.actors import SystemActor
from voxloop.audit.anchors import ANCHOR, anchor
from voxloop.audit.models import AuditEntry
from voxloop.audit.services import record
from voxloop.installation.models import Installation
from voxloop.installation.selectors import BACKUP_MADE
from voxloop.installation.services import settle_installation
from voxloop.jobs.models import Worker
from voxloop.keeping.services import note_damage
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Damaged

pytestmark = pytest.mark.django_db


def health(result: CheckResult) -> str:
    """The health of a result; also checks that there is a sentence, and advice where needed."""
    assert result.sentence.endswith((".", ")."))
    assert bool(result.todo) == (result.health != "ok")
    return str(result.health)


def test_a_database_that_answers(world: World) -> None:
    for check in (database.check_database, database.check_migrations, database.check_clock):
        assert health(check()) == "ok"


def test_tables_of_another_version(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'audit' AND name = '0002_append_only'")
    assert health(database.check_migrations()) == "fails"
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('audit', '0002_append_only', now()),"
            " ('audit', '9999_of_tomorrow', now())"
        )
    found = database.check_migrations()
    assert (health(found), "9999_of_tomorrow" in found.sentence) == ("fails", True)


def test_a_clock_that_stands(db: None) -> None:
    assert health(work.check_beat()) == "fails"
    clock = Worker.objects.create(name="beat@here", queues=[], host="here", pid=1, started_at=now(), taken_at=now())
    told = []
    for age_s in (1, 60, 4000):
        Worker.objects.filter(pk=clock.pk).update(taken_at=now() - timedelta(seconds=age_s))
        told.append(health(work.check_beat()))
    assert told == ["ok", "warns", "fails"]


def test_a_store_that_takes_nothing(tmp_path: Path, settings: Any) -> None:
    assert health(storage.check_storage()) == "ok"
    assert not [path for path in (Path(settings.STATE_DIR) / "objects").rglob("*") if path.is_file()]
    (tmp_path / "file").write_text("no folder")
    settings.STORAGE_URL = f"file://{tmp_path}/file/objects"
    assert health(storage.check_storage()) == "fails"
    settings.STORAGE_URL = f"s3://bucket?endpoint=http://127.0.0.1:{free_port()}&region=x"
    assert health(storage.check_storage()) == "fails"


def test_disks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Any) -> None:
    Path(settings.STATE_DIR).mkdir(exist_ok=True)
    monkeypatch.setattr(storage, "LITTLE_BYTES", 0)
    monkeypatch.setattr(storage, "TOO_LITTLE_BYTES", 0)
    assert health(storage.check_disks()) == "ok"
    monkeypatch.setattr(storage, "LITTLE_BYTES", 1 << 62)
    assert health(storage.check_disks()) == "warns"
    monkeypatch.setattr(storage, "TOO_LITTLE_BYTES", 1 << 62)
    assert health(storage.check_disks()) == "fails"
    assert health(storage.check_file_clock()) == "ok"
    assert health(storage.check_shared_memory(tmp_path)) == "ok"
    assert health(storage.check_shared_memory(tmp_path / "none")) == "warns"


def test_memory_and_card(tmp_path: Path) -> None:
    told = []
    for free_kb in (8_000_000, 1_000_000, 100_000):
        (tmp_path / "meminfo").write_text(f"MemTotal: 9000000 kB\nMemAvailable: {free_kb} kB\n")
        told.append(health(machine.check_memory(tmp_path / "meminfo")))
    assert told == ["ok", "warns", "fails"]
    assert health(machine.check_memory()) in ("ok", "warns", "fails")
    assert health(machine.check_gpu(tmp_path / "none")) == "ok"


def test_a_front_end_that_was_not_built(tmp_path: Path, settings: Any) -> None:
    assert health(machine.check_front_end()) == "ok"
    settings.VITE_DIST = tmp_path
    assert health(machine.check_front_end()) == "fails"
    (tmp_path / "manifest.json").write_text(json.dumps({"a": {"file": "assets/a.js"}}))
    assert health(machine.check_front_end()) == "fails"
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "a.js").write_text("")
    assert health(machine.check_front_end()) == "ok"


def test_keys(settings: Any) -> None:
    settings.KEYS_GIVEN = frozenset()
    assert health(installation.check_secrets()) == "fails"
    settings.KEYS_GIVEN = frozenset({"VOXLOOP_SECRET_KEY", "VOXLOOP_AUDIT_KEY"})
    Installation.objects.all().delete()
    assert health(installation.check_secrets()) == "fails"
    settle_installation()
    assert health(installation.check_secrets()) == "ok"
    kept = Path(settings.STATE_DIR) / "secrets.json"
    kept.write_text("{}")
    kept.chmod(0o644)
    assert health(installation.check_secrets()) == "warns"
    kept.chmod(0o600)
    assert health(installation.check_secrets()) == "ok"
    settings.KEPT_KEYS = {**settings.KEPT_KEYS, "VOXLOOP_SECRET_KEY": "another"}
    assert health(installation.check_secrets()) == "fails"


@pytest.mark.parametrize(
    ("hosts", "origins", "https", "proxies", "wanted"),
    [
        (["localhost"], [], False, 0, "ok"),
        (["scans.example"], [], False, 0, "warns"),
        (["*"], [], True, 1, "fails"),
        (["scans.example"], ["https://scans.example"], True, 1, "ok"),
        (["scans.example"], [], True, 0, "warns"),
        (["scans.example"], ["http://scans.example"], True, 1, "fails"),
    ],
)
def test_what_stands_in_front(
    settings: Any, hosts: list[str], origins: list[str], https: bool, proxies: int, wanted: str
) -> None:
    settings.ALLOWED_HOSTS, settings.CSRF_TRUSTED_ORIGINS, settings.HTTPS = hosts, origins, https
    settings.PROXIES = proxies
    assert health(installation.check_front()) == wanted


def test_mail(settings: Any) -> None:
    assert health(installation.check_mail()) == "ok"
    settings.MAIL_HOST = settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT, settings.EMAIL_BACKEND = free_port(), "django.core.mail.backends.smtp.EmailBackend"
    assert health(installation.check_mail()) == "fails"


def test_the_log_and_its_anchor(world: World) -> None:
    path = Path(settings.STATE_DIR) / ANCHOR
    path.parent.mkdir(parents=True, exist_ok=True)
    assert health(installation.check_audit()) == "fails"  # entries, and no anchor
    anchor()
    assert health(installation.check_audit()) == "ok"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows[-1]["at"] = (now() - timedelta(hours=1)).isoformat()
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert (health(installation.check_anchor()), health(installation.check_audit())) == ("warns", "ok")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE audit_auditentry SET why = 'changed' WHERE id = (SELECT min(id) FROM audit_auditentry)")
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")
    assert health(installation.check_audit()) == "fails"


def test_the_age_of_the_last_back_up(db: None) -> None:
    row = settle_installation()
    assert health(installation.check_backup()) == "warns"
    told = []
    for days in (30, 3, 0):
        entry = record(actor=SystemActor.SYSTEM, action=BACKUP_MADE, target=row, new={})
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            AuditEntry.objects.filter(pk=entry.pk).update(at=now() - timedelta(days=days))
            cursor.execute("SET LOCAL session_replication_role = DEFAULT")
        told.append(health(installation.check_backup()))
    assert told == ["fails", "warns", "ok"]


def test_damage_that_is_known(client: Client) -> None:
    assert health(installation.check_damage()) == "ok"
    admin = build_world(scans=0)["admin"]
    client.force_login(admin, backend="django.contrib.auth.backends.ModelBackend")
    assert "Damage" not in client.get("/jobs/system/").content.decode()
    note_damage(Damaged("The stored object packs/ab is damaged.", thing="packs/ab"), noticed_by=SystemActor.SCRUB)
    found = installation.check_damage()
    assert health(found) == "fails"
    assert "packs/ab" in found.sentence
    page = client.get("/jobs/system/").content.decode()
    assert "packs/ab" in page
    assert "Everything works." not in page


def test_a_check_that_breaks_is_a_finding_and_the_rest_go_on(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    quick = tuple(check for check in CHECKS if not check[0].startswith("worker"))
    monkeypatch.setattr("annotation.upkeep.doctor.examining.CHECKS", quick)
    settings.VITE_DIST = 5  # no path at all
    found = list(examine())
    assert [one.name for one in found] == [name for name, _, _ in quick]
    assert next(one for one in found if one.name == "front end").health == "fails"


def of(health: Health) -> CheckResult:
    return CheckResult("one", health, "It is so.", "" if health == "ok" else "Do something.")


@pytest.mark.parametrize(("health", "code"), [("ok", 0), ("warns", 0), ("fails", 1)])
def test_only_a_failure_is_an_exit_code(
    health: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [of(Health.OK), of(Health(health))]
    monkeypatch.setattr(doctor, "examine", lambda *, is_stopped: iter(found))
    try:
        call_command("doctor")
        ended = 0
    except SystemExit as end:
        ended = int(str(end.code))
    assert ended == code
    assert ("Do something." in capsys.readouterr().out) == (health != "ok")


def test_of_a_stopped_demonstration_no_process_is_asked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def must_not(*args: Any, **options: Any) -> None:
        raise AssertionError("a task was sent")

    monkeypatch.setattr(current_app, "send_task", must_not)
    found = {result.name: result for result in examine(is_stopped=True)}
    assert not found.keys() & {"worker default", "worker ml", "beat", "anchor"}
    assert (found["processes"].health, "stopped" in found["processes"].sentence) == ("warns", True)
