"""The page behind a link by which a person chooses their password. Open to whoever has the link."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from annotation.pages.sending import save
from voxloop.accounts.links import choose_password, find_person
from voxloop.accounts.models import User
from voxloop.kernel.errors import CODE_HEADER, Gone


class ChosenForm(forms.Form):
    """The new password, twice."""

    password = forms.CharField(
        label="New password",
        max_length=256,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 12 characters; not your name, nothing common.",
    )
    again = forms.CharField(
        label="The same again", max_length=256, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )

    def clean_again(self) -> str:
        again = str(self.cleaned_data["again"])
        if "password" in self.cleaned_data and again != self.cleaned_data["password"]:
            raise ValidationError("The two are not the same.")
        return again


@login_not_required
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def password_link(request: HttpRequest, key: str, token: str) -> HttpResponse:
    """Choose the password, and go to the log-in."""
    form = ChosenForm(request.POST or None)
    try:
        person = find_person(key, token)

        def choose() -> User:
            return choose_password(key=key, token=token, password=form.cleaned_data["password"])

        if request.method == "POST" and form.is_valid() and save(form, choose) is not None:
            messages.success(request, "Your password is set. Log in with it.")
            return redirect("account_login")
    except Gone as gone:
        answer = render(request, "account/link_ended.html", {"sentence": gone.detail}, status=410)
        answer[CODE_HEADER] = gone.code
        return answer
    told = {"form": form, "person": person}
    answer = render(request, "account/password_link.html", told, status=422 if form.errors else 200)
    answer["Cache-Control"] = "no-store"
    answer["Referrer-Policy"] = "no-referrer"  # the address is the key
    return answer
