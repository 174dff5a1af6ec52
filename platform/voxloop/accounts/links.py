"""Links by which a person chooses their own password: at the first log-in, or when the old one is lost.

A link works once, and for `PASSWORD_RESET_TIMEOUT`: it carries a hash over the password and the last log-in, so that
both end it. An administrator gives it to the person; nothing is sent."""

from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from voxloop.accounts.models import User
from voxloop.accounts.services import end_access
from voxloop.accounts.signals import account_changed
from voxloop.kernel.errors import Conflict, Forbidden, Gone, Invalid

ENDED = "This link has ended: it works once, for three days. Ask an administrator for another one."


class _Links(PasswordResetTokenGenerator):
    key_salt = "voxloop.accounts.links"


_links = _Links()


@transaction.atomic
def make_link(*, person: User, actor: User) -> str:
    """The path of a new link; whoever has it can set the person's password, so it is shown once and never stored.

    Administrators only, and not for themselves. Raises Forbidden (`own_password`), Conflict for a closed account."""
    if not actor.is_administrator:
        raise Forbidden("Only an administrator may do this to another person's account.")
    if person == actor:
        raise Forbidden("Change your own password on your account's page.", code="own_password")
    if not person.is_active:
        raise Conflict(f"The account of {person} is closed; open it first.", code="account_closed")
    account_changed.send(sender=__name__, person=person, action="person.link_made", actor=actor)
    key = urlsafe_base64_encode(str(person.pk).encode())
    return reverse("password_link", args=[key, _links.make_token(person)])


def find_person(key: str, token: str) -> User:
    """Whose link this is. Raises Gone for one that was used, is too old, or was never made."""
    try:
        person = User.objects.filter(pk=urlsafe_base64_decode(key).decode(), is_active=True).first()
    except (ValueError, ValidationError):
        person = None
    if person is None or not _links.check_token(person, token):
        raise Gone(ENDED, code="link_ended")
    return person


@transaction.atomic
def choose_password(*, key: str, token: str, password: str) -> User:
    """Set the password of the link's person and end their log-ins and tokens; a second factor stays. Raises Gone for a
    link that has ended, Invalid for a weak password."""
    found = find_person(key, token)
    # Locked and looked at again: of two requests with the same link, one sets the password.
    User.objects.select_for_update().get(pk=found.pk)
    person = find_person(key, token)
    try:
        validate_password(password, person)
    except ValidationError as error:
        raise Invalid(" ".join(error.messages), code="bad_person", field="password") from error
    person.set_password(password)
    person.must_change_password = False
    person.save(update_fields=["password", "must_change_password"])
    end_access(person=person, actor=person, why="a new password was chosen by a link")
    account_changed.send(sender=__name__, person=person, action="person.password_chosen")
    return person
