"""Receivers of allauth's signals: a password or a factor changed, or somebody logged in."""

from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.account.signals import password_changed
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver

from voxloop.accounts.middleware import PASSED
from voxloop.accounts.models import User
from voxloop.accounts.second_factor import FACTORS
from voxloop.accounts.sessions import begin_session, end_sessions
from voxloop.accounts.signals import account_changed


@receiver(user_logged_in)
def logged_in(sender: Any, request: Any, user: User, **_: Any) -> None:
    if hasattr(request, "session"):
        begin_session(request, user)


@receiver(password_changed)
def changed_password(sender: Any, request: Any, user: User, **_: Any) -> None:
    """End the log-ins elsewhere; this one stays. `TokensEnd` has ended the tokens already."""
    if user.must_change_password:
        user.must_change_password = False
        user.save(update_fields=["must_change_password"])
    account_changed.send(sender=__name__, person=user, action="person.password_changed")
    end_sessions(user=user, but=request.session.session_key, why="the password changed")


@receiver(authenticator_added)
def added(sender: Any, request: Any, user: User, authenticator: Authenticator, **_: Any) -> None:
    """End log-ins elsewhere, which have not passed the new factor; this one has."""
    _tell(user, "person.factor_added", authenticator)
    if authenticator.type in FACTORS:
        record_authentication(request, user, method="mfa", type=authenticator.type, id=authenticator.pk)
        end_sessions(user=user, but=request.session.session_key, why="a second factor was added")


@receiver(authenticator_removed)
def removed(sender: Any, request: Any, user: User, authenticator: Authenticator, **_: Any) -> None:
    request.session.pop(PASSED, None)
    _tell(user, "person.factor_removed", authenticator)
    if authenticator.type in FACTORS:
        end_sessions(user=user, but=request.session.session_key, why="a second factor was removed")


@receiver(authenticator_reset)
def reset(sender: Any, request: Any, user: User, authenticator: Authenticator, **_: Any) -> None:
    _tell(user, "person.recovery_codes_made", authenticator)


def _tell(person: User, action: str, authenticator: Authenticator) -> None:
    facts = {"kind": authenticator.type}
    if authenticator.type == Authenticator.Type.WEBAUTHN:
        facts["name"] = str(authenticator)
    account_changed.send(sender=__name__, person=person, action=action, new=facts)
