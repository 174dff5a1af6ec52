"""Gives the framework's bare error responses a code, so that every refusal has one."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from voxloop.kernel.errors import CODE_HEADER
from voxloop.project.views import is_for_api, plain_page, problem_document

PROBLEM = "application/problem+json"
# Default code, heading and sentence of a status.
PLAIN = {
    400: ("bad_request", "This request cannot be read", "Go back, reload the page and try again."),
    401: ("not_authenticated", "You are not logged in", "Log in and try again."),
    403: ("forbidden", "This is not allowed", "Your role does not allow this."),
    404: ("not_found", "There is no such page, or you may not see it", "The address may be mistyped."),
    405: ("method_not_allowed", "This method is not allowed here", "Open the page by its link, or use its form."),
    406: ("not_acceptable", "This format is not available", "Ask for one that this address offers."),
    409: ("conflict", "This cannot be done now", "Reload the page; something has changed meanwhile."),
    413: ("too_large", "This is too large", "Send less at once."),
    415: ("unsupported_media_type", "This cannot be read", "Send it in a format that this address accepts."),
    422: ("invalid", "Some fields are not valid", "Correct what is marked and send it again."),
    429: ("throttled", "Too many requests", "Wait a little and try again."),
    500: ("broken", "The server could not finish this", "What you saved before is safe. Try again in a moment."),
}
OF_THE_BODY = {"content-type", "content-length"}


class CodedAnswers:
    """Middleware: sets the code header on refusing pages, and replaces bare error responses by a page or a problem
    document."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        answer = self.get_response(request)
        if answer.status_code < 400 or answer.headers.get("Content-Type") == PROBLEM:
            return answer
        known = PLAIN.get(answer.status_code)
        if known is None or answer.has_header(CODE_HEADER):
            return answer
        code, heading, text = known
        if is_for_api(request):
            return _with_headers(problem_document(answer.status_code, code, text), answer)
        if isinstance(answer, HttpResponse) and not answer.content:
            return _with_headers(plain_page(answer.status_code, code, heading, text), answer)
        answer.headers[CODE_HEADER] = code
        return answer


def _with_headers(told: HttpResponse, bare: HttpResponseBase) -> HttpResponse:
    """Copy the headers that inner middleware had set, such as browser policies."""
    for name, value in bare.headers.items():
        if name.lower() not in OF_THE_BODY:
            told[name] = value
    told.cookies = bare.cookies
    return told
