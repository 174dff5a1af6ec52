"""The keys that stored data depends on: their fingerprints, and whether they have changed."""

import hashlib
import hmac

from django.conf import settings

SECRET, AUDIT = "VOXLOOP_SECRET_KEY", "VOXLOOP_AUDIT_KEY"
RELIES_ON = {
    SECRET: "log-ins and links are signed with it",
    AUDIT: "the audit log is sealed with it",
}


def keys_in_use() -> dict[str, str]:
    """Every key that must stay as it is, by the name of its variable."""
    return dict(settings.KEPT_KEYS)


def print_of(name: str, key: str) -> str:
    """A fingerprint that detects a changed key without revealing it."""
    return hmac.new(key.encode(), f"voxloop key print: {name}".encode(), hashlib.sha256).hexdigest()[:32]


def describe_change(name: str) -> str:
    """One sentence for a key that is not the one this database was written with."""
    reason = RELIES_ON.get(name, "what is stored relies on it")
    mend = "set it to the value it had (a back-up holds it: manage.py restore, or secrets.json of the state folder)"
    if name == SECRET:
        mend += ", or run manage.py change_secret_key if the change is meant"
    if name not in settings.KEYS_GIVEN:
        return f"{name} is not set, but this installation has one, and {reason}: {mend}."
    return f"{name} is not the one this installation was made with, and {reason}: {mend}."
