"""Make people, change what they are, and confirm that the one at the keyboard is the one who logged in."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY, authenticate
from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from knox.models import AuthToken

from voxloop.accounts.models import User
from voxloop.accounts.signals import token_issued
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Forbidden, Invalid

SIGNED_AT = "signed_at"


def create_person(*, username: str, password: str, actor: Any, is_administrator: bool = False, email: str = "") -> User:
    """Make an account; the caller writes it down. Raises Conflict for a taken name, Invalid for a weak password."""
    if User.objects.filter(username__iexact=username).exists():
        raise Conflict(f"There is already a person called {username}.", code="name_taken")
    person = User(username=username, email=email, is_administrator=is_administrator)
    try:
        validate_password(password, person)
        person.set_password(password)
        person.full_clean(exclude=["password"])
    except ValidationError as error:
        raise Invalid(" ".join(error.messages), code="bad_person") from error
    with transaction.atomic():
        person.save()
    return person


def confirm_signature(*, request: HttpRequest, password: str | None) -> datetime:
    """When the password was last entered; enters it now when one is given.

    An approval is a signature: it needs the password itself, at most `SIGNATURE_LASTS` ago. Raises Forbidden
    with code `signature_required` or `wrong_password`.
    """
    if password:
        if authenticate(request, username=request.user.get_username(), password=password) is None:
            raise Forbidden("That is not your password; nothing was signed.", code="wrong_password")
        return mark_signed(request)
    if request.session.session_key and (stored := request.session.get(SIGNED_AT)):
        signed_at = datetime.fromisoformat(stored)
        if now() - signed_at <= settings.SIGNATURE_LASTS:
            return signed_at
    raise Forbidden("Enter your password to sign this verdict.", code="signature_required")


def mark_signed(request: HttpRequest) -> datetime:
    """Remember in the session that the password was entered now."""
    moment = now()
    if request.session.session_key:
        request.session[SIGNED_AT] = moment.isoformat()
    return moment


def issue_token(*, user: User) -> str:
    """Make an API token for a person who has just entered the password; it is told once and stored hashed."""
    _instance, token = AuthToken.objects.create(user=user)
    token_issued.send(sender=type(user), user=user)
    return str(token)


def revoke_token(*, user: User, token_key: str) -> bool:
    """Make one of a person's tokens useless; whether there was one."""
    if not token_key:
        return False
    deleted, _ = AuthToken.objects.filter(user=user, token_key=token_key).delete()
    return bool(deleted)


def set_theme(*, user: User, theme: str) -> None:
    """Remember how the pages look to a person."""
    known = [value for value, _ in User._meta.get_field("theme").choices or []]
    if theme not in known:
        raise Invalid(f"There is no theme {theme!r}; {', '.join(known)} are.", code="bad_theme")
    user.theme = theme
    user.save(update_fields=["theme"])


@transaction.atomic
def deactivate_person(*, person: User, actor: Any) -> User:
    """Close a person's log-in: no password, session or token works from now on; the caller writes it down.

    Raises Conflict: `last_administrator` (somebody must be able to let others in), `own_account`, `already_so`.
    """
    # One after the other: two administrators who close each other's account at once must not both succeed.
    keepers = list(User.objects.select_for_update().filter(is_administrator=True, is_active=True).order_by("pk"))
    row = User.objects.select_for_update().get(pk=person.pk)
    if not row.is_active:
        raise Conflict(f"The account of {row} is closed already.", code="already_so")
    if getattr(actor, "pk", None) == row.pk:
        raise Conflict("Another administrator must close your account.", code="own_account")
    if row.is_administrator and len(keepers) < 2:
        raise Conflict(
            f"{row} is the last administrator; make another one before you close this account.",
            code="last_administrator",
        )
    row.is_active = False
    row.save(update_fields=["is_active"])
    end_sessions(person=row)
    return row


@transaction.atomic
def reactivate_person(*, person: User) -> User:
    """Open a closed log-in again, with its old password; the caller writes it down. Raises Conflict (`already_so`)."""
    row = User.objects.select_for_update().get(pk=person.pk)
    if row.is_active:
        raise Conflict(f"The account of {row} is open already.", code="already_so")
    row.is_active = True
    row.save(update_fields=["is_active"])
    return row


def end_sessions(*, person: User) -> int:
    """End every session and token of a person; answers how many there were."""
    ended, _ = AuthToken.objects.filter(user=person).delete()
    for session in Session.objects.filter(expire_date__gt=now()):
        if session.get_decoded().get(SESSION_KEY) == str(person.pk):
            session.delete()
            ended += 1
    return int(ended)
