"""The certificate of a batch: draw a sample, accept the rest on it, or review everything after all."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from annotation.pages.certificate_forms import SampleForm
from annotation.pages.requests import PageRequest
from annotation.pages.selectors.certificates import waiting_whole
from annotation.pages.templatetags.figures import plural
from annotation.reviews.certificates import accept_rest, cancel_sample, draw_sample, review_all
from annotation.work.models import Batch
from voxloop.accounts.services import confirm_signature
from voxloop.kernel.errors import Invalid


def batch_sample(request: PageRequest, found: Batch) -> HttpResponse:
    """Draw a sample of the batch."""
    form = SampleForm(request.POST, waiting=waiting_whole(found))
    if not form.is_valid():
        raise Invalid("Choose a confidence, and numbers of scans.", code="bad_sample")
    drawn = draw_sample(batch_id=found.pk, actor=request.user, **form.cleaned_data)
    messages.success(
        request, f"{plural(drawn.sampled, 'scan')} of {found.name} drawn at random; the rest waits for their review."
    )
    return redirect("batch", found.pk)


def batch_accept_rest(request: PageRequest, found: Batch) -> HttpResponse:
    """Approve the rest, signed with the password."""
    password = request.POST.get("password", "")
    if not password:
        raise Invalid("Enter your password to accept the rest.", code="signature_required")
    signed_at = confirm_signature(request=request, password=password, code=request.POST.get("code"))
    done = accept_rest(batch_id=found.pk, actor=request.user, signed_at=signed_at)
    messages.success(request, f"{found.name} is accepted on a sample of {plural(done.sampled, 'scan')}.")
    return redirect("batch", found.pk)


def batch_sample_cancel(request: PageRequest, found: Batch) -> HttpResponse:
    """Have every scan reviewed."""
    cancel_sample(batch_id=found.pk, actor=request.user)
    messages.success(request, f"Every scan of {found.name} is reviewed.")
    return redirect("batch", found.pk)


def batch_review_all(request: PageRequest, found: Batch) -> HttpResponse:
    """Have every scan reviewed, without waiting for the last one and a sample."""
    review_all(batch_id=found.pk, actor=request.user)
    messages.success(request, f"Every scan of {found.name} is reviewed.")
    return redirect("batch", found.pk)
