"""Forms of releases and their exports."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings

from annotation.datasets.exporters.choices import CHOICES
from annotation.datasets.licences import LONGEST
from annotation.pages.form_fields import offer_choices
from annotation.pages.forms import DayInput
from annotation.scans.models import Site

FILTER = {"data-filter": True}
SIDES = [(value, label) for value, label in Site.Split.choices]


class FiltersForm(forms.Form):
    """What a draft takes of the approved scans."""

    sites = forms.MultipleChoiceField(
        label="Sites",
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs=FILTER),
        help_text="None ticked: every site of yours.",
    )
    sides = forms.MultipleChoiceField(
        label="Sides of the split",
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs=FILTER),
        choices=SIDES,
        help_text="None ticked: all three.",
    )
    segments = forms.MultipleChoiceField(
        label="With any of these classes",
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs=FILTER),
        help_text="None ticked: also scans without any mark.",
    )
    approved_from = forms.DateField(label="Approved from", required=False, widget=DayInput(attrs=FILTER))
    approved_until = forms.DateField(label="Approved until", required=False, widget=DayInput(attrs=FILTER))
    thickest_mm = forms.FloatField(
        label="Slices at most, mm",
        required=False,
        min_value=0.01,
        max_value=100,
        widget=forms.NumberInput(attrs={**FILTER, "step": "any"}),
        help_text="Thickness as the scanner told it, else the distance of slices.",
    )
    least_agreement = forms.FloatField(
        label="Agreement at least, Dice",
        required=False,
        min_value=0.01,
        max_value=1,
        widget=forms.NumberInput(attrs={**FILTER, "step": "any"}),
        help_text="Mean over the readings of a scan; leaves out scans that were read once.",
    )

    def __init__(self, *args: Any, sites: Any, segments: Sequence[tuple[str, str]], **more: Any) -> None:
        super().__init__(*args, **more)
        offer_choices(self, "sites", [(site.code, f"{site.code}: {site.name}") for site in sites])
        offer_choices(self, "segments", segments)

    def filters(self) -> dict[str, Any]:
        """The filters of a valid form, as `create_release` takes them."""
        return {name: self.cleaned_data[name] for name in FiltersForm.base_fields if self.cleaned_data[name]}


class ReleaseForm(FiltersForm):
    """A new release."""

    name = forms.CharField(label="Name", max_length=64, help_text="For example 2026.11; unique in the campaign.")
    notes = forms.CharField(
        label="Note to readers",
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="What whoever uses the data should know. It travels in the manifest, the README and the lists.",
    )
    licence = forms.CharField(
        label="Licence",
        max_length=LONGEST,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="An SPDX identifier such as CC-BY-4.0, or the text of an agreement.",
    )
    field_order = ("name", "notes", "licence")

    @property
    def told(self) -> list[forms.BoundField]:
        """What travels with the release."""
        return [self[name] for name in self.field_order or ()]

    @property
    def chosen(self) -> list[forms.BoundField]:
        """What decides which scans it takes."""
        return [self[name] for name in FiltersForm.base_fields]


class ExportForm(forms.Form):
    """Where a frozen release is written to, in which formats, and which part of it."""

    destination = forms.ChoiceField(label="Where to", required=False)
    formats = forms.MultipleChoiceField(
        label="Besides NIfTI and DICOM SEG",
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"data-estimate": True}),
        choices=[(choice.key, f"{choice.title}: {choice.about}") for choice in CHOICES],
    )
    sides = forms.MultipleChoiceField(
        label="Only these sides",
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"data-estimate": True}),
        help_text="None ticked: all of them.",
    )
    sites = forms.MultipleChoiceField(
        label="Only these sites",
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"data-estimate": True}),
        help_text="Ticked, it is a partial export, named as one, in a folder of its own.",
    )

    def __init__(self, *args: Any, sides: Sequence[str] = (), sites: Sequence[str] = (), **more: Any) -> None:
        super().__init__(*args, **more)
        choices = [
            ("", "The server's export folder"),
            *((bucket, bucket) for bucket in settings.EXPORT_BUCKETS),
        ]
        offer_choices(self, "destination", choices)
        offer_choices(self, "sides", [(value, label) for value, label in SIDES if value in sides])
        offer_choices(self, "sites", [(code, code) for code in sites])
