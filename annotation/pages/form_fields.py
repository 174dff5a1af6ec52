"""Fields that several forms have, and choices that are known only when the form is created."""

from collections.abc import Callable, Sequence
from typing import Any, cast

from django import forms
from django.db.models import QuerySet

MOST_PLANNED = 1_000_000
"""Scans that a number in a form may mean."""


class ShortNameField(forms.RegexField):
    """The part of a campaign in addresses."""

    def __init__(self) -> None:
        super().__init__(
            r"\A[a-z0-9]+(-[a-z0-9]+)*\Z",
            label="Short name",
            max_length=64,
            help_text="For addresses: small letters, digits, hyphens.",
            error_messages={"invalid": "Write small letters, digits and hyphens, such as chest-ct."},
        )


def offer_rows(
    form: forms.Form, name: str, rows: "QuerySet[Any, Any]", label: Callable[[Any], str] | None = None
) -> None:
    """Let a field choose among rows; `label` gives a row's text."""
    field = cast("forms.ModelChoiceField[Any]", form.fields[name])
    field.queryset = rows
    if label is not None:
        vars(field)["label_from_instance"] = label


def offer_choices(form: forms.Form, name: str, choices: Sequence[tuple[str, str]]) -> None:
    """Let a field choose among `(value, text)`."""
    cast(forms.ChoiceField, form.fields[name]).choices = choices
