"""What the views of DICOMweb share."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.http import HttpResponse
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request as AnyRequest
from rest_framework.views import APIView

from annotation.dicomweb.attributes import to_json
from annotation.dicomweb.query import Record
from voxloop.accounts.requests import Request


class OwnNegotiation(BaseContentNegotiation):
    """The views read the Accept header themselves: ranges of multipart/related are told apart by parameters."""

    def select_parser(self, request: AnyRequest, parsers: Iterable[BaseParser]) -> Any:
        return next(iter(parsers), None)

    def select_renderer(
        self, request: AnyRequest, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, str(first.media_type)


class DicomView(APIView):
    """A resource of DICOMweb. Not part of the OpenAPI document: PS3.18 describes it."""

    permission_classes = [IsAuthenticated]
    renderer_classes = [JSONRenderer]
    content_negotiation_class = OwnNegotiation
    http_method_names = ["get", "post"]
    schema = None


def root_of(request: Request) -> str:
    """The address of the service, which others begin with."""
    return str(request.build_absolute_uri("/dicom-web"))


def answer_json(objects: Sequence[Any], media: str) -> HttpResponse:
    """DICOM JSON objects."""
    return HttpResponse(json.dumps(objects, ensure_ascii=False), content_type=media)


def answer_records(records: Iterable[Record], warnings: Sequence[str], media: str, root: str) -> HttpResponse:
    """Found records, with the warnings of the search (code 299, RFC 7234)."""
    answer = answer_json([to_json(record) for record in records], media)
    if warnings:
        answer["Warning"] = ", ".join(f'299 {root}: "{text}"' for text in warnings)
    return answer
