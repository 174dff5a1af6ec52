"""What an isolated page asks of the built scripts of its workers."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class Isolated:
    """Middleware: the embedder policy on every answer for a built file. WhiteNoise's own hook for headers leaves 304
    answers out, and WebKit then refuses to start a worker whose script it has in its cache."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        answer = self.get_response(request)
        if request.path_info.startswith(settings.STATIC_URL):
            answer["Cross-Origin-Embedder-Policy"] = "require-corp"
        return answer
