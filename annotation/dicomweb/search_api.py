"""HTTP for searches (QIDO-RS, PS3.18 10.6)."""

from typing import Any

from django.http import HttpResponse

from annotation.dicomweb.accept import wants_json
from annotation.dicomweb.searching import search_instances, search_series
from annotation.dicomweb.views import DicomView, answer_records, root_of
from voxloop.accounts.requests import Request

KEYWORDS = {"study": "StudyInstanceUID", "series": "SeriesInstanceUID"}


def pairs_of(request: Request) -> list[tuple[str, str]]:
    """The parameters of the query, in their order; `accept` belongs to the representation."""
    pairs = [(name, value) for name, values in request.query_params.lists() for value in values]
    return [(name, value) for name, value in pairs if name != "accept"]


class SeriesSearchView(DicomView):
    """Series: all, or those of a study."""

    def get(self, request: Request, **uids: str) -> HttpResponse:
        return _answer(request, search_series, uids)


class InstanceSearchView(DicomView):
    """Instances: all, or those of a study or series."""

    def get(self, request: Request, **uids: str) -> HttpResponse:
        return _answer(request, search_instances, uids)


def _answer(request: Request, search: Any, uids: dict[str, str]) -> HttpResponse:
    media, root = wants_json(request), root_of(request)
    path = {KEYWORDS[name]: uid for name, uid in uids.items()}
    records, warnings = search(request.user, pairs_of(request), root, path)
    return answer_records(records, warnings, media, root)
