"""Forms of releases and their exports."""

from typing import Any

from django import forms
from django.conf import settings

from annotation.datasets.exporters.choices import CHOICES
from annotation.pages.form_fields import offer_choices
from annotation.pages.forms import DayInput


class ReleaseForm(forms.Form):
    """A new release."""

    name = forms.CharField(label="Name", max_length=64, help_text="For example 2026.11; unique in the campaign.")
    licence = forms.CharField(label="Licence", max_length=120, required=False, help_text="For example CC BY 4.0.")
    sites = forms.MultipleChoiceField(
        label="Sites",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None ticked: every site of yours.",
    )
    approved_from = forms.DateField(label="Approved from", required=False, widget=DayInput())
    approved_until = forms.DateField(label="Approved until", required=False, widget=DayInput())
    notes = forms.CharField(
        label="Notes",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="They travel with the release.",
    )

    def __init__(self, *args: Any, sites: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        offer_choices(self, "sites", [(site.code, f"{site.code}: {site.name}") for site in sites])


class ExportForm(forms.Form):
    """Where a frozen release is written to."""

    destination = forms.ChoiceField(label="Where to", required=False)
    formats = forms.MultipleChoiceField(
        label="Besides NIfTI and DICOM SEG",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[(choice.key, f"{choice.title}: {choice.about}") for choice in CHOICES],
    )

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        choices = [
            ("", "The server's export folder"),
            *((bucket, bucket) for bucket in settings.EXPORT_BUCKETS),
        ]
        offer_choices(self, "destination", choices)
