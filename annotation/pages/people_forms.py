"""Forms for people and sites."""

from collections.abc import Iterable
from typing import Any

from django import forms

from annotation.pages.form_fields import offer_choices, offer_rows
from annotation.pages.selectors.people import ROLES
from annotation.scans.models import Site
from annotation.scans.services import SITE_CODE
from annotation.work.models import Campaign, CampaignMember
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role


class SiteForm(forms.Form):
    """A new site."""

    code = forms.RegexField(
        SITE_CODE,
        label="Code",
        max_length=12,
        error_messages={"invalid": "Letters a to z and digits only."},
        help_text="Short, with nothing of the hospital in it: it is part of every scan's code (VX-CODE-0001).",
    )
    name = forms.CharField(label="Name", max_length=120)
    split = forms.ChoiceField(
        label="Side of the split",
        choices=Site.Split.choices,
        help_text="Models learn from training sites, are measured on hold-out sites, and never see test sites."
        " It cannot be changed later.",
    )


class PeopleForm(forms.Form):
    """The filter of the people; empty: everybody."""

    q = forms.CharField(label="Name", required=False, max_length=64, widget=forms.TextInput(attrs={"type": "search"}))
    role = forms.ChoiceField(label="Role", required=False)
    site = forms.ChoiceField(label="Site", required=False)
    state = forms.ChoiceField(
        label="State",
        required=False,
        choices=[
            ("", "Any"),
            ("active", "Active"),
            ("paused", "Paused in a campaign"),
            ("off", "Switched off"),
            ("never", "Never logged in"),
        ],
    )

    def __init__(self, data: Any, *, sites: Iterable[Site]) -> None:
        super().__init__(data)
        offer_choices(self, "role", [("", "Any"), *ROLES])
        offer_choices(self, "site", [("", "Any"), *((site.code, f"{site.code}, {site.name}") for site in sites)])


class PersonForm(forms.Form):
    """Roles in each campaign and sites of a person; the account itself when it is new."""

    def __init__(self, *args: Any, campaigns: Any, sites: Any, person: User | None = None, **more: Any) -> None:
        super().__init__(*args, **more)
        self.campaigns = list(campaigns)
        held: dict[Any, list[str]] = {}
        if person is None:
            self.fields["username"] = forms.CharField(label="Name", max_length=150)
            self.fields["password"] = forms.CharField(
                label="First password",
                required=False,
                widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
                help_text="Empty: you get a link by which the person chooses it. Otherwise at least 12 characters, "
                "to be changed at the first log-in.",
            )
            self.fields["is_administrator"] = forms.BooleanField(
                label="Administrator",
                required=False,
                help_text="Invites people and grants roles; may not label or judge.",
            )
        else:
            self.fields["password"] = forms.CharField(
                label="New password",
                required=False,
                widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
                help_text="Only when the old one is lost: at least 12 characters. It ends log-ins and tokens, and must "
                "be changed at the next log-in. Empty: it stays as it is.",
            )
            for campaign, role in CampaignMember.objects.filter(user=person).values_list("campaign", "role"):
                held.setdefault(campaign, []).append(role)
        for campaign in self.campaigns:
            self.fields[f"roles_{campaign.pk}"] = forms.MultipleChoiceField(
                label=f"Roles in {campaign.name}",
                choices=Role.choices,
                required=False,
                widget=forms.CheckboxSelectMultiple,
                initial=held.get(campaign.pk, []),
            )
        self.fields["sites"] = forms.ModelMultipleChoiceField(
            label="Sites",
            queryset=sites,
            required=False,
            widget=forms.CheckboxSelectMultiple,
            initial=Site.objects.filter(memberships__user=person) if person else None,
            help_text="Without a site nothing of it is visible.",
        )
        offer_rows(self, "sites", sites, lambda site: f"{site.code}: {site.name}")

    def roles(self) -> list[tuple[Campaign, list[str]]]:
        """The wanted roles of each campaign."""
        return [(campaign, self.cleaned_data[f"roles_{campaign.pk}"]) for campaign in self.campaigns]
