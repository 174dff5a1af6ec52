"""The type of a request by a logged-in person, as a page's view gets it."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from annotation.work.models import Campaign
from voxloop.accounts.models import User


class PageRequest(HttpRequest):
    """For types only: `voxloop.accounts.middleware` sends everybody else to the log-in page."""

    user: User
    htmx: HtmxDetails
    campaign: Campaign | None  # set by the guard when the address names one
