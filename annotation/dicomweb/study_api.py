"""HTTP for the two addresses that are searched, retrieved from and stored to."""

from django.http import HttpResponse, StreamingHttpResponse

from annotation.dicomweb.accept import wants_json
from annotation.dicomweb.retrieve_api import retrieve
from annotation.dicomweb.search_api import pairs_of
from annotation.dicomweb.searching import search_studies
from annotation.dicomweb.views import DicomView, answer_records, root_of
from voxloop.accounts.requests import Request


class StudiesView(DicomView):
    """Search for studies."""

    def get(self, request: Request) -> HttpResponse:
        media, root = wants_json(request), root_of(request)
        records, warnings = search_studies(request.user, pairs_of(request), root)
        return answer_records(records, warnings, media, root)


class StudyView(DicomView):
    """Retrieve a study."""

    def get(self, request: Request, study: str) -> StreamingHttpResponse:
        return retrieve(request, study)
