"""The second factor: who must have one, who has one, and the only check of codes.

Used by the log-in and confirmation pages (through `voxloop.accounts.forms`), the token route and signatures. A wrong
code is counted like a wrong password, so that five of either lock the name."""

from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.mfa.utils import decrypt
from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib.auth.signals import user_login_failed
from django.db import transaction
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from voxloop.accounts.models import User
from voxloop.kernel.errors import Forbidden

FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)  # recovery codes alone do not count
ADMINISTRATOR = "administrator"  # value in VOXLOOP_REQUIRE_TOTP for the person's own flag; not a role in a campaign


def has_second_factor(user: User) -> bool:
    """Whether the account has an authenticator app or a passkey."""
    return bool(Authenticator.objects.filter(user=user, type__in=FACTORS).exists())


def is_bound_to_have_one(user: User) -> bool:
    """Whether `VOXLOOP_REQUIRE_TOTP` names a role that the person has in any campaign."""
    named = settings.REQUIRE_TOTP
    if not named:
        return False
    if user.is_administrator and ADMINISTRATOR in named:
        return True
    return bool(user.memberships.filter(role__in=named).exists())


def require_set_up(user: User) -> bool:
    """Whether the person must have a second factor, and has one.

    Raises Forbidden (`second_factor_setup_required`) when they must and have none.
    """
    if not is_bound_to_have_one(user):
        return False
    if not has_second_factor(user):
        raise Forbidden(
            "Your role needs a second factor: log in on the pages and set one up, then try again.",
            code="second_factor_setup_required",
        )
    return True


def has_passed(request: HttpRequest, user: User) -> bool:
    """Whether this session was opened with the second factor. A token has no session: it has not."""
    return any(row.get("method") == "mfa" for row in get_authentication_records(request, user))


def require_code(*, request: HttpRequest, user: User, code: str | None) -> None:
    """Check the code of an account that has a second factor; call it after the password was checked.

    Raises Forbidden with `second_factor_setup_required`, `second_factor_required` (no code was sent) or `wrong_code`.
    """
    require_set_up(user)
    if not has_second_factor(user):
        return
    if not code:
        raise Forbidden(
            "This account has a second factor: send the authenticator's code, or a recovery code, as `code`.",
            code="second_factor_required",
        )
    check_code(request=request, user=user, code=code)


def check_code(*, request: HttpRequest, user: User, code: str) -> Authenticator:
    """The authenticator that accepts this code. A code works once, across all processes.

    Raises Forbidden: `locked_out` after five failures, else `wrong_code`, which is counted.
    """
    credentials = {"username": user.get_username()}
    if not AxesProxyHandler.is_allowed(request, credentials):
        vars(request)["axes_locked_out"] = True  # required by the middleware of axes
        raise Forbidden(
            "This name is locked for 15 minutes after 5 failures; wait, or ask an administrator.", code="locked_out"
        )
    found = _take(user, "".join(code.split()))
    if found is None:
        user_login_failed.send(sender=__name__, credentials=credentials, request=request)
        raise Forbidden("The code is wrong or was used already; wait for the next one.", code="wrong_code")
    return found


@transaction.atomic
def _take(user: User, code: str) -> Authenticator | None:
    rows: Any = Authenticator.objects.select_for_update().filter(user=user).exclude(type=Authenticator.Type.WEBAUTHN)
    for row in rows.order_by("type"):
        if row.type == Authenticator.Type.TOTP:
            step = _step_of(decrypt(row.data["secret"]), code)
            if step is not None and step > row.data.get("used_step", 0):
                row.data["used_step"] = step
                row.save(update_fields=["data"])
                return row
        elif row.wrap().validate_code(code):
            return row
    return None


def _step_of(secret: str, code: str) -> int | None:
    """The 30 s step of this code, among those accepted now (RFC 6238); None for a wrong code."""
    step: int
    for step in yield_hotp_counters_from_time():
        if constant_time_compare(format_hotp_value(hotp_value(secret, step)), code):
            return step
    return None
