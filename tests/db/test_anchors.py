"""Anchors of the audit log: a missing or overdue one is reported, and more can be kept elsewhere."""

import io
import json
import socketserver
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.factories.s3 import s3_server
from tests.factories.world import World
from voxloop.audit import anchors
from voxloop.audit.anchors import anchor, anchor_statuses, local_anchor
from voxloop.audit.models import AuditEntry
from voxloop.audit.services import seal_entries
from voxloop.audit.verify import verify
from voxloop.kernel.clock import now

pytestmark = pytest.mark.django_db


def told() -> str:
    """The error of verify_audit."""
    with pytest.raises(CommandError) as failed:
        call_command("verify_audit")
    assert failed.value.returncode == 1
    return str(failed.value)


def make_older(path: Path, hours: float) -> None:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row in rows:
        row["at"] = (now() - timedelta(hours=hours)).isoformat()
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def cut_off() -> None:
    """Delete the newest rows, as the owner of the database could."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "WITH gone AS (DELETE FROM audit_auditseal WHERE position > 5 RETURNING entry_id) "
            "DELETE FROM audit_auditentry WHERE id IN (SELECT entry_id FROM gone)"
        )
        cursor.execute("SET session_replication_role = DEFAULT")


@pytest.mark.fault("the anchor of the audit log is gone")
def test_a_missing_anchor_is_told(world: World) -> None:
    anchor()
    call_command("verify_audit", stdout=io.StringIO())
    local_anchor().unlink()
    cut_off()
    assert "There is no anchor" in told()


def test_a_place_for_all_machines_stands_for_the_file_of_one(world: World, tmp_path: Path, settings: Any) -> None:
    """Another machine has sealed: its local file is not here, but the shared location is."""
    settings.ANCHORS = [(tmp_path / "elsewhere.jsonl").as_uri()]
    anchor()
    local_anchor().unlink()
    call_command("verify_audit", stdout=io.StringIO())
    (tmp_path / "elsewhere.jsonl").unlink()
    assert "There is no anchor" in told()


def test_an_anchor_that_is_late_is_told(world: World) -> None:
    make_older(anchor(), 0.5)
    call_command("verify_audit", stdout=io.StringIO())
    make_older(local_anchor(), 5)
    assert "is 5 h old" in told()


def test_entries_that_nobody_seals_are_told(world: World) -> None:
    call_command("verify_audit", stdout=io.StringIO())
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE audit_auditentry SET at = at - interval '2 hours'")
        cursor.execute("SET session_replication_role = DEFAULT")
    assert "waited for its seal" in anchor_statuses()[0].fault


def test_a_file_elsewhere_proves_what_the_local_one_no_longer_can(world: World, tmp_path: Path, settings: Any) -> None:
    settings.ANCHORS = [f"file://{tmp_path}/mount"]
    anchor()
    local_anchor().unlink()
    seal_entries()
    cut_off()
    _, fault = verify()
    assert fault is not None
    assert "cut off" in fault.sentence
    assert (tmp_path / "mount" / anchors.ANCHOR).exists()


def test_two_places_that_differ_are_told(world: World, tmp_path: Path, settings: Any) -> None:
    settings.ANCHORS = [f"file://{tmp_path}/other.jsonl"]
    row = json.loads(anchor().read_text())
    (tmp_path / "other.jsonl").write_text(json.dumps(row | {"hash": "0" * 64}) + "\n")
    assert "different anchors" in told()


@pytest.mark.fault("a location for anchors fails")
def test_a_place_that_fails_is_told_and_stops_no_other(world: World, tmp_path: Path, settings: Any) -> None:
    (tmp_path / "file").write_text("no folder")
    good = f"file://{tmp_path}/good"
    settings.ANCHORS = [f"file://{tmp_path}/file/x", "mailto:office@example.org", "ftp://x", good]
    anchor()
    assert (tmp_path / "good" / anchors.ANCHOR).exists()
    by_location = {each.place: each.fault for each in anchor_statuses()}
    assert by_location[good] == ""
    assert by_location[str(local_anchor())] == ""
    assert "no mail server" in by_location["mailto:office@example.org"]
    assert by_location["ftp://x"]
    assert by_location[f"file://{tmp_path}/file/x"]
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("verify_audit", "--json", stdout=out)
    assert len(json.loads(out.getvalue())["anchors"]) == 5


def test_nothing_new_adds_no_line_but_a_sign_of_life(world: World) -> None:
    for _ in range(3):
        path = anchor()
    assert len(path.read_text().splitlines()) == 1
    make_older(path, 0.5)
    anchor()
    assert len(path.read_text().splitlines()) == 2


def test_a_bucket(world: World, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with s3_server(tmp_path / "s3", bucket="anchors") as url:
        settings.ANCHORS = [url]
        anchor()
        assert [each.fault for each in anchor_statuses()] == ["", ""]
        monkeypatch.setitem(anchors.EVERY, "s3", timedelta(0))
        anchor()
        local_anchor().unlink()
        cut_off()
        _, fault = verify()
        assert fault is not None
        assert "cut off" in fault.sentence
    assert "cannot be read" in anchor_statuses()[1].fault


class Post(socketserver.StreamRequestHandler):
    """A minimal SMTP server that receives mails."""

    mails: list[str] = []

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            word = line.split()[0].upper() if line.split() else b""
            if word == b"DATA":
                self.wfile.write(b"354 go\r\n")
                text = b""
                while (part := self.rfile.readline()) != b".\r\n":
                    text += part
                self.mails.append(text.decode())
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
            if word == b"QUIT":
                return


@pytest.fixture
def post(settings: Any) -> Iterator[list[str]]:
    Post.mails.clear()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Post) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        settings.MAIL_IS_SET = True
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.server_address[:2]
        try:
            yield Post.mails
        finally:
            server.shutdown()
            thread.join()


def test_a_mail_once_a_day(world: World, settings: Any, post: list[str], tmp_path: Path) -> None:
    settings.ANCHORS = ["mailto:office@example.org"]
    anchor()
    anchor()
    assert len(post) == 1
    line = next(line for line in post[0].splitlines() if line.startswith("{"))
    assert json.loads(line)["position"] == AuditEntry.objects.count()
    assert [each.fault for each in anchor_statuses()] == ["", ""]
    kept = tmp_path / "from-the-mails.jsonl"
    kept.write_text(line + "\n")
    cut_off()
    with pytest.raises(CommandError, match="cut off"):
        call_command("verify_audit", "--anchor", str(kept))
    with pytest.raises(CommandError, match="no file"):
        call_command("verify_audit", "--anchor", str(tmp_path / "nothing"))
