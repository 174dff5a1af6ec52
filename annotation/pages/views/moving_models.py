"""Models that come from elsewhere and go elsewhere."""

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from annotation.learning.bringing import bring_model
from annotation.learning.models import ModelVersion, TrainingRun
from annotation.learning.packing import find_model, request_packing, serve_model
from annotation.pages.model_forms import BringModelForm
from annotation.pages.requests import PageRequest
from annotation.pages.sending import form_page, save
from annotation.work.models import Campaign


def model_bring(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """Upload a model; the page of models shows how it is checked and measured."""
    form = BringModelForm(request.POST or None, request.FILES or None)

    def bring() -> TrainingRun:
        return bring_model(campaign=campaign, actor=request.user, upload=form.cleaned_data["file"])

    if request.method == "POST" and form.is_valid() and (run := save(form, bring)):
        messages.success(request, f"The model is here. Run {run.number} checks it and measures it on the hold-out.")
        return redirect("models", campaign.slug)
    return form_page(
        request,
        form,
        {
            "title": "Bring a model",
            "verb": "Bring model",
            "busy": "Sending…",
            "lead": "It is checked piece by piece without running any code in it, measured on the hold-out sites, and "
            "judged by the gate. It never serves before a person promotes it.",
            "discard": reverse("models", args=[campaign.slug]),
        },
    )


def model_pack(request: PageRequest, model: ModelVersion) -> HttpResponse:
    """Start a job that packs a version."""
    request_packing(model_id=model.pk, actor=request.user)
    messages.success(request, f"{model} is being packed. You can leave the page; the job goes on.")
    return redirect(f"{reverse('model_card', args=[model.pk])}#portable")


def model_download(request: PageRequest, model: ModelVersion) -> HttpResponse | StreamingHttpResponse:
    """The zip of a packed version."""
    return serve_model(request, find_model(model.pk, request.user), request.user)
