"""Forms of the administrator: a campaign's settings, a site's name, the filter of the log."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError

from annotation.pages.form_fields import MOST_PLANNED, ShortNameField, offer_choices
from annotation.pages.forms import DayInput
from annotation.pages.policy_words import GROUPS, SHARES, Group, add_defaults
from annotation.scans.models import Site
from annotation.work.campaigns import CHANGEABLE
from annotation.work.models import Campaign, ReviewPolicy, SeenPolicy, SignaturePolicy, TrainStart


class SettingsForm(forms.Form):
    """What may be changed in a campaign; its fields are those of `CHANGEABLE`."""

    name = forms.CharField(label="Name", max_length=120)
    planned_scans = forms.IntegerField(
        label="Planned scans",
        min_value=0,
        max_value=MOST_PLANNED,
        help_text="What the dashboard measures progress against; 0: nothing.",
    )
    planned_until = forms.DateField(
        label="Planned until", required=False, widget=DayInput(), help_text="The day by which all are to be approved."
    )
    batch_size = forms.IntegerField(
        label="Most scans in a batch",
        min_value=1,
        max_value=500,
        help_text="More take longer to come back, fewer are handed out more often.",
    )
    due_days = forms.IntegerField(
        label="Days until a batch is due",
        min_value=0,
        max_value=365,
        help_text="Proposed where a batch is made. 0: no due date is proposed.",
    )
    lease_minutes = forms.IntegerField(
        label="Minutes that an open scan is held",
        min_value=5,
        max_value=1440,
        help_text="Without a sign of work it goes back to the person's list after that time.",
    )
    seen_policy = forms.ChoiceField(
        label="Handed in or approved without a look",
        choices=SeenPolicy.choices,
        help_text="The viewer measures which slices and lesions were looked at.",
    )
    proposed_policy = forms.ChoiceField(
        label="Handed in with undecided lesions of the model",
        choices=SeenPolicy.choices,
        help_text="Proposed lesions that the reader has neither accepted, changed nor dropped.",
    )
    signature_policy = forms.ChoiceField(
        label="An approval asks for the password",
        choices=SignaturePolicy.choices,
        help_text="How sure one can be later that the reviewer, and nobody at the same desk, signed.",
    )
    blank_percent = forms.IntegerField(
        label="Scans that start blank, %",
        min_value=0,
        max_value=100,
        help_text="Of those that have a pre-annotation: the arm without it, to measure what it saves.",
    )
    older_percent = forms.IntegerField(
        label="Scans that start from the model before, %",
        min_value=0,
        max_value=100,
        help_text="By lot, of those with masks of two models: the arm that tells what the newer model saves.",
    )
    repeat_percent = forms.IntegerField(
        label="Second readings in a batch, %",
        min_value=0,
        max_value=50,
        help_text="Approved scans that are read again from blank, to see how far readers agree.",
    )
    overlap_percent = forms.IntegerField(
        label="Scans with several independent readers, %",
        min_value=0,
        max_value=100,
        help_text="Of a batch's new scans, by lot: all their readers begin blank and know nothing of each other.",
    )
    overlap_readers = forms.IntegerField(
        label="Readers of such a scan", min_value=2, max_value=5, help_text="Each reads it whole."
    )
    overlap_low_dice = forms.FloatField(
        label="One more reader below a Dice of",
        min_value=0,
        max_value=1,
        help_text="Where two of its readers agree less; with the most readers there, one person arbitrates. 0: never.",
    )
    overlap_most = forms.IntegerField(
        label="Most readers of a scan", min_value=2, max_value=5, help_text="However little they agree."
    )
    gold_percent = forms.IntegerField(
        label="Gold scans in a batch, %",
        min_value=0,
        max_value=50,
        help_text="Scans with a reference mask, hidden among the others to measure their reader; they start blank.",
    )
    certifies = forms.BooleanField(
        label="Annotators pass a certification first",
        required=False,
        help_text="New work opens for somebody who has passed the certification set; what is begun goes on.",
    )
    certification_dice = forms.FloatField(
        label="Mean Dice to pass",
        min_value=0.01,
        max_value=1,
        help_text="While the panel's own agreement (mean less one SD) is not known.",
    )
    review_policy = forms.ChoiceField(
        label="Review of a new batch",
        choices=ReviewPolicy.choices,
        help_text="A sample, drawn once the batch is handed in, excludes one bad scan in ten with 90 % confidence.",
    )
    planted_percent = forms.IntegerField(
        label="Planted faults in reviews, %",
        min_value=0,
        max_value=20,
        help_text="Approved masks with a fault made by the computer, judged among the others: what reviewers find.",
    )
    retrain_after = forms.IntegerField(
        label="Newly approved masks until a training",
        min_value=1,
        max_value=32767,
        help_text="A training begins by itself when so many have come since the last one.",
    )
    retrain_every_days = forms.IntegerField(
        label="Days until a training with anything new",
        min_value=0,
        max_value=3650,
        help_text="0: not by the calendar.",
    )
    train_start = forms.ChoiceField(
        label="Weights that a training begins with",
        choices=TrainStart.choices,
        help_text="Random ones forget nothing wrongly; those of the serving model need fewer steps.",
    )
    promotes_by_itself = forms.BooleanField(
        label="A model that passes the gate is promoted by itself",
        required=False,
        help_text="Otherwise it waits for a coordinator's decision.",
    )
    guidelines = forms.CharField(
        label="Guidelines", required=False, widget=forms.Textarea(attrs={"rows": 10}), help_text="Markdown."
    )

    certify_again = forms.BooleanField(
        label="Annotators certify again",
        required=False,
        help_text="For changed guidelines: whoever is certified gets new scans once they have passed again; what they "
        "have begun goes on. They are told.",
    )
    certify_why = forms.CharField(
        label="What has changed",
        required=False,
        max_length=300,
        help_text="One sentence; annotators read it where they certify again.",
    )

    def __init__(self, data: Any = None, *, campaign: Campaign) -> None:
        initial = {name: getattr(campaign, name) for name in CHANGEABLE}
        initial |= {f"{name}_percent": round(100 * getattr(campaign, f"{name}_share")) for name in SHARES}
        super().__init__(data, initial=initial)
        add_defaults(self)

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        least, most = found.get("overlap_readers"), found.get("overlap_most")
        if least and most and least > most:
            self.add_error("overlap_most", f"Such a scan has {least} readers from the start; allow {least} or more.")
        if found.get("certify_again") and not found.get("certify_why", "").strip():
            self.add_error("certify_why", "Say what has changed: annotators read it where they certify again.")
        if found.get("certify_again") and not found.get("certifies"):
            self.add_error("certify_again", "There is no certification to pass again; let annotators pass one first.")
        return found

    def groups(self) -> list[tuple[Group, list[forms.BoundField]]]:
        """The fields in the groups of the page."""
        return [(group, [self[name] for name in group.fields]) for group in GROUPS]

    def wanted(self) -> dict[str, Any]:
        """The fields of the campaign."""
        found = {
            name: value for name, value in self.cleaned_data.items() if name not in ("certify_again", "certify_why")
        }
        for name in SHARES:
            percent = found.pop(f"{name}_percent")
            # A share between two whole percents stays as it is unless the percent was changed.
            if percent != self.initial[f"{name}_percent"]:
                found[f"{name}_share"] = percent / 100
        return found


class CloneForm(forms.Form):
    """A campaign made from another one."""

    name = forms.CharField(label="Name", max_length=120)
    slug = ShortNameField()
    members = forms.MultipleChoiceField(
        label="People who come along, with their role",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="They see the new campaign at once. Certifications are passed again where the campaign asks for one.",
    )

    def __init__(self, data: Any = None, *, members: Sequence[tuple[str, str]]) -> None:
        super().__init__(data, initial={"members": [value for value, _ in members]})
        offer_choices(self, "members", members)

    def wanted_members(self) -> list[tuple[UUID, str]]:
        """Person and role of each tick."""
        pairs = (value.split(":", 1) for value in self.cleaned_data["members"])
        return [(UUID(person), role) for person, role in pairs]


class SiteNameForm(forms.Form):
    """What may be changed of a site."""

    name = forms.CharField(label="Name", max_length=120)

    def __init__(self, data: Any = None, *, site: Site) -> None:
        super().__init__(data, initial={"name": site.name})


class LogForm(forms.Form):
    """The filter of the audit log; empty: everything."""

    who = forms.ChoiceField(label="Who", required=False)
    about = forms.ChoiceField(label="About", required=False)
    thing = forms.CharField(label="Scan, batch, person or id", required=False, max_length=64)
    from_day = forms.DateField(label="From", required=False, widget=DayInput())
    to_day = forms.DateField(label="To", required=False, widget=DayInput())

    def __init__(self, *args: Any, actors: Sequence[str], subjects: Sequence[tuple[str, str]], **more: Any) -> None:
        super().__init__(*args, **more)
        offer_choices(self, "who", [("", "Anybody"), *((name, name) for name in actors)])
        offer_choices(self, "about", [("", "Anything"), *subjects])

    def clean_thing(self) -> str:
        return str(self.cleaned_data["thing"]).strip()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, last = cleaned.get("from_day"), cleaned.get("to_day")
        if first and last and last < first:
            raise ValidationError("The last day is before the first.")
        return cleaned
