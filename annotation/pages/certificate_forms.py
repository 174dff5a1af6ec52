"""The form by which a sample of a batch is drawn."""

from typing import Any

from django import forms

from annotation.pages.form_fields import MOST_PLANNED
from annotation.pages.templatetags.figures import plural
from annotation.reviews.certificates import CONFIDENCES, POLICY_CONFIDENCE, POLICY_EXTRAS, excluded_of
from annotation.reviews.sampling import sample_for


class SampleForm(forms.Form):
    """What a sample is to exclude, with which confidence, and how many scans are reviewed for their risk."""

    confidence = forms.TypedChoiceField(label="Confidence", coerce=float)
    excluded = forms.IntegerField(
        label="Exclude so many bad scans or more",
        min_value=1,
        max_value=MOST_PLANNED,
        help_text="Fewer than that may be bad unseen.",
    )
    extras = forms.IntegerField(
        label="Riskiest scans to review besides",
        min_value=0,
        max_value=MOST_PLANNED,
        help_text="They hide from reviewers which scans were drawn, and stay out of the estimate.",
    )

    def __init__(self, data: Any = None, *, waiting: int) -> None:
        excluded, extras = excluded_of(waiting), min(POLICY_EXTRAS, waiting)
        super().__init__(data, initial={"excluded": excluded, "extras": extras, "confidence": POLICY_CONFIDENCE})
        self.auto_id = "sample-%s"  # the page has other forms
        sizes = {confidence: sample_for(waiting, excluded, confidence) if waiting else 0 for confidence in CONFIDENCES}
        confidence_field = self.fields["confidence"]
        if isinstance(confidence_field, forms.ChoiceField):
            confidence_field.choices = [
                (confidence, f"{100 * confidence:.0f} %: {size} of {waiting} to exclude {plural(excluded, 'bad scan')}")
                for confidence, size in sizes.items()
            ]
