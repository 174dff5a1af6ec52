"""What a refused form does: it keeps what was typed, and the refusal stands at the field that it is about."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django import forms
from django.http import HttpResponse
from django.shortcuts import render

from annotation.pages.requests import PageRequest
from voxloop.kernel.errors import CODE_HEADER, Kind, Refusal

Made = TypeVar("Made")
# What somebody can mend in the form; anything else (not found, forbidden, damaged) is told by the guard.
MENDABLE = {Kind.INVALID, Kind.CONFLICT, Kind.TOO_LARGE, Kind.NO_SPACE, Kind.UNAVAILABLE}
# The field that a refusal is about, by its code; the first that the form has.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "bad_release": ("name",),
    "release_taken": ("name",),
    "unknown_site": ("sites",),
    "unknown_segment": ("segments",),
    "bad_thickness": ("thickest_mm",),
    "bad_agreement": ("least_agreement",),
    "bad_licence": ("licence",),
    "bad_site": ("code",),
    "site_taken": ("code",),
    "bad_site_name": ("name",),
    "campaign_taken": ("name",),
    "slug_taken": ("slug",),
    "bad_schema": ("schema_file", "schema"),
    "bad_size": ("size",),
    "no_scans_left": ("assignee", "size"),
    "not_an_annotator": ("assignee",),
    "site_not_visible": ("assignee",),
    "bad_due_date": ("due_on",),
    "bad_choice": ("chosen_by",),
    "name_taken": ("username",),
    "bad_person": ("username",),
    "own_password": ("password",),
    "unknown_file": ("file",),
    "too_large": ("file",),
    "sheet_too_large": ("file",),
    "sheet_unreadable": ("file",),
    "bad_encoding": ("file",),
    "bad_columns": ("file",),
    "empty_sheet": ("file",),
    "not_confirmed": ("confirmation",),
    "reason_required": ("reason",),
}
AGAIN = "Choose the file again: browsers do not keep it."


def save(form: forms.Form, act: Callable[[], Made]) -> Made | None:
    """Call a service for a valid form. What it refuses becomes an error of the form, and the answer is None."""
    try:
        return act()
    except Refusal as refusal:
        if refusal.kind not in MENDABLE and refusal.code not in FIELDS:
            raise
        wanted = (str(refusal.extra.get("field", "")), *FIELDS.get(refusal.code, ()))
        field = next((name for name in wanted if name in form.fields), None)
        form.add_error(field, refusal.detail)
        vars(form)["code"] = refusal.code
        return None


def form_page(
    request: PageRequest, form: forms.Form, context: Mapping[str, Any], template: str = "form_page.html"
) -> HttpResponse:
    """The page of a form; 422 with the code of the refusal when it has to be changed."""
    if form.errors:
        for name in form.files:
            if name in form.fields and name not in form.errors:
                form[name].help_text = AGAIN
    answer = render(request, template, {"form": form, **context}, status=422 if form.errors else 200)
    if "code" in vars(form):
        answer[CODE_HEADER] = vars(form)["code"]
    return answer
