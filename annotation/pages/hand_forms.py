"""The form of a batch of scans that were selected by hand."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms

from annotation.pages.form_fields import offer_choices
from annotation.pages.forms import BatchForm
from annotation.work.models import Campaign
from voxloop.accounts.models import User


class HandForm(BatchForm):
    """A new batch of selected scans: for whom, until when. The scans travel in the form."""

    scans = forms.MultipleChoiceField(
        widget=forms.MultipleHiddenInput, error_messages={"required": "Select at least one scan."}
    )

    def __init__(self, *args: Any, campaign: Campaign, scans: Sequence[UUID], actor: User, **more: Any) -> None:
        super().__init__(*args, campaign=campaign, free=len(scans), actor=actor, **more)
        for name in ("size", "chosen_by"):
            del self.fields[name]
        self.fields["publish"].help_text = ""
        ids = [str(scan) for scan in scans]
        offer_choices(self, "scans", [(one, one) for one in ids])
        self.fields["scans"].initial = ids
