"""API tokens: made, listed, ended.

A token is told once and stored hashed. It ends by its date, by hand, with any new password (`TokensEnd` below, asked by
Django whichever door the password came through), with a role or a site that is taken away, and with the account. It
acts with the roles its person has at the moment: a role that is given later is had by tokens of before, too.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from voxloop.accounts.models import ApiToken, Scope, User
from voxloop.accounts.signals import account_changed
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Invalid

LAST_USE_EVERY = timedelta(minutes=1)


@transaction.atomic
def issue_token(
    *, user: User, name: str = "", scopes: Iterable[str] = tuple(Scope.values), days: int | None = None
) -> tuple[ApiToken, str]:
    """Make a token for a person who has just proved who they are; answers it and its text, which is told once.

    `days` until it ends, at most `VOXLOOP_TOKEN_DAYS`. Raises Invalid (`bad_token`), Conflict (`too_many_tokens`).
    """
    wanted = sorted(set(scopes), key=Scope.values.index) if set(scopes) <= set(Scope.values) else []
    longest = settings.REST_KNOX["TOKEN_TTL"]
    if not wanted:
        raise Invalid(f"A token needs one scope or more of {', '.join(Scope.values)}.", code="bad_token")
    if days is not None and not 1 <= days <= longest.days:
        raise Invalid(f"A token lasts 1 to {longest.days} days.", code="bad_token")
    if len(name) > 60 or "\x00" in name:
        raise Invalid("The name of a token has at most 60 signs.", code="bad_token")
    User.objects.select_for_update().get(pk=user.pk)  # two at once would pass the limit
    ApiToken.objects.filter(user=user, expiry__lte=now()).delete()
    if ApiToken.objects.filter(user=user).count() >= settings.REST_KNOX["TOKEN_LIMIT_PER_USER"]:
        raise Conflict("You have ten tokens; end one on your account's page first.", code="too_many_tokens")
    token, text = ApiToken.objects.create(
        user=user, name=name, scopes=wanted, expiry=timedelta(days=days) if days is not None else longest
    )
    _tell(user, "person.token_issued", new=_facts(token))
    return token, str(text)


@transaction.atomic
def end_token(*, token: ApiToken, actor: User) -> None:
    """Make one token useless."""
    facts = _facts(token)
    token.delete()
    _tell(token.user, "person.token_ended", actor=actor, old=facts)


@transaction.atomic
def end_tokens(*, user: User, actor: Any = None, why: str) -> int:
    """Make all of a person's tokens useless; answers how many there were."""
    rows = list(ApiToken.objects.filter(user=user).select_for_update())
    if rows:
        ApiToken.objects.filter(pk__in=[row.pk for row in rows]).delete()
        _tell(user, "person.tokens_ended", actor=actor, old={"tokens": [_facts(row) for row in rows]}, why=why)
    return len(rows)


def find_own_token(user: User, token_key: str) -> ApiToken | None:
    """One of a person's tokens by the signs it begins with."""
    return ApiToken.objects.filter(user=user, token_key=token_key).first() if token_key else None


def note_use(token: ApiToken) -> None:
    """Remember that the token was used now; written at most once a minute."""
    moment = now()
    if token.last_used_at is None or moment - token.last_used_at > LAST_USE_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=moment)


class TokensEnd:
    """A "password validator" that refuses nothing: Django tells it of every new password that was saved."""

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        """Any password is fine here."""

    def password_changed(self, password: str, user: User) -> None:
        """End what the old password opened."""
        end_tokens(user=user, why="the password changed")

    def get_help_text(self) -> str:
        """Nothing to add to the rules that the page tells."""
        return ""


def _facts(token: ApiToken) -> dict[str, Any]:
    return {"begins_with": token.token_key[:6], "name": token.name, "scopes": token.scopes}


def _tell(person: User, action: str, **facts: Any) -> None:
    account_changed.send(sender=__name__, person=person, action=action, **facts)
