"""What `manage.py check --deploy` says of the keys."""

from typing import Any

from django.conf import settings
from django.core.checks import Error, Tags, register

from voxloop.installation.keys import AUDIT, SECRET


@register(Tags.security, deploy=True)
def keys_are_given(app_configs: Any, **_: Any) -> list[Error]:
    """A key that each process makes up for itself ends log-ins and breaks the audit log's seals."""
    meaning = {
        SECRET: "Without it each process makes up its own: log-ins end with it, and the audit log cannot be verified.",
        AUDIT: "Without it the audit log is sealed with the secret key, which then can never be changed.",
    }
    return [
        Error(
            f"{name} is not set.", hint=f"{meaning[name]} Set it to something long and random.", id=f"voxloop.E{n:03d}"
        )
        for n, name in enumerate((SECRET, AUDIT), start=1)
        if name not in settings.KEYS_GIVEN
    ]
