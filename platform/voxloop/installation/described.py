"""The settings of this installation as an administrator may read them: what each is for, its value, where it is from.

docs/operating.md has them at length. A secret is only told to be set; addresses are shown without their passwords."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

# Names whose value nobody is shown.
SECRET = frozenset(
    {
        "VOXLOOP_SECRET_KEY",
        "VOXLOOP_OLD_SECRET_KEYS",
        "VOXLOOP_AUDIT_KEY",
        "VOXLOOP_METRICS_TOKEN",
        "VOXLOOP_BACKUP_PASSPHRASE",
    }
)
# By subject: name, what it is for, what holds without it.
DESCRIBED: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "Storage and database": (
        ("VOXLOOP_DATABASE", "The database", "none"),
        ("VOXLOOP_OWNER_DATABASE", "The role that owns the tables", "one role for both"),
        ("VOXLOOP_DATABASE_FOLDER", "Its folder, whose disk is watched", "not watched"),
        ("VOXLOOP_BROKER", "The queue of jobs", "the same database"),
        ("VOXLOOP_STORAGE", "Voxels, weights, previews", "objects in the state folder"),
        ("VOXLOOP_STATE", "Working files", ".state"),
        ("VOXLOOP_EXPORTS", "Folder of releases", "releases in the state folder"),
        ("VOXLOOP_EXPORT_BUCKETS", "Buckets of releases", "none"),
        ("VOXLOOP_REPORT_PEERS", "PACS that reports may be sent to", "none"),
        ("VOXLOOP_KEEP_UNREFERENCED_DAYS", "Days that unreferenced files are kept", "30"),
        ("VOXLOOP_LOW_DISK_MB", "Free MB below which a warning is shown", "1024"),
        ("VOXLOOP_KEPT_DISK_MB", "Free MB below which no job begins", "256"),
        ("VOXLOOP_LAST_DISK_MB", "Free MB below which nothing is written", "64"),
        ("VOXLOOP_LOCK_SECONDS", "Longest wait for a row", "web 5, workers 15"),
        ("VOXLOOP_STATEMENT_SECONDS", "Longest statement", "web 60, workers no limit"),
        ("VOXLOOP_POSTGRES_TOOLS", "Folder of pg_dump and pg_restore", "those that match the server"),
    ),
    "Reached from": (
        ("VOXLOOP_HOSTS", "Names that the pages answer to", "localhost, 127.0.0.1, [::1]"),
        ("VOXLOOP_ORIGINS", "Origins that forms may come from", "none"),
        ("VOXLOOP_DICOMWEB_ORIGINS", "Origins of viewers that may read DICOMweb", "none"),
        ("VOXLOOP_HTTPS", "Behind TLS", "0"),
        ("VOXLOOP_PROXIES", "Proxies in front", "0"),
        ("VOXLOOP_RATE_FACTOR", "Multiplies the rate limits", "1"),
        ("VOXLOOP_MAX_UPLOAD_MB", "Largest upload, MB", "2048"),
        ("VOXLOOP_METRICS_TOKEN", "Reads /metrics", "administrators only"),
    ),
    "People": (
        ("VOXLOOP_REQUIRE_TOTP", "Roles that must have a second factor", "none"),
        ("VOXLOOP_IDLE_MINUTES", "Minutes without use until a log-in ends", "60"),
        ("VOXLOOP_SIGNATURE_MINUTES", "Minutes that an entered password is enough to sign", "30"),
        ("VOXLOOP_TOKEN_DAYS", "Longest life of an API token, days", "30"),
        ("VOXLOOP_OFFLINE_DAYS", "Days that scans may be kept in a browser", "7"),
        ("VOXLOOP_CONTACT", "Whom to ask, on the log-in page", "an administrator"),
        ("VOXLOOP_TIME_ZONE", "Time zone of people whose browser has told none", "UTC"),
    ),
    "Proof": (
        ("VOXLOOP_SECRET_KEY", "Signs log-ins, seals pseudonyms", "a new one at each start"),
        ("VOXLOOP_OLD_SECRET_KEYS", "Secrets from before a change", "none"),
        ("VOXLOOP_AUDIT_KEY", "Seals the audit log", "the secret key"),
        ("VOXLOOP_SIGNING_KEY", "File of the key that signs releases", "not signed"),
        ("VOXLOOP_ANCHORS", "Further locations of audit anchors", "none"),
        ("VOXLOOP_MAIL", "Mail server of anchors and notices", "none"),
        ("VOXLOOP_MAIL_FROM", "Sender of those mails", "voxloop@localhost"),
        ("VOXLOOP_BACKUP_PASSPHRASE", "Encrypts the secrets of a back-up", "a prompt, or no secrets"),
    ),
    "Models": (
        ("VOXLOOP_GATE", "Limits by which a new model is judged", "those of docs/gate.md"),
        ("VOXLOOP_TRAIN_STEPS", "Steps of a training", "as its profile says"),
        ("VOXLOOP_TRAIN_THREADS", "Processor threads of a training", "2"),
        ("VOXLOOP_TRAIN_PROCESSES", "Processes of a training, one for each GPU", "1"),
        ("VOXLOOP_TRAIN_MEMORY_GB", "Most memory of a training, GB", "0: no limit"),
        ("VOXLOOP_PREPARED_GB", "Disk for scans kept prepared, GB", "20"),
        ("VOXLOOP_INTERACTIVE_URL", "Server that proposes masks", "off"),
        ("VOXLOOP_INTERACTIVE_NAME", "Its name", "Interactive model"),
        ("VOXLOOP_INTERACTIVE_LICENCE", "Its licence", "none"),
        ("VOXLOOP_INTERACTIVE_SECONDS", "How long to wait for it", "20"),
        ("VOXLOOP_PULSE_SECONDS", "How often a worker proves that it takes work", "10"),
    ),
    "Development": (("VOXLOOP_DEBUG", "Shows faults to everybody", "0"),),
}
# `name:password@` of an address, and every value behind its `?` that could be a key.
LOGS_IN = re.compile(r"(?<=://)[^/@\s]*@")
KEYS = re.compile(r"([?&][^=&\s]*(?:key|secret|token|password|sig)[^=&\s]*=)[^&\s]*", re.IGNORECASE)


@dataclass(frozen=True)
class Described:
    """A setting; `value` is what holds, `is_set` whether it comes from the environment or is the default."""

    name: str
    meaning: str
    value: str
    is_set: bool


def describe_settings(environment: Mapping[str, str] = os.environ) -> dict[str, list[Described]]:
    """Every setting by subject, as the web process has it."""
    return {
        subject: [
            Described(
                name,
                meaning,
                _value(name, environment[name]) if environment.get(name) else default,
                bool(environment.get(name)),
            )
            for name, meaning, default in rows
        ]
        for subject, rows in DESCRIBED.items()
    }


def _value(name: str, text: str) -> str:
    if name in SECRET:
        return "set, not shown"
    return KEYS.sub(r"\1…", LOGS_IN.sub("…@", text))
