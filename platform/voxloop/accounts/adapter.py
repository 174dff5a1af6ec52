"""Adapters of allauth: no public sign-up, and our own messages."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import AbstractBaseUser


class InvitedOnly(DefaultAccountAdapter):
    """Accounts are made by an administrator."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": "Name or password is not correct. Five failures lock the name for 15 minutes.",
    }

    def is_open_for_signup(self, request: Any) -> bool:
        return False


class NamedPasskeys(DefaultMFAAdapter):
    """Names new passkeys `Passkey 1`, `Passkey 2`, …."""

    def generate_authenticator_name(self, user: AbstractBaseUser, type: Authenticator.Type) -> str:
        count = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return f"Passkey {count + 1}" if count else "Passkey"
