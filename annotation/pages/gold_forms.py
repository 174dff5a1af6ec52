"""Forms of gold scans: which become gold, and how many are hidden in a batch."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms

from annotation.reviews.models import GoldScan
from annotation.work.gold import MOST_ADDED

MOST_AT_ONCE = 20


class MakeGoldForm(forms.Form):
    """The chosen scans, what their reference is made of, and whether newcomers work them."""

    origin = forms.ChoiceField(label="Reference", choices=GoldScan.Origin.choices)
    certifies = forms.BooleanField(label="Put them into the certification set", required=False)
    scans = forms.TypedMultipleChoiceField(coerce=UUID, widget=forms.MultipleHiddenInput, required=False)

    def __init__(self, data: Any = None, *, offered: Sequence[UUID] = ()) -> None:
        super().__init__(data)
        self.auto_id = "gold-%s"
        scans = self.fields["scans"]
        if isinstance(scans, forms.MultipleChoiceField):
            scans.choices = [(str(pk), str(pk)) for pk in offered]


class HideGoldForm(forms.Form):
    """How many gold scans are hidden in a batch."""

    count = forms.IntegerField(
        label="Gold scans",
        min_value=1,
        max_value=MOST_ADDED,
        initial=2,
        help_text="As many free scans come with them, so that what is new in the list does not tell.",
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self.auto_id = "hide-%s"  # the page has other forms
