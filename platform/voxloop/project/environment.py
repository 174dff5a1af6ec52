"""What differs between machines, read from the environment (`VOXLOOP_*`, see docs/operating.md)."""

import os
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from mlservice.contract.policy import GatePolicy
from voxloop.child import ContractError

BASE_DIR = Path(__file__).resolve().parents[3]


def flag(name: str, default: bool = False) -> bool:
    return os.environ.get(name, "1" if default else "0").lower() in {"1", "true", "yes", "on"}


def roles(name: str) -> frozenset[str]:
    """Roles that must have a second factor: a comma list, or 1 for those who judge and administer."""
    judges = {"reviewer", "arbitrator", "coordinator", "administrator"}
    text = os.environ.get(name, "").strip().lower()
    if text in {"", "0", "false", "no", "off"}:
        return frozenset()
    named = judges if text in {"1", "true", "yes", "on"} else {role.strip() for role in text.split(",") if role.strip()}
    if strange := named - judges - {"annotator", "data_manager"}:
        raise ImproperlyConfigured(f"{name} names {', '.join(sorted(strange))}, which is not a role.")
    return frozenset(named)


def gate_policy(name: str) -> GatePolicy:
    """The limits by which a new model is judged, with changes such as `least_scored=20`."""
    try:
        return GatePolicy.read(os.environ.get(name, ""))
    except ContractError as error:
        raise ImproperlyConfigured(f"{name}: {error.sentence}") from error


@dataclass(frozen=True)
class Peer:
    """A DICOM node: its AE title, host and port."""

    title: str
    host: str
    port: int


def peers(name: str) -> dict[str, Peer]:
    """DICOM nodes by the name that people see: `PACS=TITLE@host:port`, space separated."""
    found = {}
    for text in os.environ.get(name, "").split():
        match = re.fullmatch(r"([\w.-]{1,32})=([!-?A-~]{1,16})@([\w.:-]+):(\d{1,5})", text)
        if match is None or not 0 < int(match[4]) < 65536:
            raise ImproperlyConfigured(f"{name}: “{text}” is no destination; write PACS=TITLE@host:104.")
        found[match[1]] = Peer(match[2], match[3], int(match[4]))
    return found


def origins(name: str) -> frozenset[str]:
    """Origins of web pages, comma separated: scheme, host and port, nothing else; never `*`."""
    found = {text.strip() for text in os.environ.get(name, "").split(",") if text.strip()}
    for text in found:
        if not re.fullmatch(r"https?://[\w.-]+(?::\d{1,5})?|https?://\[[0-9a-fA-F:]+\](?::\d{1,5})?", text):
            raise ImproperlyConfigured(f"{name}: “{text}” is no origin; write https://viewer.example.org.")
    return frozenset(found)


STATE_DIR = Path(os.environ.get("VOXLOOP_STATE", BASE_DIR / ".state"))
DATABASE_FOLDER = os.environ.get("VOXLOOP_DATABASE_FOLDER", "")  # its local folder, if any, whose free space is watched
WORK_DIR = STATE_DIR / "work"  # scratch of jobs; may be deleted
DEBUG = flag("VOXLOOP_DEBUG")
# Without a key the process generates one: log-ins and signatures are lost when it ends.
SECRET_KEY = os.environ.get("VOXLOOP_SECRET_KEY") or secrets.token_urlsafe(48)
# Earlier secret keys: their log-ins stay valid, and what they sealed can be unsealed and resealed.
SECRET_KEY_FALLBACKS = os.environ.get("VOXLOOP_OLD_SECRET_KEYS", "").split()
# Encrypts keys in the database; never a generated secret.
SEALING_SECRETS = [SECRET_KEY, *SECRET_KEY_FALLBACKS] if os.environ.get("VOXLOOP_SECRET_KEY") else []
AUDIT_KEY = os.environ.get("VOXLOOP_AUDIT_KEY") or SECRET_KEY
# Keys that stored data depends on: the database holds their fingerprints, a back-up the keys.
KEPT_KEYS = {"VOXLOOP_SECRET_KEY": SECRET_KEY, "VOXLOOP_AUDIT_KEY": AUDIT_KEY}
KEYS_GIVEN = {name for name in KEPT_KEYS if os.environ.get(name)}
ALLOWED_HOSTS = os.environ.get("VOXLOOP_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
CSRF_TRUSTED_ORIGINS = [origin for origin in os.environ.get("VOXLOOP_ORIGINS", "").split(",") if origin]
HTTPS = flag("VOXLOOP_HTTPS")
PROXIES = int(os.environ.get("VOXLOOP_PROXIES", "0"))  # in front; only so many are trusted
RATE_FACTOR = float(os.environ.get("VOXLOOP_RATE_FACTOR", "1"))  # 0: no rate limits
# Unreferenced objects are kept this long.
KEEP_UNREFERENCED_DAYS = int(os.environ.get("VOXLOOP_KEEP_UNREFERENCED_DAYS", "30"))
REQUIRE_TOTP = roles("VOXLOOP_REQUIRE_TOTP")
_idle = int(os.environ.get("VOXLOOP_IDLE_MINUTES", "60"))
IDLE_LASTS = timedelta(minutes=_idle) if _idle > 0 else None  # None: a log-in lasts 12 hours, used or not
STORAGE_URL = os.environ.get("VOXLOOP_STORAGE", f"file://{STATE_DIR / 'objects'}")
EXPORT_ROOT = Path(os.environ.get("VOXLOOP_EXPORTS", STATE_DIR / "releases"))
SIGNING_KEY = os.environ.get("VOXLOOP_SIGNING_KEY", "")  # file of a private Ed25519 key (PEM) that signs exports
# Buckets that a data manager may export to, besides EXPORT_ROOT: an address typed by a user is never opened.
REPORT_PEERS = peers("VOXLOOP_REPORT_PEERS")  # the only nodes that reports are sent to
# Begins the link of a report in its PDF: what people type to reach the pages, as far as an operator told it.
REPORT_ADDRESS = CSRF_TRUSTED_ORIGINS[0].rstrip("/") if CSRF_TRUSTED_ORIGINS else ""
DICOMWEB_ORIGINS = origins("VOXLOOP_DICOMWEB_ORIGINS")  # of pages elsewhere that may read DICOMweb with a token
EXPORT_BUCKETS = [url for url in os.environ.get("VOXLOOP_EXPORT_BUCKETS", "").split() if url]
VITE_DIST = BASE_DIR / "frontend" / "dist" / "viewer"
# Further locations of audit anchors: file://, s3://, mailto:.
ANCHORS = [url for url in os.environ.get("VOXLOOP_ANCHORS", "").split() if url]
METRICS_TOKEN = os.environ.get("VOXLOOP_METRICS_TOKEN", "")
SIGNATURE_LASTS = timedelta(minutes=int(os.environ.get("VOXLOOP_SIGNATURE_MINUTES", "30")))
TOKEN_DAYS = int(os.environ.get("VOXLOOP_TOKEN_DAYS", "30"))
MAX_MASK_BYTES = 64 << 20
# An interactive segmentation server (docs/formats.md); empty: off. Set by an operator, never by a user.
INTERACTIVE_URL = os.environ.get("VOXLOOP_INTERACTIVE_URL", "")
INTERACTIVE_NAME = os.environ.get("VOXLOOP_INTERACTIVE_NAME", "Interactive model")
INTERACTIVE_LICENCE = os.environ.get("VOXLOOP_INTERACTIVE_LICENCE", "")
INTERACTIVE_SECONDS = float(os.environ.get("VOXLOOP_INTERACTIVE_SECONDS", "20"))
CONTACT = os.environ.get("VOXLOOP_CONTACT", "").strip()  # whom to ask, on the log-in page
DEFAULT_ZONE = os.environ.get("VOXLOOP_TIME_ZONE", "UTC")  # of people whose browser has not told theirs
OFFLINE_DAYS = int(os.environ.get("VOXLOOP_OFFLINE_DAYS", "7"))  # 0: no scan is kept in a browser
TRAIN_CPU_THREADS = int(os.environ.get("VOXLOOP_TRAIN_THREADS", "2"))
TRAIN_PROCESSES = max(1, int(os.environ.get("VOXLOOP_TRAIN_PROCESSES", "1")))
TRAIN_STEPS = int(os.environ.get("VOXLOOP_TRAIN_STEPS", "0"))  # 0: as the profile says
TRAIN_MEMORY_BYTES = int(os.environ.get("VOXLOOP_TRAIN_MEMORY_GB", "0")) << 30  # address space; 0: no limit
PREPARED_BYTES = int(os.environ.get("VOXLOOP_PREPARED_GB", "20")) << 30  # of scans kept prepared; 0: none
GATE_POLICY = gate_policy("VOXLOOP_GATE")
MAX_UPLOAD_BYTES = int(os.environ.get("VOXLOOP_MAX_UPLOAD_MB", "2048")) << 20

LOCK_SECONDS = int(os.environ.get("VOXLOOP_LOCK_SECONDS", "15"))
STATEMENT_SECONDS = int(os.environ.get("VOXLOOP_STATEMENT_SECONDS", "0"))  # 0: no limit


def database_at(url: str) -> dict[str, object]:
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
        "OPTIONS": {
            # Waiting for a lock fails after this time; web processes wait less than workers (`wsgi.py`). Prepared
            # statements (voxloop.kernel.statements) are planned once per connection, not per value.
            "options": f"-c lock_timeout={LOCK_SECONDS}s -c statement_timeout={STATEMENT_SECONDS}s -c timezone=UTC"
            " -c plan_cache_mode=force_generic_plan",
            "prepare_threshold": 5,
            # Notices a server that vanished silently.
            "connect_timeout": 5,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 20_000,  # milliseconds
        },
    }


# Folder of pg_dump and pg_restore; empty: those of the environment or system that match the server.
POSTGRES_TOOLS = os.environ.get("VOXLOOP_POSTGRES_TOOLS", "")
DATABASE_URL = os.environ.get("VOXLOOP_DATABASE", "postgresql://voxloop:voxloop@127.0.0.1:5432/voxloop")
DATABASES = {"default": database_at(DATABASE_URL)}
# The role that owns the tables; set for `migrate` and `prepare_broker` only (voxloop.audit.ownership).
WORKING_DATABASE = database_at(DATABASE_URL)
OWNER_DATABASE = database_at(url) if (url := os.environ.get("VOXLOOP_OWNER_DATABASE", "")) else None

# Mail is sent for anchors of the audit log and for notices. smtp://name:password@host:port, smtps://…, or smtp+tls://…
_mail = urlsplit(os.environ.get("VOXLOOP_MAIL", ""))
MAIL_IS_SET = bool(_mail.hostname)
EMAIL_HOST, EMAIL_PORT = _mail.hostname or "", _mail.port or (465 if _mail.scheme == "smtps" else 25)
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(_mail.username or ""), unquote(_mail.password or "")
EMAIL_USE_SSL, EMAIL_USE_TLS = _mail.scheme == "smtps", _mail.scheme == "smtp+tls"
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = os.environ.get("VOXLOOP_MAIL_FROM", "voxloop@localhost")
CELERY_BROKER_URL = os.environ.get("VOXLOOP_BROKER") or DATABASE_URL.replace("postgresql://", "pgmq://", 1)
