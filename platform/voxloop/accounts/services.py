"""Create, change and close accounts; re-confirm the password or code of who is logged in."""

from datetime import datetime, timedelta
from typing import cast

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest

from voxloop.accounts.actors import Actor
from voxloop.accounts.models import User
from voxloop.accounts.second_factor import has_passed, require_code, require_set_up
from voxloop.accounts.sessions import end_sessions
from voxloop.accounts.signals import account_changed
from voxloop.accounts.tokens import end_tokens
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Forbidden, Invalid

SIGNED_AT = "signed_at"


def create_person(
    *,
    username: str,
    password: str,
    actor: Actor,
    is_administrator: bool = False,
    email: str = "",
    must_change_password: bool = False,
) -> User:
    """Create an account; the caller writes the audit entry. Raises Conflict for a taken name, Invalid for a weak
    password."""
    if User.objects.filter(username__iexact=username).exists():
        raise Conflict(f"There is already a person called {username}.", code="name_taken")
    person = User(
        username=username,
        email=email,
        is_administrator=is_administrator,
        must_change_password=must_change_password,
    )
    try:
        validate_password(password, person)
    except ValidationError as error:
        raise Invalid(" ".join(error.messages), code="bad_person", field="password") from error
    person.set_password(password)
    try:
        person.full_clean(exclude=["password"])
    except ValidationError as error:
        raise Invalid(" ".join(error.messages), code="bad_person", field="username") from error
    with transaction.atomic():
        person.save()
    return person


def confirm_signature(
    *, request: HttpRequest, password: str | None, code: str | None = None, lasts: timedelta | None = None
) -> datetime:
    """When the password was last entered; a given password is checked and counts as entered now.

    An approval is a signature: it needs the password, entered at most `lasts` ago (`SIGNATURE_LASTS` without it;
    `timedelta.max`: the log-in is enough, `timedelta(0)`: it is asked for every time), and a code where the account has
    a second factor that this session did not pass (a token has no session). Raises Forbidden with code
    `signature_required` or `wrong_password`, or as `require_code` does."""
    person = cast(User, request.user)
    require_set_up(person)
    if password:
        if authenticate(request, username=person.get_username(), password=password) is None:
            raise Forbidden("That is not your password; nothing was changed.", code="wrong_password")
        if not has_passed(request, person):
            require_code(request=request, user=person, code=code)
        return mark_signed(request)
    if request.session.session_key and (stored := request.session.get(SIGNED_AT)):
        signed_at = datetime.fromisoformat(stored)
        if now() - signed_at <= (settings.SIGNATURE_LASTS if lasts is None else lasts):
            return signed_at
    raise Forbidden("Enter your password to sign this verdict.", code="signature_required")


def mark_signed(request: HttpRequest) -> datetime:
    """Remember in the session that the password was entered now."""
    moment = now()
    if request.session.session_key:
        request.session[SIGNED_AT] = moment.isoformat()
    return moment


@transaction.atomic
def set_password(*, person: User, password: str, actor: User) -> None:
    """Set a new password for a person who lost theirs; they must change it at the next log-in.

    Administrators only. Ends the person's log-ins and tokens; a second factor stays. Raises Invalid for a weak one.
    """
    _only_administrators(actor)
    if person == actor:
        raise Forbidden(
            "Change your own password on your account's page, where the old one is asked for.", code="own_password"
        )
    try:
        validate_password(password, person)
    except ValidationError as error:
        raise Invalid(" ".join(error.messages), code="bad_person", field="password") from error
    person.set_password(password)
    person.must_change_password = True
    person.save(update_fields=["password", "must_change_password"])
    end_access(person=person, actor=actor, why="an administrator set a new password")
    account_changed.send(sender=__name__, person=person, action="person.password_set", actor=actor)


@transaction.atomic
def remove_second_factor(*, person: User, actor: User, why: str) -> None:
    """Remove a lost second factor. Administrators only; never one's own, which the account page does with the factor
    itself. Ends the person's log-ins and tokens. Raises Invalid without a reason."""
    _only_administrators(actor)
    if person == actor:
        raise Forbidden("Another administrator must remove your second factor.", code="own_second_factor")
    if not why.strip():
        raise Invalid("Say why, and how you made sure who asked.", code="reason_required")
    rows = Authenticator.objects.filter(user=person)
    kinds = sorted(set(rows.values_list("type", flat=True)))
    if not kinds:
        raise Conflict(f"{person} has no second factor.", code="no_second_factor")
    rows.delete()
    end_access(person=person, actor=actor, why="an administrator took the second factor off")
    account_changed.send(
        sender=__name__,
        person=person,
        action="person.second_factor_removed",
        actor=actor,
        old={"kinds": kinds},
        why=why,
    )


def end_access(*, person: User, actor: Actor, why: str) -> None:
    """End every log-in and token of a person (deactivated, a new password, a lost second factor)."""
    end_sessions(user=person, actor=actor, why=why)
    end_tokens(user=person, actor=actor, why=why)


def _only_administrators(actor: User) -> None:
    if not actor.is_administrator:
        raise Forbidden("Only an administrator may do this to another person's account.")


def set_theme(*, user: User, theme: str) -> None:
    """Remember how the pages look to a person."""
    known = [value for value, _ in User._meta.get_field("theme").choices or []]
    if theme not in known:
        raise Invalid(f"There is no theme {theme!r}; {', '.join(known)} are.", code="bad_theme")
    user.theme = theme
    user.save(update_fields=["theme"])


@transaction.atomic
def deactivate_person(*, person: User, actor: Actor) -> User:
    """Close an account: no password, session or token works any more; the caller writes the audit entry.

    Raises Conflict: `last_administrator` (somebody must be able to grant access), `own_account`, `already_so`."""
    # Serialised: two administrators who close each other's account at once must not both succeed.
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
    end_access(person=row, actor=actor, why="the account was closed")
    return row


@transaction.atomic
def reactivate_person(*, person: User) -> User:
    """Reopen a closed account with its old password; the caller writes the audit entry. Raises Conflict
    (`already_so`)."""
    row = User.objects.select_for_update().get(pk=person.pk)
    if row.is_active:
        raise Conflict(f"The account of {row} is open already.", code="already_so")
    row.is_active = True
    row.save(update_fields=["is_active"])
    return row
