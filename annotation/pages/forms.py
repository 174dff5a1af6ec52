"""Forms. A form checks its fields; the services decide."""

from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from annotation.pages.form_fields import MOST_PLANNED, ShortNameField, offer_choices, offer_rows
from annotation.pages.schema_files import read_schema_file
from annotation.scans.models import Site
from annotation.work.choosing import say_repeats, strategies_of
from annotation.work.models import Batch, Campaign, CampaignMember, ReviewPolicy, SeenPolicy, SignaturePolicy, Strategy
from annotation.work.standard import STANDARD
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.accounts.zones import today_of
from voxloop.kernel.clock import now

FROM_FILE = "file"


class ErasureForm(forms.Form):
    """The typed confirmation of an erasure, and why."""

    reason = forms.CharField(
        label="Why is the subject erased?",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Written into the log. Write no name.",
    )
    confirmation = forms.CharField(label="Code of the subject", max_length=64)

    def __init__(self, *args: Any, code: str, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["confirmation"].help_text = f"Type {code} to confirm. This cannot be undone."
        self.code = code

    def clean_confirmation(self) -> str:
        typed = str(self.cleaned_data["confirmation"]).strip()
        if typed != self.code:
            raise ValidationError(f"This is not {self.code}; nothing was erased.")
        return typed


class DayInput(forms.DateInput):
    """The browser's own date field."""

    input_type = "date"

    def __init__(self, **more: Any) -> None:
        super().__init__(format="%Y-%m-%d", **more)


class BatchForm(forms.Form):
    """A new batch."""

    chosen_by = forms.ChoiceField(label="How to choose")
    assignee = forms.ModelChoiceField(
        label="For whom",
        queryset=User.objects.none(),
        required=False,
        empty_label="Nobody: leave it in the pool",
        help_text="From the pool each annotator takes the next scan themselves.",
    )
    size = forms.IntegerField(label="Number of scans", min_value=1, max_value=MOST_PLANNED)
    due_on = forms.DateField(label="Due date", required=False, widget=DayInput())
    review_policy = forms.ChoiceField(label="Review", choices=ReviewPolicy.choices, required=False)
    starts_anew = forms.BooleanField(
        label="Start anew",
        required=False,
        help_text="Scans on which somebody has worked without an end go on from what was drawn; ticked, they do not.",
    )
    publish = forms.BooleanField(
        label="Publish at once",
        required=False,
        help_text="Unticked, a draft shows first why each scan was chosen and what the batch is made of.",
    )

    def __init__(self, *args: Any, campaign: Campaign, free: int, actor: User, **more: Any) -> None:
        super().__init__(*args, **more)
        most = campaign.batch_size
        self.today = today_of(actor)
        self.fields["due_on"].widget.attrs["min"] = self.today.isoformat()
        if campaign.due_days:
            self.fields["due_on"].initial = self.today + timedelta(days=campaign.due_days)
        offer_rows(self, "assignee", annotators(campaign))
        offered = [*strategies_of(campaign), Strategy.RANDOM.value]
        ways = [(way.value, way.label) for way in Strategy if way in offered]
        offer_choices(self, "chosen_by", [*ways, ("order", "In order of their codes")])
        self.fields["chosen_by"].initial = ways[0][0] if Strategy.HYBRID in offered else "order"
        self.fields["chosen_by"].help_text = say_repeats(campaign)
        self.fields["size"].initial = min(most, free) or most
        self.fields["review_policy"].initial = campaign.review_policy
        ready = f"{free} ready scans are" if free != 1 else "1 ready scan is"
        self.fields["size"].help_text = f"{ready} in no batch; a batch holds 1 to {most}."
        self.most = most

    def clean_size(self) -> int:
        size = int(self.cleaned_data["size"])
        if size > self.most:
            raise ValidationError(f"A batch holds 1 to {self.most} scans. Make several batches for {size}.")
        return size

    def clean_review_policy(self) -> str:
        return str(self.cleaned_data["review_policy"] or self.fields["review_policy"].initial)

    def clean_due_on(self) -> Any:
        due = self.cleaned_data["due_on"]
        if due and due < self.today:
            raise ValidationError(f"{due:%-d %b %Y} is past. The earliest day is {self.today:%-d %b %Y}.")
        return due


class AssignForm(forms.Form):
    """Give a batch to somebody else, or to the pool."""

    person = forms.ModelChoiceField(
        label="Give to", queryset=User.objects.none(), required=False, empty_label="Nobody: the pool"
    )

    count = forms.IntegerField(
        label="How many scans",
        required=False,
        min_value=1,
        max_value=MOST_PLANNED,
        help_text="The last so many; empty: all of them.",
    )

    def __init__(self, *args: Any, batch: Batch, **more: Any) -> None:
        super().__init__(*args, **more)
        offer_rows(self, "person", annotators(batch.campaign))
        self.fields["person"].initial = batch.assignee_id


class ReclaimForm(forms.Form):
    """Take one scan back, and say who goes on with it."""

    reason = forms.CharField(
        label="Why?",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The reason is kept in the log.",
    )
    person = forms.ModelChoiceField(
        label="Who goes on", queryset=User.objects.none(), required=False, empty_label="Nobody yet: the pool"
    )
    starts_anew = forms.BooleanField(
        label="Start anew",
        required=False,
        help_text="Otherwise they go on from what was drawn, with answers, history and comments.",
    )

    def __init__(self, *args: Any, campaign: Campaign, **more: Any) -> None:
        super().__init__(*args, **more)
        self.auto_id = "reclaim-%s"  # the page has another form with a person
        offer_rows(self, "person", annotators(campaign))


NEVERTHELESS = "Only after a refusal as derived, secondary capture or not HU: why it is right. The log keeps it."


class UploadForm(forms.Form):
    """A scan that was de-identified at its site."""

    file = forms.FileField(
        label="File",
        help_text="A zip of DICOM series or NIfTI volumes, or of PNG and JPEG X-rays with their table, or one NIfTI "
        "(.nii, .nii.gz); de-identified.",
        widget=forms.ClearableFileInput(attrs={"accept": ".zip,.nii,.gz"}),
    )
    site = forms.ModelChoiceField(label="Site", queryset=Site.objects.none(), empty_label=None)
    campaign = forms.ModelChoiceField(label="Campaign", queryset=Campaign.objects.none(), empty_label=None)
    nevertheless = forms.CharField(label="Take in nevertheless", required=False, max_length=500, help_text=NEVERTHELESS)

    def __init__(self, *args: Any, sites: Any, campaigns: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        offer_rows(self, "site", sites, lambda site: f"{site.code}: {site.name}")
        offer_rows(self, "campaign", campaigns)

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if not file.name.lower().endswith((".zip", ".nii", ".nii.gz")):
            raise ValidationError("The name must end in .zip, .nii or .nii.gz.")
        return file


class CampaignForm(forms.Form):
    """A new campaign."""

    name = forms.CharField(label="Name", max_length=120)
    slug = ShortNameField()
    planned_scans = forms.IntegerField(label="Planned scans", min_value=0, max_value=MOST_PLANNED, initial=0)
    planned_until = forms.DateField(label="Planned until", required=False, widget=DayInput())
    schema = forms.ChoiceField(label="Label schema", help_text="What is drawn and asked. Its page changes it later.")
    schema_file = forms.FileField(
        label="File of the label schema",
        required=False,
        help_text="JSON. The guidelines of each campaign offer theirs for download, to change and send here.",
        widget=forms.ClearableFileInput(attrs={"accept": ".json,application/json"}),
    )
    seen_policy = forms.ChoiceField(
        label="Handed in or approved without a look",
        choices=SeenPolicy.choices,
        initial=SeenPolicy.WARN,
        required=False,
        help_text="The viewer measures which slices and lesions were looked at.",
    )
    signature_policy = forms.ChoiceField(
        label="An approval asks for the password",
        choices=SignaturePolicy.choices,
        initial=SignaturePolicy.RECENT,
        required=False,
    )
    guidelines = forms.CharField(label="Guidelines", required=False, widget=forms.Textarea(attrs={"rows": 6}))

    def clean_planned_until(self) -> Any:
        day = self.cleaned_data["planned_until"]
        if day and day < now().date() - timedelta(days=1):  # the day before is today somewhere
            raise ValidationError(f"{day:%-d %b %Y} is past. Choose a day to come, or none.")
        return day

    def clean_seen_policy(self) -> str:
        return self.cleaned_data["seen_policy"] or SeenPolicy.WARN

    def clean_signature_policy(self) -> str:
        return self.cleaned_data["signature_policy"] or SignaturePolicy.RECENT

    def __init__(self, *args: Any, campaigns: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.definitions: dict[str, Any] = {key: definition for key, (_, definition) in STANDARD.items()}
        choices = [(key, title) for key, (title, _) in STANDARD.items()]
        for campaign in campaigns:
            key = str(campaign.pk)
            self.definitions[key] = campaign.schema.definition
            choices.append((key, f"The same as in {campaign.name}"))
        offer_choices(self, "schema", [*choices, (FROM_FILE, "From a file")])

    def clean_schema_file(self) -> Any:
        file = self.cleaned_data["schema_file"]
        return None if file is None else read_schema_file(file)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        sent = cleaned.pop("schema_file", None)
        chosen = cleaned.pop("schema", None)
        if chosen == FROM_FILE and sent is None and "schema_file" not in self.errors:
            self.add_error("schema_file", "Choose the file of the label schema.")
        if chosen not in (None, FROM_FILE) and sent is not None:
            self.add_error("schema", "A file was chosen as well. Take “From a file”, or remove the file.")
        cleaned["definition"] = sent if chosen == FROM_FILE else self.definitions.get(chosen or "")
        return cleaned


def annotators(campaign: Campaign) -> Any:
    """The campaign's annotators."""
    members = CampaignMember.objects.filter(campaign=campaign, role=Role.ANNOTATOR)
    return User.objects.filter(pk__in=members.values("user"), is_active=True)
