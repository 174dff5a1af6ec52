"""API tokens: issue, list, end. A token's text is shown once and stored hashed. It ends by its date, by hand, with any
new password (`TokensEnd` below), when a role or a site is taken away, and with the account. It acts with its person's
current roles, including roles granted after it was issued."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from voxloop.accounts.actors import Actor
from voxloop.accounts.models import ApiToken, Scope, User
from voxloop.accounts.signals import account_changed
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Invalid

LAST_USE_EVERY = timedelta(minutes=1)


@transaction.atomic
def issue_token(
    *, user: User, name: str = "", scopes: Iterable[str] = tuple(Scope.values), days: int | None = None
) -> tuple[ApiToken, str]:
    """Issue a token to a person who was just authenticated; returns it and its text, which is shown once. It ends after
    `days`, at most `VOXLOOP_TOKEN_DAYS`. Raises Invalid (`bad_token`), Conflict (`too_many_tokens`)."""
    wanted = sorted(set(scopes), key=Scope.values.index) if set(scopes) <= set(Scope.values) else []
    longest = settings.TOKEN_DAYS
    if not wanted:
        raise Invalid(f"A token needs one scope or more of {', '.join(Scope.values)}.", code="bad_token")
    if days is not None and not 1 <= days <= longest:
        raise Invalid(f"A token lasts 1 to {longest} days.", code="bad_token")
    if len(name) > 60 or "\x00" in name:
        raise Invalid("The name of a token has at most 60 characters.", code="bad_token")
    User.objects.select_for_update().get(pk=user.pk)  # two concurrent requests would exceed the limit
    ApiToken.objects.filter(user=user, expiry__lte=now()).delete()
    if ApiToken.objects.filter(user=user).count() >= settings.REST_KNOX["TOKEN_LIMIT_PER_USER"]:
        raise Conflict("You have ten tokens; end one on your account's page first.", code="too_many_tokens")
    token, text = ApiToken.objects.create(
        user=user, name=name, scopes=wanted, expiry=timedelta(days=longest if days is None else days)
    )
    _tell(user, "person.token_issued", new=_facts(token))
    return token, str(text)


@transaction.atomic
def end_token(*, token: ApiToken, actor: User) -> None:
    """Revoke one token."""
    facts = _facts(token)
    token.delete()
    _tell(token.user, "person.token_ended", actor=actor, old=facts)


@transaction.atomic
def end_tokens(*, user: User, actor: Actor | None = None, why: str) -> int:
    """Revoke all of a person's tokens; returns how many there were."""
    rows = list(ApiToken.objects.filter(user=user).select_for_update())
    if rows:
        ApiToken.objects.filter(pk__in=[row.pk for row in rows]).delete()
        _tell(user, "person.tokens_ended", actor=actor, old={"tokens": [_facts(row) for row in rows]}, why=why)
    return len(rows)


def find_own_token(user: User, token_key: str) -> ApiToken | None:
    """One of a person's tokens by the characters it begins with."""
    return ApiToken.objects.filter(user=user, token_key=token_key).first() if token_key else None


def note_use(token: ApiToken) -> None:
    """Record that the token was used now, at most once a minute."""
    moment = now()
    if token.last_used_at is None or moment - token.last_used_at > LAST_USE_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=moment)


class TokensEnd:
    """A password validator that accepts everything: Django calls `password_changed` on it for every new password."""

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        """Accept any password."""

    def password_changed(self, password: str, user: User) -> None:
        """End the person's tokens."""
        end_tokens(user=user, why="the password changed")

    def get_help_text(self) -> str:
        """No help text."""
        return ""


def _facts(token: ApiToken) -> dict[str, Any]:
    return {"begins_with": token.token_key[:6], "name": token.name, "scopes": token.scopes}


def _tell(person: User, action: str, **facts: Any) -> None:
    account_changed.send(sender=__name__, person=person, action=action, **facts)
