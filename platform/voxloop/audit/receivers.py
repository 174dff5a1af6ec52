"""Write log-ins and changes of accounts into the audit log."""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver

from voxloop.accounts.actors import Actor, SystemActor
from voxloop.accounts.models import User
from voxloop.accounts.services import mark_signed
from voxloop.accounts.signals import account_changed
from voxloop.audit.services import record


@receiver(user_logged_in)
def logged_in(sender: Any, request: Any, user: User, **_: Any) -> None:
    if hasattr(request, "session"):
        mark_signed(request)
    record(actor=user, action="person.logged_in", target=user)


@receiver(user_logged_out)
def logged_out(sender: Any, request: Any, user: User | None, **_: Any) -> None:
    if user is not None:
        record(actor=user, action="person.logged_out", target=user)


@receiver(user_login_failed)
def login_failed(sender: Any, credentials: dict[str, Any], **_: Any) -> None:
    name = str(credentials.get("username", ""))[:150]
    person = User.objects.filter(username=name).first()
    if person is not None:  # unknown names are not stored: people type passwords into the name field
        record(actor=SystemActor.NOBODY, action="person.login_failed", target=person)


@receiver(account_changed)
def changed(
    sender: Any,
    person: User,
    action: str,
    actor: Actor | None = None,
    old: Any = None,
    new: Any = None,
    why: str = "",
    **_: Any,
) -> None:
    record(actor=actor or person, action=action, target=person, old=old, new=new, why=why)
