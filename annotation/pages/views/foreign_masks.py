"""A mask from elsewhere on a scan: send the file, say what its labels become, store it."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from annotation.masks.elsewhere import ReadMask, count_begun, import_read_mask, layer_for, read_upload
from annotation.masks.mapping import suggest
from annotation.masks.models import MaskRevision
from annotation.masks.nifti import geometry_of
from annotation.masks.sources import NAMES
from annotation.masks.waiting import fetch_read, forget_read, keep_read
from annotation.pages.mask_forms import MaskFileForm, MaskMapForm
from annotation.pages.pictures import draw_label
from annotation.pages.requests import PageRequest
from annotation.pages.sending import form_page, save
from annotation.scans.models import Scan
from annotation.work.models import Campaign
from annotation.work.schema import parse_schema
from voxloop.kernel.errors import CODE_HEADER, Conflict, NotFound

WAITING = "mask from elsewhere"  # in the session: the scan, layer and key of the file that waits for its mapping


def mask_bring(request: PageRequest, found: Scan) -> HttpResponse:
    """Send a mask file; it is read, and nothing of it is stored yet."""
    campaign = _campaign(request)
    layer_for(found, campaign, None, request.user)
    layers = parse_schema(campaign.schema.definition).layers
    form = MaskFileForm(request.POST or None, request.FILES or None, layers=layers)

    def read() -> str:
        wanted = form.cleaned_data
        read_mask = read_upload(
            upload=wanted["file"], scan=found, may_resample=wanted["resample"], threshold=wanted["threshold"]
        )
        return keep_read(read_mask)

    if request.method == "POST" and form.is_valid() and (key := save(form, read)):
        request.session[WAITING] = {"scan": str(found.pk), "layer": form.cleaned_data["layer"], "key": key}
        return redirect("mask_map", found.pk)
    return form_page(
        request,
        form,
        {
            "title": "Mask from elsewhere",
            "verb": "Read file",
            "busy": "Reading…",
            "lead": f"For {found.code}. Next you see what the file holds and say what its labels become; only then is "
            "anything stored.",
            "discard": reverse("scan", args=[found.pk]),
        },
    )


def mask_map(request: PageRequest, found: Scan) -> HttpResponse:
    """What becomes of each label; storing makes the revision."""
    campaign, waiting = _campaign(request), _waiting(request, found)
    if waiting is None:
        messages.info(request, "Send the mask file first.")
        return redirect("mask_bring", found.pk)
    layer = layer_for(found, campaign, waiting["layer"], request.user)
    mask = fetch_read(waiting["key"])
    form = MaskMapForm(
        request.POST or None,
        labels=mask.labels,
        layer=layer,
        guess=suggest(mask.labels, layer),
        initial={"key": waiting["key"]},
    )

    def store() -> tuple[MaskRevision, bool]:
        if form.cleaned_data["key"] != waiting["key"]:
            raise Conflict("Another file was sent meanwhile; the page shows that one now.", code="another_file")
        return import_read_mask(
            found=mask,
            mapped=form.mapped(),
            scan=found,
            campaign=campaign,
            layer=layer.name,
            actor=request.user,
            beside_work=form.cleaned_data["beside_work"],
        )

    if request.method == "POST" and form.is_valid() and (stored := save(form, store)):
        del request.session[WAITING]
        forget_read(waiting["key"])
        messages.success(request, "The mask is stored." if stored[1] else "This mask is stored already.")
        return redirect(f"{reverse('scan', args=[found.pk])}#masks")
    return _show(request, form, found, mask, layer.title)


def _show(request: PageRequest, form: MaskMapForm, found: Scan, mask: ReadMask, layer: str) -> HttpResponse:
    grid = geometry_of(found)
    answer = render(
        request,
        "mask_map.html",
        {
            "form": form,
            "scan": found,
            "mask": mask,
            "layer": layer,
            "format": NAMES[mask.format],
            "begun": count_begun(found),
            "rows": [(n, label, grid.amount(label.voxels), field) for n, label, field in form.rows()],
            "unit": grid.unit,
        },
        status=422 if form.errors else 200,
    )
    if "code" in vars(form):
        answer[CODE_HEADER] = vars(form)["code"]
    return answer


def mask_label_picture(request: PageRequest, found: Scan, number: int) -> HttpResponse:
    """The slice with most of one label of the file that waits."""
    waiting = _waiting(request, found)
    if waiting is None:
        raise Conflict("No mask file waits here; send one first.", code="nothing_waits")
    mask = fetch_read(waiting["key"])
    if not 1 <= number <= len(mask.labels):
        raise NotFound
    answer = HttpResponse(draw_label(found, mask.layers(), number), content_type="image/png")
    answer["Cache-Control"] = "private, no-store"  # the same address shows the next file
    return answer


def _waiting(request: PageRequest, found: Scan) -> dict[str, Any] | None:
    waiting: dict[str, Any] | None = request.session.get(WAITING)
    return waiting if waiting is not None and waiting["scan"] == str(found.pk) else None


def _campaign(request: PageRequest) -> Campaign:
    if request.campaign is None:
        raise NotFound
    return request.campaign
