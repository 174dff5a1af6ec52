"""Second factors for people of the tests."""

import time

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value

from voxloop.accounts.models import User


class App:
    """An authenticator app on somebody's phone. Each code it gives is for a step of 30 s that gave none before."""

    def __init__(self, user: User) -> None:
        self.secret = generate_totp_secret()
        TOTP.activate(user, self.secret)
        self.recovery_codes = RecoveryCodes.activate(user).get_unused_codes()
        self.user = user
        self._step = int(time.time()) // 30 - 2

    def code(self) -> str:
        """A code that counts now; three in a row can be had."""
        self._step = max(self._step + 1, int(time.time()) // 30 - 1)
        return format_hotp_value(hotp_value(self.secret, self._step))

    def wrong_code(self) -> str:
        """A code that no step around now has."""
        now = int(time.time()) // 30
        taken = {hotp_value(self.secret, step) for step in range(now - 5, now + 10)}
        return format_hotp_value(next(value for value in range(1_000_000) if value not in taken))

    def remove(self) -> None:
        """The phone is lost."""
        Authenticator.objects.filter(user=self.user).delete()
