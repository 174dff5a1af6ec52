"""Browser caching: responses are not cached, and a log-out clears the browser's data (docs/adr/0018)."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

# Browsers obey it over https and on localhost only; the page has cleared its data before (offline/leaving.ts).
CACHE, EVERYTHING = '"cache"', '"cache", "storage"'
NOTHING_WAITS = "nothing_waits"  # field of the log-out form: this browser holds no unsent work


class KeptNowhere:
    """Middleware: `no-store` on every response without its own Cache-Control, and a log-out that clears the browser.
    Built scripts and styles do not pass here: they hold no data and are cached for a year."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        answer = self.get_response(request)
        if not answer.has_header("Cache-Control"):
            answer["Cache-Control"] = "no-store"
        if request.method == "POST" and request.path == reverse("account_logout") and answer.status_code < 400:
            answer["Clear-Site-Data"] = EVERYTHING if request.POST.get(NOTHING_WAITS) == "1" else CACHE
        return answer
