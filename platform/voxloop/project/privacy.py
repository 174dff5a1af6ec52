"""What a browser may keep of our answers: nothing on its own, and after a log-out nothing at all (docs/adr)."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

# Browsers hear it over https and on localhost only; the page has cleared by itself before (offline/leaving.ts).
CACHE, EVERYTHING = '"cache"', '"cache", "storage"'
NOTHING_WAITS = "nothing_waits"  # field of the log-out form: no unsent work of anybody lies in this browser


class KeptNowhere:
    """Middleware: `no-store` on every answer that says nothing else, and a log-out that clears the browser.

    Built scripts and styles do not pass here: they hold nothing of anybody and are cached for a year.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        answer = self.get_response(request)
        if not answer.has_header("Cache-Control"):
            answer["Cache-Control"] = "no-store"
        if request.method == "POST" and request.path == reverse("account_logout") and answer.status_code < 400:
            answer["Clear-Site-Data"] = EVERYTHING if request.POST.get(NOTHING_WAITS) == "1" else CACHE
        return answer
