"""Forms of the pages of models."""

from django import forms


class BringModelForm(forms.Form):
    """A model that was made elsewhere."""

    file = forms.FileField(
        label="File",
        help_text="A zip: the folder of a packed model, or model.onnx with onnx.json, or with nnU-Net's plans.json and "
        "dataset.json.",
        widget=forms.ClearableFileInput(attrs={"accept": ".zip"}),
    )
