"""Forms of allauth that use our own check of codes and count of failures."""

from typing import Any

from allauth.account.forms import ChangePasswordForm
from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError

from voxloop.accounts.second_factor import check_code
from voxloop.kernel.errors import Forbidden


class _Checked:
    """Refuses what `check_code` refuses: five wrong codes lock the name, and no code works twice."""

    user: Any
    cleaned_data: dict[str, Any]

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"])
        try:
            self.authenticator = check_code(request=context.request, user=self.user, code=code)
        except Forbidden as refusal:
            raise ValidationError(refusal.detail, code=refusal.code) from refusal
        return code


class CodeForm(_Checked, AuthenticateForm):
    """The second step of a log-in."""


class ConfirmCodeForm(_Checked, ReauthenticateForm):
    """Confirming that it is still the same person."""


class _Proved:
    """Turns an invalid or malformed passkey response into a validation error instead of a 500."""

    def clean_credential(self) -> Authenticator:
        try:
            return super().clean_credential()  # type: ignore[misc]  # a mix-in: the forms beside it have it
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValidationError("That passkey was not taken.", code="wrong_passkey") from error


class PasskeyForm(_Proved, AuthenticateWebAuthnForm):
    """A passkey as the second step of a log-in."""


class ConfirmPasskeyForm(_Proved, ReauthenticateWebAuthnForm):
    """Confirming with a passkey that it is still the same person."""


class LoginPasskeyForm(_Proved, LoginWebAuthnForm):
    """A log-in by passkey alone; it must be a discoverable one that verifies the user (fingerprint, face or PIN)."""


class NewPasskeyForm(AddWebAuthnForm):
    """One more passkey."""

    def clean(self) -> dict[str, Any]:
        try:
            cleaned: dict[str, Any] = super().clean()
            return cleaned
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValidationError("That passkey was not taken.", code="wrong_passkey") from error


class NewPasswordForm(ChangePasswordForm):
    """A change of password that counts a wrong old one: an open session must not allow guessing."""

    def clean_oldpassword(self) -> str:
        typed = str(self.cleaned_data.get("oldpassword", ""))
        if authenticate(context.request, username=self.user.get_username(), password=typed) is None:
            raise ValidationError("That is not your password.", code="wrong_password")
        return typed

    def clean_password1(self) -> str:
        password = str(self.cleaned_data["password1"])
        if self.user.check_password(password):
            raise ValidationError("That is the password you have; choose another.", code="same_password")
        return password
