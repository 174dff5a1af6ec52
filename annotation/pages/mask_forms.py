"""Forms of a mask from elsewhere: the file, then what becomes of each of its labels."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from annotation.masks.foreign.found import ForeignLabel
from annotation.masks.foreign.request import SUFFIXES
from annotation.masks.mapping import LEFT_OUT
from annotation.pages.form_fields import offer_choices
from annotation.work.schema import Layer


class MaskFileForm(forms.Form):
    """A mask file of another program."""

    file = forms.FileField(
        label="File",
        help_text="NIfTI (.nii.gz, .nii), NRRD (.nrrd, .seg.nrrd), MetaImage (.mha), DICOM SEG or RTSTRUCT (.dcm), "
        "on the grid of the scan.",
        widget=forms.ClearableFileInput(attrs={"accept": ",".join((*SUFFIXES, ".gz"))}),
    )
    layer = forms.ChoiceField(label="Layer", help_text="Where its labels go.")
    resample = forms.BooleanField(
        label="Take another grid",
        required=False,
        help_text="Resampled to the scan's by the nearest voxel, which changes volumes; the revision says so.",
    )
    threshold = forms.FloatField(
        label="Threshold",
        required=False,
        min_value=0.001,
        max_value=1,
        help_text="Only for a FRACTIONAL segmentation: from which share (0 to 1) a voxel counts.",
    )

    def __init__(self, *args: Any, layers: Sequence[Layer], **more: Any) -> None:
        super().__init__(*args, **more)
        offer_choices(self, "layer", [(layer.name, layer.title) for layer in layers])


class MaskMapForm(forms.Form):
    """One choice for each label that was found; numbers of labels count from 1."""

    key = forms.CharField(widget=forms.HiddenInput())  # of the file that the page showed
    beside_work = forms.BooleanField(label="Store it beside the work that has begun", required=False)

    def __init__(
        self, *args: Any, labels: Sequence[ForeignLabel], layer: Layer, guess: Mapping[int, str], **more: Any
    ) -> None:
        super().__init__(*args, **more)
        choices = [(LEFT_OUT, "Leave out"), *((segment.key, segment.name) for segment in layer.segments)]
        self.labels = labels
        for n, label in enumerate(labels, start=1):
            self.fields[f"label_{n}"] = forms.ChoiceField(
                label=f"{label.name} becomes", choices=choices, required=False, initial=guess[n]
            )

    def rows(self) -> list[tuple[int, ForeignLabel, Any]]:
        """Number, label and bound field of each."""
        return [(n, label, self[f"label_{n}"]) for n, label in enumerate(self.labels, start=1)]

    def mapped(self) -> dict[int, str]:
        """What the person chose."""
        return {n: self.cleaned_data[f"label_{n}"] for n in range(1, len(self.labels) + 1)}
