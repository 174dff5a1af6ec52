"""Keys, reverse proxies, mail, the audit log, back-ups."""

import json
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.core.mail import get_connection

from annotation.upkeep.doctor.result import CheckResult, fails, ok, warns
from voxloop.audit.anchors import ANCHOR
from voxloop.audit.verify import verify
from voxloop.installation.keys import AUDIT, SECRET
from voxloop.installation.models import Installation
from voxloop.installation.selectors import days_since_backup
from voxloop.installation.services import find_fault
from voxloop.keeping.selectors import open_damage
from voxloop.kernel.clock import now

OLD_DAYS, TOO_OLD_DAYS = 2.0, 7.0
ANCHOR_LATE_S = 10 * 60
LOCAL = {"localhost", "127.0.0.1", "[::1]"}


def check_secrets() -> CheckResult:
    """The keys are set and match this database, and their file is private."""
    for name in (SECRET, AUDIT):
        if name not in settings.KEYS_GIVEN:
            return fails(
                "secrets",
                f"{name} is not set.",
                "Set it to something long and random, and keep a copy (docs/operating.md).",
            )
    row = Installation.objects.first()
    if row is None:
        return fails("secrets", "This database belongs to no installation yet.", "Run manage.py prepare_installation.")
    if fault := find_fault(row):
        return fails("secrets", fault[1], "Set the key to the value it had, or restore it from a back-up.")
    kept = Path(settings.STATE_DIR) / "secrets.json"
    if kept.exists() and kept.stat().st_mode & 0o077:
        return warns("secrets", "Others on this machine may read secrets.json.", f"Run chmod 600 {kept}.")
    return ok("secrets", "The keys are those that this database was written with.")


def check_front() -> CheckResult:
    """The settings of host names, TLS and proxies are consistent."""
    hosts, name = set(settings.ALLOWED_HOSTS), "proxies"
    plain = [origin for origin in settings.CSRF_TRUSTED_ORIGINS if not origin.startswith("https://")]
    if "*" in hosts:
        return fails(name, "VOXLOOP_HOSTS takes every name.", "Name the hosts that people type, separated by commas.")
    if settings.HTTPS and plain:
        return fails(name, f"VOXLOOP_ORIGINS holds {plain[0]}, which is not https.", "Write the origins with https://.")
    if settings.HTTPS and settings.PROXIES < 1:
        return warns(
            name,
            "VOXLOOP_HTTPS is on, but VOXLOOP_PROXIES says that there is no proxy in front.",
            "Set VOXLOOP_PROXIES to the number of proxies, or every log-in seems to come from the same address.",
        )
    if not settings.HTTPS and hosts - LOCAL:
        return warns(
            name,
            f"{min(hosts - LOCAL)} is served without TLS.",
            "Put TLS in front and set VOXLOOP_HTTPS=1: passwords and scans travel unencrypted, and browsers cannot "
            "encrypt their stores.",
        )
    return ok(name, "Host names, TLS and proxies are consistent.")


def check_mail() -> CheckResult:
    """A configured mail server accepts connections."""
    if not getattr(settings, "MAIL_HOST", ""):
        return ok("mail", "No mail server is set up, and nothing needs one.")
    try:
        line = get_connection(timeout=10)
        line.open()
        line.close()
    except Exception as error:  # sockets, TLS and log-ins raise different exceptions
        return fails(
            "mail", f"The mail server refused the connection ({type(error).__name__}).", "Look at the mail settings."
        )
    return ok("mail", "The mail server answers.")


def check_audit() -> CheckResult:
    """The audit log's chain is intact, and anchored."""
    count, fault = verify()
    if fault is not None:
        return fails(
            "audit",
            fault.sentence,
            "Keep everything as it is and find out who changed the log: manage.py verify_audit.",
        )
    if count and not _anchors():
        return fails(
            "audit",
            "The log is not anchored outside the database.",
            "Start beat and a worker on this machine, or restore the anchor file from a back-up.",
        )
    return ok("audit", f"{count} entries are intact and anchored.")


def check_anchor() -> CheckResult:
    """The newest anchor of the audit log is recent."""
    rows = _anchors()
    if not rows:
        return ok("anchor", "Nothing is anchored yet.")
    age = (now() - datetime.fromisoformat(json.loads(rows[-1])["at"])).total_seconds()
    sentence = f"The newest anchor of the audit log is {age / 60:.0f} min old."
    if age > ANCHOR_LATE_S:
        return warns("anchor", sentence, "Look at beat and at the worker of the queue default.")
    return ok("anchor", sentence)


def _anchors() -> list[str]:
    path = Path(settings.STATE_DIR) / ANCHOR
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def check_damage() -> CheckResult:
    """Nothing that is stored is known to be missing or damaged."""
    found = list(open_damage().values_list("thing", flat=True)[:3])
    if not found:
        return ok("damage", "Nothing stored is known to be damaged.")
    many = open_damage().count()
    return fails(
        "damage",
        f"{many} stored {'thing is' if many == 1 else 'things are'} damaged or missing: {', '.join(found)}.",
        "Run manage.py scrub --repair with a back-up; the page System lists them.",
    )


def check_backup() -> CheckResult:
    """The last back-up is recent."""
    age, todo = days_since_backup(), "Run manage.py backup, and schedule it every night (cron, systemd timer)."
    if age is None:
        return warns("back-up", "There is no back-up yet.", todo)
    sentence = f"The last back-up is {age:.1f} days old."
    if age > TOO_OLD_DAYS:
        return fails("back-up", sentence, todo)
    return warns("back-up", sentence, todo) if age > OLD_DAYS else ok("back-up", sentence)
