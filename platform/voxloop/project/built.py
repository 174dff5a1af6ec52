"""Built scripts, styles and workers: WhiteNoise, and what an isolated page asks of the scripts of its workers."""

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from whitenoise.middleware import WhiteNoiseMiddleware


class BuiltFiles(WhiteNoiseMiddleware):
    """WhiteNoise with the embedder policy on every answer. Its own hook for headers leaves 304 answers out, and WebKit
    then refuses to start a worker whose script it has in its cache."""

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponseBase:
        answer: HttpResponseBase = WhiteNoiseMiddleware.serve(static_file, request)
        answer["Cross-Origin-Embedder-Policy"] = "require-corp"
        return answer
