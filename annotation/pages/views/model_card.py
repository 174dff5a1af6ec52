"""The card of a model as a page and as a file, and the slices of the scans on which it did worst."""

import json
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render

from annotation.learning.cards import to_markdown, write_card
from annotation.learning.models import ModelVersion
from annotation.learning.packing import WAITING, name_of, packing_of
from annotation.pages.pictures import draw_slice
from annotation.pages.requests import PageRequest
from annotation.pages.selectors.evidence import cases_of
from annotation.scans.models import Scan
from annotation.work.permissions import OVERSEERS, has_role
from voxloop.kernel.errors import NotFound


def model_card(request: PageRequest, model: ModelVersion) -> HttpResponse:
    """Data, figures, limits and decisions on one page."""
    packing = packing_of(model)
    return render(
        request,
        "model_portable.html" if request.htmx else "model_card.html",
        {
            "model": model,
            "card": write_card(model),
            "packing": packing,
            "is_packing": packing is not None and packing.state in WAITING,
            "folder": name_of(model),
            "may_take": has_role(request.user, model.campaign, *OVERSEERS),
        },
    )


def model_card_file(request: PageRequest, model: ModelVersion, form: str) -> HttpResponse:
    """The card as `card.md` or `card.json`."""
    card = write_card(model)
    if form == "md":
        answer = HttpResponse(to_markdown(card), content_type="text/markdown; charset=utf-8")
    elif form == "json":
        text = json.dumps(card, indent=2, ensure_ascii=False)
        answer = HttpResponse(text, content_type="application/json; charset=utf-8")
    else:
        raise NotFound
    name = f"{model.campaign.slug}-{model}-card.{form}"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def case_picture(request: PageRequest, model: ModelVersion, scan: UUID) -> HttpResponse:
    """The slice of a scan on which the model did worst; only slices that its page shows."""
    case = next((each for each in cases_of(request.user, model.run) if each["scan"] == str(scan)), None)
    if case is None:
        raise NotFound
    answer = HttpResponse(draw_slice(Scan.objects.get(pk=scan), case["slice"]), content_type="image/png")
    answer["Cache-Control"] = "no-store"
    return answer
