"""Second factors for test users."""

import time

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value

from voxloop.accounts.models import User


class App:
    """An authenticator app on somebody's phone. Each code is for an unused 30 s step."""

    def __init__(self, user: User) -> None:
        self.secret = generate_totp_secret()
        TOTP.activate(user, self.secret)
        self.recovery_codes = RecoveryCodes.activate(user).get_unused_codes()
        self.user = user
        self._step = int(time.time()) // 30 - 2

    def code(self) -> str:
        """A currently valid code; at most three in a row."""
        self._step = max(self._step + 1, int(time.time()) // 30 - 1)
        return str(format_hotp_value(hotp_value(self.secret, self._step)))

    def wrong_code(self) -> str:
        """A code that is not valid now."""
        now = int(time.time()) // 30
        taken = {hotp_value(self.secret, step) for step in range(now - 5, now + 10)}
        return str(format_hotp_value(next(value for value in range(1_000_000) if value not in taken)))

    def remove(self) -> None:
        """The phone is lost."""
        Authenticator.objects.filter(user=self.user).delete()
