"""The form of a campaign's criteria."""

from typing import Any

from django import forms

from annotation.work.eligibility.rules import BODY_PARTS, MODALITIES, Rules


class CriteriaForm(forms.Form):
    """Each field is optional; an empty one asks for nothing."""

    modalities = forms.MultipleChoiceField(
        label="Modality",
        required=False,
        choices=list(MODALITIES.items()),
        widget=forms.CheckboxSelectMultiple(),
    )
    body_part = forms.ChoiceField(
        label="Part of the body",
        required=False,
        choices=[("", "Any"), *((name, name.capitalize()) for name in BODY_PARTS)],
        help_text="As the file says it; one that says nothing is not excluded by this.",
    )
    kernels = forms.CharField(
        label="Kernels", required=False, max_length=200, help_text="Separated by commas: B70F, LUNG."
    )
    most_thickness_mm = forms.FloatField(label="Slice thickness up to, mm", required=False, min_value=0.01)
    recommended_thickness_mm = forms.FloatField(
        label="Recommended up to, mm", required=False, min_value=0.01, help_text="Thicker slices are only noted."
    )
    least_slices = forms.IntegerField(label="Slices, at least", required=False, min_value=1, max_value=10_000)
    least_age = forms.IntegerField(label="Age, at least", required=False, min_value=0, max_value=90)
    most_days_to_test = forms.IntegerField(
        label="Days between scan and test, at most",
        required=False,
        min_value=0,
        max_value=3650,
        help_text="To the nearest test, before or after.",
    )
    needs_lungs = forms.BooleanField(
        label="Lungs were found in a CT",
        required=False,
        help_text="Tells a CT of the head that says nothing of itself.",
    )
    needs_volume = forms.BooleanField(label="No gaps between slices", required=False)
    needs_record = forms.BooleanField(label="A clinical record is present", required=False)
    one_per_study = forms.BooleanField(
        label="One series of each study",
        required=False,
        help_text="Of several that could be taken a data manager picks one; until then none is.",
    )

    def __init__(self, data: Any = None, *, rules: Rules) -> None:
        initial = rules.to_json() | {"kernels": ", ".join(rules.kernels)}
        super().__init__(data, initial=initial)

    def rules(self) -> Rules:
        """What was asked for."""
        told = dict(self.cleaned_data)
        words = [word.strip() for word in told["kernels"].split(",")]
        told["kernels"] = tuple(word for word in words if word)
        return Rules(**{**told, "modalities": tuple(told["modalities"])})
