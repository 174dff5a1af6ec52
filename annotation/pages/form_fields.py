"""Choices of form fields that are known only when the form is created."""

from collections.abc import Callable, Sequence
from typing import Any, cast

from django import forms
from django.db.models import QuerySet


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
