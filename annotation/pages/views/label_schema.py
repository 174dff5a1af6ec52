"""The label schema of a campaign: its editor, its versions as files, and the search for coded terms."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render

from annotation.pages.requests import PageRequest
from annotation.pages.schema_draft import Draft, definition_of, draft_of
from annotation.pages.schema_editing import act, read_draft, tie
from annotation.pages.schema_files import read_schema_file
from annotation.pages.selectors.label_schema import doubts, has_clashes, layer_rows, list_versions, question_rows
from annotation.pages.sending import MENDABLE
from annotation.pages.templatetags.figures import plural
from annotation.work.coded_terms import find_terms
from annotation.work.models import Campaign, LabelSchema
from annotation.work.questions import KINDS
from annotation.work.schema import parse_schema
from annotation.work.schema_changing import change_schema
from annotation.work.schema_uses import find_uses
from voxloop.kernel.errors import CODE_HEADER, Invalid, Refusal

KIND_WORDS = {
    "choice": "One of several",
    "choices": "Several of several",
    "boolean": "Yes or no",
    "number": "A number",
    "text": "A few words",
}


def schema_edit(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """Edit the schema. `do` is the button: `save`, `load`, `download`, `check`, or one of `schema_editing.act`."""
    schema = campaign.schema
    version = request.POST.get("version", "")
    seen = int(version) if version.isdecimal() and len(version) < 6 else schema.version
    if request.method == "GET":
        return _page(request, campaign, draft_of(parse_schema(schema.definition)), seen)
    do = request.POST.get("do", "save")  # Ctrl Enter names no button
    if do == "load":
        return _load(request, campaign, seen)
    draft = read_draft(request.POST)
    if do == "save":
        return _save(request, campaign, draft, seen)
    if do == "download":
        return _download(request, campaign, draft, seen)
    focus, said = act(draft, do)
    return _page(request, campaign, draft, seen, focus=focus, said=said)


def _load(request: PageRequest, campaign: Campaign, seen: int) -> HttpResponse:
    """Show what is in a file, saved only by the button."""
    file = request.FILES.get("schema_file")
    now_there = draft_of(parse_schema(campaign.schema.definition))
    if file is None:
        return _page(request, campaign, now_there, seen, wrong="Choose the file of the label schema first.")
    try:
        draft = draft_of(parse_schema(read_schema_file(file)))
        tie(draft, now_there)
    except ValidationError as error:
        return _page(request, campaign, now_there, seen, wrong=f"{error.messages[0]} Nothing was taken from the file.")
    said = "This is what the file says. Nothing is saved yet: look at it, then save it."
    return _page(request, campaign, draft, seen, said=said)


def _download(request: PageRequest, campaign: Campaign, draft: Draft, seen: int) -> HttpResponse:
    """What is typed as a file, saved or not; it may have faults that only saving refuses."""
    try:
        return _file(definition_of(draft), f"{campaign.slug}-schema-draft.json")
    except Invalid as refusal:
        answer = _page(request, campaign, draft, seen, wrong=refusal.detail)
        answer[CODE_HEADER] = refusal.code
        return answer


def _save(request: PageRequest, campaign: Campaign, draft: Draft, seen: int) -> HttpResponse:
    try:
        definition = definition_of(draft)
        changes = change_schema(campaign=campaign, definition=definition, seen_version=seen, actor=request.user)
    except Refusal as refusal:
        if refusal.kind not in MENDABLE:
            raise
        answer = _page(request, campaign, draft, seen, wrong=refusal.detail, reasons=refusal.extra.get("reasons"))
        answer[CODE_HEADER] = refusal.code
        return answer
    if changes:
        told = f"Version {seen + 1} of the label schema is saved: {plural(len(changes), 'change')}."
        messages.success(request, told)
    else:
        messages.success(request, "Nothing was changed.")
    return redirect("schema_edit", campaign.slug)


def _page(
    request: PageRequest,
    campaign: Campaign,
    draft: Draft,
    seen: int,
    *,
    focus: str = "",
    said: str = "",
    wrong: str = "",
    reasons: Any = None,
) -> HttpResponse:
    uses, stored = find_uses(campaign), draft_of(parse_schema(campaign.schema.definition))
    layers, questions = layer_rows(draft, stored, uses), question_rows(draft, stored, uses)
    if not (said or wrong) and has_clashes([*layers, *questions]):
        said = "Not saved yet: put right what is marked below first."
    context = {
        "found": campaign,
        "version": seen,
        "next_version": seen + 1,
        "layers": layers,
        "questions": questions,
        "kinds": [(kind, KIND_WORDS[kind]) for kind in KINDS],
        "doubts": doubts(draft),
        "uses": uses,
        "focus": focus,
        "said": said,
        "wrong": wrong,
        "reasons": reasons or [],
    }
    if request.htmx:
        return render(request, "schema_form.html", context)
    context["versions"] = list_versions(campaign)
    return render(request, "schema_editor.html", context, status=422 if wrong else 200)


def schema_version_file(request: PageRequest, campaign: Campaign, number: int) -> HttpResponse:
    """One version of the schema as a file."""
    schema = LabelSchema.objects.filter(name=campaign.schema.name, version=min(number, 32767)).first()
    if schema is None:
        raise Http404
    return _file(schema.definition, f"{campaign.slug}-schema-v{schema.version}.json")


def _file(definition: Any, name: str) -> HttpResponse:
    answer = JsonResponse(definition, json_dumps_params={"indent": 2, "ensure_ascii": False})
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def coded_terms(request: PageRequest) -> HttpResponse:
    """The options of the list of terms, for what is typed."""
    field = request.headers.get("HX-Trigger-Name", "")
    words = request.GET.get("q") or request.GET.get(field, "")
    return render(request, "schema_terms.html", {"terms": find_terms(words[:100])})
