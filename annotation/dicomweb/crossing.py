"""Pages of other origins may read DICOMweb where an operator named them (`VOXLOOP_DICOMWEB_ORIGINS`), with a token: no
cookie counts across origins."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

PREFIX = "/dicom-web/"
ASKED = "HTTP_ACCESS_CONTROL_REQUEST_METHOD"
LASTS_SECONDS = 600


class NamedOrigins:
    """Middleware: CORS for DICOMweb (Fetch standard). Without the setting and for other origins it adds nothing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not settings.DICOMWEB_ORIGINS or not request.path.startswith(PREFIX):
            return self.get_response(request)
        origin = request.headers.get("Origin", "")
        is_named = origin in settings.DICOMWEB_ORIGINS
        if is_named and request.method == "OPTIONS" and ASKED in request.META:
            answer: HttpResponseBase = HttpResponse(status=204)
            answer["Access-Control-Allow-Methods"] = "GET, POST"
            answer["Access-Control-Allow-Headers"] = "Authorization, Accept, Content-Type"
            answer["Access-Control-Max-Age"] = str(LASTS_SECONDS)
        else:
            answer = self.get_response(request)
        answer["Vary"] = ", ".join(filter(None, [answer.get("Vary"), "Origin"]))
        if is_named:
            answer["Access-Control-Allow-Origin"] = origin
            answer["Access-Control-Expose-Headers"] = "Warning, Location"
        return answer
