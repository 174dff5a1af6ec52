"""HTTP for the two addresses that are searched or retrieved from, and stored to (STOW-RS, PS3.18 10.5)."""

from django.http import HttpResponse, StreamingHttpResponse
from django.utils.http import parse_header_parameters
from rest_framework.exceptions import UnsupportedMediaType

from annotation.dicomweb.accept import MULTIPART, ranges_of, wants_json
from annotation.dicomweb.retrieve_api import retrieve
from annotation.dicomweb.search_api import pairs_of
from annotation.dicomweb.searching import search_studies
from annotation.dicomweb.store_answer import answer_received, wants_answer
from annotation.dicomweb.storing import find_target, receive_instances
from annotation.dicomweb.views import DicomView, answer_records, root_of
from voxloop.accounts.requests import Request


class StudiesView(DicomView):
    """Search for studies; POST stores instances of any study."""

    def get(self, request: Request) -> HttpResponse:
        media, root = wants_json(request), root_of(request)
        records, warnings = search_studies(request.user, pairs_of(request), root)
        return answer_records(records, warnings, media, root)

    def post(self, request: Request) -> HttpResponse:
        return store(request)


class StudyView(DicomView):
    """Retrieve a study; POST stores instances of it."""

    def get(self, request: Request, study: str) -> StreamingHttpResponse:
        return retrieve(request, study)

    def post(self, request: Request, study: str) -> HttpResponse:
        return store(request, study)


def store(request: Request, study: str = "") -> HttpResponse:
    """Take in the parts of a body. Who may not send is refused before any of it is read. Raises Forbidden, NotFound,
    Invalid, UnsupportedMediaType, ParseError."""
    names = request.query_params
    campaign, site = find_target(request.user, names.get("campaign", ""), names.get("site", ""))
    kind, parameters = parse_header_parameters(request.content_type or "")
    if kind.lower() != MULTIPART or parameters.get("type", "").lower() != "application/dicom":
        raise UnsupportedMediaType(
            kind, 'Instances are sent as multipart/related; type="application/dicom".', code="unsupported_media_type"
        )
    media = wants_answer([asked.media for asked in ranges_of(request)])
    received = receive_instances(
        request._request.read,
        parameters.get("boundary", ""),
        campaign=campaign,
        site=site,
        actor=request.user,
        study_uid=study,
    )
    return answer_received(received, request, media)
